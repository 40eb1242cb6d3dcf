"""What the chapter "Does pretraining help?" computes."""

from types import SimpleNamespace

import pandas as pd

from abstract_symbols.analyses.pretraining import SCORES, comparisons, inside, published_alt
from companion.published import published


def test_comparisons_are_over_the_seeds_that_both_series_have():
    rows = pd.DataFrame([
        {"series": series, "n": n, "seed": seed, "test_loss": loss + seed}
        for series, loss in (("Pretrained", 0.25), ("From scratch", 0.5)) for n in (16, 64) for seed in range(3)
        if (series, n, seed) != ("Pretrained", 64, 2)])
    claim = SimpleNamespace(series=("Pretrained", "From scratch"), options={"at": [64]})
    table = comparisons(rows, [claim])
    assert list(table) == ["first", "second", "n", "mean of the first", "mean of the second", "seeds"]
    assert table.values.tolist() == [["Pretrained", "From scratch", 64, 0.75, 1.0, 2]]
    assert comparisons(rows, [SimpleNamespace(series=claim.series, options={"at": [16, 64]})])["n"].tolist() == [16, 64]


def heads(series, n, seed, wkwq, wvwo):
    """A run whose scores are one number per matrix, and 1 more after training."""
    scores = {f"{product}_{score}": z + score.endswith("after") for product, z in (("wkwq", wkwq), ("wvwo", wvwo))
              for score in SCORES}
    return {"series": series, "n": n, "seed": seed, **scores}


def test_what_is_inside_is_of_the_largest_n_and_of_common_seeds():
    rows = pd.DataFrame([
        heads("From scratch", 16, 0, 9.0, 9.0), heads("From scratch", 64, 0, 1.0, -0.06),
        heads("From scratch", 64, 1, 2.0, -0.02), heads("From scratch", 64, 2, 9.0, 9.0),
        heads("Pretrained", 32, 0, 3.0, -5.0), heads("Pretrained", 32, 1, 4.0, -4.0)])
    table = inside(rows)
    assert list(table) == ["network", "matrix", "n", *SCORES.values()]
    assert table.drop(columns="matrix").values.tolist() == [
        ["From scratch", 64, 1.5, 1.5, 2.5, 2.5], ["From scratch", 64, 0.0, 0.0, 1.0, 1.0],
        ["Pretrained", 32, 3.5, 3.5, 4.5, 4.5], ["Pretrained", 32, -4.5, -4.5, -3.5, -3.5]]
    assert f"{table['z before'][1]:+.1f}" == "+0.0"
    assert table["matrix"].tolist() == ["W_K W_Qᵀ", "W_V W_Oᵀ"] * 2


def test_the_papers_sizes_have_first_and_last_value():
    curve = published("pretraining-gpt2", "GPT-2 large")
    assert f"GPT-2 large, {curve['y'].iloc[0]:.2f} at n = 8" in published_alt()
    assert published_alt().endswith(f"{curve['y'].iloc[-1]:.2f} at 128.")
