# ---
# jupyter:
#   jupytext:
#     cell_markers: r"""
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
r"""
# Same or different?

*Two trainable numbers in every attention head replace most of the training data.*

Show somebody two pictures of things they have never seen and ask whether they are the same.
Nobody needs to have seen these things before.
This chapter asks the same of three neural networks: they are trained on pairs of symbols, `αα` (same, label $+1$) against `αβ` (different, label $-1$), and tested on pairs of symbols that **never occurred in training**.
It is the smallest task of the paper {cite:p}`boixadsera2024abstract` and shows all of its story.

*Builds on nothing.
Leads to {doc}`mlps-cannot` (why the first network can never leave chance); {doc}`two-parameters` (what the modification does inside).*
"""

# %% tags=["parameters"]
profile = "quick"

# %%
from abstract_symbols import TemplateTask, Transformer, ensembles, pictures
from abstract_symbols.analyses.same_different import answers, answers_alt, longer_training
from abstract_symbols.runs.training import member
from companion import figures
from companion.report import Chapter

chapter = Chapter("same-different", profile)

# %% [markdown]
r"""
## The task

::::{prf:definition} Template task; section 2, in our words
:label: template-task
:class: paper

A **template** is a string of ordinary tokens and **wildcards**, which we write as lowercase Greek letters.
A **substitution** puts a different symbol in the place of each wildcard.
A **template task** draws a template, draws a substitution, shows the network the resulting string $x$, and asks for the label $f^*(z)$ of the template $z$ behind it.
The templates are **{term}`disjoint <disjoint templates>`**: no string comes from two of them.
So the label is decided by *which positions are equal*, never by which symbols stand there.
::::

In code, a task is its templates and their labels, and a sample is a tensor of integers, one for each symbol:
"""

# %%
task = TemplateTask({"αα": +1, "αβ": -1})
train, validation, test = task.alphabets(6, 1000, 1000)  # disjoint
sample = task.sample(n=5, alphabet=train, seed=1)
print(sample.tokens.tolist())
print(sample.labels.tolist())

# %% [markdown]
r"""
Overlapping templates would leave the label undefined, so they are refused:
"""

# %%
try:
    TemplateTask({"αβ": +1, "βα": -1})
except ValueError as error:
    print(error)

# %% [markdown]
r"""
The network sees the pairs on the left with their labels.
It is asked about pairs like those on the right.
"""

# %% tags=["hide-input"]
chapter.show(
    pictures.strings_picture([("+1", ["AA", "DD", "FF"], ["SS", "YY", "UU"]),
                              ("−1", ["AB", "CF", "DE"], ["TX", "ZS", "WV"])]),
    "Pairs of coloured tiles. Label +1: AA, DD, FF in training; SS, YY, UU in the test. "
    "Label −1: AB, CF, DE in training; TX, ZS, WV in the test. "
    "No symbol of the test occurs in training.")

