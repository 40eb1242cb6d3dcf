"""Experiments: grids of runs, in the module that the project names."""

from dataclasses import replace

import pytest
from toy_grids import EXPERIMENTS, Toss, Walk

from companion import experiments
from companion.experiments import Experiment, experiment, of_chapter

WALKS, TOSSES = EXPERIMENTS["walks"], EXPERIMENTS["tosses"]


def test_an_experiment_is_its_grid_times_series_times_seeds_small_runs_first():
    grid = WALKS.runs()
    assert len(grid) == 3 * 2 * 3 == len({r.key for r in grid})
    assert [r.cost() for r in grid] == sorted(r.cost() for r in grid)
    assert {(r.n, r.seed, series) for r, series in grid.items()} == {
        (n, seed, series) for n in (4, 8, 12) for seed in range(3) for series in ("Short", "Tall")}
    assert all(getattr(r, k) == v for r, series in grid.items() for k, v in WALKS.series[series].items())
    assert WALKS.x == "n" and WALKS.keys == {r.key: series for r, series in grid.items()}


def test_series_may_have_seeds_of_their_own_and_begin_at_another():
    e = replace(TOSSES, seeds={"penny": 1, "cent": 3}, first_seed=5)
    seeds = {series: {r.seed for r, label in e.runs().items() if label == series} for series in e.series}
    assert seeds == {"penny": {5}, "cent": {5, 6, 7}}


def test_runs_of_some_series_between_two_x_are_counted():
    everything = WALKS.runs()
    assert WALKS.count(("Short", "Tall")) == len(everything) == 18
    assert WALKS.count(("Tall",), 8) == sum(label == "Tall" and r.n >= 8 for r, label in everything.items()) == 6
    assert WALKS.count(("Short",), 5, 7) == 0 == WALKS.count(())


def test_the_runs_that_are_handed_out_are_the_callers_own():
    WALKS.runs().clear()
    assert len(WALKS.runs()) == 18


def test_the_results_file_is_the_experiments_or_that_of_another(toys, tmp_path):
    assert WALKS.path() == toys / "book" / "results" / "walks.csv"
    for name in ("fast-walks", "far-walks"):
        assert EXPERIMENTS[name].path(tmp_path) == tmp_path / "far-walks.csv"


def test_a_kind_is_stated():
    with pytest.raises(TypeError, match="kind"):
        Experiment(name="x", title="x", base={}, series={"x": {}}, grid={"n": (1,)})


def test_the_project_names_the_module_of_its_grids(toys):
    assert experiments.experiments() is EXPERIMENTS
    assert experiment("walks") is WALKS and {r.__class__ for r in WALKS.runs()} == {Walk}
    assert {r.__class__ for r in experiment("tosses").runs()} == {Toss}
    with pytest.raises(ValueError, match="unknown experiment 'wallks'; known are tosses, walks"):
        experiment("wallks")


def test_where_the_grids_are_one_module_every_chapter_has_them_all(toys):
    assert of_chapter("walks") == of_chapter("index") == list(EXPERIMENTS.values())


def test_a_chapter_declares_the_experiments_of_the_module_with_its_name():
    """In this repository's own project."""
    assert [e.name for e in of_chapter("same-different")][0] == "same-different"
    assert of_chapter("index") == []
