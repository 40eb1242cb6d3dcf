"""Analyses of the template matrix: against numbers worked out by hand, and against the exact derivatives."""

from collections import Counter
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from abstract_symbols import TemplateTask, TransformerKernel, template_matrix
from abstract_symbols.analyses.template_matrix import (
    amounts,
    contrasts,
    derivative_table,
    first_order_table,
    first_orders,
    formulas,
    likeness,
    map_best,
    map_exponents,
    map_picture,
    map_values,
    matrices,
    matrices_alt,
    on_map,
    series_tasks,
    short,
    small_beta,
    small_beta_picture,
    traces,
    traces_picture,
    unseen_error,
)
from abstract_symbols.kernels.expansion import attention_expansion
from abstract_symbols.kernels.prediction import expected_error, predicted_samples
from abstract_symbols.kernels.separation import ORDERS, gap_derivative, leading_gap, wildcard_templates
from abstract_symbols.templates import Template
from companion import paths
from companion.figures.points import curves

KERNEL = TransformerKernel(2.0, 1.0, "cos", b1=2.0, b2=0.3)
PAIR = TemplateTask({"αβα": 1, "αββ": -1})
RELATION = TemplateTask({"ααββ": 1, "αβγδ": 1, "ααβγ": -1, "αβγγ": -1})
PROGRAM = "α=1;β=-1;print(α) / …print(β)"


# ---- tasks ---------------------------------------------------------------------------------------


def test_the_tasks_of_an_experiment_are_those_of_its_series():
    tasks = series_tasks("eigenvalues")
    assert tasks["αα / αβ"].labels == {"αα": 1, "αβ": -1}
    assert len(tasks["same relation"].templates) == 4
    assert tasks[PROGRAM].name == "program"


@pytest.mark.parametrize(("pattern", "expected"), [
    ("αβα", "αβα"), ("abcdefgα", "abcdefgα"), ("abcdefghα", "…bcdefghα")])
def test_a_template_of_more_than_eight_tokens_is_cut(pattern, expected):
    assert short(Template(pattern)) == expected


def test_matrices_are_100_n_under_short_names():
    tables = matrices({"αβα / αββ": PAIR, PROGRAM: PAIR}, KERNEL)
    assert list(tables) == ["αβα / αββ", "program"]
    np.testing.assert_allclose(tables["program"], 100 * template_matrix(PAIR, KERNEL))
    assert list(tables["program"].index) == list(tables["program"].columns) == ["αβα", "αββ"]


def test_contrasts_and_words_of_given_matrices():
    tables = {"one": pd.DataFrame([[3.0, 2.0], [2.0, 2.5]]), "other": pd.DataFrame([[1.0, 1.0], [1.0, 1.25]])}
    assert contrasts(tables).to_dict() == {"one": 0.5, "other": 0.25}
    assert "one: 3.000 2.000; 2.000 2.500." in matrices_alt(tables)


# ---- orders of β and γ ---------------------------------------------------------------------------


def test_formulas_are_the_expansions_in_display_mathematics():
    text = formulas((0, 0), (2, 2))
    assert text.startswith("Order (0, 0):\n\n$$\n\\begin{aligned}& \\frac{1}{k^{2}}")
    assert text.count("$$") == 4 and attention_expansion(2, 2).latex() in text


def test_the_pages_table_of_what_each_order_sees_has_the_expansions_terms():
    """The rows of the chapter's Markdown table end with a term of that order's expansion."""
    page = (paths.book() / "template-matrix.py").read_text(encoding="utf-8")
    terms = {(0, 0): "1ᵀXYᵀ1", (2, 2): "tr(XYᵀ)", (4, 0): "1ᵀYYᵀ1 1ᵀXYᵀ1 1ᵀXXᵀ1", (4, 2): "1ᵀXXᵀYYᵀ1",
             (6, 4): "tr(XXᵀYYᵀ)"}
    assert tuple(terms) == ORDERS
    for (p, q), term in terms.items():
        ((size, power, parts),) = [(c, n, parts) for c, n, parts in attention_expansion(p, q).terms
                                   if " ".join(map(str, parts)) == term]
        tex = r"\, ".join(part.latex() for part in parts)
        (row,) = [line for line in page.splitlines() if line.startswith(f"| ({p}, {q}) |")]
        assert row.endswith(rf"| $\frac{{{size}}}{{k^{power}}}\, {tex}$ |")


def test_the_derivatives_of_a_pair_vanish_before_its_first_order():
    table = derivative_table({"αβα / αββ": PAIR}).iloc[0]
    assert table["templates"] == "αβα / αββ"
    assert [str(table[str(order)]) for order in ORDERS] == ["0", "0", "0", "3/8", "·"]


