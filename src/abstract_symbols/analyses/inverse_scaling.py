"""Analyses of the chapter on inverse scaling: the symbols needed for copying, against the embedding dimension."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from companion.experiments import experiment
from companion.published import published_n50
from companion.statistics import n50, slope
from companion.summaries import summary

PAPER = "the paper's"


def n50_by_dimension(rows: Mapping[str, tuple[str, pd.DataFrame]], metric: str = "test_error") -> pd.DataFrame:
    """Returns n₅₀ of our curves and of the paper's, as far as they fall below one half.

    Args:
        rows: series of the table → (experiment, its rows); the experiments' series are embedding dimensions.
        metric: of which one half is taken.
    Returns:
        series, dimension (an experiment's series), d_emb, n50; the paper's first, those of the first experiment.
    """
    name = next(iter(rows.values()))[0]
    found = [(PAPER, dimension, published_n50(name, dimension)) for dimension in experiment(name).series]
    for label, (ours, mine) in rows.items():
        found += [(label, dimension, float(n50(curve["n"], curve["mean"])))
                  for dimension, curve in summary(ours, mine, metric).groupby("series", sort=False)]
    table = pd.DataFrame(found, columns=["series", "dimension", "n50"])
    table.insert(2, "d_emb", [experiment(name).series[dimension]["d_emb"] for dimension in table["dimension"]])
    return table[np.isfinite(table["n50"])].reset_index(drop=True)


def growth(table: pd.DataFrame) -> pd.DataFrame:
    """Returns the exponent of n₅₀ as a power of d_emb for each series of at least two points.

    Args:
        table: of `n50_by_dimension`.
    Returns:
        series, exponent, first and last d_emb, and least and most, our n₅₀ over the paper's.
    """
    paper = table[table["series"] == PAPER].set_index("d_emb")["n50"]
    lines = []
    for label, some in table.groupby("series", sort=False):
        if len(some) > 1:
            ratio = some["n50"] / some["d_emb"].map(paper)
            lines.append({"series": label, "exponent": float(slope(some["d_emb"], some["n50"])),
                          "first": some["d_emb"].min(), "last": some["d_emb"].max(),
                          "least": ratio.min(), "most": ratio.max()})
    return pd.DataFrame(lines)


def n50_alt(table: pd.DataFrame) -> str:
    """Returns the text alternative of a figure of n₅₀ against d_emb."""
    return "Line chart: n₅₀ against d_emb. " + " ".join(
        f"{label}: " + ", ".join(f"{r.n50:.0f} at d_emb = {r.d_emb}" for r in some.itertuples()) + "."
        for label, some in table.groupby("series", sort=False))
