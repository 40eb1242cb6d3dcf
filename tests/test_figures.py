"""Figures say in words and in tables what they draw, all of it made from the rows."""

import re
import xml.etree.ElementTree as ElementTree
from base64 import b64decode
from dataclasses import replace
from io import BytesIO

import matplotlib
import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats

matplotlib.use("Agg")

import matplotlib.pyplot as plt  # noqa: E402

from abstract_symbols import claims, experiments, figures  # noqa: E402
from abstract_symbols.claims import Judgement, Measured  # noqa: E402

NAME = "same-different"
E = experiments.EXPERIMENTS[NAME]


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.fixture
def rows():
    """Every run of same-different: losses fall from 1 by a slope of the series, ± 0.1 over the seeds."""
    slopes = {"Fully-connected": 0.0, "Transformer": 0.1, "Modified transformer": 0.2}
    return pd.DataFrame([
        {"series": series, "n": of.n, "seed": of.seed, "device": "cpu", "torch": "2.13.0",
         "test_loss": 1 - slopes[series] * (np.log2(of.n) - 2) / 2 + 0.05 * (of.seed - 2),
         "final_test_loss": 2.0}
        for of, series in E.runs().items()
    ])


def table_of(html):
    """Header and rows of the table in it; the whole must be well formed."""
    tree = ElementTree.fromstring(html.data.replace("<br>", "<br/>"))
    cells = [["".join(cell.itertext()) for cell in row] for row in tree.iter("tr")]
    return tree, cells[0], cells[1:]


# ---- curves ------------------------------------------------------------------------------------------------------


def test_a_summary_has_mean_and_standard_error_of_every_point_in_the_legends_order(rows):
    table = figures.summary(NAME, rows.sample(frac=1, random_state=0))
    assert list(zip(table["series"], table["n"], strict=True)) == [(s, n) for s in E.series for n in E.grid["n"]]
    assert (table["seeds"] == 5).all()
    for _, point in table.iterrows():
        losses = rows[(rows["series"] == point["series"]) & (rows["n"] == point["n"])]["test_loss"]
        assert point["mean"] == pytest.approx(losses.mean())
        assert point["se"] == pytest.approx(losses.std(ddof=1) / 5**0.5)


def test_a_figure_draws_our_means_and_the_papers_curves(rows):
    (ax,) = figures.learning_curves(NAME, rows).axes
    drawn = [(np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float)) for line in ax.lines]

    def is_drawn(x, y):
        return any(len(a) == len(x) and np.allclose(a, x) and np.allclose(b, y) for a, b in drawn)

    summary = figures.summary(NAME, rows)
    for series in E.series:
        ours, theirs = summary[summary["series"] == series], claims.published(NAME, series)
        assert is_drawn(ours["n"], ours["mean"]) and is_drawn(theirs["x"], theirs["y"])
    bands = np.concatenate([path.vertices for band in ax.collections for path in band.get_paths()])
    for _, point in summary.iterrows():
        for edge in (point["mean"] - point["se"], point["mean"] + point["se"]):
            assert np.isclose(bands, [point["n"], edge]).all(1).any(), "one standard error"
    assert ax.get_xscale() == "log" and ax.get_ylim()[1] > summary["mean"].max()


def test_a_figure_names_every_series_its_axes_and_the_paper_and_is_opaque(rows):
    figure = figures.learning_curves(NAME, rows, ylabel="some loss")
    legends = [*figure.legends, *(ax.get_legend() for ax in figure.axes if ax.get_legend())]
    words = [text.get_text() for legend in legends for text in legend.get_texts()]
    assert set(E.series) <= set(words) and any("paper" in w for w in words)
    assert "n = " in figure.axes[0].get_xlabel() and figure.axes[0].get_ylabel() == "some loss"
    figures.style()
    assert plt.figure().get_facecolor() == (1, 1, 1, 1)


def test_a_figure_of_an_experiment_without_a_published_one_draws_ours_alone(rows, monkeypatch):
    monkeypatch.setitem(experiments.EXPERIMENTS, NAME, replace(E, published=None))
    figure = figures.learning_curves(NAME, rows)
    assert len([line for line in figure.axes[0].lines if len(line.get_xdata()) == 11]) == 3
    assert "paper" not in figures.alt_text(NAME, rows)
    assert "paper" not in table_of(figures.values_table(NAME, rows))[1]


def legend_of(figure):
    """Legend words → their lines' (colour, marker)."""
    (legend,) = figure.legends
    return {text.get_text(): (matplotlib.colors.to_hex(line.get_color()), line.get_marker())
            for text, line in zip(legend.get_texts(), legend.get_lines(), strict=True)}


def test_a_mean_over_fewer_seeds_has_an_open_marker(rows):
    def hollow(figure):
        return [line for line in figure.axes[0].lines if line.get_markerfacecolor() == "white"]

    whole = figures.learning_curves(NAME, rows)
    assert hollow(whole) == [] and "some seeds missing" not in legend_of(whole)
    lost = rows[(rows["series"] == "Transformer") & rows["n"].isin([64, 256]) & (rows["seed"] > 1)]
    figure = figures.learning_curves(NAME, rows.drop(lost.index))
    (line,) = hollow(figure)
    kept = rows.drop(lost.index).query("series == 'Transformer' and n in [64, 256]").groupby("n")["test_loss"].mean()
    np.testing.assert_allclose(line.get_xydata(), list(kept.items()))
    legend = legend_of(figure)
    color, marker = matplotlib.colors.to_hex(line.get_markeredgecolor()), line.get_marker()
    assert (color, marker) == legend["Transformer"] and "some seeds missing" in legend


@pytest.mark.parametrize("missing", [["Transformer"], ["Fully-connected", "Modified transformer"]])
def test_a_series_without_rows_is_not_in_the_legend_as_if_it_had_some(rows, missing):
    whole = legend_of(figures.learning_curves(NAME, rows))
    assert set(whole) == {*E.series, "the paper's (same marker)"}
    some = rows[~rows["series"].isin(missing)]
    figure = figures.learning_curves(NAME, some)
    legend, grey = legend_of(figure), matplotlib.colors.to_hex(figures.PAPER)
    assert set(legend) == {*set(E.series) - set(missing), "the paper's (same marker)",
                           *(f"{series} (paper)" for series in missing)}
    for series in E.series:
        if series in missing:
            assert legend[f"{series} (paper)"] == (grey, whole[series][1]), "the marker of its curve"
        else:
            assert legend[series] == whole[series], "the colour and marker that it has when all is there"
    drawn = [line for line in figure.axes[0].lines if len(line.get_xdata()) == 11]
    assert sum(matplotlib.colors.to_hex(line.get_color()) != grey for line in drawn) == 3 - len(missing)
    text = figures.alt_text(NAME, some)
    assert text.endswith(f"No run is done yet: {', '.join(missing)}.")
    assert not any(f"{series}: " in text.replace("Modified transformer: ", "M: ") for series in missing)
    assert {row[0] for row in table_of(figures.values_table(NAME, some))[2]} == set(E.series) - set(missing)


def test_without_rows_the_papers_curves_are_drawn_alone(rows):
    figure = figures.learning_curves(NAME, rows[:0])
    assert set(legend_of(figure)) == {f"{series} (paper)" for series in E.series}
    assert "No run is done yet: Fully-connected, Transformer, Modified transformer." in figures.alt_text(NAME, rows[:0])
    assert table_of(figures.values_table(NAME, rows[:0]))[2] == []


def said(ax):
    return [text.get_text() for text in ax.texts]


def test_axes_without_any_curve_say_so(rows, monkeypatch):
    assert said(figures.learning_curves(NAME, rows[:0]).axes[0]) == []  # the paper's are there
    panels = {"one": ["Transformer"], "two": ["Fully-connected"]}
    some = rows[rows["series"] == "Transformer"]
    first, second = figures.pairs(NAME, some, panels, ["ours"]).axes
    assert (said(first), said(second)) == ([], ["no run is done yet"])
    nothing = pd.DataFrame(columns=["x", "y", "y_low", "y_high"], dtype=float)
    monkeypatch.setattr(claims, "published", lambda *_: nothing)
    empty = figures.learning_curves(NAME, rows[:0]).axes[0]
    assert said(empty) == ["no run is done yet"] and empty.get_xlim() == (4, 4096)
    assert said(figures.learning_curves(NAME, some).axes[0]) == []


