# ---
# jupyter:
#   jupytext:
#     cell_markers: r"""
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
r"""
# From transformer to kernel: only equality is left

*An infinitely wide transformer compares two strings by which of their tokens are equal, and by nothing else.
A handful of numbers is all it knows.*

In {doc}`mlps-cannot` the name of a symbol is all that a network has to go by.
This chapter follows the paper's transformer from its input to its last layer, and asks at each step what is left of the names when the network is wide.
The answer is a kernel: a number $K(x, y)$ for two strings, which {doc}`template-matrix` and {doc}`learning-from-n` then put to use.

*Builds on {doc}`mlps-cannot`.
Leads to {doc}`template-matrix` (the small matrix that decides what is learned).*
"""

# %% tags=["parameters"]
profile = "quick"

# %%
import numpy as np
import torch
from scipy.special import softmax

from abstract_symbols import TransformerKernel, tasks, template_matrix
from abstract_symbols.analyses import transformer_kernel as analyses
from abstract_symbols.analyses.template_matrix import series_tasks
from abstract_symbols.kernels.matchings import kernel_values, task_shapes
from abstract_symbols.kernels.prediction import collision_constant
from companion.report import Chapter

chapter = Chapter("transformer-kernel", profile)

# %% [markdown]
r"""
## The network, one formula at a time

The network of the paper's theory has one layer: attention, then an MLP of which only the last layer is trained.
It has neither residual connections nor layer normalisation.
A string of $k$ tokens, the last of which is {term}`[CLS]`, is a matrix $X \in \{0,1\}^{k \times m}$ with a one-hot row for each token.
Here are three strings:
"""

# %%
tokens = ["A", "B", "C", "D", "[CLS]"]
strings = ["ABA", "CDC", "ABB"]
X = np.array([[[t == u for u in tokens] for t in [*s, "[CLS]"]]
              for s in strings], dtype=float)  # (n, k, m)

# %% [markdown]
r"""
**Embedding.**
Every token has a random vector, and so has every position; [$\gamma$](#gamma) says how much positions count:

$$
Z_0 = X W_E + \gamma P \in \mathbb{R}^{k \times d}.
$$

Random vectors of high dimension are nearly orthogonal.
So the rows of two strings $X$ and $Y$ have inner products close to $XY^\top + \gamma^2 I$, and $XY^\top$ says which tokens are equal: its entry is $1$ where they are and $0$ where they are not.
"""

# %%
rng = np.random.default_rng(0)
d, beta, gamma, b1, b2 = 256, 2.0, 1.0, 2.0, 0.3
W_E = rng.normal(size=(len(tokens), d)) / d**0.5
P = rng.normal(size=(X.shape[1], d)) / d**0.5
Z0 = X @ W_E + gamma * P  # (n, k, d)
products = Z0[0] @ Z0[2].T  # (k, k)
expected = X[0] @ X[2].T + gamma**2 * np.eye(4)
print(f"off by {np.abs(products - expected).max():.2f} at most")

# %% [markdown]
r"""
**Attention.**
The network is read at [CLS].
In head $h$, [CLS] asks with the query $g_h = W_{K,h}^\top W_{Q,h} z_{\text{CLS}}$ and attends to position $i$ with the weight $a_{h,i}$.
The values attended to go through $W_{V,h}$ and $W_{O,h}$, and $H$ heads add up:

$$
\begin{aligned}
a_h &= \operatorname{softmax}(\beta Z_0\, g_h) \in \mathbb{R}^k, \\
z_1 &= \frac{1}{\sqrt H} \sum_{h=1}^H W_{O,h}^\top W_{V,h} Z_0^\top a_h \in \mathbb{R}^d .
\end{aligned}
$$
"""

# %%
def head():
    W_K, W_V, W_O = rng.normal(size=(3, d, d))
    W_Q = rng.normal(size=(d, d)) / ((1 + gamma**2) * d)**0.5
    g = W_K.T @ W_Q @ Z0[0, -1]  # (d,): all strings' [CLS]
    a = softmax(beta * Z0 @ g, axis=1)  # (n, k)
    values = np.einsum("nk,nkd->nd", a, Z0)  # (n, d)
    return values @ W_V.T @ W_O / d  # (n, d)


