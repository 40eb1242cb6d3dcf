"""The expansion of K_attn around β = γ = 0 by Wick's formula: pairings enumerated one by one, in Fractions."""

import itertools
import math
from collections import defaultdict
from fractions import Fraction
from functools import cache

import numpy as np
import pytest

from abstract_symbols.kernels.expansion import attention_derivative

PAIRS = [("aa", "aa"), ("aa", "ab"), ("ab", "ab"), ("ab", "ba"), ("ab", "cd"), ("ab", "cb"), ("aab", "aba"),
         ("abc", "abe"), ("aba", "cdc"), ("abb", "caa"), ("aa[", "bc["), ("aac", "dda")]
ORDERS = [(0, 0), (0, 2), (2, 0), (2, 2), (4, 0)]


def times(f, g, degree):
    product = defaultdict(Fraction)
    for (a, u), (b, v) in itertools.product(f.items(), g.items()):
        if len(a) + len(b) <= degree:
            product[tuple(sorted(a + b))] += u * v
    return product


@cache
def softmax_series(k, degree, side):
    """softmax(m)_i for each i as a polynomial in m_0 … m_(k−1): {the variables of a monomial: coefficient}."""
    powers = [{(): Fraction(1)} | {((side, i),) * n: Fraction(1, math.factorial(n)) for n in range(1, degree + 1)}
              for i in range(k)]
    rest = defaultdict(Fraction)  # Σ exp(m_i) / k − 1
    for power in powers:
        for monomial, value in power.items():
            if monomial:
                rest[monomial] += value / k
    inverse, term = defaultdict(Fraction), {(): Fraction(1, k)}
    for _ in range(degree + 1):
        for monomial, value in term.items():
            inverse[monomial] += value
        term = {m: -v for m, v in times(term, rest, degree).items()}
    return [times(power, inverse, degree) for power in powers]


def expectation(variables, strings):
    """E of a product of the Gaussians, by all pairings: {power of γ: Fraction}. Cov = 1(same token) + γ² 1(same i)."""
    if not variables:
        return {0: Fraction(1)}
    (side, i), *others = variables
    total = defaultdict(Fraction)
    for chosen, (other, j) in enumerate(others):
        rest = expectation(others[:chosen] + others[chosen + 1:], strings)
        for power, value in rest.items():
            total[power] += value * (strings[side][i] == strings[other][j])
            total[power + 2] += value * (i == j)
    return total


def by_hand(x, y, p, q):
    """∂_β^p ∂_γ^q of E[Σ_ij softmax(βm(X))_i (1(x_i = y_j) + γ² 1(i = j)) softmax(βm(Y))_j] at 0."""
    k, coefficient = len(x), Fraction(0)
    s, t = softmax_series(k, p, 0), softmax_series(k, p, 1)
    for i, j in itertools.product(range(k), repeat=2):
        if x[i] != y[j] and i != j:
            continue
        for monomial, value in times(s[i], t[j], p).items():
            if len(monomial) == p:
                powers = expectation(monomial, (x, y))
                coefficient += value * (x[i] == y[j]) * powers.get(q, 0)
                coefficient += value * (i == j) * powers.get(q - 2, 0)
    return coefficient * math.factorial(p) * math.factorial(q)


@pytest.mark.parametrize("p, q", ORDERS)
def test_derivatives_are_the_sums_over_all_pairings(p, q):
    """Wick's formula for ∂_β^p ∂_γ^q K_attn(0, 0): exact equality for a dozen pairs of strings."""
    found = {pair: attention_derivative(*pair, p, q) for pair in PAIRS}
    assert found == {pair: by_hand(*pair, p, q) for pair in PAIRS}
    assert p == q == 0 or any(found.values()) or (p, q) == (2, 0)


@pytest.mark.parametrize("p, q", [(4, 2), (6, 4)])
@pytest.mark.parametrize("x, y", [("ab", "ab"), ("aa", "ab"), ("ab", "ca")])
def test_so_are_the_highest_orders_of_the_proof(x, y, p, q):
    """The same at the authors' orders (4, 2) and (6, 4), for strings of two tokens."""
    assert attention_derivative(x, y, p, q) == by_hand(x, y, p, q)


def quadrature(x, y, beta, gamma, nodes=14):
    """K_attn of strings of two tokens: Gauss–Hermite over each token's and each position's Gaussian."""
    names = sorted({*x, *y})
    points, weights = np.polynomial.hermite_e.hermegauss(nodes)
    axes = len(names) + 2
    grid = [points.reshape([-1 if a == axis else 1 for a in range(axes)]) for axis in range(axes)]
    weight = math.prod((weights / weights.sum()).reshape(g.shape) for g in grid)

    def attention(string):
        m = [beta * (grid[names.index(c)] + gamma * grid[len(names) + i]) for i, c in enumerate(string)]
        first = 1 / (1 + np.exp(m[1] - m[0]))
        return first, 1 - first

    value = sum(s * t * ((x[i] == y[j]) + gamma**2 * (i == j))
                for (i, s), (j, t) in itertools.product(enumerate(attention(x)), enumerate(attention(y))))
    return float((weight * value).sum())


@pytest.mark.parametrize("x, y", [("aa", "ab"), ("ab", "ab"), ("ab", "ba"), ("ab", "cb")])
def test_taylor_polynomial_leaves_an_error_of_the_next_order(x, y):
    """K_attn(h, h) by Gauss–Hermite less its Taylor polynomial to total degree 8: the rest falls as h^10."""
    def rest(h):
        orders = [(p, q) for p, q in itertools.product(range(0, 9, 2), repeat=2) if p + q <= 8]
        taylor = sum(attention_derivative(x, y, p, q) * Fraction(h)**(p + q) / math.factorial(p) / math.factorial(q)
                     for p, q in orders)
        return abs(quadrature(x, y, float(h), float(h)) - float(taylor))

    near, far = rest(Fraction(1, 5)), rest(Fraction(2, 5))
    assert far < 1e-4
    assert near < far / 2**8 or near < 1e-12
