"""Training many networks at once gives what training each alone gives, and that is what a plain loop gives."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from abstract_symbols import MLP, Sample, TemplateTask, Transformer, ensembles
from abstract_symbols.ensembles import Ensemble, Member, Outcome, train
from abstract_symbols.networks import Recurrent

SMALL = {"d_emb": 8, "heads": 2, "d_head": 4, "d_mlp": 8}
EVALUATION = 20
LOSSES = ("train_loss", "validation_loss", "test_loss", "final_validation_loss", "final_test_loss")

KINDS = {
    "transformer": ({"αα": 1, "αβ": -1}, lambda v, k: Transformer(v, k, **SMALL)),
    "modified": ({"αα": 1, "αβ": -1}, lambda v, k: Transformer(v, k, **SMALL, a=True, b=True)),
    "mlp": ({"αα": 1, "αβ": -1}, lambda v, k: MLP(v, k, width=8)),
    "mlp with gram": ({"αα": 1, "αβ": -1}, lambda v, k: MLP(v, k, width=8, gram=True)),
    "mlp with embedding": ({"αα": 1, "αβ": -1}, lambda v, k: MLP(v, k, width=8, d_emb=8)),
    "rnn": ({"αα": 1, "αβ": -1}, lambda v, k: Recurrent(v, k, cell="rnn", d_emb=8, width=8)),
    "lstm": ({"αα": 1, "αβ": -1}, lambda v, k: Recurrent(v, k, cell="lstm", d_emb=8, width=8)),
    "read-out": ({"αα": 1, "αβ": -1}, lambda v, k: Transformer(v, k, **SMALL, readout_only=True)),
    "tied": ({"α": "α"}, lambda v, k: Transformer(v, k, **SMALL, tied=True, b=True)),
    "frozen": ({"α": "α"}, lambda v, k: Transformer(v, k, **SMALL, tied=True, frozen=True)),
    "pointer": ({"α": "α"}, lambda v, k: Transformer(v, k, **SMALL, tied=True, pointer=True, c_vo=1.0)),
    "own unembedding": ({"α": "α"}, lambda v, k: Transformer(v, k, **SMALL, tied=True, unembedding="copy")),
}


def member(kind, seed, n=12, lr=1e-3, evaluation=EVALUATION):
    labels, build = KINDS[kind]
    t = TemplateTask(labels)
    alphabets = t.alphabets(n, evaluation, evaluation)
    samples = [t.sample(len(a), a, seed=(seed, part)) for part, a in enumerate(alphabets)]
    torch.manual_seed(seed)
    return Member(build(alphabets[-1].stop, t.length).double(), *samples, lr=lr, seed=seed)


def numbers(outcome):
    return [value for name, value in vars(outcome).items() if name != "history"]


def weights(one):
    return torch.cat([p.detach().flatten() for p in one.network.parameters()])


@pytest.fixture
def one_ensemble(monkeypatch):
    """However many members, they are trained as one ensemble."""
    monkeypatch.setattr(ensembles, "CPU_BYTES", 2**50)


@pytest.fixture
def sizes(monkeypatch):
    """The sizes of the ensembles that are trained, from now on."""
    seen, original = [], Ensemble.run

    def run(self, *arguments):
        seen.append(len(self.members))
        return original(self, *arguments)

    monkeypatch.setattr(Ensemble, "run", run)
    return seen


# ---- together as alone -------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.usefixtures("one_ensemble")
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
@pytest.mark.parametrize("kind", KINDS)
def test_members_trained_at_once_end_as_trained_alone(kind, optimizer, sizes):
    rates = {"adam": [0.003, 0.03, 0.01, 0.03], "sgd": [0.002, 0.02, 0.005, 0.02]}[optimizer]

    def build():
        return [member(kind, seed, lr=lr) for seed, lr in enumerate(rates)]

    members, singles = build(), build()
    settings = {"batch": 5, "epochs": 15, "optimizer": optimizer, "history": True}  # 12 strings: 5, 5 and 2
    reached = sorted(train([m], stop=0, **settings)[0].train_loss for m in build())
    settings["stop"] = (reached[1] + reached[2]) / 2  # two of them get below: members leave the ensemble
    sizes.clear()

    together = train(members, **settings)
    assert sizes == [4]
    alone = [train([m], **settings)[0] for m in singles]
    assert len({out.epochs_run for out in together}) > 1
    for one, other, m, single in zip(together, alone, members, singles, strict=True):
        assert (one.epochs_run, one.best_epoch) == (other.epochs_run, other.best_epoch)
        assert (one.test_error, one.final_test_error) == (other.test_error, other.final_test_error)
        assert [getattr(one, k) for k in LOSSES] == pytest.approx([getattr(other, k) for k in LOSSES], abs=1e-9)
        assert torch.tensor(one.history).numpy() == pytest.approx(torch.tensor(other.history).numpy(), abs=1e-9)
        assert torch.allclose(weights(m), weights(single), rtol=0, atol=1e-9)


@pytest.mark.usefixtures("one_ensemble")
@given(st.permutations(range(4)), st.integers(3, 15))
@settings(max_examples=8)
def test_the_company_and_its_order_do_not_matter(order, batch):
    expected = train([member("mlp", seed, lr=0.01) for seed in range(4)], batch=batch, epochs=4, stop=0.9)
    outcomes = train([member("mlp", seed, lr=0.01) for seed in order], batch=batch, epochs=4, stop=0.9)
    for seed, out in zip(order, outcomes, strict=True):
        assert numbers(out) == pytest.approx(numbers(expected[seed]), abs=1e-9)


@pytest.mark.usefixtures("one_ensemble")
def test_errors_do_not_depend_on_the_labels_in_the_company():
    """A sample in which a label does not occur has still two possible answers."""
    def build(evaluation_labels):
        m = member("mlp", seed=0, lr=1e-9)
        for name in ("validation", "test"):
            old = getattr(m, name)
            labels = torch.full_like(old.labels, 1.0) if evaluation_labels == "one" else old.labels
            setattr(m, name, Sample(old.task, old.alphabet, old.tokens, labels, old.templates))
        return m

    (alone,) = train([build("one")], epochs=1)
    together, _ = train([build("one"), build("both")], epochs=1)
    with torch.no_grad():
        m = build("one")
        expected = (m.network(m.test.tokens) < 0).double().mean().item()
    assert 0 < expected < 1
    assert together.final_test_error == pytest.approx(expected)
    assert alone.final_test_error == pytest.approx(expected)


def test_members_are_split_into_ensembles_that_fit_the_memory(monkeypatch, sizes):
    def build():
        return [member("mlp", seed, lr=0.01) for seed in range(5)]

    whole = train(build(), epochs=3)
    share = ensembles.CPU_BYTES // ensembles.ensemble_size(build()[0], 1024, "cpu")
    monkeypatch.setattr(ensembles, "CPU_BYTES", int(2.5 * share))
    ended = []
    cut = train(build(), epochs=3, progress=ended.append)
    assert sizes == [5, 2, 2, 1] and ended == [2, 4, 5]
    for one, other in zip(whole, cut, strict=True):
        assert numbers(one) == pytest.approx(numbers(other), abs=1e-9)


def test_larger_networks_and_batches_mean_smaller_ensembles():
    def size(kind, n, batch):
        return ensembles.ensemble_size(member(kind, 0, n=n), batch, "cpu")

    assert size("transformer", 64, 1024) < size("transformer", 64, 8) < size("transformer", 8, 8)
    assert size("transformer", 64, 1024) < size("mlp", 64, 1024)


def test_a_network_too_large_for_the_cache_is_trained_alone(monkeypatch, sizes):
    monkeypatch.setattr(ensembles, "CPU_BYTES", 1)
    train([member("mlp", seed) for seed in range(3)], epochs=1)
    assert sizes == [1, 1, 1]


@pytest.mark.usefixtures("one_ensemble")
@pytest.mark.parametrize("options", [{"decay": 20.0}, {"reset": True}, {"decay": 20.0, "reset": True},
                                     {"dropout": 0.2}, {"dropout": 0.2, "batch": 5}])
@pytest.mark.parametrize("kind", ["tied", "own unembedding"])
def test_decay_reset_and_dropout_do_not_depend_on_the_company(kind, options):
    def build():
        return [member(kind, seed, lr=lr) for seed, lr in enumerate([0.003, 0.03, 0.01])]

    members, singles, settings = build(), build(), {"epochs": 12, **options}
    reached = sorted(train([m], stop=0, **settings)[0].train_loss for m in build())
    settings["stop"] = (reached[0] + reached[1]) / 2  # one of them gets below and leaves the ensemble
    together, alone = train(members, **settings), [train([m], **settings)[0] for m in singles]
    assert len({out.epochs_run for out in together}) > 1
    for one, other, m, single in zip(together, alone, members, singles, strict=True):
        assert numbers(one) == pytest.approx(numbers(other), abs=1e-9)
        assert torch.allclose(weights(m), weights(single), rtol=0, atol=1e-9)


# ---- alone as in a plain loop ------------------------------------------------------------------------------------


def plain_loop(m, optimizer, batch, epochs):
    """What anyone would write. Returns the last epoch's train loss."""
    torch_optimizer = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}[optimizer](m.network.parameters(), lr=m.lr)
    generator, n = torch.Generator().manual_seed(m.seed), len(m.train)
    criterion = nn.CrossEntropyLoss() if m.train.task.symbolic else nn.MSELoss()
    for _ in range(epochs):
        order = torch.randperm(n, generator=generator) if batch < n else torch.arange(n)
        total = 0.0
        for rows in order.split(batch):
            loss = criterion(m.network(m.train.tokens[rows]), m.train.labels[rows])
            torch_optimizer.zero_grad()
            loss.backward()
            torch_optimizer.step()
            total += loss.item() * len(rows)
    return total / n


