# ---
# jupyter:
#   jupytext:
#     cell_markers: r"""
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
r"""
# From kernel to network: what features hold, and what training finds

*Solved by least squares, the last layer of an untrained transformer tells `αα` from `αβ` after {glue:text}`solved` strings.
Adam does not find this last layer in 1,000 epochs; with all weights trained it needs {glue:text}`plain` strings.
For `αβα` against `αββ` the same untrained features hold nothing, and training has to make them.*

{doc}`transformer-kernel` made an infinitely wide transformer a kernel, and {doc}`learning-from-n` measured how this kernel learns.
Nobody trains infinitely wide networks.
So this chapter goes back in three steps:

1. a *finite network* of the theory's kind, of which the last layer is fitted,
2. the *experiments' transformer*, of which again only the last layer is fitted or trained,
3. the experiments' transformer with all of its weights trained.

*Builds on {doc}`transformer-kernel`, {doc}`template-matrix` and {doc}`learning-from-n`.
Leads to {doc}`two-parameters` (a way to sharpen attention with one number).*
"""

# %% tags=["parameters"]
profile = "quick"

# %%
import numpy as np
import torch

from abstract_symbols import FiniteTransformer, KernelRidge, Transformer
from abstract_symbols import TransformerKernel, tasks, template_matrix
from abstract_symbols.analyses import kernel_to_network as analysis
from abstract_symbols.kernels.finite import last_layer
from abstract_symbols.ensembles import train as train_with_adam
from abstract_symbols.runs.features import LeastSquaresRun, cls_logits, frozen, solved
from abstract_symbols.runs.kernel import PredictionRun
from abstract_symbols.runs.training import Run
from companion.report import Chapter

chapter = Chapter("kernel-to-network", profile)

# %% [markdown]
r"""
## Strings needed, for each way of learning

How many strings of `αα` and `αβ` does each way of learning need, until its test loss on unseen symbols stays below one half?
"""

# %% tags=["remove-input"]
options = {"beta": 3, "gamma": 2, "b1": 1}
compared = analysis.strings_to_half(chapter, options)
chapter.show(*analysis.strings_picture(compared))
needed = compared.set_index(["trained", "network"])["words"]
chapter.glue(usual=needed.iloc[0], good=needed.iloc[1],
             solved=needed[analysis.SOLVED, "weights × 1"],
             solved_wide=needed[analysis.SOLVED, "weights × 1, d = 1024"],
             plain=needed[analysis.ALL, "weights × 1"],
             modified=needed[analysis.ALL, "weights × 1, a and b"])
chapter.glue(".0f", **analysis.two_published())

# %% [markdown]
r"""
A triangle stands at the last or first measured $n$ and points to where the number is.
The kernel is that of an infinitely wide network of the theory; all other lines are the experiments' transformer.
It has $d_{\text{emb}} = 128$ and 16 heads, and with $d = 1024$ 64 heads, unless the line says otherwise.
"Weights × 64" means that the initial weights of attention and MLPs are multiplied by 64.

The grey marks are the paper's.
It has a second curve for `αα` against `αβ`, among the majorities of {doc}`harder-relations`.
That curve crosses one half at {glue:text}`plain_majority` strings instead of {glue:text}`plain_paper`, so a factor of 1.5 between two curves of one network is no disagreement.
"""

# %% [markdown]
r"""
## The statement

::::{prf:theorem} Training the last layer of a wide network is kernel regression; section 3, in our words
:label: last-layer-theorem
:class: paper

Take the depth-1 transformer at its random initialisation, and train only its last layer, with the squared loss and a penalty $\lambda \|w\|^2$.
As all widths tend to infinity, its prediction on every string tends to

$$
\begin{aligned}
\hat f(x) &= \sum_i \alpha_i K(x, x_i), \\
\alpha &= (\hat K + \lambda I)^{-1} y ,
\end{aligned}
$$

with the kernel $K = K_{\text{trans}}$, the training strings $x_i$, their {term}`Gram matrix` $\hat K$ and their labels $y$.
::::

A limit does not say when it is reached.
We measure it with the task `αα` against `αβ`: 256 training strings over 256 symbols, $\lambda = 0.01$.
"""

# %%
task = tasks.task("same-different")  # αα: +1, αβ: −1
seen, unseen = task.alphabets(256, 128)
train = task.sample(256, seen, seed=1)
test = task.sample(128, unseen, seed=2)

