"""Language models: identity parameters for Hugging Face's transformers, text to train on, and training.

transformers, tokenizers and datasets are imported only where they are used (the extra `language`).
"""

from .corpus import Corpus, blocks, corpus, tokenizer
from .pretraining import pretrained, read_out
from .scalings import add_identity_scalings, head_diagonals, load_identity_scalings, scalars
from .training import gpt2, perplexity, train

__all__ = [
    "Corpus", "add_identity_scalings", "blocks", "corpus", "gpt2", "head_diagonals", "load_identity_scalings",
    "perplexity", "pretrained", "read_out", "scalars", "tokenizer", "train",
]
