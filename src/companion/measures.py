"""Measures of claims: each is registered once, with its options and the words for it and for its tolerances.

A measure is a function of a claim and its rows that gives our number with its interval, the paper's, and the distance
that the claim's two tolerances bound.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from .experiments import experiment
from .published import published, published_n50
from .statistics import (
    LEAST_P,
    RESAMPLES,
    bootstrap_means,
    curve,
    interval,
    n50,
    paired,
    rank_correlation,
    slope,
)


@dataclass(frozen=True)
class Claim:
    """A claim as `claims.yml` states it.

    Attributes:
        id: its name, for ever.
        chapter: the notebook's name.
        statement: one sentence.
        measure: a name of `MEASURES`.
        experiment: the rows that it uses, and
        series: of these.
        held: tolerance of *held*, in the measure's own distance.
        part: tolerance of *held in part*.
        options: what else the measure needs; among them `within`, [first, last], restricts any claim to these x of its
            experiment.
    """

    id: str
    chapter: str
    statement: str
    measure: str
    experiment: str
    series: tuple[str, ...]
    held: float
    part: float
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Measured:
    """A number of ours with its 95% interval, the paper's, and the distance that the tolerances bound."""

    ours: float
    low: float
    high: float
    paper: float | None
    distance: float


@dataclass(frozen=True)
class Measure:
    """A registered measure.

    Attributes:
        function: (claim, rows) → `Measured`.
        options: what a claim must state for it.
        published: whether every series needs a published curve.
        words: what it is; {x} stands for the experiment's x.
        tolerance: what the tolerances mean; {held}, {part} and the claim's options stand for themselves.
    """

    function: Callable[[Claim, pd.DataFrame], Measured]
    words: str
    tolerance: str
    options: tuple[str, ...] = ()
    published: bool = False


MEASURES: dict[str, Measure] = {}


def measure(name: str, words: str, tolerance: str, *, options: tuple[str, ...] = (),
            published: bool = False) -> Callable:
    """Register a function as a measure; see `Measure`."""
    def register(function: Callable[[Claim, pd.DataFrame], Measured]) -> Callable:
        MEASURES[name] = Measure(function, words, tolerance, options, published)
        return function

    return register


def _curves(claim: Claim, rows: pd.DataFrame) -> list[tuple[np.ndarray, np.ndarray]]:
    """The claim's series, each as x (m,) and the claim's metric (seeds, m)."""
    x, metric = experiment(claim.experiment).x, claim.options.get("metric", "test_loss")
    return [curve(rows, series, metric, x) for series in claim.series]


@measure("level", "mean at the worst point",
         "held within {held} of {value}, in part within {part}",
         options=("value",))
def _level(claim: Claim, rows: pd.DataFrame) -> Measured:
    """The mean loss farthest from `value` over all n; distance: how far."""
    ((_, values),) = _curves(claim, rows)
    value = claim.options["value"]
    worst = int(np.abs(values.mean(0) - value).argmax())
    ours = float(values.mean(0)[worst])
    paper = claim.options.get("paper", value)  # null where the value is ours
    return Measured(ours, *interval(bootstrap_means(values)[:, worst]), paper, abs(ours - value))


@measure("n50", "n₅₀, where the mean falls through ½",
         "held within a factor {held} of the paper's, in part within {part}",
         published=True)
def _n50(claim: Claim, rows: pd.DataFrame) -> Measured:
    """n₅₀ of a series; distance: the factor between ours and the published."""
    ((n, values),) = _curves(claim, rows)
    paper = published_n50(claim.experiment, claim.series[0])
    return _against(float(n50(n, values.mean(0))), n50(n, bootstrap_means(values)), paper)


@measure("gain", "n₅₀ plain / n₅₀ modified",
         "held within a factor {held} of the paper's, in part within {part}",
         published=True)
def _gain(claim: Claim, rows: pd.DataFrame) -> Measured:
    """n₅₀ of the first series over the second's; distance: the factor between ours and the published."""
    ours, samples, paper = 1.0, np.ones(RESAMPLES), 1.0
    both = zip(claim.series, _curves(claim, rows), (1, -1), strict=True)
    for stream, (series, (n, values), power) in enumerate(both):
        ours *= float(n50(n, values.mean(0))) ** power
        with np.errstate(invalid="ignore"):  # inf / inf
            samples = samples * n50(n, bootstrap_means(values, stream)) ** power
        paper *= published_n50(claim.experiment, series) ** power
    return _against(ours, samples, paper)