def test_ordered_colours_all_stand_out_from_white():
    name = "batch-n"
    series = list(experiments.EXPERIMENTS[name].series)
    table = pd.DataFrame([{"series": s, "n": n, "test_loss": 1.0} for s in series for n in (16, 32)])
    figure = figures.learning_curves(name, table, ordered=True)
    colors = [matplotlib.colors.to_rgb(handle.get_color()) for handle in figure.legends[0].legend_handles[:len(series)]]
    linear = [[v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in color] for color in colors]
    luminance = [np.dot([0.2126, 0.7152, 0.0722], color) for color in linear]
    assert luminance == sorted(luminance) and 1.05 / (luminance[-1] + 0.05) > 2.5


def by_rate(name):
    """Rows of an experiment over learning rates, least at 0.001."""
    e = experiments.EXPERIMENTS[name]
    return pd.DataFrame([{"series": series, "lr": of.lr, "seed": of.seed, "test_loss": abs(np.log10(of.lr / 1e-3)),
                          "final_test_loss": 2.0} for of, series in e.runs().items()])


def test_curves_over_learning_rates_have_their_own_axis_words_and_values():
    rows = by_rate("lr-depth-1024")
    ax = figures.learning_curves("lr-depth-1024", rows, ordered=True).axes[0]
    assert ax.get_xlabel() == "learning rate" and ax.get_xscale() == "log"
    assert "depth = 2: least, 0.00, at lr = 0.001." in figures.alt_text("lr-depth-1024", rows)
    _, header, cells = table_of(figures.values_table("lr-depth-1024", rows))
    paper = claims.published("lr-depth-1024", "depth = 1").set_index("x")["y"]
    assert header[1] == "lr" and cells[0][1:4] == ["3e-05", "1.523 ± 0.000", f"{paper[3e-5]:.3f}"]


def test_only_the_series_that_are_asked_for_are_drawn_and_ordered_ones_from_dark_to_light():
    rows = by_rate("lr-depth-1024")
    legend = legend_of(figures.learning_curves("lr-depth-1024", rows, series=["depth = 1", "depth = 16"]))
    assert set(legend) == {"depth = 1", "depth = 16", "the paper's (same marker)"}
    legend = legend_of(figures.learning_curves("lr-depth-1024", rows, ordered=True))
    colors = [matplotlib.colors.to_rgb(legend[f"depth = {d}"][0]) for d in (1, 2, 4, 8, 16)]
    light = [0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in colors]
    assert light == sorted(light) and len({marker for _, marker in legend.values()}) == 6


def test_shares_are_stacked_in_their_order_and_fill_each_bar():
    table = pd.DataFrame({"series": ["Plain"] * 2 + ["+ b"], "n": [4, 64, 4], "right": [0.1, 0.2, 0.7],
                          "other": [0.3, 0.3, 0.2], "neither": [0.6, 0.5, 0.1]})
    columns = {"right": "right", "other": "another", "neither": "none"}
    figure = figures.shares(table, "n", columns)
    assert [ax.get_title() for ax in figure.axes] == ["Plain", "+ b"]
    for ax, (_, rows) in zip(figure.axes, table.groupby("series", sort=False), strict=True):
        below = np.zeros(len(rows))
        for bars, column in zip(ax.containers, columns, strict=True):
            assert [bar.get_height() for bar in bars] == pytest.approx(rows[column].tolist())
            assert [bar.get_y() for bar in bars] == pytest.approx(below.tolist())
            below = below + rows[column].to_numpy()
        assert below == pytest.approx(np.ones(len(rows)))
        assert [label.get_text() for label in ax.get_xticklabels()] == [str(n) for n in rows["n"]]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == list(columns.values())


def test_every_mean_is_inside_the_picture_however_large(rows):
    rows.loc[rows["n"] == 64, "test_loss"] = 7.0
    assert figures.learning_curves(NAME, rows).axes[0].get_ylim()[1] > 7


def test_panels_draw_each_series_once_in_its_own_panel_and_the_references_in_all(rows):
    rows = rows[(rows["series"] != "Transformer") | (rows["n"] < 100)]
    figure = figures.panels(NAME, rows, {"Fully-connected": "--"}, "test_loss", "loss")
    drawn = [ax for ax in figure.axes if ax.axison]
    assert [ax.get_title() for ax in drawn] == ["Transformer", "Modified transformer"]
    for ax in drawn:
        reference, own = (bars.lines[0] for bars in ax.containers)
        assert reference.get_color() == figures.REFERENCE and own.get_color() != figures.REFERENCE
        assert reference.get_ydata() == pytest.approx([1.0] * len(E.grid["n"]))
        curve = figures.summary(NAME, rows).query("series == @ax.get_title()")
        assert own.get_xdata().tolist() == curve["n"].tolist()
        assert own.get_ydata() == pytest.approx(curve["mean"].to_numpy())
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["Fully-connected", "the panel's title"]


def test_pairs_draw_each_series_in_its_panel_before_the_papers_curve(rows):
    rows = rows[rows["series"] != "Transformer"]
    paper = claims.published(NAME, "Modified transformer")
    figure = figures.pairs(NAME, rows, {"one": ["Fully-connected", "Modified transformer"], "two": ["Transformer"]},
                           ["plain", "modified"], papers={"Modified transformer": paper})
    one, two = figure.axes
    assert [one.get_title(), two.get_title()] == ["one", "two"]
    ours = {bars.lines[0].get_color(): bars.lines[0] for bars in one.containers}
    for color, series in (("C0", "Fully-connected"), ("C1", "Modified transformer")):
        curve = figures.summary(NAME, rows)
        curve = curve[curve["series"] == series]
        assert ours[color].get_xdata().tolist() == curve["n"].tolist()
        assert ours[color].get_ydata() == pytest.approx(curve["mean"].to_numpy())
    (grey,) = (line for line in one.lines if line.get_color() == figures.PAPER)
    assert grey.get_xdata() == pytest.approx(paper["x"]) and grey.get_ydata() == pytest.approx(paper["y"])
    assert not two.containers, "no rows, no curve"
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert words == ["plain", "modified", "the paper's (same marker)"]
    assert [t.get_text() for t in figures.pairs(NAME, rows, {"one": ["Transformer"]}, ["plain"]).legends[0].get_texts()
            ] == ["plain"]


def test_alt_text_says_for_every_series_where_it_starts_ends_and_crosses_one_half(rows):
    text = figures.alt_text(NAME, rows)
    assert E.title in text
    above = "not below one half up to there (paper: not below it)"
    assert f"Fully-connected: 1.00 at n = 4, 1.00 at n = 4096, {above}" in text
    assert "Transformer: 1.00 at n = 4, 0.50 at n = 4096" in text
    modified = "Modified transformer: 1.00 at n = 4, 0.00 at n = 4096, falls below one half at n = 128 (paper: n = 19)"
    assert modified in text
    assert "(paper: n = 429)" in text
    assert "\n" not in text and '"' not in text


def test_alt_text_says_how_far_a_curve_goes(rows):
    text = figures.alt_text(NAME, rows[(rows["series"] == "Transformer") | (rows["n"] < 64)])
    assert "Fully-connected: 1.00 at n = 4, 1.00 at n = 32, not below one half up to there (paper: not below" in text
    assert "Transformer: 1.00 at n = 4, 0.50 at n = 4096, not below one half" in text


def test_alt_text_of_some_series_is_silent_about_the_others(rows):
    text = figures.alt_text(NAME, rows[rows["series"] != "Transformer"], series=["Fully-connected", "Transformer"])
    assert "Fully-connected: 1.00" in text and "No run is done yet: Transformer." in text
    assert "Modified" not in text


def test_alt_text_follows_the_metric_it_is_asked_for(rows):
    text = figures.alt_text(NAME, rows, "final_test_loss")
    assert "Transformer: 2.00 at n = 4, 2.00 at n = 4096, not below" in text


