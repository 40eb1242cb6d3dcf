"""Learning curves of one experiment in small panels that share their axes."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..experiments import experiment
from ..formats import plain
from ..summaries import summary
from .curves import LOSS, draw_paper, log2_axis
from .points import mark_ours
from .style import MARKERS, PAPER_WORDS, REFERENCE, X_WORDS, legend, paper_line, say_no_run

HEIGHTS = {2: 2.1, 3: 1.6}  # inches of a panel, by the number of panels in a row
TITLE_WORDS = "the panel's title"


def facets(name: str, rows: pd.DataFrame, panels: Mapping[str, Sequence[str]], *,
           references: Mapping[str, str] | None = None, papers: Mapping[str, pd.DataFrame] | None = None,
           words: Sequence[str] | None = None, metric: str = "test_loss", xlabel: str | None = None,
           ylabel: str = LOSS, columns: int = 2) -> Figure:
    """Returns learning curves, a panel for each group of series, on the same axes: mean ± 1 standard error over seeds.

    Args:
        name: the experiment.
        rows: of it.
        panels: title → its series.
        references: series → line style; they are drawn in dark lines in every panel.
        papers: series → the paper's curve, as `companion.published.published` gives it, drawn in grey behind it.
        words: the legend's, one for each series of a panel; without them it says that a curve is the panel's title.
        metric: what is drawn.
        xlabel: of the horizontal axis, where the usual words for the experiment's x are not right.
        ylabel: what the metric is called.
        columns: panels in a row, 2 or 3.
    Raises:
        ValueError: another number of columns.
    """
    if columns not in HEIGHTS:
        raise ValueError(f"columns={columns}: panels stand 2 or 3 in a row")
    e, references, papers = experiment(name), references or {}, papers or {}
    curves = {str(s): curve for s, curve in summary(name, rows, metric).groupby("series")}
    down = -(-len(panels) // columns)
    figure, axes = plt.subplots(down, columns, sharex=True, sharey=True, squeeze=False,
                                figsize=(6.0, HEIGHTS[columns] * down + 0.9))
    for ax, (title, group) in zip(axes.flat, panels.items(), strict=False):
        for series in (s for s in references if s in curves):
            _draw(ax, curves[series], e.x, color=REFERENCE, linestyle=references[series], linewidth=1.2)
        _draw_group(ax, group, curves, papers, e.x, metric)
        _panel(ax, title, e.grid[e.x] if columns == 2 else None)
    for ax in axes.flat[len(panels):]:
        ax.axis("off")
    highest = max([curve["mean"].max() for curve in curves.values()], default=0)
    low, top = (-0.05, 1.1) if metric.endswith("error") else (-0.03, 1.35)  # an error is at most 1
    axes[0, 0].set_ylim(low, max(top, 1.08 * highest))
    figure.supxlabel(xlabel or X_WORDS.get(e.x, e.x), fontsize=12)
    figure.supylabel(ylabel, fontsize=12)
    _legend(figure, references, words or [TITLE_WORDS], bool(papers))
    return figure


def _draw_group(ax: Axes, group: Sequence[str], curves: Mapping[str, pd.DataFrame], papers: Mapping[str, pd.DataFrame],
                x: str, metric: str) -> None:
    """Draw a panel's own series, each over the paper's curve, or say that it has none yet."""
    for i, series in enumerate(group):
        if series in papers:
            draw_paper(ax, series, papers[series], x, metric, MARKERS[i], markersize=4, linewidth=1.3)
        if series in curves:
            _draw(ax, curves[series], x, color=f"C{i}", marker=MARKERS[i], markersize=5, linewidth=2)
            mark_ours(ax, series, curves[series], x, plain(metric))
    if not any(series in curves or series in papers for series in group):
        say_no_run(ax)


def _draw(ax: Axes, curve: pd.DataFrame, x: str, **look: object) -> None:
    """Draw a curve as in `companion.summaries.summary`."""
    ax.errorbar(curve[x], curve["mean"], yerr=curve["se"].fillna(0), **look)  # type: ignore[arg-type]


def _panel(ax: Axes, title: str, ticks: Sequence[float] | None) -> None:
    """A panel's title, its line at one half, and its horizontal axis, with these ticks or few of them."""
    ax.axhline(0.5, color="0.8", linewidth=0.8, zorder=0)
    ax.set_title(title, fontsize=11)
    log2_axis(ax)
    if ticks:
        ax.set_xticks(ticks, [str(x) for x in ticks])
        ax.xaxis.set_minor_locator(plt.NullLocator())
    ax.tick_params(labelsize=9)


def _legend(figure: Figure, references: Mapping[str, str], words: Sequence[str], paper: bool) -> None:
    handles = [*(Line2D([], [], color=REFERENCE, linestyle=dashes, linewidth=1.2) for dashes in references.values()),
               *(Line2D([], [], color=f"C{i}", marker=MARKERS[i]) for i in range(len(words))),
               *[paper_line()] * paper]
    legend(figure, handles, [*references, *words, *[PAPER_WORDS] * paper], ncols=3)
