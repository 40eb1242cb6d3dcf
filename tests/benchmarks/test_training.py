"""The benchmark of training: what its rows say; not how fast anything is."""

from functools import partial

import joblib
import pytest
import torch

from abstract_symbols.runs.training import Run
from benchmarks import training


def test_trainings_rows_compare_both_sides(monkeypatch):
    small = partial(Run, d_emb=8, heads=2, d_head=4, d_mlp=8)
    monkeypatch.setattr(training, "Run", small)
    monkeypatch.setattr(training, "SIZES", (512,))
    monkeypatch.setattr(training, "matmul_peak", lambda device: 1e9)
    with joblib.parallel_config(backend="threading"):
        (row,) = training.measure("cpu", members=2, repetitions=1)
    assert (row["n"], row["members"], row["repetitions"], row["peak_memory_gb"]) == (512, 2, 1, None)
    assert row["ratio"] == pytest.approx(row["ensemble_steps_per_s"] / row["loop_steps_per_s"], rel=0.02)
    flops = training.step_flops(small("same-different", "transformer", 512, 0))
    assert row["peak_share"] == pytest.approx(row["ensemble_steps_per_s"] * flops / 1e9, abs=1e-3)


def test_on_a_gpu_the_networks_are_built_once(monkeypatch):
    built, steps = [], []

    class Counting(training.Ensemble):
        def __init__(self, members, optimizer, device):
            built.append(device)
            super().__init__(members, optimizer, "cpu")

        def epoch(self, batch):
            steps.append(batch)
            return super().epoch(batch)

    monkeypatch.setattr(training, "Ensemble", Counting)
    monkeypatch.setattr(training, "ensemble_size", lambda *_: 2)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: None)
    runs = [Run("same-different", "transformer", n=4, seed=seed, d_emb=8, heads=2, d_head=4, d_mlp=8, evaluation=8)
            for seed in range(3)]
    sweep = training.sweep_seconds(runs, 5, "cuda")
    assert sweep() > 0 and sweep() > 0
    assert built == ["cuda", "cuda"] and len(steps) == 2 * (1 + 5 + 5)


def test_a_steps_arithmetic_is_six_operations_a_weight_and_position():
    attention, mlp = 4 * 128 * 16 * 64, 2 * 128 * 256 + 128 + 256
    assert training.step_flops(Run("same-different", "transformer", n=10, seed=0)) == 6 * 2 * (attention + mlp) * 10 * 3


def test_the_textbook_network_gives_the_same_outputs():
    run = Run("same-different", "transformer", n=8, seed=0, d_emb=8, heads=2, d_head=4, d_mlp=8)
    member, plain = run.member(), training.Textbook(run.member().network)
    torch.testing.assert_close(plain(member.train.tokens), member.network(member.train.tokens), rtol=1e-5, atol=1e-5)


def test_no_networks_at_all_are_refused():
    with pytest.raises(ValueError, match="members=0: must be at least 1"):
        training.measure("cpu", members=0)
