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
    curve,
    first_crossing,
    interval,
    joint_n50,
    mean_interval,
    n50,
    paired,
    power,
    quotient,
    rank_correlation,
    rank_interval,
    resampled_means,
    slope,
)

ORIGINS = ("paper's number", "paper's theorem", "our hypothesis", "another work")
HINT, ENOUGH = 0.1, 10  # a comparison that fails with a p-value below HINT waits until it has ENOUGH seeds
LEAST_POWER = 0.8  # of a test for a difference of three standard deviations; with less, "not found" says nothing


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
        origin: whose claim it is, one of `ORIGINS`.
        unit: of our number, where it is neither the measure's own nor the metric.
        family: the question of which it is one case, in words, if there are several; they share a row of the table.
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
    origin: str = ""
    unit: str = ""
    family: str = ""


@dataclass(frozen=True)
class Measured:
    """What a measure gives.

    Attributes:
        ours: our number.
        low: of its 95% interval, and
        high: None where it has none.
        paper: the paper's number, None if there is none.
        distance: what the tolerances bound.
        reach: the least and the largest distance of a number in the interval; both are `distance` unless given.
        bounds: up to the first our number, its interval and the paper's are only known to be at most that, from the
            second on to be more than that.
        evidence: what decided: seeds, p-values, power.
        doubt: why there is no verdict, whatever the distance; empty if there is one.
    """

    ours: float
    low: float | None
    high: float | None
    paper: float | None
    distance: float
    reach: tuple[float, float] | None = None
    bounds: tuple[float, float] = (-np.inf, np.inf)
    evidence: str = ""
    doubt: str = ""


@dataclass(frozen=True)
class Measure:
    """A registered measure.

    Attributes:
        function: (claim, rows) → `Measured`.
        options: what a claim must state for it.
        published: whether every series needs a published curve.
        unit: of the number; empty where it is the metric's.
        words: what it is; {x} stands for the experiment's x.
        tolerance: what the tolerances mean; {held}, {part} and the claim's options stand for themselves.
    """

    function: Callable[[Claim, pd.DataFrame], Measured]
    words: str
    tolerance: str
    options: tuple[str, ...] = ()
    published: bool = False
    unit: str = ""


MEASURES: dict[str, Measure] = {}


def measure(name: str, words: str, tolerance: str, *, options: tuple[str, ...] = (), published: bool = False,
            unit: str = "") -> Callable:
    """Register a function as a measure; see `Measure`."""
    def register(function: Callable[[Claim, pd.DataFrame], Measured]) -> Callable:
        MEASURES[name] = Measure(function, words, tolerance, options, published, unit)
        return function

    return register


def _curves(claim: Claim, rows: pd.DataFrame) -> list[tuple[np.ndarray, np.ndarray]]:
    """The claim's series, each as x (m,) and the claim's metric (seeds, m)."""
    x, metric = experiment(claim.experiment).x, claim.options.get("metric", "test_loss")
    return [curve(rows, series, metric, x) for series in claim.series]


def _from(value: float, low: float, high: float) -> tuple[float, float]:
    """The least and the largest distance to a value in an interval."""
    far = max(abs(low - value), abs(high - value))
    return 0.0 if low <= value <= high else min(abs(low - value), abs(high - value)), far


def _seeds(values: np.ndarray) -> str:
    return f"{len(values)} seeds" if len(values) > 1 else "1 seed"


@measure("level", "mean {metric} at the worst {x}",
         "held within {held} of {value}, in part within {part}",
         options=("value",))
def _level(claim: Claim, rows: pd.DataFrame) -> Measured:
    """The mean loss farthest from `value` over all n; distance: how far."""
    ((x, values),) = _curves(claim, rows)
    value = claim.options["value"]
    worst = int(np.abs(values.mean(0) - value).argmax())
    ours, ends = float(values.mean(0)[worst]), mean_interval(values[:, worst])
    paper = claim.options.get("paper", value)  # null where the value is ours
    return Measured(ours, *ends, paper, abs(ours - value), _from(value, *ends),
                    evidence=f"{_seeds(values)} at {x[worst]:g}")


