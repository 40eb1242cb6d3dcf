"""The build itself, on a small book: what is executed again, what is not, what a failure leaves behind."""

import importlib.util
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent

CHAPTER = '''# %% [markdown]
r"""
# {title}

A formula, $x^2$.
"""

# %% tags=["parameters"]
profile = "quick"

# %%
import sys
print("profile", profile)
print("progress", file=sys.stderr)
'''

FIGURE = """
# %%
import matplotlib.pyplot as plt
plt.plot([1, 2]);
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A repository of two small chapters, both executed."""
    root = tmp_path_factory.mktemp("small")
    shutil.copytree(ROOT / "tools", root / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "_config.yml", root)
    write(root, "_toc.yml", "format: jb-book\nroot: index\nchapters:\n- file: other\n")
    write(root, "book/index.py", CHAPTER.format(title="Index"))
    write(root, "book/other.py", CHAPTER.format(title="Other"))
    write(root, "book/claims.yml", "- id: one\n")
    write(root, "book/results/runs.csv", "n,loss\n4,1.0\n")
    write(root, "book/published/curve.csv", "n,loss\n4,1.0\n")
    write(root, "book/references.bib", "")
    write(root, "src/abstract_symbols/tasks.py", "answer = 1\n")
    write(root, "src/abstract_symbols/spare.py", "answer = 1\n")
    write(root, "requirements.txt", "torch\n")
    for folder in ("_static", "playground", "points"):
        shutil.copytree(ROOT / "book" / folder, root / "book" / folder)
    assert executed(build(root, "notebooks")) == {"index", "other"}
    return root


@pytest.fixture
def repository(built, tmp_path):
    """A copy of it that a test may change."""
    return shutil.copytree(built, tmp_path / "repository")


def write(root, name, text):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def build(root, *arguments, succeeds=True):
    """Run tools/build.py there and return all it says."""
    command = [sys.executable, root / "tools" / "build.py", *arguments]
    process = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert (process.returncode == 0) == succeeds, process.stdout
    return process.stdout


def executed(output):
    """Names of the chapters that a build executed, from what it said."""
    return {line.split()[2] for line in output.splitlines() if line.startswith("== Executing ")}


def tool_of(root):
    """Its tools/build.py as a module."""
    spec = importlib.util.spec_from_file_location("build_of_test", root / "tools" / "build.py")
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    return tool


def stale(root):
    """Names of the chapters that the next build would execute."""
    tool = tool_of(root)
    return {name for name in tool.chapters() if tool.reason_to_execute(name, "quick", tool.load_record())}


def test_toc_and_chapters_agree():
    toc = (ROOT / "_toc.yml").read_text()
    listed = {name for name in walk(yaml.safe_load(toc))}
    assert listed == {path.stem for path in (ROOT / "book").glob("*.py")}


def walk(node):
    """Every page that a table of contents names."""
    if isinstance(node, dict):
        yield from (value for key, value in node.items() if key in ("file", "root"))
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from walk(child)


def test_unchanged_chapters_are_not_executed_again(repository):
    assert executed(build(repository, "notebooks")) == set()


@pytest.mark.parametrize(
    "name",
    ["src/abstract_symbols/tasks.py", "book/results/runs.csv", "book/published/curve.csv", "book/claims.yml",
     "requirements.txt", "tools/execute.py", "src/abstract_symbols/new.py", "book/results/new.csv"],
)  # fmt: skip
def test_a_change_in_what_chapters_use_makes_them_stale(repository, name):
    with open(repository / name, "a") as file:
        file.write("\n")
    assert stale(repository) == {"index", "other"}


def test_a_module_that_is_gone_makes_chapters_stale(repository):
    (repository / "src/abstract_symbols/spare.py").unlink()
    assert stale(repository) == {"index", "other"}


def test_a_file_that_is_only_touched_makes_nothing_stale(repository):
    (repository / "src/abstract_symbols/tasks.py").touch()
    write(repository, "src/abstract_symbols/__pycache__/tasks.pyc", "bytes")
    assert stale(repository) == set()


def test_only_the_edited_chapter_is_executed_and_stays_so(repository):
    write(repository, "book/other.py", CHAPTER.format(title="Another"))
    assert executed(build(repository, "notebooks")) == {"other"}
    assert executed(build(repository, "notebooks")) == set()


def test_an_edited_executed_notebook_is_made_anew(repository):
    (repository / "_build/executed/other.ipynb").write_text("{}")
    assert stale(repository) == {"other"}


def test_two_runs_give_the_same_bytes(repository):
    before = (repository / "_build/executed/index.ipynb").read_bytes()
    (repository / "_build/chapters.json").unlink()
    assert "progress" in build(repository, "notebooks")  # stderr is said aloud, and is not in the notebook
    assert (repository / "_build/executed/index.ipynb").read_bytes() == before


def test_a_failing_cell_fails_the_build_and_is_not_remembered(repository):
    write(repository, "book/other.py", CHAPTER.format(title="Other") + "\n# %%\nboom = 1 / 0\n")
    output = build(repository, "notebooks", succeeds=False)
    assert "ZeroDivisionError" in output and "boom = 1 / 0" in output
    assert "other: cell In [" in output and "_build/failed/other.ipynb" in output
    assert stale(repository) == {"other"}
    write(repository, "book/other.py", CHAPTER.format(title="Other"))
    assert executed(build(repository, "notebooks")) == {"other"}, "the last good notebook does not count"


