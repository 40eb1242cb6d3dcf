"""Figures and tables of the book: our curve with its band, the paper's curve behind it, the same values as a table.

Every figure carries a text alternative made from its data, and where its points lie in the picture and what they say:
the pages show that beside a point under the mouse, finger or keyboard. Used by the chapters; knows nothing of training.
"""

import html
import io
import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from IPython.display import HTML, display
from matplotlib.axis import Axis
from matplotlib.collections import PathCollection, QuadMesh
from matplotlib.container import BarContainer, ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FuncFormatter
from scipy import stats

from . import claims, experiments

MARKERS = ("o", "s", "D", "^", "v", "P", "X", "*", "p", "h", "<", ">")
PAPER = "0.62"  # the grey of the paper's curves
REFERENCE = "0.25"  # of our own curves that others are compared with
NO_RUN = "no run is done yet"
PAPERS = "the paper's"
PAPER_WORDS = f"{PAPERS} (same marker)"  # in every legend
X_WORDS = {"n": "n = training strings = training symbols", "lr": "learning rate"}
_CLASS = {"held": "held", "held in part": "part", "not held": "not-held", "not tested": "not-tested"}


def style() -> None:
    """The book's figure style: seaborn's colour-blind palette on an opaque white ground."""
    sns.set_theme(context="notebook", style="whitegrid", palette="colorblind", rc={
        "figure.figsize": (6.0, 4.4), "figure.dpi": 100, "savefig.dpi": 200, "figure.facecolor": "white",
        "savefig.facecolor": "white", "axes.spines.top": False, "axes.spines.right": False,
        "grid.color": "0.92", "font.size": 12, "legend.frameon": False, "figure.constrained_layout.use": True,
    })


def show(figure: Figure, alt: str) -> None:
    """Display a figure as a picture with its text alternative and its points (see `points`), and close it."""
    buffer = io.BytesIO()
    with plt.rc_context({"savefig.bbox": None}):  # a trimmed picture would have its points elsewhere
        figure.savefig(buffer, format="png", metadata={"Software": None})
    about = {"alt": alt, "width": round(figure.get_size_inches()[0] * figure.dpi)}
    if curves := points(figure):
        about["points"] = curves
    plt.close(figure)
    display({"image/png": buffer.getvalue(), "text/plain": alt}, metadata={"image/png": about}, raw=True)


@dataclass(frozen=True)
class _Curve:
    """Points of one series, and what each says: the words of its x and of its y."""

    axes: int  # which of the figure's; they themselves would keep the figure alive
    name: str
    x: Sequence[float]
    y: Sequence[float]
    words: list[tuple[str, str]]
    cells: list[tuple[float, float]] | None = None  # width and height, where a point stands for an area


_CURVES: WeakKeyDictionary[Figure, list[_Curve]] = WeakKeyDictionary()
_MOST = 60  # points of a line without markers: its data are so dense that they show no single ones


def points(figure: Figure) -> list[dict]:
    """The figure's points, as it was drawn last: curves {"name": series, "points": [[left, top, words of x, of y], …]}.

    left and top are fractions of the picture's width and height; the point of a cell or bar has its width and height,
    too, as fractions. Points without a value or outside the axes are left out.
    """
    curves = []
    for curve in sorted(_curves(figure), key=lambda curve: curve.name.endswith((" (paper)", PAPERS))):  # ours first
        ax, at = figure.axes[curve.axes], np.column_stack([curve.x, curve.y]).astype(float)
        to_shares = ax.transData + figure.transFigure.inverted()
        where, shares = ax.transData.transform(at), to_shares.transform(at)
        told = []
        for i, (left, up) in enumerate(shares):
            if np.isfinite(where[i]).all() and ax.bbox.padded(1).contains(*where[i]):
                area = []
                if curve.cells:
                    half = np.array(curve.cells[i]) / 2
                    area = np.abs(np.subtract(*to_shares.transform([at[i] + half, at[i] - half])))
                told.append([round(float(left), 4), round(1 - float(up), 4), *curve.words[i],
                             *(round(float(side), 4) for side in area)])
        if told:
            curves.append({"name": curve.name, "points": told})
    return curves


def points_table(figure: Figure) -> HTML:
    """What the points of a figure say, in a folded table: for a figure whose rows no other table has."""
    lines = [(curve.name, *words) for curve in _curves(figure) for words in curve.words]
    return fold("The values", pd.DataFrame(lines, columns=["series", "at", "value"]))


def _curves(figure: Figure) -> list[_Curve]:
    """The points that were marked; of axes where none was, those that can be read off what is drawn there."""
    marked = _CURVES.get(figure, [])
    done = {curve.axes for curve in marked}
    others = [(ax, place) for place, ax in enumerate(figure.axes) if place not in done]
    return [*marked, *(curve for ax, place in others for curve in _read(ax, place))]


def _mark(ax: plt.Axes, name: str, x: Iterable[float], y: Iterable[float], words: Iterable[tuple[str, str]],
          cells: Iterable[tuple[float, float]] | None = None) -> None:
    """Remember points that were drawn in these axes, for `points`. Args: cells, (width, height) in the data's units."""
    place = ax.figure.axes.index(ax)
    curve = _Curve(place, name, list(x), list(y), list(words), list(cells) if cells is not None else None)
    _CURVES.setdefault(ax.figure, []).append(curve)


def _read(ax: plt.Axes, place: int) -> list[_Curve]:
    """The points of what has a label in these axes (lines, error bars, dots, bars), and the cells of heat maps.

    Frames without axes are diagrams, and lines that are no data (`axhline`, `axline`) lie elsewhere than in the data's
    coordinates: neither has points.
    """
    if not ax.axison or ax.get_label() == "<colorbar>":
        return []
    title = next((words for loc in ("center", "left", "right") if (words := ax.get_title(loc))), "").split("\n")[0]
    across, up = _word(ax, "x"), _word(ax, "y")
    found = []

    def add(label: str, at: np.ndarray) -> None:
        if not label.startswith("_"):
            words = [(f"{across} = {_digits(x)}", f"{up} = {_digits(y)}") for x, y in at]
            found.append(_Curve(place, ", ".join(filter(None, (title, label))), *at.T, words))

    for line in ax.lines:
        if line.get_transform() == ax.transData:
            at = np.asarray(line.get_xydata(), float)
            dense = len(at) > _MOST and line.get_marker() in ("None", "none", "", " ", None)
            add(line.get_label(), at[np.linspace(0, len(at) - 1, _MOST).round().astype(int)] if dense else at)
    for container in ax.containers:
        if isinstance(container, ErrorbarContainer) and container.lines[0] is not None:
            add(container.get_label(), np.asarray(container.lines[0].get_xydata(), float))
        elif isinstance(container, BarContainer) and not container.get_label().startswith("_"):
            found.append(_bars(ax, place, container, title))
    for drawn in (*ax.collections, *ax.images):
        if isinstance(drawn, PathCollection):
            add(drawn.get_label(), np.asarray(np.ma.filled(drawn.get_offsets().astype(float), np.nan)))
        elif isinstance(drawn, QuadMesh) or drawn in ax.images and np.ndim(drawn.get_array()) == 2:
            found += _cells(ax, place, drawn, title)
    return found


def _bars(ax: plt.Axes, place: int, bars: BarContainer, title: str) -> _Curve:
    """A point in the middle of each bar."""
    middles = np.array([(bar.get_x() + bar.get_width() / 2, bar.get_y() + bar.get_height() / 2) for bar in bars])
    sizes = np.array([(bar.get_width(), bar.get_height()) for bar in bars])
    along, over = (0, 1) if bars.orientation == "vertical" else (1, 0)
    names = _places((ax.xaxis, ax.yaxis)[along], middles[:, along])
    words = [(f"{_word(ax, 'xy'[along])} = {name}", f"{_word(ax, 'xy'[over])} = {_digits(size)}")
             for name, size in zip(names, sizes[:, over], strict=True)]
    return _Curve(place, ", ".join(filter(None, (title, bars.get_label()))), *middles.T, words,
                  [tuple(size) for size in np.abs(sizes)])


