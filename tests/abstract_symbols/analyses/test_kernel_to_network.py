"""What a finite network's predictions, its widths and its training come to, on tables made up for the purpose."""

import numpy as np
import pandas as pd
import pytest

from abstract_symbols.analyses import kernel_to_network as analyses
from abstract_symbols.kernels import TransformerKernel
from abstract_symbols.kernels.prediction import width_needed
from abstract_symbols.runs.kernel import PredictionRun
from abstract_symbols.tasks import task
from companion.experiments import experiment
from companion.figures.points import PAPERS, curves

SAME_DIFFERENT = task("same-different")
USUAL, BETTER = experiment("predictions").series


@pytest.fixture(scope="module")
def run():
    return PredictionRun("same-different", 0, width=8, n=20, unseen=12)


def test_predictions_of_both_are_split_by_seen_strings_and_templates(run):
    network, kernel = run.predictions()
    groups = analyses.predictions_of_both({"width 8": run})["width 8"]
    assert {label: len(x) for label, (x, _) in groups.items()} == {
        "training": 20, **{f"unseen {z}": (run.samples()[1].templates == i).sum() for i, z in enumerate(("αα", "αβ"))}}
    np.testing.assert_allclose(np.sort(np.concatenate([x for x, _ in groups.values()])), np.sort(kernel), atol=1e-10)
    np.testing.assert_allclose(np.sort(np.concatenate([y for _, y in groups.values()])), np.sort(network), atol=1e-10)
    assert np.ptp(groups["unseen αα"][0]) < 1e-9, "to the kernel all unseen αα are the same"
    assert np.ptp(groups["unseen αα"][1]) > 1e-3, "to the network they are not"


def test_distances_are_root_mean_squares_and_stand_in_the_text_alternative():
    panels = {"width 8": {"training": (np.array([1.0, 2.0]), np.array([4.0, 6.0]))}}  # √((9 + 16) / 2) = 3.54
    assert analyses.distances_of_both(panels)["width 8"]["training"] == pytest.approx(12.5**0.5)
    figure, alt = analyses.predictions_picture(panels)
    assert "Width 8: distance training 3.54." in alt
    assert figure.axes[0].get_title() == "width 8"


def test_narrow_and_wide_networks_are_the_first_and_the_last_panel():
    def both(*distances):
        groups = zip(("training", "unseen αα", "unseen αβ"), distances, strict=True)
        return {label: (np.zeros(2), np.full(2, distance)) for label, distance in groups}

    panels = {"width 8": both(1, 2, 3), "width 16": both(4, 5, 6), "width 32": both(7, 8, 9)}
    assert analyses.narrow_and_wide(panels) == analyses.Distances(1, 2, 3, 8, 9)


def test_strings_whose_symbols_never_repeat_are_fewer():
    kernel = TransformerKernel(2.0, 1.0, b1=2.0, b2=0.3)
    repeated = analyses.kernel_needs(SAME_DIFFERENT, [2.0])[analyses.STRINGS][0]
    assert 0.8 * repeated < analyses.strings_without_repeats(kernel) < repeated


@pytest.fixture
def predictions():
    """Two seeds: the kernel's errors are 0.5 ± 0.1, differences halve when the width grows four times."""
    return pd.DataFrame([
        {"series": series, "seed": seed, "width": width, "kernel_error": 0.4 + 0.2 * seed, "seen_difference": 0.0,
         "difference": 8 / width**0.5 * (0.5 + seed), "network_error": 1 / width}
        for series in (USUAL, BETTER) for seed in (0, 1) for width in experiment("predictions").grid["width"]])


def test_estimated_differences_are_those_of_the_formula(predictions):
    widths, values = analyses.estimated_differences(predictions)[BETTER]
    kernel = PredictionRun("same-different", 0, **experiment("predictions").series[BETTER]).kernel()
    assert list(widths) == [64, 128, 256, 512]
    np.testing.assert_allclose(values**2 * widths, 0.25 * width_needed(SAME_DIFFERENT, kernel), rtol=1e-12)
    figure, alt = analyses.differences_picture(predictions)
    assert alt.endswith("Dashed: the estimate, above the measured curves.")
    assert {curve.name for curve in curves(figure)} == {USUAL, BETTER, f"{USUAL}, predicted", f"{BETTER}, predicted"}


