"""Numbers of learning curves: n₅₀, exponents, intervals over seeds, rank correlations, paired comparisons."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from scipy import stats

from companion.statistics import (
    LEAST_P,
    RESAMPLES,
    WIDENING,
    curve,
    first_crossing,
    interval,
    local_slopes,
    mean_interval,
    n50,
    paired,
    power,
    rank_correlation,
    rank_interval,
    resampled_means,
    slope,
)

# ---- where a curve crosses one half ------------------------------------------------------------------------------


@pytest.mark.parametrize(("loss", "expected"), [
    ([1.0, 0.6, 0.4, 0.1], 8 * math.sqrt(2)),
    ([1.0, 0.75, 0.25, 0.0], 8 * math.sqrt(2)),
    ([1.0, 0.9, 0.8, 0.4], 16 * 2**0.75),
    ([1.0, 0.5, 0.4, 0.1], 8),
    ([0.5, 0.4, 0.4, 0.1], 4),
    ([0.4, 0.3, 0.2, 0.1], 4),
    ([0.4, 0.9, 0.2, 0.1], 8 * 2 ** (4 / 7)),
    ([0.6, 0.4, 0.9, 0.1], 16 * math.sqrt(2)),
    ([0.6, 0.4, 0.3, 0.7], math.inf),
    ([1.0, 1.0, 1.0, 0.5], math.inf),
    ([1.0, 0.9, 0.8, 0.7], math.inf),
    ([1.0, math.inf, 0.2, 0.1], 16),
    ([math.nan, 0.9, 0.8, 0.7], math.inf),
])
def test_n50_of_a_curve(loss, expected):
    assert float(n50([4, 8, 16, 32], loss)) == pytest.approx(expected)


@pytest.mark.parametrize(("loss", "first"), [
    ([0.4, 0.9, 0.2, 0.1], 4), ([0.6, 0.4, 0.9, 0.1], 4 * math.sqrt(2)), ([0.6, 0.4, 0.3, 0.7], 4 * math.sqrt(2)),
    ([1.0, 0.9, 0.8, 0.7], math.inf),
])
def test_a_curve_that_rises_again_crosses_first_before_it_stays_below(loss, first):
    assert float(first_crossing([4, 8, 16, 32], loss)) == pytest.approx(first)


@given(st.lists(st.floats(0, 2), min_size=5, max_size=5))
def test_n50_is_the_first_crossing_of_the_curve_read_backwards(loss):
    """Beyond n₅₀ the interpolated curve is below one half everywhere, and just before it is not."""
    n = [4, 8, 16, 32, 64]
    half, log_n = float(n50(n, loss)), np.log(n)
    beyond = np.linspace(math.log(half) + 1e-6, log_n[-1], 50) if half < 64 else []
    assert all(np.interp(beyond, log_n, loss) < 0.5 + 1e-4) if half < 64 else loss[-1] >= 0.5 - 1e-12 or half == 64
    if 4 < half < math.inf:
        assert np.interp(math.log(half), log_n, loss) == pytest.approx(0.5, abs=1e-6)


falling = st.lists(st.floats(0, 1.5), min_size=2, max_size=8, unique=True).map(lambda y: sorted(y, reverse=True))


@given(falling, st.floats(0.01, 100))
@example([0.9, 0.1], 3.0)
def test_scaling_n_scales_n50(loss, factor):
    n = 4 * 2.0 ** np.arange(len(loss))
    assert float(n50(factor * n, loss)) == pytest.approx(factor * float(n50(n, loss)))


@given(falling)
def test_n50_of_a_falling_curve_is_the_inverse_of_its_interpolation(loss):
    assume(min(abs(y - 0.5) for y in loss) > 1e-6 and loss[0] > 0.5 > loss[-1])
    log_n = np.arange(2.0, 2 + len(loss))
    crossing = np.log2(n50(2**log_n, loss))
    assert np.interp(crossing, log_n, loss) == pytest.approx(0.5, abs=1e-9)


@given(st.lists(st.lists(st.floats(0, 2), min_size=5, max_size=5), min_size=1, max_size=6))
def test_n50_of_many_curves_is_that_of_each(loss):
    n = [4, 8, 16, 32, 64]
    assert n50(n, [loss, loss]).tolist() == [[float(n50(n, y)) for y in loss]] * 2


@pytest.mark.parametrize(("n", "loss"), [
    ([8, 4, 16], [1, 0.7, 0]), ([4, 4, 8], [1, 0.7, 0]), ([0, 4], [1, 0]), ([4, math.nan], [1, 0]), ([], []),
    ([4, 8], [1, 0.7, 0]),
])
def test_a_curve_that_is_none_has_no_n50(n, loss):
    with pytest.raises(ValueError, match=r"n=\[.*must be positive and increase.*sort the curve"):
        n50(np.array(n), np.array(loss))


# ---- exponents ---------------------------------------------------------------------------------------------------


@given(st.floats(-3, 3), st.floats(1e-3, 1e3), st.floats(0.1, 10), st.integers(2, 6))
def test_the_slopes_of_a_power_law_are_its_exponent_whatever_the_units(exponent, factor, unit, points):
    x = unit * 3.0 ** np.arange(points)
    y = factor * x**exponent
    assert slope(x, [y, 2 * y]) == pytest.approx([exponent] * 2, abs=1e-9)
    assert local_slopes(x, [y, 2 * y]) == pytest.approx(np.full((2, points - 1), exponent), abs=1e-9)


def test_the_slope_is_the_line_of_least_squares():
    assert float(slope([1, 2, 4, 8], [1, 4, 2, 8])) == pytest.approx(0.8)
    assert float(slope([1, 10, 100], [1, 1, 10])) == pytest.approx(0.5)


def test_local_slopes_are_those_between_neighbours():
    assert local_slopes([1, 2, 8], [3, 12, 12]).tolist() == pytest.approx([2, 0])
    assert local_slopes([1, 10, 100], [[1, 1, 10], [1, 0.1, 10]]).round(9).tolist() == [[0, 1], [-1, 2]]


# ---- intervals over seeds ----------------------------------------------------------------------------------------


def test_resampled_means_have_students_distribution_about_the_mean_but_for_the_widening():
    values = np.random.default_rng(0).standard_normal((5, 3))
    means = resampled_means(values)
    assert means.shape == (RESAMPLES, 3)
    standardised = (means - values.mean(0)) / (values.std(0, ddof=1) / math.sqrt(5)) / (1 + WIDENING / 4)
    for column in standardised.T:
        assert stats.kstest(column, stats.t(4).cdf).pvalue > 1e-3
    assert (means == resampled_means(values)).all() and (means != resampled_means(values, 1)).mean() > 0.9


def test_seeds_stay_whole_what_they_have_in_common_at_several_n_is_in_every_draw():
    shift = np.array([[-1.0], [0.0], [2.0]])
    means = resampled_means(np.hstack([shift, 3 * shift]))
    np.testing.assert_allclose(means[:, 1], 3 * means[:, 0], atol=1e-12)


def test_a_single_seed_says_nothing():
    assert np.isnan(resampled_means(np.ones((1, 3)))).all()
    assert interval(resampled_means(np.ones((1, 3)))[:, 0]) == (-math.inf, math.inf) == mean_interval([2.0])


@given(st.lists(st.floats(-10, 10), min_size=2, max_size=8), st.lists(st.floats(-10, 10), min_size=2, max_size=8))
def test_the_interval_of_a_mean_is_students_and_of_a_difference_welchs(one, other):
    assume(np.std(one) > 1e-3 and np.std(other) > 1e-3)
    expected = stats.ttest_1samp(one, 0).confidence_interval(0.95)
    assert mean_interval(one) == pytest.approx(tuple(expected))
    expected = stats.ttest_ind(one, other, equal_var=False).confidence_interval(0.95)
    assert mean_interval(one, other) == pytest.approx(tuple(expected))


def test_seeds_that_all_give_the_same_have_an_interval_without_width():
    assert mean_interval([0.25] * 3) == (0.25, 0.25) and mean_interval([1.0, 1.0], [0.25] * 3) == (0.75, 0.75)


@pytest.mark.parametrize(("first", "second", "level"), [(3, 3, 0.01), (5, 5, 0.01), (10, 4, 0.05), (5, None, 0.01)])
def test_the_power_is_the_share_of_simulated_tests_that_find_the_difference(first, second, level):
    rng = np.random.default_rng(0)
    lower = rng.standard_normal((first, 20000)) - 3
    p = (stats.ttest_ind(lower, rng.standard_normal((second, 20000)), alternative="less") if second
         else stats.ttest_1samp(lower, 0, alternative="less")).pvalue
    assert power(first, second, level) == pytest.approx((p < level).mean(), abs=0.015)
    assert power(1, None, 0.01) == power(1, 1, 0.01) == 0


def test_the_interval_of_a_rank_correlation_holds_it_and_narrows_with_the_number_of_pairs():
    few, many = rank_interval(0.7, 6), rank_interval(0.7, 60)
    assert few[0] < many[0] < 0.7 < many[1] < few[1] < 1
    assert rank_interval(0.7, 3) == (-1, 1)
    low, high = rank_interval(1.0, 8)
    assert 0.8 < low < 1 == high
    assert rank_interval(-0.3, 20) == pytest.approx(tuple(-x for x in rank_interval(0.3, 20)[::-1]))


def test_an_interval_leaves_out_the_outer_five_per_cent_and_takes_what_is_there():
    samples = np.random.default_rng(0).permutation(RESAMPLES).astype(float)
    assert interval(samples) == pytest.approx((0.025 * RESAMPLES, 0.975 * RESAMPLES), abs=1)
    low, high = interval(np.where(samples < 100, samples, np.inf))
    assert low < high == math.inf, "never a number between the largest and infinity"


def test_a_curve_has_a_row_a_seed_and_a_column_an_x_in_order_and_nan_where_a_run_is_missing():
    rows = pd.DataFrame([{"series": s, "n": n, "seed": seed, "loss": 100 * n + seed}
                         for s in ("one", "other") for n in (8, 2, 4) for seed in (5, 3)
                         if (s, n, seed) != ("one", 4, 3)])
    x, values = curve(rows.sample(frac=1, random_state=0), "one", "loss", "n")
    assert x.tolist() == [2, 4, 8]
    np.testing.assert_array_equal(values, [[203, np.nan, 803], [205, 405, 805]])
    x, values = curve(rows, "none", "loss", "n")
    assert (x.size, values.shape) == (0, (0, 0))


# ---- ranks -------------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=3, max_size=9))
def test_the_rank_correlation_is_spearmans_and_0_where_all_are_alike(pairs):
    a, b = np.array(pairs, dtype=float).T
    alike = len(set(a)) == 1 or len(set(b)) == 1
    expected = 0.0 if alike else stats.spearmanr(a, b).statistic
    assert float(rank_correlation(a, b)) == pytest.approx(expected, abs=1e-12)
    assert rank_correlation(np.stack([a, -a]), np.stack([b, b])).tolist() == pytest.approx([expected, -expected])
    assert float(rank_correlation(np.exp(a), b)) == pytest.approx(expected, abs=1e-12), "ranks alone count"


def test_what_is_never_reached_ranks_last():
    assert float(rank_correlation(np.array([1.0, 2.0, np.inf]), np.array([1.0, 2.0, 3.0]))) == pytest.approx(1)


# ---- pairs of one seed -------------------------------------------------------------------------------------------


def pairs(ratios):
    rng = np.random.default_rng(0)
    level = rng.uniform(50, 100, len(ratios))  # seeds differ far more than series
    return pd.DataFrame([{"series": s, "epochs": 1.0, "seed": i, "perplexity": level[i] * (r if s == "+ b" else 1)}
                         for i, r in enumerate(ratios) for s in ("+ b", "Plain")])


def compared(ratios):
    return paired(pairs(ratios), "+ b", "Plain", "perplexity", "epochs")


def test_pairs_are_compared_within_a_seed():
    ratio, low, high, p = compared([0.97, 0.98, 0.975, 0.972, 0.978])
    assert ratio == pytest.approx(0.975, abs=0.001) and 0.965 < low < ratio < high < 0.985 and p < 1e-4
    higher = compared([1.03, 1.02, 1.025])
    assert higher[0] > 1 and higher[3] > 0.9
    unclear = compared([0.9, 1.1, 1.02, 0.97])
    assert unclear[1] < 1 < unclear[2] and unclear[3] > 0.05


def test_the_paired_p_value_and_interval_are_those_of_students_t():
    ratios = [0.97, 1.01, 0.975, 0.95]
    test = stats.ttest_1samp(np.log(ratios), 0, alternative="less")
    both = stats.ttest_1samp(np.log(ratios), 0).confidence_interval(0.95)
    assert compared(ratios) == pytest.approx((np.exp(np.mean(np.log(ratios))), *np.exp(both), test.pvalue))


def test_pairs_of_one_ratio_are_certain():
    assert compared([1, 1, 1])[3] == 1
    exact = pairs([1, 1]).assign(perplexity=[1.0, 2.0, 1.0, 2.0])
    assert paired(exact, "+ b", "Plain", "perplexity", "epochs") == (0.5, 0.5, 0.5, LEAST_P)


def test_what_is_no_pair_or_has_no_ratio_is_refused():
    with pytest.raises(ValueError, match="'. b' and 'Plain': fewer than two pairs of one seed"):
        compared([0.9])
    with pytest.raises(ValueError, match="fewer than two pairs"):
        paired(pairs([0.9, 0.8]), "+ b", "+ a", "perplexity", "epochs")
    lonely = pairs([0.9, 0.8, 0.7])
    with pytest.raises(ValueError, match="fewer than two pairs"):
        paired(lonely[~((lonely["series"] == "Plain") & (lonely["seed"] > 0))], "+ b", "Plain", "perplexity", "epochs")
    with pytest.raises(ValueError, match="perplexity: a ratio needs positive values"):
        compared([0.97, 0.98, 0.0])
