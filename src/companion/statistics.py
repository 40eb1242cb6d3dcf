"""Numbers of learning curves, from plain arrays: n₅₀, exponents, intervals over seeds, paired comparisons."""

import numpy as np
import pandas as pd
from scipy import stats

RESAMPLES = 2000
LEAST_P = 1e-300  # p-values below it are not told apart


def n50(n: np.ndarray, loss: np.ndarray) -> np.ndarray:
    """Returns the n at which a learning curve falls through one half: its first crossing, linear in log n.

    It is n[0] for a curve that starts below one half, and inf for one that never falls below it.

    Args:
        n: (m,) increasing.
        loss: (..., m) mean losses.
    Returns:
        (...).
    Raises:
        ValueError: an n that is empty, not positive or does not increase, or losses of another length.
    Example:
        >>> float(n50([4, 16], [1.0, 0.0]))
        8.0
    """
    loss, n = np.asarray(loss, dtype=np.float64), np.asarray(n, dtype=np.float64)
    if n.ndim != 1 or loss.shape[-1:] != n.shape or not n.size or not (n[0] > 0 and (np.diff(n) > 0).all()):
        raise ValueError(f"n={n.tolist()}, losses of shape {loss.shape}: n must be positive and increase, with a loss "
                         "for each; sort the curve by n")
    log_n = np.log(n)
    below = loss < 0.5
    first = below.argmax(-1)[..., None]
    before = np.maximum(first - 1, 0)
    y0, y1 = np.take_along_axis(loss, before, -1), np.take_along_axis(loss, first, -1)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where((first > 0) & np.isfinite(y0), (y0 - 0.5) / (y0 - y1), 1.0)
    crossing = np.exp(log_n[before] + share * (log_n[first] - log_n[before]))[..., 0]
    return np.where(below.any(-1), crossing, np.inf)


def slope(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Returns the exponent of a power law: least squares of log y (..., m) on log x (m,); (...)."""
    log_x = np.log(np.asarray(x, dtype=np.float64))
    centred = log_x - log_x.mean()
    return np.log(y) @ centred / (centred @ centred)


def local_slopes(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Returns the exponents between neighbouring points of a curve: x (m,), y (..., m) to (..., m − 1)."""
    return np.diff(np.log(np.asarray(y, dtype=np.float64)), axis=-1) / np.diff(np.log(np.asarray(x, np.float64)))


def bootstrap_means(values: np.ndarray, stream: int = 0) -> np.ndarray:
    """Returns means over resampled seeds, resampled independently at every n: (seeds, m) to (RESAMPLES, m).

    Args:
        values: (seeds, m).
        stream: seeds the generator; give each series its own.
    """
    rng = np.random.default_rng(stream)
    picks = rng.integers(0, len(values), size=(RESAMPLES, *values.shape))
    return np.take_along_axis(values[None], picks, axis=1).mean(1)


def interval(samples: np.ndarray) -> tuple[float, float]:
    """Returns the 2.5% and 97.5% quantiles of bootstrap samples (RESAMPLES,)."""
    low, high = np.quantile(samples, [0.025, 0.975], method="nearest")
    return float(low), float(high)


def curve(rows: pd.DataFrame, series: str, metric: str, x: str) -> tuple[np.ndarray, np.ndarray]:
    """Returns a series as x (m,) and its metric (seeds, m), seeds and x ascending, NaN where a run is missing."""
    mine = (rows["series"] == series).to_numpy()
    at, column = np.unique(rows[x].to_numpy()[mine], return_inverse=True)
    seeds, row = np.unique(rows["seed"].to_numpy()[mine], return_inverse=True)
    values = np.full((len(seeds), len(at)), np.nan)
    values[row, column] = rows[metric].to_numpy()[mine]
    return at, values


def rank_correlation(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Returns Spearman's rank correlation along the last axis, (..., m) to (...); 0 where all values are alike."""
    a, b = (r - r.mean(-1, keepdims=True) for r in (stats.rankdata(a, axis=-1), stats.rankdata(b, axis=-1)))
    size = np.sqrt((a**2).sum(-1) * (b**2).sum(-1))
    return np.where(size > 0, (a * b).sum(-1) / np.where(size > 0, size, 1.0), 0.0)


def paired(rows: pd.DataFrame, first: str, second: str, metric: str, x: str) -> tuple[float, float, float, float]:
    """Returns the geometric mean of first/second over pairs of one x and seed, its 95% t-interval, the p-value of < 1.

    Equal pairs have p = 1, pairs of one ratio below 1 have p = 0.

    Raises:
        ValueError: fewer than two pairs, or a value that is not a positive number.
    """
    table = rows.pivot(index=[x, "seed"], columns="series", values=metric)
    if not {first, second} <= set(table) or len(table[[first, second]].dropna()) < 2:
        raise ValueError(f"series {first!r} and {second!r}: fewer than two pairs of one seed")
    pairs = table[[first, second]].dropna()
    if not (pairs > 0).all(axis=None):
        raise ValueError(f"{metric}: a ratio needs positive values; {pairs.min(axis=None)} is none")
    logs = np.log(pairs[first] / pairs[second]).to_numpy()
    mean, se = logs.mean(), logs.std(ddof=1) / np.sqrt(len(logs))
    t, p = stats.t(len(logs) - 1), float(mean >= 0)
    if se > 0:
        p = t.cdf(mean / se)
    reach = t.ppf(0.975) * se
    return float(np.exp(mean)), float(np.exp(mean - reach)), float(np.exp(mean + reach)), max(float(p), LEAST_P)
