"""Runs that measure what the kernel predicts, against the dense solve and sums over all pairs."""

import numpy as np
import pytest
from pattern_kernel import PatternKernel

from abstract_symbols import TemplateTask
from abstract_symbols.kernels import FiniteTransformer
from abstract_symbols.kernels.prediction import predicted_samples
from abstract_symbols.kernels.ridge import dense_ridge
from abstract_symbols.kernels.template_matrix import smallest_eigenvalue
from abstract_symbols.runs.kernel import (
    DrawnRun,
    GramRun,
    KernelJob,
    PredictionRun,
    RidgeRun,
    StringsRun,
    WidthRun,
)
from abstract_symbols.runs.training import Run
from abstract_symbols.tasks import task

# ---- kernel ridge regression ----------------------------------------------------------------------------------------


@pytest.fixture
def pattern_kernel(monkeypatch):
    """Runs that measure the tests' exact kernel, which takes no time."""
    kernel = PatternKernel()
    monkeypatch.setattr(KernelJob, "kernel", lambda self, device="cpu": kernel)
    return kernel


def ridge_by_definition(run, kernel):
    """The metrics of a `RidgeRun` from the dense solve, and the predictions themselves."""
    t = TemplateTask(task(run.task).labels, noise=run.noise)
    sample = t.sample(run.n, run.alphabet or run.n, seed=run.seed, zipf=run.zipf)
    strings = [z.substitute("UVWXYZ") for z in t.templates]
    predicted = dense_ridge(kernel, sample, strings, run.ridge)
    means = np.array([sample.labels[sample.templates == i].numpy().mean() for i in range(len(t.templates))])

    def rms(x):
        return np.sqrt(np.mean(x**2))  # the tasks draw their templates with equal probabilities

    return {"error": rms(predicted - t.values), "worst": np.abs(predicted - t.values).max(),
            "label_mean_error": rms(means - t.values), "gap": rms(predicted - means)}, predicted


@pytest.mark.parametrize("run", [
    RidgeRun("same-different", 0, n=80),
    RidgeRun("same-different", 1, n=120, alphabet=12, noise=3.0),
    RidgeRun("aba-abb", 2, n=90, alphabet=40, noise=0.5, ridge=0.3),
    RidgeRun("same-relation", 3, n=150, zipf=1.0),
    RidgeRun("same-order", 4, n=60, noise=1.0),
], ids=lambda run: f"{run.task}-{run.seed}")
def test_a_ridge_run_measures_what_the_dense_solve_does(run, pattern_kernel):
    expected, predicted = ridge_by_definition(run, pattern_kernel)
    measured = run.measure("cpu")
    for name, value in expected.items():
        assert measured[name] == pytest.approx(value, abs=1e-8), name
    assert len(set(predicted.round(6))) == len(predicted), "the templates' predictions differ, so that order counts"
    assert set(measured) == set(RidgeRun.METRICS)
    assert measured["iterations"] > 0


def test_the_transformers_kernel_gives_the_same_as_its_dense_solve():
    run = RidgeRun("same-different", 0, n=100)
    measured, (expected, _) = run.measure("cpu"), ridge_by_definition(run, run.kernel())
    assert {name: measured[name] for name in expected} == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("noise", [0.0, 2.0])
def test_the_errors_of_a_ridge_run_fit_together(noise, seed, pattern_kernel):
    m = RidgeRun("same-relation", seed, n=200, noise=noise).measure("cpu")
    assert m["worst"] / np.sqrt(4) <= m["error"] <= m["worst"]
    assert abs(m["gap"] - m["label_mean_error"]) <= m["error"] <= m["gap"] + m["label_mean_error"]
    if noise:
        assert m["label_mean_error"] > 0
    else:  # the mean of the labels is the label
        assert m["label_mean_error"] == 0
        assert m["error"] == m["gap"] > 0


def test_the_alphabet_is_n_unless_given_and_rho_its_diversity(pattern_kernel):
    implied, stated = (RidgeRun("aba-abb", 0, n=50, alphabet=m).measure("cpu") for m in (None, 50))
    assert implied == stated
    assert implied["rho"] == 25
    run = RidgeRun("aba-abb", 0, n=50, alphabet=20, zipf=1.0)
    assert run.measure("cpu")["rho"] == task("aba-abb").diversity(20, zipf=1.0) < 10


