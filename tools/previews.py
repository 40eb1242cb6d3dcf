"""A Sphinx extension around sphinx-tippy (previews of links): its scripts come with the book, and it keeps its memory.

sphinx-tippy knows only the pages that Sphinx writes in this build. In a build that writes some of them the previews of
all others would be lost, so what it knows is kept beside Sphinx's doctrees.
"""

import pickle
from pathlib import Path
from shutil import copyfile

TOOLS = Path(__file__).resolve().parent
SCRIPTS = ("vendor/popper.min.js", "vendor/tippy-bundle.umd.min.js", "previews.js")


def prepare(app):
    """Copy the scripts before pages are written, and remember what the last builds knew of each page."""
    if app.builder.format != "html":
        return
    for name in SCRIPTS:
        target = Path(app.outdir, "_static", "previews", Path(name).name)
        target.parent.mkdir(parents=True, exist_ok=True)
        copyfile(TOOLS / name, target)
    if memory(app).exists():
        app.env.tippy_data = pickle.loads(memory(app).read_bytes())


def remember(app, error):
    if not error and app.builder.format == "html":
        memory(app).write_bytes(pickle.dumps(app.env.tippy_data))


def memory(app):
    return Path(app.doctreedir, f"previews-{app.builder.name}.pickle")


def setup(app):
    app.config.tippy_js = [f"previews/{Path(name).name}" for name in SCRIPTS]
    app.connect("builder-inited", prepare)
    app.connect("build-finished", remember, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
