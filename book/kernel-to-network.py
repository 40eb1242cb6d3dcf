# ---
# jupyter:
#   jupytext:
#     cell_markers: r"""
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
r"""
# From kernel to network: how wide, and what training adds

*A last layer comes near the kernel when the network is much wider than $2D/\nu$, a number that the templates determine (an estimate of ours).
Training all weights does what no kernel does: it sharpens the attention.*

{doc}`transformer-kernel` made an infinitely wide transformer a kernel, and {doc}`learning-from-n` measured how this kernel learns.
Nobody trains infinitely wide networks.
So this chapter goes back, in three steps: a *finite* network of the theory's kind, of which the last layer is trained; the *experiments'* transformer, of which again only the last layer is trained; and that transformer with all of its weights trained.

*Builds on {doc}`transformer-kernel`, {doc}`template-matrix` and {doc}`learning-from-n`.
Leads to {doc}`two-parameters` (a way to sharpen attention with one number).*
"""

# %% tags=["parameters"]
profile = "quick"

# %%
import numpy as np
import pandas as pd
import torch
from IPython.display import Markdown, display

from abstract_symbols import FiniteTransformer, KernelRidge, Transformer
from abstract_symbols import TransformerKernel, template_matrix
from abstract_symbols import claims, experiments, figures, tasks
from abstract_symbols.kernels.prediction import predicted_samples
from abstract_symbols.theory import PredictionRun, RidgeRun, cls_logits

figures.style()
NAME = "kernel-to-network"

# %% tags=["remove-input"]
results = None  # the committed rows, or all of them anew
MINE = ("predictions", "last-layer", "last-layer-aba-abb", "last-layer-wide", "attention")
if profile == "full":
    results = experiments.BOOK.parent / "_build" / "full"
    for name in MINE:
        experiments.run(name, results=results)
rows = {name: experiments.load(name, results) for name in MINE}
complete = {name: len(rows[name]) == len(experiments.experiment(name).runs()) for name in MINE}
MISSING = "*Rows are missing, so there is nothing to tell yet.*"

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
`FiniteTransformer` gives the features $\varphi(W_A z_1) / \sqrt{d_{\text{mlp}}}$ of a finite network, and ridge regression on them is its trained last layer.
In code:
"""

# %%
task = tasks.task("same-different")  # αα: +1, αβ: −1
seen, unseen = task.alphabets(256, 128)
train = task.sample(256, seen, seed=1)
test = task.sample(128, unseen, seed=2)
strings = [*train.tokens.tolist(), *test.tokens.tolist()]
y = train.labels.numpy()  # (256,)


def last_layer(kernel, ridge=0.01, **widths):
    network = FiniteTransformer(kernel, **widths)
    F = network.features(strings).numpy()  # (384, d_mlp)
    gram = F[:256] @ F[:256].T  # (256, 256)
    solved = np.linalg.solve(gram + ridge * np.eye(256), y)
    return F @ (F[:256].T @ solved)  # predictions (384,)


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
## Point by point

How does a finite network answer the strings of the second kernel?
Grey: the training strings.
Coloured: strings of unseen symbols.
To the kernel all unseen `αα` are the same, so it has one answer for them; to the network they are not.
"""

# %% tags=["remove-input"]
OPTIONS = experiments.experiment("predictions").series
panels, far = {}, {}
for width in (64, 512):
    run = PredictionRun("same-different", 0, width=width, **OPTIONS[better])
    network, limit = run.predictions()
    which = run.samples()[1].templates.numpy()
    mine = {"training": (limit[:run.n], network[:run.n])}
    for i, z in enumerate(task.templates):
        mine[f"unseen {z.pattern}"] = limit[run.n:][which == i], network[run.n:][which == i]
    panels[f"width {width}"] = mine
    far[width] = {label: np.sqrt(np.mean((x - y) ** 2)) for label, (x, y) in mine.items()}
alt = "Two scatter plots, the network's prediction against the kernel's. " + " ".join(
    f"Width {width}: distance {', '.join(f'{label} {d:.2f}' for label, d in each.items())}." for width, each in far.items())
figures.show(figures.agreement(panels, xlabel="the kernel's prediction", ylabel="the network's"), alt=alt)

# %% tags=["remove-input"]
Markdown(f"""
On strings that it was trained on, the network agrees with the kernel at any width (the distance is {far[64]["training"]:.2f} at width 64), for both
know the label. On unseen strings the narrow network's answers scatter widely around the kernel's (root mean square distance {far[64]["unseen αα"]:.2f} and
{far[64]["unseen αβ"]:.2f}); at width 512 they begin to settle ({far[512]["unseen αα"]:.2f} and {far[512]["unseen αβ"]:.2f}).
""")

