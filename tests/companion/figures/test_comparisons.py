"""Comparisons draw every row where it belongs, and say so."""

import numpy as np
import pandas as pd
import pytest
from drawing import legend_words, said, told
from scipy import stats

from companion import figures
from companion.experiments import experiment
from companion.results import columns
from companion.statistics import paired


def test_dots_draw_every_row_near_its_x_and_the_prediction():
    table = pd.DataFrame({"d": [16, 16, 64], "rise": [0.5, -0.2, 1.0], "kind": ["seen", "unseen", "seen"]})
    figure = figures.dots(table, "d", "rise", "kind", predicted=([16, 64], [0.5, 0.1]), label="theory", xlabel="d",
                          ylabel="rise")
    lines = {line.get_label(): line for line in figure.axes[0].lines}
    assert list(lines["seen"].get_ydata()) == [0.5, 1.0] and list(lines["unseen"].get_ydata()) == [-0.2]
    assert list(lines["theory"].get_ydata()) == [0.5, 0.1]
    assert np.log2(lines["seen"].get_xdata() / np.array([16, 64])) == pytest.approx([0, 0], abs=0.31)
    assert legend_words(figure) == ["seen", "unseen", "theory"]
    assert told(figure) == {"seen": {"d = 16": "rise = 0.5", "d = 64": "rise = 1"}, "unseen": {"d = 16": "rise = -0.2"},
                            "theory": {"d = 16": "rise = 0.5", "d = 64": "rise = 0.1"}}, "where it belongs, not stands"


def test_shares_are_stacked_in_their_order_and_fill_each_bar():
    table = pd.DataFrame({"series": ["Plain"] * 2 + ["+ b"], "n": [4, 64, 4], "right": [0.1, 0.2, 0.7],
                          "other": [0.3, 0.3, 0.2], "neither": [0.6, 0.5, 0.1]})
    words = {"right": "right", "other": "another", "neither": "none"}
    figure = figures.shares(table, "n", words)
    assert [ax.get_title() for ax in figure.axes] == ["Plain", "+ b"]
    for ax, (_, rows) in zip(figure.axes, table.groupby("series", sort=False), strict=True):
        below = np.zeros(len(rows))
        for bars, column in zip(ax.containers, words, strict=True):
            assert [bar.get_height() for bar in bars] == pytest.approx(rows[column].tolist())
            assert [bar.get_y() for bar in bars] == pytest.approx(below.tolist())
            below = below + rows[column].to_numpy()
        assert below == pytest.approx(np.ones(len(rows)))
        assert [label.get_text() for label in ax.get_xticklabels()] == [str(n) for n in rows["n"]]
    assert legend_words(figure) == list(words.values())
    share = "share of the answers = 0.3"
    assert told(figure)["Plain, another"] == {"n = 4": share, "n = 64": share}


def test_a_scatter_shows_every_row_and_what_is_never_reached_on_its_edge():
    table = pd.DataFrame({"a": [10.0, 100.0, 1000.0], "b": [20.0, 300.0, np.inf], "kind": ["one", "one", "two"]})
    figure = figures.scatter(table, "a", "b", "kind", xlabel="kernel", ylabel="network")
    (ax,) = figure.axes
    first, second, _ = ax.lines
    assert first.get_xydata().tolist() == [[10, 20], [100, 300]] and second.get_xdata().tolist() == [1000]
    assert second.get_ydata()[0] == ax.get_ylim()[1] > 1000
    assert told(figure)["two"] == {"kernel: 1,000": "network: ∞"}
    assert figures.scatter(table[2:], "a", "b", "kind", xlabel="", ylabel="").axes[0].lines


def test_answers_show_every_string_and_the_mean_of_its_template():
    table = pd.DataFrame({"template": ["αβ", "αα", "αβ"], "answer": [-1.0, 1.0, 0.0]})
    figure = figures.answers(table)
    (ax,) = figure.axes
    assert told(figure) == {"mean": {"αα": "answer 1.00", "αβ": "answer -0.50"}}
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["αα", "αβ"]
    assert sorted(y for dots in ax.collections for _, y in dots.get_offsets()) == [-1.0, 0.0, 1.0]
    assert np.concatenate([line.get_ydata() for line in ax.lines]).tolist() == [1.0, -0.5]


