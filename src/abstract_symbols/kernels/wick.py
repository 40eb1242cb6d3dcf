"""The expansion of K_attn in symbols: Wick's formula with the positions left open.

Each derivative at β = γ = 0 is a combination of matrix expressions in X and Y, valid for strings of any length. All
numbers are integers or Fractions.

Source:
    section 3 of the paper, Wick's formula.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import combinations, combinations_with_replacement, groupby, permutations, product
from math import comb, factorial, prod

from scipy.cluster.hierarchy import DisjointSet

from ..checks import check_integer

Partition = tuple[tuple[int, ...], ...]


def check_orders(p: int, q: int) -> None:
    """Refuse orders of a derivative that are no integers, negative, or together above 10."""
    for name, order in {"p": p, "q": q}.items():
        check_integer(name, order)
    if p + q > 10:
        raise ValueError(f"orders p={p}, q={q}: p + q must be at most 10")


@dataclass(frozen=True, order=True)
class Contraction:
    """A sum over tokens s, t, …: the product of powers of (Xᵀ1)_s and (Yᵀ1)_s, and of entries (XᵀY)_st.

    In the sums over positions of section 3, each occurrence of a token at a position is one factor, and each token a
    chain of equalities.

    Attributes:
        counts: for each token the powers of (Xᵀ1)_s, its number of occurrences in x, and of (Yᵀ1)_s.
        ties: a pair (s, t) for each factor (XᵀY)_st, the number of positions with token s in x and t in y.
    """

    counts: tuple[tuple[int, int], ...]
    ties: tuple[tuple[int, int], ...]

    def evaluate(self, x: Sequence[Hashable], y: Sequence[Hashable]) -> int:
        """The contraction's value for two strings of equal length."""
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
        """The contraction in TeX."""
        text = re.sub("_([a-z]+)", r"_{\1}", str(self)).replace("1", r"\mathbf 1").replace("ᵀ", r"^\top ")
        text = text.replace("tr(", r"\operatorname{tr}(").replace("Σ", r"\sum")
        return text.replace("[", r"\Big[").replace("]", r"\Big]")


@dataclass(frozen=True)
class Expansion:
    """A derivative of K_attn at (0, 0) as a linear combination of contractions; `str()` gives the formula.

    Attributes:
        terms: (coefficient c, n, contractions) each, which is c/kⁿ times the product of the contractions.
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
        """The formula in TeX, an `aligned` block with `per_line` terms per line."""
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

    >>> print(attention_expansion(2, 2))
    (8/k^2) tr(XYᵀ) - (8/k^3) 1ᵀXYᵀ1

    Args:
        p, q: orders of the derivative, p + q ≤ 10 (about a second for p + q ≤ 8, several for 10).

    Raises:
        ValueError: for orders out of range.

    Source:
        section 3, Wick's formula.
    """
    check_orders(p, q)
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

    Returns:
        The number of positions that are free, each a factor k, and the connected contractions.
    """
    position = _representatives(range(len(sides)), places)
    occurrence = {v: (position[v], side) for v, side in enumerate(sides)}
    token = _representatives(set(occurrence.values()), [tuple(occurrence[v] for v in block) for block in tokens])
    shared = {t for t, n in Counter(token.values()).items() if n > 1}  # a token that occurs once is any token
    ends = [[token.get((place, side)) if token.get((place, side)) in shared else None for side in "xy"]
            for place in set(position.values())]
    free = sum(s is None and t is None for s, t in ends)
    counts = {t: [sum(end == [t, None] for end in ends), sum(end == [None, t] for end in ends)] for t in shared}
    ties = [(s, t) for s, t in ends if s is not None and t is not None]
    group = _representatives(shared, ties)
    contractions = []
    for root in set(group.values()):
        members = [t for t in shared if group[t] == root]
        name = {t: i for i, t in enumerate(members)}
        contractions.append(_canonical(tuple(tuple(counts[t]) for t in members),
                                       tuple(sorted((name[s], name[t]) for s, t in ties if group[s] == root))))
    return free, tuple(sorted(contractions))


def _representatives(items: Collection[Hashable], blocks: Iterable[tuple[Hashable, ...]]) -> dict:
    """Each item's representative when the items of every block are the same."""
    sets = DisjointSet(items)
    for first, *others in blocks:
        for other in others:
            sets.merge(first, other)
    return {item: sets[item] for item in items}


@cache
def _canonical(counts: tuple[tuple[int, int], ...], ties: tuple[tuple[int, int], ...]) -> Contraction:
    candidates = []
    for order in permutations(range(len(counts))):
        place = {old: new for new, old in enumerate(order)}
        candidates.append(Contraction(tuple(counts[old] for old in order),
                                      tuple(sorted((place[s], place[t]) for s, t in ties))))
    return max(candidates)
