"""The Gram matrix of strings as an operator, in time and memory linear in the number of strings.

Two strings agree on a partial matching of their wildcards, and K(x, y) = Σ ŵ_M over the matchings M on which they agree
(`matching_weights`). So K·v needs no Gram matrix: with Z the indicators of the templates and Φ those of the sets of
tokens that several strings share (which wildcards hold them, and in which order), K = Z N Zᵀ + Φ W Φᵀ + diagonal.

Source:
    section 3 of the paper, "Estimator"; the chapter "Learning from n strings".
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations, permutations
from typing import Any

import numpy as np
from scipy import sparse

from .matchings import Overlap, Shape, kernel_values, matching_weights, same_string
from .protocol import Kernel

SLOTS_LIMIT = 1000  # arrangements of wildcards: their pairs are the kernel values needed
Slot = tuple[Shape, tuple[int, ...]]  # a shape, and which of its wildcards hold the sorted tokens of a set


def split_by_shape(tokens: np.ndarray, regular: int) -> Iterator[tuple[Shape, np.ndarray, np.ndarray]]:
    """Each shape among token rows (n, k): the shape, its rows (n′,), their wildcards' tokens (n′, w).

    Ids below `regular` are regular tokens wherever they stand.
    """
    rows = np.arange(len(tokens))
    while len(rows):
        names: dict[int, int] = {}
        shape = tuple(t if t < regular else names.setdefault(t, -1 - len(names)) for t in tokens[0].tolist())
        first = [shape.index(-1 - a) for a in range(len(names))]
        match = np.ones(len(rows), dtype=bool)
        for position, c in enumerate(shape):
            column = tokens[:, position]
            if c >= 0 or first[-1 - c] != position:
                match &= column == (c if c >= 0 else tokens[:, first[-1 - c]])
            else:
                match &= column >= regular
                for earlier in first[:-1 - c]:
                    match &= column != tokens[:, earlier]
        found = np.flatnonzero(match)
        yield shape, rows[found], tokens[found[:, None], first] if first else np.empty((len(found), 0), dtype=np.int64)
        tokens, rows = tokens[~match], rows[~match]


@dataclass
class StringGroup:
    """Strings sorted by shape, and inside a shape by their tokens.

    Attributes:
        shapes: the different shapes.
        symbols: for each shape the tokens of the wildcards, (n_i, w_i).
        rows: the given strings' indices in this order, (n,).
        first: where equal strings begin in `rows`, (distinct strings,).
        counts: how many of them are equal, (distinct strings,).
    """

    shapes: list[Shape]
    symbols: list[np.ndarray]
    rows: np.ndarray
    first: Any = None  # an array, as counts; None: every string for itself
    counts: Any = None

    @classmethod
    def as_given(cls, tokens: np.ndarray, regular: int) -> "StringGroup":
        """A group of all strings, equal ones included: token ids (n, k), those below `regular` regular tokens."""
        shapes, rows, symbols = zip(*split_by_shape(tokens, regular), strict=True) if len(tokens) else ((), (), ())
        return cls(list(shapes), list(symbols), np.concatenate([np.empty(0, np.int64), *rows]))

    @classmethod
    def distinct(cls, tokens: np.ndarray, regular: int) -> "StringGroup":
        """A group of the distinct strings among token ids (n, k), those below `regular` regular tokens."""
        shapes, symbols, rows, starts, done = [], [], [], [], 0
        for shape, where, table in split_by_shape(tokens, regular):
            code = pack(table)
            order = np.argsort(code)
            code = code[order]
            start = np.flatnonzero(np.concatenate([[True], code[1:] != code[:-1]]))
            shapes.append(shape)
            symbols.append(table[order[start]])
            rows.append(where[order])
            starts.append(start + done)
            done += len(where)
        first = np.concatenate(starts)
        return cls(shapes, symbols, np.concatenate(rows), first, np.diff(first, append=done).astype(np.float64))

    def aggregate(self, values: np.ndarray) -> np.ndarray:
        """Values (n, …) of the given strings summed over equal ones, (distinct strings, …)."""
        return np.add.reduceat(values[self.rows], self.first, axis=0)

    def broadcast(self, values: np.ndarray) -> np.ndarray:
        """Values of the distinct strings given to each of the n strings, in their original order: (n,)."""
        result = np.empty(len(self.rows))
        result[self.rows] = np.repeat(values, self.counts.astype(np.int64))
        return result

    def template_sums(self, values: np.ndarray) -> np.ndarray:
        """Zᵀ values, (shapes,): values (distinct strings,) summed over each shape."""
        return np.array([part.sum() for part in np.split(values, np.cumsum(self.sizes)[:-1])])

    @property
    def sizes(self) -> list[int]:
        """The number of strings of each shape."""
        return [len(s) for s in self.symbols]


def pack(rows: np.ndarray) -> np.ndarray:
    """One integer for each row of (n, w), equal where the rows are equal."""
    code, size = np.zeros(len(rows), dtype=np.int64), 1
    for column in rows.T:
        column, span = _compact(column)
        if size * span >= 2**63:
            kept, code = np.unique(code, return_inverse=True)
            size = len(kept)
        code, size = code * span + column, size * span
    return code


def _compact(values: np.ndarray) -> tuple[np.ndarray, int]:
    """Non-negative integers, equal where the values are, and a bound on them below 2³¹."""
    if not len(values):
        return values, 1
    low, high = int(values.min()), int(values.max())
    if high - low < 2**31 - 1:
        return values - low, high - low + 1
    kept, index = np.unique(values, return_inverse=True)
    return index, len(kept)


@dataclass
class Level:
    """Sets of `size` tokens that several strings share.

    Attributes:
        size: tokens in a set.
        sets: the number of sets.
        entries: (table, wildcards, rows, set ids, orders) each: the rows of the table that hold such a set in these
            wildcards, and the number of the permutation of the wildcards that sorts the tokens.
    """

    size: int
    sets: int
    entries: list[tuple[int, tuple[int, ...], np.ndarray, np.ndarray, np.ndarray]]


def shared_sets(tables: list[np.ndarray], split: int | None = None) -> Iterator[Level]:
    """Sets of one, two, … tokens that occur twice in the tables (n_i, w_i), or on both sides of the table `split`.

    A set can only be shared if all smaller ones in it are, so each level looks where the one before found some.
    """
    alive: dict[tuple[int, tuple[int, ...]], np.ndarray] = {
        (g, ()): np.ones(len(table), dtype=bool) for g, table in enumerate(tables)}
    for size in range(1, max((table.shape[1] for table in tables), default=0) + 1):
        found = []
        for g, table in enumerate(tables):
            for wildcards in combinations(range(table.shape[1]), size):
                smaller = [(g, wildcards[:i] + wildcards[i + 1:]) for i in range(size)]
                if all(key in alive for key in smaller):
                    rows = np.flatnonzero(np.logical_and.reduce([alive[key] for key in smaller]))
                    found.append((g, wildcards, rows, *_sorted_sets(table, rows, wildcards)))
        if not found:
            return
        left = None if split is None else sum(len(rows) for g, _, rows, _, _ in found if g < split)
        ids, sets = _shared(pack(np.concatenate([tokens for *_, tokens, _ in found])), left)
        if not sets:
            return
        alive, entries, start = {}, [], 0
        compact = [np.full(table.shape, -1, dtype=np.int64) for table in tables] if size == 1 else []
        for g, wildcards, rows, _, orders in found:
            mine = ids[start:start + len(rows)]
            start += len(rows)
            kept = np.flatnonzero(mine >= 0)
            if len(kept):
                alive[g, wildcards] = mask = np.zeros(len(tables[g]), dtype=bool)
                mask[rows[kept]] = True
                entries.append((g, wildcards, rows[kept], mine[kept], orders[kept]))
            if size == 1:
                compact[g][:, wildcards[0]] = mine
        tables = compact or tables  # from here on a token is the number of its set
        yield Level(size, sets, entries)


def _sorted_sets(table: np.ndarray, rows: np.ndarray, wildcards: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """The tokens of some wildcards, sorted in each row, (n, m), and the number of the permutation that sorts them."""
    tokens, m = table[rows[:, None], wildcards], len(wildcards)
    if m == 1:
        return tokens, np.zeros(len(rows), dtype=np.int64)
    if m == 2:
        swapped = tokens[:, 0] > tokens[:, 1]
        return np.stack([tokens.min(1), tokens.max(1)], 1), swapped.astype(np.int64)
    order = np.argsort(tokens, axis=1)
    place = m ** np.arange(m)
    number = np.zeros(m**m, dtype=np.int64)
    number[np.array(list(permutations(range(m)))) @ place] = np.arange(math.factorial(m))
    return np.take_along_axis(tokens, order, axis=1), number[order @ place]


def _shared(codes: np.ndarray, left: int | None) -> tuple[np.ndarray, int]:
    """Ids 0, 1, … of codes that occur twice (or both before and from `left` on), −1 for others; and how many."""
    low, span = (int(codes.min()), int(codes.max() - codes.min()) + 1) if len(codes) else (0, 0)
    if span <= 8 * len(codes):
        codes = codes - low
        if left is None:
            chosen = np.bincount(codes, minlength=span) > 1
        else:
            chosen = np.bincount(codes[:left], minlength=span).astype(bool)
            chosen &= np.bincount(codes[left:], minlength=span).astype(bool)
        number = np.cumsum(chosen)
        number[~chosen] = 0
        return number[codes] - 1, int(chosen.sum())
    if left is None:
        ordered = np.sort(codes)
        kept = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    else:
        kept = np.intersect1d(codes[:left], codes[left:])
    if not len(kept):
        return np.full(len(codes), -1), 0
    ids = np.searchsorted(kept, codes)
    ids[ids == len(kept)] = 0
    ids[kept[ids] != codes] = -1
    return ids, len(kept)


class MatchingWeights:
    """The weights ŵ_M of a kernel, each computed once."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self._known: dict[Overlap, float] = {}

    def matrix(self, left: list[Slot], right: list[Slot]) -> np.ndarray:
        """W: ŵ for each slot on the left and on the right, (len(left), len(right))."""
        table = [[(x, y, tuple(sorted(zip(a, b, strict=True)))) for y, b in right] for x, a in left]
        missing = {overlap for row in table for overlap in row} - self._known.keys()
        self._known.update(matching_weights(self.kernel, missing))
        return np.array([[self._known[overlap] for overlap in row] for row in table]).reshape(len(left), len(right))


