"""Two things beside each other: predictions and measurements, shares, ratios, distributions."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

from ..experiments import experiment
from ..formats import digits, number, seeds
from ..statistics import paired
from .points import mark
from .style import MARKERS, NO_RUN, legend


def dots(table: pd.DataFrame, x: str, y: str, hue: str, *, predicted: tuple[Sequence[float], Sequence[float]],
         label: str, xlabel: str, ylabel: str) -> Figure:
    """Returns one dot per row of a table, spread sideways at each x, and a predicted line.

    Args:
        table: a row per dot.
        x: a column of positive numbers; its axis is logarithmic.
        y: a column.
        hue: the column that colours them.
        predicted: (x, y) of the line.
        label: of the line.
        xlabel: of the horizontal axis.
        ylabel: of the vertical axis.
    """
    def words(at: Sequence[float], values: Sequence[float]) -> list[tuple[str, str]]:
        return [(f"{xlabel} = {digits(a)}", f"{ylabel} = {digits(b)}") for a, b in zip(at, values, strict=True)]

    figure, ax = plt.subplots()
    rng = np.random.default_rng(0)
    for color, (kind, rows) in enumerate(table.groupby(hue, sort=False)):
        spread = 2 ** rng.uniform(-0.3, 0.3, len(rows))
        ax.plot(rows[x] * spread, rows[y], MARKERS[color], color=f"C{color}", markersize=4, alpha=0.5, label=kind)
        mark(ax, str(kind), rows[x] * spread, rows[y], words(rows[x], rows[y]))  # each says where it belongs
    mark(ax, label, *predicted, words(*predicted))
    ax.plot(*predicted, color="0.1", linewidth=1.5, label=label)
    ax.axhline(0, color="0.7", linewidth=0.8, zorder=0)
    ax.set_xscale("log", base=2)
    at = sorted(set(table[x]))
    ax.set_xticks(at, [f"{value:g}" for value in at])
    ax.set(xlabel=xlabel, ylabel=ylabel)
    legend(figure)
    return figure


def shares(table: pd.DataFrame, x: str, columns: Mapping[str, str]) -> Figure:
    """Returns shares that add up to one as stacked bars, a panel per `series`.

    Args:
        table: a row per bar, with a column `series`.
        x: the column of the bars' names.
        columns: three columns of shares → words of the legend, from the bottom up.
    """
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
    legend(figure, *axes[0, 0].get_legend_handles_labels(), ncols=3)
    return figure


def scatter(table: pd.DataFrame, x: str, y: str, hue: str, *, xlabel: str, ylabel: str) -> Figure:
    """Returns one dot per row of a table on equal logarithmic axes, with the line on which x and y agree.

    An infinite y is drawn on the upper edge.

    Args:
        table: a row per dot.
        x: a column of positive numbers.
        y: a column of positive numbers.
        hue: the column that colours them.
        xlabel: of the horizontal axis.
        ylabel: of the vertical axis.
    """
    figure, ax = plt.subplots()
    finite = [*table[x], *table[y][np.isfinite(table[y])]]
    low, top = min(finite) / 1.5, 1.5 * max(finite)
    for color, (kind, rows) in enumerate(table.groupby(hue, sort=False)):
        drawn = np.minimum(rows[y], top)
        ax.plot(rows[x], drawn, MARKERS[color], color=f"C{color}", markersize=8, alpha=0.8, label=kind, clip_on=False)
        mark(ax, str(kind), rows[x], drawn,
             [(f"{xlabel}: {number(a)}", f"{ylabel}: {number(b)}") for a, b in zip(rows[x], rows[y], strict=True)])
    ax.plot([low, top], [low, top], color="0.6", linewidth=1, zorder=0)
    ax.set(xscale="log", yscale="log", xlim=(low, top), ylim=(low, top), xlabel=xlabel, ylabel=ylabel)
    _equal_ticks(ax, low, top)
    legend(figure, ncols=3)
    return figure


def _equal_ticks(ax: Axes, low: float, top: float) -> None:
    """The same ticks on both logarithmic axes: powers of ten, with twice and five times them where these are few."""
    steps = (1, 2, 5) if top < 1e3 * low else (1,)
    ticks = [step * 10.0**power for power in range(-6, 12) for step in steps if low <= step * 10.0**power <= top]
    ax.minorticks_off()
    words = [f"{tick:,.0f}" if tick >= 1 else f"{tick:g}" for tick in ticks]
    ax.set_xticks(ticks, words)
    ax.set_yticks(ticks, words)


def answers(table: pd.DataFrame) -> Figure:
    """Returns a network's answers to single strings, and every template's mean.

    Args:
        table: a row per string, with its `template` and `answer`.
    """
    figure, ax = plt.subplots()
    table = table.sort_values("template", kind="stable")
    sns.stripplot(table, x="template", y="answer", hue="template", jitter=0.3, size=3, alpha=0.5, legend=False, ax=ax)
    sns.pointplot(table, x="template", y="answer", errorbar=None, linestyle="none", marker="_", markersize=36,
                  markeredgewidth=3, color="0.2", ax=ax)
    means = table.groupby("template")["answer"].mean()
    mark(ax, "mean", range(len(means)), means, [(z, f"answer {mean:.2f}") for z, mean in means.items()])
    ax.set(xlabel="template of the string", ylabel="answer")
    return figure


def ratios(name: str, rows: pd.DataFrame, reference: str, metric: str, *, xlabel: str) -> Figure:
    """Returns a metric of every series as a multiple of the reference's with the same seed: dots, mean and interval.

    The mean is geometric, the interval that of `companion.statistics.paired`; series of fewer than two pairs show their
    dots alone.

    Args:
        name: the experiment.
        rows: of it.
        reference: the series that the others are compared with.
        metric: what is compared.
        xlabel: of the horizontal axis.
    """
    e = experiment(name)
    order = [series for series in e.series if series != reference]
    figure, ax = plt.subplots(figsize=(6.0, 0.6 * len(order) + 1.3))
    base = rows[rows["series"] == reference].set_index([e.x, "seed"])[metric]
    for y, series in enumerate(order):
        mine = (rows[rows["series"] == series].set_index([e.x, "seed"])[metric] / base).dropna()
        ax.plot(mine, np.full(len(mine), y - 0.15), "o", color=f"C{y}", alpha=0.5, markersize=5)
        mark(ax, series, mine, np.full(len(mine), y - 0.15),
             [(f"seed {seed}", f"{xlabel}: {ratio:.3f}") for (_, seed), ratio in mine.items()])  # type: ignore[misc]
        if len(mine) > 1:
            mean, low, high, _ = paired(rows, series, reference, metric, e.x)
            ax.errorbar(mean, y + 0.15, xerr=[[mean - low], [high - mean]], fmt=MARKERS[2], color=f"C{y}", capsize=4)
            mark(ax, series, [mean], [y + 0.15],
                 [(f"mean of {seeds(len(mine))}", f"{xlabel}: {mean:.3f} [{low:.3f}, {high:.3f}]")])
    ax.axvline(1, color="0.4", linewidth=1, zorder=0)
    ax.set_yticks(range(len(order)), order)
    ax.set(ylim=(len(order) - 0.5, -0.5), xlabel=xlabel)
    ax.xaxis.set_major_locator(plt.MaxNLocator(5))
    if base.empty:
        ax.text(1, (len(order) - 1) / 2, NO_RUN, ha="center", bbox={"color": "white"})
    return figure


def agreement(panels: Mapping[str, Mapping[str, tuple[np.ndarray, np.ndarray]]], *, xlabel: str,
              ylabel: str) -> Figure:
    """Returns two predictions for the same strings against each other, with the line on which they agree.

    Args:
        panels: title → {legend word: (x, y)}; the first of these is drawn in grey, below the others.
        xlabel: of the horizontal axes.
        ylabel: of the vertical axis.
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
    legend(figure, *axes[0, 0].get_legend_handles_labels(), ncols=3, handletextpad=0.2, columnspacing=1.2)
    return figure


