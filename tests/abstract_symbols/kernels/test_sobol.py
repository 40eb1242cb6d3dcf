"""The Sobol rule against plain Monte Carlo and the lattice rule."""

import math

import numpy as np
import pytest
from monte_carlo import PAIRS, attention_by_monte_carlo

from abstract_symbols.kernels import TransformerKernel


@pytest.mark.parametrize("beta, gamma", [(0.5, 1.0), (2.0, 1.0), (8.0, 1.0)])
def test_sobol_points_agree_with_plain_monte_carlo(beta, gamma):
    kernel = TransformerKernel(beta, gamma, samples=2**15, method="sobol")
    for x, y in PAIRS[:4]:
        value, error = attention_by_monte_carlo(x, y, beta, gamma)
        assert abs(kernel.attention(x, y) - value) < 4 * math.hypot(error, kernel.attention_error(x, y)), (x, y)


def test_lattice_and_sobol_points_agree_within_the_sobol_error():
    for beta, gamma in [(0.2, 2.0), (1.0, 0.3), (2.0, 1.0), (3.5, 0.3)]:
        lattice = TransformerKernel(beta, gamma).attention_values(PAIRS[:4])
        sobol = TransformerKernel(beta, gamma, samples=2**16, method="sobol")
        z = (sobol.attention_values(PAIRS[:4]) - lattice) / sobol.attention_errors(PAIRS[:4])
        assert np.abs(z).max() < 12  # Student's t of 3 degrees of freedom: 0.1 %
        assert np.median(np.abs(z)) < 3


def test_strings_too_tangled_for_the_lattice_are_left_to_sobol_points():
    x, y = "AAAABBBBCCCCDDDD", "EFGHEFGHEFGHEFGH"
    with pytest.raises(ValueError, match="method 'auto' or 'sobol'"):
        TransformerKernel(1.0, 1.0, method="lattice").attention(x, y)
    kernel = TransformerKernel(1.0, 1.0, samples=2**14)
    value, error = attention_by_monte_carlo(x, y, 1.0, 1.0)
    assert abs(kernel.attention(x, y) - value) < 4 * math.hypot(error, kernel.attention_error(x, y))
