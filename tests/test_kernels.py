"""The transformer's kernel: symmetric, positive semi-definite, blind to names, and right by independent estimates."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from abstract_symbols.kernels import FiniteTransformer, TransformerKernel, attention
from abstract_symbols.kernels.attention import LatticeRule, canonical_pattern
from abstract_symbols.kernels.expansion import attention_derivative
from abstract_symbols.kernels.transformer import cos_dual, erf_dual, gauss_hermite, gelu_dual, relu_dual

PAIRS = [("A", "B"), ("AAB", "CCB"), ("ABA", "CDC"), ("ABC", "BCA"), ("ABBA", "CDCD"), ("AAAA", "AAAB")]
strings = st.integers(1, 4).flatmap(lambda k: st.tuples(*[st.text("ABCDE", min_size=k, max_size=k)] * 2))
KERNEL = TransformerKernel(beta=1.0, gamma=0.5, b1=2.0, b2=0.3)


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


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


# --- K_attn

@pytest.mark.parametrize("beta, gamma", [(0.3, 0.3), (1.0, 1.0), (2.0, 0.3), (2.0, 1.0)])
def test_attention_agrees_with_plain_monte_carlo(beta, gamma):
    kernel = TransformerKernel(beta, gamma)
    for x, y in PAIRS:
        value, error = attention_by_monte_carlo(x, y, beta, gamma)
        assert abs(kernel.attention(x, y) - value) < 4 * error, (x, y)


@pytest.mark.parametrize("beta, gamma", [(0.5, 1.0), (2.0, 1.0), (8.0, 1.0)])
def test_sobol_points_agree_with_plain_monte_carlo(beta, gamma):
    kernel = TransformerKernel(beta, gamma, samples=2**15, method="sobol")
    for x, y in PAIRS[:4]:
        value, error = attention_by_monte_carlo(x, y, beta, gamma)
        assert abs(kernel.attention(x, y) - value) < 4 * math.hypot(error, kernel.attention_error(x, y)), (x, y)


def test_lattice_and_sobol_points_agree_within_the_sobol_error():
    for beta, gamma in [(0.2, 2.0), (1.0, 0.3), (2.0, 1.0), (3.5, 0.3)]:
        lattice = TransformerKernel(beta, gamma).attention_values(PAIRS[:4])
        sobol = TransformerKernel(beta, gamma, samples=2**16, method="sobol")
        z = (sobol.attention_values(PAIRS[:4]) - lattice) / sobol.attention_errors(PAIRS[:4])
        assert np.abs(z).max() < 12  # Student's t of 3 degrees of freedom: 0.1 %
        assert np.median(np.abs(z)) < 3


@pytest.mark.parametrize("beta, gamma", [(0.05, 0.05), (0.5, 2.0), (1.0, 1.0), (2.0, 0.3), (2.0, 1.0), (4.0, 1.0),
                                         (2.5, 0.05)])
def test_the_standard_error_is_below_the_bar(beta, gamma):
    kernel = TransformerKernel(beta, gamma)
    assert (kernel.attention_errors(PAIRS[:4]) <= 1e-5 * kernel.attention_values(PAIRS[:4])).all()


def test_at_large_beta_the_bar_is_met_up_to_a_limit():
    kernel, pair = TransformerKernel(8.0, 1.0), ("AAB", "CCB")
    value, error = attention_by_monte_carlo(*pair, 8.0, 1.0)
    assert abs(kernel.attention(*pair) - value) < 4 * error
    assert kernel.attention_error(*pair) <= 1e-5 * value
    can = [LatticeRule(beta, 1.0, 0, "cpu").can(canonical_pattern(*pair)) for beta in (1, 5, 8, 10, 12, 20, 1e9)]
    assert can == [True] * 5 + [False] * 2


@pytest.mark.parametrize("x, y", [("AAAAAA", "BCDEFG"), ("AABBC", "DEEFF"), ("ABAB", "CDDC"), ("AAB", "CAA"),
                                  ("AABA", "CCAC")])
@pytest.mark.parametrize("block", [1, 5000])
def test_components_in_blocks_of_rows_are_those_of_the_whole_matrix(x, y, block, monkeypatch):
    """Only one half of each matrix is contracted: the other is that of the strings' exchange."""
    monkeypatch.setattr(attention, "_BLOCK", {"cpu": block})
    tables = LatticeRule(1.0, 1.0, 0, "cpu")._tables(0)
    ((component, _),) = attention._components(*canonical_pattern(x, y, cls=False))
    whole = attention._Block(tables, slice(0, len(tables.d_lam))).component(component)
    tables.values([[(component, False)]])
    for part, expected in zip(tables._known[component], whole, strict=True):
        torch.testing.assert_close(part, expected, rtol=1e-12, atol=0)


