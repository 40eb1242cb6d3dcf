"""The book on paper, three chapters of it: formulas typeset, links and outline that lead somewhere, nothing cut off.

They have what the others have: formulas, theorems and proofs, tables, figures, the scoreboard. `make pdf` prints all.
"""

import ctypes
import re
import statistics
import subprocess
import sys
import unicodedata

import nbformat
import pypdfium2 as pdfium
import pytest
from book_tools import ROOT
from pypdfium2 import raw

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PRINTED = ("index", "same-different", "template-matrix")
PDF, ONE_FILE = (ROOT / "_build" / f"excerpt.{kind}" for kind in ("pdf", "html"))


@pytest.fixture(scope="module")
def command():
    """What prints them. In a process of its own: Playwright wants no second loop in this one."""
    return [sys.executable, ROOT / "tools" / "book" / "build.py", "pdf", "--only", *PRINTED]


@pytest.fixture(scope="module")
def pdf(chromium_path, html, command):
    """The document, made of the notebooks as they are."""
    subprocess.run(command, cwd=ROOT, check=True)
    with pdfium.PdfDocument(PDF) as document:
        yield document


@pytest.fixture(scope="module")
def texts(pdf):
    return [page.get_textpage().get_text_range() for page in pdf]


def squeezed(text):
    """Letters and digits alone: lines break where they like, and a hyphen is no letter."""
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", text))


def titles():
    """The chapters' titles, formulas taken out."""
    for name in PRINTED:
        notebook = nbformat.read(ROOT / "_build" / "executed" / f"{name}.ipynb", as_version=4)
        yield re.search(r"^# (.+)$", notebook.cells[0].source, re.MULTILINE)[1]


def test_each_chapter_is_there_and_in_the_outline(pdf, texts):
    everything = squeezed("".join(texts))
    outline = [squeezed(mark.get_title()) for mark in pdf.get_toc() if mark.level == 0]
    for title in titles():
        assert squeezed(title) in everything and squeezed(title) in outline, title
    assert outline[-1] == "References"
    pages = [mark.get_dest().get_index() for mark in pdf.get_toc()]
    assert pages == sorted(pages) and pages[-1] == len(pdf) - 1


def test_formulas_are_typeset(texts):
    everything = "".join(texts)
    assert everything.count("⊤") > 50, "the sign of the transpose is in formulas only"
    assert not re.search(r"\\\(|\\\[|\\frac|\\top|Math input error", everything)
    assert "\ufffd" not in everything


def test_size(pdf):
    assert 15 < len(pdf) < 80
    assert 3e5 < PDF.stat().st_size < 10e6
    assert 1e6 < ONE_FILE.stat().st_size < 20e6


def test_pages_are_numbered_but_for_the_cover(texts):
    numbers = [re.match(r"(\d+)\s", text) for text in texts]
    assert [int(number[1]) for number in numbers[1:]] == list(range(2, len(texts) + 1))
    assert "@inproceedings{" in texts[0] and "@software{" in texts[0] and "Contents" in texts[1]


def test_links_within_lead_to_pages(pdf):
    """Every entry of the contents is a link to a later page; no link leads to a file beside the PDF."""
    targets = links(pdf, 1)
    assert len(targets) >= 2 * len(PRINTED)
    assert all(index > 1 for index in targets)
    for page in pdf:
        assert not [address for address in addresses(pdf, page) if not address.startswith(("http", "mailto"))]


def each_link(page):
    position, link = ctypes.c_int(0), raw.FPDF_LINK()
    while raw.FPDFLink_Enumerate(page.raw, position, link):
        yield link


def links(pdf, index):
    """Indices of the pages that links on a page lead to."""
    destinations = [raw.FPDFLink_GetDest(pdf.raw, link) for link in each_link(pdf[index])]
    return [raw.FPDFDest_GetDestPageIndex(pdf.raw, destination) for destination in destinations if destination]


def addresses(pdf, page):
    """Addresses that links on a page name."""
    for link in each_link(page):
        action = raw.FPDFLink_GetAction(link)
        if action and (size := raw.FPDFAction_GetURIPath(pdf.raw, action, None, 0)):
            buffer = ctypes.create_string_buffer(size)
            raw.FPDFAction_GetURIPath(pdf.raw, action, buffer, size)
            yield buffer.value.decode()


def test_nothing_reaches_into_the_margin(pdf):
    """Text and images end where the right margin begins, 18 mm from the edge.

    (MathJax draws long bars as one glyph, thousands of points wide to both sides, and clips it.)
    """
    for number, page in enumerate(pdf, start=1):
        edge = page.get_width() - 17 / 25.4 * 72
        things = page.get_objects((raw.FPDF_PAGEOBJ_TEXT, raw.FPDF_PAGEOBJ_IMAGE))
        bounds = [thing.get_bounds() for thing in things]
        wide = [round(right) for left, _, right, _ in bounds if right > edge and left >= 0]
        assert not wide, f"page {number}: {wide} beyond {edge:.0f}"


def test_one_file_stands_alone(pdf, browser):
    """It asks for nothing, runs no script, and shows its formulas and figures."""
    page = browser.new_page()
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(ONE_FILE.as_uri())
    assert [url for url in requests if not url.startswith("data:")] == [ONE_FILE.as_uri()]
    formulas, scripts, images, broken = page.evaluate(
        "[document.querySelectorAll('mjx-container').length, document.scripts.length, document.images.length,"
        " [...document.images].filter(x => !x.naturalWidth).length]")
    assert formulas > 200 and images > 5 and not scripts and not broken
    missing = page.evaluate("""[...document.querySelectorAll('a[href^="#"]')].map(x => x.getAttribute('href').slice(1))
                               .filter(x => !document.getElementById(x))""")
    assert not missing
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_one_file_can_be_read_on_a_phone(pdf, browser, scheme):
    """It does not scroll sideways, its text keeps a margin, and what is wide scrolls within itself."""
    page = browser.new_page(viewport={"width": 360, "height": 740}, color_scheme=scheme)
    page.goto(ONE_FILE.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    lines = page.evaluate("""[...document.querySelectorAll('article p')].map(x => x.getBoundingClientRect())
                             .filter(x => x.width).map(x => [x.left, x.right])""")
    assert len(lines) > 100 and min(left for left, _ in lines) >= 12
    assert statistics.median(right for _, right in lines) <= 348
    cut = page.evaluate("""[...document.querySelectorAll('article :is(table, pre, img, mjx-container)')].filter(x => {
        if (x.getBoundingClientRect().right <= 360) return false;
        for (let box = x; box && box.tagName !== 'ARTICLE'; box = box.parentElement)
          if (['auto', 'scroll'].includes(getComputedStyle(box).overflowX)
              && box.getBoundingClientRect().right <= 360) return false;
        return true;
      }).map(x => x.outerHTML.slice(0, 200))""")
    assert not cut
    page.close()


def test_an_unchanged_pdf_is_not_made_again(pdf, command):
    before = PDF.stat().st_mtime_ns
    again = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    assert "The PDF is up to date" in again.stdout
    assert PDF.stat().st_mtime_ns == before
