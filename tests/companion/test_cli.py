"""The command line: what it prints, what it returns, and one line when something is wrong."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from toy_grids import EXPERIMENTS, Toss

import companion
from companion import sweeps
from companion.cli import execute, parser
from companion.results import load, read_rows
from companion.sweeps import perform

RUN = ["run", "tosses", "--device", "cpu", "--workers", "1"]


def main(arguments):
    return execute(parser()[0], arguments)


@pytest.fixture(autouse=True)
def book(toys):
    """The book of the toys' project, with one claim."""
    (toys / "book" / "claims.yml").write_text(
        "- {id: heads, chapter: coins, origin: our hypothesis, "
        "statement: Half of the tosses are heads., measure: level, metric: share, "
        "experiment: tosses, series: [penny], value: 0.5, held: 0.1, part: 0.2}\n", encoding="utf-8")
    return toys / "book"


def test_list_shows_every_experiment_its_grid_and_what_is_done(capsys):
    assert main(["list"]) == 0
    out = capsys.readouterr().out
    for e in EXPERIMENTS.values():
        assert f"{e.name}: {e.title}" in out and all(series in out for series in e.series)
    assert "bias = 0.25 … 1 (3); seeds: 2\n  penny: 0 of 6 runs done\n" in out
    assert "cent: 0 of 6 runs done\n  12 runs missing; cost on a CPU: not known yet" in out


def test_list_prices_what_is_missing(capsys, book):
    assert main(RUN) == 0
    path = book / "results" / "tosses.csv"
    rows = [line.split(",") for line in path.read_text().splitlines()]
    column = rows[0].index("seconds")
    rows = [rows[0], *([*row[:column], "3600.0", *row[column + 1:]] for row in rows[3:])]
    path.write_text("".join(",".join(row) + "\n" for row in rows))
    assert main(["list"]) == 0
    assert "  2 runs missing; cost on a CPU: about 2.0 core-hours\n" in capsys.readouterr().out


def test_list_says_by_series_how_many_seeds_and_from_which_on(capsys, monkeypatch):
    e = replace(EXPERIMENTS["tosses"], seeds={"penny": 1, "cent": 3}, first_seed=4)
    monkeypatch.setitem(EXPERIMENTS, "tosses", e)
    assert main(["list"]) == 0
    assert "seeds: penny: 1, cent: 3, from 4 on\n  penny: 0 of 3 runs done" in capsys.readouterr().out


def test_run_completes_and_says_so(capsys):
    assert main(RUN) == 0
    assert capsys.readouterr().out == "tosses: complete\n"
    assert len(load("tosses")) == 12


def test_several_experiments_are_run_in_one_command(capsys):
    assert main(["run", "tosses", "walks", *RUN[2:]]) == 0
    assert capsys.readouterr().out == "tosses, walks: complete\n"
    assert (len(load("tosses")), len(load("walks"))) == (12, 18)


def test_run_of_one_series_leaves_the_others(capsys):
    assert main([*RUN, "--series", "cent", "--upto", "0.5"]) == 0
    assert set(load("tosses")["bias"]) == {0.25, 0.5}
    assert main([*RUN, "--series", "penny", "--from", "0.5", "--upto", "0.5"]) == 0
    assert set(load("tosses").query("series == 'penny'")["bias"]) == {0.5}
    assert main([*RUN, "--series", "cent"]) == 0
    assert load("tosses")["series"].value_counts().to_dict() == {"cent": 6, "penny": 2}
    assert main([*RUN, "--series", "cent", "penny"]) == 0
    assert len(load("tosses")) == 12
    assert capsys.readouterr().out == "tosses: complete\n" * 4


def test_run_says_what_is_missing_when_time_is_up(capsys):
    assert main([*RUN, "--minutes", "1e-9"]) == 0
    assert capsys.readouterr().out == "tosses: 12 runs missing; the same command goes on\n"


def test_an_interrupted_run_keeps_what_is_done_and_says_how_to_go_on(capsys, monkeypatch):
    performed = []

    def interrupted(*arguments):
        if performed:
            raise KeyboardInterrupt
        performed.append(perform(*arguments))
        return performed[0]

    monkeypatch.setattr(sweeps, "perform", interrupted)
    assert main(RUN) == 130
    assert "stopped" in capsys.readouterr().err.splitlines()[-1]
    assert {row["key"] for row in load("tosses").to_dict("records")} == {row["key"] for row in performed[0]}


def test_verify_counts_rows_and_judges_every_claim(capsys):
    assert main(["verify"]) == 0
    assert "tosses.csv: 0 rows, each whole" in (out := capsys.readouterr().out) and "heads: not run (0 of 6" in out
    assert main(RUN) == 0
    assert main(["verify"]) == 0
    out = capsys.readouterr().out
    assert "tosses.csv: 12 rows, each whole and with its own key\n" in out and "walks.csv: 0 rows" in out
    assert out.splitlines()[-1].startswith("heads: not held 1.00 [1.00, 1.00] against 0.500 in the paper")


def test_a_broken_row_fails_every_command_that_reads_it_in_one_line(capsys, book):
    assert main(RUN) == 0
    path = book / "results" / "tosses.csv"
    path.write_bytes(path.read_bytes()[:-5])
    before = path.read_bytes()
    capsys.readouterr()
    for command in (["list"], ["verify"], RUN):
        assert main(command) == 2
        captured = capsys.readouterr()
        assert captured.err.startswith(f"error: {path}, line 13, column ") and captured.err.count("\n") == 1
        assert path.read_bytes() == before


@pytest.mark.parametrize(("arguments", "named"), [
    (["run", "tossses"], "'tossses'; known are tosses, walks"),
    (["run", "tosses", "--device", "tpu"], "'tpu'; known are auto, cpu, cuda"),
    ([*RUN, "--minutes", "0"], "minutes=0"),
    (["run", "tosses", "--device", "cpu", "--workers", "0"], "workers=0"),
    ([*RUN, "--from", "13"], "from 13 up to inf: experiment 'tosses' has bias = 0.25, 0.5, 1"),
    ([*RUN, "--series", "dime"], "'tosses' has no series 'dime'; it has penny, cent"),
])
def test_a_bad_value_is_one_line_that_says_what_is_right(arguments, named, capsys, book):
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ") and named in captured.err and captured.err.count("\n") == 1
    assert captured.out == "" and not (book / "results").exists()


@pytest.mark.parametrize("arguments", [[], ["runn"], ["run"], ["run", "tosses", "--minutes", "soon"]])
def test_a_command_that_is_none_gets_the_usage(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert "usage: python -m companion" in capsys.readouterr().err


@pytest.mark.slow
def test_as_a_program_it_exits_with_2_one_line_on_stderr_and_no_traceback(book):
    paths = [str(Path(companion.__file__).parents[1]), str(Path(__file__).parents[1] / "support")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*paths, os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-m", "companion", "run", "no-such-thing"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("error: unknown experiment 'no-such-thing'; known are tosses")
    assert ended.stderr.count("\n") == 1
    assert read_rows(book / "results" / "no-such-thing.csv", Toss) == []
