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
import numpy as np
import pandas as pd
from IPython.display import Markdown, display
from scipy import stats

from abstract_symbols import claims, experiments, figures, language
from abstract_symbols.language.training import parsed

figures.style()

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
GPT-2s with random weights, 32 numbers $z$ each, over several seeds:
"""

# %% tags=["remove-input"]
null = experiments.load("random-heads")
table = null.groupby("d_emb")[["mean", "sd"]].mean().round(2).reset_index()
table["smallest p of a run"] = [f"{p:.2f}" for p in null.groupby("d_emb")["p_value"].min()]
display(figures.table(table))
display(Markdown(f"*{figures.coverage('random-heads', null)} p: Kolmogorov–Smirnov test of $z$ against the standard normal law.*"))

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
Heads that were pictured by a corner alone are left white.
"""

# %% tags=["remove-input"]
paper = pd.read_csv(experiments.BOOK / "published" / "gpt2_head_diagonals.csv")
whole = paper[paper["raster"] == "full"]
titles = {"wkwq": r"$W_K W_Q^\top$", "wvwo": r"$W_V W_O^\top$"}
maps = {titles[name]: mine.pivot(index="layer", columns="head", values="score").reindex(index=range(12), columns=range(12)).to_numpy()
        for name, mine in whole.groupby("product")}
means = {name: mine["score"] for name, mine in whole.groupby("product")}
figures.show(figures.head_maps({name: np.ma.masked_invalid(m) for name, m in maps.items()}, label="score, as pictured"),
             alt="Heat maps of 12 layers by 12 heads. " + " ".join(
                 f"{name}: {(s > 0).mean():.0%} of {len(s)} heads are positive, median {s.median():.1f}, largest {s.max():.1f}."
                 for name, s in means.items()))

# %% tags=["remove-input"]
Markdown(" ".join(
    f"{titles[name]}: "
    f"{(s > 0).sum()} of {len(s)} heads have a positive score (median {s.median():.1f}, from {s.min():.1f} to {s.max():.1f})."
    for name, s in means.items()) + " Chance alone makes half of the signs positive, and for the largest scores of smoothed pictures we have no law of chance. "
         "So these numbers describe the pictures; whether they are more than chance takes the real weights.")

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
rows = experiments.load("perplexity")


def mean_map(series, column):
    """The mean over seeds of a number a head: (layers, heads)."""
    mine = rows[rows["series"] == series]
    return sum(parsed(cell) for cell in mine[column]).reshape(int(mine["depth"].iloc[0]), -1) / len(mine)


def show_heads(series):
    """The heads of a series of models, or nothing while it has no rows."""
    if series in set(rows["series"]):
        maps = {title: mean_map(series, f"{name}_heads") for name, title in titles.items()}
        figures.show(figures.head_maps(maps, label=f"{series}: z, mean over seeds"), alt=f"Heat maps, {series}. " + " ".join(
            f"{name}: mean by layer {', '.join(f'{v:.1f}' for v in m.mean(1))}." for name, m in zip(titles, maps.values(), strict=True)))


show_heads("Plain")

# %% tags=["remove-input"]
show_heads("+ a and b")

# %% tags=["remove-input"]
if rows.empty:
    display(Markdown("*No run is done yet.*"))
else:
    both = {name: (m := mean_map("Plain", f"{name}_heads")).mean(1) for name in titles} if "Plain" in set(rows["series"]) else {}
    words = [f"$z$ of {titles[name]} is {m[0]:.1f} in the first layer and {m[1:].mean():.1f} "
             "in the later ones" for name, m in both.items()]
    negative = "wvwo" in both and (both["wvwo"] < 0).any()
    note = " A negative diagonal of $W_V W_O^\\top$ subtracts what attention finds, instead of copying it." if negative else ""
    display(Markdown((f"In the plain model, the mean {'; '.join(words)}." + note if words else "") +
                     f" *{figures.coverage('perplexity', rows)}*"))

# %% [markdown]
r"""
Whether such a model then needs fewer strings of a template task is measured in {doc}`pretraining`.

## The verdicts

Written down before the rows were there.
The first says that the scale is calibrated (a combined p-value above 1 %).
The others say that training from scratch, at this small size, already makes the mean $z$ over heads positive by 3 standard errors in *every* run.
*In part* allows 2.
"""

# %% tags=["remove-input"]
figures.scoreboard(claims.scoreboard("identity-heads"))

# %% [markdown]
r"""
## Is it still true? A live check

The random models are scored again, and their p-values must agree with the rows within 0.0001.
"""

# %%
TOLERANCE = 1e-4
again = experiments.repeat("random-heads", null, seeds=[0, 1, 2], d_emb=[128], metric="p_value")
worst = (again["repeated"] - again["committed"]).abs().max()
assert worst <= TOLERANCE, f"off by {worst:.2g}:\n{again}"
print(f"{len(again)} models scored again,", f"every p-value within {TOLERANCE} of its row")

# %% [markdown]
r"""
## Run it yourself

| command | what it does | cost |
|---|---|---|
| `make chapter C=identity-heads` | draws this page from the committed rows, repeats the live check | half a minute |
| `python -m abstract_symbols run random-heads` | scores GPT-2s with random weights | half a minute |
| `python -m abstract_symbols run perplexity` | trains the small models that are scored here | see {doc}`perplexity` |

## Try

Hide a little identity in one head of a random model.
How small may it be and still be seen?
($|z| > 3$ occurs by chance once in 370 heads.)
"""

# %%
import torch

size = 0.02
attention = model.transformer.h[1].attn
with torch.no_grad():  # head 2: a little of the identity on its own 32 of 128 coordinates
    for part in (0, 128):
        attention.c_attn.weight[64:96, part + 64:part + 96] += size * torch.eye(32)
after = language.head_diagonals(model).set_index(["product", "layer", "head"])["z"]
before = scores.set_index(["product", "layer", "head"])["z"]
print(pd.DataFrame({"before": before, "after": after}).loc["wkwq", 1].round(2))
print(f"two-sided p of head 2: {2 * stats.norm.sf(abs(after['wkwq', 1, 2])):.2g}")
