"""Analyses of the chapter "Harder relations": templates of a task, n₅₀ per template, losses at the largest n."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import pandas as pd
from matplotlib.figure import Figure

from companion import figures
from companion.formats import crossing
from companion.published import published, published_n50
from companion.summaries import n50_beside_published

from .. import pictures
from ..tasks import task

TASKS = ("same-different", "majority-4", "majority-6", "majority-8", "counting-5", "counting-7", "match-to-sample",
         "identity-rules", "distribution-of-three", "matrix")
MAJORITIES = ("majority", "majority-modified", "majority-pairs")  # the third has the runs of both
LENGTHS = (2, 4, 6, 8)
TWICE = {  # experiment and series → which network it is, and in which figure
    ("same-different", "Transformer"): ("plain", "same or different"),
    ("majority", "Length 2"): ("plain", "majority of two"),
    ("same-different", "Modified transformer"): ("modified", "same or different"),
    ("majority-modified", "Length 2"): ("modified", "majority of two"),
}
TWICE_FORMATS = {"ours": ".0f", "paper": ".0f"}
PUZZLES = ("Match to sample", "Identity rules", "Distribution of three", "3 × 3 matrix")
WITH_AB = "{} + a and b"
COUNTS = ("", "one", "two", "three", "four")
STRINGS_FORMATS = {"fewest strings per template": ".3g", "most strings per template": ".3g"}
_bound = partial(crossing, first=8, last=8192)  # the ends of the paper's curves on majorities
MAJORITIES_FORMATS = {"plain": _bound, "modified": _bound, "modified, strings per template": ".0f"}
PREDICTED_FORMATS = {"strings predicted": ",.0f", "n": ",.0f", "plain network's loss at this n": ".2f"}


def strings_per_template(names: Sequence[str], n: int) -> pd.DataFrame:
    """Returns how many of n training strings a template is expected to have, a row per task.

    Args:
        names: tasks, as `tasks.task` knows them.
        n: training strings.
    Returns:
        task, symbols (its length), templates (their number), fewest and most strings per template.
    """
    tasks = {name: task(name) for name in names}
    return pd.DataFrame([
        {"task": name, "symbols": t.length, "templates": len(t.templates),
         "fewest strings per template": n * min(t.probabilities), "most strings per template": n * max(t.probabilities)}
        for name, t in tasks.items()])


def task_picture(name: str, shape: Sequence[int], per_line: int = 4) -> tuple[Figure, str]:
    """Returns the templates of a task as coloured tiles, and the text alternative.

    Args:
        name: a task with numbers for labels, as `tasks.task` knows it.
        shape: the lengths of the rows into which each template is broken, all equal, at most four.
        per_line: templates side by side.
    """
    labels = {template: float(label) for template, label in task(name).labels.items()}
    rows = f"{COUNTS[len(shape)]} rows of " if len(shape) > 1 else ""
    what = f"Templates of {rows}{COUNTS[shape[0]]} symbols"
    groups = {value: [t for t, label in labels.items() if label == value] for value in dict.fromkeys(labels.values())}
    told = [f"Label {value:+g}: {', '.join(templates)}.".replace("-", "−") for value, templates in groups.items()]
    return pictures.templates_picture(labels, shape, per_line), f"{what}, as coloured tiles. {' '.join(told)}"


def majorities_picture(rows: Mapping[str, pd.DataFrame]) -> tuple[Figure, str]:
    """Returns learning curves on majorities, a panel per length, without a and b and with them, and the alternative.

    Args:
        rows: experiment of `MAJORITIES` → its rows.
    """
    lengths = [f"Length {k}" for k in LENGTHS]
    panels = {length.lower(): [length, WITH_AB.format(length)] for length in lengths}
    papers = {length: published("majority", length) for length in lengths}
    papers |= {WITH_AB.format(length): published("majority-modified", length) for length in lengths}
    *single, pairs = MAJORITIES
    figure = figures.facets(pairs, rows[pairs], panels, words=["plain", "modified"], papers=papers)
    return figure, " ".join(figures.alt_text(name, rows[name]) for name in single)


def published_majorities(lengths: Sequence[int] = LENGTHS) -> pd.DataFrame:
    """Returns where the paper's curves on majorities cross one half, without the identity parameters and with them.

    Returns:
        length, templates (their number), plain and modified (n₅₀; ∞ where a curve stays above one half), and n₅₀ of the
        modified transformer over the number of templates.
    """
    table = pd.DataFrame([
        {"length": k, "templates": 2 ** (k - 1), "plain": published_n50("majority", f"Length {k}"),
         "modified": published_n50("majority-modified", f"Length {k}")} for k in lengths])
    return table.assign(**{"modified, strings per template": table["modified"] / table["templates"]})


def same_task_twice(rows: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Returns n₅₀ of the majority of two symbols beside that of same or different, which is the same task.

    Args:
        rows: experiment of `TWICE` → its rows.
    Returns:
        network ("plain" or "modified"), figure, ours, paper.
    """
    lines = []
    for (name, series), (network, figure) in TWICE.items():
        found = n50_beside_published(name, rows[name]).set_index("series").loc[series]
        lines.append({"network": network, "figure": figure, "ours": found["n50"], "paper": found["paper"]})
    return pd.DataFrame(lines)


