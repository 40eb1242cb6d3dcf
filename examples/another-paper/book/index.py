# ---
# jupyter:
#   jupytext:
#     cell_markers: r"""
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
r"""
# Least squares around n = d

*With as many examples as features, least squares is at its worst; a ridge penalty removes the peak.*

The labels are $y = x^\top w + \varepsilon$ with $x \sim N(0, I_d)$, and the fit to $n$ examples is

$$\hat w = \arg\min_v \|Xv - y\|^2 + \lambda \|v\|^2,$$

for $\lambda \to 0$ that of minimum norm.
Its error on an unseen example, noise aside, is $\|\hat w - w\|^2$.
"""

# %% tags=["parameters"]
profile = "quick"

# %%
from companion.report import Chapter

chapter = Chapter("index", profile)

# %% [markdown]
r"""
## The peak

Below $n = d$ the fit of minimum norm passes through every label, and the error grows with $n$; above, it falls.
"""

# %%
chapter.scaling("double-descent", "test_loss", "error on unseen examples against n",
                xlabel="training examples n", ylabel="error on unseen examples")

# %% [markdown]
r"""
Some of these runs again, live:
"""

# %%
chapter.recheck("double-descent", "n == 32 and seed < 3", within=1e-6)

# %% [markdown]
r"""
## The claim

It was stated before its rows existed, with the tolerances that decide.
"""

# %%
chapter.verdicts()

# %% [markdown]
r"""
## How to run it
"""

# %%
chapter.commands()
