"""Duals of activations: E[φ(u) φ(v)] for Gaussians u and v, in closed form or by quadrature.

Source:
    section 3 of the paper, K_trans.
"""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

_NODES = 96  # of the Gauss–Hermite rule, in each dimension


def cos_dual(xx: np.ndarray, xy: np.ndarray, yy: np.ndarray, b1: float = 1.0, b2: float = 0.0) -> np.ndarray:
    """E[cos(b1 u + b2) cos(b1 v + b2)] for (u, v) ~ N(0, [[xx, xy], [xy, yy]]), (n,).

    Args:
        xx: variances of u, (n,).
        xy: covariances, (n,).
        yy: variances of v, (n,).
        b1: the factor of the argument.
        b2: its shift.

    Source:
        section 3, K_trans.
    """
    minus, plus = np.exp(-b1**2 * (xx + yy - 2 * xy) / 2), np.exp(-b1**2 * (xx + yy + 2 * xy) / 2)
    return (minus + math.cos(2 * b2) * plus) / 2


def relu_dual(xx: np.ndarray, xy: np.ndarray, yy: np.ndarray) -> np.ndarray:
    """E[relu(u) relu(v)], (n,), the arc-cosine kernel of degree 1; arguments as for `cos_dual`.

    Source:
        Cho and Saul, 2009.
    """
    scale = np.sqrt(xx * yy)
    cosine = np.clip(xy / scale, -1, 1)
    return scale * (np.sqrt(1 - cosine**2) + (math.pi - np.arccos(cosine)) * cosine) / (2 * math.pi)


def erf_dual(xx: np.ndarray, xy: np.ndarray, yy: np.ndarray) -> np.ndarray:
    """E[erf(u) erf(v)], (n,), the arc-sine kernel; arguments as for `cos_dual`.

    Source:
        Williams, 1997.
    """
    return 2 / math.pi * np.arcsin(2 * xy / np.sqrt((1 + 2 * xx) * (1 + 2 * yy)))


def gelu_dual(xx: np.ndarray, xy: np.ndarray, yy: np.ndarray) -> np.ndarray:
    """E[gelu(u) gelu(v)] for gelu(t) = t Φ(t), (n,); arguments as for `cos_dual`.

    By Gaussian integration by parts from E[Φ(u)Φ(v)] and E[φ(u)φ(v)], with φ the normal density.
    """
    both = (1 + xx) * (1 + yy)
    cdfs = 1 / 4 + np.arcsin(xy / np.sqrt(both)) / (2 * math.pi)
    densities = 1 / (2 * math.pi * np.sqrt(both - xy**2))
    return xy * cdfs + densities * (xx * yy + xy**2 * (1 - xx / (1 + xx) - yy / (1 + yy)))


def gauss_hermite(phi: Callable[[Tensor], Tensor], xx: np.ndarray, xy: np.ndarray, yy: np.ndarray) -> np.ndarray:
    """E[φ(u) φ(v)] by two-dimensional Gauss–Hermite quadrature: precise for smooth φ, poor for one with kinks.

    Args:
        phi: the activation, elementwise on float64 tensors.
        xx: variances of u, (n,).
        xy: covariances, (n,).
        yy: variances of v, (n,).

    Returns:
        (n,) float64.

    Source:
        section 3, K_trans.
    """
    points, weights = np.polynomial.hermite_e.hermegauss(_NODES)
    g, w = torch.from_numpy(points), torch.from_numpy(weights / weights.sum())
    result = np.empty(len(xx))
    for i, (a, c, b) in enumerate(zip(xx.tolist(), xy.tolist(), yy.tolist(), strict=True)):
        root = math.sqrt(a)
        u = root * g  # (nodes,)
        v = c / root * g[:, None] + math.sqrt(max(b - c**2 / a, 0.0)) * g  # (nodes, nodes)
        result[i] = torch.dot(w * phi(u), phi(v) @ w)
    return result


CLOSED_FORMS: dict[str, Callable[..., np.ndarray]] = {
    "cos": cos_dual, "relu": relu_dual, "erf": erf_dual, "gelu": gelu_dual}
