"""The template matrix N, and the kernel between two templates as a sum over matchings of their wildcards.

Source: section 3 of the paper, "Kernel theorem"; the chapters "The template matrix" and "Learning from n strings".
"""

from collections.abc import Iterable, Sequence
from itertools import combinations

import numpy as np

from ..templates import Template, TemplateTask

Shape = tuple[int, ...]  # a template as numbers: a regular token's id, or −1 − a for its wildcard number a
Matching = tuple[tuple[int, int], ...]  # (a, b), …, sorted: wildcard a of one shape holds the token of b of the other
Overlap = tuple[Shape, Shape, Matching]


def template_matrix(task: TemplateTask, kernel) -> np.ndarray:
    """N_ij = K(sub(z_i, s), sub(z_j, s′)): the kernel between templates whose wildcards share no token.

    Regular tokens are shared. Returns (r, r) float64, symmetric, for the r templates in the task's order.
    Source: section 3, "template matrix".
    """
    shapes = task_shapes(task)
    return kernel_values(kernel, [(x, y, ()) for x in shapes for y in shapes]).reshape(len(shapes), -1)


def smallest_eigenvalue(task: TemplateTask, kernel) -> tuple[float, float]:
    """The smallest eigenvalue of the template matrix and its standard error.

    With its eigenvector u the eigenvalue moves by Σ u_i u_j dN_ij. The kernel's errors of different pairs may come
    from the same random points, so the error returned is the bound Σ |u_i u_j| e_ij that holds for any correlation.
    Source: section 3: the kernel theorem needs N non-singular.
    """
    shapes = task_shapes(task)
    values, vectors = np.linalg.eigh(template_matrix(task, kernel))
    errors = np.asarray(kernel.errors([matched_strings(x, y) for x in shapes for y in shapes]), dtype=np.float64)
    weight = np.abs(vectors[:, 0])
    return float(values[0]), float(weight @ errors.reshape(len(shapes), -1) @ weight)


def expected_error(task: TemplateTask, kernel, n: float, ridge: float = 1e-2, alphabet: float | None = None) -> float:
    """Mean squared error on unseen symbols that the template matrix predicts for n training strings.

    Write the Gram matrix as Z N Zᵀ + E with Z the (n, r) indicators of the templates. For noise-free labels Z f,
    kernel ridge regression predicts exactly f − B⁻¹ (N + B⁻¹)⁻¹ f on unseen strings, B = Zᵀ (E + λI)⁻¹ Z. Averaging
    E + λI within templates gives B⁻¹ ≈ diag(D_i / (p_i n)) + S / alphabet, where p_i is the template's probability,
    D_i = λ + K(x, x) − N_ii, and S_ij sums the first-order weights of the pairs of wildcards, each equal with
    probability 1 / alphabet. By convexity of the inverse this B is too small, so the error comes out somewhat large
    (by up to a factor of two for the paper's tasks). Label noise adds σ² Σ_ij p_i H_ij² / (p_j n), with
    H = N (N + B⁻¹)⁻¹.

    Args: n strings; alphabet, the number m of training symbols, n unless given.
    Raises: ValueError for symbolic labels, and an n, ridge or alphabet that is not positive.
    Source: ours, for the chapter "The template matrix"; it makes the constants of the kernel theorem explicit.
    """
    return _error(*_error_terms(task, kernel, ridge), n, alphabet)


def predicted_samples(task: TemplateTask, kernel, ridge: float = 1e-2, *, alphabet: float | None = None,
                      error: float = 0.5) -> float:
    """The number of training strings at which `expected_error` falls to `error`; infinity if it never does.

    Labels ±1 have error 1 without data, so the default is the n at which the test error crosses one half. Without
    repeated symbols, equally likely templates and labels along the eigenvector of N's smallest eigenvalue ν, it is
    n = r D (√2 − 1) / ν: a badly conditioned N needs more data.

    Args: alphabet, the number m of training symbols, n unless given; error, mean squared.
    Raises: ValueError as `expected_error`, and for an error that is not positive.
    Source: ours, for the chapter "The template matrix".
    """
    if not error > 0:
        raise ValueError(f"error={error}: must be a positive mean squared error, such as 0.5")
    terms = _error_terms(task, kernel, ridge)
    low, high = 0.0, 40.0  # log₂ n
    if _error(*terms, 2**high, alphabet) > error:
        return float("inf")
    while high - low > 1e-9:
        middle = (low + high) / 2
        low, high = (middle, high) if _error(*terms, 2**middle, alphabet) > error else (low, middle)
    return 2**high


