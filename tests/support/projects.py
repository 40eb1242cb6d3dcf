"""Projects of their own for tests: a folder with a pyproject.toml, a book, and whichever results a test writes."""

from dataclasses import asdict
from pathlib import Path

import pytest

from companion.experiments import experiment
from companion.results import ResultsFile


def write_project(folder: Path, grids: str = "abstract_symbols.experiments") -> Path:
    """A project whose book is empty; its folder."""
    (folder / "book").mkdir(parents=True)
    (folder / "pyproject.toml").write_text(f'[tool.companion]\ngrids = "{grids}"\n', encoding="utf-8")
    return folder


def use_project(patch: pytest.MonkeyPatch, folder: Path, grids: str = "abstract_symbols.experiments") -> Path:
    """Write a project and let all that follows use it; rows made in it name the commit "tested"."""
    patch.setenv("COMPANION_PROJECT", str(write_project(folder, grids)))
    patch.setenv("COMPANION_COMMIT", "tested")
    return folder


def write_metrics(folder: Path, name: str, metrics, series: str | None = None) -> None:
    """Rows of an experiment, or of one of its series, with metrics of our choice: metrics(run), None for no row."""
    e, rows = experiment(name), []
    for of, label in e.runs().items():
        if series in (None, label) and (found := metrics(of)) is not None:
            rows.append({"key": of.key, **asdict(of), **{m: kind(1) for m, kind in e.kind.METRICS.items()}, **found,
                         "seconds": 1.0, "device": "cpu", "torch": "2.0", "commit": "made up"})
    with ResultsFile(e.path(folder), e.kind) as file:
        file.append(rows)
