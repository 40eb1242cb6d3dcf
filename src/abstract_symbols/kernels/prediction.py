"""What the template matrix predicts: learning curves, numbers of strings, widths, and the weights of strings.

Source:
    section 3 of the paper, "Kernel theorem"; the chapters "The template matrix" and "Learning from n strings".
"""

import math

import numpy as np

from ..checks import TINY, check_real
from ..templates import Sample, TemplateTask
from .matchings import kernel_values, matching_weights, same_string, task_shapes, width
from .protocol import Kernel
from .ridge import KernelRidge
from .template_matrix import template_matrix


def expected_error(task: TemplateTask, kernel: Kernel, n: float, ridge: float = 1e-2,
                   alphabet: float | np.ndarray | None = None) -> float:
    """Mean squared error on unseen symbols that the template matrix predicts for n training strings.

    Write the Gram matrix as Z N Zᵀ + E with Z the (n, r) indicators of the templates. For noise-free labels Z f,
    kernel ridge regression predicts exactly f − B⁻¹ (N + B⁻¹)⁻¹ f on unseen strings, B = Zᵀ (E + λI)⁻¹ Z. Averaging
    E + λI within templates gives B⁻¹ ≈ diag(D_i / (p_i n)) + S / alphabet, where p_i is the template's probability,
    D_i = λ + K(x, x) − N_ii, and S_ij sums the first-order weights of the pairs of wildcards, each equal with
    probability 1 / alphabet. By convexity of the inverse this B is too small, so the error comes out somewhat large
    (by up to a factor of two for the paper's tasks). Label noise adds σ² Σ_i p_i (H dB⁻¹/dλ Hᵀ)_ii, with
    H = N (N + B⁻¹)⁻¹; for the B above dB⁻¹/dλ = diag(1 / (p_i n)).

    Symbols that are not equally likely would make the average bad, because strings of frequent symbols count less.
    So for unequal symbols (E + λI) u = Z v is solved for u(x) = c_i + Σ_a g_{ia}(x_a), a function of each wildcard's
    symbol, with the number of strings of template i that have symbol t in a place set to its mean, p_i n P_t. Pairs of
    symbols that come together repeatedly are left out: where they are many, the error comes out too small.

    Args:
        task: with real labels.
        kernel: the kernel K.
        n: number of training strings.
        ridge: λ.
        alphabet: the number m of training symbols, n unless given, or the probabilities P_t of the symbols in a
            wildcard's place (`TemplateTask.symbol_distribution`).

    Raises:
        ValueError: for symbolic labels, for an n, ridge or alphabet that is not positive, and for probabilities that do
            not add up to 1.

    Source:
        ours, for the chapters "The template matrix" and "Learning from n strings"; it makes the constants of the kernel
        theorem explicit.
    """
    return _error(*_error_terms(task, kernel, ridge), n, alphabet)


def predicted_samples(task: TemplateTask, kernel: Kernel, ridge: float = 1e-2, *, alphabet: float | None = None,
                      error: float = 0.5) -> float:
    """The number of training strings at which `expected_error` falls to `error`; infinity if it never does.

    Labels ±1 have error 1 without data, so the default is the n at which the test error crosses one half. Without
    repeated symbols, equally likely templates and labels along the eigenvector of N's smallest eigenvalue ν, it is
    n = r D (√2 − 1) / ν: a badly conditioned N needs more data.

    Args:
        task: with real labels.
        kernel: the kernel K.
        ridge: λ.
        alphabet: the number m of training symbols, n unless given; infinity for symbols that never repeat, which is
            much cheaper, because N and the kernel of a string with itself are enough.
        error: the mean squared error to reach.

    Raises:
        ValueError: as `expected_error`, and for an error that is not positive.

    Source:
        ours, for the chapter "The template matrix".
    """
    check_real("error", error, "a positive mean squared error, such as 0.5", TINY)
    terms = _error_terms(task, kernel, ridge, repeats=alphabet != float("inf"))
    low, high = 0.0, 40.0  # log₂ n
    if _error(*terms, 2**high, alphabet) > error:
        return float("inf")
    while high - low > 1e-9:
        middle = (low + high) / 2
        low, high = (middle, high) if _error(*terms, 2**middle, alphabet) > error else (low, middle)
    return 2**high


def error_bound(task: TemplateTask, kernel: Kernel, n: float, alphabet: float, ridge: float = 1e-2) -> float:
    """A bound on the expected distance of kernel ridge regression's predictions from the labels.

    It is E‖f̂ − f‖ ≤ ‖f‖ τ / ν + σ √(τ / λ) with τ = Σ_i (1 + λ) / n_i + r w / ρ, for n_i = p_i n strings of template
    i, uniform substitution (ρ = alphabet / w), the smallest eigenvalue ν of the template matrix, and kernels K ≤ 1.

    Args:
        task: its noise is σ.
        kernel: at most 1 everywhere.
        n: strings.
        alphabet: the number of training symbols.
        ridge: λ.

    Raises:
        ValueError: symbolic labels; an n, ridge or alphabet that is not positive.

    Source:
        ours, for the chapter "Learning from n strings".
    """
    if task.symbolic:
        raise ValueError(f"task {task.name!r} has symbolic labels; a bound on the error needs real ones")
    for name, value in {"n": n, "alphabet": alphabet, "ridge": ridge}.items():
        check_real(name, value, "a positive number", TINY)
    r, w = len(task.templates), task.wildcards
    nu = float(np.linalg.eigvalsh(template_matrix(task, kernel))[0])
    tau = float(((1 + ridge) / (task.probabilities * n)).sum()) + r * w * w / alphabet
    return float(np.linalg.norm(task.values)) * tau / nu + task.noise * math.sqrt(tau / ridge)


