"""The learning curves and numbers of strings that the template matrix predicts."""

import numpy as np
import pytest
from pattern_kernel import PatternKernel

from abstract_symbols import TemplateTask
from abstract_symbols.kernels import KernelRidge
from abstract_symbols.kernels.prediction import (
    collision_constant,
    error_bound,
    expected_error,
    label_weights,
    predicted_samples,
    width_needed,
)
from abstract_symbols.kernels.ridge import gram_matrix
from abstract_symbols.kernels.template_matrix import smallest_eigenvalue, template_matrix

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
        predicted = expected_error(task, KERNEL, n, alphabet=task.symbol_distribution(n, zipf))
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


@pytest.mark.parametrize("task", TASKS[:2], ids=lambda task: task.name)
def test_label_weights_are_those_of_the_shrunken_weighted_mean(task):
    """V = (E + λI)⁻¹ Z X and X⁻¹ = Zᵀ (E + λI)⁻¹ Z, by dense matrices."""
    sample, ridge = task.sample(60, 15, seed=3), 0.05
    z = np.eye(2)[sample.templates.numpy()]
    n = template_matrix(task, KERNEL)
    rest = gram_matrix(KERNEL, sample) - z @ n @ z.T + ridge * np.eye(60)
    x = np.linalg.inv(z.T @ np.linalg.solve(rest, z))
    weights, shrinkage = label_weights(KERNEL, sample, ridge)
    np.testing.assert_allclose(weights, np.linalg.solve(rest, z) @ x, atol=1e-8)
    np.testing.assert_allclose(shrinkage, n + x, atol=1e-8)
    np.testing.assert_allclose(z.T @ weights, np.eye(2), atol=1e-8)


def test_label_weights_need_a_string_of_every_template():
    with pytest.raises(ValueError, match="no string of template 'α[αβ]'"):
        label_weights(KERNEL, SAME_DIFFERENT.sample(1, 5, seed=0))


class Alike:
    """1 + 1 for two pairs of equal symbols, 1 otherwise, and 1 more for equal strings: N = [[2, 1], [1, 1]], D = 1."""

    def values(self, pairs):
        return np.array([1.0 + (x[0] == x[1] and y[0] == y[1]) + (tuple(x) == tuple(y)) for x, y in pairs])


def test_the_width_that_is_needed_is_that_of_a_matrix_worked_out_by_hand():
    """ν = (3 − √5) / 2, so 2 D / ν = 4 / (3 − √5) = 3 + √5."""
    assert width_needed(SAME_DIFFERENT, Alike()) == pytest.approx(3 + 5**0.5, rel=1e-12)


def test_the_bound_on_the_error_is_that_worked_out_by_hand():
    """τ = 2 · 1.25 / 50 + 2 · 2 · 2 / 100 = 0.13, ‖f‖ = √2, 1/ν = (3 + √5) / 2."""
    noisy = TemplateTask({"αα": 1, "αβ": -1}, noise=3.0)
    by_hand = 2**0.5 * 0.13 * (3 + 5**0.5) / 2 + 3 * (0.13 / 0.25) ** 0.5
    assert error_bound(noisy, Alike(), 100, 100, ridge=0.25) == pytest.approx(by_hand, rel=1e-12)
    with pytest.raises(ValueError, match="alphabet"):
        error_bound(noisy, Alike(), 100, 0)
    with pytest.raises(ValueError, match="symbolic"):
        error_bound(TASKS[2], Alike(), 100, 100)


@pytest.mark.parametrize("noise", [0.0, 2.0])
def test_measured_errors_stay_below_the_bound(noise):
    task = TemplateTask({"αα": 1, "αβ": -1}, noise=noise)
    for n in (50, 500):
        squared = 2 * measured_error(task, n, 10)  # ‖f̂ − f‖²
        assert squared**0.5 < error_bound(task, KERNEL, n, n)


@pytest.mark.parametrize("task", TASKS[:2], ids=lambda task: task.name)
def test_gram_matrices_deviate_from_blocks_by_the_collision_constant(task):
    """For m symbols the relative deviation is the constant over √m, up to pairs of collisions and chance."""
    m, squares, matrix = 400, [], template_matrix(task, KERNEL)
    for seed in range(5):
        one, other = (task.sample(600, m, seed=[seed, part]) for part in (0, 1))
        deviation = gram_matrix(KERNEL, one, other) - matrix[one.templates][:, other.templates.numpy()]
        squares.append([[(deviation[one.templates == i][:, other.templates == j] ** 2).mean() for j in (0, 1)]
                        for i in (0, 1)])
    measured = np.sqrt(np.mean(squares, axis=0).sum() / (matrix**2).sum())
    assert measured * np.sqrt(m) == pytest.approx(collision_constant(task, KERNEL), rel=0.05)