@pytest.mark.parametrize(
    "cell, complaint",
    [(FIGURE, "no alt text"), ("\n# %%\nobject()\n", "memory address")],
    ids=["figure without alt text", "memory address"],
)
def test_outputs_that_cannot_go_on_a_page_fail(repository, cell, complaint):
    write(repository, "book/other.py", CHAPTER.format(title="Other") + cell)
    assert complaint in build(repository, "notebooks", succeeds=False)
    assert stale(repository) == {"other"}


def test_a_chapter_that_does_not_exist_is_one_clear_line(repository):
    output = build(repository, "chapter", "nowhere", succeeds=False)
    assert output.splitlines() == ["There is no chapter 'nowhere'. Say C= one of: index, other"]


def test_a_profile_that_does_not_exist_is_one_clear_line(repository):
    output = build(repository, "chapter", "other", "--profile", "slow", succeeds=False)
    assert output.splitlines() == ["There is no profile 'slow'. Say PROFILE= one of: quick, full"]


def test_a_page_of_the_toc_without_source_is_one_clear_line(repository):
    (repository / "book/other.py").unlink()
    output = build(repository, "notebooks", succeeds=False)
    assert output.splitlines() == ["_toc.yml lists 'other', but there is no book/other.py"]


def test_the_archive_has_the_same_bytes_each_time(repository):
    tool = tool_of(repository)
    tool.HTML.mkdir(parents=True)
    tool.write_archive(["index", "other"])
    before = tool.ARCHIVE.read_bytes()
    for path in (repository / "_build/executed").glob("*.ipynb"):
        path.touch()
    tool.write_archive(["index", "other"])
    assert tool.ARCHIVE.read_bytes() == before
    with zipfile.ZipFile(tool.ARCHIVE) as archive:
        names = {name.removeprefix("abstract-symbols/") for name in archive.namelist()}
    assert {"book/index.ipynb", "book/other.ipynb", "book/results/runs.csv", "requirements.txt"} <= names
    assert not [name for name in names if "__pycache__" in name]


def test_a_pdf_without_chromium_is_one_clear_line(repository, monkeypatch):
    monkeypatch.setenv("PATH", str(repository))
    output = build(repository, "pdf", succeeds=False)
    assert output.splitlines()[-1] == ("The PDF is printed by Chromium, which is not installed. "
                                       "On Debian: apt-get install chromium")
    assert not (repository / "_build/singlehtml").exists()


def test_citations_come_from_their_files(repository):
    shutil.copy(ROOT / "CITATION.cff", repository)
    shutil.copy(ROOT / "book/references.bib", repository / "book")
    spec = importlib.util.spec_from_file_location("citation_of_test", repository / "tools" / "citation.py")
    citation = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(citation)
    cff = (repository / "CITATION.cff").read_text().replace("version: 0.1.0", "version: 9.8\ndate-released: 2031-02-03")
    write(repository, "CITATION.cff", cff)
    entry = citation.entries()["This companion"]
    assert "version = {9.8}," in entry and "year    = {2031}," in entry and entry.count("{") == entry.count("}")
    assert citation.entries()["The paper"] in (ROOT / "book/references.bib").read_text()
    write(repository, "book/references.bib", "")
    with pytest.raises(ValueError, match="boixadsera2024abstract"):
        citation.entries()


@pytest.mark.slow
def test_one_chapter_in_full_then_the_book(repository):
    output = build(repository, "chapter", "other", "--profile", "full")
    assert executed(output) == {"other"}
    assert "_build/html/other.html" in output and "_build/executed/other.ipynb" in output
    assert "profile full" in (repository / "_build/html/other.html").read_text()
    assert executed(build(repository, "book")) == {"other"}, "the book is made of quick chapters"
    assert "The pages are up to date" in build(repository, "book")


@pytest.mark.slow
def test_a_warning_fails_the_build_every_time(repository):
    """Sphinx warns when it reads a page, and reads it once: the second build must not pass."""
    write(repository, "book/other.py", CHAPTER.format(title="Other").replace("$x^2$", "{ref}`nowhere`"))
    assert "nowhere" in build(repository, "book", succeeds=False)
    assert "nowhere" in build(repository, "book", succeeds=False)


@pytest.mark.slow
def test_previews_are_current_on_every_page_when_one_is_written_anew(repository):
    """sphinx-tippy alone would forget the pages that a build does not write."""
    def link(here, there, words):
        text = CHAPTER.format(title=here).replace("A formula", f"{words}: {{doc}}`{there}`. A formula")
        write(repository, f"book/{here}.py", text)

    def previews(name):
        page = (repository / f"_build/html/{name}.html").read_text()
        script = re.search(rf"_static/tippy/{name}\.[^\"?]+\.js", page)[0]
        return (repository / "_build/html" / script).read_text()

    link("index", "other", "Old words")
    link("other", "index", "Old words")
    build(repository, "book")
    assert "Old words" in previews("index") and "Old words" in previews("other")
    link("other", "index", "New words")
    build(repository, "book")
    assert "New words" in previews("index") and "Old words" in previews("other")
