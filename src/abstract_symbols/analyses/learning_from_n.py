"""Analyses of the chapter "Learning from n strings"."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from companion import figures
from companion.experiments import experiment
from companion.formats import number
from companion.statistics import curve, local_slopes

from ..kernels import Kernel, TransformerKernel
from ..kernels.matchings import Matching, Overlap, Shape
from ..kernels.prediction import error_bound, expected_error, label_weights
from ..runs.kernel import RidgeRun
from ..tasks import task
from ..templates import Sample, TemplateTask

SAME, ABA = "αα / αβ", "αβα / αββ"  # the two tasks, as the experiments call them
NOISY = ", noise σ = 10"  # and what stands behind them where labels are noisy

AXES: dict[str, Any] = {"xlabel": "n = training strings = training symbols", "ylabel": "error on unseen symbols"}
GUIDES = [(-1, "slope −1"), (-0.5, "slope −½ (theorem)")]
MATCHING_FORMATS = {"K(x, y)": ".5f", "ŵ": "+.5f"}  # of the tables: column → format
UNEQUAL_FORMATS = {"ρ": lambda rho: f"{rho:,.0f}" if rho > 10 else f"{rho:.1f}", "1/ΣP²": ",.0f",
                   **dict.fromkeys(("predicted from it", "… from all P", "error"), ".4f")}

Curves = dict[str, tuple[np.ndarray, np.ndarray]]  # series → x (m,), y (m,)


def matching_table(kernel: TransformerKernel, x: str, shape: Shape, matchings: Mapping[str, Matching],
                   weights: Mapping[Overlap, float]) -> pd.DataFrame:
    """Returns the strings y that a string x can be matched with: x, y, wildcards matched, K(x, y), ŵ.

    Args:
        kernel: the kernel K.
        x: a string.
        shape: the shape of the template of both.
        matchings: y → the matching of x and y.
        weights: ŵ, as `matching_weights` gives them.
    """
    return pd.DataFrame([
        {"x": x, "y": y, "wildcards matched": ", ".join(f"{'αβγ'[a]}–{'αβγ'[b]}" for a, b in m) or "none",
         "K(x, y)": kernel(x, y), "ŵ": weights[shape, shape, m]} for y, m in matchings.items()])


def measured_curves(name: str, rows: pd.DataFrame, metric: str = "error") -> Curves:
    """Returns an experiment's means over seeds, for every series that has rows."""
    e = experiment(name)
    found = {series: curve(rows, series, metric, e.x) for series in e.series if series in set(rows["series"])}
    return {series: (x, values.mean(0)) for series, (x, values) in found.items()}


def expected_curves(name: str, series: Collection[str] | None = None, *, by_symbol: bool = False) -> Curves:
    """Returns the errors that the template matrix predicts for the runs of an experiment, root mean squares.

    Args:
        name: an experiment of `RidgeRun`.
        series: only these.
        by_symbol: whether the prediction uses the probability of every symbol, or their number alone.
    """
    e = experiment(name)
    points: dict[str, dict[float, float]] = {s: {} for s in e.series if series is None or s in series}
    for run, mine in e.runs().items():
        if mine in points and run.seed == e.first_seed:
            points[mine][getattr(run, e.x)] = expected(run, _distribution(run) if by_symbol else None)
    return {s: (np.array(sorted(found)), np.array([found[x] for x in sorted(found)])) for s, found in points.items()}


def expected(run: RidgeRun, alphabet: float | np.ndarray | None = None) -> float:
    """Returns the root mean square error that the template matrix predicts for a run.

    Args:
        run: its seed does not matter.
        alphabet: the number of symbols or their probabilities, instead of the run's number.
    """
    t = TemplateTask(task(run.task).labels, noise=run.noise)
    return expected_error(t, run.kernel(), run.n, run.ridge, run.alphabet if alphabet is None else alphabet) ** 0.5


def _distribution(run: RidgeRun) -> np.ndarray:
    return task(run.task).symbol_distribution(run.alphabet or run.n, run.zipf)


def exponents(curves: Curves, x: str = "n") -> pd.DataFrame:
    """Returns the exponents between neighbouring points of curves with the same x: a row per pair, a column per curve.

    Args:
        curves: heading → curve.
        x: the heading of the column that names the pair, such as 100 → 316.
    """
    at = next(iter(curves.values()))[0]
    pairs = [f"{a:,} → {b:,}" for a, b in zip(at[:-1], at[1:], strict=True)]
    return pd.DataFrame({x: pairs, **{heading: local_slopes(*found) for heading, found in curves.items()}})


