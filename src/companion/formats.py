"""How numbers are written on pages, in figures and in tables: digits, spreads, bounds."""

import numpy as np

from .statistics import LEAST_P

NONE = "–"


def number(value: float | None) -> str:
    """Returns three significant digits, thousands with commas.

    It is – for none, ∞ for what is never reached, and ≤ 1e-300 where p-values end.
    """
    if value is None:
        return NONE
    if 0 < value <= LEAST_P:
        return f"≤ {LEAST_P:g}"
    return "∞" if np.isinf(value) else f"{value:#.3g}".rstrip(".") if abs(value) < 999.5 else f"{value:,.0f}"


def short(x: float) -> str:
    """Returns a value of an axis: 3e-05, 4096, 1,000,000."""
    return f"{x:g}" if x < 1e4 else f"{x:,.0f}"


def digits(value: float) -> str:
    """Returns four significant digits, or a large number with its thousands: what a point of a figure says."""
    return f"{value:.4g}" if abs(value) < 1e4 else f"{value:,.0f}"


def spread(mean: float, se: float) -> str:
    """Returns mean ± standard error to three places; of one seed, which has no standard error, the mean alone."""
    return f"{mean:.3f}" if np.isnan(se) else f"{mean:.3f} ± {se:.3f}"


def about(mean: float, se: float) -> str:
    """Returns mean ± standard error to three significant digits each; of one seed the mean alone."""
    return number(mean) if np.isnan(se) else f"{number(mean)} ± {number(se)}"


def crossing(n50: float, first: float, last: float) -> str:
    """Returns n₅₀, or the bound that it is where the curve crosses one half outside the measured n: ≤ 16, > 8,192.

    Args:
        n50: as `companion.statistics.n50` gives it.
        first: the smallest n measured.
        last: the largest.
    """
    if n50 <= first:
        return f"≤ {first:,.0f}"
    return f"> {last:,.0f}" if n50 > last else f"{n50:,.0f}"


def bounded(value: float | None, bounds: tuple[float, float]) -> str:
    """Returns a number as `number` does, or the bound that it is: ≤ the first of `bounds`, > the second."""
    if value is None or bounds[0] < value <= bounds[1]:
        return number(value)
    return f"≤ {number(bounds[0])}" if value <= bounds[0] else f"> {number(bounds[1])}"


def between(low: float | None, high: float | None, bounds: tuple[float, float] = (-np.inf, np.inf)) -> str:
    """Returns an interval in brackets, its ends as `bounded` writes them; empty where there is none."""
    return "" if low is None else f"[{bounded(low, bounds)}, {bounded(high, bounds)}]"


def seeds(count: int) -> str:
    """Returns a number of seeds in words: 1 seed, 5 seeds."""
    return "1 seed" if count == 1 else f"{count} seeds"


def plain(metric: str) -> str:
    """Returns a metric's name in words: test loss for test_loss."""
    return metric.replace("_", " ")
