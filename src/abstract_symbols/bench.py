"""Benchmarks: the ensemble trainer against a loop over single modules; K_attn, and exact ridge regression against the
dense solve. Ratios are measured inside one run."""

import csv
import math
import multiprocessing
import platform
import re
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import combinations_with_replacement
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import torch
from scipy import linalg
from torch import nn

from . import experiments
from .ensembles import Ensemble, ensemble_size
from .experiments import BOOK, Run
from .kernels import KernelRidge, TransformerKernel
from .kernels.ridge import gram_matrix
from .kernels.template_matrix import matched_strings, task_shapes
from .networks import Transformer
from .tasks import task
from .templates import Sample

SIZES = (16, 64, 256, 1024)
RIDGE_SIZES = (10**6, 10**7)
DENSE_SIZE = 8192
BETAS = (1.0, 2.0, 5.0)
# Those that its theorems and first figures are about; the puzzles' pairs of nine symbols take ten seconds each.
PAPER_TASKS = (*(options["task"] for options in experiments.ALL_REAL_TASKS.values()), "copy", "program-symbolic")


# ---- training ----------------------------------------------------------------------------------------------------


def training(device: str = "cpu", members: int = 8, repetitions: int = 5) -> list[dict]:
    """Model-steps per second of the default transformer: trained as a sweep does it, and in a plain loop.

    Both do the same full-batch Adam steps on the same strings, in turn, after a warm-up; medians over `repetitions`. On
    a CPU the sweep's side has a process of one thread for each core, the loop's side one process with all cores; on a
    GPU both are in this process. `peak_share` is the arithmetic that the textbook network needs, as a fraction of the
    fastest square product measured on this machine.
    """
    if members < 1:
        raise ValueError(f"members={members}: must be at least 1")
    peak = matmul_peak(device)
    rows = []
    for n in SIZES:
        if device == "cuda":
            torch.cuda.reset_peak_memory_stats()
        runs = [Run("same-different", "transformer", n=n, seed=seed) for seed in range(members)]
        steps = max(2, 2048 // n) if device == "cpu" else max(4, 64 // n)
        loop, sweep = _loop_steps(runs, device), _sweep(runs, steps, device)
        times: dict[str, list[float]] = {"ensemble": [], "loop": []}
        for _ in range(repetitions):
            times["ensemble"].append(sweep())
            times["loop"].append(_seconds(lambda: [loop() for _ in range(steps)], device))  # noqa: B023
        ours, plain = (statistics.median(t) / (members * steps) for t in times.values())  # seconds a model-step
        rows.append({
            "n": n, "members": members, "ensemble_steps_per_s": round(1 / ours, 2),
            "loop_steps_per_s": round(1 / plain, 2), "ratio": round(plain / ours, 2),
            "peak_share": round(step_flops(runs[0]) / ours / peak, 3), "repetitions": repetitions,
            "peak_memory_gb": round(torch.cuda.max_memory_allocated() / 1e9, 2) if device == "cuda" else None,
        })
    return rows


def _sweep(runs: list[Run], steps: int, device: str) -> Callable[[], float]:
    """Tells the seconds that a sweep's processes take for so many steps of every run, from first start to last end.

    On a GPU the networks are built once; on a CPU by every process anew, outside of its time.
    """
    if device == "cuda":
        step = _ensemble_step(runs, device)
        return lambda: _seconds(lambda: [step() for _ in range(steps)], device)
    workers = joblib.cpu_count()
    shares = [share for share in (runs[i::workers] for i in range(workers)) if share]

    def seconds() -> float:
        spans = joblib.Parallel(n_jobs=workers)(joblib.delayed(_train_steps)(share, steps) for share in shares)
        return max(end for _, end in spans) - min(start for start, _ in spans)

    return seconds


def _train_steps(runs: list[Run], steps: int) -> tuple[float, float]:
    """Start and end (wall clock) of so many steps of these runs, on one thread of a CPU."""
    torch.set_num_threads(1)
    step = _ensemble_step(runs, "cpu")
    start = time.time()
    for _ in range(steps):
        step()
    return start, time.time()


def _ensemble_step(runs: list[Run], device: str) -> Callable[[], None]:
    """One step of every run, in ensembles as a sweep would form them; a first one is done, as a warm-up."""
    members = [run.member() for run in runs]
    size = ensemble_size(members[0], runs[0].batch, device)
    ensembles = [Ensemble(members[i:i + size], "adam", device) for i in range(0, len(members), size)]

    def step() -> None:
        for ensemble in ensembles:
            ensemble.epoch(runs[0].batch)

    step()
    return step


def step_flops(run: Run) -> float:
    """Floating-point operations of one training step's weight products, all positions read: 6 a weight and token."""
    member = run.member()
    weights = sum(p.numel() for name, p in member.network.named_parameters() if ".W_" in name or "mlp_" in name)
    return 6.0 * weights * run.n * (member.train.tokens.shape[1] + 1)


def matmul_peak(device: str, size: int = 2048, repetitions: int = 10) -> float:
    """FLOP/s of the fastest of some square float32 products."""
    a, b = torch.randn(2, size, size, device=device)
    return 2 * size**3 / min(_seconds(lambda: a @ b, device) for _ in range(repetitions))


def _seconds(step: Callable[[], object], device: str) -> float:
    if device == "cuda":
        torch.cuda.synchronize()
    start = time.perf_counter()
    step()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


class Textbook(nn.Module):
    """The same transformer written plainly: every layer reads every position, and [CLS] is picked at the end."""

    def __init__(self, network: Transformer):
        super().__init__()
        self.inner = network

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Token ids (n, k) to predictions (n,)."""
        z = self.inner.embed(tokens)
        for block in self.inner.blocks:
            z = block(z)
        z = z[:, -1]
        return self.inner.readout(nn.functional.layer_norm(z, z.shape[-1:])).squeeze(-1)


def _loop_steps(runs: list[Run], device: str) -> Callable[[], None]:
    """One step of every run, network after network."""
    members = [run.member() for run in runs]
    networks = [Textbook(m.network).to(device) for m in members]
    optimizers = [torch.optim.Adam(network.parameters(), lr=1e-3) for network in networks]
    data = [(m.train.tokens.to(device), m.train.labels.float().to(device)) for m in members]

    def step() -> None:
        for network, optimizer, (tokens, labels) in zip(networks, optimizers, data, strict=True):
            optimizer.zero_grad()
            ((network(tokens) - labels) ** 2).mean().backward()
            optimizer.step()

    step()
    return step


# ---- the kernel --------------------------------------------------------------------------------------------------


def kernel(device: str = "cpu", repetitions: int = 3, betas: Sequence[float] = BETAS,
           sizes: Sequence[int] = RIDGE_SIZES, dense: int = DENSE_SIZE) -> list[dict]:
    """K_attn on every pair of templates of the paper's tasks, and on a CPU exact ridge regression.

    Args: betas, of the kernels whose K_attn is timed; sizes, numbers of strings n of same/different, alphabet n; dense,
        the n at which the fit is compared with the dense solve.
    Returns: rows with the fields of `HEADERS["kernel"]`.
    """
    if repetitions < 1:
        raise ValueError(f"repetitions={repetitions}: must be at least 1")
    rows = [_attention_row(beta, device, repetitions) for beta in betas]
    if device == "cpu":
        rows += [_ridge_row(n, repetitions) for n in sizes] + [_dense_row(dense, repetitions)]
    fields = [*HEADERS["kernel"], "repetitions"]
    return [{name: {**row, "repetitions": repetitions}.get(name) for name in fields} for row in rows]


def _attention_row(beta: float, device: str, repetitions: int) -> dict:
    """The slowest pair of templates, found in a first round, and the largest error, each time with a new kernel."""
    shapes = [task_shapes(task(name)) for name in PAPER_TASKS]
    pairs = [matched_strings(x, y) for mine in shapes for x, y in combinations_with_replacement(mine, 2)]

    def measure(pair: tuple) -> tuple[float, float]:
        new = TransformerKernel(beta, 1.0, device=device)
        seconds = _seconds(lambda: new.attention(*pair), device)
        return seconds, new.attention_error(*pair) / new.attention(*pair)

    measure(pairs[0])  # warm up
    times, errors = zip(*map(measure, pairs), strict=True)
    slowest = pairs[times.index(max(times))]
    seconds = statistics.median(measure(slowest)[0] for _ in range(repetitions))
    return {"what": f"K_attn, β = {beta:g}, γ = 1: slowest of {len(pairs)} pairs", "seconds": round(seconds, 3),
            "relative_error": float(f"{max(errors):.2g}")}


def _ridge_row(n: int, repetitions: int) -> dict:
    """Fits from a sample and a kernel that knows nothing yet; the memory is that of a process of its own."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context) as process:
        memory = process.submit(fit_memory, n).result()
    sample, times = _sample(n), []
    for _ in range(repetitions):
        model = KernelRidge(_fresh_kernel())
        times.append(_seconds(lambda: model.fit(sample), "cpu"))  # noqa: B023
    return {"what": "exact ridge regression", "n": n, "seconds": round(statistics.median(times), 3),
            "iterations": model.iterations, "peak_memory_gb": memory and round(memory / 1e9, 2)}


def _dense_row(n: int, repetitions: int) -> dict:
    """The fit and the dense solve in turn: kernel values known to both, and the Gram matrix given to the latter."""
    sample, known = _sample(n), _fresh_kernel()
    gram = gram_matrix(known, sample)
    gram[np.diag_indices_from(gram)] += 1e-2
    model, labels, ours, dense = KernelRidge(known).fit(sample), sample.labels.numpy(), [], []
    for _ in range(repetitions):
        ours.append(_seconds(lambda: model.fit(sample), "cpu"))
        dense.append(_seconds(lambda: linalg.solve(gram, labels, assume_a="pos"), "cpu"))
    fast, slow = statistics.median(ours), statistics.median(dense)
    return {"what": "exact ridge regression, and the dense solve", "n": n, "seconds": round(fast, 4),
            "iterations": model.iterations, "dense_seconds": round(slow, 2), "ratio": round(slow / fast)}


def fit_memory(n: int) -> int | None:
    """Bytes that drawing n strings and fitting them take at their peak; None where the system does not tell."""
    before = _status("VmRSS")
    KernelRidge(_fresh_kernel()).fit(_sample(n))
    return before and _status("VmHWM") - before


def _status(field: str) -> int | None:
    """Bytes of this process, from Linux's own count (getrusage would count the parent's memory in)."""
    try:
        return 1024 * int(re.search(rf"{field}:\s+(\d+) kB", Path("/proc/self/status").read_text())[1])
    except (OSError, TypeError):
        return None


def _sample(n: int) -> Sample:
    return task("same-different").sample(n, n, seed=0)


def _fresh_kernel() -> TransformerKernel:
    return TransformerKernel(2.0, 1.0, "cos", b1=2.0, b2=0.3)


# ---- results -----------------------------------------------------------------------------------------------------

HEADERS = {
    "training": {"n": "n", "members": "networks", "ensemble_steps_per_s": "ours, per s",
                 "loop_steps_per_s": "loop, per s", "ratio": "ratio", "peak_share": "peak share",
                 "peak_memory_gb": "memory, GB"},
    "kernel": {"what": "", "n": "n", "seconds": "seconds", "relative_error": "relative error",
               "iterations": "iterations", "peak_memory_gb": "memory, GB", "dense_seconds": "dense, seconds",
               "ratio": "ratio"},
}


def files(kind: str) -> list[Path]:
    """The committed results of a kind of benchmark, "training" or "kernel"."""
    return sorted((BOOK / "results").glob(f"bench-{kind}-*.csv"))


def table(path: Path) -> pd.DataFrame:
    """A results file as a reader wants it: headers in words, numbers of three digits, no empty column."""
    headers = HEADERS[path.stem.split("-")[1]]
    measured = pd.read_csv(path)[list(headers)].rename(columns=headers).dropna(axis="columns", how="all")
    return measured.map(_shown)


def _shown(value: str | float) -> str:
    from . import figures  # needs IPython, which a machine that measures may lack

    if isinstance(value, str):
        return value
    if math.isnan(value):
        return "–"
    if value == round(value) and value < 1e15:
        return f"{value:,.0f}"
    return f"{value:.1e}" if abs(value) < 1e-3 else figures.number(value)


def machine(device: str) -> dict:
    """What the numbers were measured on."""
    return {**experiments.provenance(device), "machine": platform.machine(), "threads": torch.get_num_threads(),
            "python": platform.python_version(), "commit": experiments.code_commit()}


def write(name: str, rows: list[dict], device: str) -> Path:
    """Replace book/results/bench-NAME.csv by these rows, each with the machine's description."""
    path = BOOK / "results" / f"bench-{name}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    described = [{**row, **machine(device)} for row in rows]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, described[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(described)
    return path
