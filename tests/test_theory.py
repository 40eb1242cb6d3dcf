"""The theory's runs and symmetries: laws of outputs on unseen strings, what an exchange of symbols does, and more."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pattern_kernel import PatternKernel
from scipy import stats
from torch import nn

from abstract_symbols import MLP, TemplateTask, Transformer, theory
from abstract_symbols.ensembles import Member, train
from abstract_symbols.kernels import FiniteTransformer
from abstract_symbols.kernels.ridge import dense_ridge
from abstract_symbols.kernels.prediction import predicted_samples
from abstract_symbols.kernels.template_matrix import smallest_eigenvalue
from abstract_symbols.networks import exchanged
from abstract_symbols.runs import Run
from abstract_symbols.tasks import TASKS, task
from abstract_symbols.theory import (
    AttentionRun,
    EmbeddingRun,
    GramRun,
    LastLayerRun,
    LawRun,
    PredictionRun,
    RidgeRun,
    WidthRun,
    distinct_strings,
    mean_cosine,
)

REAL = [name for name in TASKS if not task(name).symbolic]


# ---- strings that share no symbol --------------------------------------------------------------------------------


@given(name=st.sampled_from(REAL), size=st.integers(0, 60))
def test_distinct_strings_match_their_template_and_use_no_symbol_twice(name, size):
    t = task(name)
    symbols = t.alphabets(5, size)[1]
    for i, z in enumerate(t.templates):
        strings = distinct_strings(t, i, symbols)
        assert strings.shape == (size // len(z.wildcards), t.length), "as many as there are symbols for"
        used = [set(row) & set(symbols) for row in strings.tolist()]
        assert len(set().union(*used)) == sum(map(len, used)) == len(strings) * len(z.wildcards)
        for row in strings.tolist():
            values = {}
            for character, token in zip(z.pattern, row, strict=True):
                assert values.setdefault(character, token) == token, "equal where the template's wildcards are"
                assert character in z.wildcards or token == t.regular.index(character)


def test_a_template_without_wildcards_has_one_string_as_often_as_there_are_symbols():
    t = TemplateTask({"aa": 1, "αβ": -1})
    assert distinct_strings(t, 0, range(1, 4)).tolist() == [[0, 0]] * 3


# ---- the law of the outputs --------------------------------------------------------------------------------------


class Equality(nn.Module):
    """A network that computes whether the first two symbols are equal, plus some noise; it keeps its input."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))
        self.asked = []

    def forward(self, tokens):
        self.asked.append(tokens)
        return self.weight * ((tokens[:, 0] == tokens[:, 1]) + 0.1 * torch.sin(tokens[:, 0] * 1.0))


def law_run(seed=0, evaluation=200, **options):
    return LawRun(**{"task": "same-different", "network": "mlp", "n": 8, "seed": seed, "evaluation": evaluation,
                     "width": 16, **options})


def p_values(seeds, **options):
    """p-values of networks as they are drawn, before any training."""
    runs = [law_run(seed, **options) for seed in range(seeds)]
    return np.array([run.measure(run.member())["p_value"] for run in runs])


def test_p_values_of_untrained_networks_on_one_hot_vectors_are_uniform():
    p = p_values(100)
    assert stats.kstest(p, "uniform").pvalue > 0.01
    assert 0.2 < (p < 0.5).mean() < 0.8 and (p < 0.01).sum() <= 5


def test_p_values_of_trained_networks_on_one_hot_vectors_are_uniform():
    metrics = LawRun.perform([law_run(seed, evaluation=100, epochs=15, stop=0, lr=0.01) for seed in range(40)], "cpu")
    assert max(m["train_loss"] for m in metrics) < 0.5, "they have learned"
    assert stats.kstest([m["p_value"] for m in metrics], "uniform").pvalue > 0.01


def test_networks_that_are_given_the_equality_matrix_are_rejected_untrained():
    assert stats.combine_pvalues(p_values(20, gram=True)).pvalue < 1e-6


