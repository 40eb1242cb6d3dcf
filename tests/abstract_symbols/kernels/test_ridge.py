"""Kernel ridge regression in linear time against the dense solve, and both against the definition."""

import tracemalloc
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import assume, example, given
from hypothesis import strategies as st
from pattern_kernel import PatternKernel

from abstract_symbols import Sample, TemplateTask
from abstract_symbols.kernels.ridge import KernelRidge, dense_ridge, gram_matrix
from abstract_symbols.kernels.template_matrix import template_matrix
from abstract_symbols.kernels.transformer import TransformerKernel

KERNEL = PatternKernel()
SAME_DIFFERENT = TemplateTask({"αα": +1, "αβ": -1})


@st.composite
def tasks(draw):
    """Random disjoint templates of up to four wildcards, with regular tokens."""
    k = draw(st.integers(1, 5))
    patterns = draw(st.lists(st.text("αβγδab", min_size=k, max_size=k), min_size=1, max_size=4, unique=True))
    labels = {p: draw(st.integers(-3, 3)) for p in patterns}
    try:
        task = TemplateTask(labels, noise=draw(st.sampled_from([0.0, 0.5])))
    except ValueError:  # not disjoint
        assume(False)
    return task


def strangers(task, alphabet, count, seed):
    """Strings of tokens seen, unseen and regular, in no particular template."""
    return np.random.default_rng(seed).integers(0, len(task.regular) + alphabet + 4, size=(count, task.length))


# ---- against the dense solve and the definition ------------------------------------------------------------------


@given(tasks(), st.integers(1, 60), st.integers(4, 40), st.sampled_from([1e-3, 1e-2, 1.0, 30.0]), st.integers(0, 99))
@example(SAME_DIFFERENT, 60, 4, 1e-2, 0)
@example(TemplateTask({"αβγδ": 1, "αβγα": -1, "aαbα": 0.5}), 60, 5, 1e-2, 0)
@example(TemplateTask({"aab": 1, "baa": -1, "aαα": 2}), 30, 4, 1e-2, 0)
def test_the_linear_method_is_the_dense_one(task, n, alphabet, ridge, seed):
    sample = task.sample(n, alphabet, seed=seed)
    unseen = task.sample(20, task.alphabets(alphabet, 9)[1], seed=seed)
    fast = KernelRidge(KERNEL, ridge).fit(sample)
    dense = KernelRidge(KERNEL, ridge, method="dense").fit(sample)
    for strings in (sample, unseen, strangers(task, alphabet, 20, seed)):
        np.testing.assert_allclose(fast.predict(strings), dense.predict(strings), rtol=0, atol=1e-8)
    np.testing.assert_allclose(ridge * fast.coefficients, ridge * dense.coefficients, rtol=0, atol=1e-8)
    assert fast.residual <= 1e-10


@given(tasks(), st.integers(1, 25), st.integers(4, 12), st.integers(0, 99))
def test_the_gram_matrix_and_the_dense_solve_are_the_definition(task, n, alphabet, seed):
    sample = task.sample(n, alphabet, seed=seed)
    tokens = torch.from_numpy(strangers(task, alphabet, 7, seed))  # regular tokens in wildcards' places too
    other = Sample(task, range(0), tokens, torch.zeros(7), torch.zeros(7, dtype=torch.int64))
    rows = [tuple(row) for row in sample.tokens.tolist()]
    columns = [tuple(row) for row in other.tokens.tolist()]
    gram = KERNEL.values(list(product(rows, rows))).reshape(n, n)
    cross = KERNEL.values(list(product(rows, columns))).reshape(n, 7)
    np.testing.assert_array_equal(gram_matrix(KERNEL, sample), gram)
    np.testing.assert_array_equal(gram_matrix(KERNEL, sample, other), cross)
    expected = cross.T @ np.linalg.solve(gram + 0.1 * np.eye(n), sample.labels.numpy())
    np.testing.assert_allclose(dense_ridge(KERNEL, sample, other, ridge=0.1), expected, rtol=0, atol=1e-10)
    np.testing.assert_allclose(KernelRidge(KERNEL, ridge=0.1).fit(sample).predict(other), expected, rtol=0, atol=1e-8)


