"""Analyses of the chapter "Random tasks", on small tables whose numbers are worked out by hand."""

import numpy as np
import pandas as pd
import pytest

from abstract_symbols import TemplateTask
from abstract_symbols.analyses import diverse_data
from abstract_symbols.tasks import task
from companion.figures import PAPERS
from companion.figures.points import curves
from companion.published import published_n50

FRESH = "random-r2-k6-w5-R0"


def strings(*rows):
    """Rows of `StringsRun`: task, seed, strings, and an eigenvalue of 1 / strings."""
    table = pd.DataFrame(rows, columns=["task", "seed", "strings"])
    return table.assign(eigenvalue=1 / table["strings"], series=table["task"])


def curve(series, name, seed, losses, a=np.nan):
    """Rows of runs of one task and seed, n → test loss."""
    return pd.DataFrame({"series": series, "task": name, "seed": seed, "n": losses.keys(),
                         "test_loss": losses.values(), "a": a})


class TestWhatATaskLooksLike:
    def test_every_wildcard_gets_symbols_of_its_own_and_tokens_stay(self):
        rows = diverse_data.example_strings(TemplateTask({"Aαβ": 1, "ααA": -1}))
        assert rows == [("Aαβ  +1", ["ABC", "ADE"], ["ANO"]), ("ααA  −1", ["FFA", "GGA"], ["PPA"])]

    def test_the_picture_has_a_tile_per_symbol_and_its_text_alternative_names_every_string(self):
        figure, alt = diverse_data.example_picture(TemplateTask({"Aαβ": 1, "ααA": -1}))
        assert len(figure.axes[0].patches) == 2 * 3 * 3
        assert "strings of 2 random templates" in alt
        assert "ααA  −1: FFA, GGA in training, PPA in the test." in alt


def test_every_column_that_has_a_format_gets_it():
    table = pd.DataFrame(columns=["seed", "predicted", "n = 8", "n"])
    assert diverse_data.formats(table) == {"predicted": ",.0f", "n": ",.0f", "n = 8": ".2f"}


class TestSeries:
    predicted = strings(("random-r2-k5-w2-R0", 0, 64.0), ("random-r2-k5-w2-R0", 1, 16.0),
                        ("random-r2-k5-w2-R0", 2, 80.0), ("random-r2-k5-w3-R0", 0, 10.0))

    def test_predictions_are_medians_and_ends_over_the_tasks_of_a_series(self):
        table = diverse_data.predictions(self.predicted, "random-wildcards").set_index("series")
        assert list(table.index) == ["w = 2", "w = 3", "w = 4", "w = 5"]
        assert table.loc["w = 2"].to_dict() == {"eigenvalue": 1 / 64, "predicted": 64.0, "least": 16.0, "most": 80.0}
        assert table.loc["w = 3", "predicted"] == 10.0
        assert table.loc["w = 4"].isna().all()

    def test_trained_networks_stand_beside_their_prediction(self):
        rows = pd.concat([curve("w = 2", "", seed, {16: 1.0, 64: 0.0}) for seed in (0, 1)]
                         + [curve("w = 3", "", 0, {16: 1.0, 64: 0.9})])
        table = diverse_data.predicted_and_trained("random-wildcards", self.predicted, rows).set_index("series")
        assert table.loc["w = 2", "n50"] == pytest.approx(32)
        assert table.loc["w = 2", "ratio"] == pytest.approx(0.5)
        assert table["measured"].tolist()[:2] == ["32", "> 64"]
        assert table["measured"].isna().tolist() == [False, False, True, True]
        assert np.isnan(table.loc["w = 3", "ratio"])
        assert table.loc["w = 2", "paper"] == published_n50("random-wildcards", "w = 2")

    def test_the_papers_half_point_stands_there_if_it_has_a_curve(self):
        rows = curve("r = 2", "", 0, {16: 1.0, 64: 0.0})
        table = diverse_data.trained_templates(self.predicted, rows).set_index("series")
        assert table.loc["r = 2", "paper"] == published_n50("random-templates", "r = 2")
        assert table.loc["r = 2", ["measured", "predicted"]].tolist() == ["32", 10]
        assert table.loc["r = 2", "ratio"] == pytest.approx(3.2)

    def test_experiments_stand_one_below_the_other_beside_prediction_and_paper(self):
        rows = {"random-length": curve("k = 5", "", 0, {16: 1.0, 64: 0.0}),
                "random-wildcards": pd.concat([curve("w = 2", "", seed, {16: 1.0, 64: 0.0}) for seed in range(3)])}
        table = diverse_data.trained_knobs(self.predicted, rows).set_index("series")
        assert table.loc["k = 5", "ratio"] == pytest.approx(3.2)
        assert table.loc["w = 2", "ratio"] == pytest.approx(0.5)
        assert table.loc["w = 2", ["low", "high"]].tolist() == pytest.approx([32, 32])  # seeds that agree
        assert table.loc["w = 2", "factor"] == pytest.approx(32 / published_n50("random-wildcards", "w = 2"))

    def test_our_half_point_beside_the_papers(self):
        table = diverse_data.beside_paper("random-templates", curve("r = 2", "", 0, {16: 1.0, 64: 0.0}))
        first = table.set_index("series").loc["r = 2"]
        assert first["ratio"] == pytest.approx(32 / published_n50("random-templates", "r = 2"))

    def test_losses_are_drawn_against_the_number_of_templates(self):
        rows = pd.concat([curve("r = 2", "", 0, {256: 0.4}), curve("r = 15", "", 0, {256: 0.9})])
        figure, _ = diverse_data.losses_picture(rows)
        (ours,) = [c for c in curves(figure) if c.name == "n = 256"]
        assert [words[1] for words in ours.words] == ["test loss 0.400, 1 seed", "test loss 0.900, 1 seed"]


