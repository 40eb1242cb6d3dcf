"""Kernel ridge regression on strings, exact, in time and memory linear in the number of strings.

Two strings agree on a partial matching of their wildcards, and K(x, y) = Σ ŵ_M over the matchings M on which they agree
(`matching_weights`). So K·v needs no Gram matrix: with Z the indicators of the templates and Φ those of the sets of
tokens that several strings share (which wildcards hold them, and in which order), K = Z N Zᵀ + Φ W Φᵀ + diagonal.

Source: section 3 of the paper, "Estimator"; the chapter "Learning from n strings".
"""

import math
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations

import numpy as np
import torch
from scipy import linalg, sparse

from ..templates import TINY, UNNAMED, Sample, named_token, real, whole
from .template_matrix import Overlap, Shape, kernel_values, matching_weights, width

DENSE_LIMIT = 16384  # strings: a Gram matrix of 2 GB
SLOTS_LIMIT = 1000  # arrangements of wildcards: their pairs are the kernel values needed
_Slot = tuple[Shape, tuple[int, ...]]  # a shape, and which of its wildcards hold the sorted tokens of a set
Strings = Sequence[str] | Sequence[Sequence[Hashable]] | torch.Tensor | np.ndarray | Sample


class KernelRidge:
    """Kernel ridge regression f(x) = Σ_i a_i K(x, x_i), a = (K + ridge · I)⁻¹ y.

    Args:
        kernel: `values(pairs)` gives K of pairs of token sequences, a symmetric positive semi-definite function of
            which tokens are equal, such as `TransformerKernel`.
        ridge: λ, added to the diagonal of the Gram matrix.
        tolerance: of the residual |y − (K + λ) a| / |y| at which conjugate gradients stop.
        max_iterations: after which they give up.
        method: "linear", or "dense", which solves with the Gram matrix (for checks).

    Attributes after `fit`: coefficients, a, (n,) or (n, outputs); iterations and residual, the largest over outputs;
    outputs, the label tokens of a symbolic task in the order of the predictions' columns, otherwise None.

    Raises: ValueError for parameters that are not positive, or an unknown method.

    Source: section 3, "Estimator".
    """

    def __init__(self, kernel, ridge: float = 1e-2, *, tolerance: float = 1e-10, max_iterations: int = 2000,
                 method: str = "linear"):
        ridge, tolerance = (real(name, value, "a positive number, such as 0.01", TINY)
                            for name, value in {"ridge": ridge, "tolerance": tolerance}.items())
        if method not in ("linear", "dense"):
            raise ValueError(f"method {method!r}: must be 'linear' or 'dense'")
        self.kernel, self.ridge, self.tolerance = kernel, ridge, tolerance
        self.max_iterations, self.method = whole("max_iterations", max_iterations, 1), method
        self._weights: dict[Overlap, float] = {}
        self.coefficients: np.ndarray | None = None

    def fit(self, sample: Sample, labels: np.ndarray | None = None) -> "KernelRidge":
        """Fit to a sample. Symbolic labels become one-hot columns, one for each token that occurs as a label.

        Args: labels, (n,) or (n, outputs), instead of the sample's.
        Raises: ValueError for labels of a wrong shape or not finite, for strings with so many wildcards in so small an
            alphabet that there are too many matchings, and for more than 16384 strings with method="dense".
            RuntimeError if conjugate gradients do not converge.
        Source: section 3, "Estimator".
        """
        y, outputs = _targets(sample, labels)
        tokens, regular = sample.tokens.cpu().numpy(), sample.task.regular
        if self.method == "dense":
            gram = gram_matrix(self.kernel, sample)
            columns = linalg.solve(gram + self.ridge * np.eye(len(y)), y, assume_a="pos")
            residuals = np.linalg.norm(y - gram @ columns - self.ridge * columns, axis=0)
            solved = columns, 0, float((residuals / np.maximum(np.linalg.norm(y, axis=0), 1e-300)).max())
            train = None
        else:
            train = _Group.distinct(tokens, len(regular))
            solved = self._conjugate_gradients(train, y)
        self.coefficients, self.iterations, self.residual = solved
        self._sums = self.coefficients if train is None else train.sums(self.coefficients)
        self._train, self._tokens, self._regular, self.outputs = train, tokens, regular, outputs
        if y.shape[1] == 1 and outputs is None and np.ndim(sample.labels if labels is None else labels) == 1:
            self.coefficients = self.coefficients[:, 0]
        return self

    def predict(self, strings: Strings) -> np.ndarray:
        """Predictions for strings, seen or not, of any template.

        Args: strings, a list of `str` or of token sequences, a Sample, or integers (n, k). In a `str` every character
            is a token: a regular token, a training symbol by its name (as in `Sample.strings`), or an unseen symbol.
        Returns: (n,), or (n, outputs) after a fit to several outputs.
        Raises: ValueError before `fit`, and for strings of another length than the training strings.
        Source: section 3, "Estimator".
        """
        if self.coefficients is None:
            raise ValueError("this model is not fitted; call fit(sample) first")
        tokens = self._token_ids(strings)
        if self._train is None:
            result = _gram(self.kernel, tokens, self._tokens, len(self._regular)) @ self._sums
        else:
            group = _Group.as_given(tokens, len(self._regular))
            gram = _Gram(self, self._train, group)
            result = np.empty((len(tokens), self._sums.shape[1]))
            for column, sums in zip(result.T, self._sums.T, strict=True):
                column[group.rows] = gram @ sums
        return result if self.coefficients.ndim == 2 else result[:, 0]

    def _conjugate_gradients(self, train: "_Group", y: np.ndarray) -> tuple[np.ndarray, int, float]:
        """Coefficients (n, outputs), iterations and residual, for one output after the other.

        A string that occurs c times is one unknown with the ridge λ / c: the sum of its equal strings' coefficients.
        """
        gram = _Gram(self, train)
        shift = self.ridge / train.counts
        solve = _Preconditioner(gram, shift)
        coefficients = np.empty_like(y)
        most, worst = 0, 0.0
        for target, result in zip(y.T, coefficients.T, strict=True):
            mean = train.sums(target) / train.counts
            size = math.sqrt(float(target @ target))
            solution, iterations, residual = _descend(
                lambda v: gram @ v + shift * v, solve, mean, train.counts, size * self.tolerance, self.max_iterations)
            result[:] = train.spread(solution / train.counts - mean / self.ridge) + target / self.ridge
            most, worst = max(most, iterations), max(worst, residual / size if size else 0.0)
        return coefficients, most, worst

    def _weight_matrix(self, left: list[_Slot], right: list[_Slot]) -> np.ndarray:
        """W: ŵ for each slot on the left and on the right, (len(left), len(right))."""
        table = [[(x, y, tuple(sorted(zip(a, b, strict=True)))) for y, b in right] for x, a in left]
        missing = {overlap for row in table for overlap in row} - self._weights.keys()
        self._weights.update(matching_weights(self.kernel, missing))
        return np.array([[self._weights[overlap] for overlap in row] for row in table]).reshape(len(left), len(right))

    def _token_ids(self, strings: Strings) -> np.ndarray:
        """Strings as token ids (n, k)."""
        if isinstance(strings, Sample):
            if strings.task.regular != self._regular:
                raise ValueError(f"sample with the regular tokens {strings.task.regular}; the training strings' are "
                                 f"{self._regular}, so ids mean other tokens; pass its .strings")
            strings = strings.tokens.cpu()
        if isinstance(strings, str):
            raise ValueError(f"predict wants a list of strings; write [{strings!r}]")
        length = self._tokens.shape[1]
        if isinstance(strings, torch.Tensor | np.ndarray) and strings.ndim == 2:
            tokens = np.asarray(strings)
            if tokens.shape[1] != length:
                raise ValueError(f"strings of {tokens.shape[1]} tokens; the training strings have {length}")
            if tokens.dtype.kind not in "iu" or tokens.size and tokens.min() < 0:
                raise ValueError("tokens must be integers, 0 or more")
            return tokens.astype(np.int64, copy=False)
        others: dict[Hashable, int] = {}
        ids = [[self._token_id(token, others) for token in string] for string in strings]
        for string, row in zip(strings, ids, strict=True):
            if len(row) != length:
                raise ValueError(f"string {string!r} has {len(row)} tokens; the training strings have {length}")
        return np.array(ids, dtype=np.int64).reshape(len(ids), length)

    def _token_id(self, token: Hashable, others: dict[Hashable, int]) -> int:
        if isinstance(token, int | np.integer):
            if token < 0:
                raise ValueError(f"token {token}: integer tokens are ids, 0 or more")
            return int(token)
        if isinstance(token, str) and len(token) == 1:
            return named_token(token, self._regular)
        return others.setdefault(token, 2 * UNNAMED + len(others))


