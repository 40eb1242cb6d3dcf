"""Tables have a row for every point, with the numbers of the rows and of the paper."""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from drawing import table_of

from companion import figures, report
from companion.experiments import experiment, experiments
from companion.published import published

NAME = "same-different"
E = experiment(NAME)
WIDTH = experiment("width")


# ---- any table ---------------------------------------------------------------------------------------------------


def test_formats_make_cells_of_numbers_and_leave_words_alone():
    frame = pd.DataFrame({"loss": [0.12345, np.nan, np.inf], "n": [4096.0, None, -np.inf], "p": [1e-300, 0.5, np.inf],
                          "words": ["a", "b", "c"]})
    _, head, body = table_of(report.table(frame.assign(mixed=pd.Series([0.5, "–", 2], dtype=object)),
                                          {"loss": ".2f", "n": ",.0f", "p": report.number, "mixed": ".0%"}))
    assert head == ["loss", "n", "p", "words", "mixed"]
    assert body == [["0.12", "4,096", "≤ 1e-300", "a", "50%"], ["–", "–", "0.500", "b", "–"],
                    ["∞", "-∞", "∞", "c", "200%"]]
    assert frame["loss"][0] == 0.12345, "the table itself stays as it is"


def test_a_fold_is_closed_and_escapes_its_title_and_its_cells():
    tree, _, body = table_of(report.fold("a < b", pd.DataFrame({"x": ["<script>"]})))
    assert tree.tag == "details" and "open" not in tree.attrib
    assert tree.find("summary").text == "a < b" and body == [["<script>"]]


def test_a_table_is_made_of_points_that_were_read_off_or_marked():
    figure, ax = plt.subplots()
    ax.plot([1, 2], [0.5, 0.25], label="rate 1")
    ax.set(xlabel="epochs", ylabel="loss")
    _, head, body = table_of(report.points_table(figure))
    assert head == ["series", "at", "value"]
    assert body == [["rate 1", "epochs = 1", "loss = 0.5"], ["rate 1", "epochs = 2", "loss = 0.25"]]
    table = pd.DataFrame({"d": [64, 128] * 2, "n50": [37.0, 47.0, 113.0, 223.0],
                          "series": [figures.PAPERS] * 2 + ["ours"] * 2})
    figure = figures.power_laws(table, "d", "n50", [figures.PAPERS, "ours"], xlabel="d_emb", ylabel="n₅₀")
    assert table_of(report.points_table(figure))[2] == [
        [figures.PAPERS, "d_emb = 64", "n₅₀ 37.0"], [figures.PAPERS, "d_emb = 128", "n₅₀ 47.0"],
        ["ours", "d_emb = 64", "n₅₀ 113"], ["ours", "d_emb = 128", "n₅₀ 223"]]


# ---- values ------------------------------------------------------------------------------------------------------


def test_the_values_are_folded_and_complete(shared_rows):
    tree, head, body = table_of(report.values_table(NAME, shared_rows))
    assert tree.tag == "details" and tree.find("summary").text
    assert head == ["network", "n", "ours", "paper", "ours, last epoch", "seeds"]
    assert [(row[0], int(row[1])) for row in body] == [(s, n) for s in E.series for n in E.grid["n"]]
    paper = {(s, x): y for s in E.series for x, y in published(NAME, s)[["x", "y"]].to_numpy()}
    means = shared_rows.groupby(["series", "n"])["test_loss"].mean()
    for series, n, ours, theirs, last, seeds in body:
        assert [float(x) for x in ours.split(" ± ")] == pytest.approx([means[series, int(n)], 0.0354], abs=6e-4)
        assert (theirs, last, seeds) == (f"{paper[series, int(n)]:.3f}", "2.000 ± 0.000", "5")


def test_values_of_one_seed_of_some_series_or_of_none(shared_rows):
    some = shared_rows[(shared_rows["seed"] == 2) & (shared_rows["series"] != "Transformer")]
    _, _, body = table_of(report.values_table(NAME, some))
    assert not any("nan" in cell or "±" in cell for row in body for cell in row)
    assert {row[0] for row in body} == set(E.series) - {"Transformer"}
    assert table_of(report.values_table(NAME, shared_rows[:0]))[2] == []


