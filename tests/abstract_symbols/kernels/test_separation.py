"""How far apart the kernel holds templates: exact at small β, positive for all, and what it makes of eigenvalues."""

from fractions import Fraction
from itertools import combinations
from math import factorial, pi

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from abstract_symbols import TemplateTask
from abstract_symbols.kernels.separation import (
    ORDERS,
    LeadingGap,
    attention_gram,
    coordinates,
    gap_derivative,
    label_derivative,
    leading_eigenvalue,
    leading_gap,
    wildcard_templates,
)
from abstract_symbols.kernels.template_matrix import smallest_eigenvalue, template_matrix
from abstract_symbols.kernels.transformer import TransformerKernel
from abstract_symbols.tasks import task
from abstract_symbols.templates import WILDCARDS

KERNELS = {b2: TransformerKernel(beta=1.5, gamma=1.0, b1=1.5, b2=b2) for b2 in (0.0, 0.3, pi / 4, pi / 2)}


def renamed(pattern):
    """The template with its wildcards named in order of appearance."""
    names = list(dict.fromkeys(c for c in pattern if c in WILDCARDS))
    return "".join(WILDCARDS[names.index(c)] if c in names else c for c in pattern)


def templates(k, letters="αβγab"):
    return st.text(letters, min_size=k, max_size=k).map(renamed)


pairs = st.integers(1, 3).flatmap(lambda k: st.tuples(templates(k), templates(k)))
sets = st.integers(2, 3).flatmap(lambda k: st.sets(templates(k), min_size=2, max_size=3)).map(sorted)


# ---- Δ at small β ------------------------------------------------------------------------------------------------


def check_against_exact_derivatives(z, w, highest_q=6):
    gap = leading_gap(z, w)
    for p in range(0, gap.beta_order + 1, 2):
        for q in range(0, min(p + 2, highest_q, 10 - p) + 1, 2):
            here = gap.coefficients.get(q, 0) if p == gap.beta_order else 0
            assert gap_derivative(z, w, p, q) == factorial(p) * factorial(q) * here, (z, w, p, q)
    return gap


@given(pairs)
@settings(max_examples=20)
def test_the_leading_order_is_that_of_the_exact_derivatives(pair):
    z, w = pair
    if z == w:
        assert all(gap_derivative(z, w, p, q) == 0 for p, q in ORDERS)
        with pytest.raises(ValueError, match="the same up to"):
            leading_gap(z, w)
        return
    gap = check_against_exact_derivatives(z, w)
    assert all(c > 0 for c in gap.coefficients.values())  # a squared distance: what comes first is positive
    assert gap.order in ORDERS
    assert next(pq for pq in ORDERS if gap_derivative(z, w, *pq)) == gap.order


@pytest.mark.parametrize("z, w, order", [
    ("αα", "αa", (0, 0)), ("aα", "αa", (2, 2)), ("αα", "αβ", (4, 0)), ("aαα", "aαβ", (4, 0)), ("αβα", "αββ", (4, 2)),
    ("ααββ", "αβαβ", (6, 4)),
])
def test_examples_of_each_order(z, w, order):
    assert check_against_exact_derivatives(z, w, highest_q=4).order == order


def test_programs_are_told_apart_by_the_places_of_their_equal_wildcards():
    one, other = task("program").templates
    gap = leading_gap(one, other)
    assert str(leading_gap("αα", "αβ")) == "β^4 (4/729 γ^0 + 2/243 γ^2)"
    assert gap == LeadingGap(4, {2: Fraction(2, 18**4)})  # two positions change their row sum, of 18
    assert gap_derivative(one, other, 4, 0) == 0
    assert gap_derivative(one, other, 4, 2) == factorial(4) * factorial(2) * gap.coefficients[2]


@pytest.mark.parametrize("k", [2, 3, 4])
def test_every_two_templates_of_wildcards_are_told_apart(k):
    found = wildcard_templates(k)
    assert len(found) == [1, 2, 5, 15][k - 1] and len({t.classes for t in found}) == len(found)
    orders = [leading_gap(z, w).order for z, w in combinations(found, 2)]
    assert set(orders) == {(4, 0), (4, 2), (6, 4)} - ({(4, 2)} if k < 3 else set()) - ({(6, 4)} if k < 4 else set())


@pytest.mark.parametrize("z, w", [("αα", "αβ"), ("αβα", "αββ"), ("ααββ", "αβαβ"), ("aα", "αa")])
def test_the_leading_order_is_the_kernels_own_at_small_beta(z, w):
    ratios = []
    for beta in (0.1, 0.05):
        kappa, _ = attention_gram(TemplateTask({z: 1, w: -1}), TransformerKernel(beta, 0.7))
        ratios.append((kappa[0, 0] + kappa[1, 1] - 2 * kappa[0, 1]) / leading_gap(z, w)(beta, 0.7))
    assert ratios == pytest.approx([1, 1], abs=0.05)
    assert abs(ratios[1] - 1) < 0.3 * abs(ratios[0] - 1)  # the next order is β² smaller


