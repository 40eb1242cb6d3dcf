"""The reference notebooks of the tests: the code of each chapter and the numbers that it gave."""

import re
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from notebooks import EXECUTED, code_of, injected

REFERENCES = Path("tests/notebooks")
GLUED = "application/papermill.record/"  # before the kind of a value that MyST-NB glues without showing it
NOTHING = re.compile(r"<.*>\s*", re.DOTALL)  # such as <Figure size 640x480 with 1 Axes>


def numbers(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """The outputs of a cell that a reference keeps and that tests compare; what is such already stays as it is.

    Printed text and plain text stay: values, tables, and the alt texts of figures, which say what the data show.
    Glued values become lines "name = value" of one text. HTML, Markdown and pictures, the form of a page, go.
    """
    kept, glued = [], []
    for output in outputs:
        data = output.get("data", {})
        name = output.get("metadata", {}).get("scrapbook", {}).get("name")
        plain = data.get("text/plain", data.get(f"{GLUED}text/plain"))
        if "data" not in output:
            kept.append(output)  # a stream or an error
        elif name:
            glued.append(f"{name} = {plain}\n")
        elif plain and "text/markdown" not in data and not NOTHING.fullmatch(plain):
            kept.append(nbformat.v4.new_output("display_data", {"text/plain": plain}))
    if glued:
        kept.append(nbformat.v4.new_output("stream", name="glued", text="".join(glued)))
    return kept


def reference(notebook: NotebookNode) -> NotebookNode:
    """The reference of an executed notebook."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code" and not injected(cell)]
    for number, cell in enumerate(cells, start=1):
        tags = [tag for tag in cell.metadata.get("tags", []) if tag.startswith("nbval-")]
        cell.metadata = {"tags": tags} if tags else {}
        cell.id, cell.execution_count = f"cell-{number:03d}", number
        cell.outputs = numbers(cell.outputs)
    metadata = {"kernelspec": notebook.metadata["kernelspec"]}
    return nbformat.v4.new_notebook(cells=cells, metadata=metadata)


def write_references(names: list[str]) -> None:
    """Write the references of these chapters, and remove those of others."""
    REFERENCES.mkdir(parents=True, exist_ok=True)
    for name in names:
        path = REFERENCES / f"{name}.ipynb"
        nbformat.write(reference(nbformat.read(EXECUTED / path.name, as_version=4)), path)
        print(f"== Wrote {path}")
    for path in REFERENCES.glob("*.ipynb"):
        if path.stem not in names:
            path.unlink()
            print(f"== Removed {path}: no such chapter")


def code_of_reference(name: str) -> list[str]:
    """The sources of the reference's cells; none if there is no reference."""
    path = REFERENCES / f"{name}.ipynb"
    return code_of(nbformat.read(path, as_version=4)) if path.exists() else []
