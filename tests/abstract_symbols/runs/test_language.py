"""Runs with language models: perplexity, the cost of the scalars, random heads, template tasks."""

import numpy as np
import pytest
import torch

pytest.importorskip("transformers", reason="the extra 'language' is not installed")

import transformers
from language_models import IDS, SMALL, gpt2, same_weights
from little_corpus import little  # noqa: F401
from projects import use_project

from abstract_symbols.language import head_diagonals
from abstract_symbols.runs.language import (
    CostRun,
    PerplexityRun,
    RandomHeadsRun,
    TemplateRun,
    numbers,
    parsed,
)
from companion.runs import columns
from companion.sweeps import perform
from companion.sweeps import run as run_sweep

pytestmark = pytest.mark.slow

LITTLE = pytest.mark.usefixtures("little")

# ---- text --------------------------------------------------------------------------------------------------------


@LITTLE
def test_a_run_measures_what_it_says():
    runs = [PerplexityRun(seed=0, epochs=1, **SMALL, **options) for options in ({}, {"a": True, "b": True})]
    plain, both = PerplexityRun.perform(runs, "cpu")
    assert set(plain) == set(both) == set(PerplexityRun.METRICS)
    assert all(type(value) is PerplexityRun.METRICS[name] for name, value in both.items())
    assert plain["a_size"] == 0 and plain["a_heads"] == "0 0 0 0" and both["a_size"] > 0 and both["b_size"] > 0
    assert plain["perplexity"] != both["perplexity"] and 1 < both["perplexity"] < 270
    assert parsed(both["b_heads"]).shape == parsed(both["wkwq_heads"]).shape == (4,)
    assert np.abs(parsed(both["a_heads"])).mean() == pytest.approx(both["a_size"], rel=1e-3)
    first = float(plain["losses"].split()[0]), float(both["losses"].split()[0])
    assert first[0] == pytest.approx(first[1], rel=0.01), "the same weights and batches at the start"
    assert PerplexityRun.perform(runs[1:], "cpu") == [both], "the same numbers again"
    assert all(str(value) for value in plain.values()), "a results file has no empty cells"


@LITTLE
def test_options_reach_the_model():
    run = PerplexityRun(seed=0, epochs=1, **SMALL, a=True, mask_diagonal=True, c_kq=3, dropout=0.2)
    config = run.model(270).config
    assert config.identity_scalings == {"a": True, "b": False, "mask_diagonal": True, "c_kq": 3.0, "c_vo": 1.0}
    assert config.attn_pdrop == config.resid_pdrop == config.embd_pdrop == 0.2


def test_lists_of_numbers_fit_a_cell():
    assert parsed(numbers([1.25, -0.00012344, 3e7])).tolist() == [1.25, -0.0001234, 3e7] and parsed("").size == 0


def test_the_cost_is_a_ratio_to_the_plain_model():
    cost = CostRun(seed=0, length=64, d_emb=16, heads=4, a=True, b=True, vocabulary=50, steps=3).measure("cpu")
    only_b = CostRun(seed=0, length=64, d_emb=16, heads=4, b=True, vocabulary=50, steps=3).measure("cpu")
    assert set(cost) == set(CostRun.METRICS) and all(0.2 < value < 20 for value in cost.values())
    assert cost["memory"] > only_b["memory"] > 1, "the whole attention matrix is kept, and with a the Gram matrix"


def test_random_heads_are_standard_normal():
    found = RandomHeadsRun(seed=5, d_emb=64, depth=6, heads=8).measure()
    assert found["p_value"] > 1e-3 and abs(found["mean"]) < 0.4 and 0.8 < found["sd"] < 1.2


# ---- template tasks ----------------------------------------------------------------------------------------------


def test_a_template_run_learns_its_strings_and_measures_what_it_says():
    run = TemplateRun("same-different", n=8, seed=1, evaluation=20, lr=1e-2, **SMALL)
    found, again = run.measure("cpu"), run.measure("cpu")
    assert set(found) == set(TemplateRun.METRICS)
    assert all(type(value) is TemplateRun.METRICS[name] for name, value in found.items())
    assert found["train_loss"] < run.stop and found["best_epoch"] <= found["epochs_run"] < run.epochs
    assert found["test_loss"] > 0.1 and found["a_size"] == found["b_size"] == 0 and found["corpus_digest"] == "none"
    assert found["wkwq_mean_before"] != found["wkwq_mean_after"] <= found["wkwq_largest_after"]
    assert str(again) == str(found), "the same numbers again"
    other = TemplateRun("same-different", n=8, seed=2, evaluation=20, lr=1e-2, **SMALL).measure("cpu")
    assert other["test_loss"] != found["test_loss"]
    (row,) = perform([run], commit="x")
    assert set(row) == set(columns(TemplateRun)) and all(str(row[name]) for name in TemplateRun.METRICS)