def test_a_series_that_the_paper_did_not_draw_has_no_published_number(rows, monkeypatch):
    monkeypatch.setitem(experiments.EXPERIMENTS, NAME, replace(E, series={**E.series, "With dropout": {}}))
    more = pd.concat([rows, rows[rows["series"] == "Transformer"].assign(series="With dropout")])
    part = figures.alt_text(NAME, more).split("With dropout: ")[1]
    assert "1.00 at n = 4" in part and "paper" not in part
    assert [row[3] for row in table_of(figures.values_table(NAME, more))[2] if row[0] == "With dropout"] == ["–"] * 11


# ---- tables ------------------------------------------------------------------------------------------------------


def test_the_values_are_folded_and_complete(rows):
    tree, head, body = table_of(figures.values_table(NAME, rows))
    assert tree.tag == "details" and "open" not in tree.attrib and tree.find("summary").text
    assert head == ["network", "n", "ours", "paper", "ours, last epoch", "seeds"]
    assert [(row[0], int(row[1])) for row in body] == [(s, n) for s in E.series for n in E.grid["n"]]
    paper = {(s, x): y for s in E.series for x, y in claims.published(NAME, s)[["x", "y"]].to_numpy()}
    for series, n, ours, theirs, last, seeds in body:
        mean = rows[(rows["series"] == series) & (rows["n"] == int(n))]["test_loss"].mean()
        assert [float(x) for x in ours.split(" ± ")] == pytest.approx([mean, 0.0354], abs=6e-4)
        assert (theirs, last, seeds) == (f"{paper[series, int(n)]:.3f}", "2.000 ± 0.000", "5")


def test_a_point_of_one_seed_has_no_standard_error(rows):
    _, _, body = table_of(figures.values_table(NAME, rows[rows["seed"] == 2]))
    assert not any("nan" in cell for row in body for cell in row)


def test_the_values_are_those_of_the_metric_that_is_asked_for(rows):
    rows["test_error"], rows["final_test_error"] = 0.25, 0.5
    _, head, body = table_of(figures.values_table(NAME, rows, "test_error"))
    ours, last = head.index("ours"), head.index("ours, last epoch")
    assert {(row[ours], row[last]) for row in body} == {("0.250 ± 0.000", "0.500 ± 0.000")}


def test_the_fit_is_over_the_points_that_both_curves_have(monkeypatch):
    name = "fully-connected"
    paper = pd.DataFrame({"x": [4, 8, 16, 32], "y": [1.0, 0.9, 0.4, 0.0], "y_low": 0.0, "y_high": 1.0})
    monkeypatch.setattr(claims, "published", lambda *_: paper)
    rows = pd.DataFrame([{"series": "Fully-connected", "n": n, "test_loss": loss + spread}
                         for n, loss in ((4, 1.1), (8, 0.6), (16, 0.6), (64, 9.0)) for spread in (-0.1, 0.1)])
    _, header, (line,) = table_of(figures.fit_table(name, rows))
    assert header == ["network", "n compared", "n₅₀", "n₅₀, paper", "mean distance", "largest distance of ours"]
    half = 8 * 2 ** (0.4 / 0.5)
    assert line == ["Fully-connected", "4 to 16", "> 64", f"{half:.0f}", "0.20", "0.30 lower, n = 8"]
    assert table_of(figures.fit_table(name, rows[rows["n"] > 32]))[2] == []
    low = rows.assign(test_loss=0.1)
    assert table_of(figures.fit_table(name, low))[2][0][2] == "≤ 4"


def test_a_fold_escapes_its_title():
    html = figures.fold("a < b", pd.DataFrame({"x": ["<script>"]})).data
    assert "a &lt; b" in html and "&lt;script&gt;" in html


@pytest.mark.parametrize(("value", "text"), [
    (None, "–"), (float("inf"), "∞"), (0.0, "0.00"),
    (1e-300, "≤ 1e-300"), (1e-299, "1.00e-299"), (0.12345, "0.123"), (-0.5, "-0.500"), (1.0, "1.00"),
    (18.789, "18.8"),
    (429.47, "429"), (999.4, "999"), (999.7, "1000"), (1234.5, "1234"), (123456.7, "123457"), (-2000.0, "-2000"),
])
def test_a_number_has_three_digits_or_all_before_the_point(value, text):
    assert figures.number(value) == text


@given(st.floats(1e-3, 1e7) | st.floats(-1e7, -1e-3))
@example(999.5)
@example(999.49)
def test_a_number_is_near_and_has_no_exponent(value):
    text = figures.number(value)
    assert re.fullmatch(r"-?\d+(\.\d+)?", text)
    assert float(text) == pytest.approx(value, rel=0.005 + 1e-9)


# ---- coverage ----------------------------------------------------------------------------------------------------


def test_coverage_says_which_rows_how_many_seeds_and_which_devices(rows):
    text = figures.coverage(NAME, rows)
    assert "165 of 165 runs of results/same-different.csv" in text and "5 seeds" in text and "2.13.0" in text
    some = rows[(rows["n"] != 4) | (rows["seed"] < 3)].copy()
    some.loc[some["n"] == 8, "device"] = "NVIDIA H200"
    text = figures.coverage(NAME, some)
    assert "159 of 165 runs" in text and "3 to 5 seeds" in text and "NVIDIA H200, cpu" in text
    assert figures.coverage(NAME, rows[:0]) == "No run of 165 is done yet."


def test_what_rows_took_is_told_for_cores_and_for_gpus_apart(rows):
    some = rows[:4].assign(seconds=[3600.0, 1800.0, 7200.0, 360.0], device=["cpu", "cpu", "NVIDIA H200", "NVIDIA H100"])
    assert figures.spent(some) == ("1.5 hours of a busy core and 2.1 hours of processes that shared a GPU "
                                   "(NVIDIA H100, NVIDIA H200)")
    assert figures.spent(some[:2]) == "1.5 hours of a busy core"
    assert figures.spent(some[3:]) == "0.1 hours of processes that shared a GPU (NVIDIA H100)"
    assert figures.spent(some[:0]) == "nothing yet"
    assert figures.spent(some[:2].assign(seconds=[60.0, 30.0])) == "1.5 minutes of a busy core"


# ---- the scoreboard ----------------------------------------------------------------------------------------------

CLAIM = claims.claims()["same-different-transformer"]


@pytest.mark.parametrize("verdict", claims.VERDICTS)
def test_a_scoreboards_row_links_to_the_chapter_and_shows_number_interval_and_verdict(verdict):
    measured = None if verdict == "not tested" else Measured(512.3, 400.0, float("inf"), 429.47, 1.19)
    html = figures.scoreboard([Judgement(CLAIM, verdict, measured, "7 of 55 runs")])
    tree, _, _ = table_of(html)
    (row,) = next(tree.iter("tbody"))
    assert [a.attrib["href"] for a in row.iter("a")] == ["same-different.html"]
    (badge,) = [s for s in row.iter("span") if "verdict" in s.attrib["class"].split()]
    assert badge.text == verdict
    text = "".join(row.itertext())
    assert CLAIM.statement in text and CLAIM.id in text
    if measured:
        assert "512 [400, ∞]" in text and "429" in text
    else:
        assert "–" in text and "nan" not in text


def test_verdicts_look_different_and_the_style_sheet_knows_each():
    badges = [figures.scoreboard([Judgement(CLAIM, v, None, "")]).data for v in claims.VERDICTS]
    classes = [re.search(r'class="verdict ([\w-]+)"', badge)[1] for badge in badges]
    assert len(set(classes)) == 4
    css = (experiments.BOOK / "_static" / "custom.css").read_text(encoding="utf-8")
    assert all(f".{name}" in css for name in classes)


def test_a_statement_is_escaped_in_the_scoreboard():
    html = figures.scoreboard([Judgement(replace(CLAIM, statement="a < b & c"), "held", None, "")]).data
    assert "a &lt; b &amp; c" in html


def test_every_measure_has_words():
    assert set(figures.MEASURE_WORDS) == set(figures.TOLERANCE_WORDS) == set(claims.MEASURES)