# %% [markdown]
r"""
The kernel's predictions take one line.
We compare at two settings of the kernel: the one of the other chapters, and one whose {term}`template matrix` is better conditioned.
The {term}`smallest eigenvalue` $\nu$ of that matrix will decide everything:
"""

# %%
usual, better = "β = 2, γ = 1, b₁ = 2", "β = 3, γ = 2, b₁ = 1"
kernels = {usual: TransformerKernel(2, 1, b1=2, b2=0.3),
           better: TransformerKernel(3, 2, b1=1, b2=0.3)}
for name, kernel in kernels.items():
    nu = np.linalg.eigvalsh(template_matrix(task, kernel))[0]
    model = KernelRidge(kernel, ridge=0.01).fit(train)
    f_hat = model.predict(["XX", "XY"]).round(2)
    print(f"{name}: ν = {nu:.4f}, f̂ = {f_hat}")

# %% [markdown]
r"""
`FiniteTransformer` gives the features $\varphi(W_A z_1) / \sqrt{d_{\text{mlp}}}$ of a finite network, and ridge regression on them is its trained last layer.
`last_layer` does it in one call:
"""

# %%
network = FiniteTransformer(kernels[better], width=64, d_mlp=1024)
strings = torch.cat([train.tokens, test.tokens]).tolist()
F = network.features(strings).numpy()  # (384, d_mlp)
gram = F[:256] @ F[:256].T  # (256, 256)
alpha = np.linalg.solve(gram + 0.01 * np.eye(256), train.labels.numpy())
f_hat = F @ (F[:256].T @ alpha)  # predictions (384,)
fitted = last_layer(network, train, test.tokens, ridge=0.01)  # (384,)
assert np.abs(f_hat - fitted).max() < 1e-8

# %% [markdown]
r"""
## Point by point

How does a finite network answer the strings of the second kernel?
Grey: the training strings.
Coloured: strings of unseen symbols.
To the kernel all unseen `αα` are the same, so it has one answer for them; to the network they are not.
"""

# %% tags=["remove-input"]
panels = analysis.predictions_of_both({
    f"width {width}": PredictionRun("same-different", 0, width=width, **options)
    for width in (64, 512)})
chapter.show(*analysis.predictions_picture(panels))

# %% tags=["remove-input"]
chapter.glue(".2f", **vars(analysis.narrow_and_wide(panels)))

# %% [markdown]
r"""
On strings that it was trained on, the network agrees with the kernel at any width, because both know the label.
Their distance is {glue:text}`seen` at width 64.
On unseen strings the narrow network's answers scatter widely around the kernel's.
The root mean square distances are {glue:text}`same_narrow` for `αα` and {glue:text}`different_narrow` for `αβ`.
At width 512 the answers begin to settle ({glue:text}`same_wide` and {glue:text}`different_wide`).
"""

# %% [markdown]
r"""
## How wide is wide enough

::::{admonition} An estimate, before measuring
:class: ours

The features of a string have two parts: a mean $\mu_z$ over all strings of its template, and a rest $\psi(x)$ that belongs to its symbols.
The means have the inner products $N$, the template matrix.
The rest has the squared length $D = K(x, x) - N_{zz}$.
To answer $\pm s$ on the two templates' means, the trained last layer $w$ needs a squared length of about $2 s^2 / \nu$.
So the closer the means, the longer $w$.

In the limit the rest is orthogonal to $w$ for every unseen string.
In a network of finite width it points anywhere in about as many dimensions as the network is wide.
So it contributes a random number to the answer, with mean square $D \|w\|^2 / \text{width}$.
So the root mean square difference between network and kernel is

$$
\text{difference} \approx s\, \sqrt{\frac{2D}{\nu \cdot \text{width}}} .
$$ (width-law)

The exponent is $-\tfrac12$, and the network follows the kernel when

$$
\text{width} \gg \frac{2D}{\nu} .
$$

This is an estimate and no theorem, above all where it counts dimensions.
Where it exceeds $s$ it may fail: ridge regression then shrinks the network's answers.
::::

The same ratio $D/\nu$ says in {doc}`template-matrix` how many *strings* the kernel needs.
So a badly conditioned template matrix costs twice: in data, and in width.
For each width we draw five networks and samples.
Here $d_{\text{emb}}$ and the number of heads are the width, $d_{\text{head}}$ is a quarter of it, and $d_{\text{mlp}}$ sixteen times as much.
"""

