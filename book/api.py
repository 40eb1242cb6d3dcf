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

*Every public function and class of `abstract_symbols`, made from its docstring.*

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

## The kernel

### `kernels.attention`

```{eval-rst}
.. automodule:: abstract_symbols.kernels.attention
   :members:
```

### `kernels.transformer`

```{eval-rst}
.. automodule:: abstract_symbols.kernels.transformer
   :members:
```

### `kernels.template_matrix`

```{eval-rst}
.. automodule:: abstract_symbols.kernels.template_matrix
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

### `kernels.ridge`

```{eval-rst}
.. automodule:: abstract_symbols.kernels.ridge
   :members:
```

## Copying in theory

### `copying`

```{eval-rst}
.. automodule:: abstract_symbols.copying
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

## Runs, experiments and results

### `runs`

```{eval-rst}
.. automodule:: abstract_symbols.runs
   :members:
```

### `theory`

```{eval-rst}
.. automodule:: abstract_symbols.theory
   :members:
```

### `experiments`

```{eval-rst}
.. automodule:: abstract_symbols.experiments
   :members:
```

## Claims and figures

### `claims`

```{eval-rst}
.. automodule:: abstract_symbols.claims
   :members:
```

### `figures`

```{eval-rst}
.. automodule:: abstract_symbols.figures
   :members:
```

## Speed

### `bench`

```{eval-rst}
.. automodule:: abstract_symbols.bench
   :members:
```
"""

# %% tags=["remove-cell", "parameters"]
profile = "quick"