H = d
z1 = sum(head() for _ in range(H)) / H**0.5  # (n, d)

# %% [markdown]
r"""
What does a head see?
Given the embeddings, $g_h$ is a random vector, so its product with a token's embedding is a random number $\zeta_t$, and with a position's vector a random number $p_i$.
In the limit $d \to \infty$, with $W_Q$ scaled so that the entries of $g_h$ have variance 1, these are *independent standard normals*, and the logits are

$$
Z_0\, g_h = m(X), \quad m(X)_i = \zeta_{x_i} + \gamma\, p_i .
$$

Each head draws a number for each token that occurs, and a token has the same number wherever it stands.
Two positions with equal tokens therefore get similar attention.
This is how equality enters.

**MLP.**
A random layer with the activation $\varphi(t) = \cos(b_1 t + b_2)$.
Only $w$ is trained:

$$
\begin{aligned}
z_2 &= \frac{1}{\sqrt{d_{\text{mlp}}}}\, \varphi(W_A z_1), \\
f(X) &= w^\top z_2 .
\end{aligned}
$$
"""

# %%
d_mlp = 4096
W_A = rng.normal(size=(d, d_mlp))
z2 = np.cos(b1 * z1 @ W_A + b2) / d_mlp**0.5  # (n, d_mlp)

# %% [markdown]
r"""
Training $w$ by ridge regression on the features $z_2$ uses nothing but their inner products, $z_2(X) \cdot z_2(Y)$.
So all that the network can ever know about two strings is this one number.
What does it become when everything is wide?

## The kernel

::::{prf:definition} The transformer's kernel; section 3, in our words
:label: transformer-kernel-definition
:class: paper

Let $H$, $d$ and $d_{\text{mlp}}$ tend to infinity.
Then $z_1(X) \cdot z_1(Y)$ tends to

$$
\begin{aligned}
&K_{\text{attn}}(X, Y) = \\
&\quad \mathbb{E}\bigl[\, s_X^\top \bigl(XY^\top + \gamma^2 I\bigr)\, s_Y \bigr]
\end{aligned}
$$

with $s_X = \operatorname{softmax}(\beta\, m(X))$, where $m(X)_i = \zeta_{x_i} + \gamma p_i$ and $m(Y)_i = \zeta_{y_i} + \gamma p_i$.
The $\zeta_t$ (one for each token) and the $p_i$ (one for each position) are independent standard normals, the same ones in $m(X)$ and $m(Y)$.
And $z_2(X) \cdot z_2(Y)$ tends to

$$
K_{\text{trans}}(X, Y) = \mathbb{E}\bigl[\varphi(u)\,\varphi(v)\bigr]
$$

where $(u, v)$ is a centred Gaussian vector with variances $K_{\text{attn}}(X, X)$ and $K_{\text{attn}}(Y, Y)$ and covariance $K_{\text{attn}}(X, Y)$.
::::

Read the first formula from the inside.
$XY^\top + \gamma^2 I$ are the inner products of the embeddings.
The two softmax vectors average them with the attention that one head pays to the two strings.
The expectation is the mean over infinitely many heads.
$W_V$ and $W_O$ drop out: products of large random matrices keep inner products.
In the second formula $u$ and $v$ are one neuron's inputs, Gaussian because $W_A$ is.

The first needs an integral over up to $3k$ normals.
It is the mean of something random, so anybody can compute it by drawing:
"""

# %%
def monte_carlo(x, y, draws=100_000):
    x, y = [*x, "[CLS]"], [*y, "[CLS]"]
    zeta = {t: rng.normal(size=draws) for t in dict.fromkeys(x + y)}
    p = gamma * rng.normal(size=(len(x), draws))
    m = [np.stack([zeta[t] for t in s]) + p for s in (x, y)]
    s_x, s_y = softmax(beta * np.array(m), axis=1)  # (k, draws)
    XY = np.equal.outer(np.array(x), np.array(y))  # (k, k)
    middle = XY + gamma**2 * np.eye(len(x))
    each = (s_x * (middle @ s_y)).sum(0)  # (draws,)
    return each.mean(), each.std() / draws**0.5