# %%
for name, kernel in kernels.items():  # 2D/ν
    N = template_matrix(task, kernel)  # (2, 2)
    same = kernel("AA", "AA") + kernel("AB", "AB")
    D = (same - np.trace(N)) / 2
    print(f"{name}: 2D/ν = {2 * D / np.linalg.eigvalsh(N)[0]:.0f}")

# %% [markdown]
r"""
The difference on strings of unseen symbols:
"""

# %% tags=["remove-input"]
rows = chapter["predictions"]
chapter.show(*analysis.differences_picture(rows), "predictions")

# %% tags=["remove-input"]
chapter.scaling_values("predictions", {
    "difference": "difference, unseen", "seen_difference": "difference, seen",
    "network_error": "network's error", "kernel_error": "kernel's error"})

# %% [markdown]
r"""
The table compares them with the estimate.
The difference in units of $s$, the size of the kernel's own answers, and the network's error are those at width 512:
"""

# %% tags=["remove-input"]
widths = analysis.width_table(rows)
chapter.table(widths, formats={"2D/ν": ".0f", **dict.fromkeys(widths.columns[2:], ".2f")})
chapter.glue(**{f"asks_{name}": f"{round(100 * needed, -2):,.0f}"
                for name, needed in zip(("usual", "better"), widths["2D/ν"], strict=True)})

# %% [markdown]
r"""
So the estimate has the right size, without a fitted constant, and lies somewhat too high.
For the second kernel it does so mostly at small widths, where it exceeds the answers themselves.
This also makes the measured exponent, {glue:text}`predictions-width.ours` between widths 128 and 512, less steep than $-\tfrac12$.
At width 512 the network is still noticeably off.
For a difference of a tenth of the kernel's answers the estimate asks for a width of $100 \cdot 2D/\nu$, about {glue:text}`asks_usual` and {glue:text}`asks_better`.
At usual widths the kernel describes such a network only roughly, unless its template matrix is well conditioned.
"""

# %% [markdown]
r"""
## The read-out must be wider still

So far the read-out had sixteen times as many features as the network is wide, many more than there are strings.
With fewer, another effect comes in.
The same network of width 128, with more and more features of its $z_1$ read out; there are 256 training strings:
"""

# %%
kernel = kernels[better]
limit = KernelRidge(kernel, ridge=0.01).fit(train).predict(test.tokens)
distance = {}
for d_mlp in (64, 256, 1024, 4096, 16384):
    network = FiniteTransformer(kernel, width=128, d_mlp=d_mlp)
    off = last_layer(network, train, test.tokens)[256:] - limit  # (128,)
    distance[d_mlp] = np.sqrt(np.mean(off**2))

# %% tags=["remove-input"]
chapter.table(analysis.distance_table(distance), formats=analysis.DISTANCE_FORMATS)
worst = max(distance, key=distance.get)
chapter.glue(worst_features=worst)
chapter.glue(".2f", worst_distance=distance[worst], end_distance=distance[16384])

# %% [markdown]
r"""
The difference is largest, {glue:text}`worst_distance`, with {glue:text}`worst_features` features, as many as strings.
This peak is known as double descent: with as many features as strings the fit just becomes exact, and small features get large weights.
With 16,384 it is {glue:text}`end_distance`; what then remains is due to the width of the attention layer.
"""

# %% [markdown]
r"""
## The experiments' transformer, its last layer alone

The paper's experiment uses the transformer of {doc}`same-different` instead: residual connections, LayerNorm, GELU, two layers.
All weights keep their initial values except the last linear map.
The initial weights of attention and MLPs are multiplied by 1, 8 or 64.
The figure in the paper does not name its task, so we show two.

::::{prf:observation} Larger initial weights help; section 5, in our words
:label: larger-weights
:class: paper

When only the last layer is trained, the {term}`test loss` on unseen symbols stays at {term}`chance` with the usual initial weights.
It falls with weights 8 times as large, and earlier with weights 64 times as large.
::::

We choose the last linear map in two ways.

- **Adam**, as in the other chapters: 1,000 epochs at a learning rate of 0.001.
  This shows what the optimiser finds.
- **Least squares**: ridge regression, which the theorem above is about.
  It minimises $\sum_i (F_i w + c - y_i)^2 + \lambda \|w\|^2$ over the features $F_i$, with no penalty on the intercept $c$.
  Validation strings, from an alphabet of their own, choose $\lambda$ among $10^{-6}, 10^{-5}, \dots, 10^4$.
  This shows what the features hold.

First `αα` against `αβ`, with $d_{\text{emb}} = 128$:
"""

