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

*Two numbers a head are added to GPT-2 without touching its code.
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

import pandas as pd
import torch
from IPython.display import Markdown, display

from abstract_symbols import claims, experiments, figures, language
from abstract_symbols.language.training import parsed

figures.style()
NAME = "perplexity"

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
add_identity_scalings(model)                       # or with a=False or b=False, mask_diagonal=True, c_kq=100, c_vo=100
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
Perplexity is $\exp$ of the mean loss a token on the test documents, after the last step.
Runs of one seed start from the same weights and see the same batches, so variants are compared in pairs: each seed gives one ratio to the plain model.
Nothing was tuned.
::::
"""

# %%
results = None  # the committed rows, or all of them anew
if profile == "full":
    results = experiments.BOOK.parent / "_build" / "full"
    experiments.run(NAME, results=results)
rows = experiments.load(NAME, results)

# %% tags=["remove-input"]
lines, alt = [], ["Dots on a line for each variant: its perplexity divided by the plain model's of the same seed."]
for series in (s for s in experiments.experiment(NAME).series if s != "Plain"):
    if len(rows[rows["series"] == series]) < 2 or len(rows[rows["series"] == "Plain"]) < 2:
        continue
    ratio, low, high, p = claims.paired(rows, series, "Plain", "perplexity", "epochs")
    lines.append({"variant": series, "ratio to plain": f"{ratio:.4f}", "95 % interval": f"[{low:.4f}, {high:.4f}]",
                  "p (lower)": f"{p:.2g}"})
    alt.append(f"{series}: {ratio:.4f}, interval {low:.4f} to {high:.4f}.")
figure = figures.ratios(NAME, rows, "Plain", "perplexity", xlabel="test perplexity / the plain model's, same seed")
figures.show(figure, alt=" ".join(alt) if lines else "No run is done yet.")

# %% tags=["remove-input"]
display(Markdown(f"*A dot a seed; the diamond is the geometric mean with its 95 % t-interval. {figures.coverage(NAME, rows)}*"))
if lines:
    display(figures.table(pd.DataFrame(lines)))

# %% tags=["remove-input"]
values = [{"series": series, "seeds": len(mine), "test": f"{mine['perplexity'].mean():.2f}",
           "range over seeds": f"{mine['perplexity'].min():.2f} – {mine['perplexity'].max():.2f}",
           "validation": f"{mine['validation_perplexity'].mean():.2f}", "last training loss": f"{mine['train_loss'].mean():.3f}"}
          for series, mine in rows.groupby("series", sort=False)]
figures.fold("The perplexities", pd.DataFrame(values))

# %% [markdown]
r"""
## The verdicts

The claims were written before any of these rows existed: lower than the plain model's, paired by seed, with a one-sided $p < 0.01$ to *hold*, $p < 0.05$ to hold *in part*.
The paper's own perplexities are not shown: they belong to another model and another text.
"""

# %% tags=["remove-input"]
verdicts = claims.scoreboard(NAME, results)
figures.scoreboard(verdicts)

# %% tags=["remove-input"]
found = {j.claim.id.removeprefix("perplexity-"): j for j in verdicts}
text = "Rows are missing, so not all claims are judged yet."
if all(j.measured for j in found.values()):
    def says(name, words):
        m = found[name].measured
        return f"{words} {abs(1 - m.ours):.1%} {'below' if m.ours < 1 else 'above'} the plain model's ({found[name].verdict})"

    text = ("The perplexity is " + "; ".join([says("b", "with $b$"), says("a", "with $a$"),
            says("a-masked", "with $a$ and the diagonal masked"), says("a-b", "with both")]) +
            ". This is one small model on one text of a million characters; it says nothing about large models on large texts.")
Markdown(text)

# %% [markdown]
r"""
## What is learned

