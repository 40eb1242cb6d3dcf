"""Experiments are named grids of runs; runs become rows of a results file that is only ever appended to.

A run (`runs`, `theory`) says everything that decides a number, and its key is a hash of that. `run` performs what is
missing, `load` reads what is there. Source: the protocol of section 5; results are shown in the chapters.
"""

import csv
import fcntl
import io
import itertools
import os
import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import MISSING, asdict, dataclass, field, fields
from functools import cached_property
from pathlib import Path

import joblib
import pandas as pd
import torch
from tqdm import tqdm

from . import theory
from .language import training as language
from .language.pretraining import TemplateRun
from .runs import Job, Run, pick_device

BOOK = Path(os.environ.get("ABSTRACT_SYMBOLS_BOOK", Path(__file__).resolve().parents[2] / "book"))
@dataclass(frozen=True)
class Experiment:
    """A named grid: for every series its options, times the values of `grid`, times `seeds` seeds from `first_seed` on.

    Attributes: name, that of the results file; title; base, fields that all runs share; series, legend word →
    fields; grid, field → values; seeds, their number, for all or by series; first_seed, above 0 where a claim is
    made after runs of the first seeds were seen; published, the paper's figure (a file of book/published) or None;
    legend, the paper's words for a series where they are not ours; kind, what its runs are; rows, the experiment
    whose results file it shares, its own unless given: what two of them have in common runs once.
    """

    name: str
    title: str
    base: dict
    series: dict[str, dict]
    grid: dict[str, tuple]
    seeds: int | dict[str, int] = 5
    published: str | None = None
    legend: dict[str, str] = field(default_factory=dict)
    kind: type[Job] = Run
    rows: str | None = None
    first_seed: int = 0

    @property
    def x(self) -> str:
        """The field on the figures' horizontal axis: the first of the grid."""
        return next(iter(self.grid))

    @cached_property
    def _runs(self) -> dict[Job, str]:
        runs = {}
        for values in itertools.product(*self.grid.values()):
            point = dict(zip(self.grid, values, strict=True))
            for name, options in self.series.items():
                for seed in range(self.seeds if isinstance(self.seeds, int) else self.seeds[name]):
                    runs[self.kind(**self.base, **point, **options, seed=self.first_seed + seed)] = name
        return dict(sorted(runs.items(), key=lambda item: item[0].cost()))

    def runs(self) -> dict[Job, str]:
        """Every run of the grid, cheapest first, with its series."""
        return dict(self._runs)

    def path(self, results: Path | None = None) -> Path:
        """The results file, in the book's committed results or in another folder."""
        return Path(results or BOOK / "results") / f"{self.rows or self.name}.csv"


REAL_TASKS = {"αα / αβ": {"task": "same-different"}, "αβα / αββ": {"task": "aba-abb"}}
ALL_REAL_TASKS = {**REAL_TASKS, "ααββ / αβαβ": {"task": "aabb-abab"},
                  "α=1;β=-1;print(α) / …print(β)": {"task": "program"}, "same relation": {"task": "same-relation"},
                  "same order": {"task": "same-order"}}
HALF_DECADES = tuple(round(10 ** (i / 2)) for i in range(2, 12))
SCALES = {f"scale {s}": {"readout_only": True, "scale": s} for s in (1, 8, 64)}
DIMENSIONS = tuple(2**i for i in range(6, 13))  # d_emb of the copying figures
DOUBLING = tuple(2**i for i in range(2, 14))  # n of most figures
QUADRUPLING = tuple(2**i for i in range(3, 14, 2))
PLAIN, MODIFIED = {"network": "transformer"}, {"network": "transformer", "a": True, "b": True}
ABA = {"task": "aba-abb", "network": "transformer"}
RATES = (3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2)
MULTIPLIERS = {"c_KQ = 10": {"c_kq": 10}, "c_KQ = 30": {"c_kq": 30}, "c_KQ = 100": {}}
PSYCHOMETRIC = {"Match to sample": {"task": "match-to-sample"}, "Identity rules": {"task": "identity-rules"},
                "Distribution of three": {"task": "distribution-of-three"}, "3 × 3 matrix": {"task": "matrix"}}
RANDOM_NUMBERS = {f"r = {r}": {"task": f"random-r{r}-k5-w3-R0"} for r in (2, 3, 4, 5, 7, 9, 10, 11, 12, 13, 14, 15)}
RANDOM_DRAWS = {f"k = {k}, w = {w}, r = {name[4:]}": {"task": options["task"].replace("k5-w3", f"k{k}-w{w}")}
                for k, w in ((5, 2), (6, 2), (6, 3), (8, 2), (10, 2)) for name, options in RANDOM_NUMBERS.items()}
RANDOM_REGULAR = {f"R = {regular}": {"task": f"random-r2-k5-w3-R{regular}"} for regular in (0, 1, 2)}
RANDOM_LENGTHS = {f"k = {k}": {"task": f"random-r2-k{k}-w3-R0"} for k in (3, 5, 7, 9, 12)}
RANDOM_WILDCARDS = {f"w = {w}": {"task": f"random-r2-k5-w{w}-R0"} for w in (2, 3, 4, 5)}
LENGTHS = {f"Length {k}": {"task": f"majority-{k}"} for k in (2, 4, 6, 8)}
RANDOM_TASKS = {name: options for name, options in
                {**RANDOM_NUMBERS, **RANDOM_REGULAR, **RANDOM_LENGTHS, **RANDOM_WILDCARDS}.items()
                if name not in ("R = 0", "k = 5", "w = 3")}  # which are r = 2
