"""Benchmarks as ratios inside one run: the ensemble trainer against a plain loop over single modules."""

import csv
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import joblib
import torch
from torch import nn

from . import experiments
from .ensembles import Ensemble, ensemble_size
from .experiments import BOOK, Run
from .networks import Transformer

SIZES = (16, 64, 256, 1024)


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
        steps = max(2, 2048 // n)
        loop = _loop_steps(runs, device)
        times: dict[str, list[float]] = {"ensemble": [], "loop": []}
        for _ in range(repetitions):
            times["ensemble"].append(_sweep_seconds(runs, steps, device))
            times["loop"].append(_seconds(lambda: [loop() for _ in range(steps)], device))  # noqa: B023
        ours, plain = (statistics.median(t) / (members * steps) for t in times.values())  # seconds a model-step
        rows.append({
            "n": n, "members": members, "ensemble_steps_per_s": round(1 / ours, 2),
            "loop_steps_per_s": round(1 / plain, 2), "ratio": round(plain / ours, 2),
            "peak_share": round(step_flops(runs[0]) / ours / peak, 3), "repetitions": repetitions,
            "peak_memory_gb": round(torch.cuda.max_memory_allocated() / 1e9, 2) if device == "cuda" else None,
        })
    return rows


def _sweep_seconds(runs: list[Run], steps: int, device: str) -> float:
    """Seconds that a sweep's processes take for so many steps of every run, from the first start to the last end."""
    if device == "cuda":
        start, end = _train_steps(runs, steps, device)
        return end - start
    workers = joblib.cpu_count()
    shares = [share for share in (runs[i::workers] for i in range(workers)) if share]
    spans = joblib.Parallel(n_jobs=workers)(joblib.delayed(_train_steps)(share, steps, device) for share in shares)
    return max(end for _, end in spans) - min(start for start, _ in spans)


def _train_steps(runs: list[Run], steps: int, device: str) -> tuple[float, float]:
    """Start and end (wall clock) of so many steps of these runs, in ensembles as a sweep would form them."""
    if device == "cpu":
        torch.set_num_threads(1)
    members = [run.member() for run in runs]
    size = ensemble_size(members[0], runs[0].batch, device)
    ensembles = [Ensemble(members[i:i + size], "adam", device) for i in range(0, len(members), size)]

    def step() -> None:
        for ensemble in ensembles:
            ensemble.epoch(runs[0].batch)

    step()
    start = time.time()
    _seconds(lambda: [step() for _ in range(steps)], device)
    return start, time.time()


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


HEADERS = {"n": "n", "members": "networks", "ensemble_steps_per_s": "ours, per s", "loop_steps_per_s": "loop, per s",
           "ratio": "ratio", "peak_share": "peak share", "peak_memory_gb": "memory, GB"}


def files() -> list[Path]:
    """The committed benchmark results."""
    return sorted((BOOK / "results").glob("bench-*.csv"))


def machine(device: str) -> dict:
    """What the numbers were measured on."""
    return {**experiments.provenance(device), "machine": platform.machine(), "threads": torch.get_num_threads(),
            "python": platform.python_version(), "commit": experiments.code_commit()}


def write(name: str, rows: list[dict], device: str) -> Path:
    """Replace book/results/bench-NAME.csv by these rows, each with the machine's description."""
    path = BOOK / "results" / f"bench-{name}.csv"
    described = [{**row, **machine(device)} for row in rows]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, described[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(described)
    return path
