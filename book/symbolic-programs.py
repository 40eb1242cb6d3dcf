# ---
# jupyter:
#   jupytext:
#     cell_markers: r"""
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
r"""
# Programs that print a symbol

*A transformer with a and b first learns to print one of the program's symbols; which one, the paper's curve says, it learns much later.*

A program of one line assigns two values and prints one of them: `α="γ";β="δ";print(α)` has the answer `γ`, its sibling `…print(β)` the answer `δ`.
Nothing in it has a meaning of its own but the punctuation: the names of the variables and their values are symbols that training has never seen.
To answer, a network has to do two things of this book at once: *compare*, to find the assignment whose variable is printed ({doc}`same-different`), and *copy* the value that stands there ({doc}`inverse-scaling`).

*Builds on {doc}`same-different` and {doc}`inverse-scaling`.
Leads to {doc}`which-repair` (which change to the network cures what).*
"""

# %% tags=["parameters"]
profile = "quick"

# %%
from abstract_symbols import TemplateTask, ensembles
from abstract_symbols.analyses.symbolic_programs import KINDS, answer_shares, shares_alt
from abstract_symbols.runs.training import member
from companion import figures
from companion.report import Chapter

chapter = Chapter("symbolic-programs", profile)

# %% [markdown]
r"""
## The task

Two templates, each with its *{term}`symbolic label`*: a {term}`wildcard` of the template, whose symbol is the answer.
"""

# %%
task = TemplateTask({'α="γ";β="δ";print(α)': "γ",
                     'α="γ";β="δ";print(β)': "δ"})
sample = task.sample(n=4, alphabet=26, seed=3)
names = [*task.regular, *"ABCDEFGHIJKLMNOPQRSTUVWXYZ"]
for tokens, label in zip(sample.tokens.tolist(), sample.labels.tolist(), strict=True):
    print("".join(names[t] for t in tokens), "→", names[label])

# %% [markdown]
r"""
The network is the transformer of {doc}`inverse-scaling`: {term}`tied embeddings`, its answer the token whose embedding has the largest product with the vector read at [CLS].
It chooses among all tokens, thousands of which it has never seen.

How well can a network do that has learned only half of the task?

| it can | it answers | test error |
|---|---|---|
| neither copy nor compare | a token from training | 1 |
| copy, but not compare | one of the program's two values, at random | ½ |
| copy, and compare | the value of the printed variable | 0 |

::::{prf:theorem} One number a head repairs copying; section 4, in our words
:label: copy-repair-programs
:class: paper

With $W_V W_O^\top + bI$ in every head, $b$ trained from $0$, there are learning rates with which the training loss *and* the test loss on unseen symbols fall at a rate of order 1, whatever the embedding dimension.
(Adding $aI$ to $W_K W_Q^\top$, as in section 3, lets a head find equal symbols.)
::::

## The experiment

The plain transformer, and one with $a$ and $b$ in every head, on $n$ programs over an alphabet of $n$ symbols; our {term}`protocol` is that of {doc}`same-different`, the loss is the cross-entropy over the vocabulary.
A program has 20 characters, and the paper's curve reaches to $n$ = 262,144.
The grid has all its points; the larger ones need a GPU, and the line below the figure says how many runs are done:
"""

# %%
chapter.curves("program-symbolic", "test_error",
               ylabel="wrong answers on unseen symbols")

# %% [markdown]
r"""
One point of the paper's curve is drawn at 32,678 in its figure, and is at 32,768 here.

## What the plateau is

Between a few dozen and a few thousand programs, the paper's modified transformer errs half of the time.
Is it guessing between the program's two values?
Each answer to a test program is the right value, *another* of the program's symbols, or *none* of them:
"""

# %% tags=["hide-input"]
shares = answer_shares(chapter["program-symbolic"])
chapter.show(figures.shares(shares, "n", KINDS), shares_alt(shares))

# %% tags=["remove-input"]
at = shares.set_index(["series", "n"])
for key, series in (("both", "Transformer + a and b"), ("plain", "Transformer")):
    for n in (64, 128):
        chapter.glue(**{f"{key}-{n}-{kind}": f"{at.loc[(series, n), kind]:.0%}"
                        for kind in [*KINDS, "among"]})

# %% [markdown]
r"""
| network | $n$ | the right value | another of its symbols | none of them |
|---|---|---|---|---|
| Transformer + a and b | 64 | {glue:text}`both-64-right` | {glue:text}`both-64-other` | {glue:text}`both-64-neither` |
| Transformer + a and b | 128 | {glue:text}`both-128-right` | {glue:text}`both-128-other` | {glue:text}`both-128-neither` |
| Transformer | 64 | {glue:text}`plain-64-right` | {glue:text}`plain-64-other` | {glue:text}`plain-64-neither` |
| Transformer | 128 | {glue:text}`plain-128-right` | {glue:text}`plain-128-other` | {glue:text}`plain-128-neither` |

Of the first network's answers that are one of the program's symbols, {glue:text}`both-64-among` are right at $n$ = 64, and {glue:text}`both-128-among` at $n$ = 128.
*Another* includes the two names; between the two values alone, half would be chance.

So copying is learned first, and comparing is not learned from 64 or 128 programs.
This is what $b$ and $a$ are good for, one at a time.
To copy, a head needs to attend to the place of a value and pass on what stands there, whatever it is; the *places* are the same in every program, and $b$ does the rest ({doc}`why-copying-fails`).
To compare is harder than in {doc}`same-different`: the printed name stands at one place, its twin at one of two others, and the value to be copied is beside the twin.
The network must carry the outcome of a comparison from one place to another, which takes both of its layers.

The plain transformer does not get as far with so few programs: in the paper's curve it reaches the plateau at about 1,000 programs and leaves it at about 50,000.
Where our own runs end, the figure shows.

The paper's modified transformer solves the task between 2,048 and 8,192 programs.
Whether ours does is a claim of its own; its rows have not been run.

## The verdicts
"""

# %% tags=["remove-input"]
chapter.verdicts()

# %% [markdown]
r"""
## Is it still true? A live check

One of the networks is trained again, here and now; the build stops if its test error differs from its row by more than 0.02.
"""

# %%
chapter.recheck("program-symbolic", "n == 4 and seed == 0 and a == True",
                within=0.02, metric="test_error")

# %% [markdown]
r"""
## Run it yourself
"""

# %% tags=["remove-input"]
chapter.commands()

# %% [markdown]
r"""
## Try

A smaller network, shorter programs: `αγβδα` asks which value follows the symbol that is repeated at the end.
Change `n`, or drop `a` or `b`.
"""

# %% tags=["nbval-ignore-output"]
my_task = TemplateTask({"αγβδα": "γ", "αγβδβ": "δ"})
mine = member(my_task, n=64, evaluation=300, a=True, b=True, heads=8, d_head=32)
(outcome,) = ensembles.train([mine], epochs=60)
print(f"wrong answers on unseen symbols: {outcome.test_error:.0%}")
