"""The finite network of the theory, whose features converge to the transformer's kernel.

Source:
    section 3 of the paper, "transformer kernel".
"""

import math
from collections.abc import Hashable, Sequence

import numpy as np
import torch
from torch import Tensor

from ..checks import check_integer
from ..templates import Sample
from .patterns import CLS, String, tokens_of
from .transformer import TransformerKernel


class FiniteTransformer:
    """The finite network of the theory at its random initialisation, whose features φ(W_A z₁)/√d_mlp give K_trans.

    Z₀ = X W_E + γP; head h gives z₁ its Z₀ᵀ softmax(β Z₀ W_{K,h}ᵀ W_{Q,h} e) times W_{V,h}ᵀ W_{O,h} / √H, e being the
    last row of Z₀ ([CLS]). All entries are independent Gaussians of mean 0: W_A and W_K of variance 1, W_E, P and W_O
    1/d_emb, W_V 1/d_head, and W_Q 1/((1 + γ²) d_head), so that a head's logits have covariance β²(XXᵀ + γ²I). The inner
    product of two strings' features then differs from `kernel(x, y)` by O(width^(-1/2)).

    Args:
        kernel: the limit; its β, γ, activation, b1, b2 and cls are the network's.
        width: number of heads H, dimensions d_emb and d_head, and number of features d_mlp, unless given singly.
        heads: H.
        d_emb: dimension of the embeddings.
        d_head: dimension of a head.
        d_mlp: number of features.
        seed: of all weights. Heads are drawn at each call rather than kept: time O(H · d_emb · d_head).

    Raises:
        ValueError: for widths that are not positive integers.

    Source:
        section 3, the depth-1 transformer.
    """

    def __init__(self, kernel: TransformerKernel, width: int = 256, *, heads: int | None = None,
                 d_emb: int | None = None, d_head: int | None = None, d_mlp: int | None = None, seed: int = 0) -> None:
        for name, value in {"width": width, "heads": heads, "d_emb": d_emb, "d_head": d_head, "d_mlp": d_mlp}.items():
            if value is not None:
                check_integer(name, value, 1)
        self.kernel, self.seed = kernel, seed
        self.heads, self.d_emb, self.d_head, self.d_mlp = (v or width for v in (heads, d_emb, d_head, d_mlp))
        self._tokens: dict[Hashable, np.ndarray] = {}
        self._token_rng = np.random.default_rng([seed, 0])

    def features(self, strings: Sequence[String]) -> Tensor:
        """The features of strings, (n, d_mlp) float64.

        Args:
            strings: n of equal length. A token keeps its embedding from call to call.

        Raises:
            ValueError: for strings of unequal length, or empty ones.

        Source:
            section 3, z₂ without the trained last layer.
        """
        z1 = self._attention_outputs(self._inputs(strings))  # (n, d_emb)
        w_a = torch.from_numpy(np.random.default_rng([self.seed, 2]).standard_normal((self.d_emb, self.d_mlp)))
        return self.kernel.phi(z1 @ w_a) / math.sqrt(self.d_mlp)

    def gram(self, strings: Sequence[String]) -> np.ndarray:
        """The empirical kernel: inner products of the strings' features, (n, n) float64."""
        features = self.features(strings)
        return (features @ features.T).numpy()

    def _inputs(self, strings: Sequence[String]) -> Tensor:
        """Z₀ of each string, (n, k, d_emb): token embeddings plus γ times position embeddings."""
        rows = [[*tokens_of(string), CLS] if self.kernel.cls else list(tokens_of(string)) for string in strings]
        if not rows or not rows[0] or len({len(row) for row in rows}) > 1:
            raise ValueError("strings must be of one length, at least 1")
        for token in (token for row in rows for token in row):
            if token not in self._tokens:
                self._tokens[token] = self._token_rng.standard_normal(self.d_emb)
        positions = np.random.default_rng([self.seed, 1]).standard_normal((len(rows[0]), self.d_emb))  # (k, d_emb)
        tokens = np.array([[self._tokens[token] for token in row] for row in rows])  # (n, k, d_emb)
        return torch.from_numpy((tokens + self.kernel.gamma * positions) / math.sqrt(self.d_emb))

    def _attention_outputs(self, z0: Tensor) -> Tensor:
        """z₁ of each string, (n, d_emb): the heads' outputs at the last position, summed over H and divided by √H."""
        query_scale = 1 / math.sqrt((1 + self.kernel.gamma**2) * self.d_head)
        last = z0[:1, -1] if self.kernel.cls else z0[:, -1]  # (1, d_emb) or (n, d_emb): [CLS] is the same in all
        z1 = torch.zeros(len(z0), self.d_emb, dtype=torch.float64)
        for head in range(self.heads):
            rng = np.random.default_rng([self.seed, 3, head])
            draws = rng.standard_normal((4, self.d_head, self.d_emb), np.float32)
            w_k, w_q, w_v, w_o = torch.from_numpy(draws).double()  # (d_head, d_emb) each
            queries = last @ w_q.T @ w_k * query_scale  # (1, d_emb) or (n, d_emb)
            attention = torch.softmax(self.kernel.beta * (z0 @ queries[:, :, None]), dim=1)  # (n, k, 1)
            z1 += (attention.mT @ z0).squeeze(1) @ w_v.T @ w_o  # (n, d_emb)
        return z1 / math.sqrt(self.heads * self.d_head * self.d_emb)


def last_layer(network: FiniteTransformer, train: Sample, tokens: Tensor, ridge: float = 1e-2) -> np.ndarray:
    """Predictions of a network whose last layer is fitted by ridge regression, (n + N,): on the sample, then on others.

    Args:
        network: its features stay as they were drawn.
        train: the n strings that the last layer is fitted to.
        tokens: N other strings, (N, k).
        ridge: λ.

    Source:
        section 3: the last layer alone is trained, with the penalty λ‖w‖².
    """
    n = len(train)
    gram = network.gram(torch.cat([train.tokens, tokens]).tolist())[:, :n]  # (n + N, n)
    coefficients = np.linalg.solve(gram[:n] + ridge * np.eye(n), train.labels.numpy())  # (n,)
    return gram @ coefficients
