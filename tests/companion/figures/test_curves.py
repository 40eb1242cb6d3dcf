"""Curves are the means of the rows with the paper's behind them, over axes of their own."""

from dataclasses import replace

import matplotlib
import numpy as np
import pandas as pd
import pytest
from drawing import drawn_lines, is_among, legend_of, legend_words, said, told

from companion import figures, paths
from companion.experiments import experiment, experiments
from companion.published import published
from companion.summaries import summary

NAME = "same-different"
E = experiment(NAME)
WIDTH = experiment("width")


@pytest.fixture(scope="module")
def whole(shared_rows):
    """The learning curves of all rows, drawn once."""
    return figures.learning_curves(NAME, shared_rows, ylabel="some loss")


# ---- learning curves ---------------------------------------------------------------------------------------------


def test_a_figure_draws_our_means_and_the_papers_curves(shared_rows, whole):
    (ax,) = whole.axes
    means = summary(NAME, shared_rows)
    for series in E.series:
        ours, theirs = means[means["series"] == series], published(NAME, series)
        assert is_among(drawn_lines(ax), ours["n"], ours["mean"])
        assert is_among(drawn_lines(ax), theirs["x"], theirs["y"])
    bands = np.concatenate([path.vertices for band in ax.collections for path in band.get_paths()])
    for _, point in means.iterrows():
        for edge in (point["mean"] - point["se"], point["mean"] + point["se"]):
            assert np.isclose(bands, [point["n"], edge]).all(1).any(), "one standard error"
    assert ax.get_xscale() == "log" and ax.get_ylim()[1] > means["mean"].max()


def test_a_figure_names_every_series_its_axes_and_the_paper(whole):
    assert set(legend_words(whole)) == {*E.series, figures.PAPER_WORDS}
    assert "n = " in whole.axes[0].get_xlabel() and whole.axes[0].get_ylabel() == "some loss"


def test_a_figure_of_an_experiment_without_a_published_one_draws_ours_alone(shared_rows, monkeypatch):
    monkeypatch.setitem(experiments(), NAME, replace(E, published=None))
    figure = figures.learning_curves(NAME, shared_rows)
    assert len([line for line in figure.axes[0].lines if len(line.get_xdata()) == 11]) == 3
    assert legend_words(figure) == [*E.series]


def test_a_mean_over_fewer_seeds_has_an_open_marker(shared_rows, whole):
    def hollow(figure):
        return [line for line in figure.axes[0].lines if line.get_markerfacecolor() == "white"]

    assert hollow(whole) == [] and "some seeds missing" not in legend_of(whole)
    lost = (shared_rows["series"] == "Transformer") & shared_rows["n"].isin([64, 256]) & (shared_rows["seed"] > 1)
    rows = shared_rows[~lost]
    figure = figures.learning_curves(NAME, rows)
    (line,) = hollow(figure)
    kept = rows.query("series == 'Transformer' and n in [64, 256]").groupby("n")["test_loss"].mean()
    np.testing.assert_allclose(line.get_xydata(), list(kept.items()))
    legend = legend_of(figure)
    color, marker = matplotlib.colors.to_hex(line.get_markeredgecolor()), line.get_marker()
    assert (color, marker) == legend["Transformer"] and "some seeds missing" in legend


@pytest.mark.parametrize("missing", [["Transformer"], ["Fully-connected", "Modified transformer"]])
def test_a_series_without_rows_is_not_in_the_legend_as_if_it_had_some(shared_rows, whole, missing):
    figure = figures.learning_curves(NAME, shared_rows[~shared_rows["series"].isin(missing)])
    before, legend, grey = legend_of(whole), legend_of(figure), matplotlib.colors.to_hex(figures.PAPER)
    assert set(legend) == {*set(E.series) - set(missing), figures.PAPER_WORDS, *(f"{s} (paper)" for s in missing)}
    for series in E.series:
        if series in missing:
            assert legend[f"{series} (paper)"] == (grey, before[series][1]), "the marker of its curve"
        else:
            assert legend[series] == before[series], "the colour and marker that it has when all is there"
    drawn = [line for line in figure.axes[0].lines if len(line.get_xdata()) == 11]
    assert sum(matplotlib.colors.to_hex(line.get_color()) != grey for line in drawn) == 3 - len(missing)


