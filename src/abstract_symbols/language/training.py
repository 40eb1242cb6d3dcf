"""Training a small GPT-2 from scratch with transformers' Trainer, plain or with identity parameters.

`train` is the Trainer with seeds, a logged loss curve and checkpoints, so it runs on several GPUs as it is (`torchrun`
or `accelerate launch` a script that calls it): a process has one of them, and its part of every batch. `PerplexityRun`
and `CostRun` are kinds of runs like any other.
Source: section 5, where GPT-2 small is trained on WikiText; the chapter "Perplexity".
"""

import csv
import math
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from scipy import stats
from torch import Tensor, nn
from torch.nn import functional as F

from ..runs import Job, pick_device
from ..templates import whole
from .corpus import Corpus, blocks, corpus, tokenizer
from .scalings import add_identity_scalings, head_diagonals, library, scalars


def gpt2(vocabulary: int, length: int, *, d_emb: int, depth: int, heads: int, dropout: float = 0.0, seed: int = 0,
         attention: str = "sdpa") -> nn.Module:
    """A GPT-2 with random weights, drawn with the seed.

    Raises: ValueError unless the sizes are whole numbers, 1 or more, and the heads divide d_emb.
    """
    sizes = {"vocabulary": vocabulary, "length": length, "d_emb": d_emb, "depth": depth, "heads": heads}
    for name, size in sizes.items():
        whole(name, size, 1)
    if d_emb % heads:
        raise ValueError(f"d_emb={d_emb}: must be a multiple of heads={heads}")
    transformers = library()
    config = transformers.GPT2Config(
        vocab_size=vocabulary, n_positions=length, n_embd=d_emb, n_layer=depth, n_head=heads, embd_pdrop=dropout,
        attn_pdrop=dropout, resid_pdrop=dropout, bos_token_id=0, eos_token_id=0, attn_implementation=attention)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = transformers.GPT2LMHeadModel(config)
    model.loss_type = "ForCausalLM"  # the library's default, which it warns of unless stated
    return model


class Rows(torch.utils.data.Dataset):
    """Rows of token ids (rows, length) as the Trainer wants them: each predicts its own next tokens."""

    def __init__(self, ids: Tensor):
        self.ids = ids

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, i: int) -> dict[str, Tensor]:
        return {"input_ids": self.ids[i], "labels": self.ids[i]}


def train(model: nn.Module, rows: Tensor, folder: str | Path, *, epochs: float, batch: int, lr: float, seed: int = 0,
          save_steps: int | None = None, device: str = "auto", **options) -> list[float]:
    """Train a causal language model on rows of token ids (rows, length), in place; the loss of every step.

    AdamW at a constant learning rate without weight decay, gradients clipped at norm 1. The loss curve is written to
    `folder`/losses.csv. With save_steps, checkpoints go to `folder`, and a later call continues from the last of them:
    it gives what an unbroken run would have given.

    Args: batch, rows a step, of all processes together; device, "cpu", "cuda" or "auto", one for each process; options,
    more of transformers' TrainingArguments, such as bf16=True or activation_checkpointing=True (which recomputes
    activations to save memory).
    Raises: ValueError for fewer rows than a batch, a batch that the processes do not divide, an unknown device, or a
    GPU that is not there.
    """
    pick_device(device)
    if len(rows) < whole("batch", batch, 1):
        raise ValueError(f"{len(rows)} rows of text are fewer than a batch of {batch}; use a smaller batch, more text")
    transformers = library()
    library("accelerate")
    from transformers.trainer_utils import get_last_checkpoint

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    arguments = transformers.TrainingArguments(**{
        "output_dir": str(folder), "num_train_epochs": epochs, "per_device_train_batch_size": batch,
        "learning_rate": lr, "lr_scheduler_type": "constant", "seed": seed, "dataloader_drop_last": True,
        "logging_steps": 1, "report_to": "none", "disable_tqdm": True, "use_cpu": device == "cpu",
        "save_strategy": "steps" if save_steps else "no", "save_steps": save_steps or 500, "save_total_limit": 2,
        "dataloader_pin_memory": device != "cpu" and torch.cuda.is_available(), **options})
    _share(arguments, batch)
    trainer = transformers.Trainer(model=model, args=arguments, train_dataset=Rows(rows))
    trainer.remove_callback(transformers.PrinterCallback)
    trainer.train(resume_from_checkpoint=get_last_checkpoint(str(folder)))
    curve = [(entry["step"], entry["loss"]) for entry in trainer.state.log_history if "loss" in entry]
    if trainer.is_world_process_zero():
        with (folder / "losses.csv").open("w", newline="") as file:
            csv.writer(file).writerows([("step", "loss"), *curve])
    return [loss for _, loss in curve]


