"""A Sphinx extension: the scripts and the style of book/playground, on the page `playground` only.

Jupyter Book adds every script in book/_static to every page, so these live elsewhere. They are classic scripts, which
also run in pages opened from the disk.
"""

from typing import Any

from assets import copy_files, project
from sphinx.application import Sphinx

PAGE = "playground"
SCRIPTS, STYLE = ("engine.js", "page.js"), "page.css"


def copy_playground(app: Sphinx) -> None:
    copy_files(app, sorted((project(app) / "book" / PAGE).iterdir()), PAGE)


def add_to_page(app: Sphinx, pagename: str, *arguments: Any) -> None:
    """What is added while a page is written is for that page alone."""
    if pagename == PAGE:
        for script in SCRIPTS:
            app.add_js_file(f"{PAGE}/{script}", loading_method="defer")
        app.add_css_file(f"{PAGE}/{STYLE}")


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("builder-inited", copy_playground)
    app.connect("html-page-context", add_to_page)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