def test_without_rows_the_papers_curves_are_drawn_alone_and_without_any_the_axes_say_so(shared_rows, monkeypatch):
    none, some = shared_rows[:0], shared_rows[shared_rows["series"] == "Transformer"]
    figure = figures.learning_curves(NAME, none)
    assert set(legend_of(figure)) == {f"{series} (paper)" for series in E.series} and said(figure.axes[0]) == []
    monkeypatch.setitem(experiments(), NAME, replace(E, published=None))
    (empty,) = figures.learning_curves(NAME, none).axes
    assert said(empty) == [figures.NO_RUN] and empty.get_xlim() == (4, 4096)
    assert said(figures.learning_curves(NAME, some).axes[0]) == []


def test_every_mean_is_inside_the_picture_however_large(rows):
    rows.loc[rows["n"] == 64, "test_loss"] = 7.0
    assert figures.learning_curves(NAME, rows).axes[0].get_ylim()[1] > 7


def test_ordered_colours_go_from_dark_to_light_and_all_stand_out_from_white():
    name = "batch-n"
    series = list(experiment(name).series)
    table = pd.DataFrame([{"series": s, "n": n, "test_loss": 1.0} for s in series for n in (16, 32)])
    figure = figures.learning_curves(name, table, ordered=True)
    colors = [matplotlib.colors.to_rgb(handle.get_color()) for handle in figure.legends[0].legend_handles[:len(series)]]
    linear = [[v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in color] for color in colors]
    luminance = [np.dot([0.2126, 0.7152, 0.0722], color) for color in linear]
    assert luminance == sorted(luminance) and 1.05 / (luminance[-1] + 0.05) > 2.5


def test_only_the_series_that_are_asked_for_are_drawn_and_learning_rates_have_their_own_axis(by_rate):
    figure = figures.learning_curves("lr-depth-1024", by_rate, series=["depth = 1", "depth = 16"])
    assert set(legend_of(figure)) == {"depth = 1", "depth = 16", figures.PAPER_WORDS}
    ax = figure.axes[0]
    assert ax.get_xlabel() == "learning rate" and ax.get_xscale() == "log"


@pytest.mark.parametrize("name", ["lr-n", "random-templates", "batch-n"])
@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_a_long_legend_stays_inside_its_figure(name, share):
    figures.style()
    e = experiment(name)
    some = list(e.series)[:round(share * len(e.series))]
    rows = pd.DataFrame([{"series": s, "n": of.n, "seed": of.seed, "test_loss": 1.0} for of, s in e.runs().items()
                         if s in some], columns=["series", "n", "seed", "test_loss"])
    figure = figures.learning_curves(name, rows, ordered=True)
    figure.draw_without_rendering()
    legend, whole = figure.legends[0].get_window_extent(), figure.bbox
    assert whole.x0 <= legend.x0 and legend.x1 <= whole.x1 and legend.height < 0.35 * whole.height


# ---- power laws --------------------------------------------------------------------------------------------------


def test_power_laws_are_drawn_as_means_with_guides_through_the_last_point(widths):
    first, second = WIDTH.series
    figure = figures.scaling("width", widths, "error", xlabel="heads", ylabel="distance",
                             guides=[(-0.5, "slope −1/2"), (-1, "slope −1")],
                             predicted={second: ([16, 512], [0.1, 0.02]), "not drawn": ([1, 2], [5.0, 5.0])})
    (ax,) = figure.axes
    x = np.array(WIDTH.grid["width"], float)
    lines, end = drawn_lines(ax), 2 * 512**-0.5
    assert is_among(lines, x, 2 * x**-0.5) and is_among(lines, x, 3 / x)
    assert is_among(lines, x, end * (x / 512) ** -0.5) and is_among(lines, x, end * (x / 512) ** -1.0)
    assert is_among(lines, [16, 512], [0.1, 0.02]) and not is_among(lines, [1, 2], [5, 5])
    assert (ax.get_xscale(), ax.get_yscale(), ax.get_xlabel(), ax.get_ylabel()) == ("log", "log", "heads", "distance")
    assert legend_words(figure) == [first, second, "slope −1/2", "slope −1", "predicted (same colour)"]
    low, high = ax.get_ylim()
    assert low < 3 / 512 and high < end * (16 / 512) ** -1.0, "guides do not widen the picture"
    assert told(figure)[f"{second}, predicted"] == {"heads = 16": "distance 0.100",
                                                        "heads = 512": "distance 0.0200"}