@pytest.mark.parametrize("claim", claims.claims().values(), ids=lambda claim: claim.id)
def test_a_row_opens_to_its_measure_tolerances_rows_and_command(claim):
    tree, _, _ = table_of(figures.scoreboard([Judgement(claim, "not tested", None, "7 of 55 runs")]))
    (details,) = tree.iter("details")
    text = "".join(details.itertext())
    assert details[0].tag == "summary" and details[0].text == claim.statement
    assert "None" not in text and "{" not in text
    assert all(str(tolerance) in text for tolerance in (claim.part, *([claim.held] if claim.held else [])))
    assert f"{experiments.experiment(claim.experiment).path().name}" in text and "7 of 55 runs" in text
    assert f"run {claim.experiment} --series" in text and all(f'"{s}"' in text for s in claim.series)
    assert ("--from" in text) == ("within" in claim.options)


def test_the_filters_offer_every_verdict_and_chapter_with_their_numbers_and_hide_the_others():
    judgements = [Judgement(CLAIM, verdict, None, "") for verdict in ("held", "held", "not held")]
    judgements.append(Judgement(replace(CLAIM, chapter="mlps-cannot"), "held", None, ""))
    page = figures.scoreboard(judgements, filters=True).data
    tree = ElementTree.fromstring(page)
    verdicts, chapters = ([option.text for option in menu.iter("option")] for menu in tree.iter("select"))
    assert verdicts == ["all (4)", "held (3)", "held in part (0)", "not held (1)", "not tested (0)"]
    assert chapters == ["all (4)", "same-different (3)", "mlps-cannot (1)"]
    (style,) = tree.iter("style")
    for menu in tree.iter("select"):
        for option in list(menu)[1:]:
            value = option.attrib["value"]
            assert f'.board:has(option[value="{value}"]:checked) tbody tr:not(.{value})' in style.text
    assert [row.attrib["class"].split() for row in next(tree.iter("tbody"))] == [
        ["v-held", "c-same-different"]] * 2 + [["v-not-held", "c-same-different"], ["v-held", "c-mlps-cannot"]]
    assert "<select" not in figures.scoreboard(judgements).data


# ---- pictures ----------------------------------------------------------------------------------------------------


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


def test_a_shown_figure_is_a_picture_with_its_text_alternative_and_is_closed(displayed):
    figures.style()
    figure, ax = plt.subplots()
    ax.plot([1, 2])
    figures.show(figure, alt="A line that rises.")
    (output,) = displayed.outputs
    png = output.data["image/png"]
    pixels = plt.imread(BytesIO(png if isinstance(png, bytes) else b64decode(png)))
    assert pixels.shape[2] == 3 or pixels[..., 3].min() == 1, "opaque"
    assert output.metadata["image/png"]["alt"] == "A line that rises."
    assert 0 < output.metadata["image/png"]["width"] < pixels.shape[1], "sharp on a dense screen"
    assert not plt.fignum_exists(figure.number)


def test_the_same_figure_is_the_same_bytes(displayed, rows):
    for _ in range(2):
        figures.show(figures.learning_curves(NAME, rows), alt="")
    one, again = displayed.outputs
    assert one.data["image/png"] == again.data["image/png"] and one.metadata == again.metadata


# ---- points: where they lie in the picture, what they say ---------------------------------------------------------


def pictured(displayed):
    """The only picture shown, (height, width, 3) from 0 to 1, and its points: (series, left, top, words of x, of y)."""
    (output,) = displayed.outputs
    png = output.data["image/png"]
    pixels = plt.imread(BytesIO(png if isinstance(png, bytes) else b64decode(png)))[..., :3]
    return pixels, [(curve["name"], *point) for curve in output.metadata["image/png"]["points"]
                    for point in curve["points"]]


def color_at(pixels, left, top):
    height, width, _ = pixels.shape
    return pixels[round(top * height), round(left * width)]


@pytest.mark.parametrize("trimmed", [False, True])
@pytest.mark.parametrize("draw", ["learning_curves", "pairs", "panels"])
def test_the_pictures_pixels_have_the_markers_colour_where_a_point_is_said_to_be(
        rows, draw, trimmed, displayed, monkeypatch):
    figures.style()
    rows = rows[rows["seed"] == 2]  # no band over another series' marker
    monkeypatch.setitem(experiments.EXPERIMENTS, NAME, replace(E, seeds=1))  # or every marker would be open
    figure = {
        "learning_curves": lambda: figures.learning_curves(NAME, rows),
        "pairs": lambda: figures.pairs(NAME, rows, {s: [s] for s in E.series}, ["ours"]),
        "panels": lambda: figures.panels(NAME, rows, {}, "test_loss", "loss"),
    }[draw]()
    palette = [matplotlib.colors.to_rgb(f"C{i}") for i in range(3)]
    if trimmed:
        matplotlib.rcParams["savefig.bbox"] = "tight"
    try:
        figures.show(figure, alt="")
    finally:
        matplotlib.rcParams["savefig.bbox"] = None
    pixels, points = pictured(displayed)
    ours = [point for point in points if "paper" not in point[0]]
    assert len(ours) == 3 * len(E.grid["n"])
    for series, left, top, x, _ in ours:
        if x == "n = 4" and draw == "learning_curves":
            continue  # all series begin in one point
        color = palette[list(E.series).index(series) if draw == "learning_curves" else 0]
        assert color_at(pixels, left, top) == pytest.approx(color, abs=0.02), (series, x)


def test_a_point_says_the_mean_of_its_rows_with_its_band_and_seeds_and_the_papers_its_value(rows, displayed):
    some = rows[(rows["n"] != 8) | (rows["seed"] == 0)]
    figures.show(figures.learning_curves(NAME, some), alt="")
    _, points = pictured(displayed)
    said = {(series, x): y for series, _, _, x, y in points}
    losses = rows[(rows["series"] == "Transformer") & (rows["n"] == 64)]["test_loss"]
    assert said["Transformer", "n = 64"] == (
        f"mean test loss {losses.mean():.3f} ± {losses.sem():.3f}, 5 seeds")
    only = some[(some["series"] == "Transformer") & (some["n"] == 8)]["test_loss"].item()
    assert said["Transformer", "n = 8"] == f"test loss {only:.3f}, 1 seed"
    paper = claims.published(NAME, "Transformer").set_index("x")["y"]
    assert said["Transformer (paper)", "n = 64"] == f"test loss {paper[64]:.3f}"
    assert {series for series, _ in said} == {*E.series, *(f"{s} (paper)" for s in E.series)}


def test_points_outside_the_axes_and_without_a_value_are_left_out(rows):
    rows.loc[rows["n"] == 8, "test_loss"] = 9.0
    rows.loc[rows["n"] == 16, "test_loss"] = np.nan
    figure = figures.panels(NAME, rows, {}, "test_loss", "loss")  # its vertical axis ends at 1.1
    figure.draw_without_rendering()
    told = {point[2] for curve in figures.points(figure) for point in curve["points"]}
    assert told == {f"n = {n}" for n in E.grid["n"] if n not in (8, 16)}


def test_what_was_made_of_other_rows_tells_no_seeds_and_dots_tell_their_own():
    table = pd.DataFrame({"d": [64, 128], "n50": [113.4, 223.0], "series": ["one", "one"]})
    figure = figures.power_laws(table, "d", "n50", ["one"], xlabel="d_emb", ylabel="n₅₀, symbols to one half")
    figure.draw_without_rendering()
    (curve,) = figures.points(figure)
    assert [point[2:] for point in curve["points"]] == [["d_emb = 64", "n₅₀ 113"], ["d_emb = 128", "n₅₀ 223"]]
    table = pd.DataFrame({"a": [10.0, 20.0], "b": [30.0, np.inf], "kind": ["k", "k"]})
    figure = figures.scatter(table, "a", "b", "kind", xlabel="kernel", ylabel="network")
    figure.draw_without_rendering()
    (curve,) = figures.points(figure)
    said = [point[2:] for point in curve["points"]]
    assert said == [["kernel: 10.0", "network: 30.0"], ["kernel: 20.0", "network: ∞"]]


