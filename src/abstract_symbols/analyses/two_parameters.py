"""Analyses of the chapter "Two parameters per head": what is in the attention logits, before training and after."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure
from torch import Tensor

from companion import figures

from ..ensembles import Member
from ..runs.distributions import distinct_strings
from ..runs.features import first_logits


def by_position(matrix: Tensor, template: str, digits: int) -> pd.DataFrame:
    """Returns a matrix (k + 1, k + 1) as a table with the positions' names, rounded; [CLS] is last."""
    positions = [*template, "[CLS]"]
    return pd.DataFrame(matrix.double().numpy(), index=positions, columns=positions).round(digits) + 0.0  # no −0


def entry(matrix: Tensor, i: int, j: int) -> float:
    """Returns the mean of a square matrix' entries ij and ji."""
    return float(matrix[i, j] + matrix[j, i]) / 2


def mean_logits(member: Member) -> list[Tensor]:
    """Returns the first layer's attention logits, mean over unseen strings: for each template (heads, k + 1, k + 1)."""
    task, unseen = member.test.task, member.test.alphabet
    strings = [distinct_strings(task, i, unseen) for i in range(len(task.templates))]  # (n, k) each
    return [first_logits(member.network, x).mean(0) for x in strings]


@dataclass(frozen=True)
class Inside:
    """The logits of a plain network and of one with a, on the same strings, before and after training.

    Attributes:
        maps: title → (k + 1, k + 1), mean over heads; those with a > 0 for the network with a.
        start: the largest difference between two templates in one head, before training, and
        apart: after it, both in the plain network.
        largest_before: the largest mean logit in size before training, and
        largest_after: after it, both in the plain network.
        positive: template → entries (1, 3) and (2, 3) of the heads with a > 0; None without such heads, and
        negative: those of the heads with a < 0.
        heads_positive: number of heads with a > 0, and
        heads_negative: with a < 0.
        size: the median over heads of |c_KQ a|.
        gain: by how much it raises the logit of two equal symbols, for inputs half of which is the symbol.
    """

    maps: dict[str, Tensor]
    start: float
    apart: float
    largest_before: float
    largest_after: float
    positive: dict[str, tuple[float, float]] | None
    negative: dict[str, tuple[float, float]] | None
    heads_positive: int
    heads_negative: int
    size: float
    gain: float


def inside(with_a: Member, before: Sequence[Tensor], after: Mapping[str, Sequence[Tensor]]) -> Inside:
    """Returns what training does to attention, with a and without.

    Args:
        with_a: the trained network with a.
        before: `mean_logits` of the plain network before training.
        after: those of both networks after it, as "plain" and "+ a".
    """
    templates = [z.pattern for z in with_a.test.task.templates]
    attention = with_a.network.blocks[0].attention
    a = attention.c_kq * attention.a.detach()  # (heads,)
    signs = {"positive": a > 0, "negative": a < 0}
    means = {sign: [m[heads].mean(0) for m in after["+ a"]] for sign, heads in signs.items() if heads.any()}
    maps = {f"{t}, before training": m.mean(0) for t, m in zip(templates, before, strict=True)}
    maps |= {f"{t}, plain, trained": m.mean(0) for t, m in zip(templates, after["plain"], strict=True)}
    maps |= {f"{t}, + a, heads with a > 0": m for t, m in zip(templates, means.get("positive", ()), strict=False)}
    entries = {sign: {t: (entry(m, 0, 2), entry(m, 1, 2)) for t, m in zip(templates, matrices, strict=True)}
               for sign, matrices in means.items()}
    size = float(a.abs().median())
    return Inside(
        maps, start=float((before[0] - before[1]).abs().max()),
        apart=float((after["plain"][0] - after["plain"][1]).abs().max()),
        largest_before=max(float(m.mean(0).abs().max()) for m in before),
        largest_after=max(float(m.mean(0).abs().max()) for m in after["plain"]),
        positive=entries.get("positive"), negative=entries.get("negative"),
        heads_positive=int(signs["positive"].sum()), heads_negative=int(signs["negative"].sum()),
        size=size, gain=size * attention.W_Q.in_features / 2)


def inside_numbers(found: Inside) -> dict[str, str]:
    """Returns the numbers that the prose names: entries SIGN-TEMPLATE-13 and SIGN-TEMPLATE-23, counts, sizes."""
    entries = {f"{sign}-{template}-{places}": f"{value:.0f}"
               for sign, by_template in (("positive", found.positive), ("negative", found.negative))
               for template, values in (by_template or {}).items()
               for places, value in zip(("13", "23"), values, strict=True)}
    return {"start": f"{found.start:.1f}", "apart": f"{found.apart:.1f}", "size": f"{found.size:.2f}",
            "gain": f"{found.gain:.0f}", "positive_heads": f"{found.heads_positive}",
            "negative_heads": f"{found.heads_negative}", **entries}


def inside_picture(found: Inside) -> tuple[Figure, str]:
    """Returns heat maps of the logits on one scale, and their text alternative."""
    reach = max(float(m.max()) for m in found.maps.values())
    words = (f"Six heat maps of mean attention logits, rows attend to columns. Before training none is larger than "
             f"{found.largest_before:.1f} in size, in the plain network after it none than {found.largest_after:.1f}.")
    for template, (first, second) in (found.positive or {}).items():
        words += f" With a, {template}: positions 1 and 3 have {first:.0f}, positions 2 and 3 {second:.0f}."
    tables = {title: by_position(m, title[:3], 0) for title, m in found.maps.items()}
    return figures.matrices(tables, fmt=".0f", limits=(-reach / 5, reach)), words


def products_picture(matrices: Mapping[str, Tensor], what: str, *, digits: int, limits: tuple[float, float],
                     suffix: str = "") -> tuple[Figure, str]:
    """Returns heat maps of a matrix (k + 1, k + 1) for each template of three positions, and their text alternative.

    Args:
        matrices: template → matrix.
        what: it is, for the text alternative.
        digits: of the numbers in the cells.
        limits: of the colours.
        suffix: of the titles.
    """
    words = f"Two heat maps of {what}. " + " ".join(
        f"{template}: positions 1 and 3 {entry(m, 0, 2):.1f}, positions 2 and 3 {entry(m, 1, 2):.1f}, "
        f"positions 1 and 2 {entry(m, 0, 1):.1f}." for template, m in matrices.items())
    tables = {template + suffix: by_position(m, template, digits) for template, m in matrices.items()}
    return figures.matrices(tables, fmt=f".{digits}f", limits=limits), words


def unfit(rows: pd.DataFrame) -> dict[str, int]:
    """Returns how many of these runs there are, and how many did not fit their training strings."""
    return {"runs": len(rows), "unfit": int((rows["train_loss"] >= rows["stop"]).sum())}