# %% [markdown]
r"""
The library computes the same integral to about seven digits, by a quadrature on lattices.
It agrees with the draws to within their standard error.
The network above comes near them, for one of width 256:
"""

# %%
kernel = TransformerKernel(beta, gamma, "cos", b1=b1, b2=b2)
attention = kernel.attention("ABA", "CDC")
estimate, error = monte_carlo("ABA", "CDC")
print(f"library {attention:.6f}, draws {estimate:.4f} ± {error:.4f}")

# %% tags=["remove-input"]
compared = analyses.comparison(strings, kernel, monte_carlo, z1, z2)
assert compared.furthest < 4, compared.furthest
chapter.table(compared.table, formats=analyses.COMPARISON_FORMATS)
chapter.glue(".1f", furthest=compared.furthest)

# %% [markdown]
r"""
No mean of draws is further than {glue:text}`furthest` standard errors from the library's value.
"""

# %% [markdown]
r"""
The second formula has a closed form for the paper's activation.
A product of cosines is half the cosine of the difference plus half the cosine of the sum, and the mean of the cosine of a Gaussian is an exponential.
With $K_{xy}$ for $K_{\text{attn}}(x, y)$ and so on,

$$
\begin{aligned}
K_{\text{trans}} &= \tfrac12 e^{-b_1^2 V_-/2} + \tfrac12 \cos(2 b_2)\, e^{-b_1^2 V_+/2}, \\
V_\mp &= K_{xx} + K_{yy} \mp 2 K_{xy} ,
\end{aligned}
$$

the variances of $u - v$ and $u + v$:
"""

# %%
xx = kernel.attention("ABA", "ABA")  # and K_yy is the same
minus = np.exp(-b1**2 * (2 * xx - 2 * attention) / 2)
plus = np.exp(-b1**2 * (2 * xx + 2 * attention) / 2)
closed = (minus + np.cos(2 * b2) * plus) / 2
assert abs(closed - kernel("ABA", "CDC")) < 1e-12

# %% [markdown]
r"""
## A handful of numbers

In the formula of $K_{\text{attn}}$ the tokens occur in two places: in $XY^\top$, whose entries say whether $x_i = y_j$, and as the owners of the $\zeta$'s, whose names do not matter.
So:

::::{admonition} Only equality is left
:class: ours

$K(x, y)$ depends only on **which of the $2k$ tokens of $x$ and $y$ are equal**.
Rename all symbols, and it stays.
For two templates there is one number for each way to match some {term}`wildcards <wildcard>` of the one with wildcards of the other.
However large the alphabet, and however many strings, the kernel is a finite table.
::::

This is the whole table for the templates `αβα` and `αββ`.
A row says which wildcards of the two strings hold the same symbol:
"""

# %%
task = tasks.task("aba-abb")
aba, abb = task_shapes(task)  # αβα and αββ
matchings = {"none": (), "α–β": ((0, 1),), "β–α": ((1, 0),),
             "β–β": ((1, 1),), "α–α": ((0, 0),),
             "α–β and β–α": ((0, 1), (1, 0)),
             "α–α and β–β": ((0, 0), (1, 1))}
pairs = {"αβα, αβα": (aba, aba), "αβα, αββ": (aba, abb),
         "αββ, αββ": (abb, abb)}
columns = {
    name: kernel_values(kernel, [(x, y, matchings[m]) for m in matchings])
    for name, (x, y) in pairs.items()}

# %% tags=["remove-input"]
chapter.table(analyses.matching_table(columns, pairs, matchings))

# %% tags=["remove-input"]
table = np.stack(list(columns.values()), axis=1)  # (matchings, pairs)
chapter.glue(distinct=len(np.unique(table.round(12))))
chapter.glue(".4f", same=table[0, 0], other=table[0, 1], most=table[-1, 0])

# %% [markdown]
r"""
{glue:text}`distinct` different numbers decide what this network, infinitely wide, can learn about all strings of these two templates.
Beside each stands a pair of strings that has it.
The first row is what *unseen* symbols have to offer: strings of the same template have {glue:text}`same`, of different ones {glue:text}`other`.
So small is the difference on which everything hangs; {doc}`template-matrix` is about it.
Symbols in common weigh far more, up to {glue:text}`most`.
"""

