"""Language models: identity parameters in transformers' models, the embedded corpus, training that can be resumed."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
import torch

pytest.importorskip("transformers", reason="the extra 'language' is not installed")

import transformers  # noqa: E402

from abstract_symbols import claims, experiments, language  # noqa: E402
from abstract_symbols.language import (  # noqa: E402
    CostRun,
    PerplexityRun,
    TemplateRun,
    add_identity_scalings,
    blocks,
    corpus,
    head_diagonals,
    load_identity_scalings,
    perplexity,
    pretrained,
    read_out,
    scalars,
    tokenizer,
    train,
)
from abstract_symbols.language.corpus import PARTS, articles, part_of, shingles, without_repeats  # noqa: E402
from abstract_symbols.language.training import RandomHeadsRun, numbers, parsed  # noqa: E402

corpora = sys.modules["abstract_symbols.language.corpus"]
SIZES = {"vocab_size": 40, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}


def gpt2(attention="sdpa", dropout=0.0, **options):
    torch.manual_seed(0)
    config = transformers.GPT2Config(**SIZES, n_positions=48, n_embd=16, n_layer=2, n_head=4, attn_pdrop=dropout,
                                     resid_pdrop=dropout, embd_pdrop=dropout, attn_implementation=attention, **options)
    return transformers.GPT2LMHeadModel(config).eval()


def llama(attention="sdpa"):
    torch.manual_seed(0)
    config = transformers.LlamaConfig(**SIZES, hidden_size=16, intermediate_size=24, num_hidden_layers=2,
                                      num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=48,
                                      attn_implementation=attention)
    return transformers.LlamaForCausalLM(config).eval()


MODELS = {"gpt2": gpt2, "llama": llama}
IDS = torch.randint(3, 40, (3, 12), generator=torch.Generator().manual_seed(1))


def move(model, size=0.7, only="ab"):
    """Give the scalars values as training might."""
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if "identity_scalings" in name and name[-1] in only:
                p.copy_(size * torch.randn(p.shape, generator=generator))
    return model


def modified(make=gpt2, attention="sdpa", **options):
    return move(add_identity_scalings(make(attention), **options))


@pytest.fixture(params=[(name, attention) for name in MODELS for attention in ("sdpa", "eager")],
                ids=lambda p: "-".join(p))
def made(request):
    name, attention = request.param
    return MODELS[name], attention


# ---- before training ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("gradients", [False, True])
@pytest.mark.parametrize("padded", [False, True])
def test_outputs_are_bit_equal_until_a_scalar_moves(made, gradients, padded):
    make, attention = made
    mask = torch.ones_like(IDS)
    mask[0, :4] = 0 if padded else 1
    with torch.set_grad_enabled(gradients):
        plain = make(attention)(IDS, attention_mask=mask).logits
        model = add_identity_scalings(make(attention))
        assert torch.equal(model(IDS, attention_mask=mask).logits, plain)
        moved = move(model)(IDS, attention_mask=mask).logits
        assert not torch.allclose(moved, plain, atol=1e-3), "and not any longer"


def test_the_plain_models_gradients_do_not_change_either(made):
    make, attention = made
    plain, model = make(attention), add_identity_scalings(make(attention))
    for m in (plain, model):
        m(IDS, labels=IDS).loss.backward()
    gradients = dict(model.named_parameters())
    for name, p in plain.named_parameters():
        torch.testing.assert_close(gradients[name].grad, p.grad, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", ["a", "b"])
def test_gradients_of_the_scalars_are_those_of_the_outputs(made, name):
    """Finite differences in float64, away from 0 and at 0, where the value is the kernel's and the gradient ours."""
    make, attention = made
    model = add_identity_scalings(make(attention)).double()

    def loss():  # the library's own rounds to float32
        return torch.nn.functional.cross_entropy(model(IDS).logits[:, :-1].flatten(0, 1), IDS[:, 1:].flatten())

    for start in (0.0, 0.3):
        own = model.get_submodule("transformer.h.0.attn" if make is gpt2 else "model.layers.0.self_attn")
        scalar = getattr(own.identity_scalings, name)
        with torch.no_grad():
            scalar.fill_(start)
        model.zero_grad()
        loss().backward()
        losses = []
        with torch.no_grad():
            for step in (-1e-3, 1e-3):
                scalar[1] = start + step
                losses.append(float(loss()))
        assert float(scalar.grad[1]) == pytest.approx((losses[1] - losses[0]) / 2e-3, rel=0.02, abs=1e-6)
        assert abs(float(scalar.grad[1])) > 1e-5


