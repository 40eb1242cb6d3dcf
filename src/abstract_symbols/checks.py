"""Checks of arguments: one wording for what is wrong and what would be right."""

import math
import sys
from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any

TINY, LARGE = sys.float_info.min, sys.float_info.max  # the smallest positive float with all its digits, and the largest


def check_integer(name: str, number: int, minimum: int = 0) -> int:
    """The number, if it is an integer that is large enough.

    Args:
        name: of the argument, for the message.
        number: a Python or NumPy integer; booleans are none.
        minimum: the smallest one allowed.

    Returns:
        The number, unchanged.

    Raises:
        ValueError: unless it is an integer, `minimum` or more.
    """
    if isinstance(number, bool) or not isinstance(number, Integral) or number < minimum:
        raise ValueError(f"{name}={number!r}: must be an integer, {minimum} or more")
    return number


def check_real(name: str, value: float, requirement: str, minimum: float = -LARGE, maximum: float = LARGE) -> float:
    """The value as a float, if it is a real number within the bounds.

    Args:
        name: of the argument, for the message.
        value: a Python or NumPy number; booleans and NaN are none.
        requirement: what the value must be, in words, such as "a positive number, such as 0.01".
        minimum: the smallest value allowed.
        maximum: the largest value allowed.

    Returns:
        The value as a `float`.

    Raises:
        ValueError: unless it is a real number from `minimum` to `maximum`.
    """
    try:
        number = float(value) if isinstance(value, Real) and not isinstance(value, bool) else math.nan
    except OverflowError:  # an integer beyond all floats
        number = math.nan
    if not minimum <= number <= maximum:
        raise ValueError(f"{name}={value!r}: must be {requirement}")
    return number


def one_of(name: str, value: Any, choices: Iterable[Any]) -> Any:
    """The value, if it is one of the choices.

    Args:
        name: of the argument, for the message.
        value: what was given.
        choices: at least two values, such as strings or None.

    Returns:
        The value, unchanged.

    Raises:
        ValueError: for any other value; the message lists the choices.
    """
    *most, last = choices
    if not any(value is choice or (type(value) is type(choice) and value == choice) for choice in (*most, last)):
        raise ValueError(f"{name}={value!r}: must be {', '.join(map(repr, most))} or {last!r}")
    return value
