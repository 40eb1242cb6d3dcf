"""Pages made from docstrings: every module has one, every public thing a docstring, and names in the text find it."""

import inspect
import re
import types
from collections import namedtuple

import pytest
from book_tools import ROOT, modules, public, tool
from bs4 import BeautifulSoup

import abstract_symbols

LANDING = (ROOT / "book" / "api.py").read_text(encoding="utf-8")
api_names, api_pages = tool("api_names"), tool("api_pages")


def methods(cls):
    """{name: function} of the public methods and properties that a class defines and no base class has."""
    bases = {name for base in cls.__mro__[1:] for name in vars(base)}
    functions = {name: getattr(thing, "fget", None) or getattr(thing, "func", None) or getattr(thing, "__func__", thing)
                 for name, thing in vars(cls).items() if not name.startswith("_") and name not in bases}
    return {name: f for name, f in functions.items() if inspect.isfunction(f)}


@pytest.mark.parametrize("module", modules())
def test_what_is_public_has_a_docstring(module):
    for name, thing in public(module).items():
        # A dataclass without a docstring gets its signature for one
        assert thing.__doc__ and not thing.__doc__.startswith(f"{name}("), f"{module}.{name} has no docstring"
        for method, function in (methods(thing) if inspect.isclass(thing) else {}).items():
            assert function.__doc__, f"{module}.{name}.{method} has no docstring"


def test_every_module_is_on_one_page():
    pages = [api_pages.page(module) for module in api_pages.modules()]
    described = [name for page in pages for name in re.findall(r"automodule:: (\S+)", page)]
    assert sorted(described) == sorted([*modules(), api_pages.GRIDS])


def test_members_are_described_where_there_are_any():
    """A module of data alone, such as the grids of a chapter, has nothing to be described."""
    for module in modules():
        assert not public(module) or f".. automodule:: {module}\n   :members:\n" in api_pages.page(module)


def test_every_page_is_in_one_table_of_the_page_api():
    lines = [line for table in re.findall(r"```{modules}\n(.*?)```", LANDING, re.DOTALL) for line in table.split()]
    for page in api_pages.modules():
        assert len([line for line in lines if page == line or page.startswith(f"{line}.")]) == 1, page
    for line in lines:
        assert any(page == line or page.startswith(f"{line}.") for page in api_pages.modules()), f"{line} is gone"


def test_the_names_that_the_package_offers_come_first():
    names, _ = re.findall(r"```{names}\n(.*?)```", LANDING, re.DOTALL)
    assert {name.rpartition(".")[2] for name in names.split()} == set(abstract_symbols.__all__)


def test_a_page_that_is_as_it_was_keeps_its_date_and_one_that_is_gone_goes(tmp_path):
    app = types.SimpleNamespace(srcdir=tmp_path)
    api_pages.write_pages(app)
    assert not list(tmp_path.iterdir()), "a book without a page of modules"
    (tmp_path / "api.ipynb").touch()
    (tmp_path / "gone.md").touch()
    api_pages.write_pages(app)
    dates = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert dates.keys() == {"api.ipynb", *[f"{name}.md" for name in api_pages.modules()]}
    api_pages.write_pages(app)
    assert dates == {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}


@pytest.mark.parametrize("docstring, sentence", [
    ("One thing. Another.\n\nMore.", "One thing."),
    ("Over\n    two lines: so.\n\nMore.", "Over two lines: so."),
    ("", ""),
])
def test_the_tables_have_first_sentences(docstring, sentence):
    assert api_pages.first_sentence(type("Thing", (), {"__doc__": docstring})) == sentence


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


@pytest.mark.parametrize("address, kept", [
    ("#abstract_symbols.tasks.task", False), ("#module-companion.runs", False), ("#document-companion.runs", False),
    ("#document-index", True), ("#companions", True),
])
def test_on_paper_links_to_modules_are_text(address, kept):
    section = BeautifulSoup(f'<section><a href="{address}">words</a></section>', "html.parser")
    tool("print_book").unlink_modules({"chapter": section})
    assert section.get_text() == "words" and bool(section.find("a")) == kept
