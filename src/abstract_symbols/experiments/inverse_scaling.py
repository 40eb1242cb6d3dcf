"""Experiments of the chapter "Inverse scaling"."""

from companion.experiments import Experiment

from ..runs.training import Run
from .common import doubling

DIMENSIONS = doubling(64, 4096)  # d_emb of the copying figures

EXPERIMENTS = (
    Experiment(
        name="copy",
        title="Copying α → α, embedding dimensions 64 to 4096",
        kind=Run,
        base={"task": "copy", "network": "transformer"},
        series={f"d = {d}": {"d_emb": d} for d in DIMENSIONS},
        grid={"n": doubling(4, 2048)},
        published="transformer_copy_fail",
        legend={f"d = {d}": f"dim={d}" for d in DIMENSIONS},
    ),
    Experiment(
        name="copy-b",
        title="Copying α → α with b, embedding dimensions 64 to 4096",
        kind=Run,
        base={"task": "copy", "network": "transformer", "b": True},
        series={f"d = {d}": {"d_emb": d} for d in DIMENSIONS},
        grid={"n": doubling(4, 2048)},
        published="transformer_copy_success",
        legend={f"d = {d}": f"dim={d}" for d in DIMENSIONS},
    ),
    Experiment(
        name="copy-scaled",
        title="Copying α → α, logits divided by d_emb",
        kind=Run,
        base={"task": "copy", "network": "transformer", "epochs": 100},
        series={f"d = {d}": {"d_emb": d, "logit_scale": 1 / d} for d in DIMENSIONS[:4]},
        grid={"n": doubling(16, 256)},
        seeds=3,
        published="transformer_copy_fail",
        legend={f"d = {d}": f"dim={d}" for d in DIMENSIONS},
    ),
)
