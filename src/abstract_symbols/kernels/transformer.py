"""K_trans, the kernel of the infinitely wide transformer, and the finite network whose features converge to it.

Source: section 3 of the paper, "transformer kernel".
"""

import math
from collections.abc import Callable, Hashable, Sequence

import numpy as np
import torch
from torch import Tensor

from ..templates import real, whole
from .attention import CLS, RANDOMISATIONS, LatticeRule, Pattern, SobolRule, canonical_pattern, tokens_of

String = Sequence[Hashable]


class TransformerKernel:
    """The kernel of the infinitely wide depth-1 transformer whose last layer is trained.

    Args:
        beta: inverse temperature β of the attention.
        gamma: strength γ of the positions.
        activation: φ of the MLP: "cos", "relu", "erf", "gelu" (closed forms), or a callable on tensors, elementwise
            (two-dimensional Gauss–Hermite: for smooth φ).
        b1, b2: the activation's argument is b1·t + b2; b2 only for "cos" and callables.
        cls: whether to append a [CLS] token, the same to all strings.
        samples: points of the Sobol rule, a power of 2.
        seed: of both rules' randomisations.
        device: where K_attn is evaluated, "cpu" or "cuda".
        method: how K_attn is evaluated. "lattice": `LatticeRule`, Gram matrices positive semi-definite up to rounding,
            relative standard error about 1e-7 for β ≤ 5 and below 1e-5 beyond, to β = 10 for γ ≤ 1 and β = 8 for γ = 2;
            "sobol": `SobolRule`, scrambled Sobol points, relative error about 1e-3, for all; "auto": the first unless
            β is larger or the strings tie many tokens together (four of x to four of y, say), else the second (then
            a Gram matrix is semi-definite up to the error only).

    What a pair of strings costs with the lattice grows about as β³, and with the number of tokens that are tied to each
    other, not with the length. Seconds on one core for AAB/CCB, two programs α=1;β=-1;print(α), and ABAB/CDDC, γ = 1:
    0.1, 0.2, 0.2 at β = 2; 0.4, 0.8, 1.0 at β = 5; 1.1, 2.1, 2.2 at β = 8; 2.1, 3.5, 3.3 at β = 10; up to three times
    that for γ = 2; half of it on two cores. The work of one pair is bounded (`LatticeRule.can`).

    Strings are `str` (every character a token) or sequences of hashable tokens such as integers. A kernel value
    depends only on which tokens are equal: it is computed once for each pattern, so that K(x, y) and K(y, x), and
    values of renamed strings, are equal bit for bit.

    Raises: ValueError for parameters that are not from 1e-30 to 1e30 (b2: its size at most 1e30), beyond which squares
        leave the range of floats; an unknown activation or method.

    Source: section 3, K_attn and K_trans.
    """

    def __init__(self, beta: float, gamma: float, activation: str | Callable[[Tensor], Tensor] = "cos", b1: float = 1.0,
                 b2: float = 0.0, cls: bool = True, samples: int = 2**17, seed: int = 0, device: str = "cpu",
                 method: str = "auto"):
        beta, gamma, b1 = (real(name, value, "a positive number from 1e-30 to 1e30, such as 1.0", 1e-30, 1e30)
                           for name, value in {"beta": beta, "gamma": gamma, "b1": b1}.items())
        b2 = real("b2", b2, "a number from -1e30 to 1e30, such as 0.0", -1e30, 1e30)
        if not callable(activation) and not (isinstance(activation, str) and activation in _CLOSED_FORMS):
            raise ValueError(f"activation {activation!r}: must be one of {', '.join(_CLOSED_FORMS)}, or a callable")
        if b2 and not callable(activation) and activation != "cos":
            raise ValueError(f"b2={b2}: {activation!r} has no closed form with it; leave b2 out or pass a callable")
        if not isinstance(samples, int) or samples < 4 * RANDOMISATIONS or samples & (samples - 1):
            raise ValueError(f"samples={samples}: must be a power of 2, at least {4 * RANDOMISATIONS}")
        self.beta, self.gamma, self.activation, self.b1, self.b2 = beta, gamma, activation, b1, b2
        self.cls, self.samples, self.seed, self.device = cls, samples, whole("seed", seed), device
        if method not in ("auto", "lattice", "sobol"):
            raise ValueError(f"method {method!r}: must be 'auto', 'lattice' or 'sobol'")
        self.method = method
        self._lattice = LatticeRule(beta, gamma, seed, device)
        self._sobol = SobolRule(beta, gamma, samples, seed, device)
        self._known: dict[Pattern, np.ndarray] = {}

    def __repr__(self) -> str:
        return (f"TransformerKernel(beta={self.beta}, gamma={self.gamma}, activation={self.activation!r}, "
                f"b1={self.b1}, b2={self.b2}, cls={self.cls})")

    def __call__(self, x: String, y: String) -> float:
        """K_trans(x, y) of two strings of equal length. Raises: ValueError for unequal lengths. Source: section 3."""
        return float(self.values([(x, y)])[0])

    def attention(self, x: String, y: String) -> float:
        """K_attn(x, y) of two strings of equal length. Raises: ValueError for unequal lengths. Source: section 3."""
        return float(self.attention_values([(x, y)])[0])

    def attention_error(self, x: String, y: String) -> float:
        """Standard error of `attention(x, y)`, from independent randomisations of its points."""
        return float(self.attention_errors([(x, y)])[0])

    def values(self, pairs: Sequence[tuple[String, String]]) -> np.ndarray:
        """K_trans of many pairs of strings at once.

        Args: pairs, of strings of equal length within a pair.
        Returns: (len(pairs),) float64.
        Raises: ValueError for strings of unequal length, or empty ones.
        Source: section 3, K_trans.
        """
        return self._dual(*(v.mean(1) for v in self._triples(pairs)))

    def errors(self, pairs: Sequence[tuple[String, String]]) -> np.ndarray:
        """Standard errors of `values(pairs)`, (len(pairs),) float64."""
        return _standard_error(self.estimates(pairs))

    def estimates(self, pairs: Sequence[tuple[String, String]]) -> np.ndarray:
        """K_trans by each randomisation of the points, (len(pairs), RANDOMISATIONS) float64, a column the same points.

        The columns are independent; the errors within one are not, and mostly cancel in differences of pairs.
        """
        xx, xy, yy = self._triples(pairs)
        return self._dual(xx.ravel(), xy.ravel(), yy.ravel()).reshape(xx.shape)

    def attention_values(self, pairs: Sequence[tuple[String, String]]) -> np.ndarray:
        """K_attn of many pairs of strings at once, (len(pairs),) float64; otherwise as `values`."""
        return self._estimates([canonical_pattern(x, y, self.cls) for x, y in pairs]).mean(1)

    def attention_errors(self, pairs: Sequence[tuple[String, String]]) -> np.ndarray:
        """Standard errors of `attention_values(pairs)`, (len(pairs),) float64."""
        return _standard_error(self._estimates([canonical_pattern(x, y, self.cls) for x, y in pairs]))

    def phi(self, t: Tensor) -> Tensor:
        """The activation at b1·t + b2, elementwise."""
        functions = {"cos": torch.cos, "relu": torch.relu, "erf": torch.erf, "gelu": torch.nn.functional.gelu}
        return (self.activation if callable(self.activation) else functions[self.activation])(self.b1 * t + self.b2)

    def _estimates(self, patterns: Sequence[Pattern]) -> np.ndarray:
        """K_attn by each randomisation, (len(patterns), r); new patterns are computed, in one batch."""
        new = [p for p in dict.fromkeys(patterns) if p not in self._known]
        if new:
            by_lattice = {p: self.method != "sobol" and self._lattice.can(p) for p in new}
            if self.method == "lattice" and not all(by_lattice.values()):
                raise ValueError(f"method 'lattice': beta={self.beta} is too large for it, or the strings tie too many "
                                 "tokens together; use method 'auto' or 'sobol'")
            for rule, chosen in ((self._lattice, True), (self._sobol, False)):
                if not (patterns_of_rule := [p for p in new if by_lattice[p] == chosen]):
                    continue  # a rule's tables cost seconds
                self._known.update(zip(patterns_of_rule, rule(patterns_of_rule), strict=True))
        return np.stack([self._known[p] for p in patterns]) if patterns else np.empty((0, RANDOMISATIONS))

    def _triples(self, pairs: Sequence[tuple[String, String]]) -> list[np.ndarray]:
        """K_attn(x, x), K_attn(x, y), K_attn(y, y) by each randomisation, in the pattern's order of x and y."""
        patterns = [canonical_pattern(x, y, self.cls) for x, y in pairs]
        wanted = []
        for x, y in patterns:
            wanted += [canonical_pattern(x, x, False), (x, y), canonical_pattern(y, y, False)]
        estimates = self._estimates(wanted)
        return [estimates[0::3], estimates[1::3], estimates[2::3]]

    def _dual(self, xx: np.ndarray, xy: np.ndarray, yy: np.ndarray) -> np.ndarray:
        """E[φ(b1 u + b2) φ(b1 v + b2)] for centred Gaussians with variances xx, yy and covariance xy, all (n,)."""
        if callable(self.activation):
            return gauss_hermite(self.phi, xx, xy, yy)
        if self.activation == "cos":
            return cos_dual(xx, xy, yy, self.b1, self.b2)
        return _CLOSED_FORMS[self.activation](self.b1**2 * xx, self.b1**2 * xy, self.b1**2 * yy)


