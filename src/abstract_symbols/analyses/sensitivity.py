"""Analyses of the chapter "How sensitive is it?": best learning rates, plateaus, and how runs end."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from companion import figures
from companion.experiments import experiment
from companion.published import published
from companion.summaries import best_by_series, n50_beside_published, summary

PAPER, OURS = "the paper", "ours"
STOP = 2e-3  # the training loss at which our runs stop
LEAST_LOSS = 5e-5  # the paper's losses are read to four decimals: smaller ones are drawn here
TRAIN_N = (16, 128, 512, 1024, 2048)
DEFAULTS = {  # experiments that contain the default setting, n = 1024 and learning rate 0.001 → its series and x
    "lr-n": ("lr = 0.001", 1024), "lr-depth-1024": ("depth = 2", 0.001), "lr-heads-1024": ("heads = 16", 0.001),
    "lr-dimension-1024": ("d = 128", 0.001),
}
OUR_FORMATS = {"ours": "g", "our loss": ".2f"}  # of tables of best rates
BOTH_FORMATS = {"paper": "g", "paper loss": ".2f", **OUR_FORMATS}


def traces_picture(traces: Mapping[float, np.ndarray]) -> tuple[Figure, str]:
    """Returns training losses against epochs, and the text alternative.

    Args:
        traces: learning rate → a history of `ensembles.train`, (epochs, 4).
    """
    figure, ax = plt.subplots()
    for (lr, trace), marker in zip(traces.items(), figures.MARKERS, strict=False):
        ax.plot(trace[:, 0], trace[:, 1], marker=marker, markevery=6, label=f"learning rate {lr:g}")
    ax.axhline(2e-3, color="0.5", linestyle=":", label="training stops here")
    ax.set(xlabel="epochs (one step each)", ylabel="training loss", yscale="log")
    figures.legend(figure)
    told = " ".join(f"{lr:g}: {trace[-1, 1]:.1g} after {len(trace)} epochs." for lr, trace in traces.items())
    return figure, f"Training loss against epochs for {len(traces)} learning rates. {told}"


def training_losses(rows: pd.DataFrame) -> pd.DataFrame:
    """Returns the paper's least training losses and those at the end of our runs, means over seeds.

    Args:
        rows: of n-lr.
    Returns:
        whose ("the paper" or "ours"), n of `TRAIN_N`, lr, loss.
    """
    ours = summary("n-lr", rows, "train_loss").rename(columns={"mean": "loss"})
    tables = []
    for n in TRAIN_N:
        theirs = published("n-lr", f"n = {n}", "transformer_lr_n_2_train").rename(columns={"x": "lr", "y": "loss"})
        tables += [theirs.assign(whose=PAPER, n=n), ours[ours["series"] == f"n = {n}"].assign(whose=OURS, n=n)]
    return pd.concat(tables, ignore_index=True)[["whose", "n", "lr", "loss"]]


def training_losses_picture(table: pd.DataFrame) -> tuple[Figure, str]:
    """Returns `training_losses` against the learning rate, the paper's and ours side by side, and the alternative."""
    figure, axes = plt.subplots(1, 2, sharex=True, sharey=True, figsize=(6.0, 3.9))
    colors = dict(zip(TRAIN_N, figures.ordered_colors(len(TRAIN_N)), strict=True))
    titles = {PAPER: "the paper: least in 1,000 epochs", OURS: "ours: when training stops"}
    for ax, (whose, title) in zip(axes, titles.items(), strict=True):
        for (n, mine), marker in zip(table[table["whose"] == whose].groupby("n"), figures.MARKERS, strict=False):
            ax.plot(mine["lr"], mine["loss"].clip(lower=LEAST_LOSS), marker=marker, color=colors[n], label=f"n = {n}")
        ax.axhline(STOP, color="0.3", linestyle=":", label="our stop")
        ax.set_title(title, fontsize=10)
        ax.set(xscale="log", yscale="log", xlabel="learning rate")
    axes[0].set_ylabel("training loss")
    figures.legend(figure, *axes[0].get_legend_handles_labels(), ncols=3)
    ends = table.groupby("whose")["loss"].agg(["min", "max"])
    told = " ".join(f"{whose}: {ends.loc[whose, 'min']:.1g} to {ends.loc[whose, 'max']:.1g}." for whose in titles)
    return figure, f"Two charts of training loss against learning rate, for {len(TRAIN_N)} n. {told}"


