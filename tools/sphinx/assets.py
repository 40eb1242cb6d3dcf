"""What the extensions beside this file share: where the project is, and how files come beside its pages."""

from pathlib import Path
from shutil import copyfile

from sphinx.application import Sphinx


def project(app: Sphinx) -> Path:
    """The project's folder. Sphinx reads the executed notebooks, in _build/executed of it."""
    return Path(app.srcdir).parents[1]


def copy_files(app: Sphinx, files: list[Path], folder: str) -> None:
    """Copy files to a folder of _static before pages are written: Sphinx puts digests of them into the pages."""
    if app.builder.format != "html":
        return
    target = Path(app.outdir, "_static", folder)
    target.mkdir(parents=True, exist_ok=True)
    for file in files:
        copyfile(file, target / file.name)
