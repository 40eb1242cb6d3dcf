"""Projects for the tests of `companion`."""

import pytest
from projects import use_project

from companion.sweeps import run


@pytest.fixture(autouse=True)
def no_git(monkeypatch):
    """Rows name no commit of this repository."""
    monkeypatch.setenv("COMPANION_COMMIT", "tested")


@pytest.fixture
def toys(tmp_path, monkeypatch):
    """A project with the grids of `toy_grids`, no claims and no results; its folder."""
    return use_project(monkeypatch, tmp_path / "toys", "toy_grids")


@pytest.fixture(scope="module")
def complete(tmp_path_factory):
    """The folder of an unbroken sweep over the walks."""
    folder = tmp_path_factory.mktemp("complete")
    with pytest.MonkeyPatch.context() as patch:
        use_project(patch, folder / "toys", "toy_grids")
        assert run("walks", device="cpu", workers=1, results=folder) == 0
    return folder