class Weighted(PatternKernel):
    """The same kernel with weights of its own: a product of three positive definite ones, whatever they are."""

    def __init__(self, anywhere, in_place, inside):
        self.weights = anywhere, in_place, inside

    def __call__(self, x, y):
        between = np.equal.outer(x, y)
        patterns = np.equal.outer(x, x).ravel(), np.equal.outer(y, y).ravel()
        terms = between.mean(), np.trace(between) / len(x), (patterns[0] & patterns[1]).mean()
        return float(np.exp(np.dot(self.weights, terms) - sum(self.weights)))


@given(st.tuples(*[st.floats(0.05, 4)] * 3), tasks(), st.integers(1, 50), st.integers(4, 25), st.integers(0, 99))
def test_with_any_kernel_it_is_the_dense_solve_and_all_unseen_symbols_are_alike(weights, task, n, alphabet, seed):
    kernel, rng = Weighted(*weights), np.random.default_rng(seed)
    sample = task.sample(n, alphabet, seed=seed, zipf=seed % 3)
    model = KernelRidge(kernel).fit(sample)
    dense = KernelRidge(kernel, method="dense").fit(sample)
    strings = strangers(task, alphabet, 15, seed)
    np.testing.assert_allclose(model.predict(strings), dense.predict(strings), rtol=0, atol=1e-8)
    unseen = len(task.regular) + alphabet + rng.permutation(40)
    for template in task.templates:
        places = {c: i for i, c in enumerate(template.wildcards)}
        rows = [[start + places[c] if c in places else -1 - task.regular.index(c) for c in template.pattern]
                for start in (0, 7, 20)]
        ids = np.where(np.array(rows) < 0, -1 - np.array(rows), unseen[np.maximum(rows, 0)])
        assert np.ptp(model.predict(ids)) <= 1e-12


@pytest.mark.parametrize(("beta", "gamma", "b1", "b2"), [(0.5, 2.0, 1.0, 0.0), (1.5, 0.5, 3.0, 1.0)])
def test_with_the_transformers_kernel_at_other_parameters_it_is_the_dense_solve(beta, gamma, b1, b2):
    kernel = TransformerKernel(beta, gamma, "cos", b1, b2)
    sample = TemplateTask({"αα": 1, "αβ": -1}, noise=1.0).sample(300, 60)
    strings = ["XX", "XY", *sample.strings[:20]]
    fast, dense = KernelRidge(kernel).fit(sample).predict(strings), dense_ridge(kernel, sample, strings)
    np.testing.assert_allclose(fast, dense, rtol=0, atol=1e-8)


@given(tasks(), st.integers(1, 60), st.integers(4, 40), st.sampled_from([1e-3, 1e-2, 1.0]), st.integers(0, 99))
@example(SAME_DIFFERENT, 60, 4, 1e-2, 0)
def test_the_error_on_unseen_symbols_is_bounded_as_the_chapter_proves(task, n, alphabet, ridge, seed):
    sample = task.sample(n, alphabet, seed=seed, zipf=seed % 2)
    z = np.eye(len(task.templates))[sample.templates.numpy()]  # (n, r)
    assume(z.any(axis=0).all())
    matrix, f = template_matrix(task, KERNEL), task.values
    rest = gram_matrix(KERNEL, sample) - z @ matrix @ z.T
    assert np.linalg.eigvalsh(rest)[0] > -1e-9, "E is a Gram matrix"
    rest += ridge * np.eye(n)
    x = np.linalg.inv(z.T @ np.linalg.solve(rest, z))
    unseen = [t.substitute("UVWXYZ") for t in task.templates]
    model = KernelRidge(KERNEL, ridge).fit(sample, np.column_stack([z @ f, z]))
    miss = f - model.predict(unseen)[:, 0]
    np.testing.assert_allclose(miss, x @ np.linalg.solve(matrix + x, f), rtol=0, atol=1e-7)
    averages = z / z.sum(axis=0)
    averaged = averages.T @ rest @ averages
    size, nu = np.linalg.eigvalsh(averaged)[-1], np.linalg.eigvalsh(matrix)[0]
    assert np.linalg.eigvalsh(averaged - x)[0] > -1e-9 * size, "averages lie above"
    assert np.linalg.norm(miss) <= np.linalg.norm(f) * size / nu * (1 + 1e-6) + 1e-9
    weights = model.coefficients[:, 1:] @ matrix  # (n, r): what each label adds to each prediction
    np.testing.assert_allclose(weights.T @ (z @ f), f - miss, rtol=0, atol=1e-7)
    assert np.linalg.eigvalsh(weights.T @ weights)[-1] <= size / ridge * (1 + 1e-6)


