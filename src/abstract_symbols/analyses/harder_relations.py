"""Analyses of the chapter "Harder relations": templates of a task, n₅₀ per template, losses at the largest n."""

from collections.abc import Mapping, Sequence

import pandas as pd

from companion.published import published_n50

from ..tasks import task


def strings_per_template(names: Sequence[str], n: int) -> pd.DataFrame:
    """Returns how many of n training strings a template is expected to have, a row per task.

    Args:
        names: tasks, as `tasks.task` knows them.
        n: training strings.
    Returns:
        task, symbols (its length), templates (their number), least and most strings of one of its templates.
    """
    tasks = {name: task(name) for name in names}
    return pd.DataFrame([
        {"task": name, "symbols": t.length, "templates": len(t.templates),
         "least": n * min(t.probabilities), "most": n * max(t.probabilities)} for name, t in tasks.items()])


def templates_alt(labels: Mapping[str, float], what: str) -> str:
    """Returns the text alternative of `pictures.templates_picture`.

    Args:
        labels: template → label.
        what: the picture's subject, such as "Templates of two rows of three symbols".
    """
    groups = {value: [t for t, label in labels.items() if label == value] for value in dict.fromkeys(labels.values())}
    return f"{what}, as coloured tiles. " + " ".join(
        f"Label {value:+g}: {', '.join(templates)}.".replace("-", "−") for value, templates in groups.items())


def published_majorities(lengths: Sequence[int] = (2, 4, 6, 8)) -> pd.DataFrame:
    """Returns where the paper's curves on majorities cross one half, without the identity parameters and with them.

    Returns:
        length, templates (their number), plain and modified (n₅₀; ∞ where a curve stays above one half), per_template:
        n₅₀ of the modified transformer over the number of templates.
    """
    table = pd.DataFrame([
        {"length": k, "templates": 2 ** (k - 1), "plain": published_n50("majority", f"Length {k}"),
         "modified": published_n50("majority-modified", f"Length {k}")} for k in lengths])
    return table.assign(per_template=table["modified"] / table["templates"])


def losses_at_last(rows: pd.DataFrame) -> pd.DataFrame:
    """Returns the test losses at the largest n of all rows: mean, least and largest over seeds.

    Args:
        rows: of an experiment over n.
    Returns:
        A row per series that has runs at this n, with the series as the index.
    """
    last = rows[rows["n"] == rows["n"].max()]
    return last.groupby("series", sort=False)["test_loss"].agg(["mean", "min", "max"]).set_axis(
        ["mean", "least", "largest"], axis=1)


def predicted_beside_losses(predicted: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Returns the strings that the template matrix predicts for some tasks beside the losses of trained networks.

    Args:
        predicted: rows of `runs.kernel.StringsRun`, one per series.
        rows: of runs of the same series over n.
    Returns:
        series, strings, n (the series' largest), loss (its mean over seeds); the fewest strings predicted first.
    """
    means = rows.groupby(["series", "n"])["test_loss"].mean().reset_index()
    last = means.loc[means.groupby("series")["n"].idxmax()].rename(columns={"test_loss": "loss"})
    table = predicted[["series", "strings"]].merge(last, on="series")
    return table.sort_values("strings", ignore_index=True)


def first_below(rows: pd.DataFrame, level: float, metric: str = "test_error") -> dict[str, int]:
    """Returns the least n at which the mean of a metric over seeds is below a level: series → n.

    A series whose mean is nowhere below it is left out.
    """
    means = rows.groupby(["series", "n"])[metric].mean().reset_index()
    below = means[means[metric] < level].groupby("series")["n"].min()
    return {str(series): int(n) for series, n in below.items()}
