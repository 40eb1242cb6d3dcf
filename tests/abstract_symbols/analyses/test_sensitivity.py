"""Analyses of the chapter "How sensitive is it?", on small tables whose numbers are worked out by hand."""

import numpy as np
import pandas as pd
import pytest

from abstract_symbols.analyses import sensitivity
from companion.experiments import experiment
from companion.published import published, published_n50


def runs(**columns):
    """Rows of runs that fit their training strings on a CPU, unless told otherwise."""
    table = pd.DataFrame(columns)
    defaults = {"seed": 0, "train_loss": 0.001, "stop": 0.002, "epochs_run": 10, "device": "cpu", "n": 16,
                "seconds": 1.0}
    return table.assign(**{name: value for name, value in defaults.items() if name not in table})


def test_traces_are_drawn_and_told_by_their_ends():
    history = np.array([[1, 0.9, 0, 0], [2, 0.05, 0, 0]])
    figure, alt = sensitivity.traces_picture({1e-3: history, 1e-2: history[:1]})
    assert alt.endswith("for 2 learning rates. 0.001: 0.05 after 2 epochs. 0.01: 0.9 after 1 epochs.")
    first, second, stop = figure.axes[0].lines
    assert (first.get_ydata().tolist(), second.get_ydata().tolist()) == ([0.9, 0.05], [0.9])
    assert set(stop.get_ydata()) == {0.002}


class TestTrainingLosses:
    """n-lr at n = 16 with the rates 0.0003 and 0.001: the paper's least training losses are 0.0032 and 0.0008."""

    rows = runs(series="n = 16", lr=[3e-4, 3e-4, 1e-3, 1e-3], seed=[0, 1, 0, 1], epochs_run=[40, 1000, 30, 10],
                train_loss=[0.001, 0.009, 0.001, 0.0014])

    def test_the_papers_stand_beside_our_means(self):
        table = sensitivity.training_losses(self.rows).set_index(["whose", "n", "lr"])["loss"]
        assert table["ours"].to_dict() == pytest.approx({(16, 3e-4): 0.005, (16, 1e-3): 0.0012})
        assert table["the paper", 16, 3e-4] == 0.0032 and table["the paper", 2048, 3e-5] == 0.0327

    def test_what_differs_is_counted_where_both_have_a_loss(self):
        told = sensitivity.training_numbers(self.rows)
        assert (told.settings, told.paper_above, told.ours_above, told.within) == (2, 1, 1, 2)
        assert (told.paper_least, told.paper_most) == (0.0008, 0.0032)
        assert (told.ours_least, told.ours_most) == pytest.approx((0.0012, 0.005))
        assert (told.runs, told.fitted, told.fewest, told.most) == (2, 1, 40, 40)

    def test_the_picture_has_both_beside_the_stop(self):
        figure, alt = sensitivity.training_losses_picture(sensitivity.training_losses(self.rows))
        paper, ours = figure.axes
        assert [len(ax.lines) for ax in (paper, ours)] == [len(sensitivity.TRAIN_N) + 1, 2]
        assert set(ours.lines[-1].get_ydata()) == {0.002}
        assert alt.endswith("ours: 0.001 to 0.005.")


class TestGrids:
    @pytest.fixture
    def grids(self):
        rows = runs(series=["lr = 0.001", "lr = 0.001", "lr = 0.01"], n=[16, 16, 32], seed=[0, 1, 0],
                    test_loss=[0.2, 0.4, 0.9])
        return sensitivity.loss_grids("lr-n", rows)

    def test_our_means_stand_in_their_cells_large_rates_above(self, grids):
        ours = grids["ours"]
        assert list(ours.index) == ["0.1", "0.03", "0.01", "0.003", "0.001", "0.0003", "0.0001", "3e-05"]
        assert ours.loc["0.001", 16] == pytest.approx(0.3)
        assert ours.loc["0.01", 32] == 0.9
        assert ours.notna().sum().sum() == 2

    def test_the_papers_are_its_curves(self, grids):
        curve = published("lr-n", "lr = 0.003").set_index("x")["y"]
        assert grids["the paper"].loc["0.003"].tolist() == curve.tolist()

    def test_the_picture_has_two_maps_and_its_words_count_cells(self, grids):
        figure, alt = sensitivity.grids_picture(grids)
        assert "ours: loss below one half in 1 of 2 cells measured." in alt
        assert [ax.get_title() for ax in figure.axes[:2]] == ["the paper", "ours"]

    def test_a_plateau_goes_from_the_least_to_the_greatest_rate_below_one_half(self):
        grid = pd.DataFrame({16: [0.9, 0.8, 0.7], 32: [0.9, 0.4, 0.7], 64: [0.9, 0.4, 0.3], 128: [0.1, np.nan, 0.1]},
                            index=["0.01", "0.001", "3e-05"])
        table = sensitivity.plateaus({"ours": grid})
        assert table["n"].tolist() == [16, 32, 64, 128]
        assert table["ours"].tolist()[:3] == ["none", "0.001", "3e-05 to 0.001"]
        assert table["ours"].isna().tolist() == [False, False, False, True]  # a rate is not measured

    def test_rates_are_ordered_as_numbers(self):
        assert sensitivity.span(["0.001", "3e-05", "0.0001"]) == "3e-05 to 0.001"

    def test_the_papers_plateaus_of_a_figure(self):
        found = sensitivity.papers_plateaus("lr-dimension-1024")
        curve = published("lr-dimension-1024", "d = 512")
        low = [f"{x:g}" for x, y in zip(curve["x"], curve["y"], strict=True) if y < 0.5]
        assert found["d = 512"] == f"{low[0]} to {low[-1]}"
        assert list(found) == ["d = 32", "d = 128", "d = 512"]