@pytest.mark.parametrize("alphabet", [1000, 30])
def test_the_transformers_kernel_at_a_thousand_strings(alphabet):
    kernel = TransformerKernel(beta=1.0, gamma=1.0, b1=2.0, b2=0.3, samples=2**11)
    task = TemplateTask({"αβα": 1, "αββ": -1, "aaα": 0.3}, noise=0.2)
    sample, unseen = task.sample(1000, alphabet), task.sample(200, task.alphabets(alphabet, 200)[1])
    fast = KernelRidge(kernel).fit(sample)
    np.testing.assert_allclose(fast.predict(unseen), dense_ridge(kernel, sample, unseen), rtol=0, atol=1e-8)
    np.testing.assert_allclose(fast.predict(sample), dense_ridge(kernel, sample, sample), rtol=0, atol=1e-8)


@given(tasks(), st.integers(1, 40), st.integers(4, 12), st.integers(0, 99))
def test_renaming_symbols_changes_nothing(task, n, alphabet, seed):
    sample, strings = task.sample(n, alphabet, seed=seed), strangers(task, alphabet, 15, seed)
    regular = len(task.regular)
    names = np.concatenate([np.arange(regular), regular + np.random.default_rng(seed).permutation(10**12 // 7 + alphabet
                            + np.arange(alphabet + 4))])
    renamed = Sample(task, range(0), torch.from_numpy(names[sample.tokens.numpy()]), sample.labels, sample.templates)
    one, two = KernelRidge(KERNEL).fit(sample), KernelRidge(KERNEL).fit(renamed)
    np.testing.assert_allclose(one.predict(strings), two.predict(names[strings]), rtol=0, atol=1e-8)
    np.testing.assert_allclose(one.coefficients, two.coefficients, rtol=0, atol=1e-6)


def test_the_order_of_strings_changes_nothing():
    sample = TemplateTask({"αβ": 1, "αα": -1}, noise=1.0).sample(50, 9)
    order = np.random.default_rng(0).permutation(50)
    mixed = Sample(sample.task, sample.alphabet, sample.tokens[order], sample.labels[order], sample.templates[order])
    one, two = KernelRidge(KERNEL).fit(sample), KernelRidge(KERNEL).fit(mixed)
    np.testing.assert_allclose(one.coefficients[order], two.coefficients, atol=1e-6)
    assert one.predict(sample)[order] == pytest.approx(two.predict(mixed), abs=1e-8)


# ---- size --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("alphabet", [100_000, 1000])
def test_memory_is_linear_and_iterations_stay_few(alphabet):
    sample = SAME_DIFFERENT.sample(100_000, alphabet)
    model = KernelRidge(KERNEL)
    tracemalloc.start()
    model.fit(sample)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 500 * len(sample)  # bytes; the Gram matrix would be 80 GB
    assert model.iterations <= 60
    unseen = SAME_DIFFERENT.sample(100, SAME_DIFFERENT.alphabets(alphabet, 100)[1])
    values = SAME_DIFFERENT.values[unseen.templates]
    np.testing.assert_allclose(model.predict(unseen), values, atol=0.1)


