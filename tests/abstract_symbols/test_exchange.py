"""The symmetry behind the MLP theorem: exchanging unseen symbols commutes with training."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from abstract_symbols import MLP, TemplateTask, Transformer
from abstract_symbols.ensembles import Member, train
from abstract_symbols.networks import exchanged

TASK = TemplateTask({"αβα": 1, "αββ": -1})
SEEN, UNSEEN = TASK.alphabets(5, 5)
SAMPLE, HELD_OUT = TASK.sample(10, SEEN, seed=1), TASK.sample(10, UNSEEN, seed=2)
STRINGS = torch.cartesian_prod(*[torch.arange(UNSEEN.stop)] * 3)  # seen and unseen symbols in all places
pairs = st.tuples(st.sampled_from(UNSEEN), st.sampled_from(UNSEEN)).filter(lambda p: p[0] != p[1])


def build(kind, seed=0, **options):
    torch.manual_seed(seed)
    return kind(UNSEEN.stop, TASK.length, **options).double()


def trained(*networks, optimizer="adam"):
    train([Member(n, SAMPLE, HELD_OUT, HELD_OUT, lr=0.01) for n in networks], epochs=8, stop=0, optimizer=optimizer)
    return networks


def renamed(u, v, positions):
    """All strings with u and v exchanged at some positions."""
    names, strings = torch.arange(UNSEEN.stop), STRINGS.clone()
    names[[u, v]] = names[[v, u]]
    for i in positions:
        strings[:, i] = names[strings[:, i]]
    return strings


def farthest(twin, u, v, positions, network):
    """The largest distance between a twin's outputs on renamed strings and the network's on the strings."""
    return (twin(renamed(u, v, positions)) - network(STRINGS)).abs().max().item()


@given(pair=pairs, positions=st.sets(st.integers(0, 2), min_size=1), seed=st.integers(0, 10**6),
       optimizer=st.sampled_from(["adam", "sgd"]), depth=st.integers(2, 3))
@settings(max_examples=25)
def test_unseen_symbols_exchanged_at_some_positions_are_exchanged_there_after_training(pair, positions, seed, optimizer,
                                                                                      depth):
    start = build(MLP, seed, width=6, depth=depth)
    network, twin = trained(build(MLP, seed, width=6, depth=depth), exchanged(start, *pair, sorted(positions)),
                            optimizer=optimizer)
    assert farthest(twin, *pair, positions, network) <= 1e-12
    assert farthest(twin, *pair, (), network) > 1e-9, "without renaming the strings they differ"
    assert (network(STRINGS) - start(STRINGS)).abs().max() > 1e-6, "training has changed the answers"


@pytest.mark.parametrize(("kind", "options"), [
    (MLP, {"width": 6}), (MLP, {"width": 6, "gram": True}), (MLP, {"width": 6, "d_emb": 4}),
    (Transformer, {"depth": 1, "d_emb": 8, "heads": 2, "d_head": 4, "d_mlp": 8, "a": True, "b": True}),
])
def test_unseen_symbols_exchanged_everywhere_are_exchanged_after_training(kind, options):
    u, v = UNSEEN[0], UNSEEN[3]
    network, twin = trained(build(kind, **options), exchanged(build(kind, **options), u, v))
    assert farthest(twin, u, v, range(3), network) <= 1e-10


def test_a_network_that_is_given_the_equality_matrix_notices_an_exchange_at_one_position():
    u, v = UNSEEN[0], UNSEEN[3]
    network, twin = trained(*(exchanged(build(MLP, width=6, gram=True), u, w, [1]) for w in (u, v)))
    assert farthest(twin, u, v, [1], network) > 1e-3


def test_training_notices_the_exchange_of_a_seen_symbol():
    u, v = SEEN[0], UNSEEN[3]
    network, twin = trained(*(exchanged(build(MLP, width=6), u, w, [1]) for w in (u, v)))
    assert farthest(twin, u, v, [1], network) > 1e-3


def test_an_exchange_leaves_the_network_itself_alone_and_undoes_itself():
    network = build(MLP, width=6)
    start = network.columns.detach().clone()
    twin = exchanged(network, 2, 7, [0, 2])
    assert torch.equal(network.columns, start)
    assert (twin.columns != start).any(1).nonzero().flatten().tolist() == [2, 7, 22, 27]
    assert torch.equal(exchanged(twin, 7, 2, [0, 2]).columns, start)


@pytest.mark.parametrize("unembedding", [None, "gaussian", "copy"])
def test_an_exchange_renames_symbols_in_the_answer_too(unembedding):
    torch.manual_seed(0)
    network = Transformer(10, 1, depth=1, d_emb=8, heads=1, d_head=8, d_mlp=8, tied=True,
                          unembedding=unembedding).double()
    renamed = torch.arange(10)
    renamed[[2, 7]] = renamed[[7, 2]]
    strings = torch.arange(10)[:, None]
    with torch.no_grad():
        twin, original = exchanged(network, 2, 7)(strings), network(renamed[strings])
    torch.testing.assert_close(twin, original[:, renamed])


@pytest.mark.parametrize(("kind", "options", "arguments", "named"), [
    (MLP, {}, (0, 10), "token 10"), (MLP, {}, (-1, 2), "token -1"), (MLP, {}, (0, 1, [3]), "position 3"),
    (Transformer, {}, (0, 1, [0]), "one embedding"), (MLP, {"d_emb": 4}, (0, 1, [0]), "one embedding"),
])
def test_an_exchange_that_cannot_be_is_refused_by_name(kind, options, arguments, named):
    with pytest.raises(ValueError, match=named):
        exchanged(build(kind, **options), *arguments)
