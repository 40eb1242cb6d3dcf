"""Curves over an experiment's x: learning curves, power laws, and learning curves seen from the side."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..experiments import Experiment, experiment
from ..formats import about, digits, number, plain
from ..published import published
from ..summaries import summary
from .points import PAPERS, mark, mark_ours, mark_papers
from .style import MARKERS, NO_RUN, PAPER, PAPER_WORDS, X_WORDS, legend, ordered_colors, paper_line, say_no_run

LOSS = "test loss on unseen symbols"
GUIDE: dict[str, Any] = {"color": "0.35", "linewidth": 1.3}


def learning_curves(name: str, rows: pd.DataFrame, metric: str = "test_loss", ylabel: str = LOSS, *,
                    series: Sequence[str] | None = None, ordered: bool = False) -> Figure:
    """Returns an experiment's learning curves, mean ± 1 standard error over seeds, the paper's in grey behind them.

    A series keeps its colour and marker while others have no rows yet; of one without rows only the paper's is drawn.
    An open marker is a mean over fewer seeds than the experiment has.

    Args:
        name: the experiment.
        rows: of it, as `companion.results.load` gives them.
        metric: what is drawn.
        ylabel: what it is called.
        series: only these.
        ordered: colours from dark to light instead of distinct ones, for series that are the values of one quantity.
    """
    e = experiment(name)
    wanted = [s for s in e.series if series is None or s in series]
    rows = rows[rows["series"].isin(wanted)]
    order = [s for s in wanted if s in set(rows["series"])]
    palette = ordered_colors(len(wanted)) if ordered else sns.color_palette(None, len(wanted))
    colors, markers = (dict(zip(wanted, looks, strict=False)) for looks in (palette, MARKERS))
    papers = {s: curve for s in wanted if len(curve := published(name, s))}
    means = summary(name, rows, metric)

    figure, ax = plt.subplots()
    for s, curve in papers.items():
        draw_paper(ax, s, curve, e.x, metric, markers[s])
    for s, curve in means.groupby("series", sort=False):
        mark_ours(ax, str(s), curve, e.x, plain(metric))
    if order:
        sns.lineplot(rows, x=e.x, y=metric, hue="series", style="series", hue_order=order, style_order=order,
                     palette=colors, markers=markers, dashes=False, errorbar="se", ax=ax, markersize=7)
    partial = _open_markers(ax, e, means, colors, markers)
    _axes_over(ax, e, means, ylabel)
    if not order and not papers:
        ax.set_xlim(min(e.grid[e.x]), max(e.grid[e.x]))
        say_no_run(ax)
    handles, labels = _entries(ax, order, papers, markers, partial)
    narrow: dict[str, Any] = {"ncols": 3, "fontsize": 9, "handlelength": 1.6, "columnspacing": 1.0}
    legend(figure, handles, labels, **(narrow if len(handles) > 8 else {}))  # or it is wider than the figure
    return figure


def draw_paper(ax: Axes, name: str, curve: pd.DataFrame, x: str, metric: str, marker: str, *, markersize: float = 5,
               linewidth: float = 1.5, label: str = "") -> None:
    """Draw a curve of the paper, grey and dashed, with its band if it has one, and mark its points.

    Args:
        ax: axes of a figure.
        name: the series.
        curve: x and y, and y_low and y_high for the band, as `companion.published.published` gives them.
        x: the word of the horizontal axis.
        metric: what is drawn.
        marker: that of our curve of the same series.
        markersize: of the markers.
        linewidth: of the line.
        label: its words in the legend, if it has its own.
    """
    mark_papers(ax, name, curve, x, plain(metric))
    if "y_low" in curve:
        ax.fill_between(curve["x"], curve["y_low"], curve["y_high"], color=PAPER, alpha=0.2, linewidth=0)
    ax.plot(curve["x"], curve["y"], color=PAPER, linestyle="--", marker=marker, markersize=markersize,
            linewidth=linewidth, label=label)


def _open_markers(ax: Axes, e: Experiment, means: pd.DataFrame, colors: Mapping, markers: Mapping) -> bool:
    """Draw an open marker where a mean is over fewer seeds than the experiment has, and say whether there is any."""
    asked = e.seeds if isinstance(e.seeds, int) else means["series"].map(e.seeds)
    partial = means[means["seeds"] < asked]
    for s, few in partial.groupby("series"):
        ax.plot(few[e.x], few["mean"], markers[s], markersize=6, markerfacecolor="white", markeredgecolor=colors[s])
    return len(partial) > 0


def _axes_over(ax: Axes, e: Experiment, means: pd.DataFrame, ylabel: str) -> None:
    """A logarithmic axis of the experiment's x, losses from 0 to above chance, a line at one half."""
    ax.axhline(0.5, color="0.8", linewidth=0.8, zorder=0)
    if e.x == "n":
        log2_axis(ax)
    else:
        ax.set_xscale("log")
    ax.set_ylim(-0.03, max(1.35, 1.08 * means["mean"].max() if len(means) else 0))
    ax.set(xlabel=X_WORDS.get(e.x, e.x), ylabel=ylabel)


