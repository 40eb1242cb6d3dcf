"""Duals of activations, in closed form, by quadrature and by Monte Carlo."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from abstract_symbols.kernels.activations import cos_dual, erf_dual, gauss_hermite, gelu_dual, relu_dual


@pytest.mark.parametrize("name, dual, phi", [
    ("cos", lambda *k: cos_dual(*k, 1.5, 0.4), lambda t: torch.cos(1.5 * t + 0.4)),
    ("relu", relu_dual, torch.relu),
    ("erf", erf_dual, torch.erf),
    ("gelu", gelu_dual, torch.nn.functional.gelu),
])
@given(st.floats(0.1, 3), st.floats(0.1, 3), st.floats(-0.99, 0.99))
@settings(max_examples=8)
def test_closed_forms_agree_with_monte_carlo_and_quadrature(name, dual, phi, xx, yy, correlation):
    xy = correlation * math.sqrt(xx * yy)
    covariances = [np.array([v]) for v in (xx, xy, yy)]
    exact = dual(*covariances)[0]
    g = torch.from_numpy(np.random.default_rng(0).standard_normal((2, 200_000)))
    u = math.sqrt(xx) * g[0]
    v = xy / math.sqrt(xx) * g[0] + math.sqrt(yy - xy**2 / xx) * g[1]
    each = (phi(u) * phi(v)).numpy()
    assert abs(each.mean() - exact) < 5 * each.std() / math.sqrt(each.size)  # many examples share one draw
    tolerance = 5e-3 if name == "relu" else 1e-9
    assert gauss_hermite(phi, *covariances)[0] == pytest.approx(exact, abs=tolerance)
