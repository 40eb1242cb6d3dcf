"""What a kernel on strings must offer, so that ridge regression and template matrices can use it."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from .patterns import String


class Kernel(Protocol):
    """A symmetric positive semi-definite function of two strings that depends only on which tokens are equal."""

    def values(self, pairs: Sequence[tuple[String, String]]) -> np.ndarray:
        """The kernel of many pairs of strings of equal length, (len(pairs),) float64."""


class RandomisedKernel(Kernel, Protocol):
    """A kernel whose values are means over independent randomisations of an integration rule."""

    def estimates(self, pairs: Sequence[tuple[String, String]]) -> np.ndarray:
        """The kernel by each randomisation, (len(pairs), randomisations) float64; a column uses the same points."""
