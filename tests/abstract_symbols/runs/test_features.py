"""Runs on a transformer's inner features: its last layer trained or solved for, its attention before and after."""

import numpy as np
import pytest
import torch

from abstract_symbols import Transformer
from abstract_symbols.ensembles import train
from abstract_symbols.runs.features import (
    AttentionRun,
    LastLayerRun,
    LeastSquaresRun,
    cls_logits,
    first_logits,
    ridge_fits,
)
from abstract_symbols.runs.training import Run

TINY = {"task": "aba-abb", "network": "transformer", "n": 24, "evaluation": 30, "epochs": 40, "stop": 0, "batch": 10,
        "lr": 0.01, "d_emb": 12, "heads": 2, "d_head": 6, "d_mlp": 10, "readout_only": True}


@pytest.mark.parametrize("options", [{}, {"scale": 8.0}, {"depth": 1, "a": True, "b": True}, {"stop": 0.9}])
def test_a_last_layer_run_gives_the_numbers_of_the_run_that_trains_the_whole_networks_last_layer(options):
    fast, whole = (kind.perform([kind(**{**TINY, **options, "seed": seed}) for seed in (0, 1)], "cpu")
                   for kind in (LastLayerRun, Run))
    for mine, reference in zip(fast, whole, strict=True):
        assert mine == pytest.approx(reference, abs=1e-4)
    assert fast[0]["test_loss"] != pytest.approx(fast[1]["test_loss"], abs=1e-3), "the seeds are told apart"


def test_a_last_layer_run_learns_from_the_features_alone():
    member = LastLayerRun(**TINY, seed=0).member()
    before = member.network.features.clone()
    start = member.network.readout.weight.detach().clone()
    train([member], epochs=3, stop=0)
    assert torch.equal(member.network.features, before) and len(before) == 24 + 30 + 30
    assert not torch.equal(member.network.readout.weight, start)


SMALL = {"n": 40, "seed": 3, "evaluation": 50, "d_emb": 12, "heads": 2, "d_head": 6, "d_mlp": 10}


def dense_ridge(features, labels, ridge):
    """Normal equations with a column of ones, whose weight has no penalty: (d + 1,), the intercept last."""
    x = np.column_stack([features, np.ones(len(features))])
    penalty = ridge * np.diag([1.0] * features.shape[1] + [0.0])
    return np.linalg.solve(x.T @ x + penalty, x.T @ labels)


@pytest.mark.parametrize("n", [5, 30])  # fewer and more strings than features
def test_ridge_fits_solve_the_normal_equations_and_do_not_penalise_the_intercept(n):
    rng = np.random.default_rng(0)
    features, labels = rng.normal(3, 1, (n, 8)), rng.normal(5, 1, n)
    ridges = (1e-3, 0.1, 100.0)
    for ridge, fit in zip(ridges, ridge_fits(features, labels, ridges), strict=True):
        *weights, intercept = dense_ridge(features, labels, ridge)
        assert fit.ridge == ridge
        np.testing.assert_allclose([*fit.weights, fit.intercept], [*weights, intercept], rtol=1e-6, atol=1e-8)
        np.testing.assert_allclose(fit(features), features @ np.array(weights) + intercept, rtol=1e-6)
    assert fit.intercept == pytest.approx(labels.mean() - fit.weights @ features.mean(0))


