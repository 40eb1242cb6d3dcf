# ---
# jupyter:
#   jupytext:
#     cell_markers: r"""
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
r"""
# The template matrix is never singular, but it can be small

*One small matrix decides whether a transformer's kernel can learn a {term}`template task`.
We prove that it always can.
How many strings that takes is in the matrix's smallest eigenvalue, and it differs between tasks by a factor of hundreds.*

{doc}`transformer-kernel` turns a wide transformer into a kernel $K$.
Between two strings without a symbol in common, $K$ depends only on the two templates.
So all that can carry over to *unseen* symbols fits into a matrix with one row and one column for each template.
This chapter looks at that matrix: what is in it, why it is never singular, and what its size has to do with the amount of data.
{doc}`learning-from-n` then measures the learning curves.

*Builds on {doc}`transformer-kernel`.
Leads to {doc}`learning-from-n` (from how many strings).*
"""

# %% tags=["parameters"]
profile = "quick"

# %%
from itertools import combinations

import numpy as np
from IPython.display import Markdown, display

from abstract_symbols import TemplateTask, TransformerKernel, template_matrix
from abstract_symbols.analyses import template_matrix as analyses
from abstract_symbols.kernels import separation
from abstract_symbols.kernels.prediction import predicted_samples
from abstract_symbols.kernels.template_matrix import smallest_eigenvalue
from companion import figures
from companion.report import Chapter

chapter = Chapter("template-matrix", profile)

# %% tags=["remove-input"]
TASKS = analyses.series_tasks("eigenvalues")

# %% [markdown]
r"""
## What is left when symbols no longer matter

::::{prf:theorem} The template matrix decides; section 3, in our words
:label: template-matrix-decides
:class: paper

For templates $z_1, \dots, z_r$ let $N_{ij} = K(\text{sub}(z_i, s), \text{sub}(z_j, s'))$, where the substitutions $s$ and $s'$ have no symbol in common.
As the {term}`diversity` $\rho$ of the data grows, the {term}`Gram matrix` of the training strings comes close to a matrix that is constant on blocks: $N_{ij}$ for strings of $z_i$ and $z_j$.
If the templates are pairwise {term}`disjoint <disjoint templates>` and end in {term}`[CLS]`, $N$ is non-singular for Lebesgue-almost all $\beta, \gamma, b_1, b_2$, and ridge regression with $K$ reads off the label of every template, on unseen symbols too.
(How fast, in $n$ and $\rho$, is stated and measured in {doc}`learning-from-n`.)
::::

The reason is short.
A string of unseen symbols shares no symbol with any training string, so its kernel values with them are entries of $N$.
If $N$ were singular, some labels of the templates would be out of reach however many strings were seen.
If not, the labels can be solved for.
In code:
"""

# %%
kernel = TransformerKernel(beta=2.0, gamma=1.0,
                           activation="cos", b1=2.0, b2=0.3)
task = TemplateTask({"αβα": +1, "αββ": -1})
N = template_matrix(task, kernel)  # (r, r)
print(N.round(5))
print(round(kernel("ABA", "CDC"), 5), "αβα with αβα")
print(round(kernel("XYX", "ABB"), 5), "αβα with αββ")

# %% [markdown]
r"""
Here are the matrices of the paper's tasks with real labels, and of two tasks of ours.
In *same relation* the label says whether the two pairs of a string are alike in being the same or different: `ααββ` and `αβγδ` have label $+1$, `ααβγ` and `αβγγ` have $-1$.
In *same order* the second half repeats the first (`αβγαβγ`) or exchanges two symbols (`αβγαγβ`).
"""

# %% tags=["hide-input"]
tables = analyses.matrices(TASKS, kernel)
chapter.show(figures.matrices(tables, fmt=".3f"), analyses.matrices_alt(tables))

# %% tags=["remove-input"]
contrasts = analyses.contrasts(tables)
chapter.glue(".1%", least=contrasts.min(), most=contrasts.max())

