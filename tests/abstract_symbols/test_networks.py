"""The networks against the formulas of the paper's sections 3 and 5, written out head by head in float64."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from abstract_symbols import MLP, TemplateTask, Transformer
from abstract_symbols.ensembles import Member, train
from abstract_symbols.networks import Attention, Block, Recurrent, orthogonal_frames

SMALL = {"d_emb": 8, "heads": 2, "d_head": 4, "d_mlp": 8}
VOCAB, LENGTH = 12, 3
seeds = st.integers(0, 10**6)


def tokens_of(n=5, seed=0):
    return torch.randint(VOCAB, (n, LENGTH), generator=torch.Generator().manual_seed(seed))


def small(build, seed, **options):
    """A small float64 network of which no parameter is zero or one."""
    torch.manual_seed(seed)
    network = build(VOCAB, LENGTH, **options).double()
    with torch.no_grad():
        for p in network.parameters():
            p += 0.1 * torch.randn_like(p)
    return network


def transformer(seed=0, **options):
    return small(Transformer, seed, **{**SMALL, **options})


def mlp(seed=0, **options):
    return small(MLP, seed, **{"width": 8, **options})


def recurrent(seed=0, **options):
    return small(Recurrent, seed, **{"d_emb": 8, "width": 8, **options})


# ---- attention ---------------------------------------------------------------------------------------------------

configurations = st.fixed_dictionaries({
    "heads": st.integers(1, 3), "d_head": st.integers(1, 5), "a": st.booleans(), "b": st.booleans(),
    "c_kq": st.sampled_from([0.5, 3.0]), "c_vo": st.sampled_from([0.5, 3.0]),
})


@given(configurations, seeds)
def test_reading_the_last_position_equals_reading_all(configuration, seed):
    torch.manual_seed(seed)
    attention = Attention(6, **configuration).double()
    block = Block(6, 7, **configuration).double()
    for scalar in (attention.a, attention.b, block.attention.a, block.attention.b):
        if scalar is not None:
            nn.init.normal_(scalar)
    x = torch.randn(4, 5, 6, dtype=torch.float64)
    for layer in (attention, block):
        (last, attention), (out, of_all) = layer(x, last_only=True), layer(x)
        assert last.shape == (4, 1, 6)
        assert torch.allclose(last, out[:, -1:], rtol=0, atol=1e-12)
        assert torch.allclose(attention, of_all[:, :, -1:], rtol=0, atol=1e-12)


def attention_by_formula(attention, x):
    """One string x (k, d): Σ_h softmax(x (W_Qᵀ W_K / √d_head + c_kq a I) xᵀ) x (W_Vᵀ W_Oᵀ + c_vo b I)."""
    identity, out = torch.eye(x.shape[1], dtype=x.dtype), torch.zeros_like(x)
    for h in range(attention.heads):
        rows = slice(h * attention.d_head, (h + 1) * attention.d_head)
        kq = attention.W_Q.weight[rows].T @ attention.W_K.weight[rows] / math.sqrt(attention.d_head)
        vo = attention.W_V.weight[rows].T @ attention.W_O.weight[:, rows].T
        if attention.a is not None:
            kq = kq + attention.c_kq * attention.a[h] * identity
        if attention.b is not None:
            vo = vo + attention.c_vo * attention.b[h] * identity
        weights = (x @ kq @ x.T).exp()
        out += weights / weights.sum(1, keepdim=True) @ x @ vo
    return out


def normalised(x):
    """LayerNorm without affine parameters."""
    centred = x - x.mean(-1, keepdim=True)
    return centred / ((centred**2).mean(-1, keepdim=True) + 1e-5).sqrt()


def transformer_by_formula(network, string):
    """One string's prediction, position by position as section 5 describes the model."""
    z = torch.stack([*(network.tokens[t] for t in string), network.cls]) + network.positions
    for block in network.blocks:
        x = normalised(z) * block.norm_attention.weight + block.norm_attention.bias
        z = z + attention_by_formula(block.attention, x)
        x = normalised(z) * block.norm_mlp.weight + block.norm_mlp.bias
        hidden = x @ block.mlp_in.weight.T + block.mlp_in.bias
        hidden = hidden * (1 + torch.erf(hidden / math.sqrt(2))) / 2
        z = z + hidden @ block.mlp_out.weight.T + block.mlp_out.bias
    read = normalised(z[-1])
    if network.tied:
        return torch.stack([read @ embedding for embedding in network.tokens])
    return read @ network.readout.weight[0] + network.readout.bias[0]


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("identity", [{}, {"a": True}, {"b": True}, {"a": True, "b": True, "c_kq": 2.0, "c_vo": 0.5}])
def test_a_transformer_computes_the_formula_head_by_head(identity, tied):
    network = transformer(tied=tied, **identity)
    expected = torch.stack([transformer_by_formula(network, string) for string in tokens_of().tolist()])
    assert torch.allclose(network(tokens_of()), expected, rtol=0, atol=1e-10)


