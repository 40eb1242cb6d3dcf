"""Tables of numbers made from an experiment's rows: means over seeds, n₅₀, distances to the paper's curves."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from .experiments import experiment
from .published import published, published_n50
from .statistics import curve, first_crossing, interval, n50, paired, resampled_means


def summary(name: str, rows: pd.DataFrame, metric: str = "test_loss") -> pd.DataFrame:
    """Returns our curves: series, x, mean, se (standard error over seeds), seeds (their number), in legend order."""
    e = experiment(name)
    table = rows.groupby(["series", e.x], sort=False)[metric].agg(["mean", "sem", "count"]).reset_index()
    table["series"] = pd.Categorical(table["series"], list(e.series))
    table = table.sort_values(["series", e.x], ignore_index=True).astype({"series": str})
    return table.rename(columns={"sem": "se", "count": "seeds"})


def n50_table(name: str, rows: pd.DataFrame, metric: str = "test_loss") -> pd.DataFrame:
    """Returns n₅₀ of every series that has rows, with its 95% interval: series, n50, low, high, once, first, last.

    An n at which a seed is missing is left out; first and last are the ends of what is left. `once` is the n at which
    the mean is first below one half: less than n50 where it rises above it again.
    """
    found = []
    for series in (s for s in experiment(name).series if s in set(rows["series"])):
        n, values = curve(rows, series, metric, "n")
        n, values = n[~np.isnan(values).any(0)], values[:, ~np.isnan(values).any(0)]
        if len(n):
            low, high = interval(n50(n, resampled_means(values)))
            mean = values.mean(0)
            found.append({"series": series, "n50": float(n50(n, mean)), "low": low, "high": high,
                          "once": float(first_crossing(n, mean)), "first": n[0], "last": n[-1]})
    table = pd.DataFrame(found, columns=["series", "n50", "low", "high", "once", "first", "last"])
    return table.astype(dict.fromkeys(("n50", "low", "high", "once"), float))  # without rows, too


def best_by_series(name: str, rows: pd.DataFrame, metric: str = "test_loss") -> pd.DataFrame:
    """Returns where each series' mean is least: series, x (under the experiment's own name for it), mean, se, seeds."""
    table = summary(name, rows, metric).dropna(subset="mean")
    least = table.groupby("series", sort=False)["mean"].idxmin()
    return table.loc[least].reset_index(drop=True)


def distances(name: str, rows: pd.DataFrame, metric: str = "test_loss") -> pd.DataFrame:
    """Returns how far our mean curves are from the paper's, at every x that both have: series, x, ours, paper, off."""
    x, found = experiment(name).x, []
    for series, ours in summary(name, rows, metric).groupby("series", sort=False):
        paper = published(name, str(series)).set_index("x")["y"]
        both = ours.set_index(x)["mean"].to_frame("ours").join(paper.rename("paper"), how="inner").dropna()
        found.append(both.rename_axis("x").reset_index().assign(series=series))
    table = pd.concat(found) if found else pd.DataFrame(columns=["x", "ours", "paper", "series"])
    table = table.assign(off=table["ours"] - table["paper"]).reset_index(drop=True)
    return table[["series", "x", "ours", "paper", "off"]]


def n50_of_each(rows: pd.DataFrame, by: Sequence[str], metric: str = "test_loss") -> pd.DataFrame:
    """Returns n₅₀ of the mean curve of each group of rows: of each task, say, where every seed draws a task of its own.

    Args:
        rows: with a column n.
        by: the columns that make a group.
        metric: whose mean falls through one half.
    Returns:
        The columns of `by`, n50, first and last (the ends of the group's n), and loss, the mean at the last.
    """
    found = []
    for names, group in rows.groupby(list(by), sort=False):
        mean = group.groupby("n")[metric].mean().dropna()
        if len(mean):
            half = float(n50(mean.index.to_numpy(), mean.to_numpy()))
            found.append((*names, half, mean.index[0], mean.index[-1], mean.iloc[-1]))
    return pd.DataFrame(found, columns=[*by, "n50", "first", "last", "loss"])


def n50_beside_published(name: str, rows: pd.DataFrame, metric: str = "test_loss") -> pd.DataFrame:
    """Returns `n50_table` for the series that the paper has too, with its n₅₀ as `paper`, and ratio, ours over it."""
    papers = [(s, published_n50(name, s)) for s in experiment(name).series if not published(name, s).empty]
    table = pd.DataFrame(papers, columns=["series", "paper"]).merge(n50_table(name, rows, metric), how="left")
    return table.assign(ratio=table["n50"] / table["paper"])


def paired_ratios(name: str, rows: pd.DataFrame, reference: str, metric: str) -> pd.DataFrame:
    """Returns `companion.statistics.paired` of every other series over the reference: series, ratio, low, high, p.

    Args:
        name: the experiment.
        rows: of it, with at least two pairs of one x and seed for each series that has rows.
        reference: the series that the others are divided by.
        metric: whose ratios are meant.
    """
    e = experiment(name)
    others = [s for s in e.series if s != reference and s in set(rows["series"])]
    found = [(s, *paired(rows, s, reference, metric, e.x)) for s in others]
    return pd.DataFrame(found, columns=["series", "ratio", "low", "high", "p"])


def common_means(name: str, rows: pd.DataFrame, series: Sequence[str], metric: str = "test_loss") -> pd.DataFrame:
    """Returns means of some series over the seeds that all of them have: x (its own name), each series, seeds."""
    x = experiment(name).x
    wide = rows.pivot(index=[x, "seed"], columns="series", values=metric).reindex(columns=list(series)).dropna()
    groups = wide.groupby(x)
    return groups.mean().assign(seeds=groups.size()).rename_axis(columns=None).reset_index()