# %% [markdown]
r"""
## How wide is wide enough

::::{admonition} An estimate, before measuring
:class: ours

The features of a string have two parts: a mean $\mu_z$ over all strings of its template, and a rest $\psi(x)$ that belongs to its symbols.
The means have the inner products $N$, the template matrix.
The rest has the squared length $D = K(x, x) - N_{zz}$.
To answer $\pm s$ on the two templates' means, the trained last layer $w$ needs a squared length of about $2 s^2 / \nu$: the closer the means, the longer $w$.

In the limit the rest is orthogonal to $w$ for every unseen string.
In a network of finite width it points anywhere in about as many dimensions as the network is wide, and contributes to the answer a random number, with mean square $D \|w\|^2 / \text{width}$.
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
For each width we draw five networks and samples; here $d_{\text{emb}}$ and the number of heads are the width, $d_{\text{head}}$ is a quarter, $d_{\text{mlp}}$ sixteen times the width.
"""

# %%
def needed(kernel):  # 2D/ν
    N = template_matrix(task, kernel)  # (2, 2)
    D = (kernel("AA", "AA") + kernel("AB", "AB") - np.trace(N)) / 2
    return 2 * D / np.linalg.eigvalsh(N)[0]


# %% tags=["remove-input"]
predictions = rows["predictions"]
WIDTHS = np.array(experiments.experiment("predictions").grid["width"])
error = predictions.groupby("series")["kernel_error"].mean()
law = {series: (WIDTHS, (1 - error[series]) * (needed(kernels[series]) / WIDTHS) ** 0.5) for series in error.index}
figure = figures.scaling("predictions", predictions, "difference", xlabel="width of the network",
                         ylabel="network − kernel, rms", guides=[(-0.5, "slope −½")], predicted=law)
figures.show(figure, alt=figures.scaling_alt("predictions", predictions, "difference", "rms difference between network and kernel") +
             " Dashed: the estimate, above the measured curves.")

# %% tags=["remove-input"]
Markdown(f"*On strings of unseen symbols. Mean and standard error over seeds. {figures.coverage('predictions', predictions)}*")

# %% tags=["remove-input"]
figures.scaling_table("predictions", predictions, {
    "difference": "difference, unseen", "seen_difference": "difference, seen", "network_error": "network's error",
    "kernel_error": "kernel's error"})

# %% tags=["remove-input"]
text = MISSING
if complete["predictions"]:
    mean = figures.summary("predictions", predictions, "difference").set_index(["series", "width"])["mean"]
    wrong = figures.summary("predictions", predictions, "network_error").set_index(["series", "width"])["mean"]
    lines = []
    for series, kernel in kernels.items():
        ratio = [mean[series, w] / law[series][1][list(WIDTHS).index(w)] for w in (WIDTHS[0], WIDTHS[-1])]
        lines.append(f"- {series}: $2D/\\nu$ = {needed(kernel):.0f}. Measured over estimated: {ratio[0]:.2f} at width {WIDTHS[0]}, {ratio[1]:.2f} at "
                     f"width {WIDTHS[-1]}. There the difference is {mean[series, WIDTHS[-1]] / (1 - error[series]):.2f} times the size $s$ of the kernel's own answers. The network's error "
                     f"on unseen strings is {wrong[series, WIDTHS[-1]]:.2f}, the kernel's {error[series]:.2f}.")
    slope = claims.judge("predictions-width", results).measured.ours
    text = "\n".join(lines) + f"""

So the estimate has the right size, without a fitted constant, and lies somewhat too high. For the second kernel it does so mostly at small widths, where it exceeds the
answers themselves; this also makes the measured exponent, {figures.number(slope)} between widths 128 and 512, less steep than $-\\tfrac12$. At width {WIDTHS[-1]} the network is still noticeably off, and for a
difference of a tenth of the kernel's answers the estimate asks for a width of $100 \\cdot 2D/\\nu$, about {" and ".join(f"{round(100 * needed(kernel), -2):,.0f}" for kernel in kernels.values())}. At usual widths the kernel describes such a network only roughly, unless its template matrix is well
conditioned."""
Markdown(text)

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
features = (64, 256, 1024, 4096, 16384)
off = [last_layer(kernel, width=128, d_mlp=d)[256:] - limit
       for d in features]  # (128,) each