# %% [markdown]
r"""
*100 N at $\beta$ = 2, $\gamma$ = 1, $b_1$ = 2, $b_2$ = 0.3.
Each panel has its own colours.*

None of the matrices is far from constant: the largest entry exceeds the smallest by {glue:text}`least` to {glue:text}`most`.
What tells the templates apart is that little difference.
So the question is not only whether $N$ is singular, but how nearly.
"""

# %% [markdown]
r"""
## Why it is never singular

A template leaves a trace in the attention layer that does not depend on its symbols: a point $u_i$.
To find it, average the layer's output over the Gaussians $\zeta$ of the wildcards' tokens, and keep what all strings share: the Gaussians of the positions and of the {term}`regular tokens <regular token>`, called $F$.
With $m(X)_a = \zeta_{x_a} + \gamma p_a$ as in {doc}`transformer-kernel`, a string $X = \text{sub}(z_i, s)$, and $R_i$ the matrix that says which position of $z_i$ holds which regular token,

$$
\begin{aligned}
a_i(F) &= \mathbb E[ \text{softmax}(\beta\, m(X)) \,|\, F ] , \\
u_i(F) &= ( R_i^\top a_i(F),\; \gamma\, a_i(F) ) .
\end{aligned}
$$ (trace)

Strings of disjoint symbols have independent wildcards given $F$, so $K_{\text{attn}}$ between them is an inner product of traces, $\kappa_{ij} = \mathbb E[u_i \cdot u_j]$.
In particular

$$
\begin{aligned}
\Delta_{ij} &= \kappa_{ii} + \kappa_{jj} - 2 \kappa_{ij} \\
&= \mathbb E\, |u_i - u_j|^2
\end{aligned}
$$ (gap)

is a squared distance.
(Note that $\kappa_{ii}$ compares two strings of *disjoint* symbols.
It is not $v_i = K_{\text{attn}}(x, x)$, the value of a string with itself.)
With $d_i = \exp(-b_1^2 v_i / 2)$, the activation $\varphi(t) = \cos(b_1 t + b_2)$ makes of it

$$
\begin{aligned}
N_{ij} &= d_i\, d_j\, g(\kappa_{ij}), \\
g(\kappa) &= \cos^2(b_2) \cosh(b_1^2 \kappa) \\
&+ \sin^2(b_2) \sinh(b_1^2 \kappa) ,
\end{aligned}
$$ (cosh)

which is the formula of {doc}`transformer-kernel` with $\tfrac12 (1 + \cos 2b_2) = \cos^2 b_2$ and $\tfrac12 (1 - \cos 2b_2) = \sin^2 b_2$.

::::{prf:theorem} The template matrix is positive definite; ours
:label: positive-definite
:class: ours

Let the templates $z_1, \dots, z_r$ of one length differ pairwise by more than the names of their wildcards.
Then their traces are distinct, $\Delta_{ij} > 0$, and $N$ is positive definite, for **all** $\beta, \gamma, b_1 > 0$ and **all** real $b_2$.
::::

:::::{dropdown} Proof
::::{prf:proof}
*The inner product.*
Let $x = \text{sub}(z_i, s)$ and $y = \text{sub}(z_j, s')$, with $s$ and $s'$ of disjoint images that avoid the regular tokens.
Then $x_a = y_b$ only where both are the same regular token: $XY^\top = R_i R_j^\top$.
Given $F$ the two attention vectors are functions of different independent Gaussians.
So

$$
K_{\text{attn}}(x, y) = \mathbb E\big[ a_i^\top (R_i R_j^\top + \gamma^2 I)\, a_j \big] = \mathbb E[u_i \cdot u_j] = \kappa_{ij},
$$

for $i = j$ too.

*The traces are distinct.*
Suppose $\Delta_{ij} = 0$.
Then $u_i(F) = u_j(F)$ for almost all $F$, hence for all, since both are continuous.
Send the Gaussians $p_c$ of all positions but one, $a$, to $-\infty$.
The attention goes to $a$ alone, $a_i \to e_a$, and $R_i^\top a_i$ tends to row $a$ of $R_i$.
So at every position both templates have the same regular token, or both a wildcard.
Now let $a$ and $b$ hold wildcards, and send $p_c \to -\infty$ for all positions but these two.
The attention to $a$ tends to

$$
\mathbb E\, \sigma\big(\beta (\zeta_{x_a} - \zeta_{x_b}) + \beta \gamma (p_a - p_b)\big), \qquad \sigma(t) = \frac{1}{1 + e^{-t}} .
$$

As a function of $\beta\gamma (p_a - p_b)$ this is the distribution function of a logistic variable, if $x_a = x_b$.
If not, it is that of a logistic variable plus an independent Gaussian of variance $2\beta^2$, another function.
So the two templates also agree in which wildcards are equal.
They differ by names only.

*The activation.*
The power series $g(\kappa) = \sum_m c_m \kappa^m$ has no negative coefficient, and all those of even $m$, or all those of odd $m$, are positive.
So, by {eq}`cosh` and with $\kappa_{ij} = \mathbb E [u_i \cdot u_j]$, for every $w \in \mathbb R^r$

$$
\sum_{ij} w_i w_j\, g(\kappa_{ij}) = \sum_m c_m \Big\| \sum_i w_i\, u_i^{\otimes m} \Big\|^2 \ge 0 ,
$$

the norms being those of tensor powers of the space of square-integrable functions of $F$.
Suppose it is $0$.
Then $\sum_i w_i\, \ell(u_i)^m = 0$ for every linear functional $\ell$ and all $m$ of one parity.
The $u_i$ are distinct, none is zero, and no two are opposite, for all entries of $a_i$ are positive.
So some $\ell$ has values $\ell(u_i)$ with squares that are distinct and not zero, and the Vandermonde matrix of these squares gives $w = 0$.
Thus $g(\kappa)$ is positive definite, and so is $N$.
::::
:::::

Two templates which differ by names only would have equal columns in $N$, so the condition is also necessary.
The theorem asks less than the paper's, which excludes a set of measure zero of $(\beta, \gamma, b_1, b_2)$ and does not say which.
The paper gets there by another way, to which we come next.
Here is {eq}`cosh` in numbers, with the smallest eigenvalue $\nu$, also for $b_2 = 0$ and $\pi/2$, where one of the two terms vanishes:
"""

