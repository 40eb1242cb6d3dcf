"""What a chapter does with its rows: load, show, repeat, hand numbers to the prose."""

import re
from types import SimpleNamespace

import pandas as pd
import pytest
from projects import use_project

import companion.report.chapter as module
from companion.report import Chapter
from companion.sweeps import ResultsDiffer, run

CLAIM = """
- id: long-walks
  chapter: toy
  origin: our hypothesis
  statement: The tall one walks as far as the small one.
  measure: level
  experiment: walks
  series: [Tall]
  metric: test_loss
  value: 0.5
  held: 1.0
  part: 2.0
- id: unperformed
  chapter: toy
  origin: our hypothesis
  statement: Coins are fair.
  measure: level
  experiment: tosses
  series: [penny]
  metric: share
  value: 0.5
  held: 0.1
  part: 0.2
"""


@pytest.fixture
def shown(monkeypatch):
    """What a chapter displays, in order: (kind, content); glued numbers by name."""
    found = SimpleNamespace(outputs=[], glued={})
    monkeypatch.setattr(module, "display", lambda *outputs: found.outputs.extend(
        getattr(output, "data", output) for output in outputs))
    monkeypatch.setattr(module.figures, "show", lambda figure, alt: found.outputs.append(("figure", alt)))
    monkeypatch.setattr("myst_nb.glue", lambda name, value, display: found.glued.update({name: value}))
    return found


@pytest.fixture
def chapter(toys):
    (toys / "book" / "claims.yml").write_text(CLAIM, encoding="utf-8")
    run("walks", device="cpu", workers=1)
    return Chapter("toy")


def test_an_unknown_profile_is_refused(toys):
    with pytest.raises(ValueError, match="unknown profile 'fast'; known are quick, full"):
        Chapter("toy", "fast")


def test_rows_are_the_committed_ones(chapter):
    assert len(chapter["walks"]) == len(module.experiment("walks").runs())
    assert chapter["walks"] is chapter["walks"]


@pytest.mark.slow
def test_the_full_profile_performs_the_chapters_own_runs_again_into_another_folder(chapter, toys):
    committed = (toys / "book" / "results" / "walks.csv").read_bytes()
    full = Chapter("toy", "full")
    both = (rows["walks"].set_index("key")["test_loss"].sort_index() for rows in (full, chapter))
    pd.testing.assert_series_equal(*both)
    assert (toys / "_build" / "full" / "walks.csv").exists()
    assert (toys / "book" / "results" / "walks.csv").read_bytes() == committed
    assert full["tosses"].empty  # no row is committed, so there is nothing to repeat


def test_the_full_profile_leaves_other_chapters_runs_alone(chapter, toys, monkeypatch):
    monkeypatch.setattr(module, "of_chapter", lambda name: [])
    full = Chapter("another", "full")  # declares nothing, claims nothing
    assert len(full["walks"]) == len(chapter["walks"])
    assert not (toys / "_build" / "full").exists()


def test_curves_show_figure_evidence_and_values(chapter, shown):
    chapter.curves("walks", "test_loss", values=False)
    (kind, alt), evidence = shown.outputs
    assert kind == "figure"
    assert alt.startswith("Line chart: test loss against n")
    assert re.match(r"\*Mean ± 1 standard error over seeds\. \d+ of \d+ runs of results/walks\.csv", evidence)


def test_missing_rows_are_one_line_that_says_what_to_run(chapter, shown):
    chapter.curves("tosses", "share")
    assert shown.outputs == ["*No run of this experiment is done yet: `python -m companion run tosses`.*"]


def test_glued_numbers_are_written_as_prose_has_them(chapter, shown):
    chapter.glue(loss=0.123456, large=123456, negative=-0.5, text="-3 to 5", none=None, never=float("inf"))
    assert shown.glued == {"loss": "0.123", "large": "123,456", "negative": "−0.500", "text": "−3 to 5",
                           "none": "(not measured yet)", "never": "∞"}


def test_verdicts_glue_number_interval_verdict_and_counts(chapter, shown):
    chapter.verdicts()
    measured = chapter.claim("long-walks")
    assert shown.glued["long-walks.ours"] == f"{measured.ours:#.3g}"
    assert shown.glued["long-walks.verdict"] == "held"
    assert shown.glued["unperformed.ours"] == "(not measured yet)"
    assert shown.glued["unperformed.verdict"] == "not run"
    assert {name: shown.glued[name] for name in ("claims", "held", "part", "not-held", "not-run")} == {
        "claims": "2", "held": "1", "part": "0", "not-held": "0", "not-run": "1"}


def test_a_form_is_that_of_all_numbers_of_a_call(chapter, shown):
    chapter.glue(".1%", share=0.256, none=None)
    chapter.glue(",.0f", large=12345.6)
    assert shown.glued == {"share": "25.6%", "none": "(not measured yet)", "large": "12,346"}


def test_an_unknown_claim_is_refused_by_name(chapter):
    with pytest.raises(ValueError, match="has no claim 'walks'; it has long-walks, unperformed"):
        chapter.claim("walks")


def test_glued_means_are_those_of_the_rows(chapter, shown):
    rows = chapter["walks"]
    n = rows["n"].min()
    chapter.glue_means("walks", "Tall", (n, 10**9), "far")
    mean = rows.loc[(rows["series"] == "Tall") & (rows["n"] == n), "test_loss"].mean()
    assert shown.glued == {f"far-{n}": f"{mean:.2f}", "far-1e+09": "(not measured yet)"}


def test_a_live_check_says_how_many_agree_and_fails_if_one_does_not(chapter, capsys, monkeypatch):
    first = chapter["walks"]["n"].min()
    chapter.recheck("walks", f"n == {first} and seed == 0", within=1e-12)
    assert "run again, within 1e-12 of" in capsys.readouterr().out
    with pytest.raises(ValueError, match="nothing would be checked"):
        chapter.recheck("walks", "n == -1", within=1.0)
    rows = pd.read_csv(module.experiment("walks").path())
    assert len(rows)
    monkeypatch.setattr("companion.sweeps.load", lambda name: chapter["walks"].assign(test_loss=99.0))
    with pytest.raises(ResultsDiffer, match="test_loss is off by"):
        chapter.recheck("walks", f"n == {first} and seed == 0", within=0.5)


def test_commands_name_what_is_missing_and_what_rows_took(chapter, shown):
    chapter.commands("walks", "tosses")
    (table,) = shown.outputs
    assert "| `make chapter C=toy PROFILE=full` |" in table
    assert re.search(r"`python -m companion run walks` \| .* \| nothing: all runs are done \|", table)
    assert re.search(r"`python -m companion run tosses` \| .* \| \d+ runs missing", table)


def test_a_project_of_its_own_is_found_by_the_environment(tmp_path, monkeypatch):
    use_project(monkeypatch, tmp_path / "other", "toy_grids")
    assert module.paths.project().root == (tmp_path / "other").resolve()