def test_a_plain_model_of_the_same_configuration_stays_plain():
    first = gpt2()
    second = transformers.GPT2LMHeadModel(first.config).eval()
    before = second(IDS).logits
    add_identity_scalings(first)
    assert not hasattr(second.config, "identity_scalings")
    assert torch.equal(second(IDS).logits, before)


# ---- what the scalars do -----------------------------------------------------------------------------------------


def test_the_layer_computes_what_the_paper_says():
    """GPT-2's first attention against the formula, written out with the paper's matrices in float64."""
    for mask_diagonal, c_kq, c_vo in ((False, None, 1.0), (True, 3.0, 2.0)):
        model = modified(mask_diagonal=mask_diagonal, c_kq=c_kq, c_vo=c_vo).double()
        attention = model.transformer.h[0].attn
        x = torch.randn(2, 7, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
        out = attention(x)[0]
        own, d_head = attention.identity_scalings, 4
        W, bias = attention.c_attn.weight, attention.c_attn.bias
        expected = attention.c_proj.bias.expand(2, 7, 16).clone()
        for h in range(4):
            at = slice(h * d_head, (h + 1) * d_head)
            q, k, v = (x @ W[:, i * 16:][:, at] + bias[i * 16:][at] for i in range(3))
            gram = x @ x.transpose(1, 2)
            if mask_diagonal:
                gram = gram - torch.diag_embed(gram.diagonal(dim1=1, dim2=2))
            logits = q @ k.transpose(1, 2) / d_head**0.5 + (c_kq or d_head**-0.5) * own.a[h] * gram
            causal = torch.ones(7, 7, dtype=torch.bool).tril()
            weights = logits.masked_fill(~causal, -torch.inf).softmax(-1)
            expected = expected + weights @ v @ attention.c_proj.weight[at] + c_vo * own.b[h] * weights @ x
        torch.testing.assert_close(out, expected, rtol=1e-6, atol=1e-7)  # weights pass through float32


def test_masking_the_diagonal_changes_what_a_does_and_nothing_else():
    plain, masked = modified(), modified(mask_diagonal=True)
    assert not torch.allclose(plain(IDS).logits, masked(IDS).logits, atol=1e-3)
    only_b = [move(add_identity_scalings(gpt2(), a=False, mask_diagonal=m)) for m in (False, True)]
    assert torch.equal(only_b[0](IDS).logits, only_b[1](IDS).logits)


def test_no_position_sees_a_later_one(made):
    model = modified(*made)
    changed = IDS.clone()
    changed[:, 8:] = (changed[:, 8:] + 5) % 37 + 3
    before, after = model(IDS).logits, model(changed).logits
    torch.testing.assert_close(after[:, :8], before[:, :8], rtol=0, atol=1e-6)
    assert not torch.allclose(after[:, 8:], before[:, 8:], atol=1e-3)


def test_both_attention_kernels_give_the_same(made):
    make, _ = made
    one, other = (modified(make, attention)(IDS).logits for attention in ("sdpa", "eager"))
    torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


# ---- generation --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"num_beams": 3}, {"num_beams": 4, "num_return_sequences": 2}], ids=str)
@pytest.mark.parametrize("mask_diagonal", [False, True])
def test_a_cache_gives_the_same_tokens_as_none(made, options, mask_diagonal):
    model = modified(*made, mask_diagonal=mask_diagonal)
    prompt, mask = IDS[:, :6].clone(), torch.ones(3, 6, dtype=torch.long)
    prompt[1, :2], mask[1, :2] = 0, 0                                   # one prompt is shorter
    stated = {"attention_mask": mask, "max_new_tokens": 16, "do_sample": False, "eos_token_id": None, **options}
    with_cache, without = (model.generate(prompt, use_cache=use, **stated) for use in (True, False))
    assert torch.equal(with_cache, without)
    plain = made[0](made[1]).generate(prompt, **stated)
    assert not torch.equal(with_cache, plain), "the scalars matter here"


@pytest.mark.parametrize("split", [1, 5, 11])
def test_logits_with_a_cache_are_those_without(made, split):
    model = modified(*made, mask_diagonal=True)
    with torch.no_grad():
        whole = model(IDS).logits
        first = model(IDS[:, :split], use_cache=True)
        rest = model(IDS[:, split:], cache=first.cache, use_cache=True)
    torch.testing.assert_close(torch.cat([first.logits, rest.logits], 1), whole, rtol=1e-4, atol=1e-5)
    assert rest.cache.get_seq_length() == 12
    rest.cache.crop(-4)
    with torch.no_grad():
        again = model(IDS[:, 8:], cache=rest.cache, use_cache=True).logits
    torch.testing.assert_close(again, whole[:, 8:], rtol=1e-4, atol=1e-5)


def test_a_static_cache_is_refused():
    with pytest.raises(ValueError, match="StaticLayer.*DynamicCache"):
        modified().generate(IDS, max_new_tokens=3, cache_implementation="static")


# ---- saving, precision, memory -----------------------------------------------------------------------------------


def test_a_saved_model_comes_back(made, tmp_path):
    make, attention = made
    model = modified(make, attention, mask_diagonal=True, c_kq=0.5, c_vo=2.0)
    model.save_pretrained(tmp_path)
    again = load_identity_scalings(tmp_path, attn_implementation=attention).eval()
    assert type(again) is type(model) and again.config.identity_scalings == model.config.identity_scalings
    assert torch.equal(again(IDS).logits, model(IDS).logits)
    again.save_pretrained(tmp_path / "again")
    assert torch.equal(load_identity_scalings(tmp_path / "again", attn_implementation=attention)(IDS).logits,
                       model(IDS).logits)


def test_a_state_dict_carries_the_scalars(made):
    model, other = modified(*made), add_identity_scalings(made[0](made[1]))
    state = model.state_dict()
    assert sum("identity_scalings" in name for name in state) == 4, "a and b of two layers"
    other.load_state_dict(state)
    assert torch.equal(other(IDS).logits, model(IDS).logits)


def test_a_plain_checkpoint_is_not_loaded_as_a_modified_one(tmp_path):
    gpt2().save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="without identity scalings"):
        load_identity_scalings(tmp_path)