def error_picture(rows: pd.DataFrame, predicted: Curves, noise: str = "") -> tuple[Figure, str]:
    """Returns the errors of both tasks against n beside the predicted ones, and the figure's text alternative.

    Args:
        rows: of "ridge-n".
        predicted: as `expected_curves` gives them.
        noise: `NOISY` for noisy labels.
    """
    drawn = rows[rows["series"].isin([SAME + noise, ABA + noise])]
    figure = figures.scaling("ridge-n", drawn, "error", guides=GUIDES[::-1] if noise else GUIDES, predicted=predicted,
                             **AXES)
    alt = figures.scaling_alt("ridge-n", drawn, "error", "error against n")
    return figure, f"{alt} Dashed: the prediction, close to the measured curves."


def error_exponents(rows: pd.DataFrame, predicted: Curves) -> pd.DataFrame:
    """Returns the exponents of the error of αα against αβ, measured and predicted, as `exponents`.

    Args:
        rows: of "ridge-n".
        predicted: as `expected_curves` gives them.
    """
    measured = measured_curves("ridge-n", rows)
    return exponents({"noise-free": measured[SAME], "predicted": predicted[SAME],
                      "σ = 10": measured[SAME + NOISY], "predicted, σ = 10": predicted[SAME + NOISY]})


def noise_overtakes(n: np.ndarray, shrinkage: np.ndarray, noisy: np.ndarray) -> tuple[int, int]:
    """Returns the neighbouring n between which noise begins to outweigh shrinkage in the error.

    Args:
        n: (m,), increasing.
        shrinkage: (m,), root mean square errors with exact labels.
        noisy: (m,), with noisy ones; the squares of noise and shrinkage add up to theirs.
    Raises:
        ValueError: one of the two is the larger everywhere.
    """
    outweighs = np.sqrt(noisy**2 - shrinkage**2) > shrinkage
    first = int(outweighs.argmax())
    if first == 0:
        raise ValueError("noise outweighs shrinkage at every n, or at none; use a larger range of n")
    return int(n[first - 1]), int(n[first])


@dataclass(frozen=True)
class AgainstN:
    """What the errors with exact labels say, against n.

    Attributes:
        first: the error of αα against αβ at the smallest n.
        last_same: the exponent between the two largest n, of αα against αβ and
        last_aba: of αβα against αββ.
        ratio_least: the smallest predicted error of αα against αβ in units of the measured one, and
        ratio_most: the largest.
    """

    first: float
    last_same: float
    last_aba: float
    ratio_least: float
    ratio_most: float


def against_n(rows: pd.DataFrame, predicted: Curves) -> AgainstN:
    """Returns what the rows of "ridge-n" say; see `AgainstN`.

    Args:
        rows: of the experiment.
        predicted: as `expected_curves` gives them.
    """
    measured = measured_curves("ridge-n", rows)
    error = measured[SAME][1]
    last_same, last_aba = (float(local_slopes(*measured[series])[-1]) for series in (SAME, ABA))
    ratios = predicted[SAME][1] / error
    return AgainstN(float(error[0]), last_same, last_aba, float(ratios.min()), float(ratios.max()))


@dataclass(frozen=True)
class WithNoise:
    """What noise on the labels changes, for αα against αβ.

    Attributes:
        overtaken_after: the n up to which shrinkage outweighs noise by the prediction, and
        overtaken_by: the next, where noise does.
        bound: our bound at the largest n in units of the measured error, with exact labels, and
        noisy_bound: with noisy ones.
    """

    overtaken_after: int
    overtaken_by: int
    bound: float
    noisy_bound: float


def with_noise(rows: pd.DataFrame, predicted: Curves) -> WithNoise:
    """Returns what the rows of "ridge-n" and their prediction say of noise; see `WithNoise`.

    Args:
        rows: of the experiment.
        predicted: as `expected_curves` gives them.
    """
    n, shrinkage = predicted[SAME]
    measured = measured_curves("ridge-n", rows)
    bounds = (_bound_over_error(series, int(n[-1]), float(measured[series][1][-1])) for series in (SAME, SAME + NOISY))
    return WithNoise(*noise_overtakes(n, shrinkage, predicted[SAME + NOISY][1]), *bounds)


def _bound_over_error(series: str, n: int, error: float) -> float:
    """Our bound at n strings, in units of the measured error: the bound is on √r times the root mean square."""
    run = next(r for r, label in experiment("ridge-n").runs().items() if label == series and r.n == n)
    t = TemplateTask(task(run.task).labels, noise=run.noise)
    return error_bound(t, run.kernel(), n, run.alphabet or n, run.ridge) / math.sqrt(len(t.templates)) / error