# %%
kappa, v = separation.attention_gram(task, kernel)  # (r, r) and (r,)
for b2 in (0, 0.3, np.pi / 4, np.pi / 2):
    k = TransformerKernel(2.0, 1.0, "cos", b1=2.0, b2=b2)
    g = (np.cos(b2)**2 * np.cosh(4 * kappa)
         + np.sin(b2)**2 * np.sinh(4 * kappa))
    d = np.exp(-4 * v / 2)
    assert np.allclose(template_matrix(task, k), np.outer(d, d) * g)
    nu, error = smallest_eigenvalue(task, k)
    print(f"b2 = {b2:.2f}: ν = {nu:.7f} ± {error:.0e}")

# %% [markdown]
r"""
## What each order of β and γ sees

The paper expands $K_{\text{attn}}$ in powers of $\beta$ and $\gamma$.
Wick's formula makes every derivative at $\beta = \gamma = 0$ a combination of sums over positions, with rational coefficients: `attention_expansion(p, q)` is $\partial_\beta^p\, \partial_\gamma^q\, K_{\text{attn}}$, an exact formula in the one-hot matrices $X$ and $Y$ of the two strings.
"""

# %% tags=["hide-input"]
display(Markdown(analyses.formulas((0, 0), (2, 2))))

# %% [markdown]
r"""
The first counts the equal symbols, the second those that are equal *in their places*.
The next orders are longer:
"""

# %% tags=["hide-output"]
display(Markdown(analyses.formulas((4, 0), (4, 2), per_line=1)))

