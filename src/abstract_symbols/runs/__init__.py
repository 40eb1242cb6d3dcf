"""Kinds of runs: frozen dataclasses whose fields decide a number, so that grids of them are experiments."""
