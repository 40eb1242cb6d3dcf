"""Templates, template tasks and their samples: from `{"αα": +1, "αβ": -1}` to token tensors.

Source:
    section 2 of the paper; the chapter "Same or different?".
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import torch
from torch import Tensor

from .checks import TINY, check_integer, check_real

WILDCARDS = "αβγδεζηθικλμνξοπρστυφχψω"


class Template:
    """A string of regular tokens and wildcards (lowercase Greek letters), such as `αβα` or `print(α)`.

    Attributes:
        pattern: the string.
        length: k.
        wildcards: the distinct wildcards in order of appearance.
        regular: the distinct regular tokens in order of appearance.
        classes: for each position the index of its character among the distinct ones of the pattern.

    Raises:
        ValueError: for an empty pattern or one that is no string.

    Source:
        section 2, "template".
    """

    def __init__(self, pattern: str) -> None:
        if not isinstance(pattern, str) or not pattern:
            raise ValueError(f"template {pattern!r}: must be a non-empty string such as 'αβα'")
        self.pattern = pattern
        self.length = len(pattern)
        symbols = tuple(dict.fromkeys(pattern))
        self.wildcards = tuple(c for c in symbols if c in WILDCARDS)
        self.regular = tuple(c for c in symbols if c not in WILDCARDS)
        self.classes = tuple(symbols.index(c) for c in pattern)

    def __repr__(self) -> str:
        return f"Template({self.pattern!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Template) and self.pattern == other.pattern

    def __hash__(self) -> int:
        return hash(self.pattern)

    def substitute(self, symbols: Mapping[str, str] | Sequence[str]) -> str:
        """The string sub(z, s): every wildcard replaced by its symbol.

        >>> Template("αβα").substitute("XY")
        'XYX'

        Args:
            symbols: one character per wildcard, as a mapping or in order of the wildcards' appearance.

        Raises:
            ValueError: if a wildcard has no symbol, two share one, or one is a regular token of the template.

        Source:
            section 2, "substitution map".
        """
        if not isinstance(symbols, Mapping):
            symbols = dict(zip(self.wildcards, symbols, strict=False))
        missing = [w for w in self.wildcards if w not in symbols]
        if missing:
            raise ValueError(f"{self!r}: no symbol given for wildcard {missing[0]!r}")
        image = [symbols[w] for w in self.wildcards]
        if len(set(image)) < len(image):
            raise ValueError(f"{self!r}: a substitution is injective, but {image} repeats a symbol")
        clash = [c for c in image if c in self.regular]
        if clash:
            raise ValueError(f"{self!r}: symbol {clash[0]!r} is a regular token of the template; choose another")
        return "".join(symbols.get(c, c) if c in self.wildcards else c for c in self.pattern)

    def matches(self, string: str) -> bool:
        """Whether the string is sub(z, s) for a substitution s that avoids the template's regular tokens."""
        if len(string) != self.length:
            return False
        pairs = set(zip(self.pattern, string, strict=True))
        images = dict(pairs)  # a substitution: one image each, no two the same, regular tokens stay
        return len(pairs) == len(images) == len(set(images.values())) and all(images[c] == c for c in self.regular)

    def is_disjoint(self, other: "Template | str") -> bool:
        """Whether no string matches both templates (a string of tokens is a template without wildcards).

        A string matches z only if its positions are equal exactly where z's are. So both templates must tie the same
        positions together, and no position may ask for two different regular tokens, or put into one template's
        wildcard a regular token that this template uses elsewhere.

        Source:
            section 2, "disjoint templates".
        """
        other = Template(other) if isinstance(other, str) else other
        if self.classes != other.classes:
            return True
        for mine, theirs in set(zip(self.pattern, other.pattern, strict=True)):
            if mine in self.regular and theirs in other.regular and mine != theirs:
                return True
            if mine in self.wildcards and theirs in other.regular and theirs in self.regular:
                return True  # the mirror case shows where the other template has that token
        return False


