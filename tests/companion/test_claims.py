"""Verdicts follow from the rows by claims.yml, whose every fault is named."""

import math
import shutil

import pytest
import yaml
from projects import use_project, write_metrics

from companion import paths
from companion.claims import claims, judge, scoreboard
from companion.experiments import experiment

PAPER = {"Transformer": 256 * 2 ** ((0.6563 - 0.5) / (0.6563 - 0.4469)),
         "Modified transformer": 16 * 2 ** ((0.5949 - 0.5) / (0.5949 - 0.1853))}


@pytest.fixture
def book(tmp_path, monkeypatch):
    """A book of its own with the published curves of ours, but no claims."""
    published = paths.book() / "published"
    folder = use_project(monkeypatch, tmp_path / "mine") / "book"
    shutil.copytree(published, folder / "published")
    return folder


# ---- claims.yml --------------------------------------------------------------------------------------------------


def entries(*changes, drop=()):
    """The first claim of claims.yml, once for every dictionary of changes."""
    entry = yaml.safe_load((paths.book() / "claims.yml").read_text(encoding="utf-8"))[0]
    return [{k: v for k, v in {**entry, **change}.items() if k not in drop} for change in changes]


@pytest.mark.parametrize(("content", "named"), [
    (entries({}, drop=["held"]), ["'same-different-mlp'", "held"]),
    (entries({}, drop=["id"]), ["id"]),
    (entries({}, {}), ["'same-different-mlp'", "twice"]),
    (entries({}, drop=["origin"]), ["'same-different-mlp'", "origin ''", "paper's number, paper's theorem"]),
    (entries({"origin": "hearsay"}), ["'same-different-mlp'", "origin 'hearsay'"]),
    (entries({"measure": "levle"}), ["'same-different-mlp'", "measure 'levle'", "level, n50"]),
    (entries({"experiment": "same-diff"}), ["experiment 'same-diff'"]),
    (entries({"series": ["MLP"]}), ["'same-different-mlp'", "'MLP'"]),
    (entries({}, drop=["series"]), ["'same-different-mlp'", "series"]),
    (entries({}, drop=["value"]), ["'same-different-mlp'", "value"]),
    (entries({"measure": "n50", "experiment": "stop-rule", "series": ["Transformer"]}),
     ["'same-different-mlp'", "'stop-rule'", "publish"]),
    (entries({"measure": "below", "at": [32]}), ["'same-different-mlp'", "p"]),
    (entries({"measure": "below", "series": ["Transformer", "Fully-connected"], "at": [64], "p": 0.01, "part": 1}),
     ["'same-different-mlp'", "part=1", "not held"]),
    (entries({"metric": "test_los"}), ["'same-different-mlp'", "no metric 'test_los'; it has", "test_loss"]),
    (entries({"measure": "same_law", "metric": "p_value"}), ["'same-different-mlp'", "no metric 'p_value'"]),
    (entries({"experiment": "gram", "series": ["αα / αβ"], "metric": "deviation", "error": "standard_error"}),
     ["'gram'", "no metric 'standard_error'; it has deviation, collisions"]),
    (entries({"measure": "slope"}), ["'same-different-mlp'", "lacks metric"]),
    (entries({"measure": "slope", "metric": "test_loss"}, drop=["value"]), ["'same-different-mlp'", "lacks value"]),
    (entries({"measure": "signal", "metric": "test_loss", "needed": 5}), ["'same-different-mlp'", "lacks error"]),
    (entries({"measure": "signal", "metric": "test_loss", "error": "test_loss"}), ["lacks needed"]),
    (entries({"measure": "same_law"}), ["'same-different-mlp'", "lacks metric"]),
    (entries({"measure": "different_laws"}), ["'same-different-mlp'", "lacks metric"]),
    (entries({"measure": "growth"}), ["'same-different-mlp'", "over"]),
    (entries({"measure": "at_most"}), ["'same-different-mlp'", "at"]),
    (entries({"measure": "order"}), ["'same-different-mlp'", "lacks predicted"]),
    (entries({"measure": "order", "predicted": "strings"}), ["'same-different-mlp'", "no metric 'strings'"]),
    (["a sentence"], ["claims.yml"]),
    (None, ["claims.yml"]),
    ("[unclosed", ["claims.yml"]),
])
def test_a_malformed_claim_is_named(content, named, book):
    text = content if isinstance(content, str) else yaml.safe_dump(content)
    (book / "claims.yml").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError) as error:
        claims()
    assert all(words in str(error.value) for words in named)


def test_a_book_without_claims_has_to_say_so(book):
    with pytest.raises(ValueError, match=r"there is no .*claims.yml; state the claims there, or write \[\]"):
        claims()
    (book / "claims.yml").write_text("[]")
    assert claims() == {} and scoreboard() == []


def test_an_unknown_claim_is_refused_and_the_known_ones_are_listed():
    with pytest.raises(ValueError, match="'same-different-mpl'; known are same-different-mlp, "):
        judge("same-different-mpl")


# ---- verdicts ----------------------------------------------------------------------------------------------------


