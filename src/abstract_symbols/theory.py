"""The theory's measurements as runs: laws of outputs on unseen strings, the kernel, its ridge regression, last layers.

Each kind's fields decide its numbers, and `perform` gives them; grids of them are experiments like any other.
Source: section 3 of the paper; the chapters that each class names.
"""

import math
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import numpy as np
import torch
from scipy import stats
from torch import Tensor, nn

from .copying import PARAMETERS, CopyModel, overlap, progress_law, span_share
from .ensembles import Ensemble, Member
from .kernels import FiniteTransformer, KernelRidge, TransformerKernel, template_matrix
from .kernels.ridge import gram_matrix
from .kernels.template_matrix import predicted_samples, smallest_eigenvalue
from .networks import Linear, Transformer
from .runs import Job, Run
from .tasks import task
from .templates import Sample, TemplateTask


def distinct_strings(t: TemplateTask, template: int, symbols: range) -> Tensor:
    """As many strings of a template as there are symbols for, no symbol used twice: (n, k) token ids.

    Their outputs are independent where the network's law does not depend on the symbols' names.
    Source: the chapter "Why fully-connected networks cannot".
    """
    z = t.templates[template]
    n = len(symbols) // max(1, len(z.wildcards))
    values = torch.arange(symbols.start, symbols.start + n * len(z.wildcards)).view(n, len(z.wildcards))
    columns = [values[:, z.wildcards.index(c)] if c in z.wildcards else torch.full((n,), t.regular.index(c))
               for c in z.pattern]
    return torch.stack(columns, dim=1)


@dataclass(frozen=True)
class LawRun(Run):
    """One trained network, and whether its outputs on unseen strings of the first two templates have one law.

    The test alphabet's symbols are dealt out, each to one string, half of them to each template; p_value is that of the
    two-sample Kolmogorov–Smirnov test between the outputs. Given the trained weights, the outputs of an MLP are then
    independent draws, so that the test is exact for a single run. Other fields and metrics: `Run`'s.

    Source: section 3, the MLP theorem; the chapter "Why fully-connected networks cannot".
    """

    METRICS: ClassVar[dict[str, type]] = {**Run.METRICS, "p_value": float, "statistic": float, "spread": float}

    def outputs(self, member: Member) -> list[np.ndarray]:
        """The network's outputs on unseen strings of each of the first two templates."""
        unseen, half = member.test.alphabet, len(member.test.alphabet) // 2
        alphabets = unseen[:half], unseen[half:]
        device = next(member.network.parameters()).device
        with torch.no_grad():
            return [member.network(distinct_strings(member.test.task, i, symbols).to(device)).double().cpu().numpy()
                    for i, symbols in enumerate(alphabets)]

    def measure(self, member: Member) -> dict[str, float]:
        """p_value and statistic of the test, and spread, the standard deviation of all outputs."""
        outputs = self.outputs(member)
        test = stats.ks_2samp(*outputs, method="asymp")
        return {"p_value": float(test.pvalue), "statistic": float(test.statistic),
                "spread": float(np.concatenate(outputs).std())}


@dataclass(frozen=True)
class AnswerRun(Run):
    """One trained network with symbolic answers, and what it answers to the test strings: shares of them.

    other: not the label but another of the string's symbols that stand for wildcards; neither: none of them. Taken
    with the last epoch's weights. Other fields and metrics: `Run`'s.

    Source: section 4, symbolic labels; the experiment `program-symbolic`.
    """

    METRICS: ClassVar[dict[str, type]] = {**Run.METRICS, "other": float, "neither": float}

    def measure(self, member: Member) -> dict[str, float]:
        sample, device = member.test, next(member.network.parameters()).device
        with torch.no_grad():
            answers = torch.cat([member.network(rows.to(device)).argmax(-1).cpu() for rows in sample.tokens.split(256)])
        right = answers == sample.labels
        in_string = (sample.tokens == answers[:, None]).any(1) & (answers >= len(sample.task.regular))
        return {"other": float((in_string & ~right).double().mean()), "neither": float((~in_string).double().mean())}