def test_identity_parameters_change_the_prediction():
    network = transformer(a=True, b=True)
    before = network(tokens_of())
    for name in ("a", "b"):
        changed = transformer(a=True, b=True)
        with torch.no_grad():
            getattr(changed.blocks[0].attention, name).add_(1.0)
        assert (changed(tokens_of()) - before).abs().max() > 1e-3


@given(seeds)
@settings(max_examples=10)
def test_a_modified_transformer_starts_as_the_plain_one_exactly(seed):
    torch.manual_seed(seed)
    plain = Transformer(VOCAB, LENGTH, **SMALL)
    torch.manual_seed(seed)
    modified = Transformer(VOCAB, LENGTH, **SMALL, a=True, b=True)
    assert all(not p.any() for name, p in modified.named_parameters() if name.endswith((".a", ".b")))
    assert torch.equal(plain(tokens_of(seed=seed)), modified(tokens_of(seed=seed)))


def test_the_multipliers_scale_the_scalars_gradients():
    gradients = []
    for factor in (1.0, 10.0):
        torch.manual_seed(0)
        network = Transformer(VOCAB, LENGTH, **SMALL, a=True, b=True, c_kq=factor, c_vo=2 * factor).double()
        network(tokens_of()).sum().backward()
        gradients.append(torch.stack([network.blocks[0].attention.a.grad, network.blocks[0].attention.b.grad]))
    assert torch.allclose(10 * gradients[0], gradients[1], rtol=1e-9)


def test_a_tied_transformer_gives_a_logit_a_token_and_has_no_other_readout():
    network = transformer(tied=True)
    assert network(tokens_of()).shape == (5, VOCAB)
    assert network.readout is None
    assert transformer()(tokens_of()).shape == (5,)


@pytest.mark.parametrize("changed", [{}, {"b": True, "logit_scale": 0.3}, {"unembedding": "gaussian"}])
def test_a_pointer_adds_the_last_blocks_attention_to_the_logits_of_the_tokens_attended_to(changed):
    network = transformer(tied=True, pointer=True, c_vo=2.0, **changed)
    tokens = torch.tensor([[0, 1, 2], [3, 3, 5], [4, 4, 4]])
    with torch.no_grad():
        z, _ = network.blocks[0](network.embed(tokens))
        block = network.blocks[1]
        attention = block.attention.logits(block.norm_attention(z)).softmax(-1)[:, :, -1]            # (n, heads, k + 1)
        expected = torch.zeros(len(tokens), VOCAB, dtype=torch.float64)
        for string, row in enumerate(tokens.tolist()):
            for position, token in enumerate(row):
                expected[string, token] += 2.0 * 8 * (network.pointer * attention[string, :, position]).sum()
        with_pointer = network(tokens)
        network.pointer.zero_()
        assert torch.allclose(with_pointer - network(tokens), expected, rtol=0, atol=1e-10)
    assert expected.abs().max() > 0.01


@pytest.mark.parametrize("option", [{"frozen": True}, {"orthogonal": True}, {"unembedding": "gaussian"},
                                    {"unembedding": "copy"}, {"pointer": True}])
def test_a_seed_gives_a_repaired_network_all_other_weights_of_the_plain_one(option):
    def start(**option):
        torch.manual_seed(0)
        network = Transformer(VOCAB, LENGTH, **SMALL, tied=True, **option)
        return network, dict(network.named_parameters())

    (plain, weights), (repaired, theirs) = start(), start(**option)
    assert set(theirs) - set(weights) == set(option) - {"frozen", "orthogonal"}
    assert all(torch.equal(p, theirs[name]) for name, p in weights.items() if "orthogonal" not in option
               or name != "tokens")
    same = torch.allclose(plain(tokens_of()), repaired(tokens_of()), atol=1e-5)
    assert same == (option not in ({"orthogonal": True}, {"unembedding": "gaussian"}))


