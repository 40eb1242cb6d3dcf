"""Figures and tables of the book: our curve with its band, the paper's curve behind it, the same values as a table.

Every figure carries a text alternative made from its data. Used by the chapters; knows nothing of training.
"""

import html
import io
from collections.abc import Iterable, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from IPython.display import HTML, display
from matplotlib.figure import Figure
from scipy import stats

from . import claims, experiments

MARKERS = ("o", "s", "D", "^", "v", "P", "X", "*")
PAPER = "0.62"  # the grey of the paper's curves
_CLASS = {"held": "held", "held in part": "part", "not held": "not-held", "not tested": "not-tested"}


def style() -> None:
    """The book's figure style: seaborn's colour-blind palette on an opaque white ground."""
    sns.set_theme(context="notebook", style="whitegrid", palette="colorblind", rc={
        "figure.figsize": (6.0, 4.4), "figure.dpi": 100, "savefig.dpi": 200, "figure.facecolor": "white",
        "savefig.facecolor": "white", "axes.spines.top": False, "axes.spines.right": False,
        "grid.color": "0.92", "font.size": 12, "legend.frameon": False, "figure.constrained_layout.use": True,
    })


def show(figure: Figure, alt: str) -> None:
    """Display a figure as a picture with its text alternative, and close it."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    width = round(figure.get_size_inches()[0] * figure.dpi)
    plt.close(figure)
    picture = {"image/png": buffer.getvalue(), "text/plain": alt}
    display(picture, metadata={"image/png": {"alt": alt, "width": width}}, raw=True)


def summary(name: str, rows: pd.DataFrame, metric: str = "test_loss") -> pd.DataFrame:
    """Our curves: series, x, mean, se (standard error over seeds) and the number of seeds, in the legend's order."""
    e = experiments.experiment(name)
    table = rows.groupby(["series", e.x], sort=False)[metric].agg(["mean", "sem", "count"]).reset_index()
    table["series"] = pd.Categorical(table["series"], list(e.series))
    table = table.sort_values(["series", e.x], ignore_index=True).astype({"series": str})
    return table.rename(columns={"sem": "se", "count": "seeds"})


def learning_curves(name: str, rows: pd.DataFrame, metric: str = "test_loss",
                    ylabel: str = "test loss on unseen symbols") -> Figure:
    """An experiment's learning curves, mean ± 1 standard error over seeds, the paper's in grey behind them.

    A series keeps its colour and marker while others have no rows yet; of one without rows only the paper's is drawn.
    """
    e = experiments.experiment(name)
    order = [s for s in e.series if s in set(rows["series"])]
    figure, ax = plt.subplots()
    if e.published:
        _draw_published(ax, e)
    if order:
        sns.lineplot(rows, x="n", y=metric, hue="series", style="series", hue_order=order, style_order=order,
                     palette=dict(zip(e.series, sns.color_palette(None, len(e.series)), strict=True)),
                     markers=dict(zip(e.series, MARKERS, strict=False)), dashes=False, errorbar="se", ax=ax,
                     markersize=7)
    ax.axhline(0.5, color="0.8", linewidth=0.8, zorder=0)
    ax.set_xscale("log", base=2)
    ax.xaxis.set_major_formatter("{x:.0f}")
    ax.set_ylim(-0.03, max(1.35, 1.08 * rows.groupby(["series", "n"])[metric].mean().max()))
    ax.set(xlabel="n = training strings = training symbols", ylabel=ylabel)
    handles, labels = ax.get_legend_handles_labels()
    if e.published and order:
        handles.append(plt.Line2D([], [], color=PAPER, linestyle="--"))
        labels.append("the paper's (same marker)")
    if e.published:
        for series, marker in zip(e.series, MARKERS, strict=False):
            if series not in order and len(claims.published(name, series)):
                handles.append(plt.Line2D([], [], color=PAPER, linestyle="--", marker=marker, markersize=5))
                labels.append(f"{series} (paper)")
    if order:
        ax.get_legend().remove()
    figure.legend(handles, labels, loc="outside upper left", ncols=2)
    return figure


