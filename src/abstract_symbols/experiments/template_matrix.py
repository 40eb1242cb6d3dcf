"""Experiments of the chapter "The template matrix"."""

from companion.experiments import Experiment

from ..runs.kernel import EigenvalueRun
from .common import ALL_REAL_TASKS, REAL_TASKS

EXPERIMENTS = (
    Experiment(
        name="eigenvalues",
        title="The smallest eigenvalue of the template matrix",
        kind=EigenvalueRun,
        base={},
        series=ALL_REAL_TASKS,
        grid={"beta": (2.0,)},
        seeds=1,
    ),
    Experiment(
        name="eigenvalue-beta",
        title="The smallest eigenvalue as β goes to 0",
        kind=EigenvalueRun,
        base={},
        series=ALL_REAL_TASKS,
        grid={"beta": (0.125, 0.175, 0.25, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8)},
        seeds=1,
    ),
    Experiment(
        name="eigenvalue-map",
        title="The smallest eigenvalue over β and γ",
        kind=EigenvalueRun,
        base={},
        series=REAL_TASKS,
        grid={"beta": (0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0), "gamma": (0.125, 0.25, 0.5, 1.0, 2.0, 4.0)},
        seeds=1,
    ),
)
