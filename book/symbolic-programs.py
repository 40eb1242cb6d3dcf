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
import torch
from IPython.display import Markdown

from abstract_symbols import TemplateTask, Transformer
from abstract_symbols import claims, ensembles, experiments, figures

figures.style()
NAME = "program-symbolic"

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
results = None  # the committed rows, or all of them anew
if profile == "full":
    results = experiments.BOOK.parent / "_build" / "full"
    experiments.run(NAME, results=results)
rows = experiments.load(NAME, results)

# %%
figure = figures.learning_curves(NAME, rows, "test_error", "wrong answers on unseen symbols")
figures.show(figure, alt=figures.alt_text(NAME, rows, "test_error"))

# %% tags=["remove-input"]
Markdown(f"*Mean and standard error over seeds. {figures.coverage(NAME, rows)} One point of the paper's curve is drawn at 32,678 "
         "in its figure, and stands at 32,768 here.*")

# %% tags=["remove-input"]
figures.values_table(NAME, rows, "test_error")

# %% [markdown]
r"""
## What the plateau is

Between a few dozen and a few thousand programs, the paper's modified transformer errs half of the time.
Is it guessing between the program's two values?
Each answer to a test program is the right value, *another* of the program's symbols, or *none* of them:
"""

# %% tags=["hide-input"]
shares = rows.assign(right=1 - rows["other"] - rows["neither"])
shares = shares.groupby(["series", "n"], sort=False)[["right", "other", "neither"]].mean().reset_index()
figures.show(figures.shares(shares, "n", {"right": "the right value", "other": "another of its symbols", "neither": "none of them"}),
             alt="Stacked bars, shares of the answers at the last epoch. " + " ".join(
                 f"{r.series}, n = {r.n}: right {r.right:.0%}, another {r.other:.0%}, none {r.neither:.0%}."
                 for r in shares.itertuples() if r.n in (shares.n.min(), 64, shares.n.max())))

# %% tags=["remove-input"]
at = shares.set_index(["series", "n"])


def answers(series, n):
    if (series, n) not in at.index:
        return "not run yet"
    r = at.loc[(series, n)]
    return f"{r['right']:.0%} right, {r['other']:.0%} another of its symbols, {r['neither']:.0%} none of them"


def among(series):
    some = shares[(shares["series"] == series) & shares["n"].isin([64, 128])]
    return ", ".join(f"{r.right / (r.right + r.other):.0%} at $n$ = {r.n}" for r in some.itertuples())


Markdown(f"""
- **Transformer + a and b**, $n$ = 64: {answers("Transformer + a and b", 64)}; $n$ = 128: {answers("Transformer + a and b", 128)}.
- **Transformer**, $n$ = 64: {answers("Transformer", 64)}; $n$ = 128: {answers("Transformer", 128)}.

Of the answers of the first that are one of the program's symbols, these are right: {among("Transformer + a and b")}. (*Another* includes the two names; between the two values alone, half would be chance.)
""")

# %% [markdown]
r"""
So copying is learned first, and comparing is not learned from 64 or 128 programs.
This is what $b$ and $a$ are good for, one at a time.
To copy, a head needs to attend to the place of a value and pass on what stands there, whatever it is; the *places* are the same in every program, and $b$ does the rest ({doc}`why-copying-fails`).
To compare is harder than in {doc}`same-different`: the printed name stands at one place, its twin at one of two others, and the value to be copied is beside the twin.
The network must carry the outcome of a comparison from one place to another, which takes both of its layers.

The plain transformer does not get as far with so few programs: in the paper's curve it reaches the plateau at about 1,000 programs and leaves it at about 50,000.
Where our own runs end, the figure shows.

## The verdicts
"""

# %% tags=["remove-input"]
figures.scoreboard(claims.scoreboard("symbolic-programs", results))

# %% [markdown]
r"""
## Is it still true? A live check

One of the networks is trained again, here and now; the build stops if its test error differs from its row by more than 0.02.
"""

# %%
TOLERANCE = 0.02
again = experiments.repeat(NAME, experiments.load(NAME), n=[4], seeds=[0], metric="test_error",
                           a=[True])
worst = (again["repeated"] - again["committed"]).abs().max()
assert worst <= TOLERANCE, f"off by {worst:.3f}:\n{again}"
print(f"networks trained again: {len(again)},",
      f"every test error within {TOLERANCE} of its row")

# %% [markdown]
r"""
## Run it yourself
"""

# %% tags=["remove-input"]
longest = rows[rows["n"] == rows["n"].max()]["seconds"].mean()
Markdown(f"""
| command | what it does | cost |
|---|---|---|
| `make chapter C=symbolic-programs` | draws this page from the committed rows, repeats the live check | a minute |
| `python -m abstract_symbols run program-symbolic --device cuda` | performs the runs that `book/results/program-symbolic.csv` lacks, cheapest first | a GPU is needed in practice: on one core a run takes {longest:.0f} s at $n$ = {rows["n"].max()}, and in proportion to $n$ beyond |
""")

# %% [markdown]
r"""
## Try

A smaller network, shorter programs: `αγβδα` asks which value follows the symbol that is repeated at the end.
Change `n`, or drop `a` or `b`.
"""

# %% tags=["nbval-ignore-output"]
n, my_task = 64, TemplateTask({"αγβδα": "γ", "αγβδβ": "δ"})
train, validation, test = my_task.alphabets(n, 300, 300)
samples = [my_task.sample(size, alphabet, seed=0) for size, alphabet
           in [(n, train), (300, validation), (300, test)]]
torch.manual_seed(0)
network = Transformer(test.stop, my_task.length, a=True, b=True, heads=8, d_head=32, tied=True)
(outcome,) = ensembles.train([ensembles.Member(network, *samples)], epochs=60)
print(f"wrong answers on unseen symbols: {outcome.test_error:.0%}")