distance = [np.sqrt(np.mean(d**2)) for d in off]

# %% tags=["remove-input"]
figures.table(pd.DataFrame({"d_mlp": [f"{d:,}" for d in features], "difference on unseen strings": [f"{d:.2f}" for d in distance]}))

# %% tags=["remove-input"]
worst = features[int(np.argmax(distance))]
Markdown(f"""
The difference is largest, {max(distance):.2f}, with {worst} features{", as many as strings: the peak of double descent" if worst == 256 else ""}. With
{features[-1]:,} it is {distance[-1]:.2f}; what then remains is due to the width of the attention layer.
""")

# %% [markdown]
r"""
## The experiments' transformer, its last layer trained by Adam

The paper's experiment uses the transformer of {doc}`same-different` instead: residual connections, LayerNorm, GELU, two layers.
All weights stay as they were drawn, but for the last linear map, trained by Adam as always.
The initial weights of attention and MLPs are multiplied by 1, 8 or 64.
The figure in the paper does not name its task, so we show two.

::::{prf:observation} Larger initial weights help; section 5, in our words
:label: larger-weights
:class: paper

When only the last layer is trained, the {term}`test loss` on unseen symbols stays at {term}`chance` with the usual initial weights.
It falls with weights 8 times as large, and earlier with weights 64 times as large.
::::

## Why larger weights should help

The weights of $W_K$ and $W_Q$ set the size of the attention logits.
In the theory this size is $\beta$: the logits have standard deviation $\beta \sqrt{1 + \gamma^2}$.
So we can read off at which $\beta$ the experiments' transformer starts:
"""

# %%
def start(scale):  # attention at [CLS] before any training
    torch.manual_seed(0)
    network = Transformer(test.alphabet.stop, task.length, scale=scale)
    logits = cls_logits(network, test.tokens)  # (n, heads, k + 1)
    largest = logits.softmax(-1).amax(-1)  # (n, heads)
    return float(logits.std()), float(largest.mean())


attention = {scale: start(scale) for scale in (1, 8, 64)}

# %% tags=["remove-input"]
def needs(beta, b1=2.0):
    kernel = TransformerKernel(beta, 1.0, b1=b1, b2=0.3)
    return np.linalg.eigvalsh(template_matrix(task, kernel))[0], predicted_samples(task, kernel)


starts = {scale: size / 2**0.5 for scale, (size, _) in attention.items()}
display(figures.table(pd.DataFrame([
    {"weights": f"× {scale}", "sd of the logits": figures.number(size), "β with this sd": figures.number(starts[scale]),
     "largest attention weight": f"{peak:.2f}"} for scale, (size, peak) in attention.items()])))
BETAS = (0.25, 0.5, 1.0, 2.0, 3.0)
small = {beta: needs(beta) for beta in BETAS}
display(figures.table(pd.DataFrame([
    {"β": f"{beta:g}", "ν": f"{nu:.1e}", "strings to a test loss of ½": f"{n:,.0f}"}
    for beta, (nu, n) in small.items()])))

# %% tags=["remove-input"]
Markdown(f"""
(sd: standard deviation, of one draw of the weights; the section on training has the mean over others. Second table: $\\nu$ and `predicted_samples` of the theory's kernel with $\\gamma = 1$ and $b_1 = 2$; {{doc}}`template-matrix` derives them.)

With the usual weights, attention at [CLS] is not far from uniform: the largest of three weights is {attention[1][1]:.2f} in the mean, where uniform is 0.33. At
$\\beta = 0$, where attention is uniform, the template matrix is singular, and at {BETAS[0]} the theory's kernel would need about {round(small[BETAS[0]][1], -3):,.0f} strings; the figures below end at
16,384. With larger weights attention picks one position, and equal tokens are picked together. At 8 it does so already; from 8 to 64 there is little left to gain.
""")

# %% [markdown]
r"""
## Last layers, measured
"""

# %% tags=["remove-input"]
figures.show(figures.learning_curves("last-layer", rows["last-layer"]), alt=figures.alt_text("last-layer", rows["last-layer"]))

# %% tags=["remove-input"]
Markdown(f"*`αα` against `αβ`. Mean and standard error over seeds. {figures.coverage('last-layer', rows['last-layer'])}*")

# %% tags=["remove-input"]
figures.values_table("last-layer", rows["last-layer"])

