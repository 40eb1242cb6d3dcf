"""Executed notebooks as tests: their outputs against those of a reference, by nbval's own comparison."""

import contextlib
from collections import defaultdict

import nbformat
import pytest
from book_tools import ROOT, tool
from nbval.plugin import IPyNbCell, IPyNbFile, coalesce_streams

build, notebooks, references = tool("build"), tool("notebooks"), tool("references")
EXECUTED = ROOT / notebooks.EXECUTED


class ExecutedChapter(IPyNbFile):
    """The cells of a reference, each with the outputs that the book's build gave it."""

    def setup(self):
        self.setup_sanitize_files()

    def collect(self):
        if problem := not_executed(self.path.stem) or not_of_its_chapter(self.path.stem):
            yield Complaint.from_parent(self, name="is up to date", problem=problem)
            return
        reference = nbformat.read(self.path, as_version=4)
        executed = nbformat.read(EXECUTED / self.path.name, as_version=4)
        yield from self.cells(reference, executed)

    def cells(self, reference, executed):
        """An item for each code cell."""
        stored = [cell.outputs for cell in executed.cells if cell.cell_type == "code" and not notebooks.injected(cell)]
        for number, (cell, outputs) in enumerate(zip(reference.cells, stored, strict=True)):
            yield ExecutedCell.from_parent(self, name=f"Cell {number}", cell_num=number, cell=cell, stored=outputs)


class LiveChapter(IPyNbFile):
    """The cells of a reference, to be executed by nbval."""

    def collect(self):
        if problem := not_of_its_chapter(self.path.stem):
            yield Complaint.from_parent(self, name="is up to date", problem=problem)
        else:
            yield from super().collect()


def not_executed(name):
    """A complaint if the outputs of the build are not what the chapter and the package give now, else ''."""
    with contextlib.chdir(ROOT):
        stale = build.reason_to_execute(name, "quick", build.load_record(), build.shared_inputs())
    return f"{name} is not executed as it is now ({stale}): say 'make book'" if stale else ""


def not_of_its_chapter(name):
    """A complaint if the reference has other code than the chapter, else ''."""
    with contextlib.chdir(ROOT):
        if references.code_of_reference(name) != notebooks.code_of(notebooks.source(name)):
            return f"{name}.ipynb is missing or not of book/{name}.py: say 'make notebooks'"
    return ""


class ExecutedCell(IPyNbCell):
    """A cell that was executed already."""

    def __init__(self, name, parent, cell_num, cell, stored):
        super().__init__(name, parent, cell_num, cell, options=defaultdict(bool))
        self.stored = stored
        compare_numbers(self)

    def runtest(self):
        if not self.compare_outputs(coalesce_streams(self.stored), coalesce_streams(self.cell.outputs)):
            self.raise_cell_error("Cell outputs differ", "\n".join(self.comparison_traceback))


def compare_numbers(cell):
    """Make a cell of nbval compare what references keep: neither the form of a page nor warnings on stderr."""
    compare = cell.compare_outputs
    cell.compare_outputs = lambda test, reference: compare(references.numbers(test), references.numbers(reference))
    cell.parent.skip_compare = {*cell.parent.skip_compare, "stderr"}


class Complaint(pytest.Item):
    """The one failure of a chapter that cannot be compared."""

    def __init__(self, problem, **options):
        super().__init__(**options)
        self.problem = problem

    def runtest(self):
        pytest.fail(self.problem, pytrace=False)

    def repr_failure(self, excinfo):
        return str(excinfo.value)

    def reportinfo(self):
        return self.path, 0, f"{self.path.stem} {self.name}"
