"""A shown figure is an opaque picture with its text alternative, the same bytes each time."""

import matplotlib
import matplotlib.pyplot as plt
from drawing import legend_words, pixels_of

from companion import figures


def test_the_style_has_an_opaque_white_ground():
    figures.style()
    assert plt.figure().get_facecolor() == (1, 1, 1, 1)


def test_a_shown_figure_is_a_picture_with_its_text_alternative_and_is_closed(displayed):
    figures.style()
    figure, ax = plt.subplots()
    ax.plot([1, 2])
    figures.show(figure, alt="A line that rises.")
    (output,) = displayed.outputs
    pixels, about = pixels_of(output), output.metadata["image/png"]
    assert pixels.shape[2] == 3 or pixels[..., 3].min() == 1, "opaque"
    assert about["alt"] == output.data["text/plain"] == "A line that rises."
    assert 0 < about["width"] < pixels.shape[1], "sharp on a dense screen"
    assert not plt.fignum_exists(figure.number)


def test_the_same_figure_is_the_same_bytes(displayed, shared_rows):
    for _ in range(2):
        figures.show(figures.learning_curves("same-different", shared_rows), alt="")
    one, again = displayed.outputs
    assert one.data["image/png"] == again.data["image/png"] and one.metadata == again.metadata


def test_a_figure_of_no_points_tells_none(displayed):
    figure, ax = plt.subplots()
    ax.plot([1, 2], label="a diagram")
    ax.axis("off")
    figures.show(figure, alt="Lines.")
    assert "points" not in displayed.outputs[0].metadata["image/png"]


def test_a_legend_stands_above_the_axes_with_what_has_a_label_or_with_its_own_words():
    figure, ax = plt.subplots(layout="constrained")
    ax.plot([1, 2], label="ours")
    figures.legend(figure)
    assert legend_words(figure) == ["ours"]
    figure.draw_without_rendering()
    assert figure.legends[0].get_window_extent().y0 >= ax.get_window_extent().y1
    other, _ = plt.subplots(layout="constrained")
    figures.legend(other, [matplotlib.lines.Line2D([], [])], ["a word"])
    assert legend_words(other) == ["a word"]
