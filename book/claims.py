# ---
# jupyter:
#   jupytext:
#     cell_markers: r"""
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
r"""
# All claims

*Every number of the paper that we compare with, every guess of our own: what was stated, what came out, and what decided.*

A {term}`claim` is one sentence with a measure and two tolerances, written down in `book/claims.yml`.
"""

# %% tags=["remove-cell", "parameters"]
profile = "quick"

# %% tags=["remove-input"]
from companion.report import Chapter

chapter = Chapter("claims", profile)
chapter.verdict_totals()

# %% [markdown]
r"""
Of the {glue:text}`compared` numbers of the paper that stand beside an interval of ours, {glue:text}`inside` lie inside it.

## The claims

Open a claim for its measure, what decided, its rows, and the command that makes them.
Claims of one family share a row.
"""

# %% tags=["remove-input"]
chapter.all_verdicts(filters=True)

# %% [markdown]
r"""
## How claims are judged

The tolerances of a claim bound a distance: a factor to the published [$n_{50}$](#half-point), say, or how far an exponent is from the stated one.
The verdict is that of the whole 95% interval, not of its middle.

| verdict | when |
|---|---|
| held | the whole interval is within the first tolerance: a factor 2 for $n_{50}$ |
| held in part | the whole interval is between the two: a factor 2 to 4 for $n_{50}$ |
| not held | the whole interval is beyond the second |
| undecided | the interval has more than one of these in it: there are too few seeds, or the grid ends too early |
| not run | rows are missing |

- **$n_{50}$** is the $n$ from which the mean loss stays below one half, linear in $\log n$.
  A curve that falls, rises and falls again has two crossings; the last counts, and the first is shown.
  Where the curve lies below one half from the start, or not at its end, $n_{50}$ is a bound, ≤ or >.
- **Intervals** of means and differences are Student's and Welch's.
  Those of $n_{50}$, of its ratios and exponents weigh whole seeds at random, as Student's distribution would.
  Simulated experiments with three, five and ten seeds lie inside in 93% to 97% of cases; for ratios of three seeds, in more.
  There is one exception that we know of.
  Where each run either solves the task or does not, independently at every $n$, three seeds cover about 86% and five about 92%.
- **"Lower than"** is Welch's one-sided test at each $n$ that the claim names, with p < 0.01.
  A test that fails decides nothing if it would find a difference of three standard deviations in less than 80% of cases.
  That is so of three seeds.
  One that points the claimed way, p < 0.1, waits until it has ten seeds.
  These rules, and the intervals, were set in November 2026, when the rows were there.
- **Seeds of random tasks** are tasks: each seed draws its own, so an interval over seeds is one over tasks.

A claim that does not hold is a finding; {doc}`not-reproduced` says what we know of the reasons.

## What was stated when
"""

# %% tags=["remove-input"]
chapter.claims_history()

# %% [markdown]
r"""
The git history is the witness.
Of today's {glue:text}`stated` claims, {glue:text}`stated-after` were stated when some or all of their rows were there already.
Each of them is in the list above, with the number of rows, and so is every change of a statement, a tolerance or a range.
Three kinds of entries deserve a word.

- The claims on αβα against αββ were stated when the rows up to 32 strings were there, which decide two of them.
  That *b* repairs copying from 16 strings on was stated when the rows of three dimensions were.
- In November 2026 figures of the paper were added, and with them claims on rows that had been there for days.
  They compare; they predict nothing.
- Claims that counted one result twice, or could not fail, were dropped.
"""
