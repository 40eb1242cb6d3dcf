"""A Sphinx extension: a page per module, made from its docstrings, and the directive `modules`, a table of them.

The pages are in no table of contents: the page `api` leads to them, and so do names in the text (see api_names).
A book without a page `api` has none.
"""

import importlib
import inspect
import pkgutil
from pathlib import Path
from typing import Any

from assets import copy_files
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

STYLE = Path(__file__).with_suffix(".css")
PACKAGES = ("abstract_symbols", "companion")
GRIDS = "abstract_symbols.experiments"  # a module per chapter, which defines nothing that others call
PAGE = """\
---
orphan: true
---
# `{module}`

{{doc}}`All modules <api>`

```{{eval-rst}}
.. automodule:: {module}
   :members:
```
"""
MORE = """
## `{module}`

```{{eval-rst}}
.. automodule:: {module}
```
"""


def modules() -> list[str]:
    """The modules with a page: all but command lines, and of the chapters' grids the package alone."""
    packages = [importlib.import_module(name) for name in PACKAGES]
    found = [m.name for package in packages for m in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
             if not m.ispkg and not m.name.endswith("__main__")]
    return sorted({GRIDS, *found} - set(grids(found)))


def grids(found: list[str]) -> list[str]:
    """Those of these modules that are grids alone."""
    return [name for name in found if name.startswith(f"{GRIDS}.") and not defined(name)]


def defined(module: str) -> list[str]:
    """The public functions and classes that a module defines."""
    there = vars(importlib.import_module(module)).items()
    return [name for name, thing in there if not name.startswith("_")
            and (inspect.isfunction(thing) or inspect.isclass(thing)) and thing.__module__ == module]


def page(module: str) -> str:
    """The page of a module, in Markdown."""
    text = PAGE.format(module=module)
    if module == GRIDS:
        below = [m.name for m in pkgutil.iter_modules(importlib.import_module(module).__path__, f"{module}.")]
        text += "".join(MORE.format(module=name) for name in grids(below))
    return text


def write_pages(app: Sphinx) -> None:
    """Write the pages beside the notebooks before Sphinx looks for sources; one that is as it was keeps its date."""
    folder = Path(app.srcdir)
    texts = {folder / f"{name}.md": page(name) for name in modules()} if (folder / "api.ipynb").exists() else {}
    for path in set(folder.glob("*.md")) - texts.keys():
        path.unlink()
    for path, text in texts.items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def add_style(app: Sphinx, pagename: str, *arguments: Any) -> None:
    """The style of these pages, and of those that viewcode makes of the sources."""
    if pagename.startswith((*[f"{name}." for name in PACKAGES], "_modules/")):
        app.add_css_file(f"api/{STYLE.name}")


def first_sentence(thing: Any) -> str:
    """The first line of a docstring, and those that its sentence goes on to."""
    paragraph = " ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split())
    end = paragraph.find(". ")
    return paragraph if end < 0 else paragraph[:end + 1]


class Table(SphinxDirective):
    """A table of names, a line each: what it is called, linked, and the first sentence of its docstring."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        group = nodes.tgroup("", nodes.colspec(colwidth=30), nodes.colspec(colwidth=70), cols=2)
        group += nodes.thead("", self.row(nodes.paragraph("", self.heads[0]), nodes.paragraph("", self.heads[1])))
        group += (body := nodes.tbody())
        for name, short, thing in self.things():
            self.env.note_dependency(inspect.getsourcefile(thing) or "")
            link = addnodes.pending_xref("", nodes.literal("", short), refdomain="py", reftype=self.kind,
                                         reftarget=name, refexplicit=True, refdoc=self.env.docname)
            inline, _ = self.state.inline_text(first_sentence(thing), self.lineno)
            body += self.row(nodes.paragraph("", "", link), nodes.paragraph("", "", *inline))
        return [nodes.table("", group)]

    def row(self, *cells: nodes.Node) -> nodes.row:
        return nodes.row("", *[nodes.entry("", cell) for cell in cells])


class Modules(Table):
    """Modules by their full names, or those of a folder by its name."""

    kind, heads = "mod", ("module", "what is in it")

    def things(self) -> list[tuple[str, str, Any]]:
        return [(name, name.partition(".")[2], importlib.import_module(name)) for line in self.content
                for name in modules() if name == line or name.startswith(f"{line}.")]


class Names(Table):
    """Functions and classes by their full names, as the modules that define them have them."""

    kind, heads = "obj", ("name", "what it is")

    def things(self) -> list[tuple[str, str, Any]]:
        for name in self.content:
            module, _, short = name.rpartition(".")
            yield name, short, getattr(importlib.import_module(module), short)


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("modules", Modules)
    app.add_directive("names", Names)
    app.connect("builder-inited", write_pages)
    app.connect("builder-inited", lambda app: copy_files(app, [STYLE], "api"))
    app.connect("html-page-context", add_style)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
