"""Templates and tasks against their definitions, written out by brute force."""

import hashlib
import time
from itertools import combinations, permutations

import numpy as np
import pytest
import torch
from hypothesis import assume, example, given
from hypothesis import strategies as st
from scipy import stats

from abstract_symbols import Template, TemplateTask, templates
from abstract_symbols.tasks import TASKS, task
from abstract_symbols.templates import UNNAMED, WILDCARDS, named_token, token_name

FRESH = "wxyz"  # as many as a template below is long: what holds for these holds for an endless alphabet

TASKS_TO_SAMPLE = [
    {"αα": +1, "αβ": -1},
    {"αβα": +1, "αββ": -1, "αβγ": 0.5},
    {"a": 1.0, "b": 2.0},
    {"aα": 1, "αa": 2},
    {"α": "α"},
    {"p(α)=α": "α", "p(α)=β": "x"},
    {"βα": "β", "ββ": "q"},
]


def patterns(length):
    return st.text("αβγab", min_size=length, max_size=length)


same_length = st.integers(1, 4).flatmap(lambda k: st.tuples(patterns(k), patterns(k)))


def strings_by_definition(pattern, alphabet):
    """Every sub(z, s), s injective into the alphabet without z's regular tokens."""
    wildcards = sorted(set(pattern) & set(WILDCARDS))
    for image in permutations(sorted(set(alphabet) - set(pattern)), len(wildcards)):
        yield pattern.translate({ord(w): symbol for w, symbol in zip(wildcards, image, strict=True)})


# ---- templates ---------------------------------------------------------------------------------------------------


@given(same_length)
@example(("αβ", "βα"))
@example(("αb", "bβ"))
@example(("αb", "aβ"))
@example(("αα", "ab"))
def test_disjoint_means_that_no_string_matches_both(pair):
    alphabet = "ab" + FRESH
    common = set(strings_by_definition(pair[0], alphabet)) & set(strings_by_definition(pair[1], alphabet))
    assert Template(pair[0]).is_disjoint(Template(pair[1])) == (not common)


@given(st.text("αβab", min_size=1, max_size=4), st.text("αβab", min_size=1, max_size=4))
def test_disjointness_is_symmetric_and_templates_of_different_lengths_are_disjoint(one, other):
    assert Template(one).is_disjoint(other) == Template(other).is_disjoint(one)
    assert len(one) == len(other) or Template(one).is_disjoint(other)


@given(st.integers(1, 4).flatmap(patterns), st.data())
def test_a_string_matches_exactly_if_a_substitution_gives_it(pattern, data):
    string = data.draw(st.text("ab" + FRESH, min_size=len(pattern), max_size=len(pattern)))
    by_definition = set(strings_by_definition(pattern, "ab" + FRESH))
    assert Template(pattern).matches(string) == (string in by_definition)
    for matching in list(by_definition)[:3]:
        assert Template(pattern).matches(matching)
    assert not Template(pattern).matches(string + "a")


@pytest.mark.parametrize(("pattern", "string"), [("A", "α"), ("αA", "Bβ"), ("A1", "αβ"), ("αA", "AA"), ("αβ", "AA")])
def test_a_greek_letter_of_a_string_is_a_token_like_any_other(pattern, string):
    assert not Template(pattern).matches(string)
    assert Template("αβα").matches("βαβ")


@given(st.integers(1, 5).flatmap(patterns), st.permutations("uvwxyz"))
def test_substitution_fills_wildcards_in_order_of_appearance(pattern, symbols):
    t = Template(pattern)
    string = t.substitute(symbols)
    assert t.matches(string)
    assert string == t.substitute(dict(zip(t.wildcards, symbols, strict=False)))
    assert [string[pattern.index(w)] for w in t.wildcards] == symbols[:len(t.wildcards)]
    assert all(s == p for s, p in zip(string, pattern, strict=True) if p in t.regular)