# %% tags=["remove-input"]
figure, alt = analysis.both_ways_picture("last-layer", "last-layer-solved", chapter)
chapter.show(figure, alt, "last-layer", "last-layer-solved")
chapter.points(figure)
for scale in (1, 8, 64):
    chapter.glue_means("last-layer", f"scale {scale}", [16384], f"adam{scale}")
    chapter.glue_means("last-layer-solved", f"scale {scale}", [512, 4096, 16384], f"solved{scale}")

# %% [markdown]
r"""
With the usual weights and Adam the loss stays at chance, as in the paper: {glue:text}`adam1-16384` at $n$ = 16,384.
But the features are not at fault.
With least squares over the same kind of features the loss falls to {glue:text}`solved1-512` at $n$ = 512 and to {glue:text}`solved1-16384` at $n$ = 16,384.
It crosses one half at {glue:text}`solved` strings, where the transformer with all weights trained needs {glue:text}`plain`.

From $n$ = 512 on, larger weights make these features worse, not better.
At $n$ = 4,096 the loss is {glue:text}`solved64-4096` with weights × 64 and {glue:text}`solved1-4096` with the usual ones.
With weights × 64 Adam finds nearly what least squares finds: {glue:text}`adam64-16384` and {glue:text}`solved64-16384` at $n$ = 16,384.
So on this task, at this width, larger weights do not make better features; they make features that Adam can read.

## What Adam does not find

Here are the same features and the same 512 strings, once with Adam and once solved:
"""

# %%
for scale in (1, 64):
    run = LeastSquaresRun("same-different", n=512, seed=10, scale=scale)
    best = run.measure("cpu")
    member = run.trained().member()  # the last layer, for Adam
    variance = member.network.features[:512].var(0).mean()  # of features with mean square 1
    (adam,) = train_with_adam([member], epochs=1000)
    length = member.network.readout.weight.detach().norm()  # of w, 0.6 at the start
    print(f"× {scale}: the features' variance over strings is {variance:.3f}")
    print(f"Adam:   length {length:4.1f}, train {adam.train_loss:.2f}, test {adam.test_loss:.2f}")
    print("solved: length {norm:4.1f}, train {train_loss:.2f}, test {test_loss:.2f}".format(**best))

# %% [markdown]
r"""
With the usual weights the features of different strings differ little, because attention adds little to what [CLS] holds from the start.
So the last layer that tells the templates apart is long.
One step of Adam changes a weight by about 0.001, and 1,000 such steps do not lead there.
With weights × 64 features differ more, and a short last layer is enough.
"""

# %% [markdown]
r"""
## Same or different is visible without attention

The weights of $W_K$ and $W_Q$ set the size of the attention logits.
In the theory this size is $\beta$: the logits have standard deviation $\beta \sqrt{1 + \gamma^2}$.
So we can read off at which $\beta$ the experiments' transformer starts:
"""

# %%
starts = {}
for scale in (1, 8, 64):  # attention at [CLS] before any training
    torch.manual_seed(0)
    network = Transformer(test.alphabet.stop, task.length, scale=scale)
    logits = cls_logits(network, test.tokens)  # (n, heads, k + 1)
    largest = logits.softmax(-1).amax(-1)  # (n, heads)
    starts[scale] = float(logits.std()), float(largest.mean())

# %% tags=["remove-input"]
chapter.table(analysis.start_table(starts), formats=analysis.START_FORMATS)
chapter.glue(".2f", largest_weight=starts[1][1])

# %% [markdown]
r"""
(sd: standard deviation, of one draw of the weights.)

With the usual weights, attention at [CLS] is not far from uniform: the largest of three weights is {glue:text}`largest_weight` on average, where uniform is 0.33.
For `αα` against `αβ` this is no obstacle.
Uniform attention averages the token vectors, so what counts is their sum.
For `αα` it is one vector twice, for `αβ` the sum of two different ones, which is shorter by a factor of about √2.
The length tells the templates apart, whatever the symbols are.
For `αβα` and `αββ` both sums hold one vector twice and another vector once.

To check this, we set all logits to zero, so that attention is exactly uniform, and solve again:
"""

