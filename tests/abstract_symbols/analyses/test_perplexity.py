"""What the chapter "Perplexity" computes."""

import numpy as np
import pandas as pd
import pytest

from abstract_symbols.analyses.perplexity import VALUES, costs, heads_alt, ratios_alt, values


def test_values_are_means_and_ends_over_the_seeds_of_a_variant():
    rows = pd.DataFrame({"series": ["+ b", "Plain", "+ b"], "seed": [0, 0, 1], "perplexity": [10.0, 30.0, 16.0],
                         "validation_perplexity": [4.0, 9.0, 6.0], "train_loss": [1.0, 3.0, 2.0]})
    table = values(rows)
    assert table.columns.tolist() == ["variant", "seeds", *VALUES]
    assert table.values.tolist() == [["+ b", 2, 13.0, 10.0, 16.0, 5.0, 1.5], ["Plain", 1, 30.0, 30.0, 30.0, 9.0, 3.0]]


def test_costs_are_medians_over_seeds():
    rows = pd.DataFrame({"series": "+ a", "length": [256, 128, 128, 128], "time": [2.0, 1.0, 1.5, 9.0],
                         "memory": [1.0, 1.0, 1.25, 1.5], "time_eager": [1.0, 3.0, 1.0, 2.0],
                         "memory_eager": [1.0, 1.0, 1.0, 7.0]})
    table = costs(rows)
    assert table.columns.tolist() == ["variant", "tokens", "time", "memory", "time / eager", "memory / eager"]
    assert table.values.tolist() == [["+ a", 128, 1.5, 1.25, 2.0, 1.0], ["+ a", 256, 2.0, 1.0, 1.0, 1.0]]


@pytest.mark.parametrize("words, expected", [
    (heads_alt({"$a_h$": np.array([[0.1, 0.3], [-0.5, 0.0]])}),
     "a: from -0.500 to 0.300, mean by layer 0.200, -0.250."),
    (ratios_alt(pd.DataFrame({"series": ["+ b"], "ratio": [0.5], "low": [0.25], "high": [1.0]})),
     "+ b: 0.5000, interval 0.2500 to 1.0000."),
])
def test_alternatives_have_the_numbers(words, expected):
    assert words.endswith(expected)
