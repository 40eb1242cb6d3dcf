"""The template matrix N: the kernel between templates whose wildcards share no token.

Source:
    section 3 of the paper, "Kernel theorem"; the chapter "The template matrix".
"""

import numpy as np

from ..templates import TemplateTask
from .matchings import kernel_values, matched_strings, task_shapes
from .protocol import Kernel, RandomisedKernel


def template_matrix(task: TemplateTask, kernel: Kernel) -> np.ndarray:
    """N_ij = K(sub(z_i, s), sub(z_j, s′)): the kernel between templates whose wildcards share no token.

    Regular tokens are shared.

    Args:
        task: its r templates, in their order, are the rows.
        kernel: the kernel K.

    Returns:
        (r, r) float64, symmetric.

    Source:
        section 3, "template matrix".
    """
    shapes = task_shapes(task)
    return kernel_values(kernel, [(x, y, ()) for x in shapes for y in shapes]).reshape(len(shapes), -1)


def smallest_eigenvalue(task: TemplateTask, kernel: RandomisedKernel) -> tuple[float, float]:
    """The smallest eigenvalue of the template matrix and its standard error.

    With its eigenvector u the eigenvalue moves by Σ u_i u_j dN_ij. The kernel's integration rule is randomised a few
    times; each gives all entries by the same points, so that most of their errors cancel in this sum, whose spread
    over the randomisations gives the standard error.

    Source:
        section 3: the kernel theorem needs N non-singular.
    """
    shapes = task_shapes(task)
    values, vectors = np.linalg.eigh(template_matrix(task, kernel))
    u = vectors[:, 0]
    estimates = kernel.estimates([matched_strings(x, y) for x in shapes for y in shapes])  # (r², randomisations)
    moved = np.outer(u, u).ravel() @ estimates  # (randomisations,)
    return float(values[0]), float(moved.std(ddof=1) / np.sqrt(len(moved)))
