"""The book's claims and the rows that judge them."""

import pytest

from companion import paths
from companion.claims import VERDICTS, claims, scoreboard
from companion.experiments import experiment, experiments
from companion.published import published
from companion.report.history import read_history

# Sums of what chapters find, one to play with, two to look things up
NOT_CHAPTERS = {"index", "claims", "status", "not-reproduced", "playground", "notation", "api"}
CLAIMS = claims()


@pytest.fixture(scope="module")
def judged():
    """Every claim's verdict from the committed rows."""
    return scoreboard()


def test_every_claim_has_a_chapter_and_every_chapter_a_claim():
    chapters = {path.stem for path in paths.book().glob("*.py")} - NOT_CHAPTERS
    assert {claim.chapter for claim in CLAIMS.values()} == chapters


@pytest.mark.parametrize("claim", CLAIMS.values(), ids=lambda claim: claim.id)
def test_a_claim_is_a_sentence_with_two_tolerances_and_its_chapter_shows_it(claim):
    assert claim.statement.endswith(".") and claim.statement[0].isupper()
    assert 0 <= claim.held <= claim.part
    chapter = (paths.book() / f"{claim.chapter}.py").read_text(encoding="utf-8")
    assert claim.id in chapter or "scoreboard(" in chapter or ".verdicts(" in chapter


def test_committed_rows_give_every_claim_one_of_the_five_verdicts(judged):
    assert [j.claim.id for j in judged] == list(CLAIMS)
    for j in judged:
        assert j.verdict in VERDICTS and (j.measured is None) == (j.verdict == "not run"), j.claim.id
        assert j.measured is None or j.measured.low is None or j.measured.low <= j.measured.high, j.claim.id
        assert bool(j.reason) == (j.verdict == "undecided"), j.claim.id


def test_judging_all_claims_parses_no_file_twice():
    from companion import results

    results._read.cache_clear()
    scoreboard()
    assert results._read.cache_info().misses <= len(list(paths.results().glob("*.csv")))


@pytest.mark.parametrize("name", [e.name for e in experiments().values() if e.published])
def test_every_series_of_an_experiment_with_a_published_figure_has_its_curve(name):
    """Where the legend is in other words than ours, every series that is in it."""
    e = experiment(name)
    for series in e.legend or e.series:
        curve = published(name, series)
        assert len(curve) >= 3 and curve["x"].is_monotonic_increasing
        band = curve.dropna()  # two curves on counting to seven have none
        assert (band["y_low"] <= band["y"]).all() and (band["y"] <= band["y_high"]).all()


def test_every_claim_is_in_the_history_once_stated_and_no_count_exceeds_its_rows():
    """A new claim: commit it, then run tools/book/claims_history.py, and commit what that wrote."""
    events = read_history()
    stated = events[events["event"] == "stated"]["claim"]
    assert stated.is_unique and set(stated) >= set(CLAIMS), set(CLAIMS) - set(stated)
    dropped = set(events[events["event"] == "dropped"]["claim"])
    assert dropped == set(stated) - set(CLAIMS)
    known = events[events["claim"].isin(list(CLAIMS))]
    assert (known["rows"] <= known["of"]).all() and known["date"].is_monotonic_increasing


def test_the_history_knows_what_the_referee_found():
    """Two claims that were stated with rows in, and one that came first."""
    stated = read_history().query("event == 'stated'").set_index("claim")
    assert stated.loc[["copy-b", "aba-a", "copy-64"], "rows"].tolist() == [121, 20, 0]
