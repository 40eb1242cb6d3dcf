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


def test_a_tasks_picture_has_a_tile_per_symbol_and_its_words_group_templates_by_label():
    figure, words = analysis.task_picture("same-different", (2,))
    assert words == "Templates of two symbols, as coloured tiles. Label +1: αα. Label −1: αβ."
    assert len(figure.axes[0].patches) == 4
    _, words = analysis.task_picture("identity-rules", (3, 3))
    assert words.startswith("Templates of two rows of three symbols, as coloured tiles. Label +1: ")


def test_published_majorities_divide_by_the_templates(monkeypatch):
    curves = {("majority", "Length 2"): 100.0, ("majority", "Length 4"): math.inf,
              ("majority-modified", "Length 2"): 20.0, ("majority-modified", "Length 4"): 160.0}
    monkeypatch.setattr(analysis, "published_n50", lambda name, series: curves[name, series])
    table = analysis.published_majorities((2, 4))
    assert table["templates"].tolist() == [2, 8]
    assert table["plain"].tolist() == [100, math.inf]
    assert table["modified, strings per template"].tolist() == [10, 20]
    assert [analysis.MAJORITIES_FORMATS["plain"](n) for n in table["plain"]] == ["100", "> 8,192"]


ROWS = pd.DataFrame({
    "series": ["A", "A", "A", "B", "B", "C"], "n": [8, 32, 32, 32, 32, 8], "seed": [0, 0, 1, 0, 1, 0],
    "test_loss": [1.0, 0.25, 0.75, 0.875, 1.125, 0.1], "test_error": [0.5, 0.0, 0.125, 0.25, 0.0, 0.75]})


def runs(curves):
    """Rows of one seed: series → {n: loss}."""
    return pd.DataFrame([{"series": series, "n": n, "seed": 0, "test_loss": loss, "test_error": loss}
                         for series, curve in curves.items() for n, loss in curve.items()])


def test_majorities_have_a_panel_per_length_and_words_for_both_networks():
    plain = {"Length 2": {8: 0.9, 32: 0.3}}
    rows = {"majority": runs(plain), "majority-modified": runs({"Length 2": {8: 0.2}}),
            "majority-pairs": runs({**plain, "Length 2 + a and b": {8: 0.2}})}
    figure, words = analysis.majorities_picture(rows)
    assert [ax.get_title() for ax in figure.axes] == ["length 2", "length 4", "length 6", "length 8"]
    assert "0.90 at n = 8" in words and "0.20 at n = 8" in words


def test_the_majority_of_two_stands_beside_same_or_different():
    falls = {16: 1.0, 64: 0.0}
    table = analysis.same_task_twice({
        "same-different": runs({"Transformer": falls, "Modified transformer": {4: 1.0, 16: 0.0}}),
        "majority": runs({"Length 2": {64: 1.0, 256: 0.0}}), "majority-modified": runs({"Length 2": falls})})
    assert table["ours"].tolist() == pytest.approx([32, 128, 8, 32])
    assert table["paper"].tolist() == pytest.approx([429, 279, 18.8, 29.8], rel=3e-3)
    assert table["network"].tolist() == ["plain", "plain", "modified", "modified"]


def test_puzzles_have_a_panel_each():
    figure, words = analysis.puzzles_picture(runs({"Identity rules": {8: 0.9}}))
    assert [ax.get_title() for ax in figure.axes] == list(analysis.PUZZLES)
    assert "Identity rules: 0.90 at n = 8" in words


def test_answers_in_words_say_no_half_point():
    _, words = analysis.words_picture(runs({"Transformer": {8: 0.75, 32: 0.25}}))
    assert "Transformer: 0.750 at n = 8, 0.250 at n = 32." in words


def test_losses_on_puzzles_are_those_at_the_largest_n_of_all():
    three = "Distribution of three"
    at_last = {three: [0.25, 0.75], f"{three} + a and b": [0.5, 1.0], "Identity rules": [0.875, 1.125],
               "Match to sample": [1.5, 0.5, 1.75]}
    rows = pd.DataFrame([(series, 32, loss) for series, losses in at_last.items() for loss in losses]
                        + [(three, 8, 9.0), ("3 × 3 matrix", 8, 0.1)], columns=["series", "n", "test_loss"])
    assert analysis.puzzle_losses(rows) == analysis.PuzzleLosses(0.5, 0.25, 0.75, 0.75, 0.5, 1.0, 1.0, 1.25)


def test_predictions_stand_beside_each_series_own_last_loss():
    predicted = pd.DataFrame({"series": ["A", "C", "elsewhere"], "strings": [900.0, 40.0, 1.0]})
    table = analysis.predicted_beside_losses(predicted, ROWS)
    assert table[["puzzle", "strings predicted", "n"]].values.tolist() == [["C", 40, 8], ["A", 900, 32]]
    assert table["plain network's loss at this n"].tolist() == [0.1, 0.5]


def test_first_below_is_of_means_and_leaves_out_who_never_is():
    assert analysis.first_below(ROWS, 0.1) == {"A": 32}  # (0 + 1/8) / 2; B has a mean of 1/8
    assert analysis.first_below(ROWS, 0.2) == {"A": 32, "B": 32}
