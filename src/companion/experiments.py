"""Experiments: named grids of runs.

A project declares its own, in the module that `[tool.companion]` names: a dictionary EXPERIMENTS, name → `Experiment`,
and for each chapter a submodule named like it.
"""

import importlib
import itertools
import sys
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

from . import paths
from .runs import Job


@dataclass(frozen=True)
class Experiment:
    """A named grid: for every series its options, times the values of `grid`, times `seeds` seeds from `first_seed` on.

    Attributes:
        name: that of the results file, unless `shares` says otherwise.
        title: what a reader calls it.
        base: fields that all runs share.
        series: legend word → fields.
        grid: field → values; the first is the figures' horizontal axis.
        kind: what its runs are.
        seeds: their number, for all series or by series.
        first_seed: above 0 where a claim is made after runs of the first seeds were seen.
        published: the paper's figure (a file of book/published) or None.
        legend: the paper's words for a series where they are not ours.
        shares: another experiment whose results file this one uses, so that common runs are done once.
    """

    name: str
    title: str
    base: dict[str, Any]
    series: dict[str, dict[str, Any]]
    grid: dict[str, tuple]
    kind: type[Job]
    seeds: int | dict[str, int] = 5
    published: str | None = None
    legend: dict[str, str] = field(default_factory=dict)
    shares: str | None = None
    first_seed: int = 0

    @property
    def x(self) -> str:
        """The field on the figures' horizontal axis: the first of the grid."""
        return next(iter(self.grid))

    @cached_property
    def _grid(self) -> dict[Any, str]:
        """Every run with its series, in the order of the grid."""
        runs = {}
        for values in itertools.product(*self.grid.values()):
            point = dict(zip(self.grid, values, strict=True))
            for name, options in self.series.items():
                for seed in range(self.seeds if isinstance(self.seeds, int) else self.seeds[name]):
                    runs[self.kind(**self.base, **point, **options, seed=self.first_seed + seed)] = name  # type: ignore
        return runs

    @cached_property
    def _by_cost(self) -> dict[Job, str]:
        return dict(sorted(self._grid.items(), key=lambda item: item[0].cost()))

    @cached_property
    def keys(self) -> dict[str, str]:
        """Key of every run → its series."""
        return {run.key: label for run, label in self._grid.items()}

    def runs(self) -> dict[Any, str]:
        """Returns every run of the grid, cheapest first, with its series."""
        return dict(self._by_cost)

    def count(self, series: Collection[str], first: float = float("-inf"), last: float = float("inf")) -> int:
        """Returns how many runs of these series have an x from first to last."""
        return sum(label in series and first <= getattr(run, self.x) <= last for run, label in self._grid.items())

    def path(self, results: Path | None = None) -> Path:
        """Returns the results file, in the book's committed results or in another folder."""
        return Path(results or paths.results()) / f"{self.shares or self.name}.csv"


def experiments() -> dict[str, Experiment]:
    """Returns the project's experiments by name.

    Raises:
        ValueError: the module of the grids cannot be found, or has no EXPERIMENTS.
    """
    name = paths.project().grids
    module = _module(name)
    if module is None:
        raise ValueError(f"the module of the grids, {name!r}, is neither installed nor among the project's sources; "
                         f"see [tool.companion] in {paths.project().root / 'pyproject.toml'}")
    if not hasattr(module, "EXPERIMENTS"):
        raise ValueError(f"module {name!r} has no dictionary EXPERIMENTS")
    return module.EXPERIMENTS


def experiment(name: str) -> Experiment:
    """Returns an experiment by name.

    Raises:
        ValueError: an unknown one.
    """
    known = experiments()
    if name not in known:
        raise ValueError(f"unknown experiment {name!r}; known are {', '.join(known)}")
    return known[name]


def of_chapter(chapter: str) -> list[Experiment]:
    """Returns the experiments that a chapter declares: those of the grids' submodule with its name; none without.

    Where the grids are one module without submodules, every chapter has all of them.
    """
    grids = paths.project().grids
    if not hasattr(_module(grids), "__path__"):
        return list(experiments().values())
    module = _module(f"{grids}.{chapter.replace('-', '_')}")
    return list(module.EXPERIMENTS) if module else []


def _module(name: str) -> ModuleType | None:
    """A module that is installed or stands in one of the project's source folders, None if there is no such."""
    project = paths.project()
    for source in project.sources:
        if (folder := str(project.root / source)) not in sys.path:
            sys.path.append(folder)
    if name not in sys.modules:
        importlib.invalidate_caches()  # it may have been written since the last look
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise  # the module is there, but imports something that is not
        return None