def width_needed(task: TemplateTask, kernel: Kernel) -> float:
    """r D / ν: a network follows its kernel on unseen strings when it is much wider than this.

    D is the mean over the r templates of K(x, x) − N_zz, what a string does not share with others of its template; ν
    is the smallest eigenvalue of the template matrix N.

    Source:
        ours, an estimate; the chapter "From kernel to network".
    """
    shapes, n = task_shapes(task), template_matrix(task, kernel)
    same = kernel_values(kernel, [same_string(x) for x in shapes])
    return float((same - np.diag(n)).sum() / np.linalg.eigvalsh(n)[0])


def collision_constant(task: TemplateTask, kernel: Kernel) -> float:
    """√m times the relative root mean square deviation of the Gram matrix from constant blocks, for many symbols m.

    Two strings of templates i and j share one symbol by accident, wildcard a of the first and b of the second, with
    probability 1/m; that adds δ_ab to the kernel. The mean square of K(x, y) − N_ij is Σ_ab δ_ab² / m + O(1/m²), and is
    taken relative to that of N.

    Args:
        task: with equally likely templates.
        kernel: the kernel K.

    Source:
        ours; the chapter "The transformer's kernel".
    """
    matrix, shapes = template_matrix(task, kernel), task_shapes(task)
    total = 0.0
    for x, row in zip(shapes, matrix, strict=True):
        for y, without in zip(shapes, row, strict=True):
            accidents = [(x, y, ((a, b),)) for a in range(width(x)) for b in range(width(y))]
            total += ((kernel_values(kernel, accidents) - without) ** 2).sum()
    return float((total / (matrix**2).sum()) ** 0.5)


def label_weights(kernel: Kernel, sample: Sample, ridge: float = 1e-2) -> tuple[np.ndarray, np.ndarray]:
    """How kernel ridge regression weighs the training labels, and how it shrinks their weighted means.

    On unseen symbols it predicts N (N + X)⁻¹ Vᵀ y for the r templates, with the labels y (n,) and the template matrix
    N. In column i of the weights V those of template i's strings add up to 1, those of every other template's to 0.

    Args:
        kernel: any that depends only on which tokens are equal.
        sample: the training strings.
        ridge: λ.

    Returns:
        V (n, r) and N + X (r, r).

    Raises:
        ValueError: a template of which the sample has no string.

    Source:
        ours, for the chapter "Learning from n strings".
    """
    indicators = np.eye(len(sample.task.templates))[sample.templates.numpy()]  # (n, r)
    if not indicators.any(0).all():
        absent = sample.task.templates[int(indicators.any(0).argmin())].pattern
        raise ValueError(f"the sample has no string of template {absent!r}; draw more strings")
    coefficients = KernelRidge(kernel, ridge).fit(sample, indicators).coefficients  # (n, r)
    shrinkage = np.linalg.inv(indicators.T @ coefficients)  # N + X
    return coefficients @ shrinkage, shrinkage


def _error_terms(task: TemplateTask, kernel: Kernel, ridge: float, repeats: bool = True,
                 ) -> tuple[TemplateTask, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The terms of `expected_error`: task, N, D (r,), weights of pairs of wildcards (w, w), their templates (r, w).

    The weights are left at 0 where no symbol repeats.
    """
    if task.symbolic:
        raise ValueError(f"task {task.name!r} has symbolic labels; a squared error needs real ones")
    check_real("ridge", ridge, "a positive number, such as 0.01", TINY)
    shapes = task_shapes(task)
    n = template_matrix(task, kernel)
    same = kernel_values(kernel, [same_string(x) for x in shapes])
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
    hat = np.linalg.solve(n_matrix + loss.T, n_matrix.T).T  # H
    noise = 0.0
    if task.noise:  # dB⁻¹/dλ as a difference: λ enters through d alone
        up, down = (_loss(p, d + sign * step, w, members, n, alphabet) for sign in (1, -1))
        noise = task.noise**2 * np.diag(hat @ (up - down) @ hat.T) / (2 * step)
    return float(p @ (miss**2 + noise))


def _loss(p: np.ndarray, d: np.ndarray, w: np.ndarray, members: np.ndarray, n: float,
          alphabet: float | np.ndarray) -> np.ndarray:
    """B⁻¹ of `expected_error`, (r, r)."""
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
