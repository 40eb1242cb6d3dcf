"""Experiments of the chapter "Why fully-connected networks cannot"."""

from companion.experiments import Experiment

from ..runs.distributions import OutputDistributionRun
from ..runs.training import Run
from .common import doubling

EXPERIMENTS = (
    Experiment(
        name="mlp-law",
        title="The law of the outputs on unseen strings",
        kind=OutputDistributionRun,
        base={"task": "same-different", "evaluation": 3000},
        series={"Fully-connected": {"network": "mlp"}, "Transformer": {"network": "transformer"}},
        grid={"n": (64, 1024)},
        seeds={"Fully-connected": 50, "Transformer": 5},
    ),
    Experiment(
        name="fully-connected",
        title="A fully-connected network on αβα against αββ",
        kind=Run,
        base={"task": "aba-abb", "network": "mlp"},
        series={"Fully-connected": {}},
        grid={"n": doubling(4, 8192)},
        published="fc_depth3_aba_vs_abb_gotu",
        legend={"Fully-connected": "lr 0.001"},
    ),
    Experiment(
        name="mlp-gram",
        title="A fully-connected network that is given XXᵀ, on αβα against αββ",
        kind=Run,
        base={"task": "aba-abb", "network": "mlp"},
        series={"Fully-connected": {}, "Fully-connected + XXᵀ": {"gram": True, "depth": 2}},
        grid={"n": doubling(4, 8192)},
        published="mlp_concat_XXT_gotu",
        legend={"Fully-connected": "MLP, lr 0.001",
                "Fully-connected + XXᵀ": "MLP + XX^T data augmentation, lr 0.001"},
    ),
)