def against_alphabet(rows: pd.DataFrame, first: int) -> pd.DataFrame:
    """Returns what the rows of "ridge-rho" say: index task ("same" or "aba"), exponent, floor.

    The exponent is that between the alphabet `first` and the next. The floor is the predicted error with no two symbols
    equal, as a share of the error at the largest alphabet.
    """
    e, lines = experiment("ridge-rho"), []
    runs = {label: run for run, label in e.runs().items()}
    for series, (m, error) in measured_curves("ridge-rho", rows).items():
        lines.append({"task": {SAME: "same", ABA: "aba"}[series],
                      "exponent": local_slopes(m, error)[list(m).index(first)],
                      "floor": expected(runs[series], math.inf) / error[-1]})
    return pd.DataFrame(lines).set_index("task")


LABEL_MEANS = {"gap": "f̂ against the label mean", "error": "f̂ against the truth",
               "label_mean_error": "label mean against the truth"}


def label_means(rows: pd.DataFrame) -> pd.DataFrame:
    """Returns how far the kernel's predictions, the plain label means and the truth are apart.

    The columns are series (the values of `LABEL_MEANS`), n, seed, value.
    """
    long = rows.melt(["n", "seed"], list(LABEL_MEANS), "metric")
    return long.assign(series=long["metric"].map(LABEL_MEANS)).drop(columns="metric")


def label_means_alt(table: pd.DataFrame) -> str:
    """Returns the text alternative of a picture of `label_means`: first and last mean of each."""
    parts = ["Line chart for αα against αβ with noise 10, against n."]
    for series, means in table.groupby(["series", "n"])["value"].mean().groupby("series"):
        (_, first), (_, last) = means.index[0], means.index[-1]
        parts.append(f"{series}: {number(means.iloc[0])} at n = {first}, {number(means.iloc[-1])} at n = {last}.")
    return " ".join(parts)


def label_means_picture(rows: pd.DataFrame) -> tuple[Figure, str]:
    """Returns the distances of `label_means` for αα against αβ with noisy labels, and the figure's text alternative.

    Args:
        rows: of "ridge-n".
    """
    table = label_means(rows[rows["series"] == SAME + NOISY])
    figure = figures.power_laws(table, "n", "value", list(LABEL_MEANS.values()), xlabel=AXES["xlabel"],
                                ylabel="distance", guides=[(-0.5, "slope −½"), (-1, "slope −1")])
    return figure, label_means_alt(table)


def weight_by_count(kernel: Kernel, samples: Mapping[str, Sample], template: int = 0) -> pd.DataFrame:
    """Returns how much the strings of a template with one wildcard count, against how common their symbol is.

    Args:
        kernel: of the ridge regression.
        samples: series → training strings.
        template: its number.
    Returns:
        series; strings, the number of training strings that contain the symbol; weight, 1 for a string that counts as
        in a plain mean. A row per string of the template.
    """
    found = []
    for series, sample in samples.items():
        own = sample.templates.numpy() == template
        tokens = np.sort(sample.tokens.numpy(), axis=1)  # (n, k)
        new = np.insert(tokens[:, 1:] != tokens[:, :-1], 0, True, axis=1)  # a string counts once for each symbol
        holding = np.bincount(tokens[new])
        weights, _ = label_weights(kernel, sample)
        found.append(pd.DataFrame({"series": series, "strings": holding[tokens[own, 0]],
                                   "weight": own.sum() * weights[own, template]}))
    return pd.concat(found, ignore_index=True)


def weights_picture(table: pd.DataFrame) -> tuple[Figure, str]:
    """Returns the table of `weight_by_count` as a figure, and its text alternative."""
    figure = figures.power_laws(table, "strings", "weight", list(table["series"].unique()),
                                xlabel="training strings that contain the symbol", ylabel="weight of an αα string",
                                guides=[(-1, "slope −1")])
    return figure, ("Line chart: the weight of a string against how many training strings contain its symbol. It "
                    "falls, for symbols in hundreds of strings in inverse proportion: all strings with one symbol "
                    "together count for no more than a few.")


def effective_shares(table: pd.DataFrame) -> dict[str, float]:
    """Returns for each series how many equal weights would be as noisy as its weights, as a share of their number."""
    return {str(series): float(w.sum() ** 2 / (w**2).sum() / len(w)) for series, w in table.groupby("series")["weight"]}


@dataclass(frozen=True)
class RidgeGains:
    """By how much the best λ lowers the error at λ = 0.01, as a share of the lower error.

    Attributes:
        gain_exact: with exact labels.
        gain_noisy: with noise σ = 10.
    """

    gain_exact: float
    gain_noisy: float


