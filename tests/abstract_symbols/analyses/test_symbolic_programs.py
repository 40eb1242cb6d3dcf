"""What networks answer to programs."""

import pandas as pd
import pytest

from abstract_symbols.analyses.symbolic_programs import answer_shares, shares_alt


def test_shares_are_means_over_seeds_and_add_up():
    rows = pd.DataFrame({"series": ["a", "a", "b"], "n": [64, 64, 64], "other": [0.25, 0.75, 0.0],
                         "neither": [0.25, 0.25, 1.0]})
    shares = answer_shares(rows).set_index("series")
    assert shares.loc["a", ["right", "other", "neither"]].tolist() == pytest.approx([0.25, 0.5, 0.25])
    assert shares.loc["a", "among"] == pytest.approx(1 / 3)
    assert pd.isna(shares.loc["b", "among"])
    assert "a, n = 64: right 25%, another 50%, none 25%." in shares_alt(answer_shares(rows))