def labelled_points(points: np.ndarray, names: Sequence[str], groups: Sequence[str], *, xlabel: str,
                    ylabel: str) -> Figure:
    """Returns points in the plane, each with its name, coloured by group, on equal scales, with their outline.

    Args:
        points: (n, 2).
        names: of the points.
        groups: of the points; each has a colour.
        xlabel: of the horizontal axis.
        ylabel: of the vertical axis.
    """
    figure, ax = plt.subplots()
    centre = points.mean(0)
    around = np.argsort(np.arctan2(*(points - centre).T))
    ax.fill(*points[around].T, facecolor="none", edgecolor="0.75", linewidth=1)
    for index, group in enumerate(dict.fromkeys(groups)):
        mine = [g == group for g in groups]
        ax.plot(*points[mine].T, MARKERS[index], color=f"C{index}", markersize=11, linestyle="none", label=group)
        mark(ax, group, points[mine, 0], points[mine, 1], [
            (str(name), f"{xlabel} {digits(x)}, {ylabel} {digits(y)}")
            for name, (x, y) in zip(np.array(names)[mine], points[mine].round(6) + 0.0, strict=True)])
    for point, name in zip(points, names, strict=True):
        x, y = (point - centre) / np.linalg.norm(point - centre)  # names stand outside
        ax.annotate(name, point, xytext=(12 * x, 16 * y), textcoords="offset points", fontsize=12, va="center",
                    ha="center" if abs(x) < 0.5 else "left" if x > 0 else "right")
    (x, y), reach = centre, 1.3 * np.abs(points - centre).max()
    ax.set(xlabel=xlabel, ylabel=ylabel, aspect="equal")
    ax.set(xlim=(x - 1.3 * reach, x + 1.3 * reach), ylim=(y - reach, y + reach))
    legend(figure)
    return figure