@measure("n50", "n₅₀, from where the mean {metric} stays below ½",
         "held within a factor {held} of the paper's, in part within {part}",
         published=True, unit="training strings")
def _n50(claim: Claim, rows: pd.DataFrame) -> Measured:
    """n₅₀ of a series; distance: the factor between ours and the published."""
    ((n, values),) = _curves(claim, rows)
    ours, first = float(n50(n, values.mean(0))), float(first_crossing(n, values.mean(0)))
    samples, again = n50(n, resampled_means(values)), "" if first == ours else f", first below ½ at {first:.3g}"
    return _against(ours, samples, published_n50(claim.experiment, claim.series[0]), (n[0], n[-1]),
                    f"{_seeds(values)}{again}")


@measure("gain", "n₅₀ of the first over n₅₀ of the second",
         "held within a factor {held} of the paper's, in part within {part}",
         published=True, unit="times")
def _gain(claim: Claim, rows: pd.DataFrame) -> Measured:
    """n₅₀ of the first series over the second's; distance: the factor between ours and the published."""
    (n, plain), (other_n, modified) = _curves(claim, rows)
    top, bottom = joint_n50([(n, plain), (other_n, modified)])
    first, second = float(n50(n, plain.mean(0))), float(n50(other_n, modified.mean(0)))
    papers = [published_n50(claim.experiment, series) for series in claim.series]
    # A curve that begins below one half, or does not end there, bounds the ratio from one side.
    least = float(first / other_n[-1]) if np.isinf(bottom).any() else -np.inf
    most = float(n[-1] / second) if np.isinf(top).any() else np.inf
    if (bottom <= other_n[0]).any():
        most = min(most, first / float(other_n[0]))
    ours = float(quotient(np.array(first), np.array(second)))
    return _against(ours, quotient(top, bottom), papers[0] / papers[1], (least, most),
                    f"{_seeds(plain)} and {_seeds(modified)}")


def _against(ours: float, samples: np.ndarray, paper: float, bounds: tuple[float, float], evidence: str) -> Measured:
    """The factor between ours and the paper's; beyond the bounds both are only known to be there."""
    low, high = interval(samples)
    least = 0.0 if low <= bounds[0] else min(low, bounds[1])
    most = np.inf if high >= bounds[1] else high

    def factor(value: float) -> float:
        return max(value / paper, paper / value) if value > 0 and np.isfinite(paper) else np.inf

    ends = sorted([factor(least), factor(most)])
    return Measured(ours, low, high, paper, factor(ours), (1.0 if least <= paper <= most else ends[0], ends[1]),
                    bounds, evidence)


@measure("below", "difference of mean {metric}, at the {x} with the largest p-value",
         "held if p < {p} at each {x} = {at}, in part if it fails at {part}",
         options=("at", "p"))
def _below(claim: Claim, rows: pd.DataFrame) -> Measured:
    """How much lower the first series is than each other one, at the n and series with the largest p-value.

    Welch's one-sided t-test over seeds at every n of `at`; distance: how many of these tests have p not below `p`.
    A test that fails leaves the claim undecided where it could not have found a difference of three standard
    deviations, or points the claimed way (p < HINT) with fewer than ENOUGH seeds.
    """
    lower, *uppers = _curves(claim, rows)
    columns = [list(lower[0]).index(n) for n in claim.options["at"]]
    a, b = lower[1][:, columns], np.concatenate([upper[1][:, columns] for upper in uppers], axis=1)
    a = np.tile(a, len(uppers))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of seeds that all give the same
        p = stats.ttest_ind(a, b, equal_var=False, alternative="less").pvalue
    p = np.where(np.isnan(p), np.where(a.mean(0) < b.mean(0), 0.0, 1.0), p)
    level, worst = claim.options["p"], int(p.argmax())
    failed, able, doubt = p >= level, power(len(a), len(b), level), ""
    if failed.any() and able < LEAST_POWER:
        doubt = f"{len(a)} and {len(b)} seeds find a difference of 3 standard deviations in {able:.0%} of cases only"
    elif (failed & (p < HINT)).any() and min(len(a), len(b)) < ENOUGH:
        doubt = f"a p-value between {level:g} and {HINT:g}, of fewer than {ENOUGH} seeds"
    ours = float(a[:, worst].mean() - b[:, worst].mean())
    evidence = (f"p = {max(p[worst], LEAST_P):.2g} at {claim.options['at'][worst % len(columns)]:g}, "
                f"{len(a)} and {len(b)} seeds, power {able:.0%}")
    return Measured(ours, *mean_interval(a[:, worst], b[:, worst]), None, float(failed.sum()), evidence=evidence,
                    doubt=doubt)


