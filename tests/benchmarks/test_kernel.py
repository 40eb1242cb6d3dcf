"""The kernel's benchmark: what its rows say; not how fast anything is."""

import mmap
from concurrent.futures import ThreadPoolExecutor

import pytest

from benchmarks import kernel


@pytest.fixture
def rows(monkeypatch):
    """The kernel's benchmark on tiny samples, one task and one process."""
    monkeypatch.setattr(kernel, "PAPER_TASKS", ["same-different"])
    monkeypatch.setattr(kernel, "ProcessPoolExecutor", lambda workers, context: ThreadPoolExecutor(workers))
    return kernel.measure(repetitions=1, betas=(0.5,), sizes=(60,), dense=50)


def test_the_kernels_rows_say_what_was_measured_on_how_much_and_how_well(rows):
    attention, ridge, dense = rows
    assert all(list(row) == [*kernel.FIELDS, "repetitions"] for row in rows)
    assert all(row["seconds"] > 0 and row["repetitions"] == 1 for row in rows)
    assert "β = 0.5" in attention["what"] and "of 3 pairs" in attention["what"]
    assert 0 < attention["relative_error"] < 1e-5
    assert (ridge["n"], dense["n"]) == (60, 50) and ridge["iterations"] > 0
    assert dense["ratio"] == pytest.approx(dense["dense_seconds"] / dense["seconds"], abs=1 + 0.006 / dense["seconds"])
    assert [row["ratio"] for row in (attention, ridge)] == [None, None]


def test_memory_is_that_of_sample_and_fit(monkeypatch):
    sizes = iter([300 * 2**20, 500 * 2**20])
    monkeypatch.setattr(kernel, "process_memory", lambda field: next(sizes))
    assert kernel.fit_memory(20) == 200 * 2**20
    monkeypatch.setattr(kernel, "process_memory", lambda field: None)
    assert kernel.fit_memory(20) is None


def test_the_systems_count_of_memory_knows_of_an_array():
    before = kernel.process_memory("VmRSS")
    if before is None:
        pytest.skip("this system does not tell")
    with mmap.mmap(-1, size := 2**27) as pages:  # not torch.ones: it may get memory that the process holds already
        pages[::mmap.PAGESIZE] = bytes(size // mmap.PAGESIZE)  # memory counts from its first touch
        assert 0.9 < (kernel.process_memory("VmRSS") - before) / size < 1.5
    assert kernel.process_memory("VmHWM") >= kernel.process_memory("VmRSS") - 2**20
    assert kernel.process_memory("no such field") is None


def test_measuring_less_than_once_is_refused():
    with pytest.raises(ValueError, match="repetitions=0: must be at least 1"):
        kernel.measure(repetitions=0)
