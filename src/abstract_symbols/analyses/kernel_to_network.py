"""Analyses of the chapter "From kernel to network"."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from companion import figures
from companion.experiments import experiment
from companion.formats import crossing, number
from companion.published import published, published_n50
from companion.statistics import curve, n50
from companion.summaries import distances, summary

from ..kernels import TransformerKernel
from ..kernels.prediction import predicted_samples, width_needed
from ..kernels.template_matrix import smallest_eigenvalue
from ..runs.kernel import PredictionRun, RidgeRun, rms
from ..tasks import task
from ..templates import TemplateTask

STRINGS, CLOSED = "strings to a test loss of ½", "share of the distance closed"  # columns of tables
DISTANCE_FORMATS = {"d_mlp": ",", "difference on unseen strings": ".2f"}  # of the tables: column → format
START_FORMATS = {"sd of the logits": number, "β with this sd": number, "largest attention weight": ".2f"}
NEEDS_FORMATS = {"β": "g", "ν": ".1e", STRINGS: ",.0f"}
CLOSES_FORMATS = {CLOSED: ".0%", **dict.fromkeys(("d = 128", "d = 1024", "paper"), ".2f")}
ATTENTION = {"logits_before": "sd of the logits before", "logits_after": "sd after",
             "largest_before": "largest weight before", "largest_after": "weight after", "test_loss": "test loss"}
ATTENTION_FORMATS = dict.fromkeys(ATTENTION.values(), ".2f")

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


@dataclass(frozen=True)
class FromPaper:
    """Mean distance from the paper's curves of scales 8 and 64, up to n = 4,096.

    Attributes:
        off_same: on αα against αβ.
        off_aba: on αβα against αββ.
    """

    off_same: float
    off_aba: float


def from_paper(rows: Rows) -> FromPaper:
    """Returns how far the last layers' curves are from the paper's on average; see `FromPaper`.

    Args:
        rows: of the experiments "last-layer" and "last-layer-aba-abb".
    """
    return FromPaper(*(
        float(distances(name, rows[name]).query("series != 'scale 1' and x <= 4096")["off"].abs().mean())
        for name in ("last-layer", "last-layer-aba-abb")))


def width_closes(rows: pd.DataFrame) -> pd.DataFrame:
    """Returns what a wider last layer changes: n, d = 128, d = 1024, paper, `CLOSED`; a row per n.

    The last column is the share of the distance between the narrow network's mean test loss and the paper's that the
    wide one closes.

    Args:
        rows: of "last-layer-wide".
    """
    means = summary("last-layer-wide", rows).pivot(index="n", columns="series", values="mean")
    paper = published("last-layer-wide", "d = 1024").set_index("x")["y"]
    table = means[["d = 128", "d = 1024"]].join(paper.rename("paper"), how="inner")
    closed = (table["d = 128"] - table["d = 1024"]) / (table["d = 128"] - table["paper"])
    return table.assign(**{CLOSED: closed}).rename_axis(columns=None).reset_index()


def strings_to_half(rows: Rows, options: Mapping[str, Any]) -> pd.DataFrame:
    """Returns how many strings each way of learning αα against αβ needs: network, trained, `STRINGS`, paper.

    `STRINGS` says, in words, where the test loss on unseen symbols falls below one half; paper is the published number.

    Args:
        rows: of the experiments that have these networks.
        options: parameters of a kernel that is measured here, by `ridge_half`.
    """
    usual, better = experiment("predictions").series
    predicted = kernel_needs(task("same-different"), [0.25])[STRINGS].iloc[0]
    measured = ridge_half((16, 32, 64, 128, 256), **options)
    return pd.DataFrame([
        ("kernel, β = 0.25, γ = 1, b₁ = 2 (predicted)", "last layer", f"{predicted:,.0f}", None),
        (f"kernel, {usual}", "last layer", _half(rows["ridge-n"], "αα / αβ", "error", square=True), None),
        (f"kernel, {better}", "last layer", f"{measured:,.0f}", None),
        ("weights × 1", "last layer", _half(rows["last-layer"], "scale 1"), None),
        ("weights × 64", "last layer", _half(rows["last-layer"], "scale 64"), None),
        ("weights × 64, d = 1024", "last layer", _half(rows["last-layer-wide"], "d = 1024"), None),
        *((words, "all", _half(rows["same-different"], series), published_n50("same-different", series))
          for words, series in (("weights × 1", "Transformer"), ("weights × 1, a and b", "Modified transformer"))),
    ], columns=["network", "trained", STRINGS, "paper"])


def _half(rows: pd.DataFrame, series: str, metric: str = "test_loss", square: bool = False) -> str:
    """n₅₀ of a series' mean curve in words; square: of a root mean square error, whose square is the loss."""
    n, values = curve(rows, series, metric, "n")
    mean = values.mean(0)
    return crossing(float(n50(n, mean**2 if square else mean)), n[0], n[-1])


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