# %% tags=["remove-input"]
figures.show(figures.learning_curves("last-layer-aba-abb", rows["last-layer-aba-abb"]),
             alt=figures.alt_text("last-layer-aba-abb", rows["last-layer-aba-abb"]))

# %% tags=["remove-input"]
Markdown(f"*`αβα` against `αββ`. Mean and standard error over seeds. {figures.coverage('last-layer-aba-abb', rows['last-layer-aba-abb'])}*")

# %% tags=["remove-input"]
figures.values_table("last-layer-aba-abb", rows["last-layer-aba-abb"])

# %% tags=["remove-input"]
def from_paper(name, series, metric="test_loss"):  # mean distance to the published curve, and its points
    ours = figures.summary(name, rows[name], metric).query("series == @series").set_index("n")["mean"]
    paper = claims.published(name, series).set_index("x")["y"]
    shared = [n for n in ours.index if n in paper.index and n <= 4096]
    return float(np.mean([abs(ours[n] - paper[n]) for n in shared]))


text = MISSING
if complete["last-layer"] and complete["last-layer-aba-abb"]:
    gap = {name: np.mean([from_paper(name, s) for s in ("scale 8", "scale 64")]) for name in ("last-layer", "last-layer-aba-abb")}
    mean = {m: figures.summary("last-layer", rows["last-layer"], m).set_index(["series", "n"])["mean"] for m in ("test_loss", "train_loss")}
    test_loss, train_loss = mean["test_loss"], mean["train_loss"]
    nearer = "`αα` against `αβ`" if gap["last-layer"] < gap["last-layer-aba-abb"] else "`αβα` against `αββ`"
    text = f"""
What agrees with the paper: at scale 1 the loss stays at chance ({test_loss["scale 1", 16384]:.2f} at $n$ = 16,384), and larger weights bring it down. Of the two tasks,
{nearer} is nearer to the published curves (mean distance {min(gap.values()):.2f} against {max(gap.values()):.2f}, scales 8 and 64, up to $n$ = 4,096), but neither
fits.

What does not agree: our curves stay above one half, and those of scales 8 and 64 coincide
({test_loss["scale 8", 16384]:.2f} and {test_loss["scale 64", 16384]:.2f} at $n$ = 16,384)."""
Markdown(text)

# %% [markdown]
r"""
## Why ours stays high: 128 numbers to read

The last layer reads $d_{\text{emb}} = 128$ numbers, so it has 129 weights.
They cannot even fit the training strings once there are many more of them.
"""

# %% tags=["remove-input"]
text = MISSING
if complete["last-layer"] and complete["last-layer-aba-abb"]:
    text = f"""
At scale 64 the training loss is {train_loss["scale 64", 64]:.3f} with 64 strings, {train_loss["scale 64", 512]:.2f} with 512 and
{train_loss["scale 64", 16384]:.2f} with 16,384, where the test loss is {test_loss["scale 64", 16384]:.2f}. More data can no longer help. The kernel theorem is about last layers much wider than the number of strings; this one is narrower. That the
curves of scales 8 and 64 coincide is no surprise either: attention picks one position at both, and LayerNorm takes out the size of what follows."""
Markdown(text)

# %% [markdown]
r"""
So the width is a lead.
As a labelled variant, the same with $d_{\text{emb}} = 1024$; all other settings as before:
"""

# %% tags=["remove-input"]
wide = rows["last-layer-wide"]
figures.show(figures.learning_curves("last-layer-wide", wide), alt=figures.alt_text("last-layer-wide", wide))

# %% tags=["remove-input"]
Markdown(f"""*Scale 64, `αα` against `αβ`. The paper's curve is that of scale 64. Mean and standard error over seeds.
{figures.coverage('last-layer-wide', wide)}*""")

# %% tags=["remove-input"]
figures.values_table("last-layer-wide", wide)

# %% tags=["remove-input"]
text = MISSING
if complete["last-layer-wide"]:
    wider = figures.summary("last-layer-wide", wide).set_index(["series", "n"])["mean"]
    paper = claims.published("last-layer-wide", "d = 1024").set_index("x")["y"]
    points = ", ".join(f"{wider['d = 1024', n]:.2f} at $n$ = {n} (128: {wider['d = 128', n]:.2f}; paper: {paper[n]:.2f})" for n in (64, 512, 4096))
    half = float(claims.n50(*(lambda c: (c.index.to_numpy(), c.to_numpy()))(wider["d = 1024"])))
    share = [(wider["d = 128", n] - wider["d = 1024", n]) / (wider["d = 128", n] - paper[n]) for n in (64, 512, 4096)]
    text = f"""
The wider network's test loss is {points}. It crosses one half at $n$ = {half:.0f} (paper: {claims.published_n50("last-layer-wide", "d = 1024"):.0f}). So eight times the width closes
{min(share):.0%} to {max(share):.0%} of the distance to the paper's curve. What closes the rest we do not know: neither the width nor the task of the paper's figure is public, nor the weights that its scale
multiplies. (That its scales 8 and 64 differ suggests that they start smaller than ours. We have not tested that.)"""
Markdown(text)

