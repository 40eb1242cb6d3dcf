"""Every chapter has a page, and every link inside the book leads somewhere. This needs no browser."""

import json
import posixpath
import zipfile
from html.parser import HTMLParser
from urllib.parse import unquote, urldefrag, urlsplit

import nbclient
import nbformat
import pytest
from book_tools import PAGES


class Page(HTMLParser):
    """The places a page has and those it points to."""

    def __init__(self, text):
        super().__init__()
        self.anchors, self.links, self.assets = set(), set(), set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.anchors |= {attributes.get("id"), attributes.get("name")} - {None}
        if tag == "a" and attributes.get("href"):
            self.links.add(attributes["href"])
        elif tag in ("img", "script") and attributes.get("src"):
            self.assets.add(attributes["src"])
        elif tag == "link" and attributes.get("rel") != "canonical":
            self.assets.add(attributes.get("href", ""))


@pytest.fixture(scope="module")
def pages(html):
    paths = [*html.glob("*.html"), *html.glob("_modules/**/*.html")]
    return {str(path.relative_to(html)): Page(path.read_text()) for path in paths}


def test_every_chapter_has_a_page(pages):
    assert {f"{name}.html" for name in PAGES} <= pages.keys()


def leads_somewhere(link, name, pages, html):
    """Whether a link on the page `name` has a target; other sites are taken on trust."""
    if urlsplit(link).scheme in ("http", "https", "mailto"):
        return True
    path, anchor = (unquote(part) for part in urldefrag(link))
    path = posixpath.normpath(posixpath.join(posixpath.dirname(name), path)) if path else name
    return anchor in pages[path].anchors if anchor and path in pages else not anchor and (html / path).exists()


def test_links_lead_somewhere(pages, html):
    links = [(name, link) for name, page in pages.items() for link in page.links]
    assert not [(name, link) for name, link in links if not leads_somewhere(link, name, pages, html)]


def test_pages_load_nothing_from_elsewhere(pages, html):
    assets = {(name, asset) for name, page in pages.items() for asset in page.assets}
    outside = [pair for pair in assets if urlsplit(pair[1]).netloc]
    assert not outside
    missing = [(name, asset) for name, asset in assets if not (html / name).parent.joinpath(
        unquote(urlsplit(asset).path)).exists()]
    assert not missing


def test_pages_show_no_cell_of_parameters(html):
    for name in PAGES:
        assert "injected-parameters" not in (html / f"{name}.html").read_text()
        assert "# Parameters" not in (html / f"{name}.html").read_text()


@pytest.mark.parametrize("name", PAGES)
def test_executed_notebook_can_be_downloaded(name, pages, html):
    assert f"_sources/{name}.ipynb" in pages[f"{name}.html"].links
    notebook = nbformat.read(html / "_sources" / f"{name}.ipynb", as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in code if cell.source.strip())
    shown = [cell for cell in code if not {"parameters", "injected-parameters"} & set(cell.metadata.get("tags", ()))]
    assert not shown or any(cell.outputs for cell in shown)  # pages of prose have a cell of parameters alone


def test_archive_of_notebooks_runs_by_itself(html, tmp_path, monkeypatch):
    """Unpacked somewhere else, a notebook runs with the archive's package and results, and says what it said."""
    with zipfile.ZipFile(html / "notebooks.zip") as archive:
        archive.extractall(tmp_path)
    root = tmp_path / "abstract-symbols"
    assert {path.stem for path in (root / "book").glob("*.ipynb")} == set(PAGES)
    for name in ("HOW-TO-RUN.txt", "LICENSE", "README.md", "requirements.txt", "pyproject.toml", "CITATION.cff"):
        assert (root / name).read_text().strip()
    monkeypatch.setenv("PYTHONPATH", str(root / "src"))
    monkeypatch.delenv("COMPANION_PROJECT", raising=False)
    notebook = nbformat.read(root / "book" / "not-reproduced.ipynb", as_version=4)
    before = texts(notebook)
    notebook.cells.append(nbformat.v4.new_code_cell("from companion import paths\nprint(paths.__file__, paths.book())"))
    nbclient.NotebookClient(notebook, resources={"metadata": {"path": str(root / "book")}}).execute()
    where = notebook.cells.pop().outputs[0].text.split()
    assert where == [str(root / "src/companion/paths.py"), str(root / "book")]
    assert texts(notebook) == before


def texts(notebook):
    """What the cells show as text or HTML."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    shown = [{kind: text for kind, text in output.get("data", {}).items() if kind.startswith("text/")}
             for output in outputs]
    return [json.dumps(data, sort_keys=True) for data in shown]