@pytest.mark.parametrize("x, y, count", [("ABAB", "CDDC", 1), ("AB", "BC", 3), ("AAAA", "BCDE", 1),
                                         ("AABC", "DEEE", 3)])
def test_pairs_of_numerators_that_differ_in_names_only_are_contracted_once(x, y, count):
    """As many pairs of positions as there are, with the weights of XYᵀ + γ²I."""
    gamma = 0.5
    found = [attention._numerators(component, gamma) for component, _ in attention._components(*canonical_pattern(
        x, y, cls=False))]
    assert sum(map(len, found)) == count
    weight = sum(w for numerators in found for w, _, _ in numerators)
    assert weight == pytest.approx(sum(a == b for a in x for b in y) + gamma**2 * len(x))


def test_what_is_known_of_a_pattern_does_not_depend_on_what_was_asked_before(monkeypatch):
    first = TransformerKernel(1.0, 0.5).attention_values(PAIRS)
    monkeypatch.setattr(attention, "_MOST_KNOWN", 0)  # every call forgets
    kernel = TransformerKernel(1.0, 0.5)
    assert [kernel.attention(*pair) for pair in reversed(PAIRS)] == first[::-1].tolist()


def test_values_do_not_depend_on_the_number_of_threads_nor_change_it():
    one = TransformerKernel(1.0, 0.5).attention_values(PAIRS)
    torch.set_num_threads(3)
    assert (TransformerKernel(1.0, 0.5).attention_values(PAIRS) == one).all() and torch.get_num_threads() == 3
    torch.set_num_threads(1)


def test_one_token_needs_no_integral():
    kernel = TransformerKernel(2.0, 0.5, cls=False)  # softmax of one logit is 1
    assert kernel.attention("A", "B") == pytest.approx(0.25, abs=1e-6)
    assert kernel.attention("A", "A") == pytest.approx(1.25, abs=1e-6)


def test_beta_to_zero_weighs_all_positions_equally():
    gamma = 0.7
    kernel = TransformerKernel(1e-4, gamma)
    for x, y in PAIRS:
        k = len(x) + 1
        equal = sum(a == b for a in x for b in y) + 1  # 1ᵀXYᵀ1 with [CLS]
        assert kernel.attention(x, y) == pytest.approx((equal + gamma**2 * k) / k**2, rel=1e-6)


@pytest.mark.parametrize("x, y", PAIRS[:4])
def test_small_parameters_follow_the_expansion(x, y):
    beta, gamma = 0.3, 0.3
    kernel = TransformerKernel(beta, gamma, cls=False)
    terms = [[float(attention_derivative(x, y, p, q)) * beta**p * gamma**q / (math.factorial(p) * math.factorial(q))
              for q in range(0, 11 - p, 2)] for p in range(0, 11, 2)]
    taylor = sum(map(sum, terms))
    assert abs(kernel.attention(x, y) - taylor) < 1e-7
    assert abs(kernel.attention(x, y) - sum(terms[0])) > 1e-4 or x == "A"  # what the orders beyond β = 0 explain


@given(strings)
@settings(max_examples=30)
def test_symmetric_and_blind_to_names_bit_for_bit(pair):
    x, y = pair
    renamed = [[{"A": 7, "B": "β", "C": None, "D": -1, "E": (1, 2)}[t] for t in s] for s in pair]
    fresh = TransformerKernel(beta=1.0, gamma=0.5, b1=2.0, b2=0.3)
    assert KERNEL(x, y) == KERNEL(y, x) == KERNEL(*renamed) == fresh(y, x)
    assert KERNEL.attention(x, y) == KERNEL.attention(y, x) == KERNEL.attention(*renamed)


@given(st.lists(st.text("ABCD", min_size=3, max_size=3), min_size=2, max_size=8, unique=True))
@settings(max_examples=20)
def test_gram_matrices_are_positive_semi_definite(rows):
    pairs = [(x, y) for x in rows for y in rows]
    for values in (KERNEL.attention_values(pairs), KERNEL.values(pairs)):
        gram = values.reshape(len(rows), len(rows))
        assert (gram == gram.T).all()
        assert np.linalg.eigvalsh(gram).min() > -1e-12