def write(folder, loss):
    """The same-different rows with losses of our choice: loss(series, n, seed), None for no row."""
    runs = experiment("same-different").runs()
    write_metrics(folder, "same-different", lambda of: None if (value := loss(runs[of], of.n, of.seed)) is None
                  else {"test_loss": value})


def wobble(seed):
    """A small difference between seeds, of mean zero over the five."""
    return 0.0004 * (seed - 2)


def crossing(**at):
    """Losses that cross one half at the stated n: T for the transformer's, M for the modified one's."""
    def loss(series, n, seed):
        if series == "Fully-connected":
            return 1.0
        return 0.5 - 0.05 * math.log(n / at["T" if series == "Transformer" else "M"]) + wobble(seed)

    return loss


def level(far, where=64):
    """A fully-connected network at chance, but at one n."""
    return lambda series, n, seed: 1.0 + (far if n == where else 0.01) + wobble(seed)


def below(*overlapping):
    """A modified transformer clearly below the plain one, but at some n only in the mean."""
    def loss(series, n, seed):
        if series != "Modified transformer":
            return 0.9 + wobble(seed)
        return 0.89 + 100 * wobble(seed) if n in overlapping else 0.1 + wobble(seed)

    return loss


@pytest.mark.parametrize(("claim", "loss", "verdict"), [
    ("same-different-mlp", level(0.09), "held"),
    ("same-different-mlp", level(-0.09), "held"),
    ("same-different-mlp", level(0.15), "held in part"),
    ("same-different-mlp", level(-0.15), "held in part"),
    ("same-different-mlp", level(0.3, where=4096), "not held"),
    *[(f"same-different-{name}", crossing(T=429.47 * (factor if name == "transformer" else 1),
                                          M=18.79 * (1 if name == "transformer" else factor)), verdict)
      for name in ("transformer", "modified", "gain")
      for factor, verdict in ((1, "held"), (1.9, "held"), (2.1, "held in part"), (3.9, "held in part"),
                              (4.2, "not held"))],
    ("same-different-transformer", crossing(T=429.47 / 1.9, M=18.79), "held"),
    ("same-different-transformer", crossing(T=429.47 / 3.9, M=18.79), "held in part"),
    ("same-different-transformer", crossing(T=429.47 / 4.2, M=18.79), "not held"),
    ("same-different-gain", crossing(T=429.47 * 4, M=18.79 * 4), "held"),
    ("same-different-transformer", crossing(T=1e9, M=18.79), "not held"),
    ("same-different-gain", crossing(T=1e9, M=18.79), "not held"),
    ("same-different-gain", crossing(T=429.47, M=1e9), "not held"),
    ("same-different-gain", crossing(T=1e9, M=1e9), "undecided"),
    ("same-different-below", below(), "held"),
    ("same-different-below", below(16, 512), "held"),
    ("same-different-below", below(64), "held in part"),
    ("same-different-below", below(32, 256), "not held"),
])
def test_the_verdict_follows_from_the_distance_and_the_tolerances(claim, loss, verdict, tmp_path):
    write(tmp_path, loss)
    judgement = judge(claim, tmp_path)
    assert judgement.verdict == verdict
    assert judgement.claim.id == claim
    if verdict == "undecided":
        return
    distance = judgement.measured.distance
    within = ["held"] * (distance <= judgement.claim.held) + ["held in part"] * (distance <= judgement.claim.part)
    assert verdict == [*within, "not held"][0]


def test_a_measured_number_stands_beside_the_papers_within_its_interval(tmp_path):
    write(tmp_path, crossing(T=300, M=30))
    plain, modified, gain = (judge(f"same-different-{name}", tmp_path).measured
                             for name in ("transformer", "modified", "gain"))
    assert plain.ours == pytest.approx(300) and plain.paper == pytest.approx(PAPER["Transformer"])
    assert plain.distance == pytest.approx(PAPER["Transformer"] / 300)
    assert modified.ours == pytest.approx(30) and modified.distance == pytest.approx(30 / PAPER["Modified transformer"])
    assert gain.ours == pytest.approx(10) and gain.paper == pytest.approx(plain.paper / modified.paper)
    for measured in (plain, modified, gain):
        assert measured.low < measured.ours < measured.high
        assert measured.high / measured.low < 1.5


def test_the_level_is_that_of_the_worst_n_and_the_interval_its_own(tmp_path):
    write(tmp_path, level(-0.15, where=16))
    measured = judge("same-different-mlp", tmp_path).measured
    assert (measured.ours, measured.paper) == (pytest.approx(0.85), 1.0) and measured.distance == pytest.approx(0.15)
    assert 0.84 < measured.low < 0.85 < measured.high < 0.86


def test_below_reports_the_difference_where_it_is_least_sure(tmp_path):
    write(tmp_path, below(128))
    measured = judge("same-different-below", tmp_path).measured
    assert measured.ours == pytest.approx(-0.01) and measured.distance == 1 and measured.paper is None
    assert measured.low < -0.01 < measured.high


