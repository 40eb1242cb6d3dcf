"""Tails of Student's t (by Simpson's rule) and of chi-squared (a finite sum), and Welch's test."""

import math

import numpy as np


def t_above(t, df):
    """P(T > t): with T = √df tan(θ), the density becomes cos(θ)^(df − 1), smooth on (−π/2, π/2)."""
    if t < 0:
        return 1 - t_above(-t, df)
    constant = math.exp(math.lgamma((df + 1) / 2) - math.lgamma(df / 2)) / math.sqrt(math.pi)
    theta = np.linspace(math.atan(t / math.sqrt(df)), math.pi / 2, 20_001)
    density = np.maximum(np.cos(theta), 0)**(df - 1)
    simpson = density[0] + 4 * density[1::2].sum() + 2 * density[2:-1:2].sum() + density[-1]
    return constant * float(simpson) * (theta[1] - theta[0]) / 3


def t_quantile(above, df):
    """The t with P(T > t) = above, by bisection."""
    low, high = 0.0, 1e4
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if t_above(middle, df) > above else (low, middle)
    return low


def chi2_above(x, df):
    """P(χ² > x): a finite sum for even df, with the normal tail before it for odd."""
    term, total = math.exp(-x / 2), 0.0
    if df % 2:
        total, term = math.erfc(math.sqrt(x / 2)), math.sqrt(2 * x / math.pi) * math.exp(-x / 2)
    for i in range(2 + df % 2, df + 1, 2):
        total, term = total + term, term * x / i
    return total


def welch(a, b):
    """(t, degrees of freedom) of Welch's test, the difference of means over its standard error."""
    a, b = np.asarray(a, float), np.asarray(b, float)
    u, v = (((x - x.mean())**2).sum() / (len(x) - 1) / len(x) for x in (a, b))
    return (a.mean() - b.mean()) / math.sqrt(u + v), (u + v)**2 / (u**2 / (len(a) - 1) + v**2 / (len(b) - 1))
