"""The transformer's kernel: symmetric, positive semi-definite, and blind to names."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from monte_carlo import PAIRS

from abstract_symbols.kernels import FiniteTransformer, TransformerKernel
from abstract_symbols.kernels.expansion import attention_derivative

strings = st.integers(1, 4).flatmap(lambda k: st.tuples(*[st.text("ABCDE", min_size=k, max_size=k)] * 2))
KERNEL = TransformerKernel(beta=1.0, gamma=0.5, b1=2.0, b2=0.3)


@given(strings)
@pytest.mark.slow
def test_symmetric_and_blind_to_names_bit_for_bit(pair):
    x, y = pair
    renamed = [[{"A": 7, "B": "β", "C": None, "D": -1, "E": (1, 2)}[t] for t in s] for s in pair]
    fresh = TransformerKernel(beta=1.0, gamma=0.5, b1=2.0, b2=0.3)
    assert KERNEL(x, y) == KERNEL(y, x) == KERNEL(*renamed) == fresh(y, x)
    assert KERNEL.attention(x, y) == KERNEL.attention(y, x) == KERNEL.attention(*renamed)


@given(st.lists(st.text("ABCD", min_size=3, max_size=3), min_size=2, max_size=8, unique=True))
def test_gram_matrices_are_positive_semi_definite(rows):
    pairs = [(x, y) for x in rows for y in rows]
    for values in (KERNEL.attention_values(pairs), KERNEL.values(pairs)):
        gram = values.reshape(len(rows), len(rows))
        assert (gram == gram.T).all()
        assert np.linalg.eigvalsh(gram).min() > -1e-12


def test_many_pairs_are_the_single_ones():
    fresh = TransformerKernel(beta=1.0, gamma=0.5, b1=2.0, b2=0.3)
    np.testing.assert_array_equal(fresh.values(PAIRS), [KERNEL(x, y) for x, y in PAIRS])
    np.testing.assert_array_equal(fresh.attention_values(PAIRS), [KERNEL.attention(x, y) for x, y in PAIRS])
    assert fresh.values([]).shape == fresh.errors([]).shape == (0,)
    assert (fresh.errors(PAIRS) < 1e-6).all()


def test_rows_of_tensors_and_arrays_are_strings():
    rows = torch.tensor([[5, 5, 7], [9, 9, 5]])
    expected = KERNEL("AAB", "CCA")
    assert KERNEL(*rows) == KERNEL(*rows.numpy()) == KERNEL(*rows.tolist()) == expected
    assert attention_derivative(*rows, 2, 0) == attention_derivative("AAB", "CCA", 2, 0)
    network = FiniteTransformer(KERNEL, 8)
    torch.testing.assert_close(network.features(rows), network.features(rows.tolist()))


@pytest.mark.parametrize("activation", ["cos", "relu", "erf", "gelu"])
def test_equal_strings_with_each_activation(activation):
    kernel = TransformerKernel(1.0, 0.5, activation, b1=1.3)
    named = {"cos": torch.cos, "relu": torch.relu, "erf": torch.erf, "gelu": torch.nn.functional.gelu}
    callable_kernel = TransformerKernel(1.0, 0.5, named[activation], b1=1.3)
    values = kernel.values([("AB", "AB"), ("AB", "CD"), ("AA", "BB")])
    tolerance = 1e-2 if activation == "relu" else 1e-9
    np.testing.assert_allclose(callable_kernel.values([("AB", "AB"), ("AB", "CD"), ("AA", "BB")]), values,
                               atol=tolerance)
    assert (np.isfinite(values)).all() and values[0] > 0


@pytest.mark.parametrize("arguments, message", [
    ({"beta": math.nan}, "beta=nan"), ({"beta": 0.0}, "beta=0.0"), ({"gamma": -1.0}, "gamma=-1.0"),
    ({"b1": math.inf}, "b1=inf"), ({"b2": math.nan}, "b2=nan"), ({"activation": "swish"}, "cos, relu, erf, gelu"),
    ({"beta": None}, "beta=None"), ({"gamma": "1"}, "gamma='1'"), ({"b1": None}, "b1=None"), ({"b2": None}, "b2=None"),
    ({"beta": 1e-300}, "beta=1e-300: .*from 1e-30"), ({"gamma": 1e300}, "gamma=1e.300: .*to 1e30"),
    ({"seed": None}, "seed=None"), ({"activation": None}, "activation None"),
    ({"activation": ["cos"]}, r"activation \['cos'\]: .*or a callable"),
    ({"activation": "relu", "b2": 1.0}, "leave b2 out"), ({"samples": 1000}, "power of 2"),
    ({"method": "magic"}, "'auto', 'lattice' or 'sobol'"),
])
def test_bad_parameters_are_named(arguments, message):
    with pytest.raises(ValueError, match=message.replace("(", r"\(")):
        TransformerKernel(**{"beta": 1.0, "gamma": 1.0, **arguments})


@pytest.mark.parametrize("activation", ["cos", "relu", "erf"])
@pytest.mark.parametrize("beta, gamma, b1", [(1e-30, 1.0, 1.0), (1e-30, 1e-30, 1e-30), (1e30, 1e30, 1e30)])
def test_at_the_ends_of_the_range_values_are_still_numbers(beta, gamma, b1, activation):
    assert math.isfinite(TransformerKernel(beta, gamma, activation, b1=b1, samples=2**8)("AB", "CC"))


def test_bad_strings_are_named():
    with pytest.raises(ValueError, match="unequal length: 'AB' has 2 tokens, 'ABC' has 3"):
        KERNEL("AB", "ABC")
    with pytest.raises(ValueError, match="empty strings"):
        KERNEL.attention("", "")
    with pytest.raises(ValueError, match="width=0"):
        FiniteTransformer(KERNEL, 0)
    with pytest.raises(ValueError, match="one length"):
        FiniteTransformer(KERNEL, 4).features(["A", "AB"])