@pytest.mark.usefixtures("one_ensemble")
@pytest.mark.parametrize("batch", [5, 12, 1024])
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
@pytest.mark.parametrize("kind", ["modified", "mlp", "tied"])
def test_training_is_torchs_own_loop(kind, optimizer, batch):
    rates = [0.01, 0.02]
    members, loops = ([member(kind, seed, lr=lr) for seed, lr in enumerate(rates)] for _ in range(2))
    outcomes = train(members, batch=batch, epochs=6, stop=0, optimizer=optimizer)
    for out, m, loop in zip(outcomes, members, loops, strict=True):
        assert out.train_loss == pytest.approx(plain_loop(loop, optimizer, batch, 6), abs=1e-9)
        assert torch.allclose(weights(m), weights(loop), rtol=0, atol=1e-9)


@pytest.mark.parametrize("kind", ["modified", "tied"])
def test_final_metrics_are_those_of_the_network_left_behind(kind):
    m = member(kind, seed=3, lr=0.01)
    before = weights(m)
    (out,) = train([m], epochs=8, stop=0)
    assert not torch.equal(weights(m), before)
    for sample, loss in ((m.validation, out.final_validation_loss), (m.test, out.final_test_loss)):
        with torch.no_grad():
            answer = m.network(sample.tokens)
        if kind == "tied":
            expected, wrong = nn.functional.cross_entropy(answer, sample.labels), answer.argmax(1) != sample.labels
        else:
            expected, wrong = ((answer - sample.labels)**2).mean(), answer.sign() != sample.labels
        assert loss == pytest.approx(expected.item(), abs=1e-12)
    assert out.final_test_error == pytest.approx(wrong.double().mean().item())


