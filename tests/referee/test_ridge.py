"""Kernel ridge regression by a Gram matrix, one pair of strings after the other, and NumPy's dense solver."""

import numpy as np
import pytest
import torch

from abstract_symbols import KernelRidge, TransformerKernel
from abstract_symbols.templates import Sample, TemplateTask

KERNEL = TransformerKernel(2.0, 1.0, "cos", 2.0, 0.3)
PLAIN, ABA = {"αα": 1, "αβ": -1}, {"αβα": 1, "αββ": -1}
REGULAR = {"αAα": 1, "αAβ": -1, "αBα": 2, "ABα": 0.5}


def own_sample(labels, n, symbols, seed, noise=0.0):
    """Strings as rows of token ids: regular tokens first, wildcards' symbols after them, distinct in a string."""
    rng, task = np.random.default_rng(seed), TemplateTask(labels)
    regular = sorted({c for template in labels for c in template if c.isascii()})
    assert list(task.regular) == regular
    rows, y, which = [], [], []
    for _ in range(n):
        which.append(int(rng.integers(len(labels))))
        template = list(labels)[which[-1]]
        wild = sorted({c for c in template if c not in regular})
        ids = dict(zip(wild, len(regular) + rng.permutation(symbols)[:len(wild)], strict=True))
        rows.append([int(ids[c]) if c in ids else regular.index(c) for c in template])
        y.append(labels[template] + noise * rng.standard_normal())
    alphabet = range(len(regular), len(regular) + symbols)
    return Sample(task, alphabet, torch.tensor(rows), torch.tensor(y, dtype=torch.float64), torch.tensor(which))


def gram(rows, columns):
    values = KERNEL.values([(tuple(x), tuple(y)) for x in rows for y in columns])
    return values.reshape(len(rows), len(columns))


def agree(found, expected, tolerance=1e-8):
    assert np.abs(found - expected).max() < tolerance * np.abs(expected).max()


@pytest.mark.parametrize("labels, n, symbols, ridge, noise", [
    (PLAIN, 40, 40, 1e-2, 0.0),
    (PLAIN, 40, 40, 1e-2, 1.0),
    (PLAIN, 40, 8, 1e-4, 0.5),   # strings that occur several times
    (ABA, 40, 20, 1.0, 0.0),
    (ABA, 40, 4, 1e-3, 0.2),      # nearly every string twice or more
    (REGULAR, 40, 25, 1e-2, 0.3),
    (REGULAR, 40, 8, 10.0, 0.0),
], ids=["plain", "noise", "repeated", "large ridge", "four symbols", "regular tokens", "regular, larger ridge"])
def test_predictions_and_coefficients_are_the_dense_solution(labels, n, symbols, ridge, noise):
    """Section 3's estimator f(x) = Σ aᵢ K(x, xᵢ), a = (K + λI)⁻¹ y."""
    train, unseen = own_sample(labels, n, symbols, 1, noise), own_sample(labels, 10, 500, 2)
    rows, new = train.tokens.tolist(), (unseen.tokens + 1000 * (unseen.tokens >= len(train.task.regular))).tolist()
    coefficients = np.linalg.solve(gram(rows, rows) + ridge * np.eye(n), train.labels.numpy())
    model = KernelRidge(KERNEL, ridge=ridge).fit(train)
    agree(model.coefficients, coefficients)
    for strings in (rows, new):
        agree(model.predict(np.array(strings)), gram(strings, rows) @ coefficients)


def test_several_outputs_are_solved_each_on_its_own():
    """The same estimator with three outputs."""
    train = own_sample(ABA, 40, 10, 3)
    rows, y = train.tokens.tolist(), np.random.default_rng(4).standard_normal((40, 3))
    k = gram(rows, rows)
    coefficients = np.linalg.inv(k + 0.05 * np.eye(40)) @ y
    model = KernelRidge(KERNEL, ridge=0.05).fit(train, y)
    agree(model.coefficients, coefficients)
    agree(model.predict(train), k @ coefficients)