# %% [markdown]
r"""
But most of their terms do not matter.
What counts is the first order at which two templates differ, and that can be said in one line:

::::{prf:theorem} The distance of two templates at small β; ours
:label: small-beta
:class: ours

Append [CLS]; let $k$ be the length.
For a template let $n_t$ be the number of its regular tokens $t$, $R$ their places ($k \times$ regular tokens, entries 0 and 1), $W$ the equality matrix of its wildcards ($W_{ab} = 1$ where positions $a$ and $b$ hold the same wildcard), $r = W \mathbf 1$ how often the wildcard of each position occurs, and $c = \mathbf 1^\top W \mathbf 1$.
Write $\delta$ for the difference of the two templates.
To leading order in $\beta$, with a relative error of order $\beta^2$,

$$
\Delta = \begin{cases}
\dfrac{|\delta n|^2}{k^2} & \text{if } \delta n \ne 0,\\[2ex]
\dfrac{2 \beta^2 \gamma^2 \|\delta R\|^2}{k^2} & \text{else if } \delta R \ne 0,\\[2ex]
\dfrac{\beta^4}{k^4} \Big[ \dfrac{(\delta c)^2}{k^2} \sum_t n_t^2 + \gamma^2 \Big( |\delta r|^2 - \dfrac{(\delta c)^2}{k} \Big) \Big] & \text{else if } \delta r \ne 0,\\[2ex]
\dfrac{\beta^6 \gamma^4 \|\delta W\|^2}{k^4} & \text{else if } \delta W \ne 0.
\end{cases}
$$

Two templates for which all four differences vanish are the same up to the names of wildcards.
::::

:::::{dropdown} Proof
::::{prf:proof}
Write $\bar m$ and $\overline{m^2}$ for the means of $m_a$ and $m_a^2$ over the positions.
The softmax is

$$
\begin{aligned}
k\, \text{softmax}(\beta m)_a = 1 &+ \beta (m_a - \bar m) \\
&+ \beta^2 \big( \tfrac12 m_a^2 - m_a \bar m - \tfrac12 \overline{m^2} + \bar m^2 \big) + \dots
\end{aligned}
$$

Given $F$, $m$ is Gaussian with mean $\mu = \gamma p + R \zeta$ ($\zeta$ of the regular tokens) and covariance $W$.
Take conditional means and then the difference of the two templates.

*$\beta^0$.*
$a_i = \mathbf 1 / k$, so $\delta u = (\delta n / k, 0)$.

*$\beta^1$, if $\delta n = 0$.*
$\delta a = \beta\, \delta R\, \zeta / k$, for the mean $\bar m$ does not differ.
$R^\top a$ holds $\beta R^\top \mu / k$, with $R^\top R = \text{diag}(n)$, so $\delta (R^\top a) = \beta \gamma\, \delta R^\top p / k$.
Both parts of $u$ contribute $\beta^2 \gamma^2 \|\delta R\|^2 / k^2$.

*$\beta^2$, if $\delta R = 0$.*
The term $m_a \bar m$ has $r_a / k$, the term $\bar m^2$ has $c / k^2$, the others do not differ.
So $\delta a = \frac{\beta^2}{k^2} \big( {-\delta r} + \mathbf 1\, \delta c / k \big)$, of square $\frac{\beta^4}{k^4} \big( |\delta r|^2 - (\delta c)^2 / k \big)$.
At the places of regular tokens $\delta r = 0$, so $\delta (R^\top a) = \beta^2\, n\, \delta c / k^3$.

*$\beta^3$, if $\delta r = 0$ as well.*
Of the cubic terms only $-\frac1{2} m_a \overline{m^2}$ has a mean that differs, by $-\frac1k (\delta W \mu)_a$.
All others contain $W$ through $r$, $c$ and its diagonal.
The rows and columns of $\delta W$ at regular tokens are zero, so $\delta a = -\frac{\beta^3 \gamma}{k^2}\, \delta W p$ and $\delta (R^\top a) = 0$.
Hence $\Delta = \gamma^2\, \mathbb E |\delta a|^2 = \beta^6 \gamma^4 \|\delta W\|^2 / k^4$.

$K_{\text{attn}}$ is even in $\beta$ (change the sign of all Gaussians), so the next order is $\beta^2$ smaller.
::::
:::::

The four lines have five terms, and they stand at the orders $(p, q)$ = $(0,0)$, $(2,2)$, $(4,0)$, $(4,2)$ and $(6,4)$ of $(\beta, \gamma)$.
These are the very orders that the paper lists.
So one can say what each of them sees:

| order | sees | by its term |
|---|---|---|
| (0, 0) | how many of each regular token | $\frac{1}{k^2}\, \mathbf 1^\top XY^\top \mathbf 1$ |
| (2, 2) | where the regular tokens stand | $\frac{8}{k^2}\, \operatorname{tr}(XY^\top )$ |
| (4, 0) | how many pairs of equal wildcards there are | $\frac{24}{k^6}\, \mathbf 1^\top YY^\top \mathbf 1\, \mathbf 1^\top XY^\top \mathbf 1\, \mathbf 1^\top XX^\top \mathbf 1$ |
| (4, 2) | how often the wildcard of each position occurs | $\frac{48}{k^4}\, \mathbf 1^\top XX^\top YY^\top \mathbf 1$ |
| (6, 4) | which positions are equal | $\frac{17280}{k^4}\, \operatorname{tr}(XX^\top YY^\top )$ |

A derivative that does not vanish at $(0, 0)$ shows that $\Delta$ is not identically zero.
Being analytic for $\beta, \gamma > 0$ (as the Gaussian density of the logits is), it then vanishes on a set of measure zero at most.
This gives non-singularity for almost all parameters, which is how we read the paper's proof.
{prf:ref}`positive-definite` needs no expansion and has no exceptions.
The expansion says more, though: *how small* $\Delta$ is.

Which order tells which templates apart?
Exact derivatives of $\Delta$ by `attention_derivative`, up to the first that is not zero:
"""

