"""The build itself, on a small book: what is executed again, what is not, what a failure leaves behind."""

import copy
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest
import yaml
from book_tools import PAGES, ROOT, tool

build, citation, notebooks, references = tool("build"), tool("citation"), tool("notebooks"), tool("references")

CHAPTER = '''# %% [markdown]
r"""
# {title}

A formula, $x^2$. {prose}
"""

# %% tags=["parameters"]
profile = "quick"

# %%
import sys
from myst_nb import glue
print("profile", profile)
print("progress", file=sys.stderr)
glue("answer", 42, display=False)
'''
PROJECT = '[project]\nname = "small"\n\n[tool.companion]\ngrids = "nowhere.experiments"\n'


def write(name, text):
    """Write a file of the project, from its folder."""
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(text)


def chapter(name, title="Other", prose="", more=""):
    write(f"book/{name}.py", CHAPTER.format(title=title, prose=prose) + more)


def make_project():
    """A book of two chapters in the working folder."""
    write("pyproject.toml", PROJECT)
    write("_toc.yml", "format: jb-book\nroot: index\nchapters:\n- file: other\n")
    chapter("index", "Index")
    chapter("other")
    write("book/claims.yml", "- id: one\n")
    write("book/results/runs.csv", "n,loss\n4,1.0\n")
    write("book/published/curve.csv", "n,loss\n4,1.0\n")
    write("book/references.bib", "")
    write("src/science/tasks.py", "answer = 1\n")
    write("src/science/spare.py", "answer = 1\n")
    write("requirements.txt", "torch\n")
    shutil.copy(ROOT / "_config.yml", ".")
    for folder in ("_static", "playground"):
        shutil.copytree(ROOT / "book" / folder, Path("book", folder))


class Kernel:
    """Instead of a kernel: remembers what was executed, and says the cell's number and the profile."""

    def __init__(self):
        self.executed, self.fails = [], set()

    def __call__(self, name, profile):
        self.executed.append(name)
        if name in self.fails:
            return False
        notebook = notebooks.source(name)
        place = 1 + next(i for i, cell in enumerate(notebook.cells) if "parameters" in cell.metadata.get("tags", []))
        injected = nbformat.v4.new_code_cell("# Parameters", metadata={"tags": ["injected-parameters"]})
        notebook.cells.insert(place, injected)
        for number, cell in enumerate(notebook.cells):
            if cell.cell_type == "code":
                cell.execution_count = number
                cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=f"{number} {profile}")]
        notebooks.normalise(notebook, name)
        notebooks.write_whole(notebook, notebooks.EXECUTED / f"{name}.ipynb")
        return True

    def since(self):
        """What was executed since the last question."""
        done, self.executed = set(self.executed), []
        return done


@pytest.fixture
def kernel(monkeypatch):
    replaced = Kernel()
    monkeypatch.setattr(build, "run_cells", replaced)
    return replaced


@pytest.fixture
def project(tmp_path, monkeypatch, kernel):
    """A folder of a project, both chapters executed, the working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COMPANION_PROJECT", raising=False)
    make_project()
    run("notebooks")
    assert kernel.since() == {"index", "other"}
    return tmp_path


def run(*arguments):
    """The command in this process."""
    arguments = [*arguments, "--jobs", "1"]
    sys.argv[1:], before = arguments, sys.argv[1:]
    try:
        build.main()
    finally:
        sys.argv[1:] = before


def stale():
    """Names of the chapters that the next build would execute."""
    record = build.load_record()
    return {name for name in build.chapters() if build.reason_to_execute(name, "quick", record, build.shared_inputs())}


def test_toc_and_chapters_agree():
    assert set(PAGES) == {path.stem for path in (ROOT / "book").glob("*.py")}


def test_unchanged_chapters_are_not_executed_again(project, kernel):
    run("notebooks")
    assert kernel.since() == set()


@pytest.mark.parametrize(
    "name", ["src/science/tasks.py", "book/results/runs.csv", "book/published/curve.csv", "book/claims.yml",
             "requirements.txt", "src/science/new.py", "book/results/new.csv"])
def test_a_change_in_what_chapters_use_makes_them_stale(name, project):
    with open(name, "a") as file:
        file.write("\n")
    assert stale() == {"index", "other"}


def test_the_companion_and_the_way_of_executing_are_among_what_chapters_use(project):
    names = {"src/companion/paths.py", "tools/book/execute.py", "tools/book/notebooks.py"}
    assert names <= build.shared_inputs().keys()


def test_a_module_that_is_gone_makes_chapters_stale(project):
    Path("src/science/spare.py").unlink()
    assert stale() == {"index", "other"}


def test_a_file_that_is_only_touched_makes_nothing_stale(project):
    Path("src/science/tasks.py").touch()
    write("src/science/__pycache__/tasks.pyc", "bytes")
    assert stale() == set()


def test_a_chapter_with_other_code_is_executed_and_stays_so(project, kernel):
    chapter("other", more="\n# %%\nprint(1)\n")
    run("notebooks")
    assert kernel.since() == {"other"}
    run("notebooks")
    assert kernel.since() == set()


def test_new_prose_comes_into_the_executed_notebook(project, kernel):
    chapter("other", title="Another", more='\n# %% [markdown]\nr"""\n## New\n"""\n')
    run("notebooks")
    assert kernel.since() == set() and stale() == set()
    cells = nbformat.read(notebooks.EXECUTED / "other.ipynb", as_version=4).cells
    assert [cell.cell_type for cell in cells] == ["markdown", "code", "code", "code", "markdown"]
    assert "# Another" in cells[0].source and cells[4].source == "## New"
    assert [cell.outputs[0].text for cell in cells[1:4]] == ["1 quick", "2 quick", "3 quick"]
    run("notebooks")
    assert kernel.since() == set()


