"""The command line: what it prints, what it returns, and one line when something is wrong."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import abstract_symbols
from abstract_symbols import claims, experiments
from abstract_symbols.__main__ import main
from abstract_symbols.experiments import EXPERIMENTS, Experiment, load, perform, read_rows

TINY = Experiment(
    name="tiny", title="A tiny network", base={"task": "same-different", "evaluation": 20, "epochs": 3},
    series={"Fully-connected": {"network": "mlp", "width": 8}}, grid={"n": (4, 8, 12)}, seeds=2,
)


@pytest.fixture(autouse=True)
def book(tmp_path, monkeypatch):
    """A book of its own, with the claims and published curves of ours, no results, and one more experiment."""
    shutil.copy(experiments.BOOK / "claims.yml", tmp_path)
    shutil.copytree(experiments.BOOK / "published", tmp_path / "published")
    monkeypatch.setattr(claims, "BOOK", tmp_path)
    monkeypatch.setattr(experiments, "BOOK", tmp_path)
    monkeypatch.setitem(EXPERIMENTS, "tiny", TINY)
    monkeypatch.setenv("ABSTRACT_SYMBOLS_COMMIT", "tested")
    return tmp_path


RUN_TINY = ["run", "tiny", "--device", "cpu", "--workers", "1"]


def test_list_shows_every_experiment_its_grid_and_what_is_done(capsys):
    assert main(["list"]) == 0
    out = capsys.readouterr().out
    for e in EXPERIMENTS.values():
        assert f"{e.name}: {e.title}" in out and all(series in out for series in e.series)
    assert "Fully-connected: 0 of 6 runs done\n  6 runs missing; cost on a CPU: not known yet" in out


def test_list_prices_what_is_missing(capsys, book):
    assert main(RUN_TINY) == 0
    lines = (book / "results" / "tiny.csv").read_text().splitlines()
    (book / "results" / "tiny.csv").write_text("\n".join([lines[0], *lines[3:], ""]))
    assert main(["list"]) == 0
    assert "Fully-connected: 4 of 6 runs done\n  2 runs missing; cost on a CPU: about " in capsys.readouterr().out


def test_run_completes_and_says_so(capsys):
    assert main(RUN_TINY) == 0
    assert capsys.readouterr().out == "tiny: complete\n"
    assert len(load("tiny")) == 6


def test_run_of_one_series_leaves_the_others(capsys, monkeypatch):
    two = {"narrow": {"network": "mlp", "width": 4}, "wide": {"network": "mlp", "width": 8}}
    monkeypatch.setitem(EXPERIMENTS, "tiny", replace(TINY, series=two))
    assert main([*RUN_TINY, "--series", "wide", "--upto", "8"]) == 0
    assert set(load("tiny")["n"]) == {4, 8}
    assert main([*RUN_TINY, "--series", "narrow", "--from", "8", "--upto", "8"]) == 0
    assert set(load("tiny").query("series == 'narrow'")["n"]) == {8}
    assert main([*RUN_TINY, "--series", "wide"]) == 0
    assert load("tiny")["series"].value_counts().to_dict() == {"wide": 6, "narrow": 2}
    assert main([*RUN_TINY, "--series", "wide", "narrow"]) == 0
    assert len(load("tiny")) == 12
    assert capsys.readouterr().out == "tiny: complete\n" * 4


def test_run_says_what_is_missing_when_time_is_up(capsys):
    assert main([*RUN_TINY, "--minutes", "1e-9"]) == 0
    assert capsys.readouterr().out == "tiny: 6 runs missing; the same command goes on\n"


def test_an_interrupted_run_keeps_what_is_done_and_says_how_to_go_on(capsys, monkeypatch):
    performed = []

    def interrupted(*arguments):
        if performed:
            raise KeyboardInterrupt
        performed.append(perform(*arguments))
        return performed[0]

    monkeypatch.setattr(experiments, "perform", interrupted)
    assert main(RUN_TINY) == 130
    assert "stopped" in capsys.readouterr().err.splitlines()[-1]
    assert {row["key"] for row in load("tiny").to_dict("records")} == {row["key"] for row in performed[0]}


def test_verify_counts_rows_and_judges_every_claim(capsys):
    assert main(RUN_TINY) == 0
    assert main(["verify"]) == 0
    out = capsys.readouterr().out
    assert "tiny.csv: 6 rows" in out and "same-different.csv: 0 rows" in out
    for name in claims.claims():
        assert f"{name}: not tested (0 of " in out


def test_a_broken_row_fails_every_command_that_reads_it_in_one_line(capsys, book):
    assert main(RUN_TINY) == 0
    path = book / "results" / "tiny.csv"
    path.write_bytes(path.read_bytes()[:-5])
    before = path.read_bytes()
    capsys.readouterr()
    for command in (["list"], ["verify"], RUN_TINY):
        assert main(command) == 2
        captured = capsys.readouterr()
        assert captured.err.startswith(f"error: {path}, line 7, column ") and captured.err.count("\n") == 1
        assert path.read_bytes() == before


@pytest.mark.parametrize(("arguments", "named"), [
    (["run", "tinny"], "'tinny'; known are same-different"),
    (["run", "tiny", "--device", "tpu"], "'tpu'; known are auto, cpu, cuda"),
    ([*RUN_TINY, "--minutes", "0"], "minutes=0"),
    (["run", "tiny", "--workers", "0"], "workers=0"),
    ([*RUN_TINY, "--from", "13"], "from 13 up to inf: experiment 'tiny' has n = 4, 8, 12"),
    ([*RUN_TINY, "--series", "MLP"], "'tiny' has no series 'MLP'; it has Fully-connected"),
    (["bench", "--device", "tpu"], "'tpu'"),
    (["bench", "--members", "0"], "members=0"),
])
def test_a_bad_value_is_one_line_that_says_what_is_right(arguments, named, capsys, book):
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ") and named in captured.err and captured.err.count("\n") == 1
    assert captured.out == "" and not (book / "results").exists()


@pytest.mark.parametrize("arguments", [[], ["runn"], ["run"], ["run", "tiny", "--minutes", "soon"]])
def test_a_command_that_is_none_gets_the_usage(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert "usage: python -m abstract_symbols" in capsys.readouterr().err


def test_help_tells_every_command(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--help"])
    assert stopped.value.code == 0
    out = capsys.readouterr().out
    assert all(command in out for command in ("list", "run", "verify", "bench"))


LACKING = ("IPython", "yaml", "transformers", "tokenizers", "datasets", "accelerate", "dask", "distributed")
BARE = f"""
import contextlib, io, json, sys
for name in {LACKING}: sys.modules[name] = None
from abstract_symbols import bench
from abstract_symbols.__main__ import main
bench.kernel = lambda device: [{{"what": "K_attn", "seconds": 0.5}}]
for command in json.loads(sys.argv[1]):
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        status = main(command)
    print(json.dumps([status, out.getvalue(), err.getvalue()]))
