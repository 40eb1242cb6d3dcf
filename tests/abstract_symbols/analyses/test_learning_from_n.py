"""What the errors of kernel ridge regression say, on tables made up for the purpose."""

import numpy as np
import pandas as pd
import pytest
from pattern_kernel import PatternKernel

from abstract_symbols import Template, TemplateTask, TransformerKernel
from abstract_symbols.analyses import learning_from_n as analyses
from abstract_symbols.analyses.learning_from_n import ABA, NOISY, SAME
from abstract_symbols.kernels.matchings import matching_weights, template_shape
from abstract_symbols.kernels.prediction import expected_error
from abstract_symbols.runs.kernel import RidgeRun
from abstract_symbols.templates import Sample
from companion.experiments import experiment
from companion.figures.points import curves
from companion.statistics import local_slopes


def rows_of(name, errors):
    """Rows of an experiment: series → error as a function of x; the seeds' errors are 0.9 and 1.1 times that."""
    e = experiment(name)
    return pd.DataFrame([{"series": series, e.x: x, "seed": seed, "error": share * errors[series](x)}
                         for series in errors for x in e.grid[e.x] for seed, share in ((0, 0.9), (1, 1.1))])


def test_a_matching_table_has_the_kernel_and_the_weight_of_each_matching():
    kernel, shape = TransformerKernel(1.0, 1.0), template_shape(Template("αβ"), regular=())
    matchings = {"CD": (), "AD": ((0, 0),), "DA": ((0, 1),)}
    weights = matching_weights(kernel, [(shape, shape, m) for m in matchings.values()])
    table = analyses.matching_table(kernel, "AB", shape, matchings, weights)
    assert list(table["wildcards matched"]) == ["none", "α–α", "α–β"]
    assert list(table["y"]) == list(matchings) and set(table["x"]) == {"AB"}
    assert table["ŵ"][0] == table["K(x, y)"][0] == pytest.approx(kernel("AB", "CD"))
    assert table["ŵ"][1] == pytest.approx(kernel("AB", "AD") - kernel("AB", "CD"))


def test_measured_curves_are_means_over_seeds():
    curves = analyses.measured_curves("ridge-n", rows_of("ridge-n", {SAME: lambda n: 3 / n}))
    assert list(curves) == [SAME]
    np.testing.assert_allclose(curves[SAME][1], 3 / np.array(experiment("ridge-n").grid["n"]))


def test_expected_curves_are_those_of_the_runs_fields():
    curves = analyses.expected_curves("ridge-lambda", ["noise σ = 10"])
    (ridges, errors), = curves.values()
    kernel = TransformerKernel(beta=2.0, gamma=1.0, b1=2.0, b2=0.3)
    noisy = TemplateTask({"αβα": 1, "αββ": -1}, noise=10.0)
    assert list(ridges) == list(experiment("ridge-lambda").grid["ridge"])
    assert errors[1] ** 2 == pytest.approx(expected_error(noisy, kernel, 10_000, 1e-3), rel=1e-6)


def test_an_expected_error_uses_the_runs_alphabet_unless_told_another():
    run = RidgeRun("same-different", 0, n=1000, alphabet=50)
    fewer = analyses.expected(run)
    assert fewer == pytest.approx(analyses.expected(run, np.full(50, 1 / 50)), rel=1e-6)
    assert analyses.expected(run, 1e15) < 0.8 * fewer


def test_exponents_stand_beside_the_pair_of_points_they_are_of():
    n = np.array([100, 1000, 10_000])
    table = analyses.exponents({"a": (n, n**-1.0), "b": (n, np.array([1.0, 10.0, 1.0]))})
    assert list(table["n"]) == ["100 → 1,000", "1,000 → 10,000"]
    np.testing.assert_allclose(table[["a", "b"]], [[-1, 1], [-1, -1]])


def test_noise_overtakes_shrinkage_between_two_n():
    n = np.array([1, 10, 100, 1000])
    shrinkage, noise = 10.0 / n, 2.0 / n**0.5  # equal at n = 25
    assert analyses.noise_overtakes(n, shrinkage, np.sqrt(shrinkage**2 + noise**2)) == (10, 100)
    with pytest.raises(ValueError, match="larger range"):
        analyses.noise_overtakes(n, shrinkage, shrinkage)


@pytest.fixture(scope="module")
def predicted():
    return analyses.expected_curves("ridge-n", [SAME, SAME + NOISY])


