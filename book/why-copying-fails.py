# ---
# jupyter:
#   jupytext:
#     cell_markers: r"""
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
r"""
# Why copying does not carry over to unseen symbols

*A gradient step that teaches attention to copy n symbols helps an unseen one n/d as much, and one trainable number cures it.*

{term}`Copying` looks like the easiest task there is: read a symbol, write the same symbol.
A transformer learns it at once for the symbols that it trains on.
On a symbol that it has never seen, it fails, and a *larger* embedding makes it worse {cite:p}`boixadsera2024abstract`.
This chapter shows why, at the very first moment of training, where everything can be computed exactly.
{doc}`inverse-scaling` then trains the networks.

*Builds on {doc}`same-different`.
Leads to {doc}`inverse-scaling` (the same networks, trained to the end).*
"""

# %% tags=["parameters"]
profile = "quick"

# %%
from abstract_symbols import TemplateTask, copying
from abstract_symbols.analyses import why_copying_fails as analysis
from abstract_symbols.runs.copying import ProgressRun
from companion import figures
from companion.report import Chapter

chapter = Chapter("why-copying-fails", profile)

# %% [markdown]
r"""
## The task

The {term}`label <symbolic label>` is no longer a number.
It is the symbol that stands in the wildcard's place:
"""

# %%
task = TemplateTask({"α": "α"})
sample = task.sample(n=5, alphabet=16, seed=0)
print("strings", sample.tokens.tolist())
print("labels ", sample.labels.tolist())

# %% [markdown]
r"""
The network answers with one logit for every symbol of the vocabulary, seen or not: the product of its last vector with the symbol's embedding.
The embedding matrix $E$ is used twice, to read a symbol in and to read the answer out.
So the network never has to learn what an unseen symbol is called.
All it has to do is to hand on the vector that it has read.

::::{prf:theorem} Attention fails to copy; section 4, in our words
:label: copy-fails
:class: paper

Take a layer of attention without MLP, with {term}`tied embeddings` and Gaussian initialisation, on the task `α` → `α` with cross-entropy.
Let gradient flow start, with any learning rates, one for each weight matrix, for which the training loss falls at a rate of order 1.
Then the test loss on {term}`unseen symbols <unseen symbol>` falls at a rate that tends to 0 as $d_{\text{emb}} \to \infty$.
::::

::::{admonition} What we compute
:class: ours

The theorem speaks of a limit.
We compute the rates themselves, at finite $d_{\text{emb}}$, exactly, and nothing is trained.
When a parameter $\theta$ follows its gradient, the training loss falls at the rate $\eta\,\|\nabla_\theta L_{\text{train}}\|^2$ and the test loss at the rate $\eta\,\langle \nabla_\theta L_{\text{test}}, \nabla_\theta L_{\text{train}} \rangle$.
Their quotient is the **{term}`progress ratio`** of $\theta$,

$$
R_\theta = \frac{\langle \nabla_\theta L_{\text{test}}, \nabla_\theta L_{\text{train}} \rangle}{\|\nabla_\theta L_{\text{train}}\|^2},
$$ (progress)

by how much the unseen test loss falls while the training loss falls by 1.
The learning rate $\eta$ cancels.
With one learning rate for each parameter, the quotient of the two rates is an average of the $R_\theta$, so if all of them are small, no choice helps.

*The model.*
The input is the symbol $x$ and [CLS], with vectors $Z_1 = e_x + \gamma p_1$ and $Z_2 = \gamma p_2$ ([CLS] always stands second, so one vector holds its embedding and its position).
Head $h$ of $H = 4$ reads $u_h = p_h Z_1 + (1 - p_h) Z_2$, where $p_h$ is its attention to the symbol.
The logits are $E \sum_h W_{O,h} W_{V,h}^\top u_h$.

*Initialisation.*
Embeddings, positions, $W_V$ and $W_O$ have entries $N(0, 1/d_{\text{emb}})$: embeddings then have length about 1.
Heads have dimension $d_{\text{emb}}/H$, so that $\sum_h W_{V,h} W_{O,h}^\top$ keeps lengths and *can* become a multiple of the identity.
$W_K$ and $W_Q$ are larger, $N(0, d_{\text{head}}^{-1/2})$, as in the theory's kernel.
Positions are weak at first, $\gamma = 0.01$; $\gamma = 1$ comes below.

*Losses.*
$L_{\text{train}}$ is the mean over the $n$ seen symbols, $L_{\text{test}}$ over 256 unseen ones.
Both are cross-entropies over all $n + 256$.
::::

In code, a model, its gradients on both sets of strings, and the progress ratio of $W_V$:
"""

