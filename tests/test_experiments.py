"""Experiments: keys that stay, results files that nothing corrupts, sweeps that go on where they were stopped."""

import hashlib
import inspect
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import MISSING, asdict, dataclass, fields, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import abstract_symbols
from abstract_symbols import experiments, runs, theory
from abstract_symbols.experiments import (
    EXPERIMENTS,
    Experiment,
    ResultsFile,
    Run,
    columns,
    load,
    perform,
    progress,
    read_rows,
    repeat,
    run,
    units,
)

COLUMNS, METRICS = columns(Run), tuple(Run.METRICS)
NETWORKS = {
    "Fully-connected": {"network": "mlp", "width": 8},
    "Transformer": {"network": "transformer", "d_emb": 8, "heads": 2, "d_head": 4, "d_mlp": 8},
}
TINY = Experiment(
    name="tiny", title="Two tiny networks", series=NETWORKS, grid={"n": (4, 8, 12)}, seeds=3,
    base={"task": "same-different", "evaluation": 20, "epochs": 5, "batch": 5},
)


@pytest.fixture(autouse=True)
def no_git(monkeypatch):
    monkeypatch.setenv("ABSTRACT_SYMBOLS_COMMIT", "tested")


@pytest.fixture
def tiny(monkeypatch):
    monkeypatch.setitem(EXPERIMENTS, "tiny", TINY)
    return TINY


@pytest.fixture(scope="module")
def complete(tmp_path_factory):
    """The folder of an unbroken sweep over TINY."""
    folder = tmp_path_factory.mktemp("complete")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(EXPERIMENTS, "tiny", TINY)
        patch.setenv("ABSTRACT_SYMBOLS_COMMIT", "tested")
        assert run("tiny", device="cpu", workers=1, results=folder) == 0
    return folder


@pytest.fixture
def path(complete, tmp_path):
    """A results file of its own that a test may spoil: the complete one."""
    return Path(shutil.copy(complete / "tiny.csv", tmp_path))


def a_row(of, **changes):
    metrics = {name: 0.1 * i for i, name in enumerate(METRICS)}
    return {"key": of.key, **metrics, **asdict(of), "best_epoch": 3, "epochs_run": 5, "seconds": 1.5, "device": "cpu",
            "torch": "2.0", "commit": "tested", **changes}


def without_circumstances(rows):
    """The rows without what may differ between two right sweeps, in the order of their keys."""
    return sorted(({k: v for k, v in row.items() if k not in ("seconds", "commit")} for row in rows),
                  key=lambda row: row["key"])


# ---- runs and their keys -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("of", "key"), [
    (Run("same-different", "transformer", n=64, seed=3), "d805fe3b40cd4d1c"),
    (Run("aba-abb", "mlp", n=4, seed=0, lr=0.01, gram=True, width=64), "7f94a61012c7dc32"),
    (Run("same-different", "transformer", n=64, seed=3, a=True, b=True), "0a417a6cf65833e2"),
    (theory.LawRun("same-different", "mlp", n=64, seed=0, evaluation=3000), "54c14685d30af7ff"),
    (theory.GramRun("same-different", seed=0, n=1000, alphabet=10), "c2168a7afb453982"),
    (theory.RidgeRun("aba-abb", seed=0, n=10_000, ridge=1e-4, noise=0), "2300989549c59f72"),
    (theory.EigenvalueRun("same-different", seed=0, beta=2), "c9b554638079d3a9"),
    (theory.StringsRun("random-r3-k5-w3-R0", seed=1, beta=4, b1=1), "111fba21f0646c09"),
])
def test_keys_of_committed_rows_are_for_ever(of, key):
    assert of.key == key


@pytest.mark.parametrize("name", ["program", "aba", "majority", "counting"])
def test_claims_on_the_other_multiplier_have_seeds_of_their_own(name):
    tried, fresh = EXPERIMENTS[f"{name}-multipliers"], EXPERIMENTS[f"{name}-multiplier-30"]
    seen = {r.seed for r, series in tried.runs().items() if series == "c_KQ = 30"}
    judged = {r.seed for r in fresh.runs()}
    assert (len(seen), len(judged)) == (3, 5) and not seen & judged
    assert {r.c_kq for r in fresh.runs()} == {30} and fresh.path() == tried.path()


def test_what_a_key_leaves_out_does_not_change():
    """Another default would give old keys another meaning: add a field or an option instead."""
    stated = {"lr": 1e-3, "batch": 1024, "epochs": 1000, "stop": 2e-3, "optimizer": "adam", "evaluation": 1000}
    defaults = {f.name: f.default for f in fields(Run) if f.default is not MISSING}
    assert stated.items() <= defaults.items()
    assert all(value is None for name, value in defaults.items() if name not in stated)
    of_networks = {
        "transformer": {"depth": 2, "d_emb": 128, "heads": 16, "d_head": 64, "d_mlp": 256, "a": False, "b": False,
                        "c_kq": 100.0, "c_vo": 100.0},
        "mlp": {"depth": 3, "width": 256, "gram": False},
    }
    for name, expected in of_networks.items():
        parameters = inspect.signature(runs.NETWORKS[name]).parameters
        assert expected.items() <= {p.name: p.default for p in parameters.values()}.items()


