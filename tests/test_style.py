"""The code and the texts keep the house's style."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def found_by(tool, *arguments):
    """What a tool says about the repository, '' if it is content."""
    process = subprocess.run([sys.executable, "-m", tool, *arguments], cwd=ROOT, capture_output=True, text=True)
    return process.stdout + process.stderr if process.returncode else ""


def test_ruff_finds_nothing():
    assert found_by("ruff", "check", "--no-cache", "--output-format", "concise") == ""


def test_codespell_finds_no_misspelling():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True).stdout.split()
    assert found_by("codespell_lib", *[name for name in tracked if (ROOT / name).is_file()]) == ""
