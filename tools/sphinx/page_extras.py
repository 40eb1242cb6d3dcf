"""A Sphinx extension: what every page gets beside its text.

A link to the executed notebook it was made from, and a repair of the bibliography for screen readers.
"""

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

LINK = ('<p class="download-notebook"><a href="_sources/{name}.ipynb" download="{name}.ipynb">'
        "Download the executed notebook (.ipynb)</a></p>")


def link_notebook(app: Sphinx, doctree: nodes.document, name: str) -> None:
    """Put the link below the title and the line in italics that may follow it. Sphinx copies notebooks to _sources."""
    section = next(doctree.findall(nodes.section), None)
    if app.builder.name != "html" or section is None or not app.env.doc2path(name).endswith(".ipynb"):
        return
    after_title = section.next_node(nodes.title)
    place = section.index(after_title) + 1
    if place < len(section) and isinstance(section[place], nodes.paragraph):
        place += 1
    section.insert(place, nodes.raw("", LINK.format(name=name), format="html"))


def repair_roles(app: Sphinx, pagename: str, templatename: str, context: dict, doctree: Any) -> None:
    """Docutils makes the bibliography a list, but gives its entries a role that is no list item's."""
    if "body" in context:
        context["body"] = context["body"].replace('role="doc-biblioentry"', 'role="listitem"')


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("doctree-resolved", link_notebook)
    app.connect("html-page-context", repair_roles)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
