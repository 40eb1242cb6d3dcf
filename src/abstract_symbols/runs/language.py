"""Runs with language models: perplexity, the cost of the scalars, heads of random models, template tasks.

Source: section 5, where GPT-2 is trained on WikiText and on template tasks; the chapters "Perplexity", "Heads that are
already identities" and "Pretraining".
"""

import json
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, cast

import numpy as np
import pandas as pd
import torch
from scipy import stats
from torch import Tensor, nn

from companion.runs import Job

from ..ensembles import Member, train
from ..language.pretraining import LastPosition, pretrained, read_out
from ..language.scalings import add_identity_scalings, head_diagonals, library, scalars
from ..language.training import gpt2, perplexity, tokenised
from ..language.training import train as train_language_model
from ..tasks import task
from .training import Run

SPECIAL = ("bos_token_id", "eos_token_id", "pad_token_id", "unk_token_id")
SIZES = ("vocabulary", "length", "d_emb", "depth", "heads")


def numbers(values: Iterable[float]) -> str:
    """Returns numbers as one cell of a results file."""
    return " ".join(f"{value:.4g}" for value in values)


def parsed(cell: str) -> np.ndarray:
    """Returns the numbers of such a cell."""
    return np.array(cell.split(), dtype=np.float64)


def mean_by_head(rows: pd.DataFrame, column: str) -> np.ndarray:
    """Returns the mean over runs of a number per head, (layers, heads).

    Args:
        rows: of `PerplexityRun`, all of one size.
        column: a list with a number per head in the order of layers, such as "a_heads".
    Raises:
        ValueError: no rows, or runs of several sizes.
    """
    sizes = rows[["depth", "heads"]].drop_duplicates()
    if len(sizes) != 1:
        raise ValueError(f"rows of {len(sizes)} sizes; the mean over heads is of runs of one depth and heads")
    depth, heads = (int(size) for size in sizes.iloc[0])
    return np.mean([parsed(cell) for cell in rows[column]], axis=0).reshape(depth, heads)


