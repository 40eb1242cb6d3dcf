"""The tools of the book as modules of the tests, the book's pages, and what the packages have for others."""

import importlib
import inspect
import pkgutil
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


def modules():
    """Names of the modules of both packages, but for the packages themselves and the command lines."""
    packages = [importlib.import_module(name) for name in ("abstract_symbols", "companion")]
    found = [m for package in packages for m in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
    return [m.name for m in found if not m.ispkg and not m.name.endswith("__main__")]


def public(module):
    """{name: function or class} that a module defines for others."""
    there = vars(importlib.import_module(module)).items()
    return {name: thing for name, thing in there if not name.startswith("_")
            and (inspect.isfunction(thing) or inspect.isclass(thing)) and thing.__module__ == module}
