"""What the chapter "Same or different?" computes."""

import pandas as pd
import pytest
import torch

from abstract_symbols import TemplateTask
from abstract_symbols.analyses.same_different import answers, answers_alt, longer_training
from abstract_symbols.runs.training import member


def rows(loss, stop, epochs):
    return pd.DataFrame({"series": "Transformer", "n": [16, 16, 64], "seed": [0, 1, 0], "test_loss": loss,
                         "stop": stop, "epochs_run": epochs})


def test_longer_training_pairs_runs_of_one_seed():
    found = longer_training(rows([1.0, 0.5, 0.25], 2e-3, 10), rows([1.25, 0.5, 0.5], 1e-4, 30))
    assert found.largest == pytest.approx(0.25)  # at n = 64; at n = 16 it is 0.125
    assert found.table["difference"].tolist() == ["+0.125 ± 0.125", "+0.250 ± nan"]
    assert found.table["stop at 0.0001"].tolist() == ["0.875", "0.500"]
    assert found.table["epochs"].tolist() == ["10 → 30"] * 2


def test_longer_training_refuses_runs_that_have_no_pair():
    with pytest.raises(ValueError, match="no run of one series"):
        longer_training(rows([1.0, 1.0, 1.0], 2e-3, 1), rows([1.0] * 3, 1e-4, 1).assign(seed=7))


def test_answers_are_those_of_the_network_to_its_test_strings():
    mine = member(TemplateTask({"αα": +1, "αβ": -1}), 4, evaluation=10, depth=1, heads=2, d_emb=8, d_head=4, d_mlp=8)
    table = answers(mine)
    with torch.no_grad():
        assert table["answer"].tolist() == pytest.approx(mine.network(mine.test.tokens).tolist())
    pairs = zip(mine.test.tokens.tolist(), table["template"], strict=True)
    assert all((a == b) == (template == "αα") for (a, b), template in pairs)
    assert answers_alt(pd.DataFrame({"template": ["αα", "αβ", "αα"], "answer": [1.0, -1.0, 0.5]})) == (
        "Mean answers to unseen strings: αα 0.75, αβ -1.00.")
