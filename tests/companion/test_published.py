"""The paper's curves, as they were digitised."""

import math

import pytest
from projects import use_project

from companion.published import published, published_n50

PAPER = {"Transformer": 256 * 2 ** ((0.6563 - 0.5) / (0.6563 - 0.4469)),
         "Modified transformer": 16 * 2 ** ((0.5949 - 0.5) / (0.5949 - 0.1853))}


def test_published_n50_is_read_off_the_papers_curve():
    for series, expected in PAPER.items():
        assert published_n50("same-different", series) == pytest.approx(expected)
    assert list(PAPER.values()) == pytest.approx([429, 18.8], rel=2e-3)
    assert published_n50("same-different", "Fully-connected") == math.inf


@pytest.mark.parametrize(("name", "series", "known"), [
    ("stop-rule", "Transformer", "none of its series"), ("same-different", "MLP", "'Fully-connected', 'Transformer'"),
])
def test_a_series_without_a_published_curve_has_no_published_n50(name, series, known):
    with pytest.raises(ValueError, match=f"experiment '{name}' has no published curve for series '{series}'.*{known}"):
        published_n50(name, series)


def test_what_the_paper_did_not_draw_has_no_curve():
    assert published("same-different", "With dropout").empty
    assert published("stop-rule", "Transformer").empty


def test_another_figure_with_the_same_legend_has_its_own_curves():
    least = published("n-lr", "n = 16", "transformer_lr_n_2_train").set_index("x")["y"]
    assert least[3e-5] == 0.0047 and least[1e-3] == 0.0008
    assert published("n-lr", "n = 16").set_index("x")["y"][1e-3] > 1


def test_a_curve_is_the_callers_own():
    table = published("same-different", "Transformer")
    table["y"] = 0.0
    assert (published("same-different", "Transformer")["y"] > 0).all()


def test_a_figure_without_a_file_is_named_and_none_is_needed_without_figures(tmp_path, monkeypatch):
    project = use_project(monkeypatch, tmp_path / "mine")
    assert published("stop-rule", "Transformer").empty, "there is no folder of published curves"
    with pytest.raises(ValueError, match="names the published figure 'samedifferent_mod', but there is no "):
        published("same-different", "Transformer")
    (project / "book" / "published").mkdir()
    path = project / "book" / "published" / "samedifferent_mod.csv"
    for y in (0.25, 0.5):
        path.write_text(f"series,x,y,y_low,y_high\nTransformer,8,{y},0,1\nTransformer,4,1,1,1\n")
        path.touch()
        assert published("same-different", "Transformer").to_numpy().tolist() == [[4, 1, 1, 1], [8, y, 0, 1]]