@pytest.mark.parametrize("reentrant", [False, True])
def test_gradient_checkpointing_gives_the_same_gradients(made, reentrant):
    gradients = []
    for checkpointed in (False, True):
        model = modified(*made).train()
        if checkpointed:
            model.activation_checkpointing_enable({"use_reentrant": reentrant})
        model.enable_input_require_grads()
        model(IDS, labels=IDS, use_cache=False).loss.backward()
        gradients.append({name: p.grad for name, p in model.named_parameters()})
    for name, expected in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], expected, rtol=1e-5, atol=1e-7)


def test_bf16_runs_and_is_near(made):
    make, attention = made
    plain = make(attention).bfloat16()(IDS).logits
    model = add_identity_scalings(make(attention).bfloat16())
    assert torch.equal(model(IDS).logits, plain), "bit-equal in bf16 too"
    half = move(model, 0.2)
    half(IDS, labels=IDS).loss.backward()
    own = [p for name, p in half.named_parameters() if "identity_scalings" in name]
    assert all(p.dtype == torch.bfloat16 and p.grad.isfinite().all() and p.grad.any() for p in own)
    with torch.no_grad():
        model = move(add_identity_scalings(make(attention)), 0.2)
        whole, rounded = model(IDS).logits, half(IDS).logits.float()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            cast = model(IDS).logits.float()
    for other in (rounded, cast):
        assert 0 < float((other - whole).abs().max()) < 0.1 * float(whole.std())


def test_dropout_falls_on_the_scalars_terms_too():
    model = move(add_identity_scalings(gpt2(dropout=0.5), a=False)).train()
    assert not torch.equal(model(IDS).logits, model(IDS).logits)
    model.eval()
    assert torch.equal(model(IDS).logits, model(IDS).logits)


# ---- clear errors ------------------------------------------------------------------------------------------------


def test_other_models_are_refused():
    bert = transformers.BertModel(transformers.BertConfig(vocab_size=20, hidden_size=8, num_hidden_layers=1,
                                                          num_attention_heads=2, intermediate_size=8))
    for model in (torch.nn.Linear(2, 2), bert):
        with pytest.raises(ValueError, match=f"{type(model).__name__} is no decoder"):
            add_identity_scalings(model)


