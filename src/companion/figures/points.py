"""Where the points of a figure lie in its picture, and what each says.

The pages show that beside a point under the mouse, finger or keyboard. A figure's points are those that its drawing
function has marked; of axes where none was marked, those that can be read off what is drawn there.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.cm import ScalarMappable
from matplotlib.collections import PathCollection, QuadMesh
from matplotlib.container import BarContainer, ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedFormatter, FuncFormatter

from ..formats import digits, seeds, short, spread

PAPERS = "the paper's"  # the name of a series among ours, and the end of its name in a legend
MAX_POINTS = 60  # of a line without markers: its data are too dense to show single points
_COLORBAR = "<colorbar>"  # matplotlib's label of a colour bar's axes


@dataclass(frozen=True)
class Curve:
    """Points of one series.

    Attributes:
        axes: their place among the figure's; the axes themselves would keep the figure alive.
        name: the series.
        x: in the data's units.
        y: in the data's units.
        words: what each point says, of its x and of its y.
        cells: width and height, in the data's units, where a point stands for an area.
    """

    axes: int
    name: str
    x: Sequence[float]
    y: Sequence[float]
    words: list[tuple[str, str]]
    cells: list[tuple[float, float]] | None = None


_MARKED: WeakKeyDictionary[Figure, list[Curve]] = WeakKeyDictionary()


def points(figure: Figure) -> list[dict]:
    """Returns the points of a figure as it was drawn last, a dictionary per curve.

    Points without a value or outside the axes are left out.

    Returns:
        {"name": series, "points": [[left, top, words of x, words of y], …]}; left and top are fractions of the
        picture's width and height. The point of a cell or bar has its width and height, too, as fractions.
    """
    ours_first = sorted(curves(figure), key=lambda curve: curve.name.endswith((" (paper)", PAPERS)))
    return [{"name": curve.name, "points": told} for curve in ours_first if (told := _placed(figure, curve))]


def _placed(figure: Figure, curve: Curve) -> list[list]:
    """A curve's points that lie inside their axes, in fractions of the picture."""
    ax, at = figure.axes[curve.axes], np.column_stack([curve.x, curve.y]).astype(float)
    to_shares = ax.transData + figure.transFigure.inverted()
    where, shares = ax.transData.transform(at), to_shares.transform(at)
    told: list[list] = []
    for i, (left, up) in enumerate(shares):
        if np.isfinite(where[i]).all() and ax.bbox.padded(1).contains(*where[i]):
            area = np.array([])
            if curve.cells:
                half = np.array(curve.cells[i]) / 2
                area = np.abs(np.subtract(*to_shares.transform([at[i] + half, at[i] - half])))
            told.append([round(float(left), 4), round(1 - float(up), 4), *curve.words[i],
                         *(round(float(side), 4) for side in area)])
    return told


def curves(figure: Figure) -> list[Curve]:
    """Returns the points that were marked, and those read off the axes where none was."""
    marked = _MARKED.get(figure, [])
    done = {curve.axes for curve in marked}
    others = [(ax, place) for place, ax in enumerate(figure.axes) if place not in done]
    return [*marked, *(curve for ax, place in others for curve in _read(ax, place))]


# ---- marking -----------------------------------------------------------------------------------------------------


def mark(ax: Axes, name: str, x: Iterable[float], y: Iterable[float], words: Iterable[tuple[str, str]],
         cells: Iterable[tuple[float, float]] | None = None) -> None:
    """Remember points that were drawn in these axes, for `points`.

    Args:
        ax: axes of a figure.
        name: the series.
        x: in the data's units.
        y: in the data's units.
        words: what each point says, of its x and of its y.
        cells: (width, height) in the data's units, where a point stands for an area.
    """
    figure = ax.figure
    curve = Curve(figure.axes.index(ax), name, list(x), list(y), list(words), None if cells is None else list(cells))
    _MARKED.setdefault(figure, []).append(curve)  # type: ignore[arg-type]