class GramOperator:
    """K between two groups of strings as Z N Zᵀ + Φ W Φᵀ + diagonal, without building it: `gram @ vector`.

    Args:
        weights: the weights of matchings under the kernel.
        columns: one group.
        rows: the other one, the same unless given.

    Attributes:
        template: N (r, r′).
        phi, other: the sparse Φ of the rows and of the columns, (n, slots × sets).
        blocks: W of each level.
        base: for one group, K(x, x) − N_ii of each string.
        diagonal: for one group, `base` without Φ's part.

    Raises:
        ValueError: for strings that share sets of tokens in too many ways.
    """

    def __init__(self, weights: MatchingWeights, columns: StringGroup, rows: StringGroup | None = None) -> None:
        self.columns, self.rows = columns, rows or columns
        tables = columns.symbols + (rows.symbols if rows else [])
        self.levels = list(shared_sets(tables, len(columns.symbols) if rows else None))
        self.other, theirs = _indicators(self.levels, columns, 0)
        self.phi, mine = _indicators(self.levels, rows, len(columns.symbols)) if rows else (self.other, theirs)
        for level, left, right in zip(self.levels, mine, theirs, strict=True):
            if max(len(left), len(right)) > SLOTS_LIMIT:
                raise ValueError(f"strings share sets of {level.size} tokens in {len(right)} ways: too many wildcards "
                                 "for so few symbols; use templates with fewer wildcards, or a larger alphabet")
        self.template = weights.matrix([(x, ()) for x in self.rows.shapes], [(x, ()) for x in columns.shapes])
        self.blocks = [weights.matrix(*slots) for slots in zip(mine, theirs, strict=True)]
        self.diagonal = None
        if not rows:
            same = kernel_values(weights.kernel, [same_string(x) for x in columns.shapes])
            self.base = np.repeat(same - np.diag(self.template), columns.sizes)
            self.diagonal = self.base - self.phi @ self._blockwise(lambda block, sets: np.repeat(np.diag(block), sets))

    def __matmul__(self, vector: np.ndarray) -> np.ndarray:
        """K times a vector (columns,), (rows,)."""
        result = np.repeat(self.template @ self.columns.template_sums(vector), self.rows.sizes)
        if self.blocks:
            shared, start = self.other.T @ vector, 0
            parts = []
            for level, block in zip(self.levels, self.blocks, strict=True):
                stop = start + level.sets * block.shape[1]
                part = shared[start:stop].reshape(-1, level.sets)
                parts.append((block @ part if block.size > 64 else np.einsum("ij,jk->ik", block, part)).ravel())
                start = stop
            result += self.phi @ (parts[0] if len(parts) == 1 else np.concatenate(parts))
        if self.diagonal is not None:
            result += self.diagonal * vector
        return result

    def _blockwise(self, function: Callable[[np.ndarray, int], np.ndarray]) -> np.ndarray:
        parts = [function(block, level.sets) for level, block in zip(self.levels, self.blocks, strict=True)]
        return np.concatenate([np.empty(0), *parts])


