"""Checks of arguments: what they accept, and how they name what is wrong."""

import math

import numpy as np
import pytest

from abstract_symbols.checks import TINY, check_integer, check_real, one_of


@pytest.mark.parametrize("number", [0, 3, np.int64(3), 10**30])
def test_integers_come_back_unchanged(number):
    assert check_integer("n", number) is number


@pytest.mark.parametrize("number", [-1, 2.0, True, "3", None, math.nan])
def test_what_is_no_integer_or_too_small_is_named(number):
    with pytest.raises(ValueError, match=r"^n=.*: must be an integer, 0 or more$"):
        check_integer("n", number)


@pytest.mark.parametrize("value", [1, 0.5, np.float32(0.5), 2**70])
def test_real_numbers_come_back_as_floats(value):
    assert isinstance(check_real("x", value, "positive", TINY), float) and check_real("x", value, "positive") == value


@pytest.mark.parametrize("value", [0.0, -1, True, "1", None, math.nan, math.inf, 10**309])
def test_what_is_no_number_or_out_of_bounds_is_named_with_the_requirement(value):
    with pytest.raises(ValueError, match=r"^x=.*: must be a positive number$"):
        check_real("x", value, "a positive number", TINY)


def test_a_choice_is_one_of_those_listed():
    assert one_of("cell", "rnn", ("rnn", "lstm")) == "rnn" and one_of("m", None, ("a", None)) is None
    for other in ("gru", ["rnn"], None, np.zeros(2)):
        with pytest.raises(ValueError, match=r"must be 'rnn' or 'lstm'$"):
            one_of("cell", other, ("rnn", "lstm"))
    with pytest.raises(ValueError, match=r"^m='c': must be 'a', 'b' or None$"):
        one_of("m", "c", ("a", "b", None))
