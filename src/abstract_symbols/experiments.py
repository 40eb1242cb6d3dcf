"""Experiments are named grids of runs; runs become rows of a results file that is only ever appended to.

A `Run` says everything that decides a number, and its key is a hash of that. `run` performs what is missing,
`load` reads what is there. Source: the protocol of section 5; results are shown in the chapters.
"""

import csv
import fcntl
import hashlib
import io
import itertools
import json
import os
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import MISSING, asdict, dataclass, field, fields
from functools import partial
from pathlib import Path

import joblib
import pandas as pd
import torch
from tqdm import tqdm

from . import networks
from .ensembles import Member, Outcome, ensemble_size, train
from .tasks import task

BOOK = Path(os.environ.get("ABSTRACT_SYMBOLS_BOOK", Path(__file__).resolve().parents[2] / "book"))
NETWORKS = {
    "transformer": networks.Transformer,
    "mlp": networks.MLP,
    "rnn": partial(networks.Recurrent, cell="rnn"),
    "lstm": partial(networks.Recurrent, cell="lstm"),
}
METRICS = tuple(f.name for f in fields(Outcome) if f.name != "history")


@dataclass(frozen=True)
class Run:
    """One training run. Empty network options (None) stand for the network's own defaults.

    n is both the number of training strings and the size of the training alphabet; validation and test have
    `evaluation` strings each, from disjoint alphabets of `evaluation` symbols. `seed` draws data, weights and batches.

    Raises: ValueError for an unknown task or network, or an option that the network does not have.
    """

    task: str
    network: str
    n: int
    seed: int
    lr: float = 1e-3
    batch: int = 1024
    epochs: int = 1000
    stop: float = 2e-3
    optimizer: str = "adam"
    evaluation: int = 1000
    a: bool | None = None
    b: bool | None = None
    c_kq: float | None = None
    c_vo: float | None = None
    depth: int | None = None
    d_emb: int | None = None
    heads: int | None = None
    d_head: int | None = None
    d_mlp: int | None = None
    width: int | None = None
    gram: bool | None = None
    mimetic_alpha: float | None = None
    mimetic_beta: float | None = None
    scale: float | None = None
    readout_only: bool | None = None

    def __post_init__(self):
        for f in fields(self):
            if float in (f.type, *getattr(f.type, "__args__", ())) and getattr(self, f.name) is not None:
                object.__setattr__(self, f.name, float(getattr(self, f.name)))  # 100 and 100.0 are one run

    @property
    def key(self) -> str:
        """16 hex digits, a hash of the fields that differ from their defaults: a new field leaves old keys alone."""
        stated = {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) != f.default}
        return hashlib.sha256(json.dumps(stated, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def shape(self) -> tuple:
        """What runs must share to be trained as one ensemble: everything but the seed and the learning rate."""
        return tuple(v for k, v in asdict(self).items() if k not in ("seed", "lr"))

    def options(self) -> dict:
        """The stated options of the network."""
        names = [f.name for f in fields(self)[fields(self).index(_field("evaluation")) + 1:]]
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}

    def member(self) -> Member:
        """The run's network and samples, drawn with its seed."""
        if self.network not in NETWORKS:
            raise ValueError(f"unknown network {self.network!r}; known are {', '.join(NETWORKS)}")
        t = task(self.task)
        if t.symbolic and self.network != "transformer":
            raise ValueError(f"task {self.task!r} has symbolic labels, which only the (tied) transformer answers; "
                             f"not {self.network!r}")
        tied = {"tied": True} if t.symbolic else {}
        alphabets = t.alphabets(self.n, self.evaluation, self.evaluation)
        sizes = (self.n, self.evaluation, self.evaluation)
        samples = [t.sample(size, alphabet, seed=(self.seed, part))
                   for part, (size, alphabet) in enumerate(zip(sizes, alphabets, strict=True))]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            try:
                network = NETWORKS[self.network](alphabets[-1].stop, t.length, **tied, **self.options())
            except TypeError as error:
                raise ValueError(f"network {self.network!r}: {error}") from None
        return Member(network, *samples, lr=self.lr, seed=self.seed)

    def cost(self) -> float:
        """A rough relative cost: strings seen forward and backward in an epoch, evaluation counted in."""
        return (self.n + self.evaluation / 3) * (1.0 if self.network == "transformer" else 0.02)


def _field(name: str):
    return next(f for f in fields(Run) if f.name == name)


@dataclass(frozen=True)
class Experiment:
    """A named grid: for every series its options, times the values of `grid`, times the seeds 0 … seeds − 1.

    Attributes: name, that of the results file; title; base, fields that all runs share; series, legend word → fields;
    grid, field → values; seeds; published, the paper's figure (a file of book/published) or None; legend, the paper's
    words for a series where they are not ours.
    """

    name: str
    title: str
    base: dict
    series: dict[str, dict]
    grid: dict[str, tuple]
    seeds: int = 5
    published: str | None = None
    legend: dict[str, str] = field(default_factory=dict)

    def runs(self) -> dict[Run, str]:
        """Every run of the grid, cheapest first, with its series."""
        runs = {}
        for values in itertools.product(*self.grid.values()):
            point = dict(zip(self.grid, values, strict=True))
            for name, options in self.series.items():
                for seed in range(self.seeds):
                    runs[Run(**self.base, **point, **options, seed=seed)] = name
        return dict(sorted(runs.items(), key=lambda item: item[0].n))

    def path(self, results: Path | None = None) -> Path:
        """The results file, in the book's committed results or in another folder."""
        return (results or BOOK / "results") / f"{self.name}.csv"


EXPERIMENTS = {
    e.name: e
    for e in [
        Experiment(
            name="same-different",
            title="Same or different? αα against αβ",
            base={"task": "same-different"},
            series={
                "Fully-connected": {"network": "mlp"},
                "Transformer": {"network": "transformer"},
                "Modified transformer": {"network": "transformer", "a": True, "b": True},
            },
            grid={"n": tuple(2**i for i in range(2, 13))},
            published="samedifferent_mod",
        ),
        Experiment(
            name="stop-rule",
            title="Same or different? trained on to a loss of 0.0001",
            base={"task": "same-different", "network": "transformer", "stop": 1e-4},
            series={"Transformer": {}, "Modified transformer": {"a": True, "b": True}},
            grid={"n": (64, 256)},
        ),
        Experiment(
            name="architectures",
            title="Seven networks on αβα against αββ",
            base={"task": "aba-abb"},
            series={
                "Fully-connected": {"network": "mlp"},
                "RNN": {"network": "rnn"},
                "LSTM": {"network": "lstm"},
                "Transformer": {"network": "transformer"},
                "Transformer + a": {"network": "transformer", "a": True},
                "Transformer + b": {"network": "transformer", "b": True},
                "Transformer + a and b": {"network": "transformer", "a": True, "b": True},
            },
            grid={"n": tuple(2**i for i in range(2, 14))},
            published="diff_architectures_gotu",
            legend={
                "Fully-connected": "Depth-3 FCNet, lr 0.001",
                "RNN": "RNN, lr 0.001",
                "LSTM": "LSTM, lr 0.001",
                "Transformer": "Transformer, lr 0.001",
                "Transformer + a": "Transformer + KQ identity, lr 0.001",
                "Transformer + b": "Transformer + VO identity, lr 0.001",
                "Transformer + a and b": "Transformer + KQ, VO identity, lr 0.001",
            },
        ),
    ]
}


def experiment(name: str) -> Experiment:
    """An experiment by name. Raises: ValueError for an unknown one."""
    if name not in EXPERIMENTS:
        raise ValueError(f"unknown experiment {name!r}; known are {', '.join(EXPERIMENTS)}")
    return EXPERIMENTS[name]


# ---- results files -----------------------------------------------------------------------------------------------

COLUMNS = {"key": str, **{f.name: f.type for f in fields(Run)}, **dict.fromkeys(METRICS, float),
           "best_epoch": int, "epochs_run": int, "seconds": float, "device": str, "torch": str, "commit": str}


def _parse(text: str, kind: type) -> object:
    """A cell to its value; ValueError says what is wrong with it."""
    optional = kind not in (str, int, float, bool)
    if optional:
        if text == "":
            return None
        kind = next(k for k in kind.__args__ if k is not type(None))
    if kind is bool:
        if text not in ("True", "False"):
            raise ValueError(f"{text!r} is neither True nor False")
        return text == "True"
    if text == "":
        raise ValueError("empty cell")
    return kind(text)


def read_rows(path: Path) -> list[dict]:
    """The rows of a results file, each cell parsed and each key checked against its fields.

    Raises: ValueError with file, line and column for a row that is cut off, corrupted or there twice.
    """
    if not path.exists():
        return []
    text = path.read_text(encoding="utf-8", errors="replace")
    lines = text.split("\n")
    header = next(csv.reader([lines[0]]))
    unknown = [c for c in header if c not in COLUMNS]
    if unknown:
        raise ValueError(f"{path}, line 1, column {unknown[0]}: unknown column in the header")
    twice = [c for i, c in enumerate(header) if c in header[:i]]
    if twice:
        raise ValueError(f"{path}, line 1, column {twice[0]}: stands twice in the header")
    if lines[-1] != "":
        raise ValueError(f"{path}, line {len(lines)}, column {header[min(lines[-1].count(','), len(header) - 1)]}: "
                         "the row is cut off (no end of line); remove it and run again")
    optional = {f.name for f in fields(Run) if f.default is not MISSING}
    lacking = [c for c in COLUMNS if c not in header and c not in optional]
    if lacking:
        raise ValueError(f"{path}, line 1, column {lacking[0]}: missing from the header")
    rows, seen = [], {}
    for number, line in enumerate(lines[1:-1], start=2):
        row = _read_row(path, number, header, line)
        if row["key"] in seen:
            raise ValueError(f"{path}, line {number}, column key: {row['key']} is already on line {seen[row['key']]}")
        seen[row["key"]] = number
        rows.append(row)
    return rows


def _read_row(path: Path, number: int, header: list[str], line: str) -> dict:
    cells = next(csv.reader([line]), [])
    if len(cells) != len(header):
        column = header[len(cells) - 1] if 0 < len(cells) < len(header) else header[-1]
        raise ValueError(f"{path}, line {number}, column {column}: {len(cells)} cells instead of {len(header)}; "
                         "restore or remove the row and run again")
    row = {}
    for column, cell in zip(header, cells, strict=True):
        try:
            row[column] = _parse(cell, COLUMNS[column])
        except ValueError as error:
            raise ValueError(f"{path}, line {number}, column {column}: {error}; restore or remove the row") from None
    stated = Run(**{f.name: row.get(f.name, f.default) for f in fields(Run)})
    if stated.key != row["key"]:
        raise ValueError(f"{path}, line {number}, column key: {row['key']} does not belong to the row's fields "
                         f"({stated.key}); a cell was changed")
    return row


def _line(cells: Iterable) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(["" if c is None else c for c in cells])
    return buffer.getvalue().encode()


class ResultsFile:
    """A results file held for appending: one writer at a time, whole rows, each on disk before the next.

    Raises: ValueError when another process holds it, or when a row in it is broken (nothing is written then).
    """

    def __init__(self, path: Path):
        self.path = path

    def __enter__(self) -> "ResultsFile":
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.lock = os.open(self.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT)
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self.lock)
            raise ValueError(f"{self.path}: another process is adding rows; wait for it or stop it") from None
        try:
            self._open()
        except BaseException:
            os.close(self.lock)
            raise
        return self

    def _open(self) -> None:
        self.rows = read_rows(self.path)
        header = self.path.read_bytes().split(b"\n")[0] if self.path.exists() else b""
        if header + b"\n" != _line(COLUMNS):  # a new file, or one from before a field was added
            self._replace(b"".join([_line(COLUMNS), *(_line(self._cells(row)) for row in self.rows)]))

    def __exit__(self, *_) -> None:
        os.close(self.lock)

    @staticmethod
    def _cells(row: dict) -> list:
        return [row.get(c, _field(c).default if any(f.name == c for f in fields(Run)) else None) for c in COLUMNS]

    def _replace(self, content: bytes) -> None:
        temporary = self.path.with_suffix(".tmp")
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self.path)

    def append(self, rows: list[dict]) -> None:
        """Add the rows whose keys are not there yet: one write, then fsync."""
        keys = {row["key"] for row in self.rows}
        new = [row for row in rows if row["key"] not in keys]
        content = b"".join(_line(self._cells(row)) for row in new)
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND)
        try:
            before = os.fstat(descriptor).st_size
            if os.write(descriptor, content) < len(content):  # the disk is full: leave no half row
                os.ftruncate(descriptor, before)
                raise OSError(f"{self.path}: no space for {len(new)} more rows")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        self.rows += new


