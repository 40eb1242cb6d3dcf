"""The method of a companion to a paper: runs, grids, results files, sweeps, claims, figures and chapters.

It knows nothing of the paper. The project's `pyproject.toml` says, under `[tool.companion]`, which module holds its
grids of runs and where its book is. The paper's own science is another package, such as `abstract_symbols`.
"""