# %% [markdown]
r"""
## What the kernel leaves out: learning the features

Now let all weights train.
How many strings does each way of learning need, until the test loss on unseen symbols `αα` against `αβ` falls below one half?
"""

# %% tags=["remove-input"]
def crossing(name, series, metric="test_loss", square=False):
    mine = experiments.load(name)
    curve = figures.summary(name, mine[mine["series"] == series], metric)
    if curve.empty:
        return None
    y = curve["mean"].to_numpy()
    return float(claims.n50(curve["n"].to_numpy(), y**2 if square else y)), curve["n"].max()


def count(found):
    if found is None:
        return "–"
    return f"{found[0]:,.0f}" if np.isfinite(found[0]) else f"more than {found[1]:,}"


def ridge_half(ns, **options):  # the same for the kernel, measured here
    mean = [np.mean([RidgeRun("same-different", seed, n=n, **options).measure("cpu")["error"] ** 2 for seed in range(5)]) for n in ns]
    return float(claims.n50(np.array(ns), np.array(mean)))


plain, modified = crossing("same-different", "Transformer"), crossing("same-different", "Modified transformer")
good = ridge_half((16, 32, 64, 128, 256), **OPTIONS[better])
compared = [
    ("kernel, β = 0.25, γ = 1, b₁ = 2", "last layer", f"{small[0.25][1]:,.0f} (predicted)"),
    (f"kernel, {usual}", "last layer", count(crossing("ridge-n", "αα / αβ", "error", square=True))),
    (f"kernel, {better}", "last layer", f"{good:.0f}"),
    ("weights × 1", "last layer", count(crossing("last-layer", "scale 1"))),
    ("weights × 64", "last layer", count(crossing("last-layer", "scale 64"))),
    ("weights × 64, d = 1024", "last layer", count(crossing("last-layer-wide", "d = 1024"))),
    ("weights × 1", "all", f"{count(plain)} (paper: {claims.published_n50('same-different', 'Transformer'):.0f})"),
    ("weights × 1, a and b", "all", f"{count(modified)} (paper: {claims.published_n50('same-different', 'Modified transformer'):.0f})"),
]
figures.table(pd.DataFrame(compared, columns=["network", "trained", "strings to a test loss of ½"]))

# %% [markdown]
r"""
(The rows without a kernel are the experiments' transformer.)
With the usual initial weights and its last layer alone trained, this transformer stays at {term}`chance` on unseen symbols up to 16,384 strings.
Trained in full, from the same start, it succeeds.
So training changes the *features*.
How?
One number of the theory is no longer fixed: the attention's inverse temperature.
We trained both networks again and looked at the attention of the first layer at [CLS], on unseen strings:
"""

# %% tags=["remove-input"]
moved = rows["attention"]
order = [(series, n) for series in experiments.experiment("attention").series for n in experiments.experiment("attention").grid["n"]]
means = moved.groupby(["series", "n"])[["logits_before", "logits_after", "largest_before", "largest_after", "test_loss"]].mean()
display(figures.table(pd.DataFrame([
    {"network": series, "n": n, "sd of the logits": f"{m.logits_before:.2f} → {m.logits_after:.2f}",
     "largest weight": f"{m.largest_before:.2f} → {m.largest_after:.2f}", "test loss": f"{m.test_loss:.2f}"}
    for series, n in order if (series, n) in means.index for m in [means.loc[(series, n)]]])))
display(Markdown(f"*Mean over seeds, before and after training. {figures.coverage('attention', moved)}*"))

