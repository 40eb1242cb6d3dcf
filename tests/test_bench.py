"""Benchmarks: what their rows say, how they are written down and shown; not how fast anything is."""

import mmap
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import joblib
import pytest
import torch

from abstract_symbols import bench
from abstract_symbols.__main__ import main
from abstract_symbols.experiments import Run


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A book of its own, in which no benchmark has been run."""
    monkeypatch.setattr(bench, "BOOK", tmp_path)
    monkeypatch.setenv("ABSTRACT_SYMBOLS_COMMIT", "tested")
    return tmp_path / "results"


@pytest.fixture
def rows(monkeypatch):
    """The kernel's benchmark on tiny samples, one task and one process."""
    monkeypatch.setattr(bench, "PAPER_TASKS", ["same-different"])
    monkeypatch.setattr(bench, "ProcessPoolExecutor", lambda workers, context: ThreadPoolExecutor(workers))
    return bench.kernel(repetitions=1, betas=(0.5,), sizes=(60,), dense=50)


def test_the_kernels_rows_say_what_was_measured_on_how_much_and_how_well(rows):
    attention, ridge, dense = rows
    assert all(list(row) == [*bench.HEADERS["kernel"], "repetitions"] for row in rows)
    assert all(row["seconds"] > 0 and row["repetitions"] == 1 for row in rows)
    assert "β = 0.5" in attention["what"] and "of 3 pairs" in attention["what"]
    assert 0 < attention["relative_error"] < 1e-5
    assert (ridge["n"], dense["n"]) == (60, 50) and ridge["iterations"] > 0
    assert dense["ratio"] == pytest.approx(dense["dense_seconds"] / dense["seconds"], abs=1 + 0.006 / dense["seconds"])
    assert [row["ratio"] for row in (attention, ridge)] == [None, None]


def test_memory_is_that_of_sample_and_fit(monkeypatch):
    sizes = iter([300 * 2**20, 500 * 2**20])
    monkeypatch.setattr(bench, "_status", lambda field: next(sizes))
    assert bench.fit_memory(20) == 200 * 2**20
    monkeypatch.setattr(bench, "_status", lambda field: None)
    assert bench.fit_memory(20) is None


def test_the_systems_count_of_memory_knows_of_an_array():
    before = bench._status("VmRSS")
    if before is None:
        pytest.skip("this system does not tell")
    with mmap.mmap(-1, size := 2**27) as pages:  # not torch.ones: it may get memory that the process holds already
        pages[::mmap.PAGESIZE] = bytes(size // mmap.PAGESIZE)  # memory counts from its first touch
        assert 0.9 < (bench._status("VmRSS") - before) / size < 1.5
    assert bench._status("VmHWM") >= bench._status("VmRSS") - 2**20
    assert bench._status("no such field") is None


def test_trainings_rows_compare_both_sides(monkeypatch):
    small = partial(Run, d_emb=8, heads=2, d_head=4, d_mlp=8)
    monkeypatch.setattr(bench, "Run", small)
    monkeypatch.setattr(bench, "SIZES", (512,))
    monkeypatch.setattr(bench, "matmul_peak", lambda device: 1e9)
    with joblib.parallel_config(backend="threading"):
        (row,) = bench.training("cpu", members=2, repetitions=1)
    assert set(bench.HEADERS["training"]) <= set(row) and (row["n"], row["members"]) == (512, 2)
    assert row["ratio"] == pytest.approx(row["ensemble_steps_per_s"] / row["loop_steps_per_s"], rel=0.02)
    assert row["peak_share"] == pytest.approx(
        row["ensemble_steps_per_s"] * bench.step_flops(small("same-different", "transformer", 512, 0)) / 1e9, abs=1e-3)


def test_on_a_gpu_the_networks_are_built_once(monkeypatch):
    built, steps = [], []

    class Counting(bench.Ensemble):
        def __init__(self, members, optimizer, device):
            built.append(device)
            super().__init__(members, optimizer, "cpu")

        def epoch(self, batch):
            steps.append(batch)
            return super().epoch(batch)

    monkeypatch.setattr(bench, "Ensemble", Counting)
    monkeypatch.setattr(bench, "ensemble_size", lambda *_: 2)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: None)
    runs = [Run("same-different", "transformer", n=4, seed=seed, d_emb=8, heads=2, d_head=4, d_mlp=8, evaluation=8)
            for seed in range(3)]
    sweep = bench._sweep(runs, 5, "cuda")
    assert sweep() > 0 and sweep() > 0
    assert built == ["cuda", "cuda"] and len(steps) == 2 * (1 + 5 + 5)