def test_bad_options_are_refused():
    with pytest.raises(ValueError, match="nothing to add"):
        add_identity_scalings(gpt2(), a=False, b=False)
    with pytest.raises(ValueError, match="has identity scalings already"):
        add_identity_scalings(modified())
    model = gpt2()
    model.config._attn_implementation_internal = "flash_attention_2"
    with pytest.raises(ValueError, match="flash_attention_2.*sdpa"):
        add_identity_scalings(model)
    with pytest.raises(ValueError, match="multiple of heads"):
        language.gpt2(10, 8, d_emb=10, depth=1, heads=4)
    for heads in (0, -2, 2.0, None):
        with pytest.raises(ValueError, match=f"heads={heads}: .*1 or more"):
            language.gpt2(10, 8, d_emb=10, depth=1, heads=heads)
    with pytest.raises(ValueError, match="not in GPT-2's format"):
        head_diagonals(llama())


def test_the_package_needs_no_transformers():
    """It imports without them, and says what to install when they are asked for."""
    code = ("import sys\n"
            "for name in ('transformers', 'datasets', 'tokenizers', 'accelerate'): sys.modules[name] = None\n"
            "from abstract_symbols import experiments, language\n"
            "try: language.gpt2(8, 4, d_emb=4, depth=1, heads=1)\n"
            "except ValueError as error: print(error)\n"
            "try: language.corpus('wikitext-2')\n"
            "except ValueError as error: print(error)\n"
            "try: language.tokenizer(language.Corpus('none', {}))\n"
            "except ValueError as error: print(error)\n")
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert process.stdout.count("abstract-symbols[language]") == 3, process.stderr


# ---- text --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def text():
    return corpus()


def test_the_embedded_corpus_is_split_by_document_without_leakage(text):
    parts = text.documents
    sizes = {part: sum(map(len, parts[part].values())) for part in PARTS}
    assert sizes["train"] > 800_000 and min(sizes.values()) > 80_000
    names = [name for part in PARTS for name in parts[part]]
    assert len(names) == len(set(names)), "no document in two parts"
    assert any(n.startswith("topic ") for n in names) and any(n.startswith("module ") for n in names)
    eight = {part: {s for document in parts[part].values() for paragraph in document.split("\n\n")
                    for s in shingles(paragraph) if len(s) == 8} for part in PARTS}
    assert min(map(len, eight.values())) > 1000
    for one, other in (("train", "validation"), ("train", "test"), ("validation", "test")):
        assert not eight[one] & eight[other], "no paragraph shares eight words in a row"


def test_near_identical_docstrings_do_not_straddle_parts():
    one = "Return the canonical path of the specified filename, eliminating any symbolic links encountered in the path."
    near = "Returns the canonical PATH of the specified filename,\n   eliminating any symbolic links found in it"
    other = "Something else altogether, which has not been said before in any other document of this little corpus."
    kept = without_repeats({"train": {"posixpath": one}, "validation": {"ntpath": f"{near}\n\n{other}"},
                            "test": {"copy": one, "short": "Close it."}})
    assert kept == {"train": {"posixpath": one}, "validation": {"ntpath": other}, "test": {"short": "Close it."}}


def test_a_documents_part_is_its_names():
    counts = pd.Series([part_of(f"module {i}") for i in range(5000)]).value_counts(normalize=True)
    assert counts["train"] == pytest.approx(0.8, abs=0.02) and counts["test"] == pytest.approx(0.1, abs=0.02)
    assert part_of("module json.decoder") == part_of("module json.decoder")


def test_the_corpus_digest_sees_every_change(text):
    changed = {part: dict(documents) for part, documents in text.documents.items()}
    name = next(iter(changed["test"]))
    changed["test"][name] += "."
    assert corpora.Corpus("python", changed).digest != text.digest
    assert corpora.Corpus("python", text.documents).digest == text.digest


