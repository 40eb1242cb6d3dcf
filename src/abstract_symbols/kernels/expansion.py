"""The exact expansion of K_attn around β = γ = 0, by which the paper proves template matrices non-singular.

Write D_X = Σ_i exp(βm_i) for the softmax's denominator. As 1/D_X = ∫₀^∞ exp(-s·D_X) ds, the two denominators become
exponentials, in which tokens and positions are independent factors; what is left of Wick's formula are the moments
(n-1)!! of single Gaussians. All numbers are integers or Fractions, all series finite.

Source: section 3 of the paper, the non-singularity of the template matrix.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import combinations, combinations_with_replacement, groupby, permutations, product
from math import comb, factorial, prod

from .attention import tokens_of

Series = dict[tuple[int, int, int], Fraction]  # (power of β, of u, of v) → coefficient
Exponents = tuple[tuple[tuple[int, int], int], ...]  # ((count in x, count in y), power of its exponential), a token


def attention_derivative(x: Sequence[Hashable], y: Sequence[Hashable], p: int, q: int) -> Fraction:
    """∂_β^p ∂_γ^q K_attn(x, y) at (β, γ) = (0, 0), exactly.

    Args: x, y, two strings (or sequences of hashable tokens) of equal length k, taken as given: no [CLS] is added;
    p, q, orders of the derivative, p + q ≤ 10.
    Returns: a Fraction; 0 unless p and q are even and q ≤ p + 2.
    Raises: ValueError for strings that are empty or of unequal length, and for orders out of range.
    Source: section 3; e.g. (0, 0): 1ᵀXYᵀ1/k²; (2, 2): (8/k²) tr(XYᵀ) - (8/k³) 1ᵀXYᵀ1.
    """
    _check_orders(p, q)
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


def _check_orders(p: int, q: int) -> None:
    if isinstance(p, bool) or isinstance(q, bool) or not (isinstance(p, int) and isinstance(q, int)):
        raise ValueError(f"orders p={p!r}, q={q!r}: must be integers")
    if p < 0 or q < 0 or p + q > 10:
        raise ValueError(f"orders p={p}, q={q}: must not be negative, and p + q at most 10")


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
def _stirling(n: int, m: int) -> int:
    """The number of partitions of n things into m blocks."""
    return int(n == m) if n == 0 or m == 0 else m * _stirling(n - 1, m) + _stirling(n - 1, m - 1)


@cache
def _moment(h: int, n: int) -> tuple[Fraction, ...]:
    """Coefficients in w of the β^n term of E_z exp(hβz + w(exp(βz) - 1)), z a standard normal, n even."""
    double_factorial = Fraction(factorial(n), 2 ** (n // 2) * factorial(n // 2))  # (n-1)!! = E[zⁿ]
    touchard = [sum(comb(n, m) * h ** (n - m) * _stirling(m, j) for m in range(n + 1)) for j in range(n + 1)]
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


# --- In symbols: Wick's formula with the positions left open

Partition = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, order=True)
class Contraction:
    """A sum over tokens s, t, …: the product of powers of (Xᵀ1)_s and (Yᵀ1)_s, and of entries (XᵀY)_st.

    Attributes: counts, for each token the powers of (Xᵀ1)_s, its number of occurrences in x, and of (Yᵀ1)_s; ties, a
    pair (s, t) for each factor (XᵀY)_st, the number of positions with token s in x and t in y. In the sums over
    positions of section 3: each occurrence of a token at a position is one factor, each token a chain of equalities.
    """

    counts: tuple[tuple[int, int], ...]
    ties: tuple[tuple[int, int], ...]

    def evaluate(self, x: Sequence[Hashable], y: Sequence[Hashable]) -> int:
        """Its value for two strings of equal length."""
        in_x, in_y, both = Counter(x), Counter(y), Counter(zip(x, y, strict=True))
        return sum(prod(in_x[t] ** a * in_y[t] ** b for t, (a, b) in zip(tokens, self.counts, strict=True))
                   * prod(both[tokens[s], tokens[t]] for s, t in self.ties)
                   for tokens in product(dict.fromkeys([*x, *y]), repeat=len(self.counts)))

    def __str__(self) -> str:
        (a, b), n_ties = self.counts[0], len(self.ties)
        if len(self.counts) == 1 and n_ties == 0:  # XᵀX and YᵀY are diagonal: they commute
            x, y = "XXᵀ" * (a - 1), "YYᵀ" * (b - 1)
            return f"1ᵀ{x}XYᵀ{y}1" if a and b else f"1ᵀ{x or y}1"
        if len(self.counts) == 1 and n_ties == 1:
            return "tr(" + "XXᵀ" * a + "XYᵀ" + "YYᵀ" * b + ")"
        if len(self.counts) == 2 and n_ties == 1:
            (a, b), (c, d) = (self.counts[t] for t in self.ties[0])
            left = "1ᵀX" + "XᵀX" * (a - 1) + "YᵀY" * b if a else "1ᵀY" + "YᵀY" * (b - 1)
            right = "XᵀX" * c + "YᵀY" * (d - 1) + "Yᵀ1" if d else "XᵀX" * (c - 1) + "Xᵀ1"
            return f"{left}XᵀY{right}"
        if len(self.counts) == n_ties == 2 and all(s != t for s, t in self.ties):
            (a, b), (c, d) = (self.counts[t] for t in self.ties[0])
            here, there = "XᵀX" * a + "YᵀY" * b, "XᵀX" * c + "YᵀY" * d
            return f"tr(X{here}XᵀY{there}Yᵀ)" if self.ties[0] == self.ties[1] else f"tr({here}XᵀY{there}XᵀY)"
        names = "stuvwabcdefgh"
        factors = [f"({side}ᵀ1)_{names[s]}" + (f"^{power}" if power > 1 else "")
                   for s, powers in enumerate(self.counts) for side, power in zip("XY", powers, strict=True) if power]
        factors += [f"(XᵀY)_{names[s]}{names[t]}" for s, t in self.ties]
        return f"[Σ_{names[:len(self.counts)]} " + " ".join(factors) + "]"

    def latex(self) -> str:
        """The same in TeX."""
        text = re.sub("_([a-z]+)", r"_{\1}", str(self)).replace("1", r"\mathbf 1").replace("ᵀ", r"^\top ")
        text = text.replace("tr(", r"\operatorname{tr}(").replace("Σ", r"\sum")
        return text.replace("[", r"\Big[").replace("]", r"\Big]")


@dataclass(frozen=True)
class Expansion:
    """A derivative of K_attn at (0, 0) as a linear combination: (coefficient, n, contractions) is c/kⁿ · their product.

    `evaluate(x, y)` gives its value for two strings, `str()` the formula, `latex()` the formula in TeX.
    """

    terms: tuple[tuple[Fraction, int, tuple[Contraction, ...]], ...]

    def evaluate(self, x: Sequence[Hashable], y: Sequence[Hashable]) -> Fraction:
        """The derivative for two strings of equal length, equal to `attention_derivative(x, y, p, q)`."""
        values = {c: c.evaluate(x, y) for c in {c for _, _, contractions in self.terms for c in contractions}}
        return sum((coefficient / Fraction(len(x)) ** n * prod(values[c] for c in contractions)
                    for coefficient, n, contractions in self.terms), Fraction(0))

    def __str__(self) -> str:
        text = ""
        for coefficient, n, contractions in self.terms:
            size = abs(coefficient)
            divided = f"{size}" + (f"/k^{n}" if n > 1 else "/k" * n)
            sign = " - " if coefficient < 0 else " + "
            text += (sign if text else sign.strip(" +")) + " ".join([f"({divided})", *map(str, contractions)])
        return text or "0"

    def latex(self, per_line: int = 2) -> str:
        """The formula in TeX, an `aligned` block of so many terms a line."""
        lines = []
        for index, (coefficient, n, contractions) in enumerate(self.terms):
            divisor = str(coefficient.denominator) if coefficient.denominator > 1 else ""
            below = divisor + (f"k^{{{n}}}" if n > 1 else "k" * n)
            number = rf"\frac{{{abs(coefficient.numerator)}}}{{{below}}}" if below else str(abs(coefficient))
            sign = "-" if coefficient < 0 else "+" if index else ""
            new_line = (r" \\ & " if index else "& ") if index % per_line == 0 else " "
            lines.append(new_line + r"\, ".join([sign + number, *(c.latex() for c in contractions)]))
        return r"\begin{aligned}" + ("".join(lines) or "& 0") + r"\end{aligned}"


@cache
def attention_expansion(p: int, q: int) -> Expansion:
    """∂_β^p ∂_γ^q K_attn at (0, 0) as an exact combination of matrix expressions in X and Y, for strings of any length.

    Args: p, q, orders of the derivative, p + q ≤ 10 (about a second for p + q ≤ 8, several for 10).
    Returns: an `Expansion`, e.g. (8/k^2) tr(XYᵀ) - (8/k^3) 1ᵀXYᵀ1 for (2, 2).
    Raises: ValueError for orders out of range.
    Source: section 3, Wick's formula.
    """
    _check_orders(p, q)
    total: dict[tuple[int, tuple[Contraction, ...]], Fraction] = defaultdict(Fraction)
    if p % 2 == 0 and q % 2 == 0:
        for from_x in range(p + 1):
            for a, first in _softmax_terms(from_x):
                for b, second in _softmax_terms(p - from_x):
                    for power, same_position in ((q, False), (q - 2, True)):  # XYᵀ, and γ²I
                        if 0 <= power <= p:
                            _add_wick(total, (a, *first), (b, *second), power, same_position)
    scale = factorial(p) * factorial(q)
    return Expansion(tuple((value * scale, n, contractions)
                           for (n, contractions), value in sorted(total.items()) if value))


def _softmax_terms(order: int) -> Iterator[tuple[int, tuple[int, ...]]]:
    """The monomials m_i^a Π_r (Σ_l m_l^{d_r}) of softmax(βm)_i at β^order: a, and degrees d_r ≥ 1 in falling order."""
    def partitions(n: int, largest: int) -> Iterator[tuple[int, ...]]:
        if n == 0:
            yield ()
        for part in range(min(n, largest), 0, -1):
            for rest in partitions(n - part, part):
                yield part, *rest
    for a in range(order + 1):
        for degrees in partitions(order - a, order - a):
            yield a, degrees


def _add_wick(total: dict, first: tuple[int, ...], second: tuple[int, ...], power: int, same_position: bool) -> None:
    """Add the expectation of a monomial in m(X) times one in m(Y), both summed over their positions, at γ^power."""
    degrees, sides = first + second, "x" * len(first) + "y" * len(second)
    j = len(first)  # the numerators are 0 and j
    coefficient = Fraction(1, prod(map(factorial, degrees)))
    for side in (first, second):
        repeated = prod(factorial(n) for n in Counter(side[1:]).values())
        coefficient *= Fraction((-1) ** (len(side) - 1) * factorial(len(side) - 1), repeated)
    for in_positions, ways in _splits(first, second, power):
        in_tokens = tuple(d - f for d, f in zip(degrees, in_positions, strict=True))
        for places, n_places in _pairings(in_positions):
            for tokens, n_tokens in _pairings(in_tokens):
                free, contractions = _contractions(sides, places + ((0, j),) * same_position,
                                                   tokens + ((0, j),) * (not same_position))
                total[len(degrees) - free, contractions] += coefficient * ways * n_places * n_tokens


def _splits(first: tuple[int, ...], second: tuple[int, ...], power: int) -> Iterator[tuple[tuple[int, ...], int]]:
    """How many of each vertex's factors m = ζ + γp give γp, `power` in all; equal vertices are counted, not listed."""
    groups = [(first[0], 1), *((d, len(list(g))) for d, g in groupby(first[1:])),
              (second[0], 1), *((d, len(list(g))) for d, g in groupby(second[1:]))]
    choices = [list(combinations_with_replacement(range(min(d, power) + 1), n)) for d, n in groups]
    def extend(index: int, left: int) -> Iterator[tuple[tuple[int, ...], int]]:
        if index == len(groups):
            if left == 0:
                yield (), 1
            return
        d, n = groups[index]
        for choice in choices[index]:
            if sum(choice) <= left:
                ways = factorial(n) * prod(comb(d, f) for f in choice)
                ways //= prod(factorial(m) for m in Counter(choice).values())
                for rest, more in extend(index + 1, left - sum(choice)):
                    yield choice + rest, ways * more
    yield from extend(0, power)


