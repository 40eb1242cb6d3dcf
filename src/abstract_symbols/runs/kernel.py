"""Runs that measure what the kernel predicts: its ridge regression, Gram matrices, eigenvalues, finite widths.

Source: section 3 of the paper, where the last layer alone is trained; the chapters that each class names.
"""

import math
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import numpy as np
import torch

from companion.runs import Job

from ..ensembles import Member
from ..kernels import FiniteTransformer, KernelRidge, TransformerKernel, template_matrix
from ..kernels.finite import last_layer
from ..kernels.prediction import predicted_samples
from ..kernels.ridge import gram_matrix
from ..kernels.template_matrix import smallest_eigenvalue
from ..tasks import task
from ..templates import Sample, TemplateTask
from .distributions import distinct_strings
from .training import Run


@dataclass(frozen=True)
class KernelJob(Job):
    """A measurement with the transformer's kernel, φ(t) = cos(b1 t + b2)."""

    task: str
    seed: int
    beta: float = 2.0
    gamma: float = 1.0
    b1: float = 2.0
    b2: float = 0.3

    def kernel(self, device: str = "cpu") -> TransformerKernel:
        """The kernel, one for all of a process's runs with these parameters: it keeps the values that it has found."""
        return _kernel(self.beta, self.gamma, self.b1, self.b2, device)


def rms(x: np.ndarray) -> float:
    """Returns the root mean square of an array's entries."""
    return float(np.sqrt((x**2).mean()))


@cache
def _kernel(beta: float, gamma: float, b1: float, b2: float, device: str) -> TransformerKernel:
    return TransformerKernel(beta, gamma, "cos", b1, b2, device=device)


@dataclass(frozen=True)
class RidgeRun(KernelJob):
    """Kernel ridge regression on n strings, and its error on unseen strings.

    alphabet: the number m of training symbols, n if None. noise: σ of the labels. zipf: exponent of the substitution's
    law, 0 for uniform. Errors are root mean squares over templates, weighted as the task draws them; `error` is that of
    f̂ − f*, `label_mean_error` that of the mean of the template's (noisy) training labels, `gap` the distance between
    the two predictors, `worst` the largest |f̂ − f*|. `rho` is the diversity of the substitution.

    Source: section 3, the kernel theorem; the chapter "Learning from n strings".
    """

    METRICS: ClassVar[dict[str, type]] = {
        "error": float, "worst": float, "label_mean_error": float, "gap": float, "rho": float, "iterations": int}

    n: int = 1000
    alphabet: int | None = None
    ridge: float = 1e-2
    noise: float = 0.0
    zipf: float = 0.0

    def cost(self) -> float:
        """Linear in n."""
        return 100 + self.n / 100

    def measure(self, device: str) -> dict[str, float]:
        """Fit, and predict one unseen string of each template: the kernel gives all of them the same value."""
        plain, size = task(self.task), self.alphabet or self.n
        if plain.symbolic:
            raise ValueError(f"task {self.task!r} has symbolic labels; a squared error needs real ones")
        t = TemplateTask(plain.labels, noise=self.noise, name=plain.name)
        sample = t.sample(self.n, size, seed=self.seed, zipf=self.zipf)
        model = KernelRidge(self.kernel(device), self.ridge).fit(sample)
        unseen = range(sample.alphabet.stop, sample.alphabet.stop + t.wildcards)
        strings = torch.cat([distinct_strings(t, i, unseen)[:1] for i in range(len(t.templates))])
        predicted = model.predict(strings)  # (r,)
        counts = torch.bincount(sample.templates, minlength=len(t.templates)).numpy()
        sums = np.bincount(sample.templates.numpy(), weights=sample.labels.numpy(), minlength=len(t.templates))
        means = sums / np.maximum(counts, 1)

        def rms(x: np.ndarray) -> float:
            return math.sqrt(float(t.probabilities @ x**2))

        return {"error": rms(predicted - t.values), "worst": float(np.abs(predicted - t.values).max()),
                "label_mean_error": rms(means - t.values), "gap": rms(predicted - means),
                "rho": t.diversity(size, zipf=self.zipf), "iterations": model.iterations}


@dataclass(frozen=True)
class GramRun(KernelJob):
    """How far the Gram matrix of n sampled strings is from constant blocks: N_ij for strings of templates i and j.

    deviation: the root mean square of its off-diagonal entries minus N's, over the root mean square of those entries.
    collisions: the share of pairs of strings that have a symbol in common.

    Source: section 3, the kernel theorem's proof; the chapter "The transformer's kernel".
    """

    METRICS: ClassVar[dict[str, type]] = {"deviation": float, "collisions": float}

    n: int = 1000
    alphabet: int = 1000

    def measure(self, device: str) -> dict[str, float]:
        """The metrics."""
        t, kernel = task(self.task), self.kernel(device)
        sample = t.sample(self.n, self.alphabet, seed=self.seed)
        blocks = template_matrix(t, kernel)[sample.templates.numpy()[:, None], sample.templates.numpy()]
        off = ~np.eye(self.n, dtype=bool)
        gram = gram_matrix(kernel, sample)[off]
        difference = gram - blocks[off]
        return {"deviation": float(np.sqrt((difference**2).mean() / (gram**2).mean())),
                "collisions": float((difference != 0).mean())}


