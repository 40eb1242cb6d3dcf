"""Where the project is: what the environment says, else the working folder, else what was told."""

import sys
from pathlib import Path

import pytest
from projects import write_project

from companion import paths
from companion.experiments import experiments


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """A working folder that belongs to no project, and nothing told."""
    monkeypatch.delenv("COMPANION_PROJECT", raising=False)
    monkeypatch.setattr(paths, "_told", [])
    folder = tmp_path / "nowhere" / "deep"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder


def test_without_a_project_the_message_says_how_to_name_one(nowhere):
    with pytest.raises(ValueError, match=r"no project: .*\[tool.companion\] from .*nowhere/deep.*COMPANION_PROJECT"):
        paths.project()


def test_what_was_told_counts_least_then_the_folders_upwards_then_the_environment(nowhere, tmp_path, monkeypatch):
    told, above, named = (write_project(tmp_path / name) for name in ("told", "above", "named"))
    paths.use(told)
    assert paths.project().root == told
    below = above / "book" / "deep"
    below.mkdir()
    monkeypatch.chdir(below)
    assert paths.project().root == above
    monkeypatch.setenv("COMPANION_PROJECT", str(named))
    assert paths.project().root == named
    assert (paths.book(), paths.results(), paths.build()) == (named / "book", named / "book/results", named / "_build")


def test_a_pyproject_without_the_table_is_passed_by(nowhere, tmp_path, monkeypatch):
    project = write_project(tmp_path / "project")
    (project / "book" / "pyproject.toml").write_text("[tool.other]\n")
    monkeypatch.chdir(project / "book")
    assert paths.project().root == project


def test_the_table_says_which_grids_which_book_and_which_sources(nowhere, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text('[tool.companion]\ngrids = "mine"\nbook = "pages"\nsources = ["a", "b"]\n')
    assert paths.project() == paths.Project(tmp_path, tmp_path / "pages", "mine", ("a", "b"))
    other = write_project(tmp_path / "other")
    monkeypatch.chdir(other)
    assert paths.project() == paths.Project(other, other / "book", "abstract_symbols.experiments", ("src",))


@pytest.mark.parametrize(("content", "named"), [
    (None, r"COMPANION_PROJECT names the project '.*', which has no pyproject.toml with a table"),
    ("[tool.other]\n", "which has no pyproject.toml with a table"),
    ("[tool.companion]\nbook = 'book'\n", "lacks grids"),
    ("[tool.companion]\ngrids = 'x'\nboook = 'book'\n", "unknown entry 'boook'; known are grids, book, sources"),
    ("[tool.companion\n", r"pyproject.toml: "),
])
def test_a_project_that_is_none_is_named_with_what_it_lacks(content, named, tmp_path, monkeypatch):
    if content is not None:
        (tmp_path / "pyproject.toml").write_text(content)
    monkeypatch.setenv("COMPANION_PROJECT", str(tmp_path))
    with pytest.raises(ValueError, match=named):
        paths.project()


def test_grids_come_from_the_projects_sources(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    project = write_project(tmp_path / "grown", "grids_of_a_test")
    monkeypatch.setenv("COMPANION_PROJECT", str(project))
    with pytest.raises(ValueError, match=r"'grids_of_a_test', is neither installed nor .*\[tool.companion\] in "):
        experiments()
    (project / "src").mkdir()
    (project / "src" / "grids_of_a_test.py").write_text("import no_such_module\n")
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        experiments()
    (project / "src" / "grids_of_a_test.py").write_text("")
    with pytest.raises(ValueError, match="'grids_of_a_test' has no dictionary EXPERIMENTS"):
        experiments()


def test_this_repository_is_a_project():
    root = Path(__file__).resolve().parents[2]
    assert paths.project() == paths.Project(root, root / "book", "abstract_symbols.experiments", ("src",))
