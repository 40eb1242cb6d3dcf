"""Runs on a transformer's inner features: its last layer trained alone, its attention logits before and after."""

import pytest
import torch

from abstract_symbols import Transformer
from abstract_symbols.ensembles import train
from abstract_symbols.runs.features import AttentionRun, LastLayerRun, cls_logits, first_logits
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
