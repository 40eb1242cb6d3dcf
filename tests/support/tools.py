"""The tools of the book, as modules of the tests, and the pages that there are."""

import importlib
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
for folder in ("book", "sphinx"):
    sys.path.append(str(ROOT / "tools" / folder))


def tool(name):
    """A module of tools/book or tools/sphinx."""
    return importlib.import_module(name)
