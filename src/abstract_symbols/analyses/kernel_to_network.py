"""Analyses of the chapter "From kernel to network"."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from companion import figures
from companion.experiments import experiment
from companion.figures.points import mark_ours
from companion.formats import crossing, number
from companion.published import published, published_n50
from companion.statistics import curve, n50
from companion.summaries import summary

from ..kernels import TransformerKernel
from ..kernels.prediction import predicted_samples, width_needed
from ..kernels.template_matrix import smallest_eigenvalue
from ..runs.kernel import PredictionRun, RidgeRun, rms
from ..tasks import task
from ..templates import TemplateTask

STRINGS = "strings to a test loss of ½"  # an axis and a column of tables
DISTANCE_FORMATS = {"d_mlp": ",", "difference on unseen strings": ".2f"}  # of the tables: column → format
START_FORMATS = {"sd of the logits": number, "β with this sd": number, "largest attention weight": ".2f"}
NEEDS_FORMATS = {"β": "g", "ν": ".1e", STRINGS: ",.0f"}
HEADS_FORMATS = dict.fromkeys(("test", "test, paper", "train", "train, paper"), ".2f")
ATTENTION = {"logits_before": "sd of the logits before", "logits_after": "sd after",
             "largest_before": "largest weight before", "largest_after": "weight after", "test_loss": "test loss"}
ATTENTION_FORMATS = dict.fromkeys(ATTENTION.values(), ".2f")

KERNEL, SOLVED = "kernel ridge regression", "last layer, least squares"  # ways of learning
ADAM, ALL = "last layer, 1,000 epochs of Adam", "all weights, Adam"
PAPERS_SETTING = ("same-different", "last-layer-heads")  # where a row of the paper's n₅₀ is the same thing

Panels = dict[str, dict[str, tuple[np.ndarray, np.ndarray]]]  # title → {which strings: (x, y)}


class Rows(Protocol):
    """Experiment → its rows: a dictionary, or a chapter."""

    def __getitem__(self, name: str) -> pd.DataFrame: ...


def predictions_of_both(runs: Mapping[str, PredictionRun]) -> Panels:
    """Returns the predictions of kernel and network for every string: of training, and unseen ones by template.

    Args:
        runs: title → run.
    """
    panels = {}
    for title, run in runs.items():
        network, kernel = run.predictions()
        test = run.samples()[1]
        groups = {"training": (kernel[:run.n], network[:run.n])}
        for i, template in enumerate(test.task.templates):
            mine = np.flatnonzero(test.templates.numpy() == i) + run.n
            groups[f"unseen {template.pattern}"] = kernel[mine], network[mine]
        panels[title] = groups
    return panels


def distances_of_both(panels: Panels) -> dict[str, dict[str, float]]:
    """Returns the root mean square distance of the two predictions, for each panel and group of strings."""
    return {title: {label: rms(x - y) for label, (x, y) in groups.items()} for title, groups in panels.items()}


def predictions_picture(panels: Panels) -> tuple[Figure, str]:
    """Returns `predictions_of_both` as a figure, and its text alternative: the distances of each panel."""
    parts = ["Two scatter plots, the network's prediction against the kernel's."]
    for title, found in distances_of_both(panels).items():
        words = ", ".join(f"{label} {distance:.2f}" for label, distance in found.items())
        parts.append(f"{title.capitalize()}: distance {words}.")
    return figures.agreement(panels, xlabel="the kernel's prediction", ylabel="the network's"), " ".join(parts)


@dataclass(frozen=True)
class Distances:
    """Root mean square distances between the predictions of kernel and network, for αα against αβ.

    Attributes:
        seen: on training strings, at the smallest width.
        same_narrow: on unseen αα at the smallest width, and
        different_narrow: on unseen αβ.
        same_wide: on unseen αα at the largest width, and
        different_wide: on unseen αβ.
    """

    seen: float
    same_narrow: float
    different_narrow: float
    same_wide: float
    different_wide: float


def narrow_and_wide(panels: Panels) -> Distances:
    """Returns the distances of the first and the last of the panels; see `Distances`."""
    narrow, *_, wide = distances_of_both(panels).values()
    return Distances(narrow["training"], narrow["unseen αα"], narrow["unseen αβ"],
                     wide["unseen αα"], wide["unseen αβ"])


def estimated_differences(rows: pd.DataFrame) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Returns s √(2D / (ν · width)), the estimate of the difference of network and kernel: series → (widths, values).

    Args:
        rows: of "predictions"; they have the kernel's mean error on unseen strings, 1 − s.
    """
    widths = np.array(experiment("predictions").grid["width"])
    errors = rows.groupby("series")["kernel_error"].mean()
    needed = _widths_needed()
    return {str(series): (widths, (1 - error) * np.sqrt(needed[str(series)] / widths))
            for series, error in errors.items()}