OPTIONAL = {
    "lr": st.floats(1e-6, 10), "batch": st.integers(1, 4096), "epochs": st.integers(1, 2000),
    "stop": st.floats(0, 1), "optimizer": st.sampled_from(["adam", "sgd"]), "evaluation": st.integers(1, 2000),
    "a": st.booleans(), "b": st.booleans(), "c_kq": st.floats(0, 1e3) | st.integers(0, 100),
    "c_vo": st.floats(0, 1e3) | st.integers(0, 100), "depth": st.integers(1, 4), "d_emb": st.integers(1, 512),
    "heads": st.integers(1, 64), "d_head": st.integers(1, 64), "d_mlp": st.integers(1, 512),
    "width": st.integers(1, 512), "gram": st.booleans(),
}
some_runs = st.builds(
    lambda required, options: Run(*required, **options),
    st.tuples(st.sampled_from(["same-different", "aba-abb"]), st.sampled_from(["mlp", "transformer"]),
              st.integers(1, 10**6), st.integers(0, 10**6)),
    st.fixed_dictionaries({}, optional=OPTIONAL),
)


@given(some_runs)
def test_a_key_is_the_hash_of_what_differs_from_the_defaults(of):
    stated = {f.name: getattr(of, f.name) for f in fields(Run) if getattr(of, f.name) != f.default}
    shuffled = dict(random.Random(0).sample(list(stated.items()), len(stated)))
    assert Run(**shuffled).key == of.key == Run(**asdict(of)).key
    assert of.key == hashlib.sha256(json.dumps(stated, sort_keys=True).encode()).hexdigest()[:16]


@given(some_runs, some_runs)
@example(Run("copy", "transformer", 4, 0, c_kq=100), Run("copy", "transformer", 4, 0, c_kq=100.0))
@example(Run("copy", "transformer", 4, 0, a=False), Run("copy", "transformer", 4, 0))
def test_two_runs_share_a_key_only_if_they_are_equal(one, other):
    assert (one.key == other.key) == (one == other)


@given(some_runs)
def test_runs_of_one_shape_differ_in_seed_and_learning_rate_only(of):
    assert replace(of, seed=of.seed + 1, lr=of.lr * 2).shape == of.shape
    for name in ("n", "batch", "epochs", "width"):
        assert replace(of, **{name: (getattr(of, name) or 1) + 1}).shape != of.shape


def test_a_run_draws_the_same_network_and_samples_each_time_and_others_with_another_seed():
    of = Run("same-different", n=6, seed=1, evaluation=20, **NETWORKS["Transformer"])
    one, again, other = of.member(), of.member(), replace(of, seed=2).member()
    assert one.network.tokens.equal(again.network.tokens) and not one.network.tokens.equal(other.network.tokens)
    assert one.train.tokens.equal(again.train.tokens) and not one.train.tokens.equal(other.train.tokens)


def test_a_runs_strings_come_from_three_disjoint_alphabets():
    m = Run("aba-abb", "mlp", n=7, seed=0, evaluation=20, width=8).member()
    assert [len(s.alphabet) for s in (m.train, m.validation, m.test)] == [7, 20, 20]
    assert [len(s) for s in (m.train, m.validation, m.test)] == [7, 20, 20]
    symbols = [set(s.tokens.flatten().tolist()) for s in (m.train, m.validation, m.test)]
    assert not symbols[0] & symbols[1] and not symbols[0] & symbols[2] and not symbols[1] & symbols[2]
    assert m.network.vocab == 47
    assert not m.validation.templates.equal(m.test.templates), "each is drawn anew"


# ---- runs of another kind ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Toss(runs.Job):
    """Tosses of a coin that is not fair."""

    METRICS: ClassVar[dict[str, type]] = {"share": float, "heads": int}

    coin: str
    seed: int
    bias: float = 0.5
    tosses: int = 100
    wind: float | None = None

    @classmethod
    def perform(cls, runs, device):
        heads = [sum(random.Random(f"{r.coin} {r.seed}").random() < r.bias for _ in range(r.tosses)) for r in runs]
        return [{"share": h / r.tosses, "heads": h} for h, r in zip(heads, runs, strict=True)]


TOSSES = Experiment(name="tosses", title="Three coins", kind=Toss, base={"tosses": 10}, seeds=2,
                    series={"penny": {"coin": "penny"}, "cent": {"coin": "cent", "wind": 1}},
                    grid={"bias": (0.25, 0.5, 1)})


@pytest.fixture
def tosses(tmp_path, monkeypatch):
    """An experiment of another kind of runs, all done."""
    monkeypatch.setitem(EXPERIMENTS, "tosses", TOSSES)
    assert run("tosses", device="cpu", workers=1, results=tmp_path) == 0
    return TOSSES.path(tmp_path)


def test_numbers_that_are_equal_make_one_run_of_any_kind():
    one, other = Toss("penny", 0, bias=1, wind=2), Toss("penny", 0, bias=1.0, wind=2.0)
    assert one == other and one.key == other.key
    assert (type(one.bias), type(one.wind), type(one.tosses), Toss("penny", 0).wind) == (float, float, int, None)
    stated = json.dumps({"bias": 1.0, "coin": "penny", "seed": 0, "wind": 2.0})
    assert one.key == hashlib.sha256(stated.encode()).hexdigest()[:16]


@given(st.tuples(st.sampled_from(["penny", "cent"]), st.integers(0, 9), st.floats(0, 1) | st.integers(0, 1),
                 st.integers(1, 9), st.none() | st.floats(0, 9)),
       st.sampled_from(["seed", "bias", "tosses", "wind"]))
