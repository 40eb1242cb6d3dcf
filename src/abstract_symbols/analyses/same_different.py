"""Analyses of the chapter "Same or different?"."""

from dataclasses import dataclass

import pandas as pd
import torch

from ..ensembles import Member


@dataclass(frozen=True)
class LongerTraining:
    """What training on to a smaller loss changes.

    Attributes:
        table: network, n, seeds, the mean test losses at both stops, their difference, the epochs; a row per point.
        largest: the largest mean difference in size.
    """

    table: pd.DataFrame
    largest: float


def longer_training(rows: pd.DataFrame, longer: pd.DataFrame) -> LongerTraining:
    """Returns how test losses change when runs of the same seeds are trained to a smaller training loss.

    Args:
        rows: of runs with the protocol's stop.
        longer: of runs with a smaller one.
    Raises:
        ValueError: no run of one series, n and seed is in both.
    """
    pairs = rows.merge(longer, on=["series", "n", "seed"], suffixes=("", "_longer"))
    if pairs.empty:
        raise ValueError("no run of one series, n and seed is in both tables")
    pairs["difference"] = pairs["test_loss_longer"] - pairs["test_loss"]
    stop, lower = pairs["stop"].iloc[0], pairs["stop_longer"].iloc[0]
    groups = pairs.groupby(["series", "n"], sort=False)
    table = pd.DataFrame([
        {"network": series, "n": n, "seeds": len(group), f"stop at {stop:g}": f"{group['test_loss'].mean():.3f}",
         f"stop at {lower:g}": f"{group['test_loss_longer'].mean():.3f}",
         "difference": f"{group['difference'].mean():+.3f} ± {group['difference'].sem():.3f}",
         "epochs": f"{group['epochs_run'].mean():.0f} → {group['epochs_run_longer'].mean():.0f}"}
        for (series, n), group in groups])
    return LongerTraining(table, float(groups["difference"].mean().abs().max()))


@torch.no_grad()
def answers(member: Member) -> pd.DataFrame:
    """Returns a trained network's answers to its test strings: template and answer, a row per string.

    Args:
        member: on the CPU, as `ensembles.train` leaves it.
    """
    test = member.test
    patterns = [test.task.templates[i].pattern for i in test.templates]
    return pd.DataFrame({"template": patterns, "answer": member.network(test.tokens).numpy()})


def answers_alt(table: pd.DataFrame) -> str:
    """Returns the text alternative of a picture of answers: each template's mean."""
    means = table.groupby("template", sort=False)["answer"].mean()
    return "Mean answers to unseen strings: " + ", ".join(f"{z} {mean:.2f}" for z, mean in means.items()) + "."
