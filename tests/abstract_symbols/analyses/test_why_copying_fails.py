"""Progress ratios at initialisation, beside the predicted ones."""

import pandas as pd
import pytest

from abstract_symbols.analyses import why_copying_fails as analysis


def test_the_rise_of_own_logits_is_one_for_seen_symbols_and_fades_for_unseen_ones():
    table = analysis.own_logits((16, 256), n=4)
    assert table.groupby(["d_emb", "symbol"], sort=False).size().tolist() == [4, 256, 4, 256]
    means = table.groupby(["symbol", "d_emb"])["rise"].mean()
    assert means["seen symbols"].tolist() == pytest.approx([1, 1], abs=0.35)
    assert means["unseen symbols", 256] == pytest.approx(4 / 261, abs=0.01)
    assert means["unseen symbols", 16] > 4 * means["unseen symbols", 256]
    assert f"unseen symbols: mean {means['unseen symbols', 16]:.2f} at d_emb = 16" in analysis.own_logits_alt(table)


def test_the_share_in_the_span_is_n_of_d_directions():
    assert analysis.mean_span_share(64, 16) == pytest.approx(16 / 64, abs=0.02)


def test_the_prediction_without_positions_is_n_over_d_plus_n_plus_one():
    at, ratios = analysis.predicted(["n = 16"], [64])["n = 16"]
    assert at == [64]
    assert ratios[0] == pytest.approx(16 / (64 + 16 + 1), rel=0.01)  # γ is 0.01
    assert analysis.predicted(["n = 16, γ = 1"], [4096])["n = 16, γ = 1"][1][0] < 0


def test_medians_have_no_negative_zero_and_all_parameters():
    rows = pd.DataFrame({"d_emb": [16, 16, 16, 64], **{name: [0.5, -0.0001, -0.0002, 2.0] for name in analysis.NAMES}})
    table = analysis.median_ratios(rows, [16])
    assert table["parameter"].tolist() == list(analysis.NAMES.values())
    assert set(table[16]) == {"0.000"}


def test_scatter_and_fit_worked_out_by_hand():
    rows = pd.DataFrame({"d_emb": [16] * 5 + [64] * 5, "a": [0, 1, 2, 3, 4, 0, 0, 0, 0, 10.0],
                         "w_v_over_law": [1.5] * 5 + [0.9] * 5})
    assert analysis.scatter(rows, "a") == analysis.Scatter(least=0.0, largest=2.0, widest=2.0)
    assert analysis.worst_fit(rows) == analysis.Fit(16, 1.5, 0.0, 0.9, 0.9)


def test_even_attention_is_what_the_prediction_assumes():
    even = analysis.even_attention(64, 16, range(3))
    _, (ratio,) = analysis.predicted(["n = 16, γ = 1"], [64])["n = 16, γ = 1"]
    assert even.mean() == pytest.approx(ratio, abs=4 * even.sem() + 0.01)
