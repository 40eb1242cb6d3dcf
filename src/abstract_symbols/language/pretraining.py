"""Language models that were trained before: kept on disk, read from a folder or a hub, and given a read-out.

Source: section 5, pretrained GPT-2; the chapter "Pretraining".
"""

import fcntl
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor, nn

from companion import paths

from .scalings import library
from .training import tokenised


class Pretraining(Protocol):
    """A run that trains a language model, such as `runs.language.PerplexityRun`."""

    @property
    def key(self) -> str:
        """What tells it from other runs."""

    @property
    def corpus(self) -> str:
        """The text: a name that `corpus` knows."""

    @property
    def vocabulary(self) -> int | None:
        """Tokens of the tokenizer, None for GPT-2's own."""

    @property
    def length(self) -> int:
        """Tokens in a row of text."""

    def train(self, device: str) -> tuple[dict, nn.Module]:
        """Returns its metrics, and the trained model."""


def pretrained(run: Pretraining, device: str = "cpu") -> Path:
    """Returns where the language model that a run trains is kept, as `save_pretrained` writes it, with metrics.json.

    It is trained by the first call and kept in _build/pretrained, under the run's key and its corpus' digest. Other
    processes wait for it; one that is stopped leaves nothing behind that they would read.
    """
    folder = paths.build() / "pretrained"
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / f"{run.key}-{tokenised(run.corpus, run.vocabulary, run.length)[0].digest}"
    with (folder / f"{kept.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            metrics, model = run.train(device)
            with tempfile.TemporaryDirectory(dir=folder) as unfinished:
                whole = Path(unfinished) / "model"
                model.save_pretrained(whole)
                (whole / "metrics.json").write_text(json.dumps(metrics))
                os.rename(whole, kept)
    return kept


def read_out(checkpoint: str | Path) -> nn.Module:
    """Returns a language model of a hub or a folder whose logits are replaced by a read-out of one number.

    The read-out is the library's, of random weights. Only the model's numbers are read, no tokenizer.

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
def _quiet() -> Iterator[None]:
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

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, tokens: Tensor) -> Tensor:
        """Token ids (n, k) to predictions (n,)."""
        self.model.train(torch.is_grad_enabled())  # a checkpoint's own dropout, if any, in training steps alone
        return self.model(tokens, use_cache=False).logits[:, 0]
