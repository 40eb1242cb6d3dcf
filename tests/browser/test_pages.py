"""Every page in a real browser, once: light and dark, on a desktop and on a phone. Some from the disk as well."""

from pathlib import Path

import axe_playwright_python
import pytest
from book_tools import PAGES, tool
from playwright.sync_api import TimeoutError
from visits import FAINT_TEXT, WIDTHS, visit

pytestmark = pytest.mark.browser

# From the disk the same files give the same layout; links are tested on the files. So a page of each kind is enough.
FROM_DISK = ("index", "same-different", "template-matrix", "playground")
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
# The contrast of text is measured by FAINT_TEXT and links are looked at by COLOUR_ALONE, all of them and in a tenth of
# the time. `preload` would fetch style sheets again, which only the rule of contrast needs.
AXE_OPTIONS = {"resultTypes": ["violations"], "preload": False,
               "rules": {"color-contrast": {"enabled": False}, "link-in-text-block": {"enabled": False}}}
# A drawn formula is hidden from screen readers, which get a copy in MathML. Its glyphs are most of a page's elements.
WITHOUT_GLYPHS = "document.querySelectorAll('mjx-math[aria-hidden=true]').forEach(x => x.replaceChildren())"
# Links amid text that nothing but a colour tells from it
COLOUR_ALONE = """[...document.querySelectorAll("article :is(p, li, dt, dd, th, td) a[href]")].filter(x =>
  x.checkVisibility() && x.innerText.trim() && !x.matches(".headerlink, .btn")
  && x.innerText.trim() !== x.closest("p, li, dt, dd, th, td").innerText.trim()
  && !getComputedStyle(x).textDecorationLine.includes("underline")).map(x => x.outerHTML.slice(0, 100))"""
# What the style sheet lets scroll sideways: by keyboard it takes the focus, or something within it does.
UNREACHABLE = """[...document.querySelectorAll("article, article *")].filter(x => {
  const style = getComputedStyle(x);
  return ["auto", "scroll"].includes(style.overflowX) && x.clientWidth > 0 && x.scrollWidth > x.clientWidth + 1
    && x.tabIndex < 0 && ![...x.querySelectorAll("*")].some(y => y.tabIndex >= 0);
}).map(x => x.outerHTML.slice(0, 100))"""
# Things that answer to a click but not to the Tab key
MOUSE_ONLY = """[...document.querySelectorAll("a[href], button, input, select, summary, [onclick], [role=button]")]
  .filter(x => x.tabIndex < 0 && x.checkVisibility({visibilityProperty: true}) && !x.disabled)
  .map(x => x.outerHTML.slice(0, 100))"""


@pytest.fixture(scope="module")
def context(browser):
    """Pages that share a cache: the scripts of all pages are the same."""
    context = browser.new_context()
    yield context
    context.close()


MODULES = tool("api_pages").modules()
A_MODULE, A_SOURCE = "abstract_symbols.templates", "_modules/abstract_symbols/templates"
TALLEST = 12_000  # pixels, on a desktop


@pytest.mark.parametrize("name", [*PAGES, "search", "genindex", A_MODULE, A_SOURCE])
def test_page(name, addresses, context):
    """Formulas, images, points, headings; then layout, contrast, the keyboard's reach, and what axe finds.

    Light on a desktop, dark on a phone: no style gives a width colours of its own.
    """
    with visit(context, addresses["http"], name) as page:
        if name == "playground":
            page.wait_for_selector("#playground[data-ready]")
        check_formulas(page)
        check_images(page)
        check_points(page)
        if name != "search":  # the theme puts its title beside the article, and nothing else into it
            check_headings(page)
        for device, scheme in (("desktop", "light"), ("phone", "dark")):
            page.set_viewport_size({"width": WIDTHS[device], "height": 900})
            page.emulate_media(color_scheme=scheme)
            page.wait_for_function(f"document.documentElement.dataset.theme === '{scheme}'")
            check_width(page, device)
            faint = page.evaluate(FAINT_TEXT)
            assert not faint, f"hard to read in {scheme} mode on a {device}: {faint}"
            check_reach(page, device)
        assert not page.evaluate(COLOUR_ALONE)
        page.evaluate(WITHOUT_GLYPHS)
        page.evaluate(AXE)
        check_access(page, "phone", "{exclude: ['article.bd-article']}")  # the text is the same on a desktop
        page.set_viewport_size({"width": WIDTHS["desktop"], "height": 900})
        check_access(page, "desktop")


@pytest.mark.parametrize("name", FROM_DISK)
def test_page_from_the_disk(name, addresses, browser):
    with visit(browser, addresses["file"], name) as page:
        check_formulas(page)
        check_images(page)


