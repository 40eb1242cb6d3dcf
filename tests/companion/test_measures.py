"""Measures: our number with its interval, the paper's, and the distance that a claim's tolerances bound."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from projects import write_metrics
from scipy import stats

from companion.claims import claims, judge
from companion.experiments import experiment
from companion.measures import MEASURES, Claim
from companion.published import published, published_n50
from companion.statistics import slope


def wobble(seed):
    """A small difference between seeds, of mean zero over the five."""
    return 0.0004 * (seed - 2)


def test_every_measure_says_in_words_what_it_is_and_what_its_tolerances_mean():
    assert len(MEASURES) > 10
    for name, measure in MEASURES.items():
        assert measure.words and "{part}" in measure.tolerance, name
        assert set(measure.options) <= {"value", "at", "p", "metric", "over", "predicted", "error", "needed"}, name


# ---- differences -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("others", "failures"), [((), 0), (("+ a",), 2), (("+ a", "4n symbols"), 4)])
def test_below_compares_the_first_series_with_every_other(others, failures):
    """b errs on 0.1 of the strings and all others on 0.9, but the given ones on as many as b."""
    claim = claims()["repairs-b-first"]
    claim = replace(claim, options={**claim.options, "at": [32, 64]})
    rows = pd.DataFrame([
        {"series": series, "n": run.n, "seed": run.seed,
         "test_error": (0.1 if series in ("+ b", *others) else 0.9) + (wobble(run.seed) if series == "+ b" else 0.0)}
        for run, series in experiment("copy-repairs").runs().items()])
    measured = MEASURES["below"].function(claim, rows)
    assert measured.distance == failures
    assert measured.ours == pytest.approx(0.0 if others else -0.8, abs=0.02)


# ---- exponents ---------------------------------------------------------------------------------------------------


def stated(measure, experiment, series, **options):
    """A claim of our own."""
    return Claim("ours", "none", "So it is.", measure, experiment, tuple(series), 0.1, 0.2, options)


@pytest.mark.parametrize(("exponent", "verdict"), [
    (-0.5, "held"), (-0.42, "held"), (-0.58, "held"), (-0.35, "held in part"), (-0.65, "held in part"),
    (-0.8, "not held")])
def test_an_exponent_is_judged_by_its_distance_to_the_stated_one(exponent, verdict, tmp_path):
    rng = np.random.default_rng(0)
    write_metrics(tmp_path, "width", lambda of: {"error": 3 * of.width**exponent * (1 + 0.02 * rng.standard_normal())})
    judgement = judge("kernel-width", tmp_path)
    measured = judgement.measured
    assert judgement.verdict == verdict and measured.ours == pytest.approx(exponent, abs=0.02)
    assert measured.distance == pytest.approx(abs(measured.ours + 0.5)) and measured.paper is None
    assert measured.ours - 0.03 < measured.low < measured.ours < measured.high < measured.ours + 0.03


def test_an_exponent_is_that_of_the_mean_between_the_stated_ends_and_carries_the_papers():
    """Outside 100 ... 1000 the metric is far from its law; seeds differ by a factor that the mean does not see."""
    rows = pd.DataFrame([
        {"series": series, "n": n, "seed": seed, "error": n**-1.0 * (1 + 0.9 * (seed - 1)) if 100 <= n <= 1000 else 7.0}
        for series in ("αα / αβ", "αβα / αββ") for n in (10, 100, 316, 1000, 10000) for seed in range(3)])
    law = stated("slope", "ridge-n", ["αα / αβ"], metric="error", at=[100, 1000], value=-0.75, paper=-0.5)
    measured = MEASURES["slope"].function(law, rows)
    assert (measured.ours, measured.distance) == (pytest.approx(-1), pytest.approx(0.25)) and measured.paper == -0.5
    everywhere = replace(law, options={"metric": "error", "value": -1.0})
    assert MEASURES["slope"].function(everywhere, rows).ours > -0.5


# ---- values against their own errors, and p-values ---------------------------------------------------------------


@pytest.mark.parametrize(("ratio", "verdict"), [(7.5, "held"), (5, "undecided"), (3.5, "undecided"), (0.5, "not held"),
                                                (-4, "not held")])
def test_a_signal_is_judged_where_it_is_least_sure(ratio, verdict, tmp_path):
    write_metrics(tmp_path, "eigenvalues", lambda of: {
        "eigenvalue": 0.1 * ratio if of.task == "program" else 1.0, "standard_error": 0.1})
    judgement = judge("template-matrix-positive", tmp_path)
    assert judgement.verdict == verdict
    assert judgement.measured.ours == pytest.approx(ratio) and judgement.measured.paper is None
    assert judgement.measured.distance == pytest.approx(max(0, 5 - ratio))
    assert judgement.measured.high - judgement.measured.low == pytest.approx(4)


def test_a_value_without_error_is_no_weak_signal():
    rows = pd.DataFrame({"series": "αα / αβ", "eigenvalue": [2.0, 1.0], "standard_error": [0.2, 0.0]})
    claim = stated("signal", "eigenvalues", ["αα / αβ"], metric="eigenvalue", error="standard_error", needed=5)
    assert MEASURES["signal"].function(claim, rows).ours == pytest.approx(10)


@pytest.mark.parametrize(("measure", "name", "options"), [
    ("signal", "eigenvalues", {"metric": "eigenvalue", "error": "standard_error", "needed": 5}),
    ("same_law", "eigenvalues", {"metric": "eigenvalue"}), ("different_laws", "eigenvalues", {"metric": "eigenvalue"}),
])
@pytest.mark.parametrize("bad", [[math.nan, 0.5], [math.nan, math.nan]], ids=["one", "all"])
def test_no_tolerance_holds_what_is_not_a_number(measure, name, options, bad):
    rows = pd.DataFrame({"series": "αα / αβ", "eigenvalue": bad, "standard_error": 0.01})
    measured = MEASURES[measure].function(stated(measure, name, ["αα / αβ"], **options), rows)
    assert measured.distance == math.inf


@pytest.mark.parametrize(("p", "combined"), [
    ([0.3], 0.3), ([0.01], 0.01), ([0.2, 0.5], 0.1 * (1 - math.log(0.1))), ([1.0, 1.0, 1.0], 1.0),
    ([0.0] * 2, 1e-300), ([0.1] * 4, 1e-4 * sum((-math.log(1e-4)) ** i / math.factorial(i) for i in range(4))),
])
def test_p_values_are_combined_by_fishers_method(p, combined):
    """Of k p-values with product q: q Σ (−ln q)^i / i!, i < k."""
    rows = pd.DataFrame({"series": "Fully-connected", "p_value": p})
    claim = stated("same_law", "mlp-law", ["Fully-connected"], metric="p_value")
    same, different = (MEASURES[measure].function(claim, rows) for measure in ("same_law", "different_laws"))
    assert same.ours == different.ours == pytest.approx(combined)
    assert same.low is same.high is None, "a p-value has no interval"
    decades = math.log10(combined / 0.01)
    assert (same.distance, different.distance) == (pytest.approx(max(0, -decades), abs=1e-12),
                                                   pytest.approx(max(0, decades), abs=1e-12))


def test_p_values_of_equal_laws_hold_and_small_ones_do_not(tmp_path):
    """Fifty p-values that lie evenly between 0 and 1 for the one network, small ones for the other."""
    p = {"mlp": lambda of: (of.seed + 0.5) / 50, "transformer": lambda of: 1e-3}
    write_metrics(tmp_path, "mlp-law", lambda of: {"p_value": p[of.network](of)})
    assert [judge(name, tmp_path).verdict for name in ("mlp-law", "mlp-law-transformer")] == ["held", "held"]
    p = {"transformer": p["mlp"], "mlp": p["transformer"]}
    (tmp_path / "mlp-law.csv").unlink()
    write_metrics(tmp_path, "mlp-law", lambda of: {"p_value": p[of.network](of)})
    assert judge("mlp-law", tmp_path).verdict == "not held"
    (tmp_path / "mlp-law.csv").unlink()
    write_metrics(tmp_path, "mlp-law", lambda of: {"p_value": 0.0}, series="Fully-connected")
    assert judge("mlp-law", tmp_path).verdict == "not held"
    assert judge("mlp-law-transformer", tmp_path).verdict == "not run"


# ---- growth of n₅₀ with an option of the series, and the worst series at one n ------------------------------------

SMALL_DIMENSIONS = (64, 128, 256, 512)
PAPERS_GROWTH = float(slope(SMALL_DIMENSIONS, [published_n50("copy", f"d = {d}") for d in SMALL_DIMENSIONS]))


def write_errors(folder, name, error):
    """Rows of a copying experiment for d_emb up to 512 with test errors of our choice: error(d_emb, n, seed)."""
    write_metrics(folder, name, lambda of: {"test_error": error(of.d_emb, of.n, of.seed)} if of.d_emb <= 512 else None)


def growing(exponent, largest=120):
    """Errors that cross one half at an n that grows as a power of d_emb, up to `largest` at 512."""
    return lambda d, n, seed: 0.5 - 0.05 * math.log(n / (largest * (d / 512) ** exponent)) + wobble(seed)


@pytest.mark.parametrize(("difference", "verdict"), [
    (0.0, "held"), (0.2, "held"), (-0.2, "held"), (0.3, "held in part"), (-0.45, "held in part"), (0.6, "not held")])
def test_growth_is_the_exponent_of_n50_against_the_published(difference, verdict, tmp_path):
    write_errors(tmp_path, "copy", growing(PAPERS_GROWTH + difference))
    judgement = judge("copy-growth", tmp_path)
    assert judgement.verdict == verdict
    assert judgement.measured.ours == pytest.approx(PAPERS_GROWTH + difference, abs=1e-6)
    assert judgement.measured.paper == pytest.approx(PAPERS_GROWTH)
    assert judgement.measured.low < judgement.measured.ours < judgement.measured.high
    assert judge("copy-1024", tmp_path).verdict == "not run", "no such rows"


def test_growth_is_infinite_when_a_curve_never_falls(tmp_path):
    write_errors(tmp_path, "copy", lambda d, n, seed: 0.9 if d == 512 else growing(0.7)(d, n, seed))
    judgement = judge("copy-growth", tmp_path)
    assert (judgement.verdict, judgement.measured.ours) == ("not held", math.inf)
    assert judge("copy-512", tmp_path).verdict == "not held"


UP = [600 + 100 * seed for seed in range(12)]  # n₅₀ of twelve tasks
SWAPPED = [UP[seed ^ 1] for seed in range(12)]  # each with its neighbour


@pytest.mark.parametrize(("measured", "verdict"), [
    (UP, "held"), (SWAPPED, "held"), (UP[6:] + UP[:6], "not held"), (UP[::-1], "not held"), ([900] * 12, "undecided"),
    (UP[4:] + UP[:4], "not held"), (UP[:4] + UP[4:][::-1], "undecided"),
    ([*UP[:11], np.inf], "held"), ([*UP[:9], *[np.inf] * 3], "held"), ([np.inf, *UP[1:]], "undecided"),
])
def test_an_order_is_judged_by_spearmans_rank_correlation(measured, verdict, tmp_path):
    write_metrics(tmp_path, "random-fresh", lambda of: {
        "predicted": 3.0 * UP[of.seed] ** 2,  # any increasing function: ranks alone count
        "test_loss": 0.5 - 0.2 * math.log(of.n / min(measured[of.seed], 1e6))})
    judgement = judge("random-fresh-order", tmp_path)
    expected = stats.spearmanr(measured, UP).statistic if len(set(measured)) > 1 else 0.0
    assert judgement.measured.ours == pytest.approx(expected, abs=1e-12)
    assert judgement.measured.low <= expected <= judgement.measured.high <= 1
    assert judgement.verdict == verdict


@pytest.mark.parametrize(("error", "verdict"), [(0.04, "held"), (0.09, "held in part"), (0.2, "not held")])
def test_at_most_is_the_mean_of_the_worst_series_at_its_n(error, verdict, tmp_path):
    write_errors(tmp_path, "copy-b", lambda d, n, seed: (error if d == 256 else 0.01) + 0.1 * wobble(seed)
                 if n == 16 else 0.7)
    judgement = judge("copy-b", tmp_path)
    assert judgement.verdict == verdict and judgement.measured.ours == pytest.approx(error)
    assert judgement.measured.low < error < judgement.measured.high
    expected = max(float(published("copy-b", f"d = {d}").set_index("x")["y"][16]) for d in SMALL_DIMENSIONS)
    assert judgement.measured.paper == expected


# ---- pairs of one seed -------------------------------------------------------------------------------------------


def pairs(ratios):
    rng = np.random.default_rng(0)
    level = rng.uniform(50, 100, len(ratios))  # seeds differ far more than series
    return pd.DataFrame([{"series": s, "epochs": 1.0, "seed": i, "perplexity": level[i] * (r if s == "+ b" else 1)}
                         for i, r in enumerate(ratios) for s in ("+ b", "Plain")])


@pytest.mark.parametrize("ratios, distance", [([0.97, 0.98, 0.975, 0.972, 0.978], 0.0), ([1.0] * 5, 2.0)])
def test_the_paired_claim_counts_decades_above_one_per_cent(ratios, distance):
    measured = MEASURES["paired"].function(claims()["perplexity-b"], pairs(ratios))
    assert measured.distance == pytest.approx(distance) and measured.paper is None


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 0.0])
def test_a_paired_claim_is_not_held_by_a_run_that_diverged(bad):
    measured = MEASURES["paired"].function(claims()["perplexity-b"], pairs([0.97, 0.98, bad]))
    assert measured.distance == float("inf")