def test_the_table_of_widths_compares_measured_and_estimated_differences(predictions):
    table = analyses.width_table(predictions).set_index("kernel")
    _, estimate = analyses.estimated_differences(predictions)[USUAL]
    row = table.loc[USUAL]
    assert row["measured / estimated, width 64"] == pytest.approx(1 / estimate[0])
    assert row["measured / estimated, width 512"] == pytest.approx(8 / 512**0.5 / estimate[-1])
    assert row["difference / s"] == pytest.approx(8 / 512**0.5 / 0.5)
    assert (row["network's error"], row["kernel's error"]) == pytest.approx((1 / 512, 0.5))
    assert row["2D/ν"] > 5 * table.loc[BETTER, "2D/ν"], "a worse conditioned template matrix asks for a wider network"


def test_tables_of_distances_and_starts_have_a_row_for_each():
    assert analyses.distance_table({64: 0.5, 256: 0.25}).to_numpy().tolist() == [[64, 0.5], [256, 0.25]]
    table = analyses.start_table({1: (2.0, 0.4), 8: (3 * 2**0.5, 0.9)})
    assert list(table["weights"]) == ["× 1", "× 8"]
    assert list(table["β with this sd"]) == pytest.approx([2**0.5, 3])
    assert list(table["largest attention weight"]) == [0.4, 0.9]


def test_sharper_attention_needs_fewer_strings():
    needs = analyses.kernel_needs(SAME_DIFFERENT, [0.5, 2.0])
    assert list(needs["β"]) == [0.5, 2.0]
    assert needs["ν"].is_monotonic_increasing and needs[analyses.STRINGS].is_monotonic_decreasing


def curve(series, losses, metric="test_loss"):
    return pd.DataFrame([{"series": series, "n": n, "seed": 0, metric: loss} for n, loss in losses.items()])


def learned():
    """A row or two of each experiment in `LAYERS`; "last-layer-solved-wide" has none."""
    return {
        "ridge-n": curve("αα / αβ", {4: 1.0, 16: 0.5**0.5 - 1e-9}, "error"),  # its square is one half at 16
        "last-layer-solved": pd.concat([curve("scale 1", {64: 1.0, 256: 0.0}), curve("scale 64", {64: 0.9})]),
        "last-layer-solved-wide": curve("scale 1", {}).reindex(columns=["series", "n", "seed", "test_loss"]),
        "last-layer": pd.concat([curve("scale 1", {64: 1.0, 512: 0.9}), curve("scale 64", {64: 1.0, 16384: 0.6})]),
        "last-layer-wide": curve("d = 1024", {4: 1.0, 16: 0.0}),
        "last-layer-heads": pd.concat([curve("scale 1", {64: 1.0}), curve("scale 64", {64: 0.6, 256: 0.4})]),
        "same-different": pd.concat([curve("Transformer", {16: 1.0, 64: 0.0}),
                                     curve("Modified transformer", {64: 0.4, 128: 0.3})])}


def test_strings_to_half_come_from_each_experiment_with_rows_and_errors_are_squared(monkeypatch):
    asked = []
    monkeypatch.setattr(analyses, "ridge_half", lambda ns, **options: asked.append(options) or 49.4)
    table = analyses.strings_to_half(learned(), {"beta": 3})
    assert list(table["words"]) == ["16", "49", "128", "> 64", "> 512", "> 16,384", "8", "> 64", "128", "32", "≤ 64"]
    assert asked == [{"beta": 3}]
    assert list(table["network"][:2]) == [USUAL, BETTER]
    counts = table["trained"].value_counts()
    assert dict(counts) == {analyses.KERNEL: 2, analyses.SOLVED: 2, analyses.ADAM: 5, analyses.ALL: 2}
    paper = table.set_index(["trained", "network"])["paper"].dropna()
    assert {key: round(value) for key, value in paper.items() if np.isfinite(value)} == {
        (analyses.ADAM, "weights × 64, d = 1024"): 101, (analyses.ALL, "weights × 1"): 429,
        (analyses.ALL, "weights × 1, a and b"): 19}


def test_the_chart_of_strings_has_a_point_for_each_way_and_its_bounds_in_words(monkeypatch):
    monkeypatch.setattr(analyses, "ridge_half", lambda ns, **options: 49.4)
    figure, alt = analyses.strings_picture(analyses.strings_to_half(learned(), {}))
    drawn = {one.name: dict(one.words) for one in curves(figure)}
    assert set(drawn) == {analyses.KERNEL, analyses.SOLVED, analyses.ADAM, analyses.ALL, PAPERS}
    assert drawn[analyses.SOLVED] == {
        "weights × 1": f"128 {analyses.STRINGS}", "weights × 64": f"> 64 {analyses.STRINGS}"}
    assert drawn[PAPERS]["weights × 1"] == f"429 {analyses.STRINGS}"
    assert "last layer, least squares, weights × 64: > 64. " in alt
    assert "all weights, Adam, weights × 1: 32 (paper: 429)" in alt
    at = {one.name: one.x for one in curves(figure)}
    assert at[analyses.ALL] == pytest.approx([32, 64]), "a bound stands at the end of the measured n"


