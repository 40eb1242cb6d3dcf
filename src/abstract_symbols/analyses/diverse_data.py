"""Analyses of the chapter "Random tasks": the strings that the template matrix predicts, and those that networks need.

`predicted` is everywhere a table of rows of `runs.kernel.StringsRun`: task, seed, strings, eigenvalue.
"""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy import stats

from companion import figures
from companion.experiments import experiment
from companion.figures import PAPERS
from companion.formats import crossing
from companion.published import published, published_n50
from companion.summaries import n50_beside_published, n50_of_each, n50_table

from .. import pictures
from ..kernels.separation import leading_gap
from ..tasks import task
from ..templates import Template, TemplateTask

OURS = "k = 5, w = 3 (above)"  # the way of drawing of the experiment random-templates
PLAIN = {  # experiments of other chapters whose labels are ±1 → the plain transformer's series, None for all
    "same-different": "Transformer", "aba-abb": "Transformer", "aabb-abab": "Transformer", "program": "Transformer",
    "majority": None, "psychometric": None,
}
FAMILIES = {  # experiments with random tasks → what their tasks are called in the figure
    "random-regular": "r = 2, R = {regular}", "random-length": "other lengths k",
    "random-wildcards": "other numbers w", "random-templates": "more templates r",
}
OTHERS = "other chapters"
REGULAR = ("r = 2, R = 1", "r = 2, R = 2")
KNOBS = ("random-length", "random-wildcards")
FORMATS = {  # column of a table of this module → how it is written; test losses as ".2f", too
    "eigenvalue": ".1e", "predicted": ",.0f", "least": ",.0f", "most": ",.0f", "paper": ",.0f", "ratio": ".2f",
    "n50": ",.0f", "low": ",.0f", "high": ",.0f", "spread": ".2f", "fall": ".0f", "above": ".1f", "n": ",.0f",
    "exception": ".2f", "others": ".2f", "last": ",.0f", "loss": ".2f", "beta": "g", "gamma": "g", "b1": "g",
    "correlation": ".2f", "factor": ".2f",
}


def formats(table: pd.DataFrame) -> dict[str, str]:
    """Returns column → format for a table of this module: those of `FORMATS`, and ".2f" for the test losses "n = 8"."""
    losses = dict.fromkeys((column for column in table if column.startswith("n = ")), ".2f")
    return {column: form for column, form in FORMATS.items() if column in table} | losses


# ---- what a random task looks like ----------------------------------------------------------------------------------


def example_strings(t: TemplateTask) -> list[tuple[str, list[str], list[str]]]:
    """Returns two training strings and one of unseen symbols per template, as `pictures.strings_picture` draws them."""
    seen, unseen = itertools.cycle("BCDEFGHJKLM"), itertools.cycle("NOPQRSTUVWXYZ")
    return [(f"{z.pattern}  {'+1' if label > 0 else '−1'}", [_filled(z, seen), _filled(z, seen)], [_filled(z, unseen)])
            for z, label in zip(t.templates, t.values, strict=True)]


def _filled(z: Template, symbols: Iterator[str]) -> str:
    return z.substitute("".join(itertools.islice(symbols, len(z.wildcards))))


def example_picture(t: TemplateTask) -> tuple[Figure, str]:
    """Returns the picture of `example_strings`, and its text alternative."""
    rows = example_strings(t)
    told = " ".join(f"{label}: {', '.join(seen)} in training, {', '.join(unseen)} in the test."
                    for label, seen, unseen in rows)
    return pictures.strings_picture(rows), (
        f"Rows of coloured tiles, strings of {len(rows)} random templates. {told} The token A is in training and test, "
        "all other symbols of the test are new.")


# ---- series: many tasks of one kind ---------------------------------------------------------------------------------


def predictions(predicted: pd.DataFrame, *names: str) -> pd.DataFrame:
    """Returns what the template matrix predicts for the series of some experiments with random tasks.

    Args:
        predicted: rows of `StringsRun`.
        names: experiments whose series differ by their task.
    Returns:
        A row per series: series; eigenvalue and predicted, the median smallest eigenvalue and the median number of
        strings over the seeds' tasks; least and most strings.
    """
    found = []
    for name in names:
        for series, options in experiment(name).series.items():
            mine = predicted[predicted["task"] == options["task"]]
            found.append({"series": series, "eigenvalue": mine["eigenvalue"].median(),
                          "predicted": mine["strings"].median(), "least": mine["strings"].min(),
                          "most": mine["strings"].max()})
    return pd.DataFrame(found)


