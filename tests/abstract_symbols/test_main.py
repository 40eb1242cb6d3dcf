"""`python -m abstract_symbols`: the project's commands and `bench`, on a machine that lacks what it does not need."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from projects import use_project

import abstract_symbols
from abstract_symbols.__main__ import main
from companion import paths

ROOT = Path(__file__).resolve().parents[2]


def test_help_tells_every_command(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--help"])
    assert stopped.value.code == 0
    out = capsys.readouterr().out
    assert "python -m abstract_symbols" in out and all(name in out for name in ("list", "run", "verify", "bench"))


def test_an_unknown_kind_of_benchmark_gets_the_usage(capsys):
    with pytest.raises(SystemExit):
        main(["bench", "kernels"])
    assert "training" in capsys.readouterr().err


@pytest.mark.parametrize(("arguments", "named"), [
    (["run", "same-diferent"], "'same-diferent'; known are same-different"),
    (["bench", "--device", "tpu"], "'tpu'; known are auto, cpu, cuda"),
    (["bench", "--device", "cpu", "--members", "0"], "members=0"),
])
def test_a_bad_value_is_one_line_that_says_what_is_right(arguments, named, capsys, tmp_path, monkeypatch):
    project = use_project(monkeypatch, tmp_path / "mine")
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ") and named in captured.err and captured.err.count("\n") == 1
    assert captured.out == "" and not (project / "book" / "results").exists()


def test_outside_of_any_project_it_is_this_book(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(paths, "_told", [])
    with pytest.raises(SystemExit):
        main(["--help"])
    assert paths.project().root == ROOT


def test_without_the_benchmarks_it_says_where_they_would_be(tmp_path, monkeypatch, capsys):
    use_project(monkeypatch, tmp_path / "mine")
    monkeypatch.setitem(sys.modules, "benchmarks", None)
    assert main(["bench", "kernel"]) == 2
    assert f"there is no folder {tmp_path / 'mine'}/benchmarks; run this in a clone" in capsys.readouterr().err


LACKING = ("IPython", "yaml", "transformers", "tokenizers", "datasets", "accelerate", "dask", "distributed")
BARE = f"""
import contextlib, io, json, sys
for name in {LACKING}: sys.modules[name] = None
from benchmarks import kernel
from abstract_symbols.__main__ import main
from abstract_symbols.language import corpus
corpus.docstrings = lambda root: {{f"module {{i}}": f"What module {{i}} does." for i in range(99)}}  # not of all Python
kernel.measure = lambda device: [{{"what": "K_attn", "seconds": 0.5}}]
for command in json.loads(sys.argv[1]):
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        status = main(command)
    print(json.dumps([status, out.getvalue(), err.getvalue()]))
"""


@pytest.mark.slow
def test_a_bare_machine_lists_runs_and_measures_and_names_what_else_it_lacks(tmp_path, monkeypatch):
    """Without notebooks, YAML and language models; one process, because importing PyTorch takes long."""
    use_project(monkeypatch, tmp_path / "mine")
    on_one_core = ["--device", "cpu", "--workers", "1"]
    expected = [
        (["list"], 0, "same-different: Same or different?"),
        (["run", "width", "--upto", "16", *on_one_core], 0, "width: complete\n"),
        (["bench", "kernel", "--device", "cpu"], 0, "what=K_attn  seconds=0.5\nwritten to "),
        (["verify"], 2, "error: PyYAML is not installed, and claims.yml cannot be read; pip install pyyaml\n"),
        (["run", "random-heads", *on_one_core], 2, "error: transformers is not installed; pip install "),
        (["run", "perplexity-tiny", *on_one_core], 2, "error: tokenizers is not installed; pip install "),
    ]
    paths = [str(Path(abstract_symbols.__file__).parents[1]), str(ROOT), os.environ.get("PYTHONPATH", "")]
    command = [sys.executable, "-c", BARE, json.dumps([arguments for arguments, _, _ in expected])]
    ended = subprocess.run(command, env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)}, capture_output=True,
                           text=True)
    assert ended.returncode == 0, ended.stderr
    for line, (arguments, status, says) in zip(ended.stdout.splitlines(), expected, strict=True):
        found, out, err = json.loads(line)
        assert found == status and says in (err if status else out), (arguments, out, err)