"""


@pytest.mark.slow
def test_a_bare_machine_lists_runs_and_measures_and_names_what_else_it_lacks(book):
    """Without notebooks, YAML and language models; one process, for importing PyTorch takes long."""
    on_one_core = ["--device", "cpu", "--workers", "1"]
    expected = [
        (["list"], 0, "same-different: Same or different?"),
        (["run", "width", "--upto", "16", *on_one_core], 0, "width: complete\n"),
        (["bench", "kernel", "--device", "cpu"], 0, "what=K_attn  seconds=0.5\nwritten to "),
        (["verify"], 2, "error: PyYAML is not installed, and claims.yml cannot be read; pip install pyyaml\n"),
        (["run", "random-heads", *on_one_core], 2, "error: transformers is not installed; pip install "),
        (["run", "perplexity-tiny", *on_one_core], 2, "error: tokenizers is not installed; pip install "),
    ]
    command = [sys.executable, "-c", BARE, json.dumps([arguments for arguments, _, _ in expected])]
    ended = subprocess.run(command, env=environment(book, ABSTRACT_SYMBOLS_COMMIT="tested"), capture_output=True,
                           text=True)
    assert ended.returncode == 0, ended.stderr
    for line, (arguments, status, says) in zip(ended.stdout.splitlines(), expected, strict=True):
        found, out, err = json.loads(line)
        assert found == status and says in (err if status else out), (arguments, out, err)


def environment(book, **more):
    """This process's, with our sources and a book of its own."""
    source = str(Path(abstract_symbols.__file__).parents[1])
    return {**os.environ, "ABSTRACT_SYMBOLS_BOOK": str(book), **more,
            "PYTHONPATH": os.pathsep.join([source, os.environ.get("PYTHONPATH", "")])}


def test_as_a_program_it_exits_with_2_one_line_on_stderr_and_no_traceback(book):
    command = [sys.executable, "-m", "abstract_symbols", "run", "no-such-thing"]
    ended = subprocess.run(command, env=environment(book), capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("error: unknown experiment 'no-such-thing'; known are same-different")
    assert ended.stderr.count("\n") == 1
    assert read_rows(book / "results" / "no-such-thing.csv") == []
