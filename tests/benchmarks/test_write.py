"""Measurements are written with their machine, and replaced by later ones; `bench` measures one kind or both."""

import pytest
from projects import use_project

import benchmarks
from abstract_symbols.__main__ import main
from benchmarks import kernel, training
from benchmarks.write import machine, write

MEASURED = [
    {**dict.fromkeys(kernel.FIELDS), "what": "K_attn", "seconds": 0.123456, "relative_error": 2.4e-7},
    {**dict.fromkeys(kernel.FIELDS), "what": "ridge", "n": 10**6, "seconds": 2.0, "iterations": 15},
]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The results of a book of its own, in which no benchmark has been run."""
    return use_project(monkeypatch, tmp_path / "mine") / "book" / "results"


def test_a_file_is_written_with_its_machine(folder):
    path = write("kernel-cpu", MEASURED, "cpu")
    assert path == folder / "bench-kernel-cpu.csv"
    header, *lines = path.read_text(encoding="utf-8").splitlines()
    assert header.split(",") == [*kernel.FIELDS, *machine("cpu")]
    assert lines[0].startswith("K_attn,,0.123456,2.4e-07,") and lines[1].endswith(",tested")


def test_a_second_measurement_replaces_the_first(folder):
    write("kernel-cpu", MEASURED, "cpu")
    assert len(write("kernel-cpu", MEASURED[1:], "cpu").read_text().splitlines()) == 2


@pytest.mark.parametrize(("arguments", "kinds"), [
    (["bench"], ["training", "kernel"]), (["bench", "kernel"], ["kernel"]), (["bench", "training"], ["training"]),
])
def test_the_command_measures_one_kind_or_both_and_writes_each_down(arguments, kinds, folder, monkeypatch, capsys):
    asked = []
    monkeypatch.setattr(training, "measure", lambda *given: asked.append(given) or [{"n": 4, "ratio": 2.5, "x": None}])
    monkeypatch.setattr(kernel, "measure", lambda *given: asked.append(given) or MEASURED)
    assert main([*arguments, "--device", "cpu", "--members", "3"]) == 0
    assert asked == [("cpu", 3) if kind == "training" else ("cpu",) for kind in kinds]
    assert sorted(p.name for p in folder.iterdir()) == sorted(f"bench-{kind}-cpu.csv" for kind in kinds)
    out = capsys.readouterr().out
    assert ("ratio=2.5" in out) == ("training" in kinds) and ("what=ridge" in out) == ("kernel" in kinds)
    assert "None" not in out


def test_an_unknown_device_is_refused_before_anything_is_measured(monkeypatch):
    monkeypatch.setattr(kernel, "measure", lambda *_: pytest.fail("measured"))
    with pytest.raises(ValueError, match="unknown device 'tpu'"):
        benchmarks.measure("kernel", "tpu")