def test_many_pairs_are_the_single_ones():
    fresh = TransformerKernel(beta=1.0, gamma=0.5, b1=2.0, b2=0.3)
    np.testing.assert_array_equal(fresh.values(PAIRS), [KERNEL(x, y) for x, y in PAIRS])
    np.testing.assert_array_equal(fresh.attention_values(PAIRS), [KERNEL.attention(x, y) for x, y in PAIRS])
    assert fresh.values([]).shape == fresh.errors([]).shape == (0,)
    assert (fresh.errors(PAIRS) < 1e-6).all()


def test_rows_of_tensors_and_arrays_are_strings():
    rows = torch.tensor([[5, 5, 7], [9, 9, 5]])
    expected = KERNEL("AAB", "CCA")
    assert KERNEL(*rows) == KERNEL(*rows.numpy()) == KERNEL(*rows.tolist()) == expected
    assert attention_derivative(*rows, 2, 0) == attention_derivative("AAB", "CCA", 2, 0)
    network = FiniteTransformer(KERNEL, 8)
    torch.testing.assert_close(network.features(rows), network.features(rows.tolist()))


def test_cls_is_one_more_token_shared_by_all():
    with_cls, without = TransformerKernel(1.0, 0.5), TransformerKernel(1.0, 0.5, cls=False)
    assert with_cls.attention("AB", "CA") == without.attention("AB$", "CA$")
    assert canonical_pattern("AB", "CA") == canonical_pattern([1, 2], [3, 1])


def test_strings_too_tangled_for_the_lattice_are_left_to_sobol_points():
    x, y = "AAAABBBBCCCCDDDD", "EFGHEFGHEFGHEFGH"
    with pytest.raises(ValueError, match="method 'auto' or 'sobol'"):
        TransformerKernel(1.0, 1.0, method="lattice").attention(x, y)
    kernel = TransformerKernel(1.0, 1.0, samples=2**14)
    value, error = attention_by_monte_carlo(x, y, 1.0, 1.0)
    assert abs(kernel.attention(x, y) - value) < 4 * math.hypot(error, kernel.attention_error(x, y))


# --- K_trans

@pytest.mark.parametrize("name, dual, phi", [
    ("cos", lambda *k: cos_dual(*k, 1.5, 0.4), lambda t: torch.cos(1.5 * t + 0.4)),
    ("relu", relu_dual, torch.relu),
    ("erf", erf_dual, torch.erf),
    ("gelu", gelu_dual, torch.nn.functional.gelu),
])
@given(st.floats(0.1, 3), st.floats(0.1, 3), st.floats(-0.99, 0.99))
@settings(max_examples=8)
def test_closed_forms_agree_with_monte_carlo_and_quadrature(name, dual, phi, xx, yy, correlation):
    xy = correlation * math.sqrt(xx * yy)
    covariances = [np.array([v]) for v in (xx, xy, yy)]
    exact = dual(*covariances)[0]
    g = torch.from_numpy(np.random.default_rng(0).standard_normal((2, 200_000)))
    u = math.sqrt(xx) * g[0]
    v = xy / math.sqrt(xx) * g[0] + math.sqrt(yy - xy**2 / xx) * g[1]
    each = (phi(u) * phi(v)).numpy()
    assert abs(each.mean() - exact) < 5 * each.std() / math.sqrt(each.size)  # many examples share one draw
    tolerance = 5e-3 if name == "relu" else 1e-9
    assert gauss_hermite(phi, *covariances)[0] == pytest.approx(exact, abs=tolerance)


@pytest.mark.parametrize("activation", ["cos", "relu", "erf", "gelu"])
def test_equal_strings_with_each_activation(activation):
    kernel = TransformerKernel(1.0, 0.5, activation, b1=1.3)
    named = {"cos": torch.cos, "relu": torch.relu, "erf": torch.erf, "gelu": torch.nn.functional.gelu}
    callable_kernel = TransformerKernel(1.0, 0.5, named[activation], b1=1.3)
    values = kernel.values([("AB", "AB"), ("AB", "CD"), ("AA", "BB")])
    tolerance = 1e-2 if activation == "relu" else 1e-9
    np.testing.assert_allclose(callable_kernel.values([("AB", "AB"), ("AB", "CD"), ("AA", "BB")]), values,
                               atol=tolerance)
    assert (np.isfinite(values)).all() and values[0] > 0