def test_the_papers_curve_among_ours_is_grey_and_the_table_of_points_has_every_word():
    table = pd.DataFrame({"d": [64, 128] * 2, "n50": [37.0, 47.0, 113.0, 223.0],
                          "series": [figures.PAPERS] * 2 + ["ours"] * 2})
    figure = figures.power_laws(table, "d", "n50", [figures.PAPERS, "ours"], xlabel="d_emb", ylabel="n₅₀")
    legend = legend_of(figure)
    assert legend[figures.PAPERS][0] == matplotlib.colors.to_hex(figures.PAPER)
    assert legend["ours"][0] == matplotlib.colors.to_hex("C0")
    assert [line.is_dashed() for line in figure.axes[0].lines[:2]] == [True, False]
    _, head, body = table_of(figures.points_table(figure))
    assert head == ["series", "at", "value"]
    assert body == [[figures.PAPERS, "d_emb = 64", "n₅₀ 37.0"], [figures.PAPERS, "d_emb = 128", "n₅₀ 47.0"],
                    ["ours", "d_emb = 64", "n₅₀ 113"], ["ours", "d_emb = 128", "n₅₀ 223"]]


def test_a_figure_of_no_points_tells_none(displayed):
    figures.show(figures.strings_picture([("same", ["AA"], ["XX"])]), alt="Tiles.")
    assert "points" not in displayed.outputs[0].metadata["image/png"]


def told(figure):
    """{series: {words of x: words of y}} of a figure."""
    figure.draw_without_rendering()
    return {curve["name"]: {point[2]: point[3] for point in curve["points"]} for curve in figures.points(figure)}


@pytest.mark.parametrize("kind", ["line", "error bars", "dots", "bars", "lying bars"])
def test_what_a_chapter_draws_itself_is_read_off_the_axes(kind):
    figure, ax = plt.subplots()
    draw = {"line": lambda: ax.plot([1, 2], [3.0, 0.12345], label="ours"),
            "error bars": lambda: ax.errorbar([1, 2], [3.0, 0.12345], yerr=1, label="ours"),
            "dots": lambda: ax.scatter([1, 2], [3.0, 0.12345], label="ours"),
            "bars": lambda: ax.bar(["1", "2"], [3.0, 0.12345], bottom=1, label="ours"),
            "lying bars": lambda: ax.barh(["1", "2"], [3.0, 0.12345], left=1, label="ours")}
    draw[kind]()
    x, y = ("loss", "n = training strings") if kind == "lying bars" else ("n = training strings", "loss")
    ax.set(xlabel=x, ylabel=y)
    assert told(figure) == {"ours": {"n = 1": "loss = 3", "n = 2": "loss = 0.1235"}}


def test_what_has_no_label_or_is_no_data_has_no_points():
    figure, ax = plt.subplots()
    ax.plot([1, 2], [3, 4])
    ax.scatter([1, 2], [3, 4])
    ax.bar([1, 2], [3, 4])
    ax.axhline(3.5, label="a bound")
    ax.axline((1, 3), slope=1, label="equal")
    assert told(figure) == {}
    ax.plot([1, 2], [3, 4], label="data")
    ax.axis("off")
    assert told(figure) == {}, "a diagram"
    ax.axis("on")
    assert list(told(figure)) == ["data"]


def test_a_dense_line_tells_some_of_its_points_and_one_with_markers_all():
    figure, ax = plt.subplots()
    x = np.arange(201.0)
    ax.plot(x, x, label="line")
    ax.plot(x, 2 * x, "o", label="dots")
    ax.set(xlabel="x", ylabel="y")
    found = told(figure)
    assert len(found["dots"]) == 201 and 20 < len(found["line"]) < 100
    assert {"x = 0", "x = 200"} < set(found["line"])


CELLS = pd.DataFrame([[1.0, 10.0, 100.0], [0.5, np.nan, 1000.0]], index=pd.Index(["0.5", "2"], name="γ"),
                     columns=pd.Index(["1", "2", "3"], name="β"))


@pytest.mark.parametrize("kind", ["heatmap", "grids", "imshow", "imshow, lower"])
def test_a_cell_of_a_heat_map_is_a_point_in_its_middle_with_row_column_and_value(kind, displayed):
    figures.style()
    if kind == "heatmap":
        figure = figures.heatmap(CELLS, title="map", annotate=False, log=True, label="ν")
    elif kind == "grids":
        figure = figures.grids({"map": CELLS}, limits=(0, 1000), label="ν")
        for text in figure.axes[0].texts:
            text.remove()  # it stands where the colour is looked at
    else:
        figure, ax = plt.subplots()
        image = ax.imshow(CELLS, aspect="auto", origin=kind.partition(", ")[2] or "upper", interpolation="nearest")
        ax.set_xticks(range(3), CELLS.columns)
        ax.set_yticks(range(2), CELLS.index)
        ax.set(title="map", xlabel="β", ylabel="γ")
        ax.grid(visible=False)
        figure.colorbar(image, label="ν")
    drawn = [*figure.axes[0].collections, *figure.axes[0].images][0]
    figures.show(figure, alt="")
    pixels, points = pictured(displayed)
    found = {(name, x): (y, left, top, wide, high) for name, left, top, x, y, wide, high in points}
    values = CELLS.stack().dropna()
    assert {key: value[0] for key, value in found.items()} == {
        (f"map, γ = {row}", f"β = {column}"): f"ν = {value:g}" for (row, column), value in values.items()}
    for (row, column), value in values.items():
        _, left, top, wide, high = found[f"map, γ = {row}", f"β = {column}"]
        for across, down in [(0, 0), (0.47, 0.47), (-0.47, 0.47), (0.47, -0.47)]:
            seen = color_at(pixels, left + across * wide, top + down * high)
            assert seen == pytest.approx(drawn.cmap(drawn.norm(value))[:3], abs=0.02), (row, column, across, down)


def test_the_functions_that_draw_other_marks_than_curves_have_points_with_their_words():
    table = pd.DataFrame({"d": [16, 16, 64], "rise": [0.5, -0.2, 1.0], "kind": ["seen", "unseen", "seen"]})
    drawn = figures.dots(table, "d", "rise", "kind", law=([16, 64], [0.5, 0.1]), label="law", xlabel="d", ylabel="rise")
    assert told(drawn) == {"seen": {"d = 16": "rise = 0.5", "d = 64": "rise = 1"}, "unseen": {"d = 16": "rise = -0.2"},
                           "law": {"d = 16": "rise = 0.5", "d = 64": "rise = 0.1"}}, "where a dot belongs, not stands"
    pairs = {"training": ([1.0], [0.9]), "unseen": ([0.5], [2.0])}
    drawn = figures.agreement({"width 1": pairs, "width 2": pairs}, xlabel="kernel", ylabel="network")
    assert told(drawn) == {f"width {w}, {kind}": {f"kernel = {x[0]:g}": f"network = {y[0]:g}"}
                           for w in (1, 2) for kind, (x, y) in pairs.items()}
    drawn = figures.matrices({"task": pd.DataFrame([[3.125, 1], [2, 4]], index=[*"αβ"], columns=[*"αβ"])})
    assert told(drawn) == {"task, row: α": {"column: α": "3.125", "column: β": "1"},
                           "task, row: β": {"column: α": "2", "column: β": "4"}}
    drawn = figures.first_layer({"string": [1, 0]}, np.array([[0.25, 0], [0, 0.5]]), seen=1)
    assert told(drawn) == {
        "string, row: position 1": {"column: 1": "0", "column: 2": "1"},
        "string, row: position 2": {"column: 1": "1", "column: 2": "0"},
        "how far training moved the column (white: not at all), row: position 1": {"column: 1": "0.25"},
        "how far training moved the column (white: not at all), row: position 2": {"column: 2": "0.5"}}
    drawn = figures.blocks({"m = 1": (np.arange(9.0).reshape(3, 3), [1, 2])}, ["αα", "αβ"], limits=(0, 9), label="K")
    assert told(drawn)["m = 1, block row: αβ"] == {"block column: αα": "K: mean 4.5, from 3 to 6",
                                                   "block column: αβ": "K: mean 6, from 4 to 8"}
    drawn = figures.labelled_points(np.eye(2), ["a", "b"], ["+1", "−1"], xlabel="first", ylabel="second")
    assert told(drawn) == {"+1": {"a": "first 1, second 0"}, "−1": {"b": "first 0, second 1"}}
    table = pd.DataFrame({"series": "net", "n": [4, 8], "right": [0.5, 1], "other": [0.25, 0], "none": [0.25, 0]})
    drawn = figures.shares(table, "n", {"right": "right", "other": "other", "none": "none"})
    assert told(drawn)["net, other"] == {"n = 4": "share of the answers = 0.25", "n = 8": "share of the answers = 0"}


