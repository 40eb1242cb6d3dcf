"""Measurements of speed, as `benchmarks` wrote them, in tables."""

import math
from pathlib import Path

import pandas as pd
from IPython.display import display

from .. import paths
from ..formats import NONE, number
from .tables import table

CIRCUMSTANCES = {"repetitions", "device", "torch", "machine", "threads", "python", "commit"}
WORDS = {  # columns → headings, where they are not the column's name
    "what": "", "members": "networks", "ensemble_steps_per_s": "ours, per s", "loop_steps_per_s": "loop, per s",
    "peak_share": "peak share", "peak_memory_gb": "memory, GB", "relative_error": "relative error",
    "dense_seconds": "dense, seconds",
}


def bench_files(kind: str) -> list[Path]:
    """Returns the committed results of a kind of benchmark, such as "training": a file per device."""
    return sorted(paths.results().glob(f"bench-{kind}-*.csv"))


def bench_table(path: Path) -> pd.DataFrame:
    """Returns such a file with headings in words and numbers of three digits, without what was measured nowhere."""
    measured = pd.read_csv(path)
    columns = [column for column in measured if column not in CIRCUMSTANCES]
    return measured[columns].rename(columns=WORDS).dropna(axis="columns", how="all").map(_shown)


def show_benchmarks(kind: str) -> None:
    """Show the committed measurements of a kind, a table for each device."""
    for path in bench_files(kind):
        machine = pd.read_csv(path).iloc[0]
        print(f"{path.name}: {machine['device']}, {machine['threads']} threads, torch {machine['torch']}")
        display(table(bench_table(path)))


def _shown(value: str | float) -> str:
    if isinstance(value, str):
        return value
    if math.isnan(value):
        return NONE
    if value == round(value) and value < 1e15:
        return f"{value:,.0f}"
    return f"{value:.1e}" if abs(value) < 1e-3 else number(value)