class FrozenFeatures(nn.Module):
    """A linear map read from fixed features: "token" i is row i of the features. What training the last layer trains.

    Args: features, (N, d). Source: the chapter "From kernel to network".
    """

    def __init__(self, features: Tensor, readout: Linear):
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
        return Member(FrozenFeatures(features, network.readout), *samples, lr=self.lr, seed=self.seed)

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

    def measure(self, member: Member) -> dict[str, float]:
        found = {}
        for when, network in (("before", self.member().network), ("after", member.network)):
            logits = cls_logits(network, member.test.tokens.to(next(network.parameters()).device)).double()
            found[f"logits_{when}"] = float(logits.std())
            found[f"largest_{when}"] = float(logits.softmax(-1).amax(-1).mean())
        return found


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

    @classmethod
    def perform(cls, runs: "list[KernelJob]", device: str) -> list[dict[str, float]]:
        """Measure each run."""
        return [run.measure(device) for run in runs]

    def measure(self, device: str) -> dict[str, float]:
        """The metrics of this run."""
        raise TypeError(f"{type(self).__name__} does not say what it measures")


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
        t, kernel = task(self.task), self.kernel(device)
        strings = [z.substitute(symbols[:len(z.wildcards)]) for z in t.templates for symbols in ("ABCDEF", "UAWXYZ")]
        limit = kernel.values([(x, y) for x in strings for y in strings]).reshape(len(strings), -1)
        difference = FiniteTransformer(kernel, self.width, seed=self.seed).gram(strings) - limit
        return {"error": float(np.sqrt((difference**2).mean()))}


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
        gram = network.gram(tokens.tolist())[:, :self.n]  # (n + unseen, n)
        weights = np.linalg.solve(gram[:self.n] + self.ridge * np.eye(self.n), train.labels.numpy())  # (n,)
        return gram @ weights, KernelRidge(kernel, self.ridge).fit(train).predict(tokens)

    def measure(self, device: str) -> dict[str, float]:
        network, kernel = self.predictions(device)
        labels = self.samples()[1].labels.numpy()
        def rms(x: np.ndarray) -> float:
            return float(np.sqrt((x**2).mean()))
        return {"difference": rms((network - kernel)[self.n:]), "seen_difference": rms((network - kernel)[:self.n]),
                "kernel_error": rms(kernel[self.n:] - labels), "network_error": rms(network[self.n:] - labels)}


@dataclass(frozen=True)
class EigenvalueRun(KernelJob):
    """The smallest eigenvalue of a task's template matrix, with its standard error; seed: of the integration rule.

    Source: section 3, the kernel theorem; the chapter "The template matrix".
    """

    METRICS: ClassVar[dict[str, type]] = {"eigenvalue": float, "standard_error": float}

    def measure(self, device: str) -> dict[str, float]:
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

    def measure(self, member: Member) -> dict[str, float]:
        """The prediction, which knows nothing of the trained network."""
        return {"predicted": StringsRun(self.task, self.seed).measure("cpu")["strings"]}


@dataclass(frozen=True)
class ProgressRun(Job):
    """The theory's model for copying, at initialisation: how far the gradient on n seen symbols helps unseen ones.

    The progress ratio of a parameter θ is ⟨∇_θ L_test, ∇_θ L_train⟩ / ‖∇_θ L_train‖²: under gradient flow of θ alone,
    at any learning rate, the fall of the unseen test loss per unit of train loss. The train strings are the n seen
    symbols, the test strings all `test` unseen ones; the vocabulary is both. Metrics: the ratio of every parameter;
    w_v_over_law, that of W_V over `progress_law`'s; span, the mean share of an unseen embedding's squared length in the
    span of the seen ones; both losses. Gradients of a and b (one number a head) are taken at a = b = 0.

    Source: section 4, the copy theorem; the chapter "Why copying fails".
    """

    METRICS: ClassVar[dict[str, type]] = {name: float for name in (
        *PARAMETERS, "w_v_over_law", "span", "train_loss", "test_loss")}

    d_emb: int
    n: int
    seed: int
    heads: int = 4
    test: int = 256
    gamma: float = 0.01
    beta: float = 1.0

    def cost(self) -> float:
        """Its matrices are d_emb × d_emb."""
        return 1 + (self.d_emb / 128) ** 2

    def model(self) -> tuple[CopyModel, Tensor, Tensor]:
        """The model, the seen and the unseen symbols."""
        symbols = torch.arange(self.n + self.test)
        model = CopyModel(len(symbols), self.d_emb, heads=self.heads, gamma=self.gamma, beta=self.beta, seed=self.seed)
        return model, symbols[:self.n], symbols[self.n:]

    @classmethod
    def perform(cls, runs: "list[ProgressRun]", device: str) -> list[dict[str, float]]:
        """Measure each run, on the CPU."""
        return [run.measure() for run in runs]

    def measure(self) -> dict[str, float]:
        """The metrics of this run."""
        model, seen, unseen = self.model()
        train, test = model.gradients(seen), model.gradients(unseen)
        ratios = {name: overlap(name, test, train) / overlap(name, train, train) for name in PARAMETERS}
        return ratios | {
            "w_v_over_law": ratios["w_v"] / progress_law(self.n, self.d_emb, self.test, self.gamma),
            "span": float(span_share(model.E[seen], model.E[unseen]).mean()),
            "train_loss": float(train["loss"]), "test_loss": float(test["loss"])}