def test_evaluation_sets_larger_than_a_batch_are_averaged_over_strings(monkeypatch):
    (expected,) = train([member("tied", seed=1)], epochs=2)
    monkeypatch.setattr(ensembles, "EVALUATION_BATCH", 7)  # 20 strings: 7, 7 and 6
    (cut,) = train([member("tied", seed=1)], epochs=2)
    assert numbers(cut) == pytest.approx(numbers(expected), abs=1e-12)


def test_the_error_of_real_labels_does_not_depend_on_how_evaluation_is_cut(monkeypatch):
    (expected,) = train([member("mlp", seed=1)], epochs=1)
    monkeypatch.setattr(ensembles, "EVALUATION_BATCH", 1)
    (cut,) = train([member("mlp", seed=1)], epochs=1)
    assert 0 < expected.test_error == pytest.approx(cut.test_error)


# ---- dropout -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch", [5, 12])
@pytest.mark.parametrize("kind", ["modified", "tied"])
def test_dropout_is_torchs_own_on_the_embedded_strings_in_training_alone(kind, batch, monkeypatch):
    m, loop, plain = (member(kind, seed=0, lr=0.01) for _ in range(3))
    (out,) = train([m], epochs=6, stop=0, batch=batch, dropout=0.25)
    generator, embed = torch.Generator().manual_seed(0), Transformer.embed

    def dropped(network, tokens):
        z = embed(network, tokens)
        kept = torch.rand(z.shape, generator=generator, dtype=z.dtype) >= 0.25
        return z * kept / 0.75

    with monkeypatch.context() as patch:
        patch.setattr(Transformer, "embed", dropped)
        last = plain_loop_shuffled(loop, batch, 6)
    assert out.train_loss == pytest.approx(last, abs=1e-9)
    assert torch.allclose(weights(m), weights(loop), rtol=0, atol=1e-9)
    (without,) = train([plain], epochs=6, stop=0, batch=batch)
    assert abs(out.train_loss - without.train_loss) > 1e-3
    with torch.no_grad():
        answer = m.network(m.test.tokens)
    criterion = nn.functional.cross_entropy if kind == "tied" else nn.functional.mse_loss
    assert out.final_test_loss == pytest.approx(criterion(answer, m.test.labels).item(), abs=1e-12)