TRAINED_TASKS = {  # with labels ±1, by a plain transformer
    **{name: options for name, options in ALL_REAL_TASKS.items() if name not in ("same relation", "same order")},
    **{f"majority of {k}": LENGTHS[f"Length {k}"] for k in (4, 6, 8)},
    **PSYCHOMETRIC,
}
REPAIRS = {  # of copying, one change each but for "+ a and b"
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
LANGUAGE = {  # models of text, plain and with identity parameters
    "Plain": {},
    "+ a": {"a": True},
    "+ a, diagonal masked": {"a": True, "mask_diagonal": True},
    "+ b": {"b": True},
    "+ a and b": {"a": True, "b": True},
}
TEMPLATE_100 = {"a": True, "b": True, "c_kq": 100, "c_vo": 100}  # the multipliers of all template tasks
PRETRAINING = {  # language models on template tasks
    "From scratch": {},
    "Pretrained": {"pretraining": 1.5},
    "From scratch + a and b": TEMPLATE_100,
    "Pretrained + a and b": {"pretraining": 1.5, **TEMPLATE_100},
}


def multipliers(name: str, title: str, base: dict, published: str, label: str, grid: tuple, fresh_grid: tuple,
                rows: str | None = None) -> tuple[Experiment, Experiment]:
    """A task by the multiplier c_KQ of a, with seeds 0 to 2; then 30 alone with five seeds that were not seen before.

    The paper's multiplier is known to lie between 30 and 100. All experiments have 100; the claims on 30 were stated
    after seeds 0 to 2, so others judge them.
    """
    shared = {"base": base, "published": published, "rows": rows or name}
    return (
        Experiment(name=f"{name}-multipliers", title=f"{title}, by the multiplier c_KQ of a", series=MULTIPLIERS,
                   grid={"n": grid}, seeds=3, legend={"c_KQ = 100": label}, **shared),
        Experiment(name=f"{name}-multiplier-30", title=f"{title}, c_KQ = 30, five other seeds",
                   series={"c_KQ = 30": {"c_kq": 30}}, grid={"n": fresh_grid}, first_seed=3,
                   legend={"c_KQ = 30": label}, **shared),
    )


EXPERIMENTS = {
    e.name: e
    for e in [
        Experiment(
            name="same-different",
            title="Same or different? αα against αβ",
            base={"task": "same-different"},
            series={
                "Fully-connected": {"network": "mlp"},
                "Transformer": {"network": "transformer"},
                "Modified transformer": {"network": "transformer", "a": True, "b": True},
            },
            grid={"n": tuple(2**i for i in range(2, 13))},
            published="samedifferent_mod",
        ),
        Experiment(
            name="stop-rule",
            title="Same or different? trained on to a loss of 0.0001",
            base={"task": "same-different", "network": "transformer", "stop": 1e-4},
            series={"Transformer": {}, "Modified transformer": {"a": True, "b": True}},
            grid={"n": (64, 256)},
        ),
        Experiment(
            name="architectures",
            title="Seven networks on αβα against αββ",
            base={"task": "aba-abb"},
            series={
                "Fully-connected": {"network": "mlp"},
                "RNN": {"network": "rnn"},
                "LSTM": {"network": "lstm"},
                "Transformer": {"network": "transformer"},
                "Transformer + a": {"network": "transformer", "a": True},
                "Transformer + b": {"network": "transformer", "b": True},
                "Transformer + a and b": {"network": "transformer", "a": True, "b": True},
            },
            grid={"n": tuple(2**i for i in range(2, 14))},
            published="diff_architectures_gotu",
            legend={
                "Fully-connected": "Depth-3 FCNet, lr 0.001",
                "RNN": "RNN, lr 0.001",
                "LSTM": "LSTM, lr 0.001",
                "Transformer": "Transformer, lr 0.001",
                "Transformer + a": "Transformer + KQ identity, lr 0.001",
                "Transformer + b": "Transformer + VO identity, lr 0.001",
                "Transformer + a and b": "Transformer + KQ, VO identity, lr 0.001",
            },
        ),
        Experiment(
            name="lstm",
            title="An LSTM on αβα against αββ, to twice the published number of strings",
            rows="architectures",
            base={"task": "aba-abb", "network": "lstm"},
            series={"LSTM": {}},
            grid={"n": tuple(2**i for i in range(2, 15))},
            published="diff_architectures_gotu",
            legend={"LSTM": "LSTM, lr 0.001"},
        ),
        Experiment(
            name="mlp-law",
            title="The law of the outputs on unseen strings",
            kind=theory.LawRun,
            base={"task": "same-different", "evaluation": 3000},
            series={"Fully-connected": {"network": "mlp"}, "Transformer": {"network": "transformer"}},
            grid={"n": (64, 1024)},
            seeds={"Fully-connected": 50, "Transformer": 5},
        ),
        Experiment(
            name="fully-connected",
            title="A fully-connected network on αβα against αββ",
            base={"task": "aba-abb", "network": "mlp"},
            series={"Fully-connected": {}},
            grid={"n": tuple(2**i for i in range(2, 14))},
            published="fc_depth3_aba_vs_abb_gotu",
            legend={"Fully-connected": "lr 0.001"},
        ),
        Experiment(
            name="mlp-gram",
            title="A fully-connected network that is given XXᵀ, on αβα against αββ",
            base={"task": "aba-abb", "network": "mlp"},
            series={"Fully-connected": {}, "Fully-connected + XXᵀ": {"gram": True, "depth": 2}},
            grid={"n": tuple(2**i for i in range(2, 14))},
            published="mlp_concat_XXT_gotu",
            legend={"Fully-connected": "MLP, lr 0.001",
                    "Fully-connected + XXᵀ": "MLP + XX^T data augmentation, lr 0.001"},
        ),
        Experiment(
            name="width",
            title="Finite transformers against the kernel",
            kind=theory.WidthRun,
            base={},
            series=REAL_TASKS,
            grid={"width": tuple(2**i for i in range(4, 10))},
            seeds=10,
        ),
        Experiment(
            name="predictions",
            title="A finite transformer's last layer against the kernel, on αα against αβ",
            kind=theory.PredictionRun,
            base={"task": "same-different"},
            series={"β = 2, γ = 1, b₁ = 2": {}, "β = 3, γ = 2, b₁ = 1": {"beta": 3, "gamma": 2, "b1": 1}},
            grid={"width": (64, 128, 256, 512)},
        ),
        Experiment(
            name="gram",
            title="The Gram matrix of 1,000 strings against constant blocks",
            kind=theory.GramRun,
            base={"n": 1000},
            series=REAL_TASKS,
            grid={"alphabet": HALF_DECADES[:-1]},
        ),
        Experiment(
            name="eigenvalues",
            title="The smallest eigenvalue of the template matrix",
            kind=theory.EigenvalueRun,
            base={},
            series=ALL_REAL_TASKS,
            grid={"beta": (2.0,)},
            seeds=1,
        ),
        Experiment(
            name="eigenvalue-beta",
            title="The smallest eigenvalue as β goes to 0",
            kind=theory.EigenvalueRun,
            base={},
            series=ALL_REAL_TASKS,
            grid={"beta": (0.125, 0.175, 0.25, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8)},
            seeds=1,
        ),
        Experiment(
            name="eigenvalue-map",
            title="The smallest eigenvalue over β and γ",
            kind=theory.EigenvalueRun,
            base={},
            series=REAL_TASKS,
            grid={"beta": (0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0), "gamma": (0.125, 0.25, 0.5, 1.0, 2.0, 4.0)},
            seeds=1,
        ),
        Experiment(
            name="predicted-strings",
            title="The strings that the template matrix predicts",
            kind=theory.StringsRun,
            base={},
            series={**RANDOM_TASKS, **TRAINED_TASKS},
            grid={"beta": (2.0,)},
            seeds={**dict.fromkeys(RANDOM_TASKS, 5), **dict.fromkeys(TRAINED_TASKS, 1)},
        ),
        Experiment(
            name="predicted-strings-kernels",
            title="The strings that the template matrix predicts, by the kernel's parameters",
            rows="predicted-strings",
            kind=theory.StringsRun,
            base={},
            series={name: RANDOM_TASKS[name] for name in ("r = 2", "k = 3", "k = 7", "w = 2", "w = 4", "w = 5")},
            grid={"beta": (1.0, 2.0, 4.0), "gamma": (0.5, 1.0), "b1": (1.0, 2.0)},
        ),
        Experiment(
            name="predicted-strings-draws",
            title="The strings that the template matrix predicts, by the way in which random templates are drawn",
            rows="predicted-strings",
            kind=theory.StringsRun,
            base={},
            series=RANDOM_DRAWS,
            grid={"beta": (2.0,)},
        ),
        Experiment(
            name="ridge-n",
            title="Kernel ridge regression, error on unseen strings against n",
            kind=theory.RidgeRun,
            base={},
            series={f"{label}{words}": {**options, "noise": noise} for noise, words in ((0, ""), (10, ", noise σ = 10"))
                    for label, options in REAL_TASKS.items()},
            grid={"n": tuple(round(10 ** (i / 2)) for i in range(4, 15))},
        ),
        Experiment(
            name="ridge-rho",
            title="Kernel ridge regression on 4 million strings, against the number of training symbols",
            kind=theory.RidgeRun,
            base={"n": 4_000_000},
            series=REAL_TASKS,
            grid={"alphabet": HALF_DECADES},
            seeds=3,
        ),
        Experiment(
            name="ridge-lambda",
            title="Kernel ridge regression on 10,000 strings, against λ",
            kind=theory.RidgeRun,
            base={"task": "aba-abb", "n": 10_000},
            series={"noise-free": {}, "noise σ = 1": {"noise": 1}, "noise σ = 10": {"noise": 10}},
            grid={"ridge": (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)},
        ),
        Experiment(
            name="ridge-beta",
            title="Kernel ridge regression on 10,000 strings, against β and γ",
            kind=theory.RidgeRun,
            base={"task": "aba-abb", "n": 10_000},
            series={f"γ = {gamma:g}": {"gamma": gamma} for gamma in (0.25, 0.5, 1.0, 2.0, 4.0)},
            grid={"beta": (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0)},
            seeds=3,
        ),
        Experiment(
            name="ridge-zipf",
            title="Kernel ridge regression with Zipf-distributed symbols",
            kind=theory.RidgeRun,
            base={"task": "same-different"},
            series={"uniform": {}, **{f"Zipf, s = {s:g}": {"zipf": s} for s in (0.5, 1.0, 1.5)}},
            grid={"n": tuple(round(10 ** (i / 2)) for i in range(4, 12))},
            seeds=3,
        ),
        Experiment(
            name="last-layer",
            title="A transformer whose last layer alone is trained, on αα against αβ",
            kind=theory.LastLayerRun,
            base={"task": "same-different", "network": "transformer"},
            series=SCALES,
            grid={"n": (64, 512, 4096, 16384)},
            published="transformer_lastlayer_1_gotu",
            legend={f"scale {s}": f"Initialization scale multiplier {s}" for s in (1, 8, 64)},
        ),
        Experiment(
            name="last-layer-wide",
            title="A last layer over 128 and over 1024 dimensions, weights 64 times as large, on αα against αβ",
            kind=theory.LastLayerRun,
            base={"task": "same-different", "network": "transformer", "readout_only": True, "scale": 64},
            series={f"d = {d}": {"d_emb": d} for d in (128, 1024)},
            grid={"n": (64, 512, 4096)},
            published="transformer_lastlayer_1_gotu",
            legend={"d = 1024": "Initialization scale multiplier 64"},
        ),
        Experiment(
            name="attention",
            title="What training all weights does to attention, on αα against αβ",
            kind=theory.AttentionRun,
            base={"task": "same-different", "network": "transformer"},
            series={"Transformer": {}, "Modified transformer": {"a": True, "b": True}},
            grid={"n": (64, 1024)},
            seeds=3,
        ),
        Experiment(
            name="last-layer-aba-abb",
            title="A transformer whose last layer alone is trained, on αβα against αββ",
            kind=theory.LastLayerRun,
            base={"task": "aba-abb", "network": "transformer"},
            series=SCALES,
            grid={"n": (64, 512, 4096)},
            seeds=3,
            published="transformer_lastlayer_1_gotu",
            legend={f"scale {s}": f"Initialization scale multiplier {s}" for s in (1, 8, 64)},
        ),
        Experiment(
            name="program-symbolic",
            title='Programs that print a symbol: α="γ";β="δ";print(α)',
            kind=theory.AnswerRun,
            base={"task": "program-symbolic", "network": "transformer"},
            series={"Transformer": {}, "Transformer + a and b": {"a": True, "b": True}},
            grid={"n": tuple(2**i for i in range(2, 19))},
            published="teaser2",
            legend={"Transformer + a and b": "Transformer + KQ,VO identity"},
        ),
        Experiment(
            name="copy",
            title="Copying α → α, embedding dimensions 64 to 4096",
            base={"task": "copy", "network": "transformer"},
            series={f"d = {d}": {"d_emb": d} for d in DIMENSIONS},
            grid={"n": tuple(2**i for i in range(2, 12))},
            published="transformer_copy_fail",
            legend={f"d = {d}": f"dim={d}" for d in DIMENSIONS},
        ),
        Experiment(
            name="copy-b",
            title="Copying α → α with b, embedding dimensions 64 to 4096",
            base={"task": "copy", "network": "transformer", "b": True},
            series={f"d = {d}": {"d_emb": d} for d in DIMENSIONS},
            grid={"n": tuple(2**i for i in range(2, 12))},
            published="transformer_copy_success",
            legend={f"d = {d}": f"dim={d}" for d in DIMENSIONS},
        ),
        Experiment(
            name="copy-scaled",
            title="Copying α → α, logits divided by d_emb",
            base={"task": "copy", "network": "transformer", "epochs": 100},
            series={f"d = {d}": {"d_emb": d, "logit_scale": 1 / d} for d in DIMENSIONS[:4]},
            grid={"n": tuple(2**i for i in range(4, 9))},
            seeds=3,
            published="transformer_copy_fail",
            legend={f"d = {d}": f"dim={d}" for d in DIMENSIONS},
        ),
        Experiment(
            name="copy-progress",
            title="The copy theorem: progress on unseen symbols at initialisation",
            kind=theory.ProgressRun,
            base={},
            series={"n = 4": {"n": 4}, "n = 16": {"n": 16}, "n = 64": {"n": 64},
                    "n = 16, γ = 1": {"n": 16, "gamma": 1}},
            grid={"d_emb": tuple(2**i for i in range(4, 13))},
            seeds=10,
        ),
        Experiment(
            name="copy-repairs",
            title="Copying α → α with one repair at a time, d_emb = 128",
            base={"task": "copy", "network": "transformer", "d_emb": 128},
            series=REPAIRS,
            grid={"n": tuple(2**i for i in range(4, 10))},
            seeds=3,
        ),
        Experiment(
            name="copy-repairs-512",
            title="Copying α → α with one repair at a time, d_emb = 512",
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
            kind=theory.EmbeddingRun,
            base={"task": "copy", "network": "transformer", "d_emb": 128, "n": 128},
            series={name: REPAIRS[name] for name in ("Plain", "Weight decay", "+ b")},
            grid={"epochs": (1, 4, 16, 64, 256)},
            seeds=3,
        ),
        Experiment(
            name="aba-abb",
            title="Plain attention and + a on αβα against αββ",
            rows="architectures",
            base=ABA,
            series={"Transformer": {}, "Transformer + a": {"a": True}},
            grid={"n": DOUBLING},
            published="aba_vs_abb_reg_vs_identity_perturb",
            legend={"Transformer": "regular, lr 0.001", "Transformer + a": "with identity perturb, lr 0.001"},
        ),
        Experiment(
            name="dropout",
            title="Dropout on the embedded strings, on αβα against αββ, at most 250 epochs",
            rows="architectures",
            base=ABA,
            series={"Transformer": {}, **{f"dropout {p:g}": {"dropout": p, "epochs": 250} for p in (0.05, 0.1)}},
            grid={"n": DOUBLING[4:9]},
            seeds=3,
            published="aba_vs_abb_reg_vs_identity_perturb",
            legend={"Transformer": "regular, lr 0.001"},
        ),
        Experiment(
            name="program",
            title="Programs that print a number: α=1;β=-1;print(α) against …print(β)",
            base={"task": "program", "network": "transformer"},
            series={"Transformer": {}, "Transformer + a": {"a": True}},
            grid={"n": DOUBLING},
            published="teaser1",
            legend={"Transformer + a": "Transformer + KQ identity"},
        ),
        *multipliers("program", "Programs that print a number, with a",
                     {"task": "program", "network": "transformer", "a": True}, "teaser1", "Transformer + KQ identity",
                     DOUBLING[2:7], DOUBLING[1:7]),
        *multipliers("aba", "αβα against αββ with a", {**ABA, "a": True}, "aba_vs_abb_reg_vs_identity_perturb",
                     "with identity perturb, lr 0.001", DOUBLING[:6], DOUBLING[:6], rows="architectures"),
        Experiment(
            name="aabb-abab",
            title="Plain attention and + a on ααββ against αβαβ",
            base={"task": "aabb-abab", "network": "transformer"},
            series={"Transformer": {}, "Transformer + a": {"a": True}},
            grid={"n": QUADRUPLING},
            published="various_tasks_1_gotu",
            legend={"Transformer": "AABB vs. ABAB, lr 0.001"},
        ),
        Experiment(
            name="mimetic",
            title="Mimetic initialisation, αZ + βI, on αβα against αββ",
            rows="architectures",
            base=ABA,
            series={"Transformer": {}, "Transformer + a": {"a": True},
                    **{f"α = {alpha:g}, β = {beta:g}": {"mimetic_alpha": alpha, "mimetic_beta": beta}
                       for alpha, beta in ((0.7, 0.7), (1.0, 1.0), (1.0, 10.0))}},
            grid={"n": DOUBLING},
        ),
        Experiment(
            name="majority",
            title="Is the first symbol in the majority? strings of 2, 4, 6 and 8",
            base={"network": "transformer"},
            series=LENGTHS,
            grid={"n": QUADRUPLING},
            published="majority_tasks_abridged_1",
            legend={f"Length {k}": f"majority_len={k}, lr 0.001" for k in (2, 4, 6, 8)},
        ),
        Experiment(
            name="majority-modified",
            title="Is the first symbol in the majority? with a and b",
            rows="majority",
            base=MODIFIED,
            series=LENGTHS,
            grid={"n": QUADRUPLING},
            published="majority_tasks_abridged_transformer_identity_scalings_1",
            legend={f"Length {k}": f"majority_len={k}, lr 0.001" for k in (2, 4, 6, 8)},
        ),
        Experiment(
            name="majority-pairs",
            title="Is the first symbol in the majority? plain against a and b",
            rows="majority",
            base={"network": "transformer"},
            series={f"Length {k}{words}": {"task": f"majority-{k}", **options} for k in (2, 4, 6, 8)
                    for words, options in (("", {}), (" + a and b", {"a": True, "b": True}))},
            grid={"n": QUADRUPLING},
        ),
        *multipliers("majority", "Is the first of four symbols in the majority? with a and b",
                     {**MODIFIED, "task": "majority-4"}, "majority_tasks_abridged_transformer_identity_scalings_1",
                     "majority_len=4, lr 0.001", QUADRUPLING[:4], DOUBLING[3:9]),
        Experiment(
            name="counting-5",
            title="How many distinct symbols are among five?",
            base={"task": "counting-5"},
            series={"Fully-connected": {"network": "mlp"}, "Transformer": PLAIN, "Modified transformer": MODIFIED},
            grid={"n": tuple(2**i for i in range(3, 15))},
            published="counting_5",
        ),
        *multipliers("counting", "How many distinct symbols are among five? with a and b",
                     {**MODIFIED, "task": "counting-5"}, "counting_5", "Modified transformer", DOUBLING[3:8],
                     DOUBLING[3:9], rows="counting-5"),
        Experiment(
            name="counting-7",
            title="How many distinct symbols are among seven?",
            base={"task": "counting-7"},
            series={"Fully-connected": {"network": "mlp"}, "Transformer": PLAIN, "Modified transformer": MODIFIED},
            grid={"n": tuple(2**i for i in range(3, 15))},
        ),
        Experiment(
            name="psychometric",
            title="Psychometric tasks, plain and with a and b",
            base={"network": "transformer"},
            series={f"{name}{words}": {**options, **modified} for name, options in PSYCHOMETRIC.items()
                    for words, modified in (("", {}), (" + a and b", {"a": True, "b": True}))},
            grid={"n": QUADRUPLING},
        ),
        Experiment(
            name="word-labels",
            title="Same or different? answered with one of two words",
            base={"task": "same-different-word"},
            series={"Transformer": PLAIN, "Modified transformer": MODIFIED},
            grid={"n": DOUBLING[:10]},
        ),
        Experiment(
            name="random-templates",
            title="Random templates: their number r",
            base={"network": "transformer"},
            series=RANDOM_NUMBERS,
            grid={"n": (8, 32, *DOUBLING[4:])},
            published="randomtemplate_ntempl_1_gotu",
            legend={name: name.replace("r =", "number of templates") for name in RANDOM_NUMBERS},
        ),
        Experiment(
            name="random-templates-k6-w2",
            title="Random templates of six positions and two wildcards: their number r",
            base={"network": "transformer"},
            rows="random-templates",
            series={f"r = {r}": RANDOM_DRAWS[f"k = 6, w = 2, r = {r}"] for r in (2, 4, 7, 15)},
            grid={"n": DOUBLING[7:]},
            seeds=3,
            published="randomtemplate_ntempl_1_gotu",
            legend={f"r = {r}": f"number of templates {r}" for r in (2, 4, 7, 15)},
        ),
        Experiment(
            name="random-regular",
            title="Random templates: the number R of regular tokens",
            base={"network": "transformer"},
            rows="random-templates",
            series=RANDOM_REGULAR,
            grid={"n": (8, 32, *DOUBLING[5:10], 8192)},
            published="randomtemplate_Rsize_1_gotu",
            legend={name: name.replace("R =", "regular alphabet size") for name in RANDOM_REGULAR},
        ),
        Experiment(
            name="random-length",
            title="Random templates: their length k",
            base={"network": "transformer"},
            rows="random-templates",
            series=RANDOM_LENGTHS,
            grid={"n": (8, 32, *DOUBLING[5:10], 8192)},
        ),
        Experiment(
            name="random-wildcards",
            title="Random templates: the number w of wildcards",
            base={"network": "transformer"},
            rows="random-templates",
            series=RANDOM_WILDCARDS,
            grid={"n": (8, 32, *DOUBLING[5:10], 8192)},
        ),
        Experiment(
            name="random-fresh",
            title="Twelve random tasks of a kind that was not tried before",
            kind=theory.DrawnRun,
            base={"task": "random-r2-k6-w5-R0", "network": "transformer"},
            series={"Transformer": {}},
            grid={"n": DOUBLING[7:10]},
            seeds=12,
        ),
        Experiment(
            name="lr-n",
            title="Learning rates",
            rows="architectures",
            base=ABA,
            series={f"lr = {lr:g}": {"lr": lr} for lr in (*RATES, 3e-2, 1e-1)},
            grid={"n": DOUBLING[2:]},
            seeds=3,
            published="transformer_lr_n_1_gotu",
            legend={f"lr = {lr:g}": f"lr {lr:g}" for lr in (*RATES, 3e-2, 1e-1)},
        ),
        Experiment(
            name="n-lr",
            title="The learning rate, by n",
            rows="architectures",
            base=ABA,
            series={f"n = {n}": {"n": n} for n in DOUBLING[2:]},
            grid={"lr": (*RATES, 3e-2, 1e-1)},
            seeds=3,
            published="transformer_lr_n_2_gotu",
            legend={f"n = {n}": f"n {n}" for n in DOUBLING[2:]},
        ),
        Experiment(
            name="batch-n",
            title="Batch sizes",
            rows="architectures",
            base=ABA,
            series={f"batch {batch}": {"batch": batch} for batch in (8, 16, 32, 64, 128, 256, 512, 1024)},
            grid={"n": DOUBLING[2:9]},
            seeds=3,
            published="transformer_batchsize_n_1_gotu",
            legend={f"batch {batch}": f"batch size {batch}" for batch in (8, 16, 32, 64, 128, 256, 512, 1024)},
        ),
        Experiment(
            name="lr-batch",
            title="The learning rate, by batch size, at n = 512",
            rows="architectures",
            base={**ABA, "n": 512},
            series={f"batch {batch}": {"batch": batch} for batch in (8, 32, 128, 512)},
            grid={"lr": RATES},
            seeds=3,
        ),
        *(Experiment(
            name=f"lr-{name}-{n}",
            title=f"The learning rate, by {what}, at n = {n}",
            rows="architectures",
            base={**ABA, "n": n},
            series={f"{letter} = {value}": {} if value == default else {field: value} for value in values},
            grid={"lr": rates},
            seeds=3,
            published=f"transformer_lr_{figure}_1_n1024_gotu" if n == 1024 else None,
            legend={f"{letter} = {value}": f"{words} {value}" for value in values},
        ) for name, what, letter, field, default, values, rates, figure, words, sizes in (
            ("depth", "depth", "depth", "depth", 2, (1, 2, 4, 8, 16), RATES, "depth", "depth", (512, 1024)),
            ("heads", "number of heads", "heads", "heads", 16, (1, 4, 16, 64), RATES, "numheads", "number of heads",
             (512, 1024)),
            ("dimension", "embedding dimension", "d", "d_emb", 128, (32, 128, 512), RATES[1:], "embeddim",
             "embed dim", (1024,)),
        ) for n in sizes),
        Experiment(
            name="perplexity",
            title="A small GPT-2 on Python's documentation",
            kind=language.PerplexityRun,
            base={},
            series=LANGUAGE,
            grid={"epochs": (1.5,)},
        ),
        Experiment(
            name="perplexity-tiny",
            title="A tiny GPT-2 on Python's documentation, to be repeated live",
            kind=language.PerplexityRun,
            base={"vocabulary": 512, "length": 64, "d_emb": 32, "depth": 2, "heads": 2},
            series={name: LANGUAGE[name] for name in ("Plain", "+ a and b")},
            grid={"epochs": (0.05,)},
            seeds=1,
        ),
        Experiment(
            name="perplexity-wikitext",
            title="GPT-2 small on WikiText-2",
            kind=language.PerplexityRun,
            base={"corpus": "wikitext-2", "vocabulary": None, "length": 1024, "d_emb": 768, "depth": 12, "heads": 12,
                  "dropout": 0.1, "lr": 3e-4},
            series=LANGUAGE,
            grid={"epochs": (100,)},
        ),
        Experiment(
            name="language-cost",
            title="What a and b cost a training step of one of GPT-2's blocks",
            kind=language.CostRun,
            base={},
            series={name: LANGUAGE[name] for name in ("+ a", "+ b", "+ a and b")},
            grid={"length": (128, 256, 512, 1024)},
            seeds=3,
        ),
        Experiment(
            name="random-heads",
            title="Diagonals of a GPT-2 with random weights",
            kind=language.RandomHeadsRun,
            base={},
            series={"Random weights": {}},
            grid={"d_emb": (128, 768)},
        ),
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
            rows="pretraining",
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
    ]
}


def experiment(name: str) -> Experiment:
    """An experiment by name. Raises: ValueError for an unknown one."""
    if name not in EXPERIMENTS:
        raise ValueError(f"unknown experiment {name!r}; known are {', '.join(EXPERIMENTS)}")
    return EXPERIMENTS[name]


# ---- results files -----------------------------------------------------------------------------------------------


def columns(kind: type[Job]) -> dict[str, type]:
    """The columns of a results file with runs of a kind, and their types."""
    return {"key": str, **{f.name: f.type for f in fields(kind)}, **kind.METRICS,
            "seconds": float, "device": str, "torch": str, "commit": str}


def _parse(text: str, kind: type) -> object:
    """A cell to its value; ValueError says what is wrong with it."""
    optional = kind not in (str, int, float, bool)
    if optional:
        if text == "":
            return None
        kind = next(k for k in kind.__args__ if k is not type(None))
    if kind is bool:
        if text not in ("True", "False"):
            raise ValueError(f"{text!r} is neither True nor False")
        return text == "True"
    if text == "":
        raise ValueError("empty cell")
    return kind(text)


def read_rows(path: Path, kind: type[Job] = Run) -> list[dict]:
    """The rows of a results file with runs of a kind, each cell parsed and each key checked against its fields.

    A file of no bytes, as a crash at its creation leaves it, has no rows.
    Raises: ValueError with file, line and column for a row that is cut off, corrupted or there twice.
    """
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    if not text:
        return []
    lines = text.split("\n")
    header = next(csv.reader([lines[0]]))
    known = columns(kind)
    unknown = [c for c in header if c not in known]
    if unknown:
        raise ValueError(f"{path}, line 1, column {unknown[0]}: unknown column in the header")
    twice = [c for i, c in enumerate(header) if c in header[:i]]
    if twice:
        raise ValueError(f"{path}, line 1, column {twice[0]}: stands twice in the header")
    if lines[-1] != "":
        raise ValueError(f"{path}, line {len(lines)}, column {header[min(lines[-1].count(','), len(header) - 1)]}: "
                         "the row is cut off (no end of line); remove it and run again")
    optional = {f.name for f in fields(kind) if f.default is not MISSING}
    lacking = [c for c in known if c not in header and c not in optional]
    if lacking:
        raise ValueError(f"{path}, line 1, column {lacking[0]}: missing from the header")
    rows, seen = [], {}
    for number, line in enumerate(lines[1:-1], start=2):
        row = _read_row(path, number, header, line, kind, known)
        if row["key"] in seen:
            raise ValueError(f"{path}, line {number}, column key: {row['key']} is already on line {seen[row['key']]}")
        seen[row["key"]] = number
        rows.append(row)
    return rows


def _read_row(path: Path, number: int, header: list[str], line: str, kind: type[Job], types: dict[str, type]) -> dict:
    cells = next(csv.reader([line]), [])
    if len(cells) != len(header):
        column = header[len(cells) - 1] if 0 < len(cells) < len(header) else header[-1]
        raise ValueError(f"{path}, line {number}, column {column}: {len(cells)} cells instead of {len(header)}; "
                         "restore or remove the row and run again")
    row = {}
    for column, cell in zip(header, cells, strict=True):
        try:
            row[column] = _parse(cell, types[column])
        except ValueError as error:
            raise ValueError(f"{path}, line {number}, column {column}: {error}; restore or remove the row") from None
    stated = kind(**{f.name: row.get(f.name, f.default) for f in fields(kind)})
    if stated.key != row["key"]:
        raise ValueError(f"{path}, line {number}, column key: {row['key']} does not belong to the row's fields "
                         f"({stated.key}); a cell was changed")
    return row


def _line(cells: Iterable) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(["" if c is None else c for c in cells])
    return buffer.getvalue().encode()


class ResultsFile:
    """A results file held for appending: one writer at a time, whole rows, each on disk before the next.

    Raises: ValueError when another process holds it, or when a row in it is broken (nothing is written then).
    """

    def __init__(self, path: Path, kind: type[Job] = Run):
        self.path, self.kind = path, kind
        self.defaults = {**dict.fromkeys(columns(kind)), **{f.name: f.default for f in fields(kind)}}

    def __enter__(self) -> "ResultsFile":
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.lock = os.open(self.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT)
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self.lock)
            raise ValueError(f"{self.path}: another process is adding rows; wait for it or stop it") from None
        try:
            self._open()
        except BaseException:
            os.close(self.lock)
            raise
        return self

    def _open(self) -> None:
        self.rows = read_rows(self.path, self.kind)
        header = self.path.read_bytes().split(b"\n")[0] if self.path.exists() else b""
        if header + b"\n" != _line(self.defaults):  # a new file, or one from before a field was added
            self._replace(b"".join([_line(self.defaults), *(_line(self._cells(row)) for row in self.rows)]))

    def __exit__(self, *_) -> None:
        os.close(self.lock)

    def _cells(self, row: dict) -> list:
        return [row.get(column, default) for column, default in self.defaults.items()]

    def _replace(self, content: bytes) -> None:
        temporary = self.path.with_suffix(".tmp")
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self.path)

    def append(self, rows: list[dict]) -> None:
        """Add the rows whose keys are not there yet: one write, then fsync."""
        keys = {row["key"] for row in self.rows}
        new = [row for key, row in {row["key"]: row for row in rows}.items() if key not in keys]
        content = b"".join(_line(self._cells(row)) for row in new)
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND)
        try:
            before = os.fstat(descriptor).st_size
            if os.write(descriptor, content) < len(content):  # the disk is full: leave no half row
                os.ftruncate(descriptor, before)
                raise OSError(f"{self.path}: no space for {len(new)} more rows")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        self.rows += new


