"""K_attn from plain random numbers, for tests."""

import math

import numpy as np

PAIRS = [("A", "B"), ("AAB", "CCB"), ("ABA", "CDC"), ("ABC", "BCA"), ("ABBA", "CDCD"), ("AAAA", "AAAB")]


def attention_by_monte_carlo(x, y, beta, gamma, n=200_000, cls=True):
    """K_attn and its standard error from plain random numbers and the formula as it stands."""
    x, y = (list(s) + ["[CLS]"] * cls for s in (x, y))
    tokens = list(dict.fromkeys(x + y))
    rng = np.random.default_rng(1)
    zeta, p = rng.standard_normal((n, len(tokens))), rng.standard_normal((n, len(x)))
    one_hot = [np.array([[t == u for u in tokens] for t in s], dtype=float) for s in (x, y)]
    weights = []
    for s in one_hot:
        e = np.exp(beta * (zeta @ s.T + gamma * p))
        weights.append(e / e.sum(1, keepdims=True))
    middle = one_hot[0] @ one_hot[1].T + gamma**2 * np.eye(len(x))
    each = np.einsum("ni,ij,nj->n", weights[0], middle, weights[1])
    return each.mean(), each.std() / math.sqrt(n)
