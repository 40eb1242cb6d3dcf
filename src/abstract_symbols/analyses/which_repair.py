"""Analyses of the chapter on repairs of copying: which networks copy at one n, and from how many symbols."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from companion import figures
from companion.experiments import experiment
from companion.summaries import n50_table

from ..experiments.which_repair import REPAIRS

COPIERS = {"Pointer head": "pointer", "+ b": "b", "+ a and b": "both"}  # series → its name among a page's numbers
CHANGES = {"change_cosine": "cosine of changes", "change": "length of the change"}  # metric → heading
OUTCOMES = {"cosine": "cosine of embeddings", "train_loss": "train loss", "error": "wrong",
            "to_seen": "answers with a training symbol", "among_unseen": "wrong, test symbols only"}


def repairs_picture(rows: pd.DataFrame) -> tuple[Figure, str]:
    """Returns learning curves of the repairs, a panel each, with the plain network and + b in all, and the alternative.

    Args:
        rows: of copy-repairs.
    """
    references = {"Plain": "--", "+ b": "-"}
    figure = figures.facets(
        "copy-repairs", rows, {series: [series] for series in REPAIRS if series not in references},
        references=references, metric="test_error", columns=3, xlabel="n = training strings",
        ylabel="wrong answers on unseen symbols")
    return figure, figures.alt_text("copy-repairs", rows, "test_error")


@dataclass(frozen=True)
class Copying:
    """Mean test errors of some series at one n.

    Attributes:
        copies: the name in `COPIERS` of each series that answers more than half of the unseen strings → its mean test
            error, the least first.
        others: how many series do not.
        best: the series of least error among these.
        least: its mean error.
        largest: the largest mean error.
    """

    copies: dict[str, float]
    others: int
    best: str
    least: float
    largest: float


def copying_at(rows: pd.DataFrame, n: int) -> Copying:
    """Returns which series copy unseen symbols at n, and how far the others are from it.

    Args:
        rows: of runs with a test error.
        n: training strings.
    Raises:
        ValueError: no rows at n, or all series copy there, or one that `COPIERS` does not name.
    """
    means = rows[rows["n"] == n].groupby("series")["test_error"].mean().sort_values(kind="stable")
    others = means[means >= 0.5]
    if others.empty:
        raise ValueError(f"n = {n}: no series has a mean test error of one half or more; take an n that the rows have "
                         "and at which some series do not copy")
    copies = means[means < 0.5]
    if unnamed := set(copies.index) - set(COPIERS):
        raise ValueError(f"n = {n}: {', '.join(sorted(unnamed))} copies; give it a name in COPIERS")
    return Copying({COPIERS[str(s)]: float(error) for s, error in copies.items()}, len(others),
                   str(others.index[0]), float(others.iloc[0]), float(others.iloc[-1]))


def expected_distinct(draws: float, symbols: float) -> float:
    """Returns the expected number of distinct symbols in independent draws: m (1 − (1 − 1/m)ⁿ) for n draws from m."""
    return symbols * (1 - (1 - 1 / symbols) ** draws)


def distinct_at_half(name: str, rows: pd.DataFrame) -> pd.DataFrame:
    """Returns how many distinct symbols are expected in training where a series' mean test error crosses one half.

    Args:
        name: an experiment of copying runs, each string one symbol.
        rows: of it.
    Returns:
        series, n50, distinct; without the series whose curve does not cross one half within its n.
    """
    found = n50_table(name, rows, "test_error")
    crossing = found[(found["n50"] > found["first"]) & (found["n50"] <= found["last"])]
    ratio = [_alphabet_ratio(experiment(name).series[series]) for series in crossing["series"]]
    distinct = [expected_distinct(n, r * n) for n, r in zip(crossing["n50"], ratio, strict=True)]
    return crossing[["series", "n50"]].assign(distinct=distinct).reset_index(drop=True)


def _alphabet_ratio(options: Mapping[str, Any]) -> float:
    """Training symbols per training string of a series."""
    return float(options.get("alphabet_ratio", 1))
