"""Numbers as coloured cells: tables, matrices, heads of a network."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from ..formats import digits, number
from .points import mark
from .style import NO_RUN


def heatmap(table: pd.DataFrame, *, title: str = "", fmt: str = ".2g", log: bool = False, label: str = "") -> Figure:
    """Returns a table of numbers as coloured cells, its columns along x and its index along y.

    Args:
        table: rows by columns.
        title: above it.
        fmt: of the number in each cell.
        log: whether the colours are logarithmic.
        label: of the colours.
    """
    figure, ax = plt.subplots(figsize=(6.0, 4.4))
    sns.heatmap(table, ax=ax, annot=True, fmt=fmt, cmap="cividis", norm=LogNorm() if log else None,
                cbar_kws={"label": label}, linewidths=0.5, annot_kws={"fontsize": 10})
    ax.set_title(title, fontsize=12)
    ax.tick_params(axis="y", rotation=0)
    return figure


def grids(tables: Mapping[str, pd.DataFrame], *, limits: tuple[float, float], label: str) -> Figure:
    """Returns tables of one shape as coloured cells, one below the other, on one scale; what is missing is grey.

    Args:
        tables: title → table.
        limits: the scale's ends.
        label: of the colours.
    """
    figure, axes = plt.subplots(len(tables), 1, figsize=(6.0, 3.5 * len(tables) + 0.6), sharex=True, squeeze=False)
    for ax, (title, table) in zip(axes[:, 0], tables.items(), strict=True):
        sns.heatmap(table, ax=ax, annot=True, fmt=".1f", cmap="cividis_r", vmin=limits[0], vmax=limits[1], cbar=False,
                    linewidths=0.5, annot_kws={"fontsize": 11}, mask=table.isna())
        ax.set_facecolor("0.9")
        ax.grid(visible=False)
        ax.set_title(title, fontsize=12)
        ax.set_xlabel(table.columns.name if ax is axes[-1, 0] else "")
        ax.tick_params(rotation=0, labelsize=11)
    _color_bar(figure, axes[0, 0].collections[0], axes, label)
    return figure


def matrices(tables: Mapping[str, pd.DataFrame], *, fmt: str = ".2f",
             limits: tuple[float, float] | None = None) -> Figure:
    """Returns small square tables as annotated heat maps, two in a row.

    Args:
        tables: title → table.
        fmt: of the number in each cell.
        limits: the ends of the one colour scale of all of them; each has its own without.
    """
    least, largest = limits or (None, None)
    down = -(-len(tables) // 2)
    figure, axes = plt.subplots(down, 2, figsize=(6.0, 2.4 * down), squeeze=False)
    for ax in axes.flat[len(tables):]:
        ax.axis("off")
    for ax, (title, table) in zip(axes.flat, tables.items(), strict=False):
        sns.heatmap(table, ax=ax, annot=True, fmt=fmt, cmap="cividis", cbar=False, square=True, linewidths=1,
                    vmin=least, vmax=largest, annot_kws={"fontsize": {2: 10, 3: 10, 4: 9}.get(len(table), 8)})
        ax.set_title(title, fontsize=11)
        ax.tick_params(rotation=0, labelsize=9)
    return figure


def head_maps(panels: Mapping[str, np.ndarray], *, label: str) -> Figure:
    """Returns numbers of heads as coloured cells, layers downwards, a panel each; white is 0.

    Args:
        panels: title → numbers (layers, heads), masked where there is none.
        label: of the colours.
    """
    side = max((matrix.shape[1] for matrix in panels.values()), default=1)
    limit = max((float(np.abs(matrix).max()) for matrix in panels.values()), default=1.0) or 1.0
    figure, axes = plt.subplots(1, max(1, len(panels)), figsize=(6.0, 3.6), squeeze=False)
    for ax, (title, matrix) in zip(axes[0], panels.items(), strict=False):
        image = ax.imshow(matrix, cmap="PuOr_r", vmin=-limit, vmax=limit, aspect="auto")
        _mark_heads(ax, title, matrix, label)
        if side <= 6:
            _write_heads(ax, matrix, limit)
        ax.set(title=title, xlabel="head", xticks=range(0, matrix.shape[1], 1 + side // 7),
               yticks=range(0, len(matrix), 1 + len(matrix) // 7))
        ax.grid(visible=False)
    if panels:
        axes[0, 0].set_ylabel("layer")
        _color_bar(figure, image, axes, label)
    else:
        axes[0, 0].text(0.5, 0.5, NO_RUN, ha="center")
        axes[0, 0].axis("off")
    return figure


def _mark_heads(ax: Axes, title: str, matrix: np.ndarray, label: str) -> None:
    for layer, values in enumerate(np.ma.filled(matrix, np.nan)):
        known = np.flatnonzero(np.isfinite(values))
        mark(ax, f"{title}, layer {layer}", known, np.full(len(known), layer),
             [(f"head {head}", f"{label}: {number(values[head])}") for head in known], [(1, 1)] * len(known))


def _write_heads(ax: Axes, matrix: np.ndarray, limit: float) -> None:
    places = max(1, 1 - math.floor(math.log10(limit)))
    for (layer, head), value in np.ndenumerate(matrix):
        ax.text(head, layer, f"{round(value, places) + 0.0:.{places}f}", ha="center", va="center", fontsize=10,
                color="white" if abs(value) > 0.6 * limit else "0.1")


def blocks(panels: Mapping[str, tuple[np.ndarray, Sequence[int]]], names: Sequence[str], *,
           limits: tuple[float, float], label: str) -> Figure:
    """Returns square matrices whose rows are sorted into blocks, side by side on one colour scale.

    Args:
        panels: title → (matrix (n, n), the blocks' sizes).
        names: the blocks'.
        limits: the scale's ends.
        label: of the colours.
    """
    figure, axes = plt.subplots(1, len(panels), figsize=(6.0, 3.1), squeeze=False)
    for ax, (title, (matrix, sizes)) in zip(axes[0], panels.items(), strict=True):
        image = ax.imshow(matrix, cmap="cividis", vmin=limits[0], vmax=limits[1], interpolation="nearest")
        ends = np.cumsum(sizes)
        for end in ends[:-1]:
            ax.axhline(end - 0.5, color="white", linewidth=1)
            ax.axvline(end - 0.5, color="white", linewidth=1)
        middle = ends - np.array(sizes) / 2 - 0.5
        _mark_blocks(ax, title, matrix, dict(zip(names, sizes, strict=True)), label)
        ax.set_xticks(middle, names, fontsize=11)
        ax.set_yticks(middle, names if ax is axes[0, 0] else [""] * len(names), fontsize=11)
        ax.tick_params(length=0)
        ax.grid(visible=False)
        ax.set_title(title, fontsize=12)
    _color_bar(figure, image, axes, label, extend="max").ax.tick_params(labelsize=10)
    return figure


def _mark_blocks(ax: Axes, title: str, matrix: np.ndarray, sizes: Mapping[str, int], label: str) -> None:
    """Mark every block with the mean and the range of its entries."""
    ends = np.cumsum(list(sizes.values()))
    parts = {name: slice(end - size, end) for end, (name, size) in zip(ends, sizes.items(), strict=True)}
    middle = {name: (part.start + part.stop - 1) / 2 for name, part in parts.items()}
    for row, rows in parts.items():
        found = {column: matrix[rows, columns] for column, columns in parts.items()}
        mark(ax, f"{title}, block row: {row}", middle.values(), [middle[row]] * len(found), [
            (f"block column: {column}", f"{label}: mean {digits(block.mean())}, "
             f"from {digits(block.min())} to {digits(block.max())}")
            for column, block in found.items()], [(wide, sizes[row]) for wide in sizes.values()])


def _color_bar(figure: Figure, drawn: ScalarMappable, axes: np.ndarray, label: str, **options: Any) -> Any:
    """A colour bar below these axes, and its label."""
    bar = figure.colorbar(drawn, ax=list(axes.flat), location="bottom", shrink=0.7, aspect=30, **options)
    bar.set_label(label, fontsize=11)
    bar.ax.grid(visible=False)
    return bar
