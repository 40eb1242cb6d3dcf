"""The transformer's kernel: attention, activation, finite width, exact expansion, template matrix, ridge regression."""

from .ridge import KernelRidge
from .template_matrix import template_matrix
from .transformer import FiniteTransformer, TransformerKernel

__all__ = ["FiniteTransformer", "KernelRidge", "TransformerKernel", "template_matrix"]
