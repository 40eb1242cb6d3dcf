"""K_attn, the kernel of an infinitely wide softmax attention layer: a Gaussian expectation for each equality pattern.

Source: section 3 of the paper, "transformer kernel".
"""

import itertools
import math
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from functools import lru_cache

import numpy as np
import torch
from scipy.interpolate import CubicSpline
from scipy.special import ndtri
from scipy.stats import qmc
from torch import Tensor

Pattern = tuple[tuple[int, ...], tuple[int, ...]]  # two strings of tokens named 0, 1, … in order of appearance
CLS = object()  # the [CLS] token, equal to no other
RANDOMISATIONS = 4  # independent ones, from whose spread the standard error comes
_CHUNK = 2**22  # float64 numbers in one working array


def canonical_pattern(x: Sequence[Hashable], y: Sequence[Hashable], cls: bool = True) -> Pattern:
    """The equality pattern of two strings: their tokens renamed, the same for (x, y), (y, x) and any renaming.

    Args: x, y, two strings or sequences of hashable tokens of equal length k ≥ 1; cls, whether to append [CLS].
    Returns: two tuples of k (k + 1 with [CLS]) small integers, equal exactly where the tokens are.
    Raises: ValueError for strings that are empty or of unequal length.
    Source: section 3; the kernel depends on nothing else.
    """
    x, y = tokens_of(x), tokens_of(y)
    if len(x) != len(y):
        raise ValueError(f"strings of unequal length: {x!r} has {len(x)} tokens, {y!r} has {len(y)}; "
                         "the kernel compares strings of one length")
    if len(x) == 0:
        raise ValueError("empty strings: the kernel needs at least one token")
    return min(_rename(x, y, cls), _rename(y, x, cls))


def tokens_of(string: Sequence[Hashable]) -> Sequence[Hashable]:
    """The tokens of a string, those of an array or tensor as plain numbers (two tensors are never one dict key)."""
    return string.tolist() if hasattr(string, "tolist") else string


def _rename(x: Sequence[Hashable], y: Sequence[Hashable], cls: bool) -> Pattern:
    names: dict[Hashable, int] = {}
    first = tuple([names.setdefault(t, len(names)) for t in x])
    second = tuple([names.setdefault(t, len(names)) for t in y])
    end = (len(names),) if cls else ()
    return first + end, second + end