@pytest.fixture(scope="module")
def rows(predicted):
    """Power laws; the error of αα against αβ with exact labels is two thirds of the predicted one."""
    same = dict(zip(*predicted[SAME], strict=True))
    return rows_of("ridge-n", {SAME: lambda n: same[n] / 1.5, ABA: lambda n: 7 / n, SAME + NOISY: lambda n: n**-0.5})


def test_the_findings_against_n_are_those_of_made_up_power_laws(rows, predicted):
    found = analyses.against_n(rows, predicted)
    assert (found.ratio_least, found.ratio_most) == pytest.approx((1.5, 1.5))
    assert (found.last_same, found.last_aba) == pytest.approx((local_slopes(*predicted[SAME])[-1], -1))
    assert found.first == pytest.approx(predicted[SAME][1][0] / 1.5)


def test_the_bounds_are_those_of_the_formula(rows, predicted):
    found, end = analyses.with_noise(rows, predicted), predicted[SAME][1][-1] / 1.5
    assert found.overtaken_after < found.overtaken_by
    # With exact labels 2 (1.01 / (n / 2)) + 2 · 2 / (n / 2) = 12.04 / n, times √2 / (√2 ν) and over the error.
    nu = 0.00103
    assert found.bound == pytest.approx(12.04e-7 / nu / end, rel=0.02)
    noise = 10 * (12.04e-7 / 0.01) ** 0.5 / 2**0.5
    assert found.noisy_bound == pytest.approx((12.04e-7 / nu + noise) / 1e7**-0.5, rel=0.02)


def test_errors_and_their_exponents_stand_beside_the_prediction(rows, predicted):
    table = analyses.error_exponents(rows, predicted)
    np.testing.assert_allclose(table["noise-free"], table["predicted"])
    np.testing.assert_allclose(table["σ = 10"], -0.5, atol=1e-3)  # the n are rounded
    figure, alt = analyses.error_picture(rows, predicted, NOISY)
    assert {curve.name for curve in curves(figure)} == {SAME + NOISY, f"{SAME + NOISY}, predicted"}
    assert SAME + NOISY in alt and alt.endswith("close to the measured curves.")


def test_the_floor_is_what_strings_without_common_symbols_leave():
    table = analyses.against_alphabet(rows_of("ridge-rho", {SAME: lambda m: m**-0.75, ABA: lambda m: m**-0.5}), 10_000)
    assert list(table.index) == ["same", "aba"]
    assert list(table["exponent"]) == pytest.approx([-0.75, -0.5])
    largest = experiment("ridge-rho").grid["alphabet"][-1]
    alone = analyses.expected(RidgeRun("same-different", 0, n=4_000_000), 1e15)
    assert table.loc["same", "floor"] == pytest.approx(alone * largest**0.75, rel=1e-6)


def test_label_means_are_long_tables_with_words():
    rows = pd.DataFrame([{"n": n, "seed": seed, "gap": 1 / n, "error": 2 / n, "label_mean_error": 3 / n}
                         for n in (10, 100) for seed in (0, 1)])
    table = analyses.label_means(rows)
    assert table.groupby("series")["value"].max().to_dict() == {
        "f̂ against the label mean": 0.1, "f̂ against the truth": 0.2, "label mean against the truth": 0.3}
    figure, alt = analyses.label_means_picture(rows.assign(series=SAME + NOISY))
    assert "f̂ against the truth: 0.200 at n = 10, 0.0200 at n = 100." in alt
    assert {curve.name for curve in curves(figure)} == set(analyses.LABEL_MEANS.values())


def test_strings_of_a_common_symbol_share_one_vote():
    """Template αα alone: the weight of a string with a symbol of n_t strings is ∝ 1 / (λ + w n_t)."""
    t = TemplateTask({"αα": 1})
    tokens = np.array([[0, 0], [0, 0], [0, 0], [1, 1]])
    drawn = t.sample(4, 2, seed=0)
    kernel = PatternKernel()
    sample = Sample(t, drawn.alphabet, drawn.tokens.new_tensor(tokens), drawn.labels, drawn.templates)
    table = analyses.weight_by_count(kernel, {"four": sample})
    assert list(table["strings"]) == [3, 3, 3, 1]
    w = kernel("AA", "AA") - kernel("AA", "BB")
    votes = np.array([1 / (0.01 + 3 * w)] * 3 + [1 / (0.01 + w)])
    np.testing.assert_allclose(table["weight"], 4 * votes / votes.sum(), rtol=1e-6)
    figure, alt = analyses.weights_picture(table)
    assert [curve.name for curve in curves(figure)] == ["four"] and "inverse proportion" in alt