def differences_picture(rows: pd.DataFrame) -> tuple[Figure, str]:
    """Returns the differences of network and kernel against width with the estimate, and the text alternative.

    Args:
        rows: of "predictions".
    """
    figure = figures.scaling("predictions", rows, "difference", xlabel="width of the network",
                             ylabel="network − kernel, rms", guides=[(-0.5, "slope −½")],
                             predicted=estimated_differences(rows))
    alt = figures.scaling_alt("predictions", rows, "difference", "rms difference between network and kernel")
    return figure, f"{alt} Dashed: the estimate, above the measured curves."


def _widths_needed() -> dict[str, float]:
    """2D/ν for the kernel of each series of "predictions"."""
    runs = {series: run for run, series in experiment("predictions").runs().items()}
    return {series: width_needed(task(run.task), run.kernel()) for series, run in runs.items()}


def width_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Returns how the rows of "predictions" compare with the estimate, a row per kernel.

    The columns are kernel; 2D/ν; the measured difference in units of the estimated one at the smallest and at the
    largest width; there the difference in units of s, the network's error and the kernel's.
    """
    needed, estimates, lines = _widths_needed(), estimated_differences(rows), []
    for series, (widths, estimate) in estimates.items():
        mine = rows[rows["series"] == series].groupby("width")[["difference", "network_error"]].mean()
        error = rows.loc[rows["series"] == series, "kernel_error"].mean()
        first, last = widths[0], widths[-1]
        lines.append({
            "kernel": series, "2D/ν": needed[series],
            f"measured / estimated, width {first}": mine["difference"][first] / estimate[0],
            f"measured / estimated, width {last}": mine["difference"][last] / estimate[-1],
            "difference / s": mine["difference"][last] / (1 - error),
            "network's error": mine["network_error"][last], "kernel's error": error})
    return pd.DataFrame(lines)


def distance_table(distances: Mapping[int, float]) -> pd.DataFrame:
    """Returns the distances of networks with several numbers of features: d_mlp, difference on unseen strings."""
    return pd.DataFrame(distances.items(), columns=["d_mlp", "difference on unseen strings"])


def start_table(starts: Mapping[float, tuple[float, float]]) -> pd.DataFrame:
    """Returns where attention starts: weights, sd of the logits, β with this sd, largest attention weight.

    The theory's logits with γ = 1 have the standard deviation √2 β.

    Args:
        starts: factor of the initial weights → standard deviation of the logits, mean of the largest weight.
    """
    return pd.DataFrame([
        {"weights": f"× {scale}", "sd of the logits": sd, "β with this sd": sd / 2**0.5,
         "largest attention weight": largest} for scale, (sd, largest) in starts.items()])


def kernel_needs(t: TemplateTask, betas: Iterable[float], gamma: float = 1.0, b1: float = 2.0,
                 b2: float = 0.3) -> pd.DataFrame:
    """Returns what kernels of several β need: β, ν (smallest eigenvalue of the template matrix), and `STRINGS`.

    Args:
        t: the task.
        betas: inverse temperatures.
        gamma: strength of the positions.
        b1: of the activation cos(b1 t + b2), as
        b2: is.
    """
    lines = []
    for beta in betas:
        kernel = TransformerKernel(beta, gamma, b1=b1, b2=b2)
        lines.append({"β": beta, "ν": smallest_eigenvalue(t, kernel)[0], STRINGS: predicted_samples(t, kernel)})
    return pd.DataFrame(lines)


def strings_without_repeats(kernel: TransformerKernel) -> float:
    """Returns how many strings of αα and αβ a kernel is predicted to need where no symbol occurs in two of them."""
    return predicted_samples(task("same-different"), kernel, alphabet=np.inf)


def both_ways_picture(adam: str, solved: str, rows: Rows) -> tuple[Figure, str]:
    """Returns the test losses of a last layer trained with Adam, beside the paper's, and solved by least squares.

    Args:
        adam: an experiment whose runs are of the kind `LastLayerRun`.
        solved: one of the kind `LeastSquaresRun`.
        rows: of both.
    Returns:
        The figure, and its text alternative.
    """
    titles = {adam: "Adam, 1,000 epochs", solved: "least squares"}
    scales = list(experiment(adam).series)
    looks = dict(zip(scales, zip(figures.ordered_colors(len(scales)), figures.MARKERS, strict=False), strict=True))
    figure, axes = plt.subplots(1, 2, figsize=(6.0, 3.9), sharex=True, sharey=True)
    for ax, (name, title) in zip(axes, titles.items(), strict=True):
        curves = dict(list(summary(name, rows[name]).groupby("series")))
        for series, (color, marker) in looks.items():
            if name == adam:
                figures.draw_paper(ax, series, published(name, series), "n", "test_loss", marker, linewidth=1.3)
            if series in curves:
                curve = curves[series]
                mark_ours(ax, f"{series}, {title}", curve, "n", "test loss")
                ax.errorbar(curve["n"], curve["mean"], yerr=curve["se"].fillna(0), color=color, marker=marker)
        ax.axhline(0.5, color="0.8", linewidth=0.8, zorder=0)
        ax.set_xscale("log", base=4)
        ax.set_xticks([64, 512, 4096, 16384], ["64", "512", "4,096", "16,384"], fontsize=8)
        ax.minorticks_off()
        ax.set_title(title, fontsize=12)
        ax.set_ylim(-0.03, 1.35)
    axes[0].set_ylabel("test loss on unseen symbols")
    figure.supxlabel(figures.X_WORDS["n"], fontsize=12)
    handles = [Line2D([], [], color=color, marker=marker) for color, marker in looks.values()]
    figures.legend(figure, [*handles, Line2D([], [], color=figures.PAPER, linestyle="--")],
                   [*(series.replace("scale", "weights ×") for series in looks), figures.PAPER_WORDS], ncols=2)
    return figure, " ".join(f"{title}. {figures.alt_text(name, rows[name])}" for name, title in titles.items())


def heads_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Returns mean losses of "last-layer-heads" beside the paper's: weights, n, test, test of the paper, train, train.

    Args:
        rows: of the experiment.
    """
    name, lines = "last-layer-heads", []
    for series in experiment(name).series:
        papers = [published(name, series, figure).set_index("x")["y"]
                  for figure in (None, "transformer_lastlayer_1_train")]
        means = rows[rows["series"] == series].groupby("n")[["test_loss", "train_loss"]].mean()
        lines += [(series.replace("scale", "×"), n, test, papers[0].get(n), train, papers[1].get(n))
                  for n, test, train in means.itertuples()]
    return pd.DataFrame(lines, columns=["weights", "n", "test", "test, paper", "train", "train, paper"])


