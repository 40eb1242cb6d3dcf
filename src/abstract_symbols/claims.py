"""Claims about the paper, judged from results: measure and tolerances stand in `book/claims.yml` beforehand.

A verdict is `held` (within the first tolerance), `held in part` (within the second), `not held` or `not tested`
(rows are missing). Source: the chapters; the scoreboard on the first page lists them all.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from . import experiments
from .experiments import BOOK

RESAMPLES = 2000
LEAST_P = 1e-300
VERDICTS = ("held", "held in part", "not held", "not tested")


@dataclass(frozen=True)
class Claim:
    """A claim as `claims.yml` states it.

    Attributes: id; chapter, the notebook's name; statement; measure, a name of `MEASURES`; experiment and series, the
    rows it uses; held and part, its tolerances in the measure's own distance; options, what else the measure needs;
    among them `within`, [first, last], restricts any claim to these x of its experiment.
    """

    id: str
    chapter: str
    statement: str
    measure: str
    experiment: str
    series: tuple[str, ...]
    held: float
    part: float
    options: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Measured:
    """A number of ours with its 95 % interval, the paper's, and the distance that the tolerances bound."""

    ours: float
    low: float
    high: float
    paper: float | None
    distance: float


@dataclass(frozen=True)
class Judgement:
    """A claim with its verdict; `measured` is None when rows are missing, and `coverage` says how many there are."""

    claim: Claim
    verdict: str
    measured: Measured | None
    coverage: str


