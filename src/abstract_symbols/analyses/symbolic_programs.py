"""Analyses of the chapter on programs that print a symbol: what the networks answer."""

import pandas as pd

KINDS = {"right": "the right value", "other": "another of its symbols", "neither": "none of them"}


def answer_shares(rows: pd.DataFrame) -> pd.DataFrame:
    """Returns the mean shares of right answers, of other symbols of the program, and of neither: series, n, `KINDS`.

    `among` is the share of right answers among those that are one of the program's symbols.

    Args:
        rows: of `runs.distributions.AnswerRun`.
    """
    shares = rows.assign(right=1 - rows["other"] - rows["neither"])
    shares = shares.groupby(["series", "n"], sort=False)[list(KINDS)].mean().reset_index()
    return shares.assign(among=shares["right"] / (shares["right"] + shares["other"]))


def shares_alt(shares: pd.DataFrame) -> str:
    """Returns the text alternative of stacked bars of these shares: the ends of each series, and n = 64."""
    ends = (shares["n"].min(), 64, shares["n"].max())
    return "Stacked bars, shares of the answers at the last epoch. " + " ".join(
        f"{r.series}, n = {r.n}: right {r.right:.0%}, another {r.other:.0%}, none {r.neither:.0%}."
        for r in shares.itertuples() if r.n in ends)
