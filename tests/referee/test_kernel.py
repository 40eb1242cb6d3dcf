"""K_attn and K_trans of section 3, from their definitions: Monte Carlo, quadrature, the finite network itself."""

import math

import numpy as np
import pytest
import torch

from abstract_symbols.kernels.transformer import TransformerKernel

PARAMETERS = ((2.0, 1.0, "lattice"), (0.3, 0.2, "lattice"), (1.0, 4.0, "lattice"), (5.0, 1.0, "sobol"),
              (9.0, 0.3, "sobol"))


def softmax(logits):
    weights = np.exp(logits - logits.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True)


def plain_monte_carlo(x, y, beta, gamma, rng, draws=100_000):
    """Mean and standard error of softmax(βm(X))ᵀ (XYᵀ + γ²I) softmax(βm(Y)) with [CLS] at the end of both."""
    x, y = [*x, "[CLS]"], [*y, "[CLS]"]
    tokens = {t: rng.standard_normal(draws) for t in {*x, *y}}
    places = rng.standard_normal((draws, len(x)))
    s, t = (softmax(beta * (np.stack([tokens[c] for c in string], -1) + gamma * places)) for string in (x, y))
    equal = np.array([[float(a == b) for b in y] for a in x])
    values = np.einsum("ni,ij,nj->n", s, equal + gamma**2 * np.eye(len(x)), t)
    return values.mean(), values.std(ddof=1) / math.sqrt(draws)


def random_pairs(rng, number):
    for _ in range(number):
        k = int(rng.integers(2, 5))
        yield tuple("".join(rng.choice(list("abcde"[:k + 1]), k)) for _ in range(2))


@pytest.fixture(scope="module")
def z_scores():
    rng, found = np.random.default_rng(2310), []
    for beta, gamma, method in PARAMETERS:
        kernel = TransformerKernel(beta, gamma, method=method)
        for x, y in random_pairs(rng, 4):
            mean, error = plain_monte_carlo(x, y, beta, gamma, rng)
            found.append((mean - kernel.attention(x, y)) / error)
    return np.array(found)


def test_attention_kernel_is_the_mean_of_its_definition(z_scores):
    """Definition of K_attn, by plain Monte Carlo of 20 pairs: |z| < 4, by chance once in 800 runs."""
    assert np.abs(z_scores).max() < 4, z_scores


def test_deviations_from_it_are_chance(z_scores):
    """The same: the root mean square of 20 standard normals is between 0.5 and 1.5 in all but a run in thousands."""
    assert 0.5 < math.sqrt((z_scores**2).mean()) < 1.5, z_scores


@pytest.mark.parametrize("beta, gamma", [(1.0, 0.5), (2.0, 1.0)])
@pytest.mark.parametrize("x, y", [("aa", "aa"), ("aa", "ab"), ("ab", "ab"), ("ab", "ba"), ("ab", "cd"), ("ab", "cb")])
def test_attention_kernel_of_two_positions_is_a_double_integral(x, y, beta, gamma):
    """Definition of K_attn for k = 2: two softmaxes of the Gaussian differences of logits, by the trapezoid rule."""
    def difference(string):  # coefficients of ζ_a … ζ_d, p_1, p_2
        row = np.array([*((string[0] == c) * 1.0 - (string[1] == c) for c in "abcd"), gamma, -gamma])
        return beta * row

    u, v = difference(x), difference(y)
    su, sv = math.sqrt(u @ u), math.sqrt(v @ v)
    rho = u @ v / (su * sv)
    g = np.linspace(-9, 9, 601)
    weight = np.exp(-g**2 / 2)
    weight /= weight.sum()
    first = su * g[:, None]
    second = sv * (rho * g[:, None] + math.sqrt(max(0.0, 1 - rho**2)) * g[None, :])
    s, t = (np.stack([1 / (1 + np.exp(-d)), 1 / (1 + np.exp(d))]) for d in (first + 0 * second, second))
    m = np.array([[(a == b) + gamma**2 * (i == j) for j, b in enumerate(y)] for i, a in enumerate(x)])
    expected = np.einsum("inm,ij,jnm,n,m->", s, m, t, weight, weight)
    kernel = TransformerKernel(beta, gamma, cls=False)
    assert kernel.attention(x, y) == pytest.approx(expected, rel=1e-6)


