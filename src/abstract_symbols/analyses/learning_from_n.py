"""Analyses of the chapter "Learning from n strings"."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

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

DASHED = " Dashed: the prediction, close to the measured curves."  # in the text alternatives of figures

Curves = dict[str, tuple[np.ndarray, np.ndarray]]  # series → x (m,), y (m,)


def matching_table(kernel: TransformerKernel, x: str, shape: Shape, matchings: Mapping[str, Matching],
                   weights: Mapping[Overlap, float]) -> pd.DataFrame:
    """Returns the strings y that a string x can be matched with: x, y, wildcards matched, K(x, y), ŵ.

    Args:
        kernel: K.
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
    """What the errors against n say.

    Attributes:
        last: task → the exponent between the two largest n, with exact labels.
        first: the error of αα against αβ at the smallest n, with exact labels, and
        end: at the largest.
        ratios: the smallest and the largest predicted error of αα against αβ, in units of the measured one.
        overtaken: the n between which noise begins to outweigh shrinkage, by the prediction.
        bound: our bound at the largest n in units of the measured error, with exact labels and
        noisy_bound: with noisy ones.
    """

    last: dict[str, float]
    first: float
    end: float
    ratios: tuple[float, float]
    overtaken: tuple[int, int]
    bound: float
    noisy_bound: float


def against_n(rows: pd.DataFrame) -> AgainstN:
    """Returns what the rows of "ridge-n" say; see `AgainstN`."""
    measured, predicted = measured_curves("ridge-n", rows), expected_curves("ridge-n", (SAME, SAME + NOISY))
    n, error = measured[SAME]
    ratios = predicted[SAME][1] / error
    return AgainstN(
        {name: float(local_slopes(*measured[name])[-1]) for name in (SAME, ABA)}, float(error[0]), float(error[-1]),
        (float(ratios.min()), float(ratios.max())),
        noise_overtakes(n, predicted[SAME][1], predicted[SAME + NOISY][1]),
        *(_bound_over_error(series, int(n[-1]), float(measured[series][1][-1])) for series in (SAME, SAME + NOISY)))


def _bound_over_error(series: str, n: int, error: float) -> float:
    """Our bound at n strings, in units of the measured error: the bound is on √r times the root mean square."""
    run = next(r for r, label in experiment("ridge-n").runs().items() if label == series and r.n == n)
    t = TemplateTask(task(run.task).labels, noise=run.noise)
    return error_bound(t, run.kernel(), n, run.alphabet or n, run.ridge) / math.sqrt(len(t.templates)) / error


def against_alphabet(rows: pd.DataFrame, first: int) -> pd.DataFrame:
    """Returns what the rows of "ridge-rho" say: task, exponent, floor.

    The exponent is that between the alphabet `first` and the next. The floor is the predicted error with no two symbols
    equal, as a share of the error at the largest alphabet.
    """
    e, lines = experiment("ridge-rho"), []
    runs = {label: run for run, label in e.runs().items()}
    for series, (m, error) in measured_curves("ridge-rho", rows).items():
        lines.append({"task": series, "exponent": local_slopes(m, error)[list(m).index(first)],
                      "floor": expected(runs[series], math.inf) / error[-1]})
    return pd.DataFrame(lines)


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


WEIGHTS_ALT = (
    "Line chart: the weight of a string against how many training strings contain its symbol. It falls, for symbols in "
    "hundreds of strings in inverse proportion: all strings with one symbol together count for no more than a few.")


def effective_shares(table: pd.DataFrame) -> dict[str, float]:
    """Returns for each series how many equal weights would be as noisy as its weights, as a share of their number."""
    return {str(series): float(w.sum() ** 2 / (w**2).sum() / len(w)) for series, w in table.groupby("series")["weight"]}


@dataclass(frozen=True)
class KernelParameters:
    """What the kernel's parameters do to the error.

    Attributes:
        best: β and γ of the least error, which is
        least.
        worst: β and γ of the largest error, which is
        largest.
        correlation: Spearman's, of the error and the smallest eigenvalue of the template matrix, over
        pairs: of β and γ that have both.
    """

    best: tuple[float, float]
    least: float
    worst: tuple[float, float]
    largest: float
    correlation: float
    pairs: int


def kernel_parameters(rows: pd.DataFrame, eigenvalues: pd.DataFrame) -> KernelParameters:
    """Returns the best and the worst β and γ, and how errors and smallest eigenvalues go together.

    Args:
        rows: with columns beta, gamma, error.
        eigenvalues: with columns beta, gamma, eigenvalue, of the same task.
    """
    errors = rows.groupby(["beta", "gamma"])["error"].mean()
    both = pd.concat([errors, eigenvalues.groupby(["beta", "gamma"])["eigenvalue"].mean()], axis=1).dropna()
    return KernelParameters(errors.idxmin(), float(errors.min()), errors.idxmax(), float(errors.max()),
                            float(both.corr("spearman").iloc[0, 1]), len(both))


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
