"""Experiments of the chapter "Which repair?"."""

from typing import Any

from companion.experiments import Experiment

from ..runs.copying import EmbeddingRun
from ..runs.training import Run
from .common import doubling, ten_seeds

REPAIRS: dict[str, dict[str, Any]] = {  # of copying, one change each but for "+ a and b"
    "Plain": {},
    "+ a": {"a": True},
    "+ b": {"b": True},
    "+ a and b": {"a": True, "b": True},
    "Pointer head": {"pointer": True},
    "Frozen embeddings": {"frozen": True},
    "Unseen ones reset": {"reset": True},
    "Orthogonal start": {"orthogonal": True},
    "Weight decay": {"decay": 10.0},
    "Own unembedding": {"unembedding": "gaussian"},
    "Own, equal start": {"unembedding": "copy"},
    "4n symbols": {"alphabet_ratio": 4},
    "n/4 symbols": {"alphabet_ratio": 0.25},
}

EXPERIMENTS: tuple[Experiment, ...] = (
    Experiment(
        name="copy-repairs",
        title="Copying α → α with one repair at a time, d_emb = 128",
        kind=Run,
        base={"task": "copy", "network": "transformer", "d_emb": 128},
        series=REPAIRS,
        grid={"n": doubling(16, 512)},
        seeds=3,
    ),
    Experiment(
        name="copy-repairs-512",
        title="Copying α → α with one repair at a time, d_emb = 512",
        kind=Run,
        base={"task": "copy", "network": "transformer", "d_emb": 512},
        series={name: REPAIRS[name] for name in (
            "Plain", "+ b", "Pointer head", "Frozen embeddings", "Unseen ones reset", "Orthogonal start",
            "4n symbols")},
        grid={"n": (32, 128, 512)},
        seeds=3,
    ),
    Experiment(
        name="copy-collapse",
        title="What training does to the embeddings of unseen symbols",
        kind=EmbeddingRun,
        base={"task": "copy", "network": "transformer", "d_emb": 128, "n": 128},
        series={name: REPAIRS[name] for name in ("Plain", "Weight decay", "+ b")},
        grid={"epochs": (1, 4, 16, 64, 256)},
        seeds=3,
    ),
)

EXPERIMENTS += (
    ten_seeds(EXPERIMENTS, "copy-repairs", ("Plain", "Frozen embeddings", "Unseen ones reset", "Orthogonal start",
                                         "Weight decay", "4n symbols"), (128, 256)),
)
