"""The exact expansion of K_attn around β = γ = 0, by which the paper proves template matrices non-singular.

Write D_X = Σ_i exp(βm_i) for the softmax's denominator. As 1/D_X = ∫₀^∞ exp(-s·D_X) ds, the two denominators become
exponentials, in which tokens and positions are independent factors; what is left of Wick's formula are the moments
(n-1)!! of single Gaussians. All numbers are integers or Fractions, all series finite.

Source:
    section 3 of the paper, the non-singularity of the template matrix.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Sequence
from fractions import Fraction
from functools import cache
from math import comb, factorial

from scipy.special import stirling2

from .patterns import tokens_of
from .wick import Contraction, Expansion, attention_expansion, check_orders

__all__ = ["Contraction", "Expansion", "attention_derivative", "attention_expansion"]

Series = dict[tuple[int, int, int], Fraction]  # (power of β, of u, of v) → coefficient
Exponents = tuple[tuple[tuple[int, int], int], ...]  # ((count in x, count in y), power of its exponential), a token


def attention_derivative(x: Sequence[Hashable], y: Sequence[Hashable], p: int, q: int) -> Fraction:
    """∂_β^p ∂_γ^q K_attn(x, y) at (β, γ) = (0, 0), exactly.

    >>> attention_derivative("aa", "ab", 0, 0)  # 1ᵀXYᵀ1/k²
    Fraction(1, 2)

    Args:
        x, y: two strings (or sequences of hashable tokens) of equal length k, taken as given: no [CLS] is added.
        p, q: orders of the derivative, p + q ≤ 10.

    Returns:
        The exact value; 0 unless p and q are even and q ≤ p + 2.

    Raises:
        ValueError: for strings that are empty or of unequal length, and for orders out of range.

    Source:
        section 3; for example (2, 2) gives (8/k²) tr(XYᵀ) − (8/k³) 1ᵀXYᵀ1.
    """
    check_orders(p, q)
    x, y = tokens_of(x), tokens_of(y)
    if len(x) != len(y) or len(x) == 0:
        raise ValueError(f"strings {x!r} and {y!r} of {len(x)} and {len(y)} tokens: must be of one length, at least 1")
    if p % 2 or q % 2 or q > p + 2:
        return Fraction(0)
    total = Fraction(0)
    k = len(x)
    same_token = [(i, j) for i in range(k) for j in range(k) if x[i] == y[j]]
    for power, pairs in ((q, same_token), (q - 2, [(i, i) for i in range(k)])):  # XYᵀ, and γ²I
        if 0 <= power <= p:
            total += _coefficient(x, y, pairs, p, power)
    return total * factorial(p) * factorial(q)


def _coefficient(x: Sequence[Hashable], y: Sequence[Hashable], pairs: list[tuple[int, int]], p: int,
                 power: int) -> Fraction:
    """The coefficient of β^p γ^power in Σ E[softmax(βm(X))_i softmax(βm(Y))_j] over the pairs (i, j).

    With u and v in the place of -s for the two denominators, each position i gives E_p exp(βγp + …) and each token t
    E_ζ exp(jβζ + (c_t u + d_t v)(exp(βζ) - 1)), c_t and d_t its numbers of occurrences in x and y.
    """
    k, order = len(x), p - power
    counts = {t: (list(x).count(t), list(y).count(t)) for t in [*x, *y]}
    terms: dict[Exponents, Series] = defaultdict(lambda: defaultdict(Fraction))
    for i, j in pairs:
        for powers, a, b, value in _positions(x, y, i, j, power):
            key = tuple(sorted((counts[t], e) for t, e in powers.items() if e))
            terms[key][0, a, b] += value
    inner: Series = defaultdict(Fraction)
    for key, polynomial in terms.items():
        product: Series = polynomial
        for (c, d), e in key:
            product = _times(product, _ratio(c, d, e, order), order)
        for index, value in product.items():
            inner[index] += value
    for c, d in counts.values():
        inner = _times(inner, _token(c, d, 0, order), order)
    return sum((value * (-1) ** (a + b) * factorial(a) * factorial(b) * Fraction(1, k ** (a + b + 2))
                for (n, a, b), value in inner.items() if n == order), Fraction(0))


def _positions(x: Sequence[Hashable], y: Sequence[Hashable], i: int, j: int,
               power: int) -> Iterator[tuple[dict[Hashable, int], int, int, Fraction]]:
    """The terms of γ^power in the product over positions of their Gaussians' expectations.

    Position l gives Σ_n (βγ)^n (n-1)!!/n! T_n(w), w = u·exp(βζ_{x_l}) + v·exp(βζ_{y_l}), T_n Touchard's.
    Yields: powers of the tokens' exponentials, powers a of u and b of v, coefficient.
    """
    def extend(start: int, left: int, powers: Counter, a: int, b: int,
               value: Fraction) -> Iterator[tuple[dict[Hashable, int], int, int, Fraction]]:
        if left == 0:
            yield powers, a, b, value
            return
        for position in range(start, len(x)):
            for n in range(2, left + 1, 2):
                for m, coefficient in enumerate(_moment((position == i) + (position == j), n)):
                    if coefficient == 0:
                        continue
                    for s in range(m + 1):
                        more = powers + Counter({x[position]: s}) + Counter({y[position]: m - s})
                        yield from extend(position + 1, left - n, more, a + s, b + m - s,
                                          value * coefficient * comb(m, s))
    yield from extend(0, power, Counter([x[i], y[j]]), 0, 0, Fraction(1))


@cache
def _moment(h: int, n: int) -> tuple[Fraction, ...]:
    """Coefficients in w of the β^n term of E_z exp(hβz + w(exp(βz) - 1)), z a standard normal, n even."""
    double_factorial = Fraction(factorial(n), 2 ** (n // 2) * factorial(n // 2))  # (n-1)!! = E[zⁿ]
    touchard = [sum(comb(n, m) * h ** (n - m) * stirling2(m, j, exact=True) for m in range(n + 1))
                for j in range(n + 1)]
    return tuple(double_factorial * t / factorial(n) for t in touchard)


@cache
def _token(c: int, d: int, j: int, order: int) -> Series:
    """E_ζ exp(jβζ + (cu + dv)(exp(βζ) - 1)) up to β^order."""
    series: Series = {}
    for n in range(0, order + 1, 2):
        for m, coefficient in enumerate(_moment(j, n)):
            for s in range(m + 1):
                value = coefficient * comb(m, s) * c**s * d ** (m - s)
                if value:
                    series[n, s, m - s] = value
    return series


@cache
def _ratio(c: int, d: int, j: int, order: int) -> Series:
    """`_token` with exponent j divided by that with exponent 0, up to β^order."""
    denominator, quotient = _token(c, d, 0, order), dict(_token(c, d, j, order))
    rest = {index: -value for index, value in denominator.items() if index[0]}
    for n in range(2, order + 1, 2):  # quotient_n = numerator_n - Σ_{m<n} quotient_m denominator_{n-m}
        known = {index: value for index, value in quotient.items() if index[0] < n}
        for index, value in _times(known, rest, n).items():
            if index[0] == n:
                quotient[index] = quotient.get(index, Fraction(0)) + value
    return quotient


def _times(f: Series, g: Series, order: int) -> Series:
    """The product of two series up to β^order."""
    product: Series = defaultdict(Fraction)
    for (n, a, b), value in f.items():
        for (m, c, d), other in g.items():
            if n + m <= order:
                product[n + m, a + c, b + d] += value * other
    return product
