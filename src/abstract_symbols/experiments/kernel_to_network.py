"""Experiments of the chapter "From kernel to network"."""

from companion.experiments import Experiment

from ..runs.features import AttentionRun, LastLayerRun
from ..runs.kernel import PredictionRun

SCALES = {f"scale {s}": {"readout_only": True, "scale": s} for s in (1, 8, 64)}

EXPERIMENTS = (
    Experiment(
        name="predictions",
        title="A finite transformer's last layer against the kernel, on αα against αβ",
        kind=PredictionRun,
        base={"task": "same-different"},
        series={"β = 2, γ = 1, b₁ = 2": {}, "β = 3, γ = 2, b₁ = 1": {"beta": 3, "gamma": 2, "b1": 1}},
        grid={"width": (64, 128, 256, 512)},
    ),
    Experiment(
        name="last-layer",
        title="A transformer whose last layer alone is trained, on αα against αβ",
        kind=LastLayerRun,
        base={"task": "same-different", "network": "transformer"},
        series=SCALES,
        grid={"n": (64, 512, 4096, 16384)},
        published="transformer_lastlayer_1_gotu",
        legend={f"scale {s}": f"Initialization scale multiplier {s}" for s in (1, 8, 64)},
    ),
    Experiment(
        name="last-layer-wide",
        title="A last layer over 128 and over 1024 dimensions, weights 64 times as large, on αα against αβ",
        kind=LastLayerRun,
        base={"task": "same-different", "network": "transformer", "readout_only": True, "scale": 64},
        series={f"d = {d}": {"d_emb": d} for d in (128, 1024)},
        grid={"n": (64, 512, 4096)},
        published="transformer_lastlayer_1_gotu",
        legend={"d = 1024": "Initialization scale multiplier 64"},
    ),
    Experiment(
        name="attention",
        title="What training all weights does to attention, on αα against αβ",
        kind=AttentionRun,
        base={"task": "same-different", "network": "transformer"},
        series={"Transformer": {}, "Modified transformer": {"a": True, "b": True}},
        grid={"n": (64, 1024)},
        seeds=3,
    ),
    Experiment(
        name="last-layer-aba-abb",
        title="A transformer whose last layer alone is trained, on αβα against αββ",
        kind=LastLayerRun,
        base={"task": "aba-abb", "network": "transformer"},
        series=SCALES,
        grid={"n": (64, 512, 4096)},
        seeds=3,
        published="transformer_lastlayer_1_gotu",
        legend={f"scale {s}": f"Initialization scale multiplier {s}" for s in (1, 8, 64)},
    ),
)