def _against(ours: float, samples: np.ndarray, paper: float) -> Measured:
    distance = max(ours / paper, paper / ours) if ours > 0 else float("inf")  # never: one of the two is not reached
    return Measured(ours, *interval(samples), paper, distance)


@measure("below", "difference of means, at the {x} with the largest p-value",
         "held if p < {p} at each {x} = {at}, in part if it fails at {part}",
         options=("at", "p"))
def _below(claim: Claim, rows: pd.DataFrame) -> Measured:
    """How much lower the first series is than each other one, at the n and series with the largest p-value.

    Welch's one-sided t-test over seeds at every n of `at`; distance: how many of these tests have p not below `p`.
    """
    lower, *uppers = _curves(claim, rows)
    columns = [list(lower[0]).index(n) for n in claim.options["at"]]
    a, b = lower[1][:, columns], np.concatenate([upper[1][:, columns] for upper in uppers], axis=1)
    a = np.tile(a, len(uppers))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of seeds that all give the same
        p = stats.ttest_ind(a, b, equal_var=False, alternative="less").pvalue
    p = np.where(np.isnan(p), 1.0, p)
    worst = int(p.argmax())
    difference = (bootstrap_means(a, 0) - bootstrap_means(b, 1))[:, worst]
    ours = float(a[:, worst].mean() - b[:, worst].mean())
    return Measured(ours, *interval(difference), None, float((p >= claim.options["p"]).sum()))


@measure("slope", "exponent of a power law",
         "held within {held} of {value}, in part within {part}",
         options=("metric", "value"))
def _slope(claim: Claim, rows: pd.DataFrame) -> Measured:
    """The exponent of the mean metric as a power of x, over the x of `at` (first, last); distance: to `value`."""
    ((x, values),) = _curves(claim, rows)
    first, last = claim.options.get("at", (x.min(), x.max()))
    inside = (x >= first) & (x <= last)
    ours = float(slope(x[inside], values[:, inside].mean(0)))
    samples = slope(x[inside], bootstrap_means(values[:, inside]))
    return Measured(ours, *interval(samples), claim.options.get("paper"), abs(ours - claim.options["value"]))


@measure("growth", "exponent of n₅₀ as a power of the dimension",
         "held within {held} of the paper's exponent, in part within {part}",
         options=("over",), published=True)
def _growth(claim: Claim, rows: pd.DataFrame) -> Measured:
    """The exponent of n₅₀ as a power of the series' option `over`; distance: to the published curves' exponent.

    Infinite when a curve never falls below one half.
    """
    name = claim.experiment
    x = np.array([experiment(name).series[series][claim.options["over"]] for series in claim.series])
    found = _curves(claim, rows)

    def exponent(n_50: np.ndarray) -> np.ndarray:
        finite = np.isfinite(n_50).all(-1)
        return np.where(finite, slope(x, np.where(finite[..., None], n_50, 1.0)), np.inf)

    ours = float(exponent(np.array([n50(n, values.mean(0)) for n, values in found])))
    samples = np.stack([n50(n, bootstrap_means(values, stream)) for stream, (n, values) in enumerate(found)], axis=-1)
    paper = float(exponent(np.array([published_n50(name, series) for series in claim.series])))
    return Measured(ours, *interval(exponent(samples)), paper, abs(ours - paper))


@measure("order", "rank correlation of n₅₀ and the predicted number, over tasks",
         "held within {held} of 1, in part within {part}",
         options=("predicted",))
def _order(claim: Claim, rows: pd.DataFrame) -> Measured:
    """Spearman's rank correlation over seeds, each with a task of its own, of n₅₀ and the metric `predicted`.

    Distance: to 1. A curve that never falls below one half ranks last. The interval is a bootstrap's over seeds.
    """
    ((n, values),) = _curves(claim, rows)
    measured = n50(n, values)
    _, predicted = curve(rows, claim.series[0], claim.options["predicted"], experiment(claim.experiment).x)
    expected = predicted[:, 0]

    picks = np.random.default_rng(0).integers(0, len(measured), size=(RESAMPLES, len(measured)))
    ours = float(rank_correlation(measured, expected))
    return Measured(ours, *interval(rank_correlation(measured[picks], expected[picks])), None, 1 - ours)


@measure("best", "where the mean loss is least",
         "held within {held} step of the grid from the paper's, in part within {part}",
         published=True)