def log2_axis(ax: Axes) -> None:
    """Make the horizontal axis logarithmic, its ticks powers of two, written out."""
    ax.set_xscale("log", base=2)
    ax.xaxis.set_major_formatter("{x:.0f}")


def _entries(ax: Axes, order: Sequence[str], papers: Mapping[str, pd.DataFrame], markers: Mapping[str, str],
             partial: bool) -> tuple[list[Artist], list[str]]:
    """The legend's handles and words: our curves, the paper's behind them, open markers, the paper's alone."""
    handles, labels = ax.get_legend_handles_labels()
    if any(s in papers for s in order):
        handles.append(paper_line())
        labels.append(PAPER_WORDS)
    if partial:
        handles.append(Line2D([], [], color="0.3", marker="o", linestyle="", markerfacecolor="white"))
        labels.append("some seeds missing")
    for s in papers:
        if s not in order:
            handles.append(paper_line(marker=markers[s], markersize=5))
            labels.append(f"{s} (paper)")
    _drop_legend(ax)
    return handles, labels


def _drop_legend(ax: Axes) -> None:
    """Remove seaborn's legend inside the axes."""
    if inside := ax.get_legend():
        inside.remove()


def scaling(name: str, rows: pd.DataFrame, metric: str, *, xlabel: str, ylabel: str,
            guides: Iterable[tuple[float, str]] = (), predicted: Mapping[str, tuple] | None = None,
            log_y: bool = True) -> Figure:
    """Returns a metric against the experiment's x on logarithmic axes, mean ± 1 standard error over seeds.

    Args:
        name: the experiment.
        rows: of it.
        metric: what is drawn.
        xlabel: of the horizontal axis.
        ylabel: of the vertical axis.
        guides: (exponent, label): dotted lines of these slopes, through the last point of the first series drawn.
        predicted: series → (x, y): dashed lines.
        log_y: whether the vertical axis is logarithmic, too.
    """
    e = experiment(name)
    order = [s for s in e.series if s in set(rows["series"])]
    return power_laws(rows, e.x, metric, order, xlabel=xlabel, ylabel=ylabel, guides=guides, predicted=predicted,
                      log_y=log_y)


def power_laws(rows: pd.DataFrame, x: str, y: str, order: Sequence[str], *, xlabel: str, ylabel: str,
               guides: Iterable[tuple[float, str]] = (), predicted: Mapping[str, tuple] | None = None,
               log_y: bool = True) -> Figure:
    """Returns a column against another, a line per `series` in this order, on logarithmic axes; otherwise as `scaling`.

    The series "the paper's" is drawn as the paper's curves are everywhere: grey and dashed.

    Args:
        rows: a table with a column `series`.
        x: a column.
        y: a column.
        order: of the series.
        xlabel: of the horizontal axis.
        ylabel: of the vertical axis.
        guides: as in `scaling`.
        predicted: as in `scaling`.
        log_y: as in `scaling`.
    """
    figure, ax = plt.subplots()
    if rows.empty:
        ax.text(0.5, 0.5, NO_RUN, transform=ax.transAxes, ha="center")
        return figure
    ours = [s for s in order if s != PAPERS]
    colors = {s: PAPER if s == PAPERS else f"C{ours.index(s)}" for s in order}
    sns.lineplot(rows, x=x, y=y, hue="series", style="series", hue_order=order, style_order=order, palette=colors,
                 markers=list(MARKERS[:len(order)]), dashes={s: (4, 1.5) if s == PAPERS else "" for s in order},
                 errorbar="se", ax=ax, markersize=7)
    ax.set(xlabel=xlabel, ylabel=ylabel, xscale="log")  # only now, or seaborn would draw geometric means
    if log_y:
        ax.set_yscale("log")
    _few_ticks(ax, sorted(set(rows[x])))
    words = [label.split(" = ")[0].split(", ")[0] for label in (xlabel, ylabel)]
    _mark_means(ax, rows, x, y, order, *words)
    limits = ax.get_ylim()
    _draw_predicted(ax, {s: line for s, line in (predicted or {}).items() if s in order}, colors, *words)
    _draw_guides(ax, rows[rows["series"] == order[0]].groupby(x)[y].mean(), guides)
    ax.set_ylim(limits)
    handles, labels = ax.get_legend_handles_labels()
    if predicted:
        handles.append(Line2D([], [], linestyle="--", **GUIDE))
        labels.append("predicted (same colour)")
    _drop_legend(ax)
    legend(figure, handles, labels)
    return figure


