"""Analyses of the transformer's kernel: against numbers worked out by hand."""

import math

import numpy as np
import pandas as pd
import pytest
import torch

from abstract_symbols import TemplateTask, TransformerKernel, template_matrix
from abstract_symbols.analyses.transformer_kernel import (
    activation_table,
    blocks_picture,
    comparison,
    constant_share,
    deviations,
    gram_picture,
    matching_table,
    sorted_gram,
)
from abstract_symbols.kernels.matchings import task_shapes
from abstract_symbols.kernels.prediction import collision_constant
from companion.experiments import experiment
from companion.figures.points import curves

KERNEL = TransformerKernel(2.0, 1.0, "cos", b1=2.0, b2=0.3)
TASK = TemplateTask({"αβα": 1, "αββ": -1})


def test_a_comparison_has_a_row_per_pair_and_the_furthest_mean_of_draws():
    asked = []

    def draw(x, y):
        """Half a standard error too much; three too little for the one pair of different strings."""
        asked.append((x, y))
        return KERNEL.attention(x, y) + (0.005 if x == y else -0.03), 0.01

    z1, z2 = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[0.5], [2.0]])
    found = comparison(["ABA", "CDC"], KERNEL, draw, z1, z2)
    assert asked == [("ABA", "ABA"), ("ABA", "CDC"), ("CDC", "CDC")]
    assert found.furthest == pytest.approx(3)
    assert found.table["strings"].tolist() == ["ABA ABA", "ABA CDC", "CDC CDC"]
    assert found.table["z₁·z₁"].tolist() == [5, 11, 25]
    assert found.table["z₂·z₂"].tolist() == [0.25, 1, 4]
    assert found.table["K_trans"][1] == pytest.approx(KERNEL("ABA", "CDC"))
    assert found.table["draws"][1] == f"{found.table['K_attn'][1] - 0.03:.4f} ± 0.0100"


def test_a_matching_stands_beside_two_strings_that_have_it():
    aba, abb = task_shapes(TASK)
    matchings = {"none": (), "α–β": ((0, 1),), "α–α and β–β": ((0, 0), (1, 1))}
    table = matching_table({"pair": np.array([0.1, 0.25, 0.5])}, {"pair": (aba, abb)}, matchings)
    assert table.to_dict("list") == {"equal wildcards": list(matchings),
                                     "pair": ["0.1000  ABA CDD", "0.2500  ABA CAA", "0.5000  ABA ABB"]}


def test_a_sorted_gram_matrix_is_constant_on_blocks_where_no_symbol_repeats():
    gram, sizes = sorted_gram(TASK, KERNEL, alphabet=10**9, n=12)
    assert sum(sizes) == 12 and min(sizes) > 0
    n = template_matrix(TASK, KERNEL)
    first = sizes[0]
    off = ~np.eye(12, dtype=bool)
    np.testing.assert_allclose(gram[:first, first:], n[0, 1])
    np.testing.assert_allclose(gram[:first, :first][off[:first, :first]], n[0, 0])
    assert constant_share(gram, sizes, n) == 1
    crowded, sizes = sorted_gram(TASK, KERNEL, alphabet=4, n=12)
    assert constant_share(crowded, sizes, n) < 0.9


def test_the_share_of_constant_entries_leaves_the_diagonal_out():
    n = np.array([[1.0, 2.0], [2.0, 3.0]])
    gram = np.array([[9.0, 1.0, 2.0], [1.0, 9.0, 5.0], [2.0, 5.0, 9.0]])  # two strings, and one of the other
    assert constant_share(gram, [2, 1], n) == pytest.approx(4 / 6)
    figure, alt = blocks_picture({1000: (gram, [2, 1])}, TASK, n)
    assert "m = 1,000: 66.67% of the off-diagonal entries" in alt
    assert figure.axes[0].get_title() == "m = 1,000"


def test_deviations_are_means_over_seeds_over_the_predicted_ones():
    rows = pd.DataFrame({"series": ["a"] * 4 + ["b"], "alphabet": [100, 100, 400, 400, 100],
                         "deviation": [0.1, 0.3, 0.1, 0.1, 0.5], "collisions": [0.0, 0.5, 0.1, 0.1, 0.2]})
    table = deviations(rows, {"a": 2.0, "b": 10.0})
    np.testing.assert_allclose(table.loc[("a", 100), ["deviation", "collisions", "predicted", "ratio"]],
                               [0.2, 0.25, 0.2, 1.0])
    np.testing.assert_allclose(table.loc[("a", 400), ["predicted", "ratio"]], [0.1, 1.0])
    assert table.loc[("b", 100), "ratio"] == pytest.approx(0.5)


def test_the_figure_of_deviations_has_the_law_of_the_constants():
    series = list(experiment("gram").series)
    rows = pd.DataFrame([{"series": s, "alphabet": m, "seed": 0, "deviation": 3 / m**0.5}
                         for s in series for m in experiment("gram").grid["alphabet"]])
    figure, alt = gram_picture(rows, dict.fromkeys(series, 2.0))
    drawn = {curve.name: curve for curve in curves(figure)}
    assert set(drawn) == {*series, *(f"{s}, predicted" for s in series)}
    law = drawn[f"{series[0]}, predicted"]
    np.testing.assert_allclose(law.y, 2 / np.sqrt(law.x))
    assert alt.endswith("Dashed: the predicted law for large m, which the measured curves join.")


def test_the_predicted_deviation_is_that_of_a_gram_matrix_of_many_symbols():
    m, n = 1000, 500
    gram, sizes = sorted_gram(TASK, KERNEL, alphabet=m, n=n)
    which = np.repeat([0, 1], sizes)
    off = ~np.eye(n, dtype=bool)
    difference = (gram - template_matrix(TASK, KERNEL)[np.ix_(which, which)])[off]
    measured = math.sqrt((difference**2).mean() / (gram[off]**2).mean())
    rows = pd.DataFrame({"series": ["pair"], "alphabet": [m], "deviation": [measured], "collisions": [0.0]})
    ratio = deviations(rows, {"pair": collision_constant(TASK, KERNEL)})["ratio"].iloc[0]
    assert ratio == pytest.approx(1, abs=0.1)


def test_kernels_of_other_activations_tell_the_templates_apart():
    kernels = {"cos": KERNEL, **{str(phi): TransformerKernel(2.0, 1.0, phi, b1=1.0, b2=0.0)
                                 for phi in ("relu", "erf", "gelu", torch.tanh)}}
    table = activation_table(kernels, TASK)
    assert table["K(ABA, CDC)"][0] == pytest.approx(KERNEL("ABA", "CDC"))
    difference = table["K(ABA, CDC)"] - table["K(ABA, CDD)"]  # N's small eigenvalue, for two equal diagonal entries
    np.testing.assert_allclose(table["smallest eigenvalue of N"], difference, rtol=1e-5)
    assert (table["smallest eigenvalue of N"] > 5e-4).all()
