"""The families of tasks against their definitions, computed from the strings themselves."""

from collections import Counter
from itertools import combinations, product

import numpy as np
import pytest

from abstract_symbols import Template
from abstract_symbols.tasks import counting, majority, partitions, random_task, task


def renamed(string):
    """The string with its symbols named in order of appearance: equal for strings of one template."""
    names = {}
    return "".join("αβγδεζηθ"[names.setdefault(c, len(names))] for c in string)


@pytest.mark.parametrize(("k", "bell"), [(1, 1), (2, 2), (3, 5), (4, 15), (5, 52), (6, 203), (7, 877)])
def test_partitions_are_all_ways_to_be_equal_once(k, bell):
    found = list(partitions(k))
    assert len(found) == bell and set(found) == {renamed(s) for s in product(range(k), repeat=k)}


@pytest.mark.parametrize("k", [2, 4, 6, 8])
def test_the_majority_is_that_of_the_first_symbol_for_every_string_of_two(k):
    t = majority(k)
    assert set(t.labels) == {renamed(s) for s in product("ab", repeat=k)}
    for template, label in t.labels.items():
        same = sum(c == template[0] for c in template)
        assert label == (1 if same > k - same else -1), "a tie is no majority"
    assert sum(t.values) == 0, "both labels are equally likely"
    assert task(f"majority-{k}").labels == t.labels


@pytest.mark.parametrize("k", [1, 3, 5, 7])
def test_counting_draws_every_number_equally_often_and_is_right(k):
    t = task(f"counting-{k}")
    chances = Counter()
    for template, label, p in zip(t.templates, t.values, t.probabilities, strict=True):
        assert label == len(set(template.pattern))
        chances[label] += p
    assert chances == pytest.approx({i: 1 / k for i in range(1, k + 1)})
    if k >= 5:
        sample = t.sample(2000, 100, seed=0)
        assert [len(set(row)) for row in sample.tokens.tolist()] == sample.labels.tolist()


@pytest.mark.parametrize(("r", "k", "w", "regular"), [(2, 3, 2, 0), (2, 5, 3, 2), (15, 5, 3, 0), (3, 4, 0, 2)])
def test_random_templates_are_disjoint_of_the_asked_kind_and_balanced(r, k, w, regular):
    drawn = [random_task(r, k, w, regular, seed=seed) for seed in range(20)]
    for t in drawn:
        assert len(t.templates) == r and t.length == k
        assert len(t.regular) == regular, "every regular token occurs: all seeds' networks have one vocabulary"
        assert {c for z in t.templates for c in z.wildcards} <= set("αβγδε"[:w])
        assert all(a.is_disjoint(b) for a, b in combinations(t.templates, 2))
        assert Counter(t.values.tolist()) == {1.0: (r + 1) // 2, -1.0: r // 2}
    assert len({tuple(t.labels) for t in drawn}) > 10, "another seed, other templates"
    assert list(random_task(r, k, w, regular, seed=3).labels) == list(drawn[3].labels)
    assert list(task(f"random-r{r}-k{k}-w{w}-R{regular}", 3).labels) == list(drawn[3].labels)


def test_a_random_template_is_uniform_over_the_strings():
    """The first of two: αα, αβ, βα, ββ, a quarter each, but those templates stay that leave room for a second."""
    first = Counter(next(iter(random_task(2, 2, 2, seed=seed).labels)) for seed in range(2000))
    assert set(first) == {"αα", "αβ", "βα", "ββ"}
    assert np.allclose([first[z] / 2000 for z in first], 0.25, atol=4 * np.sqrt(0.25 * 0.75 / 2000))


@pytest.mark.parametrize(("name", "named"), [
    ("majority-3", ["majority-3", "even"]), ("majority-0", ["majority-0", "even"]), ("counting-0", ["1 to 8"]),
    ("counting-9", ["counting-9", "1 to 8"]), ("random-r2-k5-w1-R0", ["random-r2-k5-w1-R0", "pairwise disjoint"]),
    ("random-r1-k5-w2-R0", ["2 templates or more"]), ("random-r2-k5-w0-R0", ["a token or a wildcard"]),
    ("random-r300-k5-w3-R0", ["fewer pairwise disjoint templates"]),
    ("random-r2-k1-w2-R3", ["a position for every regular token"]), ("majority", ["unknown task", "majority-K"]),
])
def test_numbers_that_no_task_has_are_refused(name, named):
    with pytest.raises(ValueError) as error:
        task(name)
    assert all(words in str(error.value) for words in named)


# ---- psychometric tasks: the label by the rule itself --------------------------------------------------------------


def match_to_sample(s):
    alike = [(s[0] == s[1]) == (s[i] == s[i + 1]) for i in (2, 4)]
    assert sum(alike) == 1, "one of the two pairs matches"
    return 1 if alike[0] else -1


def identity_rules(s):
    return 1 if renamed(s[:3]) == renamed(s[3:]) else -1


def distribution_of_three(s):
    assert len(set(s[:3])) == 3 and len(set(s[3:5])) == 2 and set(s[3:]) <= set(s[:3])
    return 1 if set(s[3:]) == set(s[:3]) else -1


def matrix(s):
    """Rows of one symbol each, equal rows, or rows and columns that each have all three symbols."""
    rows, columns = [s[i:i + 3] for i in (0, 3, 6)], [s[i::3] for i in range(3)]
    constant = all(len(set(row)) == 1 for row in rows) and len(set(s)) == 3
    repeated = all(len(set(column)) == 1 for column in columns) and len(set(s)) == 3
    latin = all(len(set(line)) == 3 for line in rows + columns)
    return 1 if constant or repeated or latin else -1


@pytest.mark.parametrize("rule", [match_to_sample, identity_rules, distribution_of_three, matrix])
def test_a_psychometric_tasks_labels_follow_its_rule(rule):
    t = task(rule.__name__.replace("_", "-"))
    for template, label in t.labels.items():
        assert rule(Template(template).substitute("abcde")) == label
    assert sum(t.values) == 0, "both labels are equally likely"


@pytest.mark.parametrize("name", ["distribution-of-three", "matrix"])
def test_a_wrong_last_symbol_differs_from_the_right_one_only_there(name):
    t = task(name)
    right = {z[:-1] for z, label in t.labels.items() if label > 0}
    assert {z[:-1] for z, label in t.labels.items() if label < 0} == right
    for z in t.labels:
        assert z[-1] in z[:-1], "no new symbol gives a wrong answer away"


def test_counting_and_majority_are_those_of_their_functions():
    assert task("counting-4").labels == counting(4).labels and task("majority-2").labels == {"αα": 1, "αβ": -1}
