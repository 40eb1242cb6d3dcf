"""Previews of links: what they show, how they open and close, on a desktop and on a phone. The pages behind them."""

import html as markup
import re

import pytest
from test_api import api_names, modules, public

from .conftest import PAGES
from .test_pages import FAINT_TEXT, WIDTHS

LINKS = {  # kind: page, link, words of the preview
    "word": ("same-different", "a[href='notation.html#term-disjoint-templates']", "no two have a string in common"),
    "symbol": ("same-different", "a[href^='notation.html#term']:has(mjx-container)", "falls through one half"),
    "theorem": ("template-matrix", "a[href='#positive-definite']", "their traces are distinct"),
    "theorem elsewhere": ("notation", "a[href='template-matrix.html#template-matrix-decides']", "non-singular"),
    "formula": ("template-matrix", "p:not(details *) > a[href='#equation-cosh']", ""),
    "reference": ("same-different", "a[href^='index.html#id']", "When can transformers reason"),
    "function": ("identity-heads", "a[href$='scalings.head_diagonals']", "diagonal"),
    "chapter": ("same-different", "p a[href='mlps-cannot.html']", "Why fully-connected networks cannot"),
}


def open_page(name, browser, addresses, way="file", width=1280, scheme="light"):
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.goto(f"{addresses[way]}/{name}.html")
    page.wait_for_function("window.MathJax?.startup?.promise")
    page.evaluate("window.MathJax.startup.promise.then(() => null)")
    return page


@pytest.mark.browser
@pytest.mark.parametrize("kind", LINKS)
@pytest.mark.parametrize("how", ["hover", "focus"])
def test_a_preview_opens_and_closes(kind, how, addresses, browser):
    name, link, words = LINKS[kind]
    page = open_page(name, browser, addresses, way="http" if how == "hover" else "file")
    elsewhere, complaints = [], []
    page.on("request", lambda request: elsewhere.append(request.url))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    target, preview = page.locator(f"article.bd-article {link}").first, page.locator(".tippy-box")
    assert not preview.count()
    getattr(target, how)()
    preview.wait_for(state="visible")
    page.wait_for_function("!/\\\\[(\\[]/.test(document.querySelector('.tippy-box').innerText)")  # formulas are typeset
    shown = preview.inner_text()
    assert words in " ".join(shown.split())
    if kind == "formula":
        assert preview.locator("mjx-container").count()
    assert target.get_attribute("aria-describedby") == page.locator("[data-tippy-root]").get_attribute("id")
    page.keyboard.press("Escape")
    preview.wait_for(state="detached")
    page.close()
    assert not complaints
    assert not [url for url in elsewhere if not url.startswith((addresses["http"], addresses["file"], "data:"))]


@pytest.mark.browser
@pytest.mark.parametrize("kind", LINKS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_preview_can_be_read_on_a_phone(kind, scheme, addresses, browser):
    name, link, _ = LINKS[kind]
    page = open_page(name, browser, addresses, width=WIDTHS["phone"], scheme=scheme)
    page.locator(f"article.bd-article {link}").first.focus()
    page.locator(".tippy-box[data-state=visible]").wait_for()
    there, room = page.evaluate("[document.scrollingElement.scrollWidth, window.innerWidth]")
    box = page.locator(".tippy-box").bounding_box()
    assert there <= room and 0 <= box["x"] and box["x"] + box["width"] <= room
    faint = page.evaluate(FAINT_TEXT)
    page.close()
    assert not faint


def test_every_public_name_is_on_the_page(html):
    page = (html / "api.html").read_text()
    for module in modules():
        for name in public(module):
            assert f'id="{module}.{name}"' in page, f"{module}.{name} is not on the page api"


def test_names_in_the_text_link_to_their_documentation(html):
    tool, Entry = api_names(), type("Entry", (), {"objtype": "function"})
    objects = {f"{module}.{name}": Entry for module in modules() for name in public(module)}
    linked = 0
    for page in set(PAGES) - {"api"}:
        text = (html / f"{page}.html").read_text()
        for before, literal in re.findall(r'(<a [^>]*>)?<code class="docutils literal[^>]*>(.*?)</code>', text):
            name = tool.find(markup.unescape(re.sub("<.*?>", "", literal)), objects)
            if name:
                assert f'href="api.html#{name}"' in before, f"{page}: {literal} does not link to {name}"
                linked += 1
    assert linked > 10


def test_every_chapter_links_to_words_that_it_uses(html):
    words = set(re.findall(r'id="(term-[^"]+)"', (html / "notation.html").read_text()))
    for page in set(PAGES) - {"api", "notation"}:
        linked = set(re.findall(r'href="notation\.html#(term-[^"]+)"', (html / f"{page}.html").read_text()))
        assert linked and linked <= words, f"{page}: {linked - words or 'no word is linked'}"
