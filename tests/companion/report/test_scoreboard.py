"""The table of claims shows what was measured, escapes what was written, and lets a reader choose."""

import re
from dataclasses import replace

import pytest
from drawing import table_of

from companion import paths, report
from companion.claims import VERDICTS, Judgement, claims
from companion.measures import Measured

CLAIM = claims()["same-different-transformer"]


@pytest.mark.parametrize("verdict", VERDICTS)
def test_a_row_links_to_the_chapter_and_shows_number_interval_and_verdict(verdict):
    measured = None if verdict == "not run" else Measured(512.3, 400.0, float("inf"), 429.47, 1.19)
    tree, head, _ = table_of(report.scoreboard([Judgement(CLAIM, verdict, measured, "7 of 55 runs")]))
    (row,) = next(tree.iter("tbody"))
    assert [a.attrib["href"] for a in row.iter("a")] == ["same-different.html"]
    (badge,) = [s for s in row.iter("span") if "verdict" in s.attrib["class"].split()]
    assert badge.text == verdict and head == ["claim", "paper", "ours", "verdict"]
    first, paper, ours, _ = ("".join(cell.itertext()) for cell in row)
    assert CLAIM.statement in first and CLAIM.id in first and "7 of 55 runs" in first
    assert (paper, ours) == (("429", "512 [400, ∞]") if measured else ("–", "–"))


def test_a_paper_without_a_number_has_none():
    tree, _, _ = table_of(report.scoreboard([Judgement(CLAIM, "held", Measured(0.5, 0.4, 0.6, None, 0.0), "")]))
    assert ["".join(cell.itertext()) for cell in next(tree.iter("tbody"))[0]][1:3] == ["–", "0.500 [0.400, 0.600]"]


def test_verdicts_look_different_and_the_style_sheet_knows_each():
    badges = [report.scoreboard([Judgement(CLAIM, v, None, "")]).data for v in VERDICTS]
    classes = [re.search(r'class="verdict ([\w-]+)"', badge)[1] for badge in badges]
    assert len(set(classes)) == len(VERDICTS)
    css = (paths.book() / "_static" / "custom.css").read_text(encoding="utf-8")
    assert all(f".{name}" in css for name in classes)


def test_what_is_written_is_escaped():
    odd = replace(CLAIM, statement="a < b & c", id="<script>")
    tree, _, _ = table_of(report.scoreboard([Judgement(odd, "held", None, "<b>")]))
    assert next(tree.iter("summary")).text == "a < b & c"
    assert "<script>" in "".join(tree.itertext()) and not list(tree.iter("script")) and not list(tree.iter("b"))


def test_a_claim_over_another_x_than_n_names_it():
    claim = claims()["depth-below"]
    assert claim.options["at"] == [0.001]
    assert "at each learning rate = 0.001" in report.scoreboard([Judgement(claim, "not run", None, "")]).data


def test_the_filters_offer_every_verdict_and_chapter_with_their_numbers_and_hide_the_others():
    judgements = [Judgement(CLAIM, verdict, None, "") for verdict in ("held", "held", "not held")]
    judgements.append(Judgement(replace(CLAIM, chapter="mlps-cannot"), "held", None, ""))
    tree, _, _ = table_of(report.scoreboard(judgements, filters=True))
    verdicts, origins, chapters = ([option.text for option in menu.iter("option")] for menu in tree.iter("select"))
    assert origins == ["all (4)", "paper's number (4)"]
    assert verdicts == ["all (4)", "held (3)", "held in part (0)", "not held (1)", "undecided (0)",
                        "not run (0)"]
    assert chapters == ["all (4)", "same-different (3)", "mlps-cannot (1)"]
    (style,) = tree.iter("style")
    selectors, hidden = style.text.strip("}").split("{")
    assert selectors.split(",") == [
        f'.board:has(option[value="{option.attrib["value"]}"]:checked) tbody tr:not(.{option.attrib["value"]})'
        for menu in tree.iter("select") for option in list(menu.iter("option"))[1:]]
    assert hidden == "display:none!important"
    assert [row.attrib["class"].split() for row in next(tree.iter("tbody"))] == [
        ["v-held", "c-same-different", "o-papers-number"]] * 2 + [
        ["v-not-held", "c-same-different", "o-papers-number"], ["v-held", "c-mlps-cannot", "o-papers-number"]]
    assert not list(table_of(report.scoreboard(judgements))[0].iter("select"))


def test_claims_of_one_family_share_a_row_that_opens_to_theirs_and_counts_their_verdicts():
    family = [replace(CLAIM, id=f"copy-{d}", family="At each dimension.") for d in (64, 128, 256)]
    judgements = [Judgement(family[0], "held", None, ""), Judgement(CLAIM, "held", None, ""),
                  Judgement(family[1], "not held", None, ""), Judgement(family[2], "held", None, "")]
    tree, _, _ = table_of(report.scoreboard(judgements, filters=True))
    first, second = next(tree.iter("tbody"))
    assert first.attrib["class"].split() == ["family", "c-same-different", "o-papers-number", "v-held", "v-not-held"]
    assert next(first.iter("summary")).text == "At each dimension."
    assert [row.attrib["id"] for row in first.iter("tr") if "id" in row.attrib] == ["copy-64", "copy-128", "copy-256"]
    assert [badge.text for badge in first[-1].iter("span")] == ["2 held", "1 not held"]
    assert second.attrib["id"] == CLAIM.id, "an address on the page of all claims"


def test_what_decided_stands_in_the_row_with_the_unit_and_the_bounds():
    measured = Measured(float("inf"), 1200.0, float("inf"), 429.47, float("inf"), (2.8, float("inf")), (4, 2048),
                        "5 seeds")
    text = report.scoreboard([Judgement(CLAIM, "undecided", measured, "", "the grid ends too early")]).data
    assert "5 seeds · the grid ends too early" in text and "training strings" in text
    assert "&gt; 2,048 <small class=\"interval\">[1,200, &gt; 2,048]" in text
