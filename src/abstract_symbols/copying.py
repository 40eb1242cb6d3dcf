"""Copying in the theory's model: one attention layer, and how far a gradient step on seen symbols helps unseen ones.

Everything is exact, in float64; nothing is trained.

Source:
    section 4, the copy theorem and its repair; the chapter "Why copying fails".
"""

import math

import torch
from torch import Tensor, nn

from .checks import check_integer

PARAMETERS = ("w_v", "w_o", "w_k", "w_q", "embeddings", "positions", "a", "b")


class CopyModel:
    """The theory's model for α → α: attention alone, no MLP, no skip, read at [CLS] through the embeddings.

    A string's vectors are Z_1 = E_x + γ P_1 and Z_2 = γ P_2; [CLS] always stands second, so that its embedding and its
    position are one vector. Head h reads u_h(x) = p_h(x) Z_1 + (1 − p_h(x)) Z_2, where p_h is the first entry of
    softmax(β Z W_K,h W_Q,hᵀ Z_2), and z(x) = Σ_h u_h(x) W_V,h W_O,hᵀ. Logits are z(x) Eᵀ over all symbols. The identity
    parameters a and b of section 4 are 0.

    Initialisation: embeddings and positions N(0, 1/d_emb), of length about 1. W_V, W_O: N(0, 1/d_emb), and heads of
    dimension d_emb / heads: then Σ_h W_V,h W_O,hᵀ keeps lengths and has full rank, without which it could not become
    the multiple of the identity that copies. W_K, W_Q: N(0, d_head^(−1/2)), so that scores have the theory's variance.
    Drawn in single precision, computed in double.

    Args:
        vocab: the number V of symbols, seen and unseen.
        d_emb: dimension d of the embeddings.
        heads: H, a divisor of d_emb.
        gamma: γ, the strength of the positions.
        beta: β, the inverse temperature of the attention.
        seed: of all weights.

    Attributes:
        E: embeddings, (V, d).
        P: positions, (2, d).
        W_K, W_Q, W_V, W_O: (H, d, d_head) each.

    Raises:
        ValueError: unless heads and d_emb are integers, 1 or more, and the heads divide d_emb.
    """

    def __init__(self, vocab: int, d_emb: int, *, heads: int = 4, gamma: float = 0.01, beta: float = 1.0,
                 seed: int = 0) -> None:
        if check_integer("d_emb", d_emb, 1) % check_integer("heads", heads, 1):
            raise ValueError(f"d_emb={d_emb}: must be a multiple of heads={heads}")
        generator = torch.Generator().manual_seed(seed)

        def normal(*shape: int, variance: float) -> Tensor:
            return torch.randn(*shape, generator=generator).double().mul_(math.sqrt(variance))

        d_head = d_emb // heads
        self.gamma, self.beta = gamma, beta
        self.E, self.P = normal(vocab, d_emb, variance=1 / d_emb), normal(2, d_emb, variance=1 / d_emb)
        self.W_V, self.W_O = (normal(heads, d_emb, d_head, variance=1 / d_emb) for _ in range(2))
        self.W_K, self.W_Q = (normal(heads, d_emb, d_head, variance=d_head**-0.5) for _ in range(2))

    def gradients(self, symbols: Tensor) -> dict[str, Tensor]:
        """The loss on the strings of these symbols, and its gradients in factors that `overlap` multiplies.

        The gradient of a matrix is a sum over strings of input ⊗ error: Σ u ⊗ dt for W_V, Σ dz ⊗ t for W_O. Those of
        W_K and W_Q are k ⊗ q and Z_2 ⊗ W_Kᵀ k with q and Z_2 the same for all strings: their lengths are enough.

        Args:
            symbols: ids of the symbols, (S,).
        """
        Z_2 = (self.gamma * self.P[1]).requires_grad_()                              # (d,)
        Z_1 = (self.E[symbols] + self.gamma * self.P[0]).requires_grad_()            # (S, d)
        q = torch.einsum("d,hde->he", Z_2, self.W_Q)                                 # (H, d_head)
        s = self.beta * (Z_1 - Z_2) @ torch.einsum("hde,he->dh", self.W_K, q)        # (S, H): symbol's score − [CLS]'s
        p = torch.sigmoid(s)[..., None]                                              # (S, H, 1)
        u = p * Z_1[:, None] + (1 - p) * Z_2                                         # (S, H, d)
        t = torch.einsum("shd,hde->she", u, self.W_V)                                # (S, H, d_head)
        z = torch.einsum("she,hde->sd", t, self.W_O)                                 # (S, d)
        logits = z @ self.E.T                                                        # (S, V)
        loss = nn.functional.cross_entropy(logits, symbols)
        dZ_2, dZ_1, ds, dt, dz, dlogits = torch.autograd.grad(loss, [Z_2, Z_1, s, t, z, logits])
        Z_1, Z_2, q, u, t, z = (x.detach() for x in (Z_1, Z_2, q, u, t, z))
        k = self.beta * torch.einsum("sh,sd->hd", ds, Z_1 - Z_2)                     # (H, d)
        return {
            "loss": loss.detach(), "logits": logits.detach(), "u": u, "dt": dt, "t": t, "dz": dz,
            "w_k": k * q.norm(dim=1, keepdim=True), "w_q": Z_2.norm() * torch.einsum("hde,hd->he", self.W_K, k),
            "embeddings": (dlogits.T @ z).index_add(0, symbols, dZ_1),               # read out, and read in
            "positions": self.gamma * torch.stack([dZ_1.sum(0), dZ_2]),
            "a": k @ Z_2, "b": torch.einsum("shd,sd->h", u, dz),
        }

    def own_logit_rates(self, train: Tensor, symbols: Tensor) -> Tensor:
        """How fast each symbol's own logit rises above the mean logit when W_V alone follows its gradient: (S,).

        Per unit decrease of the training loss.

        Args:
            train: ids of the training symbols.
            symbols: ids of the symbols whose logits are followed, (S,).
        """
        g, own = self.gradients(train), self.gradients(symbols)
        step = torch.einsum("shd,rhd,rhe->she", own["u"], g["u"], g["dt"]) / -overlap("w_v", g, g)   # change of t
        change = torch.einsum("she,hde->sd", step, self.W_O) @ self.E.T              # (S, V)
        return change.gather(1, symbols[:, None])[:, 0] - change.mean(1)


