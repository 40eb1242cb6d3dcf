"""Kernel ridge regression on strings, exact, in time and memory linear in the number of strings (`gram_operator`).

Source:
    section 3 of the paper, "Estimator"; the chapter "Learning from n strings".
"""

import math
from collections.abc import Hashable, Sequence
from typing import TypeAlias

import numpy as np
import torch
from scipy import linalg

from ..checks import TINY, check_integer, check_real, one_of
from ..templates import UNNAMED, Sample, named_token
from .gram_operator import (
    GramOperator,
    MatchingWeights,
    Preconditioner,
    StringGroup,
    conjugate_gradients,
    split_by_shape,
)
from .matchings import kernel_values, width
from .protocol import Kernel

DENSE_LIMIT = 16384  # strings: a Gram matrix of 2 GB
Strings: TypeAlias = Sequence[str] | Sequence[Sequence[Hashable]] | torch.Tensor | np.ndarray | Sample


class KernelRidge:
    """Kernel ridge regression f(x) = Σ_i a_i K(x, x_i), a = (K + ridge · I)⁻¹ y.

    Args:
        kernel: `values(pairs)` gives K of pairs of token sequences, a symmetric positive semi-definite function of
            which tokens are equal, such as `TransformerKernel`.
        ridge: λ, added to the diagonal of the Gram matrix.
        tolerance: of the residual |y − (K + λ) a| / |y| at which conjugate gradients stop.
        max_iterations: after which they give up.
        method: "linear", or "dense", which solves with the Gram matrix (for checks).

    Attributes:
        coefficients: a, (n,) or (n, outputs), after `fit`.
        iterations: of conjugate gradients, the largest number over outputs.
        residual: the largest over outputs.
        outputs: the label tokens of a symbolic task in the order of the predictions' columns, otherwise None.

    Raises:
        ValueError: for parameters that are not positive, or an unknown method.

    Source:
        section 3, "Estimator".
    """

    def __init__(self, kernel: Kernel, ridge: float = 1e-2, *, tolerance: float = 1e-10, max_iterations: int = 2000,
                 method: str = "linear") -> None:
        ridge, tolerance = (check_real(name, value, "a positive number, such as 0.01", TINY)
                            for name, value in {"ridge": ridge, "tolerance": tolerance}.items())
        self.kernel, self.ridge, self.tolerance = kernel, ridge, tolerance
        self.max_iterations = check_integer("max_iterations", max_iterations, 1)
        self.method = one_of("method", method, ("linear", "dense"))
        self._weights = MatchingWeights(kernel)
        self.coefficients: np.ndarray | None = None

    def fit(self, sample: Sample, labels: np.ndarray | None = None) -> "KernelRidge":
        """Fit to a sample. Symbolic labels become one-hot columns, one for each token that occurs as a label.

        Args:
            sample: n strings.
            labels: (n,) or (n, outputs), instead of the sample's.

        Returns:
            The model itself.

        Raises:
            ValueError: for labels of a wrong shape or not finite, for strings with so many wildcards in so small an
                alphabet that there are too many matchings, and for more than 16,384 strings with method="dense".
            RuntimeError: if conjugate gradients do not converge.

        Source:
            section 3, "Estimator".
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
            train = StringGroup.distinct(tokens, len(regular))
            solved = self._conjugate_gradients(train, y)
        self.coefficients, self.iterations, self.residual = solved
        self._sums = self.coefficients if train is None else train.aggregate(self.coefficients)
        self._train, self._tokens, self._regular, self.outputs = train, tokens, regular, outputs
        if y.shape[1] == 1 and outputs is None and np.ndim(sample.labels if labels is None else labels) == 1:
            self.coefficients = self.coefficients[:, 0]
        return self

    def predict(self, strings: Strings) -> np.ndarray:
        """Predictions for strings, seen or not, of any template.

        Args:
            strings: a list of `str` or of token sequences, a Sample, or integers (n, k). In a `str` every character is
                a token: a regular token, a training symbol by its name (as in `Sample.strings`), or an unseen symbol.

        Returns:
            (n,), or (n, outputs) after a fit to several outputs.

        Raises:
            ValueError: before `fit`, and for strings of another length than the training strings.

        Source:
            section 3, "Estimator".
        """
        if self.coefficients is None:
            raise ValueError("this model is not fitted; call fit(sample) first")
        tokens = self._token_ids(strings)
        if self._train is None:
            result = _gram(self.kernel, tokens, self._tokens, len(self._regular)) @ self._sums
        else:
            group = StringGroup.as_given(tokens, len(self._regular))
            gram = GramOperator(self._weights, self._train, group)
            result = np.empty((len(tokens), self._sums.shape[1]))
            for column, sums in zip(result.T, self._sums.T, strict=True):
                column[group.rows] = gram @ sums
        return result if self.coefficients.ndim == 2 else result[:, 0]

    def _conjugate_gradients(self, train: "StringGroup", y: np.ndarray) -> tuple[np.ndarray, int, float]:
        """Coefficients (n, outputs), iterations and residual, for one output after the other.

        A string that occurs c times is one unknown with the ridge λ / c: the sum of its equal strings' coefficients.
        """
        gram = GramOperator(self._weights, train)
        shift = self.ridge / train.counts
        solve = Preconditioner(gram, shift)
        coefficients = np.empty_like(y)
        most, worst = 0, 0.0
        for target, result in zip(y.T, coefficients.T, strict=True):
            mean = train.aggregate(target) / train.counts
            size = math.sqrt(float(target @ target))
            solution, iterations, residual = conjugate_gradients(
                lambda v: gram @ v + shift * v, solve, mean, train.counts, size * self.tolerance, self.max_iterations)
            result[:] = train.broadcast(solution / train.counts - mean / self.ridge) + target / self.ridge
            most, worst = max(most, iterations), max(worst, residual / size if size else 0.0)
        return coefficients, most, worst

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


def dense_ridge(kernel: Kernel, sample: Sample, strings: Strings, ridge: float = 1e-2) -> np.ndarray:
    """Predictions of kernel ridge regression solved with the whole Gram matrix: the reference for `KernelRidge`.

    Args:
        kernel: the kernel K.
        sample: the training strings.
        strings: as in `KernelRidge.predict`.
        ridge: λ.

    Returns:
        (n,), or (n, outputs) for symbolic labels.

    Raises:
        ValueError: as `KernelRidge.fit` and `predict`.

    Source:
        section 3, "Estimator".
    """
    return KernelRidge(kernel, ridge, method="dense").fit(sample).predict(strings)


def gram_matrix(kernel: Kernel, sample: Sample, other: Sample | None = None) -> np.ndarray:
    """The Gram matrix of a sample's strings, or its kernel with another sample's strings: (n, n′) float64.

    Args:
        kernel: the kernel K.
        sample: the n strings of the rows.
        other: the n′ strings of the columns, the same unless given.

    Raises:
        ValueError: for more than 16,384 strings, or samples whose regular tokens differ.

    Source:
        section 3, "Estimator".
    """
    other = sample if other is None else other
    if max(len(sample), len(other)) > DENSE_LIMIT:
        raise ValueError(f"a Gram matrix of {max(len(sample), len(other))} strings; at most {DENSE_LIMIT} fit")
    if sample.task.regular != other.task.regular:
        raise ValueError(f"samples with different regular tokens: {sample.task.regular}, {other.task.regular}")
    return _gram(kernel, sample.tokens.cpu().numpy(), other.tokens.cpu().numpy(), len(sample.task.regular))


def _gram(kernel: Kernel, x: np.ndarray, y: np.ndarray, regular: int) -> np.ndarray:
    """K of token rows (n, k) and (n′, k): one kernel value for each pattern of equal tokens that occurs."""
    result = np.empty((len(x), len(y)))
    for left, rows, mine in split_by_shape(x, regular):
        for right, columns, theirs in split_by_shape(y, regular):
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