@pytest.mark.parametrize(("pattern", "symbols", "named"), [
    ("αβ", "x", "'β'"),
    ("αβ", {"α": "x"}, "'β'"),
    ("αβ", "xx", "injective"),
    ("αβ=", "x=", "'='"),
])
def test_a_bad_substitution_is_refused_by_name(pattern, symbols, named):
    with pytest.raises(ValueError, match=named) as error:
        Template(pattern).substitute(symbols)
    assert repr(pattern) in str(error.value)


@pytest.mark.parametrize("pattern", ["", 3, None, ("α", "β")])
def test_a_template_is_a_non_empty_string(pattern):
    with pytest.raises(ValueError, match="non-empty string"):
        Template(pattern)


def test_equal_templates_are_one_key():
    assert {Template("αα"): 1}[Template("αα")] == 1
    assert Template("αα") != Template("ββ")


# ---- tasks -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("labels", "options", "named"), [
    ({}, {}, ["at least one template"]),
    ({"": 1}, {}, ["template ''"]),
    ({"αβ": 1, "βα": -1}, {}, ["'αβ'", "'βα'", "not disjoint"]),
    ({"αα": 1, "αβ": -1, "βγ": 0}, {}, ["'αβ'", "'βγ'", "not disjoint"]),
    ({"αα": 1, "αβγ": -1}, {}, ["'αα' has 2", "'αβγ' has 3"]),
    ({"αα": "β", "αβ": "β"}, {}, ["label 'β'", "'αα'", "has α"]),
    ({"ab": "α"}, {}, ["label 'α'", "'ab'", "none"]),
    ({"αα": "αα"}, {}, ["label 'αα'", "one token"]),
    ({"αα": ""}, {}, ["label ''", "one token"]),
    ({"αα": 1, "αβ": "β"}, {}, ["mix"]),
    ({"αα": 1, "αβ": float("nan")}, {}, ["nan", "'αβ'", "finite"]),
    ({"αα": float("inf")}, {}, ["inf", "'αα'", "finite"]),
    ({"αα": 1, "αβ": -1}, {"weights": {"αα": 1}}, ["['αα']", "['αα', 'αβ']"]),
    (["αα", "αβ"], {}, ["labels=['αα', 'αβ']", "map"]),
    ({"αα": None, "αβ": -1}, {}, ["labels['αα']=None", "finite"]),
    ({"αα": 1, "αβ": 1j}, {}, ["labels['αβ']=1j", "finite"]),
    ({"αα": 1, "αβ": 10**400}, {}, ["labels['αβ']=1000", "finite"]),
    ({"αα": 1, "αβ": -1}, {"weights": {"αα": 1, "αβ": 0}}, ["weights['αβ']=0", "positive"]),
    ({"αα": 1, "αβ": -1}, {"weights": {"αα": 1, "αβ": float("nan")}}, ["nan", "positive"]),
    ({"αα": 1, "αβ": -1}, {"weights": {"αα": "1", "αβ": 1}}, ["weights['αα']='1'", "positive"]),
    ({"αα": 1, "αβ": -1}, {"weights": {"αα": 1e308, "αβ": 1e308}}, ["weights['αα']=1e+308", "at most"]),
    ({"αα": 1, "αβ": -1}, {"weights": {"αα": 1, None: 1}}, ["None", "['αα', 'αβ']"]),
    ({"αα": 1, "αβ": -1}, {"weights": [1, 1]}, ["weights=[1, 1]", "{'αα': 1.0, 'αβ': 1.0}"]),
    ({"αα": 1, "αβ": -1}, {"noise": -0.1}, ["noise=-0.1"]),
    ({"αα": 1, "αβ": -1}, {"noise": float("nan")}, ["noise=nan"]),
    *(({"αα": 1, "αβ": -1}, {"noise": bad}, [f"noise={bad!r}", "0 or more"]) for bad in (None, "1", 1j, [1], True)),
    ({"α": "α"}, {"noise": 0.1}, ["noise", "symbols"]),
])
def test_a_bad_task_is_refused_with_the_offending_thing_named(labels, options, named):
    with pytest.raises(ValueError) as error:
        TemplateTask(labels, **options)
    assert all(words in str(error.value) for words in named)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("n", "alphabet", "named"), [
    (0, 10, ["n=0"]),
    (5, 1, ["alphabet of 1", "2 wildcards", "at least 2"]),
    (5, range(1, 2), ["alphabet of 1"]),
    (5, range(0, 10), ["from id 1 on", "regular tokens"]),
    (5, range(1, 100, 2), ["step 1"]),
])
def test_a_sample_that_cannot_be_drawn_is_refused(n, alphabet, named):
    with pytest.raises(ValueError) as error:
        TemplateTask({"αα=": 1, "αβ=": -1}, name="with a sign").sample(n, alphabet)
    assert all(words in str(error.value) for words in named)


