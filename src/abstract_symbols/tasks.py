"""The paper's tasks by name, and families of tasks such as `majority-4`."""

import re
from collections.abc import Iterator, Mapping
from functools import cache

import numpy as np
from scipy.special import stirling2

from .templates import WILDCARDS, Template, TemplateTask

TASKS: dict[str, Mapping[str, float | str]] = {
    "same-different": {"αα": +1, "αβ": -1},
    "aba-abb": {"αβα": +1, "αββ": -1},
    "aabb-abab": {"ααββ": +1, "αβαβ": -1},
    "program": {"α=1;β=-1;print(α)": +1, "α=1;β=-1;print(β)": -1},
    "same-relation": {"ααββ": +1, "αβγδ": +1, "ααβγ": -1, "αβγγ": -1},
    "same-order": {"αβγαβγ": +1, "αβγαγβ": -1},
    "match-to-sample": {"ααββγδ": +1, "αβγδεε": +1, "ααβγδδ": -1, "αβγγδε": -1},
    "identity-rules": {"αααγγγ": +1, "αβαγδγ": +1, "αββγδδ": +1, "αααγγδ": -1, "αβαγδδ": -1, "αββγδγ": -1},
    "distribution-of-three": {
        "αβγαβγ": +1, "αβγαγβ": +1, "αβγβαγ": +1, "αβγβγα": +1, "αβγγαβ": +1, "αβγγβα": +1,
        "αβγαβα": -1, "αβγαγα": -1, "αβγβαβ": -1, "αβγβγβ": -1, "αβγγαγ": -1, "αβγγβγ": -1},
    "matrix": {
        "αααβββγγγ": +1, "αβγαβγαβγ": +1, "αβγβγαγαβ": +1, "αβγγαββγα": +1,
        "αααβββγγα": -1, "αβγαβγαβα": -1, "αβγβγαγαγ": -1, "αβγγαββγβ": -1},
    "copy": {"α": "α"},
    "program-symbolic": {'α="γ";β="δ";print(α)': "γ", 'α="γ";β="δ";print(β)': "δ"},
    "same-different-word": {"αα": "S", "αβ": "D"},
}
FAMILIES = "majority-K, counting-K and random-rR-kK-wW-RS"


@cache
def task(name: str, seed: int = 0) -> TemplateTask:
    """A task of the paper by its name, or of a family by its name with numbers in it.

    `majority-K`: strings of two symbols, K even; +1 if the first symbol is that of more than K/2 positions, else −1.
    `counting-K`: strings of length K; the label is the number of distinct symbols, every number equally likely.
    `random-rR-kK-wW-RS`: R templates of length K, drawn with `seed` from W wildcards and S regular tokens, see
    `random_task`. The seed is for this family alone.

    >>> task("same-different").labels
    {'αα': 1, 'αβ': -1}

    After the psychometric tests of section 1, and ours: `same-relation` (are both pairs alike in being same or
    different?), `same-order` (does the second half repeat the first, or exchange two symbols?), `match-to-sample`
    (which of two pairs, the first or the second, is alike in that to the pair before?), `identity-rules` (does the
    second triple follow the rule of the first?), `distribution-of-three` (is the last symbol the one of three that
    its row lacks?), `matrix` (does the last of 3 × 3 symbols follow the rows' and columns' rule?).

    Args:
        name: a key of `TASKS`, or of a family with its numbers.
        seed: draws a random task.

    Raises:
        ValueError: for an unknown name, and numbers that no task has.

    Source:
        section 5 (labels ±1) and section 4 (the symbolic `copy` and `program-symbolic`); `same-different-word` is
        section 5's classification version, its answer one of two words. The details of the families are ours; the
        chapters "harder-relations" and "diverse-data" compare them with the paper's curves.
    """
    if name in TASKS:
        return TemplateTask(TASKS[name], name=name)
    if found := re.fullmatch(r"majority-(\d+)", name):
        return majority(int(found[1]))
    if found := re.fullmatch(r"counting-(\d+)", name):
        return counting(int(found[1]))
    if found := re.fullmatch(r"random-r(\d+)-k(\d+)-w(\d+)-R(\d+)", name):
        return random_task(*map(int, found.groups()), seed=seed)
    raise ValueError(f"unknown task {name!r}; known are {', '.join(TASKS)}, and the families {FAMILIES}")