# --- the finite network

def test_the_finite_network_converges_like_the_square_root_of_its_width():
    kernel = TransformerKernel(2.0, 1.0, b1=1.0, b2=0.3)
    rows = ["AAB", "ABB", "CDC", "EEF", "EFF"]
    limit = kernel.values([(x, y) for x in rows for y in rows]).reshape(5, 5)
    widths = [8, 16, 32, 64]
    errors = [math.sqrt(np.mean([(FiniteTransformer(kernel, w, seed=s).gram(rows) - limit) ** 2 for s in range(24)]))
              for w in widths]
    slope = np.polyfit(np.log(widths), np.log(errors), 1)[0]
    assert -0.65 < slope < -0.35, (slope, errors)


@pytest.mark.parametrize("activation, b2", [("relu", 0.0), (torch.tanh, 0.5)])
def test_the_mean_of_wide_networks_is_the_kernel(activation, b2):
    kernel = TransformerKernel(1.0, 0.8, activation, b2=b2)
    rows = ["AB", "BA", "AA", "CD"]
    limit = kernel.values([(x, y) for x in rows for y in rows]).reshape(4, 4)
    grams = np.array([FiniteTransformer(kernel, 64, d_mlp=512, seed=s).gram(rows) for s in range(16)])
    error = grams.std(0, ddof=1) / 4
    assert (np.abs(grams.mean(0) - limit) < 5 * error + 0.01).all()  # 0.01: a bias of order 1 / width


def test_features_are_reproducible_and_know_their_tokens():
    kernel = TransformerKernel(1.0, 1.0)
    network = FiniteTransformer(kernel, 16, d_mlp=8)
    first = network.features(["AB", "CD"])
    assert first.shape == (2, 8) and first.dtype == torch.float64
    torch.testing.assert_close(network.features(["AB"]), first[:1])
    torch.testing.assert_close(FiniteTransformer(kernel, 16, d_mlp=8).features(["AB", "CD"]), first)


# --- bad input

@pytest.mark.parametrize("arguments, message", [
    ({"beta": math.nan}, "beta=nan"), ({"beta": 0.0}, "beta=0.0"), ({"gamma": -1.0}, "gamma=-1.0"),
    ({"b1": math.inf}, "b1=inf"), ({"b2": math.nan}, "b2=nan"), ({"activation": "swish"}, "cos, relu, erf, gelu"),
    ({"beta": None}, "beta=None"), ({"gamma": "1"}, "gamma='1'"), ({"b1": None}, "b1=None"), ({"b2": None}, "b2=None"),
    ({"beta": 1e-300}, "beta=1e-300: .*from 1e-30"), ({"gamma": 1e300}, "gamma=1e.300: .*to 1e30"),
    ({"seed": None}, "seed=None"), ({"activation": None}, "activation None"),
    ({"activation": ["cos"]}, r"activation \['cos'\]: .*or a callable"),
    ({"activation": "relu", "b2": 1.0}, "leave b2 out"), ({"samples": 1000}, "power of 2"),
    ({"method": "magic"}, "'auto', 'lattice' or 'sobol'"),
])
def test_bad_parameters_are_named(arguments, message):
    with pytest.raises(ValueError, match=message.replace("(", r"\(")):
        TransformerKernel(**{"beta": 1.0, "gamma": 1.0, **arguments})


@pytest.mark.parametrize("activation", ["cos", "relu", "erf"])
@pytest.mark.parametrize("beta, gamma, b1", [(1e-30, 1.0, 1.0), (1e-30, 1e-30, 1e-30), (1e30, 1e30, 1e30)])
def test_at_the_ends_of_the_range_values_are_still_numbers(beta, gamma, b1, activation):
    assert math.isfinite(TransformerKernel(beta, gamma, activation, b1=b1, samples=2**8)("AB", "CC"))


def test_bad_strings_are_named():
    with pytest.raises(ValueError, match="unequal length: 'AB' has 2 tokens, 'ABC' has 3"):
        KERNEL("AB", "ABC")
    with pytest.raises(ValueError, match="empty strings"):
        KERNEL.attention("", "")
    with pytest.raises(ValueError, match="width=0"):
        FiniteTransformer(KERNEL, 0)
    with pytest.raises(ValueError, match="one length"):
        FiniteTransformer(KERNEL, 4).features(["A", "AB"])