def test_an_unknown_task_is_refused_and_the_known_ones_are_listed():
    with pytest.raises(ValueError, match="'same-diffrent'.*same-different, aba-abb"):
        task("same-diffrent")
    assert {task(name).name for name in TASKS} == set(TASKS)


# ---- sampling ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("labels", TASKS_TO_SAMPLE, ids=lambda labels: "|".join(labels))
@given(m=st.integers(3, 40), skip=st.integers(0, 30), seed=st.integers(0, 10**6))
def test_every_sampled_string_is_a_substitution_of_its_template_with_its_label(labels, m, skip, seed):
    t = TemplateTask(labels)
    regular = {c: i for i, c in enumerate(t.regular)}
    alphabet = range(len(regular) + skip, len(regular) + skip + m)
    sample = t.sample(30, alphabet, seed)
    assert sample.tokens.dtype == torch.int64 and sample.tokens.shape == (len(sample), t.length) == (30, t.length)
    for tokens, label, index in zip(sample.tokens.tolist(), sample.labels.tolist(), sample.templates.tolist(),
                                    strict=True):
        pattern, of_template = list(labels.items())[index]
        substitution = dict(zip(pattern, tokens, strict=True))
        assert tokens == [substitution[c] for c in pattern], "one symbol a character"
        assert len(set(substitution.values())) == len(substitution), "different characters, different symbols"
        for character, token in substitution.items():
            assert token in alphabet if character in WILDCARDS else token == regular[character]
        assert label == ({**regular, **substitution}[of_template] if isinstance(of_template, str) else of_template)


def test_regular_tokens_have_the_first_ids_labels_included():
    t = TemplateTask({"p(α)=α": "α", "p(α)=β": "x"})
    assert t.regular == ("p", "(", ")", "=", "x")
    assert t.sample(1, 10).alphabet == range(5, 15)


@pytest.mark.parametrize("pattern", ["αβ", "αβα", "γaβα"])
def test_substitutions_are_uniform_over_ordered_choices_without_replacement(pattern):
    t, m = TemplateTask({pattern: 1.0}), 5
    sample = t.sample(20_000, m, seed=1)
    columns = [pattern.index(w) for w in Template(pattern).wildcards]
    seen, counts = np.unique(sample.tokens[:, columns].numpy(), axis=0, return_counts=True)
    assert len(seen) == len(list(permutations(range(m), len(columns))))
    assert stats.chisquare(counts).pvalue > 1e-3


@pytest.mark.parametrize("weights", [None, {"αα": 1, "αβ": 9}, {"αβ": 0.3, "αα": 0.2}])
def test_templates_are_drawn_by_their_weights(weights):
    t = TemplateTask({"αα": 1, "αβ": -1}, weights=weights)
    share = np.array([1, 1] if weights is None else [weights["αα"], weights["αβ"]], dtype=float)
    counts = torch.bincount(t.sample(20_000, 10, seed=2).templates, minlength=2).numpy()
    assert stats.chisquare(counts, 20_000 * share / share.sum()).pvalue > 1e-3
    assert t.probabilities == pytest.approx(share / share.sum())


