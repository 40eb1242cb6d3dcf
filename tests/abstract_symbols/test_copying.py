"""The copy theorem's exact computation, against autograd, finite gradient steps, symmetries and the derived law."""

import math

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn

from abstract_symbols.copying import PARAMETERS, CopyModel, overlap, progress_law, span_share
from abstract_symbols.runs.copying import ProgressRun

VOCAB, SEEN = 40, torch.arange(8)
UNSEEN = torch.arange(8, VOCAB)
seeds = st.integers(0, 10**6)
strengths = pytest.mark.parametrize("gamma", [0.01, 1.0])


def parameters_of(model):
    """The model's parameters by name, a and b among them, as leaves."""
    heads = len(model.W_V)
    tensors = {"w_v": model.W_V, "w_o": model.W_O, "w_k": model.W_K, "w_q": model.W_Q, "embeddings": model.E,
               "positions": model.P, "a": torch.zeros(heads).double(), "b": torch.zeros(heads).double()}
    return {name: tensors[name].clone().requires_grad_() for name in PARAMETERS}


def loss_by_formula(model, theta, symbols):
    """Mean cross-entropy, position by position and head by head as section 4 describes the model."""
    E, identity = theta["embeddings"], torch.eye(model.E.shape[1]).double()
    Z = torch.stack([E[symbols] + model.gamma * theta["positions"][0],
                     (model.gamma * theta["positions"][1]).expand(len(symbols), -1)], dim=1)     # (S, 2, d)
    z = 0
    for h in range(len(theta["w_v"])):
        kq = theta["w_k"][h] @ theta["w_q"][h].T + theta["a"][h] * identity
        vo = theta["w_v"][h] @ theta["w_o"][h].T + theta["b"][h] * identity
        attention = (model.beta * Z @ kq @ Z[:, 1, :, None]).softmax(1)                          # (S, 2, 1)
        z = z + (attention * Z).sum(1) @ vo
    return nn.functional.cross_entropy(z @ E.T, symbols)


def gradients_by_autograd(model, symbols):
    theta = parameters_of(model)
    return dict(zip(theta, torch.autograd.grad(loss_by_formula(model, theta, symbols), list(theta.values())),
                    strict=True))


@strengths
@pytest.mark.parametrize("heads", [1, 4])
def test_overlaps_of_gradients_are_those_of_autograd(gamma, heads):
    model = CopyModel(VOCAB, 16, heads=heads, gamma=gamma, beta=0.7, seed=1)
    sets = SEEN, UNSEEN
    ours, expected = ([f(s) for s in sets] for f in (model.gradients, lambda s: gradients_by_autograd(model, s)))
    for s, mine in zip(sets, ours, strict=True):
        assert float(mine["loss"]) == pytest.approx(loss_by_formula(model, parameters_of(model), s).item(), rel=1e-12)
    for name in PARAMETERS:
        for i, j in ((0, 0), (0, 1), (1, 1)):
            product = float((expected[i][name] * expected[j][name]).sum())
            scale = float(expected[i][name].norm() * expected[j][name].norm())
            assert overlap(name, ours[i], ours[j]) == pytest.approx(product, abs=1e-12 * scale), name


@strengths
def test_the_progress_ratio_is_what_a_small_gradient_step_does(gamma):
    run = ProgressRun(16, n=8, seed=3, test=32, gamma=gamma)
    model, seen, unseen = run.model()
    measured, gradients = run.measure(), gradients_by_autograd(model, seen)
    for name in PARAMETERS:
        falls = []
        for symbols in (unseen, seen):
            losses = []
            for step in (1e-4, -1e-4):
                theta = {k: v.detach() for k, v in parameters_of(model).items()}
                theta[name] = theta[name] - step * gradients[name] / gradients[name].norm()
                losses.append(float(loss_by_formula(model, theta, symbols)))
            falls.append(losses[1] - losses[0])
        assert falls[1] > 0
        assert measured[name] == pytest.approx(falls[0] / falls[1], rel=1e-5, abs=1e-5), name


def rotated(model, rotation):
    """The same model in other coordinates of the embedding space."""
    for name in ("E", "P"):
        setattr(model, name, getattr(model, name) @ rotation)
    for name in ("W_V", "W_O", "W_K", "W_Q"):
        setattr(model, name, rotation.T @ getattr(model, name))
    return model


@given(seed=seeds)
@settings(max_examples=15)
def test_rotating_the_embedding_space_changes_no_gradients_length_nor_angle(seed):
    plain, model = (CopyModel(VOCAB, 16, gamma=0.5, seed=seed) for _ in range(2))
    rotation = torch.linalg.qr(torch.randn(16, 16, generator=torch.Generator().manual_seed(seed)).double())[0]
    rotated(model, rotation)
    assert torch.allclose(model.gradients(SEEN)["b"], plain.gradients(SEEN)["b"], rtol=0, atol=1e-12)
    for name in PARAMETERS:
        before, after = (overlap(name, m.gradients(UNSEEN), m.gradients(SEEN)) for m in (plain, model))
        assert after == pytest.approx(before, rel=1e-8, abs=1e-13), name