class TestWaysOfDrawing:
    def test_strings_per_template_of_ours_others_and_the_papers(self):
        predicted = strings(*((f"random-r{r}-k5-w3-R0", 0, 100.0 * r) for r in range(2, 16)))
        draws = strings(("", 0, 500.0), ("", 1, 700.0), ("", 2, 900.0)).assign(series="k = 6, w = 2, r = 7")
        table = diverse_data.strings_per_template(predicted, draws)
        ours, other, paper = (table[table["series"] == s] for s in (diverse_data.OURS, "k = 6, w = 2", PAPERS))
        assert (ours["share"] == 100).all()
        assert other[["r", "strings", "share"]].to_numpy().tolist() == [[7, 700.0, 100.0]]
        assert paper["r"].tolist() == ours["r"].tolist()
        assert paper["share"].iloc[0] == published_n50("random-templates", "r = 2") / 2

    def test_how_they_move_with_r(self):
        table = pd.DataFrame({"series": ["A", "A", PAPERS, PAPERS], "r": [4, 2, 2, 4],
                              "strings": [160.0, 20.0, 10.0, 40.0], "eigenvalue": [0.2, 0.8, np.nan, np.nan]})
        ways = diverse_data.ways_of_drawing(table.assign(share=table["strings"] / table["r"])).set_index("series")
        assert ways.loc["A"].to_dict() == pytest.approx(
            {"least": 10, "most": 40, "spread": 4, "fall": 4, "above": np.sqrt(2 * 4)})
        assert ways.loc[PAPERS, "above"] == 1
        assert np.isnan(ways.loc[PAPERS, "fall"])

    def test_the_chart_has_a_line_per_way(self):
        table = pd.DataFrame({"series": ["A", "A", PAPERS, PAPERS], "r": [2, 4] * 2, "share": [10.0, 40, 5, 10]})
        figure, _ = diverse_data.drawing_picture(table)
        assert [c.name for c in curves(figure)] == ["A", PAPERS]

    def test_what_stands_out_are_ours_the_papers_and_the_ends_of_the_others(self):
        ways = pd.DataFrame(
            {"series": [diverse_data.OURS, "A", "B", PAPERS], "least": [1.0, 9, 9, 2], "most": [5.0, 9, 9, 8],
             "spread": [5.0, 1.5, 1.25, 4], "fall": [7.0, 20, 10, np.nan], "above": [3.0, 2, 2.5, 1]})
        assert diverse_data.drawing_numbers(ways) == {
            "ours_least": 1, "ours_most": 5, "ours_fall": 7, "paper_least": 2, "paper_most": 8, "paper_spread": 4,
            "spread_min": 1.25, "spread_max": 1.5, "fall_min": 10, "fall_max": 20, "above_min": 2, "above_max": 2.5}