def test_noise_is_gaussian_with_the_given_standard_deviation():
    t = TemplateTask({"αα": 3.0, "αβ": -1.0}, noise=0.25)
    sample = t.sample(20_000, 10, seed=3)
    residuals = sample.labels.numpy() - t.values[sample.templates.numpy()]
    assert stats.kstest(residuals / 0.25, "norm").pvalue > 1e-3
    assert abs(stats.pearsonr(residuals, sample.templates.numpy()).statistic) < 0.03


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=3), st.integers(1, 20))
def test_the_same_seed_gives_the_same_sample_and_another_seed_another(seed, n):
    t = TemplateTask({"αβ": 1, "αα": 2}, noise=0.1)
    one, again, other = t.sample(n, 1000, seed), t.sample(n, 1000, seed), t.sample(n, 1000, [*seed, 1])
    for name in ("tokens", "labels", "templates"):
        assert torch.equal(getattr(one, name), getattr(again, name))
    assert not torch.equal(one.labels, other.labels)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=4))
def test_alphabets_are_disjoint_in_a_row_and_free_of_regular_tokens(sizes):
    t = TemplateTask({"α=β": 1})
    alphabets = t.alphabets(*sizes)
    assert [len(a) for a in alphabets] == sizes
    assert [token for a in alphabets for token in a] == list(range(1, 1 + sum(sizes)))


def test_samples_of_disjoint_alphabets_share_regular_tokens_only():
    t = TemplateTask({"α=α": 1, "α=β": -1})
    seen = [set(t.sample(200, a, seed=0).tokens.flatten().tolist()) for a in t.alphabets(10, 20, 30)]
    assert all(one & other == {0} for one, other in combinations(seen, 2))


def test_diversity_is_the_alphabet_over_the_wildcards():
    assert TemplateTask({"αβγ": 1, "ααβ": 2}).diversity(30) == 10
    assert TemplateTask({"ab": 1}).diversity(30) == float("inf")


# The law of Zipf-distributed substitutions by enumeration: ordered choices of distinct tokens, weighted by products.


def zipf_choices(m, w, exponent):
    """Every ordered choice of w distinct tokens of m, and its probability."""
    p = np.arange(1, m + 1) ** -float(exponent)
    choices = list(permutations(range(m), w))
    weights = np.array([np.prod(p[list(choice)]) for choice in choices])
    return choices, weights / weights.sum()


ZIPF_TASKS = {1: {"αaα": 1}, 2: {"αβ": 1, "αα": 2}, 3: {"αβγ": 1, "ααβ": 2}}


