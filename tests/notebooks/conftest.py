"""The reference notebooks beside this file as tests: the numbers of each chapter are still those of its reference.

`make book` has executed the chapters, so their outputs are read, not made again; two short chapters run once more, in
a kernel of nbval. With --nbval (`make notebooks-check`) nbval executes them all.
"""

from executed import ExecutedCell, ExecutedChapter, LiveChapter, compare_numbers
from nbval.plugin import IPyNbCell

LIVE = ("transformer-kernel", "why-copying-fails")


def pytest_collect_file(file_path, parent):
    if file_path.suffix == ".ipynb" and not parent.config.option.nbval:  # which collects them itself
        kind = LiveChapter if file_path.stem in LIVE else ExecutedChapter
        return kind.from_parent(parent, path=file_path)


def pytest_itemcollected(item):
    if isinstance(item, IPyNbCell) and not isinstance(item, ExecutedCell):
        compare_numbers(item)
