"""K_trans, the kernel of the infinitely wide transformer.

Source:
    section 3 of the paper, "transformer kernel".
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from ..checks import check_integer, check_real, one_of
from .activations import CLOSED_FORMS, cos_dual, gauss_hermite
from .lattice import LatticeRule
from .patterns import Pattern, String, canonical_pattern
from .sobol import RANDOMISATIONS, SobolRule


class TransformerKernel:
    """The kernel of the infinitely wide depth-1 transformer whose last layer is trained.

    Args:
        beta: inverse temperature β of the attention.
        gamma: strength γ of the positions.
        activation: φ of the MLP: "cos", "relu", "erf", "gelu" (closed forms), or a callable on tensors, elementwise
            (two-dimensional Gauss–Hermite: for smooth φ).
        b1: the activation's argument is b1·t + b2.
        b2: its shift, only for "cos" and callables.
        cls: whether to append a [CLS] token, the same for all strings.
        samples: points of the Sobol rule, a power of 2.
        seed: of both rules' randomisations.
        device: where K_attn is evaluated, "cpu" or "cuda".
        method: how K_attn is evaluated. "lattice": `LatticeRule`, Gram matrices positive semi-definite up to rounding,
            relative standard error about 1e-7 for β ≤ 5 and below 1e-5 beyond, to β = 10 for γ ≤ 1 and β = 8 for γ = 2;
            "sobol": `SobolRule`, scrambled Sobol points, relative error about 1e-3, for all; "auto": the first unless
            β is larger or the strings tie many tokens together (four of x to four of y, say), else the second (then
            a Gram matrix is semi-definite up to the error only).

    The lattice's cost for a pair of strings grows about as β³, and with the number of tokens that are tied to each
    other, not with the length. For AAB/CCB with γ = 1 it takes 0.1 s on one core at β = 2, 0.4 s at β = 5 and 2.1 s at
    β = 10; for two programs α=1;β=-1;print(α), twice that; with γ = 2, up to three times. The work of one pair is
    bounded (`LatticeRule.is_affordable`).

    Strings are `str` (every character a token) or sequences of hashable tokens such as integers. A kernel value
    depends only on which tokens are equal: it is computed once for each pattern, so that K(x, y) and K(y, x), and
    values of renamed strings, are equal bit for bit.

    Raises:
        ValueError: for parameters outside 1e-30 to 1e30 (b2: −1e30 to 1e30), beyond which squares leave the range of
            floats; for an unknown activation or method.

    Source:
        section 3, K_attn and K_trans.
    """

    def __init__(self, beta: float, gamma: float, activation: str | Callable[[Tensor], Tensor] = "cos", b1: float = 1.0,
                 b2: float = 0.0, cls: bool = True, samples: int = 2**17, seed: int = 0, device: str = "cpu",
                 method: str = "auto") -> None:
        beta, gamma, b1 = (check_real(name, value, "a positive number from 1e-30 to 1e30, such as 1.0", 1e-30, 1e30)
                           for name, value in {"beta": beta, "gamma": gamma, "b1": b1}.items())
        b2 = check_real("b2", b2, "a number from -1e30 to 1e30, such as 0.0", -1e30, 1e30)
        if not callable(activation) and not (isinstance(activation, str) and activation in CLOSED_FORMS):
            raise ValueError(f"activation {activation!r}: must be one of {', '.join(CLOSED_FORMS)}, or a callable")
        if b2 and not callable(activation) and activation != "cos":
            raise ValueError(f"b2={b2}: {activation!r} has no closed form with it; leave b2 out or pass a callable")
        if not isinstance(samples, int) or samples < 4 * RANDOMISATIONS or samples & (samples - 1):
            raise ValueError(f"samples={samples}: must be a power of 2, at least {4 * RANDOMISATIONS}")
        self.beta, self.gamma, self.activation, self.b1, self.b2 = beta, gamma, activation, b1, b2
        self.cls, self.samples, self.seed, self.device = cls, samples, check_integer("seed", seed), device
        self.method = one_of("method", method, ("auto", "lattice", "sobol"))
        self._lattice = LatticeRule(beta, gamma, seed, device)
        self._sobol = SobolRule(beta, gamma, samples, seed, device)
        self._known: dict[Pattern, np.ndarray] = {}

    def __repr__(self) -> str:
        return (f"TransformerKernel(beta={self.beta}, gamma={self.gamma}, activation={self.activation!r}, "
                f"b1={self.b1}, b2={self.b2}, cls={self.cls})")

    def __call__(self, x: String, y: String) -> float:
        """K_trans(x, y) of two strings of equal length; see `values`."""
        return float(self.values([(x, y)])[0])

    def attention(self, x: String, y: String) -> float:
        """K_attn(x, y) of two strings of equal length; see `attention_values`."""
        return float(self.attention_values([(x, y)])[0])

    def attention_error(self, x: String, y: String) -> float:
        """Standard error of `attention(x, y)`, from independent randomisations of its points."""
        return float(self.attention_errors([(x, y)])[0])

    def values(self, pairs: Sequence[tuple[String, String]]) -> np.ndarray:
        """K_trans of many pairs of strings at once.

        Args:
            pairs: two strings each, of equal length within a pair.

        Returns:
            (len(pairs),) float64.

        Raises:
            ValueError: for strings of unequal length, or empty ones.

        Source:
            section 3, K_trans.
        """
        return self._dual(*(v.mean(1) for v in self._triples(pairs)))

    def errors(self, pairs: Sequence[tuple[String, String]]) -> np.ndarray:
        """Standard errors of `values(pairs)`, (len(pairs),) float64."""
        return _standard_error(self.estimates(pairs))

    def estimates(self, pairs: Sequence[tuple[String, String]]) -> np.ndarray:
        """K_trans by each randomisation, (len(pairs), RANDOMISATIONS) float64; a column uses the same points.

        The columns are independent; the errors within one are not, and mostly cancel in differences of pairs.
        """
        xx, xy, yy = self._triples(pairs)
        return self._dual(xx.ravel(), xy.ravel(), yy.ravel()).reshape(xx.shape)

    def attention_values(self, pairs: Sequence[tuple[String, String]]) -> np.ndarray:
        """K_attn of many pairs of strings at once, (len(pairs),) float64; arguments and errors as for `values`."""
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
            by_lattice = {p: self.method != "sobol" and self._lattice.is_affordable(p) for p in new}
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
        return CLOSED_FORMS[self.activation](self.b1**2 * xx, self.b1**2 * xy, self.b1**2 * yy)


def _standard_error(estimates: np.ndarray) -> np.ndarray:
    return estimates.std(1, ddof=1) / math.sqrt(estimates.shape[1])