def width_from_train_loss() -> dict[int, tuple[float, float]]:
    """Returns n → (the paper's training loss at scale 1, the width d at which 1 − d/n is this loss), at n ≥ 4,096.

    Least squares of random labels on d features leaves a share 1 − d/n of them.
    """
    curve = published("last-layer-heads", "scale 1", "transformer_lastlayer_1_train").set_index("x")["y"]
    return {int(n): (float(loss), float((1 - loss) * n)) for n, loss in curve.items() if n >= 4096}


def two_published() -> dict[str, float]:
    """Returns the paper's two n₅₀ of the plain transformer on αα against αβ: plain_paper and plain_majority."""
    return {"plain_paper": published_n50("same-different", "Transformer"),
            "plain_majority": published_n50("majority", "Length 2")}


def trained_aba(rows: pd.DataFrame) -> str:
    """Returns n₅₀ of the plain transformer on αβα against αββ, all weights trained, in words.

    Args:
        rows: of "aba-abb".
    """
    return crossing(*_half(rows, "Transformer"))


LAYERS = (  # (what, how it is trained, experiment, series) of the ways to learn that have rows
    ("weights × 1", SOLVED, "last-layer-solved", "scale 1"),
    ("weights × 64", SOLVED, "last-layer-solved", "scale 64"),
    ("weights × 1, d = 1024", SOLVED, "last-layer-solved-wide", "scale 1"),
    ("weights × 64, d = 1024", SOLVED, "last-layer-solved-wide", "scale 64"),
    ("weights × 1", ADAM, "last-layer", "scale 1"),
    ("weights × 64", ADAM, "last-layer", "scale 64"),
    ("weights × 64, d = 1024, 16 heads", ADAM, "last-layer-wide", "d = 1024"),
    ("weights × 1, d = 1024", ADAM, "last-layer-heads", "scale 1"),
    ("weights × 64, d = 1024", ADAM, "last-layer-heads", "scale 64"),
    ("weights × 1", ALL, "same-different", "Transformer"),
    ("weights × 1, a and b", ALL, "same-different", "Modified transformer"),
)