def partitions(k: int) -> Iterator[str]:
    """Every way in which k symbols can be equal, as a template without regular tokens: αα, αβ for k = 2.

    There are 2, 5, 15, 52, 203, 877 for k = 2 … 7 (Bell numbers).

    Raises:
        ValueError: for a k that is not from 1 to 24, the number of wildcards.
    """
    if not 1 <= k <= len(WILDCARDS):
        raise ValueError(f"k={k}: must be a length from 1 to {len(WILDCARDS)}")

    def extend(start: str, used: int) -> Iterator[str]:
        if len(start) == k:
            yield start
            return
        for i in range(used + 1):
            yield from extend(start + WILDCARDS[i], max(used, i + 1))

    return extend("", 0)


def majority(k: int) -> TemplateTask:
    """Is the first of k symbols, k even, at more than half of the positions? All 2^(k − 1) strings of two symbols.

    For k = 2 this is same or different. Both labels have equally many templates, because an odd number of symbols
    follows the first.

    Raises:
        ValueError: for a k that is not even and positive.
    """
    if k < 2 or k % 2:
        raise ValueError(f"majority-{k}: must be an even number of symbols, 2 or more; with an odd one the labels are "
                         "not balanced")
    templates = [t for t in partitions(k) if len(set(t)) <= 2]
    return TemplateTask({t: +1 if 2 * t.count("α") > k else -1 for t in templates}, name=f"majority-{k}")


def counting(k: int) -> TemplateTask:
    """How many distinct symbols are among k? Every number 1 … k is equally likely, and every template of a number.

    Raises:
        ValueError: for a k that is not from 1 to 8.
    """
    if not 1 <= k <= 8:
        raise ValueError(f"counting-{k}: must be 1 to 8 symbols; beyond, there are too many templates to list")
    labels = {t: len(set(t)) for t in partitions(k)}
    sizes = np.bincount(list(labels.values()))
    return TemplateTask(labels, weights={t: 1 / sizes[count] for t, count in labels.items()}, name=f"counting-{k}")


def random_task(templates: int, length: int, wildcards: int, regular: int = 0, *, seed: int = 0) -> TemplateTask:
    """Random templates with labels ±1, half of each (the odd one out is +1).

    Each template is uniform over the strings of these wildcards and regular tokens; one that is not disjoint from
    those before it is drawn again, and so are all of them as long as a regular token occurs in none.

    Args:
        templates: their number r, 2 or more.
        length: k.
        wildcards: number of different wildcards that may occur.
        regular: number R of regular tokens, all of which occur.
        seed: of the draw.

    Raises:
        ValueError: for fewer than two templates, and for more of them, or more regular tokens, than fit.

    Source:
        section 5, random templates; the details are ours.
    """
    tokens = "".join(map(chr, range(ord("A"), ord("A") + regular)))
    what = f"random-r{templates}-k{length}-w{wildcards}-R{regular}"
    if (templates < 2 or length < 1 or not 0 <= regular <= templates * length or wildcards + regular < 1
            or not 0 <= wildcards <= len(WILDCARDS)):
        raise ValueError(f"{what}: needs 2 templates or more of 1 position or more, 0 to {len(WILDCARDS)} wildcards, "
                         "a position for every regular token, and a token or a wildcard")
    if not regular and templates > sum(stirling2(length, blocks, exact=True) for blocks in range(wildcards + 1)):
        raise ValueError(f"{what}: there are fewer pairwise disjoint templates; ask for longer ones or more wildcards")
    rng, characters = np.random.default_rng(seed), list(WILDCARDS[:wildcards] + tokens)
    for _ in range(100):
        drawn: list[Template] = []
        for _ in range(100 * templates):
            t = Template("".join(rng.choice(characters, length)))
            if all(t.is_disjoint(other) for other in drawn):
                drawn.append(t)
            if len(drawn) == templates and set(tokens) <= set("".join(t.pattern for t in drawn)):
                return TemplateTask({t.pattern: +1 if i % 2 == 0 else -1 for i, t in enumerate(drawn)}, name=what)
            if len(drawn) == templates:
                break
    raise ValueError(f"{what}: found no {templates} pairwise disjoint templates with all tokens; "
                     "ask for fewer, longer ones or more wildcards")
