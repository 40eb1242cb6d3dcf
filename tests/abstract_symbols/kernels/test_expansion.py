"""Exact derivatives of K_attn at (0, 0): by formula, by brute force, and in symbols."""

import re
from collections import Counter, defaultdict
from fractions import Fraction
from math import factorial, prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abstract_symbols.kernels.expansion import Contraction, attention_derivative, attention_expansion

ORDERS = [(p, q) for p in range(0, 11, 2) for q in range(0, 11 - p, 2)]
pairs = st.integers(1, 5).flatmap(lambda k: st.tuples(*[st.text("abcdefg", min_size=k, max_size=k)] * 2))


def derivative_by_brute_force(x, y, p, q):
    """Wick's formula as it stands: multiply the series out in all Gaussians, then take moments monomial by monomial."""
    tokens = sorted(set(x) | set(y))
    k, variables = len(x), len(tokens) + len(x) + 1  # ζ for each token, p for each position, γ

    def monomial(*indices):
        return tuple(indices.count(v) for v in range(variables))

    def times(f, g):
        result = defaultdict(Fraction)
        for m, a in f.items():
            for n, b in g.items():
                result[tuple(i + j for i, j in zip(m, n, strict=True))] += a * b
        return result

    def plus(*polynomials):
        result = defaultdict(Fraction)
        for f in polynomials:
            for m, a in f.items():
                result[m] += a
        return result

    def softmax(string):
        exponentials = []
        for i, t in enumerate(string):
            logit = {monomial(tokens.index(t)): Fraction(1), monomial(len(tokens) + i, variables - 1): Fraction(1)}
            powers = [{monomial(): Fraction(1)}]
            for n in range(1, p + 1):
                powers.append({m: a / n for m, a in times(powers[-1], logit).items()})
            exponentials.append(powers)
        total = [plus(*(e[n] for e in exponentials)) for n in range(p + 1)]
        inverse = [{monomial(): Fraction(1, k)}]
        for n in range(1, p + 1):
            known = plus(*(times(total[m], inverse[n - m]) for m in range(1, n + 1)))
            inverse.append({m: -a / k for m, a in known.items()})
        return [[plus(*(times(e[m], inverse[n - m]) for m in range(n + 1))) for n in range(p + 1)]
                for e in exponentials]

    def moment(powers):
        return 0 if any(n % 2 for n in powers) else prod(prod(range(n - 1, 0, -2)) for n in powers)

    first, second, result = softmax(x), softmax(y), Fraction(0)
    for i in range(k):
        for j in range(k):
            for gammas, holds in ((q, x[i] == y[j]), (q - 2, i == j)):
                for n in range(p + 1) if holds else ():
                    for m, a in times(first[i][n], second[j][p - n]).items():
                        if m[-1] == gammas:
                            result += a * moment(m[:-1])
    return result * factorial(p) * factorial(q)


def equal_positions(x, y):
    return sum(a == b for a in x for b in y)


@given(pairs)
def test_the_formulas_of_the_paper(pair):
    x, y = pair
    k, trace = len(x), sum(a == b for a, b in zip(x, y, strict=True))
    assert attention_derivative(x, y, 0, 0) == Fraction(equal_positions(x, y), k**2)
    assert attention_derivative(x, y, 2, 2) == Fraction(8 * trace, k**2) - Fraction(8 * equal_positions(x, y), k**3)
    assert attention_derivative(x, y, 0, 2) == Fraction(2, k)


@pytest.mark.parametrize("x, y", [("a", "a"), ("ab", "ba"), ("ab", "cd"), ("aa", "ab"), ("aab", "abb"), ("abc", "cab")])
@pytest.mark.parametrize("p, q", [(0, 0), (2, 0), (2, 2), (2, 4), (4, 0), (4, 2)])
def test_agrees_with_brute_force(x, y, p, q):
    assert attention_derivative(x, y, p, q) == derivative_by_brute_force(x, y, p, q)


@pytest.mark.parametrize("p, q", [(4, 4), (4, 6), (6, 0), (6, 2)])
def test_agrees_with_brute_force_in_high_order(p, q):
    assert attention_derivative("ab", "bc", p, q) == derivative_by_brute_force("ab", "bc", p, q)


@given(pairs, st.sampled_from(ORDERS))
def test_symmetric_and_blind_to_names(pair, orders):
    x, y = pair
    renamed = [[ord(t) * 7 for t in s] for s in pair]
    value = attention_derivative(x, y, *orders)
    assert isinstance(value, Fraction)
    assert value == attention_derivative(y, x, *orders) == attention_derivative(*renamed, *orders)


@pytest.mark.parametrize("p, q", [(1, 0), (3, 2), (2, 1), (2, 6), (0, 4), (5, 5)])
def test_vanishes_for_odd_orders_and_where_gamma_outruns_beta(p, q):
    assert attention_derivative("aab", "bca", p, q) == 0
    assert str(attention_expansion(p, q)) == "0" and attention_expansion(p, q).evaluate("aab", "bca") == 0


@given(pairs, st.sampled_from([o for o in ORDERS if sum(o) <= 8]))
def test_symbols_and_strings_agree(pair, orders):
    assert attention_expansion(*orders).evaluate(*pair) == attention_derivative(*pair, *orders)


@pytest.mark.parametrize("p, q", [(8, 0), (8, 2), (6, 4), (4, 6)])
def test_symbols_and_strings_agree_in_high_order(p, q):
    """(10, 0) takes over twenty seconds for more terms of the kinds that (8, 0) and (8, 2) have."""
    for x, y in [("aabc", "abdc"), ("abcde", "badca"), ("aab", "cbb"), ("ab", "ab")]:
        assert attention_expansion(p, q).evaluate(x, y) == attention_derivative(x, y, p, q)


