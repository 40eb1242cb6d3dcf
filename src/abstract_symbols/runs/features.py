"""Runs on a transformer's inner features: its last layer trained alone, its attention logits before and after."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

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
        whole = super().member()
        network, parts = whole.network, (whole.train, whole.validation, whole.test)
        with torch.no_grad():
            features = torch.cat([self._features(network, rows) for part in parts for rows in part.tokens.split(1024)])
        starts = np.cumsum([0, *map(len, parts)])
        samples = [Sample(part.task, part.alphabet, torch.arange(start, start + len(part))[:, None], part.labels,
                          part.templates) for part, start in zip(parts, starts, strict=False)]
        training, validation, test = samples
        return Member(FrozenFeatures(features, network.readout), training, validation, test, lr=self.lr, seed=self.seed)

    @staticmethod
    def _features(network: nn.Module, tokens: Tensor) -> Tensor:
        """What the last linear map reads, (n, d_emb)."""
        read: list[Tensor] = []
        hook = network.readout.register_forward_pre_hook(lambda _, inputs: read.append(inputs[0]))
        network(tokens)
        hook.remove()
        return read[0]


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