def load(name: str, results: Path | None = None) -> pd.DataFrame:
    """The experiment's rows so far, one a run, with their `series` (legend word); from the committed results, or a
    folder of one's own.

    Raises: ValueError for an unknown experiment, or a broken results file (file, line, column).
    """
    e = experiment(name)
    series = {run.key: label for run, label in e.runs().items()}
    rows = [{"series": series[row["key"]], **row} for row in read_rows(e.path(results), e.kind)
            if row["key"] in series]
    return pd.DataFrame(rows, columns=["series", *columns(e.kind)])


# ---- running -----------------------------------------------------------------------------------------------------


def perform(runs: list[Job], device: str = "cpu", commit: str | None = None) -> list[dict]:
    """Perform runs of one shape and return their rows. On a CPU one thread a process: more change the sums."""
    if device == "cpu":
        torch.set_num_threads(1)
    started = time.perf_counter()
    metrics = runs[0].perform(runs, device)
    circumstances = {"seconds": round((time.perf_counter() - started) / len(runs), 2), **provenance(device),
                     "commit": commit or code_commit()}
    return [{"key": run.key, **asdict(run), **mine, **circumstances}
            for run, mine in zip(runs, metrics, strict=True)]


def provenance(device: str) -> dict:
    """Device and torch version of a row."""
    name = torch.cuda.get_device_name() if device == "cuda" else "cpu"
    return {"device": name, "torch": torch.__version__.split("+")[0]}