@dataclass(frozen=True)
class TrainingLosses:
    """How the paper's training losses and ours compare, at the learning rates below 0.1 and n that both have.

    Attributes:
        settings: the number of pairs of a learning rate and an n.
        paper_above, ours_above: in how many the mean loss is above `STOP`.
        within: in how many the two are within a factor 2.
        paper_least, paper_most, ours_least, ours_most: the ends of the losses.
        runs: the number of our runs where the paper's mean loss is above `STOP`.
        fitted: of these, the number that got below it.
        fewest, most: the ends of the epochs that these took.
    """

    settings: int
    paper_above: int
    ours_above: int
    within: int
    paper_least: float
    paper_most: float
    ours_least: float
    ours_most: float
    runs: int
    fitted: int
    fewest: int
    most: int


def training_numbers(rows: pd.DataFrame) -> TrainingLosses:
    """Returns how far the training losses of the paper and ours are apart.

    Args:
        rows: of n-lr.
    """
    table = training_losses(rows).pivot(index=["n", "lr"], columns="whose", values="loss").dropna().reset_index()
    both = table[table["lr"] < 0.1]
    theirs, ours = both[PAPER], both[OURS]
    near = (ours <= 2 * theirs) & (theirs <= 2 * ours)
    runs = both[theirs > STOP].merge(rows, on=["n", "lr"])
    epochs = runs.loc[runs["train_loss"] < STOP, "epochs_run"]
    return TrainingLosses(len(both), int((theirs > STOP).sum()), int((ours > STOP).sum()), int(near.sum()),
                          theirs.min(), theirs.max(), ours.min(), ours.max(), len(runs), len(epochs), int(epochs.min()),
                          int(epochs.max()))


