"""Analyses of the chapter "Why copying fails": progress ratios at initialisation beside the predicted ones."""

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from companion.experiments import experiment

from ..copying import PARAMETERS, progress_law, span_share
from ..runs.copying import ProgressRun

NAMES = {"w_v": "W_V", "w_o": "W_O", "w_k": "W_K", "w_q": "W_Q", "a": "a", "embeddings": "embeddings",
         "positions": "positions", "b": "b"}


def own_logits(dimensions: Iterable[int], n: int) -> pd.DataFrame:
    """Returns how fast each symbol's own logit rises when W_V lowers the training loss by 1.

    Args:
        dimensions: d_emb, one model with seed 0 for each.
        n: seen symbols.
    Returns:
        d_emb, symbol ("seen symbols" or "unseen symbols"), rise; a row per symbol.
    """
    tables = []
    for d_emb in dimensions:
        model, seen, unseen = ProgressRun(d_emb, n=n, seed=0).model()
        tables += [pd.DataFrame({"d_emb": d_emb, "symbol": kind, "rise": model.own_logit_rates(seen, some).numpy()})
                   for kind, some in (("seen symbols", seen), ("unseen symbols", unseen))]
    return pd.concat(tables, ignore_index=True)


def own_logits_alt(table: pd.DataFrame) -> str:
    """Returns the text alternative of a picture of these rises."""
    means = table.groupby(["symbol", "d_emb"], sort=False)["rise"].mean()
    return "Scatter plot: rise of each symbol's own logit against d_emb. " + " ".join(
        f"{kind}: mean {means[kind].iloc[0]:.2f} at d_emb = {means[kind].index[0]}, "
        f"{means[kind].iloc[-1]:.2f} at d_emb = {means[kind].index[-1]}." for kind in table["symbol"].unique())


def mean_span_share(d_emb: int, n: int) -> float:
    """Returns the mean share of an unseen embedding's squared length in the span of n seen ones, with seed 0."""
    model, seen, unseen = ProgressRun(d_emb, n=n, seed=0).model()
    return float(span_share(model.E[seen], model.E[unseen]).mean())


def predicted(series: Iterable[str], at: Iterable[float]) -> dict[str, tuple[list[float], list[float]]]:
    """Returns the predicted progress ratio of W_V for series of the experiment `copy-progress`: d_emb, ratio."""
    grid, at = experiment("copy-progress"), list(at)
    runs = {name: ProgressRun(seed=0, d_emb=1, **grid.series[name]) for name in series}
    return {name: (at, [progress_law(run.n, d, run.test, run.gamma) for d in at]) for name, run in runs.items()}


def median_ratios(rows: pd.DataFrame, dimensions: Iterable[int]) -> pd.DataFrame:
    """Returns the median over seeds of every parameter's progress ratio: parameter, then a column per d_emb."""
    chosen = rows[rows["d_emb"].isin(list(dimensions))]
    table = chosen.groupby("d_emb")[[name for name in NAMES if name in PARAMETERS]].median().T
    table.index = [NAMES[name] for name in table.index]
    table = table.map(lambda value: f"{value:.3f}".replace("-0.000", "0.000"))
    return table.rename_axis("parameter").rename_axis(None, axis=1).reset_index()


@dataclass(frozen=True)
class Scatter:
    """How a ratio scatters over seeds: the ends of its medians over d_emb, the widest middle half of the seeds."""

    least: float
    largest: float
    widest: float


def scatter(rows: pd.DataFrame, metric: str) -> Scatter:
    """Returns how a metric scatters over seeds, at any d_emb."""
    groups = rows.groupby("d_emb")[metric]
    medians, widths = groups.median(), groups.quantile(0.75) - groups.quantile(0.25)
    return Scatter(float(medians.min()), float(medians.max()), float(widths.max()))


def even_attention(d_emb: int, n: int, seeds: Iterable[int]) -> pd.Series:
    """Returns the progress ratio of W_V with strong positions (γ = 1) and attention kept even (β = 0.001), per seed."""
    return pd.Series([ProgressRun(d_emb, n, seed=seed, gamma=1, beta=1e-3).measure()["w_v"] for seed in seeds])


@dataclass(frozen=True)
class Fit:
    """Where the predicted ratio fits worst: d_emb, measured over predicted with its standard error; ends elsewhere."""

    d_emb: int
    ratio: float
    error: float
    least: float
    largest: float


def worst_fit(rows: pd.DataFrame) -> Fit:
    """Returns how well the predicted ratio of W_V fits."""
    ratios = rows.groupby("d_emb")["w_v_over_law"].agg(["mean", "sem"])
    worst = int((ratios["mean"] - 1).abs().idxmax())
    others = ratios["mean"].drop(worst)
    ratio, error = (float(ratios.loc[worst, which]) for which in ("mean", "sem"))
    return Fit(worst, ratio, error, float(others.min()), float(others.max()))
