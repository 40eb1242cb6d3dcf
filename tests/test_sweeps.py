"""Sweeps beyond one process: a Dask cluster of real workers, one of which is killed; and memory that runs out."""

import os
import signal
import threading
import time

import pytest
import torch

from abstract_symbols import ensembles, experiments
from abstract_symbols.experiments import EXPERIMENTS, Experiment, Run, read_rows, run

SMALL = {"network": "transformer", "d_emb": 8, "heads": 2, "d_head": 4, "d_mlp": 8}


def without_circumstances(rows):
    return {r["key"]: {k: v for k, v in r.items() if k != "seconds"} for r in rows}


@pytest.fixture
def spread(monkeypatch):
    """An experiment of twelve runs, one a unit of work, each long enough to be interrupted."""
    e = Experiment(
        name="spread", title="Twelve runs", series={"Transformer": {}}, grid={"n": (8, 16, 24, 32)}, seeds=3,
        base={"task": "same-different", **SMALL, "evaluation": 50, "epochs": 60, "stop": 0.0},
    )
    monkeypatch.setitem(EXPERIMENTS, "spread", e)
    monkeypatch.setattr(ensembles, "CPU_BYTES", 1)
    monkeypatch.setenv("ABSTRACT_SYMBOLS_COMMIT", "tested")
    return e


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # Dask warns of the worker that is killed
def test_a_killed_dask_worker_loses_nothing_and_doubles_nothing(spread, tmp_path):
    distributed = pytest.importorskip("distributed")
    path = spread.path(tmp_path)
    killed = []
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": None}
    with distributed.LocalCluster(**options) as cluster:

        def kill():
            while not (path.exists() and path.read_text().count("\n") > 3):
                time.sleep(0.02)
            process = next(iter(cluster.workers.values())).process.process
            os.kill(process.pid, signal.SIGKILL)
            killed.append(path.read_text().count("\n") - 1)

        killer = threading.Thread(target=kill, daemon=True)
        killer.start()
        assert run("spread", scheduler=cluster.scheduler_address, results=tmp_path) == 0
        killer.join(timeout=5)
    assert killed and killed[0] < 12, "the worker was not killed in the middle"
    rows = read_rows(path)
    assert sorted(r["key"] for r in rows) == sorted(r.key for r in spread.runs())
    assert run("spread", results=tmp_path / "alone", workers=1) == 0
    assert without_circumstances(rows) == without_circumstances(read_rows(spread.path(tmp_path / "alone")))


def test_a_scheduler_that_is_not_there_is_named(spread, tmp_path):
    pytest.importorskip("distributed")
    with pytest.raises(ValueError, match="127.0.0.1:1.*dask scheduler"):
        run("spread", scheduler="tcp://127.0.0.1:1", results=tmp_path)


def test_units_on_a_cpu_are_what_its_cache_holds(monkeypatch):
    """On a CPU the size of an ensemble is fixed by the cache, so that units are the same on every machine."""
    runs = [Run("same-different", n=16, seed=seed, **SMALL) for seed in range(4)]
    monkeypatch.setattr(ensembles, "CPU_BYTES", 2**30)
    assert [len(u) for u in experiments.units(runs, "cpu")] == [4]
    monkeypatch.setattr(ensembles, "CPU_BYTES", 1)
    assert [len(u) for u in experiments.units(runs, "cpu")] == [1, 1, 1, 1]


@pytest.fixture
def stand_in_gpu(monkeypatch):
    """A GPU with room for exactly eight of the spread networks at once, whose work the CPU does; what it is given."""
    given, perform = [], experiments.perform

    def recording(unit, device, commit):
        given.append((device, unit))
        return perform(unit, "cpu", commit)

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(Run, "together", lambda self, device: 8)
    monkeypatch.setattr(experiments, "perform", recording)
    return given


def test_workers_on_one_gpu_share_its_memory(spread, stand_in_gpu):
    runs = [Run("same-different", n=16, seed=seed, **SMALL) for seed in range(9)]
    assert [len(u) for u in experiments.units(runs, "cuda")] == [8, 1]
    assert [len(u) for u in experiments.units(runs, "cuda", workers=2)] == [4, 4, 1]
    assert [len(u) for u in experiments.units(runs, "cuda", workers=99)] == [1] * 9
    assert [len(u) for u in experiments.units(runs, "cpu", workers=2)] == [8, 1]


def test_on_a_gpu_only_what_is_missing_is_performed(spread, stand_in_gpu, tmp_path):
    assert run("spread", device="cuda", upto=16, results=tmp_path) == 0
    assert [(device, len(unit)) for device, unit in stand_in_gpu] == [("cuda", 3), ("cuda", 3)]
    path = spread.path(tmp_path)
    kept = path.read_text().splitlines(keepends=True)
    path.write_text("".join(kept[:-1]))
    stand_in_gpu.clear()
    assert run("spread", device="cuda", upto=16, results=tmp_path) == 0
    assert [len(unit) for _, unit in stand_in_gpu] == [1] and len(read_rows(path)) == 6