def mark_ours(ax: Axes, name: str, curve: pd.DataFrame, x: str, metric: str, *,
              said: Callable[[float, float], str] = spread) -> None:
    """Mark a curve as in `companion.summaries.summary`; of 0 seeds nothing is said.

    Args:
        ax: axes of a figure.
        name: the series.
        curve: x under its own name, mean, se, seeds.
        x: the column and word of the horizontal axis.
        metric: what the values are, in words.
        said: (mean, se) → words.
    """
    words = []
    for at, mean, se, count in zip(curve[x], curve["mean"], curve["se"], curve["seeds"], strict=True):
        of = f", {seeds(count)}" if count else ""
        words.append((f"{x} = {short(at)}", f"{'mean ' * (count > 1)}{metric} {said(mean, se)}{of}"))
    mark(ax, name, curve[x], curve["mean"], words)


def mark_papers(ax: Axes, name: str, curve: pd.DataFrame, x: str, metric: str) -> None:
    """Mark a curve of the paper: x, y as in `companion.published.published`."""
    mark(ax, f"{name} (paper)", curve["x"], curve["y"],
         [(f"{x} = {short(at)}", f"{metric} {y:.3f}") for at, y in zip(curve["x"], curve["y"], strict=True)])


# ---- reading off what is drawn -----------------------------------------------------------------------------------


def _read(ax: Axes, place: int) -> list[Curve]:
    """The points of what has a label in these axes (lines, error bars, dots, bars), and the cells of heat maps.

    Axes without a frame are diagrams, and lines that are no data (`axhline`, `axline`) do not lie in the data's
    coordinates: neither has points.
    """
    if not ax.axison or ax.get_label() == _COLORBAR:
        return []
    title = next((words for loc in ("center", "left", "right") if (words := ax.get_title(loc))), "")  # type: ignore
    title = title.split("\n")[0]
    found = [_labelled(ax, place, title, label, at) for label, at in _drawn(ax) if not label.startswith("_")]
    found += [_bars(ax, place, container, title) for container in ax.containers
              if isinstance(container, BarContainer) and not str(container.get_label()).startswith("_")]
    for drawn in (*ax.collections, *ax.images):
        if isinstance(drawn, QuadMesh) or drawn in ax.images and np.ndim(drawn.get_array()) == 2:  # type: ignore
            found += _cells(ax, place, drawn, title)
    return found


def _drawn(ax: Axes) -> Iterable[tuple[str, np.ndarray]]:
    """Label and places (m, 2) of the axes' lines, error bars and dots."""
    for line in ax.lines:
        if line.get_transform() == ax.transData:
            yield str(line.get_label()), _thinned(line)
    for container in ax.containers:
        if isinstance(container, ErrorbarContainer) and container.lines[0] is not None:
            yield str(container.get_label()), np.asarray(container.lines[0].get_xydata(), float)
    for dots in ax.collections:
        if isinstance(dots, PathCollection):
            yield str(dots.get_label()), np.ma.filled(np.ma.asarray(dots.get_offsets()).astype(float), np.nan)


def _thinned(line: Line2D) -> np.ndarray:
    """A line's places (m, 2), at most `MAX_POINTS` of one without markers."""
    at = np.asarray(line.get_xydata(), float)
    if len(at) <= MAX_POINTS or line.get_marker() not in ("None", "none", "", " ", None):
        return at
    return at[np.linspace(0, len(at) - 1, MAX_POINTS).round().astype(int)]


def _labelled(ax: Axes, place: int, title: str, label: str, at: np.ndarray) -> Curve:
    """A curve of places (m, 2) that says its coordinates."""
    across, up = _word(ax, "x"), _word(ax, "y")
    words = [(f"{across} = {digits(x)}", f"{up} = {digits(y)}") for x, y in at]
    return Curve(place, _joined(title, label), at[:, 0], at[:, 1], words)  # type: ignore[arg-type]


def _joined(*words: str) -> str:
    return ", ".join(filter(None, words))


