"""Sweeps: perform the runs of experiments that their results files lack, on this machine or on a cluster.

A sweep that is stopped at any moment loses only the runs in flight; the same command goes on from there.
"""

import os
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic, perf_counter

import joblib
import pandas as pd
from tqdm import tqdm

from . import paths
from .experiments import Experiment, experiment, experiments
from .results import ResultsFile, load
from .runs import Job, pick_device

COMMIT = "COMPANION_COMMIT"  # the commit of a copy of the sources without their history
PATIENCE = "10s"  # with a scheduler that does not answer


@dataclass(frozen=True)
class Batch:
    """Runs that are performed together, for the results file at `path`; of their rows those in `kept` are written.

    If two batches contain the same run, its row comes from the first batch planned, whichever finishes first, so that
    results are reproducible.
    """

    path: Path
    runs: list[Job]
    kept: set[str]


def run(*names: str, device: str = "auto", minutes: float | None = None, workers: int | None = None,
        scheduler: str | None = None, series: Sequence[str] = (), first: float = float("-inf"),
        upto: float = float("inf"), results: Path | None = None) -> int:
    """Perform what the results files of experiments lack, appending the rows of each batch as it ends.

    Args:
        names: the experiments; several are done in this order by the same workers, so that none waits between two.
        device: "cpu", "cuda", or "auto" for a GPU if there is one.
        minutes: stop starting runs after this many.
        workers: processes, each of one thread; all cores unless given, and one on a GPU, which several share.
        scheduler: address of a Dask scheduler, whose workers then do the work; a lost worker's batches are done again.
        series: only these, of whichever experiment has them; all unless given.
        first: only runs whose x, the first field of the grid, is at least this, and
        upto: at most this.
        results: a folder instead of the committed results.
    Returns:
        How many of these rows are still missing.
    Raises:
        ValueError: no or an unknown experiment, an unknown series or device, no x from `first` to `upto`, non-positive
            minutes or workers, a broken results file.
    """
    chosen = _chosen(names, series)
    device = pick_device(device)
    if workers is None:
        workers = 1 if device == "cuda" else joblib.cpu_count()
    if minutes is not None and not minutes > 0:
        raise ValueError(f"minutes={minutes}: must be positive")
    if workers != int(workers) or workers < 1:
        raise ValueError(f"workers={workers}: must be a whole number, at least 1")
    requested = _requested(chosen, series, first, upto)
    with ExitStack() as stack:
        files = {path: stack.enter_context(ResultsFile(path, kind))
                 for path, kind in {e.path(results): e.kind for e in chosen}.items()}
        present = {path: {row["key"] for row in file.rows} for path, file in files.items()}
        missing = {(e.path(results), key) for e in chosen for key in requested[e.name] - present[e.path(results)]}
        plan = list(_plan(chosen, requested, missing, results, device, workers))
        deadline = monotonic() + 60 * minutes if minutes else float("inf")
        for path, rows in _performed(plan, device, workers, scheduler, deadline, ", ".join(e.name for e in chosen)):
            files[path].append(rows)
            missing -= {(path, row["key"]) for row in rows}
    return len(missing)


def _chosen(names: Sequence[str], series: Sequence[str]) -> list[Experiment]:
    """The experiments of these names, which have the series."""
    if not names:
        raise ValueError(f"no experiment is named; known are {', '.join(experiments())}")
    chosen = [experiment(name) for name in dict.fromkeys(names)]
    known = {s: None for e in chosen for s in e.series}
    if unknown := [s for s in series if s not in known]:
        raise ValueError(f"experiment {', '.join(map(repr, names))} has no series {unknown[0]!r}; "
                         f"it has {', '.join(known)}")
    return chosen


def _requested(chosen: list[Experiment], series: Sequence[str], first: float, upto: float) -> dict[str, set[str]]:
    """Experiment → the keys of those of its runs that are asked for."""
    requested = {e.name: {r.key for r, label in e.runs().items()
                          if (not series or label in series) and first <= getattr(r, e.x) <= upto} for e in chosen}
    if not any(requested.values()):
        raise ValueError(f"from {first:g} up to {upto:g}: " + "; ".join(
            f"experiment {e.name!r} has {e.x} = {', '.join(f'{x:g}' for x in e.grid[e.x])}" for e in chosen))
    return requested


