"""Experiments of the chapter "Perplexity"."""

from companion.experiments import Experiment

from ..runs.language import CostRun, PerplexityRun

LANGUAGE = {  # models of text, plain and with identity parameters
    "Plain": {},
    "+ a": {"a": True},
    "+ a, diagonal masked": {"a": True, "mask_diagonal": True},
    "+ b": {"b": True},
    "+ a and b": {"a": True, "b": True},
}

EXPERIMENTS = (
    Experiment(
        name="perplexity",
        title="A small GPT-2 on Python's documentation",
        kind=PerplexityRun,
        base={},
        series=LANGUAGE,
        grid={"epochs": (1.5,)},
    ),
    Experiment(
        name="perplexity-tiny",
        title="A tiny GPT-2 on Python's documentation, to be repeated live",
        kind=PerplexityRun,
        base={"vocabulary": 512, "length": 64, "d_emb": 32, "depth": 2, "heads": 2},
        series={name: LANGUAGE[name] for name in ("Plain", "+ a and b")},
        grid={"epochs": (0.05,)},
        seeds=1,
    ),
    Experiment(
        name="perplexity-wikitext",
        title="GPT-2 small on WikiText-2",
        kind=PerplexityRun,
        base={"corpus": "wikitext-2", "vocabulary": None, "length": 1024, "d_emb": 768, "depth": 12, "heads": 12,
              "dropout": 0.1, "lr": 3e-4},
        series=LANGUAGE,
        grid={"epochs": (100,)},
    ),
    Experiment(
        name="language-cost",
        title="What a and b cost a training step of one of GPT-2's blocks",
        kind=CostRun,
        base={},
        series={name: LANGUAGE[name] for name in ("+ a", "+ b", "+ a and b")},
        grid={"length": (128, 256, 512, 1024)},
        seeds=3,
    ),
)
