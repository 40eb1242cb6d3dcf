"""Numbers are written with the digits that they deserve."""

import re

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from companion.formats import about, crossing, number, short, spread


@pytest.mark.parametrize(("value", "text"), [
    (None, "–"), (float("inf"), "∞"), (0.0, "0.00"),
    (1e-300, "≤ 1e-300"), (1e-299, "1.00e-299"), (0.12345, "0.123"), (-0.5, "-0.500"), (1.0, "1.00"),
    (18.789, "18.8"),
    (429.47, "429"), (999.4, "999"), (999.7, "1,000"), (1234.5, "1,234"), (123456.7, "123,457"), (-2000.0, "-2,000"),
])
def test_a_number_has_three_digits_or_all_before_the_point(value, text):
    assert number(value) == text


@given(st.floats(1e-3, 1e7) | st.floats(-1e7, -1e-3))
@example(999.5)
@example(999.49)
def test_a_number_is_near_and_has_no_exponent(value):
    text = number(value)
    assert re.fullmatch(r"-?\d{1,3}(,\d{3})*(\.\d+)?", text)
    assert float(text.replace(",", "")) == pytest.approx(value, rel=0.005 + 1e-9)


def test_one_seed_has_no_standard_error():
    assert (spread(0.25, 0.0354), spread(0.25, np.nan)) == ("0.250 ± 0.035", "0.250")
    assert (about(0.5, 0.0167), about(0.5, np.nan)) == ("0.500 ± 0.0167", "0.500")


@pytest.mark.parametrize(("value", "text"), [(3e-5, "3e-05"), (100, "100"), (4096, "4096"), (1_000_000, "1,000,000")])
def test_values_of_an_axis(value, text):
    assert short(value) == text


@pytest.mark.parametrize(("n50", "text"), [
    (429.47, "429"), (1361.8, "1,362"), (16.0, "≤ 16"), (17.0, "17"), (8192.0, "8,192"), (float("inf"), "> 8,192")])
def test_outside_the_measured_n_a_crossing_is_a_bound(n50, text):
    assert crossing(n50, 16, 8192) == text