# %% [markdown]
r"""
## Finite width

The table at the top already showed how near a network of width 256 comes.
In general: each inner product is a mean over $H$ random heads, $d$ random coordinates and $d_{\text{mlp}}$ random neurons.
Means of independent terms miss their limit by $1/\sqrt{\text{width}}$.
The class `FiniteTransformer` is the network above with all four widths ($d$, $H$, $d_{\text{head}}$ and $d_{\text{mlp}}$) equal.
Every seed draws a new network.
Two strings of each template, one symbol shared between them, give the root mean square of $z_2(x) \cdot z_2(y) - K_{\text{trans}}(x, y)$:
"""

# %%
chapter.scaling("width", "error", "distance between finite networks and the kernel",
                columns={"error": "rms distance"}, xlabel="width of the network",
                ylabel="rms distance to the kernel", guides=[(-0.5, "slope −½")])

# %% tags=["remove-input"]
N = template_matrix(task, kernel)
chapter.glue(".3f", distance=chapter.mean("width", "αβα / αββ", 512, "error"))
chapter.glue(".5f", spread=np.ptp(N), eigenvalue=np.linalg.eigvalsh(N)[0])

# %% [markdown]
r"""
At width 512 the distance is {glue:text}`distance`.
That is small against the kernel's values for equal strings, but not against the differences that tell unseen strings' templates apart: the template matrix has entries within {glue:text}`spread` of each other, and its smallest eigenvalue is {glue:text}`eigenvalue`.
How wide must a network be before its *predictions* are the kernel's?
{doc}`kernel-to-network` measures it.
"""

# %% [markdown]
r"""
## What a training set looks like to the kernel

Draw $n$ = 120 strings of the two templates with symbols from an alphabet of $m$, sort them by template, and look at the matrix of all their kernel values, the {term}`Gram matrix`.
If no two strings had a symbol in common, it would be **constant on blocks**: one number for two strings `αβα`, another for `αβα` and `αββ`, and a diagonal.
With few symbols there are accidental collisions everywhere.
As the alphabet grows they go away:
"""

# %% tags=["remove-input"]
panels = {m: analyses.sorted_gram(task, kernel, m, 120) for m in (10, 100, 10_000)}
chapter.show(*analyses.blocks_picture(panels, task, N))

# %% tags=["remove-input"]
for m, panel in panels.items():
    chapter.glue(".2%", **{f"alike-{m}": analyses.constant_share(*panel, N)})

# %% [markdown]
r"""
*Gram matrices of 120 strings.
The colour scale ends just above the blocks' values; everything brighter is a collision, or the diagonal.*

Off the diagonal, the entries that are exactly their block's constant: {glue:text}`alike-10` at m = 10, {glue:text}`alike-100` at m = 100, {glue:text}`alike-10000` at m = 10,000.
"""

# %% [markdown]
r"""
This picture is half of the proof that transformers generalise to unseen symbols: the blocks are the {term}`template matrix` $N$, and what $N$ can tell apart, the training set teaches.
How fast do the specks go away?

::::{admonition} The rate, before measuring
:class: ours

Take two strings with $w$ and $w'$ wildcards, their symbols drawn uniformly from $m$.
Wildcard $a$ of the one and $b$ of the other hold the same symbol with probability $1/m$.
Two such accidents at once have a probability of order $1/m^2$.
So with $\delta_{ab}$, what the accident adds to the kernel,

$$
\mathbb{E}\bigl(K(x, y) - N_{ij}\bigr)^2 = \frac1m \sum_{a,b} \delta_{ab}^2 + O\Bigl(\frac1{m^2}\Bigr) .
$$ (collisions)

With the {term}`diversity` $\rho = m / w$, the mean square deviation falls as $1/\rho$, and the *root* mean square as $\rho^{-1/2}$.
The constant comes from the table above, nothing is fitted.
::::
"""

# %%
constant = {series: collision_constant(t, kernel)  # √m times it
            for series, t in series_tasks("gram").items()}

