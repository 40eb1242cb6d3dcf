"""Heat maps show every number, on the scale that they are told."""

import matplotlib
import numpy as np
import pandas as pd
import pytest
from drawing import said, told

from companion import figures


@pytest.mark.parametrize("log", [False, True])
def test_a_heat_map_shows_every_number_in_its_cell(log):
    table = pd.DataFrame([[1.0, 10.0, 100.0], [0.5, 0.25, 1000.0]], index=[0.5, 2], columns=["a", "b", "c"])
    ax, bar = figures.heatmap(table, title="numbers", fmt="g", log=log, label="how much").axes
    assert said(ax) == ["1", "10", "100", "0.5", "0.25", "1000"]
    assert np.allclose(np.asarray(ax.collections[0].get_array()).reshape(2, 3), table)
    assert [t.get_text() for t in ax.get_xticklabels()] == ["a", "b", "c"] and ax.get_title() == "numbers"
    assert isinstance(ax.collections[0].norm, matplotlib.colors.LogNorm) == log and bar.get_ylabel() == "how much"


def test_grids_share_one_scale_and_leave_out_what_is_missing():
    columns = pd.Index([16, 32], name="n")
    tables = {"paper": pd.DataFrame([[1.0, 0.5], [0.25, 0.0]], index=[0.1, 1], columns=columns),
              "ours": pd.DataFrame([[np.nan, 0.3], [0.2, 2.0]], index=[0.1, 1], columns=columns)}
    paper, ours, bar = figures.grids(tables, limits=(0.0, 1.0), label="loss").axes
    assert [ax.get_title() for ax in (paper, ours)] == list(tables) and bar.get_xlabel() == "loss"
    assert said(ours) == ["0.3", "0.2", "2.0"], "no number where there is none"
    assert {ax.collections[0].get_clim() for ax in (paper, ours)} == {(0, 1)} and ours.get_xlabel() == "n"


def test_matrices_show_every_number_of_every_table():
    tables = {f"task {r}": pd.DataFrame(np.arange(r * r).reshape(r, r) + 0.125, index=list("αβγδ")[:r],
                                        columns=list("αβγδ")[:r]) for r in (2, 4, 3)}
    figure = figures.matrices(tables, fmt=".3f")
    drawn = [ax for ax in figure.axes if ax.get_title()]
    assert [ax.get_title() for ax in drawn] == list(tables)
    for ax, table in zip(drawn, tables.values(), strict=True):
        assert said(ax) == [f"{v:.3f}" for v in table.to_numpy().ravel()]
    assert told(figure)["task 2, row: β"] == {"column: α": "2.125", "column: β": "3.125"}


def test_matrices_of_one_colour_scale_have_one_colour_for_one_number():
    tables = {title: pd.DataFrame([[5.0, low], [low, 1.0]]) for title, low in (("first", 0.0), ("second", 4.0))}
    for limits, same in (((-1, 9), True), (None, False)):
        figure = figures.matrices(tables, limits=limits)
        meshes = [ax.collections[0] for ax in figure.axes]
        figure.canvas.draw()
        assert np.array_equal(*(mesh.get_facecolors()[3] for mesh in meshes)) == same, "the colour of 1.0"


def test_head_maps_have_white_at_zero_a_number_in_each_cell_of_small_ones_and_a_point_each():
    maps = {"a": np.array([[0.5, -2.0], [0.0, 1.0]]), "b": np.ma.masked_equal([[0.25, 9.0], [0.0, 0.125]], 9.0)}
    figure = figures.head_maps(maps, label="score")
    for ax in figure.axes[:2]:
        assert ax.images[0].get_clim() == (-2, 2)
    assert said(figure.axes[0]) == ["0.5", "-2.0", "0.0", "1.0"]
    assert figure.axes[2].get_xlabel() == "score"
    assert told(figure) == {"a, layer 0": {"head 0": "score: 0.500", "head 1": "score: -2.00"},
                            "a, layer 1": {"head 0": "score: 0.00", "head 1": "score: 1.00"},
                            "b, layer 0": {"head 0": "score: 0.250"},
                            "b, layer 1": {"head 0": "score: 0.00", "head 1": "score: 0.125"}}
    assert said(figures.head_maps({"large": np.ones((12, 12))}, label="").axes[0]) == []
    assert said(figures.head_maps({}, label="").axes[0]) == [figures.NO_RUN]


def test_blocks_share_one_colour_scale_part_the_templates_and_tell_each_block():
    panels = {"m = 1": (np.arange(25.0).reshape(5, 5), [2, 3]), "m = 2": (np.ones((4, 4)), [1, 3])}
    figure = figures.blocks(panels, ["αα", "αβ"], limits=(0.0, 3.0), label="K")
    for ax, (title, (matrix, sizes)) in zip(figure.axes, panels.items(), strict=False):
        (image,) = ax.images
        assert ax.get_title() == title and image.get_clim() == (0.0, 3.0)
        assert np.array_equal(image.get_array(), matrix)
        assert [line.get_xdata()[0] for line in ax.lines[1::2]] == [sizes[0] - 0.5]
        assert ax.get_xticks().tolist() == [sizes[0] / 2 - 0.5, sizes[0] + sizes[1] / 2 - 0.5]
        assert [label.get_text() for label in ax.get_xticklabels()] == ["αα", "αβ"]
    assert told(figure)["m = 1, block row: αβ"] == {"block column: αα": "K: mean 15.5, from 10 to 21",
                                                   "block column: αβ": "K: mean 18, from 12 to 24"}
