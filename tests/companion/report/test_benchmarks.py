"""Measurements of speed as tables: headings in words, numbers of three digits, a table per device."""

import pytest
from projects import use_project

from companion.report import benchmarks
from companion.report.benchmarks import bench_files, bench_table, show_benchmarks

MEASURED = """what,n,seconds,relative_error,iterations,ratio,repetitions,device,torch,machine,threads,commit
K_attn,,0.123456,2.4e-07,,,3,cpu,2.13.0,x86_64,2,tested
ridge,1000000,2.0,,15,,3,cpu,2.13.0,x86_64,2,tested
"""


@pytest.fixture
def path(tmp_path, monkeypatch):
    """The one measurement in a book of its own."""
    path = use_project(monkeypatch, tmp_path / "mine") / "book" / "results" / "bench-kernel-cpu.csv"
    path.parent.mkdir()
    path.write_text(MEASURED, encoding="utf-8")
    return path


def test_a_file_is_shown_in_words_without_what_was_measured_nowhere(path):
    assert bench_files("kernel") == [path] and bench_files("training") == []
    shown = bench_table(path)
    assert list(shown) == ["", "n", "seconds", "relative error", "iterations"]
    assert shown.to_numpy().tolist() == [["K_attn", "–", "0.123", "2.4e-07", "–"],
                                         ["ridge", "1,000,000", "2", "–", "15"]]


def test_every_device_has_a_table_under_its_name(path, monkeypatch, capsys):
    shown = []
    monkeypatch.setattr(benchmarks, "display", shown.append)
    path.with_name("bench-kernel-cuda.csv").write_text(MEASURED.replace("cpu", "A GPU"), encoding="utf-8")
    show_benchmarks("kernel")
    assert capsys.readouterr().out.splitlines() == ["bench-kernel-cpu.csv: cpu, 2 threads, torch 2.13.0",
                                                    "bench-kernel-cuda.csv: A GPU, 2 threads, torch 2.13.0"]
    assert len(shown) == 2


def test_without_measurements_nothing_is_shown(path, capsys):
    show_benchmarks("training")
    assert capsys.readouterr().out == ""
