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
import pandas as pd
import torch
from IPython.display import Markdown
from scipy.special import softmax

from abstract_symbols import TransformerKernel, template_matrix
from abstract_symbols import claims, experiments, figures, tasks
from abstract_symbols.kernels.ridge import gram_matrix
from abstract_symbols.kernels.matchings import (
    kernel_values, matched_strings, task_shapes, width)

figures.style()
NAME = "transformer-kernel"

# %% tags=["remove-input"]
results = None  # the committed rows, or all of them anew
if profile == "full":
    results = experiments.BOOK.parent / "_build" / "full"
    for name in ("width", "gram"):
        experiments.run(name, results=results)
rows = {name: experiments.load(name, results) for name in ("width", "gram")}

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
lines, furthest = [], 0.0
for i, x in enumerate(strings):
    for j, y in list(enumerate(strings))[i:]:
        estimate, error = monte_carlo(x, y)
        furthest = max(furthest, abs(estimate - kernel.attention(x, y)) / error)
        lines.append({"strings": f"{x} {y}", "K_attn": f"{kernel.attention(x, y):.4f}", "draws": f"{estimate:.4f} ± {error:.4f}",
                      "z₁·z₁": f"{z1[i] @ z1[j]:.2f}", "K_trans": f"{kernel(x, y):.4f}", "z₂·z₂": f"{z2[i] @ z2[j]:.2f}"})
assert furthest < 4, furthest
figures.table(pd.DataFrame(lines))

# %% tags=["remove-input"]
Markdown(f"No mean of draws is further than {furthest:.1f} standard errors from the library's value.")

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
table = pd.DataFrame(columns, index=matchings)
shown = table.map("{:.4f}".format)
for name, (x, y) in pairs.items():  # an example: strings over the symbols a, b, c, …
    texts = [matched_strings(x, y, m) for m in matchings.values()]
    shown[name] = [f"{value}  {' '.join(''.join('ABCD'[t - 1] for t in s) for s in pair)}" for value, pair in
                   zip(shown[name], texts, strict=True)]
figures.table(shown.rename_axis("equal wildcards").reset_index())

# %% tags=["remove-input"]
distinct = len(set(table.to_numpy().round(12).ravel()))
Markdown(f"""
{distinct} different numbers decide what this network, infinitely wide, can learn about all strings of these two templates. Beside each stands a pair of strings
that has it. The first row is what *unseen* symbols have to offer: strings of the same template have {table.iloc[0, 0]:.4f}, of
different ones {table.iloc[0, 1]:.4f}. So small is the difference on which everything hangs; {{doc}}`template-matrix` is about
it. Symbols in common weigh far more, up to {table.iloc[-1, 0]:.4f}.
""")

# %% [markdown]
r"""
## Finite width

The table at the top already showed how near a network of width 256 comes.
In general: each inner product is a mean over $H$ random heads, $d$ random coordinates and $d_{\text{mlp}}$ random neurons.
Means of independent terms miss their limit by $1/\sqrt{\text{width}}$.
The class `FiniteTransformer` is the network above with all four widths ($d$, $H$, $d_{\text{head}}$ and $d_{\text{mlp}}$) equal.
Two strings of each template, one symbol shared between them, give the root mean square of $z_2(x) \cdot z_2(y) - K_{\text{trans}}(x, y)$:
"""

# %% tags=["remove-input"]
figure = figures.scaling("width", rows["width"], "error", xlabel="width of the network", ylabel="rms distance to the kernel",
                         guides=[(-0.5, "slope −½")])
figures.show(figure, alt=figures.scaling_alt("width", rows["width"], "error", "distance between finite networks and the kernel"))

# %% tags=["remove-input"]
Markdown(f"*Mean and standard error over seeds, each a new network. {figures.coverage('width', rows['width'])}*")

# %% tags=["remove-input"]
figures.scaling_table("width", rows["width"], {"error": "rms distance"})

# %% tags=["remove-input"]
N = template_matrix(task, kernel)
nu, spread = np.linalg.eigvalsh(N)[0], N.max() - N.min()
text = "*Rows are missing, so there is nothing to tell yet.*"
if len(rows["width"]) == len(experiments.experiment("width").runs()):
    mean = figures.summary("width", rows["width"], "error").set_index(["series", "width"])["mean"]
    last = mean.index.get_level_values("width").max()
    text = f"""
At width {last} the distance is {mean["αβα / αββ", last]:.3f}. That is small against the kernel's values for equal strings, but not against the
differences that tell unseen strings' templates apart: the template matrix has entries within {spread:.5f} of each other, and its smallest eigenvalue is
{nu:.5f}. How wide must a network be before its *predictions* are the kernel's? {{doc}}`kernel-to-network` measures it."""
Markdown(text)