def test_the_values_are_those_of_the_metric_that_is_asked_for(rows):
    rows["test_error"], rows["final_test_error"] = 0.25, 0.5
    _, head, body = table_of(report.values_table(NAME, rows, "test_error"))
    ours, last = head.index("ours"), head.index("ours, last epoch")
    assert {(row[ours], row[last]) for row in body} == {("0.250 ± 0.000", "0.500 ± 0.000")}


def test_what_the_paper_did_not_draw_has_no_value_of_it(shared_rows, monkeypatch):
    more = pd.concat([shared_rows, shared_rows[shared_rows["series"] == "Transformer"].assign(series="With dropout")])
    monkeypatch.setitem(experiments(), NAME, replace(E, series={**E.series, "With dropout": {}}))
    body = table_of(report.values_table(NAME, more))[2]
    assert [row[3] for row in body if row[0] == "With dropout"] == ["–"] * 11
    monkeypatch.setitem(experiments(), NAME, replace(E, published=None))
    assert "paper" not in table_of(report.values_table(NAME, shared_rows))[1]


def test_values_over_learning_rates(by_rate):
    _, header, cells = table_of(report.values_table("lr-depth-1024", by_rate))
    paper = published("lr-depth-1024", "depth = 1").set_index("x")["y"]
    assert header[1] == "lr" and cells[0][1:4] == ["3e-05", "1.523 ± 0.000", f"{paper[3e-5]:.3f}"]


def test_values_of_power_laws_have_a_column_per_metric(widths):
    first, second = WIDTH.series
    some = widths.assign(one=1.0)[(widths["series"] == first) | (widths["seed"] == 1)]
    tree, head, body = table_of(report.scaling_table("width", some, {"error": "distance", "one": "always one"}))
    assert tree.tag == "details" and head == ["series", "width", "distance", "always one", "seeds"]
    assert [(row[0], int(row[1])) for row in body] == [(s, w) for s in (first, second) for w in WIDTH.grid["width"]]
    assert body[0][2:] == ["0.500 ± 0.0167", "1.00 ± 0.00", "10"]  # 0.05 √(10 / 9) / √10
    assert body[-1][2:] == ["0.00645", "1.00", "1"], "one seed has no standard error"


def test_large_numbers_on_the_axis_are_written_out():
    rows = pd.DataFrame({"series": "αα / αβ", "n": [100, 1_000_000], "seed": 0, "error": [1.0, 1e-6]})
    _, _, body = table_of(report.scaling_table("ridge-n", rows, {"error": "error"}))
    assert [row[1] for row in body] == ["100", "1,000,000"]


# ---- the fit -----------------------------------------------------------------------------------------------------


def test_the_fit_is_over_the_points_that_both_curves_have(monkeypatch):
    paper = pd.DataFrame({"x": [4, 8, 16, 32], "y": [1.0, 0.9, 0.4, 0.0], "y_low": 0.0, "y_high": 1.0})
    for user in ("report.tables", "summaries"):
        monkeypatch.setattr(f"companion.{user}.published", lambda *_: paper)
    rows = pd.DataFrame([{"series": "Fully-connected", "n": n, "test_loss": loss + spread}
                         for n, loss in ((4, 1.1), (8, 0.6), (16, 0.6), (64, 9.0)) for spread in (-0.1, 0.1)])
    _, header, (line,) = table_of(report.fit_table("fully-connected", rows))
    assert header == ["network", "n compared", "n₅₀", "n₅₀, paper", "mean distance", "largest distance of ours"]
    half = 8 * 2 ** (0.4 / 0.5)
    assert line == ["Fully-connected", "4 to 16", "> 64", f"{half:.0f}", "0.20", "0.30 lower, n = 8"]
    assert table_of(report.fit_table("fully-connected", rows[rows["n"] > 32]))[2] == []
    assert table_of(report.fit_table("fully-connected", rows.assign(test_loss=0.1)))[2][0][2] == "≤ 4"