@dataclass(frozen=True)
class WidthRun(KernelJob):
    """How far the inner products of a finite transformer's random features are from the kernel.

    The strings are two of each template, one symbol shared between them; error: the root mean square over their pairs.

    Source: section 3, the infinite width; the chapter "The transformer's kernel".
    """

    METRICS: ClassVar[dict[str, type]] = {"error": float}

    width: int = 64

    def cost(self) -> float:
        """Heads times the size of their matrices."""
        return (self.width / 64) ** 3

    def measure(self, device: str) -> dict[str, float]:
        """The metrics."""
        t, kernel = task(self.task), self.kernel(device)
        strings = [z.substitute(symbols[:len(z.wildcards)]) for z in t.templates for symbols in ("ABCDEF", "UAWXYZ")]
        limit = kernel.values([(x, y) for x in strings for y in strings]).reshape(len(strings), -1)
        difference = FiniteTransformer(kernel, self.width, seed=self.seed).gram(strings) - limit
        return {"error": rms(difference)}


@dataclass(frozen=True)
class PredictionRun(KernelJob):
    """The last layer of a finite transformer, fitted by ridge regression, against kernel ridge regression.

    Both learn n strings over n symbols with the same ridge. width: the finite transformer's d_emb and number of heads;
    its d_head is a quarter of that, d_mlp 16 times that. difference: root mean square between the two predictions on
    `unseen` strings over as many other symbols; seen_difference: on the training strings. kernel_error, network_error:
    root mean square distance of their predictions on the unseen strings from the labels.

    Source: section 3, training the last layer; the chapter "From kernel to network".
    """

    METRICS: ClassVar[dict[str, type]] = {
        "difference": float, "seen_difference": float, "kernel_error": float, "network_error": float}

    width: int = 64
    n: int = 256
    unseen: int = 128
    ridge: float = 1e-2

    def cost(self) -> float:
        """Heads times the size of their matrices."""
        return (self.width / 64) ** 3

    def samples(self) -> tuple[Sample, Sample]:
        """The training strings and the unseen ones."""
        t = task(self.task)
        seen, unseen = t.alphabets(self.n, self.unseen)
        return t.sample(self.n, seen, seed=(self.seed, 0)), t.sample(self.unseen, unseen, seed=(self.seed, 1))

    def predictions(self, device: str = "cpu") -> tuple[np.ndarray, np.ndarray]:
        """The network's and the kernel's predictions, (n + unseen,) each, for the training strings, then the others."""
        train, test = self.samples()
        tokens, kernel = torch.cat([train.tokens, test.tokens]), self.kernel(device)
        network = FiniteTransformer(kernel, self.width, d_head=max(1, self.width // 4), d_mlp=16 * self.width,
                                    seed=self.seed)
        return (last_layer(network, train, test.tokens, self.ridge),
                KernelRidge(kernel, self.ridge).fit(train).predict(tokens))

    def measure(self, device: str) -> dict[str, float]:
        """The metrics."""
        network, kernel = self.predictions(device)
        labels = self.samples()[1].labels.numpy()
        return {"difference": rms((network - kernel)[self.n:]), "seen_difference": rms((network - kernel)[:self.n]),
                "kernel_error": rms(kernel[self.n:] - labels), "network_error": rms(network[self.n:] - labels)}


@dataclass(frozen=True)
class EigenvalueRun(KernelJob):
    """The smallest eigenvalue of a task's template matrix, with its standard error; seed: of the integration rule.

    Source: section 3, the kernel theorem; the chapter "The template matrix".
    """

    METRICS: ClassVar[dict[str, type]] = {"eigenvalue": float, "standard_error": float}

    def measure(self, device: str) -> dict[str, float]:
        """The metrics."""
        kernel = TransformerKernel(self.beta, self.gamma, "cos", self.b1, self.b2, seed=self.seed, device=device)
        value, error = smallest_eigenvalue(task(self.task), kernel)
        return {"eigenvalue": value, "standard_error": error}


@dataclass(frozen=True)
class StringsRun(KernelJob):
    """How many training strings the template matrix predicts for an error of one half on unseen symbols.

    seed: which task is drawn, where the task is random. No symbol repeats. `eigenvalue` is the template matrix's
    smallest. Source: ours; `predicted_samples`, and the chapter "Random tasks".
    """

    METRICS: ClassVar[dict[str, type]] = {"strings": float, "eigenvalue": float}

    ridge: float = 1e-2

    def cost(self) -> float:
        """Each pair of templates has its kernel values."""
        t = task(self.task, self.seed)
        return len(t.templates) ** 2 * t.length

    def measure(self, device: str) -> dict[str, float]:
        """Solve for the strings. Raises: ValueError for labels other than ±1, whose error without data is not 1."""
        t, kernel = task(self.task, self.seed), self.kernel(device)
        if t.symbolic or set(np.abs(t.values)) != {1.0}:
            raise ValueError(f"task {self.task!r}: the labels must be ±1; take another task")
        return {"strings": predicted_samples(t, kernel, self.ridge, alphabet=math.inf),
                "eigenvalue": float(np.linalg.eigvalsh(template_matrix(t, kernel))[0])}


@dataclass(frozen=True)
class DrawnRun(Run):
    """A run, with the number of strings that the template matrix predicts for its task: see `StringsRun`.

    Source: ours; the chapter "Random tasks".
    """

    METRICS: ClassVar[dict[str, type]] = {**Run.METRICS, "predicted": float}

    def measure_network(self, member: Member) -> dict[str, float]:
        """The prediction, which knows nothing of the trained network."""
        return {"predicted": StringsRun(self.task, self.seed).measure("cpu")["strings"]}
