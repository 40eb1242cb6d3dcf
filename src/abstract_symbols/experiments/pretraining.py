"""Experiments of the chapter "Pretraining"."""

from typing import Any

from companion.experiments import Experiment

from ..runs.language import TemplateRun
from .common import DOUBLING, ten_seeds

TEMPLATE_100 = {"a": True, "b": True, "c_kq": 100, "c_vo": 100}  # the multipliers of all template tasks
PRETRAINING: dict[str, dict[str, Any]] = {  # language models on template tasks
    "From scratch": {},
    "Pretrained": {"pretraining": 1.5},
    "From scratch + a and b": TEMPLATE_100,
    "Pretrained + a and b": {"pretraining": 1.5, **TEMPLATE_100},
}

EXPERIMENTS: tuple[Experiment, ...] = (
    Experiment(
        name="pretraining",
        title="A small GPT-2 on αα against αβ, with and without pretraining",
        kind=TemplateRun,
        base={"task": "same-different"},
        series=PRETRAINING,
        grid={"n": DOUBLING[:8]},
        published="gpt2_pretrained_from_scratch_gotu",
        legend={"From scratch": "GPT-2 from scratch", "Pretrained": "GPT-2 pretrained"},
    ),
    Experiment(
        name="pretraining-aba-abb",
        title="A small GPT-2 on αβα against αββ, with and without pretraining",
        kind=TemplateRun,
        shares="pretraining",
        base={"task": "aba-abb"},
        series={name: PRETRAINING[name] for name in ("From scratch", "Pretrained", "From scratch + a and b")},
        grid={"n": (32, 128, 512)},
        seeds=3,
        published="gpt2_pretrained_from_scratch_gotu",
        legend={"From scratch": "GPT-2 from scratch", "Pretrained": "GPT-2 pretrained"},
    ),
    Experiment(
        name="pretraining-tiny",
        title="A tiny GPT-2 on αα against αβ, to be repeated live",
        kind=TemplateRun,
        base={"task": "same-different", "vocabulary": 512, "length": 64, "d_emb": 32, "depth": 2, "heads": 2,
              "evaluation": 128},
        series={"From scratch": {}, "Pretrained": {"pretraining": 0.05}},
        grid={"n": (16,)},
        seeds=1,
    ),
    Experiment(
        name="pretraining-gpt2",
        title="GPT-2 small, medium and large on αα against αβ",
        kind=TemplateRun,
        base={"task": "same-different", "evaluation": 1000},
        series={"GPT-2 small": {"checkpoint": "openai-community/gpt2"},
                "GPT-2 medium": {"checkpoint": "openai-community/gpt2-medium", "lr": 1e-4},
                "GPT-2 large": {"checkpoint": "openai-community/gpt2-large"}},
        grid={"n": DOUBLING[1:6]},
        published="gpt2_small_medium_large_gotu",
        legend={"GPT-2 small": "gpt2-small pretrained, lr 0.001",
                "GPT-2 medium": "gpt2-medium pretrained, lr 0.0001",
                "GPT-2 large": "gpt2-large pretrained, lr 0.001"},
    ),
)

EXPERIMENTS += (
    ten_seeds(EXPERIMENTS, "pretraining", PRETRAINING, (64, 256)),
    ten_seeds(EXPERIMENTS, "pretraining-aba-abb", ("From scratch", "Pretrained"), (128, 512)),
)
