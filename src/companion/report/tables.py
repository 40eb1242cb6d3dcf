"""Tables of a report: the values behind a figure, folded; our curves beside the paper's."""

import html
import re
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from IPython.display import HTML
from matplotlib.figure import Figure

from ..experiments import experiment
from ..figures.points import curves
from ..formats import NONE, about, crossing, short, spread
from ..published import published
from ..statistics import n50
from ..summaries import distances, n50_table, summary

Format = str | Callable[[float], str]
VALUES = "The values"


def table(frame: pd.DataFrame, formats: Mapping[str, Format] | None = None) -> HTML:
    """Returns a table that scrolls within itself where the page is narrow.

    Args:
        frame: the cells.
        formats: column → a format such as ".2f", ",.0f" or ".0%", or a function of the value. None and NaN become –, an
            infinite number becomes ∞, and strings stay as they are.
    """
    return HTML(_table(frame, formats))


def fold(title: str, frame: pd.DataFrame, formats: Mapping[str, Format] | None = None) -> HTML:
    """Returns a table that opens at a click on its title; otherwise as `table`."""
    opening = f'<details class="values"><summary>{html.escape(title)}</summary>'
    return HTML(f"{opening}{_table(frame, formats)}</details>")


def _table(frame: pd.DataFrame, formats: Mapping[str, Format] | None) -> str:
    shown = {column: [_cell(value, form) for value in frame[column]] for column, form in (formats or {}).items()}
    lines = frame.assign(**shown).to_html(index=False, border=0, classes="values")
    rows = re.sub(r"\n\s*(?=<t[dh]|</tr)", "", lines)  # a row a line, not a cell a line
    return f'<div class="scroll">{rows}</div>'


def _cell(value: object, form: Format) -> str:
    if isinstance(value, str):
        return value
    if value is None or np.isnan(value):  # type: ignore[call-overload]
        return NONE
    if not isinstance(form, str):
        return form(value)  # type: ignore[arg-type]
    return str(value).replace("inf", "∞") if np.isinf(value) else format(value, form)  # type: ignore[call-overload]


def points_table(figure: Figure) -> HTML:
    """Returns what the points of a figure say, in a fold: for a figure whose rows no other table has."""
    lines = [(curve.name, *words) for curve in curves(figure) for words in curve.words]
    return fold(VALUES, pd.DataFrame(lines, columns=["series", "at", "value"]))


def values_table(name: str, rows: pd.DataFrame, metric: str = "test_loss") -> HTML:
    """Returns a figure's values in a fold: ours at the best validation epoch and at the last, and the paper's.

    Args:
        name: the experiment.
        rows: of it.
        metric: what is drawn; its values at the last epoch stand in the column final_ of the same name.
    """
    e = experiment(name)
    best, last = summary(name, rows, metric), summary(name, rows, f"final_{metric}")
    frame = pd.DataFrame({
        "network": best["series"], e.x: best[e.x], "ours": _with_errors(best, spread),
        "ours, last epoch": _with_errors(last, spread), "seeds": best["seeds"],
    })
    if e.published:
        papers = {series: published(name, series).set_index("x")["y"] for series in e.series}
        paper = [papers[series].get(x, np.nan) for series, x in zip(best["series"], best[e.x], strict=True)]
        frame.insert(3, "paper", paper)
    return fold(VALUES, frame, {e.x: short, **({"paper": ".3f"} if e.published else {})})


def scaling_table(name: str, rows: pd.DataFrame, metrics: Mapping[str, str]) -> HTML:
    """Returns the values of some metrics in a fold, mean ± standard error over seeds.

    Args:
        name: the experiment.
        rows: of it.
        metrics: metric → heading.
    """
    e = experiment(name)
    summaries = {heading: summary(name, rows, metric) for metric, heading in metrics.items()}
    first = next(iter(summaries.values()))
    columns = {heading: _with_errors(values, about) for heading, values in summaries.items()}
    return fold(VALUES, first[["series", e.x]].assign(**columns, seeds=first["seeds"]), {e.x: short})


def _with_errors(values: pd.DataFrame, form: Callable[[float, float], str]) -> list[str]:
    """Mean ± standard error in words, of a table as `companion.summaries.summary` gives it."""
    return [form(mean, se) for mean, se in zip(values["mean"], values["se"], strict=True)]


def n50_frame(name: str, rows: pd.DataFrame, metric: str = "test_loss") -> pd.DataFrame:
    """Returns n₅₀ of every series with its 95% interval in words, and the paper's if it has curves.

    It is a bound, ≤ or >, where the curve crosses outside the n that all seeds have. Where the mean falls below
    one half and rises again, the first crossing stands beside the last. A single seed has no interval.
    """
    found = n50_table(name, rows, metric)
    frame = pd.DataFrame({
        "network": found["series"],
        "n₅₀": [crossing(r.n50, r.first, r.last) + (f" (first {crossing(r.once, r.first, r.last)})"
                if r.once < r.n50 else "") for r in found.itertuples()],
        "95% interval": [NONE if np.isneginf(r.low) else
                         f"{crossing(r.low, r.first, r.last)} to {crossing(r.high, r.first, r.last)}"
                         for r in found.itertuples()]})
    papers = {series: published(name, series) for series in found["series"]}
    if any(len(curve) for curve in papers.values()):
        frame["n₅₀, paper"] = [_crossing(curve, "y") if len(curve) else NONE for curve in papers.values()]
    return frame


def n50_in_words(table: pd.DataFrame) -> pd.DataFrame:
    """Returns a table with the columns of `companion.summaries.n50_table` as a page shows it.

    n50 and the interval are words: bounds, ≤ or >, beyond the measured n.
    """
    ends = list(zip(table["first"], table["last"], strict=True))
    half, low, high = ([crossing(value, *end) for value, end in zip(table[column], ends, strict=True)]
                       for column in ("n50", "low", "high"))
    shown = table.assign(n50=half, low=[f"{a} to {b}" for a, b in zip(low, high, strict=True)])
    return shown.rename(columns={"low": "95% interval"}).drop(columns=["high", "first", "last"])


def fit_table(name: str, rows: pd.DataFrame, metric: str = "test_loss") -> HTML:
    """Returns how near our mean curves are to the paper's: a row for each series that has both, over the n of both.

    n₅₀ is that of the whole curve, of ours as far as it goes: > the largest n where it does not fall below one half.
    """
    ours, lines = summary(name, rows, metric).rename(columns={experiment(name).x: "x"}), []
    for series, both in distances(name, rows, metric).groupby("series", sort=False):
        off = both.set_index("x")["off"]
        farthest = off.abs().idxmax()
        lines.append({
            "network": series, "n compared": f"{off.index.min():g} to {off.index.max():g}",
            "n₅₀": _crossing(ours[ours["series"] == series], "mean"),
            "n₅₀, paper": _crossing(published(name, str(series)), "y"),
            "mean distance": off.abs().mean(),
            "largest distance of ours":
                f"{abs(off[farthest]):.2f} {'higher' if off[farthest] > 0 else 'lower'}, n = {farthest:g}"})
    columns = ["network", "n compared", "n₅₀", "n₅₀, paper", "mean distance", "largest distance of ours"]
    return table(pd.DataFrame(lines, columns=columns), {"mean distance": ".2f"})


def _crossing(curve: pd.DataFrame, y: str) -> str:
    """n₅₀ of a curve with columns x and y, in words."""
    x = curve["x"].to_numpy()
    return crossing(float(n50(x, curve[y].to_numpy())), x[0], x[-1])
