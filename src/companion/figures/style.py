"""How the book's figures look, and how they are shown: one style, one grey for the paper's curves, one legend."""

import io
from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import seaborn as sns
from IPython.display import display
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.lines import Line2D

from .points import PAPERS, points

MARKERS = ("o", "s", "D", "^", "v", "P", "X", "*", "p", "h", "<", ">")
PAPER = "0.62"  # the grey of the paper's curves
REFERENCE = "0.25"  # of our own curves that others are compared with
NO_RUN = "no run is done yet"
PAPER_WORDS = f"{PAPERS} (same marker)"  # in every legend
X_WORDS = {"n": "n = training strings = training symbols", "lr": "learning rate"}


def style() -> None:
    """Set the book's figure style: seaborn's colour-blind palette on an opaque white ground."""
    sns.set_theme(context="notebook", style="whitegrid", palette="colorblind", rc={
        "figure.figsize": (6.0, 4.4), "figure.dpi": 100, "savefig.dpi": 200, "figure.facecolor": "white",
        "savefig.facecolor": "white", "axes.spines.top": False, "axes.spines.right": False,
        "grid.color": "0.92", "font.size": 12, "legend.frameon": False, "figure.constrained_layout.use": True,
    })


def show(figure: Figure, alt: str) -> None:
    """Display a figure as a picture with its text alternative and its points (see `points`), and close it."""
    buffer = io.BytesIO()
    with plt.rc_context({"savefig.bbox": None}):  # a trimmed picture would have its points elsewhere
        figure.savefig(buffer, format="png", metadata={"Software": None})
    about: dict[str, Any] = {"alt": alt, "width": round(figure.get_size_inches()[0] * figure.dpi)}
    if curves := points(figure):
        about["points"] = curves
    plt.close(figure)
    display({"image/png": buffer.getvalue(), "text/plain": alt}, metadata={"image/png": about}, raw=True)


def legend(figure: Figure, handles: Sequence[Artist] | None = None, labels: Sequence[str] | None = None, *,
           ncols: int = 2, loc: Any = "outside upper left", **options: Any) -> Legend:
    """Draw the legend above the figure, of what has a label in it or of these handles, and return it."""
    if handles is None or labels is None:
        return figure.legend(loc=loc, ncols=ncols, **options)
    return figure.legend(handles, labels, loc=loc, ncols=ncols, **options)


def paper_line(**look: Any) -> Line2D:
    """Returns a legend's handle for the paper's curves: grey and dashed."""
    return Line2D([], [], color=PAPER, linestyle="--", **look)


def ordered_colors(count: int) -> list[tuple[float, float, float]]:
    """Returns colours from dark to light that all stand out from white: viridis without its yellow."""
    return sns.color_palette("viridis", count * 3 // 2 + 1)[:count]


def say_no_run(ax: Axes) -> None:
    """Write into axes that they have no curve because no run is done yet."""
    ax.text(0.5, 0.6, NO_RUN, transform=ax.transAxes, ha="center", va="center", color="0.3")
