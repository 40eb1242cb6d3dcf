# ---
# jupyter:
#   jupytext:
#     cell_markers: r"""
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
r"""
# Heads that are already identities

*The authors see multiples of the identity in heads of pretrained GPT-2.
How much of that would chance give?*

The {term}`identity parameters` hand $W_K W_Q^\top + aI$ and $W_V W_O^\top + bI$ to a network.
If these are so useful, a network that was trained long enough should have built them by itself, in its ordinary weights.
The authors looked into GPT-2 {cite:p}`boixadsera2024abstract,radford2019language` and showed pictures of such matrices.
This chapter puts a number on them, says what that number is by chance, and looks into our own small models.

*Builds on {doc}`perplexity`.
Leads to {doc}`pretraining` (does a pretrained model need fewer strings?).*
"""

# %% tags=["parameters"]
profile = "quick"

# %%
import pandas as pd
import torch
from scipy import stats

from abstract_symbols import language
from abstract_symbols.analyses import identity_heads as analysis
from companion import figures
from companion.report import Chapter

chapter = Chapter("identity-heads", profile)

# %% [markdown]
r"""
## A number for a diagonal

::::{admonition} The score
:class: ours

For a head's matrix $M = W_K W_Q^\top$ or $M = W_V W_O^\top$, both $d_{\text{emb}} \times d_{\text{emb}}$:

$$
\text{score} = \frac{\text{mean on the diagonal} - \text{mean off it}}{\text{standard deviation off it}}
$$

and $z = \sqrt{d_{\text{emb}}} \cdot \text{score}$.
The identity plus noise has a large score; its negative, a large negative one.
With random weights the diagonal's $d_{\text{emb}}$ entries are like any others, so their mean has the standard deviation of one entry divided by $\sqrt{d_{\text{emb}}}$, and $z$ is about standard normal.
::::

`head_diagonals` gives both for every head of any model in GPT-2's format:
"""

# %%
model = language.gpt2(64, 8, d_emb=128, depth=4, heads=4, seed=0)
scores = language.head_diagonals(model)
print(scores.head(3).round(3).to_string(index=False))

# %% [markdown]
r"""
Is it calibrated?
GPT-2s with random weights, 32 numbers $z$ each, over several seeds (p: Kolmogorov–Smirnov test of $z$ against the standard normal law):
"""

# %% tags=["remove-input"]
calibration = analysis.calibration(chapter["random-heads"])
chapter.table(calibration, formats=dict.fromkeys(list(calibration)[1:], ".2f"))
chapter.evidence("random-heads")

# %% [markdown]
r"""
## GPT-2 small, as the authors pictured it

::::{prf:remark} Pretrained heads; in our words
:label: pretrained-heads
:class: paper

In pretrained GPT-2 some heads have products $W_K W_Q^\top$ and $W_V W_O^\top$ with a visible diagonal: pretraining finds by itself what $a$ and $b$ hand over.
::::

The scores below are read off the authors' pictures of its 12 layers of 12 heads.
The pictures are smoothed, which changes the scale: these are not values of $z$, only their order and their signs compare.
Heads that were pictured by a corner alone, and one of the others that has no score, are left white.
"""

# %% tags=["remove-input"]
pictured = analysis.pictured_heads()
chapter.show(figures.head_maps(analysis.pictured_maps(pictured), label="score, as pictured"),
             analysis.pictured_alt(pictured))
table = analysis.signs(pictured)
chapter.table(table, formats=dict.fromkeys(list(table)[3:], ".1f"))

# %% tags=["remove-input"]
for name, line in zip(analysis.PRODUCTS, table.to_dict("records"), strict=True):
    chapter.glue(**{f"{name}-positive": line["positive"], f"{name}-heads": line["heads"]})

# %% [markdown]
r"""
For $W_K W_Q^\top$ {glue:text}`wkwq-positive` of {glue:text}`wkwq-heads` heads have a positive score, for $W_V W_O^\top$ {glue:text}`wvwo-positive` of {glue:text}`wvwo-heads`.
Chance alone makes half of the signs positive, and for the largest scores of smoothed pictures we have no law of chance.
So these numbers describe the pictures; whether they are more than chance takes the real weights.
"""

# %% [markdown]
r"""
For the real weights, where a hub can be reached:

```python
from transformers import GPT2LMHeadModel
head_diagonals(GPT2LMHeadModel.from_pretrained("openai-community/gpt2"))
```

## Our small models, after training

The models of {doc}`perplexity` are trained from scratch for minutes, not weeks.
Have they begun to build identities?
$z$ of their weights alone, without the scalars, mean over seeds:
"""

# %% tags=["remove-input"]
plain = analysis.mean_maps(chapter["perplexity"], "Plain")
both = analysis.mean_maps(chapter["perplexity"], "+ a and b")
chapter.show(figures.head_maps(plain, label="Plain: z, mean over seeds"),
             analysis.maps_alt("Plain", plain))

# %% tags=["remove-input"]
chapter.show(figures.head_maps(both, label="+ a and b: z, mean over seeds"),
             analysis.maps_alt("+ a and b", both))
chapter.evidence("perplexity")

# %% tags=["remove-input"]
for name, z in zip(analysis.PRODUCTS, plain.values(), strict=True):  # (layers, heads)
    chapter.glue(".1f", **{f"{name}-first": z[0].mean(), f"{name}-later": z[1:].mean()})

# %% [markdown]
r"""
In the plain model, the mean $z$ of $W_K W_Q^\top$ is {glue:text}`wkwq-first` in the first layer and {glue:text}`wkwq-later` in the later ones; $z$ of $W_V W_O^\top$ is {glue:text}`wvwo-first` in the first layer and {glue:text}`wvwo-later` in the later ones.
A negative diagonal of $W_V W_O^\top$ subtracts what attention finds, instead of copying it.
"""

# %% [markdown]
r"""
Whether such a model then needs fewer strings of a template task is measured in {doc}`pretraining`.

## The verdicts

Written down before the rows were there.
The first says that the scale is calibrated (a combined p-value above 1%).
The others say that training from scratch, at this small size, already makes the mean $z$ over heads positive by 3 standard errors in *every* run.
*In part* allows 2.
"""

# %% tags=["remove-input"]
chapter.verdicts()

# %% [markdown]
r"""
## Is it still true? A live check

The random models are scored again, and their p-values must agree with the rows within 0.0001.
"""

# %%
chapter.recheck("random-heads", "d_emb == 128 and seed < 3",
                within=1e-4, metric="p_value")

# %% [markdown]
r"""
## Run it yourself
"""

# %% tags=["remove-input"]
chapter.commands()

# %% [markdown]
r"""
The small models that are scored here are trained by {doc}`perplexity`.

## Try

Hide a little identity in one head of a random model.
How small may it be and still be seen?
($|z| > 3$ occurs by chance once in 370 heads.)
"""

# %%
size = 0.02
attention = model.transformer.h[1].attn
with torch.no_grad():  # head 2: a little of the identity on its own 32 of 128 coordinates
    for part in (0, 128):
        attention.c_attn.weight[64:96, part + 64:part + 96] += size * torch.eye(32)
after = language.head_diagonals(model).set_index(["product", "layer", "head"])["z"]
before = scores.set_index(["product", "layer", "head"])["z"]
table = pd.DataFrame({"before": before, "after": after})
print(table.loc["wkwq", 1].round(2))
p = 2 * stats.norm.sf(abs(after["wkwq", 1, 2]))
print(f"two-sided p of head 2: {p:.2g}")
