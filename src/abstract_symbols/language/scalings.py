"""The identity parameters for language models of Hugging Face's transformers, through its attention interface.

    model = GPT2LMHeadModel.from_pretrained("openai-community/gpt2")
    add_identity_scalings(model)            # outputs do not change by a bit: all scalars are 0
    …                                       # train it like any other model
    model.save_pretrained("mine")
    model = load_identity_scalings("mine")

Hooks on the attention modules take their input x, the layer-normalised one, and add the b-term to their output; the
a-term enters through an attention function registered with the library. With a key-value cache, x is kept in that
cache as further layers of it, so that whatever the library does to a cache (beams reordered, tokens removed) happens
to x too: half as much memory again. Source: sections 3 to 5; the chapter "Perplexity".
"""

import copy
import importlib
import sys
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

BASES = ("eager", "sdpa")
FOREIGN = ("softcap", "s_aux", "sliding_window", "position_bias")  # what other models' attention adds; unknown to ours


def library(name: str = "transformers") -> Any:
    """Hugging Face's transformers, or another package of theirs. Raises: ValueError when it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        raise ValueError(f"{name} is not installed; pip install 'abstract-symbols[language]'") from None


class IdentityScalings(nn.Module):
    """The scalars of one attention module, and what its hooks hand on: x (n, k, d_emb) and the b-term (n, q, d_emb).

    Args: heads; a, b: whether the scalars exist, each a parameter of shape (heads,), 0 at first; mask_diagonal, c_kq,
    c_vo: as in `add_identity_scalings`; like: a tensor that lends its dtype and device.
    """

    def __init__(self, heads: int, like: Tensor, *, a: bool, b: bool, mask_diagonal: bool, c_kq: float | None,
                 c_vo: float) -> None:
        super().__init__()
        self.mask_diagonal, self.c_kq, self.c_vo = mask_diagonal, c_kq, c_vo
        self.a = nn.Parameter(torch.zeros(heads, dtype=like.dtype, device=like.device)) if a else None
        self.b = nn.Parameter(torch.zeros(heads, dtype=like.dtype, device=like.device)) if b else None
        self.x: Any = None  # the layer's input, and the b-term, from one hook to the next
        self.b_term: Any = None

    def at_zero(self) -> bool:
        """Whether no scalar has moved yet."""
        return not any(s.any() for s in (self.a, self.b) if s is not None)  # DataParallel's copies have no parameters()

    def gram(self, q: int, scaling: float) -> Tensor:
        """What the last q positions' logits gain: (n, heads, q, k) = c_kq a_h x_i·x_j."""
        gram = self.x[:, -q:] @ self.x.transpose(-2, -1)                # (n, q, k), one for all heads
        if self.mask_diagonal:
            past = gram.shape[-1] - q
            gram = gram.masked_fill(torch.ones_like(gram[0], dtype=torch.bool).triu(past).tril(past), 0)
        a: Any = self.a  # there is one where this is called
        return ((scaling if self.c_kq is None else self.c_kq) * a)[:, None, None] * gram[:, None]

    def attend(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, dropout: float,
               scaling: float | None) -> tuple[Tensor, Tensor]:
        """Attention with the a-term: query (n, heads, q, d_head) to (n, q, heads, d_head) and its weights.

        Keeps the b-term for the hook. Masks are the library's: additive, boolean, or none for a causal one.
        """
        groups = query.shape[1] // key.shape[1]                         # heads that share a key
        key, value = (t.repeat_interleave(groups, dim=1) if groups > 1 else t for t in (key, value))
        q, k = query.shape[-2], key.shape[-2]
        scaling = query.shape[-1] ** -0.5 if scaling is None else scaling
        logits = query @ key.transpose(-2, -1) * scaling                # (n, heads, q, k)
        if self.a is not None:
            logits = logits + self.gram(q, scaling)
        if mask is None and q > 1:
            mask = torch.ones(q, k, dtype=torch.bool, device=logits.device).tril()
        if mask is not None and mask.dtype == torch.bool:
            logits = logits.masked_fill(~mask, torch.finfo(logits.dtype).min)
        elif mask is not None:
            logits = logits + mask
        weights = logits.softmax(-1, dtype=torch.promote_types(logits.dtype, torch.float32)).to(value.dtype)
        weights = F.dropout(weights, dropout)                           # the library gives 0 outside training
        if self.b is not None:
            self.b_term = torch.einsum("nhqk,h->nqk", weights, self.c_vo * self.b) @ self.x
        return (weights @ value).transpose(1, 2).contiguous(), weights