def output_ecdfs(panels: Mapping[str, Mapping[str, np.ndarray]]) -> Figure:
    """Returns empirical distribution functions of outputs, a panel per network, and their largest distance.

    Args:
        panels: title → {template: outputs}, of two templates each.
    """
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
    legend(figure, *axes[0, 0].get_legend_handles_labels(), loc="outside upper center")
    return figure


def p_value_ecdfs(name: str, rows: pd.DataFrame) -> Figure:
    """Returns empirical distribution functions of an experiment's p-values, and the band of uniform ones.

    Of equal distributions the p-values are uniform, and leave the band once in 20 times.

    Args:
        name: the experiment, whose x has at most three values.
        rows: of it, with their `p_value`.
    """
    e = experiment(name)
    figure, ax = plt.subplots()
    most = rows.groupby(["series", e.x]).size().max()
    line = np.linspace(0, 1, 201)
    if most > 0:
        width = stats.kstwo.ppf(0.95, most)
        ax.fill_between(line, np.maximum(line - width, 0), np.minimum(line + width, 1), color="0.92", zorder=0,
                        label=f"95% band of {most} uniform p-values")
    ax.axline((0, 0), slope=1, color="0.5", linewidth=1, label="equal distributions")
    dashes = dict(zip(e.grid[e.x], ("-", "--", ":"), strict=False))
    for color, series in enumerate(e.series):
        for x, values in rows[rows["series"] == series].groupby(e.x)["p_value"]:
            ax.ecdf(values, label=f"{series}, {e.x} = {x}", color=f"C{color}", linestyle=dashes[x], linewidth=2)
    ax.set(xlim=(-0.02, 1), ylim=(0, 1.02), xlabel="p-value of one run", ylabel="share of runs below")
    legend(figure)
    return figure