def _best(claim: Claim, rows: pd.DataFrame) -> Measured:
    """The x at which a series' mean metric is least; distance: steps of the grid to the published curve's."""
    ((x, values),) = _curves(claim, rows)
    theirs = published(claim.experiment, claim.series[0])
    paper = float(theirs["x"][theirs["y"].idxmin()])
    ours = int(values.mean(0).argmin())
    samples = x[bootstrap_means(values).argmin(-1)]
    return Measured(float(x[ours]), *interval(samples), paper, float(abs(ours - np.abs(np.log(x / paper)).argmin())))


@measure("at_most", "mean at one n, of the worst series",
         "held up to {held}, in part up to {part}",
         options=("at",), published=True)
def _at_most(claim: Claim, rows: pd.DataFrame) -> Measured:
    """The mean metric at x = `at`, of the series where it is largest; distance: its value.

    The paper's is the largest of the published curves' values there.
    """
    found = [(values[:, list(x).index(claim.options["at"])]) for x, values in _curves(claim, rows)]
    worst = int(np.argmax([values.mean() for values in found]))
    paper = [published(claim.experiment, series).set_index("x")["y"][claim.options["at"]] for series in claim.series]
    ours = float(found[worst].mean())
    return Measured(ours, *interval(bootstrap_means(found[worst][:, None])[:, 0]), max(paper), ours)


@measure("signal", "value in standard errors, at the least significant row; interval: ± 2 standard errors",
         "held if the value is at least {needed} standard errors above 0, in part if it falls short by {part}",
         options=("metric", "error", "needed"))
def _signal(claim: Claim, rows: pd.DataFrame) -> Measured:
    """The metric over its standard error `error`, at the row where that is smallest; distance: to `needed`, if below.

    The interval is the row's metric ± 2 standard errors, in units of its standard error.
    """
    ratio = float((rows[claim.options["metric"]] / rows[claim.options["error"]]).min(skipna=False))
    return Measured(ratio, ratio - 2, ratio + 2, None, _excess(claim.options["needed"] - ratio))


def _excess(value: float) -> float:
    """max(0, value), and ∞ for NaN, so that the claim of a diverged run is never *held*."""
    return max(0.0, float(value)) if not np.isnan(value) else float("inf")


@measure("same_law", "p-value of equal distributions, all runs combined",
         "held if p is above 1%, in part if it is at most {part} decade below",
         options=("metric",))
def _equal_distributions(claim: Claim, rows: pd.DataFrame) -> Measured:
    """All runs' p-values combined by Fisher's method; distance: decades by which they fall below 1%."""
    p, low, high = _combined(rows[claim.options["metric"]])
    return Measured(p, low, high, None, _excess(np.log10(0.01 / p)))


@measure("different_laws", "p-value of equal distributions, all runs combined",
         "held if p is below 1%, in part if it is at most {part} decade above",
         options=("metric",))
def _different_distributions(claim: Claim, rows: pd.DataFrame) -> Measured:
    """The same; distance: decades by which they stay above 1%."""
    p, low, high = _combined(rows[claim.options["metric"]])
    return Measured(p, low, high, None, _excess(np.log10(p / 0.01)))


def _combined(p: pd.Series) -> tuple[float, float, float]:
    """Fisher's combined p-value with the interval that a bootstrap over runs gives; no p counts below LEAST_P."""
    logs = np.log(np.maximum(p.to_numpy(), LEAST_P))
    combined = np.maximum(stats.chi2.sf(-2 * len(logs) * np.append(bootstrap_means(logs), logs.mean()), 2 * len(logs)),
                          LEAST_P)
    return float(combined[-1]), *interval(combined[:-1])


@measure("paired", "ratio of the first to the second, paired by seed; interval: Student's t",
         "held if p < 0.01 over pairs of one seed, in part if it is at most {part} decades above",
         options=("metric",))
def _paired(claim: Claim, rows: pd.DataFrame) -> Measured:
    """The first series' metric as a multiple of the second's at the same x and seed: the geometric mean over them.

    One-sided paired t-test of the logarithms; distance: decades by which its p-value stays above 1%.
    """
    metric = rows[claim.options["metric"]]
    if not ((metric > 0) & np.isfinite(metric)).all():  # a run that diverged
        return Measured(np.nan, np.nan, np.nan, None, np.inf)
    x = experiment(claim.experiment).x
    first, second = claim.series
    ours, low, high, p = paired(rows, first, second, claim.options["metric"], x)
    return Measured(ours, low, high, None, _excess(np.log10(p / 0.01)))
