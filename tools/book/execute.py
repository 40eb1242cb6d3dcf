"""Execute one chapter with papermill: book/NAME.py -> _build/executed/NAME.ipynb.

    python tools/book/execute.py same-different quick     # in the project's folder

The notebook is written only after its last cell has run. What would differ from one run to the next
(cell ids, times, paths, progress bars) is left out: the same sources give the same bytes.
"""

import copy
import os
import sys
from collections.abc import Callable
from pathlib import Path

import papermill
from nbformat import NotebookNode
from notebooks import EXECUTED, BadOutput, normalise, source, write_whole
from papermill.exceptions import PapermillExecutionError

FAILED = Path("_build/failed")


def execute(name: str, profile: str) -> None:
    """Run the chapter with this profile and write its notebook."""
    # Hash order and the number of threads change sums in their last digits. The full profile takes all cores.
    os.environ["PYTHONHASHSEED"] = "0"
    if profile == "quick":
        os.environ["OMP_NUM_THREADS"] = "1"
    FAILED.mkdir(parents=True, exist_ok=True)
    failed = FAILED / f"{name}.ipynb"
    notebook = run_cells(source(name), name, profile, failed)
    normalise(notebook, name)
    write_whole(notebook, EXECUTED / f"{name}.ipynb")
    failed.unlink()


def run_cells(notebook: NotebookNode, name: str, profile: str, failed: Path, tries: int = 2) -> NotebookNode:
    """Execute with papermill. Two kernels that start at once may pick one port, and one dies: it gets a second try."""
    try:
        return papermill.execute_notebook(
            copy.deepcopy(notebook),
            failed,  # where papermill leaves what has run if a cell fails
            request_save_on_cell_execute=False,  # twice a cell: four seconds of a chapter
            parameters={"profile": profile},
            cwd="book",
            progress_bar=False,
            on_cell_start=progress_of(name),
            extra_arguments=["--IPKernelApp.log_level=ERROR"],  # else each kernel warns that its local TCP is plain
        )
    except RuntimeError as error:  # a kernel's death; a failing cell is a PapermillExecutionError, which is none
        if tries == 1:
            raise
        print(f"   {name}: the kernel died ({error}); once more", flush=True)
        return run_cells(notebook, name, profile, failed, tries - 1)


def progress_of(name: str) -> Callable[..., None]:
    """A callback that prints one line for each code cell when it starts."""

    def show(cell: NotebookNode, cell_index: int) -> None:
        if cell.cell_type == "code" and cell.source.strip():
            first_line = cell.source.strip().splitlines()[0]
            print(f"   {name} [{cell_index + 1}] {first_line[:80]}", flush=True)

    return show


def main() -> None:
    name, profile = sys.argv[1:]
    try:
        execute(name, profile)
    except PapermillExecutionError as error:
        kept = FAILED / f"{name}.ipynb"
        sys.exit(f"{error}\n{name}: cell In [{error.exec_count}] failed; what ran is in {kept}")
    except BadOutput as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
