"""A Sphinx extension: the book serves its own MathJax, so that formulas need no network.

The pip package sphinx-mathjax-offline carries all of MathJax 3 (24 MB). Pages need the TeX input with
its extensions and the HTML output with its fonts (3 MB); only these are copied beside the pages.
"""

from importlib.metadata import files
from pathlib import Path
from shutil import copyfile

from sphinx.application import Sphinx

NEEDED = ("tex-chtml.js", "input/tex/extensions/", "output/chtml/fonts/woff-v2/")


def copy_mathjax(app: Sphinx, error: Exception | None) -> None:
    """Copy what pages need to _static/mathjax, unless it is there from the last build."""
    if error or app.builder.format != "html":
        return
    for source in files("sphinx-mathjax-offline"):
        _, _, name = source.as_posix().partition("/static/mathjax/")
        target = Path(app.outdir, "_static", "mathjax", name)
        if name.startswith(NEEDED) and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            copyfile(source.locate(), target)


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("build-finished", copy_mathjax)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