class TestBestRates:
    @pytest.fixture
    def rows(self):
        """All three seeds of six rates, the loss least at 0.001."""
        rates = [3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2]
        losses = [0.9, 0.8, 0.5, 0.3, 0.6, 1.0]
        return runs(series="batch 8", lr=np.repeat(rates, 3), seed=[0, 1, 2] * 6,
                    test_loss=np.repeat(losses, 3) + np.tile([-0.1, 0, 0.1], 6))

    def test_the_least_mean_where_all_runs_are_done(self, rows):
        table = sensitivity.best_rates("lr-batch", rows).set_index("series")
        assert table.loc["batch 8"].to_dict() == pytest.approx({"ours": 1e-3, "our loss": 0.3})
        assert table.loc["batch 32"].isna().all()

    def test_none_where_a_run_is_missing(self, rows):
        assert sensitivity.best_rates("lr-batch", rows[1:])["ours"].isna().all()

    def test_the_papers_beside_it(self, rows):
        table = sensitivity.best_rates("lr-depth-1024", rows.assign(series="depth = 2")).set_index("series")
        curve = published("lr-depth-1024", "depth = 8")
        assert table.loc["depth = 8", "paper loss"] == min(curve["y"])
        assert curve.set_index("x")["y"][table.loc["depth = 8", "paper"]] == min(curve["y"])
        assert table.loc["depth = 2", "ours"] == 1e-3


def test_a_run_ends_unfitted_above_one_half_or_below_it():
    rows = runs(series=["lr = 0.1"] * 3 + ["lr = 0.001"] * 2, train_loss=[0.5, 0.5, 0.001, 0.001, 0.001],
                test_loss=[0.9, 0.1, 0.5, 0.49, 0.2], epochs_run=[1000, 1000, 40, 10, 20])
    table = sensitivity.outcomes("lr-n", rows)
    assert table.to_dict("list") == {
        "series": ["lr = 0.001", "lr = 0.1"], "runs": [2, 3], "unfitted": [0, 2], "above": [0, 1], "below": [2, 0],
        "epochs": [15, 1000]}


def test_seconds_of_runs_on_a_core_each_counted_once():
    rows = runs(key=list("aabcde"), seconds=[10.0, 10, 20, 60, 100, 1], train_loss=[0, 0, 0, 0, 1, 0],
                device=["cpu"] * 5 + ["NVIDIA"])
    assert sensitivity.seconds_per_run(rows) == sensitivity.Seconds(fitted=20, unfitted=100)


def test_half_points_by_batch():
    sizes = ["batch 8", "batch 128", "batch 1024"]
    rows = runs(series=np.repeat(sizes, 2), n=[16, 64] * 3, test_loss=[1.0, 0, 0.75, 0.25, 1, 0.25])
    last = 16 * 4 ** (2 / 3)  # the curve has fallen by two thirds of 0.75, on a logarithmic axis
    told = sensitivity.batches(rows)
    assert (told.batch_8, told.batch_1024) == pytest.approx((32, last))
    paper = {size: published_n50("batch-n", size) for size in experiment("batch-n").series}
    assert told.paper_full == paper["batch 1024"]
    del paper["batch 1024"]
    assert (told.paper_least, told.paper_most) == (min(paper.values()), max(paper.values()))
    ratios = [32 / paper["batch 8"], 32 / paper["batch 128"], last / told.paper_full]
    assert (told.ratio_least, told.ratio_most) == pytest.approx((min(ratios), max(ratios)))


def test_the_default_setting_is_in_four_figures_of_the_paper():
    table = sensitivity.default_losses()
    assert len(table) == len(set(table["figure"])) == 4
    curve = published("lr-heads-1024", "heads = 16").set_index("x")["y"]
    assert table["loss"][2] == curve[0.001]