class TestSingleTasks:
    def test_each_seed_is_a_task_with_its_prediction_and_its_curve(self):
        rows = pd.concat([curve("Transformer", FRESH, 3, {16: 1.0, 64: 0.75}),
                          curve("Transformer", FRESH, 1, {16: 1.0, 64: 0.0})])
        predicted = strings((FRESH, 1, 40.0), (FRESH, 3, 900.0), (FRESH, 1, 40.0))
        table = diverse_data.single_tasks("random-fresh", rows, predicted)
        assert table["seed"].tolist() == [1, 3]
        assert table["predicted"].tolist() == [40, 900]
        assert table["measured"].tolist() == ["32", "> 64"]
        losses = diverse_data.losses_by_task("random-fresh", rows, predicted)
        assert losses[["seed", "predicted", "n = 16", "n = 64"]].to_numpy().tolist() == [
            [1, 40, 1, 0], [3, 900, 1, 0.75]]

    def test_fresh_tasks_are_sorted_by_their_prediction(self):
        rows = pd.concat([curve("Transformer", FRESH, 1, {16: 1.0, 64: 0.0}).assign(predicted=900.0),
                          curve("Transformer", FRESH, 3, {16: 1.0, 64: 0.75}).assign(predicted=40.0)])
        table = diverse_data.fresh_tasks(rows)
        assert table["templates"].tolist() == [" ".join(task(FRESH, seed).labels) for seed in (3, 1)]
        assert table[["predicted", "measured", "n = 64"]].to_numpy().tolist() == [[40, "> 64", 0.75], [900, "32", 0]]

    def test_tasks_whose_token_has_one_place_make_a_share_of_the_mean(self):
        name = "random-r2-k5-w3-R1"
        places = {seed: {"".join(c == "A" and "A" or "." for c in z) for z in task(name, seed).labels}
                  for seed in (0, 2, 3)}
        assert [len(place) for place in places.values()] == [2, 1, 2]  # the token has one place in both for seed 2
        rows = pd.concat([curve("R = 1", name, seed, {8: loss, 32: 0.1})
                          for seed, loss in ((0, 0.2), (2, 0.9), (3, 0.4))])
        table = diverse_data.without_help(rows).set_index("n")
        assert table.loc[8].to_dict() == pytest.approx({"exception": 0.9, "others": 0.3, "mean": 0.5, "share": 0.3})