@given(seed=seeds, names=st.permutations(range(VOCAB)))
@settings(max_examples=15)
def test_renaming_the_symbols_changes_nothing(seed, names):
    plain, model = (CopyModel(VOCAB, 16, gamma=0.5, seed=seed) for _ in range(2))
    names = torch.tensor(names)
    model.E[names] = plain.E.clone()
    for symbols in (SEEN, UNSEEN):
        before, after = plain.gradients(symbols), model.gradients(names[symbols])
        assert torch.allclose(after["b"], before["b"], rtol=0, atol=1e-12)
        assert overlap("w_v", after, after) == pytest.approx(overlap("w_v", before, before), rel=1e-9)


def test_the_rise_of_own_logits_is_that_of_a_small_step_of_the_value_matrices():
    model = CopyModel(VOCAB, 16, gamma=0.5, seed=2)
    gradient = gradients_by_autograd(model, SEEN)["w_v"]

    def above_the_mean(step, symbols):
        moved = CopyModel(VOCAB, 16, gamma=0.5, seed=2)
        moved.W_V = model.W_V - step * gradient / (gradient**2).sum()
        logits = moved.gradients(symbols)["logits"]
        return logits.gather(1, symbols[:, None])[:, 0] - logits.mean(1)

    for symbols in (SEEN, UNSEEN):
        expected = (above_the_mean(1e-4, symbols) - above_the_mean(-1e-4, symbols)) / 2e-4
        assert torch.allclose(model.own_logit_rates(SEEN, symbols), expected, rtol=0, atol=1e-8)


# ---- the law -----------------------------------------------------------------------------------------------------

sizes = st.integers(1, 200)


@given(n=sizes, d=st.integers(8, 10**5), test=sizes)
def test_without_positions_the_law_is_a_ratio_of_n_to_d_whatever_the_vocabulary(n, d, test):
    assert progress_law(n, d, test, 0.0) == pytest.approx(n / (d + n + 1))


@given(n=sizes, d=st.integers(8, 10**5), test=sizes, gamma=st.floats(0.01, 2))
def test_progress_ends_where_d_exceeds_the_vocabulary_over_kappa(n, d, test, gamma):
    limit = (n + test) / (2 * gamma**2)
    assume(abs(d / limit - 1) > 1e-9)
    assert (progress_law(n, d, test, gamma) > 0) == (d < limit)
    assert progress_law(n, 2 * d, test, gamma) < progress_law(n, d, test, gamma) <= 1


@pytest.mark.parametrize(("gamma", "beta"), [(0.01, 1.0), (0.5, 1e-3)])
@pytest.mark.parametrize("n", [4, 16, 64])
def test_measured_progress_follows_the_law(n, gamma, beta):
    runs = [ProgressRun(128, n, seed=seed, gamma=gamma, beta=beta).measure() for seed in range(8)]
    for name in ("w_v", "w_o"):
        measured = np.array([run[name] for run in runs])
        error = measured.std(ddof=1) / math.sqrt(len(measured))
        law = progress_law(n, 128, 256, gamma)
        assert abs(measured.mean() - law) < 4 * error + 0.02 * law, (name, measured.mean(), law, error)
        assert error < 0.1 * law


def test_b_makes_the_same_progress_on_both_and_the_value_matrix_does_not():
    run = ProgressRun(512, 16, seed=0).measure()
    assert run["b"] == pytest.approx(1, abs=0.1)
    assert run["w_v"] < 0.05 and run["w_o"] < 0.05
    assert run["w_v_over_law"] == pytest.approx(run["w_v"] / progress_law(16, 512, 256, 0.01))
    assert run["span"] == pytest.approx(16 / 512, rel=0.1)


def test_the_span_holds_its_own_rows_and_nothing_orthogonal():
    basis = torch.linalg.qr(torch.randn(8, 8, generator=torch.Generator().manual_seed(0)).double())[0]
    train, other = 3 * basis[:3], torch.stack([basis[0] + basis[1], basis[5], basis[2] + 2 * basis[6]])
    assert torch.allclose(span_share(train, train), torch.ones(3).double())
    assert span_share(train, other).tolist() == pytest.approx([1, 0, 0.2])


def test_heads_that_do_not_divide_the_dimension_are_refused():
    with pytest.raises(ValueError, match="d_emb=18.*heads=4"):
        CopyModel(VOCAB, 18)
    with pytest.raises(ValueError, match="heads=0: .*1 or more"):
        CopyModel(VOCAB, 16, heads=0)
