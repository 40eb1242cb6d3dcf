"""What git says about the claims: which were stated, changed or dropped when some of their rows were there.

`book/claims-history.csv` holds it: claim, date, commit, event, rows (of the claim's that were committed before), of.
"""

import pandas as pd

from .. import paths
from ..claims import VERDICTS, Judgement
from ..measures import ORIGINS


def read_history() -> pd.DataFrame:
    """Returns the history of the claims: claim, date, commit, event, rows, of; a row per event, oldest first.

    Raises:
        ValueError: there is none.
    """
    path = paths.book() / "claims-history.csv"
    if not path.exists():
        raise ValueError(f"there is no {path}; tools/book/claims_history.py writes it from the git history")
    return pd.read_csv(path, dtype={"commit": str, "rows": "Int64", "of": "Int64"})


def after_rows(history: pd.DataFrame) -> pd.DataFrame:
    """Returns the claims that were stated or changed when rows of theirs were there: claim, event, date, rows.

    Changes of one claim in one commit are one line. Claims that were dropped are at the end.
    """
    dropped = history["event"] == "dropped"
    chosen = pd.concat([history[(history["rows"] > 0) & ~dropped], history[dropped]])
    lines = chosen.groupby(["claim", "commit"], sort=False).agg(
        event=("event", ", ".join), date=("date", "first"), rows=("rows", "first"), of=("of", "first")).reset_index()
    there = [f"{r.rows} of {r.of}" if pd.notna(r.rows) else "" for r in lines.itertuples()]
    return lines.assign(rows=there)[["claim", "event", "date", "rows"]]


def totals(judgements: list[Judgement]) -> pd.DataFrame:
    """Returns how many claims of each origin have which verdict: origin, all, and a column per verdict."""
    frame = pd.DataFrame({"origin": [j.claim.origin for j in judgements], "verdict": [j.verdict for j in judgements]})
    table = pd.crosstab(frame["origin"], frame["verdict"]).reindex(index=list(ORIGINS), columns=list(VERDICTS),
                                                                   fill_value=0)
    table.insert(0, "all", table.sum(axis=1))
    whole = pd.concat([table, table.sum().to_frame("all").T])
    return whole.rename_axis(index="origin", columns=None).reset_index()


def papers_inside(judgements: list[Judgement]) -> tuple[int, int]:
    """Returns how many of the paper's numbers lie in our interval, and how many there are with an interval."""
    both = [j.measured for j in judgements if j.measured and j.measured.paper is not None and j.measured.low is not None
            and j.claim.origin == "paper's number"]
    return sum(m.low <= m.paper <= m.high for m in both), len(both)  # type: ignore[operator]
