"""Template tasks, transformers with identity parameters, their kernel, and the experiments of the paper.

Source: "When can transformers reason with abstract symbols?" (arXiv 2310.09753).
"""

from .kernels import FiniteTransformer, KernelRidge, TransformerKernel, template_matrix
from .networks import MLP, Transformer
from .templates import Sample, Template, TemplateTask

__all__ = [
    "MLP", "FiniteTransformer", "KernelRidge", "Sample", "Template", "TemplateTask", "Transformer",
    "TransformerKernel", "template_matrix",
]
