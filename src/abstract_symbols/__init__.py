"""Template tasks, transformers with identity parameters, and the experiments of "When can transformers reason with
abstract symbols?" (arXiv 2310.09753)."""

from .networks import MLP, Transformer
from .templates import Sample, Template, TemplateTask

__all__ = ["MLP", "Sample", "Template", "TemplateTask", "Transformer"]