def _attention(base: str, module: nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None,
               dropout: float = 0.0, scaling: float | None = None, **options: Any) -> tuple[Tensor, Tensor | None]:
    """The registered attention function: the model's own kernel, bit for bit, until a scalar of the layer moves."""
    kernel = (sys.modules[type(module).__module__].eager_attention_forward if base == "eager"
              else library().modeling_utils.ALL_ATTENTION_FUNCTIONS[base])
    plain = partial(kernel, module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **options)
    own = getattr(module, "identity_scalings", None)
    if own is None:  # cross-attention, or a model of the same process that shares its configuration
        return plain()
    foreign = [name for name in FOREIGN if options.get(name) is not None]
    if foreign:
        raise ValueError(f"{type(module).__name__} attends with {foreign[0]}, which the identity scalings do not have")
    at_zero = own.at_zero()
    if at_zero and not torch.is_grad_enabled():
        return plain()
    out, weights = own.attend(query, key, value, attention_mask, dropout, scaling)
    if at_zero and not dropout:
        with torch.no_grad():
            exact = plain()[0]
        out = exact + (out - out.detach())                              # the kernel's value, our gradient
    return out, weights


def _take_input(module: nn.Module, args: tuple, kwargs: dict) -> None:
    """Before attention: keep its input x, behind those of the cached positions."""
    x = args[0] if args else kwargs["hidden_states"]                    # (n, q, d_emb)
    cache = kwargs.get("cache", kwargs.get("past_key_values"))
    if cache is not None:
        layers, growing = module.config.num_hidden_layers, library().cache_utils.DynamicLayer
        while len(cache.layers) <= layers + module.layer_idx:
            kind = cache.layer_class_to_replicate if len(cache.layers) < layers else None
            cache.layers.append((kind or growing)())
        if not isinstance(cache.layers[module.layer_idx], growing) or cache.layers[module.layer_idx].is_sliding:
            raise ValueError(f"identity scalings cannot use a {type(cache.layers[module.layer_idx]).__name__} of a "
                             "key-value cache; use the default DynamicCache, without a sliding window")
        x = cache.layers[layers + module.layer_idx].update(x[:, None], x[:, None, :, :0])[0][:, 0]  # (n, k, d_emb)
    module.identity_scalings.x = x


def _add_b_term(module: nn.Module, args: tuple, output: tuple) -> tuple:
    """After attention: add the b-term to its output, and let go of x."""
    own = module.identity_scalings
    b_term, own.x, own.b_term = own.b_term, None, None
    return output if b_term is None else (output[0] + b_term, *output[1:])


def attention_modules(model: nn.Module) -> list[nn.Module]:
    """A decoder's self-attention modules, first layer first."""
    found = [m for m in model.modules() if getattr(m, "is_causal", False) is True and hasattr(m, "layer_idx")
             and type(m).__name__.endswith("Attention") and not getattr(m, "is_cross_attention", False)]
    return sorted(found, key=lambda m: m.layer_idx)


def add_identity_scalings(model: nn.Module, a: bool = True, b: bool = True, *, mask_diagonal: bool = False,
                          c_kq: float | None = None, c_vo: float = 1.0) -> nn.Module:
    """Add the identity parameters to every head of a decoder of transformers, in place; returns the model.

    Head h's logits gain c_kq a_h (x_i·x_j), and its layer's output c_vo b_h Attn_h x, where x is the attention's
    (layer-normalised) input. The scalars start at 0, and as long as those of a layer are all 0 its outputs are
    bit-equal to the plain model's. They are parameters `…identity_scalings.a` and `.b` of shape (heads,) like any
    other: trained, saved, loaded (`load_identity_scalings` after `save_pretrained`), and used in generation. Once they
    have moved, attention is computed with its whole matrix, like the library's "eager".

    Args:
        model: a decoder whose attention goes through the library's interface (tested: GPT-2 and Llama).
        a, b: which of the two to add.
        mask_diagonal: leave x_i·x_i out of the a-term, so that a position gains nothing for being itself.
        c_kq: fixed multiplier of a; None, the default, is the heads' own scale (1/√d_head): W_K W_Qᵀ + aI literally.
        c_vo: fixed multiplier of b.
    Raises: ValueError for a model that has no such attention, or has the scalings already; for neither a nor b.

    Source: sections 3 and 4 of the paper; section 5 applies them to GPT-2.
    """
    transformers = library()
    if not (a or b):
        raise ValueError("a=False, b=False: nothing to add; set one of them")
    modules = attention_modules(model) if isinstance(model, transformers.PreTrainedModel) else []
    if not modules or not model._can_set_attn_implementation() or model.config.is_encoder_decoder:
        raise ValueError(f"{type(model).__name__} is no decoder that attends through transformers' attention "
                         "interface; use a causal language model such as GPT2LMHeadModel or LlamaForCausalLM")
    if any(hasattr(m, "identity_scalings") for m in modules):
        raise ValueError(f"this {type(model).__name__} has identity scalings already")
    base = model.config._attn_implementation
    if base not in BASES:
        raise ValueError(f"attention implementation {base!r}: the scalings need one of {', '.join(BASES)}; load the "
                         'model with attn_implementation="sdpa"')
    options: dict[str, Any] = {"a": a, "b": b, "mask_diagonal": mask_diagonal, "c_kq": c_kq, "c_vo": c_vo}
    shared, own = model.config, copy.deepcopy(model.config)  # another model may hold the same configuration
    for m in model.modules():
        if getattr(m, "config", None) is shared:
            m.config = own
    own.identity_scalings = options
    for module in modules:
        module.identity_scalings = IdentityScalings(own.num_attention_heads, next(module.parameters()), **options)
        module.register_forward_pre_hook(_take_input, with_kwargs=True)
        module.register_forward_hook(_add_b_term)
    name = f"{base}_with_identity"
    transformers.AttentionInterface.register(name, partial(_attention, base))
    transformers.AttentionMaskInterface.register(name, transformers.masking_utils.ALL_MASK_ATTENTION_FUNCTIONS[base])
    model.set_attn_implementation(name)
    return model


