"""Fixtures of tests that draw: rows with numbers that are easy to foretell, and a place where figures are displayed."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from companion.experiments import experiment

__all__ = ["by_rate", "closed", "displayed", "rows", "shared_rows", "widths"]


@pytest.fixture(autouse=True)
def closed():
    """Pyplot forgets every figure after a test; a shared one stays as it is."""
    yield
    plt.close("all")


def _same_different():
    slopes = {"Fully-connected": 0.0, "Transformer": 0.1, "Modified transformer": 0.2}
    return pd.DataFrame([
        {"series": series, "n": of.n, "seed": of.seed, "device": "cpu", "torch": "2.13.0",
         "test_loss": 1 - slopes[series] * (np.log2(of.n) - 2) / 2 + 0.05 * (of.seed - 2),
         "final_test_loss": 2.0}
        for of, series in experiment("same-different").runs().items()
    ])


@pytest.fixture
def rows():
    """Every run of same-different: losses fall from 1 by a slope of the series, ± 0.1 over the seeds."""
    return _same_different()


@pytest.fixture(scope="module")
def shared_rows():
    """The same, for figures that a module's tests share; nobody changes them."""
    return _same_different()


@pytest.fixture(scope="module")
def widths():
    """Errors 2 / √width of the first series, 3 / width of the second, ± 10% over the seeds; nobody changes them."""
    e = experiment("width")
    first = next(iter(e.series))
    return pd.DataFrame([
        {"series": series, "width": of.width, "seed": of.seed,
         "error": (2 * of.width**-0.5 if series == first else 3 / of.width) * (1.1 if of.seed % 2 else 0.9)}
        for of, series in e.runs().items()])


@pytest.fixture
def by_rate():
    """Rows of lr-depth-1024, an experiment over learning rates: least at 0.001."""
    return pd.DataFrame([
        {"series": series, "lr": of.lr, "seed": of.seed, "test_loss": abs(np.log10(of.lr / 1e-3)),
         "final_test_loss": 2.0} for of, series in experiment("lr-depth-1024").runs().items()])


@pytest.fixture
def displayed(tmp_path, monkeypatch):
    """What a notebook would show: pairs of data and metadata by MIME type."""
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output
    from traitlets.config import Config

    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    config = Config()
    config.HistoryManager.enabled = False
    InteractiveShell.instance(config=config)
    with capture_output() as captured:
        yield captured
    InteractiveShell.clear_instance()
