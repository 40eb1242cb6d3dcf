"""Runs that look at a trained network's outputs on unseen strings: their distribution, and its answers."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from torch import nn

from abstract_symbols import TemplateTask
from abstract_symbols.ensembles import train
from abstract_symbols.runs.distributions import AnswerRun, OutputDistributionRun, distinct_strings
from abstract_symbols.runs.training import Run
from abstract_symbols.tasks import TASKS, task

REAL = [name for name in TASKS if not task(name).symbolic]


# ---- strings that share no symbol -----------------------------------------------------------------------------------


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


# ---- the distribution of the outputs --------------------------------------------------------------------------------


class Equality(nn.Module):
    """A network that computes whether the first two symbols are equal, plus some noise; it keeps its input."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))
        self.asked = []

    def forward(self, tokens):
        self.asked.append(tokens)
        return self.weight * ((tokens[:, 0] == tokens[:, 1]) + 0.1 * torch.sin(tokens[:, 0] * 1.0))


def output_run(seed=0, evaluation=200, **options):
    return OutputDistributionRun(**{"task": "same-different", "network": "mlp", "n": 8, "seed": seed,
                                    "evaluation": evaluation, "width": 16, **options})


def p_values(seeds, **options):
    """p-values of networks as they are drawn, before any training."""
    runs = [output_run(seed, **options) for seed in range(seeds)]
    return np.array([run.measure_network(run.member())["p_value"] for run in runs])


def test_p_values_of_untrained_networks_on_one_hot_vectors_are_uniform():
    p = p_values(100)
    assert stats.kstest(p, "uniform").pvalue > 0.01
    assert 0.2 < (p < 0.5).mean() < 0.8 and (p < 0.01).sum() <= 5


def test_p_values_of_trained_networks_on_one_hot_vectors_are_uniform():
    runs = [output_run(seed, evaluation=100, epochs=15, stop=0, lr=0.01) for seed in range(40)]
    metrics = OutputDistributionRun.perform(runs, "cpu")
    assert max(m["train_loss"] for m in metrics) < 0.5, "they have learned"
    assert stats.kstest([m["p_value"] for m in metrics], "uniform").pvalue > 0.01


def test_networks_that_are_given_the_equality_matrix_are_rejected_untrained():
    assert stats.combine_pvalues(p_values(20, gram=True)).pvalue < 1e-6


@pytest.mark.parametrize("name", ["same-different", "program"])
@pytest.mark.parametrize("evaluation", [40, 41])
def test_outputs_are_asked_on_unseen_strings_of_which_no_two_share_a_symbol(name, evaluation):
    run = output_run(task=name, evaluation=evaluation)
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
    run = output_run()
    member = run.member()
    member.network = Equality()
    measured = run.measure_network(member)
    assert measured["p_value"] < 1e-10 and measured["statistic"] == 1
    assert measured["spread"] == pytest.approx(np.concatenate(run.outputs(member)).std())


def test_the_distribution_is_measured_on_the_weights_at_the_end_of_training():
    run = output_run(epochs=20, stop=0)
    (metrics,) = OutputDistributionRun.perform([run], "cpu")
    member = run.member()
    start = run.measure_network(member)
    train([member], epochs=20, stop=0)
    assert {name: metrics[name] for name in start} == run.measure_network(member) != start


# ---- answers -----------------------------------------------------------------------------------------------------


class Fixed(nn.Module):
    """A network that answers what it is told, string after string."""

    def __init__(self, answers, vocab):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))
        self.answers, self.vocab = answers, vocab

    def forward(self, tokens):
        given, self.answers = self.answers[:len(tokens)], self.answers[len(tokens):]
        return self.weight * nn.functional.one_hot(given, self.vocab).float()


def test_answers_are_right_another_wildcards_symbol_or_neither():
    run = AnswerRun("program-symbolic", "transformer", n=8, seed=0, evaluation=300, d_emb=8, heads=2, d_head=4, d_mlp=8)
    member = run.member()
    sample, symbols = member.test, len(member.test.task.regular)
    answers = sample.labels.clone()
    others = [next(t for t in row if t >= symbols and t != label) for row, label in
              zip(sample.tokens.tolist(), sample.labels.tolist(), strict=True)]
    answers[:60] = torch.tensor(others[:60])
    answers[60:75] = 0  # a regular token, which stands in the string
    answers[75:90] = torch.tensor([next(s for s in sample.alphabet if s not in row) for row in
                                   sample.tokens[75:90].tolist()])
    member.network = Fixed(answers, sample.alphabet.stop)
    assert run.measure_network(member) == {"other": pytest.approx(0.2), "neither": pytest.approx(0.1)}


def test_an_answer_run_is_its_run_with_shares_of_wrong_answers():
    options = {"n": 8, "seed": 1, "evaluation": 40, "epochs": 2, "d_emb": 8, "heads": 2, "d_head": 4, "d_mlp": 8}
    (plain,), (asked,) = (kind.perform([kind("program-symbolic", "transformer", **options)], "cpu")
                          for kind in (Run, AnswerRun))
    assert {name: asked[name] for name in plain} == plain and set(asked) == set(AnswerRun.METRICS)
    assert 0 < asked["other"] + asked["neither"] <= 1
