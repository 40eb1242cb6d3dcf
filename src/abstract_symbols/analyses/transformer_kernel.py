"""Analyses of the chapter "From transformer to kernel"."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure

from companion import figures
from companion.experiments import experiment

from ..kernels import TransformerKernel, template_matrix
from ..kernels.matchings import Matching, Shape, matched_strings
from ..kernels.ridge import gram_matrix
from ..templates import TemplateTask

COMPARISON_FORMATS = {"K_attn": ".4f", "z₁·z₁": ".2f", "K_trans": ".4f", "z₂·z₂": ".2f"}  # column → format
ACTIVATION_FORMATS = {**{f"K(ABA, {y})": ".4f" for y in ("ABA", "CDC", "CDD")}, "smallest eigenvalue of N": ".5f"}


@dataclass(frozen=True)
class Comparison:
    """The kernel of some strings, integrated, drawn and by a finite network.

    Attributes:
        table: strings, K_attn, draws (mean ± standard error), z₁·z₁, K_trans, z₂·z₂; a row per pair.
        furthest: by how many of its standard errors a mean of draws differs from K_attn at most.
    """

    table: pd.DataFrame
    furthest: float


def comparison(strings: Sequence[str], kernel: TransformerKernel, draw: Callable[[str, str], tuple[float, float]],
               z1: np.ndarray, z2: np.ndarray) -> Comparison:
    """Returns the kernel of every pair of strings, found in three ways.

    Args:
        strings: n of them.
        kernel: the integral.
        draw: gives a mean of draws for K_attn of two strings, and its standard error.
        z1: (n, d), a network's vectors after attention.
        z2: (n, d_mlp), its features.
    """
    lines, furthest = [], 0.0
    for i, x in enumerate(strings):
        for j, y in list(enumerate(strings))[i:]:
            attention = kernel.attention(x, y)
            estimate, error = draw(x, y)
            furthest = max(furthest, abs(estimate - attention) / error)
            lines.append({"strings": f"{x} {y}", "K_attn": attention, "draws": f"{estimate:.4f} ± {error:.4f}",
                          "z₁·z₁": z1[i] @ z1[j], "K_trans": kernel(x, y), "z₂·z₂": z2[i] @ z2[j]})
    return Comparison(pd.DataFrame(lines), furthest)


def matching_table(columns: Mapping[str, np.ndarray], pairs: Mapping[str, tuple[Shape, Shape]],
                   matchings: Mapping[str, Matching]) -> pd.DataFrame:
    """Returns kernel values by matching, each with two strings over A, B, C, … that have it.

    Args:
        columns: title → values (matchings,).
        pairs: title → two shapes of wildcards alone.
        matchings: which wildcards are equal, in words → the matching.
    Returns:
        equal wildcards, and a column per pair; a row per matching.
    """
    table = pd.DataFrame({"equal wildcards": list(matchings)})
    for title, shapes in pairs.items():
        examples = [matched_strings(*shapes, matching) for matching in matchings.values()]
        table[title] = [f"{value:.4f}  {' '.join(_letters(string) for string in both)}"
                        for value, both in zip(columns[title], examples, strict=True)]
    return table


def _letters(string: Sequence[int]) -> str:
    """Returns a string of tokens 1, 2, … as letters A, B, and so on."""
    return "".join(chr(ord("A") + token - 1) for token in string)


def sorted_gram(t: TemplateTask, kernel: TransformerKernel, alphabet: int, n: int) -> tuple[np.ndarray, list[int]]:
    """Returns the Gram matrix (n, n) of strings sorted by template, and how many there are of each template."""
    sample = t.sample(n, alphabet=alphabet, seed=0)
    order = sample.templates.argsort(stable=True).numpy()
    sizes = torch.bincount(sample.templates, minlength=len(t.templates))
    return gram_matrix(kernel, sample)[np.ix_(order, order)], sizes.tolist()


def constant_share(gram: np.ndarray, sizes: Sequence[int], n: np.ndarray) -> float:
    """Returns the share of the off-diagonal entries that are exactly their block's constant.

    Args:
        gram: (strings, strings), sorted by template.
        sizes: of the blocks.
        n: (templates, templates), the blocks' constants.
    """
    which = np.repeat(np.arange(len(sizes)), sizes)
    off = ~np.eye(len(gram), dtype=bool)
    return float((gram == n[np.ix_(which, which)])[off].mean())


def blocks_picture(panels: Mapping[int, tuple[np.ndarray, Sequence[int]]], t: TemplateTask,
                   n: np.ndarray) -> tuple[Figure, str]:
    """Returns sorted Gram matrices, and the text alternative: the shares of entries with their block's constant.

    Args:
        panels: size of the alphabet → as `sorted_gram` gives them.
        t: the task.
        n: (templates, templates), its template matrix.
    """
    titled = {f"m = {m:,}": panel for m, panel in panels.items()}
    told = " ".join(f"{title}: {constant_share(*panel, n):.2%} of the off-diagonal entries have exactly the colour "
                    "of their block." for title, panel in titled.items())
    limits = n.min() - np.ptp(n), n.max() + 2 * np.ptp(n)
    figure = figures.blocks(titled, [z.pattern for z in t.templates], limits=limits, label="K(x, y)")
    return figure, ("Three matrices of 120 by 120 kernel values, strings sorted by template. "
                    f"{told} Collisions are brighter specks on the checkerboard of four blocks.")


def gram_picture(rows: pd.DataFrame, constants: Mapping[str, float]) -> tuple[Figure, str]:
    """Returns the Gram matrices' deviations with the predicted law, and the figure's text alternative.

    Args:
        rows: of "gram".
        constants: series → √m times the predicted deviation.
    """
    m = np.array(experiment("gram").grid["alphabet"])
    law = {series: (m, constant / m**0.5) for series, constant in constants.items()}
    figure = figures.scaling("gram", rows, "deviation", xlabel="m = number of symbols = ρ · wildcards",
                             ylabel="relative rms deviation", guides=[(-0.5, "slope −½")], predicted=law)
    alt = figures.scaling_alt("gram", rows, "deviation", "deviation of the Gram matrix from constant blocks")
    return figure, f"{alt} Dashed: the predicted law for large m, which the measured curves join."


def deviations(rows: pd.DataFrame, constants: Mapping[str, float]) -> pd.DataFrame:
    """Returns the Gram matrices' relative deviation from constant blocks beside the predicted one.

    Args:
        rows: of GramRun.
        constants: series → √m times the predicted deviation.
    Returns:
        index series, alphabet (m); deviation and collisions, means over seeds; predicted; ratio.
    """
    table = rows.groupby(["series", "alphabet"], sort=False)[["deviation", "collisions"]].mean()
    series, alphabet = (table.index.get_level_values(level) for level in ("series", "alphabet"))
    predicted = series.map(constants).to_numpy() / np.sqrt(alphabet.to_numpy())
    return table.assign(predicted=predicted, ratio=table["deviation"] / predicted)


def activation_table(kernels: Mapping[str, TransformerKernel], t: TemplateTask) -> pd.DataFrame:
    """Returns what kernels of several activations make of strings of αβα and αββ.

    Args:
        kernels: title → kernel.
        t: the task of the template matrix N.
    Returns:
        activation, K(ABA, ABA), K(ABA, CDC), K(ABA, CDD), smallest eigenvalue of N; a row per kernel.
    """
    return pd.DataFrame([
        {"activation": title, **{f"K(ABA, {y})": k("ABA", y) for y in ("ABA", "CDC", "CDD")},
         "smallest eigenvalue of N": np.linalg.eigvalsh(template_matrix(t, k))[0]} for title, k in kernels.items()])
