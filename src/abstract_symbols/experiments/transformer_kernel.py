"""Experiments of the chapter "The transformer's kernel"."""

from companion.experiments import Experiment

from ..runs.kernel import GramRun, WidthRun
from .common import HALF_DECADES, REAL_TASKS, doubling

EXPERIMENTS = (
    Experiment(
        name="width",
        title="Finite transformers against the kernel",
        kind=WidthRun,
        base={},
        series=REAL_TASKS,
        grid={"width": doubling(16, 512)},
        seeds=10,
    ),
    Experiment(
        name="gram",
        title="The Gram matrix of 1,000 strings against constant blocks",
        kind=GramRun,
        base={"n": 1000},
        series=REAL_TASKS,
        grid={"alphabet": HALF_DECADES[:-1]},
    ),
)