@measure("slope", "exponent of {metric} as a power of {x}",
         "held within {held} of {value}, in part within {part}",
         options=("metric", "value"), unit="exponent")
def _slope(claim: Claim, rows: pd.DataFrame) -> Measured:
    """The exponent of the mean metric as a power of x, over the x of `at` (first, last); distance: to `value`.

    To first order in the seeds' deviations from the mean it is a sum over x, so that its interval is Student's.
    """
    ((x, values),) = _curves(claim, rows)
    first, last = claim.options.get("at", (x.min(), x.max()))
    inside = (x >= first) & (x <= last)
    x, values = x[inside], values[:, inside]
    mean = values.mean(0)
    ours = float(slope(x, mean))
    ends = mean_interval(ours + slope(x, np.exp(values / mean - 1)))
    value = claim.options["value"]
    return Measured(ours, *ends, claim.options.get("paper"), abs(ours - value), _from(value, *ends),
                    evidence=_seeds(values))


@measure("growth", "exponent of n₅₀ as a power of the dimension",
         "held within {held} of the paper's exponent, in part within {part}",
         options=("over",), published=True, unit="exponent")
def _growth(claim: Claim, rows: pd.DataFrame) -> Measured:
    """The exponent of n₅₀ as a power of the series' option `over`; distance: to the published curves' exponent.

    Where a curve does not end below one half, its last n takes the place of n₅₀: the exponent is then more than that,
    if it is the curve of the largest.
    """
    name = claim.experiment
    x = np.array([experiment(name).series[series][claim.options["over"]] for series in claim.series])
    found = _curves(claim, rows)
    last = np.array([n[-1] for n, _ in found])
    means = np.array([n50(n, values.mean(0)) for n, values in found])
    samples = np.stack(joint_n50(found), axis=-1)
    paper = float(slope(x, np.array([published_n50(name, series) for series in claim.series])))
    ours = float(slope(x, np.minimum(means, last)))
    low, high = interval(slope(x, np.minimum(samples, last)))
    least = -np.inf if np.isinf(samples[:, x < x.max()]).any() else low
    bound = ours if np.isinf(means).any() else np.inf
    high = np.inf if np.isinf(samples).any() else high
    return Measured(ours if bound == np.inf else np.inf, low, high, paper, abs(ours - paper), _from(paper, least, high),
                    (-np.inf, bound), f"{_seeds(found[0][1])} of each")


@measure("order", "rank correlation of n₅₀ and the predicted number, over tasks",
         "held within {held} of 1, in part within {part}",
         options=("predicted",), unit="Spearman's ρ")
def _order(claim: Claim, rows: pd.DataFrame) -> Measured:
    """Spearman's rank correlation over seeds, each with a task of its own, of n₅₀ and the metric `predicted`.

    Distance: to 1. A curve that does not end below one half ranks last.
    """
    ((n, values),) = _curves(claim, rows)
    _, predicted = curve(rows, claim.series[0], claim.options["predicted"], experiment(claim.experiment).x)
    ours = float(rank_correlation(n50(n, values), predicted[:, 0]))
    ends = rank_interval(ours, len(values))
    return Measured(ours, *ends, None, 1 - ours, _from(1.0, *ends), evidence=f"{len(values)} tasks")


