"""The paper's experiment again, from its description alone: strings, the transformer, and its training."""

import copy
import math

import numpy as np
import torch
from torch import nn

UNSEEN = 1000  # symbols in the validation and in the test alphabet


def draw(rng, templates, n, first, size):
    """n strings and labels: a uniform template, its letters replaced by distinct symbols first … first + size − 1."""
    tokens, labels = [], []
    for _ in range(n):
        template, label = templates[rng.integers(len(templates))]
        letters = sorted(set(template))
        symbols = dict(zip(letters, first + rng.permutation(size)[:len(letters)], strict=True))
        tokens.append([symbols[letter] for letter in template])
        labels.append(symbols[label] if isinstance(label, str) else float(label))
    return torch.tensor(np.array(tokens)), torch.tensor(labels)


class Block(nn.Module):
    """LN → attention of every head → residual → LN → MLP → residual; only [CLS] asks in the last block."""

    def __init__(self, d, heads, d_head, hidden, a, b, multiplier):
        super().__init__()
        self.heads, self.d_head, self.multiplier = heads, d_head, multiplier
        self.norms = nn.ModuleList(nn.LayerNorm(d) for _ in range(2))
        self.query, self.key, self.value = (nn.Linear(d, heads * d_head, bias=False) for _ in range(3))
        self.output = nn.Linear(heads * d_head, d, bias=False)
        self.mlp = nn.Sequential(nn.Linear(d, hidden), nn.GELU(), nn.Linear(hidden, d))
        self.a, self.b = (nn.Parameter(torch.zeros(heads)) if wanted else None for wanted in (a, b))

    def forward(self, z, last):
        x, n = self.norms[0](z), len(z)
        asking = x[:, -1:] if last else x
        q, key, v = (f(y).view(n, -1, self.heads, self.d_head)
                     for f, y in ((self.query, asking), (self.key, x), (self.value, x)))
        logits = torch.einsum("nihe,njhe->nhij", q, key) / math.sqrt(self.d_head)
        if self.a is not None:
            logits = logits + torch.einsum("h,nid,njd->nhij", self.multiplier * self.a, asking, x)
        attention = logits.softmax(-1)
        out = self.output(torch.einsum("nhij,njhe->nihe", attention, v).reshape(n, -1, self.heads * self.d_head))
        if self.b is not None:
            out = out + torch.einsum("h,nhij,njd->nid", self.multiplier * self.b, attention, x)
        z = (z[:, -1:] if last else z) + out
        return z + self.mlp(self.norms[1](z))


class Transformer(nn.Module):
    """Token ids to numbers, or with `tied` to logits: products with the token embeddings."""

    def __init__(self, vocab, length, *, d=128, heads=16, d_head=64, hidden=256, depth=2, a=False, b=False, tied=False,
                 multiplier=100.0):
        super().__init__()
        self.tokens, self.positions = (nn.Parameter(torch.randn(rows, d)) for rows in (vocab, length + 1))
        self.cls = nn.Parameter(torch.randn(1, 1, d))
        self.blocks = nn.ModuleList(Block(d, heads, d_head, hidden, a, b, multiplier) for _ in range(depth))
        self.readout = None if tied else nn.Linear(d, 1)

    def forward(self, tokens):
        z = torch.cat([self.tokens[tokens], self.cls.expand(len(tokens), 1, -1)], 1) + self.positions
        for block in self.blocks:
            z = block(z, block is self.blocks[-1])
        z = nn.functional.layer_norm(z[:, -1], z.shape[-1:])
        return z @ self.tokens.T if self.readout is None else self.readout(z)[:, 0]


def loss_of(outputs, labels):
    return nn.functional.cross_entropy(outputs, labels) if outputs.dim() == 2 else ((outputs - labels)**2).mean()


def trained(templates, n, seed, *, checked=250, **options):
    """(test loss, test error, epochs) of one network: Adam 1e-3, full batch, to loss 2e-3, best validation epoch."""
    rng, _ = np.random.default_rng([seed, n]), torch.manual_seed(seed)
    x, y = draw(rng, templates, n, 0, n)
    x_val, y_val = draw(rng, templates, checked, n, UNSEEN)
    x_test, y_test = draw(rng, templates, 1000, n + UNSEEN, UNSEEN)
    net = Transformer(n + 2 * UNSEEN, x.shape[1], tied=not y.is_floating_point(), **options)
    optimizer, best, chosen = torch.optim.Adam(net.parameters(), lr=1e-3), math.inf, {}
    for epoch in range(1, 1001):  # noqa: B007  # the last one is returned
        loss = loss_of(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            validation = float(loss_of(net(x_val), y_val))
        if validation < best:
            best, chosen = validation, copy.deepcopy(net.state_dict())
        if loss < 2e-3:
            break
    net.load_state_dict(chosen)
    with torch.no_grad():
        outputs = net(x_test)
    wrong = (outputs.argmax(-1) if outputs.dim() == 2 else outputs.sign()) != y_test
    return float(loss_of(outputs, y_test)), float(wrong.double().mean()), epoch