class TemplateTask:
    """A template task: which template a string matches decides its label.

    Args:
        labels: template → label. A number is a real label, for every template or none; a character is a symbolic
            label: a wildcard of the template (`{"α": "α"}` is copying) or a regular token.
        weights: template → probability up to scale (μ_tmplt); uniform unless given.
        noise: standard deviation σ of the Gaussian noise on real labels.
        name: what to call it in messages and figures.

    Attributes:
        templates: the r templates, in order.
        values: (r,) real labels, or None.
        probabilities: μ_tmplt, (r,).
        regular: the regular tokens (ids 0, 1, …).
        wildcards: the largest number of wildcards in one template.
        length: k.
        symbolic: whether the labels are tokens.

    Raises:
        ValueError: for templates that are not pairwise disjoint or differ in length, for labels of mixed kind, a label
            wildcard that its template lacks, and bad weights or noise.

    Source:
        section 2, "template task".
    """

    def __init__(self, labels: Mapping[str, float | str], *, weights: Mapping[str, float] | None = None,
                 noise: float = 0.0, name: str | None = None) -> None:
        if not isinstance(labels, Mapping) or not labels:
            raise ValueError(f"labels={labels!r}: must map at least one template to its label, such as "
                             "{'αα': 1, 'αβ': -1}")
        self.labels = dict(labels)
        self.templates = tuple(Template(pattern) for pattern in labels)
        self.name = name or " / ".join(labels)
        self.length = self.templates[0].length
        self._check_templates()
        self.symbolic = any(isinstance(label, str) for label in labels.values())
        self._check_labels()
        tokens = "".join(t.pattern for t in self.templates) + "".join(map(str, labels.values())) * self.symbolic
        self.regular = tuple(c for c in dict.fromkeys(tokens) if c not in WILDCARDS)
        self.wildcards = max(len(t.wildcards) for t in self.templates)
        self.values: np.ndarray = None if self.symbolic else np.array(  # type: ignore[assignment]  # None: see `symbolic`
            list(labels.values()), dtype=np.float64)
        self.noise = check_real("noise", noise, "a standard deviation, 0 or more", minimum=0)
        if noise and self.symbolic:
            raise ValueError("noise is for real labels; this task's labels are symbols")
        self.probabilities = self._normalised(weights)

    def __repr__(self) -> str:
        return f"TemplateTask({self.labels})"

    def _check_templates(self) -> None:
        for t in self.templates:
            if t.length != self.length:
                raise ValueError(f"templates of different lengths: {self.templates[0].pattern!r} has {self.length} "
                                 f"tokens, {t.pattern!r} has {t.length}; pad the shorter one with a regular token")
        for i, t in enumerate(self.templates):
            for other in self.templates[:i]:
                if not t.is_disjoint(other):
                    raise ValueError(f"templates {other.pattern!r} and {t.pattern!r} are not disjoint: a string "
                                     "matches both, so its label is not defined; remove or change one")

    def _check_labels(self) -> None:
        for t, label in zip(self.templates, self.labels.values(), strict=True):
            if isinstance(label, str) != self.symbolic:
                raise ValueError(f"labels {list(self.labels.values())} mix numbers and symbols; use one kind")
            if not isinstance(label, str):
                check_real(f"labels[{t.pattern!r}]", label, "a finite number, or a token for a symbolic label")
            elif len(label) != 1:
                raise ValueError(f"label {label!r} of template {t.pattern!r}: must be one token or wildcard")
            elif label in WILDCARDS and label not in t.wildcards:
                raise ValueError(f"label {label!r} is a wildcard that template {t.pattern!r} lacks; "
                                 f"it has {', '.join(t.wildcards) or 'none'}")

    def _normalised(self, weights: Mapping[str, float] | None) -> np.ndarray:
        weights = dict.fromkeys(self.labels, 1.0) if weights is None else weights
        if not isinstance(weights, Mapping):
            raise ValueError(f"weights={weights!r}: must map every template to its weight, such as "
                             f"{dict.fromkeys(self.labels, 1.0)}")
        if set(weights) != set(self.labels):
            raise ValueError(f"weights name the templates {sorted(weights, key=str)}; the task has "
                             f"{sorted(self.labels)}")
        w = np.array([check_real(f"weights[{z!r}]", weights[z], "a positive number, at most 1e300", TINY, 1e300)
                      for z in self.labels])
        return w / w.sum()

    def canonical_form(self) -> frozenset:
        """What two tasks share that differ in the names of wildcards and, for real labels, in their values alone.

        Which templates have the same label is part of it; weights, noise and the tasks' names are not.

        >>> TemplateTask({"αα": 1, "αβ": -1}).canonical_form() == TemplateTask({"βα": 2, "ββ": 3}).canonical_form()
        True

        Returns:
            A hashable value, equal for such tasks and for no others.
        """
        classes: dict[float | str | int, set[tuple]] = {}
        for t, label in zip(self.templates, self.labels.values(), strict=True):
            names = {c: i for i, c in enumerate(t.wildcards)}
            pattern = tuple(names.get(c, c) for c in t.pattern)
            classes.setdefault(names.get(label, label) if isinstance(label, str) else label, set()).add(pattern)
        if self.symbolic:
            return frozenset((label, frozenset(patterns)) for label, patterns in classes.items())
        return frozenset(map(frozenset, classes.values()))

    def alphabets(self, *sizes: int) -> list[range]:
        """Consecutive disjoint alphabets of the given sizes, as ranges of token ids after the regular tokens'.

        The last one's `.stop` is the vocabulary size.

        >>> TemplateTask({"αα": 1, "αβ": -1}).alphabets(3, 2)
        [range(0, 3), range(3, 5)]
        """
        for size in sizes:
            check_integer("alphabet", size)
        starts = np.cumsum([len(self.regular), *sizes]).tolist()
        return [range(a, b) for a, b in zip(starts[:-1], starts[1:], strict=True)]

    def symbol_distribution(self, alphabet: int, zipf: float = 0.0) -> np.ndarray:
        """Probability P_t of each token of an alphabet to replace a given wildcard: (m,), the same for every wildcard.

        For Zipf's law P_t = p_t e_{w−1}(the others' p) / (w e_w(p)), for w wildcards and the elementary symmetric
        polynomials e.

        Args:
            alphabet: the number m of tokens.
            zipf: the exponent of `sample`.

        Raises:
            ValueError: for an alphabet smaller than the number of wildcards, a negative exponent, and one so large that
                w draws are almost never distinct.

        Source:
            section 2, "substitution map"; Zipf's law is ours.
        """
        w = self.wildcards
        if check_integer("alphabet", alphabet) < max(1, w):
            raise ValueError(f"alphabet of {alphabet} tokens is smaller than the {w} wildcards of a template of "
                             f"{self.name!r}; use at least {max(1, w)}")
        _check_exponent(zipf)
        p = _zipf(alphabet, zipf)
        if not w or not zipf:
            return p
        e = _elementary(p, w)
        if math.factorial(w) * e[w] < 1e-6:  # the chance that w independent draws are distinct
            raise ValueError(f"zipf={zipf}: {w} draws from {alphabet} tokens are almost never distinct; use a smaller "
                             "exponent, or more tokens")
        others = np.ones_like(p)
        for degree in range(1, w):
            others = e[degree] - p * others
        return p * others / (w * e[w])

    def diversity(self, alphabet: int, zipf: float = 0.0) -> float:
        """ρ = 1 / P[t ∈ s(𝒲)] of the most likely token t; for uniform substitution: alphabet / wildcards.

        >>> TemplateTask({"αα": 1, "αβ": -1}).diversity(1000)
        500.0

        Args:
            alphabet: the number of tokens.
            zipf: the exponent of `sample`.

        Raises:
            ValueError: as `symbol_distribution`.

        Source:
            section 2, "data diversity".
        """
        largest = float(self.symbol_distribution(alphabet, zipf)[0])
        if not self.wildcards:
            return float("inf")
        return 1 / (self.wildcards * largest) if zipf else alphabet / self.wildcards

    def sample(self, n: int, alphabet: int | range, seed: int | Sequence[int] = 0, *, zipf: float = 0.0) -> "Sample":
        """Draw n labelled strings: template ~ μ_tmplt, wildcards ~ uniform from the alphabet without replacement.

        Args:
            n: number of strings.
            alphabet: number of tokens m (ids r … r + m − 1 after the task's r regular tokens), or a range of ids.
            seed: of the draw, one number or several; the same seed gives the same sample.
            zipf: exponent s of another distribution of substitutions: the wildcards' tokens are independent draws with
                probabilities ∝ rank^(−s) (the alphabet's first token has rank 1), given that they are distinct.

        Raises:
            ValueError: for n < 1, an alphabet too small or overlapping the regular tokens, or an exponent that
                `symbol_distribution` refuses.

        Source:
            section 2; section 5 for the uniform substitution.
        """
        check_integer("n", n, 1)
        alphabet = alphabet if isinstance(alphabet, range) else self.alphabets(alphabet)[0]
        if len(alphabet) < self.wildcards:
            raise ValueError(f"alphabet of {len(alphabet)} tokens is smaller than the {self.wildcards} wildcards of "
                             f"a template of {self.name!r}; use at least {self.wildcards}")
        if alphabet.step != 1 or alphabet.start < len(self.regular):
            raise ValueError(f"alphabet {alphabet}: must be a range of step 1 from id {len(self.regular)} on; "
                             "the ids before are the task's regular tokens")
        if _check_exponent(zipf):
            self.symbol_distribution(len(alphabet), zipf)  # refuses an exponent that would never end
        rng = np.random.default_rng(seed)
        templates = rng.choice(len(self.templates), size=n, p=self.probabilities)
        draw = _without_replacement if zipf == 0 else partial(_distinct_zipf, exponent=zipf)
        symbols = alphabet.start + draw(rng, n, self.wildcards, len(alphabet))
        lookup = np.concatenate([symbols, np.broadcast_to(np.arange(len(self.regular)), (n, len(self.regular)))], 1)
        tokens = np.take_along_axis(lookup, self._slots[templates], axis=1)
        if self.symbolic:
            labels = np.take_along_axis(lookup, self._label_slots[templates][:, None], axis=1)[:, 0]
        else:
            labels = self.values[templates] + self.noise * rng.standard_normal(n)
        return Sample(self, alphabet, torch.from_numpy(tokens), torch.from_numpy(labels), torch.from_numpy(templates))

    def _slot(self, template: Template, character: str) -> int:
        """Column of `sample`'s lookup table: the template's wildcards first, then the task's regular tokens."""
        if character in template.wildcards:
            return template.wildcards.index(character)
        return self.wildcards + self.regular.index(character)

    @cached_property
    def _slots(self) -> np.ndarray:
        return np.array([[self._slot(t, c) for c in t.pattern] for t in self.templates])

    @cached_property
    def _label_slots(self) -> np.ndarray:
        pairs = zip(self.templates, self.labels.values(), strict=True)
        return np.array([self._slot(t, str(label)) for t, label in pairs])


