"""What a run is: fields that decide its numbers, and a key that stays."""

import hashlib
import json
import random
import sys
from dataclasses import asdict, dataclass, replace
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy_grids import Toss, Walk, share

from companion.runs import Job, columns, pick_device
from companion.sweeps import batches


def hashed(stated):
    return hashlib.sha256(json.dumps(stated, sort_keys=True).encode()).hexdigest()[:16]


# ---- keys --------------------------------------------------------------------------------------------------------


def test_numbers_that_are_equal_make_one_run():
    one, other = Toss("penny", 0, bias=1, wind=2), Toss("penny", 0, bias=1.0, wind=2.0)
    assert one == other and one.key == other.key
    assert (type(one.bias), type(one.wind), type(one.tosses), Toss("penny", 0).wind) == (float, float, int, None)
    assert one.key == hashed({"bias": 1.0, "coin": "penny", "seed": 0, "wind": 2.0})


tosses = st.builds(Toss, st.sampled_from(["penny", "cent"]), st.integers(0, 9), st.floats(0, 1) | st.integers(0, 1),
                   st.integers(1, 9), st.none() | st.floats(0, 9))


@given(tosses, st.sampled_from(["seed", "bias", "tosses", "wind"]))
def test_a_changed_field_changes_the_key(of, name):
    assert replace(of, **{name: (getattr(of, name) or 0) + 1}).key != of.key == replace(of).key


@given(tosses)
def test_the_key_of_a_row_is_that_of_its_run_whatever_else_the_row_has(of):
    row = {**asdict(of), "key": "old", "share": 0.3, "seconds": 1.0}
    shuffled = dict(random.Random(0).sample(list(row.items()), len(row)))
    assert Toss.key_of(row) == Toss.key_of(shuffled) == of.key


def test_a_field_that_a_row_does_not_have_counts_as_its_default():
    of = Toss("penny", 3)
    assert Toss.key_of({"coin": "penny", "seed": 3}) == of.key == Toss.key_of(asdict(of))
    assert Toss.key_of({"coin": "penny", "seed": 3, "bias": 0.25}) == Toss("penny", 3, bias=0.25).key != of.key


def test_a_new_field_with_a_default_leaves_old_keys_alone():
    @dataclass(frozen=True)
    class Longer(Toss):
        umbrella: bool | None = None

    assert Longer("penny", 1, bias=0.75).key == Toss("penny", 1, bias=0.75).key
    assert Longer("penny", 1, umbrella=True).key not in (Toss("penny", 1).key, Longer("penny", 1, umbrella=False).key)


@pytest.mark.parametrize("same", [{"n": 4.0}, {"n": np.int64(4)}, {"n": np.float64(4)}, {"seed": False}, {"boots": 1}])
def test_one_run_has_one_key_however_its_numbers_are_written(same):
    stated = {"walker": "short", "n": 4, "seed": 0, "boots": True}
    assert Walk(**{**stated, **same}).key == Walk(**stated).key


@pytest.mark.parametrize("bad", [{"n": 4.5}, {"n": "four"}, {"lr": float("nan")}, {"boots": 2}])
def test_a_field_of_another_type_is_refused(bad):
    with pytest.raises(ValueError):
        Walk(**{"walker": "short", "n": 4, "seed": 0, **bad})


# ---- what a kind says --------------------------------------------------------------------------------------------


def test_a_kind_performs_its_runs_one_by_one_unless_it_says_otherwise():
    runs = [Toss("penny", seed) for seed in range(3)]
    assert [len(batch) for batch in batches(runs, "cpu")] == [1] * 3
    assert Toss.perform(runs, "cpu") == [run.measure("cpu") for run in runs]
    assert runs[0].cost() == 1


def test_a_kind_that_does_not_say_what_it_measures_is_named():
    @dataclass(frozen=True)
    class Empty(Job):
        METRICS: ClassVar[dict[str, type]] = {}

    with pytest.raises(TypeError, match=r"Empty does not say what it measures; define measure\(device\)"):
        Empty.perform([Empty()], "cpu")


def test_columns_are_the_key_the_fields_the_metrics_and_the_circumstances():
    assert list(columns(Toss)) == "key,coin,seed,bias,tosses,wind,share,heads,seconds,device,torch,commit".split(",")
    assert columns(Toss)["heads"] is int and columns(Toss)["wind"] == float | None


def test_the_toys_numbers_are_their_own():
    """Other tests rely on it: runs differ, and those that walk together differ in their last digits alone."""
    runs = [Walk("short", 4, seed) for seed in range(3)]
    together, alone = Walk.perform(runs, "cpu"), [Walk.perform([run], "cpu")[0] for run in runs]
    losses = [[m["test_loss"] for m in metrics] for metrics in (together, alone)]
    assert losses[0] == pytest.approx(losses[1], abs=2e-9) and losses[0] != losses[1]
    assert len({round(loss, 6) for loss in losses[0]}) == 3 and 0 <= share("x") < 1


# ---- devices -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("gpu", "auto"), [(False, "cpu"), (True, "cuda")])
def test_auto_is_a_gpu_if_there_is_one(gpu, auto, monkeypatch):
    cuda = SimpleNamespace(is_available=lambda: gpu)
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda))
    assert (pick_device("auto"), pick_device("cpu")) == (auto, "cpu")
    if gpu:
        assert pick_device("cuda") == "cuda"
    else:
        with pytest.raises(ValueError, match="sees no GPU here; use --device cpu"):
            pick_device("cuda")


@pytest.mark.parametrize("device", ["tpu", "cuda:1", None, 0])
def test_another_device_is_refused(device):
    with pytest.raises(ValueError, match=f"unknown device {device!r}; known are auto, cpu, cuda"):
        pick_device(device)
