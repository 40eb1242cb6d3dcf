"""Tiny language models of Hugging Face's transformers, plain and with identity scalings; their texts."""

import pytest
import torch

pytest.importorskip("transformers", reason="the extra 'language' is not installed")

import transformers

from abstract_symbols.language import add_identity_scalings
from abstract_symbols.language.corpus import Corpus

SIZES = {"vocab_size": 40, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}


def gpt2(attention="sdpa", dropout=0.0, **options):
    torch.manual_seed(0)
    config = transformers.GPT2Config(**SIZES, n_positions=48, n_embd=16, n_layer=2, n_head=4, attn_pdrop=dropout,
                                     resid_pdrop=dropout, embd_pdrop=dropout, attn_implementation=attention, **options)
    return transformers.GPT2LMHeadModel(config).eval()


def llama(attention="sdpa"):
    torch.manual_seed(0)
    config = transformers.LlamaConfig(**SIZES, hidden_size=16, intermediate_size=24, num_hidden_layers=2,
                                      num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=48,
                                      attn_implementation=attention)
    return transformers.LlamaForCausalLM(config).eval()


MODELS = {"gpt2": gpt2, "llama": llama}
IDS = torch.randint(3, 40, (3, 12), generator=torch.Generator().manual_seed(1))


def move(model, size=0.7, only="ab"):
    """Give the scalars values as training might."""
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if "identity_scalings" in name and name[-1] in only:
                p.copy_(size * torch.randn(p.shape, generator=generator))
    return model


def modified(make=gpt2, attention="sdpa", **options):
    return move(add_identity_scalings(make(attention), **options))

ROWS = torch.randint(3, 40, (40, 10), generator=torch.Generator().manual_seed(4))
ROWS[:, 5:] = ROWS[:, :5]  # something to learn
LITTLE = Corpus("python", {"train": {"d": "one two three four five " * 300}, "validation": {"e": "two " * 60},
                           "test": {"f": "three four " * 60}})
SMALL = {"vocabulary": 270, "length": 8, "d_emb": 8, "depth": 2, "heads": 2}  # sizes of a run on it


def weights(model):
    return {name.removeprefix("transformer."): p for name, p in model.named_parameters() if "transformer." in name}


def same_weights(one, other):
    return weights(one).keys() == weights(other).keys() and all(
        torch.equal(p, weights(other)[name]) for name, p in weights(one).items())