class TestTaskByTask:
    def test_equal_tasks_count_once_and_others_need_a_prediction(self):
        drawn = curve("", "random-r2-k5-w3-R0", 0, {16: 1.0, 64: 0.0})
        plain = pd.concat([curve("Transformer", "same-different", seed, {16: loss, 64: 0.0})
                           for seed, loss in ((0, 1.2), (1, 0.8))])
        modified = curve("Modified transformer", "same-different", 0, {16: 0.0, 64: 0.0}, a=True)
        majority = pd.concat([curve("any", "majority-4", 0, {16: 1.0, 64: 0.6}),
                              curve("any", "majority-6", 0, {16: 1.0, 64: 0.6})])
        predicted = strings(("random-r2-k5-w3-R0", 0, 50.0), ("same-different", 0, 60.0), ("majority-4", 0, 70.0))
        points = diverse_data.predicted_and_measured(
            predicted, {"random-regular": drawn, "random-length": drawn,
                        "same-different": pd.concat([plain, modified]), "majority": majority})
        assert points["tasks"].tolist() == ["r = 2, R = 0", diverse_data.OTHERS, diverse_data.OTHERS]
        assert points["title"].tolist() == points["task"].tolist() == [
            "random-r2-k5-w3-R0", "same-different", "majority-4"]
        assert points["measured"].tolist() == pytest.approx([32, 32, np.inf])
        assert points["predicted"].tolist() == [50, 60, 70]
        assert points["loss"].tolist() == [0, 0, 0.6]

    @pytest.fixture
    def points(self):
        """Six tasks within the n measured, one with a regular token, two beyond them."""
        predicted = np.array([10.0, 20, 40, 80, 160, 320, 5, 2000, 4000])
        ratio = np.array([2.0, 2, 1, 1, 0.5, 0.5, 100, np.inf, 0.1])
        kinds = ["more templates r"] * 5 + [diverse_data.OTHERS, "r = 2, R = 1"] + [diverse_data.OTHERS] * 2
        return pd.DataFrame({"tasks": kinds, "title": list("abcdefghi"), "task": list("abcdefghi"), "seed": 0,
                             "predicted": predicted, "measured": predicted * ratio, "last": 1000,
                             "loss": np.linspace(0.1, 0.9, 9)})

    def test_only_tasks_within_the_measured_n_and_without_tokens_are_comparable(self, points):
        assert diverse_data.comparable(points)["task"].tolist() == list("abcdef")

    def test_agreement(self, points):
        told = diverse_data.agreement(points)  # measured: 20, 40, 40, 80, 80, 160, and 500 with the token
        assert (told.compared, told.least, told.most) == (6, 10, 320)
        assert (told.beyond, told.beyond_above) == (2, 1)
        assert (told.ratio, told.ratio_easy, told.ratio_hard) == (1, 2, 0.5)
        assert (told.ratio_low, told.ratio_high) == (0.5, 2)
        # ranks 1 … 6 against 1, 2.5, 2.5, 4.5, 4.5, 6: covariance 16.5, sums of squares 17.5 and 16.5
        assert told.correlation == pytest.approx(16.5 / np.sqrt(17.5 * 16.5))
        assert told.correlation_all < told.correlation  # the easiest as predicted is the hardest as measured
        assert 0 < told.p < 0.01

    def test_the_picture_has_a_dot_per_comparable_task(self, points):
        figure, alt = diverse_data.agreement_picture(points)
        assert sum(len(c.words) for c in curves(figure)) == 6
        assert "6 tasks" in alt

    def test_tasks_of_other_chapters_easy_ones_first(self, points):
        table = diverse_data.other_tasks(points.iloc[::-1])
        assert table["title"].tolist() == ["f", "h", "i"]
        assert table["measured"].tolist() == ["160", "> 1,000", "400"]

    def test_other_kernels_are_compared_on_tasks_that_are_reached(self, points):
        kernels = pd.concat([
            strings(*((t, 0, n) for t, n in zip("abch", (10.0, 20.0, 80.0, 1.0), strict=True))).assign(
                beta=1.0, gamma=0.5, b1=1.0),
            strings(*((t, 0, n) for t, n in zip("abc", (40.0, 20.0, 10.0), strict=True))).assign(
                beta=1.0, gamma=0.5, b1=2.0)])
        table = diverse_data.by_kernel(points, kernels)
        assert table["b1"].tolist() == [1, 2]
        assert table["compared"].tolist() == [3, 3]
        assert table["ratio"].tolist() == [2, 2]  # 20/10, 40/20, 40/80; 20/40, 40/20, 40/10
        # ranks 1, 2, 3 (and 3, 2, 1) against 1, 2.5, 2.5
        assert table["correlation"].tolist() == pytest.approx([np.sqrt(0.75), -np.sqrt(0.75)])
        told = diverse_data.kernel_numbers(table)
        assert (told.kernels, told.near, told.factor) == (2, 0, 1)
        assert (told.correlation_min, told.correlation_max) == pytest.approx((-np.sqrt(0.75), np.sqrt(0.75)))
        assert diverse_data.kernel_numbers(table.assign(ratio=[0.4, 1.2])).near == 1