def overlap(name: str, x: dict[str, Tensor], y: dict[str, Tensor]) -> float:
    """⟨∂L_x/∂θ, ∂L_y/∂θ⟩ for a θ of `PARAMETERS`, from what `CopyModel.gradients` gave for two sets of strings.

    For W_V and W_O a sum over pairs of strings: the inner product of their inputs times that of their errors.

    Args:
        name: of the parameter.
        x, y: the gradients of two sets of strings.
    """
    if name == "w_v":
        return float(torch.einsum("shd,rhd,she,rhe->", x["u"], y["u"], x["dt"], y["dt"]))
    if name == "w_o":
        return float(torch.einsum("sd,rd,she,rhe->", x["dz"], y["dz"], x["t"], y["t"]))
    return float((x[name] * y[name]).sum())


def progress_law(n: int, d_emb: float, test: int, gamma: float) -> float:
    """The progress ratio of W_V and of W_O that the chapter derives, for n train and `test` unseen symbols.

    n s / (1 + κ + 2/d + (n − 1) s) with s = 1/d − κ/V, κ = 2γ² and V = n + test: n / (d + n + 1) where positions are
    weak. For even attention (p = 1/2) and softmax, which are those of small γ and large d.

    Source:
        ours, in the chapter "Why copying fails".
    """
    kappa = 2 * gamma**2
    shared = 1 / d_emb - kappa / (n + test)
    return n * shared / (1 + kappa + 2 / d_emb + (n - 1) * shared)


def span_share(train: Tensor, other: Tensor) -> Tensor:
    """The share of each row's squared length that lies in the span of the train rows: (n, d), (m, d) to (m,)."""
    basis = torch.linalg.qr(train.T)[0]                                              # (d, min(n, d))
    return ((other @ basis) ** 2).sum(1) / (other**2).sum(1)