@cache
def _pairings(degrees: tuple[int, ...]) -> tuple[tuple[Partition, int], ...]:
    """Wick's pairings of vertices of these degrees, counted by the connected sets of vertices that they make."""
    vertices = tuple(v for v, d in enumerate(degrees) if d)
    def extend(left: tuple[int, ...]) -> Iterator[tuple[Partition, int]]:
        if not left:
            yield (), 1
            return
        for size in range(len(left)):
            for others in combinations(left[1:], size):
                block = (left[0], *others)
                ways = _connected(tuple(sorted(degrees[v] for v in block)))
                if ways:
                    for rest, more in extend(tuple(v for v in left[1:] if v not in others)):
                        yield (block, *rest), ways * more
    return tuple(extend(vertices))


@cache
def _connected(degrees: tuple[int, ...]) -> int:
    """The number of pairings of all half-edges of vertices of these degrees that connect them."""
    total = sum(degrees)
    if total % 2 or total < 2 * (len(degrees) - 1):
        return 0
    ways = prod(range(total - 1, 0, -2))
    for size in range(len(degrees) - 1):  # less those in which the first vertex is connected to `size` others only
        for others in combinations(range(1, len(degrees)), size):
            rest = [d for v, d in enumerate(degrees) if v and v not in others]
            if sum(rest) % 2 == 0:
                ways -= (_connected(tuple(sorted([degrees[0], *(degrees[v] for v in others)])))
                         * prod(range(sum(rest) - 1, 0, -2)))
    return ways


