"""Figures of a book: our curves with their bands, the paper's behind them, and what each of their points says.

They know experiments, rows and the paper's curves, and nothing of training. Chapters call `figures.learning_curves`.
"""

from .alt import alt_text, scaling_alt
from .comparisons import (
    agreement,
    answers,
    dots,
    labelled_points,
    output_ecdfs,
    p_value_ecdfs,
    ratios,
    scatter,
    shares,
)
from .curves import draw_paper, learning_curves, power_laws, scaling, transposed
from .facets import facets
from .heatmaps import blocks, grids, head_maps, heatmap, matrices
from .points import PAPERS, mark, points
from .style import MARKERS, NO_RUN, PAPER, PAPER_WORDS, REFERENCE, X_WORDS, legend, ordered_colors, show, style

__all__ = [
    "MARKERS", "NO_RUN", "PAPER", "PAPERS", "PAPER_WORDS", "REFERENCE", "X_WORDS", "agreement", "alt_text", "answers",
    "blocks", "dots", "draw_paper", "facets", "grids", "head_maps", "heatmap", "labelled_points", "learning_curves",
    "legend", "mark", "matrices", "ordered_colors", "output_ecdfs", "p_value_ecdfs", "points", "power_laws", "ratios",
    "scaling", "scaling_alt", "scatter", "shares", "show", "style", "transposed",
]
