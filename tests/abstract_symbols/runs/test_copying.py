"""What training does to the embeddings of symbols that it never saw."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from abstract_symbols.ensembles import train
from abstract_symbols.runs.copying import EmbeddingRun, mean_cosine


@given(n=st.integers(2, 6), seed=st.integers(0, 1000))
def test_the_mean_cosine_is_that_over_all_pairs(n, seed):
    vectors = torch.randn(n, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    pairs = [nn.functional.cosine_similarity(vectors[i], vectors[j], dim=0) for i in range(n) for j in range(i)]
    assert mean_cosine(vectors) == pytest.approx(float(torch.stack(pairs).mean()), abs=1e-9)
    assert mean_cosine(1e-30 * vectors) == pytest.approx(mean_cosine(vectors), abs=1e-9), "however short"
    assert mean_cosine(torch.cat([vectors[:1], 0 * vectors])) == 0


def embedding_run(seed=0, **options):
    return EmbeddingRun(**{"task": "copy", "network": "transformer", "n": 6, "seed": seed, "evaluation": 30, "d_emb": 8,
                           "heads": 2, "d_head": 4, "d_mlp": 8, "lr": 0.01, "epochs": 20, **options})


def test_an_embedding_run_measures_what_training_did_to_the_test_symbols():
    run = embedding_run()
    (metrics,) = EmbeddingRun.perform([run], "cpu")
    trained, start = run.member(), run.member().network.tokens.detach()
    train([trained], epochs=20, stop=0)
    unseen = list(trained.test.alphabet)
    with torch.no_grad():
        before, after = start[unseen], trained.network.tokens[unseen]
        logits = trained.network(trained.test.tokens)
    answers = logits.argmax(1)
    assert metrics["change"] == pytest.approx(((after - before).norm() / before.norm()).item(), rel=1e-5)
    assert metrics["change_cosine"] == pytest.approx(mean_cosine(after - before), abs=1e-5)
    assert metrics["cosine"] == pytest.approx(mean_cosine(after), abs=1e-5)
    assert metrics["error"] == pytest.approx((answers != trained.test.labels).double().mean().item())
    assert metrics["to_seen"] == pytest.approx((answers < 6).double().mean().item())
    allowed = logits[:, unseen].argmax(1) + unseen[0]
    assert metrics["among_unseen"] == pytest.approx((allowed != trained.test.labels).double().mean().item())
    assert metrics["among_unseen"] <= metrics["error"] and 0 < metrics["change"] < 1


def test_embedding_runs_measured_together_are_measured_alone():
    together = EmbeddingRun.perform([embedding_run(seed, decay=5.0) for seed in range(3)], "cpu")
    for seed, metrics in enumerate(together):
        (alone,) = EmbeddingRun.perform([embedding_run(seed, decay=5.0)], "cpu")
        assert metrics == pytest.approx(alone, abs=1e-4)


def test_training_pushes_unseen_embeddings_in_one_direction_and_frozen_ones_nowhere():
    (plain,), (frozen,) = (EmbeddingRun.perform([embedding_run(**o)], "cpu") for o in ({}, {"frozen": True}))
    assert plain["change_cosine"] > 0.5 > abs(plain["cosine"])
    assert frozen["change"] == frozen["change_cosine"] == 0
