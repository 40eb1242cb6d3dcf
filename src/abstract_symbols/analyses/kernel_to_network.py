"""Analyses of the chapter "From kernel to network"."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import pandas as pd

from companion.experiments import experiment
from companion.formats import crossing
from companion.published import published, published_n50
from companion.statistics import curve, n50
from companion.summaries import summary

from ..kernels import TransformerKernel
from ..kernels.prediction import predicted_samples, width_needed
from ..kernels.template_matrix import smallest_eigenvalue
from ..runs.kernel import PredictionRun, RidgeRun, rms
from ..tasks import task
from ..templates import TemplateTask

DASHED = " Dashed: the estimate, above the measured curves."  # in the text alternatives of figures

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


def distances_alt(panels: Panels) -> str:
    """Returns the text alternative of a picture of `predictions_of_both`: the distances of each panel."""
    parts = ["Two scatter plots, the network's prediction against the kernel's."]
    for title, found in distances_of_both(panels).items():
        distances = ", ".join(f"{label} {distance:.2f}" for label, distance in found.items())
        parts.append(f"{title.capitalize()}: distance {distances}.")
    return " ".join(parts)


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
    """Returns what kernels of several β need: β, ν, strings (their number until the test loss is one half).

    ν is the smallest eigenvalue of the template matrix.

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
        lines.append({"β": beta, "ν": smallest_eigenvalue(t, kernel)[0], "strings": predicted_samples(t, kernel)})
    return pd.DataFrame(lines)


def width_closes(rows: pd.DataFrame) -> pd.DataFrame:
    """Returns what a wider last layer changes: n, d = 128, d = 1024, paper, closed; a row per n.

    The last column is the share of the distance between the narrow network's mean test loss and the paper's that the
    wide one closes.

    Args:
        rows: of "last-layer-wide".
    """
    means = summary("last-layer-wide", rows).pivot(index="n", columns="series", values="mean")
    paper = published("last-layer-wide", "d = 1024").set_index("x")["y"]
    table = means[["d = 128", "d = 1024"]].join(paper.rename("paper"), how="inner")
    closed = (table["d = 128"] - table["d = 1024"]) / (table["d = 128"] - table["paper"])
    return table.assign(closed=closed).rename_axis(columns=None).reset_index()


def strings_to_half(rows: Rows, options: Mapping[str, Any]) -> pd.DataFrame:
    """Returns how many strings each way of learning αα against αβ needs: network, trained, strings, paper.

    strings says, in words, where the test loss on unseen symbols falls below one half; paper is the published number.

    Args:
        rows: of the experiments that have these networks.
        options: parameters of a kernel that is measured here, by `ridge_half`.
    """
    usual, better = experiment("predictions").series
    predicted = kernel_needs(task("same-different"), [0.25])["strings"].iloc[0]
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
    ], columns=["network", "trained", "strings", "paper"])


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

    The columns are network, n, logits_before, logits_after, largest_before, largest_after, test_loss.

    Args:
        rows: of "attention".
    """
    e = experiment("attention")
    columns = ["logits_before", "logits_after", "largest_before", "largest_after", "test_loss"]
    means = rows.groupby(["series", "n"])[columns].mean()
    order = [(series, n) for series in e.series for n in e.grid["n"] if (series, n) in means.index]
    return means.loc[order].rename_axis(["network", "n"]).reset_index()