@measure("at_most", "mean {metric} at one {x}, of the worst series",
         "held up to {held}, in part up to {part}",
         options=("at",), published=True)
def _at_most(claim: Claim, rows: pd.DataFrame) -> Measured:
    """The mean metric at x = `at`, of the series where it is largest; distance: its value.

    The paper's is the largest of the published curves' values there.
    """
    found = [(values[:, list(x).index(claim.options["at"])]) for x, values in _curves(claim, rows)]
    worst = int(np.argmax([values.mean() for values in found]))
    paper = [published(claim.experiment, series).set_index("x")["y"][claim.options["at"]] for series in claim.series]
    ours, ends = float(found[worst].mean()), mean_interval(found[worst])
    return Measured(ours, *ends, max(paper), ours, ends, evidence=f"{claim.series[worst]}, {_seeds(found[worst])}")


@measure("signal", "value in standard errors, at the least significant row; interval: ± 2 standard errors",
         "held if the value is at least {needed} standard errors above 0, in part if it falls short by {part}",
         options=("metric", "error", "needed"), unit="standard errors")
def _signal(claim: Claim, rows: pd.DataFrame) -> Measured:
    """The metric over its standard error `error`, at the row where that is smallest; distance: to `needed`, if below.

    The interval is the row's metric ± 2 standard errors, in units of its standard error.
    """
    ratio = float((rows[claim.options["metric"]] / rows[claim.options["error"]]).min(skipna=False))
    needed = claim.options["needed"]
    return Measured(ratio, ratio - 2, ratio + 2, None, _excess(needed - ratio),
                    (_excess(needed - ratio - 2), _excess(needed - ratio + 2)), evidence=f"{len(rows)} rows")


def _excess(value: float) -> float:
    """max(0, value), and ∞ for NaN, so that the claim of a diverged run is never *held*."""
    return max(0.0, float(value)) if not np.isnan(value) else float("inf")


@measure("same_law", "p-value of equal distributions, all runs combined",
         "held if p is above 1%, in part if it is at most {part} decade below",
         options=("metric",), unit="p-value")
def _equal_distributions(claim: Claim, rows: pd.DataFrame) -> Measured:
    """All runs' p-values combined by Fisher's method; distance: decades by which they fall below 1%."""
    p = _combined(rows[claim.options["metric"]])
    return Measured(p, None, None, None, _excess(np.log10(0.01 / p)), evidence=f"{len(rows)} runs")


@measure("different_laws", "p-value of equal distributions, all runs combined",
         "held if p is below 1%, in part if it is at most {part} decade above",
         options=("metric",), unit="p-value")
def _different_distributions(claim: Claim, rows: pd.DataFrame) -> Measured:
    """The same; distance: decades by which they stay above 1%."""
    p = _combined(rows[claim.options["metric"]])
    return Measured(p, None, None, None, _excess(np.log10(p / 0.01)), evidence=f"{len(rows)} runs")


def _combined(p: pd.Series) -> float:
    """Fisher's combined p-value; none counts below LEAST_P."""
    logs = np.log(np.maximum(p.to_numpy(), LEAST_P))
    return max(float(stats.chi2.sf(-2 * logs.sum(), 2 * len(logs))), LEAST_P)


@measure("paired", "ratio of the first to the second, paired by seed; interval: Student's t",
         "held if p < 0.01 over pairs of one seed, in part if it is at most {part} decades above",
         options=("metric",), unit="times")
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
    pairs = len(rows) // 2
    able = power(pairs, None, 0.01)
    doubt = f"{pairs} pairs are too few" if p >= 0.01 and able < LEAST_POWER else ""
    return Measured(ours, low, high, None, _excess(np.log10(p / 0.01)), evidence=f"p = {p:.2g}, {pairs} pairs, power "
                    f"{able:.0%}", doubt=doubt)
