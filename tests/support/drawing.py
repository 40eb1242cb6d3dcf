"""What tests read off figures and tables: words of legends, drawn lines, points, cells of HTML tables."""

import xml.etree.ElementTree as ElementTree
from base64 import b64decode
from io import BytesIO

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

from companion import figures


def table_of(html):
    """The tree of a table, its header and its rows; the whole must be well formed."""
    tree = ElementTree.fromstring(html.data.replace("<br>", "<br/>"))
    cells = [["".join(cell.itertext()) for cell in row] for row in tree.iter("tr")]
    return tree, cells[0], cells[1:]


def legend_words(figure):
    """Words of the figure's legend, in its order."""
    (legend,) = figure.legends
    return [text.get_text() for text in legend.get_texts()]


def legend_of(figure):
    """Legend words → their lines' (colour, marker)."""
    (legend,) = figure.legends
    return {text.get_text(): (matplotlib.colors.to_hex(line.get_color()), line.get_marker())
            for text, line in zip(legend.get_texts(), legend.get_lines(), strict=True)}


def said(ax):
    """Words written into the axes."""
    return [text.get_text() for text in ax.texts]


def told(figure):
    """{series: {words of x: words of y}} of a figure's points."""
    figure.draw_without_rendering()
    return {curve["name"]: {point[2]: point[3] for point in curve["points"]} for curve in figures.points(figure)}


def drawn_lines(ax):
    """(x, y) of every line in the axes that has points."""
    return [(np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float)) for line in ax.lines
            if len(line.get_xdata())]


def is_among(lines, x, y):
    """Whether one of the lines has exactly these points."""
    return any(len(a) == len(x) and np.allclose(a, x) and np.allclose(b, y) for a, b in lines)


def pixels_of(output):
    """A displayed picture (height, width, 3 or 4) from 0 to 1."""
    png = output.data["image/png"]
    return plt.imread(BytesIO(png if isinstance(png, bytes) else b64decode(png)))


def pictured(displayed):
    """The only picture shown, (height, width, 3) from 0 to 1, and its points: (series, left, top, words of x, of y)."""
    (output,) = displayed.outputs
    return pixels_of(output)[..., :3], [(curve["name"], *point)
                                        for curve in output.metadata["image/png"]["points"]
                                        for point in curve["points"]]


def color_at(pixels, left, top):
    """The colour at these fractions of the width and the height."""
    height, width, _ = pixels.shape
    return pixels[round(top * height), round(left * width)]