def load_identity_scalings(directory: str, **options: Any) -> nn.Module:
    """A model with identity scalings from what `save_pretrained` or a Trainer's checkpoint wrote.

    Args: directory; options of the library's `from_pretrained`, such as dtype.
    Raises: ValueError when no model with identity scalings was saved there.
    """
    transformers = library()
    config = transformers.AutoConfig.from_pretrained(directory)
    if not getattr(config, "identity_scalings", None):
        raise ValueError(f"{directory}: its model was saved without identity scalings; load it with from_pretrained, "
                         "then add them")
    plain = getattr(transformers, config.architectures[0])

    def init(self: Any, config: Any, *args: Any, **kwargs: Any) -> None:
        plain.__init__(self, config, *args, **kwargs)
        add_identity_scalings(self, **config.identity_scalings)

    kind: Any = type(plain.__name__, (plain,), {"__init__": init, "__module__": plain.__module__})
    model = kind.from_pretrained(directory, **options)
    model.__class__ = plain
    return model


def scalars(model: nn.Module) -> dict[str, Tensor]:
    """The scalars "a" and "b" that a model has, each (layers, heads), detached and on the CPU."""
    own = [m.identity_scalings for m in attention_modules(model) if hasattr(m, "identity_scalings")]
    return {name: torch.stack([getattr(s, name).detach().float().cpu() for s in own])
            for name in ("a", "b") if own and getattr(own[0], name) is not None}


def head_diagonals(model: nn.Module, identity: bool = True) -> Any:
    """How strongly W_K W_Qᵀ and W_V W_Oᵀ of every head of a GPT-2-format model resemble a multiple of the identity.

    A table: product ("wkwq", "wvwo"), layer, head, score = (mean diagonal − mean off it) / sd off it, and z = √d_emb ·
    score, which is about standard normal for random weights. `identity` counts learned a and b in: aI, bI are added.

    Raises: ValueError for a model whose attention is not in GPT-2's format.
    Source: the authors' pictures of GPT-2's heads; the chapter "Heads that are already identities".
    """
    import pandas as pd

    modules = attention_modules(model)
    if not modules or not all(hasattr(m, "c_attn") and hasattr(m, "c_proj") for m in modules):
        raise ValueError(f"{type(model).__name__} is not in GPT-2's format (attention with c_attn and c_proj)")
    found = []
    for module in modules:
        d, heads = module.embed_dim, module.num_heads
        W = module.c_attn.weight.detach().double().cpu()                # (d, 3 d), one x Wᵀ for q, k, v
        W_Q, W_K, W_V = (w.unflatten(1, (heads, -1)).transpose(0, 1) for w in W.split(d, dim=1))  # (h, d, d_head)
        W_O = module.c_proj.weight.detach().double().cpu().unflatten(0, (heads, -1))  # (h, d_head, d)
        own = getattr(module, "identity_scalings", None) if identity else None
        products = {"wkwq": (W_K @ W_Q.transpose(-2, -1), None if own is None or own.a is None else own.a.detach() * (
                        1 if own.c_kq is None else own.c_kq / module.scaling)),
                    "wvwo": (W_V @ W_O, None if own is None or own.b is None else own.b.detach() * own.c_vo)}
        for name, (product, added) in products.items():
            for head, matrix in enumerate(product):
                off = matrix[~torch.eye(d, dtype=torch.bool)]
                mean = matrix.diagonal().mean() + (0 if added is None else float(added[head]))
                score = float((mean - off.mean()) / off.std())
                found.append({"product": name, "layer": module.layer_idx, "head": head, "score": score,
                              "z": d**0.5 * score})
    return pd.DataFrame(found).sort_values(["product", "layer", "head"], ignore_index=True)
