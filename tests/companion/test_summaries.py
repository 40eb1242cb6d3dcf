"""Tables of numbers made from an experiment's rows."""

import numpy as np
import pandas as pd
import pytest

from companion.published import published, published_n50
from companion.summaries import (
    best_by_series,
    common_means,
    distances,
    n50_beside_published,
    n50_of_each,
    n50_table,
    paired_ratios,
    summary,
)

NAME = "same-different"


def test_a_summary_has_mean_standard_error_and_seeds_of_every_point_in_the_legends_order():
    rows = pd.DataFrame([{"series": s, "n": n, "seed": seed, "test_loss": base + seed}
                         for s, base in (("Transformer", 3.0), ("Fully-connected", 0.0)) for n in (8, 4)
                         for seed in range(3 if n == 8 else 1)])
    table = summary(NAME, rows)
    assert list(table) == ["series", "n", "mean", "se", "seeds"]
    assert table[["series", "n", "mean", "seeds"]].values.tolist() == [
        ["Fully-connected", 4, 0.0, 1], ["Fully-connected", 8, 1.0, 3], ["Transformer", 4, 3.0, 1],
        ["Transformer", 8, 4.0, 3]]
    assert table["se"].tolist() == pytest.approx([np.nan, 3**-0.5, np.nan, 3**-0.5], nan_ok=True)


def test_the_table_of_n50_has_the_series_with_rows_and_leaves_out_an_n_that_lacks_a_seed():
    rows = pd.DataFrame([
        {"series": series, "n": n, "seed": seed, "test_error": {16: 1.0, 32: 0.75, 64: 0.25, 128: 0.0}[n]}
        for series in ("+ b", "Plain") for n in (16, 32, 64, 128) for seed in range(3)
        if (series, n, seed) != ("+ b", 64, 1)])
    table = n50_table("copy-repairs", rows, "test_error").set_index("series")
    assert list(table.index) == ["Plain", "+ b"]
    assert table.loc["Plain"].tolist() == pytest.approx([2**5.5] * 4 + [16, 128])
    crossing = 32 * 4**(1 / 3)  # from 0.75 at 32 to 0 at 128
    assert table.loc["+ b"].tolist() == pytest.approx([crossing] * 4 + [16, 128])
    short = n50_table("copy-repairs", rows[(rows["n"] <= 64) & (rows["series"] == "+ b")], "test_error")
    assert short[["n50", "first", "last"]].values.tolist() == [[np.inf, 16, 32]]
    assert np.isfinite(n50_table("copy-repairs", rows[:0], "test_error")["n50"]).empty


def rates(losses):
    """Rows of an experiment over learning rates: losses {series: {lr: mean}}, two seeds around each mean."""
    return pd.DataFrame([{"series": s, "lr": lr, "seed": seed, "test_loss": mean + 0.1 * (2 * seed - 1)}
                         for s, means in losses.items() for lr, mean in means.items() for seed in range(2)])


def test_the_best_point_of_each_series_is_where_its_mean_is_least():
    table = best_by_series("lr-depth-1024", rates({
        "depth = 2": {1e-4: 0.9, 1e-3: 0.3, 1e-2: 0.5}, "depth = 1": {1e-4: 0.2, 1e-3: np.nan, 1e-2: 0.4}}))
    assert list(table) == ["series", "lr", "mean", "se", "seeds"]
    assert table[["series", "lr", "seeds"]].values.tolist() == [["depth = 1", 1e-4, 2], ["depth = 2", 1e-3, 2]]
    assert table["mean"].tolist() == pytest.approx([0.2, 0.3]) and table["se"].tolist() == pytest.approx([0.1, 0.1])


def test_distances_are_to_the_papers_curve_wherever_both_have_a_point():
    paper = published(NAME, "Transformer").set_index("x")["y"]
    seen = sorted(paper.index)[:3]
    rows = pd.DataFrame([{"series": "Transformer", "n": n, "seed": seed,
                          "test_loss": paper.get(n, 0.0) + 0.25 + 0.1 * (2 * seed - 1)}
                         for n in [*seen, 3] for seed in range(2)])
    table = distances(NAME, rows)
    assert list(table) == ["series", "x", "ours", "paper", "off"]
    assert table["series"].unique().tolist() == ["Transformer"] and table["x"].tolist() == seen
    assert table["paper"].tolist() == paper[seen].tolist()
    assert table["off"].tolist() == pytest.approx([0.25] * 3)
    assert table["ours"].tolist() == pytest.approx([paper[n] + 0.25 for n in seen])


