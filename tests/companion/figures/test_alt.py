"""A text alternative says for every series where it starts, ends and crosses one half, made from the rows."""

import re
from dataclasses import replace

import pandas as pd

from companion import figures
from companion.experiments import experiment, experiments
from companion.published import published_n50

NAME = "same-different"
E = experiment(NAME)


def part(text, series):
    """What a text says of one series: its numbers, and the sentence."""
    (sentence,) = re.findall(rf"(?:\. ){re.escape(series)}: (.*?)(?:\.(?= )|\.$)", text)
    return [float(number) for number in re.findall(r"\d+(?:\.\d+)?", sentence)], sentence


def test_every_series_has_its_ends_and_where_it_and_the_papers_curve_cross_one_half(shared_rows):
    text = figures.alt_text(NAME, shared_rows)
    assert E.title in text and "\n" not in text and '"' not in text
    paper = {s: round(published_n50(NAME, s)) for s in ("Transformer", "Modified transformer")}
    assert part(text, "Fully-connected")[0] == [1.0, 4, 1.0, 4096]
    assert part(text, "Transformer")[0] == [1.0, 4, 0.5, 4096, paper["Transformer"]]
    assert part(text, "Modified transformer")[0] == [1.0, 4, 0.0, 4096, 128, paper["Modified transformer"]]
    assert "not below one half" in part(text, "Fully-connected")[1]
    assert "falls below one half" in part(text, "Modified transformer")[1]


def test_it_says_how_far_a_curve_goes_and_follows_the_metric(shared_rows):
    some = shared_rows[(shared_rows["series"] == "Transformer") | (shared_rows["n"] < 64)]
    text = figures.alt_text(NAME, some)
    assert part(text, "Fully-connected")[0] == [1.0, 4, 1.0, 32]
    assert part(text, "Transformer")[0][:4] == [1.0, 4, 0.5, 4096]
    assert part(figures.alt_text(NAME, some, "final_test_loss"), "Transformer")[0][:4] == [2.0, 4, 2.0, 4096]


def test_it_names_series_without_rows_and_is_silent_about_those_that_were_not_asked_for(shared_rows):
    text = figures.alt_text(NAME, shared_rows[shared_rows["series"] != "Transformer"],
                            series=["Fully-connected", "Transformer"])
    assert part(text, "Fully-connected") and text.endswith("No run is done yet: Transformer.")
    assert "Modified" not in text
    assert figures.alt_text(NAME, shared_rows[:0]).endswith(f"No run is done yet: {', '.join(E.series)}.")


def test_a_series_that_the_paper_did_not_draw_has_no_published_number(shared_rows, monkeypatch):
    more = pd.concat([shared_rows, shared_rows[shared_rows["series"] == "Transformer"].assign(series="With dropout")])
    monkeypatch.setitem(experiments(), NAME, replace(E, series={**E.series, "With dropout": {}}))
    numbers, sentence = part(figures.alt_text(NAME, more), "With dropout")
    assert numbers == [1.0, 4, 0.5, 4096] and "paper" not in sentence
    monkeypatch.setitem(experiments(), NAME, replace(E, published=None))
    assert "paper" not in figures.alt_text(NAME, shared_rows)


def test_a_curve_that_starts_below_one_half_does_not_fall_below_it():
    rows = pd.DataFrame([{"series": "Transformer", "n": n, "seed": 0, "test_loss": 0.4} for n in (4, 8)])
    numbers, sentence = part(figures.alt_text(NAME, rows), "Transformer")
    assert numbers[:4] == [0.4, 4, 0.4, 8] and "from the start" in sentence and "falls" not in sentence


def test_curves_over_learning_rates_say_where_they_are_least(by_rate):
    numbers, sentence = part(figures.alt_text("lr-depth-1024", by_rate), "depth = 2")
    assert numbers == [0.0, 0.001] and "least" in sentence


def test_power_laws_say_their_first_and_last_value(widths):
    first, second = experiment("width").series
    text = figures.scaling_alt("width", widths, "error", "the distance against the width")
    assert text.startswith("Line chart: the distance against the width for ")
    assert part(text, first)[0] == [0.5, 16, 0.0884, 512] and part(text, second)[0] == [0.188, 16, 0.00586, 512]
