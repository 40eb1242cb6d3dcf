"""Least squares on n examples with d features: its error on unseen examples, below and above n = d."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from companion.experiments import Experiment
from companion.runs import Job


@dataclass(frozen=True)
class LeastSquaresRun(Job):
    """One fit to noisy examples of a linear function; `ridge` 0 stands for the fit of minimum norm."""

    METRICS: ClassVar[dict[str, type]] = {"test_loss": float}

    n: int
    seed: int
    d: int = 32
    noise: float = 0.5
    ridge: float = 0.0

    def measure(self, device: str) -> dict[str, float]:
        """Returns the squared error on an unseen example x ~ N(0, I), noise aside: ‖ŵ − w‖²."""
        rng = np.random.default_rng(self.seed)
        w = rng.standard_normal(self.d) / self.d**0.5                         # (d,)
        X = rng.standard_normal((self.n, self.d))                             # (n, d)
        y = X @ w + self.noise * rng.standard_normal(self.n)                  # (n,)
        penalty = self.ridge**0.5 * np.eye(self.d)                            # (d, d)
        fitted = np.linalg.lstsq(np.vstack([X, penalty]), np.append(y, np.zeros(self.d)), rcond=None)[0]  # (d,)
        return {"test_loss": float(((fitted - w) ** 2).sum())}


EXPERIMENTS = {e.name: e for e in (
    Experiment(name="double-descent", title="Least squares with 32 features", kind=LeastSquaresRun, base={}, seeds=20,
               series={"Minimum norm": {}, "Ridge": {"ridge": 8.0}},
               grid={"n": (4, 8, 16, 24, 28, 32, 36, 48, 64, 128, 256, 512)}),
)}