@given(seeds, st.integers(1, 6), st.integers(1, 20))
@settings(max_examples=20)
def test_orthogonal_frames_are_orthogonal_in_groups_and_span_what_the_rows_did(seed, d, n):
    rows = torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    frames = orthogonal_frames(rows)
    assert frames.shape == (n, d)
    for group, before in zip(frames.split(d), rows.split(d), strict=True):
        assert torch.allclose(group @ group.T, d * torch.eye(len(group), dtype=torch.float64), atol=1e-9)
        triangle = before @ torch.linalg.pinv(group)        # Gram–Schmidt: each row from itself and those before it
        assert torch.allclose(triangle.triu(1), torch.zeros_like(triangle), atol=1e-6)
        assert (triangle.diagonal() > 0).all()


def test_training_frozen_embeddings_moves_all_but_them():
    t = TemplateTask({"αβα": "β"})
    network, sample = transformer(tied=True, frozen=True), t.sample(20, VOCAB)
    start = {name: p.detach().clone() for name, p in network.named_parameters()}
    train([Member(network, sample, sample, sample, lr=0.01)], epochs=3, stop=0)
    assert {name for name, p in network.named_parameters() if torch.equal(p, start[name])} == {"tokens"}


def test_embeddings_start_as_standard_gaussians():
    torch.manual_seed(0)
    network = Transformer(2000, LENGTH, **SMALL)
    assert network.tokens.std().item() == pytest.approx(1, abs=0.02)
    assert network.positions.shape == (LENGTH + 1, 8) and network.cls.shape == (8,)


def mimetic(d_emb, d_head, heads, alpha, beta):
    """The products W_Qᵀ W_K of every head and W_O W_V of all, as mimetic initialisation leaves them."""
    torch.manual_seed(0)
    attention = Attention(d_emb, heads=heads, d_head=d_head, a=False, b=False, c_kq=1, c_vo=1)
    attention.init_mimetic(alpha, beta)
    W_Q, W_K = (W.weight.view(heads, d_head, d_emb) for W in (attention.W_Q, attention.W_K))
    return W_Q.transpose(1, 2) @ W_K, attention.W_O.weight @ attention.W_V.weight


@pytest.mark.parametrize("d_head", [3, 6, 8])
def test_a_mimetic_start_without_its_random_part_attends_to_equal_symbols(d_head):
    products, _ = mimetic(d_emb=6, d_head=d_head, heads=3, alpha=0.0, beta=2.0)
    if d_head >= 6:
        assert torch.allclose(products, 2.0 * torch.eye(6).expand_as(products), atol=1e-5)
    else:  # the best approximation of that rank
        expected = torch.tensor([2.0] * d_head + [0.0] * (6 - d_head)).expand(3, 6)
        assert torch.allclose(torch.linalg.svdvals(products), expected, atol=1e-5)


def test_a_mimetic_starts_random_parts_are_gaussian_with_the_stated_weights():
    identity = torch.eye(40)
    products, values = mimetic(d_emb=40, d_head=40, heads=4, alpha=0.7, beta=2.0)
    for product, random, equal in ((products, 0.7, 2.0), (values, 0.4, -0.4)):
        Z = (product - equal * identity) / random * math.sqrt(40)
        assert Z.mean().item() == pytest.approx(0, abs=0.1) and Z.std().item() == pytest.approx(1, abs=0.1)


def test_a_scale_multiplies_the_blocks_initial_matrices_and_nothing_else():
    def start(scale):
        torch.manual_seed(0)
        return dict(Transformer(VOCAB, LENGTH, **SMALL, a=True, scale=scale).named_parameters())

    plain, scaled = start(1.0), start(3.0)
    for name, p in plain.items():
        factor = 3.0 if ".W_" in name or (".mlp_" in name and name.endswith("weight")) else 1.0
        assert torch.allclose(scaled[name], factor * p), name


def test_a_logit_scale_multiplies_the_logits_and_changes_no_weight():
    plain, scaled = transformer(tied=True), transformer(tied=True, logit_scale=0.25)
    assert torch.equal(scaled(tokens_of()), (plain(tokens_of()) / 4))
    assert all(torch.equal(p, q) for p, q in zip(plain.parameters(), scaled.parameters(), strict=True))


def test_training_the_readout_only_moves_nothing_else():
    t = TemplateTask({"αβα": 1, "αββ": -1})
    network, sample = transformer(readout_only=True), t.sample(20, VOCAB)
    start = {name: p.detach().clone() for name, p in network.named_parameters()}
    train([Member(network, sample, sample, sample, lr=0.01)], epochs=3, stop=0)
    moved = {name for name, p in network.named_parameters() if not torch.equal(p, start[name])}
    assert moved == {"readout.weight", "readout.bias"}


