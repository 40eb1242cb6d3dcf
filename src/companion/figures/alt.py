"""Text alternatives of figures, in words made from the rows that they draw."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ..experiments import experiment
from ..formats import number, plain
from ..published import published, published_n50
from ..statistics import n50
from ..summaries import summary


def alt_text(name: str, rows: pd.DataFrame, metric: str = "test_loss", *, series: Sequence[str] | None = None) -> str:
    """Returns what the learning curves show: first value, last value and n₅₀ of every series.

    Where x is not n, it is the least value.

    Args:
        name: the experiment.
        rows: of it.
        metric: what is drawn.
        series: only these.
    """
    e = experiment(name)
    wanted = [s for s in e.series if series is None or s in series]
    rows = rows[rows["series"].isin(wanted)]
    parts = [f"Line chart: {plain(metric)} against {e.x} for {e.title}."]
    for s, curve in summary(name, rows, metric).groupby("series", sort=False):
        x, loss = curve[e.x].to_numpy(), curve["mean"].to_numpy()
        if e.x == "n":
            parts.append(f"{s}: {loss[0]:.2f} at n = {x[0]}, {loss[-1]:.2f} at n = {x[-1]}, "
                         f"{_half(x, loss)}{_papers_half(name, str(s))}.")
        else:
            parts.append(f"{s}: least, {loss.min():.2f}, at {e.x} = {x[loss.argmin()]:g}.")
    if lacking := [s for s in wanted if s not in set(rows["series"])]:
        parts.append(f"No run is done yet: {', '.join(lacking)}.")
    return " ".join(parts)


def _half(n: np.ndarray, loss: np.ndarray) -> str:
    """Where a curve (m,) falls below one half."""
    if loss[0] < 0.5:
        return "below one half from the start"
    half = float(n50(n, loss))
    return f"falls below one half at n = {half:.0f}" if np.isfinite(half) else "not below one half up to there"


def _papers_half(name: str, series: str) -> str:
    """The same of the paper's curve, '' without one."""
    if published(name, series).empty:
        return ""
    paper = published_n50(name, series)
    return f" (paper: {f'n = {paper:.0f}' if np.isfinite(paper) else 'not below it'})"


def scaling_alt(name: str, rows: pd.DataFrame, metric: str, what: str) -> str:
    """Returns what `scaling` shows: first and last value of every series.

    Args:
        name: the experiment.
        rows: of it.
        metric: what is drawn.
        what: the figure's subject, such as "error against n".
    """
    e = experiment(name)
    parts = [f"Line chart: {what} for {e.title}."]
    for series, curve in summary(name, rows, metric).groupby("series", sort=False):
        x, y = curve[e.x].to_numpy(), curve["mean"].to_numpy()
        parts.append(f"{series}: {number(y[0])} at {e.x} = {x[0]:g}, {number(y[-1])} at {e.x} = {x[-1]:g}.")
    return " ".join(parts)