def test_a_steps_arithmetic_is_six_operations_a_weight_and_position():
    attention, mlp = 4 * 128 * 16 * 64, 2 * 128 * 256 + 128 + 256
    assert bench.step_flops(Run("same-different", "transformer", n=10, seed=0)) == 6 * 2 * (attention + mlp) * 10 * 3


def test_the_textbook_network_gives_the_same_outputs():
    run = Run("same-different", "transformer", n=8, seed=0, d_emb=8, heads=2, d_head=4, d_mlp=8)
    member, plain = run.member(), bench.Textbook(run.member().network)
    torch.testing.assert_close(plain(member.train.tokens), member.network(member.train.tokens), rtol=1e-5, atol=1e-5)


# ---- results -----------------------------------------------------------------------------------------------------

MEASURED = [
    {**dict.fromkeys(bench.HEADERS["kernel"]), "what": "K_attn", "seconds": 0.123456, "relative_error": 2.4e-7},
    {**dict.fromkeys(bench.HEADERS["kernel"]), "what": "ridge", "n": 10**6, "seconds": 2.0, "iterations": 15},
]


def test_a_file_is_written_with_its_machine_and_shown_in_words(folder):
    path = bench.write("kernel-cpu", MEASURED, "cpu")
    assert path == folder / "bench-kernel-cpu.csv" and bench.files("kernel") == [path] and bench.files("training") == []
    header, *lines = path.read_text(encoding="utf-8").splitlines()
    assert header.split(",") == [*bench.HEADERS["kernel"], *bench.machine("cpu")]
    assert lines[0].startswith("K_attn,,0.123456,2.4e-07,") and lines[1].endswith(",tested")
    shown = bench.table(path)
    assert list(shown) == ["", "n", "seconds", "relative error", "iterations"]
    assert shown.to_numpy().tolist() == [["K_attn", "–", "0.123", "2.4e-07", "–"],
                                         ["ridge", "1,000,000", "2", "–", "15"]]


def test_a_second_measurement_replaces_the_first(folder):
    bench.write("kernel-cpu", MEASURED, "cpu")
    assert len(bench.table(bench.write("kernel-cpu", MEASURED[1:], "cpu"))) == 1


@pytest.mark.parametrize("path", bench.files("kernel") + bench.files("training"), ids=lambda path: path.stem)
def test_committed_measurements_can_be_shown(path):
    shown = bench.table(path)
    assert len(shown) > 1 and "seconds" in shown or "ratio" in shown
    assert not shown.map(lambda cell: cell in ("nan", "")).to_numpy().any()


@pytest.mark.parametrize(("arguments", "kinds"), [
    (["bench"], ["training", "kernel"]), (["bench", "kernel"], ["kernel"]), (["bench", "training"], ["training"]),
])
def test_the_command_measures_one_kind_or_both_and_writes_each_down(arguments, kinds, folder, monkeypatch, capsys):
    row = {**dict.fromkeys(bench.HEADERS["training"]), "n": 4, "ratio": 2.5}
    monkeypatch.setattr(bench, "training", lambda device, members: [row])
    monkeypatch.setattr(bench, "kernel", lambda device: MEASURED)
    assert main([*arguments, "--device", "cpu"]) == 0
    assert sorted(p.name for p in folder.iterdir()) == sorted(f"bench-{kind}-cpu.csv" for kind in kinds)
    out = capsys.readouterr().out
    assert ("ratio=2.5" in out) == ("training" in kinds) and ("what=ridge" in out) == ("kernel" in kinds)
    assert "None" not in out


def test_an_unknown_kind_gets_the_usage(capsys):
    with pytest.raises(SystemExit):
        main(["bench", "kernels"])
    assert "training" in capsys.readouterr().err
