"""Runs on a transformer's inner features: its last layer trained or solved for, its attention before and after."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from companion.runs import Job

from ..ensembles import Member
from ..networks import Linear, Transformer
from ..templates import Sample
from .training import Run


class FrozenFeatures(nn.Module):
    """A linear map read from fixed features: "token" i is row i of the features. What training the last layer trains.

    Args: features, (N, d). Source: the chapter "From kernel to network".
    """

    def __init__(self, features: Tensor, readout: Linear) -> None:
        super().__init__()
        self.features = nn.Parameter(features, requires_grad=False)
        self.readout = readout

    def forward(self, rows: Tensor) -> Tensor:
        """Row numbers (n, 1) to predictions (n,)."""
        return self.readout(self.features[rows[..., 0]]).squeeze(-1)


@dataclass(frozen=True)
class LastLayerRun(Run):
    """One transformer of which only the last linear map is trained; the features below it are computed once.

    The same numbers as a `Run` with readout_only=True up to rounding, in a fraction of the time.

    Source: section 3, where the last layer alone is trained; the chapter "From kernel to network".
    """

    def member(self) -> Member:
        """The linear map over the frozen transformer's features of this run's own samples."""
        return frozen(super().member())


def frozen(whole: Member) -> Member:
    """Returns the last linear map of a network over its fixed features, with samples that hold their row numbers."""
    network, parts = whole.network, (whole.train, whole.validation, whole.test)
    with torch.no_grad():
        features = torch.cat([_features(network, rows) for part in parts for rows in part.tokens.split(1024)])
    starts = np.cumsum([0, *map(len, parts)])
    samples = [Sample(part.task, part.alphabet, torch.arange(start, start + len(part))[:, None], part.labels,
                      part.templates) for part, start in zip(parts, starts, strict=False)]
    training, validation, test = samples
    return Member(FrozenFeatures(features, network.readout), training, validation, test, lr=whole.lr, seed=whole.seed)


def _features(network: nn.Module, tokens: Tensor) -> Tensor:
    """What the last linear map reads, (n, d_emb)."""
    read: list[Tensor] = []
    hook = network.readout.register_forward_pre_hook(lambda _, inputs: read.append(inputs[0]))
    network(tokens)
    hook.remove()
    return read[0]


@dataclass(frozen=True)
class RidgeFit:
    """A linear map w·x + c, fitted by ridge regression.

    Attributes:
        ridge: λ.
        weights: w, (d,).
        intercept: c.
    """

    ridge: float
    weights: np.ndarray
    intercept: float

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """Features (N, d) to predictions (N,)."""
        return features @ self.weights + self.intercept


def ridge_fits(features: np.ndarray, labels: np.ndarray, ridges: Iterable[float]) -> Iterator[RidgeFit]:
    """Yields the minimiser of Σ (w·x + c − y)² + λ‖w‖² for each λ, from one singular value decomposition.

    The intercept c is not penalised: w is fitted to features and labels without their means, and c puts these back.

    Args:
        features: (n, d).
        labels: (n,).
        ridges: the λ, positive.
    Source: section 3, the penalty λ‖w‖²; the chapter "From kernel to network".
    """
    mean, level = features.mean(0), labels.mean()
    u, s, v = np.linalg.svd(features - mean, full_matrices=False)  # (n, r), (r,), (r, d)
    along = u.T @ (labels - level)  # (r,)
    for ridge in ridges:
        weights = (s / (s**2 + ridge) * along) @ v
        yield RidgeFit(ridge, weights, float(level - mean @ weights))


@dataclass(frozen=True)
class LeastSquaresRun(Job):
    """One transformer of which only the last linear map is fitted, by ridge regression in double precision.

    The network and its samples are those of the `LastLayerRun` with the same fields; features are computed in single
    precision, as there. λ is the one of 10^first_decade, …, 10^last_decade with the lowest loss on the validation
    strings, which come from an alphabet of their own; `ridge_fits` states the objective, a sum over strings, and the
    intercept. Losses are means over strings, test_error is the share of test strings with the wrong sign, ridge the
    chosen λ, norm that of the weights without the intercept.

    Source: section 3, where the last layer alone is trained; the chapter "From kernel to network".
    """

    METRICS: ClassVar[dict[str, type]] = {"test_loss": float, "test_error": float, "train_loss": float,
                                          "validation_loss": float, "ridge": float, "norm": float}

    task: str
    n: int
    seed: int
    evaluation: int = 1000
    first_decade: int = -6
    last_decade: int = 4
    scale: float | None = None
    depth: int | None = None
    d_emb: int | None = None
    heads: int | None = None
    d_head: int | None = None
    d_mlp: int | None = None

    def trained(self) -> LastLayerRun:
        """The run that trains the same last layer with Adam, on the same samples."""
        return LastLayerRun(self.task, "transformer", self.n, self.seed, evaluation=self.evaluation, scale=self.scale,
                            depth=self.depth, d_emb=self.d_emb, heads=self.heads, d_head=self.d_head, d_mlp=self.d_mlp,
                            readout_only=True)

    def cost(self) -> float:
        """That of the features: all strings pass once through all weights."""
        size = (self.d_emb or 128) / 128 * (self.heads or 16) / 16
        return (self.n + 2 * self.evaluation) * size

    def measure(self, device: str) -> dict[str, float]:
        """The metrics, on the CPU."""
        decades = range(self.last_decade, self.first_decade - 1, -1)  # of equal losses the largest λ
        return solved(self.trained().member(), [10.0**k for k in decades])


def solved(member: Member, ridges: Iterable[float]) -> dict[str, float]:
    """Returns the metrics of a `LeastSquaresRun` for a last layer as `frozen` gives it.

    Args:
        member: the features, and the samples' rows in them.
        ridges: the λ of which the validation strings choose.
    """
    every = member.network.features.double().numpy()  # type: ignore[union-attr]
    train, validation, test = ((every[part.tokens[:, 0]], part.labels.double().numpy())
                               for part in (member.train, member.validation, member.test))

    def loss(fit: RidgeFit, part: tuple[np.ndarray, np.ndarray]) -> float:
        return float(np.mean((fit(part[0]) - part[1]) ** 2))

    best = min(ridge_fits(*train, ridges), key=lambda fit: loss(fit, validation))
    return {"test_loss": loss(best, test), "test_error": float(np.mean(best(test[0]) * test[1] <= 0)),
            "train_loss": loss(best, train), "validation_loss": loss(best, validation), "ridge": best.ridge,
            "norm": float(np.linalg.norm(best.weights))}


def first_logits(network: Transformer, tokens: Tensor) -> Tensor:
    """The attention logits of a transformer's first layer: strings (n, k) to (n, heads, k + 1, k + 1), [CLS] last.

    Source: the chapter "Two parameters a head".
    """
    block = network.blocks[0]
    with torch.no_grad():
        return block.attention.logits(block.norm_attention(network.embed(tokens)))


def cls_logits(network: Transformer, tokens: Tensor) -> Tensor:
    """The attention logits at [CLS] in a transformer's first layer: strings (n, k) to (n, heads, k + 1).

    Source: the chapter "From kernel to network".
    """
    return first_logits(network, tokens)[:, :, -1]


@dataclass(frozen=True)
class AttentionRun(Run):
    """One trained transformer, and how far its first layer's attention at [CLS] is from uniform before and after.

    Over unseen strings and heads: logits_*, the standard deviation of the logits; largest_*, the mean of the largest
    attention weight. Other fields and metrics: `Run`'s.

    Source: the chapter "From kernel to network".
    """

    METRICS: ClassVar[dict[str, type]] = {
        **Run.METRICS, "logits_before": float, "logits_after": float, "largest_before": float, "largest_after": float}

    def measure_network(self, member: Member) -> dict[str, float]:
        """The metrics before and after training."""
        found = {}
        for when, network in (("before", self.member().network), ("after", member.network)):
            logits = cls_logits(network, member.test.tokens.to(next(network.parameters()).device)).double()
            found[f"logits_{when}"] = float(logits.std())
            found[f"largest_{when}"] = float(logits.softmax(-1).amax(-1).mean())
        return found
