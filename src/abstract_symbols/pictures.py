"""Pictures of the science: strings and templates as coloured tiles, the first layer's weights."""

from collections.abc import Iterable, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure


def strings_picture(rows: Sequence[tuple[str, Sequence[str], Sequence[str]]]) -> Figure:
    """Returns a task as a picture: a row of coloured tiles per label, training strings left, unseen ones right.

    Args:
        rows: (label, training strings, unseen strings) with one character per symbol.
    """
    symbols = list(dict.fromkeys("".join(s for _, *groups in rows for strings in groups for s in strings)))
    palette = _hues(len(symbols))
    colors = dict(zip(symbols, palette[::2] + palette[1::2], strict=True))  # neighbours far apart
    figure, ax = plt.subplots(figsize=(7.2, 0.5 + 0.42 * len(rows)))
    x = 0.0
    for group, title in ((1, "training"), (2, "test: symbols never seen")):
        start = x
        for y, row in enumerate(rows):
            x = start
            for string in row[group]:
                for symbol in string:
                    _tile(ax, x, 0.36 - y, 0.72, symbol, colors)
                    x += 0.76
                x += 0.5
        ax.text((start + x - 0.5) / 2, 0.75, title, ha="center", fontsize=12)
        x += 1.0
    for y, row in enumerate(rows):
        ax.text(-0.4, -y, row[0], ha="right", va="center", fontsize=13)
    ax.set_xlim(-1.6, x - 1.3)
    ax.set_ylim(-len(rows) + 0.5, 1.15)
    ax.set_aspect("equal")
    ax.axis("off")
    return figure


def templates_picture(labels: Mapping[str, float], shape: Sequence[int], per_line: int = 4) -> Figure:
    """Returns a task's templates as coloured tiles, a tile per wildcard, under the label that they share.

    Args:
        labels: template → label, the labels in the order in which they are drawn.
        shape: the lengths of the rows into which each template is broken, as (3, 3) for two rows of three.
        per_line: templates side by side.
    """
    wildcards = sorted(set("".join(labels)))
    colors = dict(zip(wildcards, _hues(len(wildcards)), strict=True))
    ends, wide, high = np.cumsum(shape), max(shape) + 0.9, len(shape) + 0.8
    tops, y, tiles = [], 0.0, []
    for value in dict.fromkeys(labels.values()):
        mine = [t for t, label in labels.items() if label == value]
        tops.append((value, y))
        for i, template in enumerate(mine):
            left, top = wide * (i % per_line), y + high * (i // per_line)
            tiles += [(left + column, top + row, template[end - length + column])
                      for row, (length, end) in enumerate(zip(shape, ends, strict=True)) for column in range(length)]
        y += high * -(-len(mine) // per_line) + 0.3
    across = wide * min(per_line, max(list(labels.values()).count(value) for value in labels.values())) + 1.5
    figure, ax = plt.subplots(figsize=(6.0, 6.0 * (y - 0.8) / max(across, 12) + 0.2))
    for left, top, wildcard in tiles:
        _tile(ax, left, -top, 0.92, wildcard, colors)
    for value, top in tops:
        ax.text(-0.4, -top - len(shape) / 2, f"{value:+g}".replace("-", "−"), ha="right", va="center", fontsize=13)
    ax.set(xlim=(-1.5, max(across, 12) - 1.5), ylim=(-y + 0.9, 0.1), aspect="equal")
    ax.axis("off")
    return figure


def _hues(count: int) -> list[tuple[float, float, float]]:
    """Light colours around the circle of hues."""
    return sns.husl_palette(count, l=0.78, s=0.75)


def _tile(ax: Axes, left: float, top: float, side: float, letter: str, colors: Mapping[str, tuple]) -> None:
    """A square in the letter's colour, from its upper left corner, with the letter in it."""
    ax.add_patch(plt.Rectangle((left, top), side, -side, color=colors[letter], linewidth=0))
    ax.text(left + side / 2, top - side / 2 - 0.02, letter, ha="center", va="center", fontsize=13, color="0.15")


def first_layer(strings: Mapping[str, Iterable[int]], moved: np.ndarray, seen: int) -> Figure:
    """Returns strings as one-hot vectors, and below them how far training has moved each column of the first layer.

    A distance of exactly 0 is left white.

    Args:
        strings: title → token ids (k,).
        moved: distances (k, vocab).
        seen: the number of training symbols, which come before the unseen ones.
    """
    k, vocab = moved.shape
    figure, axes = plt.subplots(len(strings) + 1, 1, sharex=True, figsize=(6.0, 1.15 * (len(strings) + 1) + 0.7))
    for ax, (title, tokens) in zip(axes, strings.items(), strict=False):
        ax.pcolormesh(np.equal.outer(list(tokens), np.arange(vocab)), cmap="Greys", vmin=0, vmax=1.2, edgecolor="0.88")
        ax.set_title(title, loc="left", fontsize=11)
    mesh = axes[-1].pcolormesh(np.ma.masked_equal(moved, 0), cmap="cividis_r", vmin=0, edgecolor="0.88")
    axes[-1].set_title("how far training moved the column (white: not at all)", loc="left", fontsize=11)
    figure.colorbar(mesh, ax=axes[-1], orientation="horizontal", aspect=50, pad=0.05, ticks=plt.MaxNLocator(4))
    for ax in axes:
        ax.axvline(seen, color="C3", linewidth=2)
        ax.set(ylim=(k, 0), yticks=np.arange(k) + 0.5, yticklabels=[f"position {i + 1}" for i in range(k)], xticks=[])
        ax.grid(False)
    for x, words in ((seen / 2, "training symbols"), ((seen + vocab) / 2, "unseen symbols")):
        axes[0].annotate(words, (x, k), xytext=(0, -3), textcoords="offset points", ha="center", va="top", fontsize=11)
    return figure
