# ---
# jupyter:
#   jupytext:
#     cell_markers: r"""
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
r"""
# Will a transformer learn your task?

*Type templates and labels.
Your browser computes whether an infinitely wide transformer learns them, and from how many strings.*

A **template** is a string in which lowercase Greek letters are wildcards: `αα` stands for AA, BB, CC and so on, `αβ` for two different symbols.
A task gives a label to each of its templates ({doc}`same-different` is the simplest one).
The network is trained on strings over some symbols and tested on symbols that it has never seen.
Nothing that you type leaves your computer.

```{raw} html
<div id="playground">
<noscript><p><strong>This page computes in your browser, and JavaScript is off.</strong> Turn it on for this page, or use the
Python package as at the end of the chapter “The template matrix”.</p></noscript>
</div>
```

## What the numbers mean

**The template matrix.**
$N_{ij}$ is the kernel $K_{\text{trans}}$ of the transformer of {doc}`transformer-kernel`, with $\varphi(t) = \cos(b_1 t + b_2)$, between a string of template $i$ and one of template $j$ that have no symbol in common.
If its smallest eigenvalue is above $0$, ridge regression with this kernel learns every labelling of the templates ({prf:ref}`kernel-theorem`).
The smaller it is, the more strings it takes ({doc}`template-matrix`).

**What the kernel can tell apart.**
$\Delta = \kappa_{ii} + \kappa_{jj} - 2 \kappa_{ij}$, with $\kappa = K_{\text{attn}}$, is the squared distance between the mean outputs of attention for two templates.
For small $\beta$ it is proportional to the power of $\beta$ given, and the first power of $\gamma$ comes with it.
A power of $\gamma$ says that positions are needed.

**The learning curve.**
It is the mean squared error on unseen symbols of kernel ridge regression with $n$ noise-free training strings over $n$ symbols.
Every template is equally likely, and an error of $1$ is that of always answering $0$.
Up to $n = 256$ we **simulate** it: we draw training strings, solve the equations exactly, and average.
Beyond, we **extend** it.
Write the {term}`Gram matrix` as $K = Z N Z^\top + E$, where $Z$ says which template a string comes from.
The predictions on unseen symbols depend on $N$ and on $B = Z^\top (E + \lambda I)^{-1} Z$ alone ({prf:ref}`shrunken-mean`).
The entries of $B$ are sums over the strings, so we let them grow in proportion to $n$.

**The errors.**
$K_{\text{attn}}$ is an average over Gaussian tokens and positions, computed here by randomised quasi-Monte Carlo.
Everything is done eight times with independent random numbers, the training strings included.
The spread gives the standard errors and the interval of [$n_{50}$](#half-point), the $n$ at which the error is one half.
They do not cover the assumption that $B$ grows in proportion to $n$, whose error falls as $1/n$.

## What they do not mean

The kernel is that of **one** layer of attention and **infinite** width, of which only the last layer is trained.
It says what can be learned without learning features.
Real networks of finite width train all their weights: how they compare is in {doc}`same-different`, {doc}`kernel-to-network` and {doc}`mlps-cannot`.
Labels are numbers here.
Tasks whose answer is a symbol, such as copying, need another theory: {doc}`why-copying-fails`.

## The same in Python
"""

# %% tags=["parameters"]
profile = "quick"

# %%
from abstract_symbols import TemplateTask, TransformerKernel
from abstract_symbols.kernels.template_matrix import smallest_eigenvalue

task = TemplateTask({"αα": +1, "αβ": -1})
kernel = TransformerKernel(beta=2.0, gamma=1.0, b1=2.0, b2=0.3)
nu, standard_error = smallest_eigenvalue(task, kernel)
print(f"smallest eigenvalue {nu:.6f}")

# %% [markdown]
r"""
Python's numbers are about a thousand times more exact, and its ridge regression takes ten million strings ({doc}`learning-from-n`).
The tests of this book compare the two in a browser.
"""