def strings_to_half(rows: Rows, options: Mapping[str, Any]) -> pd.DataFrame:
    """Returns how many strings each way of learning αα against αβ needs until its test loss stays below one half.

    Args:
        rows: of the experiments that have these networks; what has none is left out.
        options: parameters of a kernel that is measured here, by `ridge_half`.
    Returns:
        network, trained (`KERNEL`, `SOLVED`, `ADAM` or `ALL`), n50, first and last (the ends of the measured n),
        words (n50 in words, such as > 4,096), paper (the published number, NaN without one).
    """
    usual, better = experiment("predictions").series
    measured = (16, 32, 64, 128, 256)
    lines = [(usual, KERNEL, *_half(rows["ridge-n"], "αα / αβ", "error", square=True), np.nan),
             (better, KERNEL, ridge_half(measured, **options), measured[0], measured[-1], np.nan)]
    for words, trained, name, series in LAYERS:
        if (rows[name]["series"] == series).any():
            paper = published_n50(name, series) if name in PAPERS_SETTING else np.nan
            lines.append((words, trained, *_half(rows[name], series), paper))
    table = pd.DataFrame(lines, columns=["network", "trained", "n50", "first", "last", "paper"])
    return table.assign(words=[crossing(r.n50, r.first, r.last) for r in table.itertuples()])


def _half(rows: pd.DataFrame, series: str, metric: str = "test_loss", square: bool = False) -> tuple[float, int, int]:
    """n₅₀ of a series' mean curve and the ends of its n; square: of a root mean square, whose square is the loss."""
    n, values = curve(rows, series, metric, "n")
    mean = values.mean(0)
    return float(n50(n, mean**2 if square else mean)), int(n[0]), int(n[-1])