def test_a_changed_field_changes_the_key_of_any_kind(values, name):
    of = Toss(*values)
    assert replace(of, **{name: (getattr(of, name) or 0) + 1}).key != of.key == replace(of).key


def test_a_kind_performs_its_runs_one_by_one_unless_it_says_otherwise():
    assert [len(unit) for unit in units(TOSSES.runs(), "cpu")] == [1] * 12
    with pytest.raises(TypeError, match="Job does not say how"):
        runs.Job.perform([runs.Job()], "cpu")
    with pytest.raises(TypeError, match="KernelJob does not say what"):
        theory.KernelJob.perform([theory.KernelJob("same-different", 0)], "cpu")


def test_a_results_file_has_the_columns_of_its_kind(tosses):
    header = "key,coin,seed,bias,tosses,wind,share,heads,seconds,device,torch,commit"
    assert list(columns(Toss)) == header.split(",") and tosses.read_text().startswith(header + "\n")
    rows = read_rows(tosses, Toss)
    assert len(rows) == 12 and {row["key"] for row in rows} == {r.key for r in TOSSES.runs()}
    for row in rows:
        assert type(row["heads"]) is int and row["share"] == row["heads"] / 10
        assert row["wind"] == (1.0 if row["coin"] == "cent" else None)
    assert set(load("tosses", tosses.parent)["series"]) == {"penny", "cent"}


@pytest.mark.parametrize("kind", [Run, theory.GramRun])
def test_a_file_of_another_kind_is_refused_and_left_alone(kind, tosses):
    before = tosses.read_bytes()
    for attempt in (lambda: read_rows(tosses, kind), lambda: ResultsFile(tosses, kind).__enter__()):
        with pytest.raises(ValueError, match="tosses.csv, line 1, column coin: unknown column"):
            attempt()
    assert tosses.read_bytes() == before


@pytest.mark.parametrize(("column", "cell", "named"), [
    ("heads", "1.5", "column heads: .*'1.5'"), ("share", "", "column share: empty cell"),
    ("wind", "strong", "column wind: .*'strong'"), ("bias", "0.3", "column key: .*a cell was changed")])
def test_a_broken_cell_of_any_kind_is_named(column, cell, named, tosses):
    header, first, *rest = tosses.read_text().split("\n")
    cells = dict(zip(header.split(","), first.split(","), strict=True))
    tosses.write_text("\n".join([header, ",".join({**cells, column: cell}.values()), *rest]))
    with pytest.raises(ValueError, match=f"line 2, {named}"):
        read_rows(tosses, Toss)


def test_rows_of_any_kind_are_appended_once(tosses):
    new = Toss("dime", 0)
    row = {"key": new.key, **asdict(new), "share": 0.5, "heads": 50, "seconds": 0.0, "device": "cpu", "torch": "2.0",
           "commit": "tested"}
    for _ in range(2):
        with ResultsFile(tosses, Toss) as file:
            file.append([row])
    assert read_rows(tosses, Toss)[12:] == [row]
    assert len(load("tosses", tosses.parent)) == 12, "a row of no series"


def test_a_sweep_of_some_series_leaves_the_others(tmp_path, monkeypatch):
    monkeypatch.setitem(EXPERIMENTS, "tosses", TOSSES)
    assert run("tosses", device="cpu", workers=1, series=["cent"], results=tmp_path) == 0
    assert {row["coin"] for row in read_rows(TOSSES.path(tmp_path), Toss)} == {"cent"}
    assert run("tosses", device="cpu", workers=1, series=["penny", "cent"], results=tmp_path) == 0
    assert len(read_rows(TOSSES.path(tmp_path), Toss)) == 12
    with pytest.raises(ValueError, match="'tosses' has no series 'dime'; it has penny, cent"):
        run("tosses", device="cpu", workers=1, series=["cent", "dime"], results=tmp_path)


def test_a_sweep_up_to_a_point_leaves_what_lies_beyond(tmp_path, monkeypatch):
    monkeypatch.setitem(EXPERIMENTS, "tosses", TOSSES)
    for nothing in (0.1, float("nan")):
        with pytest.raises(ValueError, match="has bias = "):
            run("tosses", device="cpu", workers=1, upto=nothing, results=tmp_path)
    with pytest.raises(ValueError, match="whole number"):
        run("tosses", device="cpu", workers=1.5, results=tmp_path)
    assert run("tosses", device="cpu", workers=1, upto=0.25, results=str(tmp_path)) == 0
    rows = read_rows(TOSSES.path(tmp_path), Toss)
    assert {row["bias"] for row in rows} == {0.25} and len(rows) < 12
    assert run("tosses", device="cpu", workers=1, results=tmp_path) == 0
    assert len(read_rows(TOSSES.path(tmp_path), Toss)) == 12


