"""Previews of links: what they show, how they open and close, on a desktop and on a phone. The pages behind them."""

import html as markup
import re

import pytest
from book_tools import PAGES, modules, public, tool
from visits import FAINT_TEXT, WIDTHS, visit

LINKS = {  # kind: page, link, words of the preview
    "word": ("same-different", "a[href='notation.html#term-disjoint-templates']", "no two have a string in common"),
    "symbol": ("same-different", "a[href^='notation.html#term']:has(mjx-container)", "stays below one half"),
    "theorem": ("template-matrix", "a[href='#positive-definite']", "their traces are distinct"),
    "theorem elsewhere": ("notation", "a[href='template-matrix.html#template-matrix-decides']", "non-singular"),
    "formula": ("template-matrix", "p:not(details *) > a[href='#equation-cosh']", ""),
    "reference": ("same-different", "a[href^='index.html#id']", "When can transformers reason"),
    "function": ("identity-heads", "a[href$='scalings.head_diagonals']", "diagonal"),
    "chapter": ("same-different", "p a[href='mlps-cannot.html']", "Why fully-connected networks cannot"),
}


@pytest.mark.browser
@pytest.mark.parametrize("kind", LINKS)
def test_a_preview_opens_and_closes_and_can_be_read_on_a_phone(kind, addresses, browser):
    """Under the pointer and the focus on a desktop; in both colours on a phone."""
    name, link, words = LINKS[kind]
    with visit(browser, addresses["http"], name) as page:
        target, preview = page.locator(f"article.bd-article {link}").first, page.locator(".tippy-box")
        for how in ("hover", "focus"):
            assert not preview.count()
            getattr(target, how)()
            preview.wait_for(state="visible")
            # Until formulas are typeset
            page.wait_for_function("!/\\\\[(\\[]/.test(document.querySelector('.tippy-box').innerText)")
            assert words in " ".join(preview.inner_text().split())
            if kind == "formula":
                assert preview.locator("mjx-container").count()
            root = page.locator("[data-tippy-root]").get_attribute("id")
            assert target.get_attribute("aria-describedby") == root
            page.keyboard.press("Escape")
            preview.wait_for(state="detached")
            page.mouse.move(0, 0)
        page.set_viewport_size({"width": WIDTHS["phone"], "height": 900})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.wait_for_function(f"document.documentElement.dataset.theme === '{scheme}'")
            target.blur()
            target.focus()
            page.locator(".tippy-box[data-state=visible]").wait_for()
            there, room = page.evaluate("[document.scrollingElement.scrollWidth, window.innerWidth]")
            box = preview.bounding_box()
            assert there <= room and 0 <= box["x"] and box["x"] + box["width"] <= room
            faint = page.evaluate(FAINT_TEXT)
            assert not faint, f"hard to read in {scheme} mode: {faint}"
            page.keyboard.press("Escape")
            preview.wait_for(state="detached")


@pytest.mark.browser
def test_previews_work_from_the_disk(addresses, browser):
    name, link, words = LINKS["theorem elsewhere"]
    with visit(browser, addresses["file"], name) as page:
        page.locator(f"article.bd-article {link}").first.focus()
        page.locator(".tippy-box[data-state=visible]").wait_for()
        assert words in page.locator(".tippy-box").inner_text()


def test_every_public_name_is_documented_once_with_its_source(html):
    pages = {path.stem: path.read_text() for path in html.glob("*.html")}
    for module in modules():
        for name in public(module):
            there = [page for page, text in pages.items() for _ in range(text.count(f'id="{module}.{name}"'))]
            assert there == [module], f"{module}.{name} is documented on {there}"
            source = f"_modules/{module.replace('.', '/')}.html"
            assert f'href="{source}#{name}"' in pages[module] and f'id="{name}"' in (html / source).read_text()


def test_names_in_the_text_link_to_their_documentation(html):
    find, Entry = tool("api_names").find, type("Entry", (), {"objtype": "function"})
    objects = {f"{module}.{name}": Entry for module in modules() for name in public(module)}
    linked = 0
    for page in set(PAGES) - {"api"}:
        text = (html / f"{page}.html").read_text()
        for before, literal in re.findall(r'(<a [^>]*>)?<code class="docutils literal[^>]*>(.*?)</code>', text):
            name = find(markup.unescape(re.sub("<.*?>", "", literal)), objects)
            if name:
                assert f'.html#{name}"' in before, f"{page}: {literal} does not link to {name}"
                linked += 1
    assert linked > 10


def test_every_chapter_links_to_words_that_it_uses(html):
    words = set(re.findall(r'id="(term-[^"]+)"', (html / "notation.html").read_text()))
    for page in set(PAGES) - {"api", "notation"}:
        linked = set(re.findall(r'href="notation\.html#(term-[^"]+)"', (html / f"{page}.html").read_text()))
        assert linked and linked <= words, f"{page}: {linked - words or 'no word is linked'}"