def test_the_tokenizer_gives_every_text_back(text):
    tokens = tokenizer(text, 600)
    assert len(tokens) == 600
    documents = [*list(text.documents["test"].values())[:5], "naïve Ünïcode, 数学 ∀x∈X 🙂\n\ttabs  and   spaces "]
    for document in documents:
        assert tokens.decode(tokens(document)["input_ids"]) == document
    rows = blocks(documents, tokens, 16)
    flat = [i for d in documents for i in (*tokens(d)["input_ids"], tokens.eos_token_id)]
    assert rows.shape == (len(flat) // 16, 16) and rows.flatten().tolist() == flat[:rows.numel()]


def test_the_tokenizer_learns_from_the_training_part_only(text):
    other = {**text.documents, "test": {"x": "zyxwv " * 5000}}
    one, same = tokenizer(text, 400), tokenizer(corpora.Corpus("python", other), 400)
    assert one.get_vocab() == same.get_vocab()


def test_wikitext_says_when_no_hub_answers(monkeypatch):
    import datasets

    def unreachable(*_, **__):
        raise ConnectionError("no route")

    monkeypatch.setattr(datasets, "load_dataset", unreachable)
    with pytest.raises(ValueError, match="'wikitext-2'.*no hub.*ConnectionError.*'python'"):
        corpus("wikitext-2")
    with pytest.raises(ValueError, match="unknown corpus 'wikitext'.*wikitext-103"):
        corpus("wikitext")


def test_wikitext_is_cut_at_its_headings(monkeypatch):
    import datasets

    lines = ["", " = First = \n", "", " Some words \n", " = = Section = = \n", " More \n", " = Second = \n", " End \n"]
    asked = []
    monkeypatch.setattr(datasets, "load_dataset", lambda *names: asked.append(names) or {p: {"text": lines}
                                                                                         for p in PARTS})
    found = corpus("wikitext-103").documents
    assert asked == [("Salesforce/wikitext", "wikitext-103-raw-v1")]
    assert found["test"] == articles(lines) == {
        "First": " = First = \n Some words \n = = Section = = \n More \n", "Second": " = Second = \n End \n"}


# ---- training ----------------------------------------------------------------------------------------------------

ROWS = torch.randint(3, 40, (40, 10), generator=torch.Generator().manual_seed(4))
ROWS[:, 5:] = ROWS[:, :5]  # something to learn


def fresh(dropout=0.1):
    return add_identity_scalings(gpt2(dropout=dropout))


def test_a_resumed_training_gives_what_an_unbroken_one_gives(tmp_path):
    stated = {"batch": 8, "lr": 1e-2, "seed": 3, "save_steps": 4, "device": "cpu"}
    unbroken, broken, resumed = fresh(), fresh(), fresh()
    whole = train(unbroken, ROWS, tmp_path / "whole", epochs=2, **stated)
    first = train(broken, ROWS, tmp_path / "parts", epochs=2, **stated, max_steps=6)
    assert len(first) == 6 and len(whole) == 10
    second = train(resumed, ROWS, tmp_path / "parts", epochs=2, **stated)
    assert whole == second and first == whole[:6]
    for (name, expected), p in zip(unbroken.named_parameters(), resumed.parameters(), strict=True):
        assert torch.equal(p, expected), name
    curve = pd.read_csv(tmp_path / "parts" / "losses.csv")
    assert curve["step"].tolist() == list(range(1, 11)) and curve["loss"].tolist() == whole
    checkpoint = load_identity_scalings(tmp_path / "parts" / "checkpoint-10").eval()
    assert torch.equal(checkpoint(IDS[:, :8]).logits, unbroken.eval()(IDS[:, :8]).logits)


def test_training_moves_the_scalars_and_lowers_the_loss(tmp_path):
    model = fresh(dropout=0.0)
    losses = train(model, ROWS, tmp_path, epochs=8, batch=8, lr=1e-2, device="cpu")
    assert np.mean(losses[-5:]) < np.mean(losses[:5]) - 0.2
    assert all(values.shape == (2, 4) and (values != 0).all() for values in scalars(model).values())
    with pytest.raises(ValueError, match="40 rows.*batch of 64"):
        train(model, ROWS, tmp_path, epochs=1, batch=64, lr=1e-2)


@pytest.mark.parametrize("device", ["gpu", "cuda:1", None, 0])
def test_a_device_that_is_none_is_refused(device, tmp_path):
    with pytest.raises(ValueError, match=f"unknown device {device!r}; known are auto, cpu, cuda"):
        train(gpt2(), ROWS, tmp_path, epochs=1, batch=8, lr=1e-2, device=device)


def test_a_gpu_that_is_not_there_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="sees no GPU"):
        train(gpt2(), ROWS, tmp_path, epochs=1, batch=8, lr=1e-2, device="cuda")