def mean_of_networks(x, y, beta, gamma, width, networks, generator, activations, features=512):
    """Means and standard errors, over networks, of z₁(X)·z₁(Y) and of φ(W_A z₁(X))·φ(W_A z₁(Y)) / d_mlp for each φ."""
    x, y = [*x, "[CLS]"], [*y, "[CLS]"]
    names = sorted({*x, *y})
    ids = torch.tensor([[names.index(c) for c in s] for s in (x, y)])
    found = []
    for _ in range(networks):
        def gauss(*shape):
            return torch.randn(shape, generator=generator)

        embeddings, positions = (gauss(rows, width) / math.sqrt(width) for rows in (len(names), len(x)))
        z0 = embeddings[ids] + gamma * positions                                         # (2, k, d)
        w_k, w_q, w_v, w_o = (gauss(width, width, width) for _ in range(4))              # (H, d_head, d)
        keys, queries = (torch.einsum("hed,skd->shke", w, z0) for w in (w_k, w_q))
        logits = keys @ queries.mT / math.sqrt((1 + gamma**2) * width)                   # (2, H, k, k), a query per row
        attention = torch.softmax(beta * logits, -1) @ z0[:, None]                       # (2, H, k, d)
        values = torch.einsum("hed,shkd->shke", w_v / math.sqrt(width), attention)
        a = torch.einsum("hed,shke->shkd", w_o / math.sqrt(width), values)               # (2, H, k, d)
        z1 = a[:, :, -1].sum(1) / math.sqrt(width)                                       # (2, d)
        u = z1 @ gauss(width, features)
        found.append([float(z1[0] @ z1[1]), *(float((phi(u[0]) * phi(u[1])).mean()) for phi in activations)])
    found = np.array(found)
    return found.mean(0), found.std(0, ddof=1) / math.sqrt(networks)


PHI = {
    "cos": (lambda t: np.cos(2 * t + 0.3), 2.0, 0.3), "relu": (lambda t: np.maximum(t, 0), 1.0, 0.0),
    "erf": (lambda t: torch.erf(torch.from_numpy(1.5 * t)).numpy(), 1.5, 0.0),
    "gelu": (lambda t: t / 2 * (1 + torch.erf(torch.from_numpy(t / math.sqrt(2))).numpy()), 1.0, 0.0)}


@pytest.mark.parametrize("name", PHI)
@pytest.mark.parametrize("x, y", [("aba", "cdd"), ("aba", "aab"), ("ab", "ab")])
def test_kernel_is_the_mean_product_of_activations(x, y, name):
    """Definition of K_trans from K_attn: E[φ(u)φ(v)] of two Gaussians, by the trapezoid rule in two dimensions."""
    phi, b1, b2 = PHI[name]
    kernel = TransformerKernel(2.0, 1.0, name, b1, b2)
    xx, xy, yy = kernel.attention(x, x), kernel.attention(x, y), kernel.attention(y, y)
    g = np.linspace(-9, 9, 1801)
    weight = np.exp(-g**2 / 2)
    weight /= weight.sum()
    v = xy / math.sqrt(xx) * g[:, None] + math.sqrt(max(0.0, yy - xy**2 / xx)) * g[None, :]
    expected = weight @ (phi(math.sqrt(xx) * g) * (phi(v) @ weight))
    assert kernel(x, y) == pytest.approx(expected, rel=1e-4 if name == "relu" else 1e-7)


@pytest.mark.parametrize("x, y", [("aba", "cdd"), ("ab", "ab")])
def test_kernel_is_the_limit_of_the_finite_network(x, y):
    """The network of section 3 with explicit k × k attention: within 4 standard errors and a bias of 1/width."""
    beta, gamma, width = 2.0, 1.0, 48
    generator = torch.Generator().manual_seed(7)
    options = {"cos": (1.0, 0.3), "relu": (1.0, 0.0), "erf": (1.0, 0.0), "gelu": (1.0, 0.0)}
    activations = (lambda t: torch.cos(t + 0.3), torch.relu, torch.erf, torch.nn.functional.gelu)
    means, errors = mean_of_networks(x, y, beta, gamma, width, 100, generator, activations)
    kernels = [TransformerKernel(beta, gamma, name, *b) for name, b in options.items()]
    expected = np.array([kernels[0].attention(x, y), *(kernel(x, y) for kernel in kernels)])
    assert (errors < 0.06 * expected).all()
    assert (np.abs(means - expected) < 4 * errors + 1 / width).all()
