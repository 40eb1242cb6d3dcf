"""What the chapter on repairs of copying computes."""

import itertools

import pandas as pd
import pytest

from abstract_symbols.analyses.which_repair import copying_at, distinct_at_half, expected_distinct, repairs_picture


def rows(**curves):
    """Rows of two seeds at n = 64, 128, 256 with these test errors."""
    return pd.DataFrame([{"series": series, "n": n, "seed": seed, "test_error": error}
                         for series, errors in curves.items() for seed in (0, 1)
                         for n, error in zip((64, 128, 256), errors, strict=True)])


def test_expected_distinct_is_the_mean_over_all_draws():
    draws = list(itertools.product(range(3), repeat=4))
    assert expected_distinct(4, 3) == pytest.approx(sum(len(set(d)) for d in draws) / len(draws))
    assert expected_distinct(1, 7) == pytest.approx(1)


def test_copying_is_an_error_below_one_half():
    found = copying_at(rows(**{"+ b": (0.25, 0, 0), "+ a": (1, 0, 0), "Pointer head": (0.125, 0, 0),
                               "4n symbols": (0.75, 0, 0)}), 64)
    assert list(found.copies.items()) == [("pointer", 0.125), ("b", 0.25)]
    assert (found.others, found.best, found.least, found.largest) == (2, "4n symbols", 0.75, 1)


def test_copying_refuses_an_n_at_which_nothing_fails():
    with pytest.raises(ValueError, match="n = 128"):
        copying_at(rows(**{"+ b": (1, 0, 0)}), 128)


def test_copying_refuses_a_copier_without_a_name():
    with pytest.raises(ValueError, match="n = 64: Frozen embeddings copies"):
        copying_at(rows(**{"Frozen embeddings": (0, 0, 0), "Plain": (1, 1, 1)}), 64)


def test_repairs_have_a_panel_each_beside_the_two_references():
    figure, words = repairs_picture(rows(**{"Plain": (1, 1, 0.75), "+ a": (1, 0.5, 0.25)}))
    titles = [ax.get_title() for ax in figure.axes if ax.get_title()]
    assert "+ a" in titles and not {"Plain", "+ b"} & set(titles)
    assert "+ a: 1.00 at n = 64, 0.25 at n = 256" in words


def test_distinct_symbols_are_counted_where_the_curve_crosses():
    curves = {"Plain": (1, 0.5, 0), "+ b": (0, 0, 0), "4n symbols": (1, 0.5, 0), "n/4 symbols": (1, 1, 1)}
    table = distinct_at_half("copy-repairs", rows(**curves)).set_index("series")
    assert table.index.tolist() == ["Plain", "4n symbols"]  # the others cross outside, below and above
    assert table["n50"].tolist() == pytest.approx([128, 128])
    assert table.loc["Plain", "distinct"] == pytest.approx(128 * (1 - (127 / 128) ** 128))
    assert table.loc["4n symbols", "distinct"] == pytest.approx(512 * (1 - (511 / 512) ** 128))