@pytest.mark.parametrize("exponent", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("w", ZIPF_TASKS)
def test_zipf_draws_follow_their_law(w, exponent):
    t, m = TemplateTask(ZIPF_TASKS[w]), 5
    first = len(t.regular)
    sample = t.sample(20_000, range(first, first + m), seed=5, zipf=exponent)
    full = sample.tokens[sample.templates == 0]
    drawn = (full[:, [t.templates[0].pattern.index(c) for c in t.templates[0].wildcards]] - first).tolist()
    choices, p = zipf_choices(m, w, exponent)
    number = {choice: i for i, choice in enumerate(choices)}  # a KeyError for tokens that are not distinct
    counts = np.bincount([number[tuple(row)] for row in drawn], minlength=len(choices))
    rare = p * len(drawn) < 5
    expected = np.append(p[~rare], p[rare].sum()) * len(drawn)
    counts = np.append(counts[~rare], counts[rare].sum())
    kept = expected > 0
    assert stats.chisquare(counts[kept], expected[kept]).pvalue > 1e-3
    uniform = np.full(kept.sum(), counts.sum() / kept.sum())
    assert stats.chisquare(counts[kept], uniform).pvalue < 1e-6, "the test would see another law"


def test_zipf_strings_match_their_templates_and_keep_labels_and_templates():
    t = TemplateTask({"αβγ": 1, "ααβ": -1, "aαa": 2}, noise=0.3)
    sample = t.sample(300, 6, seed=7, zipf=1.2)
    assert all(t.templates[i].matches(s) for s, i in zip(sample.strings, sample.templates.tolist(), strict=True))
    assert set(sample.tokens.unique().tolist()) <= {0, *sample.alphabet}
    assert np.abs(sample.labels.numpy() - t.values[sample.templates.numpy()]).max() < 2
    assert torch.equal(sample.templates, t.sample(300, 6, seed=7).templates)
    assert torch.equal(sample.tokens, t.sample(300, 6, seed=7, zipf=1.2).tokens)


def test_without_zipf_samples_are_the_same_bits_as_ever():
    t = TemplateTask({"αβa": 1, "ααb": -1, "aαb": 2}, noise=0.5)
    for options in ({}, {"zipf": 0}, {"zipf": 0.0}):
        sample = t.sample(500, 40, seed=[3, 1], **options)
        parts = b"".join(part.numpy().tobytes() for part in (sample.tokens, sample.labels, sample.templates))
        assert hashlib.sha256(parts).hexdigest().startswith("088762120367309e")


@pytest.mark.parametrize("exponent", [0.0, 0.3, 1.0, 2.5])
@pytest.mark.parametrize(("w", "m"), [(1, 1), (1, 6), (2, 2), (2, 7), (3, 3), (3, 6)])
def test_law_and_diversity_are_those_of_all_substitutions(w, m, exponent):
    t = TemplateTask(ZIPF_TASKS[w])
    choices, p = zipf_choices(m, w, exponent)
    used = np.array([[token in choice for token in range(m)] for choice in choices]).T @ p  # P[t ∈ s(𝒲)]
    for place in range(w):
        law = np.array([[choice[place] == token for token in range(m)] for choice in choices]).T @ p
        np.testing.assert_allclose(t.symbol_distribution(m, exponent), law, rtol=1e-10)
    assert t.diversity(m, exponent) == pytest.approx(1 / used.max(), rel=1e-10)
    if exponent == 0:
        assert t.diversity(m) == t.diversity(m, zipf=0) == m / w


def test_diversity_under_zipfs_law_stops_growing_for_a_large_exponent_only():
    t = TemplateTask({"αα": 1, "αβ": -1})
    sizes = (100, 10_000, 1_000_000)
    at_1 = [t.diversity(m, zipf=1.0) for m in sizes]
    assert np.diff(at_1) == pytest.approx([np.log(100) / 2] * 2, rel=0.1), "as log m"
    half, large = ([t.diversity(m, zipf=s) for m in sizes] for s in (0.5, 2.0))
    assert np.divide(half[1:], half[:-1]) == pytest.approx([10, 10], rel=0.1), "as √m"
    assert large[2] == pytest.approx(large[1], rel=1e-3)
    assert TemplateTask({"ab": 1}).diversity(5, zipf=1.0) == float("inf")


@pytest.mark.parametrize(("alphabet", "zipf", "named"), [
    (10, None, "zipf=None"), (10, "1", "zipf='1'"),
    (10, -1.0, "zipf=-1.0"), (10, float("nan"), "zipf=nan"), (10, float("inf"), "zipf=inf"),
    (10, 30.0, "almost never distinct"), (1, 1.0, "smaller than the 2 wildcards"),
])
def test_a_law_that_cannot_be_drawn_from_is_refused(alphabet, zipf, named):
    t = TemplateTask({"αα": 1, "αβ": -1})
    for call in (lambda: t.symbol_distribution(alphabet, zipf), lambda: t.diversity(alphabet, zipf),
                 lambda: t.sample(5, alphabet, zipf=zipf)):
        with pytest.raises(ValueError, match=named):
            call()


def test_a_million_strings_from_a_million_symbols_are_integers_drawn_in_a_moment(monkeypatch):
    def no_text(*_):
        raise AssertionError("a string was built")

    monkeypatch.setattr(templates, "token_name", no_text)
    start = time.process_time()
    sample = task("same-different").sample(10**6, 10**6, seed=0)
    assert time.process_time() - start < 2
    assert sample.tokens.shape == (10**6, 2) and sample.tokens.max() > 999_000
    with pytest.raises(AssertionError, match="string was built"):
        _ = sample.strings


# ---- text --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("labels", TASKS_TO_SAMPLE, ids=lambda labels: "|".join(labels))
def test_strings_have_the_equalities_of_the_tokens_and_match_the_template(labels):
    t = TemplateTask(labels)
    sample = t.sample(40, 12, seed=4)
    assert len(sample.strings) == 40
    named = {}
    for string, tokens, index in zip(sample.strings, sample.tokens.tolist(), sample.templates.tolist(), strict=True):
        assert t.templates[index].matches(string)
        for character, token in zip(string, tokens, strict=True):
            assert named.setdefault(token, character) == character
    assert len(set(named.values())) == len(named)


CJK, BEYOND = 0xD800 - 0x4E00, 0x110000 - 0x10000  # how many characters the two blocks hold


@given(st.sets(st.sampled_from([*map(chr, (0x4E00, 0x4E01, 0x4E05, 0xD7FE, 0xD7FF, 0x10000, 0x10001, 0x10FFFF)), "a"])))
def test_no_two_tokens_share_a_character_at_the_blocks_edges_nor_with_a_regular_token(regular):
    regular = sorted(regular)
    last = len(regular) + CJK + BEYOND - sum(c != "a" for c in regular) - 1
    edges = (len(regular), len(regular) + CJK, last - 11)
    near = {i for edge in edges for i in range(edge - 12, edge + 12) if 0 <= i <= last}
    ids = sorted(near | set(range(len(regular))))
    names = [token_name(i, regular) for i in ids]
    assert names[:len(regular)] == regular
    assert len(set(names)) == len(ids)
    assert not any(0xD800 <= ord(c) < 0xE000 for c in names), "surrogates are no characters"
    with pytest.raises(ValueError, match=f"token {last + 1}"):
        token_name(last + 1, regular)


@given(st.integers(0, 70_000), st.text(st.characters(min_codepoint=48, max_codepoint=0x20000,
                                                    exclude_categories=["Cs"]), max_size=4))
@example(2, "一丁")
@example(4, "七三")
@example(5, "七三")
@example(0xD800 - 0x4E00, "㐀a\U00010000")
def test_the_name_of_a_token_leads_back_to_it(token, regular):
    regular = tuple(dict.fromkeys(regular))
    assert named_token(token_name(token, regular), regular) == token


@given(st.lists(st.characters(max_codepoint=0x4DFF), min_size=2, max_size=4, unique=True))
def test_characters_that_name_no_token_get_ids_of_their_own_far_from_all_tokens(characters):
    ids = [named_token(c, characters[:1]) for c in characters]
    assert ids[0] == 0 and min(ids[1:]) >= UNNAMED and len(set(ids)) == len(ids)


@given(st.integers(0, CJK + BEYOND - 1), st.integers(0, CJK + BEYOND - 1))
def test_token_names_are_in_the_order_of_the_ids(one, other):
    assume(one < other)
    assert ord(token_name(one)) < ord(token_name(other))


def test_a_token_without_a_character_says_what_to_use_instead():
    sample = TemplateTask({"αα": 1}).sample(1, range(2_000_000, 2_000_001))
    with pytest.raises(ValueError, match="2000000.*integer tokens"):
        _ = sample.strings


# ---- equality up to renaming ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("one, other, same", [
    ({"αα": 1, "αβ": -1}, {"γδ": 1, "ββ": -1}, True),
    ({"αα": 1, "αβ": -1}, {"αβ": 5, "αα": 0}, True),
    ({"αβα": 1, "αββ": -1}, {"αβα": 1, "ααβ": -1}, False),
    ({"ααα": 1, "ααβ": 1, "αββ": -1}, {"ααα": 1, "ααβ": -1, "αββ": -1}, False),
    ({"aα": 1, "bα": -1}, {"aα": 1, "cα": -1}, False),
    ({"αβ": "α"}, {"βα": "β"}, True),
    ({"αβ": "α"}, {"αβ": "β"}, False),
    ({"αβ": "α"}, {"αβ": "a"}, False),
])
def test_canonical_forms_are_equal_for_tasks_that_differ_in_names_alone(one, other, same):
    assert (TemplateTask(one).canonical_form() == TemplateTask(other).canonical_form()) == same
    assert hash(TemplateTask(one).canonical_form()) == hash(TemplateTask(dict(reversed(one.items()))).canonical_form())
