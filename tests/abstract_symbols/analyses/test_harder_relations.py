"""What the chapter "Harder relations" computes."""

import math

import pandas as pd
import pytest

from abstract_symbols.analyses import harder_relations as analysis


def test_strings_per_template_follow_the_probabilities():
    table = analysis.strings_per_template(["same-different", "counting-5"], 1024).set_index("task")
    assert table.loc["same-different"].tolist() == [2, 2, 512, 512]
    # five counts, equally likely: one template each for 1 and 5, 25 templates for 3
    assert table.loc["counting-5"].tolist() == pytest.approx([5, 52, 1024 / 5 / 25, 1024 / 5])


def test_templates_alternative_groups_templates_by_label():
    words = analysis.templates_alt({"αα": 1, "αβ": -1, "ββ": 1}, "Pairs")
    assert words == "Pairs, as coloured tiles. Label +1: αα, ββ. Label −1: αβ."


def test_published_majorities_divide_by_the_templates(monkeypatch):
    curves = {("majority", "Length 2"): 100.0, ("majority", "Length 4"): math.inf,
              ("majority-modified", "Length 2"): 20.0, ("majority-modified", "Length 4"): 160.0}
    monkeypatch.setattr(analysis, "published_n50", lambda name, series: curves[name, series])
    table = analysis.published_majorities((2, 4))
    assert table["templates"].tolist() == [2, 8]
    assert table["plain"].tolist() == [100, math.inf]
    assert table["per_template"].tolist() == [10, 20]


ROWS = pd.DataFrame({
    "series": ["A", "A", "A", "B", "B", "C"], "n": [8, 32, 32, 32, 32, 8], "seed": [0, 0, 1, 0, 1, 0],
    "test_loss": [1.0, 0.25, 0.75, 0.875, 1.125, 0.1], "test_error": [0.5, 0.0, 0.125, 0.25, 0.0, 0.75]})


def test_losses_are_those_at_the_largest_n_of_all():
    table = analysis.losses_at_last(ROWS)
    assert table.index.tolist() == ["A", "B"]  # C ends before
    assert table.loc["A"].tolist() == [0.5, 0.25, 0.75]
    assert table.loc["B"].tolist() == [1.0, 0.875, 1.125]


def test_predictions_stand_beside_each_series_own_last_loss():
    predicted = pd.DataFrame({"series": ["A", "C", "elsewhere"], "strings": [900.0, 40.0, 1.0]})
    table = analysis.predicted_beside_losses(predicted, ROWS)
    assert table[["series", "strings", "n"]].values.tolist() == [["C", 40, 8], ["A", 900, 32]]
    assert table["loss"].tolist() == [0.1, 0.5]


def test_first_below_is_of_means_and_leaves_out_who_never_is():
    assert analysis.first_below(ROWS, 0.1) == {"A": 32}  # (0 + 1/8) / 2; B has a mean of 1/8
    assert analysis.first_below(ROWS, 0.2) == {"A": 32, "B": 32}
