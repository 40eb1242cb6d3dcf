"""A chapter as a notebook: read from its source, made the same for every run, given new prose without a run."""

import hashlib
import json
import re
from pathlib import Path

import nbformat
from nbformat import NotebookNode

EXECUTED = Path("_build/executed")


class BadOutput(Exception):
    """A cell ran, but its output cannot go on a page."""


def source(name: str) -> NotebookNode:
    """The notebook that book/NAME.py describes, without outputs."""
    import jupytext  # which takes longer to import than most builds have to do

    notebook = jupytext.read(Path("book", f"{name}.py"))
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return notebook


def code_of(notebook: NotebookNode) -> list[str]:
    """The sources of its code cells, but for the cell of parameters that papermill puts in."""
    return [cell.source for cell in notebook.cells if cell.cell_type == "code" and not injected(cell)]


def injected(cell: NotebookNode) -> bool:
    """Whether papermill wrote this cell."""
    return "injected-parameters" in cell.metadata.get("tags", [])


def code_digest(notebook: NotebookNode) -> str:
    """A digest of what decides the outputs: sources and tags of the code cells. Prose is not in it."""
    code = [(cell.source, cell.metadata) for cell in notebook.cells if cell.cell_type == "code"]
    return hashlib.sha256(json.dumps([notebook.metadata, code], sort_keys=True).encode()).hexdigest()


def splice(name: str) -> None:
    """Give the executed notebook the prose that its chapter has now; its code must still be the same."""
    path = EXECUTED / f"{name}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    executed = iter([cell for cell in notebook.cells if cell.cell_type == "code"])
    notebook.cells = []
    for cell in source(name).cells:
        notebook.cells.append(next(executed) if cell.cell_type == "code" else cell)
        if "parameters" in cell.metadata.get("tags", []):
            notebook.cells.append(next(executed))  # papermill's own values come right after
    normalise(notebook, name)
    write_whole(notebook, path)


def normalise(notebook: NotebookNode, name: str) -> None:
    """Remove what depends on when and where the notebook ran; prepare figures for the page.

    Raises: BadOutput for an output that cannot go on a page.
    """
    notebook.metadata.pop("papermill", None)
    for number, cell in enumerate(notebook.cells, start=1):
        cell.id = f"cell-{number:03d}"
        for gone in ("papermill", "execution"):
            cell.metadata.pop(gone, None)
        tags = cell.metadata.pop("tags", [])
        if {"parameters", "injected-parameters"} & set(tags):
            tags = [*dict.fromkeys([*tags, "remove-cell"])]  # twice is not valid
        if tags:
            cell.metadata["tags"] = tags
        if cell.cell_type == "code":
            try:
                tidy_outputs(cell, name)
            except BadOutput as error:
                raise BadOutput(f"{name}: {error} (cell {number}: '{cell.source[:60]}')") from None


def tidy_outputs(cell: NotebookNode, name: str) -> None:
    """Drop stderr (said aloud), refuse memory addresses, hand the alt text of a figure to its cell."""
    for output in cell.outputs:
        if output.get("name") == "stderr":
            print(f"   {name} stderr, left out of the page: {output.text.strip()[-300:]}", flush=True)
    cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    for output in cell.outputs:
        plain = [text for kind, text in output.get("data", {}).items() if kind.endswith("text/plain")]  # glued ones too
        if re.search(r" at 0x[0-9a-f]{6,}", " ".join(plain)):
            raise BadOutput("an output shows a memory address, new each time: end the line with ';'")
    figures = [output for output in cell.outputs if "image/png" in output.get("data", {})]
    if figures:
        describe_figure(cell, figures)


def describe_figure(cell: NotebookNode, figures: list[NotebookNode]) -> None:
    """MyST-NB takes the alt text of an image from its cell; ours, made from the data, is in the output."""
    options = cell.metadata.setdefault("mystnb", {}).setdefault("image", {})
    alt = figures[0].get("metadata", {}).get("image/png", {}).get("alt") or options.get("alt")
    if not alt:
        raise BadOutput("a figure has no alt text: display it with metadata={'image/png': {'alt': ...}}")
    if len(figures) > 1:
        raise BadOutput("two figures in one cell would share one alt text: give each a cell")
    options["alt"] = " ".join(alt.split())


def write_whole(notebook: NotebookNode, path: Path) -> None:
    """Write beside the target and move into place: a reader never sees half a notebook."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    nbformat.write(notebook, unfinished)
    unfinished.replace(path)
