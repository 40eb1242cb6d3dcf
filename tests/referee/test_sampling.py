"""Template tasks' strings against the enumerated distribution of section 2."""

import itertools
from collections import Counter
from fractions import Fraction

import pytest

from abstract_symbols import TemplateTask

from .distributions import chi2_above

TASKS = [
    ({"αα": 1, "αβ": -1}, None, 5),
    ({"αβα": 1, "αββ": -1, "ααα": 0}, {"αβα": 1, "αββ": 2, "ααα": 5}, 4),
    ({"αAβ": 1, "αBα": -1, "Aαγ": 2, "AAB": 3}, {"αAβ": 4, "αBα": 3, "Aαγ": 2, "AAB": 1}, 4),
    ({"αβγ": 1, "αβα": -1}, None, 5),
]


def enumerated(labels, weights, alphabet, regular):
    """(string, label) → probability: templates by weight, then every injective substitution equally often."""
    weights = weights or dict.fromkeys(labels, 1)
    found = Counter()
    for template, label in labels.items():
        wild = sorted({c for c in template if c not in regular})
        substitutions = list(itertools.permutations(alphabet, len(wild)))
        for image in substitutions:
            ids = dict(zip(wild, image, strict=True)) | regular
            share = Fraction(weights[template], sum(weights.values())) / len(substitutions)
            found[tuple(ids[c] for c in template), float(label)] += share
    assert sum(found.values()) == 1
    return found


@pytest.mark.parametrize("labels, weights, symbols", TASKS)
def test_strings_have_the_enumerated_distribution(labels, weights, symbols):
    """Section 2's uniform injective substitution that avoids regular tokens: chi-squared at one in ten thousand."""
    n, task = 20_000, TemplateTask(labels, weights=weights)
    letters = list(dict.fromkeys(c for template in labels for c in template if c.isascii()))
    regular = {c: i for i, c in enumerate(letters)}
    alphabet = range(len(regular), len(regular) + symbols)
    expected = enumerated(labels, weights, alphabet, regular)
    sample = task.sample(n, symbols, seed=11)
    drawn = Counter(zip(map(tuple, sample.tokens.tolist()), sample.labels.tolist(), strict=True))
    assert set(drawn) <= set(expected)
    statistic = sum((drawn[key] - n * float(p))**2 / (n * float(p)) for key, p in expected.items())
    assert 1e-4 < chi2_above(statistic, len(expected) - 1) < 1 - 1e-4


def test_alphabets_share_no_token_with_each_other_or_the_templates():
    """Section 2's unseen symbols: train, validation and test strings have only regular tokens in common."""
    task = TemplateTask({"αAβ": 1, "αBα": -1})
    parts = [task.sample(500, alphabet, seed=i) for i, alphabet in enumerate(task.alphabets(20, 30, 40))]
    seen = [set(part.tokens.flatten().tolist()) for part in parts]
    common = [a & b for a, b in itertools.combinations(seen, 2)]
    assert common == [{0, 1}] * 3 and [len(s) for s in seen] == [22, 32, 42]


def test_copying_asks_for_the_symbol_itself():
    """Section 4's α → α: the label is the string's own token."""
    sample = TemplateTask({"α": "α"}).sample(300, 50, seed=3)
    assert sample.tokens[:, 0].tolist() == sample.labels.tolist() and len(set(sample.labels.tolist())) > 40
