"""Tables of a book's status page: what was run where, how much of each grid is done, how long the build took."""

import platform

import pandas as pd

from .. import paths
from ..experiments import experiments
from ..results import load
from ..runs import pick_device
from ..sweeps import progress, provenance


def build_times() -> pd.DataFrame:
    """Returns the seconds that each chapter took when it was executed last; empty before the first build."""
    timings = paths.build() / "timings.csv"
    if not timings.exists():
        return pd.DataFrame(columns=["chapter", "profile", "seconds", "finished (UTC)"])
    built = pd.read_csv(timings)
    finished = pd.to_datetime(built["finished"], utc=True).dt.strftime("%Y-%m-%d %H:%M")
    return built.assign(finished=finished).rename(columns={"finished": "finished (UTC)"})


def versions() -> pd.DataFrame:
    """Returns what this page was executed with."""
    import torch  # which pages without it need not wait for

    found = {"Python": platform.python_version(), "PyTorch": torch.__version__, "machine": platform.machine(),
             "device": provenance(pick_device("auto"))["device"]}
    return pd.DataFrame(found.items(), columns=["", "version"])


def coverage_table(by_series: bool = False) -> pd.DataFrame:
    """Returns the runs done of those that each grid asks for, with their hours and devices.

    Args:
        by_series: a row per series instead of one per experiment.
    """
    lines = []
    for name in experiments():
        rows, done = load(name), progress(name).done
        if by_series:
            lines += [{"experiment": name, "series": series, **_line(rows[rows["series"] == series], *counts)}
                      for series, counts in done.items()]
        else:
            finished, asked = (sum(counts) for counts in zip(*done.values(), strict=True))
            lines.append({"experiment": name, **_line(rows, finished, asked)})
    return pd.DataFrame(lines)


def _line(rows: pd.DataFrame, done: int, asked: int) -> dict[str, str]:
    return {"runs": f"{done} of {asked}", "hours": f"{rows['seconds'].sum() / 3600:.2f}",
            "devices": ", ".join(rows["device"].unique())}
