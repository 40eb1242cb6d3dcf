"""Matchings of wildcards: the kernel between two templates as a sum over the pairs of wildcards that share a token.

Source:
    section 3 of the paper, "Kernel theorem"; the chapter "Learning from n strings".
"""

from collections.abc import Iterable, Sequence
from itertools import combinations

import numpy as np

from ..templates import Template, TemplateTask
from .protocol import Kernel

Shape = tuple[int, ...]  # a template as numbers: a regular token's id, or −1 − a for its wildcard number a
Matching = tuple[tuple[int, int], ...]  # (a, b), …, sorted: wildcard a of one shape holds the token of b of the other
Overlap = tuple[Shape, Shape, Matching]


def task_shapes(task: TemplateTask) -> list[Shape]:
    """The task's templates as shapes, in the task's order."""
    return [template_shape(template, task.regular) for template in task.templates]


def template_shape(template: Template, regular: Sequence[str]) -> Shape:
    """A template as numbers: the id of each regular token, −1 − a for wildcard number a.

    Args:
        template: the template.
        regular: all regular tokens, in the order of their ids.
    """
    return tuple(-1 - template.wildcards.index(c) if c in template.wildcards else regular.index(c)
                 for c in template.pattern)


def width(shape: Shape) -> int:
    """The number of wildcards of a shape."""
    return max(0, -min(shape))


def same_string(shape: Shape) -> Overlap:
    """The overlap of a string with itself: every wildcard is matched with itself."""
    return shape, shape, tuple((a, a) for a in range(width(shape)))


def matched_strings(x: Shape, y: Shape, matching: Matching = ()) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Two strings of tokens of the given shapes that share the matched wildcards' tokens and no others."""
    first = 1 + max(0, *x, *y)
    partner = {b: a for a, b in matching}
    left = {-1 - a: first + a for a in range(width(x))}
    right = {-1 - b: first + partner.get(b, width(x) + b) for b in range(width(y))}
    return tuple(left.get(c, c) for c in x), tuple(right.get(c, c) for c in y)


def kernel_values(kernel: Kernel, overlaps: Sequence[Overlap]) -> np.ndarray:
    """K for strings of two shapes that share exactly the matched tokens, (len(overlaps),) float64."""
    return np.asarray(kernel.values([matched_strings(*overlap) for overlap in overlaps]), dtype=np.float64)


def matching_weights(kernel: Kernel, overlaps: Iterable[Overlap]) -> dict[Overlap, float]:
    """ŵ_M with K(x, y) = Σ ŵ_M over the matchings M on which x and y agree, by Möbius inversion.

    ŵ_M = Σ_{M′ ⊆ M} (−1)^{|M| − |M′|} K(M′): the kernel's part that needs all of M at once.

    Args:
        kernel: the kernel K.
        overlaps: pairs of shapes, each with its matching M.

    Returns:
        The weight of each overlap.

    Source:
        ours, for the chapter "Learning from n strings".
    """
    parts = {(x, y, m): [(x, y, part) for size in range(len(m) + 1) for part in combinations(m, size)]
             for x, y, m in overlaps}
    needed = list(dict.fromkeys(part for some in parts.values() for part in some))
    values = dict(zip(needed, kernel_values(kernel, needed).tolist(), strict=True)) if needed else {}
    return {(x, y, m): sum((-1) ** (len(m) - len(part[2])) * values[part] for part in some)
            for (x, y, m), some in parts.items()}