def _cells(ax: plt.Axes, place: int, drawn: plt.matplotlib.cm.ScalarMappable, title: str) -> list[_Curve]:
    """A point in the middle of each cell of a mesh or image that has a value, a curve a row."""
    values = np.ma.filled(np.ma.asarray(drawn.get_array()).astype(float), np.nan)
    if isinstance(drawn, QuadMesh):
        corners = drawn.get_coordinates()
        x, y = corners[0, :, 0], corners[:, 0, 1]
        values = values.reshape(len(y) - 1, len(x) - 1)
    else:
        left, right, bottom, top = drawn.get_extent()
        x = np.linspace(left, right, values.shape[1] + 1)
        y = np.linspace(*((top, bottom) if drawn.origin == "upper" else (bottom, top)), len(values) + 1)
    middles = [(edges[1:] + edges[:-1]) / 2 for edges in (x, y)]
    rows, columns = (
        [f"{word} = {name}" if (word := _word(ax, which)) else f"{otherwise}: {name}" for name in _places(axis, at)]
        for which, otherwise, axis, at in (("y", "row", ax.yaxis, middles[1]), ("x", "column", ax.xaxis, middles[0])))
    bars = [bar for bar in ax.figure.axes if bar.get_label() == "<colorbar>"]
    of = bars[0].get_xlabel() or bars[0].get_ylabel() if bars else ""
    found = []
    for i, row in enumerate(rows):
        known = np.flatnonzero(np.isfinite(values[i]))
        words = [(columns[j], f"{of} = {_digits(values[i, j])}" if of else _digits(values[i, j])) for j in known]
        sizes = [(abs(x[j + 1] - x[j]), abs(y[i + 1] - y[i])) for j in known]
        found.append(_Curve(place, ", ".join(filter(None, (title, row))), middles[0][known],
                            np.full(len(known), middles[1][i]), words, sizes))
    return found


def _word(ax: plt.Axes, which: str) -> str:
    """What an axis is called, x or y: its label, that of axes which share it, or the figure's."""
    axes = [ax, *getattr(ax, f"get_shared_{which}_axes")().get_siblings(ax)]
    labels = [*(getattr(one, f"get_{which}label")() for one in axes), getattr(ax.figure, f"get_sup{which}label")()]
    return next((label for label in labels if label), "").split(" = ")[0]


def _places(axis: Axis, at: np.ndarray) -> list[str]:
    """What places along an axis are called: their tick labels, else the numbers there, or 1, 2, … of named ones."""
    ticks, names = axis.get_majorticklocs(), axis.get_major_formatter()
    labels = {round(float(x), 6): label for x, label in zip(ticks, names.format_ticks(ticks), strict=True)}
    counted = not labels or isinstance(names, (FixedFormatter, FuncFormatter))
    return [labels.get(round(float(x), 6)) or (str(i) if counted else _digits(x)) for i, x in enumerate(at, start=1)]


def _digits(value: float) -> str:
    return f"{value:.4g}" if abs(value) < 1e4 else f"{value:,.0f}"


def _mark_ours(ax: plt.Axes, name: str, curve: pd.DataFrame, x: str, metric: str, *,
               said: Callable[[float, float], str] | None = None) -> None:
    """Points of a curve as in `summary`; of 0 seeds nothing is said. Args: said, (mean, se) → words."""
    words = []
    for at, mean, se, seeds in zip(curve[x], curve["mean"], curve["se"], curve["seeds"], strict=True):
        of = f", {_seeds(seeds)}" if seeds else ""
        words.append((f"{x} = {_short(at)}", f"{'mean ' * (seeds > 1)}{metric} {(said or _spread)(mean, se)}{of}"))
    _mark(ax, name, curve[x], curve["mean"], words)


def _mark_papers(ax: plt.Axes, name: str, curve: pd.DataFrame, x: str, metric: str) -> None:
    """Points of a curve as in `claims.published`."""
    _mark(ax, f"{name} (paper)", curve["x"], curve["y"],
          [(f"{x} = {_short(at)}", f"{metric} {y:.3f}") for at, y in zip(curve["x"], curve["y"], strict=True)])


def _short(x: float) -> str:
    return f"{x:g}" if x < 1e4 else f"{x:,.0f}"


def _seeds(count: int) -> str:
    return "1 seed" if count == 1 else f"{count} seeds"


def summary(name: str, rows: pd.DataFrame, metric: str = "test_loss") -> pd.DataFrame:
    """Our curves: series, x, mean, se (standard error over seeds) and the number of seeds, in the legend's order."""
    e = experiments.experiment(name)
    table = rows.groupby(["series", e.x], sort=False)[metric].agg(["mean", "sem", "count"]).reset_index()
    table["series"] = pd.Categorical(table["series"], list(e.series))
    table = table.sort_values(["series", e.x], ignore_index=True).astype({"series": str})
    return table.rename(columns={"sem": "se", "count": "seeds"})


def learning_curves(name: str, rows: pd.DataFrame, metric: str = "test_loss",
                    ylabel: str = "test loss on unseen symbols", *, series: Sequence[str] | None = None,
                    ordered: bool = False) -> Figure:
    """An experiment's learning curves, mean ± 1 standard error over seeds, the paper's in grey behind them.

    A series keeps its colour and marker while others have no rows yet; of one without rows only the paper's is drawn.
    An open marker is a mean over fewer seeds than the experiment has.

    Args: series, only these; ordered, colours from dark to light instead of distinct ones, for series that are the
    values of one quantity.
    """
    e = experiments.experiment(name)
    wanted = [s for s in e.series if series is None or s in series]
    rows = rows[rows["series"].isin(wanted)]
    order = [s for s in wanted if s in set(rows["series"])]
    colors = dict(zip(wanted, _viridis(len(wanted)) if ordered else sns.color_palette(None, len(wanted)), strict=True))
    markers = dict(zip(wanted, MARKERS, strict=False))
    figure, ax = plt.subplots()
    if e.published:
        _draw_published(ax, name, markers, metric)
    means = summary(name, rows, metric)
    for s, curve in means.groupby("series", sort=False):
        _mark_ours(ax, s, curve, e.x, _plain(metric))
    if order:
        sns.lineplot(rows, x=e.x, y=metric, hue="series", style="series", hue_order=order, style_order=order,
                     palette=colors, markers=markers, dashes=False, errorbar="se", ax=ax, markersize=7)
    asked = e.seeds if isinstance(e.seeds, int) else means["series"].map(e.seeds)
    partial = means[means["seeds"] < asked]
    for s, few in partial.groupby("series"):
        ax.plot(few[e.x], few["mean"], markers[s], markersize=6, markerfacecolor="white", markeredgecolor=colors[s])
    ax.axhline(0.5, color="0.8", linewidth=0.8, zorder=0)
    if e.x == "n":
        ax.set_xscale("log", base=2)
        ax.xaxis.set_major_formatter("{x:.0f}")
    else:
        ax.set_xscale("log")
    if not order and not any(len(claims.published(name, s)) for s in wanted):
        ax.set_xlim(min(e.grid[e.x]), max(e.grid[e.x]))
        _say_no_run(ax)
    highest = rows.groupby(["series", e.x])[metric].mean().max()
    ax.set_ylim(-0.03, max(1.35, 1.08 * highest if order else 0))
    ax.set(xlabel=X_WORDS.get(e.x, e.x), ylabel=ylabel)
    handles, labels = ax.get_legend_handles_labels()
    if e.published and any(len(claims.published(name, s)) for s in order):
        handles.append(plt.Line2D([], [], color=PAPER, linestyle="--"))
        labels.append(PAPER_WORDS)
    if len(partial):
        handles.append(plt.Line2D([], [], color="0.3", marker="o", linestyle="", markerfacecolor="white"))
        labels.append("some seeds missing")
    if e.published:
        for s, marker in markers.items():
            if s not in order and len(claims.published(name, s)):
                handles.append(plt.Line2D([], [], color=PAPER, linestyle="--", marker=marker, markersize=5))
                labels.append(f"{s} (paper)")
    if order:
        ax.get_legend().remove()
    many = {"ncols": 3, "fontsize": 9, "handlelength": 1.6, "columnspacing": 1.0}  # or it is wider than the figure
    figure.legend(handles, labels, loc="outside upper left", **(many if len(handles) > 8 else {"ncols": 2}))
    return figure