def test_the_xor_of_two_bits_is_not_seen_before_order_eight():
    relation = task("same-relation")
    assert all(label_derivative(relation, *pq) == 0 for pq in [(0, 0), (2, 2), (4, 0), (4, 2), (6, 0), (6, 2), (6, 4)])
    assert label_derivative(relation, 8, 0) > 0
    assert label_derivative(TemplateTask({"αα": 1, "αβ": -1}), 4, 2) == gap_derivative("αα", "αβ", 4, 2) > 0


def test_the_xor_appears_at_order_eight_as_the_exact_derivatives_say():
    relation, gamma, ratios = task("same-relation"), 0.1, []
    leading = sum(label_derivative(relation, 8, q) / (factorial(8) * factorial(q)) * Fraction(gamma)**q for q in (0, 2))
    for beta in (0.2, 0.1):
        kappa, _ = attention_gram(relation, TransformerKernel(beta, gamma))
        ratios.append(relation.values @ kappa @ relation.values / (float(leading) * beta**8))
    assert ratios == pytest.approx([1, 1], abs=0.15)
    assert abs(ratios[1] - 1) < 0.3 * abs(ratios[0] - 1)


# ---- N -----------------------------------------------------------------------------------------------------------


@given(sets, st.sampled_from(list(KERNELS)), st.permutations("αβγ"))
def test_template_matrices_are_symmetric_blind_to_names_and_positive(patterns, b2, names):
    assume(len({len(p) for p in patterns}) == 1)
    try:
        one = TemplateTask({p: i for i, p in enumerate(patterns)})
    except ValueError:  # not disjoint
        assume(False)
    kernel, other = KERNELS[b2], [p.translate(str.maketrans("αβγ", "".join(names))) for p in patterns]
    n = template_matrix(one, kernel)
    np.testing.assert_array_equal(n, n.T)
    np.testing.assert_array_equal(n, template_matrix(TemplateTask({p: i for i, p in enumerate(other)}), kernel))
    value, error = smallest_eigenvalue(one, kernel)
    assert value > 5 * error and value > 1e-12
    kappa, own = attention_gram(one, kernel)
    d, b = np.exp(-kernel.b1**2 * own / 2), kernel.b1**2 * kappa
    formula = np.outer(d, d) * (np.cos(b2) ** 2 * np.cosh(b) + np.sin(b2) ** 2 * np.sinh(b))
    np.testing.assert_allclose(n, formula, rtol=1e-9)
    points = coordinates(kappa)
    distances = ((points[:, None] - points) ** 2).sum(-1)
    np.testing.assert_allclose(distances, np.add.outer(np.diag(kappa), np.diag(kappa)) - 2 * kappa, atol=1e-12)
    assert (distances[~np.eye(len(kappa), dtype=bool)] > 0).all()


def test_the_same_template_twice_makes_it_singular():
    kappa, own = attention_gram(TemplateTask({"αβ": 1}), KERNELS[0.3])
    twice = np.full((2, 2), kappa[0, 0])  # what a second copy of the template would add
    assert np.linalg.matrix_rank(np.exp(twice - own)) == 1


@pytest.mark.parametrize("labels", [{"αα": 1, "αβ": -1}, {"αβα": 1, "αββ": -1}, {"ααββ": 1, "αβαβ": -1},
                                    {"aα": 1, "αa": -1}, {"aααb": 1, "aαβb": -1}])
def test_the_eigenvalues_leading_order_is_approached_as_beta_squared(labels):
    ratios = []
    for beta in (0.1, 0.05):
        kernel = TransformerKernel(beta, 1.0, b1=2.0, b2=0.3)
        p, c = leading_eigenvalue(TemplateTask(labels), kernel)
        ratios.append(smallest_eigenvalue(TemplateTask(labels), kernel)[0] / (c * beta**p))
    assert p == leading_gap(*labels).beta_order
    assert ratios == pytest.approx([1, 1], abs=0.05)
    assert abs(ratios[1] - 1) < 0.3 * abs(ratios[0] - 1)


@pytest.mark.parametrize("call, message", [
    (lambda: leading_gap("αβ", "βα"), "the same up to"),
    (lambda: leading_gap("αβ", "α"), "one length"),
    (lambda: gap_derivative("αβ", "α", 0, 0), "one length"),
    (lambda: gap_derivative("αβ", "αα", 8, 4), "at most 10"),
    (lambda: label_derivative(TemplateTask({"α": "α"}), 0, 0), "integers"),
    (lambda: label_derivative(TemplateTask({"αα": 0.5, "αβ": 1}), 0, 0), "integers"),
    (lambda: leading_eigenvalue(TemplateTask({"αα": 1}), KERNELS[0.3]), "1 templates"),
    (lambda: leading_eigenvalue(TemplateTask({"αα": 1, "αa": 2}), KERNELS[0.3]), "regular at"),
    (lambda: wildcard_templates(0), "k=0"),
])
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