# %%
z, w = task.templates  # αβα, αββ
for p, q in separation.ORDERS:
    print((p, q), separation.gap_derivative(z, w, p, q))
print("Δ to leading order:", separation.leading_gap(z, w))

# %% tags=["remove-input"]
chapter.table(analyses.derivative_table(TASKS))

# %% [markdown]
r"""
So `αα` and `αβ` differ in their number of equal pairs, `αβα` and `αββ` in where the repeated symbol stands, and so do the two programs.
In `ααββ` and `αβαβ`, and in the two templates of *same order*, every symbol occurs twice: only the order $(6, 4)$, which sees which positions are equal, tells them apart.

How often is which order needed?
For all templates of $k$ wildcards (before [CLS]), every pair of them:
"""

# %%
counts = {k: analyses.first_orders(k) for k in range(2, 6)}

# %% tags=["remove-input"]
orders = analyses.first_order_table(counts)
chapter.table(orders)
chapter.glue(pairs=orders.query("k <= 4")["pairs"].sum())

# %% [markdown]
r"""
For $k \le 4$ the tests of the code compute the exact derivatives of all {glue:text}`pairs` pairs as well, and they agree.
No pair of any length needs more than order (6, 4), by {prf:ref}`small-beta`.
For $k = 4$ the pairs that need it are `ααββ`/`αβαβ`, `ααββ`/`αββα` and `αβαβ`/`αββα`.
"""

# %% [markdown]
r"""
## A power of β

At $\beta = 0$ attention is uniform, all the $\kappa_{ij}$ of templates with the same regular tokens are equal, and $N$ has rank one.
So for two templates and small $\beta$ the smallest eigenvalue $\nu$ is as small as $\Delta$, a power of $\beta$: here $\beta^4$ or $\beta^6$.
(For more templates it can be smaller still: *same relation*, below.)
For two templates the constant is known too.
By {eq}`cosh` and $\nu \approx \det N / \operatorname{tr} N$, with everything but $\Delta$ at $\beta = 0$,

$$
\nu \approx \frac{g'(\kappa)\, \Delta + \beta^4 \big( g''(\kappa) - g'(\kappa)^2 / g(\kappa) \big) \big( \sum_t n_t^2\; \delta c / k^4 \big)^2}{1 / d_1^2 + 1 / d_2^2} .
$$ (leading)

(The second term is there only where $\delta c \ne 0$, that is, for `αα` and `αβ`.)
The dashed lines in this figure have no free parameter, except for *same relation*, where a line of slope 8 is drawn through the first point:
"""

# %% tags=["remove-input"]
law = analyses.small_beta(chapter["eigenvalue-beta"], TASKS, kernel)
figure, alt = analyses.small_beta_picture(chapter["eigenvalue-beta"], law)
chapter.show(figure, alt, "eigenvalue-beta", note="γ = 1.")

