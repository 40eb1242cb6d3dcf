"""Execute one chapter with papermill: book/NAME.py -> _build/executed/NAME.ipynb.

    python tools/execute.py same-different quick

The notebook is written only after its last cell has run. What would differ from one run to the next
(cell ids, times, paths, progress bars) is left out: the same sources give the same bytes.
"""

import copy
import os
import re
import sys
from pathlib import Path

import jupytext
import nbformat
import papermill
from papermill.exceptions import PapermillExecutionError

ROOT = Path(__file__).resolve().parent.parent
EXECUTED = ROOT / "_build" / "executed"
FAILED = ROOT / "_build" / "failed"


class BadOutput(Exception):
    """A cell ran, but its output cannot go on a page."""


def execute(name, profile):
    """Run the chapter with this profile and write its notebook."""
    # Hash order and the number of threads change sums in their last digits. The full profile takes all cores.
    os.environ["PYTHONHASHSEED"] = "0"
    if profile == "quick":
        os.environ["OMP_NUM_THREADS"] = "1"
    FAILED.mkdir(parents=True, exist_ok=True)
    failed = FAILED / f"{name}.ipynb"
    source = jupytext.read(ROOT / "book" / f"{name}.py")
    source.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = run_cells(source, name, profile, failed)
    normalise(notebook, name)
    write_whole(notebook, EXECUTED / f"{name}.ipynb")
    failed.unlink()


def run_cells(source, name, profile, failed, tries=2):
    """Execute with papermill. Two kernels that start at once may pick one port, and one dies: it gets a second try."""
    try:
        return papermill.execute_notebook(
            source,
            failed,  # papermill keeps what it has so far; a chapter that ends well leaves nothing here
            parameters={"profile": profile},
            cwd=ROOT / "book",
            progress_bar=False,
            on_cell_start=progress_of(name),
            extra_arguments=["--IPKernelApp.log_level=ERROR"],  # else each kernel warns that its local TCP is plain
        )
    except RuntimeError as error:  # a kernel's death; a failing cell is a PapermillExecutionError, which is none
        if tries == 1:
            raise
        print(f"   {name}: the kernel died ({error}); once more", flush=True)
        return run_cells(copy.deepcopy(source), name, profile, failed, tries - 1)


def progress_of(name):
    """A callback that prints one line for each code cell when it starts."""

    def show(cell, cell_index):
        if cell.cell_type == "code" and cell.source.strip():
            first_line = cell.source.strip().splitlines()[0]
            print(f"   {name} [{cell_index + 1}] {first_line[:80]}", flush=True)

    return show


def normalise(notebook, name):
    """Remove what depends on when and where the notebook ran; prepare figures for the page."""
    notebook.metadata.pop("papermill", None)
    for number, cell in enumerate(notebook.cells, start=1):
        cell.id = f"cell-{number:03d}"
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        tags = cell.metadata.get("tags", [])
        if {"parameters", "injected-parameters"} & set(tags):
            cell.metadata["tags"] = [*dict.fromkeys([*tags, "remove-cell"])]  # twice is not valid
        if cell.cell_type == "code":
            try:
                tidy_outputs(cell, name)
            except BadOutput as error:
                raise BadOutput(f"{name}: {error} (cell {number}: '{cell.source[:60]}')") from None


def tidy_outputs(cell, name):
    """Drop stderr (said aloud), refuse memory addresses, hand the alt text of a figure to its cell."""
    for output in cell.outputs:
        if output.get("name") == "stderr":
            print(f"   {name} stderr, left out of the page: {output.text.strip()[-300:]}", flush=True)
    cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    for output in cell.outputs:
        if re.search(r" at 0x[0-9a-f]{6,}", output.get("data", {}).get("text/plain", "")):
            raise BadOutput("an output shows a memory address, new each time: end the line with ';'")
    figures = [output for output in cell.outputs if "image/png" in output.get("data", {})]
    if figures:
        describe_figure(cell, figures)


def describe_figure(cell, figures):
    """MyST-NB takes the alt text of an image from its cell; ours, made from the data, is in the output."""
    options = cell.metadata.setdefault("mystnb", {}).setdefault("image", {})
    alt = figures[0].get("metadata", {}).get("image/png", {}).get("alt") or options.get("alt")
    if not alt:
        raise BadOutput("a figure has no alt text: display it with metadata={'image/png': {'alt': ...}}")
    if len(figures) > 1:
        raise BadOutput("two figures in one cell would share one alt text: give each a cell")
    options["alt"] = " ".join(alt.split())


def write_whole(notebook, path):
    """Write beside the target and move into place: a reader never sees half a notebook."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    nbformat.write(notebook, unfinished)
    unfinished.replace(path)


def main():
    name, profile = sys.argv[1:]
    try:
        execute(name, profile)
    except PapermillExecutionError as error:
        kept = f"_build/failed/{name}.ipynb"
        sys.exit(f"{error}\n{name}: cell In [{error.exec_count}] failed; what ran is in {kept}")
    except BadOutput as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