def test_distribution_functions_have_a_point_a_step():
    drawn = figures.laws({"net\ntwice": {"αα": np.array([1.0, 2.0, 3.0, 4.0]), "αβ": np.array([5.0])}})
    at = {"output on unseen strings = 2": "share of outputs below = 0.5"}.items()
    assert at <= told(drawn)["net, αα"].items() and list(told(drawn)) == ["net, αα", "net, αβ"]
    rows = pd.DataFrame([{"series": s, "n": of.n, "p_value": (of.seed + 0.5) / 50}
                         for of, s in experiments.EXPERIMENTS["mlp-law"].runs().items()])
    found = told(figures.p_values("mlp-law", rows))
    assert list(found) == [f"{s}, n = {n}" for s in ("Fully-connected", "Transformer") for n in (64, 1024)]
    assert found["Fully-connected, n = 64"]["p-value of one run = 0.11"] == "share of runs below = 0.12"


def test_predictions_of_power_laws_have_points(widths):
    first, second = WIDTH.series
    drawn = figures.scaling("width", widths, "error", xlabel="heads", ylabel="distance",
                            predicted={second: ([16, 512], [0.1, 0.02])})
    assert told(drawn)[f"{second}, predicted"] == {"heads = 16": "distance 0.100", "heads = 512": "distance 0.0200"}


def test_a_table_is_made_of_points_that_were_read_off():
    figure, ax = plt.subplots()
    ax.plot([1, 2], [0.5, 0.25], label="rate 1")
    ax.set(xlabel="epochs", ylabel="loss")
    _, _, body = table_of(figures.points_table(figure))
    assert body == [["rate 1", "epochs = 1", "loss = 0.5"], ["rate 1", "epochs = 2", "loss = 0.25"]]


def test_a_picture_of_strings_has_a_tile_a_symbol_of_the_symbols_colour():
    groups = [("same", ["AA", "BB"], ["XX"]), ("different", ["AB"], ["XY", "YX"])]
    (ax,) = figures.strings_picture(groups).axes
    letters = [t.get_text() for t in ax.texts if len(t.get_text()) == 1]
    assert "".join(letters) == "AABB" + "AB" + "XX" + "XYYX"
    colors = {}
    assert len(ax.patches) == len(letters)
    for letter, tile in zip(letters, ax.patches, strict=True):
        assert colors.setdefault(letter, tile.get_facecolor()) == tile.get_facecolor()
    assert len(set(colors.values())) == 4
    assert {"same", "different"} <= {t.get_text() for t in ax.texts}


@pytest.mark.parametrize(("labels", "shape", "per_line"), [
    ({"αβγγ": +1, "ααββ": +1, "αβαβ": +1, "ααβγ": -1}, (2, 2), 2), ({"αβα": +1, "αββ": -1}, (3,), 4)])
def test_a_picture_of_templates_has_every_tile_in_its_place_and_the_labels_in_their_order(labels, shape, per_line):
    (ax,) = figures.templates_picture(labels, shape, per_line).axes
    letters = [t for t in ax.texts if len(t.get_text()) == 1]
    assert "".join(t.get_text() for t in letters) == "".join(labels)
    colors, corners = {}, [patch.get_xy() for patch in ax.patches]
    assert len(set(corners)) == len(letters) == len(ax.patches), "no tile hides another"
    for text, tile in zip(letters, ax.patches, strict=True):
        assert colors.setdefault(text.get_text(), tile.get_facecolor()) == tile.get_facecolor()
        assert tile.get_window_extent().contains(*ax.transData.transform(text.get_position()))
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    assert all(left < x and x + 0.92 < right and y <= top and y - 0.92 >= bottom for x, y in corners)
    rows = [[y for _, y in corners[i:i + n]] for i, n in zip(np.cumsum((0, *shape[:-1])), shape, strict=True)]
    assert all(len(set(row)) == 1 for row in rows) and len({row[0] for row in rows}) == len(shape)
    words = {t.get_text(): t.get_position()[1] for t in ax.texts if len(t.get_text()) == 2}
    assert set(words) == {"+1", "−1"} and words["+1"] > words["−1"]


# ---- logarithmic axes, heat maps ---------------------------------------------------------------------------------

WIDTH = experiments.EXPERIMENTS["width"]


@pytest.fixture
def widths():
    """Errors 2 / √width of the first series, 3 / width of the second, ± 10 % over the seeds."""
    first = next(iter(WIDTH.series))
    return pd.DataFrame([
        {"series": series, "width": of.width, "seed": of.seed,
         "error": (2 * of.width**-0.5 if series == first else 3 / of.width) * (1.1 if of.seed % 2 else 0.9)}
        for of, series in WIDTH.runs().items()])


def drawn_lines(figure):
    return [(np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float)) for line in figure.axes[0].lines
            if len(line.get_xdata())]


def is_among(lines, x, y):
    return any(len(a) == len(x) and np.allclose(a, x) and np.allclose(b, y) for a, b in lines)


def test_power_laws_are_drawn_as_means_with_guides_through_the_last_point(widths):
    first, second = WIDTH.series
    figure = figures.scaling("width", widths, "error", xlabel="heads", ylabel="distance",
                             guides=[(-0.5, "slope −1/2"), (-1, "slope −1")],
                             predicted={second: ([16, 512], [1.0, 2.0]), "not drawn": ([1, 2], [5.0, 5.0])})
    (ax,) = figure.axes
    x = np.array(WIDTH.grid["width"], float)
    lines, end = drawn_lines(figure), 2 * 512**-0.5
    assert is_among(lines, x, 2 * x**-0.5) and is_among(lines, x, 3 / x)
    assert is_among(lines, x, end * (x / 512) ** -0.5) and is_among(lines, x, end * (x / 512) ** -1.0)
    assert is_among(lines, [16, 512], [1, 2]) and not is_among(lines, [1, 2], [5, 5])
    assert (ax.get_xscale(), ax.get_yscale(), ax.get_xlabel(), ax.get_ylabel()) == ("log", "log", "heads", "distance")
    assert list(legend_of(figure)) == [first, second, "slope −1/2", "slope −1", "predicted (same colour)"]
    low, high = ax.get_ylim()
    assert low < 3 / 512 and high < end * (16 / 512) ** -1.0, "guides do not widen the picture"


def test_power_laws_of_some_series_or_none(widths):
    second = list(WIDTH.series)[1]
    options = {"xlabel": "heads", "ylabel": "distance", "guides": [(-1, "slope −1")]}
    figure = figures.scaling("width", widths[widths["series"] == second], "error", log_y=False, **options)
    assert list(legend_of(figure)) == [second, "slope −1"] and figure.axes[0].get_yscale() == "linear"
    x = np.array(WIDTH.grid["width"], float)
    assert is_among(drawn_lines(figure), x, 3 / x), "the guide goes through the first series that is there"
    (ax,) = figures.scaling("width", widths[:0], "error", **options).axes
    assert "no run" in ax.texts[0].get_text() and not ax.lines


def test_power_laws_in_words_and_in_a_table(widths):
    first, second = WIDTH.series
    text = figures.scaling_alt("width", widths, "error", "the distance against the width")
    assert text == (f"Line chart: the distance against the width for {WIDTH.title}. "
                    f"{first}: 0.500 at width = 16, 0.0884 at width = 512. "
                    f"{second}: 0.188 at width = 16, 0.00586 at width = 512.")
    widths["one"] = 1.0
    some = widths[(widths["series"] == first) | (widths["seed"] == 1)]
    tree, head, body = table_of(figures.scaling_table("width", some, {"error": "distance", "one": "always one"}))
    assert tree.tag == "details" and head == ["series", "width", "distance", "always one", "seeds"]
    assert [(row[0], int(row[1])) for row in body] == [(s, w) for s in (first, second) for w in WIDTH.grid["width"]]
    assert body[0][2:] == ["0.500 ± 0.0167", "1.00 ± 0.00", "10"]  # 0.05 √(10 / 9) / √10
    assert body[-1][2:] == ["0.00645", "1.00", "1"], "one seed has no standard error"


