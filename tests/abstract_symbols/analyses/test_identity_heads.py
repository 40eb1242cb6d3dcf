"""What the chapter "Heads that are already identities" computes."""

import numpy as np
import pandas as pd
import pytest

from abstract_symbols.analyses.identity_heads import (
    PRODUCTS,
    calibration,
    maps_alt,
    mean_maps,
    pictured_alt,
    pictured_heads,
    pictured_maps,
    signs,
)


def test_calibration_takes_means_over_runs_and_the_smallest_p():
    rows = pd.DataFrame({"d_emb": [768, 128, 128], "mean": [0.5, 1.0, 2.0], "sd": [1.0, 0.5, 1.0],
                         "p_value": [0.25, 0.75, 0.5]})
    table = calibration(rows)
    assert list(table) == ["d_emb", "mean", "sd", "smallest p of a run"]
    assert table.values.tolist() == [[128, 1.5, 0.75, 0.5], [768, 0.5, 1.0, 0.25]]


@pytest.fixture
def scores():
    """Three heads of one product, two of the other."""
    return pd.DataFrame({"product": ["wvwo", "wkwq", "wkwq", "wkwq", "wvwo"], "layer": [0, 0, 0, 11, 1],
                         "head": [0, 0, 1, 11, 2], "score": [-1.0, 2.0, -4.0, 3.0, -0.0]})


def test_signs_count_the_positive_scores(scores):
    table = signs(scores)
    assert list(table) == ["matrix", "heads", "positive", "median", "least", "largest"]
    assert table.values.tolist() == [["W_K W_Qᵀ", 3, 2, 2.0, -4.0, 3.0], ["W_V W_Oᵀ", 2, 0, -0.5, -1.0, 0.0]]
    assert f"{signs(scores[scores['score'] > -1])['median'][1]:.1f}" == "0.0"
    assert "wkwq: 67% of 3 heads are positive, median 2.0, largest 3.0. wvwo: 0% of 2" in pictured_alt(scores)


def test_a_map_is_masked_where_no_head_was_pictured(scores):
    first, second = pictured_maps(scores).values()
    assert first.shape == second.shape == (12, 12)
    assert first.count() == 3 and second.count() == 2
    assert (first[0, 1], first[11, 11], second[1, 2]) == (-4.0, 3.0, 0.0)


def test_the_pictured_heads_are_those_of_whole_matrices():
    heads = pictured_heads()
    assert list(heads) == ["product", "layer", "head", "score"]
    assert set(heads["product"]) == set(PRODUCTS)
    assert heads["layer"].max() == heads["head"].max() == 11
    assert not heads.duplicated(["product", "layer", "head"]).any()


def test_maps_are_means_over_seeds_by_layer_and_head():
    rows = pd.DataFrame({"series": ["Plain", "Plain", "+ b"], "depth": [2, 2, 2], "heads": [2, 2, 2],
                         "wkwq_heads": ["1 2 3 4", "3 2 1 0", "9 9 9 9"],
                         "wvwo_heads": ["0 0 0 -1", "0 0 0 1", "9 9 9 9"]})
    maps = mean_maps(rows, "Plain")
    assert list(maps) == list(PRODUCTS.values())
    np.testing.assert_array_equal(maps[PRODUCTS["wkwq"]], [[2, 2], [2, 2]])
    np.testing.assert_array_equal(maps[PRODUCTS["wvwo"]], np.zeros((2, 2)))
    assert maps_alt("Plain", {"a": np.array([[1.0, 2.0]]), "b": np.array([[-1.0, 0.0]])}) == (
        "Heat maps, Plain. wkwq: mean by layer 1.5. wvwo: mean by layer -0.5.")


def test_heads_of_several_sizes_have_no_mean():
    rows = pd.DataFrame({"series": "Plain", "depth": [1, 2], "heads": [2, 1], "wkwq_heads": "1 2", "wvwo_heads": "1 2"})
    with pytest.raises(ValueError, match="rows of 2 sizes"):
        mean_maps(rows, "Plain")
    with pytest.raises(ValueError, match="rows of 0 sizes"):
        mean_maps(rows, "elsewhere")