@pytest.mark.parametrize("gpus", [0, 1, 3])
@pytest.mark.parametrize(("processes", "batch", "each"), [(1, 8, 8), (2, 8, 4), (4, 8, 2), (3, 8, None)])
def test_a_step_takes_one_batch_on_any_number_of_gpus(gpus, processes, batch, each, tmp_path, monkeypatch):
    """In one process only one GPU is used; several processes share the batch."""
    arguments, set_up = [], transformers.TrainingArguments.__post_init__

    def set_up_with_gpus(self):
        set_up(self)
        assert self.n_gpu == 0
        self._n_gpu = gpus

    def watched(self, **given):
        arguments.append(given["args"])
        raise InterruptedError

    monkeypatch.setattr(transformers.Trainer, "__init__", watched)
    monkeypatch.setattr(transformers.TrainingArguments, "world_size", processes)
    monkeypatch.setattr(transformers.TrainingArguments, "__post_init__", set_up_with_gpus)
    stated = {"epochs": 1, "batch": batch, "lr": 1e-2, "device": "cpu"}
    if each is None:
        with pytest.raises(ValueError, match="batch=8: must be a multiple of the 3 processes"):
            train(gpt2(), ROWS, tmp_path, **stated)
        return
    with pytest.raises(InterruptedError):
        train(gpt2(), ROWS, tmp_path, **stated)
    assert (arguments[0].train_batch_size, arguments[0].n_gpu) == (each, min(gpus, 1))


def test_scalars_count_in_dataparallels_copies_too():
    own = language.scalings.attention_modules(modified())[0].identity_scalings
    copy = own._replicate_for_data_parallel()
    copy.a, copy.b = own.a.detach(), own.b.detach()  # as DataParallel does
    assert not own.at_zero() and not copy.at_zero()


def test_seeds_decide_the_batches(tmp_path):
    def losses(seed, at):
        return train(gpt2(), ROWS, tmp_path / at, epochs=1, batch=8, lr=1e-2, seed=seed, device="cpu")

    assert losses(0, "a") == losses(0, "b") != losses(1, "c")


def test_perplexity_is_that_of_the_models_loss():
    model = modified()
    with torch.no_grad():
        loss = float(model(ROWS, labels=ROWS).loss)
    assert perplexity(model, ROWS, batch=7) == pytest.approx(np.exp(loss), rel=1e-5)
    assert perplexity(model, ROWS[:8]) != pytest.approx(np.exp(loss), rel=1e-3)


@pytest.fixture
def little(monkeypatch):
    text = corpora.Corpus("python", {"train": {"d": "one two three four five " * 300}, "validation": {"e": "two " * 60},
                                     "test": {"f": "three four " * 60}})
    monkeypatch.setattr(language.training, "corpus", lambda name: text)
    language.training._text.cache_clear()
    yield {"epochs": 1, "vocabulary": 270, "length": 8, "d_emb": 8, "depth": 2, "heads": 2}
    language.training._text.cache_clear()


def test_a_run_measures_what_it_says(little):
    runs = [PerplexityRun(seed=0, **little, **options) for options in ({}, {"a": True, "b": True})]
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


def test_options_reach_the_model(little):
    run = PerplexityRun(seed=0, **little, a=True, mask_diagonal=True, c_kq=3, dropout=0.2)
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


# ---- template tasks ----------------------------------------------------------------------------------------------

SMALL = {"vocabulary": 270, "length": 8, "d_emb": 8, "depth": 2, "heads": 2}
SHORT = {"evaluation": 20, "epochs": 3}


@pytest.fixture
def kept(little, tmp_path, monkeypatch):
    """The folder of pretrained models, for the little corpus."""
    monkeypatch.setattr(experiments, "BOOK", tmp_path / "book")
    return tmp_path / "_build" / "pretrained"


def weights(model):
    return {name.removeprefix("transformer."): p for name, p in model.named_parameters() if "transformer." in name}


