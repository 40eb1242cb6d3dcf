"""Training steps per second: the ensemble trainer as a sweep uses it, against a loop over single modules."""

import statistics
import time
from collections.abc import Callable

import joblib
import torch
from torch import nn

from abstract_symbols.ensembles import Ensemble, ensemble_size
from abstract_symbols.networks import Transformer
from abstract_symbols.runs.training import Run

from .timing import seconds

SIZES = (16, 64, 256, 1024)


def measure(device: str = "cpu", members: int = 8, repetitions: int = 5) -> list[dict]:
    """Returns model-steps per second of the default transformer: trained as a sweep does it, and in a plain loop.

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
        loop, sweep = _loop_steps(runs, device), sweep_seconds(runs, steps, device)
        times: dict[str, list[float]] = {"ensemble": [], "loop": []}
        for _ in range(repetitions):
            times["ensemble"].append(sweep())
            times["loop"].append(seconds(lambda: [loop() for _ in range(steps)], device))
        ours, plain = (statistics.median(t) / (members * steps) for t in times.values())  # seconds a model-step
        rows.append({
            "n": n, "members": members, "ensemble_steps_per_s": round(1 / ours, 2),
            "loop_steps_per_s": round(1 / plain, 2), "ratio": round(plain / ours, 2),
            "peak_share": round(step_flops(runs[0]) / ours / peak, 3), "repetitions": repetitions,
            "peak_memory_gb": round(torch.cuda.max_memory_allocated() / 1e9, 2) if device == "cuda" else None,
        })
    return rows


def sweep_seconds(runs: list[Run], steps: int, device: str) -> Callable[[], float]:
    """Returns a function that gives the seconds a sweep takes for `steps` steps of every run, first start to last end.

    On a GPU the networks are built once; on a CPU by every process anew, outside of its time.
    """
    if device == "cuda":
        step = _ensemble_step(runs, device)
        return lambda: seconds(lambda: [step() for _ in range(steps)], device)
    workers = joblib.cpu_count()
    shares = [share for share in (runs[i::workers] for i in range(workers)) if share]

    def spanned() -> float:
        spans = joblib.Parallel(n_jobs=workers)(joblib.delayed(_train_steps)(share, steps) for share in shares)
        return max(end for _, end in spans) - min(start for start, _ in spans)

    return spanned


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
    """Returns the operations of one training step's weight products, all positions read: 6 per weight and token."""
    member = run.member()
    weights = sum(p.numel() for name, p in member.network.named_parameters() if ".W_" in name or "mlp_" in name)
    return 6.0 * weights * run.n * (member.train.tokens.shape[1] + 1)


def matmul_peak(device: str, size: int = 2048, repetitions: int = 10) -> float:
    """Returns FLOP/s of the fastest of some square float32 products."""
    a, b = torch.randn(2, size, size, device=device)
    return 2 * size**3 / min(seconds(lambda: a @ b, device) for _ in range(repetitions))


class Textbook(nn.Module):
    """The same transformer written plainly: every layer reads every position, and [CLS] is picked at the end."""

    def __init__(self, network: Transformer):
        super().__init__()
        self.inner = network

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Token ids (n, k) to predictions (n,)."""
        z = self.inner.embed(tokens)
        for block in self.inner.blocks:
            z, _ = block(z)
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
