"""Every claim of the book can be shown: its row opens to its measure, tolerances, rows and command."""

from dataclasses import replace

import pytest
from drawing import table_of

from companion import report
from companion.claims import Judgement, claims
from companion.experiments import experiment

CLAIMS = claims()


@pytest.fixture(scope="module")
def shown():
    """Claim → the part of its row that opens."""
    tree, _, _ = table_of(report.scoreboard(Judgement(replace(claim, family=""), "not run", None, "7 of 55 runs")
                                            for claim in CLAIMS.values()))
    return dict(zip(CLAIMS, tree.iter("details"), strict=True))


@pytest.mark.parametrize("claim", CLAIMS.values(), ids=CLAIMS)
def test_a_row_opens_to_its_measure_tolerances_rows_and_command(claim, shown):
    details = shown[claim.id]
    text = "".join(details.itertext())
    assert details[0].tag == "summary" and details[0].text == claim.statement
    assert "None" not in text and "{" not in text
    assert all(str(tolerance) in text for tolerance in (claim.part, *([claim.held] if claim.held else [])))
    assert experiment(claim.experiment).path().name in text and "7 of 55 runs" in text
    assert f"run {claim.experiment} --series" in text and all(f'"{s}"' in text for s in claim.series)
    assert ("--from" in text) == ("within" in claim.options)
