"""The networks of the paper's experiments, as plain modules: one network, one batch of token strings.

They depend neither on tasks nor on experiments; `ensembles` trains many of them at once.
"""

import copy
import math
from collections.abc import Sequence
from itertools import product
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .checks import check_integer, one_of


class Linear(nn.Linear):
    """`nn.Linear` on rows: a stack of weights then multiplies one matrix per member, not one per string."""

    def forward(self, x: Tensor) -> Tensor:
        """x (…, features in) to (…, features out)."""
        return super().forward(x.reshape(-1, x.shape[-1])).view(*x.shape[:-1], -1)


class Attention(nn.Module):
    """Multi-head self-attention with the two identity parameters of the paper.

    Head h has logits `q·k / √d_head + c_kq · a_h · (x_i · x_j)`, which is W_K W_Qᵀ + aI up to scale, and
    output `W_O Attn_h V + c_vo · b_h · Attn_h x`, which is W_V W_Oᵀ + bI. Both scalars start at 0, so a modified
    network starts as the plain one.

    Args:
        d_emb, heads, d_head: embedding dimension, number of heads, dimension of a head (independent of d_emb).
        a, b: whether the scalars exist; each is a parameter of shape (heads,).
        c_kq, c_vo: fixed multipliers, which set the scalars' effective learning rate.

    Source:
        sections 3 ("data-efficient" attention) and 4 (its counterpart for values); section 5 for the details.
    """

    def __init__(self, d_emb: int, heads: int, d_head: int, *, a: bool, b: bool, c_kq: float, c_vo: float) -> None:
        super().__init__()
        self.heads, self.d_head, self.c_kq, self.c_vo = heads, d_head, c_kq, c_vo
        d_inner = heads * d_head
        self.W_Q = Linear(d_emb, d_inner, bias=False)
        self.W_K = Linear(d_emb, d_inner, bias=False)
        self.W_V = Linear(d_emb, d_inner, bias=False)
        self.W_O = Linear(d_inner, d_emb, bias=False)
        self.a = nn.Parameter(torch.zeros(heads)) if a else None
        self.b = nn.Parameter(torch.zeros(heads)) if b else None

    @torch.no_grad()
    def init_mimetic(self, alpha: float, beta: float) -> None:
        """Mimetic initialisation: W_Q,hᵀ W_K,h ≈ αZ + βI in every head and W_O W_V = 0.4 Z − 0.4 I in all, Z Gaussian.

        The products are those of trained transformers, factored by their singular value decomposition (truncated to
        d_head for a head).

        Args:
            alpha: α, the weight of the random part.
            beta: β, the weight of the identity.

        Source:
            Trockman and Kolter, 2023; section 5 compares with it.
        """
        d_inner, d_emb = self.W_Q.weight.shape
        W_Q, W_K = (W.weight.view(self.heads, self.d_head, d_emb) for W in (self.W_Q, self.W_K))
        W_Q.zero_()  # dimensions of a head beyond d_emb stay empty
        W_K.zero_()
        for h in range(self.heads):
            u, s, v = torch.linalg.svd(alpha * torch.randn(d_emb, d_emb) / math.sqrt(d_emb) + beta * torch.eye(d_emb))
            rank = min(self.d_head, d_emb)
            W_Q[h, :rank] = (u * s.sqrt()).T[:rank]
            W_K[h, :rank] = s.sqrt()[:rank, None] * v[:rank]
        u, s, v = torch.linalg.svd(0.4 * torch.randn(d_emb, d_emb) / math.sqrt(d_emb) - 0.4 * torch.eye(d_emb))
        frame = torch.linalg.qr(torch.randn(max(d_inner, d_emb), min(d_inner, d_emb)))[0]
        frame = frame if d_inner >= d_emb else frame.T                  # (d_inner, d_emb)
        self.W_V.weight.copy_(frame @ (s.sqrt()[:, None] * v))
        self.W_O.weight.copy_((u * s.sqrt()) @ frame.T)

    def forward(self, x: Tensor, *, last_only: bool = False, last_shared: bool = False) -> tuple[Tensor, Tensor]:
        """The output, x (n, k, d_emb) to (n, q, d_emb), and every head's attention (n, heads, q, k).

        Args:
            x: the strings' vectors.
            last_only: q = 1, only the last position is read; otherwise q = k.
            last_shared: the last position holds the same vector in every string, and is projected once.
        """
        mixed, attention = self._read_last(x) if last_only else self._read_all(x, last_shared)
        out = self.W_O(mixed)                                           # (n, q, d_emb)
        if self.b is not None:
            weights = torch.einsum("nhqk,h->nqk", attention, self.c_vo * self.b)
            out = out + weights @ x                                     # (n, q, k) @ (n, k, d_emb)
        return out, attention

    def logits(self, x: Tensor, last_shared: bool = False) -> Tensor:
        """Attention logits of every head: x (n, k, d_emb) to (n, heads, k, k)."""
        q, k = (self._split(W, x, last_shared) for W in (self.W_Q, self.W_K))  # (n, h, k, d_head)
        return self._with_a(q @ k.transpose(-2, -1) / math.sqrt(self.d_head), x, x)

    def _split(self, W: Linear, x: Tensor, last_shared: bool) -> Tensor:
        """W x in heads: x (n, k, d_emb) to (n, h, k, d_head)."""
        def heads(x: Tensor) -> Tensor:
            return W(x).unflatten(-1, (self.heads, self.d_head)).transpose(-3, -2)

        if not last_shared:
            return heads(x)
        last = heads(x[:1, -1:]).expand(len(x), -1, -1, -1)             # (n, h, 1, d_head)
        return torch.cat([heads(x[:, :-1]), last], dim=-2)

    def _with_a(self, logits: Tensor, x_q: Tensor, x: Tensor) -> Tensor:
        if self.a is None:
            return logits
        gram = x_q @ x.transpose(-2, -1)                                # (n, q, k), one for all heads
        return logits + (self.c_kq * self.a)[:, None, None] * gram.unsqueeze(-3)

    def _read_all(self, x: Tensor, last_shared: bool = False) -> tuple[Tensor, Tensor]:
        attention = self.logits(x, last_shared).softmax(-1)             # (n, h, k, k)
        mixed = attention @ self._split(self.W_V, x, last_shared)       # (n, h, k, d_head)
        return mixed.transpose(-3, -2).flatten(-2), attention

    def _read_last(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The same for the last position alone, W_K and W_V moved to the query's side.

        q·(W_K x_j) = (W_Kᵀ q)·x_j and Σ_j p_j W_V x_j = W_V Σ_j p_j x_j: one product per string with each matrix
        instead of one per token.
        """
        x_q = x[..., -1:, :]                                            # (n, 1, d_emb)
        W_K = self.W_K.weight.view(self.heads, self.d_head, -1)         # (h, d_head, d_emb)
        W_V = self.W_V.weight.view(self.heads, self.d_head, -1)         # (h, d_head, d_emb)
        q = self.W_Q(x_q).view(-1, self.heads, self.d_head)             # (n, h, d_head)
        q = torch.einsum("nhe,hed->nhd", q, W_K) / math.sqrt(self.d_head)     # (n, h, d_emb)
        logits = (q @ x.transpose(-2, -1)).unsqueeze(-2)                # (n, h, 1, k)
        attention = self._with_a(logits, x_q, x).softmax(-1)            # (n, h, 1, k)
        mixed = torch.einsum("nhd,hed->nhe", attention.squeeze(-2) @ x, W_V)  # (n, h, d_head)
        return mixed.flatten(-2).unsqueeze(-2), attention


class Block(nn.Module):
    """LayerNorm → attention → residual → LayerNorm → MLP (GELU) → residual.

    Args:
        d_emb: dimension of the embeddings.
        d_mlp: hidden units of the MLP.
        attention: the other arguments of `Attention`.

    Source:
        section 5.
    """

    def __init__(self, d_emb: int, d_mlp: int, **attention: Any) -> None:
        super().__init__()
        self.norm_attention = nn.LayerNorm(d_emb)
        self.attention = Attention(d_emb, **attention)
        self.norm_mlp = nn.LayerNorm(d_emb)
        self.mlp_in = Linear(d_emb, d_mlp)
        self.mlp_out = Linear(d_mlp, d_emb)

    def forward(self, z: Tensor, *, last_only: bool = False, last_shared: bool = False) -> tuple[Tensor, Tensor]:
        """The next residual stream, z (n, k, d_emb) to (n, q, d_emb), and the attention; see `Attention.forward`."""
        out, attention = self.attention(self.norm_attention(z), last_only=last_only, last_shared=last_shared)
        z = (z[..., -1:, :] if last_only else z) + out
        return z + self.mlp_out(F.gelu(self.mlp_in(self.norm_mlp(z)))), attention


class Transformer(nn.Module):
    """The transformer of the paper's experiments, with optional identity parameters a and b in every head.

    Learned token and position embeddings and a [CLS] embedding appended last, all N(0, 1); `depth` blocks; read
    at [CLS] through a LayerNorm without affine parameters. Real labels: a linear map to one number. Symbolic labels
    (`tied=True`): logits are the products with the token embeddings.

    Args:
        vocab: number of token ids, unseen ones included.
        length: k, the length of a string without [CLS].
        depth, d_emb, heads, d_head, d_mlp: the paper's sizes unless given.
        a, b, c_kq, c_vo: identity parameters and their multipliers, see `Attention`.
        tied: read the answer out with the token embeddings.
        mimetic_alpha, mimetic_beta: start the attention from mimetic initialisation with these weights of the random
            part and the identity, see `Attention.init_mimetic`; both or none.
        scale: multiplies the initial weights of attention and MLPs.
        readout_only: train the last linear map alone.
        logit_scale: multiplies the logits of a tied network, which are of order √d_emb at the start.
        frozen: do not train the token embeddings.
        orthogonal: start them orthogonal, see `orthogonal_frames`.
        unembedding: read symbolic labels out with a separate matrix instead of the token embeddings; "gaussian"
            starts it independent of them, N(0, 1), "copy" as their copy.
        pointer: with symbolic labels, the logit of token t gains c_vo · d_emb · Σ_h p_h · (attention of the last
            block's head h from [CLS] to the positions that hold t). The scalars p_h, (heads,), start at 0. b in that
            block would add the same if no normalisation came after it and x_i · e_t were d_emb for x_i = t, else 0.

    Raises:
        ValueError: for a size that is not positive, half a mimetic pair, readout_only when tied, or logit_scale,
            unembedding or pointer when not tied.

    Source:
        section 5; the chapter "Same or different?"; frozen to pointer are ours, the chapter `which-repair`.
    """

    def __init__(self, vocab: int, length: int, *, depth: int = 2, d_emb: int = 128, heads: int = 16,
                 d_head: int = 64, d_mlp: int = 256, a: bool = False, b: bool = False,
                 c_kq: float = 100.0, c_vo: float = 100.0, tied: bool = False,
                 mimetic_alpha: float | None = None, mimetic_beta: float | None = None,
                 scale: float = 1.0, readout_only: bool = False, logit_scale: float = 1.0,
                 frozen: bool = False, orthogonal: bool = False, unembedding: str | None = None,
                 pointer: bool = False) -> None:
        super().__init__()
        if (mimetic_alpha is None) != (mimetic_beta is None):
            raise ValueError("mimetic_alpha and mimetic_beta belong together; state both or none")
        _check_readout(tied, readout_only, logit_scale, one_of("unembedding", unembedding, ("gaussian", "copy", None)),
                       pointer)
        _check_sizes(vocab=vocab, length=length, depth=depth, d_emb=d_emb, heads=heads, d_head=d_head, d_mlp=d_mlp)
        self.vocab, self.length, self.tied, self.logit_scale = vocab, length, tied, logit_scale
        self.tokens = nn.Parameter(torch.randn(vocab, d_emb))
        self.positions = nn.Parameter(torch.randn(length + 1, d_emb))
        self.cls = nn.Parameter(torch.randn(d_emb))
        self.blocks = nn.ModuleList(
            Block(d_emb, d_mlp, heads=heads, d_head=d_head, a=a, b=b, c_kq=c_kq, c_vo=c_vo) for _ in range(depth)
        )
        self.readout: Any = None if tied else Linear(d_emb, 1)
        if mimetic_alpha is not None:
            for block in self.blocks:
                block.attention.init_mimetic(mimetic_alpha, mimetic_beta)
        self._scale_blocks(scale)
        if readout_only:
            for name, parameter in self.named_parameters():
                parameter.requires_grad_(name.startswith("readout"))
        # Drawn last: a seed gives all other weights as without these options.
        if orthogonal:
            self.tokens.data = orthogonal_frames(self.tokens.data)
        self.tokens.requires_grad_(self.tokens.requires_grad and not frozen)
        own = {None: None, "gaussian": torch.randn_like, "copy": torch.clone}[unembedding]
        self.unembedding = None if own is None else nn.Parameter(own(self.tokens.data))
        self.pointer = nn.Parameter(torch.zeros(heads)) if pointer else None
        self.pointer_scale = c_vo * d_emb

    @torch.no_grad()
    def _scale_blocks(self, scale: float) -> None:
        """Multiply the initial weight matrices of attention and MLPs."""
        for weight in (p for p in self.blocks.parameters() if p.dim() == 2):
            weight.mul_(scale)

    def embed(self, tokens: Tensor) -> Tensor:
        """Token ids (n, k) to the residual stream (n, k + 1, d_emb), [CLS] last."""
        tokens = _checked(tokens, self.length)
        z = F.embedding(tokens, self.tokens)                            # (n, k, d_emb)
        cls = self.cls.expand(*z.shape[:-2], 1, -1)                     # (n, 1, d_emb)
        return torch.cat([z, cls], dim=-2) + self.positions             # (n, k + 1, d_emb)

    def forward(self, tokens: Tensor, dropout_mask: Tensor | None = None) -> Tensor:
        """Token ids (n, k) to predictions (n,), or to logits (n, vocab) when tied.

        Args:
            tokens: the strings.
            dropout_mask: factors (n, k + 1, d_emb) of the embedded strings.
        """
        z = self.embed(tokens)
        z = z if dropout_mask is None else z * dropout_mask
        for i, block in enumerate(self.blocks[:-1]):
            shared = i == 0 and dropout_mask is None                         # [CLS] is the same vector in every string
            z, _ = block(z, last_shared=shared)                         # (n, k + 1, d_emb)
        z, attention = self.blocks[-1](z, last_only=True)               # only [CLS] is read
        z = F.layer_norm(z.squeeze(-2), z.shape[-1:])                   # (n, d_emb)
        if not self.tied:
            return self.readout(z).squeeze(-1)
        z = z if self.logit_scale == 1 else self.logit_scale * z
        logits = z @ (self.tokens if self.unembedding is None else self.unembedding).T
        if self.pointer is not None:
            held = torch.einsum("nhqk,h->nk", attention, self.pointer_scale * self.pointer)[..., :-1]   # without [CLS]
            logits = logits.scatter_add(-1, _checked(tokens, self.length), held)
        return logits


def orthogonal_frames(rows: Tensor) -> Tensor:
    """Rows of norm √d, orthogonal within each group of d consecutive ones: (N, d) to (N, d).

    More than d rows cannot all be orthogonal; each group (the last may be smaller) is made so by Gram–Schmidt. Of
    Gaussian rows it makes a uniformly random frame, independent of the other groups'.

    Source:
        the chapter `which-repair`.
    """
    frames = []
    for group in rows.split(rows.shape[1]):
        q, r = torch.linalg.qr(group.T)                                 # (d, g), g ≤ d
        frames.append((q * r.diagonal().sign()).T)                      # each row keeps its side of the others' span
    return math.sqrt(rows.shape[1]) * torch.cat(frames)


class MLP(nn.Module):
    """A fully-connected ReLU network on the concatenated one-hot encoding of a string.

    The one-hot input (k · vocab numbers) is never built: the first layer's columns are looked up. With `gram=True`
    the flattened equality matrix XXᵀ (k² numbers) is appended to the input, the paper's repair. With `d_emb` a symbol
    has one embedding, N(0, 1), wherever it stands, and the network reads their concatenation instead of the one-hot
    vectors. All weights are i.i.d. Gaussian with variance 2 / fan-in, biases zero: an initialisation that no renaming
    of symbols changes, as the MLP theorem asks.

    Args:
        vocab, length: as in `Transformer`.
        depth: layers of weights after an embedding, at least 2.
        width: hidden units.
        gram: append XXᵀ.
        d_emb: dimension of a shared embedding, none unless given.

    Raises:
        ValueError: for a size that is not positive, or a depth below 2.

    Source:
        section 3, the MLP theorem; section 5.
    """

    def __init__(self, vocab: int, length: int, *, depth: int = 3, width: int = 256, gram: bool = False,
                 d_emb: int | None = None) -> None:
        super().__init__()
        _check_sizes(vocab=vocab, length=length, depth=depth, width=width, d_emb=1 if d_emb is None else d_emb)
        if depth < 2:
            raise ValueError(f"depth={depth}: an MLP needs at least 2 layers of weights, one of them hidden")
        self.vocab, self.length = vocab, length
        fan_in = length * (d_emb or vocab) + (length**2 if gram else 0)
        self.tokens = None if d_emb is None else nn.Parameter(torch.randn(vocab, d_emb))
        self.columns = nn.Parameter(torch.randn(length * (d_emb or vocab), width) * math.sqrt(2 / fan_in))
        self.gram = nn.Parameter(torch.randn(length**2, width) * math.sqrt(2 / fan_in)) if gram else None
        self.bias = nn.Parameter(torch.zeros(width))
        self.hidden = nn.ModuleList(Linear(width, width) for _ in range(depth - 2))
        self.readout = Linear(width, 1)
        for layer in [*self.hidden, self.readout]:
            nn.init.normal_(layer.weight, std=math.sqrt(2 / width))
            nn.init.zeros_(layer.bias)

    def forward(self, tokens: Tensor) -> Tensor:
        """Token ids (n, k) to predictions (n,)."""
        tokens = _checked(tokens, self.length)
        if self.tokens is not None:
            h = F.embedding(tokens, self.tokens).flatten(-2) @ self.columns + self.bias   # (n, width)
        else:
            offsets = torch.arange(self.length, device=tokens.device) * self.vocab
            h = F.embedding(tokens + offsets, self.columns).sum(-2) + self.bias   # (n, width)
        if self.gram is not None:
            equal = tokens.unsqueeze(-1) == tokens.unsqueeze(-2)              # (n, k, k) = XXᵀ
            h = h + equal.flatten(-2).to(h.dtype) @ self.gram
        for layer in self.hidden:
            h = layer(h.relu())                                               # (n, width)
        return self.readout(h.relu()).squeeze(-1)


class Recurrent(nn.Module):
    """A recurrent network over learned token embeddings, N(0, 1): a tanh RNN or an LSTM, read at its last state.

    Its initial state is zero (the authors' code drew it at random). Weights are uniform within ±1/√width, PyTorch's
    default for recurrent layers; written out cell by cell, so that many networks run as one.

    Args:
        vocab, length: as in `Transformer`.
        cell: "rnn" or "lstm".
        d_emb, width: dimensions of the embeddings and of the state.

    Raises:
        ValueError: for a size that is not positive, or another cell.

    Source:
        section 5, the comparison of architectures.
    """

    def __init__(self, vocab: int, length: int, *, cell: str = "lstm", d_emb: int = 128, width: int = 256) -> None:
        super().__init__()
        _check_sizes(vocab=vocab, length=length, d_emb=d_emb, width=width)
        self.vocab, self.length, self.cell, self.width = vocab, length, one_of("cell", cell, ("rnn", "lstm")), width
        gates = 4 if cell == "lstm" else 1
        self.tokens = nn.Parameter(torch.randn(vocab, d_emb))
        self.W_x = Linear(d_emb, gates * width)
        self.W_h = Linear(width, gates * width)
        self.readout = Linear(width, 1)
        for layer in (self.W_x, self.W_h):
            for parameter in layer.parameters():
                nn.init.uniform_(parameter, -1 / math.sqrt(width), 1 / math.sqrt(width))

    def forward(self, tokens: Tensor) -> Tensor:
        """Token ids (n, k) to predictions (n,)."""
        x = self.W_x(F.embedding(_checked(tokens, self.length), self.tokens))   # (n, k, gates · width)
        h = c = x.new_zeros(*x.shape[:-2], self.width)                          # (n, width)
        for t in range(self.length):
            pre = x[..., t, :] + self.W_h(h)                                    # (n, gates · width)
            if self.cell == "rnn":
                h = pre.tanh()
            else:
                i, f, g, o = pre.chunk(4, dim=-1)
                c = f.sigmoid() * c + i.sigmoid() * g.tanh()
                h = o.sigmoid() * c.tanh()
        return self.readout(h).squeeze(-1)


def exchanged(network: nn.Module, u: int, v: int, positions: Sequence[int] | None = None) -> nn.Module:
    """A copy of a network in which two tokens have exchanged the weights that belong to them alone.

    Those are the first layer's columns in an MLP on one-hot vectors, one per position, and the embedding, one for all
    positions, in every other network (and its unembedding, where that is separate).

    Args:
        network: one of this module's.
        u, v: the tokens.
        positions: exchange the columns at these positions (0 … k − 1) only; for an MLP on one-hot vectors.

    Raises:
        ValueError: for a token or position that the network does not have, or positions for a shared embedding.

    Source:
        section 3, the symmetry behind the MLP theorem; the chapter "Why fully-connected networks cannot".
    """
    network = copy.deepcopy(network)
    shared = getattr(network, "tokens", None) is not None
    if shared and positions is not None:
        raise ValueError("positions: this network has one embedding for all positions; exchange it at all of them")
    for token in (u, v):
        if not 0 <= token < network.vocab:
            raise ValueError(f"token {token}: the network has tokens 0 to {network.vocab - 1}")
    for i in positions or ():
        if not 0 <= i < network.length:
            raise ValueError(f"position {i}: the network has positions 0 to {network.length - 1}")
    unembedding = getattr(network, "unembedding", None)
    weights = [network.tokens if shared else network.columns, *([] if unembedding is None else [unembedding])]
    starts = [0] if shared else [i * network.vocab for i in (range(network.length) if positions is None else positions)]
    with torch.no_grad():
        for weight, start in product(weights, starts):
            weight[[start + u, start + v]] = weight[[start + v, start + u]]
    return network


def _checked(tokens: Tensor, length: int) -> Tensor:
    tokens = torch.as_tensor(tokens)
    if tokens.shape[-1] != length:
        raise ValueError(f"strings of length {tokens.shape[-1]} given to a network built for length {length}")
    return tokens


def _check_sizes(**sizes: int) -> None:
    for name, size in sizes.items():
        check_integer(name, size, 1)


def _check_readout(tied: bool, readout_only: bool, logit_scale: float, unembedding: str | None, pointer: bool) -> None:
    """Refuse options of the read-out that do not go together."""
    if readout_only and tied:
        raise ValueError("readout_only: a tied network has no readout of its own to train")
    if (unembedding or pointer) and not tied:
        raise ValueError("unembedding and pointer are for symbolic labels; say tied=True as well")
    if logit_scale != 1 and not tied:
        raise ValueError("logit_scale: only a tied network has logits; leave it out")
