# ---
# jupyter:
#   jupytext:
#     cell_markers: r"""
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
r"""
# Perplexity: a and b in a language model

*Two numbers per head are added to GPT-2 without touching its code.
Do they still help when the task is English?*

On {term}`template tasks <template task>` the {term}`identity parameters` replace most of the training data ({doc}`same-different`, {doc}`which-repair`).
A language model is a different thing: a text is not built to need abstract symbols, but names and variables do recur in it, and copying them is worth something.
The paper {cite:p}`boixadsera2024abstract` therefore trains GPT-2 {cite:p}`radford2019language` from scratch, with and without $a$ and $b$, and compares {term}`perplexities <perplexity>`.
This chapter does so at a size that a laptop trains in minutes.
What a model trained on text is worth on a template task is the question of {doc}`pretraining`.

*Builds on {doc}`same-different` and {doc}`which-repair`.
Leads to {doc}`identity-heads` (do trained models build the identity by themselves?).*
"""

# %% tags=["parameters"]
profile = "quick"

# %%
import tempfile

import torch

from abstract_symbols import language
from abstract_symbols.analyses import perplexity as analysis
from abstract_symbols.runs.language import mean_by_head
from companion import figures
from companion.report import Chapter
from companion.summaries import paired_ratios

chapter = Chapter("perplexity", profile)

# %% [markdown]
r"""
## The model

::::{prf:definition} Identity parameters in a language model; sections 3 to 5, in our words
:label: language-identity
:class: paper

In head $h$ of every layer, $W_K W_Q^\top$ becomes $W_K W_Q^\top + a_h I$ and $W_V W_O^\top$ becomes $W_V W_O^\top + b_h I$.
The scalars start at $0$ and are trained like all other weights.
::::

So the logit from position $i$ to $j \le i$ gains $a_h\, x_i^\top x_j$ (in the heads' own scale $1/\sqrt{d_{\text{head}}}$), where $x$ is the layer-normalised input of the attention, and the layer's output gains $b_h \sum_j p_{ij} x_j$, where $p_{ij}$ is the head's attention from $i$ to $j$.
One detail matters in a causal model: as long as all $x$ have about one length, $x_i^\top x_i$ is the largest entry of its row, so a positive $a_h$ makes a position attend to *itself*.
In GPT-2 the authors masked this diagonal.
We measure $a$ both ways.

`add_identity_scalings` does it to a model of the `transformers` library {cite:p}`wolf2020transformers`, in place.
Nothing changes before training, not by one bit:
"""

# %%
plain = language.gpt2(100, 32, d_emb=32, depth=2, heads=4)
modified = language.gpt2(100, 32, d_emb=32, depth=2, heads=4)
language.add_identity_scalings(modified)
plain.eval(), modified.eval()
ids = torch.arange(20).view(2, 10)  # (batch, positions)
print("bit-equal:", torch.equal(plain(ids).logits, modified(ids).logits))
for name, p in modified.named_parameters():
    if "identity" in name:
        print(name, p.tolist())

# %% [markdown]
r"""
::::{admonition} On your own model
:class: ours

```python
from transformers import AutoModelForCausalLM
from abstract_symbols.language import add_identity_scalings, load_identity_scalings

model = AutoModelForCausalLM.from_pretrained("openai-community/gpt2")
# or with a=False or b=False, mask_diagonal=True, c_kq=100, c_vo=100
add_identity_scalings(model)
# … train it with any loop, or with transformers' Trainer …
model.save_pretrained("mine")
model = load_identity_scalings("mine")
```

- It works for decoders whose attention goes through the library's attention interface; GPT-2 and Llama are tested.
  Others are refused with a message that says why.
- The scalars are ordinary parameters, `….identity_scalings.a` and `.b`: they are in `state_dict`, in checkpoints and in the optimiser.
  Weight decay applies to them unless you exclude them.
- `generate` works with and without a key-value cache, with beams too, and gives the same tokens.
  The $x$ of past positions are kept as further layers of the library's own dynamic cache, which makes it half as large again.
  Static caches are refused.
- Activation checkpointing, bf16 and autocast work.
- `c_kq` and `c_vo` are fixed multipliers that set the scalars' effective learning rate.
  The defaults are the heads' own scale and 1.
- Once a scalar has moved, attention is computed with its whole matrix instead of a fused kernel.
  What that costs is measured below.
::::
"""

# %%
with torch.no_grad():
    for name, p in modified.named_parameters():
        if "identity" in name:
            p.fill_(0.3)
prompt = dict(input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=12)
prompt |= dict(num_beams=3, do_sample=False, eos_token_id=None, pad_token_id=0)
cached = modified.generate(**prompt)
uncached = modified.generate(**prompt, use_cache=False)
print("same tokens with and without a cache:", torch.equal(cached, uncached))

# %% [markdown]
r"""
## The text

The default corpus ships with Python itself: the language reference and the docstrings of the standard library.
It is split by document, and a paragraph that has eight words in a row in common with an earlier one is dropped, so that no paragraph of the test text can be remembered from training.
WikiText {cite:p}`merity2017pointer` is one word away (`corpus("wikitext-2")`) where a hub can be reached.
"""

# %% tags=["nbval-ignore-output"]
text = language.corpus()
print(text.name, text.digest)
for part, documents in text.documents.items():
    characters = sum(map(len, documents.values()))
    print(f"{part:11} {len(documents):4} documents, {characters:9,} characters")