def mean_cosine(vectors: Tensor) -> float:
    """The mean cosine between two different ones of n vectors, (n, d); that with a zero vector counts as 0."""
    vectors, n = vectors.double(), len(vectors)
    norms = vectors.norm(dim=-1, keepdim=True)
    unit = vectors / norms.where(norms > 0, 1.0)
    return float((unit.sum(0).square().sum() - unit.square().sum()) / (n * (n - 1)))


@dataclass(frozen=True)
class EmbeddingRun(Run):
    """What `epochs` epochs of training have done to the embeddings of the test alphabet's symbols, which it never saw.

    For symbolic labels; no stop rule and no validation, all `epochs` are trained. Metrics: `cosine` between two of the
    embeddings, `change_cosine` between two of their changes since the start (means over pairs; 0 for independent
    vectors, 1 for one direction), `change`, their length over the embeddings' at the start, both root mean squares.
    `train_loss` is the last epoch's. `error` is the share of wrong answers to the test strings, `to_seen` the share
    answered with a symbol of the training alphabet, `among_unseen` the share of wrong answers when none but the test
    alphabet's symbols are allowed.

    Source: ours; the chapter `which-repair`.
    """

    METRICS: ClassVar[dict[str, type]] = {name: float for name in (
        "cosine", "change_cosine", "change", "train_loss", "error", "to_seen", "among_unseen")}

    def cost(self) -> float:
        """Strings trained on, and those of the test."""
        return (self.n * self.epochs + self.evaluation) * (self.d_emb or 128) / 128

    @classmethod
    def perform(cls, runs: "list[EmbeddingRun]", device: str) -> list[dict[str, float]]:
        """Train the runs' networks together, and measure each."""
        first, members = runs[0], [run.member() for run in runs]
        starts = [member.network.tokens.detach().clone() for member in members]
        ensemble = Ensemble(members, first.optimizer, device, first.decay or 0.0, bool(first.reset),
                            first.dropout or 0.0)
        for _ in range(first.epochs):
            losses = ensemble.epoch(first.batch)
        for member, weights in zip(members, ensemble.theta.detach().cpu(), strict=True):
            nn.utils.vector_to_parameters(weights, [p for p in member.network.parameters() if p.requires_grad])
        return [{"train_loss": loss, **run.measure(member, start)}
                for run, member, start, loss in zip(runs, members, starts, losses, strict=True)]

    @torch.no_grad()
    def measure(self, member: Member, start: Tensor) -> dict[str, float]:
        """The metrics of a trained network (on the CPU), but for the train loss."""
        unseen, test = slice(member.test.alphabet.start, member.test.alphabet.stop), member.test
        before, after = start[unseen], member.network.tokens[unseen]
        logits = torch.cat([member.network(part) for part in test.tokens.split(1024)])       # (n, vocab)
        answers, allowed = logits.argmax(1), logits[:, unseen].argmax(1) + unseen.start      # (n,)
        change = (after - before).double()
        return {"cosine": mean_cosine(after), "change_cosine": mean_cosine(change),
                "change": float(change.norm() / before.double().norm()),
                "error": float((answers != test.labels).double().mean()),
                "to_seen": float((answers < member.train.alphabet.stop).double().mean()),
                "among_unseen": float((allowed != test.labels).double().mean())}