def test_formulas_read_as_in_the_paper():
    assert str(attention_expansion(0, 0)) == "(1/k^2) 1ᵀXYᵀ1"
    assert str(attention_expansion(0, 2)) == "(2/k)"
    assert str(attention_expansion(2, 2)) == "(8/k^2) tr(XYᵀ) - (8/k^3) 1ᵀXYᵀ1"
    assert "1ᵀXXᵀXYᵀ1" in str(attention_expansion(4, 0))


def matrix_value(text, x, y):
    """A product of matrices as printed, for two strings."""
    alphabet = sorted(set(x) | set(y))
    matrices = {"X": np.array([[t == a for a in alphabet] for t in x], dtype=object) * 1,
                "Y": np.array([[t == a for a in alphabet] for t in y], dtype=object) * 1,
                "1": np.ones((len(x), 1), dtype=int)}
    first, *rest = [matrices[f[0]].T if f.endswith("ᵀ") else matrices[f[0]] for f in re.findall("[XY1]ᵀ?", text)]
    for matrix in rest:
        first = first @ matrix
    return np.trace(first)


@given(pairs, st.sampled_from([(4, 0), (4, 2), (4, 4), (6, 2), (6, 4)]))
@settings(max_examples=20)
def test_the_printed_matrices_are_what_is_evaluated(pair, orders):
    for contraction in {c for _, _, cs in attention_expansion(*orders).terms for c in cs}:
        if not str(contraction).startswith("["):  # sums over tokens that are no matrix product
            assert matrix_value(str(contraction), *pair) == contraction.evaluate(*pair), str(contraction)


@given(pairs, st.tuples(*[st.tuples(st.integers(0, 2), st.integers(0, 2))] * 2), st.sampled_from([(0, 1), (1, 0)]))
def test_traces_of_two_ties_print_as_matrices(pair, counts, second):
    contraction = Contraction(counts, ((0, 1), second))
    assert str(contraction).startswith("tr(")
    assert matrix_value(str(contraction), *pair) == contraction.evaluate(*pair), str(contraction)


def test_strings_may_be_of_any_length_and_made_of_any_tokens():
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 9, (2, 12)).tolist()
    assert attention_derivative(x, y, 4, 2) == attention_expansion(4, 2).evaluate(x, y)
    assert attention_derivative("ab", [*"ab"], 2, 0) == attention_derivative("ab", "ab", 2, 0)
    assert max(Counter(x).values()) > 1  # the draw has repeated tokens


@pytest.mark.parametrize("x, y, p, q, message", [
    ("ab", "abc", 0, 0, "one length"), ("", "", 0, 0, "one length"), ("a", "a", -1, 0, "p=-1"),
    ("a", "a", 8, 4, "at most 10"), ("a", "a", 2.0, 0, "p=2.0: must be an integer"),
])
def test_bad_input_is_named(x, y, p, q, message):
    with pytest.raises(ValueError, match=message):
        attention_derivative(x, y, p, q)


def test_formulas_in_tex():
    assert attention_expansion(2, 2).latex() == (
        r"\begin{aligned}& \frac{8}{k^{2}}\, \operatorname{tr}(XY^\top ) "
        r"-\frac{8}{k^{3}}\, \mathbf 1^\top XY^\top \mathbf 1\end{aligned}")
    assert attention_expansion(0, 2).latex() == r"\begin{aligned}& \frac{2}{k}\end{aligned}"
    assert attention_expansion(1, 0).latex() == r"\begin{aligned}& 0\end{aligned}"
    long = attention_expansion(4, 2)
    assert long.latex(per_line=1).count(r"\\") == len(long.terms) - 1


@pytest.mark.parametrize("p, q", [(0, 0), (0, 2), (2, 2), (4, 0), (4, 2), (6, 0), (6, 4)])
def test_the_tex_says_what_the_text_says(p, q):
    text = attention_expansion(p, q).latex().replace(r"\begin{aligned}&", "").replace(r"\end{aligned}", "")
    text = re.sub(r"\\frac\{(\d+)\}\{(k(\^\{\d+\})?)\}", r"(\1/\2)", text.replace(r"\\ &", ""))
    for tex, plain in ((r"\operatorname{tr}", "tr"), (r"\mathbf 1", "1"), (r"^\top", "ᵀ"), (r"\sum", "Σ"),
                       (r"\Big", ""), (r"\,", ""), ("{", ""), ("}", ""), (" ", "")):
        text = text.replace(tex, plain)
    assert text == str(attention_expansion(p, q)).replace(" ", "")


def test_the_terms_that_tell_templates_apart():
    """Section 3's orders: counts and places of regular tokens; the number, places and partners of equal wildcards."""
    found = {(p, q): {tuple(map(str, cs)): c / 1 for c, _, cs in attention_expansion(p, q).terms}
             for p, q in ((0, 0), (2, 2), (4, 0), (4, 2), (6, 4))}
    assert found[0, 0]["1ᵀXYᵀ1",] == 1 and found[2, 2]["tr(XYᵀ)",] == 8
    assert found[4, 0]["1ᵀYYᵀ1", "1ᵀXYᵀ1", "1ᵀXXᵀ1"] == 24
    assert found[4, 2]["1ᵀXXᵀYYᵀ1",] == 48 and found[6, 4]["tr(XXᵀYYᵀ)",] == 17280