def test_every_pair_of_a_task_has_a_row():
    table = derivative_table({"pair": PAIR, "same relation": RELATION})
    assert len(table) == 1 + 6
    first = [next(order for order in ORDERS if row[str(order)]) for row in table.to_dict("records")]
    assert first == [(4, 2)] + [(4, 0)] * 5 + [(4, 2)]


@pytest.mark.parametrize("k", [2, 3, 4])
def test_first_orders_are_those_of_the_first_derivatives_that_do_not_vanish(k):
    pairs = list(combinations(wildcard_templates(k), 2))
    exact = {pair: next(order for order in ORDERS if gap_derivative(*pair, *order)) for pair in pairs}
    assert all(gap_derivative(*pair, *order) > 0 for pair, order in exact.items())
    assert first_orders(k) == Counter(exact.values())
    if k == 4:
        late = {f"{z.pattern}/{w.pattern}" for (z, w), order in exact.items() if order == (6, 4)}
        assert late == {"ααββ/αβαβ", "ααββ/αββα", "αβαβ/αββα"}  # as the page says


def test_the_table_of_first_orders_counts_templates_and_pairs():
    table = first_order_table({2: first_orders(2), 3: first_orders(3)})
    assert table.to_dict("list") == {"k": [2, 3], "templates": [2, 5], "pairs": [1, 10], "first (4, 0)": [1, 7],
                                     "first (4, 2)": [0, 3], "first (6, 4)": [0, 0]}


# ---- the smallest eigenvalue ---------------------------------------------------------------------


def eigenvalues(**series):
    """Rows of ν at β = 0.5, 1, 2, with a hundredth of it as standard error; one with a twentieth."""
    rows = pd.DataFrame([
        {"series": name, "beta": beta, "eigenvalue": value, "standard_error": value / 100}
        for name, values in series.items() for beta, value in zip((0.5, 1.0, 2.0), values, strict=True)])
    rows.loc[1, "standard_error"] *= 5
    return rows


def test_exponents_at_small_beta_and_the_predicted_lines():
    rows = eigenvalues(pair=(1e-5, 1.6e-4, 3.2e-4), relation=(2.0**-8, 1.0, 2.0))
    found = small_beta(rows, {"pair": PAIR, "relation": RELATION}, KERNEL)
    pair, relation = found.table.to_dict("records")
    assert pair["predicted"] == leading_gap("αβα", "αββ").order[0] == 4
    assert relation["predicted"] == 8
    assert [pair["at β = 0.5"], pair["at β = 1"]] == pytest.approx([4, 1])  # 16 and 2 at a doubling
    assert [relation["at β = 0.5"], relation["at β = 1"]] == pytest.approx([8, 1])
    beta, line = found.curves["relation"]
    np.testing.assert_allclose(line, [2.0**-8, 1.0, 2.0**8])  # through the first point
    beta, line = found.curves["pair"]
    np.testing.assert_allclose(line[1:] / line[:-1], 16)
    assert pair["ν / predicted ν at β = 0.5"] == pytest.approx(1e-5 / line[0])
    assert np.isnan(relation["ν / predicted ν at β = 0.5"])
    assert found.error == pytest.approx(0.05)


def test_the_figure_of_small_beta_has_the_predicted_lines():
    rows = eigenvalues(**{"αα / αβ": (1e-5, 1.6e-4, 3.2e-4), "αβα / αββ": (1e-6, 1.6e-5, 3.2e-5)}).assign(seed=0)
    law = small_beta(rows, {series: series_tasks("eigenvalue-beta")[series] for series in set(rows["series"])}, KERNEL)
    figure, words = small_beta_picture(rows, law)
    assert {curve.name for curve in curves(figure)} == {
        "αα / αβ", "αβα / αββ", "αα / αβ, predicted", "αβα / αββ, predicted"}
    assert "αβα / αββ" in words


def test_the_predicted_line_meets_the_smallest_eigenvalue_at_small_beta():
    kernel = TransformerKernel(0.05, 1.0, "cos", b1=2.0, b2=0.3)
    nu = np.linalg.eigvalsh(template_matrix(PAIR, kernel))[0]
    rows = eigenvalues(pair=(1.0, 2.0, 3.0))
    beta, line = small_beta(rows, {"pair": PAIR}, kernel).curves["pair"]
    assert line[0] * (0.05 / beta[0]) ** 4 == pytest.approx(nu, rel=0.02)


def test_traces_of_symbolic_labels_are_an_error():
    with pytest.raises(ValueError, match="symbolic labels; give it real ones"):
        traces(TemplateTask({"α": "α"}), KERNEL)