# %%
uniform = {}
for name in ("same-different", "aba-abb"):
    whole = Run(name, "transformer", n=512, seed=10).member()
    for block in whole.network.blocks:
        block.attention.W_Q.weight.data.zero_()  # all logits are 0
    ridges = [10.0**k for k in range(4, -7, -1)]
    uniform[name] = solved(frozen(whole), ridges)["test_loss"]
    print(f"{name}: test loss {uniform[name]:.2f}")

# %% tags=["remove-input"]
chapter.glue(".2f", uniform_same=uniform["same-different"], uniform_aba=uniform["aba-abb"])

# %% [markdown]
r"""
With uniform attention the loss is {glue:text}`uniform_same` for `αα` against `αβ`, and {glue:text}`uniform_aba` for `αβα` against `αββ`.
So only the second task needs attention that picks positions.

## Three positions need attention

`αβα` against `αββ`, both ways:
"""

# %% tags=["remove-input"]
figure, alt = analysis.both_ways_picture(
    "last-layer-aba-abb", "last-layer-solved-aba-abb", chapter)
chapter.show(figure, alt, "last-layer-aba-abb", "last-layer-solved-aba-abb")
chapter.points(figure)
for scale in (1, 64):
    chapter.glue_means("last-layer-solved-aba-abb", f"scale {scale}", [512, 4096], f"aba{scale}")
    chapter.glue_means("last-layer-solved-wide-aba-abb", f"scale {scale}", [512, 4096],
                       f"wide_aba{scale}")

# %% [markdown]
r"""
Here the paper's observation holds with both ways of choosing the last layer.
With the usual weights even least squares stays at chance: {glue:text}`aba1-4096` at $n$ = 4,096.
With weights × 64 attention picks one position, and equal tokens are picked together.
The loss falls, to {glue:text}`aba64-512` at $n$ = 512 and {glue:text}`aba64-4096` at $n$ = 4,096.
With 1,024 dimensions and 64 heads, least squares at $n$ = 512 gives {glue:text}`wide_aba1-512` with the usual weights and {glue:text}`wide_aba64-512` with weights × 64 (two seeds).
From 8 to 64 little is left to gain, because attention picks one position at both, and LayerNorm takes out the size of what follows.

The theory's kernel shows the same for this task: the smaller $\beta$, the more strings.
There even `αα` against `αβ` depends on $\beta$; the theory's network has no LayerNorm, no residual connection and the activation $\cos$.
The table has $\nu$ and the predicted number of strings for `αα` against `αβ`, with $\gamma = 1$ and $b_1 = 2$ ({doc}`template-matrix` derives them):
"""

# %% tags=["remove-input"]
needs = analysis.kernel_needs(task, (0.25, 0.5, 1.0, 2.0))
chapter.table(needs, formats=analysis.NEEDS_FORMATS)
chapter.glue(",.0f", strings_quarter=round(needs[analysis.STRINGS][0], -3),
             predicted=needs[analysis.STRINGS].iloc[-1],
             unrepeated=analysis.strings_without_repeats(kernels[usual]))

# %% [markdown]
r"""
At $\beta$ = 2 the prediction is {glue:text}`predicted` strings; the chart above has {glue:text}`usual`, which is measured.
The prediction is an approximation, and the measured number is interpolated between $n$ = 316 and 1,000.
It counts that symbols repeat when $n$ strings share $n$ symbols.
Without repeats it would be {glue:text}`unrepeated`, the number of {doc}`diverse-data`.

At $\beta$ = 0.25 the theory's kernel would need about {glue:text}`strings_quarter` strings, and the experiments' transformer with the same size of logits needs {glue:text}`solved`.
So a count of the kernel does not carry over to this transformer.
"""