# %%
model, seen, unseen = ProgressRun(d_emb=256, n=16, seed=0).model()
train, test = model.gradients(seen), model.gradients(unseen)
for name in ("w_v", "b"):
    ratio = (copying.overlap(name, test, train)
             / copying.overlap(name, train, train))
    print(f"{name:4s} {ratio:.3f}")

# %% [markdown]
r"""
A step of $W_V$ that lowers the training loss hardly touches the unseen one.
A step of $b$, to which we come below, lowers both alike.

## Why: an unseen direction is nearly orthogonal to all seen ones

A gradient step changes $W_V W_O^\top$ by a sum over the training strings, of input times error.
Both are vectors near the seen symbols' embeddings: the step writes $\sum_x e_x e_x^\top$ into the matrix, as far as $W_V$ and $W_O$ let it.
This is what the identity looks like from the seen symbols' point of view.
To an unseen symbol $y$ the sum gives $\sum_x e_x (e_x \cdot e_y)$, and $e_x \cdot e_y$ is of order $1/\sqrt{d_{\text{emb}}}$: the larger the space, the smaller the part of it that the seen symbols have explored.
The picture shows, for each symbol, how fast its own logit rises above the mean of all logits when $W_V$ takes the step that lowers the training loss by 1:
"""

# %%
points = analysis.own_logits((16, 64, 256, 1024), n=16)  # a row per symbol

# %% tags=["hide-input"]
at = [16 * 2 ** (i / 4) for i in range(25)]
chapter.show(
    figures.dots(points, "d_emb", "rise", "symbol", predicted=(at, [16 / (d + 17) for d in at]),
                 label="n / (d_emb + n + 1)", xlabel="d_emb",
                 ylabel="rise of a symbol's own logit"),
    analysis.own_logits_alt(points))
chapter.glue(**{f"span-{d}": analysis.mean_span_share(d, n=16) for d in (64, 1024)})

# %% [markdown]
r"""
*One dot per symbol; n = 16, one draw of the weights at each $d_{\text{emb}}$.*
The seen symbols gain what the step promises, about 1.
The unseen ones gain in proportion to the share of them that lies in the span of the 16 seen embeddings.
On average this is {glue:text}`span-64` of an unseen embedding's squared length at $d_{\text{emb}} = 64$, and {glue:text}`span-1024` at 1024.
"""

# %% [markdown]
r"""
## How much: a law

::::{prf:proposition} The progress ratio of $W_V$ and of $W_O$
:label: progress-law
:class: ours

Write $d = d_{\text{emb}}$.
With $n$ seen and $m$ unseen symbols, $V = n + m$, and positions of strength $\gamma$, let $\kappa = 2\gamma^2$ and $s = 1/d - \kappa/V$.
To leading order (even attention, small logits)

$$
R = \frac{n\,s}{1 + \kappa + \frac{2}{d} + (n-1)\,s}.
$$ (law)

For $\gamma = 0$ this is $n / (d + n + 1)$.

The number $m$ of unseen symbols enters through $\kappa/V$ alone.
With weak positions, $R$ falls as $n/d$ between $d \gg n$ and $d \ll V/\kappa$.
::::

:::::{dropdown} Derivation
::::{prf:proof}
At the start the logits are of order $1/\sqrt{d}$, so the softmax over the vocabulary is nearly even.
The derivative of the loss on $x$ in the vector that is read out is $r_x = \bar e - e_x$, with $\bar e$ the mean of all $V$ embeddings.
With attention $p_h = \tfrac12$ every head reads $u_x = \tfrac12 e_x + c$, where $c = \tfrac12 \gamma (p_1 + p_2)$ is shared by all strings.

The gradient of $W_{V,h}$ is the mean over strings of $u_x\,(W_{O,h}^\top r_x)^\top$.
The inner product of two gradients is therefore a mean over pairs of strings $x, y$ of

$$
(u_x \cdot u_y)\;\bigl(r_x \cdot W_{O,h} W_{O,h}^\top r_y\bigr),
$$

and $W_{O,h} W_{O,h}^\top$ is $I/H$ on average.
For Gaussian embeddings $\mathbb{E}(e_x \cdot e_y)^2 = 1/d$ when $x \ne y$, $\mathbb{E}|e_x|^4 = 1 + 2/d$, $\mathbb{E}\, r_x \cdot r_y = -1/V$, and $|c|^2 = \gamma^2/2 = \kappa/4$.
Up to terms smaller by $1/V$, and the common factor $1/(4H)$, a pair contributes

- two different symbols: $1/d - \kappa/V = s$.
  The first part is the overlap of the embeddings.
  The second is negative: what is shared by all strings raises the logits of *all* seen symbols and lowers those of the unseen.
- a symbol with itself: $1 + 2/d + \kappa$.

A train string and a test string always differ: $\langle\nabla L_{\text{test}}, \nabla L_{\text{train}}\rangle \propto s$.
Of the $n^2$ pairs of train strings $n$ are equal: $\|\nabla L_{\text{train}}\|^2 \propto [\,1 + 2/d + \kappa + (n-1)s\,]/n$.
The quotient is {eq}`law`.
For $W_O$ the roles of $u$ and $r$ are exchanged, with $W_{V,h} W_{V,h}^\top$ in the middle: the same means.

For $\gamma = 0$ the slope of $\log R$ in $\log d$ is $-d/(d + n + 1)$, within 0.05 of $-1$ once $d > 19\,(n+1)$.
With $n = 16$ that is $d > 323$, which is why the claims below take the slope from 512 on.
::::
:::::
"""