def test_large_numbers_on_the_axis_are_written_out_in_the_table():
    rows = pd.DataFrame({"series": "αα / αβ", "n": [100, 1_000_000], "seed": 0, "error": [1.0, 1e-6]})
    _, _, body = table_of(figures.scaling_table("ridge-n", rows, {"error": "error"}))
    assert [row[1] for row in body] == ["100", "1,000,000"]


@pytest.mark.parametrize("log", [False, True])
def test_a_heat_map_shows_every_number_in_its_cell(log):
    table = pd.DataFrame([[1.0, 10.0, 100.0], [0.5, 0.25, 1000.0]], index=[0.5, 2], columns=["a", "b", "c"])
    figure = figures.heatmap(table, title="numbers", fmt="g", log=log, label="how much")
    ax, bar = figure.axes
    assert [t.get_text() for t in ax.texts] == ["1", "10", "100", "0.5", "0.25", "1000"]
    assert np.allclose(np.asarray(ax.collections[0].get_array()).reshape(2, 3), table)
    assert [t.get_text() for t in ax.get_xticklabels()] == ["a", "b", "c"] and ax.get_title() == "numbers"
    assert isinstance(ax.collections[0].norm, matplotlib.colors.LogNorm) == log and bar.get_ylabel() == "how much"
    assert len(figures.heatmap(table, annotate=False).axes[0].texts) == 0


def test_coverage_names_the_file_that_the_rows_stand_in():
    e = experiments.EXPERIMENTS["lr-n"]
    rows = pd.DataFrame([{"series": s, "n": of.n, "seed": of.seed, "device": "cpu", "torch": "2.13.0"}
                         for of, s in e.runs().items() if of.n == 16])
    assert "24 of 240 runs of results/architectures.csv; 3 seeds a point" in figures.coverage("lr-n", rows)


@pytest.mark.parametrize("name", ["lr-n", "random-templates", "batch-n"])
@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_a_long_legend_stays_inside_its_figure(name, share):
    figures.style()
    e = experiments.EXPERIMENTS[name]
    some = list(e.series)[:round(share * len(e.series))]
    rows = pd.DataFrame([{"series": s, "n": of.n, "seed": of.seed, "test_loss": 1.0} for of, s in e.runs().items()
                         if s in some], columns=["series", "n", "seed", "test_loss"])
    figure = figures.learning_curves(name, rows, ordered=True)
    figure.draw_without_rendering()
    legend, whole = figure.legends[0].get_window_extent(), figure.bbox
    assert whole.x0 <= legend.x0 and legend.x1 <= whole.x1 and legend.height < 0.35 * whole.height


def test_grids_share_one_scale_and_leave_out_what_is_missing():
    columns = pd.Index([16, 32], name="n")
    tables = {"paper": pd.DataFrame([[1.0, 0.5], [0.25, 0.0]], index=[0.1, 1], columns=columns),
              "ours": pd.DataFrame([[np.nan, 0.3], [0.2, 2.0]], index=[0.1, 1], columns=columns)}
    figure = figures.grids(tables, limits=(0.0, 1.0), label="loss")
    paper, ours, bar = figure.axes
    assert [ax.get_title() for ax in (paper, ours)] == list(tables) and bar.get_xlabel() == "loss"
    assert [t.get_text() for t in ours.texts] == ["0.3", "0.2", "2.0"], "no number where there is none"
    assert {ax.collections[0].get_clim() for ax in (paper, ours)} == {(0, 1)} and ours.get_xlabel() == "n"


def test_a_transposed_figure_draws_every_series_at_its_value():
    name, e = "random-templates", experiments.EXPERIMENTS["random-templates"]
    values = {s: int(s.split()[-1]) for s in e.series}
    rows = pd.DataFrame([{"series": s, "n": of.n, "seed": of.seed, "test_loss": values[s] / of.n + 0.1 * (of.seed - 2)}
                         for of, s in e.runs().items() if values[s] <= 5])
    figure = figures.transposed(name, rows, values, [512, 1024], xlabel="r")
    lines, paper = drawn_lines(figure), pd.read_csv(experiments.BOOK / "published/randomtemplate_ntempl_2_gotu.csv")
    for n in (512, 1024):
        assert is_among(lines, [2, 3, 4, 5], np.array([2, 3, 4, 5]) / n), "only where there are rows"
        curve = paper[paper["series"] == f"n {n}"].sort_values("x")
        assert is_among(lines, curve["x"], curve["y"]), "the paper draws the same numbers in this view"
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert words == ["n = 512", "n = 1024", figures.PAPER_WORDS]
    words = [t.get_text() for t in figures.transposed(name, rows[:0], values, [512], xlabel="r").legends[0].get_texts()]
    assert words == ["n = 512 (paper)"]


def test_a_scatter_shows_every_row_and_what_is_never_reached_on_its_edge():
    table = pd.DataFrame({"a": [10.0, 100.0, 1000.0], "b": [20.0, 300.0, np.inf], "kind": ["one", "one", "two"]})
    figure = figures.scatter(table, "a", "b", "kind", xlabel="kernel", ylabel="network")
    (ax,) = figure.axes
    first, second, _ = ax.lines
    assert first.get_xydata().tolist() == [[10, 20], [100, 300]] and second.get_xdata().tolist() == [1000]
    assert second.get_ydata()[0] == ax.get_ylim()[1] > 1000
    assert figures.scatter(table[2:], "a", "b", "kind", xlabel="", ylabel="").axes[0].lines


# ---- dots --------------------------------------------------------------------------------------------------------


def test_dots_draw_every_row_near_its_x_and_the_law():
    table = pd.DataFrame({"d": [16, 16, 64], "rise": [0.5, -0.2, 1.0], "kind": ["seen", "unseen", "seen"]})
    figure = figures.dots(table, "d", "rise", "kind", law=([16, 64], [0.5, 0.1]), label="the law", xlabel="d",
                          ylabel="rise")
    lines = {line.get_label(): line for line in figure.axes[0].lines}
    assert list(lines["seen"].get_ydata()) == [0.5, 1.0] and list(lines["unseen"].get_ydata()) == [-0.2]
    assert list(lines["the law"].get_ydata()) == [0.5, 0.1]
    assert np.log2(lines["seen"].get_xdata() / np.array([16, 64])) == pytest.approx([0, 0], abs=0.31)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["seen", "unseen", "the law"]
    plt.close(figure)


def test_matrices_show_every_number_of_every_table():
    tables = {f"task {r}": pd.DataFrame(np.arange(r * r).reshape(r, r) + 0.125, index=list("αβγδ")[:r],
                                        columns=list("αβγδ")[:r]) for r in (2, 4, 3)}
    figure = figures.matrices(tables, fmt=".3f")
    drawn = [ax for ax in figure.axes if ax.get_title()]
    assert [ax.get_title() for ax in drawn] == list(tables)
    for ax, table in zip(drawn, tables.values(), strict=True):
        assert [t.get_text() for t in ax.texts] == [f"{v:.3f}" for v in table.to_numpy().ravel()]


def test_matrices_of_one_colour_scale_have_one_colour_for_one_number():
    tables = {title: pd.DataFrame([[5.0, low], [low, 1.0]]) for title, low in (("first", 0.0), ("second", 4.0))}
    for limits, same in (((-1, 9), True), (None, False)):
        figure = figures.matrices(tables, limits=limits)
        meshes = [ax.collections[0] for ax in figure.axes]
        figure.canvas.draw()
        assert np.array_equal(*(mesh.get_facecolors()[3] for mesh in meshes)) == same, "the colour of 1.0"