@pytest.mark.parametrize("name", ["same-different", "program"])
@pytest.mark.parametrize("evaluation", [40, 41])
def test_outputs_are_asked_on_unseen_strings_of_which_no_two_share_a_symbol(name, evaluation):
    run = law_run(task=name, evaluation=evaluation)
    member = run.member()
    member.network = Equality()
    lengths = [len(values) for values in run.outputs(member)]
    t, (first, second) = member.test.task, member.network.asked
    assert lengths == [len(first), len(second)]
    wildcards = [len(z.wildcards) for z in t.templates[:2]]
    assert lengths == [evaluation // 2 // wildcards[0], (evaluation + 1) // 2 // wildcards[1]]
    used = [set(row) - set(range(len(t.regular))) for row in [*first.tolist(), *second.tolist()]]
    assert set().union(*used) <= set(member.test.alphabet)
    assert len(set().union(*used)) == sum(map(len, used))
    for strings, z in ((first, t.templates[0]), (second, t.templates[1])):
        assert {len(set(row)) for row in strings.tolist()} == {len(set(z.pattern))}


def test_a_network_that_computes_equality_is_rejected():
    run = law_run()
    member = run.member()
    member.network = Equality()
    measured = run.measure(member)
    assert measured["p_value"] < 1e-10 and measured["statistic"] == 1
    assert measured["spread"] == pytest.approx(np.concatenate(run.outputs(member)).std())


def test_the_law_is_measured_on_the_weights_at_the_end_of_training():
    run = law_run(epochs=20, stop=0)
    (metrics,) = LawRun.perform([run], "cpu")
    member = run.member()
    start = run.measure(member)
    train([member], epochs=20, stop=0)
    assert {name: metrics[name] for name in start} == run.measure(member) != start


# ---- the symmetry behind the MLP theorem -------------------------------------------------------------------------

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


# ---- kernel ridge regression ----------------------------------------------------------------------------------------


@pytest.fixture
def pattern_kernel(monkeypatch):
    """Runs that measure the tests' exact kernel, which takes no time."""
    kernel = PatternKernel()
    monkeypatch.setattr(theory.KernelJob, "kernel", lambda self, device="cpu": kernel)
    return kernel


def ridge_by_definition(run, kernel):
    """The metrics of a `RidgeRun` from the dense solve, and the predictions themselves."""
    t = TemplateTask(task(run.task).labels, noise=run.noise)
    sample = t.sample(run.n, run.alphabet or run.n, seed=run.seed, zipf=run.zipf)
    strings = [z.substitute("UVWXYZ") for z in t.templates]
    predicted = dense_ridge(kernel, sample, strings, run.ridge)
    means = np.array([sample.labels[sample.templates == i].numpy().mean() for i in range(len(t.templates))])

    def rms(x):
        return np.sqrt(np.mean(x**2))  # the tasks draw their templates with equal probabilities

    return {"error": rms(predicted - t.values), "worst": np.abs(predicted - t.values).max(),
            "label_mean_error": rms(means - t.values), "gap": rms(predicted - means)}, predicted


@pytest.mark.parametrize("run", [
    RidgeRun("same-different", 0, n=80),
    RidgeRun("same-different", 1, n=120, alphabet=12, noise=3.0),
    RidgeRun("aba-abb", 2, n=90, alphabet=40, noise=0.5, ridge=0.3),
    RidgeRun("same-relation", 3, n=150, zipf=1.0),
    RidgeRun("same-order", 4, n=60, noise=1.0),
], ids=lambda run: f"{run.task}-{run.seed}")
def test_a_ridge_run_measures_what_the_dense_solve_does(run, pattern_kernel):
    expected, predicted = ridge_by_definition(run, pattern_kernel)
    measured = run.measure("cpu")
    for name, value in expected.items():
        assert measured[name] == pytest.approx(value, abs=1e-8), name
    assert len(set(predicted.round(6))) == len(predicted), "the templates' predictions differ, so that order counts"
    assert set(measured) == set(RidgeRun.METRICS)
    assert measured["iterations"] > 0


def test_the_transformers_kernel_gives_the_same_as_its_dense_solve():
    run = RidgeRun("same-different", 0, n=100)
    measured, (expected, _) = run.measure("cpu"), ridge_by_definition(run, run.kernel())
    assert {name: measured[name] for name in expected} == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("noise", [0.0, 2.0])
def test_the_errors_of_a_ridge_run_fit_together(noise, seed, pattern_kernel):
    m = RidgeRun("same-relation", seed, n=200, noise=noise).measure("cpu")
    assert m["worst"] / np.sqrt(4) <= m["error"] <= m["worst"]
    assert abs(m["gap"] - m["label_mean_error"]) <= m["error"] <= m["gap"] + m["label_mean_error"]
    if noise:
        assert m["label_mean_error"] > 0
    else:  # the mean of the labels is the label
        assert m["label_mean_error"] == 0
        assert m["error"] == m["gap"] > 0


def test_the_alphabet_is_n_unless_given_and_rho_its_diversity(pattern_kernel):
    implied, stated = (RidgeRun("aba-abb", 0, n=50, alphabet=m).measure("cpu") for m in (None, 50))
    assert implied == stated
    assert implied["rho"] == 25
    run = RidgeRun("aba-abb", 0, n=50, alphabet=20, zipf=1.0)
    assert run.measure("cpu")["rho"] == task("aba-abb").diversity(20, zipf=1.0) < 10


def test_more_strings_more_symbols_and_less_noise_lower_the_error(pattern_kernel):
    def error(**options):
        return np.mean([RidgeRun("same-different", seed, **options).measure("cpu")["error"] for seed in range(3)])

    assert error(n=1000) < error(n=100) < error(n=100, alphabet=5)
    assert error(n=1000) < error(n=1000, noise=5.0)
    assert error(n=1000) < error(n=1000, zipf=1.5)


def test_equal_runs_share_a_kernel_and_others_do_not():
    one, same, other = (RidgeRun("same-different", seed, beta=beta) for seed, beta in ((0, 1.0), (1, 1.0), (0, 3.0)))
    assert one.kernel() is same.kernel()
    assert (one.kernel().beta, other.kernel().beta) == (1.0, 3.0)


def test_a_ridge_run_refuses_symbolic_labels():
    with pytest.raises(ValueError, match="'copy' has symbolic labels"):
        RidgeRun("copy", 0, n=10).measure("cpu")


@pytest.mark.parametrize("name", ["same-different", "aba-abb", "random-r2-k4-w3-R0", "majority-4"])
def test_after_the_predicted_strings_ridge_regression_has_an_error_of_one_half(name):
    run = theory.StringsRun(name, 0)
    measured = run.measure("cpu")
    n = round(measured["strings"])
    errors = [RidgeRun(name, seed, n=n, alphabet=100 * n).measure("cpu")["error"] ** 2 for seed in range(4)]
    assert np.mean(errors) == pytest.approx(0.5, rel=0.1)
    assert measured["eigenvalue"] == pytest.approx(smallest_eigenvalue(task(name), run.kernel())[0], rel=1e-12)


def test_a_random_task_is_drawn_by_the_seed_of_the_run(pattern_kernel):
    by_seed = [theory.StringsRun("random-r3-k5-w3-R0", seed).measure("cpu") for seed in range(3)]
    assert len({m["strings"] for m in by_seed}) == 3
    assert by_seed[1]["strings"] == predicted_samples(task("random-r3-k5-w3-R0", 1), pattern_kernel, alphabet=np.inf)


def test_a_drawn_run_is_its_run_and_its_tasks_prediction(pattern_kernel):
    options = {"n": 16, "epochs": 2, "evaluation": 50, "d_emb": 16, "heads": 2, "d_head": 8, "d_mlp": 16}
    for seed in range(2):
        plain, drawn = (kind("random-r2-k4-w3-R0", "transformer", seed=seed, **options)
                        for kind in (Run, theory.DrawnRun))
        ((of_plain,), (of_drawn,)) = (run.perform([run], "cpu") for run in (plain, drawn))
        predicted = theory.StringsRun("random-r2-k4-w3-R0", seed).measure("cpu")["strings"]
        assert of_drawn == {**of_plain, "predicted": predicted}


@pytest.mark.parametrize("name", ["counting-5", "copy"])
def test_strings_are_predicted_for_labels_plus_and_minus_one_alone(name, pattern_kernel):
    with pytest.raises(ValueError, match=f"'{name}': the labels must be ±1"):
        theory.StringsRun(name, 0).measure("cpu")


# ---- embeddings of unseen symbols --------------------------------------------------------------------------------


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


# ---- the kernel's Gram matrices and the network's width -------------------------------------------------------------


@pytest.mark.parametrize("name", ["same-different", "aba-abb", "same-relation"])
def test_a_gram_run_measures_all_pairs_against_their_templates_block(name, pattern_kernel):
    run = GramRun(name, 3, n=40, alphabet=15)
    t = task(name)
    sample = t.sample(40, 15, seed=3)
    apart = {(i, j): pattern_kernel.values([(x.substitute("ABCDEF"), y.substitute("UVWXYZ"))])[0]
             for i, x in enumerate(t.templates) for j, y in enumerate(t.templates)}
    squares, sizes, met = [], [], []
    for i, x in enumerate(sample.strings):
        for j, y in enumerate(sample.strings):
            if i != j:
                value = pattern_kernel.values([(x, y)])[0]
                squares.append((value - apart[int(sample.templates[i]), int(sample.templates[j])]) ** 2)
                sizes.append(value**2)
                met.append(bool(set(x) & set(y)))
    measured = run.measure("cpu")
    assert measured["deviation"] == pytest.approx(np.sqrt(np.mean(squares) / np.mean(sizes)), rel=1e-12)
    assert measured["collisions"] == pytest.approx(np.mean(met), rel=1e-12)
    assert 0 < measured["collisions"] < 1


def test_the_gram_matrixs_deviation_follows_from_single_collisions_when_they_are_rare(pattern_kernel):
    t, m = task("aba-abb"), 2000
    total = blocks = 0.0
    for x in t.templates:
        for y in t.templates:
            apart = pattern_kernel.values([(x.substitute("AB"), y.substitute("UV"))])[0]
            blocks += apart**2
            for other in ("AV", "UA", "BV", "UB"):  # one wildcard of y holds a symbol of x
                total += (pattern_kernel.values([(x.substitute("AB"), y.substitute(other))])[0] - apart) ** 2
    measured = [GramRun("aba-abb", seed, n=400, alphabet=m).measure("cpu") for seed in range(6)]
    assert np.mean([r["collisions"] for r in measured]) == pytest.approx(4 / m, rel=0.1)
    mean_square = np.mean([r["deviation"] ** 2 for r in measured])
    assert np.sqrt(mean_square) == pytest.approx(np.sqrt(total / blocks / m), rel=0.15)


def test_a_width_run_measures_the_distance_between_all_inner_products_and_the_kernel():
    run = WidthRun("same-different", 5, width=12)
    strings, kernel = ["AA", "UU", "AB", "UA"], run.kernel()
    features = FiniteTransformer(kernel, 12, seed=5).features(strings).numpy()
    distances = [features[i] @ features[j] - kernel(x, y) for i, x in enumerate(strings) for j, y in enumerate(strings)]
    assert run.measure("cpu")["error"] == pytest.approx(np.sqrt(np.mean(np.square(distances))), rel=1e-9)


def test_wider_networks_are_nearer_to_the_kernel_by_the_root_of_their_width():
    narrow, wide = (np.mean([WidthRun("same-different", s, width=w).measure("cpu")["error"] for s in range(8)])
                    for w in (8, 128))
    assert 0.12 < wide / narrow < 0.45  # about 1/4


# ---- training the last layer -----------------------------------------------------------------------------------------


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
    logits = theory.first_logits(network, tokens)
    with torch.no_grad():
        attention = network.blocks[0](network.embed(tokens))[1]
    assert logits.shape == (7, 2, 4, 4) and torch.allclose(logits.softmax(-1), attention, atol=1e-6)
    assert torch.equal(theory.cls_logits(network, tokens), logits[:, :, 3])


def predictions_by_definition(run):
    """The network's and the kernel's predictions from the features' own ridge regression and from the dense solve."""
    train_set, test_set = run.samples()
    tokens = [*train_set.tokens.tolist(), *test_set.tokens.tolist()]
    network = FiniteTransformer(run.kernel(), run.width, d_head=run.width // 4, d_mlp=16 * run.width, seed=run.seed)
    features = network.features(tokens).numpy()
    fitted = features[:run.n]
    w = np.linalg.solve(fitted.T @ fitted + run.ridge * np.eye(fitted.shape[1]), fitted.T @ train_set.labels.numpy())
    return features @ w, dense_ridge(run.kernel(), train_set, tokens, run.ridge), test_set.labels.numpy()


def test_a_prediction_run_compares_two_ridge_regressions_on_the_same_strings():
    run = PredictionRun("aba-abb", 2, width=8, n=30, unseen=20, ridge=0.05)
    network, kernel, labels = predictions_by_definition(run)
    assert [*map(len, run.samples())] == [30, 20]
    assert not set(run.samples()[0].tokens.unique().tolist()) & set(run.samples()[1].tokens.unique().tolist())
    np.testing.assert_allclose(run.predictions()[0], network, atol=1e-8)
    np.testing.assert_allclose(run.predictions()[1], kernel, atol=1e-8)

    def rms(x):
        return np.sqrt(np.mean(x**2))

    assert run.measure("cpu") == pytest.approx({
        "difference": rms(network[30:] - kernel[30:]), "seen_difference": rms(network[:30] - kernel[:30]),
        "kernel_error": rms(kernel[30:] - labels), "network_error": rms(network[30:] - labels)}, abs=1e-8)


def test_wider_networks_predict_what_the_kernel_predicts():
    def mean(width):
        return {name: np.mean([run[name] for run in (
            PredictionRun("same-different", seed, width=width, n=40, unseen=40, ridge=1.0).measure("cpu")
            for seed in range(4))]) for name in ("difference", "seen_difference")}

    narrow, wide = mean(8), mean(96)
    for name, value in wide.items():
        assert 0.1 < value / narrow[name] < 0.55, name  # 12^(-1/2) = 0.29
