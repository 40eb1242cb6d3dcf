"""Runs that train one network: `Run`, the protocol of section 5, and what its kinds share."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from functools import partial
from typing import Any, ClassVar

import torch

from companion.runs import Job

from .. import networks
from ..ensembles import Member, Outcome, ensemble_size, train
from ..tasks import task
from ..templates import TemplateTask

NETWORKS: dict[str, Callable[..., Any]] = {
    "transformer": networks.Transformer,
    "mlp": networks.MLP,
    "rnn": partial(networks.Recurrent, cell="rnn"),
    "lstm": partial(networks.Recurrent, cell="lstm"),
}


def network_option() -> Any:
    """A field of a run that is an option of its network: None stands for the network's own default."""
    return field(default=None, metadata={"network": True})


def member(t: TemplateTask, n: int, *, network: str = "transformer", seed: int = 0, lr: float = 1e-3,
           evaluation: int = 1000, alphabet_ratio: float = 1.0, **options: Any) -> Member:
    """Returns a network of any task with its three samples, drawn with the seed, ready for `ensembles.train`.

    Args:
        t: the task.
        n: training strings and, times alphabet_ratio, symbols of the training alphabet.
        network: a name of `NETWORKS`.
        seed: draws data, weights and batches.
        lr: the learning rate.
        evaluation: strings for validation and for the test each, from disjoint alphabets of as many symbols.
        alphabet_ratio: training symbols per training string.
        options: the network's own, such as a=True.
    Raises:
        ValueError: an unknown network, an option that it does not have, or one that cannot answer with symbols.
    """
    if network not in NETWORKS:
        raise ValueError(f"unknown network {network!r}; known are {', '.join(NETWORKS)}")
    if t.symbolic and network != "transformer":
        raise ValueError(f"task {t.name!r} has symbolic labels, which only the (tied) transformer answers; "
                         f"not {network!r}")
    tied = {"tied": True} if t.symbolic else {}
    alphabets = t.alphabets(round(alphabet_ratio * n), evaluation, evaluation)
    samples = [t.sample(size, alphabet, seed=(seed, part)) for part, (size, alphabet)
               in enumerate(zip((n, evaluation, evaluation), alphabets, strict=True))]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        try:
            built = NETWORKS[network](alphabets[-1].stop, t.length, **tied, **options)
        except TypeError as error:
            raise ValueError(f"network {network!r}: {error}") from None
    training, validation, test = samples
    return Member(built, training, validation, test, lr=lr, seed=seed)


@dataclass(frozen=True)
class Run(Job):
    """One training run. Empty network options (None) stand for the network's own defaults.

    n is the number of training strings and, times `alphabet_ratio` (1 unless stated), of the training alphabet's
    symbols; validation and test have `evaluation` strings each, from disjoint alphabets of `evaluation` symbols.
    `seed` draws data, weights and batches. `decay`, `reset` and `dropout` are those of `ensembles.train`.

    Raises: ValueError for an unknown task or network, or an option that the network does not have.
    """

    METRICS: ClassVar[dict[str, Any]] = {f.name: f.type for f in fields(Outcome) if f.name != "history"}

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
    evaluation: int = 1000
    a: bool | None = network_option()
    b: bool | None = network_option()
    c_kq: float | None = network_option()
    c_vo: float | None = network_option()
    depth: int | None = network_option()
    d_emb: int | None = network_option()
    heads: int | None = network_option()
    d_head: int | None = network_option()
    d_mlp: int | None = network_option()
    width: int | None = network_option()
    gram: bool | None = network_option()
    mimetic_alpha: float | None = network_option()
    mimetic_beta: float | None = network_option()
    scale: float | None = network_option()
    readout_only: bool | None = network_option()
    logit_scale: float | None = network_option()
    frozen: bool | None = network_option()
    orthogonal: bool | None = network_option()
    unembedding: str | None = network_option()
    pointer: bool | None = network_option()

    @property
    def group_key(self) -> tuple:
        """What runs must share to be trained as one ensemble: everything but the seed and the learning rate."""
        return tuple(v for k, v in asdict(self).items() if k not in ("seed", "lr"))

    def options(self) -> dict:
        """The stated options of the network."""
        return {f.name: value for f in fields(self)
                if f.metadata.get("network") and (value := getattr(self, f.name)) is not None}

    def member(self) -> Member:
        """Returns the run's network and samples, drawn with its seed."""
        ratio = 1.0 if self.alphabet_ratio is None else self.alphabet_ratio
        return member(task(self.task, self.seed), self.n, network=self.network, seed=self.seed, lr=self.lr,
                      evaluation=self.evaluation, alphabet_ratio=ratio, **self.options())

    def cost(self) -> float:
        """A rough relative cost: tokens seen forward and backward in an epoch, evaluation counted in, times weights."""
        size = 0.02
        if self.network == "transformer":
            size = (self.d_emb or 128) / 128 * (self.heads or 16) / 16 * (self.depth or 2) / 2
        return (self.n + self.evaluation / 3) * size * (task(self.task).length + 1) / 4

    def group_size(self, device: str) -> int:
        """How many networks fit the CPU's cache or the GPU's memory."""
        return ensemble_size(self.member(), self.batch, device)

    @classmethod
    def perform(cls, runs: "list[Run]", device: str) -> list[dict[str, float]]:
        """Train the runs' networks together."""
        first, members = runs[0], [run.member() for run in runs]
        outcomes = train(members, batch=first.batch, epochs=first.epochs, stop=first.stop, optimizer=first.optimizer,
                         decay=first.decay or 0.0, reset=bool(first.reset), dropout=first.dropout or 0.0,
                         device=device)
        return [{name: getattr(outcome, name) for name in Run.METRICS} | run.measure_network(member)
                for run, member, outcome in zip(runs, members, outcomes, strict=True)]

    def measure_network(self, member: Member) -> dict[str, float]:
        """Returns what else a kind of run measures on its trained network."""
        return {}
