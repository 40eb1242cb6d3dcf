"""The transformer's kernel: attention, activation, finite width, exact expansion, template matrix, ridge regression."""

from .finite import FiniteTransformer
from .protocol import Kernel, RandomisedKernel
from .ridge import KernelRidge
from .template_matrix import template_matrix
from .transformer import TransformerKernel

__all__ = ["FiniteTransformer", "Kernel", "KernelRidge", "RandomisedKernel", "TransformerKernel", "template_matrix"]