# ---- recurrent networks ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("cell", "reference"), [("rnn", nn.RNN), ("lstm", nn.LSTM)])
def test_a_recurrent_network_is_torchs_own_cell_by_cell(cell, reference):
    network = recurrent(cell=cell)
    layer = reference(8, 8, batch_first=True).double()
    with torch.no_grad():
        for kind in ("weight", "bias"):
            getattr(layer, f"{kind}_ih_l0").copy_(getattr(network.W_x, kind))
            getattr(layer, f"{kind}_hh_l0").copy_(getattr(network.W_h, kind))
    states, _ = layer(network.tokens[tokens_of()])
    assert torch.allclose(network(tokens_of()), network.readout(states[:, -1]).squeeze(1), rtol=0, atol=1e-12)


# ---- the MLP -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("gram", [False, True])
@pytest.mark.parametrize("depth", [2, 3, 4])
def test_an_mlp_is_a_plain_relu_network_on_one_hot_strings(depth, gram):
    network, tokens = mlp(depth=depth, gram=gram), tokens_of()
    one_hot = nn.functional.one_hot(tokens, VOCAB).double()                   # (n, k, vocab)
    inputs = one_hot.flatten(1)
    first = network.columns
    if gram:
        inputs = torch.cat([inputs, (one_hot @ one_hot.transpose(1, 2)).flatten(1)], dim=1)
        first = torch.cat([network.columns, network.gram])
    linear = nn.Linear(*first.shape).double()
    linear.weight.data, linear.bias.data = first.T, network.bias
    layers = [linear, *(part for hidden in network.hidden for part in (nn.ReLU(), hidden)), nn.ReLU(), network.readout]
    assert len(network.hidden) == depth - 2
    assert torch.allclose(network(tokens), nn.Sequential(*layers)(inputs).squeeze(1), rtol=0, atol=1e-12)