def plain_loop_shuffled(m, batch, epochs):
    """`plain_loop` with a block that does not take [CLS] for the same vector in every string."""
    block = type(m.network.blocks[0])
    original = block.forward
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(block, "forward", lambda self, z, last_only=False, last_shared=False: original(
            self, z, last_only=last_only))
        return plain_loop(m, "adam", batch, epochs)


# ---- token vectors: decay and reset ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["tied", "own unembedding"])
def test_decay_is_adamws_on_the_token_vectors_alone(kind):
    m, loop = member(kind, seed=0, lr=0.01), member(kind, seed=0, lr=0.01)
    train([m], epochs=6, stop=0, decay=5.0)
    tables = [p for name, p in loop.network.named_parameters() if name in ("tokens", "unembedding")]
    others = [p for name, p in loop.network.named_parameters() if name not in ("tokens", "unembedding")]
    optimizer = torch.optim.AdamW([{"params": tables, "weight_decay": 5.0}, {"params": others, "weight_decay": 0.0}],
                                  lr=loop.lr)
    for _ in range(6):
        optimizer.zero_grad()
        nn.functional.cross_entropy(loop.network(loop.train.tokens), loop.train.labels).backward()
        optimizer.step()
    assert torch.allclose(weights(m), weights(loop), rtol=0, atol=1e-9)


@pytest.mark.parametrize("kind", ["tied", "own unembedding"])
def test_reset_puts_back_what_training_never_saw_and_leaves_training_alone(kind):
    settings = {"epochs": 8, "stop": 0, "history": True}
    m, other, start = (member(kind, seed=3, lr=0.01) for _ in range(3))
    (out,), (plain,) = train([m], reset=True, **settings), train([other], **settings)
    seen = torch.zeros(m.network.vocab, dtype=torch.bool)
    seen[m.train.tokens.flatten()] = True
    assert 0 < seen[: len(m.train)].sum() < len(m.train), "some of the training alphabet never occurred"
    for name, moved in m.network.named_parameters():
        theirs, before = other.network.get_parameter(name), start.network.get_parameter(name)
        if name in ("tokens", "unembedding"):
            assert torch.equal(moved[seen], theirs[seen]) and not torch.equal(moved[seen], before[seen])
            assert torch.equal(moved[~seen], before[~seen])
        else:
            assert torch.equal(moved, theirs)
    assert not torch.equal(other.network.get_parameter("tokens")[~seen], start.network.get_parameter("tokens")[~seen]) \
        or kind == "own unembedding"
    assert [epoch[1] for epoch in out.history] == [epoch[1] for epoch in plain.history]
    assert [epoch[2] for epoch in out.history] != [epoch[2] for epoch in plain.history]
    with torch.no_grad():
        expected = nn.functional.cross_entropy(m.network(m.test.tokens), m.test.labels).item()
    assert out.final_test_loss == pytest.approx(expected, abs=1e-12) == out.history[-1][3]


