"""Words of a report, made from rows: which rows there are, and what they took."""

import importlib.util

import pandas as pd

from .. import paths
from ..experiments import experiment
from ..formats import about, crossing, number, short, spread

__all__ = ["about", "command", "compute_time", "coverage", "crossing", "number", "short", "spread"]


def coverage(name: str, rows: pd.DataFrame) -> str:
    """Returns which rows a figure draws: their number, seeds, devices and PyTorch versions, in one sentence."""
    e = experiment(name)
    if rows.empty:
        return f"No run of {len(e.runs())} is done yet."
    seeds = rows.groupby(["series", *e.grid]).size()
    each = f"{seeds.min()} seeds" if seeds.min() == seeds.max() else f"{seeds.min()} to {seeds.max()} seeds"
    each = "1 seed" if seeds.max() == 1 else each
    return (f"{len(rows)} of {len(e.runs())} runs of results/{e.path().name}; {each} per point; "
            f"device: {', '.join(sorted(rows['device'].unique()))}; torch {', '.join(sorted(rows['torch'].unique()))}.")


def compute_time(rows: pd.DataFrame) -> str:
    """Returns the CPU time and the GPU time of these rows, as text; a GPU may have been shared by several processes."""
    seconds = rows.groupby(rows["device"].ne("cpu"))["seconds"].sum().to_dict()
    words = {on_gpu: f"{s / 3600:.1f} hours" if s >= 360 else f"{s / 60:.1f} minutes" for on_gpu, s in seconds.items()}
    told = [f"{words[False]} of a busy core"] if False in words else []
    if True in words:
        gpus = ", ".join(sorted(set(rows["device"]) - {"cpu"}))
        told.append(f"{words[True]} of processes that shared a GPU ({gpus})")
    return " and ".join(told) or "nothing yet"


def command() -> str:
    """Returns the project's command line: that of the package of its grids, or companion's own."""
    package, _, inside = paths.project().grids.partition(".")
    own = inside and importlib.util.find_spec(f"{package}.__main__")
    return f"python -m {package if own else 'companion'}"
