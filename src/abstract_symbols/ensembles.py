"""Train many networks of one shape at once, each on its own data: the result is that of training each alone.

The parameters of all members lie in one matrix, one row per member; the network is a plain module, mapped over the rows
with `torch.func`. Every member has its own data, learning rate, minibatch order, stopping time and best epoch.

Source:
    the protocol of section 5; the chapter "Same or different?".
"""

import copy
import ctypes
import functools
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap
from torch.nn import functional as F

from .checks import TINY, check_integer, check_real, one_of
from .networks import Transformer
from .templates import Sample

# What an ensemble may keep in memory: on a CPU, more than its cache holds makes members slower, not faster.
CPU_BYTES = 32 * 2**20
CUDA_SHARE = 0.5
EVALUATION_BATCH = 1024


@dataclass
class Member:
    """One network to train.

    Attributes:
        network: a module, trained in place.
        train, validation, test: its samples.
        lr: its learning rate.
        seed: of the order of its batches.
    """

    network: nn.Module
    train: Sample
    validation: Sample
    test: Sample
    lr: float = 1e-3
    seed: int = 0


@dataclass
class Outcome:
    """The result of one training. Losses are means over strings, errors are fractions of strings.

    Attributes:
        train_loss: of the last epoch, each batch before its step.
        validation_loss, test_loss, test_error: at the epoch with the lowest validation loss.
        final_validation_loss, final_test_loss, final_test_error: at the last epoch.
        best_epoch: the epoch with the lowest validation loss.
        epochs_run: the last epoch.
        history: (epoch, train loss, validation loss, test loss) of every epoch, if asked for.
    """

    train_loss: float = float("nan")
    validation_loss: float = float("inf")
    test_loss: float = float("nan")
    test_error: float = float("nan")
    final_validation_loss: float = float("nan")
    final_test_loss: float = float("nan")
    final_test_error: float = float("nan")
    best_epoch: int = 0
    epochs_run: int = 0
    history: list[tuple[int, float, float, float]] = field(default_factory=list)


def train(members: Sequence[Member], *, batch: int = 1024, epochs: int = 1000, stop: float = 2e-3,
          optimizer: str = "adam", decay: float = 0.0, reset: bool = False, dropout: float = 0.0,
          device: str = "cpu", history: bool = False,
          progress: Callable[[int], None] | None = None) -> list[Outcome]:
    """Train the members' networks in place, several at once where that pays, and report each one's outcome.

    Args:
        members: networks of one shape, with samples of one size and kind.
        batch: strings per step; an epoch shuffles a larger sample with the member's own generator.
        epochs: the largest number of epochs; a member stops after the first whose train loss is below `stop`, or is not
            finite.
        stop: a loss.
        optimizer: "adam" or "sgd".
        decay: before every step each token's vectors shrink by the factor 1 − lr · decay: AdamW's weight decay, on the
            embeddings (and an unembedding) alone.
        reset: the vectors of every token that training never saw are reset to their initial values for evaluation, and
            at the end; training is unaffected.
        dropout: the probability with which each coordinate of an embedded string, positions and [CLS] included, is 0 in
            a training step; the others are scaled up. Each member has its own generator.
        device: "cpu" or "cuda".
        history: record the losses of every epoch.
        progress: called with the number of members that have ended.

    Returns:
        The outcomes, in the members' order.

    Raises:
        ValueError: for an unknown optimizer, non-positive numbers, members that do not fit together, decay or reset for
            networks without trained token vectors, or dropout for networks other than transformers.

    Source:
        section 5. Squared loss for real labels, cross-entropy for symbolic ones.
    """
    _check(members, batch, epochs, stop, optimizer)
    check_real("decay", decay, "0 (none) or positive", 0)
    if (decay or reset) and not _tables(members[0].network):
        raise ValueError("decay and reset act on trained token vectors; these networks have none")
    if not 0 <= dropout < 1:
        raise ValueError(f"dropout={dropout}: must be a probability below 1")
    if dropout and not isinstance(members[0].network, Transformer):
        raise ValueError("dropout is for the transformer's embedded strings; these networks are of another kind")
    size = ensemble_size(members[0], batch, device)
    outcomes: list[Outcome] = []
    while len(outcomes) < len(members):
        part = members[len(outcomes):len(outcomes) + size]
        try:
            with _subnormals_are_zero():
                outcomes += Ensemble(part, optimizer, device, decay, reset, dropout).run(batch, epochs, stop, history)
        except torch.cuda.OutOfMemoryError:
            if len(part) == 1:
                raise
            size = (len(part) + 1) // 2  # the members are as they were: they learn their weights only at the end
            torch.cuda.empty_cache()
        if progress:
            progress(len(outcomes))
    return outcomes