def test_runs_of_any_kind_are_repeated_at_the_points_and_by_the_metric_that_are_asked_for(tosses):
    committed = load("tosses", tosses.parent)
    committed["heads"] += 3 * (committed["bias"] == 1)
    table = repeat("tosses", committed, seeds=[1], metric="heads", bias=[0.25, 1])
    assert list(table) == ["series", "bias", "seed", "committed", "repeated"] and set(table["bias"]) == {0.25, 1}
    assert len(table) == 4 and set(table["seed"]) == {1}
    assert (table["committed"] - table["repeated"]).tolist() == (3 * (table["bias"] == 1)).tolist()
    assert len(repeat("tosses", committed, seeds=[0, 1], metric="share")) == 12
    assert set(repeat("tosses", committed, seeds=[0], metric="share", coin=["cent"])["coin"]) == {"cent"}
    with pytest.raises(ValueError, match=r"no rows with bias in \[0.3\], seed in \[0\]"):
        repeat("tosses", committed, seeds=[0], metric="share", bias=[0.3])
    with pytest.raises(ValueError, match="no column 'test_loss'; it has .*share"):
        repeat("tosses", committed, seeds=[0])
    with pytest.raises(ValueError, match="no column 'zz'"):
        repeat("tosses", committed, seeds=[0], metric="share", zz=[1])


@pytest.mark.parametrize(("of", "named"), [
    (Run("same-diferent", "mlp", n=4, seed=0), "task 'same-diferent'; known are same-different"),
    (Run("same-different", "gru", n=4, seed=0), "network 'gru'; known are transformer, mlp"),
    (Run("copy", "mlp", n=4, seed=0), "task 'copy'.*symbolic.*'mlp'"),
    (Run("same-different", "mlp", n=4, seed=0, heads=2), "'mlp'.*'heads'"),
    (Run("same-different", "transformer", n=4, seed=0, gram=True), "'transformer'.*'gram'"),
    (Run("same-different", "mlp", n=4, seed=0, width=0), "width=0"),
    (Run("same-different", "mlp", n=1, seed=0), "alphabet of 1 tokens"),
])
def test_a_run_that_cannot_be_is_refused_by_name(of, named):
    with pytest.raises(ValueError, match=named):
        of.member()


@pytest.mark.parametrize("same", [
    {"n": 4.0}, {"n": np.int64(4)}, {"n": np.float64(4)}, {"seed": False}, {"a": 1}, {"c_kq": 100}])
def test_one_run_has_one_key_however_its_numbers_are_written(same):
    stated = {"n": 4, "seed": 0, "a": True, "c_kq": 100.0}
    assert Run("same-different", "transformer", **{**stated, **same}).key == Run("same-different", "transformer",
                                                                                 **stated).key


@pytest.mark.parametrize("bad", [{"n": 4.5}, {"n": "four"}, {"lr": float("nan")}, {"a": 2}])
def test_a_field_of_another_type_is_refused(bad):
    with pytest.raises(ValueError):
        Run("same-different", "transformer", **{"n": 4, "seed": 0, **bad})


# ---- the grid ----------------------------------------------------------------------------------------------------


def test_an_experiment_is_its_grid_times_series_times_seeds_small_runs_first():
    grid = TINY.runs()
    assert len(grid) == 3 * 2 * 3 == len({r.key for r in grid})
    for shape in {r.network for r in grid}:
        assert [r.n for r in grid if r.network == shape] == sorted(r.n for r in grid if r.network == shape)
    assert {(r.n, r.seed, series) for r, series in grid.items()} == {
        (n, seed, series) for n in (4, 8, 12) for seed in range(3) for series in NETWORKS}
    assert all(getattr(r, k) == v for r, series in grid.items() for k, v in {**TINY.base, **NETWORKS[series]}.items())


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_has_runs_that_can_be_and_a_published_file_if_it_names_one(name):
    e = EXPERIMENTS[name]
    smallest = {run.shape[:2] + (series,): run for run, series in reversed(e.runs().items())}
    assert {series for *_, series in smallest} == set(e.series)
    assert all(of.member().network for of in smallest.values() if isinstance(of, Run))
    assert e.published is None or (experiments.BOOK / "published" / f"{e.published}.csv").exists()


def test_experiments_that_share_a_file_find_there_what_each_other_ran(tmp_path, monkeypatch):
    one = Experiment("tiny-one", "one", {**TINY.base, "network": "mlp"}, {"plain": {}}, {"n": (4, 8)}, 1)
    other = replace(one, name="tiny-other", series={"lr = 0.01": {"lr": 0.01}, "lr = 0.001": {"lr": 1e-3}},
                    rows="tiny-one")
    for e in (one, other):
        monkeypatch.setitem(experiments.EXPERIMENTS, e.name, e)
    assert experiments.run("tiny-one", device="cpu", workers=1, results=tmp_path) == 0
    found = experiments.load("tiny-other", tmp_path)
    assert set(found["series"]) == {"lr = 0.001"} and set(found["n"]) == {4, 8}
    assert experiments.run("tiny-other", device="cpu", workers=1, results=tmp_path) == 0
    assert [path.name for path in tmp_path.glob("*.csv")] == ["tiny-one.csv"]
    assert (len(experiments.load("tiny-other", tmp_path)), len(experiments.load("tiny-one", tmp_path))) == (4, 2)


@contextmanager
def backwards(workers, scheduler):
    """An engine whose last unit ends first."""
    yield lambda jobs: [function(*args, **kwargs) for function, args, kwargs in reversed(list(jobs))]


