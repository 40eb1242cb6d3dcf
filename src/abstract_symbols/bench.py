"""Benchmarks as ratios inside one run: the ensemble trainer against a plain loop over single modules."""

import csv
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from . import experiments
from .ensembles import Ensemble, ensemble_size
from .experiments import BOOK, Run
from .networks import Transformer

SIZES = (16, 64, 256, 1024)


def training(device: str = "cpu", members: int = 8, repetitions: int = 5) -> list[dict]:
    """Model-steps per second of the default transformer: trained as the package does, and in a plain loop.

    Both sides do the same full-batch Adam steps on the same strings, in turn, each with all cores; the medians over
    `repetitions` are compared. `peak_share` is the useful matrix arithmetic (of the plain model) as a fraction of the
    fastest square product measured on this machine.
    """
    peak = matmul_peak(device)
    rows = []
    for n in SIZES:
        if device == "cuda":
            torch.cuda.reset_peak_memory_stats()
        runs = [Run("same-different", "transformer", n=n, seed=seed) for seed in range(members)]
        ours, loop = _ensemble_step(runs, device), _loop_step(runs, device)
        times: dict[str, list[float]] = {"ensemble": [], "loop": []}
        for _ in range(repetitions + 1):
            for name, step in (("ensemble", ours), ("loop", loop)):
                times[name].append(_seconds(step, device))
        ensemble, plain = (statistics.median(t[1:]) for t in times.values())  # the first warms up
        rows.append({
            "n": n, "members": members, "ensemble_steps_per_s": round(members / ensemble, 2),
            "loop_steps_per_s": round(members / plain, 2), "ratio": round(plain / ensemble, 2),
            "peak_share": round(members * step_flops(runs[0]) / ensemble / peak, 3), "repetitions": repetitions,
            "peak_memory_gb": round(torch.cuda.max_memory_allocated() / 1e9, 2) if device == "cuda" else None,
        })
    return rows


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


def _ensemble_step(runs: list[Run], device: str) -> Callable[[], None]:
    members = [run.member() for run in runs]
    size = ensemble_size(members[0], runs[0].batch, device)
    ensembles = [Ensemble(members[i:i + size], "adam", device) for i in range(0, len(members), size)]

    def step() -> None:
        for ensemble in ensembles:
            ensemble.epoch(runs[0].batch)

    return step


def _loop_step(runs: list[Run], device: str) -> Callable[[], None]:
    members = [run.member() for run in runs]
    networks = [Textbook(m.network).to(device) for m in members]
    optimizers = [torch.optim.Adam(network.parameters(), lr=1e-3) for network in networks]
    data = [(m.train.tokens.to(device), m.train.labels.float().to(device)) for m in members]

    def step() -> None:
        for network, optimizer, (tokens, labels) in zip(networks, optimizers, data, strict=True):
            optimizer.zero_grad()
            ((network(tokens) - labels) ** 2).mean().backward()
            optimizer.step()

    return step


SHOWN = ["n", "members", "ensemble_steps_per_s", "loop_steps_per_s", "ratio", "peak_share", "peak_memory_gb"]


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
