"""The time of K_attn and its error, and exact ridge regression against the dense solve."""

import multiprocessing
import re
import statistics
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import combinations_with_replacement
from pathlib import Path

import numpy as np
from scipy import linalg

from abstract_symbols.experiments.common import ALL_REAL_TASKS
from abstract_symbols.kernels import KernelRidge, TransformerKernel
from abstract_symbols.kernels.matchings import matched_strings, task_shapes
from abstract_symbols.kernels.ridge import gram_matrix
from abstract_symbols.tasks import task
from abstract_symbols.templates import Sample

from .timing import seconds

RIDGE_SIZES = (10**6, 10**7)
DENSE_SIZE = 8192
BETAS = (1.0, 2.0, 5.0)
# Those that its theorems and first figures are about; the puzzles' pairs of nine symbols take ten seconds each.
PAPER_TASKS = (*(options["task"] for options in ALL_REAL_TASKS.values()), "copy", "program-symbolic")
FIELDS = ("what", "n", "seconds", "relative_error", "iterations", "peak_memory_gb", "dense_seconds", "ratio")


def measure(device: str = "cpu", repetitions: int = 3, betas: Sequence[float] = BETAS,
           sizes: Sequence[int] = RIDGE_SIZES, dense: int = DENSE_SIZE) -> list[dict]:
    """Returns the times of K_attn on every pair of templates of the paper's tasks, and on a CPU of ridge regression.

    Args:
        device: "cpu" or "cuda".
        repetitions: of which the median is taken.
        betas: of the kernels whose K_attn is timed.
        sizes: numbers of strings n of same/different, alphabet n.
        dense: the n at which the fit is compared with the dense solve.
    Returns:
        Rows with `FIELDS` and repetitions.
    """
    if repetitions < 1:
        raise ValueError(f"repetitions={repetitions}: must be at least 1")
    rows = [_attention_row(beta, device, repetitions) for beta in betas]
    if device == "cpu":
        rows += [_ridge_row(n, repetitions) for n in sizes] + [_dense_row(dense, repetitions)]
    fields = [*FIELDS, "repetitions"]
    return [{name: {**row, "repetitions": repetitions}.get(name) for name in fields} for row in rows]


def _attention_row(beta: float, device: str, repetitions: int) -> dict:
    """The slowest pair of templates, found in a first round, and the largest error, each time with a new kernel."""
    shapes = [task_shapes(task(name)) for name in PAPER_TASKS]
    pairs = [matched_strings(x, y) for mine in shapes for x, y in combinations_with_replacement(mine, 2)]

    def timed(pair: tuple) -> tuple[float, float]:
        new = TransformerKernel(beta, 1.0, device=device)
        took = seconds(lambda: new.attention(*pair), device)
        return took, new.attention_error(*pair) / new.attention(*pair)

    timed(pairs[0])  # warm up
    times, errors = zip(*map(timed, pairs), strict=True)
    slowest = pairs[times.index(max(times))]
    took = statistics.median(timed(slowest)[0] for _ in range(repetitions))
    return {"what": f"K_attn, β = {beta:g}, γ = 1: slowest of {len(pairs)} pairs", "seconds": round(took, 3),
            "relative_error": float(f"{max(errors):.2g}")}


def _ridge_row(n: int, repetitions: int) -> dict:
    """Fits from a sample and a kernel that knows nothing yet; the memory is that of a process of its own."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context) as process:
        memory = process.submit(fit_memory, n).result()
    sample, times = _sample(n), []
    for _ in range(repetitions):
        model = KernelRidge(_fresh_kernel())
        times.append(seconds(lambda: model.fit(sample), "cpu"))
    return {"what": "exact ridge regression", "n": n, "seconds": round(statistics.median(times), 3),
            "iterations": model.iterations, "peak_memory_gb": memory and round(memory / 1e9, 2)}


def _dense_row(n: int, repetitions: int) -> dict:
    """The fit and the dense solve in turn: kernel values known to both, and the Gram matrix given to the latter."""
    sample, known = _sample(n), _fresh_kernel()
    gram = gram_matrix(known, sample)
    gram[np.diag_indices_from(gram)] += 1e-2
    model, labels, ours, dense = KernelRidge(known).fit(sample), sample.labels.numpy(), [], []
    for _ in range(repetitions):
        ours.append(seconds(lambda: model.fit(sample), "cpu"))
        dense.append(seconds(lambda: linalg.solve(gram, labels, assume_a="pos"), "cpu"))
    fast, slow = statistics.median(ours), statistics.median(dense)
    return {"what": "exact ridge regression, and the dense solve", "n": n, "seconds": round(fast, 4),
            "iterations": model.iterations, "dense_seconds": round(slow, 2), "ratio": round(slow / fast)}


def fit_memory(n: int) -> int | None:
    """Bytes that drawing n strings and fitting them take at their peak; None where the system does not tell."""
    before = process_memory("VmRSS")
    KernelRidge(_fresh_kernel()).fit(_sample(n))
    peak = process_memory("VmHWM")
    return None if before is None or peak is None else peak - before


def process_memory(field: str) -> int | None:
    """Returns bytes of this process, from Linux's own count; None where there is no such field.

    getrusage would count the parent's memory in.
    """
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return None
    found = re.search(rf"{field}:\s+(\d+) kB", status)
    return 1024 * int(found[1]) if found else None


def _sample(n: int) -> Sample:
    return task("same-different").sample(n, n, seed=0)


def _fresh_kernel() -> TransformerKernel:
    return TransformerKernel(2.0, 1.0, "cos", b1=2.0, b2=0.3)
