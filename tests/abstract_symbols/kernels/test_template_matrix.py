"""The template matrix and its smallest eigenvalue."""

import numpy as np
import pytest
from pattern_kernel import PatternKernel

from abstract_symbols import TemplateTask
from abstract_symbols.kernels import TransformerKernel
from abstract_symbols.kernels.template_matrix import smallest_eigenvalue, template_matrix

KERNEL = PatternKernel()
SAME_DIFFERENT = TemplateTask({"αα": +1, "αβ": -1})
TASKS = [SAME_DIFFERENT, TemplateTask({"αβα": 1, "αββ": -1}), TemplateTask({"α": "α"}),
         TemplateTask({"aαb": 1, "aαα": 2}), TemplateTask({"α=β": 1, "α=α": 2, "αα=": 3, "a==": 4})]


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_entries_are_kernel_values_of_strings_with_disjoint_symbols(task):
    left = [t.substitute("123456789") for t in task.templates]
    right = [t.substitute("ABCDEFGHI") for t in task.templates]
    n = template_matrix(task, KERNEL)
    np.testing.assert_allclose(n, [[KERNEL(x, y) for y in right] for x in left], rtol=1e-15)
    assert n.dtype == np.float64
    np.testing.assert_array_equal(n, n.T)
    assert np.linalg.eigvalsh(n)[0] > 0


def test_the_transformers_matrix_is_symmetric_and_positive():
    kernel = TransformerKernel(beta=2.0, gamma=1.0, b1=2.0, b2=0.3, samples=2**13)
    for task in TASKS[:2]:
        n = template_matrix(task, kernel)
        np.testing.assert_array_equal(n, n.T)
        value, error = smallest_eigenvalue(task, kernel)
        assert value == pytest.approx(np.linalg.eigvalsh(n)[0])
        assert value > 5 * error > 0


class Rough(PatternKernel):
    """The same kernel by four randomised rules: errors of known size, independent, opposed or common to all values."""

    def __init__(self, seed, kind, size=1e-3):
        self.rng, self.kind, self.size, self.known = np.random.default_rng(seed), kind, size, {}
        self.shift = self.rng.standard_normal(4)

    def estimates(self, pairs):
        keys = [tuple(sorted(({*x} == {x[0]}, {*y} == {y[0]}))) for x, y in pairs]
        for key in keys:
            alone = self.rng.standard_normal(4)
            opposed = self.shift * (1 if key[0] == key[1] else -1)
            self.known.setdefault(key, {"independent": alone, "opposed": opposed, "common": self.shift}[self.kind])
        return super().values(pairs)[:, None] + self.size * np.array([self.known[key] for key in keys])

    def values(self, pairs):
        return self.estimates(pairs).mean(1)


@pytest.mark.parametrize("kind, size", [("independent", 1.0), ("opposed", 1.0), ("common", 0.0)])
def test_the_error_of_the_eigenvalue_covers_what_repetition_shows(kind, size):
    true, _ = smallest_eigenvalue(SAME_DIFFERENT, KERNEL)
    found = [smallest_eigenvalue(SAME_DIFFERENT, Rough(seed, kind)) for seed in range(200)]
    values, errors = np.array(found).T
    assert (np.abs(values - true) <= errors).mean() > 0.5  # four randomisations: Student's t covers 61 %
    assert values.std() == pytest.approx(np.sqrt((errors**2).mean()), rel=0.15)
    assert (errors.mean() > 2e-4) == (size == 1.0)  # what all entries share hardly moves the smallest eigenvalue