def test_training_symbols_that_no_string_shares_cost_the_templates_only():
    task = TemplateTask({"αβγδεζηθ": 1, "αβγδεζηα": -1})  # 1,441,729 matchings, none of which occurs
    tokens = torch.arange(160).reshape(20, 8)
    tokens[10:, 7] = tokens[10:, 0]
    sample = Sample(task, range(160), tokens, torch.ones(20, dtype=torch.float64), torch.zeros(20, dtype=torch.int64))
    model = KernelRidge(KERNEL).fit(sample)
    assert model.predict(tokens + 1000)[0] == pytest.approx(model.predict(tokens + 1000)[9], abs=1e-12)
    gram = KERNEL.values([(x, y) for x in tokens.tolist() for y in tokens.tolist()]).reshape(20, 20)
    coefficients = np.linalg.solve(gram + 0.01 * np.eye(20), np.ones(20))
    np.testing.assert_allclose(model.coefficients, coefficients, atol=1e-8)
    partly = [[0, 1, 900, 901, 902, 903, 904, 905]]
    expected = KERNEL.values([(partly[0], x) for x in tokens.tolist()]) @ coefficients
    np.testing.assert_allclose(model.predict(partly), expected, atol=1e-8)
    with pytest.raises(ValueError, match="larger alphabet"):
        KernelRidge(KERNEL).fit(task.sample(50, 8))


# ---- labels ------------------------------------------------------------------------------------------------------


def test_several_outputs_are_as_many_fits():
    sample, unseen = SAME_DIFFERENT.sample(80, 30), np.array([[900, 900], [900, 901], [0, 901]])
    labels = np.random.default_rng(0).standard_normal((80, 3))
    together = KernelRidge(KERNEL).fit(sample, labels)
    assert together.coefficients.shape == (80, 3)
    assert together.predict(unseen).shape == (3, 3)
    for column, prediction in zip(labels.T, together.predict(unseen).T, strict=True):
        np.testing.assert_allclose(KernelRidge(KERNEL).fit(sample, column).predict(unseen), prediction, atol=1e-9)
    assert KernelRidge(KERNEL).fit(sample, labels[:, :1]).predict(unseen).shape == (3, 1)


@pytest.mark.parametrize("method", ["linear", "dense"])
def test_symbolic_labels_are_one_hot_over_the_tokens_that_occur(method):
    task = TemplateTask({"αβa": "α", "ααb": "a"})
    sample = task.sample(200, 6)
    model = KernelRidge(KERNEL, ridge=1e-3, method=method).fit(sample)
    assert model.outputs.tolist() == sorted(set(sample.labels.tolist()))
    assert model.predict(sample).shape == (200, len(model.outputs))
    assert (model.outputs[model.predict(sample).argmax(1)] == sample.labels.numpy()).all()
    assert KernelRidge(KERNEL, method=method).fit(SAME_DIFFERENT.sample(9, 9)).outputs is None


def test_labels_of_zero_need_no_iterations():
    model = KernelRidge(KERNEL).fit(SAME_DIFFERENT.sample(30, 30), np.zeros(30))
    assert (model.iterations, model.residual) == (0, 0.0)
    assert (model.predict(["XX", "XY"]) == 0).all()


