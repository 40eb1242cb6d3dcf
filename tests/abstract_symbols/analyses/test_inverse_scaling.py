"""The symbols needed for copying, against the embedding dimension."""

import numpy as np
import pandas as pd
import pytest

from abstract_symbols.analyses.inverse_scaling import PAPER, growth, n50_alt, n50_by_dimension
from companion.published import published_n50


def falling(dimension, at, end=2048):
    """Rows of one seed whose test error jumps from 1 to 0 between n = at and 4 at: n₅₀ is 2 at."""
    return [{"series": dimension, "n": n, "seed": 0, "test_error": float(n <= at)} for n in (16, 64, 256, 1024, end)]


def test_a_known_growth_is_found():
    rows = pd.DataFrame([*falling("d = 64", 16), *falling("d = 256", 64), *falling("d = 1024", 256),
                         *falling("d = 4096", 10_000)])
    table = n50_by_dimension({"ours": ("copy", rows)})
    ours = table[table["series"] == "ours"]
    assert ours["n50"].tolist() == pytest.approx([32, 128, 512])  # the last one never falls
    assert ours["d_emb"].tolist() == [64, 256, 1024]
    paper = table[table["series"] == PAPER]
    assert paper["n50"].tolist() == [published_n50("copy", d) for d in paper["dimension"]]
    grown = growth(table).set_index("series")
    assert grown.loc["ours", "exponent"] == pytest.approx(1.0)
    assert (grown.loc["ours", "first"], grown.loc["ours", "last"]) == (64, 1024)
    ratios = np.array([32, 128, 512]) / [published_n50("copy", f"d = {d}") for d in (64, 256, 1024)]
    assert grown.loc["ours", "least"] == pytest.approx(ratios.min())
    assert grown.loc["ours", "most"] == pytest.approx(ratios.max())
    assert "ours: 32 at d_emb = 64, 128 at d_emb = 256, 512 at d_emb = 1024." in n50_alt(table)