# ---- when to stop, and which epoch counts ------------------------------------------------------------------------


@given(st.floats(0.05, 1.5))
@settings(max_examples=10)
def test_a_member_stops_after_the_first_epoch_below_the_threshold(stop):
    (out,) = train([member("transformer", seed=0, lr=0.01)], epochs=25, stop=stop, history=True)
    losses = [train_loss for _, train_loss, _, _ in out.history]
    below = [epoch for epoch, loss in enumerate(losses, start=1) if loss < stop]
    assert out.epochs_run == len(losses) == (below[0] if below else 25)
    assert out.train_loss == losses[-1]


@pytest.mark.usefixtures("one_ensemble")
def test_the_best_epoch_has_the_lowest_validation_loss_and_its_test_loss_is_reported():
    outcomes = train([member("modified", seed, lr=0.01) for seed in range(4)], epochs=30, stop=0.3, history=True)
    for out in outcomes:
        epochs, _, validation, test = zip(*out.history, strict=True)
        best = validation.index(min(validation))
        assert epochs == tuple(range(1, out.epochs_run + 1))
        assert (out.best_epoch, out.validation_loss) == (epochs[best], validation[best])
        assert out.test_loss == pytest.approx(test[best], abs=1e-12)
        assert (out.final_validation_loss, out.final_test_loss) == pytest.approx((validation[-1], test[-1]), abs=1e-12)
    assert any(out.best_epoch < out.epochs_run for out in outcomes), "else this says nothing"


@pytest.mark.parametrize("before", [False, True])
def test_subnormal_numbers_are_zero_in_training_and_afterwards_what_they_were(before, monkeypatch):
    def tenth():
        return (torch.tensor(1e-38) * 0.1).item()

    seen, real = [], Ensemble.epoch
    monkeypatch.setattr(Ensemble, "epoch", lambda self, batch: seen.append(tenth()) or real(self, batch))
    try:
        torch.set_flush_denormal(before)
        outside = tenth()
        train([member("modified", 0)], epochs=2, stop=1e-9)
        with pytest.raises(RuntimeError, match="no more"):
            monkeypatch.setattr(Ensemble, "epoch", crash)
            train([member("modified", 0)], epochs=2)
        assert (seen, tenth(), outside == 0) == ([0, 0], outside, before)
    finally:
        torch.set_flush_denormal(False)


def crash(self, batch):
    raise RuntimeError("no more")


def test_history_changes_no_number():
    (plain,), (told,) = (train([member("modified", 0, lr=0.01)], epochs=5, history=h) for h in (False, True))
    assert plain.history == [] and len(told.history) == 5
    assert numbers(plain) == numbers(told)


@pytest.mark.usefixtures("one_ensemble")
def test_a_diverging_member_ends_and_disturbs_no_other():
    rates = [0.01, 1e60, 0.02]
    outcomes = train([member("mlp", seed, lr=lr) for seed, lr in enumerate(rates)], epochs=20, stop=0, optimizer="sgd",
                     history=True)
    finite = [math.isfinite(train_loss) for _, train_loss, _, _ in outcomes[1].history]
    assert finite == [True] * (len(finite) - 1) + [False] and 1 < len(finite) < 20
    for seed in (0, 2):
        (alone,) = train([member("mlp", seed, lr=rates[seed])], epochs=20, stop=0, optimizer="sgd")
        assert numbers(outcomes[seed]) == pytest.approx(numbers(alone), abs=1e-9)
        assert outcomes[seed].epochs_run == 20


