"""The learning curves and numbers of strings that the template matrix predicts."""

import numpy as np
import pytest
from pattern_kernel import PatternKernel

from abstract_symbols import TemplateTask
from abstract_symbols.kernels import KernelRidge
from abstract_symbols.kernels.prediction import expected_error, predicted_samples
from abstract_symbols.kernels.template_matrix import smallest_eigenvalue

KERNEL = PatternKernel()
SAME_DIFFERENT = TemplateTask({"αα": +1, "αβ": -1})
TASKS = [SAME_DIFFERENT, TemplateTask({"αβα": 1, "αββ": -1}), TemplateTask({"α": "α"}),
         TemplateTask({"aαb": 1, "aαα": 2}), TemplateTask({"α=β": 1, "α=α": 2, "αα=": 3, "a==": 4})]


def measured_error(task, n, seeds, zipf=0.0):
    errors = []
    for seed in range(seeds):
        train, test = task.alphabets(max(n, 2), 1000)
        unseen = task.sample(200, test, seed=[1, seed])
        predictions = KernelRidge(KERNEL).fit(task.sample(n, train, seed=[0, seed], zipf=zipf)).predict(unseen)
        errors.append(np.mean((predictions - task.values[unseen.templates.numpy()]) ** 2))
    return np.mean(errors)


@pytest.mark.parametrize("task", [*TASKS[:2], TemplateTask({"αα": 1, "αβ": -1}, noise=1.0)], ids=["αα", "αβα", "noise"])
def test_the_predicted_learning_curve_is_near_the_measured_one(task):
    for n in (10, 40, 160):
        assert measured_error(task, n, 20) == pytest.approx(expected_error(task, KERNEL, n), rel=0.5)


@pytest.mark.parametrize("task", [*TASKS[:2], TemplateTask({"α=β": 1, "α=α": 2, "αα=": 3, "a==": 4}, noise=0.7),
                                  TemplateTask({"αβγ": 1, "ααβ": -1}, weights={"αβγ": 1, "ααβ": 5})],
                         ids=lambda task: task.name)
@pytest.mark.parametrize("m", [7, 400])
def test_a_uniform_law_of_symbols_is_an_alphabet(task, m):
    expected = expected_error(task, KERNEL, 100, alphabet=m)
    assert expected_error(task, KERNEL, 100, alphabet=np.full(m, 1 / m)) == pytest.approx(expected, rel=1e-9)


def test_one_likely_symbol_among_rare_ones_hardly_counts():
    """Half of the strings have one symbol, the others' never repeat: as good as half of the strings and a bit."""
    law = np.append(0.5, np.full(10**6, 0.5e-6))
    half = expected_error(SAME_DIFFERENT, KERNEL, 500, alphabet=1e12)
    assert half < 1.5 * expected_error(SAME_DIFFERENT, KERNEL, 1000, alphabet=law) < 2 * half
    assert expected_error(SAME_DIFFERENT, KERNEL, 1000, alphabet=1 / (law @ law)) > 50 * half, "the average is blind"


@pytest.mark.parametrize("zipf", [0.5, 1.0, 1.5])
@pytest.mark.parametrize("task", TASKS[:2], ids=lambda task: task.name)
def test_the_predicted_learning_curve_of_zipf_distributed_symbols_is_near_the_measured_one(task, zipf):
    for n in (100, 1000):
        predicted = expected_error(task, KERNEL, n, alphabet=task.law(n, zipf))
        assert measured_error(task, n, 5, zipf) == pytest.approx(predicted, rel=0.5)


@pytest.mark.parametrize("task", TASKS[:2], ids=lambda task: task.name)
def test_the_test_error_crosses_one_half_where_predicted(task):
    n = predicted_samples(task, KERNEL)
    assert expected_error(task, KERNEL, n) == pytest.approx(0.5)
    assert measured_error(task, round(2 * n), 20) < 0.5 < measured_error(task, round(n / 2), 20)


def test_two_likely_templates_without_repeated_symbols_need_the_stated_number():
    class Diagonal(PatternKernel):
        """N = ν on the labels' eigenvector; K(x, x) = 1."""

        def __call__(self, x, y):
            same = (x[0] == x[1]) == (y[0] == y[1])
            return 1.0 if x == y else 0.5 + (0.05 if same else -0.05)

    value, _ = smallest_eigenvalue(SAME_DIFFERENT, Diagonal())
    assert value == pytest.approx(0.1)
    expected = 2 * (0.01 + 1 - 0.55) * (np.sqrt(2) - 1) / 0.1
    assert predicted_samples(SAME_DIFFERENT, Diagonal(), alphabet=1e15) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("task", [*TASKS[:2], TASKS[3]], ids=lambda task: task.name)
def test_symbols_that_never_repeat_need_no_weights_of_pairs(task):
    class Counted(PatternKernel):
        pairs = 0

        def values(self, pairs):
            self.pairs += len(pairs)
            return super().values(pairs)

    few, many = Counted(), Counted()
    assert predicted_samples(task, few, alphabet=float("inf")) == pytest.approx(
        predicted_samples(task, many, alphabet=1e15), rel=1e-6)
    r = len(task.templates)
    assert few.pairs == r * r + r < many.pairs, "N, and every template with itself"


def test_a_kernel_that_cannot_tell_the_templates_apart_never_learns():
    class Blind(PatternKernel):
        def __call__(self, x, y):
            return 1.0 + (x == y)

    assert smallest_eigenvalue(SAME_DIFFERENT, Blind())[0] == pytest.approx(0, abs=1e-12)
    assert predicted_samples(SAME_DIFFERENT, Blind()) == float("inf")


@pytest.mark.parametrize("call, message", [
    (lambda: expected_error(TemplateTask({"α": "α"}), KERNEL, 10), "symbolic"),
    (lambda: expected_error(SAME_DIFFERENT, KERNEL, 0), "n=0"),
    (lambda: expected_error(SAME_DIFFERENT, KERNEL, 10, alphabet=-1), "alphabet=-1"),
    (lambda: expected_error(SAME_DIFFERENT, KERNEL, 10, alphabet=np.array([1.5, -0.5])), "alphabet="),
    (lambda: expected_error(SAME_DIFFERENT, KERNEL, 10, alphabet=np.array([0.5, 0.4])), "add up to 0.9"),
    (lambda: expected_error(SAME_DIFFERENT, KERNEL, 10, ridge=float("nan")), "ridge=nan"),
    (lambda: expected_error(SAME_DIFFERENT, KERNEL, 10, ridge=None), "ridge=None"),
    (lambda: predicted_samples(SAME_DIFFERENT, KERNEL, error=0), "error=0"),
    (lambda: predicted_samples(SAME_DIFFERENT, KERNEL, error=None), "error=None"),
])
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
