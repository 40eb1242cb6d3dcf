"""Identity parameters in Hugging Face's models: nothing changes until they move, then what the paper says."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from language_models import IDS, gpt2, llama, modified, move

transformers = pytest.importorskip("transformers", reason="the extra 'language' is not installed")

from abstract_symbols.language import add_identity_scalings, head_diagonals, load_identity_scalings  # noqa: E402
from abstract_symbols.language.scalings import attention_modules  # noqa: E402

# ---- before training ------------------------------------------------------------------------------------------------


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


# ---- what the scalars do --------------------------------------------------------------------------------------------


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


# ---- generation -----------------------------------------------------------------------------------------------------


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


# ---- saving, precision, memory --------------------------------------------------------------------------------------


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


# ---- clear errors ---------------------------------------------------------------------------------------------------


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
    with pytest.raises(ValueError, match="not in GPT-2's format"):
        head_diagonals(llama())


@pytest.mark.slow
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


def test_scalars_count_in_dataparallels_copies_too():
    own = attention_modules(modified())[0].identity_scalings
    copy = own._replicate_for_data_parallel()
    copy.a, copy.b = own.a.detach(), own.b.detach()  # as DataParallel does
    assert not own.at_zero() and not copy.at_zero()


# ---- heads ----------------------------------------------------------------------------------------------------------


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
