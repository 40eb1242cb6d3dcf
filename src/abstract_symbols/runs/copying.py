"""Runs on copying: the theory's model at initialisation, and what training does to unseen symbols' embeddings."""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from companion.runs import Job

from ..copying import PARAMETERS, CopyModel, overlap, progress_law, span_share
from ..ensembles import Ensemble, Member
from .training import Run


@dataclass(frozen=True)
class ProgressRun(Job):
    """The theory's model for copying, at initialisation: how far the gradient on n seen symbols helps unseen ones.

    The progress ratio of a parameter θ is ⟨∇_θ L_test, ∇_θ L_train⟩ / ‖∇_θ L_train‖²: under gradient flow of θ alone,
    at any learning rate, the fall of the unseen test loss per unit of train loss. The train strings are the n seen
    symbols, the test strings all `test` unseen ones; the vocabulary is both. Metrics: the ratio of every parameter;
    w_v_over_law, that of W_V over `progress_law`'s; span, the mean share of an unseen embedding's squared length in the
    span of the seen ones; both losses. Gradients of a and b (one number a head) are taken at a = b = 0.

    Source: section 4, the copy theorem; the chapter "Why copying fails".
    """

    METRICS: ClassVar[dict[str, type]] = {name: float for name in (
        *PARAMETERS, "w_v_over_law", "span", "train_loss", "test_loss")}

    d_emb: int
    n: int
    seed: int
    heads: int = 4
    test: int = 256
    gamma: float = 0.01
    beta: float = 1.0

    def cost(self) -> float:
        """Its matrices are d_emb × d_emb."""
        return 1 + (self.d_emb / 128) ** 2

    def model(self) -> tuple[CopyModel, Tensor, Tensor]:
        """The model, the seen and the unseen symbols."""
        symbols = torch.arange(self.n + self.test)
        model = CopyModel(len(symbols), self.d_emb, heads=self.heads, gamma=self.gamma, beta=self.beta, seed=self.seed)
        return model, symbols[:self.n], symbols[self.n:]

    def measure(self, device: str = "cpu") -> dict[str, float]:
        """Returns the metrics of this run, always computed on the CPU."""
        model, seen, unseen = self.model()
        train, test = model.gradients(seen), model.gradients(unseen)
        ratios = {name: overlap(name, test, train) / overlap(name, train, train) for name in PARAMETERS}
        return ratios | {
            "w_v_over_law": ratios["w_v"] / progress_law(self.n, self.d_emb, self.test, self.gamma),
            "span": float(span_share(model.E[seen], model.E[unseen]).mean()),
            "train_loss": float(train["loss"]), "test_loss": float(test["loss"])}


def mean_cosine(vectors: Tensor) -> float:
    """The mean cosine between two different ones of n vectors, (n, d); that with a zero vector counts as 0."""
    vectors, n = vectors.double(), len(vectors)
    norms = vectors.norm(dim=-1, keepdim=True)
    unit = vectors / norms.where(norms > 0, 1.0)
    return float((unit.sum(0).square().sum() - unit.square().sum()) / (n * (n - 1)))


@dataclass(frozen=True)
class EmbeddingRun(Run):
    """What `epochs` epochs of training have done to the embeddings of the test alphabet's symbols, which it never saw.

    For symbolic labels; no stop rule and no validation, all `epochs` are trained. Metrics: `cosine` between two of the
    embeddings, `change_cosine` between two of their changes since the start (means over pairs; 0 for independent
    vectors, 1 for one direction), `change`, their length over the embeddings' at the start, both root mean squares.
    `train_loss` is the last epoch's. `error` is the share of wrong answers to the test strings, `to_seen` the share
    answered with a symbol of the training alphabet, `among_unseen` the share of wrong answers when none but the test
    alphabet's symbols are allowed.

    Source: ours; the chapter `which-repair`.
    """

    METRICS: ClassVar[dict[str, type]] = {name: float for name in (
        "cosine", "change_cosine", "change", "train_loss", "error", "to_seen", "among_unseen")}

    def cost(self) -> float:
        """Strings trained on, and those of the test."""
        return (self.n * self.epochs + self.evaluation) * (self.d_emb or 128) / 128

    @classmethod
    def perform(cls, runs: list[Any], device: str) -> list[dict[str, float]]:
        """Train the runs' networks together, and measure each."""
        first, members = runs[0], [run.member() for run in runs]
        starts = [member.network.tokens.detach().clone() for member in members]
        ensemble = Ensemble(members, first.optimizer, device, first.decay or 0.0, bool(first.reset),
                            first.dropout or 0.0)
        for _ in range(first.epochs):
            losses = ensemble.epoch(first.batch)
        for member, weights in zip(members, ensemble.theta.detach().cpu(), strict=True):
            nn.utils.vector_to_parameters(weights, [p for p in member.network.parameters() if p.requires_grad])
        return [{"train_loss": loss, **run.measure_network(member, start)}
                for run, member, start, loss in zip(runs, members, starts, losses, strict=True)]

    @torch.no_grad()
    def measure_network(self, member: Member, start: Tensor)  -> dict[str, float]:  # type: ignore[override]
        """The metrics of a trained network (on the CPU), but for the train loss."""
        unseen, test = slice(member.test.alphabet.start, member.test.alphabet.stop), member.test
        before, after = start[unseen], member.network.tokens[unseen]
        logits = torch.cat([member.network(part) for part in test.tokens.split(1024)])       # (n, vocab)
        answers, allowed = logits.argmax(1), logits[:, unseen].argmax(1) + unseen.start      # (n,)
        change = (after - before).double()
        return {"cosine": mean_cosine(after), "change_cosine": mean_cosine(change),
                "change": float(change.norm() / before.double().norm()),
                "error": float((answers != test.labels).double().mean()),
                "to_seen": float((answers < member.train.alphabet.stop).double().mean()),
                "among_unseen": float((allowed != test.labels).double().mean())}
