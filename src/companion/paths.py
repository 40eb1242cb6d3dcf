"""Where a project has its book, its results and what is built from them.

A project is a folder whose `pyproject.toml` has a table `[tool.companion]`:

    [tool.companion]
    grids = "abstract_symbols.experiments"   # the module with the dictionary EXPERIMENTS
    book = "book"                            # chapters, claims.yml, results/ and published/
    sources = ["src"]                        # what decides the numbers: a row names its commit
"""

import os
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

VARIABLE = "COMPANION_PROJECT"
_told: list[Path] = []


@dataclass(frozen=True)
class Project:
    """A project: its folder, its book, the name of the module of its grids, the folders of its sources."""

    root: Path
    book: Path
    grids: str
    sources: tuple[str, ...] = ("src",)


def use(folder: Path) -> None:
    """Fall back on this folder where neither the environment nor the working folder names a project."""
    _told[:] = [Path(folder)]


def project() -> Project:
    """Returns the project in use.

    It is the folder that the environment variable COMPANION_PROJECT names, else the nearest one from the working folder
    upwards, else the one that `use` was told.

    Raises:
        ValueError: there is none, or its table is not complete.
    """
    return _project(os.environ.get(VARIABLE), Path.cwd(), *_told)


def book() -> Path:
    """Returns the folder of the chapters, of claims.yml, results/ and published/."""
    return project().book


def results() -> Path:
    """Returns the folder of the committed rows."""
    return book() / "results"


def build() -> Path:
    """Returns the folder of what is built, which git ignores."""
    return project().root / "_build"


@cache
def _project(named: str | None, here: Path, told: Path | None = None) -> Project:
    if named is not None:
        return _read(Path(named).resolve(), VARIABLE)
    for folder in (here, *here.parents):
        if _table(folder / "pyproject.toml") is not None:
            return _read(folder, "the working folder")
    if told is not None:
        return _read(told, "the package")
    raise ValueError(f"no project: no pyproject.toml with a table [tool.companion] from {here} upwards; "
                     f"go to the project's folder, or name it in {VARIABLE}")


def _table(path: Path) -> dict | None:
    """The table [tool.companion] of a file, None without one."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8")).get("tool", {}).get("companion")
    except OSError:
        return None
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path}: {error}") from None


def _read(root: Path, source: str) -> Project:
    table = _table(root / "pyproject.toml")
    if table is None:
        raise ValueError(f"{source} names the project {str(root)!r}, which has no pyproject.toml with a table "
                         "[tool.companion]")
    if unknown := set(table) - {"grids", "book", "sources"}:
        raise ValueError(f"{root / 'pyproject.toml'}, [tool.companion]: unknown entry {sorted(unknown)[0]!r}; "
                         "known are grids, book, sources")
    if "grids" not in table:
        raise ValueError(f"{root / 'pyproject.toml'}, [tool.companion]: lacks grids, the module with EXPERIMENTS")
    return Project(root, root / table.get("book", "book"), table["grids"], tuple(table.get("sources", ("src",))))
