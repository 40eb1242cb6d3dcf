"""Numbers of learning curves, from plain arrays: n₅₀, exponents, intervals over seeds, paired comparisons."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

RESAMPLES = 2000
WIDENING = 0.5  # see `resampled_means`
LEAST_P = 1e-300  # p-values below it are not told apart


def n50(n: np.ndarray, loss: np.ndarray) -> np.ndarray:
    """Returns the n from which a learning curve stays below one half: its last crossing, linear in log n.

    It is n[0] for a curve that lies below one half from the start, and inf for one that does not end below it.

    Args:
        n: (m,) increasing.
        loss: (..., m) mean losses; NaN counts as not below.
    Returns:
        (...).
    Raises:
        ValueError: an n that is empty, not positive or does not increase, or losses of another length.
    Example:
        >>> float(n50([4, 16], [1.0, 0.0]))
        8.0
        >>> n50([4, 16, 64, 256], [1.0, 0.0, 1.0, 0.0]).round(6), first_crossing([4, 16, 64, 256], [1, 0, 1, 0])
        (128.0, array(8.))
    """
    n, loss = _curve(n, loss)
    below = loss < 0.5
    stays = np.logical_and.accumulate(below[..., ::-1], -1)[..., ::-1]
    return _crossing(n, loss, stays)


def first_crossing(n: np.ndarray, loss: np.ndarray) -> np.ndarray:
    """Returns the n at which a learning curve first falls below one half; see `n50`, which is the last."""
    n, loss = _curve(n, loss)
    return _crossing(n, loss, loss < 0.5)


def _curve(n: np.ndarray, loss: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A learning curve as arrays, checked."""
    loss, n = np.asarray(loss, dtype=np.float64), np.asarray(n, dtype=np.float64)
    if n.ndim != 1 or loss.shape[-1:] != n.shape or not n.size or not (n[0] > 0 and (np.diff(n) > 0).all()):
        raise ValueError(f"n={n.tolist()}, losses of shape {loss.shape}: n must be positive and increase, with a loss "
                         "for each; sort the curve by n")
    return n, loss


def _crossing(n: np.ndarray, loss: np.ndarray, reached: np.ndarray) -> np.ndarray:
    """Where the line to the first n that is `reached` (..., m) passes one half; inf where none is."""
    log_n = np.log(n)
    first = reached.argmax(-1)[..., None]
    before = np.maximum(first - 1, 0)
    y0, y1 = np.take_along_axis(loss, before, -1), np.take_along_axis(loss, first, -1)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where((first > 0) & np.isfinite(y0), (y0 - 0.5) / (y0 - y1), 1.0)
    crossing = np.exp(log_n[before] + share * (log_n[first] - log_n[before]))[..., 0]
    return np.where(reached.any(-1), crossing, np.inf)


