"""Analyses of the chapter "Perplexity": small language models, plain and with identity parameters."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

VALUES = {"test": ".2f", "test, least": ".2f", "test, largest": ".2f", "validation": ".2f",
          "last training loss": ".3f"}  # the formats of `values`


def ratios_alt(ratios: pd.DataFrame) -> str:
    """Returns the text alternative of a figure of ratios, from the table of `companion.summaries.paired_ratios`."""
    return ("Dots on a line for each variant: its perplexity divided by the plain model's of the same seed. "
            + " ".join(f"{r.series}: {r.ratio:.4f}, interval {r.low:.4f} to {r.high:.4f}."
                       for r in ratios.itertuples()))


def values(rows: pd.DataFrame) -> pd.DataFrame:
    """Returns the perplexities of each variant, over seeds.

    Args:
        rows: of `runs.language.PerplexityRun`.
    Returns:
        variant, seeds, test (the mean), test, least, test, largest, validation (the mean), last training loss (the
        mean).
    """
    return rows.groupby("series", sort=False).agg(**{
        "seeds": ("seed", "count"), "test": ("perplexity", "mean"), "test, least": ("perplexity", "min"),
        "test, largest": ("perplexity", "max"), "validation": ("validation_perplexity", "mean"),
        "last training loss": ("train_loss", "mean")}).rename_axis("variant").reset_index()


def heads_alt(maps: Mapping[str, np.ndarray]) -> str:
    """Returns the text alternative of the scalars by head: title such as "$a_h$" → values (layers, heads)."""
    return " ".join(f"{title.strip('$')[0]}: from {m.min():.3f} to {m.max():.3f}, mean by layer "
                    f"{', '.join(f'{value:.3f}' for value in m.mean(1))}." for title, m in maps.items())


def costs(rows: pd.DataFrame) -> pd.DataFrame:
    """Returns what the scalars cost a training step, medians over seeds.

    Args:
        rows: of `runs.language.CostRun`.
    Returns:
        variant, tokens, time, memory, time / eager, memory / eager: ratios to the model without scalars.
    """
    names = {"series": "variant", "length": "tokens", "time": "time", "memory": "memory",
             "time_eager": "time / eager", "memory_eager": "memory / eager"}
    medians = rows.groupby(["series", "length"])[list(names)[2:]].median()
    return medians.reset_index().rename(columns=names)