def _standard_error(estimates: np.ndarray) -> np.ndarray:
    return estimates.std(1, ddof=1) / math.sqrt(estimates.shape[1])


def cos_dual(xx: np.ndarray, xy: np.ndarray, yy: np.ndarray, b1: float = 1.0, b2: float = 0.0) -> np.ndarray:
    """E[cos(b1 u + b2) cos(b1 v + b2)], (u, v) ~ N(0, [[xx, xy], [xy, yy]]). Source: section 3, K_trans."""
    minus, plus = np.exp(-b1**2 * (xx + yy - 2 * xy) / 2), np.exp(-b1**2 * (xx + yy + 2 * xy) / 2)
    return (minus + math.cos(2 * b2) * plus) / 2


def relu_dual(xx: np.ndarray, xy: np.ndarray, yy: np.ndarray) -> np.ndarray:
    """E[relu(u) relu(v)], the arc-cosine kernel of degree 1 (Cho and Saul, 2009)."""
    scale = np.sqrt(xx * yy)
    cosine = np.clip(xy / scale, -1, 1)
    return scale * (np.sqrt(1 - cosine**2) + (math.pi - np.arccos(cosine)) * cosine) / (2 * math.pi)


def erf_dual(xx: np.ndarray, xy: np.ndarray, yy: np.ndarray) -> np.ndarray:
    """E[erf(u) erf(v)], the arc-sine kernel (Williams, 1997)."""
    return 2 / math.pi * np.arcsin(2 * xy / np.sqrt((1 + 2 * xx) * (1 + 2 * yy)))


