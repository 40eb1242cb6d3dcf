"""What a run is: the fields that decide its numbers, their key, and how it is performed.

`Run` trains one network; the measurements of the theory's chapters are in `theory`. Source: the protocol of section 5.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from functools import cache, cached_property, partial
from typing import ClassVar

import torch

from . import networks
from .ensembles import Member, Outcome, ensemble_size, train
from .tasks import task

NETWORKS = {
    "transformer": networks.Transformer,
    "mlp": networks.MLP,
    "rnn": partial(networks.Recurrent, cell="rnn"),
    "lstm": partial(networks.Recurrent, cell="lstm"),
}


def pick_device(device: str) -> str:
    """"cpu" or "cuda" for "auto", "cpu" or "cuda". Raises: ValueError for another word, or a GPU that is not there."""
    if device not in ("auto", "cpu", "cuda"):
        raise ValueError(f"unknown device {device!r}; known are auto, cpu, cuda")
    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError("device 'cuda': PyTorch sees no GPU here; use --device cpu")
    return ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device


@cache
def _numbers(kind: type) -> list[tuple[str, type]]:
    """The fields of a kind of runs that hold numbers, and of which type (None aside)."""
    found = []
    for f in fields(kind):
        kinds = (f.type, *getattr(f.type, "__args__", ()))
        found += [(f.name, number) for number in (bool, float, int) if number in kinds][:1]
    return found


@dataclass(frozen=True)
class Job:
    """Base of the kinds of runs: a frozen dataclass whose fields decide the numbers that `perform` gives.

    A kind names its `METRICS` (→ type), and says what runs must share to be performed together (`shape`), how many
    at once (`together`) and what one costs (`cost`). Unless it does, each run is performed alone.
    """

    METRICS: ClassVar[dict[str, type]] = {}

    def __post_init__(self):
        for name, kind in _numbers(type(self)):  # 100, 100.0 and NumPy's 100 are one run, and have one key
            value = getattr(self, name)
            if value is None or (type(value) is kind and value == value):  # not NaN
                continue
            if kind(value) != value:
                raise ValueError(f"{name}={value!r}: must be of type {kind.__name__}")
            object.__setattr__(self, name, kind(value))

    @cached_property
    def key(self) -> str:
        """16 hex digits, a hash of the fields that differ from their defaults: a new field leaves old keys alone."""
        stated = {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) != f.default}
        return hashlib.sha256(json.dumps(stated, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def shape(self) -> tuple:
        """What runs must share to be performed together."""
        return tuple(asdict(self).values())

    def together(self, device: str) -> int:
        """How many runs of this shape to perform at once."""
        return 1

    def cost(self) -> float:
        """A rough relative cost."""
        return 1.0

    @classmethod
    def perform(cls, runs: "list[Job]", device: str) -> list[dict[str, float]]:
        """The metrics of runs of one shape."""
        raise TypeError(f"{cls.__name__} does not say how it is performed")


@dataclass(frozen=True)
class Run(Job):
    """One training run. Empty network options (None) stand for the network's own defaults.

    n is the number of training strings and, times `alphabet_ratio` (1 unless stated), of the training alphabet's
    symbols; validation and test have `evaluation` strings each, from disjoint alphabets of `evaluation` symbols.
    `seed` draws data, weights and batches. `decay`, `reset` and `dropout` are those of `ensembles.train`.

    Raises: ValueError for an unknown task or network, or an option that the network does not have.
    """

    METRICS: ClassVar[dict[str, type]] = {f.name: f.type for f in fields(Outcome) if f.name != "history"}

    task: str
    network: str
    n: int
    seed: int
    lr: float = 1e-3
    batch: int = 1024
    epochs: int = 1000
    stop: float = 2e-3
    optimizer: str = "adam"
    alphabet_ratio: float | None = None
    decay: float | None = None
    reset: bool | None = None
    dropout: float | None = None
    evaluation: int = 1000  # what comes after it are options of the network
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
    logit_scale: float | None = None
    frozen: bool | None = None
    orthogonal: bool | None = None
    unembedding: str | None = None
    pointer: bool | None = None

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
        t = task(self.task, self.seed)
        if t.symbolic and self.network != "transformer":
            raise ValueError(f"task {self.task!r} has symbolic labels, which only the (tied) transformer answers; "
                             f"not {self.network!r}")
        tied = {"tied": True} if t.symbolic else {}
        ratio = 1 if self.alphabet_ratio is None else self.alphabet_ratio
        alphabets = t.alphabets(round(ratio * self.n), self.evaluation, self.evaluation)
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
        """A rough relative cost: tokens seen forward and backward in an epoch, evaluation counted in, times weights."""
        size = 0.02
        if self.network == "transformer":
            size = (self.d_emb or 128) / 128 * (self.heads or 16) / 16 * (self.depth or 2) / 2
        return (self.n + self.evaluation / 3) * size * (task(self.task).length + 1) / 4

    def together(self, device: str) -> int:
        """How many networks fit the CPU's cache or the GPU's memory."""
        return ensemble_size(self.member(), self.batch, device)

    @classmethod
    def perform(cls, runs: "list[Run]", device: str) -> list[dict[str, float]]:
        """Train the runs' networks together."""
        first, members = runs[0], [run.member() for run in runs]
        outcomes = train(members, batch=first.batch, epochs=first.epochs, stop=first.stop, optimizer=first.optimizer,
                         decay=first.decay or 0.0, reset=bool(first.reset), dropout=first.dropout or 0.0,
                         device=device)
        return [{name: getattr(outcome, name) for name in Run.METRICS} | run.measure(member)
                for run, member, outcome in zip(runs, members, outcomes, strict=True)]

    def measure(self, member: Member) -> dict[str, float]:
        """What else a kind of run measures on its trained network."""
        return {}


def _field(name: str):
    return next(f for f in fields(Run) if f.name == name)
