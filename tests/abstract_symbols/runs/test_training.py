"""Runs that train one network: their keys, their networks and samples, and what cannot be."""

import hashlib
import inspect
import json
import random
from dataclasses import MISSING, asdict, fields, replace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from abstract_symbols import ensembles
from abstract_symbols.runs.training import NETWORKS, Run
from companion.sweeps import batches, perform

SMALL = {
    "Fully-connected": {"network": "mlp", "width": 8},
    "Transformer": {"network": "transformer", "d_emb": 8, "heads": 2, "d_head": 4, "d_mlp": 8},
}


# ---- keys --------------------------------------------------------------------------------------------------------


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
        parameters = inspect.signature(NETWORKS[name]).parameters
        assert expected.items() <= {p.name: p.default for p in parameters.values()}.items()


def test_every_option_of_a_network_is_a_field_and_the_other_way_round():
    taken = {name for kind in NETWORKS.values() for name in inspect.signature(kind).parameters}
    options = {f.name for f in fields(Run) if f.metadata.get("network")}
    assert options == taken - {"vocab", "length", "tied", "cell"}


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


# ---- together ----------------------------------------------------------------------------------------------------


@given(some_runs)
def test_runs_of_one_group_differ_in_seed_and_learning_rate_only(of):
    assert replace(of, seed=of.seed + 1, lr=of.lr * 2).group_key == of.group_key
    for name in ("n", "batch", "epochs", "width"):
        assert replace(of, **{name: (getattr(of, name) or 1) + 1}).group_key != of.group_key


def test_batches_on_a_cpu_are_what_its_cache_holds(monkeypatch):
    """On a CPU the size of an ensemble is fixed by the cache, so that batches are the same on every machine."""
    runs = [Run("same-different", n=16, seed=seed, **SMALL["Transformer"]) for seed in range(4)]
    monkeypatch.setattr(ensembles, "CPU_BYTES", 2**30)
    assert [len(batch) for batch in batches(runs, "cpu")] == [4]
    monkeypatch.setattr(ensembles, "CPU_BYTES", 1)
    assert [len(batch) for batch in batches(runs, "cpu")] == [1, 1, 1, 1]


@pytest.mark.parametrize("options", SMALL.values(), ids=SMALL)
def test_runs_performed_together_have_the_rows_of_a_run_by_itself_up_to_rounding(options, monkeypatch):
    monkeypatch.setenv("COMPANION_COMMIT", "tested")
    runs = [Run("same-different", n=8, seed=seed, evaluation=20, epochs=5, batch=5, **options) for seed in range(3)]
    together = perform(runs)
    for of, row in zip(runs, together, strict=True):
        (alone,) = perform([of])
        assert [row[m] for m in Run.METRICS] == pytest.approx([alone[m] for m in Run.METRICS], rel=1e-4)
        assert all(row[m] >= 0 for m in Run.METRICS) and 1 <= row["best_epoch"] <= row["epochs_run"] <= 5
        assert (row["key"], row["commit"], row["evaluation"]) == (of.key, "tested", 20)
    assert len({row["test_loss"] for row in together}) == 3


# ---- networks and samples ----------------------------------------------------------------------------------------


def test_a_run_draws_the_same_network_and_samples_each_time_and_others_with_another_seed():
    of = Run("same-different", n=6, seed=1, evaluation=20, **SMALL["Transformer"])
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


def test_an_option_that_a_network_lacks_ends_a_sweep_with_its_name():
    with pytest.raises(ValueError, match="'mlp'.*'heads'"):
        batches([Run("same-different", "mlp", n=4, seed=0, heads=2)], "cpu")