def test_both_ways_are_drawn_in_panels_with_the_papers_curves_beside_adam():
    rows = {"last-layer": pd.concat([curve("scale 1", {64: 1.0, 512: 0.9}), curve("scale 64", {64: 0.8, 512: 0.4})]),
            "last-layer-solved": curve("scale 1", {64: 1.0, 512: 0.3})}
    figure, alt = analyses.both_ways_picture("last-layer", "last-layer-solved", rows)
    left, right = ({one.name: list(one.y) for one in curves(figure) if one.axes == place} for place in (0, 1))
    assert left["scale 64, Adam, 1,000 epochs"] == [0.8, 0.4]
    assert {"scale 1 (paper)", "scale 8 (paper)", "scale 64 (paper)"} < set(left)
    assert right == {"scale 1, least squares": [1.0, 0.3]}
    assert alt.index("Adam, 1,000 epochs.") < alt.index("least squares.") and "No run is done yet: scale 8" in alt


def test_the_table_of_heads_has_test_and_training_losses_beside_the_papers():
    rows = pd.DataFrame([{"series": "scale 64", "n": 512, "seed": seed, "test_loss": 0.2 * (1 + seed),
                          "train_loss": seed} for seed in (0, 1)])
    table = analyses.heads_table(rows)
    assert table.to_numpy().tolist() == [["× 64", 512, pytest.approx(0.3), 0.2760, 0.5, 0.1519]]


def test_the_papers_training_losses_are_read_as_a_width():
    widths = analyses.width_from_train_loss()
    assert list(widths) == [4096, 16384]
    assert widths[4096] == pytest.approx((0.8198, (1 - 0.8198) * 4096))


def test_the_paper_has_two_curves_for_one_task():
    assert {name: round(n) for name, n in analyses.two_published().items()} == {
        "plain_paper": 429, "plain_majority": 279}


def test_trained_in_full_the_transformers_crossing_is_in_words():
    assert analyses.trained_aba(curve("Transformer", {64: 1.0, 256: 0.0})) == "128"
    assert analyses.trained_aba(curve("Transformer", {64: 1.0, 256: 0.8})) == "> 256"


def test_the_kernel_is_measured_at_each_n_and_crosses_between():
    half = analyses.ridge_half((16, 256), seeds=2, **experiment("predictions").series[BETTER])
    assert 20 < half < 200


def test_attention_means_are_in_the_order_of_the_grid():
    rows = pd.DataFrame([{"series": series, "n": n, "seed": seed, **dict.fromkeys(analyses.ATTENTION, seed + n)}
                         for series, n in (("Modified transformer", 64), ("Transformer", 1024), ("Transformer", 64))
                         for seed in (0, 1)])
    table = analyses.attention_means(rows)
    assert list(zip(table["network"], table["n"], strict=True)) == [
        ("Transformer", 64), ("Transformer", 1024), ("Modified transformer", 64)]
    assert list(table["sd after"]) == [64.5, 1024.5, 64.5]


def test_sharpening_reads_logits_as_beta():
    logits = {("Transformer", 1024): (0.5 * 2**0.5, 2 * 2**0.5), ("Transformer", 64): (0.5, 1.0),
              ("Modified transformer", 1024): (0.5, 50.0)}
    rows = pd.DataFrame([
        {"series": series, "n": n, "seed": seed, **dict.fromkeys(analyses.ATTENTION, 0.7), "logits_before": before,
         "logits_after": after} for (series, n), (before, after) in logits.items() for seed in (0, 1)])
    found = analyses.sharpening(rows)
    assert (found.beta_before, found.beta_after) == pytest.approx((0.5, 2.0))
    assert [found.strings_before, found.strings_after] == pytest.approx(
        list(analyses.kernel_needs(SAME_DIFFERENT, [0.5, 2.0])[analyses.STRINGS]))
    assert (found.before, found.after) == pytest.approx((0.5 * 2**0.5, 2 * 2**0.5))
    assert (found.few_after, found.few_loss, found.modified_after) == pytest.approx((1.0, 0.7, 50.0))