# %% tags=["remove-input"]
chapter.scaling_values("eigenvalue-beta", {"eigenvalue": "ν"})
chapter.glue(".0e", error=law.error)

# %% [markdown]
r"""
Error bars are smaller than the markers: the largest relative standard error is {glue:text}`error`.

The exponents, predicted, and measured between neighbouring points (from β = 0.125 to 0.175, from 1 to 1.4):
"""

# %% tags=["remove-input"]
chapter.table(law.table, formats=analyses.SLOPE_FORMATS)

# %% [markdown]
r"""
The relative error of {eq}`leading` is of order $\beta^2$: see the last column.
At $\beta = 1$ and beyond the powers no longer describe the curves.
"""

# %% [markdown]
r"""
## The label that is an exclusive or

Why does *same relation* have an eigenvalue so much smaller than the others, and a power of 8?
Its templates are told apart in pairs by the orders $(4, 0)$ and $(4, 2)$, no later than those of other tasks.
But there are four of them, and their label is the **exclusive or** of two bits: are the first two symbols the same? are the last two?
Look at where the traces $u_i$ lie.
Their distances follow from $\kappa$, and so does the plane that fits them best:
"""

# %% tags=["hide-input"]
relation = TASKS["same relation"]
found = analyses.traces(relation, kernel)  # points (4, 4): principal coordinates
chapter.show(*analyses.traces_picture(found))

# %% tags=["remove-input"]
chapter.glue(".2%", plane=found.shares[:2].sum(), third=found.shares[2])

# %% [markdown]
r"""
*β = 2, γ = 1.
The first two coordinates hold {glue:text}`plane` of the spread of the points, the third the rest.*

Four corners of a parallelogram, and the label alternates around it.
No linear function of the points is $+1$ on one diagonal and $-1$ on the other.
What can tell is how little the four points are out of their plane ({glue:text}`third` of the spread here), and the curvature of $g$.
"""

# %% [markdown]
r"""
::::{prf:theorem} An exclusive or costs at least β⁸; ours
:label: exclusive-or
:class: ours

Let templates of wildcards have labels $f_i = \pm 1$ with $\sum_i f_i = 0$, and let $\sum_i f_i W_i = 0$ for their equality matrices.
Then $f^\top \kappa f$ and $\nu$ are $O(\beta^8)$.
::::

:::::{dropdown} Proof
::::{prf:proof}
Given $F$, the means of the terms of order $\beta^2$ and $\beta^3$ of the softmax are polynomials in $m$ of degree 2 and 3.
So their dependence on the template is linear in the covariance $W_i$: a Gaussian's third moments are $\mu\mu\mu$ plus terms $\mu W$.
(The orders $\beta^0$ and $\beta^1$ do not depend on the template.)
So $u_i = u + \beta^2 A(W_i) + \beta^3 B(W_i) + O(\beta^4)$, $u$ common and $A, B$ linear, and $\sum_i f_i u_i = O(\beta^4)$.
Its squared norm is $f^\top \kappa f = O(\beta^8)$.

The same goes for a product of values $u_i(F_1), \dots, u_i(F_m)$: a term with one factor $A$ or $B$ cancels in $\sum_i f_i u_i^{\otimes m}$, and one with two factors is $O(\beta^4)$.
So $f^\top g(\kappa) f = O(\beta^8)$.
With $w_i = f_i / d_i$, $\nu \le w^\top N w / |w|^2 = f^\top g(\kappa) f / |w|^2$.
::::
:::::

For *same relation* $W(\texttt{ααββ}) + W(\texttt{αβγδ})$ $= W(\texttt{ααβγ}) + W(\texttt{αβγγ})$: the first is the sum of what each pair adds.
The exact derivatives of $f^\top \kappa f$ say when the label comes into sight:
"""

# %%
for p, q in [(0, 0), (2, 2), (4, 0), (4, 2), (6, 0), (6, 2),
             (6, 4), (8, 0), (8, 2)]:
    print((p, q), separation.label_derivative(relation, p, q))

