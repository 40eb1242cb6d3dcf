"""Analyses of the chapter "The template matrix": its tables over tasks, pairs of templates, β and γ."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from companion import figures
from companion.experiments import experiment
from companion.statistics import local_slopes

from ..kernels import KernelRidge, TransformerKernel, template_matrix
from ..kernels.expansion import attention_expansion
from ..kernels.separation import (
    ORDERS,
    attention_gram,
    coordinates,
    gap_derivative,
    leading_eigenvalue,
    leading_gap,
    wildcard_templates,
)
from ..tasks import task
from ..templates import Template, TemplateTask

SHORT = {"α=1;β=-1;print(α) / …print(β)": "program"}  # series → its task's name, where the series' is long
SLOPE_FORMATS = {"at β = 0.125": ".2f", "at β = 1": ".2f", "ν / predicted ν at β = 0.125": ".3f"}
AMOUNT_FORMATS = {"ν": ".4g", "±": ".0e", "D": ".2f", "r D (√2 − 1) / ν": ",.0f", "n": ",", "error": ".2f"}
MAP_FORMATS = {"β": "g", "γ": "g", "ν": ".3e", "± standard error": ".0e"}
EXCLUSIVE_OR = 8  # the power of β of ν, for the task with four templates


# ---- tasks ---------------------------------------------------------------------------------------


def series_tasks(name: str) -> dict[str, TemplateTask]:
    """Returns the task of each of an experiment's series, in the order of the legend."""
    return {series: task(options["task"]) for series, options in experiment(name).series.items()}


def short(template: Template) -> str:
    """Returns a template as the figures write it: its last 8 tokens if it is long."""
    pattern = template.pattern
    return pattern if len(pattern) <= 8 else "…" + pattern[-8:]


def matrices(tasks: Mapping[str, TemplateTask], kernel: TransformerKernel) -> dict[str, pd.DataFrame]:
    """Returns 100 N of every task, with its templates as index and columns, by the task's short name."""
    tables = {}
    for series, t in tasks.items():
        names = [short(z) for z in t.templates]
        n = template_matrix(t, kernel)
        tables[SHORT.get(series, series)] = pd.DataFrame(100 * n, index=names, columns=names)
    return tables


def matrices_alt(tables: Mapping[str, pd.DataFrame]) -> str:
    """Returns the text alternative of heat maps of template matrices: all their entries."""
    words = {title: "; ".join(" ".join(f"{value:.3f}" for value in row) for row in table.to_numpy())
             for title, table in tables.items()}
    return ("Six small heat maps, 100 times the template matrix. "
            + " ".join(f"{title}: {entries}." for title, entries in words.items()))


def contrasts(tables: Mapping[str, pd.DataFrame]) -> pd.Series:
    """Returns by how much of the smallest entry the largest exceeds it, per matrix."""
    entries = {title: table.to_numpy() for title, table in tables.items()}
    return pd.Series({title: values.max() / values.min() - 1 for title, values in entries.items()})


# ---- orders of β and γ ---------------------------------------------------------------------------


def formulas(*orders: tuple[int, int], per_line: int = 2) -> str:
    """Returns the derivatives of K_attn of these orders of (β, γ), in Markdown."""
    return "\n\n".join(f"Order ({p}, {q}):\n\n$$\n{attention_expansion(p, q).latex(per_line)}\n$$"
                       for p, q in orders)


def derivative_table(tasks: Mapping[str, TemplateTask]) -> pd.DataFrame:
    """Returns the exact derivatives of Δ between any two templates of a task, up to the first that is not zero.

    Returns:
        templates, and a column per order of (β, γ) that is named after it; "·" stands behind the first.
    """
    lines = []
    for t in tasks.values():
        for z, w in combinations(t.templates, 2):
            first = leading_gap(z, w).order
            lines.append({"templates": f"{short(z)} / {short(w)}", **{
                str(order): gap_derivative(z, w, *order) if order <= first else "·" for order in ORDERS}})
    return pd.DataFrame(lines)


def first_orders(k: int) -> Counter:
    """Returns how many pairs of templates of k wildcards are first told apart by each order of (β, γ)."""
    return Counter(leading_gap(z, w).order for z, w in combinations(wildcard_templates(k), 2))


def first_order_table(counts: Mapping[int, Counter]) -> pd.DataFrame:
    """Returns `first_orders` of several k as a table: k, templates, pairs, and a column per order."""
    return pd.DataFrame([
        {"k": k, "templates": len(wildcard_templates(k)), "pairs": count.total(),
         **{f"first {order}": count[order] for order in ORDERS[2:]}} for k, count in counts.items()])


# ---- the smallest eigenvalue ν -------------------------------------------------------------------


