# ---
# jupyter:
#   jupytext:
#     cell_markers: r"""
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
r"""
# Notation and words

*Every symbol and every word with a fixed meaning in this book, and the chapter that introduces it.*

In the chapters, words that are explained here are links: point at one, or reach it with the Tab key, and its explanation opens in place.
The same goes for theorems, numbered formulas, references, and functions of the package ({doc}`api`).

Symbols follow the paper {cite:p}`boixadsera2024abstract` where it has one.
Below some of them stands another name, in words or in code.

## Symbols: tasks and data

```{glossary}
$\alpha, \beta, \gamma, \dots$ in a string
  {term}`Wildcards <wildcard>` of a template, in typewriter: `αβα`. The parameters $\beta$ and $\gamma$ of the kernel are other things, and are
  always in italics. So are the $\alpha_i$, the coefficients of ridge regression ({doc}`kernel-to-network`), and the $\alpha$ and $\beta$ of mimetic initialisation ({doc}`two-parameters`).

$z$
  A {term}`template`, and $r$ templates $z_1, \dots, z_r$ ({doc}`same-different`). With an index for a layer or a token, $z_1$, $z_2$ or $z_{\text{CLS}}$ is a network's vector instead ({doc}`transformer-kernel`).

$\mathcal{X}$
  The {term}`alphabet`: the tokens that strings are made of.

$s$
  A {term}`substitution`: it puts a token of $\mathcal X$ in the place of each wildcard, different tokens for different wildcards. $\text{sub}(z, s)$ is the string that it makes of the template $z$.

$x, y$
  Two strings; $x_i$ is the token at position $i$. In regression $y$ is also the vector of the training labels. Inside a network $x_i$ is the normalised vector at position $i$ ({doc}`same-different`).

$X$
  The matrix of a string's one-hot vectors, one row for each position. $X X^\top$ has a $1$ where two positions hold the same token, and $0$ elsewhere ({doc}`mlps-cannot`, {doc}`transformer-kernel`).

$k$
`length`
  The length of a template and of its strings; in the kernel's formulas [CLS] counts ({doc}`transformer-kernel`).

$w$
  The number of different wildcards of a template ({doc}`learning-from-n`). The trained last layer of the theory's network is also called $w$ ({doc}`transformer-kernel`).

$r$
  The number of templates of a task ({doc}`template-matrix`, {doc}`diverse-data`).

$R$
  The number of {term}`regular tokens <regular token>` of a random task ({doc}`diverse-data`). With an index, $R_i$ says which position of template $i$ holds which of them ({doc}`template-matrix`).

$m$
  The number of symbols that strings are drawn from ({doc}`transformer-kernel`, {doc}`learning-from-n`). In {doc}`why-copying-fails` it is the number of unseen symbols.

$n$
  The number of training strings. Unless a page says otherwise it is also the number of training symbols ({doc}`same-different`).

$f^*(z)$
  The label of the template $z$ ({doc}`same-different`). $f$ is what a network answers, $\hat f$ what kernel ridge regression does.

$\sigma$
  The standard deviation of the noise in training labels ({doc}`learning-from-n`); $0$ unless said.

$\mu_{\text{tmplt}}$
  The law by which a task draws its templates. In this book they are equally likely, except where the numbers of a counting task are ({doc}`harder-relations`).

$\rho$
diversity
  The diversity of the training data: $1/\rho$ is the largest probability that any one symbol occurs in a string. For symbols drawn uniformly from $m$ and $w$ wildcards, $\rho = m/w$ ({doc}`learning-from-n`).
```

## Symbols: the theory's transformer and its kernel

```{glossary}
$\beta$
`beta`
  The inverse temperature of attention: the factor of the logits in the theory's transformer. At $\beta = 0$ attention is even ({doc}`transformer-kernel`).

$\gamma$
`gamma`
  The strength of the positions' vectors against the tokens' ({doc}`transformer-kernel`).

$\varphi$
`activation`
  The activation of the theory's MLP, $\varphi(t) = \cos(b_1 t + b_2)$ unless said ({doc}`transformer-kernel`).

$b_1, b_2$
`b1`, `b2`
  Frequency and phase of the activation $\cos(b_1 t + b_2)$ ({doc}`transformer-kernel`). They have nothing to do with the identity parameter $b$.

$K_{\text{attn}}$
attention kernel
  The attention kernel: the inner product of two strings' attention outputs, in the limit of infinite width. A mean over Gaussian logits, computed by quadrature ({prf:ref}`transformer-kernel-definition`).

$K_{\text{trans}}$
transformer's kernel
  The kernel of the whole transformer, MLP included, in the same limit; $K$ where no other is meant ({prf:ref}`transformer-kernel-definition`).

$\lambda$
`ridge`
  The ridge: the penalty on the squared length of the trained last layer, added to the diagonal of the Gram matrix ({doc}`kernel-to-network`). Among the repairs of copying, $\lambda$ is the weight decay ({doc}`which-repair`).

$N$
template matrix
  The $r \times r$ matrix $N_{ij} = K(x, y)$ for a string $x$ of template $i$ and a string $y$ of template $j$ that have no substituted symbol in common, not even for $i = j$. All that the kernel knows about unseen symbols ({prf:ref}`template-matrix-decides`).

$\nu$
smallest eigenvalue
  The smallest eigenvalue of the template matrix. The smaller it is, the more strings learning can need, and the wider a network ({doc}`template-matrix`, {doc}`kernel-to-network`).

$D$
  What a string does not share with its template: $D = \lambda + K(x, x) - N_{ii}$ in {doc}`template-matrix` and {doc}`learning-from-n`, the same without $\lambda$ in {doc}`kernel-to-network`.

$\kappa_{ij}, \Delta_{ij}$
traces of templates
  $\kappa_{ij}$ is $K_{\text{attn}}$ for strings of templates $i$ and $j$ without a symbol in common: an inner product of two points, the templates' traces. $\Delta_{ij}$ is the squared distance of these points ({doc}`template-matrix`).

$\hat w_M$
  The part of the kernel that is due to a matching $M$ of two strings' wildcards and to none of its parts ({doc}`learning-from-n`).

$\tau$
  $\sum_i (1 + \lambda) / n_i + r w / \rho$: in the bound on the error of kernel ridge regression, what the numbers $n_i$ of each template's strings and the diversity $\rho$ contribute ({doc}`learning-from-n`).
```

## Symbols: networks and their training

```{glossary}
$d_{\text{emb}}$
`d_emb`
  The embedding dimension: how many numbers a token's vector has; 128 unless said ({doc}`same-different`).

$d_{\text{head}}$
`d_head`
  The dimension of a head's queries, keys and values; 64 unless said ({doc}`same-different`).

$d_{\text{mlp}}$
`d_mlp`
  The width of the MLP inside a block; 256 in the experiments ({doc}`same-different`), the number of features of the theory's network ({doc}`transformer-kernel`).

$H$
`heads`
  The number of attention heads; an index $h$ names one of them.

$W_K W_Q^\top$
  The matrix by which a head compares two positions, in the paper's order of the factors. Random at the start, so equal symbols are nothing special to it ({doc}`same-different`).

$W_V W_O^\top$
  The matrix that takes what a head attends to into its output, in the paper's order of the factors ({doc}`same-different`, {doc}`why-copying-fails`).

$a$
  The identity parameter of attention: one trained number in every head, $0$ at the start, with $W_K W_Q^\top + aI$ in the place of $W_K W_Q^\top$. Equal symbols then attend to each other, whatever they are ({prf:ref}`scalar-a`).

$b$
  The identity parameter of the values: one trained number in every head, $0$ at the start, with $W_V W_O^\top + bI$ in the place of $W_V W_O^\top$. It hands on the attended symbols themselves ({prf:ref}`copy-repaired`).

$c_{KQ}, c_{VO}$
`c_kq`, `c_vo`
  Fixed multipliers of $a$ and $b$, which set their effective learning rates: 100 in the experiments ({doc}`same-different`), the heads' own scale and 1 in language models ({doc}`perplexity`).

$E$
  The matrix of the token embeddings $e_t$, in the chapters on copying ({doc}`why-copying-fails`). In the chapters on ridge regression, what the Gram matrix has beside the template matrix's blocks ({doc}`template-matrix`).

$R_\theta$
progress ratio
  How much the loss on unseen symbols falls while the training loss falls by 1, when the parameter $\theta$ alone follows its gradient ({doc}`why-copying-fails`).

$n_{50}$
half-point
  The $n$ from which the mean test loss (of symbolic tasks: the mean test error) stays below one half, on a line drawn between neighbouring points in $\log n$. The number by which curves are compared ({doc}`same-different`).
```

## Words: tasks

```{glossary}
:sorted:

alphabet
  The set of tokens that a sample's strings draw their symbols from. The alphabets for training, validation and test have no token in common ({doc}`same-different`).

token
symbol
  What a string is made of. We say *symbol* for a token that stands in a wildcard's place.

wildcard
  A place-holder in a template, written as a lowercase Greek letter. Equal wildcards are replaced by equal symbols, different wildcards by different ones ({prf:ref}`template-task`).

regular token
  A character of a template that stands for itself, such as `=` in a program. It is the same in training and in the test ({doc}`two-parameters`).

template
  A string of wildcards and regular tokens, such as `αβα` or `α=1;print(α)`: the pattern behind a string ({prf:ref}`template-task`).

substitution
substitution map
  A map that puts a different symbol in the place of each wildcard of a template ({prf:ref}`template-task`).

disjoint templates
  Templates of which no two have a string in common. `αα` and `αβ` are disjoint; `αβ` and `βα` are not, for they differ only in the names of their wildcards. A template task needs disjoint templates ({doc}`same-different`).

template task
  A law of strings with labels: draw a template, draw a substitution, show the string, ask for the template's label ({prf:ref}`template-task`).

real label
  A label that is a number, such as $\pm 1$. Networks are then trained with the squared loss, and a loss of 1 is chance if the labels are $\pm 1$, equally often ({doc}`same-different`).

symbolic label
  A label that is a token: the symbol in a wildcard's place, as in copying `α` → `α`, or a regular token. Networks answer with a logit for every token and are trained with the cross-entropy ({doc}`why-copying-fails`).

copying
  The task `α` → `α`: read a symbol, answer with the same symbol ({doc}`why-copying-fails`).

unseen symbol
  A symbol that occurs in no training string ({doc}`same-different`).

generalisation on unseen symbols
GOTU
  To answer correctly on strings whose wildcards are replaced by symbols that occur in no training string. The paper also calls this test GOTU, *generalisation on the unseen* ({doc}`same-different`).

chance
  The loss or error of the best answer that does not look at the string: with labels $\pm1$, equally likely, a squared loss of 1 ({doc}`same-different`).

test loss
test error
  The mean loss, and the share of wrong answers, on strings of unseen symbols. Figures show them at the epoch with the lowest loss on a validation set, of yet other symbols ({doc}`same-different`).
```

## Words: networks and kernels

```{glossary}
:sorted:

[CLS]
  A token that is appended to every string and occurs nowhere else. The network's answer is read at its position ({doc}`transformer-kernel`).

fully-connected network
MLP
  A network that reads the one-hot vectors of all positions, one after the other, through layers of weights without attention ({doc}`mlps-cannot`).

identity parameters
  The trained numbers $a$ and $b$ of every head, which add $aI$ to $W_K W_Q^\top$ and $bI$ to $W_V W_O^\top$ ({prf:ref}`identity-parameters`).

modified transformer
  The transformer with both identity parameters in every head ({doc}`same-different`).

plain transformer
  The experiments' transformer without identity parameters ({doc}`same-different`).

tied embeddings
  One matrix of token vectors that both reads symbols in and gives the logits of the answer ({doc}`why-copying-fails`).

Gram matrix
  The matrix of the kernel's values for all pairs of training strings ({doc}`transformer-kernel`).

kernel ridge regression
  Regression with a kernel and a ridge $\lambda$: what training the last layer of an infinitely wide network amounts to ({prf:ref}`last-layer-theorem`).

pointer head
  A variant of ours that adds each position's attention to the logit of the token that stands there ({doc}`which-repair`).

mimetic initialisation
  To start every head with $W_Q^\top W_K$ near a multiple of the identity, with no parameter added ({doc}`two-parameters`).

inverse scaling
  That larger models do worse: the larger the embedding, the more symbols plain copying needs ({doc}`inverse-scaling`).

perplexity
  The exponential of the mean loss per token on a test text. Lower is better ({doc}`perplexity`).
```

## Words: evidence

```{glossary}
:sorted:

claim
  A sentence that can be wrong, with its measure and its two tolerances, written down and in most cases before it was measured ({doc}`claims`).

verdict
  What became of a claim: held, held in part, not held, undecided or not run ({doc}`claims`).

held
  Verdict on a claim whose whole interval lies within the first tolerance: for $n_{50}$ a factor 2 of the published value. A claim that one thing is lower than another needs $p < 0.01$.

held in part
  Verdict on a claim whose whole interval misses the first tolerance and is within the second: for $n_{50}$ a factor 4 of the published value.

not held
  Verdict on a claim whose whole interval is outside both tolerances. That is a finding, and the chapter says what is known of the reason ({doc}`not-reproduced`).

undecided
  Verdict on a claim whose interval reaches over the edge of a tolerance, or whose test had too few seeds to find a difference ({doc}`claims`).

not run
  Verdict on a claim for which runs are missing ({doc}`status`).

live check
  A cell that repeats a few committed runs while the book is built, and stops the build if a number differs from its row by more than a stated tolerance ({doc}`same-different`).

row
run
  A run is one training or measurement with all its settings and its seed. Its row, in a file of `book/results`, holds the settings, the numbers, the seconds, the device and the version of the code ({doc}`status`).

seed
  The number that decides all random draws of a run: its strings, its initial weights, the order of its batches. Curves are means over seeds.

band
  The shaded strip around a curve of ours: the mean plus and minus one standard error over seeds.

interval
  A 95% interval for a number computed from runs. For a mean over seeds it is Student's. For $n_{50}$ the seeds are weighed at random, many times, and the number is computed each time ({doc}`claims`).

published curve
  A curve of the paper, read off its figure. It lies behind ours, in grey.

protocol
  The settings by which all networks are trained unless a page says otherwise. They are ours, for not all of the paper's are public ({doc}`same-different`).

quick and full
profile
  The two ways to execute a chapter: *quick* draws it from the committed rows and repeats a few of them; *full* performs all its runs anew ({doc}`same-different`).
```
"""

# %% tags=["remove-cell", "parameters"]
profile = "quick"