def test_several_experiments_are_done_by_one_sweep(tmp_path, monkeypatch):
    one = Experiment("tiny-one", "one", {**TINY.base, "network": "mlp"}, {"plain": {}}, {"n": (4, 8)}, 1)
    other = replace(one, name="tiny-other", series={"lr = 0.01": {"lr": 0.01}, "lr = 0.001": {"lr": 1e-3}},
                    rows="tiny-one")
    for e in (one, other, TOSSES):
        monkeypatch.setitem(EXPERIMENTS, e.name, e)
    names = ("tosses", "tiny-one", "tiny-other")
    assert run(*names, device="cpu", workers=1, minutes=1e-9, results=tmp_path) == 12 + 4
    assert run(*names, device="cpu", workers=1, series=["penny"], results=tmp_path) == 0
    assert [len(experiments.load(name, tmp_path)) for name in names] == [6, 0, 0]
    with monkeypatch.context() as patch:  # whichever unit ends first
        patch.setattr(experiments, "_engine", backwards)
        assert run(*names[1:], device="cpu", workers=2, results=tmp_path) == 0
    assert run(*names, device="cpu", workers=1, results=tmp_path) == 0
    apart = tmp_path / "apart"
    for name in names:
        assert run(name, device="cpu", workers=1, results=apart) == 0
        both = [experiments.load(name, folder).set_index("key").sort_index().drop(columns="seconds")
                for folder in (tmp_path, apart)]
        assert both[0].equals(both[1])
    with pytest.raises(ValueError, match="'tosses', 'tiny-one' has no series 'lr = 0.01'; it has .*plain"):
        run("tosses", "tiny-one", series=["lr = 0.01"], results=tmp_path)
    with pytest.raises(ValueError, match="experiment 'tosses' has .*; experiment 'tiny-one' has n = 4, 8"):
        run("tosses", "tiny-one", first=1e9, results=tmp_path)
    with pytest.raises(ValueError, match="no experiment is named; known are"):
        run(results=tmp_path)


def test_units_hold_every_run_once_and_runs_of_one_shape_only():
    cut = units(TINY.runs(), "cpu")
    assert sorted(r.key for unit in cut for r in unit) == sorted(r.key for r in TINY.runs())
    assert all(len({r.shape for r in unit}) == 1 for unit in cut)
    assert max(map(len, cut)) == 3


# ---- results files -----------------------------------------------------------------------------------------------

finite_or_not = st.floats() | st.integers(0, 1000).map(float)
some_rows = st.builds(
    lambda of, values, text: a_row(of, **dict(zip(METRICS[:4], values, strict=True)), device=text),
    some_runs, st.tuples(*[finite_or_not] * 4), st.sampled_from(["cpu", 'an "odd", name', "NVIDIA H200", "ά"]),
)


@given(st.lists(some_rows, min_size=1, max_size=4, unique_by=lambda row: row["key"]))
@settings(max_examples=40)
def test_what_is_appended_is_read_back(rows):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "some.csv"
        for row in rows:
            with ResultsFile(path) as file:
                file.append([row])
        back = read_rows(path)
        assert repr(back) == repr([{c: row[c] for c in COLUMNS} for row in rows])  # nan is not equal to itself
        with ResultsFile(path) as file:
            file.append(rows)
        assert repr(read_rows(path)) == repr(back), "a row that is there is not added again"


def test_a_folder_without_the_file_has_no_rows(tmp_path, tiny):
    assert read_rows(tmp_path / "none.csv") == []
    assert load("tiny", tmp_path).empty
    assert list(load("tiny", tmp_path).columns) == ["series", *COLUMNS]


def test_loaded_rows_say_their_series_and_leave_out_rows_of_no_series(path, tiny):
    with ResultsFile(path) as file:
        file.append([a_row(Run("same-different", "mlp", n=4, seed=99))])
    table = load("tiny", path.parent)
    assert len(table) == len(read_rows(path)) - 1 == 18
    assert (table["series"] == table["network"].map({"mlp": "Fully-connected", "transformer": "Transformer"})).all()


def test_a_second_writer_is_refused_and_readers_are_not(path):
    with ResultsFile(path), pytest.raises(ValueError, match=r"tiny\.csv: another process"), ResultsFile(path):
        pass
    with ResultsFile(path) as file, pytest.raises(ValueError, match="another process"):
        assert len(read_rows(path)) == 18 == len(file.rows)
        with ResultsFile(path):
            pass
    with ResultsFile(path) as file:
        assert len(file.rows) == 18


INDEX = {column: i for i, column in enumerate(COLUMNS)}


def in_line(number, change):
    """A spoiler: one line's cells are changed."""
    def spoil(content):
        lines = content.split(b"\n")
        lines[number - 1] = b",".join(change(lines[number - 1].split(b",")))
        return b"\n".join(lines)

    return spoil


def in_cell(number, column, text):
    i = INDEX[column]
    return in_line(number, lambda cells: [*cells[:i], text, *cells[i + 1:]])


def without(column):
    i = INDEX[column]

    def spoil(content):
        rows = (line.split(b",") for line in content.split(b"\n"))
        return b"\n".join(b",".join(cells[:i] + cells[i + 1:]) for cells in rows)

    return spoil


def test_a_file_from_before_a_field_was_added_gets_the_column_and_keeps_its_rows(path):
    before = read_rows(path)
    path.write_bytes(without("gram")(path.read_bytes()))
    assert [r["key"] for r in read_rows(path)] == [r["key"] for r in before]
    new = Run("same-different", "mlp", n=4, seed=7, gram=True)
    with ResultsFile(path) as file:
        file.append([a_row(new)])
    assert path.read_text().split("\n")[0] == ",".join(COLUMNS)
    assert read_rows(path)[:-1] == before and read_rows(path)[-1]["gram"] is True
    assert sorted(p.name for p in path.parent.iterdir()) == ["tiny.csv", "tiny.lock"]