def test_ratios_are_those_of_pairs_of_one_seed_with_their_mean_and_interval(shared_rows):
    name, reference = "same-different", "Fully-connected"
    rows = shared_rows[(shared_rows["n"] == 64) & (shared_rows["series"] != "Modified transformer")]
    figure = figures.ratios(name, rows, reference, "test_loss", xlabel="loss / the MLP's")
    (ax,) = figure.axes
    assert [label.get_text() for label in ax.get_yticklabels()] == ["Transformer", "Modified transformer"]
    losses = rows.pivot(index="seed", columns="series", values="test_loss")
    ratios = losses["Transformer"] / losses[reference]
    mean, low, high, _ = paired(rows, "Transformer", reference, "test_loss", "n")
    dots, _, marker = ax.lines[0], ax.lines[1], ax.containers[0].lines[0]
    assert dots.get_xdata() == pytest.approx(ratios.to_numpy()) and marker.get_xdata() == pytest.approx([mean])
    (bar,) = ax.containers[0].lines[2][0].get_segments()
    assert bar[:, 0] == pytest.approx([low, high])
    series = told(figure)["Transformer"]
    assert series == {"mean of 5 seeds": f"loss / the MLP's: {mean:.3f} [{low:.3f}, {high:.3f}]"}, "its last curve"
    assert said(figures.ratios(name, rows[:0], reference, "test_loss", xlabel="").axes[0]) == [figures.NO_RUN]


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
    assert set(legend_words(figure)) == set(pairs)
    assert told(figure)["width 2, unseen"] == {"kernel = 0.5": "network = 2"}


def test_labelled_points_carry_their_names_and_groups():
    points = np.array([[0.0, 1.0], [0.0, -1.0], [1.0, 0.0], [-1.0, 0.0]])
    figure = figures.labelled_points(points, list("abcd"), ["+1", "+1", "−1", "−1"], xlabel="first", ylabel="second")
    (ax,) = figure.axes
    assert said(ax) == list("abcd")
    assert [line.get_xydata().tolist() for line in ax.lines] == [points[:2].tolist(), points[2:].tolist()]
    (outline,) = ax.patches
    corners = outline.get_xy()[:4]
    assert np.allclose(np.linalg.norm(np.diff(corners, axis=0), axis=1), np.sqrt(2))  # around, not across
    assert told(figure)["−1"] == {"c": "first 1, second 0", "d": "first -1, second 0"}


# ---- distributions -----------------------------------------------------------------------------------------------


def test_the_largest_distance_of_output_distributions_is_that_of_the_kolmogorov_smirnov_test():
    rng = np.random.default_rng(0)
    panels = {f"shift {d}": {"αα": rng.normal(size=60), "αβ": d + rng.normal(size=35)} for d in (0, 2)}
    figure = figures.output_ecdfs(panels)
    for ax, outputs in zip(figure.axes, panels.values(), strict=True):
        distance = stats.ks_2samp(*outputs.values()).statistic
        assert f"{distance:.2f}" in ax.get_title()
        ((start, end),) = ax.collections[0].get_segments()
        assert end[1] - start[1] == pytest.approx(distance)


def test_output_distributions_have_a_point_per_step():
    figure = figures.output_ecdfs({"net\ntwice": {"αα": np.array([1.0, 2.0, 3.0, 4.0]), "αβ": np.array([5.0])}})
    at = {"output on unseen strings = 2": "share of outputs below = 0.5"}.items()
    assert at <= told(figure)["net, αα"].items() and list(told(figure)) == ["net, αα", "net, αβ"]


def test_p_values_are_drawn_for_every_series_and_point_around_the_band_of_uniform_ones():
    rows = pd.DataFrame([{"series": series, "n": of.n, "p_value": (of.seed + 0.5) / 50}
                         for of, series in experiment("mlp-law").runs().items()])
    figure = figures.p_value_ecdfs("mlp-law", rows)
    curves = [f"{series}, n = {n}" for series in ("Fully-connected", "Transformer") for n in (64, 1024)]
    assert legend_words(figure) == ["95% band of 50 uniform p-values", "equal distributions", *curves]
    band = figure.axes[0].collections[0].get_paths()[0]
    width = stats.kstwo.ppf(0.95, 50)
    assert band.contains_points([(0.5, 0.5 + 0.95 * width), (0.5, 0.5 - 0.95 * width)]).all()
    assert not band.contains_points([(0.5, 0.5 + 1.05 * width), (0.1, 0.1 + 1.05 * width)]).any()
    found = told(figure)
    assert list(found) == curves
    assert found["Fully-connected, n = 64"]["p-value of one run = 0.11"] == "share of runs below = 0.12"


@pytest.mark.parametrize(("draw", "name"), [(figures.p_value_ecdfs, "mlp-law"),
                                            (figures.learning_curves, "fully-connected")])
def test_a_figure_without_rows_yet_is_drawn_all_the_same(draw, name):
    assert draw(name, pd.DataFrame(columns=["series", *columns(experiment(name).kind)])).axes
