"""The method knows nothing of the science, nothing imports in a circle, a machine that measures needs no IPython."""

import ast
import graphlib
import subprocess
import sys
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[2] / "src"
DRAWING = {"IPython", "matplotlib", "seaborn"}


def modules(package):
    """Dotted name → syntax tree, of every module of a package."""
    found = {}
    for path in sorted((SOURCES / package).rglob("*.py")):
        parts = path.relative_to(SOURCES).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = (path, ast.parse(path.read_bytes()))
    return found


def statements(tree, inside_functions):
    """The import statements of a module; those that run at its import, or all."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield node
        elif inside_functions or not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            yield from statements(node, inside_functions)


def imported(name, path, tree, known, inside_functions):
    """Dotted names of what a module imports; a name from a package is a module where there is one of it."""
    package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    for node in statements(tree, inside_functions):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        else:
            near = package[:len(package) - node.level + 1] if node.level else []
            source = ".".join([*near, *([node.module] if node.module else [])])
            for alias in node.names:
                inner = f"{source}.{alias.name}"
                yield inner if inner in known else source


def imports(package, inside_functions=False):
    found = modules(package)
    return {name: set(imported(name, path, tree, found, inside_functions)) for name, (path, tree) in found.items()}


def roots(names):
    return {name.split(".")[0] for name in names}


def test_the_method_never_imports_the_science():
    found = imports("companion", inside_functions=True)
    assert "companion.sweeps" in found and "companion.figures.curves" in found
    assert "companion.runs" in found["companion.sweeps"], "relative imports are seen"
    assert {name for name, names in found.items() if "abstract_symbols" in roots(names)} == set()


@pytest.mark.parametrize("package", ["companion", "abstract_symbols"])
def test_nothing_imports_in_a_circle(package):
    graph = {name: names - {name} for name, names in imports(package).items()}
    order = list(graphlib.TopologicalSorter(graph).static_order())  # raises CycleError, which names the circle
    assert set(graph) <= set(order)


def test_only_figures_and_reports_draw():
    found = imports("companion", inside_functions=True)
    drawing = {name for name, names in found.items() if DRAWING & roots(names)}
    assert drawing and {name.split(".")[1] for name in drawing} == {"figures", "report"}


@pytest.mark.slow
def test_a_machine_that_measures_loads_nothing_that_draws_and_no_language_models():
    names = [name for name in modules("abstract_symbols") if name.startswith("abstract_symbols.runs")]
    assert len(names) > 4
    code = (f"import importlib, sys\nfor name in {['companion.sweeps', *names]}: importlib.import_module(name)\n"
            f"print(sorted({ {*DRAWING, 'transformers'} } & set(sys.modules)))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr
