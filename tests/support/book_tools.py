"""The tools of the book as modules of the tests, and the book's pages."""

import importlib
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
HTML = ROOT / "_build" / "html"
sys.path[:0] = [str(ROOT / "tools" / folder) for folder in ("book", "sphinx")]


def tool(name):
    """A module of tools/book or tools/sphinx."""
    return importlib.import_module(name)


def names_of(node):
    """Chapter names below a node of _toc.yml."""
    entries = node.get("chapters", []) + node.get("sections", [])
    below = [name for child in entries + node.get("parts", []) for name in names_of(child)]
    return [entry["file"] for entry in entries] + below


TOC = yaml.safe_load((ROOT / "_toc.yml").read_text())
PAGES = [TOC["root"], *names_of(TOC)]
