"""Panels draw their own series, the references in all of them, and the paper's curves behind."""

import pytest
from drawing import legend_words, said, told

from companion import figures
from companion.experiments import experiment
from companion.published import published
from companion.summaries import summary

NAME = "same-different"
E = experiment(NAME)


def curve_of(rows, series):
    means = summary(NAME, rows)
    return means[means["series"] == series]


def test_each_series_is_drawn_once_in_its_own_panel_and_the_references_in_all(rows):
    rows = rows[(rows["series"] != "Transformer") | (rows["n"] < 100)]
    panels = {s: [s] for s in ("Transformer", "Modified transformer")}
    figure = figures.facets(NAME, rows, panels, references={"Fully-connected": "--"}, ylabel="loss", columns=3)
    drawn = [ax for ax in figure.axes if ax.axison]
    assert [ax.get_title() for ax in drawn] == [*panels]
    for ax in drawn:
        reference, own = (bars.lines[0] for bars in ax.containers)
        assert (reference.get_color(), reference.get_linestyle()) == (figures.REFERENCE, "--")
        assert own.get_color() != figures.REFERENCE
        assert reference.get_ydata() == pytest.approx([1.0] * len(E.grid["n"]))
        curve = curve_of(rows, ax.get_title())
        assert own.get_xdata().tolist() == curve["n"].tolist()
        assert own.get_ydata() == pytest.approx(curve["mean"].to_numpy())
    assert legend_words(figure) == ["Fully-connected", "the panel's title"]
    assert list(told(figure)) == [*panels], "a reference's points are told once, in no panel of another"


def test_the_papers_curve_stands_behind_ours_with_the_same_marker(rows):
    rows = rows[rows["series"] != "Transformer"]
    paper = published(NAME, "Modified transformer")
    figure = figures.facets(NAME, rows, {"one": ["Fully-connected", "Modified transformer"], "two": ["Transformer"]},
                            words=["plain", "modified"], papers={"Modified transformer": paper})
    one, two = figure.axes
    assert [one.get_title(), two.get_title()] == ["one", "two"]
    ours = {bars.lines[0].get_color(): bars.lines[0] for bars in one.containers}
    for color, series in (("C0", "Fully-connected"), ("C1", "Modified transformer")):
        curve = curve_of(rows, series)
        assert ours[color].get_xdata().tolist() == curve["n"].tolist()
        assert ours[color].get_ydata() == pytest.approx(curve["mean"].to_numpy())
    (grey,) = (line for line in one.lines if line.get_color() == figures.PAPER)
    assert grey.get_xdata() == pytest.approx(paper["x"]) and grey.get_ydata() == pytest.approx(paper["y"])
    assert grey.get_marker() == ours["C1"].get_marker()
    assert not two.containers, "no rows, no curve"
    assert (said(one), said(two)) == ([], [figures.NO_RUN])
    assert legend_words(figure) == ["plain", "modified", figures.PAPER_WORDS]


def test_the_axes_hold_every_mean_and_have_the_words_that_are_asked_for(rows):
    rows.loc[rows["n"] == 64, "test_loss"] = 7.0
    figure = figures.facets(NAME, rows, {"one": ["Transformer"]}, words=["plain"], xlabel="strings")
    assert figure.axes[0].get_ylim()[1] > 7 and legend_words(figure) == ["plain"]
    assert figure.get_supxlabel() == "strings"
    assert "n = " in figures.facets(NAME, rows, {"one": ["Transformer"]}).get_supxlabel()


def test_panels_stand_two_or_three_in_a_row(rows):
    panels = {s: [s] for s in E.series}
    rows_of = {columns: len({ax.get_position().y0 for ax in figures.facets(NAME, rows, panels, columns=columns).axes})
               for columns in (2, 3)}
    assert rows_of == {2: 2, 3: 1}
    with pytest.raises(ValueError, match="columns=4"):
        figures.facets(NAME, rows, panels, columns=4)
