"""K_attn by randomly shifted lattices: a network of small matrices for each equality pattern, contracted exactly.

Source:
    section 3 of the paper, "transformer kernel".
"""

import itertools
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import numpy as np
import torch
from scipy.cluster.hierarchy import DisjointSet
from torch import Tensor

from .patterns import Pattern
from .sobol import RANDOMISATIONS

Edge = tuple[int, int]  # a position with token s in x and token t in y
Component = tuple[tuple[Edge, int], ...]  # edges that share tokens, each with its number of positions
Factor = tuple[tuple[int, ...], Tensor]  # tokens, and a tensor (g, g, nodes of each token)
Numerators = tuple[float, Counter[int], Counter[tuple[Edge, int]]]
MAX_WORK = 2 * 10**10  # multiplications for one pattern in one of the lattice rule's lattices: some 10 s on one core
MAX_KNOWN = 2**23  # numbers in the contracted components that a lattice keeps
BLOCK_SIZE = {"cpu": 2**19, "cuda": 2**24}  # numbers in one of its working arrays: on a CPU they should fit the cache


class LatticeRule:
    """K_attn by randomly shifted lattices: relative error about 1e-7, for β up to about 10.

    With D_X = Σ_i exp(βm(X)_i), softmax is ∫₀^∞ exp(βm(X)) exp(-λD_X) dλ. For given (λ, μ), one for each string, the
    expectation is a product over tokens and positions: a network of small matrices, one for each position, whose
    indices are the tokens' nodes, contracted token by token. The nodes of tokens, positions and log λ are equally
    spaced (the trapezoidal rule, whose error falls exponentially as they get closer). The lattices of tokens and log λ
    are shifted at random and differ in step: the spread of their results gives the standard error.

    For β > 5 the lattices are coarser, with an error of a few 1e-6: the cost of a pair grows about as β³.

    The nodes and weights are the same for all tokens, positions and patterns, and positive: for each lattice the result
    is the exact kernel of a discrete distribution of ζ and p, so Gram matrices are positive semi-definite up to
    rounding.

    Args:
        beta: β > 0.
        gamma: γ > 0.
        seed: of the shifts.
        device: "cpu" or "cuda".

    Source:
        section 3, K_attn.
    """

    def __init__(self, beta: float, gamma: float, seed: int, device: str) -> None:
        self.beta, self.gamma, self.device = beta, gamma, torch.device(device)
        self._shifts = np.random.default_rng([seed, 1]).random((RANDOMISATIONS, 2))
        spread = beta * math.hypot(1, gamma)  # of a logit
        digits, most = (15, 1.1) if beta <= 5 else (12.5, 1.25)  # coarser where it costs most
        # The trapezoidal rule errs by exp(-2π²/(βh)) for softmax's poles, exp(-π²/h) for λ's Γ; γp blurs both further.
        self._token_step = min(0.8, _step(digits, math.pi**2 / beta, 0.15 * (math.pi * min(gamma, 1.25)) ** 2))
        self._log_step = min(most, 0.52 + 0.2 * spread,
                             _step(digits, math.pi**2 / 2, (math.pi * beta * gamma) ** 2 / 4))
        self._from, self._to = -5.4 * spread - math.log(32), 5.4 * spread + 3  # of log λ
        self._nodes, self._logs = self._sizes(RANDOMISATIONS - 1)
        self._table: dict[int, LatticeTables] = {}

    def _sizes(self, r: int) -> tuple[int, int]:
        """Numbers of nodes for a token and for log λ in the r-th lattice, finer from one to the next."""
        finer = 1 - 0.06 * r
        return (2 * math.ceil(5.4 / (finer * self._token_step)) + 1,
                math.ceil((self._to - self._from + math.log(16)) / (finer * self._log_step)))

    def is_affordable(self, pattern: Pattern) -> bool:
        """Whether the contraction stays below `MAX_WORK` multiplications.

        It does not for large β, nor where tokens are tied in many ways.
        """
        table = (self._logs * self._nodes) ** 2
        if table > MAX_WORK:
            return False
        work = table * len(_position_nodes(self.beta * self.gamma))
        for component, _ in connected_components(*pattern):
            width, contractions = _width(component), 1 + len(numerators(component, self.gamma))
            work += table * contractions * self._nodes ** (width - 1)
        return work <= MAX_WORK

    def __call__(self, patterns: Sequence[Pattern]) -> np.ndarray:
        """Estimates of K_attn, (len(patterns), RANDOMISATIONS) float64; the mean of a row is the value."""
        components = [connected_components(*pattern) for pattern in patterns]

        def values(r: int) -> list[float]:
            if r not in self._table:
                self._table[r] = self._tables(r)
            return self._table[r].values(components)

        if self.device.type != "cpu":
            return np.array([values(r) for r in range(RANDOMISATIONS)]).T
        # One thread per lattice: threads that share a product wait for one another on a busy machine, and change sums.
        threads = torch.get_num_threads()
        with ThreadPoolExecutor(min(threads, RANDOMISATIONS), initializer=torch.set_num_threads, initargs=(1,)) as pool:
            columns = list(pool.map(values, range(RANDOMISATIONS)))
        torch.set_num_threads(threads)
        return np.array(columns).T

    def _tables(self, r: int) -> "LatticeTables":
        (token_shift, log_shift), (nodes, logs), finer = self._shifts[r], self._sizes(r), 1 - 0.06 * r
        tokens = finer * self._token_step * (np.arange(nodes) - nodes // 2 + token_shift - 0.5)  # (q,)
        t = -math.log(16) + finer * self._log_step * (np.arange(logs) + log_shift)  # (g,)
        log_lam = self._from + t - np.exp(-t)  # (g,): the substitution ends the long left tail after a few steps
        d_lam = finer * self._log_step * np.exp(log_lam) * (1 + np.exp(-t))  # (g,)
        return LatticeTables(self.beta, self.gamma, tokens, log_lam, d_lam, self.device)


def _step(digits: float, pole: float, blur: float) -> float:
    """The step h with 2·pole/h + blur/h² = digits, an error of about exp(-digits)."""
    return (pole + math.sqrt(pole**2 + digits * blur)) / digits


class LatticeTables:
    """The matrices of one lattice, and the components of patterns contracted so far.

    Args:
        beta: β.
        gamma: γ.
        tokens: the nodes of a token, (q,).
        log_lam: the nodes of log λ, (g,).
        d_lam: their weights, (g,).
        device: where the matrices are kept.
    """

    def __init__(self, beta: float, gamma: float, tokens: np.ndarray, log_lam: np.ndarray, d_lam: np.ndarray,
                 device: torch.device) -> None:
        self.gamma, scale = gamma, beta * gamma
        p = _position_nodes(scale)
        decay = np.exp(-np.exp(log_lam[:, None, None] + beta * tokens[:, None] + scale * p))
        self.d_lam = torch.from_numpy(d_lam).to(device)  # (g,)
        self.decay = torch.from_numpy(decay).to(device)  # (g, q, m): exp(-λ exp(βζ + βγp))
        self.weight = [w.to(device) for w in _weights(tokens, beta)]  # (q,)
        self.position_weight = [w.to(device) for w in _weights(p, scale)]  # (m,)
        self._known: dict[Component, tuple[Tensor, Tensor]] = {}

    def values(self, patterns: list[list[tuple[Component, bool]]]) -> list[float]:
        """K_attn of patterns, each given by its `connected_components`."""
        if len(self._known) * len(self.d_lam) ** 2 > MAX_KNOWN:
            self._known.clear()
        new = dict.fromkeys(c for components in patterns for c, _ in components if c not in self._known)
        for width in {_width(c): None for c in new}:
            self._known.update(self._contracted([c for c in new if _width(c) == width], width))
        return [self._value(components) for components in patterns]

    def _value(self, components: list[tuple[Component, bool]]) -> float:
        """The integral over λ and μ of the product of components, one of them with numerators."""
        plain, with_numerators = 1.0, 0.0
        for component, swapped in components:
            base, changed = (t.T if swapped else t for t in self._known[component])
            with_numerators = with_numerators * base + plain * changed
            plain = plain * base
        return float(self.d_lam @ with_numerators @ self.d_lam)

    def _contracted(self, components: list[Component], width: int) -> dict[Component, tuple[Tensor, Tensor]]:
        """Components of one width, without numerators and summed over their pairs of numerators, (g, g) each.

        Rows (λ) are done in blocks, and only μ from the diagonal on: elsewhere x and y change places.
        """
        g, q, _ = self.decay.shape
        result = {c: torch.zeros(2, 2, g, g, dtype=torch.float64, device=self.decay.device) for c in components}
        size = max(1, BLOCK_SIZE[self.decay.device.type] // (g * q ** max(width, 2)))
        for start in range(0, g, size):
            rows = slice(start, min(start + size, g))
            block = RowBlock(self, rows)
            for component, both in result.items():
                swapped = tuple(((t, s), n) for (s, t), n in component)
                both[0, :, rows, start:] = here = block.component(component)
                symmetric = _canonical(swapped) == (component, False)
                both[1, :, rows, start:] = here if symmetric else block.component(swapped)
        return {c: tuple(both[0].triu() + both[1].triu(1).transpose(1, 2)) for c, both in result.items()}


class RowBlock:
    """Some rows (λ) of a lattice's matrices, and the columns (μ) from the first of these on.

    Args:
        lattice: the whole matrices.
        rows: which rows.
    """

    def __init__(self, lattice: LatticeTables, rows: slice) -> None:
        self.lattice, self.left, self.right = lattice, lattice.decay[rows], lattice.decay[rows.start:]
        self._tables: dict[tuple[bool, int], Tensor] = {}

    def component(self, component: Component) -> Tensor:
        """A component without numerators, and the sum over its pairs of numerators, (2, rows, columns)."""
        edges = dict(component)
        changed = sum(factor * self._contract(edges, powers, chosen)
                      for factor, powers, chosen in numerators(component, self.lattice.gamma))
        return torch.stack([self._contract(edges, Counter(), Counter()), changed])

    def _table(self, loop: bool, h: int) -> Tensor:
        """E_p[exp(hβγp) exp(-(λ exp(βζ_s) + μ exp(βζ_t)) exp(βγp))]: (rows, columns, q, q), or for s = t (…, q)."""
        if (loop, h) not in self._tables:
            weighted = self.left * self.lattice.position_weight[h]
            indices = "yap,zap->yza" if loop else "yap,zbp->yzab"
            self._tables[loop, h] = torch.einsum(indices, weighted, self.right).contiguous()
        return self._tables[loop, h]

    def _contract(self, edges: dict[Edge, int], powers: Counter[int], chosen: Counter[tuple[Edge, int]]) -> Tensor:
        """The sum over all tokens' nodes, (rows, columns), with exp(powers·βζ), and exp(hβγp) at `chosen` positions."""
        shape = len(self.left), len(self.right), -1
        tokens = dict.fromkeys(t for edge in edges for t in edge)
        factors: list[Factor] = [((t,), self.lattice.weight[powers[t]].expand(shape)) for t in tokens]
        for (s, t), n in edges.items():
            tensor = None
            for h in (2, 1, 0):
                times = chosen[(s, t), h] if h else n - chosen[(s, t), 1] - chosen[(s, t), 2]
                if times:
                    power = self._table(s == t, h) if times == 1 else self._table(s == t, h) ** times
                    tensor = power if tensor is None else tensor * power
            factors.append(((s,) if s == t else (s, t), tensor))
        for token, _ in _elimination(tuple(edges)):
            touched = [f for f in factors if token in f[0]]
            factors = [f for f in factors if token not in f[0]] + [_sum_out(touched, token)]
        return math.prod(tensor for _, tensor in factors)


def _position_nodes(scale: float) -> np.ndarray:
    """Nodes of p, the same in all lattices: the error of about exp(-2π²) for exp(-exp(scale·p)) does not count."""
    step = min(0.5, 0.5 / scale)
    return step * np.arange(-math.ceil(6.5 / step), math.ceil(6.5 / step) + 1)


def _weights(nodes: np.ndarray, scale: float) -> list[Tensor]:
    """Weights of a standard normal's nodes, times exp(j·scale·node) for j = 0, 1, 2."""
    density = np.exp(-(nodes**2) / 2)
    return [torch.from_numpy(density / density.sum() * np.exp(j * scale * nodes)) for j in range(3)]


@lru_cache(maxsize=2**14)
def numerators(component: Component, gamma: float) -> list[Numerators]:
    """What to contract for the pairs (i, j) of XYᵀ + γ²I among a component's positions.

    Position i is that of softmax(βm(X))'s numerator, j that of softmax(βm(Y))'s. Pairs that differ only in the names of
    tokens are taken together.

    Returns:
        For each kind of pair its weight, the powers of the tokens' exponentials, and the numerators' positions.
    """
    tokens = list(dict.fromkeys(t for edge, _ in component for t in edge))
    names = [dict(zip(tokens, order, strict=True)) for order in _orders(len(tokens))]
    merged: dict[tuple, Numerators] = {}
    for weight, powers, chosen in _pairs(dict(component), gamma):
        key = min((tuple(sorted((name[s], name[t], n, chosen[(s, t), 1], chosen[(s, t), 2])
                                for (s, t), n in component)),
                   tuple(sorted((name[t], powers[t]) for t in tokens))) for name in names)
        before = merged[key][0] if key in merged else 0.0
        merged[key] = before + weight, powers, chosen
    return list(merged.values())


def _pairs(edges: dict[Edge, int], gamma: float) -> Iterator[Numerators]:
    """The pairs of numerators, edge by edge; equal ones on the same edges already counted together."""
    for (s, t), n in edges.items():
        if s == t:
            yield n * (1 + gamma**2), Counter({s: 2}), Counter({((s, s), 2): 1})
        else:
            yield n * gamma**2, Counter([s, t]), Counter({((s, t), 2): 1})
        for (other, token), m in edges.items():
            count = n * (n - 1) if (other, token) == (s, t) else n * m
            if token == s and count:
                yield count, Counter({s: 2}), Counter([((s, t), 1), ((other, s), 1)])


def _sum_out(factors: list[Factor], token: int) -> Factor:
    """The product of factors summed over a token's nodes."""
    kept = tuple(dict.fromkeys(t for tokens, _ in factors for t in tokens if t != token))
    letters = {t: chr(ord("a") + i) for i, t in enumerate((token, *kept))}
    inputs = ",".join("yz" + "".join(letters[t] for t in tokens) for tokens, _ in factors)
    return kept, torch.einsum(f"{inputs}->yz{''.join(letters[t] for t in kept)}", *(tensor for _, tensor in factors))


def connected_components(x: Sequence[int], y: Sequence[int]) -> list[tuple[Component, bool]]:
    """Positions grouped by the tokens that they tie together.

    Returns:
        Each group, renamed canonically, and whether x and y changed places in it.
    """
    edges = Counter(zip(x, y, strict=True))
    tied = DisjointSet(t for edge in edges for t in edge)
    for edge in edges:
        tied.merge(*edge)
    return [_canonical(tuple((edge, n) for edge, n in edges.items() if edge[0] in tokens)) for tokens in tied.subsets()]


@lru_cache(maxsize=2**16)
def _canonical(component: Component) -> tuple[Component, bool]:
    """The component with its tokens named 0, 1, …, x and y perhaps swapped: the first of all, if they are few."""
    tokens = list(dict.fromkeys(t for edge, _ in component for t in edge))
    renamed = []
    for order in _orders(len(tokens)):
        name = dict(zip(tokens, order, strict=True))
        for swapped in (False, True):
            pairs = [((name[t], name[s]) if swapped else (name[s], name[t]), n) for (s, t), n in component]
            renamed.append((tuple(sorted(pairs)), swapped))
    return min(renamed)


def _orders(tokens: int) -> list[tuple[int, ...]]:
    """The orders in which to name this number of tokens: all, if they are few."""
    return list(itertools.permutations(range(tokens))) if tokens <= 5 else [tuple(range(tokens))]


@lru_cache(maxsize=4096)
def _elimination(edges: tuple[Edge, ...]) -> tuple[tuple[int, int], ...]:
    """An order in which to sum out a component's tokens, fewest neighbours first, with the number of neighbours."""
    neighbours: dict[int, set[int]] = {t: set() for edge in edges for t in edge}
    for s, t in edges:
        if s != t:
            neighbours[s].add(t)
            neighbours[t].add(s)
    order = []
    while neighbours:
        token = min(neighbours, key=lambda t: len(neighbours[t]))
        around = neighbours.pop(token)
        order.append((token, len(around)))
        for t in around:
            neighbours[t] = (neighbours[t] | around) - {t, token}
    return tuple(order)


def _width(component: Component) -> int:
    return max(degree for _, degree in _elimination(tuple(edge for edge, _ in component)))
