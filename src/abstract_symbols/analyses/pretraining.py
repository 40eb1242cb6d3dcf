"""Analyses of the chapter "Does pretraining help?": comparisons of networks, and what is inside their heads."""

from collections.abc import Iterable

import pandas as pd

from companion.claims import Claim
from companion.experiments import experiment
from companion.published import published
from companion.summaries import common_means

SCORES = {"mean_before": "z before", "largest_before": "largest before", "mean_after": "z after",
          "largest_after": "largest after"}  # metrics of a product's heads → columns of `inside`
PRODUCTS = {"wkwq": "W_K W_Qᵀ", "wvwo": "W_V W_Oᵀ"}


def comparisons(rows: pd.DataFrame, claims: Iterable[Claim]) -> pd.DataFrame:
    """Returns the mean test losses behind claims that one series is lower than another, over the seeds of both.

    Args:
        rows: of the experiment `pretraining`.
        claims: with the measure `below`: two series, and the option `at` with the n that are compared.
    Returns:
        first, second (the series), n, mean of the first, mean of the second, seeds; a row per claim and n.
    """
    found = []
    for claim in claims:
        means = common_means("pretraining", rows, claim.series).query("n in @claim.options['at']")
        first, second = claim.series
        found += [(first, second, *line) for line in means[["n", first, second, "seeds"]].itertuples(index=False)]
    return pd.DataFrame(found, columns=["first", "second", "n", "mean of the first", "mean of the second", "seeds"])


def inside(rows: pd.DataFrame) -> pd.DataFrame:
    """Returns z of the heads' matrices before and after training on the task, at each series' largest n.

    Means are over heads and over the seeds that all series have there; the largest is that of a network's heads.

    Args:
        rows: of `runs.language.TemplateRun`.
    Returns:
        network, matrix, n, and the columns of `SCORES`, rounded to one digit; a row per series and matrix.
    """
    last = rows[rows["n"] == rows.groupby("series")["n"].transform("max")]
    counts = last.groupby("seed")["series"].nunique()
    last = last[last["seed"].isin(counts.index[counts == last["series"].nunique()])]
    return pd.DataFrame([
        {"network": series, "matrix": matrix, "n": group["n"].iloc[0],
         **{column: round(group[f"{product}_{score}"].mean(), 1) + 0.0 for score, column in SCORES.items()}}  # no −0
        for series, group in last.groupby("series", sort=False) for product, matrix in PRODUCTS.items()])


def published_alt(name: str = "pretraining-gpt2") -> str:
    """Returns the text alternative of the paper's curves alone: first and last value of each."""
    curves = {series: published(name, series) for series in experiment(name).series}
    return " The paper's: " + "; ".join(
        f"{series}, {curve['y'].iloc[0]:.2f} at n = {curve['x'].iloc[0]:.0f}, {curve['y'].iloc[-1]:.2f} at "
        f"{curve['x'].iloc[-1]:.0f}" for series, curve in curves.items()) + "."