def load(name: str, results: Path | None = None) -> pd.DataFrame:
    """The experiment's rows so far, one a run, with their `series` (legend word); from the committed results, or a
    folder of one's own.

    Raises: ValueError for an unknown experiment, or a broken results file (file, line, column).
    """
    e = experiment(name)
    series = {run.key: label for run, label in e.runs().items()}
    rows = [{"series": series[row["key"]], **row} for row in read_rows(e.path(results)) if row["key"] in series]
    return pd.DataFrame(rows, columns=["series", *COLUMNS])


# ---- running -----------------------------------------------------------------------------------------------------


def perform(runs: list[Run], device: str = "cpu", commit: str | None = None) -> list[dict]:
    """Train runs of one shape together and return their rows. On a CPU one thread a process: more change the sums."""
    if device == "cpu":
        torch.set_num_threads(1)
    started = time.perf_counter()
    first = runs[0]
    outcomes = train([run.member() for run in runs], batch=first.batch, epochs=first.epochs, stop=first.stop,
                     optimizer=first.optimizer, device=device)
    seconds = (time.perf_counter() - started) / len(runs)
    rows = []
    for run, outcome in zip(runs, outcomes, strict=True):
        metrics = {name: getattr(outcome, name) for name in METRICS}
        rows.append({"key": run.key, **metrics, **asdict(run),
                     "seconds": round(seconds, 2), **provenance(device), "commit": commit or code_commit()})
    return rows


