"""Numbers of committed claims from their rows, with formulas of our own: tests, combined p-values, ranks, n₅₀."""

import math

import numpy as np
import pandas as pd
import pytest

from companion.claims import claims, judge
from companion.results import load
from companion.statistics import rank_correlation

from .distributions import chi2_above, t_above, t_quantile, welch


def values(rows, series, metric, **where):
    mine = rows[rows["series"] == series]
    for column, value in where.items():
        mine = mine[mine[column] == value]
    return mine.sort_values("seed")[metric].to_numpy()


def crossing(n, loss):
    """Where a curve that falls through one half once does so, linear in log n."""
    after = [i for i, value in enumerate(loss) if value < 0.5]
    assert after and after == list(range(after[0], len(loss))) and after[0] > 0, "more than one crossing, or none"
    i, j = after[0] - 1, after[0]
    share = (loss[i] - 0.5) / (loss[i] - loss[j])
    return n[i] * (n[j] / n[i])**share


def mean_curve(rows, series, metric="test_loss"):
    means = rows[rows["series"] == series].groupby("n")[metric].mean()
    return list(means.index), list(means)


@pytest.mark.parametrize("name", ["same-different-below", "word-labels-below", "repairs-frozen", "repairs-diversity",
                                  "random-length-below", "aba-transformer-below"])
def test_a_difference_of_means_is_judged_by_welchs_test(name):
    """Welch's one-sided t-test at every n: the number of tests that fail, the difference where p is largest."""
    claim, rows = claims()[name], load(claims()[name].experiment)
    lower, *uppers = claim.series
    metric, found = claim.options.get("metric", "test_loss"), []
    for upper in uppers:
        for n in claim.options["at"]:
            a, b = (values(rows, series, metric, n=n) for series in (lower, upper))
            t, freedom = welch(a, b)
            found.append((t_above(-t, freedom), a.mean() - b.mean()))
    p = [p for p, _ in found]
    assert not any(0.9 < x / claim.options["p"] < 1.1 for x in p)  # none is decided by rounding
    measured = judge(name).measured
    assert measured.distance == sum(x >= claim.options["p"] for x in p)
    assert measured.ours == pytest.approx(max(found)[1], rel=1e-9)


@pytest.mark.parametrize("name", ["mlp-law", "heads-null", "mlp-law-transformer"])
def test_p_values_are_combined_by_fishers_method(name):
    """Fisher's method: −2 Σ log p has a χ² distribution with twice as many degrees of freedom as there are runs."""
    claim = claims()[name]
    p = load(claim.experiment).query("series == @claim.series[0]")[claim.options["metric"]].clip(lower=1e-300)
    combined = max(chi2_above(-2 * float(np.log(p).sum()), 2 * len(p)), 1e-300)
    assert judge(name).measured.ours == pytest.approx(combined, rel=1e-6, abs=1e-299)


@pytest.mark.parametrize("first", ["+ b", "+ a", "+ a, diagonal masked", "+ a and b"])
def test_ratios_of_one_seed_are_compared_by_a_paired_t_test(first):
    """Paired t-test of log ratios: geometric mean, 95% interval, one-sided p-value."""
    rows = load("perplexity")
    a, b = (rows[rows["series"] == series].set_index("seed")["perplexity"] for series in (first, "Plain"))
    logs = [math.log(a[seed] / b[seed]) for seed in sorted(set(a.index) & set(b.index))]
    mean = sum(logs) / len(logs)
    se = math.sqrt(sum((x - mean)**2 for x in logs) / (len(logs) - 1) / len(logs))
    reach = t_quantile(0.025, len(logs) - 1) * se
    expected = [math.exp(mean), math.exp(mean - reach), math.exp(mean + reach), t_above(-mean / se, len(logs) - 1)]
    name = {"+ b": "perplexity-b", "+ a": "perplexity-a", "+ a and b": "perplexity-a-b"}.get(first,
                                                                                           "perplexity-a-masked")
    measured = judge(name).measured
    assert [measured.ours, measured.low, measured.high] == pytest.approx(expected[:3], rel=1e-7)
    assert measured.distance == pytest.approx(max(0.0, math.log10(expected[3] / 0.01)), abs=1e-6)