def test_a_string_of_two_equal_symbols_counts_once_for_its_symbol():
    t = TemplateTask({"αα": 1, "αβ": -1})
    sample = t.sample(50, 6, seed=1)
    table = analyses.weight_by_count(PatternKernel(), {"some": sample})
    rows, own = sample.tokens.tolist(), (sample.templates == 0).numpy()
    by_hand = [sum(row[0] in other for other in rows) for row, mine in zip(rows, own, strict=True) if mine]
    assert list(table["strings"]) == by_hand


def test_the_effective_share_of_equal_weights_is_one():
    table = pd.DataFrame({"series": ["equal"] * 4 + ["one"] * 4, "weight": [1, 1, 1, 1, 4, 0, 0, 0]})
    assert analyses.effective_shares(table) == {"equal": 1.0, "one": 0.25}


def test_the_best_and_the_worst_kernel_parameters_are_found():
    grid = [(beta, gamma) for beta in (1, 2) for gamma in (0.5, 1)]
    rows = pd.DataFrame([{"beta": b, "gamma": g, "error": 1 / (b + g) + off} for b, g in grid for off in (-0.1, 0.1)])
    eigenvalues = pd.DataFrame([{"series": s, "beta": b, "gamma": g, "eigenvalue": sign * (b + g)}
                                for s, sign in ((ABA, 1), (SAME, -1)) for b, g in grid[1:]])
    found = analyses.kernel_parameters(rows, eigenvalues)
    assert found.places == analyses.Places(2, 1, 1, 0.5)
    assert (found.least, found.default, found.largest) == pytest.approx((1 / 3, 1 / 3, 2 / 3))
    assert (found.ranks, found.pairs) == (-1, 3)


def test_the_best_ridge_is_compared_with_the_usual_one():
    rows = pd.DataFrame([{"series": series, "ridge": ridge, "error": error + off}
                         for series, errors in (("noise-free", (3, 2)), ("noise σ = 10", (5, 6)))
                         for ridge, error in zip((0.01, 0.1), errors, strict=True) for off in (-1, 1)])
    assert analyses.ridge_gains(rows) == analyses.RidgeGains(0.5, 0.0)


@pytest.fixture(scope="module")
def zipf_rows():
    return rows_of("ridge-zipf", {"uniform": lambda n: n**-1.0, "Zipf, s = 1.5": lambda n: n**-0.5})


def test_unequal_symbols_have_their_diversity_and_two_predictions(zipf_rows):
    table = analyses.unequal_symbols(zipf_rows).set_index("symbols")
    largest = experiment("ridge-zipf").grid["n"][-1]
    assert table.loc["uniform", "ρ"] == largest / 2
    assert table.loc["uniform", "1/ΣP²"] == pytest.approx(largest)
    assert table.loc["uniform", "predicted from it"] == pytest.approx(table.loc["uniform", "… from all P"], rel=1e-6)
    assert table.loc["Zipf, s = 1.5", "predicted from it"] > 5 * table.loc["Zipf, s = 1.5", "… from all P"]
    assert table.loc["Zipf, s = 1.5", "error"] == pytest.approx(largest**-0.5)


def test_unequal_symbols_have_three_exponents(zipf_rows):
    n = np.array(experiment("ridge-zipf").grid["n"])
    table = analyses.unequal_exponents(zipf_rows, {"uniform": (n, n**-0.9), "Zipf, s = 1.5": (n, n**-0.6)})
    assert list(table["symbols"]) == ["uniform", "Zipf, s = 1.5"]
    np.testing.assert_allclose(table.drop(columns="symbols"), [[-1, -0.9, -1], [-1 / 1.5, -0.6, -0.5]])


def test_predicted_and_measured_errors_are_compared_point_by_point(zipf_rows):
    n = np.array(experiment("ridge-zipf").grid["n"])
    ratios = analyses.predicted_over_measured(
        "ridge-zipf", zipf_rows, {"uniform": (n, 2 / n), "Zipf, s = 1.5": (n, 0.5 / n**0.5)})
    np.testing.assert_allclose(ratios, [2.0] * len(n) + [0.5] * len(n))


def test_the_share_of_repeated_strings_is_that_of_the_template():
    t = TemplateTask({"αα": 1, "αβ": -1})
    drawn = t.sample(5, 6, seed=1)
    tokens = drawn.tokens.new_tensor([[0, 1], [0, 1], [1, 0], [2, 2], [2, 2]])
    sample = Sample(t, drawn.alphabet, tokens, drawn.labels, drawn.templates.new_tensor([1, 1, 1, 0, 0]))
    assert analyses.repeated_share(sample, 1) == pytest.approx(2 / 3)
    assert analyses.repeated_share(sample, 0) == 1.0