def _viridis(count: int) -> list[tuple[float, float, float]]:
    """Colours from dark to light that all stand out from white: viridis without its yellow."""
    return sns.color_palette("viridis", count * 3 // 2 + 1)[:count]


def _say_no_run(ax: plt.Axes) -> None:
    ax.text(0.5, 0.6, NO_RUN, transform=ax.transAxes, ha="center", va="center", color="0.3")


def _plain(metric: str) -> str:
    return metric.replace("_", " ")


def _draw_published(ax: plt.Axes, name: str, markers: dict[str, str], metric: str) -> None:
    for series, marker in markers.items():
        curve = claims.published(name, series)
        _mark_papers(ax, series, curve, experiments.experiment(name).x, _plain(metric))
        ax.fill_between(curve["x"], curve["y_low"], curve["y_high"], color=PAPER, alpha=0.2, linewidth=0)
        ax.plot(curve["x"], curve["y"], color=PAPER, linestyle="--", marker=marker, markersize=5, linewidth=1.5)


def panels(name: str, rows: pd.DataFrame, references: dict[str, str], metric: str, ylabel: str) -> Figure:
    """Learning curves, a small panel for every series but the references, which are drawn in dark lines in all of them.

    Args: references, series → line style. Mean ± 1 standard error over seeds; all panels share their axes.
    """
    e, curves = experiments.experiment(name), dict(list(summary(name, rows, metric).groupby("series")))
    order = [series for series in e.series if series not in references]
    down = -(-len(order) // 3)
    figure, axes = plt.subplots(down, 3, sharex=True, sharey=True, squeeze=False, figsize=(6.0, 1.6 * down + 0.9))
    for ax in axes.flat[len(order):]:
        ax.axis("off")
    for ax, series in zip(axes.flat, order, strict=False):
        lines = {**{other: {"color": REFERENCE, "linestyle": style, "linewidth": 1.2}
                    for other, style in references.items()},
                 series: {"color": "C0", "marker": "o", "markersize": 5, "linewidth": 2}}
        for drawn, look in lines.items():
            if drawn in curves:
                c = curves[drawn]
                ax.errorbar(c[e.x], c["mean"], yerr=c["se"].fillna(0), **look)
                if drawn == series:
                    _mark_ours(ax, drawn, c, e.x, _plain(metric))
        ax.set_title(series, fontsize=11)
        ax.set(ylim=(-0.05, 1.1))
        ax.set_xscale("log", base=2)
        ax.xaxis.set_major_formatter("{x:.0f}")
        ax.tick_params(labelsize=9)
    figure.supxlabel("n = training strings", fontsize=12)
    figure.supylabel(ylabel, fontsize=12)
    handles = [plt.Line2D([], [], color=REFERENCE, linestyle=style, linewidth=1.2) for style in references.values()]
    figure.legend([*handles, plt.Line2D([], [], color="C0", marker="o")], [*references, "the panel's title"],
                  loc="outside upper left", ncols=3)
    return figure


def pairs(name: str, rows: pd.DataFrame, panels: dict[str, Sequence[str]], words: Sequence[str], *,
          papers: dict[str, pd.DataFrame] | None = None, metric: str = "test_loss",
          ylabel: str = "test loss on unseen symbols") -> Figure:
    """Learning curves, a panel for each group of series of one experiment, two in a row, on the same axes.

    Args: panels, title → its series; words, the legend's, one for each series of a panel; papers, series → the paper's
    curve (as `claims.published`), drawn in grey behind it. Mean ± 1 standard error over seeds.
    """
    e, curves = experiments.experiment(name), dict(list(summary(name, rows, metric).groupby("series")))
    down, papers = -(-len(panels) // 2), papers or {}
    figure, axes = plt.subplots(down, 2, sharex=True, sharey=True, squeeze=False, figsize=(6.0, 2.1 * down + 0.9))
    for ax, (title, group) in zip(axes.flat, panels.items(), strict=False):
        for i, series in enumerate(group):
            if series in papers:
                c = papers[series]
                ax.fill_between(c["x"], c["y_low"], c["y_high"], color=PAPER, alpha=0.2, linewidth=0)
                ax.plot(c["x"], c["y"], color=PAPER, linestyle="--", marker=MARKERS[i], markersize=4, linewidth=1.3)
                _mark_papers(ax, series, c, e.x, _plain(metric))
            if series in curves:
                c = curves[series]
                ax.errorbar(c[e.x], c["mean"], yerr=c["se"].fillna(0), color=f"C{i}", marker=MARKERS[i], markersize=5,
                            linewidth=2)
                _mark_ours(ax, series, c, e.x, _plain(metric))
        ax.axhline(0.5, color="0.8", linewidth=0.8, zorder=0)
        if not any(series in curves or series in papers for series in group):
            _say_no_run(ax)
        ax.set_title(title, fontsize=11)
        ax.set_xscale("log", base=2)
        ax.set_xticks(e.grid[e.x], [str(x) for x in e.grid[e.x]])
        ax.xaxis.set_minor_locator(plt.NullLocator())
        ax.tick_params(labelsize=9)
    highest = max([c["mean"].max() for c in curves.values()], default=0)
    axes[0, 0].set_ylim(-0.03, max(1.35, 1.08 * highest))
    for ax in axes.flat[len(panels):]:
        ax.axis("off")
    figure.supxlabel(X_WORDS.get(e.x, e.x), fontsize=12)
    figure.supylabel(ylabel, fontsize=12)
    handles = [plt.Line2D([], [], color=f"C{i}", marker=MARKERS[i]) for i in range(len(words))]
    paper = [plt.Line2D([], [], color=PAPER, linestyle="--")] if papers else []
    figure.legend([*handles, *paper], [*words, *[PAPER_WORDS] * bool(papers)], loc="outside upper left",
                  ncols=3)
    return figure


def alt_text(name: str, rows: pd.DataFrame, metric: str = "test_loss", *, series: Sequence[str] | None = None) -> str:
    """What the learning curves show, in words made from the rows: first and last value, and n₅₀, of every series; or,
    where x is not n, the least value. Args: series, only these."""
    e = experiments.experiment(name)
    wanted = [s for s in e.series if series is None or s in series]
    rows = rows[rows["series"].isin(wanted)]
    parts = [f"Line chart: {metric.replace('_', ' ')} against {e.x} for {e.title}."]
    for series, curve in summary(name, rows, metric).groupby("series", sort=False):
        n, loss = curve[e.x].to_numpy(), curve["mean"].to_numpy()
        if e.x != "n":
            parts.append(f"{series}: least, {loss.min():.2f}, at {e.x} = {n[loss.argmin()]:g}.")
            continue
        half = float(claims.n50(n, loss))
        crossing = f"falls below one half at n = {half:.0f}" if np.isfinite(half) else "not below one half up to there"
        crossing = "below one half from the start" if loss[0] < 0.5 else crossing
        text = f"{series}: {loss[0]:.2f} at n = {n[0]}, {loss[-1]:.2f} at n = {n[-1]}, {crossing}"
        if len(claims.published(name, series)):
            paper = claims.published_n50(name, series)
            text += f" (paper: {f'n = {paper:.0f}' if np.isfinite(paper) else 'not below it'})"
        parts.append(text + ".")
    lacking = [s for s in wanted if s not in set(rows["series"])]
    if lacking:
        parts.append(f"No run is done yet: {', '.join(lacking)}.")
    return " ".join(parts)


def scaling(name: str, rows: pd.DataFrame, metric: str, *, xlabel: str, ylabel: str,
            guides: Iterable[tuple[float, str]] = (), predicted: dict[str, tuple] | None = None,
            log_y: bool = True) -> Figure:
    """A metric against the experiment's x on logarithmic axes, mean ± 1 standard error over seeds.

    Args: guides, (exponent, label): dotted lines of these slopes, through the last point of the first series drawn;
    predicted, series → (x, y): dashed lines.
    """
    e = experiments.experiment(name)
    order = [s for s in e.series if s in set(rows["series"])]
    return power_laws(rows, e.x, metric, order, xlabel=xlabel, ylabel=ylabel, guides=guides, predicted=predicted,
                      log_y=log_y)


def power_laws(rows: pd.DataFrame, x: str, y: str, order: Sequence[str], *, xlabel: str, ylabel: str,
               guides: Iterable[tuple[float, str]] = (), predicted: dict[str, tuple] | None = None,
               log_y: bool = True) -> Figure:
    """A column against another, a line each `series` in this order, on logarithmic axes; otherwise as `scaling`.

    The series "the paper's" is drawn as the paper's curves are everywhere: grey and dashed.
    """
    figure, ax = plt.subplots()
    if rows.empty:
        ax.text(0.5, 0.5, "no run is done yet", transform=ax.transAxes, ha="center")
        return figure
    ours = [s for s in order if s != PAPERS]
    colors = {s: PAPER if s == PAPERS else f"C{ours.index(s)}" for s in order}
    sns.lineplot(rows, x=x, y=y, hue="series", style="series", hue_order=order, style_order=order, palette=colors,
                 markers=list(MARKERS[:len(order)]), dashes={s: (4, 1.5) if s == PAPERS else "" for s in order},
                 errorbar="se", ax=ax, markersize=7)
    ax.set(xlabel=xlabel, ylabel=ylabel, xscale="log")  # only now, or seaborn would draw geometric means
    if log_y:
        ax.set_yscale("log")
    at = sorted(set(rows[x]))
    if at[-1] < 100 * at[0]:  # too few decades for powers of ten as labels
        ax.set_xticks(at, [f"{value:g}" for value in at])
        ax.xaxis.set_minor_locator(plt.NullLocator())
    xword, yword = (label.split(" = ")[0].split(", ")[0] for label in (xlabel, ylabel))
    for series in order:
        mine = rows[rows["series"] == series]
        curve = mine.groupby(x)[y].agg(["mean", "sem"]).reset_index().rename(columns={x: xword, "sem": "se"})
        seeds = mine.groupby(x)["seed"].nunique().to_numpy() if "seed" in mine else 0  # no seeds: made of other rows
        _mark_ours(ax, series, curve.assign(seeds=seeds), xword, yword, said=_about)
    limits = ax.get_ylim()
    for series, (at, values) in (predicted or {}).items():
        if series in order:
            ax.plot(at, values, color=colors[series], linestyle="--", linewidth=1.3, zorder=1)
            _mark(ax, f"{series}, predicted", at, values, [
                (f"{xword} = {_digits(a)}", f"{yword} {number(b)}") for a, b in zip(at, values, strict=True)])
    curve = rows[rows["series"] == order[0]].groupby(x)[y].mean()
    for (exponent, label), style in zip(guides, (":", "-."), strict=False):
        ax.plot(curve.index, curve.iloc[-1] * (curve.index / curve.index[-1]) ** exponent, color="0.35",
                linestyle=style, linewidth=1.3, label=label, zorder=1)
    ax.set_ylim(limits)
    handles, labels = ax.get_legend_handles_labels()
    if predicted:
        handles.append(plt.Line2D([], [], color="0.35", linestyle="--", linewidth=1.3))
        labels.append("predicted (same colour)")
    ax.get_legend().remove()
    figure.legend(handles, labels, loc="outside upper left", ncols=2)
    return figure


def dots(table: pd.DataFrame, x: str, y: str, hue: str, *, law: tuple, label: str, xlabel: str, ylabel: str) -> Figure:
    """One dot a row of a table, spread sideways at each x, and a predicted line, law = (x, y), with its label."""
    figure, ax = plt.subplots()
    rng = np.random.default_rng(0)
    for color, (kind, rows) in enumerate(table.groupby(hue, sort=False)):
        spread = 2 ** rng.uniform(-0.3, 0.3, len(rows))
        ax.plot(rows[x] * spread, rows[y], MARKERS[color], color=f"C{color}", markersize=4, alpha=0.5, label=kind)
        _mark(ax, str(kind), rows[x] * spread, rows[y],  # where they stand is not where they belong
              [(f"{xlabel} = {_digits(a)}", f"{ylabel} = {_digits(b)}") for a, b in zip(rows[x], rows[y], strict=True)])
    _mark(ax, label, *law,
          [(f"{xlabel} = {_digits(a)}", f"{ylabel} = {_digits(b)}") for a, b in zip(*law, strict=True)])
    ax.plot(*law, color="0.1", linewidth=1.5, label=label)
    ax.axhline(0, color="0.7", linewidth=0.8, zorder=0)
    ax.set_xscale("log", base=2)
    at = sorted(set(table[x]))
    ax.set_xticks(at, [f"{value:g}" for value in at])
    ax.set(xlabel=xlabel, ylabel=ylabel)
    figure.legend(loc="outside upper left", ncols=2)
    return figure


def scaling_alt(name: str, rows: pd.DataFrame, metric: str, what: str) -> str:
    """What `scaling` shows, in words made from the rows: first and last value of every series."""
    e = experiments.experiment(name)
    parts = [f"Line chart: {what} for {e.title}."]
    for series, curve in summary(name, rows, metric).groupby("series", sort=False):
        x, y = curve[e.x].to_numpy(), curve["mean"].to_numpy()
        parts.append(f"{series}: {number(y[0])} at {e.x} = {x[0]:g}, {number(y[-1])} at {e.x} = {x[-1]:g}.")
    return " ".join(parts)


def scaling_table(name: str, rows: pd.DataFrame, metrics: dict[str, str]) -> HTML:
    """The values of some metrics (→ heading) in a folded table, mean ± standard error over seeds."""
    e = experiments.experiment(name)
    summaries = {heading: summary(name, rows, metric) for metric, heading in metrics.items()}
    first = next(iter(summaries.values()))
    table = pd.DataFrame({"series": first["series"], e.x: [_short(x) for x in first[e.x]]})
    for heading, values in summaries.items():
        table[heading] = [_about(m, se) for m, se in zip(values["mean"], values["se"], strict=True)]
    return fold("The values", table.assign(seeds=first["seeds"]))


def shares(table: pd.DataFrame, x: str, columns: dict[str, str]) -> Figure:
    """Shares that add up to one as stacked bars, a panel a `series`; columns (→ legend word) from the bottom up."""
    panels = list(table.groupby("series", sort=False))
    figure, axes = plt.subplots(1, len(panels), figsize=(6.0, 3.6), sharey=True, squeeze=False)
    palette = sns.color_palette("colorblind")
    colors = dict(zip(columns, (palette[2], palette[1], "0.75"), strict=True))
    for ax, (series, rows) in zip(axes[0], panels, strict=True):
        bottom = np.zeros(len(rows))
        for column, label in columns.items():
            ax.bar([f"{v}" for v in rows[x]], rows[column], bottom=bottom, color=colors[column], label=label, width=0.8)
            bottom += rows[column].to_numpy()
        ax.set(title=series, xlabel=x, ylim=(0, 1))
        ax.grid(axis="x", visible=False)
    axes[0, 0].set_ylabel("share of the answers")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper left", ncols=3)
    return figure


def heatmap(table: pd.DataFrame, *, title: str = "", fmt: str = ".2g", log: bool = False,
            size: tuple[float, float] = (6.0, 4.4), annotate: bool = True, label: str = "") -> Figure:
    """A table of numbers as coloured cells, its columns along x and its index along y."""
    figure, ax = plt.subplots(figsize=size)
    norm = plt.matplotlib.colors.LogNorm() if log else None
    sns.heatmap(table, ax=ax, annot=annotate, fmt=fmt, cmap="cividis", norm=norm, cbar_kws={"label": label},
                linewidths=0.5 if annotate else 0, annot_kws={"fontsize": 10})
    ax.set_title(title, fontsize=12)
    ax.tick_params(axis="y", rotation=0)
    return figure


def grids(tables: dict[str, pd.DataFrame], *, limits: tuple[float, float], label: str) -> Figure:
    """Tables of one shape as coloured cells, one below the other (→ title), on one scale; what is missing is grey."""
    figure, axes = plt.subplots(len(tables), 1, figsize=(6.0, 3.5 * len(tables) + 0.6), sharex=True, squeeze=False)
    for ax, (title, table) in zip(axes[:, 0], tables.items(), strict=True):
        sns.heatmap(table, ax=ax, annot=True, fmt=".1f", cmap="cividis_r", vmin=limits[0], vmax=limits[1], cbar=False,
                    linewidths=0.5, annot_kws={"fontsize": 11}, mask=table.isna())
        ax.set_facecolor("0.9")
        ax.grid(visible=False)
        ax.set_title(title, fontsize=12)
        ax.set_xlabel(table.columns.name if ax is axes[-1, 0] else "")
        ax.tick_params(rotation=0, labelsize=11)
    bar = figure.colorbar(axes[0, 0].collections[0], ax=list(axes[:, 0]), location="bottom", shrink=0.7, aspect=30)
    bar.set_label(label, fontsize=11)
    bar.ax.grid(visible=False)
    return figure


def transposed(name: str, rows: pd.DataFrame, values: dict[str, float], at: Sequence[float], *, xlabel: str,
               metric: str = "test_loss", ylabel: str = "test loss on unseen symbols") -> Figure:
    """An experiment's metric against its series' values, a line each x of `at`: mean ± 1 standard error over seeds.

    The paper's curves are drawn in grey with the same markers. Args: values, series → number on the horizontal axis.
    """
    e, table = experiments.experiment(name), summary(name, rows, metric)
    figure, ax = plt.subplots()
    both = False
    for x, marker, color in zip(at, MARKERS, _viridis(len(at)), strict=False):
        curves = {v: claims.published(name, series).set_index("x")["y"] for series, v in values.items()}
        ours = table[(table[e.x] == x) & table["series"].isin(values)]
        published = [(v, curve[x]) for v, curve in curves.items() if x in curve]
        if published:
            ax.plot(*zip(*published, strict=True), color=PAPER, linestyle="--", marker=marker, markersize=5,
                    linewidth=1.5, label="" if len(ours) else f"{e.x} = {x:g} (paper)")
            both |= len(ours) > 0
            _mark_papers(ax, f"{e.x} = {x:g}", pd.DataFrame(published, columns=["x", "y"]), xlabel, _plain(metric))
        if len(ours):
            ax.errorbar(ours["series"].map(values), ours["mean"], yerr=ours["se"].fillna(0), color=color,
                        marker=marker, markersize=7, label=f"{e.x} = {x:g}")
            placed = ours.assign(**{xlabel: ours["series"].map(values)})
            _mark_ours(ax, f"{e.x} = {x:g}", placed, xlabel, _plain(metric))
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.set_ylim(-0.03, max(1.35, ax.get_ylim()[1]))
    ax.set_xticks(list(values.values()))
    handles, labels = ax.get_legend_handles_labels()
    papers = [plt.Line2D([], [], color=PAPER, linestyle="--")] if both else []
    figure.legend([*handles, *papers], [*labels, *[PAPER_WORDS] * both], loc="outside upper left", ncols=2)
    return figure


def scatter(table: pd.DataFrame, x: str, y: str, hue: str, *, xlabel: str, ylabel: str) -> Figure:
    """One dot a row of a table on equal logarithmic axes, coloured by a column, with the line on which x and y agree.

    An infinite y is drawn on the upper edge.
    """
    figure, ax = plt.subplots()
    finite = [*table[x], *table[y][np.isfinite(table[y])]]
    low, top = min(finite) / 1.5, 1.5 * max(finite)
    for color, (kind, rows) in enumerate(table.groupby(hue, sort=False)):
        ax.plot(rows[x], np.minimum(rows[y], top), MARKERS[color], color=f"C{color}", markersize=8, alpha=0.8,
                label=kind, clip_on=False)
        _mark(ax, str(kind), rows[x], np.minimum(rows[y], top),
              [(f"{xlabel}: {number(a)}", f"{ylabel}: {number(b)}") for a, b in zip(rows[x], rows[y], strict=True)])
    ax.plot([low, top], [low, top], color="0.6", linewidth=1, zorder=0)
    ax.set(xscale="log", yscale="log", xlim=(low, top), ylim=(low, top), xlabel=xlabel, ylabel=ylabel)
    steps = (1, 2, 5) if top < 1e3 * low else (1,)
    ticks = [step * 10.0**power for power in range(-6, 12) for step in steps if low <= step * 10.0**power <= top]
    ax.minorticks_off()
    words = [f"{tick:,.0f}" if tick >= 1 else f"{tick:g}" for tick in ticks]
    ax.set_xticks(ticks, words)
    ax.set_yticks(ticks, words)
    figure.legend(loc="outside upper left", ncols=3)
    return figure


def answers(table: pd.DataFrame) -> Figure:
    """A network's answers to single strings, a row each with its `template` and `answer`, and every template's mean."""
    figure, ax = plt.subplots()
    table = table.sort_values("template", kind="stable")
    sns.stripplot(table, x="template", y="answer", hue="template", jitter=0.3, size=3, alpha=0.5, legend=False, ax=ax)
    sns.pointplot(table, x="template", y="answer", errorbar=None, linestyle="none", marker="_", markersize=36,
                  markeredgewidth=3, color="0.2", ax=ax)
    means = table.groupby("template")["answer"].mean()
    _mark(ax, "mean", range(len(means)), means, [(z, f"answer {mean:.2f}") for z, mean in means.items()])
    ax.set(xlabel="template of the string", ylabel="answer")
    return figure


def blocks(panels: dict[str, tuple[np.ndarray, list[int]]], names: list[str], *, limits: tuple[float, float],
           label: str) -> Figure:
    """Square matrices whose rows are sorted into blocks, side by side on one colour scale that ends at the limits.

    Args: panels, title → (matrix, the blocks' sizes); names, the blocks'; label, of the colours.
    """
    figure, axes = plt.subplots(1, len(panels), figsize=(6.0, 3.1), squeeze=False)
    for ax, (title, (matrix, sizes)) in zip(axes[0], panels.items(), strict=True):
        image = ax.imshow(matrix, cmap="cividis", vmin=limits[0], vmax=limits[1], interpolation="nearest")
        ends = np.cumsum(sizes)
        for end in ends[:-1]:
            ax.axhline(end - 0.5, color="white", linewidth=1)
            ax.axvline(end - 0.5, color="white", linewidth=1)
        middle = ends - np.array(sizes) / 2 - 0.5
        parts = [slice(end - size, end) for end, size in zip(ends, sizes, strict=True)]
        for row, rows, at, high in zip(names, parts, middle, sizes, strict=True):
            own = [matrix[rows, columns] for columns in parts]
            _mark(ax, f"{title}, block row: {row}", middle, [at] * len(own), [
                (f"block column: {column}", f"{label}: mean {_digits(block.mean())}, "
                 f"from {_digits(block.min())} to {_digits(block.max())}")
                for column, block in zip(names, own, strict=True)], [(wide, high) for wide in sizes])
        ax.set_xticks(middle, names, fontsize=11)
        ax.set_yticks(middle, names if ax is axes[0, 0] else [""] * len(names), fontsize=11)
        ax.tick_params(length=0)
        ax.grid(visible=False)
        ax.set_title(title, fontsize=12)
    bar = figure.colorbar(image, ax=list(axes[0]), location="bottom", extend="max", shrink=0.7, aspect=30)
    bar.set_label(label, fontsize=11)
    bar.ax.tick_params(labelsize=10)
    bar.ax.grid(visible=False)
    return figure


def ratios(name: str, rows: pd.DataFrame, reference: str, metric: str, *, xlabel: str) -> Figure:
    """A metric of every series as a multiple of the reference's with the same seed: a dot a seed, mean and interval.

    The mean is geometric, the interval that of `claims.paired`; series of fewer than two pairs show their dots alone.
    """
    e = experiments.experiment(name)
    order = [series for series in e.series if series != reference]
    figure, ax = plt.subplots(figsize=(6.0, 0.6 * len(order) + 1.3))
    base = rows[rows["series"] == reference].set_index([e.x, "seed"])[metric]
    for y, series in enumerate(order):
        mine = (rows[rows["series"] == series].set_index([e.x, "seed"])[metric] / base).dropna()
        ax.plot(mine, np.full(len(mine), y - 0.15), "o", color=f"C{y}", alpha=0.5, markersize=5)
        _mark(ax, series, mine, np.full(len(mine), y - 0.15),
              [(f"seed {seed}", f"{xlabel}: {ratio:.3f}") for (_, seed), ratio in mine.items()])
        if len(mine) > 1:
            mean, low, high, _ = claims.paired(rows, series, reference, metric, e.x)
            ax.errorbar(mean, y + 0.15, xerr=[[mean - low], [high - mean]], fmt=MARKERS[2], color=f"C{y}", capsize=4)
            _mark(ax, series, [mean], [y + 0.15],
                  [(f"mean of {_seeds(len(mine))}", f"{xlabel}: {mean:.3f} [{low:.3f}, {high:.3f}]")])
    ax.axvline(1, color="0.4", linewidth=1, zorder=0)
    ax.set_yticks(range(len(order)), order)
    ax.set(ylim=(len(order) - 0.5, -0.5), xlabel=xlabel)
    ax.xaxis.set_major_locator(plt.MaxNLocator(5))
    if base.empty:
        ax.text(1, (len(order) - 1) / 2, NO_RUN, ha="center", bbox={"color": "white"})
    return figure


def head_maps(panels: dict[str, np.ndarray], *, label: str, annotate: bool = True) -> Figure:
    """Numbers of heads as coloured cells, layers (layers, heads) downwards, a panel each; white is 0."""
    side = max((matrix.shape[1] for matrix in panels.values()), default=1)
    limit = max((float(np.abs(matrix).max()) for matrix in panels.values()), default=1.0) or 1.0
    figure, axes = plt.subplots(1, max(1, len(panels)), figsize=(6.0, 3.6), squeeze=False)
    for ax, (title, matrix) in zip(axes[0], panels.items(), strict=False):
        image = ax.imshow(matrix, cmap="PuOr_r", vmin=-limit, vmax=limit, aspect="auto")
        places = max(1, 1 - math.floor(math.log10(limit)))
        for layer, values in enumerate(np.ma.filled(matrix, np.nan)):
            known = np.flatnonzero(np.isfinite(values))
            _mark(ax, f"{title}, layer {layer}", known, np.full(len(known), layer),
                  [(f"head {head}", f"{label}: {number(values[head])}") for head in known], [(1, 1)] * len(known))
        if annotate and side <= 6:
            for (layer, head), value in np.ndenumerate(matrix):
                ax.text(head, layer, f"{round(value, places) + 0.0:.{places}f}", ha="center", va="center", fontsize=10,
                        color="white" if abs(value) > 0.6 * limit else "0.1")
        ax.set(title=title, xlabel="head", xticks=range(0, matrix.shape[1], 1 + side // 7),
               yticks=range(0, len(matrix), 1 + len(matrix) // 7))
        ax.grid(visible=False)
    if panels:
        axes[0, 0].set_ylabel("layer")
        bar = figure.colorbar(image, ax=list(axes[0]), location="bottom", shrink=0.7, aspect=30)
        bar.set_label(label, fontsize=11)
        bar.ax.grid(visible=False)
    else:
        axes[0, 0].text(0.5, 0.5, "no run is done yet", ha="center")
        axes[0, 0].axis("off")
    return figure


def agreement(panels: dict[str, dict[str, tuple[np.ndarray, np.ndarray]]], *, xlabel: str, ylabel: str) -> Figure:
    """Two predictions of the same strings against each other, panel by panel, with the line on which they agree.

    Args: panels, title → {legend word: (x, y)}; the first of them is drawn in grey, below the others.
    """
    figure, axes = plt.subplots(1, len(panels), figsize=(6.0, 3.7), sharex=True, sharey=True, squeeze=False)
    for ax, (title, groups) in zip(axes[0], panels.items(), strict=True):
        ax.axline((0, 0), slope=1, color="0.6", linewidth=1, zorder=0)
        looks = [("0.55", "."), *((f"C{i}", marker) for i, marker in enumerate(MARKERS))]
        for (label, (x, y)), (color, marker) in zip(groups.items(), looks, strict=False):
            ax.plot(x, y, marker, color=color, markersize=5, alpha=0.5, label=label)
        ax.set_title(title, fontsize=12)
        ax.set_xlabel(xlabel)
    axes[0, 0].set_ylabel(ylabel)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper left", ncols=3, handletextpad=0.2,
                  columnspacing=1.2)
    return figure


def matrices(tables: dict[str, pd.DataFrame], *, fmt: str = ".2f",
             limits: tuple[float, float] | None = None) -> Figure:
    """Small square tables as annotated heat maps, two in a row, each (→ title) with its own colours, or all with the
    colours of one scale between the limits."""
    least, largest = limits or (None, None)
    down = -(-len(tables) // 2)
    figure, axes = plt.subplots(down, 2, figsize=(6.0, 2.4 * down), squeeze=False)
    for ax in axes.flat[len(tables):]:
        ax.axis("off")
    for ax, (title, table) in zip(axes.flat, tables.items(), strict=False):
        sns.heatmap(table, ax=ax, annot=True, fmt=fmt, cmap="cividis", cbar=False, square=True, linewidths=1,
                    vmin=least, vmax=largest,
                    annot_kws={"fontsize": {2: 10, 3: 10, 4: 9}.get(len(table), 8)})
        ax.set_title(title, fontsize=11)
        ax.tick_params(rotation=0, labelsize=9)
    return figure


def labelled_points(points: np.ndarray, names: Sequence[str], groups: Sequence[str], *, xlabel: str,
                    ylabel: str) -> Figure:
    """Points in the plane (n, 2), each with its name, coloured by group; equal scales, lines along the hull's order."""
    figure, ax = plt.subplots()
    centre = points.mean(0)
    around = np.argsort(np.arctan2(*(points - centre).T))
    ax.fill(*points[around].T, facecolor="none", edgecolor="0.75", linewidth=1)
    for index, group in enumerate(dict.fromkeys(groups)):
        mine = [g == group for g in groups]
        ax.plot(*points[mine].T, MARKERS[index], color=f"C{index}", markersize=11, linestyle="none", label=group)
        _mark(ax, group, *points[mine].T, [
            (str(name), f"{xlabel} {_digits(x)}, {ylabel} {_digits(y)}")
            for name, (x, y) in zip(np.array(names)[mine], points[mine].round(6) + 0.0, strict=True)])
    for point, name in zip(points, names, strict=True):
        x, y = (point - centre) / np.linalg.norm(point - centre)  # names stand outside
        ax.annotate(name, point, xytext=(12 * x, 16 * y), textcoords="offset points", fontsize=12, va="center",
                    ha="center" if abs(x) < 0.5 else "left" if x > 0 else "right")
    (x, y), reach = centre, 1.3 * np.abs(points - centre).max()
    ax.set(xlabel=xlabel, ylabel=ylabel, aspect="equal")
    ax.set(xlim=(x - 1.3 * reach, x + 1.3 * reach), ylim=(y - reach, y + reach))
    figure.legend(loc="outside upper left", ncols=2)
    return figure


def coverage(name: str, rows: pd.DataFrame) -> str:
    """Which rows a figure draws: their number, seeds, devices and commits, in one sentence."""
    e = experiments.experiment(name)
    if rows.empty:
        return f"No run of {len(e.runs())} is done yet."
    seeds = rows.groupby(["series", *e.grid]).size()
    each = f"{seeds.min()} seeds" if seeds.min() == seeds.max() else f"{seeds.min()} to {seeds.max()} seeds"
    each = "1 seed" if seeds.max() == 1 else each
    return (f"{len(rows)} of {len(e.runs())} runs of results/{e.path().name}; {each} a point; "
            f"device: {', '.join(sorted(rows['device'].unique()))}; torch {', '.join(sorted(rows['torch'].unique()))}.")


def spent(rows: pd.DataFrame) -> str:
    """What the rows took, in words: of a core, and of processes that may have shared a GPU."""
    seconds = rows.groupby(rows["device"].ne("cpu"))["seconds"].sum().to_dict()
    words = {on_gpu: f"{s / 3600:.1f} hours" if s >= 360 else f"{s / 60:.1f} minutes" for on_gpu, s in seconds.items()}
    told = [f"{words[False]} of a busy core"] if False in words else []
    if True in words:
        gpus = ", ".join(sorted(set(rows["device"]) - {"cpu"}))
        told.append(f"{words[True]} of processes that shared a GPU ({gpus})")
    return " and ".join(told) or "nothing yet"


def crossings(name: str, rows: pd.DataFrame, metric: str = "test_loss") -> str:
    """n₅₀ of every series that has rows, as a Markdown sentence; at an end of the rows it is only a bound.

    An n at which a seed is missing is left out.
    """
    largest, told = rows.groupby("series")["n"].max(), []
    for r in claims.n50_table(name, rows, metric).itertuples():
        whole = "" if r.last == largest[r.series] else "that all seeds have "
        words = f"at most {r.first}" if r.n50 <= r.first else f"{r.n50:.0f}" if np.isfinite(r.n50) else (
            f"above {r.last}, the largest {whole}so far")
        told.append(f"{r.series}: {words}")
    if not told:
        return "*Rows are missing, so there is no number to tell yet.*"
    return f"The $n$ at which the mean falls through one half. {'; '.join(told)}."


def values_table(name: str, rows: pd.DataFrame, metric: str = "test_loss") -> HTML:
    """The figure's values in a folded table: ours at the best validation epoch and at the last, and the paper's."""
    e = experiments.experiment(name)
    best, last = summary(name, rows, metric), summary(name, rows, f"final_{metric}")
    table = pd.DataFrame({
        "network": best["series"], e.x: [f"{x:g}" if x < 1e4 else f"{x:.0f}" for x in best[e.x]],
        "ours": [_spread(m, s) for m, s in zip(best["mean"], best["se"], strict=True)],
        "ours, last epoch": [_spread(m, s) for m, s in zip(last["mean"], last["se"], strict=True)],
        "seeds": best["seeds"],
    })
    if e.published:
        curves = {series: claims.published(name, series).set_index("x")["y"] for series in e.series}
        paper = [curves[series].get(x) for series, x in zip(best["series"], best[e.x], strict=True)]
        table.insert(3, "paper", ["–" if y is None else f"{y:.3f}" for y in paper])
    return fold("The values", table)


def fit_table(name: str, rows: pd.DataFrame, metric: str = "test_loss") -> HTML:
    """How near our mean curves are to the paper's: a row for each series that has both, over the n that both have.

    n₅₀ is that of the whole curve, of ours as far as it goes: > the largest n where it does not fall below one half.
    """
    e, lines = experiments.experiment(name), []
    for series, curve in summary(name, rows, metric).groupby("series", sort=False):
        ours, paper = curve.set_index(e.x)["mean"], claims.published(name, series).set_index("x")["y"]
        off = (ours - paper).dropna().abs()
        if len(off):
            side = "higher" if (ours - paper)[off.idxmax()] > 0 else "lower"  # ours
            lines.append({
                "network": series, "n compared": f"{off.index.min():g} to {off.index.max():g}",
                "n₅₀": _crossing(ours), "n₅₀, paper": _crossing(paper), "mean distance": f"{off.mean():.2f}",
                "largest distance of ours": f"{off.max():.2f} {side}, n = {off.idxmax():g}"})
    columns = ["network", "n compared", "n₅₀", "n₅₀, paper", "mean distance", "largest distance of ours"]
    return table(pd.DataFrame(lines, columns=columns))


def _crossing(curve: pd.Series) -> str:
    n = float(claims.n50(curve.index.to_numpy(), curve.to_numpy()))
    if np.isinf(n):
        return f"> {curve.index[-1]:g}"
    return f"≤ {n:g}" if n == curve.index[0] else f"{n:.0f}"


def _spread(mean: float, se: float) -> str:
    return f"{mean:.3f}" if np.isnan(se) else f"{mean:.3f} ± {se:.3f}"  # no standard error of one seed


def _about(mean: float, se: float) -> str:
    return number(mean) if np.isnan(se) else f"{number(mean)} ± {number(se)}"


def fold(title: str, frame: pd.DataFrame) -> HTML:
    """A table that opens at a click, and scrolls within itself where the page is narrow."""
    return HTML(f'<details class="values"><summary>{html.escape(title)}</summary>{_table(frame)}</details>')


def table(frame: pd.DataFrame) -> HTML:
    """A table that scrolls within itself where the page is narrow."""
    return HTML(_table(frame))


def _table(frame: pd.DataFrame) -> str:
    lines = frame.to_html(index=False, border=0, classes="values")
    rows = re.sub(r"\n\s*(?=<t[dh]|</tr)", "", lines)  # a row a line, not a cell a line
    return f'<div class="scroll">{rows}</div>'


def number(value: float | None) -> str:
    """Three significant digits; – for none, ∞ for what is never reached, ≤ 1e-300 where p-values end."""
    if value is None:
        return "–"
    if 0 < value <= claims.LEAST_P:
        return f"≤ {claims.LEAST_P:g}"
    return "∞" if np.isinf(value) else f"{value:#.3g}".rstrip(".") if abs(value) < 999.5 else f"{value:.0f}"


MEASURE_WORDS = {
    "level": "mean at the worst point",
    "n50": "n₅₀, where the mean falls through ½",
    "gain": "n₅₀ plain / n₅₀ modified",
    "below": "difference of means, at its least sure {x}",
    "slope": "exponent of a power law",
    "growth": "exponent of n₅₀ as a power of the dimension",
    "order": "rank correlation of n₅₀ and the predicted number, over tasks",
    "best": "where the mean loss is least",
    "at_most": "mean at one n, of the worst series",
    "signal": "value in standard errors, at its least sure row; interval: ± 2 standard errors",
    "same_law": "p-value of equal laws, all runs combined",
    "different_laws": "p-value of equal laws, all runs combined",
    "paired": "ratio of the first to the second, paired by seed; interval: Student's t",
}


TOLERANCE_WORDS = {  # of a measure's distance; {held} and {part} are the claim's two tolerances
    "level": "held within {held} of {value}, in part within {part}",
    "n50": "held within a factor {held} of the paper's, in part within {part}",
    "gain": "held within a factor {held} of the paper's, in part within {part}",
    "below": "held if p < {p} at each {x} = {at}, in part if it fails at {part}",
    "slope": "held within {held} of {value}, in part within {part}",
    "growth": "held within {held} of the paper's exponent, in part within {part}",
    "order": "held within {held} of 1, in part within {part}",
    "best": "held within {held} step of the grid from the paper's, in part within {part}",
    "at_most": "held up to {held}, in part up to {part}",
    "signal": "held if the value is at least {needed} standard errors above 0, in part if it falls short by {part}",
    "same_law": "held if p is above 1 %, in part if it is at most {part} decade below",
    "different_laws": "held if p is below 1 %, in part if it is at most {part} decade above",
    "paired": "held if p < 0.01 over pairs of one seed, in part if it is at most {part} decades above",
}


def scoreboard(judgements: Iterable[claims.Judgement], *, filters: bool = False) -> HTML:
    """The table of claims: statement, the paper's number, ours with its interval, the verdict.

    A row opens to its chapter, measure, tolerances, rows and the command that makes them. filters: choose among
    verdicts and chapters above it (in the style sheet's language: no script).
    """
    judgements = list(judgements)
    lines = []
    for j in judgements:
        ours = "–"
        if j.measured:
            interval = f"[{number(j.measured.low)}, {number(j.measured.high)}]"
            ours = f'{number(j.measured.ours)} <small class="interval">{interval}</small>'
        lines.append(
            f'<tr class="v-{_CLASS[j.verdict]} c-{j.claim.chapter}">'
            f"<td><details><summary>{html.escape(j.claim.statement)}</summary>{_evidence(j)}</details></td>"
            f'<td data-label="paper">{number(j.measured.paper) if j.measured else "–"}</td>'
            f'<td data-label="ours">{ours}</td>'
            f'<td><span class="verdict {_CLASS[j.verdict]}">{j.verdict}</span></td></tr>'
        )
    head = "".join(f"<th>{h}</th>" for h in ("claim", "paper", "ours", "verdict"))
    return HTML(f'<div class="scroll board">{_filters(judgements) if filters else ""}<table class="scoreboard">'
                f"<thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>")


def _evidence(j: claims.Judgement) -> str:
    """What a row of the scoreboard opens to."""
    c, e = j.claim, experiments.experiment(j.claim.experiment)
    words = {"at": ", ".join(map(str, c.options.get("at", ())))} if isinstance(c.options.get("at"), list) else {}
    words["x"] = X_WORDS["lr"] if e.x == "lr" else e.x
    tolerance = TOLERANCE_WORDS[c.measure].format(**{**c.options, "held": c.held, "part": c.part, **words})
    tolerance = tolerance.removesuffix(", in part if it fails at 0")
    within = "" if "within" not in c.options else " for {} from {:g} to {:g}".format(e.x, *c.options["within"])
    series = " ".join(f'"{s}"' for s in c.series)
    only = "" if "within" not in c.options else " --from {:g} --upto {:g}".format(*c.options["within"])
    facts = (f'Chapter <a href="{c.chapter}.html">{c.chapter}</a>, claim <code>{c.id}</code>.',
             f"Measure: {MEASURE_WORDS[c.measure].format(**words)}; {html.escape(tolerance)}.",
             f"Rows: {html.escape(', '.join(c.series))} in results/{e.path().name}{within}: {j.coverage}.",
             f"<code>python -m abstract_symbols run {e.name} --series {html.escape(series)}{only}</code>")
    return "".join(f"<p>{fact}</p>" for fact in facts)


def _filters(judgements: list[claims.Judgement]) -> str:
    """Two menus, and the rules that hide the rows of what is not chosen."""
    menus, rules = [], []
    for label, letter, values in (
            ("verdict", "v", {_CLASS[v]: (v, sum(j.verdict == v for j in judgements)) for v in claims.VERDICTS}),
            ("chapter", "c", {c: (c, sum(j.claim.chapter == c for j in judgements))
                              for c in dict.fromkeys(j.claim.chapter for j in judgements)})):
        options = "".join(f'<option value="{letter}-{value}">{words} ({count})</option>'
                          for value, (words, count) in values.items())
        every = f'<option value="">all ({len(judgements)})</option>'
        menus.append(f"<label>{label} <select>{every}{options}</select></label>")
        rules += [f'.board:has(option[value="{letter}-{value}"]:checked) tbody tr:not(.{letter}-{value})'
                  for value in values]
    return f'<style>{",".join(rules)}{{display:none!important}}</style><form class="filters">{"".join(menus)}</form>'


def strings_picture(rows: list[tuple[str, list[str], list[str]]]) -> Figure:
    """A task as a picture: for every label a row of coloured tiles, strings of training symbols left, unseen right.

    Args: rows, (label, training strings, unseen strings) with one character a symbol.
    """
    symbols = list(dict.fromkeys("".join(s for _, *groups in rows for strings in groups for s in strings)))
    palette = sns.husl_palette(len(symbols), l=0.78, s=0.75)
    colors = dict(zip(symbols, palette[::2] + palette[1::2], strict=True))  # neighbours far apart
    figure, ax = plt.subplots(figsize=(7.2, 0.5 + 0.42 * len(rows)))
    x = 0.0
    for group, title in ((1, "training"), (2, "test: symbols never seen")):
        start = x
        for y, row in enumerate(rows):
            x = start
            for string in row[group]:
                for symbol in string:
                    ax.add_patch(plt.Rectangle((x, -y - 0.36), 0.72, 0.72, color=colors[symbol], linewidth=0))
                    ax.text(x + 0.36, -y - 0.02, symbol, ha="center", va="center", fontsize=13, color="0.15")
                    x += 0.76
                x += 0.5
        ax.text((start + x - 0.5) / 2, 0.75, title, ha="center", fontsize=12)
        x += 1.0
    for y, row in enumerate(rows):
        ax.text(-0.4, -y, row[0], ha="right", va="center", fontsize=13)
    ax.set_xlim(-1.6, x - 1.3)
    ax.set_ylim(-len(rows) + 0.5, 1.15)
    ax.set_aspect("equal")
    ax.axis("off")
    return figure


def templates_picture(labels: dict[str, float], shape: Sequence[int], per_line: int = 4) -> Figure:
    """A task's templates as coloured tiles, a tile a wildcard, under the label that they share.

    Args: labels, template → label, the labels in the order in which they are drawn; shape, the lengths of the rows into
    which each template is broken, as (3, 3) for two rows of three; per_line, templates side by side.
    """
    wildcards = sorted(set("".join(labels)))
    colors = dict(zip(wildcards, sns.husl_palette(len(wildcards), l=0.78, s=0.75), strict=True))
    ends, wide, high = np.cumsum(shape), max(shape) + 0.9, len(shape) + 0.8
    tops, y, tiles = [], 0.0, []
    for value in dict.fromkeys(labels.values()):
        mine = [t for t, label in labels.items() if label == value]
        tops.append((value, y))
        for i, template in enumerate(mine):
            left, top = wide * (i % per_line), y + high * (i // per_line)
            tiles += [(left + column, top + row, template[end - length + column])
                      for row, (length, end) in enumerate(zip(shape, ends, strict=True)) for column in range(length)]
        y += high * -(-len(mine) // per_line) + 0.3
    across = wide * min(per_line, max(list(labels.values()).count(value) for value in labels.values())) + 1.5
    figure, ax = plt.subplots(figsize=(6.0, 6.0 * (y - 0.8) / max(across, 12) + 0.2))
    for left, top, wildcard in tiles:
        ax.add_patch(plt.Rectangle((left, -top), 0.92, -0.92, color=colors[wildcard], linewidth=0))
        ax.text(left + 0.46, -top - 0.48, wildcard, ha="center", va="center", fontsize=13, color="0.15")
    for value, top in tops:
        ax.text(-0.4, -top - len(shape) / 2, f"{value:+g}".replace("-", "−"), ha="right", va="center", fontsize=13)
    ax.set(xlim=(-1.5, max(across, 12) - 1.5), ylim=(-y + 0.9, 0.1), aspect="equal")
    ax.axis("off")
    return figure


def first_layer(strings: dict[str, Iterable[int]], moved: np.ndarray, seen: int) -> Figure:
    """Strings as one-hot vectors, and below them how far training has moved each of the first layer's columns.

    Args: strings, title → token ids (k,); moved, (k, vocab) distances; seen, the number of training symbols, which come
    before the unseen ones. A distance of exactly 0 is left white.
    """
    k, vocab = moved.shape
    figure, axes = plt.subplots(len(strings) + 1, 1, sharex=True, figsize=(6.0, 1.15 * (len(strings) + 1) + 0.7))
    for ax, (title, tokens) in zip(axes, strings.items(), strict=False):
        ax.pcolormesh(np.equal.outer(list(tokens), np.arange(vocab)), cmap="Greys", vmin=0, vmax=1.2, edgecolor="0.88")
        ax.set_title(title, loc="left", fontsize=11)
    mesh = axes[-1].pcolormesh(np.ma.masked_equal(moved, 0), cmap="cividis_r", vmin=0, edgecolor="0.88")
    axes[-1].set_title("how far training moved the column (white: not at all)", loc="left", fontsize=11)
    figure.colorbar(mesh, ax=axes[-1], orientation="horizontal", aspect=50, pad=0.05, ticks=plt.MaxNLocator(4))
    for ax in axes:
        ax.axvline(seen, color="C3", linewidth=2)
        ax.set(ylim=(k, 0), yticks=np.arange(k) + 0.5, yticklabels=[f"position {i + 1}" for i in range(k)], xticks=[])
        ax.grid(False)
    for x, words in ((seen / 2, "training symbols"), ((seen + vocab) / 2, "unseen symbols")):
        axes[0].annotate(words, (x, k), xytext=(0, -3), textcoords="offset points", ha="center", va="top", fontsize=11)
    return figure


def laws(panels: dict[str, dict[str, np.ndarray]]) -> Figure:
    """Distribution functions of outputs, a panel a network (title → template → outputs), and their largest distance."""
    figure, axes = plt.subplots(1, len(panels), sharey=True, figsize=(6.0, 4.0), squeeze=False)
    for ax, (title, outputs) in zip(axes[0], panels.items(), strict=True):
        for (template, values), dashes in zip(outputs.items(), ("-", "--"), strict=True):
            ax.ecdf(values, label=template, linestyle=dashes, linewidth=2)
        first, second = (np.sort(values) for values in outputs.values())
        at = np.concatenate([first, second])
        below = [np.searchsorted(values, at, side="right") / len(values) for values in (first, second)]
        worst = int(np.abs(below[0] - below[1]).argmax())
        ax.vlines(at[worst], *sorted((below[0][worst], below[1][worst])), color="0.2", linewidth=3, zorder=3)
        ax.set_title(f"{title}\nlargest distance {abs(below[0][worst] - below[1][worst]):.2f}", fontsize=12)
        ax.set_xlabel("output on unseen strings")
    axes[0, 0].set_ylabel("share of outputs below")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=2)
    return figure


def p_values(name: str, rows: pd.DataFrame) -> Figure:
    """Distribution functions of an experiment's p-values, and the band that those of one law leave once in 20 times."""
    e = experiments.experiment(name)
    figure, ax = plt.subplots()
    most = rows.groupby(["series", e.x]).size().max()
    line = np.linspace(0, 1, 201)
    if most > 0:
        width = stats.kstwo.ppf(0.95, most)
        ax.fill_between(line, np.maximum(line - width, 0), np.minimum(line + width, 1), color="0.92", zorder=0,
                        label=f"95 % band of {most} uniform p-values")
    ax.axline((0, 0), slope=1, color="0.5", linewidth=1, label="equal laws")
    styles = dict(zip(e.grid[e.x], ("-", "--", ":"), strict=False))
    for color, series in enumerate(e.series):
        for x, values in rows[rows["series"] == series].groupby(e.x)["p_value"]:
            ax.ecdf(values, label=f"{series}, {e.x} = {x}", color=f"C{color}", linestyle=styles[x], linewidth=2)
    ax.set(xlim=(-0.02, 1), ylim=(0, 1.02), xlabel="p-value of one run", ylabel="share of runs below")
    figure.legend(loc="outside upper left", ncols=2)
    return figure