def _error_terms(task: TemplateTask, kernel, ridge: float) -> tuple:
    """The task, N, D (r,) and S (r, r) of `expected_error`."""
    if task.symbolic:
        raise ValueError(f"task {task.name!r} has symbolic labels; a squared error needs real ones")
    if not (np.isfinite(ridge) and ridge > 0):
        raise ValueError(f"ridge={ridge}: must be a positive number")
    shapes = task_shapes(task)
    n = template_matrix(task, kernel)
    same = kernel_values(kernel, [(x, x, tuple((a, a) for a in range(width(x)))) for x in shapes])
    singles = {(i, j): [(x, y, ((a, b),)) for a in range(width(x)) for b in range(width(y))]
               for i, x in enumerate(shapes) for j, y in enumerate(shapes)}
    weights = matching_weights(kernel, [overlap for overlaps in singles.values() for overlap in overlaps])
    s = np.array([sum(weights[overlap] for overlap in overlaps) for overlaps in singles.values()])
    return task, n, ridge + same - np.diag(n), s.reshape(n.shape)


def _error(task: TemplateTask, n_matrix: np.ndarray, d: np.ndarray, s: np.ndarray, n: float,
           alphabet: float | None) -> float:
    alphabet = n if alphabet is None else alphabet
    if not (n > 0 and alphabet > 0):
        raise ValueError(f"n={n}, alphabet={alphabet}: must be positive")
    p = task.probabilities
    loss = np.diag(d / (p * n)) + s / alphabet  # B⁻¹
    miss = loss @ np.linalg.solve(n_matrix + loss, task.values)
    keep = np.linalg.solve(n_matrix + loss.T, n_matrix.T).T  # H
    return float(p @ (miss**2 + keep**2 @ (task.noise**2 / (p * n))))


# ---- shapes and matchings ----------------------------------------------------------------------------------------


def task_shapes(task: TemplateTask) -> list[Shape]:
    """The task's templates as shapes."""
    return [template_shape(template, task.regular) for template in task.templates]


def template_shape(template: Template, regular: Sequence[str]) -> Shape:
    """A template as numbers: the id of each regular token, −1 − a for wildcard number a."""
    return tuple(-1 - template.wildcards.index(c) if c in template.wildcards else regular.index(c)
                 for c in template.pattern)


def width(shape: Shape) -> int:
    """The number of wildcards."""
    return max(0, -min(shape))


def matched_strings(x: Shape, y: Shape, matching: Matching = ()) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Two strings of tokens of the given shapes that share the matched wildcards' tokens and no others."""
    first = 1 + max(0, *x, *y)
    partner = {b: a for a, b in matching}
    left = {-1 - a: first + a for a in range(width(x))}
    right = {-1 - b: first + partner.get(b, width(x) + b) for b in range(width(y))}
    return tuple(left.get(c, c) for c in x), tuple(right.get(c, c) for c in y)


def kernel_values(kernel, overlaps: Sequence[Overlap]) -> np.ndarray:
    """K for strings of two shapes that share exactly the matched tokens; one float64 an overlap."""
    return np.asarray(kernel.values([matched_strings(*overlap) for overlap in overlaps]), dtype=np.float64)


def matching_weights(kernel, overlaps: Iterable[Overlap]) -> dict[Overlap, float]:
    """ŵ_M with K(x, y) = Σ ŵ_M over the matchings M on which x and y agree, by Möbius inversion.

    ŵ_M = Σ_{M′ ⊆ M} (−1)^{|M| − |M′|} K(M′): the kernel's part that needs all of M at once.
    Source: ours, for the chapter "Learning from n strings".
    """
    parts = {(x, y, m): [(x, y, part) for size in range(len(m) + 1) for part in combinations(m, size)]
             for x, y, m in overlaps}
    needed = list(dict.fromkeys(part for some in parts.values() for part in some))
    values = dict(zip(needed, kernel_values(kernel, needed).tolist(), strict=True)) if needed else {}
    return {(x, y, m): sum((-1) ** (len(m) - len(part[2])) * values[part] for part in some)
            for (x, y, m), some in parts.items()}
