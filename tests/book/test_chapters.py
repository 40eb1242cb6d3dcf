"""The form of a chapter: visible code is the mathematics, hidden code only calls, prose is Markdown."""

import ast
import importlib.util
import re
from pathlib import Path

import jupytext
import pytest

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = sorted((ROOT / "book").glob("*.py"))
HIDDEN = {"remove-input", "hide-input", "remove-cell"}
VISIBLE_LINES, HIDDEN_LINES, WIDTH = 12, 12, 100
FUNCTIONS = 10  # in the whole book: the mathematics that a reader should see


def code_cells(chapter):
    return [cell for cell in jupytext.read(chapter).cells if cell.cell_type == "code"]


def lines(cell):
    return [line for line in cell.source.split("\n") if line.strip()]


def hidden(cell):
    return bool(HIDDEN & set(cell.metadata.get("tags", [])))


def defined(cell):
    return [node.name for node in ast.walk(ast.parse(cell.source))
            if isinstance(node, (ast.FunctionDef, ast.ClassDef))]


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_cells_are_short(chapter):
    for cell in code_cells(chapter):
        most = HIDDEN_LINES if hidden(cell) else VISIBLE_LINES
        assert len(lines(cell)) <= most, f"{len(lines(cell))} lines, at most {most}:\n{cell.source}"
        wide = [line for line in cell.source.split("\n") if len(line) > WIDTH]
        assert not wide, f"over {WIDTH} columns: {wide[0]}"


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_nothing_is_defined_in_hidden_cells(chapter):
    names = [name for cell in code_cells(chapter) if hidden(cell) for name in defined(cell)]
    assert not names, f"{names} belong in src, with tests"


def test_few_functions_are_defined_in_chapters():
    names = [f"{chapter.stem}: {name}" for chapter in CHAPTERS for cell in code_cells(chapter)
             for name in defined(cell)]
    assert len(names) <= FUNCTIONS, names


def test_hidden_code_is_a_small_part():
    count = sum(len(lines(cell)) for chapter in CHAPTERS for cell in code_cells(chapter) if hidden(cell))
    assert count <= 700, f"{count} lines of hidden code"


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_prose_is_markdown_not_strings(chapter):
    """No Markdown call with a sentence in it; formulas may be computed."""
    for cell in code_cells(chapter):
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "Markdown":
                text = "".join(part.value for part in ast.walk(node) if isinstance(part, ast.Constant)
                               and isinstance(part.value, str))
                words = re.findall(r"\b[a-z]{3,}\b", re.sub(r"\$.*?\$|\\[a-z]+", "", text))
                assert len(words) < 5, f"a sentence in a string: {text[:80]}"


def test_markdown_has_one_sentence_on_each_line():
    spec = importlib.util.spec_from_file_location("prose", ROOT / "tools" / "book" / "prose.py")
    prose = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(prose)
    changed = [path.name for path in CHAPTERS if prose.rewritten(path) != path.read_text(encoding="utf-8")]
    assert not changed, f"{changed}: say python tools/book/prose.py"


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_has_no_words_for_missing_rows_of_its_own(chapter):
    source = chapter.read_text(encoding="utf-8")
    assert not re.search(r"MISSING|Rows are missing|is not None|if len\(rows", source)


PROSE = {
    "A first one. A second (with i.i.d. weights). Third": "A first one.\nA second (with i.i.d. weights).\nThird",
    "- An item. Its second.\n  And more.": "- An item.\n  Its second.\n  And more.",
    "$$\na. B\n$$ (label)\nAfter. More.": "$$\na. B\n$$ (label)\nAfter.\nMore.",
    "| a. B | c |\nText. *Emphasis.* `code. Code` ends.": "| a. B | c |\nText.\n*Emphasis.*\n`code. Code` ends.",
    "```python\na. B\n```\nOne (see e.g. Two). Three.": "```python\na. B\n```\nOne (see e.g. Two).\nThree.",
}


@pytest.mark.parametrize(("text", "expected"), PROSE.items())
def test_sentences_are_told_apart(text, expected):
    spec = importlib.util.spec_from_file_location("prose", ROOT / "tools" / "book" / "prose.py")
    prose = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(prose)
    assert prose.one_sentence_per_line(text) == expected
    assert prose.one_sentence_per_line(expected) == expected