# %% [markdown]
r"""
## Why a fully-connected network cannot do it

Write each symbol as a one-hot vector and concatenate them: the usual input of a {term}`fully-connected network`.
A symbol that never occurs in training is a coordinate that is always zero in training, so the weights attached to it receive no gradient.
They stay as random as they were at the start, and the trained network has no way to notice that the *same* unseen symbol stands in two places: position 1 and position 2 have separate weights for it.

::::{prf:theorem} Fully-connected networks fail; section 3, in our words
:label: mlp-fails
:class: paper

Let the weights start i.i.d. Gaussian, or from any law that renaming the symbols *at one position* leaves unchanged, and be trained by (stochastic) gradient descent.
Then the output $f(x; \theta_t)$ has the *same law* for every string $x$ of unseen symbols.
Its mean cannot depend on the template, and the expected test loss is at least the variance of the label over templates.
::::

With labels $\pm1$, equally likely, this variance is $1$: the loss of always answering $0$.
That is {term}`chance`, and the theorem says that no amount of data helps.
{doc}`mlps-cannot` proves it and watches the proof inside a network.

## What a transformer can do, and what $a$ and $b$ add

A transformer stores *one* embedding for a symbol, wherever it stands, and attention compares embeddings by their inner products.
Head $h$ attends from position $i$ to position $j$ with the logit

$$
\frac{x_i^\top W_{Q,h}^\top W_{K,h}\, x_j}{\sqrt{d_{\text{head}}}}
$$ (logit)

where $x_i$ is the normalised vector at position $i$.
For a random $W_{Q,h}^\top W_{K,h}$ the logit of two equal symbols is not special.
Gradient descent has to *learn* a matrix that behaves like the identity on all symbols, seen or not, from the symbols in the training set alone.
The paper proves that an infinitely wide transformer generalises given enough of them, even if only its last layer is trained ({doc}`learning-from-n`); what gradient descent on all weights needs, experiments say.
And it proposes to hand over what is so hard to learn, with one trainable number $a_h$ for each head, and another, $b_h$, for the values:

::::{prf:definition} Identity parameters; sections 3 to 5, in our words
:label: identity-parameters
:class: paper

Replace, in every head, $W_K W_Q^\top$ by $W_K W_Q^\top + a I$ and $W_V W_O^\top$ by $W_V W_O^\top + b I$, where $a$ and $b$ are trained like all other weights and start at $0$.
($W_K W_Q^\top$ is the paper's order of the factors; it is the matrix in the middle of {eq}`logit`, there $W_{Q,h}^\top W_{K,h}$.)
::::

The logit {eq}`logit` gains $a_h\, x_i^\top x_j$, which is large when the two symbols are equal, whatever they are.
The head's output gains $b_h$ times the attended symbols themselves.
Two numbers a head, among more than a million:
"""

# %%
plain = Transformer(vocab=2000, length=2)
modified = Transformer(vocab=2000, length=2, a=True, b=True)
for network in (plain, modified):
    sizes = {name: p.numel() for name, p in network.named_parameters()}
    print(f"{sum(sizes.values()) - sizes['tokens']:,} weights",
          "beside the embeddings")

# %% [markdown]
r"""
## The experiment

We train the paper's three networks, plain, {term}`modified <modified transformer>` and fully-connected, on $n$ strings over an alphabet of $n$ symbols, for $n$ from 4 to 4096, and measure the mean squared error on 1,000 strings over 1,000 symbols that are not among them.

::::{admonition} Our protocol
:class: ours

Transformer: depth 2, embedding dimension 128, 16 heads of dimension 64, MLP width 256, {term}`[CLS]` appended and read.
Fully-connected network: three layers, width 256, ReLU.
Adam with learning rate $10^{-3}$, batches of $\min(n, 1024)$, at most 1,000 epochs, stop when the training loss is below 0.002.
The scalars carry fixed multipliers of 100, which set their effective learning rate.
A second set of 1,000 strings, over yet other symbols, is for validation: the figure shows the test loss at the epoch with the lowest validation loss, the folded table also that of the last epoch.
The seeds, 5 at each $n$, draw data and weights anew.

Part of these settings is inferred, for not all of the paper's are public: from its figures' axes, and (the multipliers, the stop) from what brings the authors' released code near its curves.
They were fixed before the runs of this book, and are the same in every chapter, but for variants that are named as such.
::::
"""

# %%
chapter.curves("same-different")

# %% [markdown]
r"""
## The verdicts

[$n_{50}$](#half-point) is the $n$ from which the mean test loss stays below one half, on a line drawn between neighbouring points in $\log n$.
The tolerances were fixed before anything was measured: a factor 2 to the published value to *hold*, a factor 4 to hold *in part*.
{term}`Intervals <interval>` are 95% intervals over seeds, and a verdict is that of the whole interval ({doc}`claims`).
"""

# %% tags=["remove-input"]
chapter.verdicts()