def _few_ticks(ax: Axes, at: Sequence[float]) -> None:
    """Label an axis of less than two decades with its own values: it has too few powers of ten."""
    if at[-1] < 100 * at[0]:
        ax.set_xticks(at, [f"{value:g}" for value in at])
        ax.xaxis.set_minor_locator(plt.NullLocator())


def _mark_means(ax: Axes, rows: pd.DataFrame, x: str, y: str, order: Sequence[str], xword: str, yword: str) -> None:
    """Mark the mean of every series at every x; of rows without a column `seed` no seeds are told."""
    for series in order:
        mine = rows[rows["series"] == series]
        curve = mine.groupby(x)[y].agg(["mean", "sem"]).reset_index().rename(columns={x: xword, "sem": "se"})
        count: Any = mine.groupby(x)["seed"].nunique().to_numpy() if "seed" in mine else 0
        mark_ours(ax, series, curve.assign(seeds=count), xword, yword, said=about)


def _draw_predicted(ax: Axes, predicted: Mapping[str, tuple], colors: Mapping, xword: str, yword: str) -> None:
    """Draw and mark what is predicted for some series, dashed, in the series' colour."""
    for series, (at, values) in predicted.items():
        ax.plot(at, values, color=colors[series], linestyle="--", linewidth=1.3, zorder=1)
        mark(ax, f"{series}, predicted", at, values, [
            (f"{xword} = {digits(a)}", f"{yword} {number(b)}") for a, b in zip(at, values, strict=True)])


def _draw_guides(ax: Axes, curve: pd.Series, guides: Iterable[tuple[float, str]]) -> None:
    """Draw lines of the guides' slopes through the last point of a curve."""
    for (exponent, label), dashes in zip(guides, (":", "-."), strict=False):
        values = curve.iloc[-1] * (curve.index / curve.index[-1]) ** exponent
        ax.plot(curve.index, values, linestyle=dashes, label=label, zorder=1, **GUIDE)


def transposed(name: str, rows: pd.DataFrame, values: Mapping[str, float], at: Sequence[float], *,
               xlabel: str) -> Figure:
    """Returns an experiment's test loss against its series' values, a line per x: mean ± 1 standard error over seeds.

    The paper's curves are drawn in grey with the same markers.

    Args:
        name: the experiment.
        rows: of it.
        values: series → number on the horizontal axis.
        at: the values of the experiment's x of which each gets a line.
        xlabel: of the horizontal axis.
    """
    e, table = experiment(name), summary(name, rows)
    theirs = {v: published(name, series).set_index("x")["y"] for series, v in values.items()}
    figure, ax = plt.subplots()
    both = False
    for x, marker, color in zip(at, MARKERS, ordered_colors(len(at)), strict=False):
        word = f"{e.x} = {x:g}"
        ours = table[(table[e.x] == x) & table["series"].isin(list(values))]
        paper = pd.DataFrame([(v, curve[x]) for v, curve in theirs.items() if x in curve], columns=["x", "y"])
        if len(paper):
            draw_paper(ax, word, paper, xlabel, "test_loss", marker, label="" if len(ours) else f"{word} (paper)")
            both |= len(ours) > 0
        if len(ours):
            placed = ours.assign(**{xlabel: ours["series"].map(values)})
            ax.errorbar(placed[xlabel], ours["mean"], yerr=ours["se"].fillna(0), color=color, marker=marker,
                        markersize=7, label=word)
            mark_ours(ax, word, placed, xlabel, plain("test_loss"))
    ax.set(xlabel=xlabel, ylabel=LOSS)
    ax.set_ylim(-0.03, max(1.35, ax.get_ylim()[1]))
    ax.set_xticks(list(values.values()))
    handles, labels = ax.get_legend_handles_labels()
    legend(figure, [*handles, *[paper_line()] * both], [*labels, *[PAPER_WORDS] * both])
    return figure