@dataclass(frozen=True)
class SmallBeta:
    """The power of β with which ν begins, predicted and measured.

    Attributes:
        curves: series → (β (m,), predicted ν (m,)).
        table: task, predicted (the exponent), those measured at the least β and at 1, measured ν over predicted at the
            least β (NaN where no constant is known); a row per task.
        error: the largest relative standard error.
    """

    curves: dict[str, tuple[np.ndarray, np.ndarray]]
    table: pd.DataFrame
    error: float


def small_beta(rows: pd.DataFrame, tasks: Mapping[str, TemplateTask], kernel: TransformerKernel) -> SmallBeta:
    """Returns the predicted powers of β beside the measured eigenvalues.

    The task with more than two templates has no predicted constant: its line goes through the first point.

    Args:
        rows: of EigenvalueRun, at one γ, β = 1 among them.
        tasks: series → task.
        kernel: with that γ.
    """
    measured = rows.pivot(index="series", columns="beta", values="eigenvalue")
    beta = measured.columns.to_numpy()
    curves, lines = {}, []
    for series, t in tasks.items():
        nu = measured.loc[series].to_numpy()
        two = len(t.templates) == 2
        power, constant = leading_eigenvalue(t, kernel) if two else (EXCLUSIVE_OR, nu[0] / beta[0] ** EXCLUSIVE_OR)
        curves[series] = beta, constant * beta**power
        slopes = dict(zip(beta, local_slopes(beta, nu), strict=False))
        lines.append({"task": SHORT.get(series, series), "predicted": power, f"at β = {beta[0]:g}": slopes[beta[0]],
                      "at β = 1": slopes[1.0],
                      f"ν / predicted ν at β = {beta[0]:g}": nu[0] / curves[series][1][0] if two else np.nan})
    return SmallBeta(curves, pd.DataFrame(lines), float((rows["standard_error"] / rows["eigenvalue"]).max()))


def small_beta_picture(rows: pd.DataFrame, law: SmallBeta) -> tuple[Figure, str]:
    """Returns the smallest eigenvalues of "eigenvalue-beta" with the predicted lines, and the text alternative."""
    figure = figures.scaling("eigenvalue-beta", rows, "eigenvalue", xlabel="β",
                             ylabel="ν, smallest eigenvalue of N", predicted=law.curves)
    figure.set_size_inches(6.0, 6.0)
    figure.axes[0].set_xticks([0.125, 0.25, 0.5, 1, 2], ["0.125", "0.25", "0.5", "1", "2"])
    return figure, figures.scaling_alt("eigenvalue-beta", rows, "eigenvalue", "smallest eigenvalue against β")


@dataclass(frozen=True)
class Traces:
    """Where the traces of a task's templates lie.

    Attributes:
        points: (r, r) principal coordinates, a row per template.
        names: of the templates.
        groups: their labels in words.
        shares: (r,) of the spread of the points, per coordinate.
    """

    points: np.ndarray
    names: list[str]
    groups: list[str]
    shares: np.ndarray


def traces(t: TemplateTask, kernel: TransformerKernel) -> Traces:
    """Returns where the traces of a task's templates lie; see `separation.coordinates`.

    Raises:
        ValueError: symbolic labels.
    """
    if t.values is None:
        raise ValueError(f"task {t.name!r} has symbolic labels; give it real ones, such as 1 and -1")
    points = coordinates(attention_gram(t, kernel)[0])
    groups = [f"label {value:+.0f}".replace("-", "−") for value in t.values]
    squares = (points**2).sum(0)
    return Traces(points, [z.pattern for z in t.templates], groups, squares / squares.sum())


def traces_picture(found: Traces) -> tuple[Figure, str]:
    """Returns four traces in the plane of their first two coordinates, and the text alternative: label and place."""
    places = found.points[:, :2].round(3) + 0.0  # no −0, whose sign is the processor's
    where = "; ".join(f"{name}, {group}, at ({x:.3f}, {y:.3f})"
                      for name, group, (x, y) in zip(found.names, found.groups, places, strict=True))
    figure = figures.labelled_points(found.points[:, :2], found.names, found.groups,
                                     xlabel="first principal coordinate", ylabel="second")
    return figure, f"Four points, the corners of nearly a square, with labels that alternate around it: {where}."


# ---- how much data -------------------------------------------------------------------------------


def unseen_error(t: TemplateTask, kernel: TransformerKernel, n: int, ridge: float = 1e-2) -> float:
    """Returns the mean squared error on 1,000 strings of unseen symbols, after ridge regression on n strings."""
    train, unseen = t.alphabets(n, 100)
    model = KernelRidge(kernel, ridge).fit(t.sample(n, train))
    test = t.sample(1000, unseen)
    return float(((model.predict(test) - test.labels.numpy()) ** 2).mean())