def same_weights(one, other):
    return weights(one).keys() == weights(other).keys() and all(
        torch.equal(p, weights(other)[name]) for name, p in weights(one).items())


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
    (row,) = experiments.perform([run], commit="x")
    assert set(row) == set(experiments.columns(TemplateRun)) and all(str(row[name]) for name in TemplateRun.METRICS)


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
    assert found["perplexity"] == perplexity(checkpoint, language.training._text("python", 270, 8)[2]["test"])
    measured = run.measure("cpu")
    assert measured["pretrained_perplexity"] == found["perplexity"] and len(measured["corpus_digest"]) == 12
    assert measured["a_size"] > 0 and measured["b_size"] > 0
    monkeypatch.setattr(PerplexityRun, "measure", lambda *_: pytest.fail("trained again"))
    assert run.measure("cpu") == measured, "from the kept model the same"
    monkeypatch.undo()


def test_two_at_once_pretrain_once_and_a_stopped_one_leaves_nothing(kept, monkeypatch):
    run, whole, calls = PerplexityRun(seed=0, epochs=1, **SMALL), PerplexityRun.measure, []

    def stopped(self, device):
        raise KeyboardInterrupt

    def counted(self, device):
        calls.append(self)
        return whole(self, device)

    monkeypatch.setattr(PerplexityRun, "measure", stopped)
    with pytest.raises(KeyboardInterrupt):
        pretrained(run)
    assert not [path for path in kept.iterdir() if path.is_dir()]
    monkeypatch.setattr(PerplexityRun, "measure", counted)
    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(lambda _: pretrained(run), range(2))
    assert one == other and len(calls) == 1 and (one / "metrics.json").exists()
    assert [path for path in kept.iterdir() if path.is_dir()] == [one]
    assert pretrained(PerplexityRun(seed=1, epochs=1, **SMALL)) != one and len(calls) == 2


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
    with pytest.raises(ValueError, match="nowhere'.*no hub.*HF_HUB_OFFLINE.*save_pretrained"):
        read_out(tmp_path / "nowhere")

    def unreachable(*_, **__):
        raise OSError("no route")

    monkeypatch.setattr(transformers.AutoModelForSequenceClassification, "from_pretrained", unreachable)
    with pytest.raises(ValueError, match="'openai-community/gpt2'.*no hub that has it can be reached.*OSError"):
        experiments.run("pretraining-gpt2", workers=1, upto=8, results=tmp_path, device="cpu")


# ---- heads -------------------------------------------------------------------------------------------------------


def test_head_diagonals_see_an_identity_that_is_there():
    model = gpt2()
    before = head_diagonals(model)
    assert list(before.groupby("product").size()) == [8, 8]
    with torch.no_grad():
        model.transformer.h[1].attn.c_attn.weight[:, :16] = torch.eye(16)
        model.transformer.h[1].attn.c_attn.weight[:, 16:32] = torch.eye(16)
    after = head_diagonals(model)
    moved = (before["score"] != after["score"]).to_numpy()
    assert (moved == ((after["product"] == "wkwq") & (after["layer"] == 1))).all()
    # Head h holds the identity on its own 4 of 16 coordinates: ones at a quarter of the diagonal, zeros off it.
    assert np.isinf(after["score"][moved]).all() or (after["score"][moved] > 1e3).all()


def test_head_diagonals_are_the_formula():
    model = modified(mask_diagonal=True, c_kq=0.7, c_vo=3.0)
    attention = model.transformer.h[1].attn
    W = attention.c_attn.weight.detach().double()
    table = head_diagonals(model, identity=False).set_index(["product", "layer", "head"])
    added = head_diagonals(model).set_index(["product", "layer", "head"])
    h, at = 2, slice(8, 12)
    products = {"wkwq": W[:, 16:32][:, at] @ W[:, :16][:, at].T,
                "wvwo": W[:, 32:][:, at] @ attention.c_proj.weight.detach().double()[at]}
    own = attention.identity_scalings
    # Logits are scaled by 1/√d_head = ½, a's term is not.
    shift = {"wkwq": 0.7 * own.a[h].item() * 2, "wvwo": 3 * own.b[h].item()}
    for name, product in products.items():
        off = product[~torch.eye(16, dtype=torch.bool)]
        score = float((product.diagonal().mean() - off.mean()) / off.std())
        assert table.loc[(name, 1, h), "score"] == pytest.approx(score, rel=1e-9)
        assert table.loc[(name, 1, h), "z"] == pytest.approx(4 * score, rel=1e-9)
        with_identity = float((product.diagonal().mean() + shift[name] - off.mean()) / off.std())
        assert added.loc[(name, 1, h), "score"] == pytest.approx(with_identity, rel=1e-6)