def test_new_tags_of_a_cell_are_no_prose(project):
    text = Path("book/other.py").read_text()
    write("book/other.py", text.replace("# %%\nimport sys", '# %% tags=["remove-input"]\nimport sys'))
    assert stale() == {"other"}


def test_an_edited_executed_notebook_is_made_anew(project):
    (notebooks.EXECUTED / "other.ipynb").write_text("{}")
    assert stale() == {"other"}


def test_a_record_of_an_older_build_is_no_record(project):
    record = build.load_record()
    del record["chapters"]["other"]["text"], record["chapters"]["other"]["inputs"]["its code"]
    build.save_record(record)
    assert stale() == {"other"}


def test_a_failed_chapter_is_not_remembered(project, kernel):
    chapter("other", more="\n# %%\nboom = 1 / 0\n")
    kernel.fails = {"other"}
    with pytest.raises(SystemExit, match="other"):
        run("notebooks")
    assert stale() == {"other"}
    chapter("other")
    kernel.fails, kernel.executed = set(), []
    run("notebooks")
    assert kernel.since() == {"other"}, "the last good notebook does not count"


def test_long_chapters_come_first(project):
    record = {"chapters": {"index": {"seconds": 2.0}, "other": {"seconds": 7.0}}}
    assert build.longest_first(["index", "other"], record) == ["other", "index"]
    chapter("index", prose="long " * 100)
    assert build.longest_first(["other", "index"], {"chapters": {}}) == ["index", "other"]


def test_one_chapter_is_brought_up_to_date_and_no_other(project, kernel, monkeypatch):
    monkeypatch.setattr(build, "build_pages", lambda: None)
    build.HTML.mkdir()
    chapter("other", more="\n# %%\nprint(1)\n")
    chapter("index", more="\n# %%\nprint(1)\n")
    run("chapter", "other")
    assert kernel.since() == {"other"} and stale() == {"index"}
    run("chapter", "other", "--profile", "full")
    assert kernel.since() == {"other"} and stale() == {"index", "other"}, "the book is made of quick chapters"


@pytest.mark.parametrize("arguments, complaint", [
    (["nowhere"], "There is no chapter 'nowhere'. Say C= one of: index, other"),
    (["other", "--profile", "slow"], "There is no profile 'slow'. Say PROFILE= one of: quick, full"),
])
def test_a_name_that_does_not_exist_is_one_clear_line(arguments, complaint, project):
    with pytest.raises(SystemExit) as stop:
        run("chapter", *arguments)
    assert stop.value.code == complaint


def test_a_page_of_the_toc_without_source_is_one_clear_line(project):
    Path("book/other.py").unlink()
    with pytest.raises(SystemExit) as stop:
        run("notebooks")
    assert stop.value.code == "_toc.yml lists 'other', but there is no book/other.py"


def test_without_a_project_there_is_one_clear_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COMPANION_PROJECT", raising=False)
    monkeypatch.setattr("companion.paths._told", [])
    with pytest.raises(SystemExit, match=r"\[tool.companion\]"):
        run("book")


def test_a_project_is_named_from_anywhere(project, kernel, monkeypatch, tmp_path_factory):
    monkeypatch.setenv("COMPANION_PROJECT", "")  # what the command sets is taken back after the test
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    chapter_file = project / "book/other.py"
    chapter_file.write_text(chapter_file.read_text() + "\n# %%\nprint(1)\n")
    run("notebooks", "--project", str(project))
    assert kernel.since() == {"other"}


