# ---
# jupyter:
#   jupytext:
#     cell_markers: r"""
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
r"""
# The package, function by function

*Every public function and class, made from its docstring.
`abstract_symbols` is the science, `companion` the method, which any paper's companion could stand on.*

The names that most readers need can be imported from the package itself: `Template`, `TemplateTask`, `Sample`, `Transformer`, `MLP`, `TransformerKernel`, `FiniteTransformer`, `KernelRidge` and `template_matrix`.
All others are imported from their module.
Names in the text of the chapters link to this page.
A paragraph *Source* says where in the paper, or in this book, a thing comes from; the symbols are explained in {doc}`notation`.

## Tasks and samples

### `templates`

```{eval-rst}
.. automodule:: abstract_symbols.templates
   :members:
```

### `tasks`

```{eval-rst}
.. automodule:: abstract_symbols.tasks
   :members:
```

### `checks`

```{eval-rst}
.. automodule:: abstract_symbols.checks
   :members:
```

### `pictures`

```{eval-rst}
.. automodule:: abstract_symbols.pictures
   :members:
```

## Networks and training

### `networks`

```{eval-rst}
.. automodule:: abstract_symbols.networks
   :members:
```

### `ensembles`

```{eval-rst}
.. automodule:: abstract_symbols.ensembles
   :members:
```

### `copying`

```{eval-rst}
.. automodule:: abstract_symbols.copying
   :members:
```

## The kernel

### `kernels.protocol`

```{eval-rst}
.. automodule:: abstract_symbols.kernels.protocol
   :members:
```

### `kernels.patterns`

```{eval-rst}
.. automodule:: abstract_symbols.kernels.patterns
   :members:
```

### `kernels.sobol`

```{eval-rst}
.. automodule:: abstract_symbols.kernels.sobol
   :members:
```

### `kernels.lattice`

```{eval-rst}
.. automodule:: abstract_symbols.kernels.lattice
   :members:
```

### `kernels.activations`

```{eval-rst}
.. automodule:: abstract_symbols.kernels.activations
   :members:
```

### `kernels.transformer`

```{eval-rst}
.. automodule:: abstract_symbols.kernels.transformer
   :members:
```

### `kernels.finite`

```{eval-rst}
.. automodule:: abstract_symbols.kernels.finite
   :members:
```

### `kernels.matchings`

```{eval-rst}
.. automodule:: abstract_symbols.kernels.matchings
   :members:
```

### `kernels.template_matrix`

```{eval-rst}
.. automodule:: abstract_symbols.kernels.template_matrix
   :members:
```

### `kernels.prediction`

```{eval-rst}
.. automodule:: abstract_symbols.kernels.prediction
   :members:
```

### `kernels.separation`

```{eval-rst}
.. automodule:: abstract_symbols.kernels.separation
   :members:
```

### `kernels.expansion`

```{eval-rst}
.. automodule:: abstract_symbols.kernels.expansion
   :members:
```

### `kernels.wick`

```{eval-rst}
.. automodule:: abstract_symbols.kernels.wick
   :members:
```

### `kernels.ridge`

```{eval-rst}
.. automodule:: abstract_symbols.kernels.ridge
   :members:
```

### `kernels.gram_operator`

```{eval-rst}
.. automodule:: abstract_symbols.kernels.gram_operator
   :members:
```

## Language models

### `language.scalings`

```{eval-rst}
.. automodule:: abstract_symbols.language.scalings
   :members:
```

### `language.corpus`

```{eval-rst}
.. automodule:: abstract_symbols.language.corpus
   :members:
```

### `language.training`

```{eval-rst}
.. automodule:: abstract_symbols.language.training
   :members:
```

### `language.pretraining`

```{eval-rst}
.. automodule:: abstract_symbols.language.pretraining
   :members:
```

## Kinds of runs

### `runs.training`

```{eval-rst}
.. automodule:: abstract_symbols.runs.training
   :members:
```

### `runs.distributions`

```{eval-rst}
.. automodule:: abstract_symbols.runs.distributions
   :members:
```

### `runs.features`

```{eval-rst}
.. automodule:: abstract_symbols.runs.features
   :members:
```

### `runs.kernel`

```{eval-rst}
.. automodule:: abstract_symbols.runs.kernel
   :members:
```

### `runs.copying`

```{eval-rst}
.. automodule:: abstract_symbols.runs.copying
   :members:
```

### `runs.language`

```{eval-rst}
.. automodule:: abstract_symbols.runs.language
   :members:
```

## Experiments

### `experiments.common`

```{eval-rst}
.. automodule:: abstract_symbols.experiments.common
   :members:
```

## What chapters compute

### `analyses.same_different`

```{eval-rst}
.. automodule:: abstract_symbols.analyses.same_different
   :members:
```

### `analyses.mlps_cannot`

```{eval-rst}
.. automodule:: abstract_symbols.analyses.mlps_cannot
   :members:
```

### `analyses.transformer_kernel`

```{eval-rst}
.. automodule:: abstract_symbols.analyses.transformer_kernel
   :members:
```

### `analyses.template_matrix`

```{eval-rst}
.. automodule:: abstract_symbols.analyses.template_matrix
   :members:
```

### `analyses.learning_from_n`

```{eval-rst}
.. automodule:: abstract_symbols.analyses.learning_from_n
   :members:
```

### `analyses.kernel_to_network`

```{eval-rst}
.. automodule:: abstract_symbols.analyses.kernel_to_network
   :members:
```

### `analyses.two_parameters`

```{eval-rst}
.. automodule:: abstract_symbols.analyses.two_parameters
   :members:
```

### `analyses.harder_relations`

```{eval-rst}
.. automodule:: abstract_symbols.analyses.harder_relations
   :members:
```

### `analyses.why_copying_fails`

```{eval-rst}
.. automodule:: abstract_symbols.analyses.why_copying_fails
   :members:
```

### `analyses.inverse_scaling`

```{eval-rst}
.. automodule:: abstract_symbols.analyses.inverse_scaling
   :members:
```

### `analyses.symbolic_programs`

```{eval-rst}
.. automodule:: abstract_symbols.analyses.symbolic_programs
   :members:
```

### `analyses.which_repair`

```{eval-rst}
.. automodule:: abstract_symbols.analyses.which_repair
   :members:
```

### `analyses.diverse_data`

```{eval-rst}
.. automodule:: abstract_symbols.analyses.diverse_data
   :members:
```

### `analyses.sensitivity`

```{eval-rst}
.. automodule:: abstract_symbols.analyses.sensitivity
   :members:
```

### `analyses.perplexity`

```{eval-rst}
.. automodule:: abstract_symbols.analyses.perplexity
   :members:
```

### `analyses.identity_heads`

```{eval-rst}
.. automodule:: abstract_symbols.analyses.identity_heads
   :members:
```

### `analyses.pretraining`

```{eval-rst}
.. automodule:: abstract_symbols.analyses.pretraining
   :members:
```

## The method: runs, grids, rows

### `paths`

```{eval-rst}
.. automodule:: companion.paths
   :members:
```

### `runs`

```{eval-rst}
.. automodule:: companion.runs
   :members:
```

### `experiments`

```{eval-rst}
.. automodule:: companion.experiments
   :members:
```

### `results`

```{eval-rst}
.. automodule:: companion.results
   :members:
```

### `published`

```{eval-rst}
.. automodule:: companion.published
   :members:
```

### `sweeps`

```{eval-rst}
.. automodule:: companion.sweeps
   :members:
```

### `cli`

```{eval-rst}
.. automodule:: companion.cli
   :members:
```

## The method: numbers and claims

### `statistics`

```{eval-rst}
.. automodule:: companion.statistics
   :members:
```

### `summaries`

```{eval-rst}
.. automodule:: companion.summaries
   :members:
```

### `measures`

```{eval-rst}
.. automodule:: companion.measures
   :members:
```

### `claims`

```{eval-rst}
.. automodule:: companion.claims
   :members:
```

### `formats`

```{eval-rst}
.. automodule:: companion.formats
   :members:
```

## The method: figures

### `figures.style`

```{eval-rst}
.. automodule:: companion.figures.style
   :members:
```

### `figures.points`

```{eval-rst}
.. automodule:: companion.figures.points
   :members:
```

### `figures.curves`

```{eval-rst}
.. automodule:: companion.figures.curves
   :members:
```

### `figures.facets`

```{eval-rst}
.. automodule:: companion.figures.facets
   :members:
```

### `figures.heatmaps`

```{eval-rst}
.. automodule:: companion.figures.heatmaps
   :members:
```

### `figures.comparisons`

```{eval-rst}
.. automodule:: companion.figures.comparisons
   :members:
```

### `figures.alt`

```{eval-rst}
.. automodule:: companion.figures.alt
   :members:
```

## The method: pages

### `report.chapter`

```{eval-rst}
.. automodule:: companion.report.chapter
   :members:
```

### `report.tables`

```{eval-rst}
.. automodule:: companion.report.tables
   :members:
```

### `report.words`

```{eval-rst}
.. automodule:: companion.report.words
   :members:
```

### `report.scoreboard`

```{eval-rst}
.. automodule:: companion.report.scoreboard
   :members:
```

### `report.status`

```{eval-rst}
.. automodule:: companion.report.status
   :members:
```

### `report.verdicts`

```{eval-rst}
.. automodule:: companion.report.verdicts
   :members:
```

### `report.benchmarks`

```{eval-rst}
.. automodule:: companion.report.benchmarks
   :members:
```
"""

# %% tags=["remove-cell", "parameters"]
profile = "quick"