@pytest.mark.parametrize("gram", [False, True])
def test_an_mlp_with_a_shared_embedding_reads_the_embeddings_in_a_row(gram):
    network, tokens = mlp(d_emb=5, gram=gram), tokens_of()
    inputs = torch.cat([network.tokens[tokens[:, i]] for i in range(LENGTH)], dim=1)
    h = inputs @ network.columns + network.bias
    if gram:
        h = h + torch.stack([(s[:, None] == s).flatten() for s in tokens]).double() @ network.gram
    expected = network.readout(network.hidden[0](h.relu()).relu()).squeeze(1)
    assert torch.allclose(network(tokens), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("gram", [False, True])
def test_an_mlp_starts_with_variance_two_over_fan_in(gram):
    torch.manual_seed(0)
    network = MLP(50, LENGTH, width=400, gram=gram)
    fan_in = 50 * LENGTH + LENGTH**2 * gram
    assert network.columns.var().item() == pytest.approx(2 / fan_in, rel=0.05)
    assert network.hidden[0].weight.var().item() == pytest.approx(2 / 400, rel=0.05)
    assert not any(layer.bias.any() for layer in [*network.hidden, network.readout]) and not network.bias.any()


# ---- what renaming symbols does ----------------------------------------------------------------------------------


def rename(network, names):
    """Move every token's own weights from t to names[t], in place."""
    with torch.no_grad():
        if network.tokens is not None:
            network.tokens[names] = network.tokens.clone()
        else:
            for position in range(network.length):
                rows = slice(position * VOCAB, (position + 1) * VOCAB)
                columns = network.columns[rows].clone()
                network.columns[rows][names] = columns
    return network


NETWORKS = {
    "mlp": mlp,
    "mlp with gram": lambda seed=0: mlp(seed, gram=True),
    "mlp with embedding": lambda seed=0: mlp(seed, d_emb=5),
    "rnn": lambda seed=0: recurrent(seed, cell="rnn"),
    "lstm": lambda seed=0: recurrent(seed, cell="lstm"),
    "transformer": transformer,
    "modified": lambda seed=0: transformer(seed, a=True, b=True),
}


@pytest.mark.parametrize("kind", NETWORKS)
@given(seed=seeds, names=st.permutations(range(VOCAB)))
@settings(max_examples=10)
def test_renaming_symbols_with_their_weights_changes_nothing(kind, seed, names):
    names, tokens = torch.tensor(names), tokens_of(20, seed)
    expected = NETWORKS[kind](seed)(tokens)
    renamed = rename(NETWORKS[kind](seed), names)
    assert torch.allclose(renamed(names[tokens]), expected, rtol=0, atol=1e-12)


@given(seed=seeds, names=st.permutations(range(VOCAB)))
@settings(max_examples=10)
def test_renaming_symbols_permutes_a_tied_transformers_logits(seed, names):
    names, tokens = torch.tensor(names), tokens_of(20, seed)
    expected = transformer(seed, tied=True)(tokens)
    renamed = rename(transformer(seed, tied=True), names)(names[tokens])
    assert torch.allclose(renamed[:, names], expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
@pytest.mark.parametrize("kind", NETWORKS)
def test_unseen_symbols_swapped_at_initialisation_are_swapped_after_training(kind, optimizer):
    t = TemplateTask({"αβα": 1, "αββ": -1})
    seen, unseen = t.alphabets(6, 6)
    sample, held_out = t.sample(10, seen, seed=1), t.sample(10, unseen, seed=2)
    swap = torch.arange(VOCAB)
    swap[[unseen[0], unseen[1]]] = torch.tensor([unseen[1], unseen[0]])

    one, other = NETWORKS[kind](), rename(NETWORKS[kind](), swap)
    start = [p.detach().clone() for p in one.parameters()]
    for network in (one, other):
        train([Member(network, sample, held_out, held_out, lr=0.01)], epochs=30, stop=0, optimizer=optimizer)
    strings = torch.cartesian_prod(*[torch.arange(VOCAB)] * LENGTH)
    assert torch.allclose(one(strings), other(swap[strings]), rtol=0, atol=1e-12)
    assert not torch.allclose(one(strings), one(swap[strings]), atol=1e-3), "the two symbols are told apart"
    assert max((p - q).abs().max() for p, q in zip(one.parameters(), start, strict=True)) > 1e-3, "it has learned"


def test_training_moves_no_weight_of_an_unseen_symbol():
    t = TemplateTask({"αβα": 1, "αββ": -1})
    seen, unseen = t.alphabets(6, 6)
    network, member_sample = mlp(), t.sample(40, seen, seed=1)
    start = network.columns.detach().clone().view(LENGTH, VOCAB, -1)
    train([Member(network, member_sample, member_sample, member_sample, lr=0.01)], epochs=10, stop=0)
    moved = (network.columns.view(LENGTH, VOCAB, -1) != start).any(-1).any(0)
    assert moved.tolist() == [token in seen for token in range(VOCAB)]


# ---- bad input ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("network", [transformer, mlp, recurrent])
def test_strings_of_another_length_are_refused(network):
    with pytest.raises(ValueError, match="length 4 .* length 3"):
        network()(torch.zeros(2, 4, dtype=torch.int64))


@pytest.mark.parametrize(("build", "sizes"), [
    *((Transformer, size) for size in ("vocab", "length", "depth", "d_emb", "heads", "d_head", "d_mlp")),
    *((MLP, size) for size in ("vocab", "length", "depth", "width", "d_emb")),
    *((Recurrent, size) for size in ("vocab", "length", "d_emb", "width")),
])
@pytest.mark.parametrize("value", [0, -1])
def test_a_size_that_is_not_positive_is_refused_by_name(build, sizes, value):
    with pytest.raises(ValueError, match=f"{sizes}={value}: must be an integer, 1 or more"):
        build(**{"vocab": 5, "length": 2, sizes: value})


def test_an_mlp_has_a_hidden_layer():
    with pytest.raises(ValueError, match="depth=1.*at least 2"):
        MLP(5, 2, depth=1)


@pytest.mark.parametrize(("build", "named"), [
    (lambda: Transformer(5, 2, **SMALL, mimetic_alpha=1.0), "mimetic_alpha and mimetic_beta belong together"),
    (lambda: Transformer(5, 2, **SMALL, tied=True, readout_only=True), "readout_only"),
    (lambda: Transformer(5, 2, **SMALL, logit_scale=0.5), "logit_scale"),
    (lambda: Transformer(5, 2, **SMALL, pointer=True), "tied=True"),
    (lambda: Transformer(5, 2, **SMALL, unembedding="copy"), "tied=True"),
    (lambda: Transformer(5, 2, **SMALL, tied=True, unembedding="own"), "unembedding='own'"),
    (lambda: Recurrent(5, 2, cell="gru"), "cell='gru'"),
])
def test_options_that_do_not_go_together_are_refused(build, named):
    with pytest.raises(ValueError, match=named):
        build()