def test_traces_lie_as_far_apart_as_kappa_says():
    found = traces(RELATION, KERNEL)
    assert found.groups == ["label +1", "label +1", "label −1", "label −1"]
    np.testing.assert_allclose(found.points.sum(0), 0, atol=1e-12)
    squared = ((found.points[0] - found.points[2]) ** 2).sum()
    assert squared == pytest.approx(likeness(TemplateTask({"ααββ": 1, "ααβγ": -1}), KERNEL).gap)
    assert found.shares.sum() == pytest.approx(1)
    assert (np.diff(found.shares) <= 0).all()
    figure, words = traces_picture(found)
    assert "ααβγ, label −1, at (" in words
    assert {text.get_text() for text in figure.axes[0].texts} >= {"ααββ", "αβγδ", "ααβγ", "αβγγ"}


# ---- how much data -------------------------------------------------------------------------------


def test_the_error_on_unseen_symbols_falls_as_predicted():
    n = round(predicted_samples(PAIR, KERNEL))
    assert unseen_error(PAIR, KERNEL, n) == pytest.approx(0.5, abs=0.1)
    assert unseen_error(PAIR, KERNEL, 4 * n) == pytest.approx(expected_error(PAIR, KERNEL, 4 * n), rel=0.5)


def test_amounts_solve_the_formula_for_n():
    nu, error = 1e-3, 1e-9
    rows = pd.DataFrame({"series": ["pair", "pair"], "beta": [1.0, 2.0], "eigenvalue": [5.0, nu],
                         "standard_error": [1.0, error]})
    (line,) = amounts({"pair": PAIR}, KERNEL, rows, {"pair": 606}, {"pair": 0.49}).to_dict("records")
    d = 0.01 + KERNEL("ABA", "ABA") - KERNEL("ABA", "CDC")  # that of αββ is the same
    assert line["D"] == pytest.approx(d, rel=1e-6)
    assert (1 + line["r D (√2 − 1) / ν"] * nu / (2 * d)) ** -2 == pytest.approx(0.5, rel=1e-6)
    assert (line["ν"], line["±"], line["n"], line["error"]) == (nu, error, 606, 0.49)


# ---- over β and γ --------------------------------------------------------------------------------


@pytest.fixture
def rows():
    """A map on which ν = β³ γ² of one series, β γ of the other up to β = 2; seven eighths of that at β = 4."""
    return pd.DataFrame([
        {"series": series, "beta": beta, "gamma": gamma, "standard_error": 1e-3,
         "eigenvalue": beta**p * gamma**q if beta < 4 else 0.875 * 2**p * gamma**q}
        for series, p, q in (("cubic", 3, 2), ("linear", 1, 1))
        for gamma in (2.0, 1.0, 0.5) for beta in (1.0, 2.0, 4.0)])


def test_exponents_on_the_map(rows):
    found = map_exponents(rows)
    assert list(found.index) == ["cubic", "linear"]
    np.testing.assert_allclose(found[["beta", "gamma"]], [[3, 2], [1, 1]])


def test_the_best_pair_and_its_gain_over_the_default(rows):
    found = map_best(rows)
    assert found.loc["cubic"].to_dict() == {"beta": 2, "gamma": 2, "gain": 4}
    assert found.loc["linear"].to_dict() == {"beta": 2, "gamma": 2, "gain": 2}


def test_a_map_has_the_largest_gamma_on_top(rows):
    table = on_map(rows, "linear")
    assert (list(table.index), list(table.columns)) == (["2", "1", "0.5"], ["1", "2", "4"])
    assert (table.index.name, table.columns.name) == ("γ", "β")
    np.testing.assert_allclose(table.loc["0.5"], [0.5, 1, 0.875])
    figure, words = map_picture(rows, "linear")
    assert figure.axes[0].get_title() == "ν for linear"
    assert "largest, 4.0e+00, at β = 2, γ = 2; smallest, 5.0e-01, at β = 1, γ = 0.5." in words


def test_the_values_are_sorted_by_series_beta_and_gamma(rows):
    table = map_values(rows)
    assert list(table.columns) == ["series", "β", "γ", "ν", "± standard error"]
    assert table[["β", "γ"]].head(3).to_numpy().tolist() == [[1, 0.5], [1, 1], [1, 2]]


def test_likeness_is_read_off_the_attention_kernel():
    found = likeness(PAIR, KERNEL)
    same, other = KERNEL.attention("ABA", "CDC"), KERNEL.attention("ABA", "CDD")
    assert found.gap == pytest.approx(same + KERNEL.attention("ABB", "CDD") - 2 * other)
    assert found.own == pytest.approx(KERNEL.attention("ABA", "ABA") - same)
    assert found.diagonal == pytest.approx(KERNEL("ABA", "CDC"))