def test_random_heads_are_standard_normal():
    found = RandomHeadsRun(seed=5, d_emb=64, depth=6, heads=8).measure()
    assert found["p_value"] > 1e-3 and abs(found["mean"]) < 0.4 and 0.8 < found["sd"] < 1.2


# ---- the paired measure ------------------------------------------------------------------------------------------


def pairs(ratios):
    rng = np.random.default_rng(0)
    level = rng.uniform(50, 100, len(ratios))  # seeds differ far more than series
    return pd.DataFrame([{"series": s, "epochs": 1.0, "seed": i, "perplexity": level[i] * (r if s == "+ b" else 1)}
                         for i, r in enumerate(ratios) for s in ("+ b", "Plain")])


def test_pairs_are_compared_within_a_seed():
    five = pairs([0.97, 0.98, 0.975, 0.972, 0.978])
    ratio, low, high, p = claims.paired(five, "+ b", "Plain", "perplexity", "epochs")
    assert ratio == pytest.approx(0.975, abs=0.001) and 0.965 < low < ratio < high < 0.985 and p < 1e-4
    higher = claims.paired(pairs([1.03, 1.02, 1.025]), "+ b", "Plain", "perplexity", "epochs")
    assert higher[0] > 1 and higher[3] > 0.9
    unclear = claims.paired(pairs([0.9, 1.1, 1.02, 0.97]), "+ b", "Plain", "perplexity", "epochs")
    assert unclear[1] < 1 < unclear[2] and unclear[3] > 0.05
    assert claims.paired(pairs([1, 1, 1]), "+ b", "Plain", "perplexity", "epochs")[3] == 1
    with pytest.raises(ValueError, match="fewer than two pairs"):
        claims.paired(pairs([0.9]), "+ b", "Plain", "perplexity", "epochs")


@pytest.mark.parametrize("ratios, distance", [([0.97, 0.98, 0.975, 0.972, 0.978], 0.0), ([1.0] * 5, 2.0)])
def test_the_paired_claim_counts_decades_above_one_per_cent(ratios, distance):
    claim = claims.claims()["perplexity-b"]
    measured = claims.MEASURES["paired"](claim, pairs(ratios))
    assert measured.distance == pytest.approx(distance) and measured.paper is None


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 0.0])
def test_a_paired_claim_is_not_held_by_a_run_that_diverged(bad):
    measured = claims.MEASURES["paired"](claims.claims()["perplexity-b"], pairs([0.97, 0.98, bad]))
    assert measured.distance == float("inf")
    if bad == 0:
        with pytest.raises(ValueError, match="positive"):
            claims.paired(pairs([0.97, 0.98, bad]), "+ b", "Plain", "perplexity", "epochs")


# ---- figures -----------------------------------------------------------------------------------------------------


def test_ratios_draw_a_dot_a_seed_and_their_mean():
    from abstract_symbols import figures

    rows = pairs([0.97, 0.98, 0.975]).assign(epochs=1.5)
    figure = figures.ratios("perplexity", rows, "Plain", "perplexity", xlabel="ratio")
    ax = figure.axes[0]
    words = [label.get_text() for label in ax.get_yticklabels()]
    assert words == ["+ a", "+ a, diagonal masked", "+ b", "+ a and b"]
    dots = [line.get_xdata() for line in ax.lines if len(line.get_xdata()) == 3]
    assert len(dots) == 1 and sorted(dots[0]) == pytest.approx([0.97, 0.975, 0.98])
    empty = figures.ratios("perplexity", rows[:0], "Plain", "perplexity", xlabel="ratio")
    assert [text.get_text() for text in empty.axes[0].texts] == ["no run is done yet"]


def test_head_maps_share_a_scale_around_zero():
    from abstract_symbols import figures

    panels = {"a": np.array([[0.5, -2.0], [0.0, 1.0]]), "b": np.array([[0.1, 0.2], [0.3, 0.4]])}
    figure = figures.head_maps(panels, label="value")
    images = [ax.images[0] for ax in figure.axes if ax.images]
    assert [image.get_clim() for image in images] == [(-2, 2)] * 2
    assert [image.get_array().tolist() for image in images] == [m.tolist() for m in panels.values()]
    assert "0.5" in [text.get_text() for text in figure.axes[0].texts]
    assert figures.head_maps({}, label="value").axes[0].texts[0].get_text() == "no run is done yet"