# %% [markdown]
r"""
The transformer's curve crosses one half at $n$ = {glue:text}`same-different-transformer.ours` (paper: {glue:text}`same-different-transformer.paper`), the modified transformer's at {glue:text}`same-different-modified.ours` (paper: {glue:text}`same-different-modified.paper`).
So $a$ and $b$ divide the number of strings needed by {glue:text}`same-different-gain.ours` (paper: {glue:text}`same-different-gain.paper`).

The interval of the modified transformer's number is wide, {glue:text}`same-different-modified.low` to {glue:text}`same-different-modified.high`, and the claim is {glue:text}`same-different-modified.verdict`.
The reason is single runs that fail at larger $n$, as the list below says.
Five seeds cannot exclude that the mean of many more would rise above one half there once more.
"""

# %% [markdown]
r"""
## Where ours and the paper's differ

The verdicts compare where the curves fall, not how high they lie elsewhere.
There differences remain:
"""

# %% tags=["remove-input"]
chapter.glue_means("same-different", "Transformer", (128, 256), "plain")
chapter.glue_means("same-different", "Modified transformer", (128, 512, 2048), "modified")
rows = chapter["same-different"]
stuck = rows[rows["train_loss"] >= rows["stop"]]
chapter.glue(stuck=len(stuck), runs=len(rows), stuck_loss=stuck["test_loss"].max())

# %% [markdown]
r"""
- Before it falls, the plain transformer's curve lies higher than the paper's: {glue:text}`plain-128` at $n$ = 128 (paper: {glue:text}`plain-128.paper`), {glue:text}`plain-256` at $n$ = 256 (paper: {glue:text}`plain-256.paper`).
  A few trial runs of the authors' released code showed the same gap, so the cause is probably a setting that is not public, rather than this implementation.
- After its fall, the modified transformer's curve takes longer to reach zero: {glue:text}`modified-128` at $n$ = 128 (paper: {glue:text}`modified-128.paper`), {glue:text}`modified-512` at 512 (paper: {glue:text}`modified-512.paper`), {glue:text}`modified-2048` at 2,048 (paper: {glue:text}`modified-2048.paper`).
- {glue:text}`stuck` of {glue:text}`runs` runs did not fit their training strings within 1,000 epochs; the largest test loss among them is {glue:text}`stuck_loss`.
  They count like all others and widen the band where they stand.
"""

# %% [markdown]
r"""
## Does the stop rule cost anything?

Training ends when the training loss is below 0.002.
Would more of it change the test loss?
The same networks, trained on until their training loss is below 0.0001 (same seeds; the difference with its standard error over seeds):
"""

# %% tags=["remove-input"]
longer = longer_training(chapter["same-different"], chapter["stop-rule"])
chapter.table(longer.table)
chapter.glue(".3f", largest=longer.largest)

# %% [markdown]
r"""
No mean moves by more than {glue:text}`largest`.
"""

# %% [markdown]
r"""
## Is it still true? A live check

A page drawn from stored numbers proves little unless the code still gives these numbers.
So this cell trains some of the networks again, here and now, and stops the book's build if a test loss differs from its row by more than 0.02.
(The same code on the same machine gives the same numbers; another processor rounds differently.)
"""

# %%
chapter.recheck("same-different", "n == 16 and seed == 0", within=0.02)

# %% [markdown]
r"""
## Run it yourself
"""

# %% tags=["remove-input"]
chapter.commands()

# %% [markdown]
r"""
## Try

Change the templates, `n`, or drop `b`.
The last line says what happened on symbols that training never saw, the picture shows it: a dot is the network's answer to one unseen string, a bar the mean of its template.
"""

# %% tags=["nbval-ignore-output"]
my_task = TemplateTask({"αα": +1, "αβ": -1})
mine = member(my_task, n=32, a=True, b=True)
(outcome,) = ensembles.train([mine])
print(f"on unseen symbols: test loss {outcome.test_loss:.2f},",
      f"wrong answers {outcome.test_error:.0%}")

# %% tags=["nbval-ignore-output"]
table = answers(mine)
chapter.show(figures.answers(table), answers_alt(table))