# %% tags=["remove-input"]
text = MISSING
if complete["attention"]:
    most = {series: means.loc[(series, 1024)] for series in experiments.experiment("attention").series}
    plain_before, plain_after = (float(most["Transformer"][f"logits_{when}"]) / 2**0.5 for when in ("before", "after"))
    few = means.loc[("Transformer", 64)]
    text = f"""
Training **sharpens the attention**. At $n$ = 1024 the plain transformer's logits grow from {most["Transformer"].logits_before:.2f} to {most["Transformer"].logits_after:.1f}. Read as
in the tables above, that is from $\\beta$ = {plain_before:.2f} to {plain_after:.2f}. The theory's kernel, with these values, would need about
{round(needs(plain_before)[1], -3):,.0f} and {round(needs(plain_after)[1], -1):,.0f} strings. In the kernel picture $\\beta$ is chosen before training; the network learns it. (The trained logits are no longer those of random weights, so this is a comparison of
sizes, no more. Nor is sharpness enough: with 64 strings the logits grow to {few.logits_after:.1f}, and the test loss is {few.test_loss:.2f}.) The identity parameter $a$ is a direct handle on that size, and one that treats all symbols alike, seen or not: the modified transformer's logits reach
{most["Modified transformer"].logits_after:.0f}, and {count(modified)} strings are enough ({{doc}}`same-different`)."""
Markdown(text)

# %% tags=["remove-input"]
Markdown(f"""
The first table says a second thing: features need not be learned when they are good to begin with. The kernel with $\\beta$ = 3 and stronger positions needs {good:.0f} strings, the
plain transformer, trained in full, {count(plain)}. So the kernel theorem explains that transformers *can* generalise to unseen symbols, and which numbers decide. How many strings a network needs that
trains all of its weights, it does not say, and it can be more as well as fewer. Which *tasks* need more strings than others it does tell, for such networks too: {{doc}}`diverse-data` compares the predictions of one kernel with
dozens of tasks, and those of eleven others with some of them.
""")

# %% [markdown]
r"""
## The verdicts

The exponent's tolerances, 0.1 to *hold* and 0.2 to hold *in part*, and those of the others ([$n_{50}$](#half-point) within a factor 2 or 4 of the published; $p < 0.01$ over seeds at each $n$) were fixed before measuring.
One thing changed on the way: the widths were to reach 1,024, with the exponent fitted from 256 on.
That took too long on a CPU, so grid and range were cut by a factor 2, when the widths up to 256 of the claim's series had been measured.
"""

# %% tags=["remove-input"]
verdicts = claims.scoreboard(NAME, results)
figures.scoreboard(verdicts)

# %% tags=["remove-input"]
text = MISSING
if all(j.measured for j in verdicts):
    failed = [j.claim.id for j in verdicts if j.verdict == "not held"]
    text = f"Not held: {', '.join(f'`{name}`' for name in failed)}." if failed else "All claims held at least in part."
    if any(name in ("last-layer-8", "last-layer-64") for name in failed):
        text += (" With 128 numbers to read, our last layer never comes below one half up to $n$ = 16,384. The claims were made for the protocol of the other chapters and stand as they "
                 "are; the section above shows what a wider network changes.")
Markdown(text)

# %% [markdown]
r"""
## Is it still true? A live check

The first cell draws some finite networks and their kernels again, in double precision, the second trains a last layer again, in single precision.
The book's build stops if a number differs from its row by more than the tolerance.
"""

# %%
TOLERANCE = 1e-6
again = experiments.repeat("predictions", experiments.load("predictions"),
                           metric="difference", width=[64], seeds=[0, 1])
worst = (again["repeated"] - again["committed"]).abs().max()
assert worst <= TOLERANCE, f"off by {worst}:\n{again}"
print(f"{len(again)} networks against their kernels: as in their rows")

# %%
TOLERANCE = 0.02
again = experiments.repeat("last-layer", experiments.load("last-layer"),
                           n=[64], scale=[64], seeds=[0])
worst = (again["repeated"] - again["committed"]).abs().max()
assert worst <= TOLERANCE, f"off by {worst:.3f}:\n{again}"
print(f"a last layer trained again: test loss within {TOLERANCE}")

# %% [markdown]
r"""
## Run it yourself
"""

# %% tags=["remove-input"]
minutes = {name: rows[name]["seconds"].sum() / 60 for name in MINE}
lines = "\n".join(f"| `python -m abstract_symbols run {name}` | performs the runs that `book/results/{name}.csv` lacks | {m:.0f} core-minutes for all |"
                  for name, m in minutes.items())
Markdown(f"""
| command | what it does | cost |
|---|---|---|
| `make chapter C={NAME}` | draws this page from the committed rows, repeats the live check | a minute |
| `make chapter C={NAME} PROFILE=full` | measures everything again, then draws this page from it | {sum(minutes.values()):.0f} core-minutes |
{lines}
""")

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
