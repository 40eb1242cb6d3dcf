"""The page `api`: every public thing of the package has a docstring and is on it, and names in the text find it."""

import inspect
import re
from collections import namedtuple

import pytest
from book_tools import ROOT, modules, public, tool

PAGE = (ROOT / "book" / "api.py").read_text(encoding="utf-8")
api_names = tool("api_names")


def methods(cls):
    """{name: function} of the public methods and properties that a class defines and no base class has."""
    bases = {name for base in cls.__mro__[1:] for name in vars(base)}
    functions = {name: getattr(thing, "fget", None) or getattr(thing, "func", None) or getattr(thing, "__func__", thing)
                 for name, thing in vars(cls).items() if not name.startswith("_") and name not in bases}
    return {name: f for name, f in functions.items() if inspect.isfunction(f)}


@pytest.mark.parametrize("module", modules())
def test_what_is_public_has_a_docstring_and_its_module_is_on_the_page(module):
    # A module of data alone, such as the grids of a chapter, has nothing to be described
    assert not public(module) or f".. automodule:: {module}\n   :members:\n" in PAGE
    for name, thing in public(module).items():
        # A dataclass without a docstring gets its signature for one
        assert thing.__doc__ and not thing.__doc__.startswith(f"{name}("), f"{module}.{name} has no docstring"
        for method, function in (methods(thing) if inspect.isclass(thing) else {}).items():
            assert function.__doc__, f"{module}.{name}.{method} has no docstring"


def test_the_page_has_no_module_that_is_gone():
    assert set(re.findall(r"automodule:: (\S+)", PAGE)) <= set(modules())


Entry = namedtuple("Entry", "objtype")
OBJECTS = {
    "pack.language.training.train": Entry("function"),
    "pack.ensembles.train": Entry("function"),
    "pack.language.corpus.corpus": Entry("function"),
    "pack.language.corpus": Entry("module"),
    "pack.templates.TemplateTask": Entry("class"),
    "pack.templates.TemplateTask.sample": Entry("method"),
}


@pytest.mark.parametrize("literal, name", [
    ("TemplateTask", "pack.templates.TemplateTask"),
    ('TemplateTask({"αα": +1, "αβ": -1})', "pack.templates.TemplateTask"),
    ("TemplateTask.sample", "pack.templates.TemplateTask.sample"),
    ("language.train", "pack.language.training.train"),
    ('corpus("python")', "pack.language.corpus.corpus"),
    ("train", None),  # two of them
    ("sample", None),  # a method, or an ordinary word
    ("templates", None),
    ("task.TemplateTask", None),
    ("make bench", None),
    ("αβα", None),
])
def test_a_literal_names_just_one_thing_or_nothing(literal, name):
    assert api_names.find(literal, OBJECTS) == name


@pytest.mark.parametrize("docstring, rst", [
    ("Of *all* runs, |x| and W_ there.", r"Of \*all\* runs, \|x\| and W\_ there."),
    ("In `code *and* |x|` nothing changes.", "In `code *and* |x|` nothing changes."),
    ("One.\n\nRaises: ValueError for this,\n    and that.", "One.\n\n**Raises:** ValueError for this,\nand that."),
    ("One.\n\n    x = *y  # code\n\nTwo.", "One.\n\n::\n\n    x = *y  # code\n\nTwo."),
    ("One.\n\nArgs:\n    x: this,\n        and that.", "One.\n\nArgs:\n    x: this,\n        and that."),
    ("The number. Raises: ValueError for none.", "The number.\n\n**Raises:** ValueError for none."),
    ("One.\n\nArgs: x, this. Returns: (n,)\n    numbers. Raises: ValueError\n    for none. Source: section 2.",
     "One.\n\n**Parameters:** x, this.\n\n**Returns:** (n,)\nnumbers.\n\n**Raises:** ValueError\nfor none.\n\n"
     "**Source:** section 2."),
    ("One.\n\nSee `f`.\nRaises: ValueError for none.", "One.\n\nSee `f`.\n\n**Raises:** ValueError for none."),
    ("One.\n\nArgs:\n    x: this.\n\nReturns:\n    That.", "One.\n\nArgs:\n    x: this.\n\nReturns:\n    That."),
    ("One.\n\nArgs and raises: as `f`. Source: ours.", "One.\n\n**Parameters, raises:** as `f`.\n\n**Source:** ours."),
    ("Within a sentence Source: is a word.", "Within a sentence Source: is a word."),
])
def test_docstrings_become_text_that_means_the_same(docstring, rst):
    lines = docstring.split("\n")
    api_names.to_rst(None, "function", "f", None, None, lines)
    assert "\n".join(lines) == rst


def test_no_words_before_a_colon_become_a_property_s_type():
    lines = ["The strings as text: regular tokens as they are."]
    api_names.to_rst(None, "property", "f", None, None, lines)
    assert napoleon(lines)[:3] == ["..", "", "The strings as text: regular tokens as they are."]


def napoleon(lines):
    """What sphinx's next step makes of a property's docstring."""
    from sphinx.ext.napoleon import Config, GoogleDocstring

    return [line.rstrip() for line in GoogleDocstring(lines, Config(), what="property", name="f").lines()]