BROKEN = {  # what is done to the bytes; line and column that the message must name; words in it
    "cut off": (lambda b: b[:-9], 19, "torch", "cut off"),
    "cut off in the first cell": (lambda b: b + b"0a41", 20, "key", "cut off"),
    "cut off before the end of line": (lambda b: b[:-1], 19, "commit", "cut off"),
    "cut off header": (lambda b: b[:12], 1, "net", "unknown column"),
    "empty header": (lambda b: b"\n", 1, "key", "missing from the header"),
    "too few cells": (in_line(4, lambda cells: cells[:5]), 4, "seed", "5 cells instead of"),
    "too many cells": (in_line(4, lambda cells: [*cells, b"1"]), 4, "commit", "cells instead of"),
    "empty line": (in_line(7, lambda cells: []), 7, "", "0 cells"),
    "zeros instead of a row": (lambda b: b + b"\0" * 40 + b"\n", 20, "", "1 cells"),
    "not a number": (in_cell(3, "test_loss", b"0.1x"), 3, "test_loss", "'0.1x'"),
    "not an integer": (in_cell(3, "seed", b"0.5"), 3, "seed", "'0.5'"),
    "neither true nor false": (in_cell(3, "gram", b"yes"), 3, "gram", "'yes'"),
    "no metric": (in_cell(3, "test_loss", b""), 3, "test_loss", "empty cell"),
    "changed field": (in_cell(3, "lr", b"0.01"), 3, "key", "a cell was changed"),
    "changed key": (in_cell(3, "key", b"0" * 16), 3, "key", "0" * 16),
    "bytes that are no text": (lambda b: b.replace(b"same", b"s\xffme", 1), 2, "key", ""),
    "row twice": (lambda b: b + b.split(b"\n")[5 - 1] + b"\n", 20, "key", "on line 5"),
    "unknown column": (in_cell(1, "commit", b"comit"), 1, "comit", "unknown column"),
    "column twice": (in_cell(1, "b", b"a"), 1, "a", ""),
    "no column of keys": (without("key"), 1, "key", ""),
    "no column of a field": (without("n"), 1, "n", ""),
    "no column of a metric": (without("test_loss"), 1, "test_loss", ""),
}


@pytest.mark.parametrize("breakage", BROKEN)
def test_a_broken_file_is_named_with_line_and_column_and_nothing_is_overwritten(breakage, path, tiny):
    spoil, line, column, words = BROKEN[breakage]
    broken = spoil(path.read_bytes())
    path.write_bytes(broken)
    for attempt in (lambda: read_rows(path), lambda: load("tiny", path.parent), lambda: ResultsFile(path).__enter__(),
                    lambda: run("tiny", device="cpu", workers=1, results=path.parent)):
        with pytest.raises(ValueError) as error:
            attempt()
        message = str(error.value)
        assert message.startswith(f"{path}, line {line}, column {column}{':' if column else ''}")
        assert words in message and "\n" not in message
        assert path.read_bytes() == broken


def test_a_file_of_no_bytes_is_begun_anew(path, tiny):
    good = path.read_bytes()
    rows = read_rows(path)
    path.write_bytes(b"")
    assert read_rows(path) == [] and load("tiny", path.parent).empty
    with ResultsFile(path) as file:
        assert path.read_bytes() == good.split(b"\n")[0] + b"\n"
        file.append(rows)
    assert path.read_bytes() == good


def test_a_repaired_file_is_taken_at_once(path, tiny):
    good = path.read_bytes()
    path.write_bytes(good[:-9])
    with pytest.raises(ValueError, match="cut off"):
        run("tiny", device="cpu", workers=1, results=path.parent)
    path.write_bytes(good)
    assert run("tiny", device="cpu", workers=1, results=path.parent) == 0


# ---- sweeps ------------------------------------------------------------------------------------------------------


def test_a_row_says_what_was_run_where_and_how_it_went(complete):
    rows = read_rows(complete / "tiny.csv")
    assert {row["key"] for row in rows} == {r.key for r in TINY.runs()} and len(rows) == 18
    for row in rows:
        assert (row["device"], row["commit"], row["evaluation"]) == ("cpu", "tested", 20)
        assert row["seconds"] >= 0 and 1 <= row["best_epoch"] <= row["epochs_run"] <= 5
        assert all(isinstance(row[m], (int, float)) and row[m] >= 0 for m in METRICS)


def test_rows_are_those_of_training_a_run_by_itself_up_to_rounding(complete):
    rows = {row["key"]: row for row in read_rows(complete / "tiny.csv")}
    for of in list(TINY.runs())[::7]:
        (row,) = perform([of])
        assert row["commit"] == "tested"
        assert [row[m] for m in METRICS] == pytest.approx([rows[of.key][m] for m in METRICS], rel=1e-4)


@pytest.mark.parametrize("kept", [0, 1, 7, 17])
def test_a_resumed_sweep_gives_the_rows_of_an_unbroken_one(kept, complete, tmp_path, tiny):
    rows = read_rows(complete / "tiny.csv")
    random.Random(kept).shuffle(rows)
    with ResultsFile(tmp_path / "tiny.csv") as file:
        file.append(rows[:kept])
    assert run("tiny", device="cpu", workers=1, results=tmp_path) == 0
    again = read_rows(tmp_path / "tiny.csv")
    assert again[:kept] == rows[:kept]
    assert without_circumstances(again) == without_circumstances(rows)