The scalars by layer and head, mean over seeds, in the model that has both.
A positive $b_h$ is an attention-modulated skip connection, a negative one subtracts what the head attends to; a negative $a_h$ turns a head *away* from tokens like the present one, itself included.
"""

# %% tags=["remove-input"]
both = rows[rows["series"] == "+ a and b"]
maps = {}
if len(both):
    depth = int(both["depth"].iloc[0])
    for name in "ab":
        maps[f"${name}_h$"] = sum(parsed(cell) for cell in both[f"{name}_heads"]).reshape(depth, -1) / len(both)
alt = " ".join(f"{name.strip('$')[0]}: from {m.min():.3f} to {m.max():.3f}, mean by layer {', '.join(f'{v:.3f}' for v in m.mean(1))}."
               for name, m in maps.items())
figures.show(figures.head_maps(maps, label="learned value"), alt=f"Two heat maps, layers by heads. {alt or 'No run is done yet.'}")

# %% [markdown]
r"""
## What a and b cost

A training step of one of GPT-2 small's blocks (dimension 768, 12 heads) with the scalars, as a multiple of the same step without: against the library's default attention, a fused kernel that never stores the attention matrix, and against its "eager" attention, which stores it as the scalars need it.
Memory is what the step keeps for its backward pass.
"""

# %% tags=["remove-input"]
cost = experiments.load("language-cost", results)
table = cost.groupby(["series", "length"], sort=False)[["time", "memory", "time_eager", "memory_eager"]].median().reset_index()
table = table.rename(columns={"length": "tokens", "time": "time", "memory": "memory", "time_eager": "time / eager",
                              "memory_eager": "memory / eager"})
display(figures.table(table.round(2).sort_values(["series", "tokens"])) if len(table) else Markdown("*No run is done yet.*"))
display(Markdown(f"*{figures.coverage('language-cost', cost)}*"))

# %% [markdown]
r"""
## Is it still true? A live check

A tiny GPT-2 is trained again, plain and with $a$ and $b$, and the build stops if a perplexity differs from its row by more than 1 %.
(Another release of Python ships another text; then only the code is exercised.)
"""

# %%
TOLERANCE = 0.01
committed = experiments.load("perplexity-tiny")
again = experiments.repeat("perplexity-tiny", committed, seeds=[0], epochs=[0.05], metric="perplexity")
off = (again["repeated"] / again["committed"] - 1).abs().max()
same_text = (committed["corpus_digest"] == language.corpus().digest).all()
assert off <= TOLERANCE or not same_text, f"off by {off:.1%}:\n{again}"
print(f"{len(again)} models trained again,", f"every perplexity within {TOLERANCE:.0%} of its row")

# %% [markdown]
r"""
## Run it yourself
"""

# %% tags=["remove-input"]
hours = rows["seconds"].sum() / 3600
Markdown(f"""
| command | what it does | cost |
|---|---|---|
| `make chapter C=perplexity` | draws this page from the committed rows, repeats the live check | a minute |
| `python -m abstract_symbols run perplexity` | performs the runs that `book/results/perplexity.csv` lacks | {f"{hours:.1f} core-hours for the {len(rows)} that are there" if len(rows) else "minutes a run"} |
| `python -m abstract_symbols run language-cost` | measures the ratios of time and memory; wants an idle machine | minutes |
| `python -m abstract_symbols run perplexity-wikitext --device cuda` | the paper's setting: GPT-2 small, WikiText-2, 1,024 tokens, AdamW $3\\cdot10^{{-4}}$ constant, batch 8, 100 epochs | a GPU, a hub; not run here |

The last needs a hub for WikiText-2 and GPT-2's tokenizer, and says so where there is none. For several GPUs call `language.train` (transformers' Trainer, with
seeds, logged losses and checkpoints to resume from) in a script under `torchrun` or `accelerate launch`.
""")

# %% [markdown]
r"""
## Try

Train a tiny model on a text of your own and let it continue a sentence.
"""

# %% tags=["nbval-ignore-output"]
mine = {"train": {"mine": "The cat saw the dog. The dog saw the bird. " * 200}, "validation": {}, "test": {}}
tokens = language.tokenizer(language.Corpus("mine", mine), 300)
ids = language.blocks(mine["train"].values(), tokens, 32)
model = language.gpt2(len(tokens), 64, d_emb=32, depth=2, heads=2)
language.add_identity_scalings(model, mask_diagonal=True)
losses = language.train(model, ids, tempfile.mkdtemp(), epochs=8, batch=8, lr=3e-3, device="cpu")
start = tokens("The cat saw", return_tensors="pt")
print(tokens.decode(model.eval().generate(**start, max_new_tokens=12, do_sample=False, pad_token_id=0)[0]))
