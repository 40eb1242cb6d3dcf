"""The digitised figures of the paper, as they are committed."""

import pandas as pd
import pytest

from companion import paths

FOLDER = paths.book() / "published"
FIGURES = sorted(path.stem for path in FOLDER.glob("*.csv") if path.stem not in ("index", "gpt2_head_diagonals"))


def figure(name):
    return pd.read_csv(FOLDER / f"{name}.csv")


def test_the_index_lists_every_figure_once():
    assert sorted(pd.read_csv(FOLDER / "index.csv")["figure"]) == FIGURES


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_has_as_many_curves_and_points_as_the_index_says(name):
    told = pd.read_csv(FOLDER / "index.csv").set_index("figure").loc[name]
    curves = figure(name)
    assert list(curves) == ["series", "x", "y", "y_low", "y_high"]
    assert (curves["series"].nunique(), len(curves)) == (told["n_series"], told["n_points"])
    assert not curves.duplicated(["series", "x"]).any() and curves[["x", "y"]].notna().all(axis=None)


def test_the_lengths_by_length_are_the_numbers_of_the_authors_figure():
    theirs, by_length = figure("randomtemplate_length_2_gotu"), figure("randomtemplate_length_by_length")
    turned = by_length.assign(x=by_length["series"].str.removeprefix("template length ").astype(int),
                              series="n " + by_length["x"].astype(str))
    keys = ["series", "x"]
    pd.testing.assert_frame_equal(turned.sort_values(keys, ignore_index=True)[list(theirs)],
                                  theirs.sort_values(keys, ignore_index=True))


def test_the_papers_number_of_templates_has_two_wildcards():
    """The curve of two templates is that of two wildcards, to the last digit."""
    number, wildcards = figure("randomtemplate_ntempl_1_gotu"), figure("randomtemplate_Wsize_1_gotu")
    wildcards = wildcards[wildcards["series"] == "wildcard alphabet size 2"].set_index("x")
    number = number[number["series"] == "number of templates 2"].set_index("x")
    columns = ["y", "y_low", "y_high"]
    assert number.loc[wildcards.index, columns].equals(wildcards[columns])
