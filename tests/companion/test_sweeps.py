"""Sweeps: they go on where they were stopped, on this machine, several at once, and on a Dask cluster."""

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from projects import use_project
from toy_grids import EXPERIMENTS, Toss, Walk

import companion
from companion import sweeps
from companion.experiments import experiment
from companion.results import ResultsFile, load, read_rows
from companion.sweeps import Progress, ResultsDiffer, batches, perform, progress, recheck, repeat, run

WALKS, TOSSES = EXPERIMENTS["walks"], EXPERIMENTS["tosses"]
ALONE = {"device": "cpu", "workers": 1}
pytestmark = pytest.mark.usefixtures("toys")


@pytest.fixture
def path(complete, tmp_path):
    """A results file of its own that a test may spoil: the complete one."""
    return Path(shutil.copy(complete / "walks.csv", tmp_path))


def without_circumstances(rows):
    """The rows without what may differ between two right sweeps, in the order of their keys."""
    return sorted(({k: v for k, v in row.items() if k not in ("seconds", "commit")} for row in rows),
                  key=lambda row: row["key"])


@pytest.fixture
def performed(monkeypatch):
    """The batches that are performed, from now on."""
    seen = []

    def recording(batch, *arguments):
        seen.append(batch)
        return perform(batch, *arguments)

    monkeypatch.setattr(sweeps, "perform", recording)
    return seen


# ---- rows --------------------------------------------------------------------------------------------------------


def test_a_row_says_what_was_run_where_and_how_it_went(complete):
    rows = read_rows(complete / "walks.csv", Walk)
    assert {row["key"] for row in rows} == {r.key for r in WALKS.runs()} and len(rows) == 18
    for row in rows:
        assert (row["device"], row["commit"], row["steps"]) == ("cpu", "tested", row["n"])
        assert row["seconds"] >= 0 and row["torch"] == torch.__version__.split("+")[0]


def test_rows_are_those_of_a_run_by_itself_up_to_rounding(complete):
    rows = {row["key"]: row for row in read_rows(complete / "walks.csv", Walk)}
    for of in list(WALKS.runs())[::7]:
        (row,) = perform([of])
        assert row["test_loss"] == pytest.approx(rows[of.key]["test_loss"], abs=2e-9)


