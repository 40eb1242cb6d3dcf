"""Experiments of the chapter "Heads that are already identities"."""

from companion.experiments import Experiment

from ..runs.language import RandomHeadsRun

EXPERIMENTS = (
    Experiment(
        name="random-heads",
        title="Diagonals of a GPT-2 with random weights",
        kind=RandomHeadsRun,
        base={},
        series={"Random weights": {}},
        grid={"d_emb": (128, 768)},
    ),
)