# %% [markdown]
r"""
## How much data

::::{admonition} From ν to a number of strings
:class: ours

Write the Gram matrix of $n$ strings as $Z N Z^\top + E$, with $Z$ the $(n, r)$ indicators of the templates.
Strings with no symbol in common have no entry in $E$.
Its diagonal is $K(x, x) - N_{ii}$.
If symbols hardly ever repeat, $E + \lambda I \approx D I$ with $D = \lambda + K(x, x) - N_{ii}$, taken to be the same for all templates.
With $n / r$ strings of each template, $Z^\top Z = (n / r) I$, and the predictions of ridge regression for unseen strings are

$$
\hat f = N Z^\top (Z N Z^\top + D I)^{-1} Z f = N \big( N + \tfrac{r D}{n} I \big)^{-1} f .
$$

For labels $f$ along the eigenvector of $\nu$ the squared error is $\big( 1 + \frac{n \nu}{r D} \big)^{-2}$ of its value without data.
It is one half when

$$
n = \frac{r\, D\, (\sqrt 2 - 1)}{\nu} .
$$ (amount)

A badly conditioned $N$ needs more data, in inverse proportion to $\nu$.
`predicted_samples` does the same for given $N$ and labels, and allows for symbols that repeat ($n$ training symbols for $n$ strings).
::::

For every task we compute that number, and then fit ridge regression to so many strings.
If the prediction is right, the mean squared error on unseen symbols is one half:
"""

# %%
needed = {label: round(predicted_samples(t, kernel))
          for label, t in TASKS.items()}
measured = {label: analyses.unseen_error(t, kernel, needed[label])
            for label, t in TASKS.items()}

# %% tags=["remove-input"]
amounts = analyses.amounts(TASKS, kernel, chapter["eigenvalues"], needed, measured)
chapter.table(amounts, formats=analyses.AMOUNT_FORMATS)
chapter.evidence("eigenvalues", note="β = 2, γ = 1, λ = 0.01.")
easy, hard, error = needed["αα / αβ"], needed["same relation"], amounts["error"]
chapter.glue(easy=easy, hard=hard, times=round(hard / easy))
chapter.glue(".2f", best=error.min(), worst=error.max())

# %% [markdown]
r"""
*±: the standard error of the integration rule, over four randomisations. n: by `predicted_samples`. error: that of ridge regression on n strings.*

The errors measured are between {glue:text}`best` and {glue:text}`worst`.
So what is computed from the templates alone says how many strings are needed.
For *same relation* it is {glue:text}`hard` strings instead of {glue:text}`easy` for *same or different*, **{glue:text}`times` times** as many, though each of its two pairs is a question of *same or different*.
The theorem's constants hide this: its $C$ does not depend on $n$, but very much on the task.
"""

# %% [markdown]
r"""
This is a statement about one layer of attention with fixed, random weights below the last layer.
A deeper network can compute the two bits first and combine them afterwards.
(Even so, over the random tasks of {doc}`diverse-data` such predictions order what two-layer networks, trained in full, need.)

## Over β and γ

The smallest eigenvalue for eight values of $\beta$ and six of $\gamma$:
"""

# %% tags=["remove-input"]
chapter.show(*analyses.map_picture(chapter["eigenvalue-map"], "αα / αβ"))

# %% tags=["remove-input"]
figure, alt = analyses.map_picture(chapter["eigenvalue-map"], "αβα / αββ")
chapter.show(figure, alt, "eigenvalue-map", note="")

# %% tags=["remove-input"]
rows = chapter["eigenvalue-map"]
exponents, best = analyses.map_exponents(rows), analyses.map_best(rows)
far = {gamma: analyses.likeness(TASKS["αβα / αββ"], TransformerKernel(2.0, gamma, b1=2.0, b2=0.3))
       for gamma in (1.0, 4.0)}
chapter.glue(".0f", certain=(rows["eigenvalue"] / rows["standard_error"]).min())