def slope(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Returns the exponent of a power law: least squares of log y (..., m) on log x (m,); (...)."""
    log_x = np.log(np.asarray(x, dtype=np.float64))
    centred = log_x - log_x.mean()
    return np.log(y) @ centred / (centred @ centred)


def local_slopes(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Returns the exponents between neighbouring points of a curve: x (m,), y (..., m) to (..., m − 1)."""
    return np.diff(np.log(np.asarray(y, dtype=np.float64)), axis=-1) / np.diff(np.log(np.asarray(x, np.float64)))


def mean_interval(values: np.ndarray, other: np.ndarray | None = None) -> tuple[float, float]:
    """Returns Student's 95% interval of a mean over seeds, or Welch's of the difference of two means.

    A single seed has no interval: −inf to inf.

    Args:
        values: (seeds,).
        other: (its seeds,), whose mean is subtracted.
    Example:
        >>> mean_interval([1.0, 2.0, 3.0])  # 2 ± 4.30 · 1/√3
        (-0.484..., 4.484...)
    """
    groups = [np.asarray(group, dtype=np.float64) for group in (values, other) if group is not None]
    if min(map(len, groups)) < 2:
        return -np.inf, np.inf
    centre = float(groups[0].mean() - sum(group.mean() for group in groups[1:]))
    parts = np.array([group.var(ddof=1) / len(group) for group in groups])
    freedom = np.array([len(group) - 1 for group in groups])
    if not parts.sum() > 0:
        return centre, centre
    reach = float(stats.t.ppf(0.975, parts.sum() ** 2 / (parts**2 / freedom).sum()) * np.sqrt(parts.sum()))
    return centre - reach, centre + reach


def resampled_means(values: np.ndarray, stream: int = 0, freedom: float | None = None) -> np.ndarray:
    """Returns mean curves over whole seeds, weighed at random: (seeds, m) to (RESAMPLES, m).

    Every draw adds to the mean curve a combination of the seeds' deviations from it, Gaussian weights over the root of
    a χ²: a value at one n then has Student's distribution about the mean, and what a seed has in common at several n
    stays together. Quantiles of a function of the curve make its interval (`interval`). The deviations are widened by
    WIDENING / freedom, with which n₅₀, gains and exponents reach their 95% in simulations of three, five and ten seeds
    (tests/companion/test_coverage.py). Of one seed all draws are NaN.

    Args:
        values: (seeds, m).
        stream: seeds the generator; give each series its own.
        freedom: degrees of freedom of Student's distribution; seeds − 1 unless given. See `joint_freedom`.
    """
    values = np.asarray(values, dtype=np.float64)
    seeds, mean = len(values), values.mean(0)
    if seeds < 2:
        return np.full((RESAMPLES, *values.shape[1:]), np.nan)
    rng, freedom = np.random.default_rng(stream), freedom or seeds - 1
    scale = (seeds - 1) * rng.chisquare(freedom, (RESAMPLES, 1)) / freedom
    weights = rng.standard_normal((RESAMPLES, seeds)) / np.sqrt(seeds * scale)
    return mean + (1 + WIDENING / freedom) * weights @ (values - mean)


def joint_n50(curves: Sequence[tuple[np.ndarray, np.ndarray]]) -> list[np.ndarray]:
    """Returns resampled n₅₀, (RESAMPLES,) of each curve, for a product or quotient of them.

    What all have in common is the number of degrees of freedom: Welch's, from the spreads of their logarithms. With
    their own, the tails of several Student's distributions would add up to too wide an interval.

    Args:
        curves: n (m,) and losses (seeds, m) of each.
    """
    own = [len(values) - 1 for _, values in curves]
    alone = [n50(n, resampled_means(values, stream)) for stream, (n, values) in enumerate(curves)]
    spreads = np.array([_spread(samples) for samples in alone])
    if not (np.isfinite(spreads).all() and spreads.sum() > 0):
        return alone
    freedom = float(spreads.sum() ** 2 / (spreads**2 / own).sum())
    return [n50(n, resampled_means(values, stream, freedom)) for stream, (n, values) in enumerate(curves)]


def _spread(samples: np.ndarray) -> float:
    """The squared interquartile range of the logarithms; inf where a quartile is."""
    low, high = np.quantile(samples, [0.25, 0.75], method="nearest")
    return float(np.log(high / low) ** 2) if np.isfinite(low) and np.isfinite(high) else np.inf


def quotient(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    """Returns top / bottom, which is 0 where the bottom is never reached."""
    with np.errstate(invalid="ignore"):
        return np.where(np.isinf(bottom), 0.0, np.asarray(top) / bottom)


def interval(samples: np.ndarray) -> tuple[float, float]:
    """Returns the 2.5% and 97.5% quantiles of resampled values (RESAMPLES,); −inf to inf where one is NaN."""
    if np.isnan(samples).any():
        return -np.inf, np.inf
    low, high = np.quantile(samples, [0.025, 0.975], method="nearest")
    return float(low), float(high)


def rank_interval(correlation: float, count: int) -> tuple[float, float]:
    """Returns the 95% interval of Spearman's rank correlation of `count` pairs, after Bonett and Wright (2000).

    Fisher's transform is normal about the true value's with variance (1 + ρ²/2) / (n − 3). A perfect correlation
    counts as halfway to the next smaller one there is. Fewer than four pairs say nothing: −1 to 1.
    """
    if count < 4:
        return -1.0, 1.0
    most = 1 - 6 / (count * (count**2 - 1))
    rho = min(max(correlation, -most), most)
    reach = stats.norm.ppf(0.975) * np.sqrt((1 + rho**2 / 2) / (count - 3))
    low, high = np.tanh(np.arctanh(rho) + np.array([-reach, reach]))
    return float(min(low, correlation)), float(max(high, correlation))


def power(first: int, second: int | None, level: float, difference: float = 3.0) -> float:
    """Returns the probability that a one-sided t-test finds a difference of so many standard deviations.

    Args:
        first: seeds of the one group.
        second: of the other; None for a test of `first` paired differences.
        level: the p-value below which it counts as found.
        difference: in standard deviations.
    Example:
        >>> round(power(3, 3, 0.01), 2), round(power(5, 5, 0.01), 2)
        (0.63, 0.96)
    """
    freedom = first + second - 2 if second else first - 1
    if freedom < 1:
        return 0.0
    shift = difference / np.sqrt(1 / first + 1 / second) if second else difference * np.sqrt(first)
    return float(stats.nct.sf(stats.t.ppf(1 - level, freedom), freedom, shift))


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