@dataclass(frozen=True, eq=False)
class Sample:
    """Labelled strings of a task.

    Attributes:
        task: the task.
        alphabet: the wildcards' token ids.
        tokens: (n, k) int64.
        labels: (n,) float64, or int64 token ids when symbolic.
        templates: (n,) int64, the index of each string's template.
    """

    task: TemplateTask
    alphabet: range
    tokens: Tensor
    labels: Tensor
    templates: Tensor

    def __len__(self) -> int:
        return len(self.tokens)

    @cached_property
    def strings(self) -> list[str]:
        """The strings as text; each symbol is a character (a CJK ideograph first) that nobody types by chance.

        Raises:
            ValueError: beyond 1.08 million symbols, where characters run out; use `.tokens`.
        """
        names = {}
        for token in torch.unique(self.tokens).tolist():
            names[token] = token_name(token, self.task.regular)
        return ["".join(names[t] for t in row) for row in self.tokens.tolist()]


UNNAMED = 1 << 60  # ids for characters that name no token
_BLOCKS = ((0x4E00, 0xD800), (0x10000, 0x110000))  # CJK to Hangul, then beyond the surrogates


def token_name(token: int, regular: Sequence[str] = ()) -> str:
    """The character of a token id: a regular token's own, then CJK ideographs and on (regular ones skipped)."""
    if token < len(regular):
        return regular[token]
    index = token - len(regular)
    for start, stop in _BLOCKS:
        taken = sorted(ord(c) - start for c in regular if start <= ord(c) < stop)
        free = stop - start - len(taken)
        if index < free:
            for t in taken:
                index += index >= t
            return chr(start + index)
        index -= free
    raise ValueError(f"token {token} has no character: only about 1.08 million symbols do; use the integer tokens")


