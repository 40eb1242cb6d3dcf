"""The 95% intervals contain the true value in 93 to 97% of simulated experiments, whatever kind of interval they are.

Seeds are drawn from three worlds: noise that is normal and independent at every n; learning curves, of which every seed
has its own, earlier or later; curves that lie higher or lower as a whole.
"""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from companion.statistics import (
    interval,
    joint_n50,
    mean_interval,
    n50,
    paired,
    quotient,
    rank_correlation,
    rank_interval,
    resampled_means,
    slope,
)

pytestmark = pytest.mark.slow

N = 2.0 ** np.arange(2, 13)
TIMES = 1500  # their standard error is 0.6 percentage points; of what takes longer there are fewer
WORLDS = ("normal", "learning", "correlated")
SEEDS = (3, 5, 10)


def curves(world, seeds, rng, n_50=300.0):
    """Losses (seeds, m) that fall from 1 to 0, through one half near n_50."""
    early, steep = 0.6 * rng.standard_normal((seeds, 1)), {"learning": 0.3}.get(world, 0.8)
    shift = early if world == "learning" else 0.0
    loss = 1 / (1 + np.exp((np.log(N) - np.log(n_50) - shift) / steep))
    noise = {"normal": 0.08, "learning": 0.02, "correlated": 0.03}[world] * rng.standard_normal((seeds, len(N)))
    return loss + noise + (0.15 * rng.standard_normal((seeds, 1)) if world == "correlated" else 0.0)


def true_n50(world, n_50=300.0):
    return float(n50(N, curves(world, 100_000, np.random.default_rng(99), n_50).mean(0)))


def coverage(once, times=TIMES):
    """The share of simulated experiments whose interval holds the true value: once(i) says so of one."""
    return np.mean([once(i) for i in range(times)])


def contains(ends, truth):
    return ends[0] <= truth <= ends[1]


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("seeds", SEEDS)
def test_n50(world, seeds):
    rng, truth = np.random.default_rng(seeds), true_n50(world)
    covered = coverage(lambda i: contains(interval(n50(N, resampled_means(curves(world, seeds, rng), i))), truth))
    assert 0.93 <= covered <= 0.97, covered


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize(("seeds", "most"), [(3, 1.0), (5, 0.975), (10, 0.975)])
def test_gain(world, seeds, most):
    """Three seeds have too wide an interval, rather than too narrow a one: no claim on a gain has so few."""
    rng, truth = np.random.default_rng(seeds), true_n50(world) / true_n50(world, 30.0)

    def once(_):
        both = joint_n50([(N, curves(world, seeds, rng, half)) for half in (300.0, 30.0)])
        return contains(interval(quotient(*both)), truth)

    covered = coverage(once, 200)
    assert 0.93 <= covered <= most, covered


@pytest.mark.parametrize("seeds", SEEDS)
def test_mean_and_difference(seeds):
    rng = np.random.default_rng(seeds)
    one, other = rng.normal(1.0, 0.2, (TIMES, seeds)), rng.normal(0.5, 0.2, (TIMES, seeds))
    for covered in (coverage(lambda i: contains(mean_interval(one[i]), 1.0)),
                    coverage(lambda i: contains(mean_interval(one[i], other[i]), 0.5))):
        assert 0.93 <= covered <= 0.97, covered


@pytest.mark.parametrize("seeds", SEEDS)
def test_exponent(seeds):
    """Of a mean that is a power of x, with noise of a fifth and seeds that differ by a factor."""
    rng, x = np.random.default_rng(seeds), 10.0 ** np.arange(2, 6)

    def once(_):
        values = x**-0.5 * np.exp(0.2 * rng.standard_normal((seeds, 1))) * (1 + 0.2 * rng.standard_normal((seeds, 4)))
        mean = values.mean(0)
        return contains(mean_interval(slope(x, mean) + slope(x, np.exp(values / mean - 1))), -0.5)

    covered = coverage(once)
    assert 0.93 <= covered <= 0.97, covered


def test_paired_ratio():
    seeds, rng = 5, np.random.default_rng(5)

    def once(_):
        level, gain = np.exp(rng.standard_normal(seeds)), np.exp(rng.normal(-0.1, 0.05, seeds))
        rows = pd.DataFrame({"series": ["b"] * seeds + ["a"] * seeds, "n": 1, "seed": [*range(seeds)] * 2,
                             "loss": np.append(level * gain, level)})
        return contains(paired(rows, "b", "a", "loss", "n")[1:3], np.exp(-0.1))

    covered = coverage(once, 200)
    assert 0.92 <= covered <= 0.98, covered


@pytest.mark.parametrize("tasks", [12, 36])
@pytest.mark.parametrize("rho", [0.3, 0.8])
def test_rank_correlation(tasks, rho):
    """Of normal pairs, whose rank correlation is 6/π arcsin(ρ/2)."""
    rng, truth = np.random.default_rng(tasks), 6 / np.pi * np.arcsin(rho / 2)
    pairs = rng.multivariate_normal([0, 0], [[1, rho], [rho, 1]], (3000, tasks))
    found = rank_correlation(pairs[..., 0], pairs[..., 1])
    covered = np.mean([contains(rank_interval(float(r), tasks), truth) for r in found])
    assert 0.93 <= covered <= 0.97, covered


def test_resampling_at_every_n_apart_would_have_missed_it():
    """What was done before: seeds drawn anew at every n, and of these the percentiles. Of three seeds it covers 4/5."""
    rng, truth = np.random.default_rng(0), true_n50("correlated")

    def once(_):
        values = curves("correlated", 3, rng)
        picks = rng.integers(0, 3, (500, *values.shape))
        ends = np.quantile(n50(N, np.take_along_axis(values[None], picks, 1).mean(1)), [0.025, 0.975], method="nearest")
        return contains(ends, truth)

    assert np.mean([once(i) for i in range(400)]) < 0.88
    assert stats.t.ppf(0.975, 2) > 4, "and Student's factor, for three seeds, is not 2"