@pytest.mark.parametrize("task, regular", [("same-different", ""), ("aba-abb", ""), ("program", "=1;-print()")])
def test_symbols_are_ordinary_tokens_in_disjoint_alphabets(task, regular):
    run = TemplateRun(task, n=40, seed=3, evaluation=90, **SMALL)
    member = run.member(run.model()[0])
    tokens = [getattr(member, part).tokens for part in ("train", "validation", "test")]
    assert [len(strings) for strings in tokens] == [40, 90, 90]
    train, validation, test = (set(strings.flatten().tolist()) for strings in tokens)
    assert train & validation == train & test == validation & test, "what all share are the regular tokens"
    assert len(train & test) == len(regular) and len(train) <= 40 + len(regular)
    assert min(train | validation | test) > 0, "token 0 ends documents"
    assert max(train | validation | test) < 270
    moved = TemplateRun(task, n=40, seed=4, evaluation=90, **SMALL)
    assert not torch.equal(moved.member(moved.model()[0]).train.tokens, tokens[0])
    if task == "same-different":
        assert torch.equal(tokens[2][:, 0] == tokens[2][:, 1], member.test.labels > 0), "labels are the templates'"


def test_the_read_out_is_of_the_last_position():
    network = TemplateRun("same-different", n=8, seed=0, evaluation=20, **SMALL).member(gpt2_with_read_out()).network
    hidden = network.model.transformer(IDS[:, :8]).last_hidden_state[:, -1]
    torch.testing.assert_close(network(IDS[:, :8]), hidden @ network.model.score.weight[0])


def gpt2_with_read_out():
    return TemplateRun("same-different", n=8, seed=0, **SMALL).model()[0]


def test_a_checkpoint_in_the_hubs_format_needs_no_tokenizer(tmp_path):
    checkpoint = gpt2(dropout=0.1)
    checkpoint.save_pretrained(tmp_path)
    assert not list(tmp_path.glob("*token*"))
    run = TemplateRun("same-different", n=6, seed=0, checkpoint=str(tmp_path), evaluation=12, epochs=3)
    model, found = run.model()
    assert same_weights(model, checkpoint) and np.isnan(found["perplexity"])
    member = run.member(model)
    tokens = torch.cat([getattr(member, part).tokens for part in ("train", "validation", "test")])
    assert tokens.min() >= 3 and tokens.max() < 40, "no special token, none beyond the vocabulary"
    assert not torch.equal(member.network(tokens), member.network(tokens)), "the checkpoint has dropout"
    with torch.no_grad():
        assert torch.equal(member.network(tokens), member.network(tokens)), "but not in tests"
    measured = run.measure("cpu")
    assert measured == pytest.approx(run.measure("cpu"), nan_ok=True) and measured["epochs_run"] == 3
    before = head_diagonals(checkpoint).groupby("product")["z"].max()
    assert measured["wvwo_largest_before"] == pytest.approx(before["wvwo"])


def test_what_a_template_run_cannot_do_is_said(tmp_path, monkeypatch):
    use_project(monkeypatch, tmp_path / "mine")
    with pytest.raises(ValueError, match="n=500: 540 symbols.*269 tokens.*larger vocabulary"):
        run = TemplateRun("same-different", n=500, seed=0, evaluation=20, **SMALL)
        run.member(run.model()[0])
    with pytest.raises(ValueError, match="'copy' has symbolic labels.*same-different"):
        run = TemplateRun("copy", n=8, seed=0, **SMALL)
        run.member(run.model()[0])
    with pytest.raises(ValueError, match="pretraining=1.0.*'gpt2' decides"):
        TemplateRun("same-different", n=8, seed=0, pretraining=1, checkpoint="gpt2")
    with pytest.raises(ValueError, match="depth=3.*'gpt2' decides"):
        TemplateRun("same-different", n=8, seed=0, depth=3, checkpoint="gpt2")
    def unreachable(*_, **__):
        raise OSError("no route")

    monkeypatch.setattr(transformers.AutoModelForSequenceClassification, "from_pretrained", unreachable)
    with pytest.raises(ValueError, match="'openai-community/gpt2'.*no hub that has it can be reached.*OSError"):
        run_sweep("pretraining-gpt2", workers=1, upto=8, results=tmp_path, device="cpu")
