"""Analyses of the chapter "Heads that are already identities": diagonals by chance, as pictured, after training."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from companion import paths

from ..runs.language import mean_by_head

PRODUCTS = {"wkwq": r"$W_K W_Q^\top$", "wvwo": r"$W_V W_O^\top$"}
PICTURED = (12, 12)  # layers and heads of GPT-2 small


def calibration(rows: pd.DataFrame) -> pd.DataFrame:
    """Returns z over heads of random weights, mean over runs: d_emb, mean, sd, smallest p of a run.

    Args:
        rows: of `runs.language.RandomHeadsRun`.
    """
    groups = rows.groupby("d_emb")
    return groups[["mean", "sd"]].mean().assign(**{"smallest p of a run": groups["p_value"].min()}).reset_index()


def pictured_heads() -> pd.DataFrame:
    """Returns the scores read off the authors' pictures of whole matrices of GPT-2 small: product, layer, head, score.

    NaN where a picture gives none.

    Source: book/published/gpt2_head_diagonals.csv.
    """
    scores = pd.read_csv(paths.book() / "published" / "gpt2_head_diagonals.csv")
    return scores[scores["raster"] == "full"].drop(columns="raster").reset_index(drop=True)


def pictured_maps(scores: pd.DataFrame) -> dict[str, np.ndarray]:
    """Returns the pictured scores of each product, title → (layers, heads), masked where there is none."""
    layers, heads = PICTURED
    tables = {PRODUCTS[str(name)]: mine.pivot(index="layer", columns="head", values="score")
              for name, mine in scores.groupby("product")}
    return {title: np.ma.masked_invalid(table.reindex(index=range(layers), columns=range(heads)).to_numpy())
            for title, table in tables.items()}


def signs(scores: pd.DataFrame) -> pd.DataFrame:
    """Returns how many of the pictured scores are positive, and their spread.

    Args:
        scores: as `pictured_heads` gives them.
    Returns:
        matrix, heads, positive (numbers of heads), median, least, largest; a row per product in the order of
        `PRODUCTS`.
    """
    groups = scores.groupby("product")["score"]
    table = groups.agg(heads="size", positive=lambda score: (score > 0).sum(), median="median", least="min",
                       largest="max").reindex(PRODUCTS)
    table["median"] += 0.0  # no −0
    return table.reset_index(drop=True).assign(matrix=["W_K W_Qᵀ", "W_V W_Oᵀ"])[["matrix", *table.columns]]


def pictured_alt(scores: pd.DataFrame) -> str:
    """Returns the text alternative of the pictured scores."""
    return "Heat maps of 12 layers by 12 heads. " + " ".join(
        f"{name}: {line['positive'] / line['heads']:.0%} of {line['heads']} heads are positive, median "
        f"{line['median']:.1f}, largest {line['largest']:.1f}."
        for name, line in zip(PRODUCTS, signs(scores).to_dict("records"), strict=True))


def mean_maps(rows: pd.DataFrame, series: str) -> dict[str, np.ndarray]:
    """Returns z of a series' trained heads, mean over seeds: title of the product → (layers, heads).

    Args:
        rows: of the experiment `perplexity`.
        series: of it.
    """
    mine = rows[rows["series"] == series]
    return {title: mean_by_head(mine, f"{name}_heads") for name, title in PRODUCTS.items()}


def maps_alt(series: str, maps: Mapping[str, np.ndarray]) -> str:
    """Returns the text alternative of `mean_maps`: means by layer."""
    return f"Heat maps, {series}. " + " ".join(
        f"{name}: mean by layer {', '.join(f'{value:.1f}' for value in m.mean(1))}."
        for name, m in zip(PRODUCTS, maps.values(), strict=True))
