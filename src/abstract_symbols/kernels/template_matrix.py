"""The template matrix N, and the kernel between two templates as a sum over matchings of their wildcards.

Source: section 3 of the paper, "Kernel theorem"; the chapters "The template matrix" and "Learning from n strings".
"""

from collections.abc import Iterable, Sequence
from itertools import combinations

import numpy as np

from ..templates import TINY, Template, TemplateTask, real

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

    With its eigenvector u the eigenvalue moves by Σ u_i u_j dN_ij. The kernel's integration rule is randomised a few
    times; each gives all entries by the same points, so that most of their errors cancel in this sum, whose spread
    over the randomisations gives the standard error.
    Source: section 3: the kernel theorem needs N non-singular.
    """
    shapes = task_shapes(task)
    values, vectors = np.linalg.eigh(template_matrix(task, kernel))
    u = vectors[:, 0]
    estimates = kernel.estimates([matched_strings(x, y) for x in shapes for y in shapes])  # (r², randomisations)
    moved = np.outer(u, u).ravel() @ estimates  # (randomisations,)
    return float(values[0]), float(moved.std(ddof=1) / np.sqrt(len(moved)))


def expected_error(task: TemplateTask, kernel, n: float, ridge: float = 1e-2,
                   alphabet: float | np.ndarray | None = None) -> float:
    """Mean squared error on unseen symbols that the template matrix predicts for n training strings.

    Write the Gram matrix as Z N Zᵀ + E with Z the (n, r) indicators of the templates. For noise-free labels Z f,
    kernel ridge regression predicts exactly f − B⁻¹ (N + B⁻¹)⁻¹ f on unseen strings, B = Zᵀ (E + λI)⁻¹ Z. Averaging
    E + λI within templates gives B⁻¹ ≈ diag(D_i / (p_i n)) + S / alphabet, where p_i is the template's probability,
    D_i = λ + K(x, x) − N_ii, and S_ij sums the first-order weights of the pairs of wildcards, each equal with
    probability 1 / alphabet. By convexity of the inverse this B is too small, so the error comes out somewhat large
    (by up to a factor of two for the paper's tasks). Label noise adds σ² Σ_i p_i (H dB⁻¹/dλ Hᵀ)_ii, with
    H = N (N + B⁻¹)⁻¹; for the B above dB⁻¹/dλ = diag(1 / (p_i n)).

    Symbols that are not equally likely would make the average bad, for strings of frequent symbols then count less.
    So for a law of symbols (E + λI) u = Z v is solved for u(x) = c_i + Σ_a g_{ia}(x_a), a function of each wildcard's
    symbol, with the number of strings of template i that have symbol t in a place set to its mean, p_i n P_t. Pairs of
    symbols that come together repeatedly are left out: where they are many, the error comes out too small.

    Args: n strings; alphabet, the number m of training symbols, n unless given, or the probabilities P_t of the symbols
        in a wildcard's place (`TemplateTask.law`).
    Raises: ValueError for symbolic labels, an n, ridge or alphabet that is not positive, and a law that is none.
    Source: ours, for the chapters "The template matrix" and "Learning from n strings"; it makes the constants of the
    kernel theorem explicit.
    """
    return _error(*_error_terms(task, kernel, ridge), n, alphabet)


def predicted_samples(task: TemplateTask, kernel, ridge: float = 1e-2, *, alphabet: float | None = None,
                      error: float = 0.5) -> float:
    """The number of training strings at which `expected_error` falls to `error`; infinity if it never does.

    Labels ±1 have error 1 without data, so the default is the n at which the test error crosses one half. Without
    repeated symbols, equally likely templates and labels along the eigenvector of N's smallest eigenvalue ν, it is
    n = r D (√2 − 1) / ν: a badly conditioned N needs more data.

    Args: alphabet, the number m of training symbols, n unless given; infinity for symbols that never repeat, which is
        much cheaper, since N and the kernel of a string with itself say it all; error, mean squared.
    Raises: ValueError as `expected_error`, and for an error that is not positive.
    Source: ours, for the chapter "The template matrix".
    """
    real("error", error, "a positive mean squared error, such as 0.5", TINY)
    terms = _error_terms(task, kernel, ridge, repeats=alphabet != float("inf"))
    low, high = 0.0, 40.0  # log₂ n
    if _error(*terms, 2**high, alphabet) > error:
        return float("inf")
    while high - low > 1e-9:
        middle = (low + high) / 2
        low, high = (middle, high) if _error(*terms, 2**middle, alphabet) > error else (low, middle)
    return 2**high


def _error_terms(task: TemplateTask, kernel, ridge: float, repeats: bool = True) -> tuple:
    """Of `expected_error`: the task, N, D (r,), the weight of each pair of wildcards (w, w), whose they are (r, w).

    The weights are left at 0 where no symbol repeats.
    """
    if task.symbolic:
        raise ValueError(f"task {task.name!r} has symbolic labels; a squared error needs real ones")
    real("ridge", ridge, "a positive number, such as 0.01", TINY)
    shapes = task_shapes(task)
    n = template_matrix(task, kernel)
    same = kernel_values(kernel, [(x, x, tuple((a, a) for a in range(width(x)))) for x in shapes])
    places = [(i, a) for i, x in enumerate(shapes) for a in range(width(x))]
    pairs = [(shapes[i], shapes[j], ((a, b),)) for i, a in places for j, b in places]
    weights = matching_weights(kernel, pairs) if repeats else {}
    w = np.array([weights.get(pair, 0.0) for pair in pairs]).reshape(len(places), len(places))
    members = np.array([[float(i == template) for i, _ in places] for template in range(len(shapes))])
    return task, n, ridge + same - np.diag(n), w, members


def _error(task: TemplateTask, n_matrix: np.ndarray, d: np.ndarray, w: np.ndarray, members: np.ndarray, n: float,
           alphabet: float | np.ndarray | None) -> float:
    alphabet = n if alphabet is None else alphabet
    if not (n > 0 and np.all(np.asarray(alphabet) > 0)):
        raise ValueError(f"n={n}, alphabet={alphabet}: must be positive")
    if np.ndim(alphabet) and not np.isclose(np.sum(alphabet), 1):
        raise ValueError(f"alphabet: probabilities that add up to {np.sum(alphabet):.6g}; must be a number of symbols, "
                         "or add up to 1")
    p, step = task.probabilities, 1e-4 * d.min()
    loss = _loss(p, d, w, members, n, alphabet)
    miss = loss @ np.linalg.solve(n_matrix + loss, task.values)
    keep = np.linalg.solve(n_matrix + loss.T, n_matrix.T).T  # H
    noise = 0.0
    if task.noise:  # dB⁻¹/dλ as a difference: λ enters through d alone
        up, down = (_loss(p, d + sign * step, w, members, n, alphabet) for sign in (1, -1))
        noise = task.noise**2 * np.diag(keep @ (up - down) @ keep.T) / (2 * step)
    return float(p @ (miss**2 + noise))


def _loss(p: np.ndarray, d: np.ndarray, w: np.ndarray, members: np.ndarray, n: float,
          alphabet: float | np.ndarray) -> np.ndarray:
    """B⁻¹ (r, r), of `expected_error`."""
    if np.ndim(alphabet) == 0:
        return np.diag(d / (p * n)) + members @ w @ members.T / alphabet
    # With m_{jb} = c_j + Σ_{b′≠b} mean of g_{jb′}, each symbol's g solves D g + n P_t W p (m + g) = 0. One
    # eigendecomposition of W, scaled to be symmetric, does it for all symbols.
    scale = np.sqrt(members.T @ (p / d))
    values, vectors = np.linalg.eigh(scale * w * scale[:, None])
    seen = n * np.asarray(alphabet) * np.maximum(values, 0)[:, None]  # (places, symbols)
    share = (seen / (1 + seen)) @ alphabet
    outer = scale / (members.T @ p)
    mean = -(outer[:, None] * vectors * share) @ vectors.T / outer  # m to the means of g
    others = members.T @ members - np.eye(len(w))
    means = np.linalg.solve(np.eye(len(w)) - mean @ others, mean @ members.T)  # c to the means of g
    return np.linalg.inv((p * n)[:, None] * (np.eye(len(p)) + members @ means) / d)


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