# %% [markdown]
r"""
## The experiment

::::{admonition} Our protocol
:class: ours

GPT-2's architecture with 4 layers, embedding dimension 128 and 4 heads, on rows of 128 tokens, from a byte-level BPE of 2,048 tokens trained on the training text.
AdamW, constant learning rate $10^{-3}$, no weight decay, no dropout, gradients clipped at norm 1, batches of 8 rows, 1.5 epochs.
Perplexity is $\exp$ of the mean loss per token on the test documents, after the last step.
Runs of one seed start from the same weights and see the same batches, so variants are compared in pairs: each seed gives one ratio to the plain model.
Nothing was tuned.
::::
"""

# %% tags=["remove-input"]
rows = chapter["perplexity"]
ratios = paired_ratios("perplexity", rows, "Plain", "perplexity")
xlabel = "test perplexity / the plain model's, same seed"
chapter.show(figures.ratios("perplexity", rows, "Plain", "perplexity", xlabel=xlabel),
             analysis.ratios_alt(ratios), "perplexity",
             note="A dot per seed; the diamond is the geometric mean with its 95% t-interval.")

# %% tags=["remove-input"]
names = {"series": "variant", "ratio": "ratio to plain", "low": "95% interval, from",
         "high": "to", "p": "p (lower)"}
chapter.table(ratios.rename(columns=names), formats=dict(zip(
    names.values(), ("s", ".4f", ".4f", ".4f", ".2g"), strict=True)))
chapter.table(analysis.values(rows), "The perplexities", analysis.VALUES)

# %% [markdown]
r"""
## The verdicts

The claims were written before any of these rows existed: lower than the plain model's, paired by seed, with a one-sided $p < 0.01$ to *hold*, $p < 0.05$ to hold *in part*.
The paper's own perplexities are not shown: they belong to another model and another text.
"""

# %% tags=["remove-input"]
chapter.verdicts()
for name in ("b", "a", "a-masked", "a-b"):
    chapter.glue(".1%", **{name: 1 - chapter.claim(f'perplexity-{name}').ours})

# %% [markdown]
r"""
The perplexity is below the plain model's by {glue:text}`b` with $b$ ({glue:text}`perplexity-b.verdict`), by {glue:text}`a` with $a$ ({glue:text}`perplexity-a.verdict`), by {glue:text}`a-masked` with $a$ and the diagonal masked ({glue:text}`perplexity-a-masked.verdict`), and by {glue:text}`a-b` with both ({glue:text}`perplexity-a-b.verdict`).
This is one small model on one text of a million characters; it says nothing about large models on large texts.
"""

# %% [markdown]
r"""
## What is learned

The scalars by layer and head, mean over seeds, in the model that has both.
A positive $b_h$ is an attention-modulated skip connection, a negative one subtracts what the head attends to; a negative $a_h$ turns a head *away* from tokens like the present one, itself included.
"""

# %% tags=["remove-input"]
both = rows[rows["series"] == "+ a and b"]
maps = {f"${name}_h$": mean_by_head(both, f"{name}_heads") for name in "ab"}
chapter.show(figures.head_maps(maps, label="learned value"),
             "Two heat maps, layers by heads. " + analysis.heads_alt(maps))

# %% [markdown]
r"""
## What a and b cost

A training step of one of GPT-2 small's blocks (dimension 768, 12 heads) with the scalars, as a multiple of the same step without: against the library's default attention, a fused kernel that never stores the attention matrix, and against its "eager" attention, which stores it as the scalars need it.
Memory is what the step keeps for its backward pass.
"""

# %% tags=["remove-input"]
costs = analysis.costs(chapter["language-cost"])
chapter.table(costs, formats=dict.fromkeys(list(costs)[2:], ".2f"))
chapter.evidence("language-cost", note="Medians.")

# %% [markdown]
r"""
## Is it still true? A live check

A tiny GPT-2 is trained again, plain and with $a$ and $b$, and the build stops if a perplexity differs from its row by more than 1%.
(Another release of Python ships another text; then only the code is exercised.)
"""

# %%
digest = chapter["perplexity-tiny"]["corpus_digest"]
same_text = (digest == text.digest).all()
chapter.recheck("perplexity-tiny", "epochs == 0.05 and seed == 0",
                within=0.01 if same_text else float("inf"),
                metric="perplexity", relative=True)

# %% [markdown]
r"""
## Run it yourself
"""

# %% tags=["remove-input"]
chapter.commands()

# %% [markdown]
r"""
The ratios of `language-cost` want an idle machine.

`perplexity-wikitext` is the paper's setting: GPT-2 small, WikiText-2, rows of 1,024 tokens, AdamW with a constant learning rate of $3\cdot10^{-4}$, batches of 8, 100 epochs.
It needs a GPU (`--device cuda`), and a hub for WikiText-2 and GPT-2's tokenizer, and says so where there is none; it was not run here.
For several GPUs call `language.training.train` (transformers' Trainer, with seeds, logged losses and checkpoints to resume from) in a script under `torchrun` or `accelerate launch`.
"""

# %% [markdown]
r"""
## Try

Train a tiny model on a text of your own and let it continue a sentence.
"""

# %% tags=["nbval-ignore-output"]
words = "The cat saw the dog. The dog saw the bird. " * 200
mine = {"train": {"mine": words}, "validation": {}, "test": {}}
tokens = language.tokenizer(language.Corpus("mine", mine), 300)
ids = language.blocks(mine["train"].values(), tokens, 32)
model = language.gpt2(len(tokens), 64, d_emb=32, depth=2, heads=2)
language.add_identity_scalings(model, mask_diagonal=True)
language.train(model, ids, tempfile.mkdtemp(), epochs=8, batch=8, lr=3e-3,
               device="cpu")
start = tokens("The cat saw", return_tensors="pt")
told = model.eval().generate(**start, max_new_tokens=12, do_sample=False,
                             pad_token_id=0)
print(tokens.decode(told[0]))
