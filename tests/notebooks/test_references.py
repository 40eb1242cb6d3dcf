"""The reference notebooks beside this file belong to the chapters, hold numbers only, and notice a changed one."""

import json
from pathlib import Path

import nbformat
import pytest
from book_tools import ROOT, tool
from executed import ExecutedChapter, not_of_its_chapter
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from nbval.plugin import NbCellError

references = tool("references")
HERE = Path(__file__).parent
CHAPTERS = sorted(path.stem for path in (ROOT / "book").glob("*.py"))
PICTURE = {"image/png": "iVBOR", "text/plain": "Line chart: the loss falls from 1 to 0.25."}
KERNEL = {"name": "python3", "display_name": "Python 3"}
GLUED = {"application/papermill.record/text/plain": "0.5"}


def shown(data, **metadata):
    return new_output("display_data", data, metadata=metadata)


@pytest.fixture
def executed():
    """A notebook as the build leaves it: numbers in every form that a chapter has."""
    outputs = [
        [new_output("stream", name="stdout", text="largest difference 0.001\n")],
        [shown({"text/html": "<table>", "text/plain": "   n  loss\n0  4  0.75"})],
        [shown(PICTURE)],
        [shown(GLUED, scrapbook={"name": "ours", "mime_prefix": "application/papermill.record/"}),
         shown({"text/plain": "'held'"}, scrapbook={"name": "verdict", "mime_prefix": ""})],
        [shown({"text/markdown": "A sentence.", "text/plain": "<IPython.core.display.Markdown object>"}),
         shown({"text/html": "<p>", "text/plain": "<IPython.core.display.HTML object>"})],
    ]
    cells = [new_code_cell(f"cell({i})", outputs=some, execution_count=i) for i, some in enumerate(outputs, start=1)]
    injected = new_code_cell("# Parameters", metadata={"tags": ["injected-parameters"]})
    return new_notebook(cells=[new_markdown_cell("# Title"), injected, *cells], metadata={"kernelspec": KERNEL})


def copied(notebook):
    return nbformat.from_dict(json.loads(json.dumps(notebook)))


def compare(executed, reference, request):
    """Run the comparison of each cell as pytest does."""
    chapter = ExecutedChapter.from_parent(request.session, path=HERE / "nowhere.ipynb")
    chapter.setup()
    for cell in chapter.cells(reference, executed):
        cell.runtest()


def test_a_reference_keeps_what_is_a_number_and_the_words_of_figures(executed):
    kept = references.reference(copied(executed))
    nbformat.validate(kept)
    outputs = [[output.get("text") or output.data["text/plain"] for output in cell.outputs] for cell in kept.cells]
    assert outputs == [["largest difference 0.001\n"], ["   n  loss\n0  4  0.75"], [PICTURE["text/plain"]],
                       ["ours = 0.5\nverdict = 'held'\n"], []]


def test_an_executed_notebook_agrees_with_its_reference_and_so_does_that_with_itself(executed, request):
    reference = references.reference(copied(executed))
    compare(executed, reference, request)
    compare(copied(reference), reference, request)


@pytest.mark.parametrize("old, new", [
    ("0.001", "0.002"), ("0.75", "0.76"), ("0.25", "0.26"), ('"0.5"', '"0.6"'), ("held", "not held"), ("ours", "mine"),
])
def test_a_changed_number_is_noticed(old, new, executed, request):
    reference = references.reference(copied(executed))
    text = json.dumps(executed)
    assert old in text
    with pytest.raises(NbCellError, match="differ"):
        compare(nbformat.from_dict(json.loads(text.replace(old, new))), reference, request)


def test_the_form_of_a_page_is_not_compared(executed, request):
    reference = references.reference(copied(executed))
    text = json.dumps(executed).replace("<table>", "<table class='x'>").replace("A sentence.", "Another.")
    compare(nbformat.from_dict(json.loads(text)), reference, request)


def test_an_output_that_is_gone_is_noticed(executed, request):
    reference = references.reference(copied(executed))
    executed.cells[3].outputs = []
    with pytest.raises(NbCellError, match="differ"):
        compare(executed, reference, request)


@pytest.mark.parametrize("name", CHAPTERS)
def test_reference_has_the_code_of_its_chapter(name):
    if problem := not_of_its_chapter(name):
        pytest.fail(problem, pytrace=False)


def test_every_reference_has_a_chapter():
    extra = {path.stem for path in HERE.glob("*.ipynb")} - set(CHAPTERS)
    assert not extra, f"references without a chapter: {extra}; 'make notebooks' removes them"


def test_references_are_small_text():
    total = 0
    for path in HERE.glob("*.ipynb"):
        cells = nbformat.read(path, as_version=4).cells
        kinds = {kind for cell in cells for output in cell.outputs for kind in output.get("data", {})}
        assert kinds <= {"text/plain"}, f"{path.name} has {kinds}"
        total += path.stat().st_size
    assert total <= 300_000, f"{total} bytes of references: print or glue fewer numbers"