def amounts(tasks: Mapping[str, TemplateTask], kernel: TransformerKernel, rows: pd.DataFrame,
            needed: Mapping[str, int], measured: Mapping[str, float], ridge: float = 1e-2) -> pd.DataFrame:
    """Returns what ν says about the number of strings, beside what the whole template matrix says.

    Args:
        tasks: series → task.
        kernel: of ridge regression.
        rows: of EigenvalueRun with the kernel's β and γ.
        needed: series → n, as `predicted_samples` gives it.
        measured: series → mean squared error at that n.
        ridge: λ.
    Returns:
        task, ν, ± (its standard error), D, "r D (√2 − 1) / ν", n, error; a row per task.
    """
    nu = rows[rows["beta"] == kernel.beta].set_index("series")
    lines = []
    for series, t in tasks.items():
        strings = [z.substitute("ABCDEFGH"[:len(z.wildcards)]) for z in t.templates]
        n = template_matrix(t, kernel)
        d = np.mean([ridge + kernel(x, x) - n[i, i] for i, x in enumerate(strings)])
        value = nu["eigenvalue"][series]
        lines.append({"task": SHORT.get(series, series), "ν": value, "±": nu["standard_error"][series], "D": d,
                      "r D (√2 − 1) / ν": len(n) * d * (np.sqrt(2) - 1) / value,
                      "n": needed[series], "error": measured[series]})
    return pd.DataFrame(lines)


# ---- over β and γ --------------------------------------------------------------------------------


def on_map(rows: pd.DataFrame, series: str) -> pd.DataFrame:
    """Returns a series' ν with γ as index, falling, and β as columns, both in words."""
    mine = rows[rows["series"] == series]
    table = mine.pivot(index="gamma", columns="beta", values="eigenvalue").sort_index(ascending=False)
    table.index = pd.Index([f"{gamma:g}" for gamma in table.index], name="γ")
    table.columns = pd.Index([f"{beta:g}" for beta in table.columns], name="β")
    return table


def map_picture(rows: pd.DataFrame, series: str) -> tuple[Figure, str]:
    """Returns a heat map of a series' ν over β and γ, and its text alternative: the largest and the smallest value."""
    table = on_map(rows, series)
    cells = table.stack()
    (g_high, b_high), (g_low, b_low) = cells.idxmax(), cells.idxmin()
    figure = figures.heatmap(table, title=f"ν for {series}", fmt=".0e", log=True, label="ν")
    return figure, (f"Heat map of the smallest eigenvalue for {series} over β and γ: largest, {cells.max():.1e}, "
                    f"at β = {b_high}, γ = {g_high}; smallest, {cells.min():.1e}, at β = {b_low}, γ = {g_low}.")


def map_exponents(rows: pd.DataFrame) -> pd.DataFrame:
    """Returns with which exponents ν grows at small β and at small γ.

    Returns:
        index series; beta, the exponent between the two least β at γ = 1; gamma, that between the two least γ at the
        least β.
    """
    found = {}
    for series, mine in rows.groupby("series", sort=False):
        table = mine.pivot(index="gamma", columns="beta", values="eigenvalue")
        beta, gamma = table.columns.to_numpy()[:2], table.index.to_numpy()[:2]
        found[series] = {"beta": local_slopes(beta, table.loc[1.0].to_numpy()[:2])[0],
                         "gamma": local_slopes(gamma, table[beta[0]].to_numpy()[:2])[0]}
    return pd.DataFrame.from_dict(found, orient="index")


def map_best(rows: pd.DataFrame) -> pd.DataFrame:
    """Returns where ν is largest: index series; beta, gamma, gain (over its value at β = 2, γ = 1)."""
    best = rows.loc[rows.groupby("series", sort=False)["eigenvalue"].idxmax()].set_index("series")
    default = rows.query("beta == 2 and gamma == 1").set_index("series")["eigenvalue"]
    return best[["beta", "gamma"]].assign(gain=best["eigenvalue"] / default)


def map_values(rows: pd.DataFrame) -> pd.DataFrame:
    """Returns the values of the map: series, β, γ, ν, ± standard error; a row per run."""
    table = rows.sort_values(["series", "beta", "gamma"])[["series", "beta", "gamma", "eigenvalue", "standard_error"]]
    return table.set_axis(["series", "β", "γ", "ν", "± standard error"], axis=1).reset_index(drop=True)


@dataclass(frozen=True)
class Likeness:
    """How far apart strings of disjoint symbols are to the attention layer, and what the cosine makes of it.

    Attributes:
        gap: Δ between the two templates.
        own: v − κ, half the squared distance between two strings of the first template.
        diagonal: N of the first template.
    """

    gap: float
    own: float
    diagonal: float


def likeness(t: TemplateTask, kernel: TransformerKernel) -> Likeness:
    """Returns how far apart strings of a task's first two templates are, and those of its first."""
    kappa, v = attention_gram(t, kernel)
    return Likeness(float(kappa[0, 0] + kappa[1, 1] - 2 * kappa[0, 1]), float(v[0] - kappa[0, 0]),
                    float(template_matrix(t, kernel)[0, 0]))