def dense_ridge(kernel, sample: Sample, strings: Strings, ridge: float = 1e-2) -> np.ndarray:
    """Predictions of kernel ridge regression solved with the whole Gram matrix: the reference for `KernelRidge`.

    Args and returns: as `KernelRidge.fit` and `predict`. Raises: ValueError as they do. Source: section 3, "Estimator".
    """
    return KernelRidge(kernel, ridge, method="dense").fit(sample).predict(strings)


def gram_matrix(kernel, sample: Sample, other: Sample | None = None) -> np.ndarray:
    """The Gram matrix of a sample's strings, or its kernel with another sample's strings: (n, n′) float64.

    Raises: ValueError for more than 16384 strings, or samples whose regular tokens differ.
    Source: section 3, "Estimator".
    """
    other = sample if other is None else other
    if max(len(sample), len(other)) > DENSE_LIMIT:
        raise ValueError(f"a Gram matrix of {max(len(sample), len(other))} strings; at most {DENSE_LIMIT} fit")
    if sample.task.regular != other.task.regular:
        raise ValueError(f"samples with different regular tokens: {sample.task.regular}, {other.task.regular}")
    return _gram(kernel, sample.tokens.cpu().numpy(), other.tokens.cpu().numpy(), len(sample.task.regular))


def _gram(kernel, x: np.ndarray, y: np.ndarray, regular: int) -> np.ndarray:
    """K of token rows (n, k) and (n′, k): one kernel value for each pattern of equal tokens that occurs."""
    result = np.empty((len(x), len(y)))
    for left, rows, mine in _templates(x, regular):
        for right, columns, theirs in _templates(y, regular):
            pairs = [(a, b) for a in range(width(left)) for b in range(width(right))]
            if len(pairs) > 62:
                raise ValueError(f"strings with {width(left)} and {width(right)} wildcards: too many for a Gram matrix")
            code = np.zeros((len(rows), len(columns)), dtype=np.int64 if len(pairs) > 15 else np.int16)
            for bit, (a, b) in enumerate(pairs):
                code |= (mine[:, a, None] == theirs[:, b]).astype(code.dtype) << bit
            if len(pairs) > 15:
                patterns, code = np.unique(code, return_inverse=True)
            else:
                patterns = np.flatnonzero(np.bincount(code.ravel(), minlength=1))
                code = np.searchsorted(patterns, np.arange(patterns[-1] + 1))[code]
            matchings = [tuple(p for bit, p in enumerate(pairs) if pattern >> bit & 1) for pattern in patterns.tolist()]
            values = kernel_values(kernel, [(left, right, matching) for matching in matchings])
            result[np.ix_(rows, columns)] = values[code]
    return result


