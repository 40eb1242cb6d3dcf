"""The paper's own curves, as digitised: book/published/NAME.csv with series, x, y, y_low, y_high."""

from functools import cache
from pathlib import Path

import pandas as pd

from . import paths
from .experiments import experiment
from .statistics import n50

COLUMNS = ["x", "y", "y_low", "y_high"]


def published(name: str, series: str, figure: str | None = None) -> pd.DataFrame:
    """Returns the paper's curve behind an experiment's series: x, y, y_low, y_high; empty if there is none.

    Args:
        name: the experiment.
        series: one of its series.
        figure: another figure than the experiment's, with the same legend, such as that of the training losses.
    Raises:
        ValueError: an unknown experiment, or one that names a figure of which there is no file.
    """
    e = experiment(name)
    figure = figure or e.published
    if figure is None:
        return pd.DataFrame(columns=COLUMNS, dtype=float)
    path = paths.book() / "published" / f"{figure}.csv"
    if not path.exists():
        raise ValueError(f"experiment {name!r} names the published figure {figure!r}, but there is no {path}")
    return _curve(path, path.stat().st_mtime_ns, e.legend.get(series, series)).copy()


def published_n50(name: str, series: str) -> float:
    """Returns n₅₀ of the paper's mean curve behind an experiment's series.

    Raises:
        ValueError: a series that has no published curve.
    """
    curve = published(name, series)
    if curve.empty:
        known = [repr(s) for s in experiment(name).series if not published(name, s).empty]
        raise ValueError(f"experiment {name!r} has no published curve for series {series!r}; it has one for "
                         f"{', '.join(known) or 'none of its series'}")
    return float(n50(curve["x"].to_numpy(), curve["y"].to_numpy()))


@cache
def _curve(path: Path, changed: int, series: str) -> pd.DataFrame:
    curves = _read(path, changed)
    return curves[curves["series"] == series].sort_values("x", ignore_index=True)[COLUMNS]


@cache
def _read(path: Path, _: int) -> pd.DataFrame:
    return pd.read_csv(path)


def published_spread(names: tuple[str, str], series: str) -> pd.Series:
    """Returns how far two published curves of one setting are from each other in size, at every x that both have."""
    one, other = (published(name, series).set_index("x")["y"] for name in names)
    return (one - other).abs().dropna()