def _indicators(levels: list[Level], group: StringGroup, first: int) -> tuple[sparse.csr_matrix, list[list[Slot]]]:
    """Φ of a group whose tables have the numbers from `first` on, (n, Σ slots × sets), and the slots of each level."""
    starts = np.cumsum([0, *group.sizes])
    rows, columns, slots, width_ = [np.empty(0, np.int32)], [np.empty(0, np.int32)], [], 0
    for level in levels:
        mine = [entry for entry in level.entries if 0 <= entry[0] - first < len(group.symbols)]
        orders = list(permutations(range(level.size)))
        slots.append([(group.shapes[g - first], tuple(wildcards[k] for k in order))
                      for g, wildcards, *_ in mine for order in orders])
        for i, (g, _, where, ids, numbers) in enumerate(mine):
            rows.append(where + starts[g - first])
            columns.append(width_ + (i * len(orders) + numbers) * level.sets + ids)
        width_ += level.sets * len(slots[-1])
    entries = np.concatenate(rows), np.concatenate(columns)
    return sparse.csr_matrix((np.ones(len(entries[0])), entries), shape=(starts[-1], width_)), slots


class Preconditioner:
    """The inverse of D + Z N Zᵀ, D the diagonal of K − Z N Zᵀ + λ: templates deflated, the rest scaled.

    By Woodbury's identity it is D⁻¹ − D⁻¹ Z core Zᵀ D⁻¹. Negative eigenvalues of N, due to errors, count as 0.

    Args:
        gram: K of one group of strings.
        shift: λ divided by the number of equal strings, (distinct strings,).
    """

    def __init__(self, gram: GramOperator, shift: np.ndarray) -> None:
        self.group = gram.columns
        self.scale = 1 / (shift + np.maximum(gram.base, 0))  # D⁻¹
        values, vectors = np.linalg.eigh(gram.template)
        root = vectors * np.sqrt(np.maximum(values, 0))
        inner = np.eye(len(root)) + (root.T * self.group.template_sums(self.scale)) @ root
        self.core = root @ np.linalg.solve(inner, root.T)

    def __call__(self, residual: np.ndarray) -> np.ndarray:
        """The inverse times a vector (n,)."""
        scaled = self.scale * residual
        scaled -= self.scale * np.repeat(self.core @ self.group.template_sums(scaled), self.group.sizes)
        return scaled