# %% tags=["hide-input"]
series = ["n = 4", "n = 16", "n = 64"]
at = [16 * 2 ** (i / 4) for i in range(33)]
rows = chapter["copy-progress"]
weak = rows[rows["series"].isin(series)]
chapter.show(
    figures.scaling("copy-progress", weak, "w_v", xlabel="d_emb", ylabel="progress ratio of W_V",
                    predicted=analysis.predicted(series, at)),
    figures.scaling_alt("copy-progress", weak, "w_v", "progress ratio of W_V against d_emb"),
    "copy-progress", note="Dashed: predicted, nothing is fitted.")
chapter.scaling_values("copy-progress", {**analysis.NAMES, "span": "share in the span"})

# %% [markdown]
r"""
## The other parameters do not help either

The theorem allows any learning rate for any parameter.
So here are the progress ratios of all of them, $n = 16$, as medians over seeds:
"""

# %% tags=["remove-input"]
one = rows[rows["series"] == "n = 16"]
chapter.table(analysis.median_ratios(one, (16, 64, 256, 1024, 4096)))
of_a = analysis.scatter(one, "a")
chapter.glue(".2f", a_least=of_a.least, a_largest=of_a.largest, a_widest=of_a.widest)
chapter.glue(".3f", positions=one.query('d_emb == 4096')['positions'].median(), shared=-16 / 256)

# %% [markdown]
r"""
- $W_K$, $W_Q$ and $a$ move the attention, and attention is not what copying needs: for some symbols more of it raises the own logit at the start, for others it lowers it, by chance.
  So the ratio is 0 up to chance.
  That of $a$ scatters most: its median over seeds lies between {glue:text}`a_least` and {glue:text}`a_largest`, and the middle half of the seeds spans up to {glue:text}`a_widest`.
- Training the embeddings moves mainly those of the seen symbols.
  The unseen ones get a push about a hundredth as large ({doc}`which-repair`), which does not help them.
- Training the positions can only raise or lower the logits of all strings alike.
  That raises the logits of the seen symbols at the unseen ones' cost.
  The ratio is {glue:text}`positions` at $d_{\text{emb}}$ = 4096, not far from $-n/m$ = {glue:text}`shared`, which one gets from $\sum_x r_x = 0$ over the whole vocabulary ($r_x$ as in the derivation).
  It does not fade with $d_{\text{emb}}$.

## It can be worse than no progress

The term $-\kappa/V$ of the law {eq}`law` is the same effect inside $W_V$.
With positions as strong as the symbols, $\gamma = 1$, it takes over at $d_{\text{emb}} = V/\kappa$: from there on, the unseen test loss *rises* while the training loss falls.
"""

# %% tags=["hide-input"]
series = ["n = 16", "n = 16, γ = 1"]
both = rows[rows["series"].isin(series) & (rows["d_emb"] >= 64)]
figure = figures.scaling("copy-progress", both, "w_v", xlabel="d_emb",
                         ylabel="progress ratio of W_V", log_y=False,
                         predicted=analysis.predicted(series, at[8:]))
figure.axes[0].axhline(0, color="0.5", linewidth=0.8)
chapter.show(figure, figures.scaling_alt("copy-progress", both, "w_v",
                                         "progress ratio of W_V, positions weak and strong,"))

# %% tags=["remove-input"]
even = analysis.even_attention(256, 16, range(5))
strong = rows.query("series == 'n = 16, γ = 1' and d_emb == 4096")["w_v"]
chapter.glue(strong=f"{strong.mean():.4f} ± {strong.sem():.4f}",
             even=f"{even.mean():.4f} ± {even.sem():.4f}")
chapter.glue(".4f", strong_predicted=copying.progress_law(16, 4096, 256, 1.0),
             even_predicted=copying.progress_law(16, 256, 256, 1.0))