def _share(arguments, batch: int) -> None:
    """Give every process one device and its part of a batch, whatever the machine has.

    The Trainer would give each of a process's GPUs (by DataParallel) and each process a whole batch.
    """
    arguments._n_gpu = min(arguments.n_gpu, 1)
    if batch % arguments.world_size:
        raise ValueError(f"batch={batch}: must be a multiple of the {arguments.world_size} processes, which share it")
    arguments.per_device_train_batch_size = batch // arguments.world_size


@torch.no_grad()
def perplexity(model: nn.Module, rows: Tensor, batch: int = 16) -> float:
    """exp of the mean loss a token, over all but the first of each of the rows (rows, length)."""
    model.eval()
    device = next(model.parameters()).device
    total = 0.0
    for some in rows.split(batch):
        logits = model(some.to(device), use_cache=False).logits[:, :-1].float()  # (batch, length − 1, vocabulary)
        total += float(F.cross_entropy(logits.flatten(0, 1), some[:, 1:].flatten().to(device), reduction="sum"))
    return math.exp(total / rows[:, 1:].numel())


@cache
def _text(name: str, vocabulary: int | None, length: int) -> tuple[Corpus, int, dict[str, Tensor]]:
    """A corpus, the size of its vocabulary and its parts as rows of token ids; no vocabulary stands for GPT-2's own."""
    source = corpus(name)
    tokens = tokenizer(source, vocabulary) if vocabulary else library().AutoTokenizer.from_pretrained(
        "openai-community/gpt2")
    return source, len(tokens), {part: blocks(texts.values(), tokens, length)
                                 for part, texts in source.documents.items()}


def numbers(values) -> str:
    """Numbers as one cell of a results file."""
    return " ".join(f"{value:.4g}" for value in values)


def parsed(cell: str) -> np.ndarray:
    """The numbers of such a cell."""
    return np.array(cell.split(), dtype=np.float64)


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
        stated = {"c_kq": self.c_kq, "mask_diagonal": bool(self.mask_diagonal)}
        stated |= {} if self.c_vo is None else {"c_vo": self.c_vo}
        return add_identity_scalings(model, bool(self.a), bool(self.b), **stated) if self.a or self.b else model

    def measure(self, device: str = "cpu") -> tuple[dict, nn.Module]:
        """The metrics, and the trained network."""
        source, vocabulary, rows = _text(self.corpus, self.vocabulary, self.length)
        model = self.model(vocabulary)
        with tempfile.TemporaryDirectory() as folder:
            losses = train(model, rows["train"], folder, epochs=self.epochs, batch=self.batch, lr=self.lr,
                           seed=self.seed, device=device)
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

    @classmethod
    def perform(cls, runs: "list[PerplexityRun]", device: str) -> list[dict]:
        """Train and measure each."""
        return [run.measure(device)[0] for run in runs]


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

    @classmethod
    def perform(cls, runs: "list[CostRun]", device: str) -> list[dict[str, float]]:
        """Measure each."""
        return [run.measure(device) for run in runs]

    def measure(self, device: str) -> dict[str, float]:
        """The ratios."""
        stated = {"d_emb": self.d_emb, "depth": self.depth, "heads": self.heads, "seed": self.seed}
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
        seconds = {name: [] for name in steps}
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

    @classmethod
    def perform(cls, runs: "list[RandomHeadsRun]", device: str) -> list[dict[str, float]]:
        """Measure each."""
        return [run.measure() for run in runs]

    def measure(self) -> dict[str, float]:
        """The metrics."""
        z = head_diagonals(gpt2(64, 8, d_emb=self.d_emb, depth=self.depth, heads=self.heads, seed=self.seed))["z"]
        return {"p_value": float(stats.kstest(z, "norm").pvalue), "mean": float(z.mean()), "sd": float(z.std())}


def _step(model: nn.Module, ids: Tensor) -> Callable[..., None]:
    """A training step of AdamW; `watch` surrounds its forward pass."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)

    def step(watch=None) -> None:
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
