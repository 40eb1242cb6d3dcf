"""Experiments of the chapter "Learning from n strings"."""

from companion.experiments import Experiment

from ..runs.kernel import RidgeRun
from .common import HALF_DECADES, REAL_TASKS

EXPERIMENTS = (
    Experiment(
        name="ridge-n",
        title="Kernel ridge regression, error on unseen strings against n",
        kind=RidgeRun,
        base={},
        series={f"{label}{words}": {**options, "noise": noise} for noise, words in ((0, ""), (10, ", noise σ = 10"))
                for label, options in REAL_TASKS.items()},
        grid={"n": tuple(round(10 ** (i / 2)) for i in range(4, 15))},
    ),
    Experiment(
        name="ridge-rho",
        title="Kernel ridge regression on 4 million strings, against the number of training symbols",
        kind=RidgeRun,
        base={"n": 4_000_000},
        series=REAL_TASKS,
        grid={"alphabet": HALF_DECADES},
        seeds=3,
    ),
    Experiment(
        name="ridge-lambda",
        title="Kernel ridge regression on 10,000 strings, against λ",
        kind=RidgeRun,
        base={"task": "aba-abb", "n": 10_000},
        series={"noise-free": {}, "noise σ = 1": {"noise": 1}, "noise σ = 10": {"noise": 10}},
        grid={"ridge": (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)},
    ),
    Experiment(
        name="ridge-beta",
        title="Kernel ridge regression on 10,000 strings, against β and γ",
        kind=RidgeRun,
        base={"task": "aba-abb", "n": 10_000},
        series={f"γ = {gamma:g}": {"gamma": gamma} for gamma in (0.25, 0.5, 1.0, 2.0, 4.0)},
        grid={"beta": (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0)},
        seeds=3,
    ),
    Experiment(
        name="ridge-zipf",
        title="Kernel ridge regression with Zipf-distributed symbols",
        kind=RidgeRun,
        base={"task": "same-different"},
        series={"uniform": {}, **{f"Zipf, s = {s:g}": {"zipf": s} for s in (0.5, 1.0, 1.5)}},
        grid={"n": tuple(round(10 ** (i / 2)) for i in range(4, 12))},
        seeds=3,
    ),
)
