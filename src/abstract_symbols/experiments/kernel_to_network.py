"""Experiments of the chapter "From kernel to network"."""

from companion.experiments import Experiment

from ..runs.features import AttentionRun, LastLayerRun, LeastSquaresRun
from ..runs.kernel import PredictionRun

SCALES = {f"scale {s}": {"readout_only": True, "scale": s} for s in (1, 8, 64)}
SCALES_SOLVED = {f"scale {s}": {"scale": s} for s in (1, 8, 64)}
PAPERS = {f"scale {s}": f"Initialization scale multiplier {s}" for s in (1, 8, 64)}
WIDE = {"d_emb": 1024, "heads": 64, "d_mlp": 1024}
FRESH = 10  # first seed: the claims on these grids were made after other runs of the seeds 0 to 4 were seen

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
        legend=PAPERS,
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
        legend=PAPERS,
    ),
    Experiment(
        name="last-layer-solved",
        title="A last layer solved by least squares, on αα against αβ",
        kind=LeastSquaresRun,
        base={"task": "same-different"},
        series=SCALES_SOLVED,
        grid={"n": (64, 256, 512, 1024, 4096, 16384)},
        first_seed=FRESH,
        published="transformer_lastlayer_1_gotu",
        legend=PAPERS,
    ),
    Experiment(
        name="last-layer-solved-aba-abb",
        title="A last layer solved by least squares, on αβα against αββ",
        kind=LeastSquaresRun,
        base={"task": "aba-abb"},
        series=SCALES_SOLVED,
        grid={"n": (64, 256, 512, 1024, 4096)},
        first_seed=FRESH,
    ),
    Experiment(
        name="last-layer-solved-wide",
        title="A last layer over 1024 dimensions, 64 heads, solved by least squares, on αα against αβ",
        kind=LeastSquaresRun,
        base={"task": "same-different", **WIDE},
        series=SCALES_SOLVED,
        grid={"n": (64, 512, 1024, 4096)},
        seeds={"scale 1": 3, "scale 8": 1, "scale 64": 3},  # scales 8 and 64 give much the same at 128 dimensions
        first_seed=FRESH,
        published="transformer_lastlayer_1_gotu",
        legend=PAPERS,
    ),
    Experiment(
        name="last-layer-solved-wide-aba-abb",
        title="A last layer over 1024 dimensions, 64 heads, solved by least squares, on αβα against αββ",
        kind=LeastSquaresRun,
        base={"task": "aba-abb", **WIDE},
        series={name: SCALES_SOLVED[name] for name in ("scale 1", "scale 64")},
        grid={"n": (512, 4096)},
        seeds=2,
        first_seed=FRESH,
    ),
    Experiment(
        name="last-layer-heads",
        title="A last layer over 1024 dimensions, 64 heads, trained with Adam, on αα against αβ",
        kind=LastLayerRun,
        base={"task": "same-different", "network": "transformer", **WIDE},
        series=SCALES,
        grid={"n": (64, 512, 4096)},
        seeds={"scale 1": 1, "scale 8": 3, "scale 64": 3},  # at scale 1 the narrow network stays at chance
        first_seed=FRESH,
        published="transformer_lastlayer_1_gotu",
        legend=PAPERS,
    ),
)