# ---- bad input ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("options", "named"), [
    ({"optimizer": "adamw"}, "optimizer='adamw': must be 'adam' or 'sgd'"),
    ({"batch": 0}, "batch=0"),
    ({"epochs": 0}, "epochs=0"),
    ({"decay": -1.0}, "decay=-1.0"),
    ({"decay": 1.0}, "have none"),
    ({"reset": True}, "have none"),
    ({"dropout": 1.0}, "dropout=1.0"),
    ({"dropout": 0.5}, "dropout is for the transformer's"),
])
def test_bad_settings_are_refused_by_name(options, named):
    with pytest.raises(ValueError, match=named):
        train([member("mlp", 0)], **options)


@pytest.mark.parametrize("lr", [0.0, -1.0, float("nan")])
def test_a_learning_rate_is_positive(lr):
    with pytest.raises(ValueError, match=f"lr={lr}"):
        train([member("mlp", 0), member("mlp", 1, lr=lr)])


def other_options(**options):
    m = member("transformer", 0)
    m.network = Transformer(m.network.vocab, 2, **{**SMALL, **options}).double()
    return m


def test_no_members_are_refused():
    with pytest.raises(ValueError, match="no members"):
        train([])


@pytest.mark.parametrize(("kind", "n"), [("transformer", 12), ("mlp with gram", 12), ("mlp", 13)])
def test_networks_of_different_shapes_are_not_trained_together(kind, n):
    with pytest.raises(ValueError, match="differ in shape"):
        train([member("mlp", 0), member(kind, 1, n=n)], epochs=1)


@pytest.mark.parametrize(("one", "other"), [
    ({"a": True}, {"b": True}),
    ({"heads": 2, "d_head": 4}, {"heads": 4, "d_head": 2}),
    ({"a": True, "c_kq": 1.0}, {"a": True, "c_kq": 2.0}),
], ids=["a and b", "heads", "multipliers"])
def test_networks_of_one_shape_that_compute_different_things_are_not_trained_together(one, other):
    members = [member("transformer", seed) for seed in range(2)]
    for m, options in zip(members, (one, other), strict=True):
        m.network = Transformer(m.network.vocab, 2, **{**SMALL, **options}).double()
    with pytest.raises(ValueError, match="differ"):
        train(members, epochs=1)


def test_labels_of_different_values_are_not_trained_together():
    one, other = member("mlp", 0), member("mlp", 1)
    for split in ("train", "validation", "test"):
        old = getattr(other, split)
        task = TemplateTask({z.pattern: 10 * y for z, y in zip(old.task.templates, old.task.values, strict=True)})
        setattr(other, split, task.sample(len(old), len(old.alphabet)))
    with pytest.raises(ValueError, match="values of their labels"):
        train([one, other], epochs=1)


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_samples_of_different_sizes_are_not_trained_together(split):
    one, other = member("mlp", 0), member("mlp", 1)
    old = getattr(other, split)
    setattr(other, split, old.task.sample(len(old) + 1, old.alphabet))
    with pytest.raises(ValueError, match=f"{split} samples differ in size"):
        train([one, other], epochs=1)


def test_an_outcome_that_never_was_says_so():
    assert math.isnan(Outcome().test_loss) and Outcome().best_epoch == 0


# ---- memory ------------------------------------------------------------------------------------------------------


def test_an_ensemble_that_does_not_fit_is_split_and_gives_the_same(monkeypatch, one_ensemble):
    (alone,) = train([member("transformer", 3)], epochs=5, stop=0)
    sizes, start = [], Ensemble.__init__

    def limited(self, part, *rest):
        sizes.append(len(part))
        if len(part) > 2:
            raise torch.cuda.OutOfMemoryError("no room for more than two")
        start(self, part, *rest)

    monkeypatch.setattr(Ensemble, "__init__", limited)
    outcomes = train([member("transformer", seed) for seed in range(6)], epochs=5, stop=0)
    assert sizes == [6, 3, 2, 2, 2]
    assert outcomes[3].test_loss == pytest.approx(alone.test_loss, rel=1e-9)


def test_one_network_that_does_not_fit_is_an_error(monkeypatch):
    def full(*_):
        raise torch.cuda.OutOfMemoryError("full")

    monkeypatch.setattr(Ensemble, "__init__", full)
    with pytest.raises(torch.cuda.OutOfMemoryError):
        train([member("transformer", 0)])
