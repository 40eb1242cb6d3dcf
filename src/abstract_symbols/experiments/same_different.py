"""Experiments of the chapter "Same or different?"."""

from companion.experiments import Experiment

from ..runs.training import Run
from .common import doubling

EXPERIMENTS = (
    Experiment(
        name="same-different",
        title="Same or different? αα against αβ",
        kind=Run,
        base={"task": "same-different"},
        series={
            "Fully-connected": {"network": "mlp"},
            "Transformer": {"network": "transformer"},
            "Modified transformer": {"network": "transformer", "a": True, "b": True},
        },
        grid={"n": doubling(4, 4096)},
        published="samedifferent_mod",
    ),
    Experiment(
        name="stop-rule",
        title="Same or different? trained on to a loss of 0.0001",
        kind=Run,
        base={"task": "same-different", "network": "transformer", "stop": 1e-4},
        series={"Transformer": {}, "Modified transformer": {"a": True, "b": True}},
        grid={"n": (64, 256)},
    ),
)
