"""What git says about the claims, and the counts of verdicts by origin."""

from dataclasses import replace

import pandas as pd
import pytest
from projects import use_project

from companion.claims import Judgement, claims
from companion.measures import Measured
from companion.report import history

CLAIM = claims()["same-different-transformer"]


def test_what_was_stated_or_changed_after_rows_is_listed_and_the_rest_is_not():
    events = pd.DataFrame([
        ("early", "2026-11-24", "aaa", "stated", 0, 50), ("late", "2026-11-25", "bbb", "stated", 20, 50),
        ("early", "2026-11-26", "ccc", "statement changed", 50, 50),
        ("early", "2026-11-26", "ccc", "tolerance changed", 50, 50),
        ("early", "2026-11-24", "abc", "measure changed", 0, 50), ("gone", "2026-11-24", "aaa", "stated", None, None),
        ("gone", "2026-11-27", "ddd", "dropped", None, None),
    ], columns=["claim", "date", "commit", "event", "rows", "of"]).astype({"rows": "Int64", "of": "Int64"})
    assert history.after_rows(events).values.tolist() == [
        ["late", "stated", "2026-11-25", "20 of 50"],
        ["early", "statement changed, tolerance changed", "2026-11-26", "50 of 50"],
        ["gone", "dropped", "2026-11-27", ""]]


def test_without_a_history_it_says_what_writes_it(tmp_path, monkeypatch):
    use_project(monkeypatch, tmp_path / "mine")
    with pytest.raises(ValueError, match=r"claims-history.csv; tools/book/claims_history.py writes it"):
        history.read_history()


def test_verdicts_are_counted_by_origin_and_the_papers_numbers_by_our_intervals():
    def judged(verdict, origin, low, high, paper):
        measured = Measured(500.0, low, high, paper, 1.0) if verdict != "not run" else None
        return Judgement(replace(CLAIM, origin=origin), verdict, measured, "")

    judgements = [judged("held", "paper's number", 400.0, 600.0, 429.0),
                  judged("held", "paper's number", 450.0, 600.0, 429.0),
                  judged("undecided", "our hypothesis", 400.0, 600.0, 429.0),
                  judged("not run", "paper's number", 0, 0, 0.0), judged("held", "another work", None, None, None)]
    table = history.totals(judgements).set_index("origin")
    assert list(table) == ["all", "held", "held in part", "not held", "undecided", "not run"]
    assert table.loc["paper's number"].tolist() == [3, 2, 0, 0, 0, 1]
    assert table.loc["all"].tolist() == [5, 3, 0, 0, 1, 1] and table.loc["paper's theorem"].sum() == 0
    assert history.papers_inside(judgements) == (1, 2)
