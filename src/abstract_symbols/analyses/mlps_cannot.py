"""Analyses of the chapter "Why fully-connected networks cannot": twins, output distributions, the repaired network."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import torch
from torch import nn

from companion.published import published
from companion.summaries import summary

from ..ensembles import Member

FORMATS = {"median p": ".2g", "largest distance, mean": ".3f", "standard deviation of outputs": ".3f",
           "test loss, mean": ".4f", "test loss, smallest": ".4f"}  # of the table that `rejections` gives


def first_layer_alt(moved: torch.Tensor, seen: int) -> str:
    """Returns the text alternative of a picture of how far training moved the first layer's columns (k, vocab)."""
    left, vocab = int((moved[:, :seen] > 0).sum()), moved.shape[1]
    right = int((moved[:, seen:] > 0).sum())
    return (f"Three strips of cells, a row per position, a column per symbol; a line parts {seen} training symbols "
            f"from {vocab - seen} unseen ones. A training string has one dark cell in each row left of the line, a "
            f"test string right of it. Training has moved {left} of {seen * len(moved)} columns left of the line, and "
            f"{right or 'none'} right of it.")


@torch.no_grad()
def answers_to_pairs(networks: Mapping[str, nn.Module], u: int, v: int) -> pd.DataFrame:
    """Returns networks' answers to the four strings of the symbols U and V: string, then a column per network."""
    pairs = {"UU (αα)": (u, u), "UV (αβ)": (u, v), "VU (αβ)": (v, u), "VV (αα)": (v, v)}
    strings = torch.tensor(list(pairs.values()))
    return pd.DataFrame({"string": list(pairs), **{title: network(strings).double().numpy()
                                                   for title, network in networks.items()}})


@torch.no_grad()
def twin_losses(networks: Mapping[str, nn.Module], u: int, v: int) -> dict[str, float]:
    """Returns networks' mean squared errors on the strings UU (label +1) and UV (label −1)."""
    strings, labels = torch.tensor([[u, u], [u, v]]), torch.tensor([1.0, -1.0])
    return {title: float(((network(strings) - labels) ** 2).mean()) for title, network in networks.items()}


def distributions_alt(outputs: Mapping[str, Mapping[str, np.ndarray]], distances: Mapping[str, float]) -> str:
    """Returns the text alternative of the distribution functions of outputs: network → template → outputs."""
    return "Distribution functions of the outputs on unseen strings αα and αβ. " + " ".join(
        f"{title}: largest distance {distances[title]:.2f}; means " + " and ".join(
            f"{values.mean():.2f} for {template}" for template, values in mine.items()) + "."
        for title, mine in outputs.items())


def rejections(rows: pd.DataFrame) -> pd.DataFrame:
    """Returns what the two-sample tests say, a row per network and n.

    Args:
        rows: of `runs.distributions.OutputDistributionRun`.
    Returns:
        network, n, runs, p < 0.01 (number of runs), median p, mean largest distance, mean standard deviation of the
        outputs, mean and smallest test loss.
    """
    groups = rows.groupby(["series", "n"])
    return pd.DataFrame([
        {"network": series, "n": n, "runs": len(group), "p < 0.01": int((group["p_value"] < 0.01).sum()),
         "median p": group["p_value"].median(), "largest distance, mean": group["statistic"].mean(),
         "standard deviation of outputs": group["spread"].mean(), "test loss, mean": group["test_loss"].mean(),
         "test loss, smallest": group["test_loss"].min()}
        for (series, n), group in groups])


def rejections_alt(table: pd.DataFrame) -> str:
    """Returns the text alternative of the p-values' distribution functions, from the table of `rejections`."""
    counts = [f"{r['network']} at n = {r['n']}: {r['p < 0.01']} of {r['runs']}" for r in table.to_dict("records")]
    return f"Distribution functions of the runs' p-values. Runs with p below 0.01: {'; '.join(counts)}."


def repaired_curves(rows: pd.DataFrame) -> pd.DataFrame:
    """Returns the curves of the network that is given XXᵀ, at all n that the paper has: n, paper, last epoch, best.

    Args:
        rows: of the experiment `mlp-gram`.
    """
    series = "Fully-connected + XXᵀ"
    mine = rows[rows["series"] == series]
    best, last = (summary("mlp-gram", mine, metric).set_index("n")["mean"]
                  for metric in ("test_loss", "final_test_loss"))
    paper = published("mlp-gram", series).set_index("x")["y"]
    table = pd.DataFrame({"paper": paper, "ours, last epoch": last, "ours, best validation": best}).dropna()
    return table.rename_axis("n").reset_index().astype({"n": int})


@torch.no_grad()
def training_means(member: Member) -> list[float]:
    """Returns a trained network's mean answer to the training strings of each template."""
    fitted = member.network(member.train.tokens)
    return [float(fitted[member.train.templates == i].mean()) for i in range(len(member.train.task.templates))]