def gelu_dual(xx: np.ndarray, xy: np.ndarray, yy: np.ndarray) -> np.ndarray:
    """E[gelu(u) gelu(v)] for gelu(t) = t Φ(t), by Gaussian integration by parts from E[Φ(u)Φ(v)] and E[φ(u)φ(v)]."""
    both = (1 + xx) * (1 + yy)
    cdfs = 1 / 4 + np.arcsin(xy / np.sqrt(both)) / (2 * math.pi)
    densities = 1 / (2 * math.pi * np.sqrt(both - xy**2))
    return xy * cdfs + densities * (xx * yy + xy**2 * (1 - xx / (1 + xx) - yy / (1 + yy)))


def gauss_hermite(phi: Callable[[Tensor], Tensor], xx: np.ndarray, xy: np.ndarray, yy: np.ndarray,
                  nodes: int = 96) -> np.ndarray:
    """E[φ(u) φ(v)] by two-dimensional Gauss–Hermite quadrature: precise for smooth φ, poor for one with kinks.

    Args: phi, elementwise on float64 tensors; xx, xy, yy, variances and covariance, (n,); nodes, in each dimension.
    Returns: (n,) float64. Source: section 3, K_trans.
    """
    points, weights = np.polynomial.hermite_e.hermegauss(nodes)
    g, w = torch.from_numpy(points), torch.from_numpy(weights / weights.sum())
    result = np.empty(len(xx))
    for i, (a, c, b) in enumerate(zip(xx.tolist(), xy.tolist(), yy.tolist(), strict=True)):
        root = math.sqrt(a)
        u = root * g  # (nodes,)
        v = c / root * g[:, None] + math.sqrt(max(b - c**2 / a, 0.0)) * g  # (nodes, nodes)
        result[i] = torch.dot(w * phi(u), phi(v) @ w)
    return result


