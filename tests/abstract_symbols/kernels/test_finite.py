"""The finite network, whose features converge to the kernel."""

import math

import numpy as np
import pytest
import torch

from abstract_symbols import TemplateTask
from abstract_symbols.kernels import FiniteTransformer, TransformerKernel
from abstract_symbols.kernels.finite import last_layer


def test_the_finite_network_converges_like_the_square_root_of_its_width():
    kernel = TransformerKernel(2.0, 1.0, b1=1.0, b2=0.3)
    rows = ["AAB", "ABB", "CDC", "EEF", "EFF"]
    limit = kernel.values([(x, y) for x in rows for y in rows]).reshape(5, 5)
    widths = [8, 16, 32, 64]
    errors = [math.sqrt(np.mean([(FiniteTransformer(kernel, w, seed=s).gram(rows) - limit) ** 2 for s in range(24)]))
              for w in widths]
    slope = np.polyfit(np.log(widths), np.log(errors), 1)[0]
    assert -0.65 < slope < -0.35, (slope, errors)


@pytest.mark.parametrize("activation, b2", [("relu", 0.0), (torch.tanh, 0.5)])
def test_the_mean_of_wide_networks_is_the_kernel(activation, b2):
    kernel = TransformerKernel(1.0, 0.8, activation, b2=b2)
    rows = ["AB", "BA", "AA", "CD"]
    limit = kernel.values([(x, y) for x in rows for y in rows]).reshape(4, 4)
    grams = np.array([FiniteTransformer(kernel, 64, d_mlp=512, seed=s).gram(rows) for s in range(16)])
    error = grams.std(0, ddof=1) / 4
    assert (np.abs(grams.mean(0) - limit) < 5 * error + 0.01).all()  # 0.01: a bias of order 1 / width


def test_features_are_reproducible_and_know_their_tokens():
    kernel = TransformerKernel(1.0, 1.0)
    network = FiniteTransformer(kernel, 16, d_mlp=8)
    first = network.features(["AB", "CD"])
    assert first.shape == (2, 8) and first.dtype == torch.float64
    torch.testing.assert_close(network.features(["AB"]), first[:1])
    torch.testing.assert_close(FiniteTransformer(kernel, 16, d_mlp=8).features(["AB", "CD"]), first)


def test_a_fitted_last_layer_is_the_weights_of_ridge_regression_on_the_features():
    """By the normal equations: w = (FᵀF + λI)⁻¹ Fᵀ y, with fewer features than strings and with more."""
    task = TemplateTask({"αα": 1, "αβ": -1})
    train, others = task.sample(20, range(10), seed=0), task.sample(5, range(10, 20), seed=1)
    for d_mlp in (8, 40):
        network = FiniteTransformer(TransformerKernel(1.0, 1.0), 16, d_mlp=d_mlp)
        predictions = last_layer(network, train, others.tokens, ridge=0.1)
        f = network.features([*train.tokens.tolist(), *others.tokens.tolist()]).numpy()
        w = np.linalg.solve(f[:20].T @ f[:20] + 0.1 * np.eye(d_mlp), f[:20].T @ train.labels.numpy())
        np.testing.assert_allclose(predictions, f @ w, atol=1e-10)