def ranks(x):
    """1 + the number of smaller values, ties at the mean of their ranks."""
    return [sum(b < a for b in x) + (1 + sum(b == a for b in x)) / 2 for a in x]


def spearman(x, y):
    u, v = (np.array(ranks(list(z))) for z in (x, y))
    u, v = u - u.mean(), v - v.mean()
    return float(u @ v / math.sqrt((u @ u) * (v @ v)))


def test_order_of_tasks_is_spearmans_correlation_of_their_n50():
    """Spearman's rank correlation of twelve tasks' n₅₀, each of a curve with one crossing, and the prediction."""
    rows = load("random-fresh")
    table = rows.pivot(index="seed", columns="n", values="test_loss")
    predicted = rows.groupby("seed")["predicted"].first()
    reached = [crossing(list(table.columns), list(curve)) if curve.iloc[-1] < 0.5 else math.inf
               for _, curve in table.iterrows()]
    assert judge("random-fresh-order").measured.ours == pytest.approx(spearman(reached, predicted), abs=1e-12)


def test_tied_values_share_their_ranks():
    """Spearman's rank correlation with ties, of numbers of epochs against losses."""
    rows = load("same-different").query("series == 'Transformer'")
    epochs, loss = rows["epochs_run"].to_numpy(), rows["test_loss"].to_numpy()
    assert len(set(epochs)) < len(epochs)
    assert rank_correlation(epochs, loss) == pytest.approx(spearman(epochs, loss), abs=1e-12)


@pytest.mark.parametrize("name", ["same-different-transformer", "same-different-modified", "aba-transformer",
                                  "aba-rnn", "copy-64", "copy-128"])
def test_n50_is_where_a_mean_curve_falls_through_one_half(name):
    """n₅₀ of curves with one crossing, linear in log n."""
    claim = claims()[name]
    n, loss = mean_curve(load(claim.experiment), claim.series[0], claim.options.get("metric", "test_loss"))
    first, last = claim.options.get("within", (0, math.inf))
    inside = [i for i, x in enumerate(n) if first <= x <= last]
    expected = crossing([n[i] for i in inside], [loss[i] for i in inside])
    assert judge(name).measured.ours == pytest.approx(expected, rel=1e-9)


def test_a_gain_is_a_ratio_of_two_n50():
    """n₅₀ of the plain network over that of the modified one."""
    rows = load("same-different")
    plain, modified = (crossing(*mean_curve(rows, series)) for series in ("Transformer", "Modified transformer"))
    assert judge("same-different-gain").measured.ours == pytest.approx(plain / modified, rel=1e-9)


@pytest.mark.parametrize("name", ["ridge-n", "ridge-rho", "kernel-width", "copy-progress-wv"])
def test_exponents_are_least_squares_of_logarithms(name):
    """The slope of the regression of the log of mean values on log x."""
    claim = claims()[name]
    rows = load(claim.experiment).query("series == @claim.series[0]")
    x = next(c for c in ("alphabet", "width", "d_emb", "n") if c in rows and rows[c].nunique() > 1)
    means = rows.groupby(x)[claim.options["metric"]].mean()
    first, last = claim.options.get("at", (0, math.inf))
    means = means[(means.index >= first) & (means.index <= last)]
    u, v = np.log(means.index.to_numpy(float)), np.log(means.to_numpy())
    expected = np.linalg.lstsq(np.stack([u, np.ones_like(u)], 1), v, rcond=None)[0][0]
    measured = judge(name).measured
    assert measured.ours == pytest.approx(expected, rel=1e-9)
    assert measured.distance == pytest.approx(abs(expected - claim.options["value"]), rel=1e-6)


def test_rows_are_read_as_they_stand_in_the_file():
    """A mean from the file alone, without the package's reader."""
    file = pd.read_csv("book/results/same-different.csv")
    plain = file.query("network == 'transformer' and n == 64")
    plain = plain[plain["a"].isna() & plain["b"].isna()]
    assert len(plain) == 5
    assert values(load("same-different"), "Transformer", "test_loss", n=64).mean() == pytest.approx(
        plain["test_loss"].mean(), rel=1e-12)
