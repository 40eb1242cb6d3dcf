"""The lattice rule: right by independent estimates, precise, and contracted as cheaply as it can be."""

import math

import pytest
import torch
from monte_carlo import PAIRS, attention_by_monte_carlo

from abstract_symbols.kernels import TransformerKernel, lattice
from abstract_symbols.kernels.expansion import attention_derivative
from abstract_symbols.kernels.lattice import LatticeRule
from abstract_symbols.kernels.patterns import canonical_pattern


@pytest.mark.parametrize("beta, gamma", [(0.3, 0.3), (1.0, 1.0), (2.0, 0.3), (2.0, 1.0)])
def test_attention_agrees_with_plain_monte_carlo(beta, gamma):
    kernel = TransformerKernel(beta, gamma)
    for x, y in PAIRS:
        value, error = attention_by_monte_carlo(x, y, beta, gamma)
        assert abs(kernel.attention(x, y) - value) < 4 * error, (x, y)


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
    affordable = [LatticeRule(beta, 1.0, 0, "cpu").is_affordable(canonical_pattern(*pair))
                  for beta in (1, 5, 8, 10, 12, 20, 1e9)]
    assert affordable == [True] * 5 + [False] * 2


@pytest.mark.parametrize("x, y", [("AAAAAA", "BCDEFG"), ("AABBC", "DEEFF"), ("ABAB", "CDDC"), ("AAB", "CAA"),
                                  ("AABA", "CCAC")])
@pytest.mark.parametrize("block", [1, 5000])
def test_components_in_blocks_of_rows_are_those_of_the_whole_matrix(x, y, block, monkeypatch):
    """Only one half of each matrix is contracted: the other is that of the strings' exchange."""
    monkeypatch.setattr(lattice, "BLOCK_SIZE", {"cpu": block})
    tables = LatticeRule(1.0, 1.0, 0, "cpu")._tables(0)
    ((component, _),) = lattice.connected_components(*canonical_pattern(x, y, cls=False))
    whole = lattice.RowBlock(tables, slice(0, len(tables.d_lam))).component(component)
    tables.values([[(component, False)]])
    for part, expected in zip(tables._known[component], whole, strict=True):
        torch.testing.assert_close(part, expected, rtol=1e-12, atol=0)


@pytest.mark.parametrize("x, y, count", [("ABAB", "CDDC", 1), ("AB", "BC", 3), ("AAAA", "BCDE", 1),
                                         ("AABC", "DEEE", 3)])
def test_pairs_of_numerators_that_differ_in_names_only_are_contracted_once(x, y, count):
    """As many pairs of positions as there are, with the weights of XYᵀ + γ²I."""
    gamma = 0.5
    found = [lattice.numerators(component, gamma) for component, _ in lattice.connected_components(*canonical_pattern(
        x, y, cls=False))]
    assert sum(map(len, found)) == count
    weight = sum(w for numerators in found for w, _, _ in numerators)
    assert weight == pytest.approx(sum(a == b for a in x for b in y) + gamma**2 * len(x))


def test_what_is_known_of_a_pattern_does_not_depend_on_what_was_asked_before(monkeypatch):
    first = TransformerKernel(1.0, 0.5).attention_values(PAIRS)
    monkeypatch.setattr(lattice, "MAX_KNOWN", 0)  # every call forgets
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