def losses_picture(rows: pd.DataFrame) -> tuple[Figure, str]:
    """Returns the test losses against the number of templates, and the text alternative.

    Args:
        rows: of random-templates.
    """
    numbers = {series: int(series.removeprefix("r = ")) for series in experiment("random-templates").series}
    figure = figures.transposed("random-templates", rows, numbers, [256, 512, 1024, 2048, 4096],
                                xlabel="r, number of templates")
    return figure, "Line chart: test loss against the number of templates at fixed n; numbers are in the folded table."


def predicted_and_trained(name: str, predicted: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Returns n₅₀ of an experiment's series beside the strings that the template matrix predicts.

    Args:
        name: an experiment whose series differ by their task.
        predicted: rows of `StringsRun`.
        rows: of the experiment.
    Returns:
        The columns of `predictions` and of `companion.summaries.n50_table`; measured, n₅₀ or its bound in words; paper,
        the paper's n₅₀ (NaN without a curve); ratio, n50 over predicted (NaN where n50 is infinite).
    """
    table = predictions(predicted, name).merge(n50_table(name, rows), how="left", on="series")
    papers = [np.nan if published(name, s).empty else published_n50(name, s) for s in table["series"]]
    ratio = (table["n50"] / table["predicted"]).replace(np.inf, np.nan)
    return _worded(table.assign(paper=papers, ratio=ratio))


def trained_templates(predicted: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Returns of `predicted_and_trained` for random-templates: series, paper, measured, predicted, ratio."""
    table = predicted_and_trained("random-templates", predicted, rows)
    return table[["series", "paper", "measured", "predicted", "ratio"]]


def trained_knobs(predicted: pd.DataFrame, rows: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Returns of `predicted_and_trained` for some experiments (→ rows), with factor: n50 over the paper's."""
    table = pd.concat([predicted_and_trained(name, predicted, mine) for name, mine in rows.items()], ignore_index=True)
    columns = ["series", "predicted", "n50", "low", "high", "first", "last", "ratio", "paper", "factor"]
    return table.assign(factor=table["n50"] / table["paper"])[columns]


def beside_paper(name: str, rows: pd.DataFrame) -> pd.DataFrame:
    """Returns n₅₀ with its interval beside the paper's: series, n50, low, high, first, last, paper, ratio."""
    return n50_beside_published(name, rows)[["series", "n50", "low", "high", "first", "last", "paper", "ratio"]]


def _worded(table: pd.DataFrame) -> pd.DataFrame:
    """The table with its n₅₀ in words, None where there are no rows."""
    return table.assign(measured=[None if np.isnan(n50) else crossing(n50, first, last) for n50, first, last
                                  in zip(table["n50"], table["first"], table["last"], strict=True)])


# ---- ways of drawing ------------------------------------------------------------------------------------------------


def strings_per_template(predicted: pd.DataFrame, draws: pd.DataFrame) -> pd.DataFrame:
    """Returns n / r against r: predicted for our and other ways of drawing templates, and in the paper's curves.

    Args:
        predicted: rows of `StringsRun` for the tasks of random-templates.
        draws: rows of `StringsRun` for the other ways, their series such as "k = 5, w = 2, r = 7".
    Returns:
        series, r, strings and eigenvalue (medians over tasks; no eigenvalue of the paper's), share = strings / r.
    """
    ours = predictions(predicted, "random-templates")
    numbers = ours["series"].str.removeprefix("r = ").astype(int)
    ours = ours.assign(series=OURS, r=numbers, strings=ours["predicted"])
    paper = pd.DataFrame({"series": PAPERS, "r": numbers, "strings": [
        published_n50("random-templates", f"r = {r}") for r in numbers]})
    parts = draws["series"].str.extract(r"(?P<series>.*), r = (?P<r>\d+)").astype({"r": int})
    others = draws.assign(**parts).groupby(["series", "r"], sort=False)[["strings", "eigenvalue"]].median()
    table = pd.concat([ours, others.reset_index(), paper], ignore_index=True)
    return table.assign(share=table["strings"] / table["r"])[["series", "r", "strings", "eigenvalue", "share"]]


def ways_of_drawing(table: pd.DataFrame) -> pd.DataFrame:
    """Returns how the strings per template move with r, a row per way of drawing.

    Args:
        table: of `strings_per_template`.
    Returns:
        series; least and most strings per template, and spread, their ratio; fall, the smallest eigenvalue at the least
        r over that at the greatest; above, the strings over the paper's, the geometric mean over r.
    """
    paper = table[table["series"] == PAPERS].set_index("r")["strings"]
    found = []
    for series, way in table.groupby("series", sort=False):
        way = way.set_index("r").sort_index()
        least, most = way["share"].min(), way["share"].max()
        found.append({"series": series, "least": least, "most": most, "spread": most / least,
                      "fall": way["eigenvalue"].iloc[0] / way["eigenvalue"].iloc[-1],
                      "above": np.exp(np.log(way["strings"] / paper).mean())})
    return pd.DataFrame(found)


def drawing_picture(table: pd.DataFrame) -> tuple[Figure, str]:
    """Returns the chart of `strings_per_template`, and its text alternative."""
    figure = figures.power_laws(table, "r", "share", list(table["series"].unique()), xlabel="r, number of templates",
                                ylabel="n / r, strings per template")
    numbers, counts = [2, 3, 4, 5, 7, 10, 15], [250, 500, 1000]
    figure.axes[0].set_xticks(numbers, numbers)
    figure.axes[0].set_yticks(counts, [f"{count:,}" for count in counts])
    figure.axes[0].minorticks_off()
    return figure, "Line chart of strings per template against the number of templates; its numbers are in the table."


def drawing_numbers(ways: pd.DataFrame) -> dict[str, float]:
    """Returns what stands out in a table of `ways_of_drawing`.

    Returns:
        ours_least, ours_most, ours_fall of our way of drawing; paper_least, paper_most, paper_spread of the paper's
        curves; and over the other ways the ends of spread, fall and above: spread_min, spread_max and so on.
    """
    table = ways.set_index("series")
    others = table.drop([OURS, PAPERS])[["spread", "fall", "above"]]
    parts = (table.loc[OURS, ["least", "most", "fall"]].add_prefix("ours_"),
             table.loc[PAPERS, ["least", "most", "spread"]].add_prefix("paper_"),
             others.min().add_suffix("_min"), others.max().add_suffix("_max"))
    return pd.concat(parts).astype(float).to_dict()


# ---- single tasks ---------------------------------------------------------------------------------------------------


def single_tasks(name: str, rows: pd.DataFrame, predicted: pd.DataFrame) -> pd.DataFrame:
    """Returns prediction and measurement of single tasks, where every seed has drawn its own.

    Args:
        name: the experiment.
        rows: of it, or of some of its series.
        predicted: rows of `StringsRun` for their tasks.
    Returns:
        A row per task, in the order of series and seeds: series, seed, predicted, measured (n₅₀ or its bound in words).
    """
    return _single_tasks(name, rows, predicted)[["series", "seed", "predicted", "measured"]]


def losses_by_task(name: str, rows: pd.DataFrame, predicted: pd.DataFrame) -> pd.DataFrame:
    """Returns, for the arguments of `single_tasks`: seed, predicted, and the test loss at each n in columns "n = 8"."""
    return _single_tasks(name, rows, predicted).drop(columns=["series", "templates", "measured"])


def fresh_tasks(rows: pd.DataFrame) -> pd.DataFrame:
    """Returns the tasks of random-fresh, those with the fewest strings predicted first.

    Args:
        rows: of random-fresh; each has its prediction.
    Returns:
        predicted, templates, measured, and the test loss at each n in a column "n = 512".
    """
    table = _single_tasks("random-fresh", rows, rows.assign(strings=rows["predicted"]))
    losses = [column for column in table if column.startswith("n = ")]
    return table.sort_values("predicted")[["predicted", "templates", "measured", *losses]]


def _single_tasks(name: str, rows: pd.DataFrame, predicted: pd.DataFrame) -> pd.DataFrame:
    """Prediction and measurement of single tasks, their templates, and the test loss at each n."""
    table = n50_of_each(rows, ("series", "task", "seed"))
    table = table.merge(_by_task(predicted), how="left")
    templates = [" ".join(task(t, seed).labels) for t, seed in zip(table["task"], table["seed"], strict=True)]
    losses = rows.pivot(index=["task", "seed"], columns="n", values="test_loss").add_prefix("n = ").reset_index()
    table = _worded(table.assign(templates=templates)).merge(losses)
    table["series"] = pd.Categorical(table["series"], list(experiment(name).series))
    columns = ["series", "seed", "templates", "predicted", "measured", *losses.columns[2:]]
    return table.sort_values(["series", "seed"], ignore_index=True).astype({"series": str})[columns]


def _by_task(predicted: pd.DataFrame) -> pd.DataFrame:
    """The predicted strings of each task, which several series may share: task, seed, predicted."""
    return predicted[["task", "seed", "strings"]].drop_duplicates(["task", "seed"]).rename(
        columns={"strings": "predicted"})


def without_help(rows: pd.DataFrame) -> pd.DataFrame:
    """Returns what the tasks whose regular token does not help make of the mean test loss.

    These are the tasks of two templates that differ in their wildcards alone: by number and places of every regular
    token they are the same.

    Args:
        rows: of one series, two templates with regular tokens.
    Returns:
        A row per n: n; exception and others, mean test losses of such tasks and of all others; mean, of all tasks;
        share, what such tasks contribute to it.
    """
    orders = {(t, seed): leading_gap(*task(t, seed).templates).beta_order
              for t, seed in rows[["task", "seed"]].drop_duplicates().itertuples(index=False)}
    alike = pd.Series([orders[t, seed] >= 4 for t, seed in zip(rows["task"], rows["seed"], strict=True)], rows.index)
    losses = rows.assign(exception=rows["test_loss"].where(alike), others=rows["test_loss"].where(~alike),
                         mean=rows["test_loss"], share=rows["test_loss"].where(alike, 0.0))
    return losses.groupby("n")[["exception", "others", "mean", "share"]].mean().reset_index()


# ---- task by task ---------------------------------------------------------------------------------------------------


def predicted_and_measured(predicted: pd.DataFrame, rows: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Returns the strings predicted for single tasks and the n at which plain transformers fall below one half.

    Of random tasks that differ by the names of their wildcards or the sign of their labels alone, the first is kept.

    Args:
        predicted: rows of `StringsRun`; tasks without one are left out.
        rows: experiment → its rows: one network per task and n in those of `FAMILIES`; in those of `PLAIN` several, of
            which the plain transformer's mean over seeds is taken.
    Returns:
        A row per task: tasks (its kind), title, task, seed, predicted, measured (n₅₀, infinite where the loss does not
        fall below one half), last (the largest n) and loss there.
    """
    found = list(_drawn_curves(rows))
    for name in (name for name in rows if name in PLAIN):
        plain = rows[name][rows[name]["a"].isna()]
        if PLAIN[name]:
            plain = plain[plain["series"] == PLAIN[name]]
        found += [(OTHERS, c.task, 0, c.n50, c.last, c.loss) for c in n50_of_each(plain, ["task"]).itertuples()]
    table = pd.DataFrame(found, columns=["tasks", "task", "seed", "measured", "last", "loss"])
    titles = predicted.drop_duplicates("task").set_index("task")["series"]
    return table.merge(_by_task(predicted)).assign(title=lambda known: known["task"].map(titles))


def _drawn_curves(rows: Mapping[str, pd.DataFrame]) -> Iterator[tuple]:
    """Kind, task, seed, n₅₀, last and loss of every random task whose form did not come before."""
    forms = set()
    for name in (name for name in rows if name in FAMILIES):
        for curve in n50_of_each(rows[name], ("task", "seed")).itertuples():
            t = task(curve.task, curve.seed)
            if t.canonical_form() not in forms:
                forms.add(t.canonical_form())
                kind = FAMILIES[name].format(regular=len(t.regular))
                yield kind, curve.task, curve.seed, curve.n50, curve.last, curve.loss


def comparable(points: pd.DataFrame) -> pd.DataFrame:
    """Returns the tasks without regular tokens whose prediction lies within the n measured.

    Args:
        points: of `predicted_and_measured`.
    """
    return points[(points["predicted"] <= points["last"]) & ~points["tasks"].isin(REGULAR)]


@dataclass(frozen=True)
class Agreement:
    """How far prediction and measurement agree over tasks.

    Attributes:
        compared: the number of tasks whose prediction lies within the n measured, without regular tokens; of these
        least, most: strings predicted;
        correlation: Spearman's, and
        p: its p-value;
        ratio, ratio_low, ratio_high: the median of measured over predicted, and its tenths;
        ratio_easy, ratio_hard: its median in the third with the fewest strings predicted, and with the most.
        correlation_all: Spearman's with the tasks that have regular tokens.
        beyond: the number of tasks whose prediction lies beyond the largest n measured, and
        beyond_above: of these, how many are not below one half there.
    """

    compared: int
    least: float
    most: float
    correlation: float
    p: float
    ratio: float
    ratio_low: float
    ratio_high: float
    ratio_easy: float
    ratio_hard: float
    correlation_all: float
    beyond: int
    beyond_above: int


def agreement(points: pd.DataFrame) -> Agreement:
    """Returns how far the predictions of `predicted_and_measured` agree with the networks."""
    within, beyond = comparable(points), points[points["predicted"] > points["last"]]
    order = stats.spearmanr(within["predicted"], within["measured"])
    reached = points[points["predicted"] <= points["last"]]
    ratio = within["measured"] / within["predicted"]
    thirds = pd.qcut(within["predicted"], 3, labels=False)
    return Agreement(
        compared=len(within), least=within["predicted"].min(), most=within["predicted"].max(),
        correlation=order.statistic, p=order.pvalue,
        ratio=ratio.median(), ratio_low=ratio.quantile(0.1), ratio_high=ratio.quantile(0.9),
        ratio_easy=ratio[thirds == 0].median(), ratio_hard=ratio[thirds == 2].median(),
        correlation_all=stats.spearmanr(reached["predicted"], reached["measured"]).statistic,
        beyond=len(beyond), beyond_above=int(np.isinf(beyond["measured"]).sum()))


def agreement_picture(points: pd.DataFrame) -> tuple[Figure, str]:
    """Returns the scatter plot of `comparable` tasks, and its text alternative."""
    told = agreement(points)
    figure = figures.scatter(comparable(points), "predicted", "measured", "tasks",
                             xlabel="n predicted by the template matrix", ylabel="n₅₀ of the trained network")
    return figure, (f"Scatter plot of {told.compared} tasks, predicted against measured number of strings, close to "
                    f"the line on which both agree; rank correlation {told.correlation:.2f}.")


def other_tasks(points: pd.DataFrame) -> pd.DataFrame:
    """Returns the tasks of other chapters, easy ones first: title, predicted, measured (in words), last, loss."""
    table = points[points["tasks"] == OTHERS].sort_values("predicted", ignore_index=True)
    measured = [crossing(n50, 0, last) for n50, last in zip(table["measured"], table["last"], strict=True)]
    return table.assign(measured=measured)[["title", "predicted", "measured", "last", "loss"]]


def by_kernel(points: pd.DataFrame, kernels: pd.DataFrame) -> pd.DataFrame:
    """Returns how far predictions with other kernels agree with the networks, over tasks whose n₅₀ is finite.

    Args:
        points: of `predicted_and_measured`.
        kernels: rows of `StringsRun` with several beta, gamma and b1.
    Returns:
        A row per kernel: beta, gamma, b1, compared (the number of tasks), correlation (Spearman's), ratio (the median
        of measured over predicted).
    """
    reached = points.loc[np.isfinite(points["measured"]), ["task", "seed", "measured"]]
    found = []
    for parameters, group in kernels.groupby(["beta", "gamma", "b1"]):
        both = _by_task(group).merge(reached)
        found.append((*parameters, len(both), stats.spearmanr(both["predicted"], both["measured"]).statistic,
                      (both["measured"] / both["predicted"]).median()))
    return pd.DataFrame(found, columns=["beta", "gamma", "b1", "compared", "correlation", "ratio"])


@dataclass(frozen=True)
class Kernels:
    """How far kernels differ, as `by_kernel` has it.

    Attributes:
        kernels: their number.
        near: of these, how many have a median of measured over predicted within a factor of 1.4.
        correlation_min, correlation_max: the ends of the rank correlation.
        factor: the largest median of measured over predicted by the least, to the nearest whole number.
    """

    kernels: int
    near: int
    correlation_min: float
    correlation_max: float
    factor: int


def kernel_numbers(table: pd.DataFrame) -> Kernels:
    """Returns what stands out in a table of `by_kernel`."""
    order, ratio = table["correlation"], table["ratio"]
    near, factor = int(ratio.between(1 / 1.4, 1.4).sum()), round(ratio.max() / ratio.min())
    return Kernels(len(table), near, order.min(), order.max(), factor)