@pytest.mark.parametrize(("series", "untested"), [
    ("Fully-connected", {"mlp"}),
    ("Transformer", {"transformer", "gain", "below"}),
    ("Modified transformer", {"modified", "gain", "below"}),
])
def test_a_claim_of_which_one_row_is_missing_is_not_run(series, untested, tmp_path):
    write(tmp_path, lambda s, n, seed: None if (s, n, seed) == (series, 64, 3) else crossing(T=300, M=30)(s, n, seed))
    for j in scoreboard("same-different", tmp_path):
        assert (j.verdict == "not run") == (j.measured is None) == (j.claim.id.split("-")[-1] in untested)
        total = 55 * len(j.claim.series)
        assert j.coverage == f"{total - (j.verdict == 'not run')} of {total} runs"


def test_without_rows_nothing_is_judged(tmp_path):
    for j in scoreboard(results=tmp_path):
        assert (j.verdict, j.measured) == ("not run", None) and j.coverage.startswith("0 of ")


def test_the_scoreboard_has_every_claim_in_order_or_one_chapters(tmp_path):
    assert [j.claim.id for j in scoreboard(results=tmp_path)] == list(claims())
    assert all(j.claim.chapter == "same-different" for j in scoreboard("same-different", tmp_path))
    assert scoreboard("no-such-chapter", tmp_path) == []


def test_a_verdict_is_reproducible(tmp_path):
    write(tmp_path, crossing(T=300, M=30))
    assert scoreboard(results=tmp_path) == scoreboard(results=tmp_path)


@pytest.mark.parametrize(("last", "verdict"), [(1.0, "undecided"), (0.4, "held in part")])
def test_a_curve_that_may_yet_fall_within_the_tolerance_is_not_judged(last, verdict, tmp_path):
    """The published LSTM falls through one half near 4,851, four times which is beyond the grid's last n."""
    write_metrics(tmp_path, "lstm", lambda of: {"test_loss": last if of.n == 16384 else 1.0})
    judgement = judge("aba-lstm", tmp_path)
    assert judgement.verdict == verdict
    assert judgement.reason == ("the interval reaches from 'held in part' to 'not held'" if last == 1.0 else "")
    assert judgement.measured.bounds == (4, 16384) and judgement.measured.ours == (math.inf if last == 1.0 else
                                                                                   pytest.approx(2 ** (13 + 5 / 6)))


@pytest.mark.parametrize(("spread", "verdict"), [(0.05, "held"), (0.5, "undecided")])
def test_an_interval_on_both_sides_of_a_tolerance_decides_nothing(spread, verdict, tmp_path):
    """The mean is 1.05 at the worst n, a tenth is the tolerance: the seeds decide whether that is known."""
    write(tmp_path, lambda series, n, seed: 1.0 + (0.05 + spread * (seed - 2) / 2 if n == 64 else 0.0))
    judgement = judge("same-different-mlp", tmp_path)
    assert judgement.verdict == verdict and judgement.measured.ours == pytest.approx(1.05)
    assert bool(judgement.reason) == (verdict == "undecided")


def test_a_comparison_of_too_few_seeds_is_undecided_where_it_finds_nothing(tmp_path):
    """Three seeds find a difference of three standard deviations with probability 0.55, five with 0.94."""
    for name, verdict in (("depth-below", "undecided"), ("psychometric-match", "not held")):
        write_metrics(tmp_path, claims()[name].experiment, lambda of: {"test_loss": 0.9 + 100 * wobble(of.seed % 5)})
        judgement = judge(name, tmp_path)
        assert judgement.verdict == verdict and ("standard deviations" in judgement.reason) == (verdict == "undecided")


def test_a_comparison_that_points_the_claimed_way_waits_for_ten_seeds(tmp_path):
    """With five seeds p is 0.05 at both n, which is not below 0.01."""
    shift = 1.86 * 0.04 * math.sqrt(2.5) * math.sqrt(2 / 5)
    write_metrics(tmp_path, "psychometric", lambda of: {
        "test_loss": 0.9 + 100 * wobble(of.seed) - (shift if of.a else 0.0)})
    judgement = judge("psychometric-match", tmp_path)
    assert "p = 0.05 at" in judgement.measured.evidence and judgement.measured.distance == 2
    assert judgement.verdict == "undecided" and "fewer than 10 seeds" in judgement.reason


def test_some_x_of_an_experiment_decide_where_a_claim_says_so(book, tmp_path):
    """At n = 4096 alone the network is far from chance, where this claim does not look."""
    entry = {"id": "ours", "chapter": "none", "statement": "So it is.", "measure": "level", "value": 1.0, "held": 0.1,
             "part": 0.2, "origin": "our hypothesis", "experiment": "same-different",
             "series": ["Fully-connected"], "within": [4, 512]}
    (book / "claims.yml").write_text(yaml.safe_dump([entry]), encoding="utf-8")
    write(tmp_path, level(0.3, where=4096))
    judgement = judge("ours", tmp_path)
    assert judgement.verdict == "held" and judgement.coverage == "40 of 40 runs"
