"""Equality patterns: the same for renamed and exchanged strings."""


from abstract_symbols.kernels import TransformerKernel
from abstract_symbols.kernels.patterns import canonical_pattern


def test_cls_is_one_more_token_shared_by_all():
    with_cls, without = TransformerKernel(1.0, 0.5), TransformerKernel(1.0, 0.5, cls=False)
    assert with_cls.attention("AB", "CA") == without.attention("AB$", "CA$")
    assert canonical_pattern("AB", "CA") == canonical_pattern([1, 2], [3, 1])