class FiniteTransformer:
    """The finite network of the theory at its random initialisation, whose features φ(W_A z₁)/√d_mlp give K_trans.

    Z₀ = X W_E + γP; head h gives z₁ its Z₀ᵀ softmax(β Z₀ W_{K,h}ᵀ W_{Q,h} e) times W_{V,h}ᵀ W_{O,h} / √H, e being the
    last row of Z₀ ([CLS]). All entries are independent Gaussians of mean 0: W_A and W_K of variance 1, W_E, P and W_O
    1/d_emb, W_V 1/d_head, and W_Q 1/((1 + γ²) d_head), so that a head's logits have covariance β²(XXᵀ + γ²I). The inner
    product of two strings' features then differs from `kernel(x, y)` by O(width^(-1/2)).

    Args:
        kernel: the limit; its β, γ, activation, b1, b2 and cls are the network's.
        width: number of heads H, dimensions d_emb and d_head, and number of features d_mlp, unless given singly.
        seed: of all weights. Heads are drawn again at each call rather than kept: time O(H · d_emb · d_head).

    Raises: ValueError for widths that are not positive integers.

    Source: section 3, the depth-1 transformer.
    """

    def __init__(self, kernel: TransformerKernel, width: int = 256, *, heads: int | None = None,
                 d_emb: int | None = None, d_head: int | None = None, d_mlp: int | None = None, seed: int = 0):
        for name, value in {"width": width, "heads": heads, "d_emb": d_emb, "d_head": d_head, "d_mlp": d_mlp}.items():
            if value is not None and (not isinstance(value, int) or value < 1):
                raise ValueError(f"{name}={value!r}: must be a positive integer, such as 256")
        self.kernel, self.seed = kernel, seed
        self.heads, self.d_emb, self.d_head, self.d_mlp = (v or width for v in (heads, d_emb, d_head, d_mlp))
        self._tokens: dict[Hashable, np.ndarray] = {}
        self._token_rng = np.random.default_rng([seed, 0])

    def features(self, strings: Sequence[String]) -> Tensor:
        """The features of strings, (n, d_mlp) float64.

        Args: strings, n of equal length. A token keeps its embedding from call to call.
        Raises: ValueError for strings of unequal length, or empty ones.
        Source: section 3, z₂ without the trained last layer.
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


_CLOSED_FORMS: dict[str, Callable[..., np.ndarray]] = {"cos": cos_dual, "relu": relu_dual, "erf": erf_dual,
                                                       "gelu": gelu_dual}