class SobolRule:
    """E[softmax(βm(X))ᵀ (XYᵀ + γ²I) softmax(βm(Y))] by randomised quasi-Monte-Carlo, for many patterns at once.

    Args: beta, β > 0; gamma, γ > 0; samples, points of the Gaussian (tokens + positions) in all; seed; device.

    Every pattern of one length uses the same points: independently scrambled Sobol sets, each with its mirror image.

    Source: section 3, K_attn.
    """

    def __init__(self, beta: float, gamma: float, samples: int, seed: int, device: str):
        self.beta, self.gamma, self.samples, self.seed = beta, gamma, samples, seed
        self.device = torch.device(device)
        self._points: dict[tuple[int, int], tuple[Tensor, Tensor]] = {}

    def __call__(self, patterns: Sequence[Pattern]) -> np.ndarray:
        """Estimates of K_attn, (len(patterns), RANDOMISATIONS) float64: their mean is the value."""
        result = np.empty((len(patterns), RANDOMISATIONS))
        groups: dict[int, list[int]] = {}
        for index, (x, _) in enumerate(patterns):
            groups.setdefault(len(x), []).append(index)
        for length, members in groups.items():
            step = max(1, _CHUNK // (self.samples * length))
            for start in range(0, len(members), step):
                chosen = members[start:start + step]
                result[chosen] = self._batch([patterns[i] for i in chosen], length)
        return result

    def _batch(self, patterns: list[Pattern], length: int) -> np.ndarray:
        x, y = (torch.tensor(side, device=self.device) for side in zip(*patterns, strict=True))  # (b, k)
        tokens, positions = self._gaussians(length)  # (n, 2k), (n, k)
        a = torch.softmax(self.beta * (tokens.T[x] + self.gamma * positions.T), dim=1)  # (b, k, n)
        c = torch.softmax(self.beta * (tokens.T[y] + self.gamma * positions.T), dim=1)  # (b, k, n)
        eye = torch.eye(length, dtype=torch.float64, device=self.device)
        middle = (x[:, :, None] == y[:, None, :]) + self.gamma**2 * eye  # (b, k, k): XYᵀ + γ²I
        each = (a * (middle @ c)).sum(1)  # (b, n)
        return each.unflatten(1, (RANDOMISATIONS, -1)).mean(2).cpu().numpy()

    def _gaussians(self, length: int) -> tuple[Tensor, Tensor]:
        """Standard normals ζ (samples, 2k) for the tokens and p (samples, k) for the positions of two strings."""
        if length not in self._points:
            size = max(1, self.samples // (2 * RANDOMISATIONS))
            sets = []
            for child in np.random.SeedSequence([self.seed, length]).spawn(RANDOMISATIONS):
                sobol = qmc.Sobol(3 * length, scramble=True, rng=np.random.default_rng(child))
                half = ndtri(np.clip(sobol.random(size), 1e-16, 1 - 1e-16))
                sets += [half, -half]
            points = torch.from_numpy(np.ascontiguousarray(np.concatenate(sets))).to(self.device)
            self._points[length] = points[:, length:], points[:, :length]
        return self._points[length]


Edge = tuple[int, int]  # a position with token s in x and token t in y
Component = tuple[tuple[Edge, int], ...]  # edges that share tokens, each with its number of positions
Factor = tuple[tuple[int, ...], Tensor]  # tokens, and a tensor (g, g, nodes of each token)
_MOST_TABLE = 15 * 10**6  # numbers in one table of the lattice rule
_MOST_WORK = 3 * 10**8  # multiplications in one of its contractions


class LatticeRule:
    """The same expectation by randomly shifted lattices: relative error about 1e-7, for moderate β.

    With D_X = Σ_i exp(βm(X)_i), softmax is ∫₀^∞ exp(βm(X)) exp(-λD_X) dλ. For given (λ, μ), one for each string, the
    expectation is a product over tokens and positions: a network of small matrices, one for each position, whose
    indices are the tokens' nodes, contracted token by token. The nodes of tokens, positions and log λ are equally
    spaced (the trapezoidal rule, whose error falls exponentially as they get closer). The lattices of tokens and log λ
    are shifted at random and differ in step: the spread of their results gives the standard error.

    The nodes and weights are the same for all tokens, positions and patterns, and positive: for each lattice the result
    is the exact kernel of a discrete law of ζ and p, so Gram matrices are positive semi-definite up to rounding.

    Args: beta, β > 0; gamma, γ > 0; seed; device.

    Source: section 3, K_attn.
    """

    def __init__(self, beta: float, gamma: float, seed: int, device: str):
        self.beta, self.gamma, self.device = beta, gamma, torch.device(device)
        self._shifts = np.random.default_rng([seed, 1]).random((RANDOMISATIONS, 2))
        spread = beta * math.hypot(1, gamma)  # of a logit
        # The trapezoidal rule errs by exp(-2π²/(βh)) for softmax's poles, exp(-π²/h) for λ's Γ; γp blurs both further.
        self._token_step = min(0.8, _step(math.pi**2 / beta, 0.15 * (math.pi * gamma) ** 2))
        self._log_step = min(1.1, 0.52 + 0.2 * spread, _step(math.pi**2 / 2, (math.pi * beta * gamma) ** 2 / 4))
        self._from, self._to = -5.4 * spread - math.log(32), 5.4 * spread + 3  # of log λ
        self._nodes, self._logs = self._sizes(RANDOMISATIONS - 1)
        self._table: dict[int, _LatticeTables] = {}

    def _sizes(self, r: int) -> tuple[int, int]:
        """Numbers of nodes for a token and for log λ in the r-th lattice, finer from one to the next."""
        finer = 1 - 0.06 * r
        return (2 * math.ceil(5.4 / (finer * self._token_step)) + 1,
                math.ceil((self._to - self._from + math.log(16)) / (finer * self._log_step)))

    def can(self, pattern: Pattern) -> bool:
        """Whether the pattern's contraction is cheap enough: not with large β, nor with tokens tied in many ways."""
        if (self._logs * self._nodes) ** 2 > _MOST_TABLE:
            return False
        width = max(_width(tuple(edge for edge, _ in component)) for component, _ in _components(*pattern))
        return self._logs**2 * self._nodes ** (width + 1) <= _MOST_WORK

    def __call__(self, patterns: Sequence[Pattern]) -> np.ndarray:
        """Estimates of K_attn, (len(patterns), RANDOMISATIONS) float64: one a lattice; their mean is the value."""
        result = np.empty((len(patterns), RANDOMISATIONS))
        if not len(patterns):
            return result
        small = (self._logs * self._nodes) ** 2 <= _MOST_TABLE // 8
        components = [_components(*pattern) for pattern in patterns]
        for r in range(RANDOMISATIONS):
            tables = self._table.get(r) or self._tables(r)
            if small:
                self._table[r] = tables  # else too large to keep
            result[:, r] = [tables.value(c) for c in components]
        return result

    def _tables(self, r: int) -> "_LatticeTables":
        (token_shift, log_shift), (nodes, logs), finer = self._shifts[r], self._sizes(r), 1 - 0.06 * r
        tokens = finer * self._token_step * (np.arange(nodes) - nodes // 2 + token_shift - 0.5)  # (q,)
        t = -math.log(16) + finer * self._log_step * (np.arange(logs) + log_shift)  # (g,)
        log_lam = self._from + t - np.exp(-t)  # (g,): the substitution ends the long left tail after a few steps
        d_lam = finer * self._log_step * np.exp(log_lam) * (1 + np.exp(-t))  # (g,)
        return _LatticeTables(self.beta, self.gamma, tokens, log_lam, d_lam, self.device)


def _step(pole: float, blur: float) -> float:
    """The step h with 2·pole/h + blur/h² = 15, an error of about exp(-15)."""
    return (pole + math.sqrt(pole**2 + 15 * blur)) / 15


class _LatticeTables:
    """The matrices of one lattice, and the components of patterns contracted so far."""

    def __init__(self, beta: float, gamma: float, tokens: np.ndarray, log_lam: np.ndarray, d_lam: np.ndarray,
                 device: torch.device):
        self.gamma = gamma
        self.d_lam = torch.from_numpy(d_lam).to(device)  # (g,)
        density = np.exp(-(tokens**2) / 2)
        weights = [density / density.sum() * np.exp(j * beta * tokens) for j in range(3)]
        self.weight = [torch.from_numpy(w).to(device) for w in weights]  # (q,): of ζ, times exp(jβζ)
        log_u = log_lam[:, None] + beta * tokens  # (g, q)
        psi = _position_functions(beta * gamma, log_u.min(), log_u.max() + math.log(2))
        edge = psi(np.logaddexp(log_u[:, None, :, None], log_u[None, :, None, :]))  # (g, g, q, q, 3)
        loop = psi(np.logaddexp(log_lam[:, None], log_lam)[:, :, None] + beta * tokens)  # (g, g, q, 3)
        self.edge = [torch.from_numpy(np.ascontiguousarray(edge[..., h])).to(device) for h in range(3)]
        self.loop = [torch.from_numpy(np.ascontiguousarray(loop[..., h])).to(device) for h in range(3)]
        self._known: dict[Component, tuple[Tensor, Tensor]] = {}

    def value(self, components: list[tuple[Component, bool]]) -> float:
        """K_attn: the integral over λ and μ of the product of components, one of them with numerators."""
        plain = torch.ones_like(self.loop[0][..., 0])  # (g, g)
        with_numerators = torch.zeros_like(plain)
        for component, swapped in components:
            if component not in self._known:
                self._known[component] = self._component(dict(component))
            base, changed = (t.T if swapped else t for t in self._known[component])
            with_numerators = with_numerators * base + plain * changed
            plain = plain * base
        return float(self.d_lam @ with_numerators @ self.d_lam)

    def _component(self, edges: dict[Edge, int]) -> tuple[Tensor, Tensor]:
        """A component without numerators, and the sum over its pairs of numerators, (g, g) each."""
        changed = sum(factor * self._contract(edges, powers, chosen)
                      for factor, powers, chosen in _numerators(edges, self.gamma))
        return self._contract(edges, Counter(), Counter()), changed

    def _contract(self, edges: dict[Edge, int], powers: Counter[int], chosen: Counter[tuple[Edge, int]]) -> Tensor:
        """The sum over all tokens' nodes, (g, g), with exp(powers·βζ), and exp(hβγp) at `chosen` positions."""
        factors = [((t,), self.weight[powers[t]].expand(len(self.d_lam), len(self.d_lam), -1))
                   for t in {t: None for edge in edges for t in edge}]
        for (s, t), n in edges.items():
            table = self.loop if s == t else self.edge
            tensor = None
            for h in (2, 1, 0):
                times = chosen[(s, t), h] if h else n - chosen[(s, t), 1] - chosen[(s, t), 2]
                if times:
                    power = table[h] if times == 1 else table[h] ** times
                    tensor = power if tensor is None else tensor * power
            factors.append(((s,) if s == t else (s, t), tensor))
        for token, _ in _elimination(tuple(edges)):
            touched = [f for f in factors if token in f[0]]
            factors = [f for f in factors if token not in f[0]] + [_sum_out(touched, token)]
        return math.prod(tensor for _, tensor in factors)


def _position_functions(scale: float, low: float, high: float) -> CubicSpline:
    """log u ↦ E_p[exp(h·scale·p) exp(-u·exp(scale·p))] for h = 0, 1, 2, interpolated from low to high."""
    step = min(0.5, 0.5 / scale)
    p = step * np.arange(-math.ceil(9 / step), math.ceil(9 / step) + 1)
    weights = np.exp(-(p**2) / 2)[:, None] * np.exp(scale * p[:, None] * np.arange(3))  # (n, 3)
    log_u = np.linspace(low, high, 4096)
    values = np.exp(-np.exp(log_u[:, None] + scale * p)) @ weights  # (4096, 3)
    return CubicSpline(log_u, values / np.exp(-(p**2) / 2).sum())


def _numerators(edges: dict[Edge, int],
                gamma: float) -> Iterator[tuple[float, Counter[int], Counter[tuple[Edge, int]]]]:
    """The pairs (i, j) of XYᵀ + γ²I among a component's positions: i is softmax(βm(X))'s numerator, j softmax(βm(Y))'s.

    Yields: how many, or γ² times that; powers of the tokens' exponentials; the numerators' positions.
    """
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


def _components(x: Sequence[int], y: Sequence[int]) -> list[tuple[Component, bool]]:
    """Positions grouped by the tokens they tie, each group renamed canonically, and whether x and y changed places."""
    edges = Counter(zip(x, y, strict=True))
    root = {t: t for edge in edges for t in edge}
    for s, t in edges:
        old, new = root[s], root[t]
        root = {token: new if r == old else r for token, r in root.items()}
    return [_canonical(tuple((edge, n) for edge, n in edges.items() if root[edge[0]] == r))
            for r in dict.fromkeys(root.values())]


@lru_cache(maxsize=2**16)
def _canonical(component: Component) -> tuple[Component, bool]:
    """The component with its tokens named 0, 1, …, x and y perhaps swapped: the first of all, if they are few."""
    tokens = list(dict.fromkeys(t for edge, _ in component for t in edge))
    orders = itertools.permutations(range(len(tokens))) if len(tokens) <= 5 else [range(len(tokens))]
    renamed = []
    for order in orders:
        name = dict(zip(tokens, order, strict=True))
        for swapped in (False, True):
            pairs = [((name[t], name[s]) if swapped else (name[s], name[t]), n) for (s, t), n in component]
            renamed.append((tuple(sorted(pairs)), swapped))
    return min(renamed)


@lru_cache(maxsize=4096)
def _elimination(edges: tuple[Edge, ...]) -> tuple[tuple[int, int], ...]:
    """An order in which to sum out a component's tokens, fewest neighbours first, with the number of neighbours."""
    neighbours = {t: set() for edge in edges for t in edge}
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


def _width(edges: tuple[Edge, ...]) -> int:
    return max(degree for _, degree in _elimination(edges))