def strings_picture(table: pd.DataFrame) -> tuple[Figure, str]:
    """Returns the numbers of `strings_to_half` as a chart, a line per way of learning, and its text alternative.

    A bound is a triangle at the end of the measured n that points to where the number is.
    """
    ways = list(dict.fromkeys(table["trained"]))
    gaps = 0.5 * table["trained"].map(ways.index)  # between the ways
    drawn = table.assign(place=np.arange(len(table)) + gaps, at=table["n50"].clip(table["first"], table["last"]))
    papers = drawn[np.isfinite(drawn["paper"])]
    figure, ax = plt.subplots(figsize=(6.0, 0.33 * len(table) + 1.3))
    for color, way in enumerate(ways):
        mine = drawn[drawn["trained"] == way]
        for row in mine.itertuples():
            marker = "<" if row.n50 <= row.first else ">" if row.n50 > row.last else "o"
            ax.plot(row.at, row.place, marker, color=f"C{color}", markersize=8)
            ax.annotate(row.words, (row.at, row.place), xytext=(9, 0), fontsize=10, textcoords="offset points",
                        va="center")
        ax.plot([], [], "o", color=f"C{color}", label=way)
        figures.mark(ax, way, mine["at"], mine["place"],
                     [(row.network, f"{row.words} {STRINGS}") for row in mine.itertuples()])
    ax.plot(papers["paper"], papers["place"], "|", color=figures.PAPER, markersize=16, markeredgewidth=3, zorder=1,
            label=figures.PAPERS)
    figures.mark(ax, figures.PAPERS, papers["paper"], papers["place"],
                 [(row.network, f"{row.paper:,.0f} {STRINGS}") for row in papers.itertuples()])
    ax.set_yticks(drawn["place"], table["network"], fontsize=10)
    ax.set(ylim=(drawn["place"].max() + 0.6, -0.6), xlim=(8, 120_000), xlabel=STRINGS)
    ax.set_xscale("log", base=4)
    ax.set_xticks([16, 64, 256, 1024, 4096, 16384], ["16", "64", "256", "1,024", "4,096", "16,384"], fontsize=9)
    ax.minorticks_off()
    figures.legend(figure, *ax.get_legend_handles_labels(), ncols=2, fontsize=10)
    said = [f"{row.trained}, {row.network}: {row.words}" + (f" (paper: {row.paper:,.0f})" if row.paper < np.inf else "")
            for row in table.itertuples()]
    return figure, f"Chart: {STRINGS} for each way of learning αα against αβ. {'. '.join(said)}."


def ridge_half(ns: Sequence[int], *, seeds: int = 5, **options: Any) -> float:
    """Returns the n at which kernel ridge regression on αα against αβ has a test loss of one half, measured here.

    Args:
        ns: the n that are measured.
        seeds: at each.
        options: other fields of `RidgeRun`.
    """
    def loss(n: int) -> float:
        runs = [RidgeRun("same-different", seed, n=n, **options) for seed in range(seeds)]  # type: ignore[arg-type]
        return float(np.mean([run.measure("cpu")["error"] ** 2 for run in runs]))

    return float(n50(np.array(ns), np.array([loss(n) for n in ns])))


def attention_means(rows: pd.DataFrame) -> pd.DataFrame:
    """Returns what training does to attention, in means over seeds: a row per network and n, in the grid's order.

    The columns are network, n, and the values of `ATTENTION`.

    Args:
        rows: of "attention".
    """
    e = experiment("attention")
    means = rows.groupby(["series", "n"])[list(ATTENTION)].mean()
    order = [(series, n) for series in e.series for n in e.grid["n"] if (series, n) in means.index]
    return means.loc[order].rename_axis(["network", "n"]).rename(columns=ATTENTION).reset_index()


@dataclass(frozen=True)
class Sharpening:
    """What training does to the attention logits, on αα against αβ: means over seeds.

    Attributes:
        before: their standard deviation in the plain transformer before training, with 1,024 strings.
        after: after it.
        few_after: after training with 64 strings.
        few_loss: the test loss then.
        modified_after: their standard deviation in the modified transformer, after training with 1,024 strings.
        beta_before: the β of a kernel whose logits have the standard deviation `before`.
        beta_after: that of `after`.
        strings_before: how many strings the kernel with `beta_before` needs.
        strings_after: that with `beta_after`.
    """

    before: float
    after: float
    few_after: float
    few_loss: float
    modified_after: float
    beta_before: float
    beta_after: float
    strings_before: float
    strings_after: float


def sharpening(rows: pd.DataFrame) -> Sharpening:
    """Returns what the rows of "attention" say; see `Sharpening`. A kernel with γ = 1 has logits of sd √2 β."""
    means = rows.groupby(["series", "n"])[list(ATTENTION)].mean()
    many, few = means.loc["Transformer", 1024], means.loc["Transformer", 64]
    before, after = float(many["logits_before"]), float(many["logits_after"])
    betas = before / 2**0.5, after / 2**0.5
    strings_before, strings_after = map(float, kernel_needs(task("same-different"), betas)[STRINGS])
    return Sharpening(before, after, float(few["logits_after"]), float(few["test_loss"]),
                      float(means.loc[("Modified transformer", 1024), "logits_after"]), *betas,
                      strings_before, strings_after)
