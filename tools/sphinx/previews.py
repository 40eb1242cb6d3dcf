"""A Sphinx extension around sphinx-tippy (previews of links): its scripts come with the book, and it keeps its memory.

sphinx-tippy knows only the pages that Sphinx writes in this build. In a build that writes some of them the previews of
all others would be lost, so what it knows is kept beside Sphinx's doctrees.
"""

import pickle
from pathlib import Path

from assets import copy_files
from sphinx.application import Sphinx

HERE = Path(__file__).resolve().parent
VENDOR = HERE.parent / "vendor"
SCRIPTS = [VENDOR / "popper.min.js", VENDOR / "tippy-bundle.umd.min.js", HERE / "previews.js"]


def prepare(app: Sphinx) -> None:
    """Copy the scripts before pages are written, and remember what the last builds knew of each page."""
    if app.builder.format != "html":
        return
    copy_files(app, SCRIPTS, "previews")
    if memory(app).exists():
        app.env.tippy_data = pickle.loads(memory(app).read_bytes())


def remember(app: Sphinx, error: Exception | None) -> None:
    if not error and app.builder.format == "html":
        memory(app).write_bytes(pickle.dumps(app.env.tippy_data))


def memory(app: Sphinx) -> Path:
    return Path(app.doctreedir, f"previews-{app.builder.name}.pickle")


def setup(app: Sphinx) -> dict[str, bool]:
    app.config.tippy_js = [f"previews/{script.name}" for script in SCRIPTS]
    app.connect("builder-inited", prepare)
    app.connect("build-finished", remember, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