def code_commit() -> str:
    """The commit of the sources, with + when they differ from it; asked once, when a sweep starts."""
    if "ABSTRACT_SYMBOLS_COMMIT" in os.environ:  # a copy of the sources without their history
        return os.environ["ABSTRACT_SYMBOLS_COMMIT"]
    git = ["git", "-C", str(Path(__file__).parent)]
    head = subprocess.run([*git, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True)
    if head.returncode:
        return "unknown"
    changed = subprocess.run([*git, "diff", "--quiet", "HEAD", "--", "."]).returncode
    return head.stdout.strip() + ("+" if changed else "")


def units(runs: Iterable[Job], device: str, workers: int = 1) -> list[list[Job]]:
    """The runs in units of work, those that are performed together; workers on one GPU share its memory."""
    shapes: dict[tuple, list[Job]] = {}
    for run in runs:
        shapes.setdefault(run.shape, []).append(run)
    cut = []
    for same in shapes.values():
        size = same[0].together(device)
        size = max(1, size // workers) if device == "cuda" else size
        cut += [same[start:start + size] for start in range(0, len(same), size)]
    return cut


def run(*names: str, device: str = "auto", minutes: float | None = None, workers: int | None = None,
        scheduler: str | None = None, series: Sequence[str] = (), first: float = float("-inf"),
        upto: float = float("inf"), results: Path | None = None) -> int:
    """Perform what the results files of experiments lack, appending each unit's rows as it ends.

    Args:
        names: the experiments; several are done in this order by the same workers, so that none waits between two.
        device: "cpu", "cuda", or "auto" for a GPU if there is one.
        minutes: start nothing new after so long.
        workers: processes, each of one thread; all cores unless given, and one on a GPU, which several share.
        scheduler: address of a Dask scheduler, whose workers then do the work; a lost worker's units are done again.
        series: only these, of whichever experiment has them; all unless given.
        first, upto: only runs whose x, the first field of the grid, is at least and at most this.
        results: a folder of one's own instead of the committed results.
    Returns: how many of these rows are still missing.
    Raises: ValueError for no or an unknown experiment, an unknown series or device, no x from `first` to `upto`,
        non-positive minutes or workers, a broken results file.
    """
    if not names:
        raise ValueError(f"no experiment is named; known are {', '.join(EXPERIMENTS)}")
    chosen = [experiment(name) for name in dict.fromkeys(names)]
    known = {s: None for e in chosen for s in e.series}
    if unknown := [s for s in series if s not in known]:
        raise ValueError(f"experiment {', '.join(map(repr, names))} has no series {unknown[0]!r}; "
                         f"it has {', '.join(known)}")
    device = pick_device(device)
    if workers is None:
        workers = 1 if device == "cuda" else joblib.cpu_count()
    if minutes is not None and not minutes > 0:
        raise ValueError(f"minutes={minutes}: must be positive")
    if workers != int(workers) or workers < 1:
        raise ValueError(f"workers={workers}: must be a whole number, at least 1")
    asked = {e.name: {r.key for r, label in e.runs().items()
                      if (not series or label in series) and first <= getattr(r, e.x) <= upto} for e in chosen}
    if not any(asked.values()):
        raise ValueError(f"from {first:g} up to {upto:g}: " + "; ".join(
            f"experiment {e.name!r} has {e.x} = {', '.join(f'{x:g}' for x in e.grid[e.x])}" for e in chosen))
    with ExitStack() as stack:
        files = {path: stack.enter_context(ResultsFile(path, kind))
                 for path, kind in {e.path(results): e.kind for e in chosen}.items()}
        missing = {(path, key) for e in chosen for path in [e.path(results)]
                   for key in asked[e.name] - {row["key"] for row in files[path].rows}}
        todo, planned = [], set()
        for e in chosen:
            path = e.path(results)
            mine = asked[e.name] & {key for where, key in missing - planned if where == path}
            # On a CPU what is done does not change the units: one of which a row is missing is performed whole, so that
            # a resumed sweep gives the numbers of an unbroken one to the bit. A GPU does not promise that; it saves the
            # work.
            shapes = {r.shape for r in e.runs() if r.key in mine}  # no network is built for what is not to be done
            wanted = (r for r in e.runs() if (r.key in mine if device == "cuda" else r.shape in shapes))
            for unit in units(wanted, device, workers):
                if any(r.key in mine for r in unit):
                    # A run that two units perform is kept from the first, whichever ends first: their last bits differ.
                    kept = {r.key for r in unit} - {key for where, key in planned if where == path}
                    todo.append((path, unit, kept))
                    planned |= {(path, key) for key in kept}
        deadline = time.monotonic() + 60 * minutes if minutes else float("inf")
        commit = code_commit()
        jobs = (joblib.delayed(_perform_for)(*unit, device, commit) for unit in _until(deadline, todo))
        cost = {r.key: r.cost() for _, unit, _ in todo for r in unit}
        bar = tqdm(total=round(sum(cost[key] for _, _, kept in todo for key in kept)), unit="cost",
                   desc=", ".join(e.name for e in chosen))
        with bar, _engine(workers, scheduler) as parallel:
            for path, rows in parallel(jobs):
                files[path].append(rows)
                missing -= {(path, row["key"]) for row in rows}
                bar.set_postfix_str(f"{len(missing)} runs to go")
                bar.update(round(sum(cost[row["key"]] for row in rows)))
    return len(missing)


def _perform_for(path: Path, runs: list[Job], kept: set[str], device: str, commit: str) -> tuple[Path, list[dict]]:
    """Units end in any order, so each says whose rows it has; of these, the ones to keep."""
    return path, [row for row in perform(runs, device, commit) if row["key"] in kept]


@contextmanager
def _engine(workers: int, scheduler: str | None) -> Iterator[joblib.Parallel]:
    """joblib on this machine's cores, or on a Dask cluster's; it takes a new unit only when a worker is free for it."""
    if scheduler is None:
        yield joblib.Parallel(n_jobs=workers, pre_dispatch=workers, batch_size=1, return_as="generator_unordered")
        return
    try:
        from distributed import Client
    except ImportError:
        raise ValueError("scheduler: Dask is not installed; pip install 'abstract-symbols[dask]'") from None
    try:
        client = Client(scheduler, timeout="10s")
    except OSError as error:
        raise ValueError(f"scheduler {scheduler!r}: {error}; start one with 'dask scheduler'") from None
    with client, joblib.parallel_config(backend="dask"):
        slots = max(1, sum(client.nthreads().values()))
        yield joblib.Parallel(n_jobs=slots, pre_dispatch=slots, batch_size=1, return_as="generator_unordered")


def repeat(name: str, committed: pd.DataFrame, *, seeds: Iterable[int], metric: str = "test_loss",
           **points: Iterable) -> pd.DataFrame:
    """Perform some runs again on the CPU, without writing them: series, the points, seed, committed, repeated.

    Args: seeds and points, such as n=[16, 32], choose the runs; metric, what is compared.
    Raises: ValueError for an unknown experiment, metric or field, or when no such run is among the committed rows.
    """
    points = {field: set(values) for field, values in points.items()}
    seeds, runs = set(seeds), experiment(name).runs()
    lacking = [column for column in (metric, *points) if column not in committed]
    if lacking:
        raise ValueError(f"experiment {name!r} has no column {lacking[0]!r}; it has {', '.join(committed)}")
    before = committed.set_index("key")[metric]
    at_points = [r for r in runs if all(getattr(r, field) in values for field, values in points.items())]
    chosen = {r.key: r for r in at_points if r.seed in seeds and r.key in before.index}
    pending = [unit for unit in units(at_points, "cpu") if any(r.key in chosen for r in unit)]
    again = [row for unit in pending for row in perform(unit) if row["key"] in chosen]
    if not again:
        at = ", ".join(f"{field} in {sorted(values)}" for field, values in {**points, "seed": seeds}.items())
        raise ValueError(f"experiment {name!r} has no rows with {at} to repeat")
    return pd.DataFrame([
        {"series": runs[chosen[row["key"]]], **{field: row[field] for field in points}, "seed": row["seed"],
         "committed": before[row["key"]], "repeated": row[metric]} for row in again
    ])


def recheck(name: str, where: str, tolerance: float, metric: str = "test_loss") -> str:
    """Perform some committed runs again, and say how many agree: a chapter's live check.

    Args: where, a query of pandas over the experiment's rows, such as "n == 16 and seed < 2"; tolerance, by how much
    the metric may differ from a run's row.
    Raises: AssertionError with both numbers of every run if one differs by more.
    """
    x, chosen = next(iter(experiment(name).grid)), load(name).query(where)
    if chosen.empty:
        return f"{name}: no rows to repeat yet"
    again = repeat(name, chosen, seeds=chosen["seed"], metric=metric, **{x: chosen[x]})
    off = (again["repeated"] - again["committed"]).abs().max()
    if not off <= tolerance:
        raise AssertionError(f"{name}: {metric} is off by {off:.3g}, more than {tolerance}:\n{again}")
    rows = "its row" if len(again) == 1 else "their rows"
    return f"{name}: {len(again)} run again, within {tolerance} of {rows}"


@dataclass(frozen=True)
class Progress:
    """done: series → (runs done, runs in the grid); missing runs; hours, core-hours they cost, None if not known."""

    done: dict[str, tuple[int, int]]
    missing: int
    hours: float | None

    def __str__(self) -> str:
        """What is missing and what it costs."""
        if not self.missing:
            return "nothing: all runs are done"
        cost = f"about {self.hours:.1f} core-hours" if self.hours else "not known yet"
        return f"{self.missing} runs missing; cost on a CPU: {cost}"


def progress(name: str) -> Progress:
    """How far an experiment is, and what the rest costs on a CPU, judged by the rows measured on one."""
    e, rows = experiment(name), load(name)
    runs, present, finished = e.runs(), set(rows["key"]), rows.groupby("series").size()
    costs = {r.key: r.cost() for r in runs}
    done = {s: (int(finished.get(s, 0)), list(runs.values()).count(s)) for s in e.series}
    todo = [r for r in runs if r.key not in present]
    rate = {}
    for series, group in rows[rows["device"] == "cpu"].groupby("series"):
        cost = group["key"].map(costs)
        largest = cost == cost.max()
        rate[series] = group["seconds"][largest].sum() / cost[largest].sum()
    known = [rate.get(runs[r]) for r in todo]
    hours = sum(r.cost() * k for r, k in zip(todo, known, strict=True)) / 3600 if todo and all(known) else None
    return Progress(done, len(todo), hours)


def _until(deadline: float, items: Iterable) -> Iterator:
    for item in items:
        if time.monotonic() > deadline:
            return
        yield item
