"""Every page in a real browser: over http and from the disk, light and dark, on a desktop and on a phone."""

from pathlib import Path

import pytest

from .conftest import PAGES

pytestmark = pytest.mark.browser

WIDTHS = {"desktop": 1280, "phone": 360}
# Text and its background, for all text that is laid out: the relative luminance and contrast of WCAG 2.
FAINT_TEXT = (Path(__file__).parent / "faint_text.js").read_text()


@pytest.fixture(params=["http", "file"])
def way(request):
    return request.param


@pytest.mark.parametrize("name", PAGES)
def test_page(name, way, addresses, browser):
    page = browser.new_page(viewport={"width": WIDTHS["desktop"], "height": 900}, color_scheme="light")
    requests, complaints = [], []
    page.on("request", lambda request: requests.append(request.url))
    page.on("requestfailed", lambda request: complaints.append(f"failed: {request.url}"))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{addresses[way]}/{name}.html")
    page.wait_for_function("window.MathJax?.startup?.promise || !document.querySelector('.math')")
    page.evaluate("window.MathJax?.startup?.promise?.then(() => null)")

    check_formulas(page)
    check_images(page)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_function(f"document.documentElement.dataset.theme === '{scheme}'")
        for device, width in WIDTHS.items():
            page.set_viewport_size({"width": width, "height": 900})
            check_width(page, device)
            faint = page.evaluate(FAINT_TEXT)
            assert not faint, f"hard to read in {scheme} mode on a {device}: {faint}"
    page.close()
    assert not complaints
    elsewhere = [url for url in requests if not url.startswith((addresses[way], "data:", "blob:"))]
    assert not elsewhere, f"{name} asks other hosts: {elsewhere}"


def check_formulas(page):
    """Every formula of the source is typeset, none as an error."""
    written, typeset, errors = page.evaluate(
        "['.math', '.math mjx-container', 'mjx-merror'].map(x => document.querySelectorAll(x).length)"
    )
    assert typeset >= written, f"{written} formulas, but only {typeset} are typeset"
    assert not errors, f"{errors} formulas are typeset as an error"


def check_images(page):
    """Every image of the text is there and says in words what it shows."""
    images = page.evaluate(
        "[...document.querySelectorAll('article img')].map(x => [x.src, x.alt, x.naturalWidth])"
    )
    assert not [source for source, words, _ in images if not words.strip()], "images without alt text"
    assert not [source for source, _, width in images if not width], "images that do not load"


def check_width(page, device):
    """The page itself never scrolls sideways, folded parts unfolded too."""
    page.evaluate("document.querySelectorAll('details').forEach(x => x.open = true)")
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    there, room = page.evaluate("[document.scrollingElement.scrollWidth, window.innerWidth]")
    assert there <= room, f"on a {device} the page is {there} px wide, {there - room} more than the screen"


def test_search_finds_a_word(addresses, way, browser):
    page = browser.new_page()
    page.goto(f"{addresses[way]}/search.html?q=transformer")
    page.wait_for_selector("#search-results li a", timeout=10_000)
    page.close()


def test_theme_switch_works(addresses, browser):
    page = browser.new_page(color_scheme="light")
    page.goto(f"{addresses['http']}/{PAGES[0]}.html")
    seen = set()
    for _ in range(3):
        page.click("button.theme-switch-button >> visible=true")
        seen.add(page.evaluate("document.documentElement.dataset.theme"))
    page.close()
    assert seen == {"light", "dark"}


def test_the_scoreboard_filters_by_verdict_and_chapter_and_opens_to_the_evidence(addresses, browser):
    page = browser.new_page()
    page.goto(addresses["file"] + "/index.html")
    rows = page.locator("table.scoreboard tbody tr:visible")
    every = rows.count()
    verdict, chapter = page.locator(".filters select").all()
    verdict.select_option("v-held")
    held = rows.count()
    assert 0 < held < every and set(rows.locator(".verdict").all_inner_texts()) == {"held"}
    chapter.select_option("c-same-different")
    assert 0 < rows.count() < held
    assert set(rows.evaluate_all("rows => rows.map(row => row.className)")) == {"v-held c-same-different"}
    rows.first.locator("summary").click()
    assert "python -m abstract_symbols run same-different" in rows.first.inner_text()
    verdict.select_option("")
    chapter.select_option("")
    assert rows.count() == every
    page.close()
