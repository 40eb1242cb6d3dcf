"""The paper's experiment trained again, by code, strings and seeds of our own, against the committed rows."""

import numpy as np
import pytest
import torch

from companion.results import load

from .distributions import t_above, welch
from .transformer import trained

SAME, ABA, COPY = [("aa", 1), ("ab", -1)], [("aba", 1), ("abb", -1)], [("a", "a")]
SETTINGS = {  # experiment, series, metrics, templates, n, seeds, options
    "plain": ("same-different", "Transformer", ("test_loss", "epochs_run"), SAME, 16, 5, {}),
    "a and b": ("same-different", "Modified transformer", ("test_loss", "test_error"), SAME, 16, 6,
                {"a": True, "b": True, "checked": 100}),
    "a": ("architectures", "Transformer + a", ("test_loss", "epochs_run"), ABA, 16, 4, {"a": True}),
    "copying": ("copy", "d = 64", ("test_error", "test_loss", "epochs_run"), COPY, 32, 5, {"d": 64}),
}


@pytest.fixture(autouse=True)
def subnormals_are_zero():
    """As in the committed runs; where attention saturates, a step takes several times as long without."""
    torch.set_flush_denormal(True)
    yield
    torch.set_flush_denormal(False)


@pytest.mark.slow
@pytest.mark.parametrize("setting", SETTINGS)
def test_another_implementation_has_the_rows_mean(setting):
    """Section 5's experiment: Welch's two-sided test of our runs against the rows, at one in a thousand per metric."""
    name, series, metrics, templates, n, seeds, options = SETTINGS[setting]
    rows = load(name).query("series == @series and n == @n")
    runs = np.array([trained(templates, n, 200 + seed, **options) for seed in range(1, 1 + seeds)])
    assert len(rows) >= 5
    for metric in metrics:
        ours = runs[:, ("test_loss", "test_error", "epochs_run").index(metric)]
        t, freedom = welch(ours, rows[metric])
        assert 2 * t_above(abs(t), freedom) > 1e-3, (metric, ours, rows[metric].tolist())