@pytest.fixture
def performed(monkeypatch):
    """The units that are performed, from now on."""
    seen = []

    def recording(unit, *arguments):
        seen.append(unit)
        return perform(unit, *arguments)

    monkeypatch.setattr(experiments, "perform", recording)
    return seen


def test_only_units_that_lack_a_row_are_performed_and_these_whole(path, tiny, performed):
    rows = read_rows(path)
    path.unlink()
    with ResultsFile(path) as file:
        file.append(rows[1:])
    assert run("tiny", device="cpu", workers=1, results=path.parent) == 0
    assert performed == [unit for unit in units(TINY.runs(), "cpu") if rows[0]["key"] in {r.key for r in unit}]
    assert len(performed[0]) == 3


def test_a_complete_sweep_performs_nothing_and_touches_nothing(path, tiny, performed):
    before = path.stat().st_mtime_ns
    assert run("tiny", device="cpu", workers=1, results=path.parent) == 0
    assert performed == [] and path.stat().st_mtime_ns == before


def test_no_time_at_all_performs_nothing_and_reports_what_is_missing(tmp_path, tiny, performed):
    assert run("tiny", device="cpu", workers=1, minutes=1e-9, results=tmp_path) == 18
    assert performed == [] and read_rows(tmp_path / "tiny.csv") == []


def test_when_time_is_up_the_unit_in_flight_is_finished_and_kept(tmp_path, tiny, performed, monkeypatch):
    recording = experiments.perform

    def slow(*arguments):
        rows = recording(*arguments)
        time.sleep(1.3)
        return rows

    monkeypatch.setattr(experiments, "perform", slow)
    missing = run("tiny", device="cpu", workers=1, minutes=1.2 / 60, results=tmp_path)
    assert len(performed) == 1 and missing == 18 - len(performed[0])
    assert {row["key"] for row in read_rows(tmp_path / "tiny.csv")} == {r.key for r in performed[0]}


def test_a_unit_that_fails_loses_no_other(tmp_path, tiny, performed, monkeypatch):
    recording = experiments.perform

    def failing(unit, *arguments):
        if len(performed) == 2:
            raise MemoryError("no memory")
        return recording(unit, *arguments)

    monkeypatch.setattr(experiments, "perform", failing)
    with pytest.raises(MemoryError):
        run("tiny", device="cpu", workers=1, results=tmp_path)
    assert len(read_rows(tmp_path / "tiny.csv")) == len(performed[0]) + len(performed[1])
    monkeypatch.setattr(experiments, "perform", recording)
    assert run("tiny", device="cpu", workers=1, results=tmp_path) == 0


@pytest.mark.parametrize(("name", "options", "named"), [
    ("tinny", {}, "experiment 'tinny'; known are same-different.*tiny"),
    ("tiny", {"device": "tpu"}, "device 'tpu'; known are auto, cpu, cuda"),
    ("tiny", {"device": "cpu", "minutes": 0}, "minutes=0"),
    ("tiny", {"device": "cpu", "minutes": -1.5}, "minutes=-1.5"),
    ("tiny", {"device": "cpu", "minutes": float("nan")}, "minutes=nan"),
    ("tiny", {"device": "cpu", "workers": 0}, "workers=0"),
    ("tiny", {"device": "cpu", "workers": -1}, "workers=-1"),
])
def test_a_bad_request_is_refused_before_anything_is_written(name, options, named, tmp_path, tiny, performed):
    with pytest.raises(ValueError, match=named):
        run(name, **options, results=tmp_path)
    assert performed == [] and list(tmp_path.iterdir()) == []


def test_an_option_that_a_network_lacks_ends_the_sweep_with_its_name(tmp_path, monkeypatch):
    monkeypatch.setitem(EXPERIMENTS, "tiny", replace(TINY, series={"MLP": {"network": "mlp", "heads": 2}}))
    with pytest.raises(ValueError, match="'mlp'.*'heads'"):
        run("tiny", device="cpu", workers=1, results=tmp_path)


# ---- looking at what there is ------------------------------------------------------------------------------------


def test_repeated_runs_give_the_committed_numbers(complete, tiny):
    table = repeat("tiny", load("tiny", complete), n=[4, 12], seeds=[0, 2])
    assert len(table) == 2 * 2 * 2 and set(table["series"]) == set(NETWORKS)
    assert set(table["n"]) == {4, 12} and set(table["seed"]) == {0, 2}
    assert (table["committed"] == table["repeated"]).all()


def test_a_changed_committed_number_shows_when_repeated(complete, tiny):
    committed = load("tiny", complete)
    committed["test_loss"] += 0.1 * (committed["n"] == 4)
    table = repeat("tiny", committed, n=[4, 8], seeds=[1])
    assert ((table["committed"] - table["repeated"]).round(6) == 0.1 * (table["n"] == 4)).all()


def test_nothing_to_repeat_is_an_error(complete, tiny, tmp_path):
    with pytest.raises(ValueError, match=r"'tiny' has no rows with n in \[5\], seed in \[0\] to repeat"):
        repeat("tiny", load("tiny", complete), n=[5], seeds=[0])
    with pytest.raises(ValueError, match="no rows"):
        repeat("tiny", load("tiny", tmp_path), n=[4], seeds=[0])


