"""The transformer's kernel: attention, activation, finite width, exact expansion, template matrix, ridge regression."""

from .transformer import FiniteTransformer, TransformerKernel

__all__ = ["FiniteTransformer", "TransformerKernel"]
