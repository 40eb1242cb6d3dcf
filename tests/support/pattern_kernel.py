"""A kernel that needs no sampling, for tests."""

import numpy as np


class PatternKernel:
    """exp of a weighted count of equalities inside the strings and between them: positive definite, and exact."""

    def values(self, pairs):
        return np.array([self(x, y) for x, y in pairs])

    def estimates(self, pairs):
        return np.repeat(self.values(pairs)[:, None], 2, axis=1)

    def __call__(self, x, y):
        k = len(x)
        between = np.array([[float(a == b) for b in y] for a in x])
        inside = [np.array([[float(a == b) for b in z] for a in z]).ravel() for z in (x, y)]
        return float(np.exp(0.7 * between.mean() + 0.5 * np.trace(between) / k + (inside[0] @ inside[1]) / k**2 - 1.5))
