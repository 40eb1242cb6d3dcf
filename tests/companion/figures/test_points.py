"""Points of figures: where they lie in the picture, and what they say."""

from dataclasses import replace

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from drawing import color_at, pictured, told

from companion import figures
from companion.experiments import experiment, experiments
from companion.published import published

pytestmark = pytest.mark.slow

NAME = "same-different"
E = experiment(NAME)


@pytest.mark.parametrize(("draw", "trimmed"), [("learning_curves", False), ("learning_curves", True),
                                               ("two columns", False), ("three columns", False)])
def test_the_pictures_pixels_have_the_markers_colour_where_a_point_is_said_to_be(
        rows, draw, trimmed, displayed, monkeypatch):
    figures.style()
    rows = rows[rows["seed"] == 2]  # no band over another series' marker
    monkeypatch.setitem(experiments(), NAME, replace(E, seeds=1))  # or every marker would be open
    panels = {s: [s] for s in E.series}
    figure = {
        "learning_curves": lambda: figures.learning_curves(NAME, rows),
        "two columns": lambda: figures.facets(NAME, rows, panels, words=["our curve"]),
        "three columns": lambda: figures.facets(NAME, rows, panels, columns=3),
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


def test_a_point_says_the_mean_of_its_rows_with_its_band_and_seeds_and_the_papers_its_value(rows):
    some = rows[(rows["n"] != 8) | (rows["seed"] == 0)]
    found = told(figures.learning_curves(NAME, some))
    losses = rows[(rows["series"] == "Transformer") & (rows["n"] == 64)]["test_loss"]
    assert found["Transformer"]["n = 64"] == f"mean test loss {losses.mean():.3f} ± {losses.sem():.3f}, 5 seeds"
    only = some[(some["series"] == "Transformer") & (some["n"] == 8)]["test_loss"].item()
    assert found["Transformer"]["n = 8"] == f"test loss {only:.3f}, 1 seed"
    paper = published(NAME, "Transformer").set_index("x")["y"]
    assert found["Transformer (paper)"]["n = 64"] == f"test loss {paper[64]:.3f}"
    assert list(found) == [*E.series, *(f"{s} (paper)" for s in E.series)], "ours first"


def test_points_outside_the_axes_and_without_a_value_are_left_out(rows):
    rows.loc[rows["n"] == 16, "test_loss"] = np.nan
    figure = figures.facets(NAME, rows, {s: [s] for s in E.series})
    figure.axes[0].set_xlim(7, 5000)
    (found,) = {tuple(points) for points in told(figure).values()}
    assert found == tuple(f"n = {n}" for n in E.grid["n"] if n not in (4, 16))


def test_points_that_were_marked_are_not_read_off_a_second_time():
    figure, (marked, other) = plt.subplots(1, 2)
    for ax in (marked, other):
        ax.plot([1, 2], [3, 4], label="drawn")
        ax.set(xlabel="x", ylabel="y")
    figures.mark(marked, "ours", [1.5], [3.5], [("here", "this")])
    assert told(figure) == {"ours": {"here": "this"}, "drawn": {"x = 1": "y = 3", "x = 2": "y = 4"}}


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
        figure = figures.heatmap(CELLS, title="map", log=True, label="ν")
    elif kind == "grids":
        figure = figures.grids({"map": CELLS}, limits=(0, 1000), label="ν")
    else:
        figure, ax = plt.subplots()
        image = ax.imshow(CELLS, aspect="auto", origin=kind.partition(", ")[2] or "upper", interpolation="nearest")
        ax.set_xticks(range(3), CELLS.columns)
        ax.set_yticks(range(2), CELLS.index)
        ax.set(title="map", xlabel="β", ylabel="γ")
        ax.grid(visible=False)
        figure.colorbar(image, label="ν")
    for text in list(figure.axes[0].texts):
        text.remove()  # it stands where the colour is looked at
    drawn = [*figure.axes[0].collections, *figure.axes[0].images][0]
    figures.show(figure, alt="")
    pixels, points = pictured(displayed)
    found = {(name, x): (y, left, top, wide, high) for name, left, top, x, y, wide, high in points}
    values = CELLS.stack().dropna()
    assert {key: value[0] for key, value in found.items()} == {
        (f"map, γ = {row}", f"β = {column}"): f"ν = {value:g}" for (row, column), value in values.items()}
    for (row, column), value in values.items():
        _, left, top, wide, high = found[f"map, γ = {row}", f"β = {column}"]
        for across, down in [(0, 0), (0.46, 0.46), (-0.46, 0.46), (0.46, -0.46)]:
            seen = color_at(pixels, left + across * wide, top + down * high)
            assert seen == pytest.approx(drawn.cmap(drawn.norm(value))[:3], abs=0.02), (row, column, across, down)