def test_pages_of_modules_fit_on_a_phone_and_are_not_too_tall(addresses, browser, html):
    """Their elements are those of the one that is looked at closely; their lengths and their longest words differ."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()

    def too_much(names, device, side, most):
        page.set_viewport_size({"width": WIDTHS[device], "height": 900})
        for name in names:
            page.goto(f"{addresses['file']}/{name}.html")
            found = page.evaluate(f"document.scrollingElement.scroll{side}")
            if found > most:
                yield name, found

    largest = sorted(MODULES, key=lambda name: (html / f"{name}.html").stat().st_size)[-8:]
    assert not [*too_much(MODULES, "phone", "Width", WIDTHS["phone"])]
    assert not [*too_much(["api", *largest], "desktop", "Height", TALLEST)]
    context.close()


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


def check_reach(page, device):
    """All is within reach of the keyboard."""
    try:  # tab stops follow a change of the width after some tenths of a second
        page.wait_for_function(f"!({UNREACHABLE}).length", timeout=5000)
    except TimeoutError:
        pytest.fail(f"scrolls by mouse only on a {device}: {page.evaluate(UNREACHABLE)}")
    assert not page.evaluate(MOUSE_ONLY)


def check_access(page, device, part="document"):
    """axe-core finds nothing serious."""
    result = page.evaluate(f"options => axe.run({part}, options)", AXE_OPTIONS)
    assert result["testEngine"]["name"] == "axe-core"
    found = [(violation["id"], [node["html"][:200] for node in violation["nodes"][:3]])
             for violation in result["violations"] if violation["impact"] in ("serious", "critical")]
    assert not found, f"on a {device}: {found}"


def check_points(page):
    """Every figure of data has its points, within the picture. Tiles are no data, nor is an empty grid."""
    wrong = page.evaluate("""[...document.querySelectorAll("article .cell_output img")].filter(image => {
      if (/\\btiles\\b/.test(image.alt)) return false;
      if (/No run is done yet/i.test(image.alt) && !/ at \\w+ = /.test(image.alt)) return false;
      const layers = image.closest(".points-around")?.querySelectorAll(":scope > .points-layer") ?? [];
      if (layers.length !== 1) return true;
      const box = layers[0].getBoundingClientRect(), picture = image.getBoundingClientRect();
      const left = box.x - picture.x, narrower = picture.width - box.width;
      return !(0 <= left && left < 12 && 0 <= narrower && narrower < 24);
    }).map(image => image.alt.slice(0, 80))""")
    assert not wrong, f"figures without their points: {wrong}"


def test_many_figures_have_points(html):
    """The check above has something to look at."""
    assert sum((html / f"{name}.html").read_text().count('class="points"') for name in PAGES) > 50


def check_headings(page):
    """One title, and no level is skipped on the way down."""
    headings = "document.querySelectorAll('article :is(h1, h2, h3, h4, h5, h6)')"
    levels = page.evaluate(f"[...{headings}].map(x => +x.tagName[1])")
    assert levels.count(1) == 1 and levels[0] == 1, levels
    skipped = [(a, b) for a, b in zip(levels, levels[1:], strict=False) if b > a + 1]
    assert not skipped, levels


def test_the_checks_find_what_is_planted(browser):
    """They must see an image without words, a scrolling box without a tab stop, a link that is told by its colour."""
    page = browser.new_page()
    page.set_content("<html lang=en><title>x</title><main><article><h1>x</h1><img src='data:,'>"
                     f"<pre style='overflow-x: auto; width: 300px'>{'wide text ' * 60}</pre>"
                     "<p>A <a href='#a'>good</a> and a <a href='#b' style='text-decoration: none'>bad</a> link."
                     "</article>")
    page.evaluate(AXE)
    found = {violation["id"] for violation in page.evaluate("o => axe.run(document, o)", AXE_OPTIONS)["violations"]}
    assert {"image-alt", "scrollable-region-focusable"} <= found
    assert len(page.evaluate(UNREACHABLE)) == 1
    assert [link[:11] for link in page.evaluate(COLOUR_ALONE)] == ['<a href="#b']
    page.close()


def test_folded_parts_open_by_keyboard(addresses, browser):
    page = browser.new_page()
    page.goto(f"{addresses['file']}/{PAGES[1]}.html")
    for selector in ("details.values", "table.scoreboard details"):
        page.locator(f"{selector} > summary").first.focus()
        page.keyboard.press("Enter")
        assert page.locator(selector).first.get_attribute("open") is not None
    page.close()


def test_citation_is_copied(addresses, browser):
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(f"{addresses['http']}/index.html")
    copied = []
    for button in page.locator(".citation-box button.copybtn").all():
        page.evaluate("navigator.clipboard.writeText('')")
        button.click()
        page.wait_for_function("navigator.clipboard.readText()")
        copied.append(page.evaluate("navigator.clipboard.readText()"))
    context.close()
    assert [text.split("{")[0] for text in copied] == ["@inproceedings", "@software"]
    assert "2310.09753" in copied[0] and "The authors of this companion" in copied[1]


@pytest.mark.parametrize("way", ["http", "file"])
def test_search_finds_a_word(way, addresses, browser):
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


def test_the_scoreboard_filters_by_verdict_origin_and_chapter_and_opens_to_the_evidence(addresses, browser):
    page = browser.new_page()
    page.goto(addresses["file"] + "/claims.html")
    rows = page.locator("table.scoreboard tbody tr:visible")
    alone = page.locator("table.scoreboard tbody tr:not(.family):visible")
    every = rows.count()
    verdict, origin, chapter = page.locator(".filters select").all()
    verdict.select_option("v-held")
    held = rows.count()
    assert 0 < held < every and set(alone.locator(".verdict").all_inner_texts()) == {"held"}
    chapter.select_option("c-same-different")
    assert 0 < rows.count() < held
    assert all({"v-held", "c-same-different"} < set(names.split()) for names in
               rows.evaluate_all("rows => rows.map(row => row.className)"))
    rows.first.locator("summary").first.click()
    assert "python -m abstract_symbols run same-different" in rows.first.inner_text()
    verdict.select_option("")
    chapter.select_option("")
    assert rows.count() == every
    origin.select_option("o-papers-theorem")
    assert 0 < rows.count() < every
    origin.select_option("")
    family = page.locator("tr.family").first
    family.locator("summary").first.click()
    inside = family.locator("tr:visible")
    members = inside.count()
    assert members > 1 and rows.count() == every + members
    verdict.select_option("v-undecided")
    assert set(family.locator("tr:visible .verdict").all_inner_texts()) <= {"undecided"}
    page.close()


def test_every_claim_is_an_address_on_the_page_of_all_claims(html):
    from companion.claims import claims

    text = (html / "claims.html").read_text(encoding="utf-8")
    assert all(f'id="{name}"' in text for name in claims())