def puzzles_picture(rows: pd.DataFrame) -> tuple[Figure, str]:
    """Returns learning curves on the puzzles, a panel each, without a and b and with them, and the text alternative.

    Args:
        rows: of psychometric.
    """
    panels = {name: [name, WITH_AB.format(name)] for name in PUZZLES}
    figure = figures.facets("psychometric", rows, panels, words=["plain", "modified"])
    return figure, figures.alt_text("psychometric", rows)


@dataclass(frozen=True)
class PuzzleLosses:
    """Test losses on puzzles at the largest n.

    Attributes:
        three_mean, three_least, three_largest: over seeds, on the distribution of three.
        three_ab_mean, three_ab_least, three_ab_largest: of networks with a and b.
        others_least, others_largest: ends of the other series' means.
    """

    three_mean: float
    three_least: float
    three_largest: float
    three_ab_mean: float
    three_ab_least: float
    three_ab_largest: float
    others_least: float
    others_largest: float


def puzzle_losses(rows: pd.DataFrame) -> PuzzleLosses:
    """Returns the test losses on puzzles at the largest n of all rows.

    Args:
        rows: of psychometric.
    """
    last = rows[rows["n"] == rows["n"].max()].groupby("series")["test_loss"]
    three = "Distribution of three"
    three_ab = WITH_AB.format(three)
    mean, least, largest = last.mean(), last.min(), last.max()
    others = mean.drop([three, three_ab])
    return PuzzleLosses(mean[three], least[three], largest[three], mean[three_ab], least[three_ab], largest[three_ab],
                        others.min(), others.max())


def predicted_beside_losses(predicted: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Returns the strings that the template matrix predicts for some tasks beside the losses of trained networks.

    Args:
        predicted: rows of `runs.kernel.StringsRun`, one per series, a puzzle.
        rows: of runs of the same series over n.
    Returns:
        puzzle, strings predicted, n (the series' largest), plain network's loss at this n (its mean over seeds); the
        fewest strings predicted first.
    """
    means = rows.groupby(["series", "n"])["test_loss"].mean().reset_index()
    last = means.loc[means.groupby("series")["n"].idxmax()].rename(columns={"test_loss": "loss"})
    table = predicted[["series", "strings"]].merge(last, on="series")
    return table.sort_values("strings", ignore_index=True).rename(columns={
        "series": "puzzle", "strings": "strings predicted", "loss": "plain network's loss at this n"})


def words_picture(rows: pd.DataFrame) -> tuple[Figure, str]:
    """Returns learning curves of answers in words, and the text alternative: one half is chance there.

    Args:
        rows: of word-labels.
    """
    figure = figures.learning_curves("word-labels", rows, "test_error", "test error on unseen symbols")
    what = "test error against n, chance one half,"
    return figure, figures.scaling_alt("word-labels", rows, "test_error", what)


def first_below(rows: pd.DataFrame, level: float, metric: str = "test_error") -> dict[str, int]:
    """Returns the least n at which the mean of a metric over seeds is below a level: series → n.

    A series whose mean is nowhere below it is left out.
    """
    means = rows.groupby(["series", "n"])[metric].mean().reset_index()
    below = means[means[metric] < level].groupby("series")["n"].min()
    return {str(series): int(n) for series, n in below.items()}