def test_without_rows_the_tables_are_empty():
    empty = pd.DataFrame(columns=["series", "n", "seed", "test_loss"]).astype({"n": int, "test_loss": float})
    assert distances(NAME, empty).empty and list(distances(NAME, empty)) == ["series", "x", "ours", "paper", "off"]
    assert best_by_series(NAME, empty).empty and n50_table(NAME, empty).empty


def test_each_group_has_the_crossing_of_its_mean_curve_and_its_last_loss():
    rows = pd.DataFrame([
        *({"task": "easy", "seed": 0, "n": n, "test_loss": loss} for n, loss in ((64, 0.0), (16, 1.0))),
        *({"task": "easy", "seed": 1, "n": n, "test_loss": loss} for n, loss in ((16, 0.25), (64, 0.75))),
        *({"task": "hard", "seed": 0, "n": n, "test_loss": 0.75} for n in (16, 64, 256))])
    single = n50_of_each(rows, ["task", "seed"])
    assert list(single) == ["task", "seed", "n50", "first", "last", "loss"]
    assert single["n50"].tolist() == pytest.approx([32, np.inf, np.inf])
    assert single[["first", "last", "loss"]].values.tolist() == [[16, 64, 0.0], [16, 64, 0.75], [16, 256, 0.75]]
    means = n50_of_each(rows, ["task"]).set_index("task")  # 0.625 and 0.375: half of the way in log n
    assert means.loc["easy"].tolist() == pytest.approx([32, 16, 64, 0.375])
    assert n50_of_each(rows[:0], ["task"]).empty


def test_our_n50_stands_beside_the_papers_for_every_series_that_the_paper_has():
    rows = pd.DataFrame([{"series": "batch 32", "n": n, "seed": seed, "test_loss": loss}
                         for n, loss in ((16, 1.0), (64, 0.0)) for seed in range(2)])
    table = n50_beside_published("batch-n", rows).set_index("series")
    assert table["paper"].to_dict() == {s: published_n50("batch-n", s) for s in table.index}
    assert len(table) == 8
    assert table.loc["batch 32", "n50"] == pytest.approx(32)
    assert table.loc["batch 32", "ratio"] == pytest.approx(32 / published_n50("batch-n", "batch 32"))
    assert table.drop(index="batch 32")["n50"].isna().all()
    assert n50_beside_published("lr-batch", rows).empty  # the paper has no such figure


def losses(by_series):
    """Rows of one n: series → a loss for each seed, None where the seed is missing."""
    return pd.DataFrame([{"series": series, "n": 16, "seed": seed, "test_loss": loss}
                         for series, values in by_series.items() for seed, loss in enumerate(values)
                         if loss is not None])


def test_ratios_are_of_one_seed_and_their_mean_is_geometric():
    rows = losses({"Fully-connected": [10.0, 100.0, 2.0], "Transformer": [5.0, 200.0, 2.0]})
    table = paired_ratios(NAME, rows, "Fully-connected", "test_loss")
    assert list(table) == ["series", "ratio", "low", "high", "p"]
    assert table["series"].tolist() == ["Transformer"]  # the modified one has no rows
    assert table.loc[0, "ratio"] == pytest.approx(1)  # 1/2, 2 and 1
    reach = 4.302652729911275 * np.log(2) / 3**0.5  # Student's t of two degrees of freedom
    assert table.loc[0, ["low", "high"]].tolist() == pytest.approx([np.exp(-reach), np.exp(reach)])
    assert table.loc[0, "p"] == pytest.approx(0.5)


def test_means_are_over_the_seeds_that_all_series_have():
    rows = losses({"Fully-connected": [1.0, 2.0, 9.0], "Transformer": [0.5, 1.5, None], "Modified transformer": [0.0]})
    table = common_means(NAME, rows, ["Transformer", "Fully-connected"])
    assert list(table) == ["n", "Transformer", "Fully-connected", "seeds"]
    assert table.values.tolist() == [[16, 1.0, 1.5, 2]]
    assert common_means(NAME, rows, ["Transformer", "elsewhere"]).empty