def named_token(character: str, regular: Sequence[str] = ()) -> int:
    """The id of the token with this character as its name, the inverse of `token_name`; ids from 2⁶⁰ on otherwise."""
    if character in regular:
        return regular.index(character)
    point, index = ord(character), len(regular)
    for start, stop in _BLOCKS:
        if start <= point < stop:
            return index + point - start - sum(start <= ord(c) < point for c in regular)
        index += stop - start - sum(start <= ord(c) < stop for c in regular)
    return UNNAMED + point


def _without_replacement(rng: np.random.Generator, n: int, w: int, m: int) -> np.ndarray:
    """(n, w) numbers below m, distinct in each row, uniform: draw among the m − j left, then skip the j taken."""
    drawn = np.empty((n, w), dtype=np.int64)
    for j in range(w):
        value = rng.integers(0, m - j, size=n)
        for taken in np.sort(drawn[:, :j], axis=1).T:
            value += value >= taken
        drawn[:, j] = value
    return drawn


def _check_exponent(zipf: float) -> float:
    return check_real("zipf", zipf, "an exponent, 0 (uniform) or more", minimum=0)


def _zipf(m: int, exponent: float) -> np.ndarray:
    """Probabilities ∝ rank^(−exponent) of m tokens."""
    p = np.arange(1, m + 1, dtype=np.float64) ** -exponent
    return p / p.sum()


def _elementary(p: np.ndarray, degree: int) -> list[float]:
    """The elementary symmetric polynomials e_0(p) … e_degree(p), by Newton's identities."""
    powers = [float((p**i).sum()) for i in range(1, degree + 1)]
    e = [1.0]
    for d in range(1, degree + 1):
        e.append(sum((-1) ** (i - 1) * e[d - i] * powers[i - 1] for i in range(1, d + 1)) / d)
    return e


def _distinct_zipf(rng: np.random.Generator, n: int, w: int, m: int, *, exponent: float) -> np.ndarray:
    """(n, w) numbers below m, independent Zipf draws given that each row's are distinct: others are drawn again."""
    cumulative = np.cumsum(_zipf(m, exponent))
    drawn, again = np.empty((n, w), dtype=np.int64), np.arange(n)
    while len(again):
        drawn[again] = np.minimum(np.searchsorted(cumulative, rng.random((len(again), w)), side="right"), m - 1)
        ordered = np.sort(drawn[again], axis=1)
        again = again[(ordered[:, 1:] == ordered[:, :-1]).any(axis=1)]
    return drawn