def test_references_are_of_the_chapters_that_there_are(project):
    cells = nbformat.read("tests/notebooks/other.ipynb", as_version=4).cells
    assert [cell.source.split()[0] for cell in cells] == ["profile", "import"]
    write("_toc.yml", "format: jb-book\nroot: index\n")
    run("notebooks")
    assert {path.name for path in references.REFERENCES.iterdir()} == {"index.ipynb"}


def archived(names=("index", "other")):
    build.HTML.mkdir(parents=True, exist_ok=True)
    build.write_archive(names)
    return build.ARCHIVE.read_bytes()


def test_the_archive_has_the_same_bytes_each_time(project):
    write("src/science/__pycache__/tasks.pyc", "bytes")
    before = archived()
    for path in notebooks.EXECUTED.glob("*.ipynb"):
        path.touch()
    assert archived() == before
    with zipfile.ZipFile(build.ARCHIVE) as archive:
        names = {name.removeprefix("small/") for name in archive.namelist()}
    assert {"book/index.ipynb", "book/other.ipynb", "book/results/runs.csv", "requirements.txt", "pyproject.toml",
            "src/science/tasks.py", "src/companion/paths.py"} <= names
    assert not [name for name in names if "__pycache__" in name or name.startswith(("/", ".."))]


def test_notebooks_of_the_archive_find_their_project(project, tmp_path):
    archived()
    with zipfile.ZipFile(build.ARCHIVE) as archive:
        archive.extractall(tmp_path / "there")
    root = tmp_path / "there" / "small"
    ask = "from companion import paths; print(paths.__file__, paths.results(), sep='\\n')"
    said = subprocess.run([sys.executable, "-c", ask], cwd=root / "book", env={"PYTHONPATH": str(root / "src")},
                          check=True, capture_output=True, text=True).stdout.splitlines()
    assert said == [str(root / "src/companion/paths.py"), str(root / "book/results")]


def test_a_pdf_without_chromium_is_one_clear_line(project, monkeypatch):
    monkeypatch.setenv("PATH", str(project))
    with pytest.raises(SystemExit) as stop:
        run("pdf")
    assert stop.value.code == ("The PDF is printed by Chromium, which is not installed. "
                               "On Debian: apt-get install chromium")
    assert not build.SINGLE.exists()


# ---- notebooks as they are written -------------------------------------------------------------------------------


def cell_with(*outputs):
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("plot()", outputs=list(outputs))])


def output(data, **metadata):
    return nbformat.v4.new_output("display_data", data, metadata=metadata)


PNG = {"image/png": "iVBOR", "text/plain": "<Figure>"}
ALT = {"image/png": {"alt": "A  line."}}


@pytest.mark.parametrize("outputs, complaint", [
    ([output(PNG)], "no alt text"),
    ([output(PNG, **ALT), output(PNG, **ALT)], "two figures"),
    ([output({"text/plain": "<object at 0x7f941965ea00>"})], "memory address"),
    ([output({"application/papermill.record/text/plain": "<object at 0x7f941965ea00>"})], "memory address"),
])
def test_outputs_that_cannot_go_on_a_page_fail(outputs, complaint):
    with pytest.raises(notebooks.BadOutput, match=rf"chapter: .*{complaint}.*cell 1: 'plot\(\)'"):
        notebooks.normalise(cell_with(*outputs), "chapter")


def test_what_differs_between_runs_is_left_out_and_glued_values_stay(capsys):
    glued = output({"application/papermill.record/text/plain": "42"}, scrapbook={"name": "answer", "mime_prefix": "x"})
    notebook = cell_with(nbformat.v4.new_output("stream", name="stderr", text="progress"), output(PNG, **ALT), glued)
    notebook.metadata.papermill = notebook.cells[0].metadata.papermill = {"duration": 1.0}
    notebook.cells[0].metadata["tags"] = []
    notebooks.normalise(notebook, "chapter")
    assert "progress" in capsys.readouterr().out
    assert notebook.metadata == {}
    assert notebook.cells[0].metadata == {"mystnb": {"image": {"alt": "A line."}}}
    assert notebook.cells[0].outputs[1] == glued
    again = copy.deepcopy(notebook)
    notebooks.normalise(again, "chapter")
    assert again == notebook


