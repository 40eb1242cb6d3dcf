"""Training a small GPT-2: it can be resumed, its seeds decide, and a step takes one batch on any number of GPUs."""

import numpy as np
import pandas as pd
import pytest
import torch
from language_models import IDS, ROWS, gpt2, modified

transformers = pytest.importorskip("transformers", reason="the extra 'language' is not installed")

from abstract_symbols.language import (  # noqa: E402
    add_identity_scalings,
    load_identity_scalings,
    perplexity,
    scalars,
    train,
)
from abstract_symbols.language.training import gpt2 as train_gpt2  # noqa: E402

pytestmark = pytest.mark.slow


def fresh(dropout=0.1):
    return add_identity_scalings(gpt2(dropout=dropout))


def test_a_resumed_training_gives_what_an_unbroken_one_gives(tmp_path):
    stated = {"batch": 8, "lr": 1e-2, "seed": 3, "save_steps": 4, "device": "cpu"}
    unbroken, broken, resumed = fresh(), fresh(), fresh()
    whole = train(unbroken, ROWS, tmp_path / "whole", epochs=2, **stated)
    first = train(broken, ROWS, tmp_path / "parts", epochs=2, **stated, max_steps=6)
    assert len(first) == 6 and len(whole) == 10
    second = train(resumed, ROWS, tmp_path / "parts", epochs=2, **stated)
    assert whole == second and first == whole[:6]
    for (name, expected), p in zip(unbroken.named_parameters(), resumed.parameters(), strict=True):
        assert torch.equal(p, expected), name
    curve = pd.read_csv(tmp_path / "parts" / "losses.csv")
    assert curve["step"].tolist() == list(range(1, 11)) and curve["loss"].tolist() == whole
    checkpoint = load_identity_scalings(tmp_path / "parts" / "checkpoint-10").eval()
    assert torch.equal(checkpoint(IDS[:, :8]).logits, unbroken.eval()(IDS[:, :8]).logits)


def test_training_moves_the_scalars_and_lowers_the_loss(tmp_path):
    model = fresh(dropout=0.0)
    losses = train(model, ROWS, tmp_path, epochs=8, batch=8, lr=1e-2, device="cpu")
    assert np.mean(losses[-5:]) < np.mean(losses[:5]) - 0.2
    assert all(values.shape == (2, 4) and (values != 0).all() for values in scalars(model).values())
    with pytest.raises(ValueError, match="40 rows.*batch of 64"):
        train(model, ROWS, tmp_path, epochs=1, batch=64, lr=1e-2)


@pytest.mark.parametrize("device", ["gpu", "cuda:1", None, 0])
def test_a_device_that_is_none_is_refused(device, tmp_path):
    with pytest.raises(ValueError, match=f"unknown device {device!r}; known are auto, cpu, cuda"):
        train(gpt2(), ROWS, tmp_path, epochs=1, batch=8, lr=1e-2, device=device)


def test_a_gpu_that_is_not_there_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="sees no GPU"):
        train(gpt2(), ROWS, tmp_path, epochs=1, batch=8, lr=1e-2, device="cuda")


@pytest.mark.parametrize("gpus", [0, 1, 3])
@pytest.mark.parametrize(("processes", "batch", "each"), [(1, 8, 8), (2, 8, 4), (4, 8, 2), (3, 8, None)])
def test_a_step_takes_one_batch_on_any_number_of_gpus(gpus, processes, batch, each, tmp_path, monkeypatch):
    """In one process only one GPU is used; several processes share the batch."""
    arguments, set_up = [], transformers.TrainingArguments.__post_init__

    def set_up_with_gpus(self):
        set_up(self)
        assert self.n_gpu == 0
        self._n_gpu = gpus

    def watched(self, **given):
        arguments.append(given["args"])
        raise InterruptedError

    monkeypatch.setattr(transformers.Trainer, "__init__", watched)
    monkeypatch.setattr(transformers.TrainingArguments, "world_size", processes)
    monkeypatch.setattr(transformers.TrainingArguments, "__post_init__", set_up_with_gpus)
    stated = {"epochs": 1, "batch": batch, "lr": 1e-2, "device": "cpu"}
    if each is None:
        with pytest.raises(ValueError, match="batch=8: must be a multiple of the 3 processes"):
            train(gpt2(), ROWS, tmp_path, **stated)
        return
    with pytest.raises(InterruptedError):
        train(gpt2(), ROWS, tmp_path, **stated)
    assert (arguments[0].train_batch_size, arguments[0].n_gpu) == (each, min(gpus, 1))


def test_seeds_decide_the_batches(tmp_path):
    def losses(seed, at):
        return train(gpt2(), ROWS, tmp_path / at, epochs=1, batch=8, lr=1e-2, seed=seed, device="cpu")

    assert losses(0, "a") == losses(0, "b") != losses(1, "c")


def test_perplexity_is_that_of_the_models_loss():
    model = modified()
    with torch.no_grad():
        loss = float(model(ROWS, labels=ROWS).loss)
    assert perplexity(model, ROWS, batch=7) == pytest.approx(np.exp(loss), rel=1e-5)
    assert perplexity(model, ROWS[:8]) != pytest.approx(np.exp(loss), rel=1e-3)


def test_sizes_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="multiple of heads"):
        train_gpt2(10, 8, d_emb=10, depth=1, heads=4)
    for heads in (0, -2, 2.0, None):
        with pytest.raises(ValueError, match=f"heads={heads}: .*1 or more"):
            train_gpt2(10, 8, d_emb=10, depth=1, heads=heads)
