"""The kernel as a sum over matchings of wildcards."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pattern_kernel import PatternKernel

from abstract_symbols import Template
from abstract_symbols.kernels.matchings import (
    kernel_values,
    matched_strings,
    matching_weights,
    template_shape,
    width,
)

KERNEL = PatternKernel()


@given(st.text("αβγab", min_size=1, max_size=4), st.text("αβγab", min_size=1, max_size=4))
def test_weights_of_the_matchings_on_which_strings_agree_add_up_to_the_kernel(one, other):
    k = min(len(one), len(other))
    x, y = (template_shape(Template(z[:k]), "ab") for z in (one, other))
    pairs = [(a, b) for a in range(width(x)) for b in range(width(y))]
    matchings = [m for size in range(len(pairs) + 1) for m in combinations(pairs, size)
                 if len({a for a, _ in m}) == len({b for _, b in m}) == size]
    weights = matching_weights(KERNEL, [(x, y, m) for m in matchings])
    for matching in matchings:
        left, right = matched_strings(x, y, matching)
        shared = {(left[i], right[j]) for i in range(k) for j in range(k) if x[i] < 0 and left[i] == right[j]}
        assert len(shared) == len(matching)
        total = sum(weights[x, y, m] for m in matchings if set(m) <= set(matching))
        assert total == pytest.approx(KERNEL(left, right), abs=1e-12)
        assert kernel_values(KERNEL, [(x, y, matching)])[0] == KERNEL(left, right)