def test_citations_come_from_their_files(tmp_path):
    (tmp_path / "book").mkdir()
    shutil.copy(ROOT / "book/references.bib", tmp_path / "book")
    cff = (ROOT / "CITATION.cff").read_text()
    cff = re.sub("version: .*", "version: 9.8\ndate-released: 2031-02-03", re.sub("date-released: .*\n", "", cff))
    (tmp_path / "CITATION.cff").write_text(cff)
    entry = citation.entries(tmp_path)["This companion"]
    assert "version = {9.8}," in entry and "year    = {2031}," in entry and entry.count("{") == entry.count("}")
    assert citation.entries(tmp_path)["The paper"] in (ROOT / "book/references.bib").read_text()
    (tmp_path / "book/references.bib").write_text("")
    with pytest.raises(ValueError, match="boixadsera2024abstract"):
        citation.entries(tmp_path)


# ---- from source to page, in processes of its own ----------------------------------------------------------------


def command(root, *arguments, succeeds=True):
    """Run tools/book/build.py for a project and return all it says."""
    process = subprocess.run([sys.executable, ROOT / "tools/book/build.py", *arguments, "--project", root],
                             text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert (process.returncode == 0) == succeeds, process.stdout
    return process.stdout


def executed(said):
    """Names of the chapters that a build executed, from what it said."""
    return {line.split()[2] for line in said.splitlines() if line.startswith("== Executing ")}


LINK = "{words}: {{doc}}`{there}`. The answer is {{glue:text}}`answer`."


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A small book with its pages."""
    root = tmp_path_factory.mktemp("small")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        make_project()
        chapter("index", "Index", LINK.format(words="Old words", there="other"))
        chapter("other", "Other", LINK.format(words="Old words", there="index"))
    assert executed(command(root, "book")) == {"index", "other"}
    return root


@pytest.fixture
def book(built, tmp_path, monkeypatch):
    """A copy of it that a test may change, the working folder."""
    monkeypatch.chdir(shutil.copytree(built, tmp_path / "book"))
    return Path.cwd()


@pytest.mark.slow
def test_a_page_shows_what_its_cells_gave_and_two_runs_give_the_same_bytes(book):
    page, notebook = Path("_build/html/other.html").read_text(), Path("_build/executed/other.ipynb")
    assert "profile quick" in page and re.search("The answer is .*42", page)
    untouched = Path("_build/executed/index.ipynb").read_bytes()
    chapter("other", "New prose in the notebook", more='\n# %% [markdown]\nr"""\n## At the end\n"""\n')
    assert not executed(command(book, "notebooks"))
    spliced = notebook.read_bytes()
    build.RECORD.unlink()
    said = command(book, "notebooks")
    assert executed(said) == {"index", "other"} and "progress" in said, "stderr is said aloud"
    assert notebook.read_bytes() == spliced, "new prose gives the notebook that executing it again gives"
    assert Path("_build/executed/index.ipynb").read_bytes() == untouched


@pytest.mark.slow
def test_a_failing_cell_fails_the_build_and_says_where(book):
    chapter("other", more="\n# %%\nboom = 1 / 0\n")
    said = command(book, "notebooks", succeeds=False)
    assert "ZeroDivisionError" in said and "boom = 1 / 0" in said
    assert "other: cell In [" in said and "_build/failed/other.ipynb" in said
    assert stale() == {"other"}


@pytest.mark.slow
def test_new_prose_is_a_new_page_in_which_every_warning_is_an_error(book):
    """Previews of all pages stay current. A page is read once, and yet a second build must not pass either."""
    def previews(name):
        page = Path(f"_build/html/{name}.html").read_text()
        script = re.search(rf"_static/tippy/{name}\.[^\"?]+\.js", page)[0]
        return (Path("_build/html") / script).read_text()

    chapter("other", "Other", LINK.format(words="New words", there="index"))
    said = command(book, "book")
    assert not executed(said) and "New prose for other" in said
    assert "New words" in Path("_build/html/other.html").read_text()
    assert "New words" in previews("index") and "Old words" in previews("other")
    assert "The pages are up to date" in command(book, "book")
    chapter("other", "Other", "{glue:text}`no-such-value` {ref}`no-such-place`")
    for _ in range(2):
        said = command(book, "book", succeeds=False)
        assert "no-such-value" in said and "no-such-place" in said


def test_every_table_of_contents_is_walked():
    toc = {"root": "a", "parts": [{"chapters": [{"file": "b", "sections": [{"file": "c"}]}]}]}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "read_text", lambda path, **_: yaml.dump(toc))
        patch.setattr(Path, "exists", lambda path: True)
        assert build.chapters() == ["a", "b", "c"]
