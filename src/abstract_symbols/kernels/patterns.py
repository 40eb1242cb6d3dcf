"""Equality patterns: what K_attn depends on.

Source:
    section 3 of the paper, "transformer kernel".
"""

from collections.abc import Hashable, Sequence

String = Sequence[Hashable]  # a `str`, every character a token, or tokens of any hashable kind
Pattern = tuple[tuple[int, ...], tuple[int, ...]]  # two strings of tokens named 0, 1, … in order of appearance
CLS = object()  # the [CLS] token, equal to no other


def canonical_pattern(x: Sequence[Hashable], y: Sequence[Hashable], cls: bool = True) -> Pattern:
    """The equality pattern of two strings: their tokens renamed, the same for (x, y), (y, x) and any renaming.

    >>> canonical_pattern("AAB", "CCB", cls=False) == canonical_pattern("XXB", "AAB", cls=False)
    True

    Args:
        x: a string, of k ≥ 1 tokens.
        y: another one of equal length.
        cls: whether to append [CLS].

    Returns:
        Two tuples of k (k + 1 with [CLS]) small integers, equal exactly where the tokens are.

    Raises:
        ValueError: for strings that are empty or of unequal length.

    Source:
        section 3; the kernel depends on nothing else.
    """
    x, y = tokens_of(x), tokens_of(y)
    if len(x) != len(y):
        raise ValueError(f"strings of unequal length: {x!r} has {len(x)} tokens, {y!r} has {len(y)}; "
                         "the kernel compares strings of one length")
    if len(x) == 0:
        raise ValueError("empty strings: the kernel needs at least one token")
    return min(_rename(x, y, cls), _rename(y, x, cls))


def tokens_of(string: Sequence[Hashable]) -> Sequence[Hashable]:
    """The tokens of a string. Those of an array or tensor become plain numbers: two tensors are never one dict key."""
    return string.tolist() if hasattr(string, "tolist") else string


def _rename(x: Sequence[Hashable], y: Sequence[Hashable], cls: bool) -> Pattern:
    names: dict[Hashable, int] = {}
    first = tuple([names.setdefault(t, len(names)) for t in x])
    second = tuple([names.setdefault(t, len(names)) for t in y])
    end = (len(names),) if cls else ()
    return first + end, second + end
