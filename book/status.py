# ---
# jupyter:
#   jupytext:
#     cell_markers: r"""
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
r"""
# Status

What was run where, how much of each grid is done, and how fast the code is.
All of it is generated.

<a href="notebooks.zip" download>All executed notebooks in one archive</a>, with the package, the results and a word on how to run them.
"""

# %% tags=["parameters"]
profile = "quick"

# %% tags=["hide-input"]
from companion import report
from companion.report import Chapter

chapter = Chapter("status", profile)

# %% [markdown]
r"""
## This build

Seconds that each chapter took when it was executed last, and what it was executed with.
"""

# %% tags=["nbval-ignore-output", "remove-input"]
chapter.table(report.build_times())
chapter.table(report.versions())

# %% [markdown]
r"""
## Coverage

{term}`Runs <run>` that `book/results` holds, of those that each grid asks for, and what they took: the sum over runs, on the devices that are named.
"""

# %% tags=["remove-input"]
chapter.table(report.coverage_table())
chapter.table(report.coverage_table(by_series=True), "By series")

# %% [markdown]
r"""
## Speed of training

Training steps of the default transformer a second, counted in model-steps: many networks trained by this package, against a plain loop over single textbook modules with PyTorch's Adam, in turn and in one run (`make bench`; on a GPU `python -m abstract_symbols bench --device cuda --members 64`; medians).
On a CPU the package's side has a process of one thread for each core, as a sweep has, the loop's side one process with all cores; on a GPU both are one process.
*Peak share* is the arithmetic that the textbook network needs, as a fraction of the fastest matrix product measured on the same machine; above 1 where the package gets by with less arithmetic.
"""

# %% tags=["remove-input"]
report.show_benchmarks("training")

# %% [markdown]
r"""
## Speed of the kernel

$K_\text{attn}$ on every pair of templates of the paper's tasks, with nothing known beforehand: the time of the slowest pair, and the largest standard error as a fraction of the value.
Then, on the CPU, exact kernel ridge regression on $n$ strings of `αα` and `αβ` over $n$ symbols with $\lambda = 0.01$: the time of a fit, the kernel's values and the index of the strings included, the drawing of the strings not; and the memory that drawing and fitting take in a process of their own.
Its last row sets a fit against the dense solve of the same equations with its Gram matrix given, in turn and in one run; kernel values are known to both there.
All of it `make bench`; medians.
"""

# %% tags=["remove-input"]
report.show_benchmarks("kernel")