def loss_grids(name: str, rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Returns the paper's mean test losses and ours, learning rates (large ones above) by n, NaN where there is none.

    Args:
        name: an experiment over n whose series are learning rates.
        rows: of it.
    """
    e = experiment(name)
    rates = {series: options["lr"] for series, options in e.series.items()}
    columns = pd.Index(e.grid["n"], name="n")
    paper = {s: published(name, s).set_index("x")["y"].reindex(columns) for s in rates}
    ours = {s: curve.set_index("n")["mean"] for s, curve in summary(name, rows).groupby("series")}
    grids = {}
    for title, curves in ((PAPER, paper), (OURS, ours)):
        table = pd.DataFrame({lr: curves.get(s, pd.Series(dtype=float)) for s, lr in rates.items()}, index=columns)
        table = table.T.sort_index(ascending=False).astype(float)
        grids[title] = table.set_axis(pd.Index([f"{lr:g}" for lr in table.index], name="learning rate"))
    return grids


def grids_picture(grids: Mapping[str, pd.DataFrame]) -> tuple[Figure, str]:
    """Returns `loss_grids` as heat maps, and in words how many cells there are and how many below one half."""
    told = " ".join(f"{title}: loss below one half in {(table < 0.5).sum().sum()} of {table.notna().sum().sum()} cells "
                    "measured." for title, table in grids.items())
    return (figures.grids(grids, limits=(0.0, 1.0), label="test loss on unseen symbols"),
            f"Two heat maps, learning rate by n. {told}")


def plateaus(grids: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Returns which learning rates have a mean test loss below one half at each n, by the paper and by us.

    Args:
        grids: of `loss_grids`.
    Returns:
        n, and a column per grid: "0.0003 to 0.003", a single rate, "none", or None where not all rates are measured.
    """
    columns = {title: [span(table.index[table[n] < 0.5]) if table[n].notna().all() else None for n in table]
               for title, table in grids.items()}
    return pd.DataFrame({"n": next(iter(grids.values())).columns, **columns})


def span(rates: Iterable[str | float]) -> str:
    """Returns rates in words: the least to the greatest, or the only one, or none."""
    values = sorted(map(float, rates))
    if not values:
        return "none"
    return f"{values[0]:g}" if len(values) == 1 else f"{values[0]:g} to {values[-1]:g}"


def papers_plateaus(name: str) -> dict[str, str]:
    """Returns series → the learning rates at which the paper's loss is below one half, in words (see `span`)."""
    curves = {series: published(name, series) for series in experiment(name).series}
    return {series: span(curve["x"][curve["y"] < 0.5]) for series, curve in curves.items()}


def best_rates(name: str, rows: pd.DataFrame) -> pd.DataFrame:
    """Returns the learning rate with the least mean test loss of each series.

    Args:
        name: an experiment over learning rates.
        rows: of it.
    Returns:
        series; paper and paper loss, if the paper has curves: its best rate and its loss there; ours and our loss, NaN
        where a rate or a seed is missing.
    """
    e, best = experiment(name), best_by_series(name, rows).set_index("series")
    found = []
    for series in e.series:
        curve, line = published(name, series), {"series": series}
        if len(curve):
            least = curve.loc[curve["y"].idxmin()]
            line |= {"paper": least["x"], "paper loss": least["y"]}
        complete = (rows["series"] == series).sum() == e.count([series])
        mine = best.loc[series] if complete else {}
        found.append({**line, "ours": mine.get("lr", np.nan), "our loss": mine.get("mean", np.nan)})
    return pd.DataFrame(found)


def outcomes(name: str, rows: pd.DataFrame) -> pd.DataFrame:
    """Returns how the runs of each series ended.

    Args:
        name: the experiment.
        rows: of it.
    Returns:
        A row per series that has runs: series; runs, their number; unfitted, how many did not reach the training loss
        at which training stops; above and below, of the others, how many have a test loss above one half or below it;
        epochs, the median number.
    """
    fitted, low = rows["train_loss"] < rows["stop"], rows["test_loss"] < 0.5
    groups = rows.assign(unfitted=~fitted, above=fitted & ~low, below=fitted & low).groupby("series")
    table = groups.agg(runs=("n", "size"), unfitted=("unfitted", "sum"), above=("above", "sum"), below=("below", "sum"),
                       epochs=("epochs_run", "median"))
    return table.reindex([s for s in experiment(name).series if s in table.index]).reset_index()


@dataclass(frozen=True)
class Batches:
    """n₅₀ by the size of batches.

    Attributes:
        paper_full: the paper's with batches of 1,024, at these n all strings at once.
        paper_least, paper_most: the ends of the paper's with smaller batches.
        batch_8, batch_1024: ours.
        ratio_least, ratio_most: the ends of ours over the paper's, of all sizes.
    """

    paper_full: float
    paper_least: float
    paper_most: float
    batch_8: float
    batch_1024: float
    ratio_least: float
    ratio_most: float


def batches(rows: pd.DataFrame) -> Batches:
    """Returns n₅₀ by the size of batches.

    Args:
        rows: of batch-n.
    """
    halves = n50_beside_published("batch-n", rows).set_index("series")
    full, small, ratio = halves.loc["batch 1024"], halves["paper"].drop("batch 1024"), halves["ratio"]
    return Batches(full["paper"], small.min(), small.max(), halves["n50"]["batch 8"], full["n50"], ratio.min(),
                   ratio.max())


@dataclass(frozen=True)
class Seconds:
    """The median seconds of runs on a CPU core that fit their training strings, and of those that do not."""

    fitted: float
    unfitted: float


def seconds_per_run(rows: pd.DataFrame) -> Seconds:
    """Returns how long a run on a CPU core takes."""
    on_core = rows[rows["device"] == "cpu"].drop_duplicates("key")
    fitted = on_core["train_loss"] < on_core["stop"]
    return Seconds(float(on_core["seconds"][fitted].median()), float(on_core["seconds"][~fitted].median()))


def default_losses() -> pd.DataFrame:
    """Returns the paper's loss for the default setting in each of its figures that contains it: figure, loss."""
    losses = {name: published(name, series).set_index("x")["y"][x] for name, (series, x) in DEFAULTS.items()}
    return pd.DataFrame({"figure": [experiment(name).title for name in losses], "loss": list(losses.values())})