def ridge_gains(rows: pd.DataFrame) -> RidgeGains:
    """Returns what the rows of "ridge-lambda" say of the best λ; see `RidgeGains`."""
    means = rows.groupby(["series", "ridge"])["error"].mean()
    return RidgeGains(*(float(means[series, 0.01] / means[series].min() - 1)
                        for series in ("noise-free", "noise σ = 10")))


@dataclass(frozen=True)
class Places:
    """Where the error is least and where it is largest.

    Attributes:
        best_beta: β and
        best_gamma: γ of the least error.
        worst_beta: β and
        worst_gamma: γ of the largest error.
    """

    best_beta: float
    best_gamma: float
    worst_beta: float
    worst_gamma: float


@dataclass(frozen=True)
class KernelParameters:
    """What the kernel's parameters do to the error.

    Attributes:
        places: the best and the worst β and γ.
        least: the error at the best.
        default: at β = 2, γ = 1.
        largest: at the worst.
        ranks: Spearman's correlation of the error and the smallest eigenvalue of the template matrix, over
        pairs: of β and γ that have both.
    """

    places: Places
    least: float
    default: float
    largest: float
    ranks: float
    pairs: int


def kernel_parameters(rows: pd.DataFrame, eigenvalues: pd.DataFrame) -> KernelParameters:
    """Returns the best and the worst β and γ, and how errors and smallest eigenvalues go together.

    Args:
        rows: of "ridge-beta", with columns beta, gamma, error.
        eigenvalues: of "eigenvalue-map", with columns series, beta, gamma, eigenvalue.
    """
    errors = rows.groupby(["beta", "gamma"])["error"].mean()
    smallest = eigenvalues[eigenvalues["series"] == ABA].groupby(["beta", "gamma"])["eigenvalue"].mean()
    both = pd.concat([errors, smallest], axis=1).dropna()
    return KernelParameters(Places(*errors.idxmin(), *errors.idxmax()), float(errors.min()), float(errors[2, 1]),
                            float(errors.max()), float(both.corr("spearman").iloc[0, 1]), len(both))


def _unequal_symbols(rows: pd.DataFrame) -> list[tuple[str, RidgeRun, np.ndarray, np.ndarray]]:
    """Of each series of "ridge-zipf": its name, a run at the largest n, the n, the mean errors."""
    measured = measured_curves("ridge-zipf", rows)
    runs = {label: run for run, label in sorted(experiment("ridge-zipf").runs().items(), key=lambda item: item[0].n)}
    return [(series, runs[series], n, error) for series, (n, error) in measured.items()]


def unequal_symbols(rows: pd.DataFrame) -> pd.DataFrame:
    """Returns what two predictions make of symbols that are not equally likely, at the largest n of "ridge-zipf".

    The columns are symbols; ρ; 1/ΣP², the effective alphabet; the errors predicted from it and from all P; the error.
    """
    lines = []
    for series, run, _, error in _unequal_symbols(rows):
        p = _distribution(run)
        lines.append({"symbols": series, "ρ": task(run.task).diversity(run.n, run.zipf), "1/ΣP²": 1 / (p @ p),
                      "predicted from it": expected(run, 1 / (p @ p)), "… from all P": expected(run, p),
                      "error": error[-1]})
    return pd.DataFrame(lines)


def unequal_exponents(rows: pd.DataFrame, predicted: Curves) -> pd.DataFrame:
    """Returns the exponents of "ridge-zipf" in n: expected in the end, predicted and measured at the largest n.

    Args:
        rows: of the experiment.
        predicted: as `expected_curves` gives them.
    """
    return pd.DataFrame([
        {"symbols": series, "expected in the end": -1 / max(1, run.zipf),
         "predicted at the largest n": local_slopes(*predicted[series])[-1],
         "measured there": local_slopes(n, error)[-1]} for series, run, n, error in _unequal_symbols(rows)])


def predicted_over_measured(name: str, rows: pd.DataFrame, predicted: Curves, metric: str = "error") -> np.ndarray:
    """Returns predicted over measured means, of all points of all series of an experiment in one array."""
    measured = measured_curves(name, rows, metric)
    return np.concatenate([predicted[series][1] / values for series, (_, values) in measured.items()])


def repeated_share(sample: Sample, template: int) -> float:
    """Returns the share of a template's strings that occur in the sample more than once."""
    own = sample.tokens.numpy()[sample.templates.numpy() == template]
    _, counts = np.unique(own, axis=0, return_counts=True)
    return float(counts[counts > 1].sum() / counts.sum())
