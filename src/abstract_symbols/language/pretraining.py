"""Template tasks for language models: does pretraining on text make one solve them from fewer strings?

`TemplateRun` trains a GPT-2 with a linear read-out on a template task, as `runs.Run` does with a transformer: from
random weights, from those that training on a corpus left behind, or from a checkpoint of a hub.
Source: section 5, pretrained GPT-2; the chapter "Pretraining".
"""

import fcntl
import json
import os
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from ..ensembles import Member, train
from ..runs import Job, Run
from ..tasks import task
from .scalings import add_identity_scalings, head_diagonals, library, scalars
from .training import PerplexityRun, _text

SPECIAL = ("bos_token_id", "eos_token_id", "pad_token_id", "unk_token_id")
SIZES = ("vocabulary", "length", "d_emb", "depth", "heads")


def pretrained(run: PerplexityRun, device: str = "cpu", folder: Path | None = None) -> Path:
    """Where the language model that a run trains is kept, as `save_pretrained` writes it, with its metrics.json.

    It is trained by the first call and kept in the folder (_build/pretrained unless given), under the run's key and
    its corpus' digest. Other processes wait for it; one that is stopped leaves nothing behind that they would read.
    """
    if folder is None:
        from ..experiments import BOOK

        folder = BOOK.parent / "_build" / "pretrained"
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / f"{run.key}-{_text(run.corpus, run.vocabulary, run.length)[0].digest}"
    with (folder / f"{kept.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            metrics, model = run.measure(device)
            with tempfile.TemporaryDirectory(dir=folder) as unfinished:
                whole = Path(unfinished) / "model"
                model.save_pretrained(whole)
                (whole / "metrics.json").write_text(json.dumps(metrics))
                os.rename(whole, kept)
    return kept


def read_out(checkpoint: str | Path) -> nn.Module:
    """A language model of a hub or a folder with the library's read-out of one number, of random weights, instead of
    its logits. Only its numbers are read, no tokenizer.

    Raises: ValueError when there is no such folder and no hub answers.
    """
    transformers = library()
    with _quiet():  # the read-out's weights are new, as they should be
        try:
            return transformers.AutoModelForSequenceClassification.from_pretrained(
                str(checkpoint), num_labels=1, problem_type="regression", dtype=torch.float32)
        except (OSError, ValueError) as error:
            raise ValueError(f"checkpoint {str(checkpoint)!r}: no folder of a language model, and no hub that has it "
                             f"can be reached ({type(error).__name__}). Go online and unset HF_HUB_OFFLINE, or give a "
                             "folder that save_pretrained wrote") from error


@contextmanager
def _quiet():
    """Without the library's report on weights and its progress bars."""
    logging = library().utils.logging
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


class LastPosition(nn.Module):
    """A model with such a read-out as `ensembles.train` wants it: token ids (n, k) to numbers (n,)."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    def forward(self, tokens: Tensor) -> Tensor:
        self.model.train(torch.is_grad_enabled())  # a checkpoint's own dropout, if any, in training steps alone
        return self.model(tokens, use_cache=False).logits[:, 0]


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

    def __post_init__(self):
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
                    found = json.loads((folder / "metrics.json").read_text())
            else:
                plain = source.model(source.vocabulary)
                plain.config.num_labels = 1
                model = transformers.GPT2ForSequenceClassification(plain.config)
                model.transformer = plain.transformer
        model.config.pad_token_id = -1  # strings have one length: the last position is the one that is read
        if self.a or self.b:
            stated = {} if self.c_vo is None else {"c_vo": self.c_vo}
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
        return Member(LastPosition(model), *samples, lr=self.lr, seed=self.seed)

    @classmethod
    def perform(cls, runs: "list[TemplateRun]", device: str) -> list[dict]:
        """Train and measure each."""
        return [run.measure(device) for run in runs]

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
