"""The parts of the Gram operator: rows packed into integers."""

import numpy as np
import pytest

from abstract_symbols.kernels.gram_operator import pack


@pytest.mark.parametrize("top", [3, 2**16 - 1, 2**30 - 1, 2**40])
def test_packed_rows_are_equal_where_the_rows_are(top):
    rows = np.random.default_rng(0).choice([0, 1, top - 1, top], size=(300, 5))
    packed, (_, index) = pack(rows), np.unique(rows, axis=0, return_inverse=True)
    assert len(set(zip(packed.tolist(), index.tolist(), strict=True))) == len(set(packed.tolist())) == index.max() + 1