@dataclass(frozen=True)
class PerplexityRun(Job):
    """One GPT-2 trained from scratch on a corpus, and its perplexity on text from other documents.

    Runs of one seed start from the same weights and see the same batches. `vocabulary` None stands for GPT-2's own
    tokenizer, from the hub. a, b, mask_diagonal, c_kq, c_vo: as in `add_identity_scalings`; None for its defaults.
    Metrics: perplexities; train_loss over the last tenth of the steps; the mean sizes of the scalars; wkwq_z and
    wvwo_z, the mean over heads of z of `head_diagonals` without the scalars, and its standard error (…_se); lists, a
    number a head in the order of layers (a_heads, b_heads, wkwq_heads, wvwo_heads); losses, the training loss in 20
    parts of the run; corpus_digest, which text it was.

    Source: section 5; the chapters "Perplexity" and "Heads that are already identities".
    """

    METRICS: ClassVar[dict[str, type]] = {
        "perplexity": float, "validation_perplexity": float, "train_loss": float, "a_size": float, "b_size": float,
        "wkwq_z": float, "wkwq_se": float, "wvwo_z": float, "wvwo_se": float,
        "a_heads": str, "b_heads": str, "wkwq_heads": str, "wvwo_heads": str, "losses": str, "corpus_digest": str}

    seed: int
    epochs: float
    corpus: str = "python"
    a: bool | None = None
    b: bool | None = None
    mask_diagonal: bool | None = None
    c_kq: float | None = None
    c_vo: float | None = None
    vocabulary: int | None = 2048
    length: int = 128
    d_emb: int = 128
    depth: int = 4
    heads: int = 4
    dropout: float = 0.0
    batch: int = 8
    lr: float = 1e-3

    def cost(self) -> float:
        """A rough relative cost: epochs times weights, and WikiText is six times as long."""
        size = self.depth * (self.d_emb / 128) ** 2 + self.d_emb / 64
        return self.epochs * size * (1 if self.corpus == "python" else 6)

    def model(self, vocabulary: int) -> nn.Module:
        """The network before training."""
        model = gpt2(vocabulary, self.length, d_emb=self.d_emb, depth=self.depth, heads=self.heads,
                     dropout=self.dropout, seed=self.seed)
        stated: dict[str, Any] = {"c_kq": self.c_kq, "mask_diagonal": bool(self.mask_diagonal)}
        stated |= {} if self.c_vo is None else {"c_vo": self.c_vo}
        return add_identity_scalings(model, bool(self.a), bool(self.b), **stated) if self.a or self.b else model

    def measure(self, device: str = "cpu") -> dict:
        """Returns the metrics."""
        return self.train(device)[0]

    def train(self, device: str = "cpu") -> tuple[dict, nn.Module]:
        """Returns the metrics, and the trained network."""
        source, vocabulary, rows = tokenised(self.corpus, self.vocabulary, self.length)
        model = self.model(vocabulary)
        with tempfile.TemporaryDirectory() as folder:
            losses = train_language_model(model, rows["train"], folder, epochs=self.epochs, batch=self.batch,
                                          lr=self.lr, seed=self.seed, device=device)
        none = torch.zeros(self.depth, self.heads)  # the scalars of a model that has none
        found = {"a": none, "b": none, **scalars(model)}
        products = head_diagonals(model, identity=False).groupby("product")["z"]
        metrics = {
            "perplexity": perplexity(model, rows["test"]),
            "validation_perplexity": perplexity(model, rows["validation"]),
            "train_loss": float(np.mean(losses[-max(1, len(losses) // 10):])),
            **{f"{name}_size": float(values.abs().mean()) for name, values in found.items()},
            **{f"{name}_heads": numbers(values.flatten()) for name, values in found.items()},
            **{f"{name}_z": float(z.mean()) for name, z in products},
            **{f"{name}_se": float(z.sem()) for name, z in products},
            **{f"{name}_heads": numbers(z) for name, z in products},
            "losses": numbers(np.mean(part) for part in np.array_split(losses, min(20, len(losses)))),
            "corpus_digest": source.digest,
        }
        return metrics, model


@dataclass(frozen=True)
class CostRun(Job):
    """What the scalars cost a training step of a GPT-2: time and memory as ratios to the plain model, in one run.

    time and memory are against the library's default attention ("sdpa"), time_eager and memory_eager against the one
    that computes the whole attention matrix, as the scalars need it. Memory is what a step keeps for its backward pass
    (on a GPU: the peak of all that is allocated). Medians of `steps` steps that take turns.

    Source: the chapter "Perplexity".
    """

    METRICS: ClassVar[dict[str, type]] = {"time": float, "time_eager": float, "memory": float, "memory_eager": float}

    seed: int
    length: int
    a: bool | None = None
    b: bool | None = None
    d_emb: int = 768
    depth: int = 1
    heads: int = 12
    batch: int = 1
    vocabulary: int = 2048
    steps: int = 5

    def cost(self) -> float:
        """A rough relative cost: positions."""
        return self.batch * self.length / 1024

    def measure(self, device: str) -> dict[str, float]:
        """The ratios."""
        stated: dict[str, Any] = {"d_emb": self.d_emb, "depth": self.depth, "heads": self.heads, "seed": self.seed}
        models = {"sdpa": gpt2(self.vocabulary, self.length, **stated),
                  "eager": gpt2(self.vocabulary, self.length, attention="eager", **stated),
                  "own": gpt2(self.vocabulary, self.length, **stated)}
        add_identity_scalings(models["own"], bool(self.a), bool(self.b))
        for name, parameter in models["own"].named_parameters():
            if "identity_scalings" in name:
                nn.init.constant_(parameter, 0.01)  # at 0 attention takes a shorter way
        generator = torch.Generator().manual_seed(self.seed)
        ids = torch.randint(self.vocabulary, (self.batch, self.length), generator=generator).to(device)
        steps = {name: _step(model.to(device).train(), ids) for name, model in models.items()}
        memory = {name: _kept(step, models[name], device) for name, step in steps.items()}
        seconds: dict[str, list[float]] = {name: [] for name in steps}
        for _ in range(self.steps):
            for name, step in steps.items():
                started = time.perf_counter()
                step()
                if device == "cuda":
                    torch.cuda.synchronize()
                seconds[name].append(time.perf_counter() - started)
        took = {name: float(np.median(each)) for name, each in seconds.items()}
        return {"time": took["own"] / took["sdpa"], "time_eager": took["own"] / took["eager"],
                "memory": memory["own"] / memory["sdpa"], "memory_eager": memory["own"] / memory["eager"]}


@dataclass(frozen=True)
class RandomHeadsRun(Job):
    """The scores of a GPT-2 with random weights: p_value is that of z being standard normal (Kolmogorov–Smirnov).

    Metrics too: mean and sd of z over all heads and both products.

    Source: the chapter "Heads that are already identities".
    """

    METRICS: ClassVar[dict[str, type]] = {"p_value": float, "mean": float, "sd": float}

    seed: int
    d_emb: int
    depth: int = 4
    heads: int = 4

    def measure(self, device: str = "cpu") -> dict[str, float]:
        """Returns the metrics, always computed on the CPU."""
        z = head_diagonals(gpt2(64, 8, d_emb=self.d_emb, depth=self.depth, heads=self.heads, seed=self.seed))["z"]
        return {"p_value": float(stats.kstest(z, "norm").pvalue), "mean": float(z.mean()), "sd": float(z.std())}


def _step(model: nn.Module, ids: Tensor) -> Callable[..., None]:
    """A training step of AdamW; `watch` surrounds its forward pass."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)

    def step(watch: Any = None) -> None:
        with watch or nullcontext():
            loss = model(ids, labels=ids, use_cache=False).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


def _kept(step: Callable[..., None], model: nn.Module, device: str) -> int:
    """Bytes that the first step keeps between its passes, weights aside; on a GPU the peak of the second step."""
    if device == "cuda":
        step()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        step()
        return torch.cuda.max_memory_allocated() - before
    weights, storages = {p.untyped_storage().data_ptr() for p in model.parameters()}, {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            storages[storage.data_ptr()] = storage.nbytes()
        return tensor

    step(torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor))
    return sum(storages.values())


@dataclass(frozen=True)
class TemplateRun(Job):
    """One language model trained on n strings of a task with real labels, tested on tokens that they do not contain.

    Its symbols are ordinary tokens of the model's vocabulary, drawn with the seed: n for training, `evaluation` each
    for validation and test, which have as many strings. The weights are random, unless `pretraining` says for how many
    epochs of the embedded corpus they are trained as a language model's before (see `pretrained`; runs of one seed
    start it from the same weights), or `checkpoint` names a model in GPT-2's format, of a hub or a folder. Sizes not
    stated are `PerplexityRun`'s. a, b, c_kq, c_vo: as in `add_identity_scalings`, added after pretraining; the rest
    is as in `runs.Run`.

    Metrics: those of `ensembles.Outcome`; mean and largest z over heads of `head_diagonals`, without the scalars,
    before and after the task; the mean sizes of the scalars; the test perplexity of the pretrained model and the
    corpus' digest (nan and none without such).

    Raises: ValueError for both pretraining and a checkpoint, or sizes of a checkpoint.
    Source: section 5; the chapter "Pretraining".
    """

    METRICS: ClassVar[dict[str, type]] = {
        **Run.METRICS,
        **{f"{product}_{which}_{when}": float for product in ("wkwq", "wvwo") for which in ("mean", "largest")
           for when in ("before", "after")},
        "a_size": float, "b_size": float, "pretrained_perplexity": float, "corpus_digest": str}

    task: str
    n: int
    seed: int
    pretraining: float = 0.0
    checkpoint: str | None = None
    a: bool | None = None
    b: bool | None = None
    c_kq: float | None = None
    c_vo: float | None = None
    lr: float = 1e-3
    batch: int = 1024
    epochs: int = 300
    stop: float = 2e-3
    evaluation: int = 256
    vocabulary: int | None = None
    length: int | None = None
    d_emb: int | None = None
    depth: int | None = None
    heads: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        stated = [name for name in ("pretraining", *SIZES) if getattr(self, name)]
        if self.checkpoint and stated:
            raise ValueError(f"{stated[0]}={getattr(self, stated[0])}: the checkpoint {self.checkpoint!r} decides; "
                             "state one of the two")

    def cost(self) -> float:
        """A rough relative cost: tokens in an epoch, evaluation counted in, times weights."""
        size = 100.0 if self.checkpoint else ((self.d_emb or 128) / 128) ** 2 * (self.depth or 4) / 4
        return (self.n + self.evaluation / 3) * size * task(self.task).length / 2

    def language_model(self) -> PerplexityRun:
        """The run that pretrains; without pretraining, its network at the start is this one's."""
        sizes = {name: getattr(self, name) for name in SIZES if getattr(self, name) is not None}
        return PerplexityRun(seed=self.seed, epochs=self.pretraining, **sizes)

    def model(self, device: str = "cpu") -> tuple[nn.Module, dict]:
        """The network before the task, and the metrics of its pretraining."""
        found = {"perplexity": float("nan"), "corpus_digest": "none"}
        source, transformers = self.language_model(), library()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            if self.checkpoint or self.pretraining:
                folder = self.checkpoint or pretrained(source, device)
                torch.manual_seed(self.seed)  # pretraining may have happened, or not
                model = read_out(folder)
                if self.pretraining:
                    found = json.loads(Path(folder, "metrics.json").read_text())
            else:
                plain = source.model(cast(int, source.vocabulary))  # a number: only GPT-2 itself has none
                plain.config.num_labels = 1
                model = transformers.GPT2ForSequenceClassification(plain.config)
                model.transformer = plain.transformer
        model.config.pad_token_id = -1  # strings have one length: the last position is the one that is read
        if self.a or self.b:
            stated: dict[str, Any] = {} if self.c_vo is None else {"c_vo": self.c_vo}
            add_identity_scalings(model, bool(self.a), bool(self.b), c_kq=self.c_kq, **stated)
        return model, found

    def member(self, model: nn.Module) -> Member:
        """The network with its samples, drawn with the run's seed.

        Raises: ValueError for a task with symbolic labels, or when the vocabulary has too few tokens.
        """
        t = task(self.task, self.seed)
        if t.symbolic:
            raise ValueError(f"task {self.task!r} has symbolic labels; the read-out gives numbers, use a task with "
                             "real labels such as 'same-different'")
        named = [getattr(model.config, name, None) for name in SPECIAL]
        special = np.hstack([ids for ids in named if ids is not None])
        ordinary = np.setdiff1d(np.arange(model.config.vocab_size), special)
        order = torch.from_numpy(np.random.default_rng((self.seed, 3)).permutation(ordinary))
        alphabets = t.alphabets(self.n, self.evaluation, self.evaluation)
        if alphabets[-1].stop > len(order):
            raise ValueError(f"n={self.n}: {alphabets[-1].stop} symbols (n, and {self.evaluation} each for validation "
                             f"and test) are more than the {len(order)} tokens of the model's vocabulary; use a "
                             "smaller n or evaluation, or a larger vocabulary")
        samples = [t.sample(size, alphabet, seed=(self.seed, part)) for part, (size, alphabet)
                   in enumerate(zip((self.n, self.evaluation, self.evaluation), alphabets, strict=True))]
        samples = [replace(sample, tokens=order[sample.tokens]) for sample in samples]
        training, validation, test = samples
        return Member(LastPosition(model), training, validation, test, lr=self.lr, seed=self.seed)

    def measure(self, device: str) -> dict:
        """The metrics."""
        model, found = self.model(device)
        member = self.member(model)
        before = _diagonals(model, "before")
        with torch.random.fork_rng():
            torch.manual_seed(self.seed)  # of dropout
            (outcome,) = train([member], batch=self.batch, epochs=self.epochs, stop=self.stop, device=device)
        sizes = {name: float(values.abs().mean()) for name, values in scalars(model).items()}
        return {name: getattr(outcome, name) for name in Run.METRICS} | before | _diagonals(model, "after") | {
            "a_size": sizes.get("a", 0.0), "b_size": sizes.get("b", 0.0),
            "pretrained_perplexity": found["perplexity"], "corpus_digest": found["corpus_digest"]}


def _diagonals(model: nn.Module, when: str) -> dict[str, float]:
    """Mean and largest z of a model's heads, without its scalars."""
    products = head_diagonals(model, identity=False).groupby("product")["z"]
    return {f"{product}_{which}_{when}": float(value) for product, z in products
            for which, value in (("mean", z.mean()), ("largest", z.max()))}