# %% [markdown]
r"""
## 1,024 numbers to read instead of 128

A last layer over $d_{\text{emb}} = 128$ features has 129 weights.
They cannot even fit the training strings once there are many more of them.
With weights × 64 and Adam the training loss is {glue:text}`train-512` at $n$ = 512 and {glue:text}`train-16384` at $n$ = 16,384.
The test loss there is {glue:text}`adam64-16384`, so more data can no longer help.
The kernel theorem is about last layers much wider than the number of strings; this one is narrower.

The paper's training losses suggest a wider network.
At scale 1, with the test loss at chance, $d$ features fit about a share $d/n$ of random labels.
The paper's losses of {glue:text}`paper-4096` at $n$ = 4,096 and {glue:text}`paper-16384` at 16,384 would then mean a $d$ of {glue:text}`d-4096` and {glue:text}`d-16384`.
So we repeat both ways with $d_{\text{emb}} = 1024$, 64 heads and $d_{\text{mlp}} = 1024$; all other settings are unchanged:
"""

# %% tags=["remove-input"]
figure, alt = analysis.both_ways_picture("last-layer-heads", "last-layer-solved-wide", chapter)
chapter.show(figure, alt, "last-layer-heads", "last-layer-solved-wide")
chapter.points(figure)
chapter.table(analysis.heads_table(chapter["last-layer-heads"]), formats=analysis.HEADS_FORMATS)
chapter.glue_means("last-layer-heads", "scale 1", [4096], "heads1")
for scale in (1, 64):
    chapter.glue_means("last-layer-solved-wide", f"scale {scale}", [64, 1024, 4096], f"wide{scale}")
for n in (512, 16384):
    chapter.glue(".2f", **{f"train-{n}": chapter.mean("last-layer", "scale 64", n, "train_loss")})
for n, (paper, d) in analysis.width_from_train_loss().items():
    chapter.glue(**{f"paper-{n}": f"{paper:.2f}", f"d-{n}": f"{d:,.0f}"})

# %% [markdown]
r"""
Adam comes nearer to the paper with this width.
With weights × 64 the loss crosses one half at {glue:text}`last-layer-heads-64.ours` strings (paper: {glue:text}`last-layer-heads-64.paper`), with weights × 8 at {glue:text}`last-layer-heads-8.ours` (paper: {glue:text}`last-layer-heads-8.paper`).
Three seeds leave both claims on these numbers undecided.
With the usual weights the loss stays at chance, {glue:text}`heads1-4096` at $n$ = 4,096, and there the training loss is the paper's.

Three things still differ from the paper.
Our training losses at $n$ = 512 are smaller at every scale.
Our test losses with weights × 64 are larger.
And our curves of scales 8 and 64 coincide.
Neither the width nor the task of the paper's figure is public, nor the weights that its scale multiplies.
Its scales 8 and 64 differ, so they may multiply something smaller than our weights; we have not tested that.

Least squares shows, as before, that the usual features are good and that Adam does not read them.
With the usual weights the loss crosses one half at {glue:text}`solved_wide` strings, where 128 dimensions need {glue:text}`solved`, and reaches {glue:text}`wide1-4096` at $n$ = 4,096.
With weights × 64 fewer strings are enough: the loss is {glue:text}`wide64-64` at $n$ = 64, where the usual weights give {glue:text}`wide1-64`.
From $n$ = 1,024 on the usual weights are ahead, {glue:text}`wide1-1024` against {glue:text}`wide64-1024`.
So at this width larger weights help with few strings and hurt with many.
"""

# %% [markdown]
r"""
## What training all weights adds

Now let all weights train, from the usual start.
On `αα` against `αβ` this takes more strings than the solved last layer, {glue:text}`plain` instead of {glue:text}`solved`.
But the solved last layer of 128 numbers ends at {glue:text}`solved1-16384`, while the trained transformer goes on falling: {glue:text}`all-1024` at $n$ = 1,024 and {glue:text}`all-4096` at $n$ = 4,096.
On `αβα` against `αββ`, where the untrained features hold nothing, it crosses one half at {glue:text}`all_aba` strings.
So there training makes the *features*.

How?
One number of the theory is no longer fixed: the attention's inverse temperature.
We trained both networks on `αα` against `αβ` again and looked at the attention of the first layer at [CLS], on unseen strings:
"""

# %% tags=["remove-input"]
chapter.table(analysis.attention_means(chapter["attention"]), formats=analysis.ATTENTION_FORMATS)
chapter.evidence("attention", note="Mean over seeds, before and after training.")