def _plan(chosen: list[Experiment], requested: dict[str, set[str]], missing: set[tuple[Path, str]],
          results: Path | None, device: str, workers: int) -> Iterator[Batch]:
    """The batches that give the missing rows.

    On a CPU, what is done does not change the batches: one of which a row is missing is performed whole, so that a
    resumed sweep gives the numbers of an unbroken one to the bit. A GPU does not promise that; there it saves the work.
    """
    claimed: set[tuple[Path, str]] = set()
    for e in chosen:
        path = e.path(results)
        mine = requested[e.name] & {key for where, key in missing - claimed if where == path}
        groups = {r.group_key for r in e.runs() if r.key in mine}  # no network is built for what is not to be done
        wanted = (r for r in e.runs() if (r.key in mine if device == "cuda" else r.group_key in groups))
        for batch in batches(wanted, device, workers):
            if any(r.key in mine for r in batch):
                kept = {r.key for r in batch} - {key for where, key in claimed if where == path}
                claimed |= {(path, key) for key in kept}
                yield Batch(path, batch, kept)


def batches(runs: Iterable[Job], device: str, workers: int = 1) -> list[list[Job]]:
    """Returns the runs in batches that are performed together; workers on one GPU share its memory."""
    groups: dict[tuple, list[Job]] = {}
    for job in runs:
        groups.setdefault(job.group_key, []).append(job)
    cut = []
    for group in groups.values():
        size = group[0].group_size(device)
        size = max(1, size // workers) if device == "cuda" else size
        cut += [group[start:start + size] for start in range(0, len(group), size)]
    return cut


def _performed(plan: list[Batch], device: str, workers: int, scheduler: str | None, deadline: float,
               description: str) -> Iterator[tuple[Path, list[dict]]]:
    """The rows of each batch as it ends, with its results file, under a progress bar that counts costs."""
    commit = code_commit()
    jobs = (joblib.delayed(_perform_batch)(batch, device, commit) for batch in _until(deadline, plan))
    cost = {r.key: r.cost() for batch in plan for r in batch.runs}
    left = sum(len(batch.kept) for batch in plan)
    bar = tqdm(total=round(sum(cost[key] for batch in plan for key in batch.kept)), unit="cost", desc=description)
    with bar, _engine(workers, scheduler) as parallel:
        for path, rows in parallel(jobs):
            yield path, rows
            left -= len(rows)
            bar.set_postfix_str(f"{left} runs to go")
            bar.update(round(sum(cost[row["key"]] for row in rows)))


def _perform_batch(batch: Batch, device: str, commit: str) -> tuple[Path, list[dict]]:
    """Batches end in any order, so each says whose rows it has; of these, the ones to keep."""
    return batch.path, [row for row in perform(batch.runs, device, commit) if row["key"] in batch.kept]


@contextmanager
def _engine(workers: int, scheduler: str | None) -> Iterator[joblib.Parallel]:
    """joblib on this machine's cores, or on a Dask cluster's; it takes a new unit only when a worker is free for it."""
    if scheduler is None:
        yield joblib.Parallel(n_jobs=workers, pre_dispatch=workers, batch_size=1, return_as="generator_unordered")
        return
    try:
        from distributed import Client
    except ImportError:
        raise ValueError("scheduler: Dask is not installed; pip install 'abstract-symbols[dask]'") from None
    try:
        client = Client(scheduler, timeout=PATIENCE)
    except OSError as error:
        raise ValueError(f"scheduler {scheduler!r}: {error}; start one with 'dask scheduler'") from None
    with client, joblib.parallel_config(backend="dask"):
        slots = max(1, sum(client.nthreads().values()))
        yield joblib.Parallel(n_jobs=slots, pre_dispatch=slots, batch_size=1, return_as="generator_unordered")


def perform(runs: list[Job], device: str = "cpu", commit: str | None = None) -> list[dict]:
    """Perform runs with one group key and return their rows. On a CPU one thread per process: more change the sums."""
    import torch

    if device == "cpu":
        torch.set_num_threads(1)
    started = perf_counter()
    metrics = runs[0].perform(runs, device)
    circumstances = {"seconds": round((perf_counter() - started) / len(runs), 2), **provenance(device),
                     "commit": commit or code_commit()}
    return [{"key": job.key, **asdict(job), **mine, **circumstances}
            for job, mine in zip(runs, metrics, strict=True)]


def provenance(device: str) -> dict[str, str]:
    """Returns the device and the version of torch for a row."""
    import torch

    name = torch.cuda.get_device_name() if device == "cuda" else "cpu"
    return {"device": name, "torch": torch.__version__.split("+")[0]}


def code_commit() -> str:
    """Returns the commit of the project's sources, with + when they differ from it; asked once, when a sweep starts."""
    if COMMIT in os.environ:
        return os.environ[COMMIT]
    project = paths.project()
    git = ["git", "-C", str(project.root)]
    head = subprocess.run([*git, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True)
    if head.returncode:
        return "unknown"
    changed = subprocess.run([*git, "diff", "--quiet", "HEAD", "--", *project.sources]).returncode
    return head.stdout.strip() + ("+" if changed else "")


class ResultsDiffer(ValueError):
    """A run that was performed again does not give its row's number."""


def recheck(name: str, where: str, within: float, metric: str = "test_loss", relative: bool = False) -> str:
    """Perform some committed runs again, and return how many agree: a chapter's live check.

    Args:
        name: the experiment.
        where: a query of pandas over its rows, such as "n == 16 and seed < 2".
        within: by how much the metric may differ from a run's row.
        metric: what is compared.
        relative: whether `within` is a share of the row's number.
    Raises:
        ValueError: no such rows.
        ResultsDiffer: a metric differs by more; the message has both numbers of every run.
    """
    chosen = load(name).query(where)
    if chosen.empty:
        raise ValueError(f"experiment {name!r} has no rows where {where}; nothing would be checked")
    again = repeat(name, chosen, metric)
    off = (again["repeated"] - again["committed"]).abs()
    worst = (off / again["committed"].abs() if relative else off).max()
    if not worst <= within:
        raise ResultsDiffer(f"{name}: {metric} is off by {worst:.3g}, more than {within}:\n{again}")
    rows = "its row" if len(again) == 1 else "their rows"
    return f"{name}: {len(again)} run again, within {within} of {rows}{', relatively' if relative else ''}"


def repeat(name: str, chosen: pd.DataFrame, metric: str = "test_loss") -> pd.DataFrame:
    """Perform these of an experiment's runs again on the CPU, without writing them.

    Args:
        name: the experiment.
        chosen: rows of it, as `load` gives them.
        metric: what is compared.
    Returns:
        series, x (under the experiment's name for it), seed, committed, repeated; a row per run.
    Raises:
        ValueError: an unknown experiment or metric, or no row.
    """
    e = experiment(name)
    if metric not in chosen:
        raise ValueError(f"experiment {name!r} has no column {metric!r}; it has {', '.join(chosen)}")
    before = chosen.set_index("key")[metric]
    if before.empty:
        raise ValueError(f"experiment {name!r}: no rows to repeat")
    groups, at = {r.group_key for r in e.runs() if r.key in before.index}, set(chosen[e.x])
    beside = [r for r in e.runs() if r.group_key in groups and getattr(r, e.x) in at]  # in the batches of a sweep
    again = {row["key"]: row for batch in batches(beside, "cpu") if any(r.key in before.index for r in batch)
             for row in perform(batch)}
    return pd.DataFrame([
        {"series": e.keys[key], e.x: row[e.x], "seed": row["seed"], "committed": before[key], "repeated": row[metric]}
        for key, row in again.items() if key in before.index])


@dataclass(frozen=True)
class Progress:
    """How far an experiment is.

    Attributes:
        done: series → (runs done, runs in the grid).
        missing: runs.
        hours: core-hours that they cost on a CPU, None if not known.
    """

    done: dict[str, tuple[int, int]]
    missing: int
    hours: float | None

    def __str__(self) -> str:
        """What is missing and what it costs."""
        if not self.missing:
            return "nothing: all runs are done"
        cost = f"about {self.hours:.1f} core-hours" if self.hours else "not known yet"
        return f"{self.missing} runs missing; cost on a CPU: {cost}"


def progress(name: str) -> Progress:
    """Returns how far an experiment is, and what the rest costs on a CPU, judged by the rows measured on one."""
    e, rows = experiment(name), load(name)
    runs, present, finished = e.runs(), set(rows["key"]), rows.groupby("series").size()
    costs, wanted = {r.key: r.cost() for r in runs}, Counter(runs.values())
    done = {s: (int(finished.get(s, 0)), wanted[s]) for s in e.series}
    todo = [r for r in runs if r.key not in present]
    rate = {}
    for series, group in rows[rows["device"] == "cpu"].groupby("series"):
        cost = group["key"].map(costs)
        largest = cost == cost.max()
        rate[series] = group["seconds"][largest].sum() / cost[largest].sum()
    known = [rate.get(runs[r]) for r in todo]
    hours = sum(r.cost() * k for r, k in zip(todo, known, strict=True)) / 3600 if todo and all(known) else None
    return Progress(done, len(todo), hours)


def _until(deadline: float, items: Iterable) -> Iterator:
    for item in items:
        if monotonic() > deadline:
            return
        yield item