def test_power_laws_of_some_series_or_none(widths):
    second = list(WIDTH.series)[1]
    options = {"xlabel": "heads", "ylabel": "distance", "guides": [(-1, "slope −1")]}
    figure = figures.scaling("width", widths[widths["series"] == second], "error", log_y=False, **options)
    assert legend_words(figure) == [second, "slope −1"] and figure.axes[0].get_yscale() == "linear"
    x = np.array(WIDTH.grid["width"], float)
    assert is_among(drawn_lines(figure.axes[0]), x, 3 / x), "the guide goes through the first series that is there"
    (ax,) = figures.scaling("width", widths[:0], "error", **options).axes
    assert said(ax) == [figures.NO_RUN] and not ax.lines


def test_what_was_made_of_other_rows_tells_no_seeds():
    table = pd.DataFrame({"d": [64, 128], "n50": [113.4, 223.0], "series": ["one", "one"]})
    figure = figures.power_laws(table, "d", "n50", ["one"], xlabel="d_emb", ylabel="n₅₀, symbols to one half")
    assert told(figure) == {"one": {"d_emb = 64": "n₅₀ 113", "d_emb = 128": "n₅₀ 223"}}


def test_the_papers_curve_among_ours_is_grey_and_dashed():
    table = pd.DataFrame({"d": [64, 128] * 2, "n50": [37.0, 47.0, 113.0, 223.0],
                          "series": [figures.PAPERS] * 2 + ["ours"] * 2})
    figure = figures.power_laws(table, "d", "n50", [figures.PAPERS, "ours"], xlabel="d_emb", ylabel="n₅₀")
    legend = legend_of(figure)
    assert legend[figures.PAPERS][0] == matplotlib.colors.to_hex(figures.PAPER)
    assert legend["ours"][0] == matplotlib.colors.to_hex("C0")
    assert [line.is_dashed() for line in figure.axes[0].lines[:2]] == [True, False]


def test_a_short_logarithmic_axis_has_its_own_values_as_ticks():
    def ticks(widths):
        table = pd.DataFrame([{"series": "s", "x": x, "y": 1 / x} for x in widths])
        ax = figures.power_laws(table, "x", "y", ["s"], xlabel="", ylabel="").axes[0]
        return ax.get_xticks().tolist(), len(ax.get_xticks(minor=True))

    assert ticks([64, 128, 256]) == ([64, 128, 256], 0)
    assert ticks([10, 100, 10_000])[0] != [10, 100, 10_000]


# ---- seen from the side ------------------------------------------------------------------------------------------


def test_a_transposed_figure_draws_every_series_at_its_value():
    name, e = "random-templates", experiment("random-templates")
    values = {s: int(s.split()[-1]) for s in e.series}
    rows = pd.DataFrame([{"series": s, "n": of.n, "seed": of.seed, "test_loss": values[s] / of.n + 0.1 * (of.seed - 2)}
                         for of, s in e.runs().items() if values[s] <= 5])
    figure = figures.transposed(name, rows, values, [512, 1024], xlabel="r")
    lines, paper = drawn_lines(figure.axes[0]), pd.read_csv(paths.book() / "published/randomtemplate_ntempl_2_gotu.csv")
    for n in (512, 1024):
        assert is_among(lines, [2, 3, 4, 5], np.array([2, 3, 4, 5]) / n), "only where there are rows"
        curve = paper[paper["series"] == f"n {n}"].sort_values("x")
        assert is_among(lines, curve["x"], curve["y"]), "the paper draws the same numbers in this view"
    assert legend_words(figure) == ["n = 512", "n = 1024", figures.PAPER_WORDS]
    assert told(figure)["n = 512"]["r = 4"].startswith(f"mean test loss {4 / 512:.3f} ± ")
    assert legend_words(figures.transposed(name, rows[:0], values, [512], xlabel="r")) == ["n = 512 (paper)"]
