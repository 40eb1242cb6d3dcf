"""Language models that were trained before: once, kept whole, and read from a folder."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from language_models import SMALL, same_weights, weights
from little_corpus import little  # noqa: F401
from projects import use_project

transformers = pytest.importorskip("transformers", reason="the extra 'language' is not installed")

from abstract_symbols.language import perplexity, pretrained, read_out  # noqa: E402
from abstract_symbols.language.training import tokenised  # noqa: E402
from abstract_symbols.runs.language import PerplexityRun, TemplateRun  # noqa: E402

pytestmark = pytest.mark.slow

SHORT = {"evaluation": 20, "epochs": 3}


@pytest.fixture
def kept(little, tmp_path, monkeypatch):  # noqa: F811
    """The folder of pretrained models, for the little corpus."""
    return use_project(monkeypatch, tmp_path / "mine") / "_build" / "pretrained"


def test_from_scratch_and_pretraining_start_from_the_same_weights(kept):
    run = TemplateRun("same-different", n=8, seed=5, **SMALL)
    assert same_weights(run.model()[0], PerplexityRun(seed=5, epochs=1, **SMALL).model(270))
    other = TemplateRun("same-different", n=8, seed=6, **SMALL)
    assert not same_weights(run.model()[0], other.model()[0])


def test_pretrained_weights_are_used_and_trained_once(kept, monkeypatch):
    run = TemplateRun("same-different", n=8, seed=0, pretraining=1, a=True, b=True, c_kq=7, **SMALL, **SHORT)
    model, found = run.model()
    trained = pretrained(run.language_model())
    assert trained.parent == kept and [path.name for path in kept.iterdir() if path.is_dir()] == [trained.name]
    checkpoint = transformers.GPT2LMHeadModel.from_pretrained(trained)
    own = {name for name in weights(model) if "identity_scalings" in name}
    assert len(own) == 4 and model.config.identity_scalings["c_kq"] == 7
    assert all(torch.equal(p, weights(checkpoint)[name]) for name, p in weights(model).items() if name not in own)
    assert not same_weights(checkpoint, PerplexityRun(seed=0, epochs=1, **SMALL).model(270)), "and they are trained"
    assert found["perplexity"] == perplexity(checkpoint, tokenised("python", 270, 8)[2]["test"])
    measured = run.measure("cpu")
    assert measured["pretrained_perplexity"] == found["perplexity"] and len(measured["corpus_digest"]) == 12
    assert measured["a_size"] > 0 and measured["b_size"] > 0
    monkeypatch.setattr(PerplexityRun, "train", lambda *_: pytest.fail("trained again"))
    assert run.measure("cpu") == measured, "from the kept model the same"
    monkeypatch.undo()


def test_two_at_once_pretrain_once_and_a_stopped_one_leaves_nothing(kept, monkeypatch):
    run, whole, calls = PerplexityRun(seed=0, epochs=1, **SMALL), PerplexityRun.train, []

    def stopped(self, device):
        raise KeyboardInterrupt

    def counted(self, device):
        calls.append(self)
        return whole(self, device)

    monkeypatch.setattr(PerplexityRun, "train", stopped)
    with pytest.raises(KeyboardInterrupt):
        pretrained(run)
    assert not [path for path in kept.iterdir() if path.is_dir()]
    monkeypatch.setattr(PerplexityRun, "train", counted)
    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(lambda _: pretrained(run), range(2))
    assert one == other and len(calls) == 1 and (one / "metrics.json").exists()
    assert [path for path in kept.iterdir() if path.is_dir()] == [one]
    assert pretrained(PerplexityRun(seed=1, epochs=1, **SMALL)) != one and len(calls) == 2


def test_a_checkpoint_that_is_nowhere_is_named(tmp_path):
    with pytest.raises(ValueError, match="nowhere'.*no hub.*HF_HUB_OFFLINE.*save_pretrained"):
        read_out(tmp_path / "nowhere")