@contextmanager
def _subnormals_are_zero() -> Iterator[None]:
    """In this thread, numbers of size below 1e-38 count as zero.

    Where attention saturates, its gradients are full of them, and an epoch takes several times as long on a CPU.
    """
    before = bool(torch.tensor(1e-38) * 0.1 == 0)
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


def ensemble_size(member: Member, batch: int, device: str) -> int:
    """How many such members to train at once: as many as fit into the CPU's cache, or into half of the GPU's memory."""
    parameters = sum(p.numel() * p.element_size() for p in member.network.parameters())
    strings = min(batch, len(member.train))
    activations = strings * (_saved_bytes(member, 2) - _saved_bytes(member, 1))
    budget = CPU_BYTES if device == "cpu" else CUDA_SHARE * torch.cuda.mem_get_info()[1]
    return max(1, int(budget // (4 * parameters + 2 * activations)))  # weights, gradient, Adam's two moments


def _saved_bytes(member: Member, strings: int) -> int:
    """Bytes that a forward pass on this number of strings keeps for the backward pass."""
    saved = 0

    def count(tensor: Tensor) -> Tensor:
        nonlocal saved
        saved += tensor.nbytes
        return tensor

    tokens = member.validation.tokens[:1].expand(strings, -1)
    device = next(member.network.parameters()).device
    with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
        member.network(tokens.to(device)).sum()
    return saved


@functools.cache
def _keep_freed_memory() -> None:
    """Let glibc keep freed blocks of up to 32 MiB for reuse.

    By default it returns them to the system, which zeroes every page again: a fifth of a step's time (measured).
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        if hasattr(libc, "mallopt"):
            libc.mallopt(-3, 32 * 2**20)  # M_MMAP_THRESHOLD
            libc.mallopt(-1, 2**30)  # M_TRIM_THRESHOLD


def _check(members: Sequence[Member], batch: int, epochs: int, stop: float, optimizer: str) -> None:
    if not members:
        raise ValueError("no members to train")
    one_of("optimizer", optimizer, ("adam", "sgd"))
    check_integer("batch", batch, 1)
    check_integer("epochs", epochs, 1)
    check_real("stop", stop, "a loss, 0 or more", 0)
    first = members[0]
    for member in members:
        if not np.array_equal(member.train.task.values, first.train.task.values):
            raise ValueError("the members' tasks differ in the values of their labels; train each kind on its own")
        check_real("lr", member.lr, "positive", TINY)
        if _settings(member.network) != _settings(first.network):
            raise ValueError("the members' networks differ in shape or settings; train each kind on its own")
        for split in ("train", "validation", "test"):
            mine, theirs = getattr(member, split), getattr(first, split)
            if mine.tokens.shape != theirs.tokens.shape or mine.labels.dtype != theirs.labels.dtype:
                raise ValueError(f"the members' {split} samples differ in size or in the kind of their labels")


def _settings(network: nn.Module) -> list:
    """Everything that distinguishes what two networks compute, except the values of their parameters."""
    plain = (bool, int, float, str)
    modules = [(type(m), {k: v for k, v in vars(m).items() if isinstance(v, plain)}) for m in network.modules()]
    return [*modules, *((name, p.shape, p.requires_grad) for name, p in network.named_parameters())]


def _tables(network: nn.Module) -> list[str]:
    """The names of the trained parameters whose row t is a vector of token t."""
    return [name for name, p in network.named_parameters() if name in ("tokens", "unembedding") and p.requires_grad]


def _unseen(member: Member) -> Tensor:
    """For every token whether it is neither in a training string nor a training label: (vocab,)."""
    unseen = torch.ones(member.network.vocab, dtype=torch.bool)
    unseen[member.train.tokens.flatten()] = False
    if member.train.task.symbolic:
        unseen[member.train.labels] = False
    return unseen


class Ensemble:
    """The members of one stack: parameters `theta` (E, P), data (E, n, k), and one optimizer over theta's rows.

    Args:
        members: E networks of one shape, with samples of one size and kind.
        optimizer, device, decay, reset, dropout: as in `train`.
    """

    def __init__(self, members: Sequence[Member], optimizer: str, device: str, decay: float = 0.0,
                 reset: bool = False, dropout: float = 0.0) -> None:
        self.members, self.device, self.dropout = list(members), device, dropout
        if device == "cpu":
            _keep_freed_memory()
        self.network = copy.deepcopy(members[0].network).to(device)
        trained = [(name, p.shape) for name, p in self.network.named_parameters() if p.requires_grad]
        self.names, self.shapes = zip(*trained, strict=True)
        self.theta = torch.stack([_vector(m.network).to(device) for m in members]).requires_grad_()      # (E, P)
        self.fixed = {name: torch.stack([m.network.get_parameter(name).detach().to(device) for m in members])
                      for name, p in self.network.named_parameters() if not p.requires_grad}
        self.dtype = self.theta.dtype
        self.make_optimizer = {"adam": lambda groups: torch.optim.Adam(groups, fused=True), "sgd": torch.optim.SGD}[
            optimizer]
        self.optimizer = self._optimizer(range(len(members)), None)
        self.decay = decay
        tables = {name: torch.ones(1, 1, dtype=torch.bool) for name in _tables(self.network)}
        self.tables = self._columns(tables)[0].to(self.dtype)                 # (P,), 1 for what decays
        self.start: Any = None
        self.unseen: Any = None
        if reset:
            self.start = self.theta.detach().clone()                          # (E, P)
            rows = [_unseen(m)[:, None] for m in members]
            self.unseen = torch.cat([self._columns(dict.fromkeys(_tables(self.network), r)) for r in rows])  # (E, P)
        self.data = {split: self._stacked(split) for split in ("train", "validation", "test")}
        self.all_members = (self.members, self.data["test"], self.fixed)         # unchanged when members end
        values = members[0].train.task.values
        self.values = None if values is None else torch.as_tensor(values, device=device, dtype=self.dtype)
        self.orders = [torch.Generator().manual_seed(m.seed) for m in members]
        self.drops = [torch.Generator().manual_seed(m.seed) for m in members]

    def _stacked(self, split: str) -> tuple[Tensor, Tensor]:
        samples = [getattr(m, split) for m in self.members]
        tokens = torch.stack([s.tokens for s in samples]).to(self.device)    # (E, n, k)
        labels = torch.stack([s.labels for s in samples])                    # (E, n)
        return tokens, labels.to(self.device, self.dtype if labels.is_floating_point() else labels.dtype)

    def _columns(self, marked: dict[str, Tensor]) -> Tensor:
        """Which of theta's columns belong to the marked entries (broadcast) of the named parameters: (1, P)."""
        parts = [marked.get(name, torch.zeros((), dtype=torch.bool)).expand(shape).reshape(-1)
                 for name, shape in zip(self.names, self.shapes, strict=True)]
        return torch.cat(parts)[None].to(self.device)

    def evaluation_parameters(self) -> Tensor:
        """The parameters for evaluation, (E, P): with `reset`, the vectors of unseen tokens are the initial ones."""
        theta = self.theta.detach()
        return theta if self.unseen is None else torch.where(self.unseen, self.start, theta)

    def _optimizer(self, selected: Sequence[int], previous: torch.optim.Optimizer | None) -> torch.optim.Optimizer:
        """An optimizer over theta's rows, one group per learning rate; the selected members keep their state."""
        old, self.rows = getattr(self, "rows", []), list(self.theta.detach())
        groups: dict[float, list[Tensor]] = {}
        for row, member in zip(self.rows, self.members, strict=True):
            groups.setdefault(member.lr, []).append(row)
        optimizer = self.make_optimizer([{"params": rows, "lr": lr} for lr, rows in groups.items()])
        if previous is not None:
            for row, index in zip(self.rows, selected, strict=True):
                optimizer.state[row] = previous.state[old[index]]
        return optimizer

    def forward(self, theta: Tensor, tokens: Tensor, *more: Tensor) -> Tensor:
        """Predictions of every member on its own strings, (E, n) or (E, n, vocab).

        Args:
            theta: parameters, (E, P).
            tokens: strings, (E, n, k).
            more: the networks' other arguments, with the member axis first.
        """
        parts = theta.split([shape.numel() for shape in self.shapes], dim=1)
        if len(theta) == 1:  # no member axis: the plain module's faster kernels
            parameters = {n: p.view(s) for n, p, s in zip(self.names, parts, self.shapes, strict=True)}
            parameters |= {n: p[0] for n, p in self.fixed.items()}
            return functional_call(self.network, parameters, (tokens[0], *(x[0] for x in more))).unsqueeze(0)
        stacked = {n: p.view(-1, *s) for n, p, s in zip(self.names, parts, self.shapes, strict=True)} | self.fixed
        return vmap(lambda p, *inputs: functional_call(self.network, p, inputs))(stacked, tokens, *more)

    def run(self, batch: int, epochs: int, stop: float, history: bool) -> list[Outcome]:
        """Train until every member has stopped; arguments and outcomes as in `train`."""
        outcomes = [Outcome() for _ in self.members]
        active = list(range(len(self.members)))
        best = self.theta.detach().clone()
        final = best.clone()
        for epoch in range(1, epochs + 1):
            train_loss = self.epoch(batch)
            theta = self.evaluation_parameters()
            validation_loss = self.evaluate(theta, self.data["validation"])[0]
            test_loss = self.evaluate(theta, self.data["test"])[0] if history else [float("nan")] * len(active)
            still_active = []
            for row, member in enumerate(active):
                out = outcomes[member]
                out.epochs_run, out.train_loss, out.final_validation_loss = epoch, train_loss[row], validation_loss[row]
                if validation_loss[row] < out.validation_loss:
                    out.validation_loss, out.best_epoch = validation_loss[row], epoch
                    best[member] = theta[row]
                if history:
                    out.history.append((epoch, train_loss[row], validation_loss[row], test_loss[row]))
                if stop <= train_loss[row] < float("inf") and epoch < epochs:
                    still_active.append(row)
                else:
                    final[member] = theta[row]
            if len(still_active) < len(active):
                active = [active[row] for row in still_active]
                if not active:
                    break
                self.select(still_active)
        self.finish(outcomes, best, final)
        return outcomes

    def epoch(self, batch: int) -> list[float]:
        """One pass over the training data in batches; returns each member's mean loss, each batch before its step."""
        tokens, labels = self.data["train"]
        n = tokens.shape[1]
        order = None
        if batch < n:
            order = torch.stack([torch.randperm(n, generator=g) for g in self.orders]).to(self.device)   # (E, n)
        total = torch.zeros(len(self.theta), dtype=torch.float64, device=self.device)
        for start in range(0, n, batch):
            x, y = tokens, labels
            if order is not None:
                rows = order[:, start:start + batch]
                x, y = tokens.take_along_dim(rows.unsqueeze(-1), 1), labels.take_along_dim(rows, 1)
            loss = _losses(self.forward(self.theta, x, *self.dropout_masks(x)), y).mean(-1)                      # (E,)
            (gradient,) = torch.autograd.grad(loss.sum(), self.theta)
            for row, member, g in zip(self.rows, self.members, gradient, strict=True):
                row.grad = g
                if self.decay:
                    row.sub_(self.tables * (member.lr * self.decay) * row)
            self.optimizer.step()
            total += loss.detach() * x.shape[1]
        return (total / n).tolist()

    def dropout_masks(self, tokens: Tensor) -> list[Tensor]:
        """The factors 0 or 1 / (1 − p) of the members' embedded strings, [(E, n, k + 1, d_emb)]; [] without dropout."""
        if not self.dropout:
            return []
        shape = (tokens.shape[1], *self.network.positions.shape)
        drawn = torch.stack([torch.rand(shape, generator=g, dtype=self.dtype) for g in self.drops]).to(self.device)
        return [(drawn >= self.dropout).to(self.dtype) / (1 - self.dropout)]

    @torch.no_grad()
    def evaluate(self, theta: Tensor, data: tuple[Tensor, Tensor]) -> tuple[list[float], list[float]]:
        """Mean loss and mean error of each member on its own strings, (E,) each.

        Args:
            theta: parameters, (E, P).
            data: strings (E, n, k) and labels (E, n).
        """
        loss, wrong = [], []
        for x, y in zip(*(part.split(EVALUATION_BATCH, dim=1) for part in data), strict=True):
            predictions = self.forward(theta, x)
            loss.append(_losses(predictions, y))
            wrong.append(_errors(predictions, y, self.values))
        return tuple(torch.cat(parts, dim=1).double().mean(1).tolist() for parts in (loss, wrong))

    def select(self, rows: list[int]) -> None:
        """Continue with the members in these rows only."""
        self.members = [self.members[r] for r in rows]
        self.orders = [self.orders[r] for r in rows]
        self.drops = [self.drops[r] for r in rows]
        self.data = {split: (x[rows], y[rows]) for split, (x, y) in self.data.items()}
        self.fixed = {name: p[rows] for name, p in self.fixed.items()}
        if self.unseen is not None:
            self.start, self.unseen = self.start[rows], self.unseen[rows]
        self.theta = self.theta.detach()[rows].requires_grad_()
        self.optimizer = self._optimizer(rows, self.optimizer)

    def finish(self, outcomes: list[Outcome], best: Tensor, final: Tensor) -> None:
        """Test the best and the final networks, and leave the final weights in the members' modules.

        Args:
            outcomes: where the test losses and errors go.
            best: parameters at the epochs with the lowest validation loss, (E, P).
            final: parameters at the last epochs, (E, P).
        """
        members, test, self.fixed = self.all_members
        scores = zip(*self.evaluate(best, test), *self.evaluate(final, test), strict=True)
        for out, score in zip(outcomes, scores, strict=True):
            out.test_loss, out.test_error, out.final_test_loss, out.final_test_error = score
        for member, row in zip(members, final, strict=True):
            trained = [p for p in member.network.parameters() if p.requires_grad]
            torch.nn.utils.vector_to_parameters(row.to(trained[0].device), trained)


def _vector(network: nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten() for p in network.parameters() if p.requires_grad])


def _losses(predictions: Tensor, labels: Tensor) -> Tensor:
    """Loss of each string: predictions (E, n) or logits (E, n, vocab), labels (E, n), to (E, n)."""
    if labels.is_floating_point():
        return (predictions - labels) ** 2
    return F.cross_entropy(predictions.flatten(0, 1), labels.flatten(), reduction="none").view_as(labels)


def _errors(predictions: Tensor, labels: Tensor, values: Tensor | None) -> Tensor:
    """Whether each string's answer is wrong, (E, n): closest to another label, or another token has the top logit."""
    if values is None:
        return (predictions.argmax(-1) != labels).float()
    nearest = [(x.unsqueeze(-1) - values).abs().argmin(-1) for x in (predictions, labels)]
    return (nearest[0] != nearest[1]).to(predictions.dtype)
