"""What the chapter on fully-connected networks computes."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from abstract_symbols import TemplateTask
from abstract_symbols.analyses import mlps_cannot as analysis
from abstract_symbols.runs.training import member


class FirstMinusSecond(nn.Module):
    """Answers the first symbol's id minus twice the second's."""

    def forward(self, tokens):
        return (tokens[:, 0] - 2 * tokens[:, 1]).float()


def test_answers_and_losses_of_a_known_network():
    table = analysis.answers_to_pairs({"network": FirstMinusSecond()}, 3, 5)
    assert table["string"].tolist() == ["UU (αα)", "UV (αβ)", "VU (αβ)", "VV (αα)"]
    assert table["network"].tolist() == [-3, -7, -1, -5]
    # UU: (−3 − 1)², UV: (−7 + 1)²
    assert analysis.twin_losses({"network": FirstMinusSecond()}, 3, 5) == {"network": (16 + 36) / 2}


def test_the_picture_of_the_first_layer_counts_what_moved():
    moved = torch.tensor([[0.5, 0.0, 0.0], [0.25, 1.0, 0.0]])
    words = analysis.first_layer_alt(moved, 2)
    assert "moved 3 of 4 columns left of the line, and none right of it" in words
    assert "and 1 right of it" in analysis.first_layer_alt(moved, 1)


def test_rejections_are_counted_by_network_and_n():
    rows = pd.DataFrame({"series": "MLP", "n": [64, 64, 1024], "p_value": [0.001, 0.5, 0.2],
                         "statistic": [0.5, 0.1, 0.2], "spread": [1.0, 2.0, 3.0], "test_loss": [1.0, 0.5, 0.75]})
    table = analysis.rejections(rows)
    assert table["p < 0.01"].tolist() == [1, 0]
    assert table["runs"].tolist() == [2, 1]
    assert table["test loss, smallest"].tolist() == [0.5, 0.75]
    assert table["median p"].tolist() == pytest.approx([0.2505, 0.2])
    assert "MLP at n = 64: 1 of 2; MLP at n = 1024: 0 of 1" in analysis.rejections_alt(table)


def test_distributions_alternative_has_means_and_distances():
    words = analysis.distributions_alt({"MLP": {"αα": np.array([0.0, 1.0]), "αβ": np.array([0.25])}}, {"MLP": 0.5})
    assert "MLP: largest distance 0.50; means 0.50 for αα and 0.25 for αβ." in words


def test_repaired_curves_are_at_the_papers_n_alone():
    rows = pd.DataFrame({"series": "Fully-connected + XXᵀ", "n": [4, 4, 5, 32], "seed": [0, 1, 0, 0],
                         "test_loss": [0.25, 0.75, 9.0, 0.125], "final_test_loss": [1.0, 2.0, 9.0, 0.5]})
    table = analysis.repaired_curves(rows)
    assert table["n"].tolist() == [4, 32]  # the paper has no n = 5
    assert table["ours, best validation"].tolist() == [0.5, 0.125]
    assert table["ours, last epoch"].tolist() == [1.5, 0.5]


def test_training_means_are_by_template():
    mine = member(TemplateTask({"αα": +1, "αβ": -1}), 8, network="mlp", evaluation=4, width=4, depth=2)
    mine.network = FirstMinusSecond()
    strings = mine.train.tokens
    expected = [float((strings[:, 0] - 2 * strings[:, 1])[mine.train.templates == i].float().mean()) for i in (0, 1)]
    assert analysis.training_means(mine) == pytest.approx(expected)