# %% [markdown]
r"""
## What a training set looks like to the kernel

Draw $n$ = 120 strings of the two templates with symbols from an alphabet of $m$, sort them by template, and look at the matrix of all their kernel values, the {term}`Gram matrix`.
If no two strings had a symbol in common, it would be **constant on blocks**: one number for two strings `αβα`, another for `αβα` and `αββ`, and a diagonal.
With few symbols there are accidental collisions everywhere.
As the alphabet grows they go away:
"""

# %%
def sorted_gram(m, n=120):
    sample = task.sample(n, alphabet=m, seed=0)
    order = sample.templates.argsort(stable=True).numpy()
    gram = gram_matrix(kernel, sample)[np.ix_(order, order)]  # (n, n)
    return gram, torch.bincount(sample.templates).tolist()


# %% tags=["remove-input"]
panels = {f"m = {m:,}": sorted_gram(m) for m in (10, 100, 10_000)}
alike = []
for gram, sizes in panels.values():
    which = np.repeat([0, 1], sizes)
    off = ~np.eye(len(gram), dtype=bool)
    alike.append((gram == N[np.ix_(which, which)])[off].mean())
figures.show(
    figures.blocks(panels, [t.pattern for t in task.templates], limits=(N.min() - spread, N.max() + 2 * spread), label="K(x, y)"),
    alt="Three matrices of 120 by 120 kernel values, strings sorted by template. " + " ".join(
        f"{title}: {share:.2%} of the off-diagonal entries have exactly the colour of their block."
        for title, share in zip(panels, alike, strict=True)) + " Collisions are brighter specks on the checkerboard of four blocks.",
)

# %% tags=["remove-input"]
words = ", ".join(f"{share:.2%} at {title}" for title, share in zip(panels, alike, strict=True))
Markdown(f"""
*Gram matrices of 120 strings. The colour scale ends just above the blocks' values; everything brighter is a collision, or the diagonal.*

Off the diagonal, the entries that are exactly their block's constant: {words}.
""")

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
def collision_constant(task):  # √m times the relative deviation
    N, total = template_matrix(task, kernel), 0.0
    shapes = task_shapes(task)
    for i, x in enumerate(shapes):
        for j, y in enumerate(shapes):
            one = [(x, y, ((a, b),)) for a in range(width(x))
                   for b in range(width(y))]  # all single accidents
            total += ((kernel_values(kernel, one) - N[i, j])**2).sum()
    return (total / (N**2).sum())**0.5


# %% tags=["remove-input"]
ALPHABETS = np.array(experiments.experiment("gram").grid["alphabet"])
TASKS = {series: options["task"] for series, options in experiments.experiment("gram").series.items()}
constant = {series: collision_constant(tasks.task(name)) for series, name in TASKS.items()}
law = {series: (ALPHABETS, c / ALPHABETS**0.5) for series, c in constant.items()}
figure = figures.scaling("gram", rows["gram"], "deviation", xlabel="m = number of symbols = ρ · wildcards",
                         ylabel="relative rms deviation", guides=[(-0.5, "slope −½")], predicted=law)
figures.show(figure, alt=figures.scaling_alt("gram", rows["gram"], "deviation", "deviation of the Gram matrix from constant blocks") +
             " Dashed: the predicted law for large m, which the measured curves join.")

# %% tags=["remove-input"]
Markdown(f"""*1,000 strings; root mean square of the off-diagonal entries minus their block's constant, over the root mean square of the entries.
{figures.coverage('gram', rows['gram'])}*""")

# %% tags=["remove-input"]
figures.scaling_table("gram", rows["gram"], {"deviation": "relative deviation", "collisions": "share of pairs with a common symbol"})

# %% tags=["remove-input"]
text = "*Rows are missing, so there is nothing to tell yet.*"
if len(rows["gram"]) == len(experiments.experiment("gram").runs()):
    mean = figures.summary("gram", rows["gram"], "deviation").set_index(["series", "alphabet"])["mean"]
    ratios = {(s, m): mean[s, m] / (constant[s] / m**0.5) for s in TASKS for m in (10, 1000, int(ALPHABETS[-1]))}
    share = rows["gram"].query("alphabet == 1000").groupby("series")["collisions"].mean()
    first = ", ".join(f"{ratios[s, 10]:.2f}" for s in TASKS)
    later = ", ".join(f"{ratios[s, int(ALPHABETS[-1])]:.2f}" for s in TASKS)
    text = f"""
Measured over predicted, for the two tasks in turn: {first} at 10 symbols, {later} at {ALPHABETS[-1]:,}. For small alphabets the relative deviation must stay
below 1, since its denominator grows with the collisions too, so the curves start flatter than the law. Collisions are rare long before they cease to matter: they weigh
so much more than the blocks' values that at 1,000 symbols {share["αα / αβ"]:.2%} and {share["αβα / αββ"]:.2%} of the pairs make up
a deviation of {mean["αα / αβ", 1000]:.0%} and {mean["αβα / αββ", 1000]:.0%}."""
Markdown(text)