# %% tags=["remove-input"]
found = analysis.sharpening(chapter["attention"])
chapter.glue(".2f", before=found.before, few_loss=found.few_loss, beta_before=found.beta_before,
             beta_after=found.beta_after)
chapter.glue(".1f", after=found.after, few_after=found.few_after)
chapter.glue(",.0f", strings_before=round(found.strings_before, -3),
             strings_after=round(found.strings_after, -1), modified_after=found.modified_after)

# %% tags=["remove-input"]
chapter.glue_means("same-different", "Transformer", [1024, 4096], "all")
chapter.glue(all_aba=analysis.trained_aba(chapter["aba-abb"]))

# %% [markdown]
r"""
Training **sharpens the attention**.
At $n$ = 1,024 the plain transformer's logits grow from {glue:text}`before` to {glue:text}`after`.
Read as in the tables above, $\beta$ grows from {glue:text}`beta_before` to {glue:text}`beta_after`.
The theory's kernel would need about {glue:text}`strings_before` strings with the first value and {glue:text}`strings_after` with the second.
In the kernel picture $\beta$ is chosen before training; the network learns it.
(The trained logits are no longer those of random weights, so this is a comparison of sizes, no more.
Nor is sharpness enough: with 64 strings the logits grow to {glue:text}`few_after`, and the test loss is {glue:text}`few_loss`.)

The identity parameter $a$ sets that size directly, and treats all symbols alike, seen or not.
The modified transformer's logits reach {glue:text}`modified_after`, and {glue:text}`modified` strings are enough ({doc}`same-different`).

Features need not be learned when they are good to begin with.
The kernel with $\beta$ = 3 and stronger positions needs {glue:text}`good` strings, the plain transformer, trained in full, {glue:text}`plain`.
So the kernel theorem explains that transformers *can* generalise to unseen symbols, and which numbers decide.
It does not predict how many strings a fully trained network needs; the number can be larger or smaller.
But it does predict which tasks need more strings, even for fully trained networks ({doc}`diverse-data`).
"""

# %% [markdown]
r"""
## The verdicts

The exponent's tolerances are 0.1 to *hold* and 0.2 to hold *in part*; [$n_{50}$](#half-point) may differ from the paper's by a factor of 2 or 4.
All tolerances were fixed before measuring.
One thing changed on the way: the widths were to reach 1,024, with the exponent fitted from 256 on.
That took too long on a CPU, so grid and range were cut by a factor 2.
The widths up to 256 of the claim's series had been measured then.

Seven claims, on least squares and on 64 heads, came later.
They were made after a few runs with other seeds had shown that Adam does not find what the features hold.
They are therefore judged on fresh seeds, from 10 on.
"""

# %% tags=["remove-input"]
chapter.verdicts()

# %% [markdown]
r"""
The claims `last-layer-64` and `last-layer-8` are not held.
With 128 numbers to read, our last layer never comes below one half up to $n$ = 16,384.
We leave these claims as stated, for the default protocol.

`last-layer-heads-64` and `last-layer-heads-8` ask whether 1,024 dimensions and 64 heads give the paper's curves.
The intervals of three seeds are too wide to say.
"""

# %% [markdown]
r"""
## Is it still true? A live check

The first cell draws some finite networks and their kernels again, in double precision.
The second trains a last layer again, in single precision, and the third solves for one.
The book's build stops if a number differs from its row by more than the tolerance.
"""

# %%
chapter.recheck("predictions", "width == 64 and seed < 2", within=1e-6, metric="difference")

# %%
chapter.recheck("last-layer", "n == 64 and scale == 64 and seed == 0", within=0.02)

# %%
chapter.recheck("last-layer-solved", "n == 512 and scale == 1 and seed == 10", within=0.01)

# %% [markdown]
r"""
## Run it yourself
"""

# %% tags=["remove-input"]
chapter.commands()

# %% [markdown]
r"""
## Try

A run is its parameters; `measure` gives its numbers.
Change the width, the ridge, or the kernel's parameters.
A large ridge hides the difference between narrow and wide: nothing is learned on unseen strings, and there is nothing to disagree about.
"""

# %%
run = PredictionRun("same-different", seed=0, width=32, n=128,
                    ridge=0.01, beta=2.0, gamma=1.0, b1=2.0)
for metric, value in run.measure("cpu").items():
    print(f"{metric:16} {value:.3f}")