@pytest.mark.parametrize("task", ["same-different", "aba-abb"])
def test_a_least_squares_run_is_the_dense_solution_with_the_lambda_that_validation_prefers(task):
    run = LeastSquaresRun(task, **SMALL, scale=8.0, first_decade=-2, last_decade=3)
    member = run.trained().member()
    found = {}
    for part in ("train", "validation", "test"):
        sample = getattr(member, part)
        x = member.network.features[sample.tokens[:, 0]].double().numpy()
        found[part] = np.column_stack([x, np.ones(len(x))]), sample.labels.double().numpy()
    (x, y), losses = found["train"], {}
    for decade in range(-2, 4):
        w = dense_ridge(x[:, :-1], y, 10.0**decade)
        losses[10.0**decade] = {part: np.mean((x @ w - y) ** 2) for part, (x, y) in found.items()}
        losses[10.0**decade] |= {"norm": np.linalg.norm(w[:-1]),
                                 "error": np.mean((found["test"][0] @ w) * found["test"][1] <= 0)}
    ridge = min(losses, key=lambda ridge: losses[ridge]["validation"])
    metrics, expected = run.measure("cpu"), losses[ridge]
    assert metrics["ridge"] == ridge
    assert [metrics[f"{part}_loss"] for part in found] == pytest.approx([expected[part] for part in found], rel=1e-8)
    assert metrics["norm"] == pytest.approx(expected["norm"], rel=1e-8)
    assert metrics["test_error"] == expected["error"]
    assert run.measure("cpu") == metrics and set(metrics) == set(LeastSquaresRun.METRICS)


def test_a_least_squares_run_has_the_network_and_strings_of_the_run_with_adam():
    run = LeastSquaresRun("same-different", **SMALL, scale=8.0)
    adam = LastLayerRun("same-different", "transformer", **SMALL, scale=8.0, readout_only=True)
    assert run.trained() == adam
    test = adam.member().test.alphabet
    assert not set(test) & set(adam.member().train.alphabet) and not set(test) & set(adam.member().validation.alphabet)


@pytest.mark.parametrize(("of", "key"), [
    (LeastSquaresRun("same-different", n=64, seed=10, scale=1), "99843ece218f2fda"),
    (LeastSquaresRun("aba-abb", n=512, seed=10, scale=64, d_emb=1024, heads=64, d_mlp=1024), "7dccd91822c0ae11"),
])
def test_keys_of_least_squares_runs_are_for_ever(of, key):
    assert of.key == key


def test_an_attention_run_measures_the_first_layers_attention_at_cls_before_and_after_training():
    run = AttentionRun(**{**TINY, "readout_only": None, "a": True, "seed": 1})
    (metrics,) = AttentionRun.perform([run], "cpu")
    member, start = run.member(), run.member().network
    train([member], epochs=40, stop=0, batch=10)
    for when, network in (("before", start), ("after", member.network)):
        attention = network.blocks[0].attention
        x = network.blocks[0].norm_attention(network.embed(member.test.tokens))  # (n, k, d_emb)
        q, k = (torch.stack(w(x).detach().split(6, -1), 1) for w in (attention.W_Q, attention.W_K))  # (n, heads, k, 6)
        own = attention.c_kq * attention.a[:, None] * torch.einsum("nd,nkd->nk", x[:, -1], x)[:, None]
        logits = torch.einsum("nhd,nhkd->nhk", q[:, :, -1], k) / 6**0.5 + own.detach()
        assert metrics[f"logits_{when}"] == pytest.approx(float(logits.std()), rel=1e-4)
        assert metrics[f"largest_{when}"] == pytest.approx(float(logits.softmax(-1).amax(-1).mean()), rel=1e-4)
    assert metrics["logits_after"] > 1.2 * metrics["logits_before"]


def test_the_first_layers_logits_are_those_that_it_attends_with():
    torch.manual_seed(0)
    network = Transformer(30, 3, d_emb=12, heads=2, d_head=6, a=True)
    torch.nn.init.normal_(network.blocks[0].attention.a, std=1e-3)
    tokens = torch.randint(30, (7, 3))
    logits = first_logits(network, tokens)
    with torch.no_grad():
        attention = network.blocks[0](network.embed(tokens))[1]
    assert logits.shape == (7, 2, 4, 4) and torch.allclose(logits.softmax(-1), attention, atol=1e-6)
    assert torch.equal(cls_logits(network, tokens), logits[:, :, 3])