# %% [markdown]
r"""
## Other activations

The paper's theorem is for $\varphi(t) = \cos(b_1 t + b_2)$, for which $K_{\text{trans}}$ is an exponential.
The kernel exists for every other activation too.
ReLU, erf and GELU have closed forms; any function of a tensor goes through two-dimensional Gauss–Hermite quadrature, which is precise for smooth ones:
"""

# %%
def row(activation, b1=1.0, b2=0.0):
    K = TransformerKernel(beta, gamma, activation, b1=b1, b2=b2)
    nu = np.linalg.eigvalsh(template_matrix(task, K))[0]
    return K("ABA", "ABA"), K("ABA", "CDC"), K("ABA", "CDD"), nu


activations = {"cos(2t + 0.3)": ("cos", b1, b2), "relu": ("relu",),
               "erf": ("erf",), "gelu": ("gelu",),
               "tanh (a callable)": (torch.tanh,)}
values = {name: row(*given) for name, given in activations.items()}

# %% tags=["remove-input"]
figures.table(pd.DataFrame([
    {"activation": name, "K(ABA, ABA)": f"{same:.4f}", "K(ABA, CDC)": f"{alike:.4f}", "K(ABA, CDD)": f"{other:.4f}",
     "smallest eigenvalue of N": f"{nu:.5f}"} for name, (same, alike, other, nu) in values.items()]))

# %% tags=["remove-input"]
positive = all(nu > 0 for *_, nu in values.values())
Markdown(f"""The last column decides whether the kernel can tell `αβα` from `αββ` on unseen symbols. It is {"positive for all five" if positive else
"not positive for all of them"}, although the theorem speaks of the cosine only.""")

# %% [markdown]
r"""
## The verdicts

Exponents are fitted to the means over seeds; intervals are 95 % bootstrap intervals over seeds.
To *hold*, an exponent must be within 0.1 of the predicted $-\tfrac12$, to hold *in part* within 0.2.
For the Gram matrix the fit begins at 100 symbols, where collisions have become rare, and ends at 31,623, beyond which a thousand strings contain too few of them.
All this was fixed before measuring.
The paper's statements are limits and have no exponents of their own.
"""

# %% tags=["remove-input"]
verdicts = claims.scoreboard(NAME, results)
figures.scoreboard(verdicts)

# %% [markdown]
r"""
## Is it still true? A live check

These cells draw some of the finite networks and samples again, and stop the book's build if a number differs from its row by more than $10^{-6}$.
Everything here is in double precision.
"""

# %%
TOLERANCE = 1e-6
chosen = {
    "width": ("error", {"width": [16, 32], "seeds": [0, 1]}),
    "gram": ("deviation", {"alphabet": [100, 10_000], "seeds": [0]})}
for name, (metric, which) in chosen.items():
    committed = experiments.load(name)
    again = experiments.repeat(name, committed, metric=metric, **which)
    worst = (again["repeated"] - again["committed"]).abs().max()
    assert worst <= TOLERANCE, f"off by {worst}:\n{again}"
    print(f"{name}: {len(again)} measured again, all as in their rows")

# %% [markdown]
r"""
## Run it yourself
"""

# %% tags=["remove-input"]
minutes = {name: rows[name]["seconds"].sum() / 60 for name in rows}
told = {name: "about a core-minute" if round(m) <= 1 else f"{m:.0f} core-minutes" for name, m in minutes.items()}
Markdown(f"""
| command | what it does | cost |
|---|---|---|
| `make chapter C={NAME}` | draws this page from the committed rows, repeats the live check | half a minute |
| `make chapter C={NAME} PROFILE=full` | measures everything again, then draws this page from it | {sum(minutes.values()):.0f} core-minutes |
| `python -m abstract_symbols run width` | performs the runs that `book/results/width.csv` lacks | {told["width"]} for all |
| `python -m abstract_symbols run gram` | the same for `book/results/gram.csv` | {told["gram"]} for all |
""")

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