# %% tags=["remove-input"]
for name, series in {"two": "αα / αβ", "three": "αβα / αββ"}.items():
    grows, at = exponents.loc[series], best.loc[series]
    chapter.glue(".1f", **{f"{name}.beta": grows.beta, f"{name}.gain": at.gain})
    chapter.glue(".2f", **{f"{name}.gamma": grows.gamma})
    chapter.glue("g", **{f"{name}.best-beta": at.beta, f"{name}.best-gamma": at.gamma})
for gamma, like in far.items():
    chapter.glue(**{f"gap-{gamma:g}": f"{like.gap:.3f}", f"own-{gamma:g}": f"{like.own:.2f}",
                    f"diagonal-{gamma:g}": f"{like.diagonal:.{3 if gamma == 1 else 4}f}"})

# %% [markdown]
r"""
The least certain of the values is {glue:text}`certain` standard errors above 0.

- **Small β.**
  From β = 0.25 to 0.5 (γ = 1) ν grows with the exponent {glue:text}`two.beta` for αα / αβ and {glue:text}`three.beta` for αβα / αββ, on the way to 4.
- **Small γ.**
  Without positions attention cannot tell where a symbol stands.
  For αβα / αββ, seen first by the order (4, 2), ν grows with the exponent {glue:text}`three.gamma` from γ = 0.125 to 0.25 at β = 0.25: like γ².
  For αα / αβ, seen by (4, 0), with the exponent {glue:text}`two.gamma`: no positions are needed.
- **Large γ.**
  The traces of αβα / αββ are farther apart at γ = 4 than at γ = 1 (Δ = {glue:text}`gap-4` and {glue:text}`gap-1` at β = 2).
  But strings of *one* template are, too: each attends to other positions with its own symbols, and v − κ is {glue:text}`own-4` instead of {glue:text}`own-1`.
  To a cosine of fixed frequency b₁ they look less and less alike: the diagonal of N, about ½ exp(−b₁² (v − κ)), falls from {glue:text}`diagonal-1` to {glue:text}`diagonal-4`, and ν with it.
- **The best pair** of the map is β = {glue:text}`two.best-beta`, γ = {glue:text}`two.best-gamma` for αα / αβ, which needs no positions, and β = {glue:text}`three.best-beta`, γ = {glue:text}`three.best-gamma` for αβα / αββ.
  Our default, β = 2 and γ = 1, is a factor {glue:text}`two.gain` and {glue:text}`three.gain` below.
"""

# %% tags=["remove-input"]
chapter.table(analyses.map_values(rows), "The values", analyses.MAP_FORMATS)

# %% [markdown]
r"""
## The verdict

Fixed before measuring: the smallest eigenvalue of every task at least 5 standard errors above 0 to *hold*, 3 to hold *in part*.
(By {prf:ref}`positive-definite` it must be positive.
The measurement says that the code agrees.)
The standard error takes into account that one set of points serves all entries of $N$, so that most of their errors cancel in $\nu$.
"""

# %% tags=["remove-input"]
chapter.verdicts()

# %% [markdown]
r"""
## Is it still true? A live check

This cell computes the eigenvalues of all tasks, and two of the map, again.
It stops the book's build if one differs from its row by more than one part in a million.
"""

# %%
chapter.recheck("eigenvalues", "beta == 2", within=1e-6,
                metric="eigenvalue", relative=True)
chapter.recheck("eigenvalue-map", "beta == 0.5 and gamma == 1",
                within=1e-6, metric="eigenvalue", relative=True)

# %% [markdown]
r"""
## Run it yourself
"""

# %% tags=["remove-input"]
chapter.commands()

# %% [markdown]
r"""
## Try

Type your own templates: any characters, lowercase Greek letters as wildcards, numbers as labels.
"""

# %%
my_task = TemplateTask({"αβγ": 1, "αβα": -1, "ααβ": -1})
print((100 * template_matrix(my_task, kernel)).round(3))
nu, error = smallest_eigenvalue(my_task, kernel)
print(f"ν = {nu:.2e} ± {error:.0e}")
for z, w in combinations(my_task.templates, 2):
    gap = separation.leading_gap(z, w)
    print(z.pattern, w.pattern, "differ first at order", gap.order)
n = predicted_samples(my_task, kernel)
print(f"strings for an error of one half: {n:,.0f}")
