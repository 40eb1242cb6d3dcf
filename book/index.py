# ---
# jupyter:
#   jupytext:
#     cell_markers: r"""
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
r"""
# When can transformers reason with abstract symbols?

*A runnable companion to the paper of Boix-Adserà, Saremi, Abbe, Bengio, Littwin and Susskind* {cite:p}`boixadsera2024abstract`: our curves over the paper's, code that reruns, a {term}`verdict` on every {term}`claim`.
Its chapters cover each theorem and each published learning curve.
Each page says how many of its runs are done, for a few long trainings are still missing, and {doc}`status` counts them.

Some questions are not about things but about which things are equal.
*Are these two the same?
Does the third repeat the first?*
Who has understood such a question answers it for things never seen before.
The paper asks when a neural network does: train it on strings whose label depends only on *which symbols are equal*, test it on symbols that never occurred in training.
"""

# %% tags=["remove-cell", "parameters"]
profile = "quick"

# %% tags=["hide-input"]
from abstract_symbols import pictures
from companion.report import Chapter

chapter = Chapter("index", profile)
chapter.show(
    pictures.strings_picture([("+1", ["ABA", "CDC"], ["STS", "XWX"]),
                              ("−1", ["ABB", "DCC"], ["UVV", "YZZ"])]),
    "Coloured tiles. Label +1: ABA and CDC in training, STS and XWX in the test. "
    "Label −1: ABB and DCC in training, UVV and YZZ in the test. "
    "The rule is the same, the symbols of the test are new.")

# %% [markdown]
r"""
The answers, as the paper gives them:

1. **{term}`Fully-connected networks <fully-connected network>` fail**, however much they are trained: weights of unseen symbols never move ({doc}`mlps-cannot`).
2. **Transformers succeed**, given enough diverse data.
   In the limit of wide networks an explicit kernel says how much ({doc}`transformer-kernel`, {doc}`template-matrix`, {doc}`learning-from-n`, {doc}`kernel-to-network`), and trained networks show it ({doc}`harder-relations`, {doc}`sensitivity`).
   Which tasks are hard, the theory tells before any training: its predictions order random tasks nearly as the trained networks do ({doc}`diverse-data`).
3. **They fail to *copy* {term}`unseen symbols <unseen symbol>`**, and larger embeddings make it worse ({doc}`why-copying-fails`, {doc}`inverse-scaling`, {doc}`symbolic-programs`).
4. **{term}`Two trainable numbers <identity parameters>` in each attention head repair both**: $W_K W_Q^\top + aI$ and $W_V W_O^\top + bI$ ({doc}`same-different`, {doc}`two-parameters`, {doc}`which-repair`), and may help a language model ({doc}`perplexity`, {doc}`identity-heads`); so may pretraining ({doc}`pretraining`).

Have a task of your own?
{doc}`playground` asks the kernel whether a transformer can learn it, here in the browser.

## What held up

Each claim has a measure and two tolerances.
*{term}`Held`* means that its whole interval is within the first: a factor 2 for [$n_{50}$](#half-point), the number of strings from which the test loss stays below one half.
*{term}`Held in part`* is within the second, a factor 4.
A claim that does not hold is a finding, and its chapter says so; {doc}`not-reproduced` collects them.
{doc}`claims` has every claim with its number, its interval and what decided, and says which were stated after rows existed.
"""

# %% tags=["remove-input"]
chapter.verdict_totals()

# %% [markdown]
r"""
Start with {doc}`same-different`: the smallest task shows the whole story.
Words and symbols are explained in {doc}`notation`, and in place where you point at a link; the functions in {doc}`api`.

## Run it again

Everything here comes out of a program.
With Python 3.11 and `make`:

| command | what it does |
|---|---|
| `make book` | sets up, executes every chapter, builds these pages |
| `make test` | checks everything: the package, the notebooks' outputs, the pages in a browser |
| `make pdf` | makes one PDF of the book, and one HTML file that needs nothing beside it |
| `make chapter C=same-different PROFILE=full` | trains a chapter's networks again instead of reading the committed results |

The curves are drawn from rows in `book/results`, one row per training run, with its settings, seconds, device and code version.
Each chapter repeats a few of them while the book is built, and the build stops if a number has changed.
The grey curves are the paper's own, read off its figures.

<a href="notebooks.zip" download>All executed notebooks in one archive</a>, with the package, the results and a word on how to run them.

## How to cite

```{citation}
```

## References

```{bibliography}
```
"""
