"""Experiments of the chapter "Why copying fails"."""

from companion.experiments import Experiment

from ..runs.copying import ProgressRun
from .common import doubling

EXPERIMENTS = (
    Experiment(
        name="copy-progress",
        title="The copy theorem: progress on unseen symbols at initialisation",
        kind=ProgressRun,
        base={},
        series={"n = 4": {"n": 4}, "n = 16": {"n": 16}, "n = 64": {"n": 64},
                "n = 16, γ = 1": {"n": 16, "gamma": 1}},
        grid={"d_emb": doubling(16, 4096)},
        seeds=10,
    ),
)