def test_more_strings_more_symbols_and_less_noise_lower_the_error(pattern_kernel):
    def error(**options):
        return np.mean([RidgeRun("same-different", seed, **options).measure("cpu")["error"] for seed in range(3)])

    assert error(n=1000) < error(n=100) < error(n=100, alphabet=5)
    assert error(n=1000) < error(n=1000, noise=5.0)
    assert error(n=1000) < error(n=1000, zipf=1.5)


def test_equal_runs_share_a_kernel_and_others_do_not():
    one, same, other = (RidgeRun("same-different", seed, beta=beta) for seed, beta in ((0, 1.0), (1, 1.0), (0, 3.0)))
    assert one.kernel() is same.kernel()
    assert (one.kernel().beta, other.kernel().beta) == (1.0, 3.0)


def test_a_ridge_run_refuses_symbolic_labels():
    with pytest.raises(ValueError, match="'copy' has symbolic labels"):
        RidgeRun("copy", 0, n=10).measure("cpu")


@pytest.mark.parametrize("name", ["same-different", "aba-abb", "random-r2-k4-w3-R0", "majority-4"])
def test_after_the_predicted_strings_ridge_regression_has_an_error_of_one_half(name):
    run = StringsRun(name, 0)
    measured = run.measure("cpu")
    n = round(measured["strings"])
    errors = [RidgeRun(name, seed, n=n, alphabet=100 * n).measure("cpu")["error"] ** 2 for seed in range(4)]
    assert np.mean(errors) == pytest.approx(0.5, rel=0.1)
    assert measured["eigenvalue"] == pytest.approx(smallest_eigenvalue(task(name), run.kernel())[0], rel=1e-12)


def test_a_random_task_is_drawn_by_the_seed_of_the_run(pattern_kernel):
    by_seed = [StringsRun("random-r3-k5-w3-R0", seed).measure("cpu") for seed in range(3)]
    assert len({m["strings"] for m in by_seed}) == 3
    assert by_seed[1]["strings"] == predicted_samples(task("random-r3-k5-w3-R0", 1), pattern_kernel, alphabet=np.inf)


def test_a_drawn_run_is_its_run_and_its_tasks_prediction(pattern_kernel):
    options = {"n": 16, "epochs": 2, "evaluation": 50, "d_emb": 16, "heads": 2, "d_head": 8, "d_mlp": 16}
    for seed in range(2):
        plain, drawn = (kind("random-r2-k4-w3-R0", "transformer", seed=seed, **options)
                        for kind in (Run, DrawnRun))
        ((of_plain,), (of_drawn,)) = (run.perform([run], "cpu") for run in (plain, drawn))
        predicted = StringsRun("random-r2-k4-w3-R0", seed).measure("cpu")["strings"]
        assert of_drawn == {**of_plain, "predicted": predicted}


@pytest.mark.parametrize("name", ["counting-5", "copy"])
def test_strings_are_predicted_for_labels_plus_and_minus_one_alone(name, pattern_kernel):
    with pytest.raises(ValueError, match=f"'{name}': the labels must be ±1"):
        StringsRun(name, 0).measure("cpu")


# ---- the kernel's Gram matrices and the network's width -------------------------------------------------------------


@pytest.mark.parametrize("name", ["same-different", "aba-abb", "same-relation"])
def test_a_gram_run_measures_all_pairs_against_their_templates_block(name, pattern_kernel):
    run = GramRun(name, 3, n=40, alphabet=15)
    t = task(name)
    sample = t.sample(40, 15, seed=3)
    apart = {(i, j): pattern_kernel.values([(x.substitute("ABCDEF"), y.substitute("UVWXYZ"))])[0]
             for i, x in enumerate(t.templates) for j, y in enumerate(t.templates)}
    squares, sizes, met = [], [], []
    for i, x in enumerate(sample.strings):
        for j, y in enumerate(sample.strings):
            if i != j:
                value = pattern_kernel.values([(x, y)])[0]
                squares.append((value - apart[int(sample.templates[i]), int(sample.templates[j])]) ** 2)
                sizes.append(value**2)
                met.append(bool(set(x) & set(y)))
    measured = run.measure("cpu")
    assert measured["deviation"] == pytest.approx(np.sqrt(np.mean(squares) / np.mean(sizes)), rel=1e-12)
    assert measured["collisions"] == pytest.approx(np.mean(met), rel=1e-12)
    assert 0 < measured["collisions"] < 1