def _draw_published(ax: plt.Axes, e: experiments.Experiment) -> None:
    for series, marker in zip(e.series, MARKERS, strict=False):
        curve = claims.published(e.name, series)
        ax.fill_between(curve["x"], curve["y_low"], curve["y_high"], color=PAPER, alpha=0.2, linewidth=0)
        ax.plot(curve["x"], curve["y"], color=PAPER, linestyle="--", marker=marker, markersize=5, linewidth=1.5)


def panels(name: str, rows: pd.DataFrame, references: dict[str, str], metric: str, ylabel: str) -> Figure:
    """Learning curves, a small panel for every series but the references, which are drawn in grey in all of them.

    Args: references, series → line style. Mean ± 1 standard error over seeds; all panels share their axes.
    """
    e, curves = experiments.experiment(name), dict(list(summary(name, rows, metric).groupby("series")))
    order = [series for series in e.series if series not in references]
    down = -(-len(order) // 3)
    figure, axes = plt.subplots(down, 3, sharex=True, sharey=True, squeeze=False, figsize=(6.0, 1.6 * down + 0.9))
    for ax in axes.flat[len(order):]:
        ax.axis("off")
    for ax, series in zip(axes.flat, order, strict=False):
        lines = {**{other: {"color": PAPER, "linestyle": style} for other, style in references.items()},
                 series: {"color": "C0", "marker": "o", "markersize": 5, "linewidth": 2}}
        for drawn, look in lines.items():
            if drawn in curves:
                c = curves[drawn]
                ax.errorbar(c[e.x], c["mean"], yerr=c["se"].fillna(0), **look)
        ax.set_title(series, fontsize=11)
        ax.set(ylim=(-0.05, 1.1))
        ax.set_xscale("log", base=2)
        ax.xaxis.set_major_formatter("{x:.0f}")
        ax.tick_params(labelsize=9)
    figure.supxlabel("n = training strings", fontsize=12)
    figure.supylabel(ylabel, fontsize=12)
    handles = [plt.Line2D([], [], color=PAPER, linestyle=style) for style in references.values()]
    figure.legend([*handles, plt.Line2D([], [], color="C0", marker="o")], [*references, "the panel's title"],
                  loc="outside upper left", ncols=3)
    return figure


def alt_text(name: str, rows: pd.DataFrame, metric: str = "test_loss") -> str:
    """What the learning curves show, in words made from the rows: first and last value, and n₅₀, of every series."""
    e = experiments.experiment(name)
    parts = [f"Line chart: {metric.replace('_', ' ')} against n for {e.title}."]
    for series, curve in summary(name, rows, metric).groupby("series", sort=False):
        n, loss = curve["n"].to_numpy(), curve["mean"].to_numpy()
        half = float(claims.n50(n, loss))
        crossing = f"falls below one half at n = {half:.0f}" if np.isfinite(half) else "never falls below one half"
        text = f"{series}: {loss[0]:.2f} at n = {n[0]}, {loss[-1]:.2f} at n = {n[-1]}, {crossing}"
        if len(claims.published(name, series)):
            paper = claims.published_n50(name, series)
            text += f" (paper: {f'n = {paper:.0f}' if np.isfinite(paper) else 'never'})"
        parts.append(text + ".")
    lacking = [series for series in e.series if series not in set(rows["series"])]
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
    """A column against another, a line each `series` in this order, on logarithmic axes; otherwise as `scaling`."""
    figure, ax = plt.subplots()
    if rows.empty:
        ax.text(0.5, 0.5, "no run is done yet", transform=ax.transAxes, ha="center")
        return figure
    sns.lineplot(rows, x=x, y=y, hue="series", style="series", hue_order=order, style_order=order,
                 markers=list(MARKERS[:len(order)]), dashes=False, errorbar="se", ax=ax, markersize=7)
    ax.set(xlabel=xlabel, ylabel=ylabel, xscale="log")  # only now, or seaborn would draw geometric means
    if log_y:
        ax.set_yscale("log")
    at = sorted(set(rows[x]))
    if at[-1] < 100 * at[0]:  # too few decades for powers of ten as labels
        ax.set_xticks(at, [f"{value:g}" for value in at])
        ax.xaxis.set_minor_locator(plt.NullLocator())
    limits = ax.get_ylim()
    for series, (at, values) in (predicted or {}).items():
        if series in order:
            ax.plot(at, values, color=f"C{order.index(series)}", linestyle="--", linewidth=1.3, zorder=1)
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
    table = pd.DataFrame({"series": first["series"], e.x: [f"{x:g}" if x < 1e4 else f"{x:,.0f}" for x in first[e.x]]})
    for heading, values in summaries.items():
        table[heading] = [number(m) if np.isnan(se) else f"{number(m)} ± {number(se)}"
                          for m, se in zip(values["mean"], values["se"], strict=True)]
    return fold("The values", table.assign(seeds=first["seeds"]))


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
        if len(mine) > 1:
            mean, low, high, _ = claims.paired(rows, series, reference, metric, e.x)
            ax.errorbar(mean, y + 0.15, xerr=[[mean - low], [high - mean]], fmt=MARKERS[2], color=f"C{y}", capsize=4)
    ax.axvline(1, color="0.4", linewidth=1, zorder=0)
    ax.set_yticks(range(len(order)), order)
    ax.set(ylim=(len(order) - 0.5, -0.5), xlabel=xlabel)
    ax.xaxis.set_major_locator(plt.MaxNLocator(5))
    if base.empty:
        ax.text(1, (len(order) - 1) / 2, "no run is done yet", ha="center", bbox={"color": "white"})
    return figure


def head_maps(panels: dict[str, np.ndarray], *, label: str, annotate: bool = True) -> Figure:
    """Numbers of heads as coloured cells, layers (layers, heads) downwards, a panel each; white is 0."""
    side = max((matrix.shape[1] for matrix in panels.values()), default=1)
    limit = max((float(np.abs(matrix).max()) for matrix in panels.values()), default=1.0) or 1.0
    figure, axes = plt.subplots(1, max(1, len(panels)), figsize=(6.0, 3.6), squeeze=False)
    for ax, (title, matrix) in zip(axes[0], panels.items(), strict=False):
        image = ax.imshow(matrix, cmap="PuOr_r", vmin=-limit, vmax=limit, aspect="auto")
        if annotate and side <= 6:
            for (layer, head), value in np.ndenumerate(matrix):
                ax.text(head, layer, f"{value:.2g}", ha="center", va="center", fontsize=10,
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


def matrices(tables: dict[str, pd.DataFrame], *, fmt: str = ".2f") -> Figure:
    """Small square tables as annotated heat maps, two in a row, each (→ title) with its own colours."""
    down = -(-len(tables) // 2)
    figure, axes = plt.subplots(down, 2, figsize=(6.0, 2.4 * down), squeeze=False)
    for ax in axes.flat[len(tables):]:
        ax.axis("off")
    for ax, (title, table) in zip(axes.flat, tables.items(), strict=False):
        sns.heatmap(table, ax=ax, annot=True, fmt=fmt, cmap="cividis", cbar=False, square=True, linewidths=1,
                    annot_kws={"fontsize": 10 if len(table) < 4 else 8})
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
    return (f"{len(rows)} of {len(e.runs())} runs of results/{name}.csv; {each} a point; "
            f"device: {', '.join(sorted(rows['device'].unique()))}; torch {', '.join(sorted(rows['torch'].unique()))}.")


def values_table(name: str, rows: pd.DataFrame, metric: str = "test_loss") -> HTML:
    """The figure's values in a folded table: ours at the best validation epoch and at the last, and the paper's."""
    e = experiments.experiment(name)
    best, last = summary(name, rows, metric), summary(name, rows, f"final_{metric}")
    table = pd.DataFrame({
        "network": best["series"], "n": best["n"],
        "ours": [_spread(m, s) for m, s in zip(best["mean"], best["se"], strict=True)],
        "ours, last epoch": [_spread(m, s) for m, s in zip(last["mean"], last["se"], strict=True)],
        "seeds": best["seeds"],
    })
    if e.published:
        curves = {series: claims.published(name, series).set_index("x")["y"] for series in e.series}
        paper = [curves[series].get(n) for series, n in zip(best["series"], best["n"], strict=True)]
        table.insert(3, "paper", ["–" if y is None else f"{y:.3f}" for y in paper])
    return fold("The values", table)


def _spread(mean: float, se: float) -> str:
    return f"{mean:.3f}" if np.isnan(se) else f"{mean:.3f} ± {se:.3f}"  # no standard error of one seed


def fold(title: str, frame: pd.DataFrame) -> HTML:
    """A table that opens at a click, and scrolls within itself where the page is narrow."""
    return HTML(f'<details class="values"><summary>{html.escape(title)}</summary>{_table(frame)}</details>')


def table(frame: pd.DataFrame) -> HTML:
    """A table that scrolls within itself where the page is narrow."""
    return HTML(_table(frame))


def _table(frame: pd.DataFrame) -> str:
    return f'<div class="scroll">{frame.to_html(index=False, border=0, classes="values")}</div>'


def number(value: float | None) -> str:
    """Three significant digits; – for none, ∞ for what is never reached."""
    if value is None:
        return "–"
    return "∞" if np.isinf(value) else f"{value:#.3g}".rstrip(".") if abs(value) < 999.5 else f"{value:.0f}"


MEASURE_WORDS = {
    "level": "mean at the worst point",
    "n50": "n₅₀, where the mean falls through ½",
    "gain": "n₅₀ plain / n₅₀ modified",
    "below": "difference of mean losses, at its least sure n",
    "slope": "exponent of a power law",
    "growth": "exponent of n₅₀ as a power of the dimension",
    "at_most": "mean at one n, of the worst series",
    "signal": "value in standard errors, at its least sure row",
    "same_law": "p-value of equal laws, all runs combined",
    "different_laws": "p-value of equal laws, all runs combined",
    "paired": "ratio of the first to the second, paired by seed",
}


def scoreboard(judgements: Iterable[claims.Judgement]) -> HTML:
    """The table of claims: statement, chapter and measure, the paper's number, ours with its interval, the verdict."""
    lines = []
    for j in judgements:
        ours = "–"
        if j.measured:
            interval = f"[{number(j.measured.low)}, {number(j.measured.high)}]"
            ours = f'{number(j.measured.ours)} <small class="interval">{interval}</small>'
        lines.append(
            f'<tr><td>{html.escape(j.claim.statement)}<br><small><a href="{j.claim.chapter}.html">{j.claim.chapter}</a>'
            f" · <code>{j.claim.id}</code> · {MEASURE_WORDS[j.claim.measure]} · {j.coverage}</small></td>"
            f'<td data-label="paper">{number(j.measured.paper) if j.measured else "–"}</td>'
            f'<td data-label="ours">{ours}</td>'
            f'<td><span class="verdict {_CLASS[j.verdict]}">{j.verdict}</span></td></tr>'
        )
    head = "".join(f"<th>{h}</th>" for h in ("claim", "paper", "ours", "verdict"))
    return HTML(f'<div class="scroll"><table class="scoreboard"><thead><tr>{head}</tr></thead>'
                f"<tbody>{''.join(lines)}</tbody></table></div>")


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
    ax.plot(line, line, color="0.5", linewidth=1, label="equal laws")
    styles = dict(zip(e.grid[e.x], ("-", "--", ":"), strict=False))
    for color, series in enumerate(e.series):
        for x, values in rows[rows["series"] == series].groupby(e.x)["p_value"]:
            ax.ecdf(values, label=f"{series}, {e.x} = {x}", color=f"C{color}", linestyle=styles[x], linewidth=2)
    ax.set(xlim=(-0.02, 1), ylim=(0, 1.02), xlabel="p-value of one run", ylabel="share of runs below")
    figure.legend(loc="outside upper left", ncols=2)
    return figure