def provenance(device: str) -> dict:
    """Device and torch version of a row."""
    name = torch.cuda.get_device_name() if device == "cuda" else "cpu"
    return {"device": name, "torch": torch.__version__.split("+")[0]}


def code_commit() -> str:
    """The commit of the sources, with + when they differ from it; asked once, when a sweep starts."""
    if "ABSTRACT_SYMBOLS_COMMIT" in os.environ:  # a copy of the sources without their history
        return os.environ["ABSTRACT_SYMBOLS_COMMIT"]
    git = ["git", "-C", str(Path(__file__).parent)]
    head = subprocess.run([*git, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True)
    if head.returncode:
        return "unknown"
    changed = subprocess.run([*git, "diff", "--quiet", "HEAD", "--", "."]).returncode
    return head.stdout.strip() + ("+" if changed else "")


def units(runs: Iterable[Run], device: str) -> list[list[Run]]:
    """The runs in units of work, those that are trained together. What is done does not change the units: a unit of
    which one row is missing is trained whole, so that a resumed sweep gives the numbers of an unbroken one."""
    shapes: dict[tuple, list[Run]] = {}
    for run in runs:
        shapes.setdefault(run.shape, []).append(run)
    cut = []
    for same in shapes.values():
        size = ensemble_size(same[0].member(), same[0].batch, device)
        cut += [same[start:start + size] for start in range(0, len(same), size)]
    return cut


def run(name: str, *, device: str = "auto", minutes: float | None = None, workers: int | None = None,
        scheduler: str | None = None, results: Path | None = None) -> int:
    """Perform what an experiment's results file lacks, appending each unit's rows as it ends.

    Args:
        device: "cpu", "cuda", or "auto" for a GPU if there is one.
        minutes: start nothing new after so long.
        workers: processes, each of one thread; all cores unless given, and one on a GPU.
        scheduler: address of a Dask scheduler, whose workers then do the work; a lost worker's units are done again.
        results: a folder of one's own instead of the committed results.
    Returns: how many rows are still missing.
    Raises: ValueError for an unknown experiment or device, non-positive minutes or workers, a broken results file.
    """
    e = experiment(name)
    device = pick_device(device)
    if workers is None:
        workers = 1 if device == "cuda" else joblib.cpu_count()
    if minutes is not None and not minutes > 0:
        raise ValueError(f"minutes={minutes}: must be positive")
    if workers < 1:
        raise ValueError(f"workers={workers}: must be at least 1")
    with ResultsFile(e.path(results)) as file:
        done = {row["key"] for row in file.rows}
        missing = {r.key for r in e.runs()} - done
        todo = [unit for unit in units(e.runs(), device) if any(r.key in missing for r in unit)]
        deadline = time.monotonic() + 60 * minutes if minutes else float("inf")
        commit = code_commit()
        jobs = (joblib.delayed(perform)(unit, device, commit) for unit in _until(deadline, todo))
        total = sum(r.cost() for unit in todo for r in unit)
        with _engine(workers, scheduler) as parallel, tqdm(total=round(total), desc=name, unit="cost") as bar:
            for rows in parallel(jobs):
                file.append(rows)
                missing -= {row["key"] for row in rows}
                bar.set_postfix_str(f"{len(missing)} runs to go")
                bar.update(round(sum(_run_of(row).cost() for row in rows)))
    return len(missing)


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
        client = Client(scheduler, timeout="10s")
    except OSError as error:
        raise ValueError(f"scheduler {scheduler!r}: {error}; start one with 'dask scheduler'") from None
    with client, joblib.parallel_config(backend="dask"):
        slots = max(1, sum(client.nthreads().values()))
        yield joblib.Parallel(n_jobs=slots, pre_dispatch=slots, batch_size=1, return_as="generator_unordered")


def repeat(name: str, committed: pd.DataFrame, *, n: Iterable[int], seeds: Iterable[int]) -> pd.DataFrame:
    """Perform some runs again on the CPU, without writing them: series, n, seed, committed and repeated test loss.

    Raises: ValueError for an unknown experiment, or when no such run is among the committed rows.
    """
    n, seeds, runs = set(n), set(seeds), experiment(name).runs()
    before = committed.set_index("key")["test_loss"]
    chosen = {r for r in runs if r.n in n and r.seed in seeds}
    pending = [unit for unit in units([r for r in runs if r.n in n], "cpu") if chosen & set(unit)]
    series = {r.key: label for r, label in runs.items()}
    again = [row for unit in pending for row in perform(unit) if _run_of(row) in chosen and row["key"] in before.index]
    if not again:
        raise ValueError(f"experiment {name!r} has no rows with n in {sorted(n)} and seeds {sorted(seeds)} to repeat")
    return pd.DataFrame([
        {"series": series[row["key"]], "n": row["n"], "seed": row["seed"], "committed": before[row["key"]],
         "repeated": row["test_loss"]} for row in again
    ])


@dataclass(frozen=True)
class Progress:
    """done: series → (runs done, runs in the grid); missing runs; hours, core-hours they cost, None if not known."""

    done: dict[str, tuple[int, int]]
    missing: int
    hours: float | None


def progress(name: str) -> Progress:
    """How far an experiment is, and what the rest costs on a CPU, judged by the rows measured on one."""
    e, rows = experiment(name), load(name)
    runs, present, finished = e.runs(), set(rows["key"]), rows.groupby("series").size()
    done = {s: (int(finished.get(s, 0)), list(runs.values()).count(s)) for s in e.series}
    todo = [r for r in runs if r.key not in present]
    rate = {}
    for series, group in rows[rows["device"] == "cpu"].groupby("series"):
        largest = group[group["n"] == group["n"].max()]
        rate[series] = largest["seconds"].sum() / sum(_run_of(row).cost() for row in largest.to_dict("records"))
    known = [rate.get(runs[r]) for r in todo]
    hours = sum(r.cost() * k for r, k in zip(todo, known, strict=True)) / 3600 if todo and all(known) else None
    return Progress(done, len(todo), hours)


def _run_of(row: dict) -> Run:
    return Run(**{f.name: row[f.name] for f in fields(Run)})


def _until(deadline: float, items: Iterable) -> Iterator:
    for item in items:
        if time.monotonic() > deadline:
            return
        yield item


def pick_device(device: str) -> str:
    """"cpu" or "cuda" for "auto", "cpu" or "cuda". Raises: ValueError for another word, or a GPU that is not there."""
    if device not in ("auto", "cpu", "cuda"):
        raise ValueError(f"unknown device {device!r}; known are auto, cpu, cuda")
    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError("device 'cuda': PyTorch sees no GPU here; use --device cpu")
    return ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