def _bars(ax: Axes, place: int, bars: BarContainer, title: str) -> Curve:
    """A point in the middle of each bar."""
    middles = np.array([(bar.get_x() + bar.get_width() / 2, bar.get_y() + bar.get_height() / 2) for bar in bars])
    sizes = np.array([(bar.get_width(), bar.get_height()) for bar in bars])
    along, over = (0, 1) if bars.orientation == "vertical" else (1, 0)
    names = _places((ax.xaxis, ax.yaxis)[along], middles[:, along])
    words = [(f"{_word(ax, 'xy'[along])} = {name}", f"{_word(ax, 'xy'[over])} = {digits(size)}")
             for name, size in zip(names, sizes[:, over], strict=True)]
    return Curve(place, _joined(title, bars.get_label()), middles[:, 0], middles[:, 1], words,  # type: ignore
                 [tuple(size) for size in np.abs(sizes)])


def _cells(ax: Axes, place: int, drawn: ScalarMappable, title: str) -> list[Curve]:
    """A point in the middle of each cell of a mesh or image that has a value, a curve per row."""
    values, x, y = _edges(drawn)
    across, down = ((edges[1:] + edges[:-1]) / 2 for edges in (x, y))
    columns, rows = _names(ax, "x", across), _names(ax, "y", down)
    bars = [bar for bar in ax.figure.axes if bar.get_label() == _COLORBAR]
    of = bars[0].get_xlabel() or bars[0].get_ylabel() if bars else ""
    found = []
    for i, row in enumerate(rows):
        known = np.flatnonzero(np.isfinite(values[i]))
        words = [(columns[j], f"{of} = {digits(values[i, j])}" if of else digits(values[i, j])) for j in known]
        sizes = [(abs(x[j + 1] - x[j]), abs(y[i + 1] - y[i])) for j in known]
        found.append(Curve(place, _joined(title, row), across[known], np.full(len(known), down[i]),  # type: ignore
                           words, sizes))
    return found


def _edges(drawn: ScalarMappable) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values (rows, columns) of a mesh or image, and the edges of its columns and rows."""
    values = np.ma.filled(np.ma.asarray(drawn.get_array()).astype(float), np.nan)
    if isinstance(drawn, QuadMesh):
        corners = np.asarray(drawn.get_coordinates())
        x, y = corners[0, :, 0], corners[:, 0, 1]
        return values.reshape(len(y) - 1, len(x) - 1), x, y
    left, right, bottom, top = drawn.get_extent()  # type: ignore[attr-defined]
    x = np.linspace(left, right, values.shape[1] + 1)
    upside = drawn.origin == "upper"  # type: ignore[attr-defined]
    return values, x, np.linspace(*((top, bottom) if upside else (bottom, top)), len(values) + 1)


def _names(ax: Axes, which: str, at: np.ndarray) -> list[str]:
    """What the columns (x) or rows (y) of cells are called."""
    axis, otherwise = (ax.xaxis, "column") if which == "x" else (ax.yaxis, "row")
    word = _word(ax, which)
    return [f"{word} = {name}" if word else f"{otherwise}: {name}" for name in _places(axis, at)]


def _word(ax: Axes, which: str) -> str:
    """What an axis is called, x or y: its label, that of axes which share it, or the figure's."""
    axes = [ax, *getattr(ax, f"get_shared_{which}_axes")().get_siblings(ax)]
    labels = [*(getattr(one, f"get_{which}label")() for one in axes), getattr(ax.figure, f"get_sup{which}label")()]
    return next((label for label in labels if label), "").split(" = ")[0]


def _places(axis: Axis, at: np.ndarray) -> list[str]:
    """What places along an axis are called: their tick labels, else the numbers there, or 1, 2, … of named ones."""
    ticks, names = axis.get_majorticklocs(), axis.get_major_formatter()
    labels = {round(float(x), 6): label for x, label in zip(ticks, names.format_ticks(list(ticks)), strict=True)}
    counted = not labels or isinstance(names, (FixedFormatter, FuncFormatter))
    return [labels.get(round(float(x), 6)) or (str(i) if counted else digits(x)) for i, x in enumerate(at, start=1)]