def claims() -> dict[str, Claim]:
    """Every claim of `claims.yml` by id.

    Raises: ValueError for a claim that lacks a field, names an unknown measure or experiment, or stands twice; without
        PyYAML.
    """
    try:
        import yaml
    except ImportError:
        raise ValueError("PyYAML is not installed, and claims.yml cannot be read; pip install pyyaml") from None
    found: dict[str, Claim] = {}
    try:
        entries = yaml.safe_load((BOOK / "claims.yml").read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ValueError(f"claims.yml: {' '.join(str(error).split())}") from None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ValueError("claims.yml: must be a list of claims, each with an id and its fields")
    for entry in entries:
        known = {name: entry.pop(name) for name in list(entry) if name in Claim.__dataclass_fields__}
        try:
            claim = Claim(**{**known, "series": tuple(known.get("series", ()))}, options=entry)
        except TypeError as error:
            raise ValueError(f"claims.yml, claim {known.get('id')!r}: {error}") from None
        if claim.id in found:
            raise ValueError(f"claims.yml: claim {claim.id!r} stands twice")
        if claim.measure not in MEASURES:
            raise ValueError(f"claims.yml, claim {claim.id!r}: unknown measure {claim.measure!r}; "
                             f"known are {', '.join(MEASURES)}")
        unknown = set(claim.series) - set(experiments.experiment(claim.experiment).series)
        if unknown:
            raise ValueError(f"claims.yml, claim {claim.id!r}: experiment {claim.experiment!r} has no series "
                             f"{sorted(unknown)}")
        metrics = experiments.experiment(claim.experiment).kind.METRICS
        for option in ("metric", "error", "predicted"):
            if claim.options.get(option, next(iter(metrics))) not in metrics:
                raise ValueError(f"claims.yml, claim {claim.id!r}: experiment {claim.experiment!r} has no metric "
                                 f"{claim.options[option]!r}; it has {', '.join(metrics)}")
        lacking = [name for name in OPTIONS.get(claim.measure, ()) if name not in claim.options]
        if lacking or not claim.series:
            raise ValueError(f"claims.yml, claim {claim.id!r}: lacks {(lacking or ['series'])[0]}")
        if claim.measure == "below" and claim.part >= len(claim.options["at"]) * (len(claim.series) - 1):
            raise ValueError(f"claims.yml, claim {claim.id!r}: part={claim.part} lets every test fail, so it could not "
                             "be 'not held'; lower it")
        for series in claim.series if claim.measure in ("n50", "gain", "growth", "best", "at_most") else ():
            if published(claim.experiment, series).empty:
                raise ValueError(f"claims.yml, claim {claim.id!r}: experiment {claim.experiment!r} has no published "
                                 f"curve for series {series!r}")
        found[claim.id] = claim
    return found


def judge(name: str, results: Path | None = None) -> Judgement:
    """Measure a claim on the rows there are (committed, or in a folder of one's own), and give its verdict.

    Raises: ValueError for an unknown claim.
    """
    known = claims()
    if name not in known:
        raise ValueError(f"unknown claim {name!r}; known are {', '.join(known)}")
    return _judge(known[name], experiments.load(known[name].experiment, results))


def _judge(claim: Claim, rows: pd.DataFrame) -> Judgement:
    e = experiments.experiment(claim.experiment)
    first, last = claim.options.get("within", (-np.inf, np.inf))
    rows = rows[rows["series"].isin(claim.series) & rows[e.x].between(first, last)]
    expected = sum(label in claim.series and first <= getattr(run, e.x) <= last for run, label in e.runs().items())
    coverage = f"{len(rows)} of {expected} runs"
    if len(rows) < expected:
        return Judgement(claim, "not tested", None, coverage)
    measured = MEASURES[claim.measure](claim, rows)
    if claim.measure == "n50" and measured.ours > (last := rows[e.x].max()) and last < claim.part * measured.paper:
        return Judgement(claim, "not tested", None, f"{coverage}; above {last}, and the grid ends before the tolerance")
    within = (measured.distance <= claim.held, measured.distance <= claim.part, True)
    return Judgement(claim, VERDICTS[within.index(True)], measured, coverage)


def scoreboard(chapter: str | None = None, results: Path | None = None) -> list[Judgement]:
    """The verdict on every claim, or on one chapter's, in the order of `claims.yml`."""
    rows = cache(lambda name: experiments.load(name, results))
    return [_judge(claim, rows(claim.experiment)) for claim in claims().values() if chapter in (None, claim.chapter)]


# ---- measures ----------------------------------------------------------------------------------------------------


def n50(n: np.ndarray, loss: np.ndarray) -> np.ndarray:
    """The n at which a learning curve falls through one half: its first crossing, linear in log n.

    Args: n, (m,) increasing; loss, (..., m) mean losses.
    Returns: (...), n[0] for a curve that starts below one half, inf for one that never falls below it.
    Raises: ValueError for an n that is empty, not positive or does not increase, or losses of another length.
    """
    loss, n = np.asarray(loss, dtype=np.float64), np.asarray(n, dtype=np.float64)
    if n.ndim != 1 or loss.shape[-1:] != n.shape or not n.size or not (n[0] > 0 and (np.diff(n) > 0).all()):
        raise ValueError(f"n={n.tolist()}, losses of shape {loss.shape}: n must be positive and increase, with a loss "
                         "for each; sort the curve by n")
    log_n = np.log(n)
    below = loss < 0.5
    first = below.argmax(-1)[..., None]
    before = np.maximum(first - 1, 0)
    y0, y1 = np.take_along_axis(loss, before, -1), np.take_along_axis(loss, first, -1)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where((first > 0) & np.isfinite(y0), (y0 - 0.5) / (y0 - y1), 1.0)
    crossing = np.exp(log_n[before] + share * (log_n[first] - log_n[before]))[..., 0]
    return np.where(below.any(-1), crossing, np.inf)


def curves(rows: pd.DataFrame, series: str, metric: str = "test_loss", x: str = "n") -> tuple[np.ndarray, np.ndarray]:
    """A series as x (m,) and its metric (seeds, m)."""
    table = rows[rows["series"] == series].pivot(index="seed", columns=x, values=metric)
    return table.columns.to_numpy(), table.to_numpy()


def bootstrap_means(values: np.ndarray, stream: int = 0) -> np.ndarray:
    """Means over resampled seeds, drawn anew at every n: (seeds, m) to (RESAMPLES, m); a stream a series."""
    rng = np.random.default_rng(stream)
    picks = rng.integers(0, len(values), size=(RESAMPLES, *values.shape))
    return np.take_along_axis(values[None], picks, axis=1).mean(1)


def n50_table(name: str, rows: pd.DataFrame, metric: str) -> pd.DataFrame:
    """n₅₀ of every series of an experiment that has rows, with its 95 % bootstrap interval: series, n50, low, high.

    An n at which a seed is missing is left out; first and last are the ends of what is left.
    """
    found = []
    for series in (s for s in experiments.experiment(name).series if s in set(rows["series"])):
        n, values = curves(rows, series, metric)
        n, values = n[~np.isnan(values).any(0)], values[:, ~np.isnan(values).any(0)]
        if len(n):
            low, high = _interval(n50(n, bootstrap_means(values)))
            found.append({"series": series, "n50": float(n50(n, values.mean(0))), "low": low, "high": high,
                          "first": n[0], "last": n[-1]})
    table = pd.DataFrame(found, columns=["series", "n50", "low", "high", "first", "last"])
    return table.astype({"n50": float, "low": float, "high": float})  # without rows, too


def published(name: str, series: str) -> pd.DataFrame:
    """The paper's curve behind an experiment's series, as digitised: x, y, y_low, y_high; empty if there is none."""
    e = experiments.experiment(name)
    columns = ["x", "y", "y_low", "y_high"]
    if e.published is None:
        return pd.DataFrame(columns=columns, dtype=float)
    curves = pd.read_csv(BOOK / "published" / f"{e.published}.csv")
    return curves[curves["series"] == e.legend.get(series, series)].sort_values("x", ignore_index=True)[columns]


def published_n50(name: str, series: str) -> float:
    """n₅₀ of the paper's mean curve behind an experiment's series. Raises: ValueError for a series that has none."""
    curve = published(name, series)
    if curve.empty:
        known = [repr(s) for s in experiments.experiment(name).series if not published(name, s).empty]
        raise ValueError(f"experiment {name!r} has no published curve for series {series!r}; it has one for "
                         f"{', '.join(known) or 'none of its series'}")
    return float(n50(curve["x"].to_numpy(), curve["y"].to_numpy()))


def _interval(samples: np.ndarray) -> tuple[float, float]:
    return tuple(float(q) for q in np.quantile(samples, [0.025, 0.975], method="nearest"))


def _curves(claim: Claim, rows: pd.DataFrame) -> list[tuple[np.ndarray, np.ndarray]]:
    """The claim's series, each as x (m,) and the claim's metric (seeds, m)."""
    x, metric = experiments.experiment(claim.experiment).x, claim.options.get("metric", "test_loss")
    return [curves(rows, series, metric, x) for series in claim.series]


def _level(claim: Claim, rows: pd.DataFrame) -> Measured:
    """The mean loss farthest from `value` over all n; distance: how far."""
    ((_, values),) = _curves(claim, rows)
    value = claim.options["value"]
    worst = int(np.abs(values.mean(0) - value).argmax())
    ours = float(values.mean(0)[worst])
    paper = claim.options.get("paper", value)  # null where the value is ours
    return Measured(ours, *_interval(bootstrap_means(values)[:, worst]), paper, abs(ours - value))


def _n50(claim: Claim, rows: pd.DataFrame) -> Measured:
    """n₅₀ of a series; distance: the factor between ours and the published."""
    ((n, values),) = _curves(claim, rows)
    paper = published_n50(claim.experiment, claim.series[0])
    return _against(float(n50(n, values.mean(0))), n50(n, bootstrap_means(values)), paper)


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
    return Measured(ours, *_interval(samples), paper, distance)


def _below(claim: Claim, rows: pd.DataFrame) -> Measured:
    """How much lower the first series is than each other one, at the n and series where this is least sure.

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
    return Measured(ours, *_interval(difference), None, float((p >= claim.options["p"]).sum()))


def slope(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The exponent of a power law: least squares of log y (..., m) on log x (m,); (...)."""
    log_x = np.log(np.asarray(x, dtype=np.float64))
    centred = log_x - log_x.mean()
    return np.log(y) @ centred / (centred @ centred)


def _slope(claim: Claim, rows: pd.DataFrame) -> Measured:
    """The exponent of the mean metric as a power of x, over the x of `at` (first, last); distance: to `value`."""
    ((x, values),) = _curves(claim, rows)
    first, last = claim.options.get("at", (x.min(), x.max()))
    inside = (x >= first) & (x <= last)
    ours = float(slope(x[inside], values[:, inside].mean(0)))
    samples = slope(x[inside], bootstrap_means(values[:, inside]))
    return Measured(ours, *_interval(samples), claim.options.get("paper"), abs(ours - claim.options["value"]))


def _growth(claim: Claim, rows: pd.DataFrame) -> Measured:
    """The exponent of n₅₀ as a power of the series' option `over`; distance: to the published curves' exponent.

    Infinite when a curve never falls below one half.
    """
    name = claim.experiment
    x = np.array([experiments.experiment(name).series[series][claim.options["over"]] for series in claim.series])
    found = _curves(claim, rows)

    def exponent(n_50: np.ndarray) -> np.ndarray:
        finite = np.isfinite(n_50).all(-1)
        return np.where(finite, slope(x, np.where(finite[..., None], n_50, 1.0)), np.inf)

    ours = float(exponent(np.array([n50(n, values.mean(0)) for n, values in found])))
    samples = np.stack([n50(n, bootstrap_means(values, stream)) for stream, (n, values) in enumerate(found)], axis=-1)
    paper = float(exponent(np.array([published_n50(name, series) for series in claim.series])))
    return Measured(ours, *_interval(exponent(samples)), paper, abs(ours - paper))


def _order(claim: Claim, rows: pd.DataFrame) -> Measured:
    """Spearman's rank correlation over seeds, each with a task of its own, of n₅₀ and the metric `predicted`.

    Distance: to 1. A curve that never falls below one half ranks last. The interval is a bootstrap's over seeds.
    """
    ((n, values),) = _curves(claim, rows)
    measured = n50(n, values)
    expected = curves(rows, claim.series[0], claim.options["predicted"], experiments.experiment(claim.experiment).x)
    expected = expected[1][:, 0]

    def correlation(chosen: np.ndarray) -> float:
        ranks = stats.rankdata(measured[chosen]), stats.rankdata(expected[chosen])
        return float(np.corrcoef(*ranks)[0, 1]) if min(np.ptp(r) for r in ranks) > 0 else 0.0  # all alike: no order

    picks = np.random.default_rng(0).integers(0, len(measured), size=(RESAMPLES, len(measured)))
    ours = correlation(np.arange(len(measured)))
    return Measured(ours, *_interval(np.array([correlation(chosen) for chosen in picks])), None, 1 - ours)


def _best(claim: Claim, rows: pd.DataFrame) -> Measured:
    """The x at which a series' mean metric is least; distance: steps of the grid to the published curve's."""
    ((x, values),) = _curves(claim, rows)
    curve = published(claim.experiment, claim.series[0])
    paper = float(curve["x"][curve["y"].idxmin()])
    ours = int(values.mean(0).argmin())
    samples = x[bootstrap_means(values).argmin(-1)]
    return Measured(float(x[ours]), *_interval(samples), paper, float(abs(ours - np.abs(np.log(x / paper)).argmin())))


def _at_most(claim: Claim, rows: pd.DataFrame) -> Measured:
    """The mean metric at x = `at`, of the series where it is largest; distance: its value.

    The paper's is the largest of the published curves' values there.
    """
    found = [(values[:, list(x).index(claim.options["at"])]) for x, values in _curves(claim, rows)]
    worst = int(np.argmax([values.mean() for values in found]))
    paper = [published(claim.experiment, series).set_index("x")["y"][claim.options["at"]] for series in claim.series]
    ours = float(found[worst].mean())
    return Measured(ours, *_interval(bootstrap_means(found[worst][:, None])[:, 0]), max(paper), ours)


def _signal(claim: Claim, rows: pd.DataFrame) -> Measured:
    """The metric over its standard error `error`, at the row where that is smallest; distance: to `needed`, if below.

    The interval is the row's metric ± 2 standard errors, in units of its standard error.
    """
    ratio = float((rows[claim.options["metric"]] / rows[claim.options["error"]]).min(skipna=False))
    return Measured(ratio, ratio - 2, ratio + 2, None, _excess(claim.options["needed"] - ratio))


def _excess(value: float) -> float:
    """What is above 0; infinite for NaN, so that no tolerance holds what a diverged run gave."""
    return max(0.0, float(value)) if not np.isnan(value) else float("inf")


def _same_law(claim: Claim, rows: pd.DataFrame) -> Measured:
    """All runs' p-values combined by Fisher's method; distance: decades by which they fall below 1 %."""
    p, low, high = _combined(rows[claim.options["metric"]])
    return Measured(p, low, high, None, _excess(np.log10(0.01 / p)))


def _different_laws(claim: Claim, rows: pd.DataFrame) -> Measured:
    """The same; distance: decades by which they stay above 1 %."""
    p, low, high = _combined(rows[claim.options["metric"]])
    return Measured(p, low, high, None, _excess(np.log10(p / 0.01)))


def _combined(p: pd.Series) -> tuple[float, float, float]:
    """Fisher's combined p-value with the interval that a bootstrap over runs gives; no p counts below LEAST_P."""
    logs = np.log(np.maximum(p.to_numpy(), LEAST_P))
    combined = np.maximum(stats.chi2.sf(-2 * len(logs) * np.append(bootstrap_means(logs), logs.mean()), 2 * len(logs)),
                          LEAST_P)
    return float(combined[-1]), *_interval(combined[:-1])


def _paired(claim: Claim, rows: pd.DataFrame) -> Measured:
    """The first series' metric as a multiple of the second's at the same x and seed: the geometric mean over them.

    One-sided paired t-test of the logarithms; distance: decades by which its p-value stays above 1 %.
    """
    metric = rows[claim.options["metric"]]
    if not ((metric > 0) & np.isfinite(metric)).all():  # a run that diverged
        return Measured(np.nan, np.nan, np.nan, None, np.inf)
    x = experiments.experiment(claim.experiment).x
    ours, low, high, p = paired(rows, *claim.series, claim.options["metric"], x)
    return Measured(ours, low, high, None, _excess(np.log10(p / 0.01)))


def paired(rows: pd.DataFrame, first: str, second: str, metric: str, x: str) -> tuple[float, float, float, float]:
    """The geometric mean of first/second over pairs of one x and seed, its 95 % t-interval, and the p-value of < 1.

    Equal pairs have p = 1, pairs of one ratio below 1 have p = 0.
    Raises: ValueError for fewer than two pairs, or a value that is not a positive number.
    """
    table = rows.pivot(index=[x, "seed"], columns="series", values=metric)
    if not {first, second} <= set(table) or len(table[[first, second]].dropna()) < 2:
        raise ValueError(f"series {first!r} and {second!r}: fewer than two pairs of one seed")
    pairs = table[[first, second]].dropna()
    if not (pairs > 0).all(axis=None):
        raise ValueError(f"{metric}: a ratio needs positive values; {pairs.min(axis=None)} is none")
    logs = np.log(pairs[first] / pairs[second]).to_numpy()
    mean, se = logs.mean(), logs.std(ddof=1) / np.sqrt(len(logs))
    t, p = stats.t(len(logs) - 1), float(mean >= 0)
    if se > 0:
        p = t.cdf(mean / se)
    reach = t.ppf(0.975) * se
    return float(np.exp(mean)), float(np.exp(mean - reach)), float(np.exp(mean + reach)), max(float(p), LEAST_P)


OPTIONS = {"level": ("value",), "below": ("at", "p"), "slope": ("metric", "value"),
           "growth": ("over",), "at_most": ("at",), "order": ("predicted",),
           "signal": ("metric", "error", "needed"), "same_law": ("metric",), "different_laws": ("metric",),
           "paired": ("metric",)}
MEASURES: dict[str, Callable[[Claim, pd.DataFrame], Measured]] = {
    "level": _level, "n50": _n50, "gain": _gain, "below": _below, "slope": _slope,
    "growth": _growth, "order": _order, "best": _best, "at_most": _at_most, "signal": _signal,
    "same_law": _same_law, "different_laws": _different_laws, "paired": _paired,
}
