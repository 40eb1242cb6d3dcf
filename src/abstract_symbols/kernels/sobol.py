"""K_attn by randomised quasi-Monte-Carlo: a Gaussian expectation for each equality pattern.

Source:
    section 3 of the paper, "transformer kernel".
"""

from collections.abc import Sequence

import numpy as np
import torch
from scipy.special import ndtri
from scipy.stats import qmc
from torch import Tensor

from .patterns import Pattern

RANDOMISATIONS = 4  # independent; their spread gives the standard error
_CHUNK = 2**22  # float64 numbers in one working array


class SobolRule:
    """E[softmax(βm(X))ᵀ (XYᵀ + γ²I) softmax(βm(Y))] by randomised quasi-Monte-Carlo, for many patterns at once.

    Every pattern of one length uses the same points: independently scrambled Sobol sets, each with its mirror image.

    Args:
        beta: β > 0.
        gamma: γ > 0.
        samples: points of the Gaussian (tokens and positions) in all.
        seed: of the scrambling.
        device: "cpu" or "cuda".

    Source:
        section 3, K_attn.
    """

    def __init__(self, beta: float, gamma: float, samples: int, seed: int, device: str) -> None:
        self.beta, self.gamma, self.samples, self.seed = beta, gamma, samples, seed
        self.device = torch.device(device)
        self._points: dict[int, tuple[Tensor, Tensor]] = {}

    def __call__(self, patterns: Sequence[Pattern]) -> np.ndarray:
        """Estimates of K_attn, (len(patterns), RANDOMISATIONS) float64; the mean of a row is the value."""
        result = np.empty((len(patterns), RANDOMISATIONS))
        groups: dict[int, list[int]] = {}
        for index, (x, _) in enumerate(patterns):
            groups.setdefault(len(x), []).append(index)
        for length, members in groups.items():
            step = max(1, _CHUNK // (self.samples * length))
            for start in range(0, len(members), step):
                chosen = members[start:start + step]
                result[chosen] = self._batch([patterns[i] for i in chosen], length)
        return result

    def _batch(self, patterns: list[Pattern], length: int) -> np.ndarray:
        x, y = (torch.tensor(side, device=self.device) for side in zip(*patterns, strict=True))  # (b, k)
        tokens, positions = self._gaussians(length)  # (n, 2k), (n, k)
        a = torch.softmax(self.beta * (tokens.T[x] + self.gamma * positions.T), dim=1)  # (b, k, n)
        c = torch.softmax(self.beta * (tokens.T[y] + self.gamma * positions.T), dim=1)  # (b, k, n)
        eye = torch.eye(length, dtype=torch.float64, device=self.device)
        middle = (x[:, :, None] == y[:, None, :]) + self.gamma**2 * eye  # (b, k, k): XYᵀ + γ²I
        each = (a * (middle @ c)).sum(1)  # (b, n)
        return each.unflatten(1, (RANDOMISATIONS, -1)).mean(2).cpu().numpy()

    def _gaussians(self, length: int) -> tuple[Tensor, Tensor]:
        """Standard normals ζ (samples, 2k) for the tokens and p (samples, k) for the positions of two strings."""
        if length not in self._points:
            size = max(1, self.samples // (2 * RANDOMISATIONS))
            sets = []
            for child in np.random.SeedSequence([self.seed, length]).spawn(RANDOMISATIONS):
                sobol = qmc.Sobol(3 * length, scramble=True, rng=np.random.default_rng(child))
                half = ndtri(np.clip(sobol.random(size), 1e-16, 1 - 1e-16))
                sets += [half, -half]
            points = torch.from_numpy(np.ascontiguousarray(np.concatenate(sets))).to(self.device)
            self._points[length] = points[:, length:], points[:, :length]
        return self._points[length]
