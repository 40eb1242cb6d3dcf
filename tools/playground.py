"""A Sphinx extension: the scripts and the style of book/playground, on the page `playground` only.

Jupyter Book adds every script in book/_static to every page, so these live elsewhere. They are classic scripts, which
also run in pages opened from the disk.
"""

from pathlib import Path
from shutil import copyfile

PAGE = "playground"
SOURCE = Path(__file__).resolve().parent.parent / "book" / PAGE
SCRIPTS, STYLE = ("engine.js", "page.js"), "page.css"


def copy_files(app, source=SOURCE):
    """Copy the files before pages are written: Sphinx puts a digest of their content into the pages."""
    if app.builder.format != "html":
        return
    target = Path(app.outdir, "_static", source.name)
    target.mkdir(parents=True, exist_ok=True)
    for file in source.iterdir():
        copyfile(file, target / file.name)


def add_to_page(app, pagename, templatename, context, doctree):
    """What is added while a page is written is for that page alone."""
    if pagename == PAGE:
        for script in SCRIPTS:
            app.add_js_file(f"{PAGE}/{script}", loading_method="defer")
        app.add_css_file(f"{PAGE}/{STYLE}")


def setup(app):
    app.connect("builder-inited", copy_files)
    app.connect("html-page-context", add_to_page)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