@cache
def _contractions(sides: str, places: Partition, tokens: Partition) -> tuple[int, tuple[Contraction, ...]]:
    """The sum over all positions of the vertices, those in a block of `places` at one, those in `tokens` of one token.

    Returns: the number of positions that are free, each a factor k, and the connected contractions.
    """
    position = _merge(range(len(sides)), places)
    occurrence = {v: (position[v], side) for v, side in enumerate(sides)}
    token = _merge(set(occurrence.values()), [tuple(occurrence[v] for v in block) for block in tokens])
    shared = {t for t, n in Counter(token.values()).items() if n > 1}  # a token that occurs once is any token
    ends = [[token.get((place, side)) if token.get((place, side)) in shared else None for side in "xy"]
            for place in set(position.values())]
    free = sum(s is None and t is None for s, t in ends)
    counts = {t: [sum(end == [t, None] for end in ends), sum(end == [None, t] for end in ends)] for t in shared}
    ties = [(s, t) for s, t in ends if s is not None and t is not None]
    group = _merge(shared, ties)
    contractions = []
    for root in set(group.values()):
        members = [t for t in shared if group[t] == root]
        name = {t: i for i, t in enumerate(members)}
        contractions.append(_canonical(tuple(tuple(counts[t]) for t in members),
                                       tuple(sorted((name[s], name[t]) for s, t in ties if group[s] == root))))
    return free, tuple(sorted(contractions))


def _merge(items: Sequence[Hashable] | set, blocks: Sequence[tuple]) -> dict:
    """Each item's representative when the items of every block are the same."""
    root = {item: item for item in items}
    for block in blocks:
        merged = {root[item] for item in block}
        keep = root[block[0]]
        root = {item: keep if r in merged else r for item, r in root.items()}
    return root


@cache
def _canonical(counts: tuple[tuple[int, int], ...], ties: tuple[tuple[int, int], ...]) -> Contraction:
    candidates = []
    for order in permutations(range(len(counts))):
        place = {old: new for new, old in enumerate(order)}
        candidates.append(Contraction(tuple(counts[old] for old in order),
                                      tuple(sorted((place[s], place[t]) for s, t in ties))))
    return max(candidates)