def test_the_gram_matrixs_deviation_follows_from_single_collisions_when_they_are_rare(pattern_kernel):
    t, m = task("aba-abb"), 2000
    total = blocks = 0.0
    for x in t.templates:
        for y in t.templates:
            apart = pattern_kernel.values([(x.substitute("AB"), y.substitute("UV"))])[0]
            blocks += apart**2
            for other in ("AV", "UA", "BV", "UB"):  # one wildcard of y holds a symbol of x
                total += (pattern_kernel.values([(x.substitute("AB"), y.substitute(other))])[0] - apart) ** 2
    measured = [GramRun("aba-abb", seed, n=400, alphabet=m).measure("cpu") for seed in range(6)]
    assert np.mean([r["collisions"] for r in measured]) == pytest.approx(4 / m, rel=0.1)
    mean_square = np.mean([r["deviation"] ** 2 for r in measured])
    assert np.sqrt(mean_square) == pytest.approx(np.sqrt(total / blocks / m), rel=0.15)


def test_a_width_run_measures_the_distance_between_all_inner_products_and_the_kernel():
    run = WidthRun("same-different", 5, width=12)
    strings, kernel = ["AA", "UU", "AB", "UA"], run.kernel()
    features = FiniteTransformer(kernel, 12, seed=5).features(strings).numpy()
    distances = [features[i] @ features[j] - kernel(x, y) for i, x in enumerate(strings) for j, y in enumerate(strings)]
    assert run.measure("cpu")["error"] == pytest.approx(np.sqrt(np.mean(np.square(distances))), rel=1e-9)


def test_wider_networks_are_nearer_to_the_kernel_by_the_root_of_their_width():
    narrow, wide = (np.mean([WidthRun("same-different", s, width=w).measure("cpu")["error"] for s in range(8)])
                    for w in (8, 128))
    assert 0.12 < wide / narrow < 0.45  # about 1/4


# ---- training the last layer ----------------------------------------------------------------------------------------


def predictions_by_definition(run):
    """The network's and the kernel's predictions from the features' own ridge regression and from the dense solve."""
    train_set, test_set = run.samples()
    tokens = [*train_set.tokens.tolist(), *test_set.tokens.tolist()]
    network = FiniteTransformer(run.kernel(), run.width, d_head=run.width // 4, d_mlp=16 * run.width, seed=run.seed)
    features = network.features(tokens).numpy()
    fitted = features[:run.n]
    w = np.linalg.solve(fitted.T @ fitted + run.ridge * np.eye(fitted.shape[1]), fitted.T @ train_set.labels.numpy())
    return features @ w, dense_ridge(run.kernel(), train_set, tokens, run.ridge), test_set.labels.numpy()


def test_a_prediction_run_compares_two_ridge_regressions_on_the_same_strings():
    run = PredictionRun("aba-abb", 2, width=8, n=30, unseen=20, ridge=0.05)
    network, kernel, labels = predictions_by_definition(run)
    assert [*map(len, run.samples())] == [30, 20]
    assert not set(run.samples()[0].tokens.unique().tolist()) & set(run.samples()[1].tokens.unique().tolist())
    np.testing.assert_allclose(run.predictions()[0], network, atol=1e-8)
    np.testing.assert_allclose(run.predictions()[1], kernel, atol=1e-8)

    def rms(x):
        return np.sqrt(np.mean(x**2))

    assert run.measure("cpu") == pytest.approx({
        "difference": rms(network[30:] - kernel[30:]), "seen_difference": rms(network[:30] - kernel[:30]),
        "kernel_error": rms(kernel[30:] - labels), "network_error": rms(network[30:] - labels)}, abs=1e-8)


def test_wider_networks_predict_what_the_kernel_predicts():
    def mean(width):
        return {name: np.mean([run[name] for run in (
            PredictionRun("same-different", seed, width=width, n=40, unseen=40, ridge=1.0).measure("cpu")
            for seed in range(4))]) for name in ("difference", "seen_difference")}

    narrow, wide = mean(8), mean(96)
    for name, value in wide.items():
        assert 0.1 < value / narrow[name] < 0.55, name  # 12^(-1/2) = 0.29