def _targets(sample: Sample, labels: np.ndarray | None) -> tuple[np.ndarray, np.ndarray | None]:
    """Labels as columns (n, outputs) float64, and the label tokens if they are symbolic."""
    n = len(sample)
    if labels is None and not sample.labels.is_floating_point():
        outputs, index = np.unique(sample.labels.cpu().numpy(), return_inverse=True)
        if n * len(outputs) > 2**28:
            raise ValueError(f"{len(outputs)} different label tokens for {n} strings: one-hot labels would need "
                             f"{n * len(outputs) * 8 / 1e9:.0f} GB; use a smaller alphabet, or pass labels")
        y = np.zeros((n, len(outputs)))
        y[np.arange(n), index] = 1.0
        return y, outputs
    y = np.asarray(sample.labels.cpu() if labels is None else labels).astype(np.float64)
    if y.ndim not in (1, 2) or len(y) != n or not y.size:
        raise ValueError(f"labels of shape {y.shape} for {n} strings; must be ({n},) or ({n}, outputs)")
    if not np.isfinite(y).all():
        raise ValueError("labels must be finite numbers")
    return y.reshape(n, -1), None


# ---- strings in order --------------------------------------------------------------------------------------------


def _templates(tokens: np.ndarray, regular: int) -> Iterator[tuple[Shape, np.ndarray, np.ndarray]]:
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
class _Group:
    """Strings sorted by shape, and inside a shape by their tokens.

    Attributes: shapes; symbols, (n_i, w_i) tokens of the wildcards for each shape; rows, (n,) which given string comes
    here; first and counts, where equal strings begin in `rows` and how many they are.
    """

    shapes: list[Shape]
    symbols: list[np.ndarray]
    rows: np.ndarray
    first: np.ndarray | None = None  # None: every string for itself
    counts: np.ndarray | None = None

    @classmethod
    def as_given(cls, tokens: np.ndarray, regular: int) -> "_Group":
        shapes, rows, symbols = zip(*_templates(tokens, regular), strict=True) if len(tokens) else ((), (), ())
        return cls(list(shapes), list(symbols), np.concatenate([np.empty(0, np.int64), *rows]))

    @classmethod
    def distinct(cls, tokens: np.ndarray, regular: int) -> "_Group":
        """A group of the distinct strings."""
        shapes, symbols, rows, starts, done = [], [], [], [], 0
        for shape, where, table in _templates(tokens, regular):
            code = _pack(table)
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

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Of values (n, …) of the given strings: summed over equal ones, in this order."""
        return np.add.reduceat(values[self.rows], self.first, axis=0)

    def spread(self, values: np.ndarray) -> np.ndarray:
        """Values of the distinct strings, for the given strings in their order."""
        result = np.empty(len(self.rows))
        result[self.rows] = np.repeat(values, self.counts.astype(np.int64))
        return result

    def template_sums(self, values: np.ndarray) -> np.ndarray:
        """Zᵀ values: summed over the strings of each shape."""
        return np.array([part.sum() for part in np.split(values, np.cumsum(self.sizes)[:-1])])

    @property
    def sizes(self) -> list[int]:
        return [len(s) for s in self.symbols]


def _pack(rows: np.ndarray) -> np.ndarray:
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


# ---- sets of tokens that strings share ---------------------------------------------------------------------------

@dataclass
class _Level:
    """Sets of `size` tokens that several strings share.

    Attributes: sets, their number; entries, (table, wildcards, rows, set ids, orders): which rows of which table hold
    such a set in these wildcards, and the number of the permutation of the wildcards that sorts the tokens.
    """

    size: int
    sets: int
    entries: list[tuple[int, tuple[int, ...], np.ndarray, np.ndarray, np.ndarray]]


def _levels(tables: list[np.ndarray], split: int | None = None) -> Iterator[_Level]:
    """Sets of one, two, … tokens that occur twice in the tables (n_i, w_i), or on both sides of the table `split`.

    A set can only be shared if all smaller ones in it are, so each level looks where the one before found some.
    """
    alive = {(g, ()): np.ones(len(table), dtype=bool) for g, table in enumerate(tables)}
    for size in range(1, max((table.shape[1] for table in tables), default=0) + 1):
        found = []
        for g, table in enumerate(tables):
            for wildcards in combinations(range(table.shape[1]), size):
                smaller = [alive.get((g, wildcards[:i] + wildcards[i + 1:])) for i in range(size)]
                if all(mask is not None for mask in smaller):
                    rows = np.flatnonzero(np.logical_and.reduce(smaller))
                    found.append((g, wildcards, rows, *_sorted_sets(table, rows, wildcards)))
        if not found:
            return
        left = None if split is None else sum(len(rows) for g, _, rows, _, _ in found if g < split)
        ids, sets = _shared(_pack(np.concatenate([tokens for *_, tokens, _ in found])), left)
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
        yield _Level(size, sets, entries)


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
        ids = np.cumsum(chosen)
        ids[~chosen] = 0
        return ids[codes] - 1, int(chosen.sum())
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


# ---- the Gram matrix as an operator ------------------------------------------------------------------------------


class _Gram:
    """K between two groups of strings as Z N Zᵀ + Φ W Φᵀ + diagonal, without building it: `gram @ vector`.

    Attributes: template, N (r, r′); phi and other, the sparse Φ of the rows and of the columns, (n, slots × sets);
    blocks, W of each level; for one group also base, K(x, x) − N_ii for each string, and diagonal, Φ's part taken off.
    """

    def __init__(self, model: KernelRidge, columns: _Group, rows: _Group | None = None):
        self.columns, self.rows = columns, rows or columns
        tables = columns.symbols + (rows.symbols if rows else [])
        self.levels = list(_levels(tables, len(columns.symbols) if rows else None))
        self.other, theirs = _indicators(self.levels, columns, 0)
        self.phi, mine = _indicators(self.levels, rows, len(columns.symbols)) if rows else (self.other, theirs)
        for level, left, right in zip(self.levels, mine, theirs, strict=True):
            if max(len(left), len(right)) > SLOTS_LIMIT:
                raise ValueError(f"strings share sets of {level.size} tokens in {len(right)} ways: too many wildcards "
                                 "for so few symbols; use templates with fewer wildcards, or a larger alphabet")
        self.template = model._weight_matrix([(x, ()) for x in self.rows.shapes], [(x, ()) for x in columns.shapes])
        self.blocks = [model._weight_matrix(*slots) for slots in zip(mine, theirs, strict=True)]
        self.diagonal = None
        if not rows:
            whole = [(x, x, tuple((a, a) for a in range(width(x)))) for x in columns.shapes]
            self.base = np.repeat(kernel_values(model.kernel, whole) - np.diag(self.template), columns.sizes)
            self.diagonal = self.base - self.phi @ self._blockwise(lambda block, sets: np.repeat(np.diag(block), sets))

    def __matmul__(self, vector: np.ndarray) -> np.ndarray:
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


def _indicators(levels: list[_Level], group: _Group, first: int) -> tuple[sparse.csr_matrix, list[list[_Slot]]]:
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
    where = np.concatenate(rows), np.concatenate(columns)
    return sparse.csr_matrix((np.ones(len(where[0])), where), shape=(starts[-1], width_)), slots


class _Preconditioner:
    """The inverse of D + Z N Zᵀ, D the diagonal of K − Z N Zᵀ + λ: templates deflated, the rest scaled.

    By Woodbury's identity it is D⁻¹ − D⁻¹ Z core Zᵀ D⁻¹. N's negative eigenvalues, if errors made any, count as 0.
    """

    def __init__(self, gram: _Gram, shift: np.ndarray):
        self.group = gram.columns
        self.scale = 1 / (shift + np.maximum(gram.base, 0))  # D⁻¹
        values, vectors = np.linalg.eigh(gram.template)
        root = vectors * np.sqrt(np.maximum(values, 0))
        inner = np.eye(len(root)) + (root.T * self.group.template_sums(self.scale)) @ root
        self.core = root @ np.linalg.solve(inner, root.T)

    def __call__(self, residual: np.ndarray) -> np.ndarray:
        scaled = self.scale * residual
        scaled -= self.scale * np.repeat(self.core @ self.group.template_sums(scaled), self.group.sizes)
        return scaled


def _descend(apply: Callable, solve: Callable, target: np.ndarray, weights: np.ndarray, stop: float,
             max_iterations: int) -> tuple[np.ndarray, int, float]:
    """Preconditioned conjugate gradients: the solution, iterations and residual √(Σ weights · residual²) ≤ stop.

    The residual is computed afresh at the end; if rounding has led it astray, the descent starts again from there.
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