def conjugate_gradients(apply: Callable, solve: Callable, target: np.ndarray, weights: np.ndarray, stop: float,
             max_iterations: int) -> tuple[np.ndarray, int, float]:
    """Preconditioned conjugate gradients: the solution, iterations and residual √(Σ weights · residual²) ≤ stop.

    The true residual is computed at the end; the descent restarts if the recursive residual has drifted.

    Args:
        apply: the matrix times a vector.
        solve: the preconditioner times a vector.
        target: the right-hand side.
        weights: of the squared residuals.
        stop: the residual to reach.
        max_iterations: after which it gives up.

    Raises:
        RuntimeError: for a matrix that is not positive definite, or without convergence.
    """
    solution, residual, iterations = np.zeros_like(target), target.copy(), 0
    norm = before = math.sqrt(float(weights @ residual**2))
    while norm > stop:
        direction, slope = np.zeros_like(target), 1.0
        while norm > 0.5 * stop and iterations < max_iterations:
            scaled = solve(residual)
            previous, slope = slope, float(residual @ scaled)
            direction *= slope / previous
            direction += scaled
            image = apply(direction)
            curvature = float(direction @ image)
            if not (curvature > 0 and slope > 0):
                raise RuntimeError(f"the kernel matrix plus ridge is not positive definite (after {iterations} "
                                   "iterations of conjugate gradients); raise the ridge, or refine the kernel")
            solution += slope / curvature * direction
            residual -= slope / curvature * image
            norm = math.sqrt(float(weights @ residual**2))
            iterations += 1
        residual = target - apply(solution)
        norm = math.sqrt(float(weights @ residual**2))
        if norm > stop and (iterations >= max_iterations or norm > 0.5 * before):
            raise RuntimeError(f"conjugate gradients did not converge: after {iterations} iterations the residual is "
                               f"{norm / stop:.2g} times the tolerance; raise ridge, tolerance or max_iterations")
        before = norm
    return solution, iterations, norm
