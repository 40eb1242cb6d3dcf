"""The companion to another question stands on `companion` alone: it lists, runs, verifies, and its chapter executes."""

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "another-paper"
ALONE = "import sys; sys.modules['abstract_symbols'] = None; import runpy; sys.argv[0] = 'companion'; " \
        "runpy.run_module('companion', run_name='__main__')"


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The example in a folder of its own, without what was built in it."""
    folder = tmp_path_factory.mktemp("example") / "another-paper"
    return Path(shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("_build", "__pycache__", "*.lock")))


def companion(folder, *arguments):
    """Output of `python -m companion` in a folder, where the science cannot be imported."""
    environment = {name: value for name, value in os.environ.items() if name != "COMPANION_PROJECT"}
    ended = subprocess.run([sys.executable, "-c", ALONE, *arguments], cwd=folder, capture_output=True, text=True,
                           env={**environment, "COMPANION_COMMIT": "tested"})
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def rows(folder):
    """Key → error of every row."""
    with (folder / "book" / "results" / "double-descent.csv").open(encoding="utf-8") as file:
        return {row["key"]: float(row["test_loss"]) for row in csv.DictReader(file)}


def test_it_lists_runs_and_verifies_without_the_science(copy):
    assert "Minimum norm: 240 of 240 runs done" in companion(copy, "list")
    (copy / "book" / "results" / "double-descent.csv").unlink()
    assert "ridge-removes-the-peak: not run (0 of 40 runs)" in companion(copy, "verify")
    assert companion(copy, "run", "double-descent", "--device", "cpu", "--workers", "1") == "double-descent: complete\n"
    assert rows(copy) == pytest.approx(rows(EXAMPLE), rel=1e-6), "the committed numbers again"
    assert "ridge-removes-the-peak: held" in companion(copy, "verify")


@pytest.mark.slow
def test_its_chapter_executes_in_its_own_folder(copy):
    environment = {name: value for name, value in os.environ.items() if name != "COMPANION_PROJECT"}
    command = [sys.executable, ROOT / "tools" / "book" / "execute.py", "index", "quick"]
    ended = subprocess.run(command, cwd=copy, capture_output=True, text=True, env=environment)
    assert ended.returncode == 0, ended.stderr
    notebook = json.loads((copy / "_build" / "executed" / "index.ipynb").read_text(encoding="utf-8"))
    outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", [])]
    said = "".join("".join(output.get("text", output.get("data", {}).get("text/markdown", ""))) for output in outputs)
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 1
    assert "double-descent: 6 run again" in said and "python -m companion run double-descent" in said