def test_blocks_share_one_colour_scale_and_part_the_templates():
    panels = {"m = 1": (np.arange(25.0).reshape(5, 5), [2, 3]), "m = 2": (np.ones((4, 4)), [1, 3])}
    figure = figures.blocks(panels, ["αα", "αβ"], limits=(0.0, 3.0), label="K")
    for ax, (title, (matrix, sizes)) in zip(figure.axes, panels.items(), strict=False):
        (image,) = ax.images
        assert ax.get_title() == title and image.get_clim() == (0.0, 3.0)
        assert np.array_equal(image.get_array(), matrix)
        assert [line.get_xdata()[0] for line in ax.lines[1::2]] == [sizes[0] - 0.5]
        assert ax.get_xticks().tolist() == [sizes[0] / 2 - 0.5, sizes[0] + sizes[1] / 2 - 0.5]
        assert [label.get_text() for label in ax.get_xticklabels()] == ["αα", "αβ"]


def test_agreement_draws_every_pair_of_predictions_and_the_line_on_which_they_agree():
    pairs = {"training": (np.array([1.0, -1.0]), np.array([0.9, -1.1])), "unseen": (np.array([0.5]), np.array([2.0]))}
    figure = figures.agreement({"width 1": pairs, "width 2": pairs}, xlabel="kernel", ylabel="network")
    for ax in figure.axes:
        diagonal, *dots = ax.lines
        assert diagonal.get_slope() == 1 and diagonal.get_xy1() == (0, 0)
        assert [dot.get_label() for dot in dots] == [*pairs]
        for dot, (x, y) in zip(dots, pairs.values(), strict=True):
            assert np.array_equal(dot.get_xdata(), x) and np.array_equal(dot.get_ydata(), y)
        assert len({dot.get_color() for dot in dots}) == len({dot.get_marker() for dot in dots}) == 2
    assert {t.get_text() for t in figure.legends[0].get_texts()} == set(pairs)


def test_a_short_logarithmic_axis_has_its_own_values_as_ticks():
    def ticks(widths):
        table = pd.DataFrame([{"series": "s", "x": x, "y": 1 / x} for x in widths])
        ax = figures.power_laws(table, "x", "y", ["s"], xlabel="", ylabel="").axes[0]
        return ax.get_xticks().tolist(), len(ax.get_xticks(minor=True))

    assert ticks([64, 128, 256]) == ([64, 128, 256], 0)
    assert ticks([10, 100, 10_000])[0] != [10, 100, 10_000]


def test_labelled_points_carry_their_names_and_groups():
    points = np.array([[0.0, 1.0], [0.0, -1.0], [1.0, 0.0], [-1.0, 0.0]])
    figure = figures.labelled_points(points, list("abcd"), ["+1", "+1", "−1", "−1"], xlabel="first", ylabel="second")
    (ax,) = figure.axes
    assert [t.get_text() for t in ax.texts] == list("abcd")
    assert [line.get_xydata().tolist() for line in ax.lines] == [points[:2].tolist(), points[2:].tolist()]
    (outline,) = ax.patches
    corners = outline.get_xy()[:4]
    assert np.allclose(np.linalg.norm(np.diff(corners, axis=0), axis=1), np.sqrt(2))  # around, not across


# ---- the law of outputs on unseen strings ------------------------------------------------------------------------


def test_the_first_layer_leaves_white_what_has_not_moved_at_all():
    moved = np.array([[0.2, 0.0, 1e-9, 0.0], [0.1, 0.3, 0.0, 0.0]])
    figure = figures.first_layer({"a string": [0, 2]}, moved, seen=2)
    string, columns = figure.axes[:2]
    assert string.collections[0].get_array().tolist() == [[1, 0, 0, 0], [0, 0, 1, 0]]
    assert columns.collections[0].get_array().mask.tolist() == (moved == 0).tolist()


def test_the_laws_largest_distance_is_that_of_the_kolmogorov_smirnov_test():
    rng = np.random.default_rng(0)
    panels = {f"shift {d}": {"αα": rng.normal(size=60), "αβ": d + rng.normal(size=35)} for d in (0, 2)}
    figure = figures.laws(panels)
    for ax, outputs in zip(figure.axes, panels.values(), strict=True):
        distance = stats.ks_2samp(*outputs.values()).statistic
        assert f"largest distance {distance:.2f}" in ax.get_title()
        ((start, end),) = ax.collections[0].get_segments()
        assert end[1] - start[1] == pytest.approx(distance)


def test_p_values_are_drawn_for_every_series_and_point_around_the_band_of_uniform_ones():
    rows = pd.DataFrame([{"series": series, "n": of.n, "p_value": (of.seed + 0.5) / 50}
                         for of, series in experiments.EXPERIMENTS["mlp-law"].runs().items()])
    figure = figures.p_values("mlp-law", rows)
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert words == ["95 % band of 50 uniform p-values", "equal laws", *(
        f"{series}, n = {n}" for series in ("Fully-connected", "Transformer") for n in (64, 1024))]
    band = figure.axes[0].collections[0].get_paths()[0]
    width = stats.kstwo.ppf(0.95, 50)
    assert band.contains_points([(0.5, 0.5 + 0.95 * width), (0.5, 0.5 - 0.95 * width)]).all()
    assert not band.contains_points([(0.5, 0.5 + 1.05 * width), (0.1, 0.1 + 1.05 * width)]).any()


@pytest.mark.parametrize("draw", [figures.p_values, figures.learning_curves])
def test_a_figure_without_rows_yet_is_drawn_all_the_same(draw):
    name = "mlp-law" if draw is figures.p_values else "fully-connected"
    e = experiments.EXPERIMENTS[name]
    assert draw(name, pd.DataFrame(columns=["series", *experiments.columns(e.kind)])).axes


@pytest.mark.parametrize(("losses", "words"), [
    ({4: 1.0, 8: 0.0, 16: 0.0}, "6"), ({4: 0.4, 8: 0.3, 16: 0.2}, "at most 4"),
    ({4: 1.0, 8: 0.9, 16: 0.8}, "above 16, the largest so far")])
def test_a_crossing_at_the_end_of_the_rows_is_told_as_a_bound(losses, words):
    series = next(iter(E.series))
    rows = pd.DataFrame([{"series": series, "n": n, "seed": seed, "test_loss": loss}
                         for n, loss in losses.items() for seed in range(2)])
    assert f"{series}: {words}." in figures.crossings(NAME, rows)
    assert "missing" in figures.crossings(NAME, rows[:0])


def test_a_bound_on_a_crossing_ends_where_the_last_seed_does():
    series = next(iter(E.series))
    rows = pd.DataFrame([{"series": series, "n": n, "seed": seed, "test_loss": loss}
                         for n, seed, loss in ((4, 0, 1.0), (4, 1, 1.0), (8, 0, 0.9), (8, 1, 0.8), (16, 0, 0.1))])
    assert f"{series}: above 8, the largest that all seeds have so far." in figures.crossings(NAME, rows)


def test_a_claim_over_another_x_than_n_names_it():
    judgement = claims.judge("depth-below")
    assert "at each learning rate = 0.001" in str(figures.scoreboard([judgement]).data)


def test_a_curve_that_starts_below_one_half_does_not_fall_below_it_in_the_alt_text():
    series = next(iter(E.series))
    rows = pd.DataFrame([{"series": series, "n": n, "seed": 0, "test_loss": 0.4} for n in (4, 8)])
    text = figures.alt_text(NAME, rows)
    assert "below one half from the start" in text and f"{series}: 0.40 at n = 4, 0.40 at n = 8, falls" not in text


def test_answers_show_every_string_and_the_mean_of_its_template():
    table = pd.DataFrame({"template": ["αβ", "αα", "αβ"], "answer": [-1.0, 1.0, 0.0]})
    figure = figures.answers(table)
    (ax,) = figure.axes
    assert "answer -0.50" in str(figures.points(figure))
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["αα", "αβ"]
    assert sorted(y for dots in ax.collections for _, y in dots.get_offsets()) == [-1.0, 0.0, 1.0]
    assert np.concatenate([line.get_ydata() for line in ax.lines]).tolist() == [1.0, -0.5]
