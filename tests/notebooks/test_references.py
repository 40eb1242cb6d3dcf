"""The reference notebooks beside this file belong to the chapters as they are now."""

from pathlib import Path

import jupytext
import nbformat
import pytest

HERE = Path(__file__).parent
CHAPTERS = sorted((HERE.parent.parent / "book").glob("*.py"))


def code_of(notebook):
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_reference_has_the_code_of_its_chapter(chapter):
    reference = HERE / f"{chapter.stem}.ipynb"
    code = code_of(nbformat.read(reference, as_version=4)) if reference.exists() else None
    if code != code_of(jupytext.read(chapter)):
        pytest.fail(
            f"{reference.name} is missing or not of book/{chapter.name}: say 'make notebooks'", pytrace=False
        )


def test_every_reference_has_a_chapter():
    extra = {path.stem for path in HERE.glob("*.ipynb")} - {path.stem for path in CHAPTERS}
    assert not extra, f"references without a chapter: {extra}; 'make notebooks' removes them"


def test_references_are_small_text():
    for path in HERE.glob("*.ipynb"):
        cells = nbformat.read(path, as_version=4).cells
        kinds = {kind for cell in cells for output in cell.outputs for kind in output.get("data", {})}
        assert kinds <= {"text/plain", "text/html", "text/markdown", "text/latex"}, f"{path.name} has {kinds}"
        assert path.stat().st_size < 150_000, f"{path.name} is large for a reference"  # the scoreboard has 123 rows