# ---- strings -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["linear", "dense"])
def test_strings_are_tokens_by_their_names(method):
    task = TemplateTask({"pα+β": 1, "pα+α": -1, "pα-p": 0.2}, noise=0.3)
    sample = task.sample(60, 8)
    model = KernelRidge(KERNEL, method=method).fit(sample)
    np.testing.assert_array_equal(model.predict(sample.strings), model.predict(sample))
    np.testing.assert_array_equal(model.predict(sample.tokens), model.predict(sample))
    np.testing.assert_array_equal(model.predict(sample.tokens.tolist()), model.predict(sample))
    mixed = [["p", "cat", "+", "dog"], "pX+X", ("p", 5, "+", 5), [0, 77, 1, 77]]
    as_ids = [[0, 900, 1, 901], [0, 900, 1, 900], [0, 5, 1, 5], [0, 77, 1, 77]]
    np.testing.assert_allclose(model.predict(mixed), model.predict(np.array(as_ids)), rtol=1e-12)
    assert model.predict(["pX+Y"])[0] != pytest.approx(model.predict(["pX+p"])[0], abs=1e-3)  # a regular token in place
    assert model.predict([]).shape == model.predict(np.empty((0, 4), dtype=np.int64)).shape == (0,)


def test_unseen_symbols_of_one_template_share_a_prediction_and_seen_ones_do_not():
    sample = TemplateTask({"αα": 1, "αβ": -1}, noise=0.5).sample(100, 40)
    model = KernelRidge(KERNEL).fit(sample)
    one, two, seen, _ = model.predict(["XX", "YY", sample.strings[0], "XY"])
    assert one == two
    assert one != seen


# ---- what goes wrong ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [dict(ridge=0), dict(ridge=-1), dict(ridge=float("nan")), dict(tolerance=0),
                                 dict(max_iterations=0), dict(ridge=float("inf")), dict(method="magic"),
                                 dict(ridge=None), dict(ridge="1"), dict(tolerance=None), dict(max_iterations=2.5)])
def test_bad_parameters_are_named(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        KernelRidge(KERNEL, **bad)


@pytest.mark.parametrize("strings, message", [
    ("XX", r"\['XX'\]"), (["XXX"], "3 tokens"), (["XX", "X"], "1 tokens"), (np.zeros((2, 3), dtype=int), "3 tokens"),
    (np.array([[0, -1]]), "0 or more"), ([(0, -1)], "0 or more"), (np.zeros((1, 2)), "integers"),
    (TemplateTask({"aα": 1}).sample(3, 3), "regular tokens"),
])
def test_bad_strings_are_refused(strings, message):
    with pytest.raises(ValueError, match=message):
        KernelRidge(KERNEL).fit(SAME_DIFFERENT.sample(5, 5)).predict(strings)


@pytest.mark.parametrize("labels", [np.zeros(4), np.zeros((5, 2, 2)), np.full(5, np.nan), np.zeros((5, 0))])
def test_bad_labels_are_refused(labels):
    with pytest.raises(ValueError, match="labels"):
        KernelRidge(KERNEL).fit(SAME_DIFFERENT.sample(5, 5), labels)


def test_a_prediction_needs_a_fit_and_a_dense_fit_a_small_sample():
    with pytest.raises(ValueError, match="not fitted"):
        KernelRidge(KERNEL).predict(["XX"])
    with pytest.raises(ValueError, match="at most 16384"):
        KernelRidge(KERNEL, method="dense").fit(SAME_DIFFERENT.sample(20_000, 10))
    with pytest.raises(ValueError, match="regular tokens"):
        gram_matrix(KERNEL, SAME_DIFFERENT.sample(2, 2), TemplateTask({"aα": 1}).sample(2, 2))


def test_no_convergence_is_an_error():
    sample = TemplateTask({"αα": 1, "αβ": -1}, noise=1.0).sample(200, 20)
    with pytest.raises(RuntimeError, match="did not converge: after 3 iterations"):
        KernelRidge(KERNEL, max_iterations=3).fit(sample)
    with pytest.raises(RuntimeError, match="did not converge"):
        KernelRidge(KERNEL, tolerance=1e-30).fit(sample)


def test_a_kernel_that_is_not_positive_is_an_error():
    class Negative(PatternKernel):
        def __call__(self, x, y):
            return -super().__call__(x, y)

    with pytest.raises(RuntimeError, match="not positive definite"):
        KernelRidge(Negative()).fit(SAME_DIFFERENT.sample(100, 20))
