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

*Every public function and class, made from its docstring: a page per module, with links to the source.*

`abstract_symbols` is the science.
`companion` is the method, which any paper's companion could stand on.
Names in the text of the chapters link to these pages.
A paragraph *Source* says where in the paper, or in this book, a thing comes from; the symbols are explained in {doc}`notation`.

## What most readers need

These can be imported from the package itself: `from abstract_symbols import Template`.
All others are imported from their module.

```{names}
abstract_symbols.templates.Template
abstract_symbols.templates.TemplateTask
abstract_symbols.templates.Sample
abstract_symbols.networks.Transformer
abstract_symbols.networks.MLP
abstract_symbols.kernels.transformer.TransformerKernel
abstract_symbols.kernels.finite.FiniteTransformer
abstract_symbols.kernels.ridge.KernelRidge
abstract_symbols.kernels.template_matrix.template_matrix
```

With these a chapter, an experiment, a kind of run and a measure are written:

```{names}
companion.report.chapter.Chapter
companion.experiments.Experiment
companion.runs.Job
companion.measures.measure
abstract_symbols.runs.training.Run
```

## Tasks and samples

```{modules}
abstract_symbols.templates
abstract_symbols.tasks
abstract_symbols.checks
abstract_symbols.pictures
```

## Networks and training

```{modules}
abstract_symbols.networks
abstract_symbols.ensembles
abstract_symbols.copying
```

## The kernel

```{modules}
abstract_symbols.kernels
```

## Language models

```{modules}
abstract_symbols.language
```

## Kinds of runs

```{modules}
abstract_symbols.runs
```

## Experiments

```{modules}
abstract_symbols.experiments
```

## What chapters compute

```{modules}
abstract_symbols.analyses
```

## The method: runs, grids, rows

```{modules}
companion.paths
companion.runs
companion.experiments
companion.results
companion.published
companion.sweeps
companion.cli
```

## The method: numbers and claims

```{modules}
companion.statistics
companion.summaries
companion.measures
companion.claims
companion.formats
```

## The method: figures

```{modules}
companion.figures
```

## The method: pages

```{modules}
companion.report
```
"""

# %% tags=["remove-cell", "parameters"]
profile = "quick"
