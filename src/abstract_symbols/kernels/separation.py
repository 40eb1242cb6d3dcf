"""Separation Δ of two templates under the attention kernel: its exact leading order in β, and eigenvalues that follow.

Between strings of disjoint symbols K_attn is an inner product κ_ij = E[u_i·u_j], u_i the mean output of template i
given the positions' and the regular tokens' Gaussians. So Δ_ij = κ_ii + κ_jj − 2κ_ij = E|u_i − u_j|² is a squared
distance.

Source:
    ours, after section 3 of the paper (non-singularity); the chapter "The template matrix".
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import product
from math import cos, cosh, exp, sin, sinh

import numpy as np

from ..tasks import partitions
from ..templates import Template, TemplateTask
from .expansion import attention_derivative
from .matchings import Shape, matched_strings, same_string, task_shapes, template_shape
from .transformer import TransformerKernel

ORDERS = ((0, 0), (2, 2), (4, 0), (4, 2), (6, 4))  # of (β, γ), section 3: one of them separates any two templates


@dataclass(frozen=True)
class LeadingGap:
    """Δ at small β: β^p Σ_q c_q γ^q + O(β^(p+2)), exactly.

    Attributes:
        beta_order: p.
        coefficients: q → c_q.
    """

    beta_order: int
    coefficients: dict[int, Fraction]

    @property
    def order(self) -> tuple[int, int]:
        """The first derivative that differs: lowest in β, then in γ."""
        return self.beta_order, min(self.coefficients)

    def __str__(self) -> str:
        return f"β^{self.beta_order} (" + " + ".join(f"{c} γ^{q}" for q, c in self.coefficients.items()) + ")"

    def __call__(self, beta: float, gamma: float) -> float:
        """β^p Σ_q c_q γ^q."""
        return float(beta**self.beta_order * sum(float(c) * gamma**q for q, c in self.coefficients.items()))


def attention_gram(task: TemplateTask, kernel: TransformerKernel) -> tuple[np.ndarray, np.ndarray]:
    """K_attn between the task's templates with disjoint symbols, and K_attn of a string with itself.

    Returns:
        κ (r, r) and v (r,).

    Source:
        section 3, K_attn.
    """
    shapes = task_shapes(task)
    kappa = kernel.attention_values([matched_strings(x, y) for x in shapes for y in shapes])
    same = kernel.attention_values([matched_strings(*same_string(x)) for x in shapes])
    return kappa.reshape(len(shapes), -1), same


def leading_gap(z: Template | str, w: Template | str) -> LeadingGap:
    """Δ between two templates at small β, to leading order, with [CLS] appended to both.

    With k the length, n_t the number of occurrences of regular token t, R (k, regular tokens) their one-hot positions,
    W (k, k) the equality matrix of the wildcards, r = W1 and c = 1ᵀW1, and δ for the difference of the two templates:
    |δn|²/k²; where that is 0, β² 2γ²‖δR‖²/k²; where that is 0, β⁴ [Σ_t n_t² δc²/k² + γ²(|δr|² − δc²/k)]/k⁴; where
    that is 0, β⁶ γ⁴ ‖δW‖²/k⁴.

    Raises:
        ValueError: for templates of different lengths, or two that differ in the names of wildcards only (Δ = 0).

    Source:
        ours; proved in the chapter "The template matrix".
    """
    x, y = _shapes(z, w)
    k = len(x)
    (n, one_hot, equal), (m, other_hot, other_equal) = _structure(x), _structure(y)
    counts, placed = n - m, one_hot - other_hot
    rows = (equal - other_equal).sum(1)
    total = int(rows.sum())
    if counts.any():
        return _leading(0, {0: Fraction(int(counts @ counts), k**2)})
    if placed.any():
        return _leading(2, {2: Fraction(2 * int((placed**2).sum()), k**2)})
    if rows.any():
        return _leading(4, {0: Fraction(int(n @ n) * total**2, k**6),
                            2: Fraction(int(rows @ rows), k**4) - Fraction(total**2, k**5)})
    if (equal != other_equal).any():
        return _leading(6, {4: Fraction(int(((equal - other_equal) ** 2).sum()), k**4)})
    raise ValueError(f"templates {str(_pattern(z))!r} and {str(_pattern(w))!r} are the same up to the names of "
                     "wildcards: no kernel separates them")


def gap_derivative(z: Template | str, w: Template | str, p: int, q: int) -> Fraction:
    """∂_β^p ∂_γ^q Δ at (0, 0) between two templates, exactly, with [CLS] appended to both.

    Raises:
        ValueError: for templates of different lengths, and for orders out of range.

    Source:
        section 3, by `attention_derivative`.
    """
    x, y = _shapes(z, w)
    return _between(x, x, p, q) + _between(y, y, p, q) - 2 * _between(x, y, p, q)


def label_derivative(task: TemplateTask, p: int, q: int) -> Fraction:
    """∂_β^p ∂_γ^q of fᵀκf at (0, 0), exactly, with [CLS] appended: how order (p, q) depends on the labels f.

    For labels ±1 that add up to 0 it is E|Σ_i f_i u_i|², a square that vanishes to the order in which the labels are an
    additive function of what the kernel sees.

    Raises:
        ValueError: for symbolic or non-integer labels, and for orders out of range.

    Source:
        ours; the chapter "The template matrix".
    """
    if task.symbolic or not (task.values == np.round(task.values)).all():
        raise ValueError(f"task {task.name!r}: its labels must be integers, such as 1 and -1")
    shapes = [(*shape, len(task.regular)) for shape in task_shapes(task)]
    labels = task.values.astype(int).tolist()
    total = Fraction(0)
    for i, (x, f) in enumerate(zip(shapes, labels, strict=True)):
        for j in range(i + 1):  # the kernel is symmetric
            total += (2 - (i == j)) * f * labels[j] * _between(x, shapes[j], p, q)
    return total


def leading_eigenvalue(task: TemplateTask, kernel: TransformerKernel) -> tuple[int, float]:
    """(p, c) with ν = c β^p (1 + O(β²)), ν the smallest eigenvalue of a two-template task's N, φ the cosine.

    With g(κ) = cos²b₂ cosh(b₁²κ) + sin²b₂ sinh(b₁²κ), N_ij = d_i d_j g(κ_ij), and N is a multiple of ddᵀ at β = 0
    unless p = 0. Then ν = det N / tr N = [g′Δ + (g″ − g′²/g)·a²] / (1/d₁² + 1/d₂²), everything but Δ at β = 0;
    a = Σ_t n_t² δc/k⁴ β² is what the wildcards' counts add to κ at β².

    Raises:
        ValueError: for a task of more or fewer than two templates, or one whose N is regular at β = 0.

    Source:
        ours; the chapter "The template matrix".
    """
    if len(task.templates) != 2:
        raise ValueError(f"task {task.name!r} has {len(task.templates)} templates; the formula is for two")
    gap = leading_gap(*task.templates)
    if gap.beta_order == 0:
        raise ValueError(f"task {task.name!r}: its template matrix is regular at β = 0, there is no power of β")
    x, y = _shapes(*task.templates)
    k, parts = len(x), [_structure(x), _structure(y)]
    same = float(parts[0][0] @ parts[0][0])  # Σ_t n_t²
    pairs = [float(equal.sum()) for _, _, equal in parts]  # c
    kappa = (same + kernel.gamma**2 * k) / k**2
    weights = [exp(kernel.b1**2 * (same + c + kernel.gamma**2 * k) / k**2) for c in pairs]  # 1/d²
    even, odd, b = cos(kernel.b2) ** 2, sin(kernel.b2) ** 2, kernel.b1**2
    g = even * cosh(b * kappa) + odd * sinh(b * kappa)
    slope = b * (even * sinh(b * kappa) + odd * cosh(b * kappa))
    added = same * (pairs[0] - pairs[1]) / k**4 if gap.beta_order == 4 else 0.0
    return gap.beta_order, (slope * gap(1.0, kernel.gamma) + (b**2 * g - slope**2 / g) * added**2) / sum(weights)


def wildcard_templates(k: int) -> list[Template]:
    """All templates of k wildcards, up to their names: αα, αβ for k = 2; the set partitions of the positions.

    Raises:
        ValueError: for a k that is not from 1 to 24, the number of wildcards.
    """
    return [Template(pattern) for pattern in partitions(k)]


def coordinates(kappa: np.ndarray) -> np.ndarray:
    """The points u_i, whose inner products are κ, in their principal axes around their mean.

    Args:
        kappa: κ, (r, r).

    Returns:
        (r, r): rows are templates, and the columns' sums of squares fall from left to right.
    """
    centre = np.eye(len(kappa)) - 1 / len(kappa)
    values, vectors = np.linalg.eigh(centre @ kappa @ centre)
    axes = vectors[:, ::-1] * np.sqrt(np.maximum(values[::-1], 0))
    return axes * np.where(axes[np.abs(axes).argmax(0), range(len(axes))] < 0, -1, 1)


def _pattern(z: Template | str) -> str:
    return z.pattern if isinstance(z, Template) else z


def _shapes(z: Template | str, w: Template | str) -> tuple[Shape, Shape]:
    """Two templates as numbers, [CLS] appended."""
    one, other = Template(_pattern(z)), Template(_pattern(w))
    if one.length != other.length:
        raise ValueError(f"templates {one.pattern!r} and {other.pattern!r} of {one.length} and {other.length} tokens: "
                         "must be of one length")
    regular = tuple(dict.fromkeys(one.regular + other.regular))
    x, y = template_shape(one, regular), template_shape(other, regular)
    return (*x, len(regular)), (*y, len(regular))


@cache
def _between(x: Shape, y: Shape, p: int, q: int) -> Fraction:
    """∂κ between two templates."""
    return attention_derivative(*matched_strings(x, y), p, q)


def _leading(p: int, coefficients: dict[int, Fraction]) -> LeadingGap:
    return LeadingGap(p, {q: c for q, c in coefficients.items() if c})


def _structure(shape: Shape) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """n (tokens,), R (k, tokens) of the regular tokens, the last of which is [CLS], and W (k, k) of the wildcards."""
    k = len(shape)
    one_hot = np.zeros((k, shape[-1] + 1), dtype=int)
    equal = np.zeros((k, k), dtype=int)
    for i, j in product(range(k), repeat=2):
        equal[i, j] = shape[i] == shape[j] < 0
    for i, token in enumerate(shape):
        if token >= 0:
            one_hot[i, token] = 1
    return one_hot.sum(0), one_hot, equal