# %% [markdown]
r"""
With $V$ = 272 and $\gamma = 1$, $V/\kappa$ is 136.
At $d_{\text{emb}}$ = 4096 the ratio is {glue:text}`strong`; the prediction is {glue:text}`strong_predicted`.
Strong positions also make attention uneven, which the prediction leaves out.
With attention kept even (inverse temperature $\beta = 0.001$ instead of 1) the ratio at $d_{\text{emb}}$ = 256 is {glue:text}`even`, and the prediction {glue:text}`even_predicted`.
So "falls at a rate that tends to 0" is to be read as "does not fall": with a finite vocabulary the rate tends to a negative number, small as $n/V$.
The theorem's message holds, and more so.
"""

# %% [markdown]
r"""
## Why $b$ repairs it

::::{prf:theorem} The repair; section 4, in our words
:label: copy-repaired
:class: paper

Replace $W_V W_O^\top$ by $W_V W_O^\top + bI$ in every head, with $b$ trained from 0.
Then there are learning rates with which the training loss *and* the test loss on unseen symbols fall at a rate of order 1, whatever $d_{\text{emb}}$.
::::

A matrix has to learn each direction of the embedding space by itself, and training shows it $n$ of them.
The number $b$ is one parameter for all directions.
Its gradient is a mean over strings of $u_x \cdot r_x$, where $u_x \approx \tfrac12 e_x$ is what the head reads and $r_x \approx -e_x$ the derivative of the loss in what is read out.
So each string meets *itself* only:

$$
\frac{\partial L}{\partial b_h} = \frac1n \sum_x u_x \cdot r_x \approx -\tfrac12\, |e_x|^2 \approx -\tfrac12 .
$$ (b-gradient)

That is the same number for seen and for unseen symbols.
No symbol needs to be similar to another.
"""

# %%
model, seen, unseen = ProgressRun(d_emb=1024, n=16, seed=0).model()
for kind, some in (("seen", seen), ("unseen", unseen)):
    gradient = model.gradients(some)["b"]  # (H,)
    print(f"{kind:7s}", " ".join(f"{g:+.3f}" for g in gradient))

# %% tags=["remove-input"]
b = one.groupby("d_emb")["b"].mean()
chapter.glue(".3f", b_least=b.min(), b_largest=b.max())

# %% [markdown]
r"""
Over all $d_{\text{emb}}$ from 16 to 4096 the progress ratio of $b$ lies between {glue:text}`b_least` and {glue:text}`b_largest` ($n = 16$, means over seeds).

## The verdicts

All tolerances were fixed before the grid was measured.
A slope is that of $\log R$ against $\log d_{\text{emb}}$, from 512 to 4096; a level is the mean over seeds that lies farthest from 1.
Intervals are 95% intervals over seeds, Student's.
"""

# %% tags=["remove-input"]
chapter.verdicts()
fit = analysis.worst_fit(one)
chapter.glue(worst_d=fit.d_emb, worst=f"{fit.ratio:.3f} ± {fit.error:.3f}")
chapter.glue(".3f", other_least=fit.least, other_largest=fit.largest)

# %% [markdown]
r"""
Where the prediction fits worst, at $d_{\text{emb}}$ = {glue:text}`worst_d`, the measured ratio of $W_V$ is {glue:text}`worst` times the predicted one; at all other dimensions it is between {glue:text}`other_least` and {glue:text}`other_largest` times.
The prediction is a quotient of means, the measurement a mean of quotients, and in few dimensions the lengths of the embeddings scatter.
Both make it an approximation that gets better as $d_{\text{emb}}$ grows.
"""

# %% [markdown]
r"""
## Is it still true? A live check

Weights are drawn anew and the gradients computed again, in float64.
Every ratio must come within $10^{-6}$ of its row.
"""

# %%
for metric in ("w_v", "w_o", "b"):
    chapter.recheck("copy-progress", "d_emb in [64, 256] and seed < 2",
                    within=1e-6, metric=metric)

# %% [markdown]
r"""
## Run it yourself
"""

# %% tags=["remove-input"]
chapter.commands()

# %% [markdown]
r"""
## Try

Change $n$, $d_{\text{emb}}$ or $\gamma$.
Which $n$ do you need at $d_{\text{emb}} = 512$ for half of the progress?
"""

# %%
n, d_emb, gamma = 64, 64, 0.01
metrics = ProgressRun(d_emb, n, seed=0, gamma=gamma).measure()
prediction = copying.progress_law(n, d_emb, test=256, gamma=gamma)
print(f"W_V {metrics['w_v']:.3f}, the law {prediction:.3f};",
      f"b {metrics['b']:.3f}")

# %% [markdown]
r"""
By the law, half of the progress that $W_V$ and $W_O$ make takes $n \approx d_{\text{emb}}$ symbols, however their learning rates are chosen.
That is a prediction for trained networks: the number of symbols needed should grow with the embedding dimension.
{doc}`inverse-scaling` trains them.
"""
