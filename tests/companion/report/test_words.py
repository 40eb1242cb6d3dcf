"""Sentences of a report have the numbers of the rows."""

import re

import numpy as np
import pandas as pd
import pytest

from companion import paths, report
from companion.experiments import experiment

NAME = "same-different"
SERIES = next(iter(experiment(NAME).series))


def numbers(text):
    return [float(number) for number in re.findall(r"\d+(?:\.\d+)?", text)]


def test_coverage_says_which_rows_how_many_seeds_and_which_devices(rows):
    text = report.coverage(NAME, rows)
    assert numbers(text)[:3] == [165, 165, 5] and "results/same-different.csv" in text and "2.13.0" in text
    some = rows[(rows["n"] != 4) | (rows["seed"] < 3)].copy()
    some.loc[some["n"] == 8, "device"] = "NVIDIA H200"
    text = report.coverage(NAME, some)
    assert numbers(text)[:4] == [159, 165, 3, 5] and "NVIDIA H200, cpu" in text
    assert numbers(report.coverage(NAME, rows[rows["seed"] == 0]))[:3] == [33, 165, 1]
    assert numbers(report.coverage(NAME, rows[:0])) == [165]


def test_coverage_names_the_file_that_the_rows_stand_in():
    e = experiment("lr-n")
    rows = pd.DataFrame([{"series": s, "n": of.n, "seed": of.seed, "device": "cpu", "torch": "2.13.0"}
                         for of, s in e.runs().items() if of.n == 16])
    text = report.coverage("lr-n", rows)
    assert numbers(text)[:3] == [24, 240, 3] and "results/architectures.csv" in text


def test_compute_time_is_told_for_cores_and_for_gpus_apart(rows):
    some = rows[:4].assign(seconds=[3600.0, 1800.0, 7200.0, 360.0], device=["cpu", "cpu", "NVIDIA H200", "NVIDIA H100"])
    cores, gpus = report.compute_time(some).split(" and ")
    assert cores.startswith("1.5 hours") and gpus.startswith("2.1 hours") and "(NVIDIA H100, NVIDIA H200)" in gpus
    assert report.compute_time(some[:2]) == cores
    assert numbers(report.compute_time(some[3:]))[0] == 0.1
    assert report.compute_time(some[:2].assign(seconds=[60.0, 30.0])).startswith("1.5 minutes")
    assert numbers(report.compute_time(some[:0])) == []


@pytest.mark.parametrize(("losses", "words"), [
    ({4: 1.0, 8: 0.0, 16: 0.0}, "6"), ({4: 0.4, 8: 0.3, 16: 0.2}, "≤ 4"), ({4: 1.0, 8: 0.9, 16: 0.8}, "> 16")])
def test_a_crossing_at_the_end_of_the_rows_is_told_as_a_bound(losses, words):
    rows = pd.DataFrame([{"series": SERIES, "n": n, "seed": seed, "test_loss": loss}
                         for n, loss in losses.items() for seed in range(2)])
    assert report.n50_frame(NAME, rows)["n₅₀"].tolist() == [words]
    assert report.n50_frame(NAME, rows[:0]).empty


def test_a_bound_on_a_crossing_ends_where_the_last_seed_does():
    rows = pd.DataFrame([{"series": SERIES, "n": n, "seed": seed, "test_loss": loss}
                         for n, seed, loss in ((4, 0, 1.0), (4, 1, 1.0), (8, 0, 0.9), (8, 1, 0.8), (16, 0, 0.1))])
    (line,) = report.n50_frame(NAME, rows).to_dict("records")  # n = 16 has one seed of two
    assert (line["n₅₀"], line["95% interval"]) == ("> 8", "5 to > 8")


def test_the_command_line_is_that_of_the_package_of_the_grids_if_it_has_one(tmp_path, monkeypatch):
    assert report.command() == "python -m abstract_symbols"
    (tmp_path / "pyproject.toml").write_text('[tool.companion]\ngrids = "some_grids"\n', encoding="utf-8")
    monkeypatch.setenv(paths.VARIABLE, str(tmp_path))
    assert report.command() == "python -m companion"


def test_beyond_the_measured_n_the_page_shows_bounds_and_no_infinity():
    table = pd.DataFrame({"series": ["a", "b", "c"], "n50": [32.0, np.inf, 16.0], "low": [20.0, 40.0, 16.0],
                          "high": [np.inf, np.inf, 16.0], "first": 16, "last": 64, "ratio": 1.0})
    assert report.n50_in_words(table).values.tolist() == [
        ["a", "32", "20 to > 64", 1.0], ["b", "> 64", "40 to > 64", 1.0], ["c", "≤ 16", "≤ 16 to ≤ 16", 1.0]]