# %% tags=["remove-input"]
chapter.show(*analyses.gram_picture(chapter["gram"], constant), "gram")
chapter.scaling_values("gram", {
    "deviation": "relative deviation", "collisions": "share of pairs with a common symbol"})

# %% [markdown]
r"""
*1,000 strings; root mean square of the off-diagonal entries minus their block's constant, over the root mean square of the entries.*
"""

# %% tags=["remove-input"]
measured = analyses.deviations(chapter["gram"], constant)
for name, series in {"two": "αα / αβ", "three": "αβα / αββ"}.items():
    ratio, at = measured.loc[series, "ratio"], measured.loc[series, 1000]
    chapter.glue(**{f"{name}.first": f"{ratio[10]:.2f}", f"{name}.last": f"{ratio[100_000]:.2f}",
                    f"{name}.collisions": f"{at['collisions']:.2%}",
                    f"{name}.deviation": f"{at['deviation']:.0%}"})

# %% [markdown]
r"""
Measured over predicted, for the two tasks in turn: {glue:text}`two.first`, {glue:text}`three.first` at 10 symbols, {glue:text}`two.last`, {glue:text}`three.last` at 100,000.
For small alphabets the relative deviation must stay below 1, since its denominator grows with the collisions too, so the curves start flatter than the law.
Collisions are rare long before they cease to matter: they weigh so much more than the blocks' values that at 1,000 symbols {glue:text}`two.collisions` and {glue:text}`three.collisions` of the pairs make up a deviation of {glue:text}`two.deviation` and {glue:text}`three.deviation`.
"""

# %% [markdown]
r"""
## Other activations

The paper's theorem is for $\varphi(t) = \cos(b_1 t + b_2)$, for which $K_{\text{trans}}$ is an exponential.
The kernel exists for every other activation too.
ReLU, erf and GELU have closed forms; any function of a tensor goes through two-dimensional Gauss–Hermite quadrature, which is precise for smooth ones:
"""

# %%
activations = {"relu": "relu", "erf": "erf", "gelu": "gelu",
               "tanh (a callable)": torch.tanh}
kernels = {"cos(2t + 0.3)": kernel} | {
    name: TransformerKernel(beta, gamma, phi, b1=1.0, b2=0.0)
    for name, phi in activations.items()}

# %% tags=["remove-input"]
chapter.table(analyses.activation_table(kernels, task), formats=analyses.ACTIVATION_FORMATS)

# %% [markdown]
r"""
The last column decides whether the kernel can tell `αβα` from `αββ` on unseen symbols.
It is positive for all five, although the theorem speaks of the cosine only.
"""

# %% [markdown]
r"""
## The verdicts

Exponents are fitted to the means over seeds; intervals are 95% intervals over seeds, Student's.
To *hold*, an exponent must be within 0.1 of the predicted $-\tfrac12$, to hold *in part* within 0.2.
For the Gram matrix the fit begins at 100 symbols, where collisions have become rare, and ends at 31,623, beyond which a thousand strings contain too few of them.
All this was fixed before measuring.
The paper's statements are limits and have no exponents of their own.
"""

# %% tags=["remove-input"]
chapter.verdicts()

# %% [markdown]
r"""
## Is it still true? A live check

These cells draw some of the finite networks and samples again, and stop the book's build if a number differs from its row by more than $10^{-6}$.
Everything here is in double precision.
"""

# %%
chapter.recheck("width", "width in [16, 32] and seed < 2",
                within=1e-6, metric="error")
chapter.recheck("gram", "alphabet in [100, 10000] and seed == 0",
                within=1e-6, metric="deviation")

# %% [markdown]
r"""
## Run it yourself
"""

# %% tags=["remove-input"]
chapter.commands()

# %% [markdown]
r"""
## Try

Change the strings (any of equal length), `beta` or `gamma`.
The rows and columns are the strings, in order.
Rename a symbol in all of them, and nothing changes.
"""

# %%
mine = ["ABA", "CDC", "EFF", "AEA"]
my_kernel = TransformerKernel(beta=2.0, gamma=1.0, b1=2.0, b2=0.3)
for x in mine:
    print(x, *(f"{my_kernel(x, y):.4f}" for y in mine))
