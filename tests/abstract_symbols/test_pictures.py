"""Pictures of strings, templates and weights have every tile in its place and colour."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from drawing import said, told

from abstract_symbols import pictures
from companion import figures


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_a_picture_of_strings_has_a_tile_per_symbol_of_the_symbols_colour():
    groups = [("same", ["AA", "BB"], ["XX"]), ("different", ["AB"], ["XY", "YX"])]
    figure = pictures.strings_picture(groups)
    (ax,) = figure.axes
    letters = [word for word in said(ax) if len(word) == 1]
    assert "".join(letters) == "AABB" + "AB" + "XX" + "XYYX"
    colors = {}
    assert len(ax.patches) == len(letters)
    for letter, tile in zip(letters, ax.patches, strict=True):
        assert colors.setdefault(letter, tile.get_facecolor()) == tile.get_facecolor()
    assert len(set(colors.values())) == 4
    assert {"same", "different"} <= set(said(ax))
    assert figures.points(figure) == [], "tiles are no data"


@pytest.mark.parametrize(("labels", "shape", "per_line"), [
    ({"αβγγ": +1, "ααββ": +1, "αβαβ": +1, "ααβγ": -1}, (2, 2), 2), ({"αβα": +1, "αββ": -1}, (3,), 4)])
def test_a_picture_of_templates_has_every_tile_in_its_place_and_the_labels_in_their_order(labels, shape, per_line):
    (ax,) = pictures.templates_picture(labels, shape, per_line).axes
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


def test_the_first_layer_leaves_white_what_has_not_moved_at_all_and_tells_every_distance():
    moved = np.array([[0.2, 0.0, 1e-9, 0.0], [0.1, 0.3, 0.0, 0.0]])
    figure = pictures.first_layer({"a string": [0, 2]}, moved, seen=2)
    string, columns = figure.axes[:2]
    assert string.collections[0].get_array().tolist() == [[1, 0, 0, 0], [0, 0, 1, 0]]
    assert columns.collections[0].get_array().mask.tolist() == (moved == 0).tolist()
    found = told(figure)
    assert found["a string, row: position 2"] == {f"column: {i}": f"{int(i == 3)}" for i in range(1, 5)}
    assert [*found.values()][2:] == [{"column: 1": "0.2", "column: 3": "1e-09"},
                                     {"column: 1": "0.1", "column: 2": "0.3"}]
