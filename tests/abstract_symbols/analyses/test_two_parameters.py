"""What the chapter "Two parameters per head" computes from attention logits."""

import pandas as pd
import pytest
import torch

from abstract_symbols import TemplateTask
from abstract_symbols.analyses.two_parameters import (
    by_position,
    entry,
    inside,
    inside_numbers,
    inside_picture,
    mean_logits,
    products_picture,
    unfit,
)
from abstract_symbols.runs.training import member

TASK = TemplateTask({"αβα": +1, "αββ": -1})
SMALL = {"evaluation": 200, "depth": 1, "heads": 2, "d_emb": 64, "d_head": 4, "d_mlp": 8}


def test_positions_have_their_names_and_no_negative_zero():
    table = by_position(torch.tensor([[1.0, -0.004], [0.25, 2.0]]), "α", 2)
    assert list(table.index) == list(table.columns) == ["α", "[CLS]"]
    assert str(table.loc["α", "[CLS]"]) == "0.0"
    assert table.loc["[CLS]", "α"] == 0.25


def test_entry_is_the_mean_of_both_triangles():
    assert entry(torch.tensor([[0.0, 1.0], [3.0, 0.0]]), 0, 1) == 2.0


def test_a_alone_puts_the_equality_matrix_into_the_logits():
    plain, with_a = (member(TASK, 8, **SMALL, **options) for options in ({}, {"a": True}))
    with torch.no_grad():
        attention = with_a.network.blocks[0].attention
        attention.W_Q.weight.zero_()  # all that is left is c_KQ a x_i · x_j
        attention.a.copy_(torch.tensor([0.01, -0.01]))
    before = mean_logits(plain)
    after = {"plain": before, "+ a": mean_logits(with_a)}
    first = after["+ a"][0]  # (heads, k + 1, k + 1)
    assert first.shape == (2, 4, 4)
    torch.testing.assert_close(first[0], -first[1])
    assert entry(first[0], 0, 2) > entry(first[0], 1, 2)  # αβα: positions 1 and 3 are equal
    found = inside(with_a, before, after)
    assert (found.heads_positive, found.heads_negative) == (1, 1)
    assert found.apart == found.start == pytest.approx(float((before[0] - before[1]).abs().max()))
    assert found.size == pytest.approx(attention.c_kq * 0.01)
    assert found.gain == pytest.approx(found.size * 64 / 2)
    assert found.positive["αβα"][0] == pytest.approx(-found.negative["αβα"][0], rel=1e-5)
    assert len(found.maps) == 6
    figure, words = inside_picture(found)
    assert f"positions 1 and 3 have {found.positive['αβα'][0]:.0f}" in words
    assert [ax.get_title() for ax in figure.axes[:6]] == list(found.maps)
    numbers = inside_numbers(found)
    assert numbers["positive-αβα-13"] == f"{found.positive['αβα'][0]:.0f}"
    assert numbers["negative-αββ-23"] == f"{found.negative['αββ'][1]:.0f}"
    assert (numbers["positive_heads"], numbers["gain"]) == ("1", f"{found.gain:.0f}")


def test_the_maps_name_the_equal_positions():
    figure, words = products_picture({"αβα": torch.eye(4).flip(0)}, "products", digits=1, limits=(0, 1), suffix=", now")
    assert words.startswith("Two heat maps of products. αβα: positions 1 and 3 0.0, positions 2 and 3 1.0")
    assert figure.axes[0].get_title() == "αβα, now"


def test_runs_that_stop_above_the_stop_loss_do_not_fit():
    assert unfit(pd.DataFrame({"train_loss": [0.001, 0.002, 0.5], "stop": 0.002})) == {"runs": 3, "unfit": 2}