def test_a_recheck_says_how_many_runs_agree_and_stops_when_one_does_not(complete, tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(experiments, "BOOK", tmp_path)
    where = "n == 4 and seed > 0"
    assert experiments.recheck("tiny", where, 0.0) == "tiny: no rows to repeat yet"
    rows = read_rows(complete / "tiny.csv")
    with ResultsFile(tmp_path / "results" / "tiny.csv") as file:
        file.append(rows)
    assert experiments.recheck("tiny", where, 0.0) == "tiny: 4 run again, within 0.0 of their rows"
    (tmp_path / "results" / "tiny.csv").unlink()
    with ResultsFile(tmp_path / "results" / "tiny.csv") as file:
        file.append([{**row, "test_loss": row["test_loss"] + 0.1 * (row["n"] == 4 and row["seed"] == 2)}
                     for row in rows])
    assert experiments.recheck("tiny", where, 0.11) == "tiny: 4 run again, within 0.11 of their rows"
    with pytest.raises(AssertionError, match=r"tiny: test_loss is off by 0\.1, more than 0\.05:\n.*committed"):
        experiments.recheck("tiny", where, 0.05)


def test_progress_counts_the_runs_and_prices_the_rest(complete, tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(experiments, "BOOK", tmp_path)
    assert progress("tiny") == experiments.Progress({"Fully-connected": (0, 9), "Transformer": (0, 9)}, 18, None)
    rows = [{**row, "seconds": 3600.0} for row in read_rows(complete / "tiny.csv")]
    of = {r.key: r for r in TINY.runs()}
    with ResultsFile(tmp_path / "results" / "tiny.csv") as file:
        file.append([row for row in rows if row["n"] == 8])
    p = progress("tiny")
    assert p.done == {"Fully-connected": (3, 9), "Transformer": (3, 9)} and p.missing == 12
    assert str(p) == f"12 runs missing; cost on a CPU: about {p.hours:.1f} core-hours"
    cost = {(r.network, r.n): r.cost() for r in of.values()}
    assert p.hours == pytest.approx(sum(3 * cost[network, n] / cost[network, 8]
                                        for network in ("mlp", "transformer") for n in (4, 12)))
    with ResultsFile(tmp_path / "results" / "tiny.csv") as file:
        file.append(rows)
    assert (progress("tiny").missing, progress("tiny").hours) == (0, None)


# ---- kill -9 -----------------------------------------------------------------------------------------------------

KILLED = replace(TINY, name="killed", grid={"n": tuple(range(4, 24))}, seeds=2, base={**TINY.base, "batch": 64})

RUN_KILLED = """
import sys
from abstract_symbols import experiments
from abstract_symbols.__main__ import main
e = experiments.Experiment(**{values!r})
experiments.EXPERIMENTS[e.name] = e
print("ready", flush=True)
sys.exit(main(["run", e.name, "--device", "cpu", "--workers", "1"]))
"""


def start_sweep(book):
    source = str(Path(abstract_symbols.__file__).parents[1])
    values = {f.name: getattr(KILLED, f.name) for f in fields(KILLED) if f.name != "kind"}
    environment = {**os.environ, "ABSTRACT_SYMBOLS_BOOK": str(book), "ABSTRACT_SYMBOLS_COMMIT": "tested",
                   "PYTHONPATH": os.pathsep.join([source, os.environ.get("PYTHONPATH", "")])}
    return subprocess.Popen([sys.executable, "-c", RUN_KILLED.format(values=values)], env=environment, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


class Reader(threading.Thread):
    """Reads a results file all the while; what it saw, and what went wrong."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.path, self.counts, self.failures, self.done = path, [], [], threading.Event()

    def run(self):
        while not self.done.wait(0.002):
            try:
                self.counts.append(len(read_rows(self.path)))
            except Exception as error:
                self.failures.append(error)


@pytest.mark.slow
def test_a_sweep_killed_three_times_has_every_run_once_and_the_file_is_readable_all_the_while(tmp_path, monkeypatch):
    monkeypatch.setitem(EXPERIMENTS, "killed", KILLED)
    unbroken = tmp_path / "unbroken"
    started = time.perf_counter()
    assert run("killed", device="cpu", workers=1, results=unbroken) == 0
    seconds = time.perf_counter() - started

    path, moments = tmp_path / "results" / "killed.csv", random.Random(20231015)
    reader = Reader(path)
    reader.start()
    for _ in range(3):
        with start_sweep(tmp_path) as sweep:
            assert sweep.stdout.readline() == "ready\n", sweep.stderr.read()
            before = len(read_rows(path))
            while len(read_rows(path)) == before and sweep.poll() is None:
                time.sleep(0.01)
            time.sleep(moments.uniform(0, seconds / 5))
            sweep.send_signal(signal.SIGKILL)
            sweep.communicate()
            assert sweep.returncode == -signal.SIGKILL, "it was done before it was killed"
    rows_before_last = len(read_rows(path))
    with start_sweep(tmp_path) as sweep:
        out, err = sweep.communicate()
    reader.done.set()
    reader.join()

    assert (sweep.returncode, out.splitlines()[-1]) == (0, "killed: complete"), err
    assert 0 < rows_before_last < len(KILLED.runs()), "the last sweep had something left to do"
    assert reader.failures == [] and reader.counts == sorted(reader.counts) and len(set(reader.counts)) > 5
    rows = read_rows(path)
    assert sorted(row["key"] for row in rows) == sorted(r.key for r in KILLED.runs())
    assert without_circumstances(rows) == without_circumstances(read_rows(unbroken / "killed.csv"))
