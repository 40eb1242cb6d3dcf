"""Grids of runs that need no paper and take no time: coins that are tossed, walkers that walk together."""

import hashlib
import random
import time
from dataclasses import asdict, dataclass
from typing import ClassVar

from companion.experiments import Experiment
from companion.runs import Job


def share(*values) -> float:
    """A number in [0, 1) that looks random and depends on the values alone."""
    return int(hashlib.sha256(repr(values).encode()).hexdigest()[:12], 16) / 16**12


@dataclass(frozen=True)
class Toss(Job):
    """Tosses of a coin that is not fair; each run is performed alone."""

    METRICS: ClassVar[dict[str, type]] = {"share": float, "heads": int}

    coin: str
    seed: int
    bias: float = 0.5
    tosses: int = 100
    wind: float | None = None

    def measure(self, device: str) -> dict[str, float]:
        heads = sum(random.Random(f"{self.coin} {self.seed}").random() < self.bias for _ in range(self.tosses))
        return {"share": heads / self.tosses, "heads": heads}


@dataclass(frozen=True)
class Walk(Job):
    """Walks that are performed three at once, whose last digits depend on who walks beside them, as in an ensemble."""

    METRICS: ClassVar[dict[str, type]] = {"test_loss": float, "spread": float, "steps": int}

    walker: str
    n: int
    seed: int
    lr: float = 1e-3
    pause: float = 0.0  # seconds that a batch takes
    boots: bool | None = None
    umbrella: bool | None = None

    @property
    def group_key(self) -> tuple:
        """Everything but the seed."""
        return tuple(value for name, value in asdict(self).items() if name != "seed")

    def group_size(self, device: str) -> int:
        """Three on a CPU, eight on a GPU."""
        return 8 if device == "cuda" else 3

    def cost(self) -> float:
        """Steps; those of the tall are longer."""
        return self.n * (0.5 if self.walker == "tall" else 1)

    @classmethod
    def perform(cls, runs: "list[Walk]", device: str) -> list[dict]:
        """Walk together."""
        time.sleep(runs[0].pause)
        beside = share(*(run.seed for run in runs))
        return [{"test_loss": share(run.key) + 1e-9 * beside, "spread": share(run.key, "spread"), "steps": run.n}
                for run in runs]


EXPERIMENTS = {e.name: e for e in (
    Experiment(name="tosses", title="Three coins", kind=Toss, base={"tosses": 10}, seeds=2,
               series={"penny": {"coin": "penny"}, "cent": {"coin": "cent", "wind": 1}},
               grid={"bias": (0.25, 0.5, 1)}),
    Experiment(name="walks", title="Short and tall walkers", kind=Walk, base={}, seeds=3,
               series={"Short": {"walker": "short"}, "Tall": {"walker": "tall"}}, grid={"n": (4, 8, 12)}),
    Experiment(name="slow-walks", title="Walks of which each takes a while", kind=Walk, seeds=2,
               base={"walker": "short", "pause": 0.05}, series={"Short": {}}, grid={"n": tuple(range(4, 24))}),
    Experiment(name="far-walks", title="Walks farther apart", kind=Walk, seeds=1, base={"walker": "short"},
               series={"plain": {}}, grid={"n": (40, 80)}),
    Experiment(name="fast-walks", title="The same at two rates", kind=Walk, seeds=1, base={"walker": "short"},
               series={"lr = 0.01": {"lr": 0.01}, "lr = 0.001": {"lr": 1e-3}}, grid={"n": (40, 80)},
               shares="far-walks"),
)}