def test_a_row_names_the_commit_of_the_sources_and_whether_they_differ_from_it(tmp_path, monkeypatch):
    monkeypatch.delenv("COMPANION_COMMIT")
    project = use_project(monkeypatch, tmp_path / "versioned", "toy_grids")
    monkeypatch.delenv("COMPANION_COMMIT")
    assert sweeps.code_commit() == "unknown"
    (project / "src").mkdir()
    (project / "src" / "code.py").write_text("one = 1\n")
    git = ["git", "-C", str(project), "-c", "user.name=t", "-c", "user.email=t"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run([*git, *command], check=True)
    head = subprocess.run([*git, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True).stdout.strip()
    (project / "book" / "chapter.py").write_text("prose\n")
    assert sweeps.code_commit() == head
    (project / "src" / "code.py").write_text("one = 2\n")
    assert sweeps.code_commit() == head + "+"


# ---- batches -----------------------------------------------------------------------------------------------------


def test_batches_hold_every_run_once_and_runs_of_one_group_only():
    cut = batches(WALKS.runs(), "cpu")
    assert sorted(r.key for batch in cut for r in batch) == sorted(r.key for r in WALKS.runs())
    assert all(len({r.group_key for r in batch}) == 1 for batch in cut)
    assert [len(batch) for batch in cut] == [3] * 6


def test_workers_on_one_gpu_share_its_memory():
    runs = [Walk("short", n=16, seed=seed) for seed in range(9)]
    assert [len(u) for u in batches(runs, "cuda")] == [8, 1]
    assert [len(u) for u in batches(runs, "cuda", workers=2)] == [4, 4, 1]
    assert [len(u) for u in batches(runs, "cuda", workers=99)] == [1] * 9
    assert [len(u) for u in batches(runs, "cpu", workers=2)] == [3, 3, 3]


def test_on_a_gpu_only_what_is_missing_is_performed(tmp_path, monkeypatch):
    given = []

    def recording(batch, device, commit):
        given.append((device, batch))
        return perform(batch, "cpu", commit)

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(sweeps, "perform", recording)
    options = {"device": "cuda", "series": ["Short"], "upto": 8, "results": tmp_path}
    assert run("walks", **options) == 0
    assert [(device, len(batch)) for device, batch in given] == [("cuda", 3), ("cuda", 3)]
    path = WALKS.path(tmp_path)
    kept = path.read_text().splitlines(keepends=True)
    path.write_text("".join(kept[:-1]))
    given.clear()
    assert run("walks", **options) == 0
    assert [len(batch) for _, batch in given] == [1] and len(read_rows(path, Walk)) == 6


# ---- what is done is not done again ------------------------------------------------------------------------------


@pytest.mark.parametrize("kept", [0, 1, 7, 17])
def test_a_resumed_sweep_gives_the_rows_of_an_unbroken_one(kept, complete, tmp_path):
    """To the bit, although the last digits depend on the batch."""
    rows = read_rows(complete / "walks.csv", Walk)
    random.Random(kept).shuffle(rows)
    with ResultsFile(tmp_path / "walks.csv", Walk) as file:
        file.append(rows[:kept])
    assert run("walks", **ALONE, results=tmp_path) == 0
    again = read_rows(tmp_path / "walks.csv", Walk)
    assert again[:kept] == rows[:kept]
    assert without_circumstances(again) == without_circumstances(rows)


def test_only_batches_that_lack_a_row_are_performed_and_these_whole(path, performed):
    rows = read_rows(path, Walk)
    path.unlink()
    with ResultsFile(path, Walk) as file:
        file.append(rows[1:])
    assert run("walks", **ALONE, results=path.parent) == 0
    assert performed == [batch for batch in batches(WALKS.runs(), "cpu") if rows[0]["key"] in {r.key for r in batch}]
    assert len(performed[0]) == 3


def test_a_complete_sweep_performs_nothing_and_touches_nothing(path, performed):
    before = path.stat().st_mtime_ns
    assert run("walks", **ALONE, results=path.parent) == 0
    assert performed == [] and path.stat().st_mtime_ns == before


def test_no_time_at_all_performs_nothing_and_reports_what_is_missing(tmp_path, performed):
    assert run("walks", **ALONE, minutes=1e-9, results=tmp_path) == 18
    assert performed == [] and read_rows(tmp_path / "walks.csv", Walk) == []


def test_when_time_is_up_the_batch_in_flight_is_finished_and_kept(tmp_path, performed, monkeypatch):
    clock, recording = [0.0], sweeps.perform

    def slow(*arguments):
        clock[0] += 60
        return recording(*arguments)

    monkeypatch.setattr(sweeps, "monotonic", lambda: clock[0])
    monkeypatch.setattr(sweeps, "perform", slow)
    missing = run("walks", **ALONE, minutes=1.5, results=tmp_path)
    assert len(performed) == 2 and missing == 18 - 6, "the second began before the time was up"
    assert {row["key"] for row in read_rows(tmp_path / "walks.csv", Walk)} == {r.key for b in performed for r in b}


def test_a_batch_that_fails_loses_no_other(tmp_path, performed, monkeypatch):
    recording = sweeps.perform

    def failing(batch, *arguments):
        if len(performed) == 2:
            raise MemoryError("no memory")
        return recording(batch, *arguments)

    monkeypatch.setattr(sweeps, "perform", failing)
    with pytest.raises(MemoryError):
        run("walks", **ALONE, results=tmp_path)
    assert len(read_rows(tmp_path / "walks.csv", Walk)) == len(performed[0]) + len(performed[1])
    monkeypatch.setattr(sweeps, "perform", recording)
    assert run("walks", **ALONE, results=tmp_path) == 0


# ---- a part of the grid ------------------------------------------------------------------------------------------


def test_a_sweep_of_some_series_leaves_the_others(tmp_path):
    assert run("tosses", **ALONE, series=["cent"], results=tmp_path) == 0
    assert {row["coin"] for row in read_rows(TOSSES.path(tmp_path), Toss)} == {"cent"}
    assert run("tosses", **ALONE, series=["penny", "cent"], results=tmp_path) == 0
    assert len(read_rows(TOSSES.path(tmp_path), Toss)) == 12
    with pytest.raises(ValueError, match="'tosses' has no series 'dime'; it has penny, cent"):
        run("tosses", **ALONE, series=["cent", "dime"], results=tmp_path)


def test_a_sweep_up_to_a_point_leaves_what_lies_beyond(tmp_path):
    for nothing in (0.1, float("nan")):
        with pytest.raises(ValueError, match="has bias = "):
            run("tosses", **ALONE, upto=nothing, results=tmp_path)
    assert run("tosses", **ALONE, upto=0.25, results=str(tmp_path)) == 0
    rows = read_rows(TOSSES.path(tmp_path), Toss)
    assert {row["bias"] for row in rows} == {0.25} and len(rows) < 12
    assert run("tosses", **ALONE, results=tmp_path) == 0
    assert len(read_rows(TOSSES.path(tmp_path), Toss)) == 12


def test_experiments_that_share_a_file_find_there_what_each_other_ran(tmp_path):
    assert run("far-walks", **ALONE, results=tmp_path) == 0
    found = load("fast-walks", tmp_path)
    assert set(found["series"]) == {"lr = 0.001"} and set(found["n"]) == {40, 80}
    assert run("fast-walks", **ALONE, results=tmp_path) == 0
    assert [path.name for path in tmp_path.glob("*.csv")] == ["far-walks.csv"]
    assert (len(load("fast-walks", tmp_path)), len(load("far-walks", tmp_path))) == (4, 2)


@contextmanager
def backwards(workers, scheduler):
    """An engine whose last batch ends first."""
    yield lambda jobs: [function(*args, **kwargs) for function, args, kwargs in reversed(list(jobs))]


def test_several_experiments_are_done_by_one_sweep(tmp_path, monkeypatch):
    names = ("tosses", "far-walks", "fast-walks")
    assert run(*names, **ALONE, minutes=1e-9, results=tmp_path) == 12 + 4
    assert run(*names, **ALONE, series=["penny"], results=tmp_path) == 0
    assert [len(load(name, tmp_path)) for name in names] == [6, 0, 0]
    with monkeypatch.context() as patch:  # whichever batch ends first
        patch.setattr(sweeps, "_engine", backwards)
        assert run(*names[1:], device="cpu", workers=2, results=tmp_path) == 0
    assert run(*names, **ALONE, results=tmp_path) == 0
    apart = tmp_path / "apart"
    for name in names:
        assert run(name, **ALONE, results=apart) == 0
        both = [load(name, folder).set_index("key").sort_index().drop(columns="seconds")
                for folder in (tmp_path, apart)]
        assert both[0].equals(both[1])
    with pytest.raises(ValueError, match="'tosses', 'far-walks' has no series 'lr = 0.01'; it has .*plain"):
        run("tosses", "far-walks", series=["lr = 0.01"], results=tmp_path)
    with pytest.raises(ValueError, match="experiment 'tosses' has .*; experiment 'far-walks' has n = 40, 80"):
        run("tosses", "far-walks", first=1e9, results=tmp_path)
    with pytest.raises(ValueError, match="no experiment is named; known are"):
        run(results=tmp_path)


@pytest.mark.parametrize(("name", "options", "named"), [
    ("wallks", {}, "experiment 'wallks'; known are tosses, walks"),
    ("walks", {"device": "tpu"}, "device 'tpu'; known are auto, cpu, cuda"),
    ("walks", {"device": "cpu", "minutes": 0}, "minutes=0"),
    ("walks", {"device": "cpu", "minutes": -1.5}, "minutes=-1.5"),
    ("walks", {"device": "cpu", "minutes": float("nan")}, "minutes=nan"),
    ("walks", {"device": "cpu", "workers": 0}, "workers=0"),
    ("walks", {"device": "cpu", "workers": -1}, "workers=-1"),
    ("walks", {"device": "cpu", "workers": 1.5}, "workers=1.5: must be a whole number"),
])
def test_a_bad_request_is_refused_before_anything_is_written(name, options, named, tmp_path, performed):
    with pytest.raises(ValueError, match=named):
        run(name, **options, results=tmp_path / "results")
    assert performed == [] and not (tmp_path / "results").exists()


# ---- repeated runs -----------------------------------------------------------------------------------------------


def test_repeated_runs_give_the_committed_numbers(complete):
    """To the bit: each is performed in the batch in which a sweep has it."""
    rows = load("walks", complete)
    table = repeat("walks", rows[rows["n"].isin([4, 12]) & rows["seed"].isin([0, 2])])
    assert list(table) == ["series", "n", "seed", "committed", "repeated"]
    assert len(table) == 2 * 2 * 2 and set(table["series"]) == {"Short", "Tall"}
    assert set(table["n"]) == {4, 12} and set(table["seed"]) == {0, 2}
    assert (table["committed"] == table["repeated"]).all()


def test_a_changed_committed_number_shows_when_repeated(complete):
    committed = load("walks", complete)
    committed["test_loss"] += 0.1 * (committed["n"] == 4)
    table = repeat("walks", committed[committed["n"].isin([4, 8]) & (committed["seed"] == 1)])
    assert len(table) == 4
    assert ((table["committed"] - table["repeated"]).round(6) == 0.1 * (table["n"] == 4)).all()


def test_runs_of_any_kind_are_repeated_by_the_metric_that_is_asked_for(tmp_path):
    assert run("tosses", **ALONE, results=tmp_path) == 0
    rows = load("tosses", tmp_path)
    rows["heads"] += 3 * (rows["bias"] == 1)
    table = repeat("tosses", rows[rows["bias"].isin([0.25, 1]) & (rows["seed"] == 1)], "heads")
    assert list(table) == ["series", "bias", "seed", "committed", "repeated"] and set(table["bias"]) == {0.25, 1}
    assert len(table) == 4 and set(table["seed"]) == {1}
    assert (table["committed"] - table["repeated"]).tolist() == (3 * (table["bias"] == 1)).tolist()
    with pytest.raises(ValueError, match="no column 'test_loss'; it has .*share"):
        repeat("tosses", rows)


def test_nothing_to_repeat_is_an_error(complete):
    with pytest.raises(ValueError, match="'walks': no rows to repeat"):
        repeat("walks", load("walks", complete).query("n == 5"))


def test_a_recheck_says_how_many_runs_agree_and_stops_when_one_does_not(complete):
    where, path = "n == 4 and seed > 0", WALKS.path()
    rows = read_rows(complete / "walks.csv", Walk)
    with ResultsFile(path, Walk) as file:
        file.append(rows)
    assert recheck("walks", where, 0.0) == "walks: 4 run again, within 0.0 of their rows"
    assert recheck("walks", f"{where} and seed == 1 and walker == 'tall'", 0.5, "steps") == (
        "walks: 1 run again, within 0.5 of its row")
    path.unlink()
    with ResultsFile(path, Walk) as file:
        file.append([{**row, "test_loss": row["test_loss"] + 0.1 * (row["n"] == 4 and row["seed"] == 2)}
                     for row in rows])
    assert recheck("walks", where, 0.11) == "walks: 4 run again, within 0.11 of their rows"
    with pytest.raises(ResultsDiffer, match=r"walks: test_loss is off by 0\.1, more than 0\.05:\n.*committed"):
        recheck("walks", where, 0.05)


def test_a_recheck_can_be_relative_to_the_rows_numbers(complete):
    rows = [{**row, "test_loss": row["test_loss"] * (1 + 0.25 * (row["seed"] == 2))}
            for row in read_rows(complete / "walks.csv", Walk)]
    with ResultsFile(WALKS.path(), Walk) as file:
        file.append(rows)
    assert recheck("walks", "n == 4", 0.201, relative=True) == (
        "walks: 6 run again, within 0.201 of their rows, relatively")
    with pytest.raises(ResultsDiffer, match=r"off by 0\.2, more than 0\.199"):
        recheck("walks", "n == 4", 0.199, relative=True)


def test_a_recheck_that_compares_nothing_does_not_pass(complete):
    with pytest.raises(ValueError, match="'walks' has no rows where n == 4; nothing would be checked"):
        recheck("walks", "n == 4", 1.0)
    with ResultsFile(WALKS.path(), Walk) as file:
        file.append([row | {"test_loss": float("nan")} for row in read_rows(complete / "walks.csv", Walk)])
    with pytest.raises(ValueError, match="no rows where n == 5"):
        recheck("walks", "n == 5", 1.0)
    with pytest.raises(ResultsDiffer, match="off by nan"):
        recheck("walks", "n == 4", 1.0)


# ---- how far it is -----------------------------------------------------------------------------------------------


def test_progress_counts_the_runs_and_prices_the_rest(complete):
    assert progress("walks") == Progress({"Short": (0, 9), "Tall": (0, 9)}, 18, None)
    assert str(progress("walks")) == "18 runs missing; cost on a CPU: not known yet"
    rows = [{**row, "seconds": 3600.0} for row in read_rows(complete / "walks.csv", Walk)]
    with ResultsFile(WALKS.path(), Walk) as file:
        file.append([row for row in rows if row["n"] == 8])
    p = progress("walks")
    assert p.done == {"Short": (3, 9), "Tall": (3, 9)} and p.missing == 12
    assert str(p) == f"12 runs missing; cost on a CPU: about {p.hours:.1f} core-hours"
    cost = {(r.walker, r.n): r.cost() for r in WALKS.runs()}
    assert p.hours == pytest.approx(sum(3 * cost[walker, n] / cost[walker, 8]
                                        for walker in ("short", "tall") for n in (4, 12)))
    with ResultsFile(WALKS.path(), Walk) as file:
        file.append(rows)
    assert (progress("walks").missing, progress("walks").hours) == (0, None)
    assert str(progress("walks")) == "nothing: all runs are done"


def test_what_is_missing_of_a_series_without_rows_on_a_cpu_has_no_price(complete):
    rows = read_rows(complete / "walks.csv", Walk)
    with ResultsFile(WALKS.path(), Walk) as file:
        file.append([{**row, "device": "a GPU"} for row in rows if row["n"] == 8])
    assert progress("walks").hours is None and progress("walks").missing == 12


# ---- kill -9 -----------------------------------------------------------------------------------------------------

SLOW = EXPERIMENTS["slow-walks"]


# Importing PyTorch takes longer than the sweep: one process imports it, and forks a sweep per line that it reads
FORKING = """
import os, sys, torch
from companion.sweeps import run
for line in sys.stdin:
    child = os.fork()
    if not child:
        os._exit(run("slow-walks", device="cpu", workers=1))
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Sweeps:
    """Sweeps in processes of their own, one after the other."""

    def __init__(self):
        paths = [str(Path(companion.__file__).parents[1]), str(Path(__file__).parents[1] / "support")]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*paths, os.environ.get("PYTHONPATH", "")])}
        self.parent = subprocess.Popen([sys.executable, "-c", FORKING], env=environment, text=True,
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def start(self):
        """The number of a new process."""
        print(file=self.parent.stdin, flush=True)
        return int(self.parent.stdout.readline())

    def end(self):
        """How it ended: the number of missing runs, or of a signal, negative."""
        return int(self.parent.stdout.readline())


@pytest.fixture
def forked(toys):
    sweeps = Sweeps()
    with sweeps.parent:
        yield sweeps
        sweeps.parent.stdin.close()
    assert sweeps.parent.returncode == 0


class Reader(threading.Thread):
    """Reads a results file all the while; what it saw, and what went wrong."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.path, self.counts, self.failures, self.done = path, [], [], threading.Event()

    def run(self):
        while not self.done.wait(0.002):
            try:
                self.counts.append(len(read_rows(self.path, Walk)))
            except Exception as error:
                self.failures.append(error)


@pytest.mark.slow
def test_a_sweep_killed_three_times_has_every_run_once_and_the_file_is_readable_all_the_while(forked, tmp_path):
    unbroken = tmp_path / "unbroken"
    assert run("slow-walks", **ALONE, results=unbroken) == 0
    path, moments = SLOW.path(), random.Random(20231015)
    reader = Reader(path)
    reader.start()
    for _ in range(3):
        before, process, until = len(read_rows(path, Walk)), forked.start(), time.monotonic() + 60
        while len(read_rows(path, Walk)) == before and time.monotonic() < until:
            time.sleep(0.005)
        time.sleep(moments.uniform(0, 0.15))
        os.kill(process, signal.SIGKILL)
        assert forked.end() == -signal.SIGKILL
    rows_before_last = len(read_rows(path, Walk))
    forked.start()
    assert forked.end() == 0
    reader.done.set()
    reader.join()

    assert 0 < rows_before_last < len(SLOW.runs()), "the last sweep had something left to do"
    assert reader.failures == [] and reader.counts == sorted(reader.counts) and len(set(reader.counts)) > 5
    rows = read_rows(path, Walk)
    assert sorted(row["key"] for row in rows) == sorted(r.key for r in SLOW.runs())
    assert without_circumstances(rows) == without_circumstances(read_rows(unbroken / "slow-walks.csv", Walk))


# ---- beyond one process ------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_two_processes_give_the_rows_of_one(complete, tmp_path):
    assert run("walks", device="cpu", workers=2, results=tmp_path) == 0
    assert without_circumstances(read_rows(tmp_path / "walks.csv", Walk)) == without_circumstances(
        read_rows(complete / "walks.csv", Walk))


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # Dask warns of the worker that is killed
def test_a_killed_dask_worker_loses_nothing_and_doubles_nothing(tmp_path):
    distributed = pytest.importorskip("distributed")
    path, killed = SLOW.path(tmp_path), []
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": None}
    with distributed.LocalCluster(**options) as cluster:

        def kill():
            while not (path.exists() and path.read_text().count("\n") > 3):
                time.sleep(0.01)
            process = next(iter(cluster.workers.values())).process.process
            os.kill(process.pid, signal.SIGKILL)
            killed.append(path.read_text().count("\n") - 1)

        killer = threading.Thread(target=kill, daemon=True)
        killer.start()
        assert run("slow-walks", scheduler=cluster.scheduler_address, results=tmp_path) == 0
        killer.join(timeout=5)
    assert killed and killed[0] < 40, "the worker was not killed in the middle"
    rows = read_rows(path, Walk)
    assert sorted(r["key"] for r in rows) == sorted(r.key for r in SLOW.runs())
    assert run("slow-walks", results=tmp_path / "alone", **ALONE) == 0
    alone = read_rows(SLOW.path(tmp_path / "alone"), Walk)
    assert without_circumstances(rows) == without_circumstances(alone)


def test_a_scheduler_that_is_not_there_is_named(tmp_path, monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr(sweeps, "PATIENCE", "100ms")
    with pytest.raises(ValueError, match="127.0.0.1:1.*dask scheduler"):
        run("walks", scheduler="tcp://127.0.0.1:1", results=tmp_path)


def test_an_experiment_asks_for_its_kind(tmp_path, monkeypatch):
    """What a kind refuses ends the sweep with its words."""
    def refuse(cls, runs, device):
        raise ValueError("walker 'short' has no boots")

    monkeypatch.setattr(Walk, "perform", classmethod(refuse))
    monkeypatch.setitem(EXPERIMENTS, "walks", replace(WALKS, series={"Short": {"walker": "short"}}))
    with pytest.raises(ValueError, match="'short' has no boots"):
        run(experiment("walks").name, **ALONE, results=tmp_path)
