"""Every chapter has a page, and every link inside the book leads somewhere. This needs no browser."""

from html.parser import HTMLParser
from urllib.parse import unquote, urldefrag, urlsplit

import pytest

from .conftest import PAGES


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
    return {path.name: Page(path.read_text()) for path in html.glob("*.html")}


def test_every_chapter_has_a_page(pages):
    assert {f"{name}.html" for name in PAGES} <= pages.keys()


def leads_somewhere(link, name, pages, html):
    """Whether a link on the page `name` has a target; other sites are taken on trust."""
    if urlsplit(link).scheme in ("http", "https", "mailto"):
        return True
    path, anchor = (unquote(part) for part in urldefrag(link))
    if not anchor:
        return (html / (path or name)).exists()
    return (path or name) in pages and anchor in pages[path or name].anchors


def test_links_lead_somewhere(pages, html):
    links = [(name, link) for name, page in pages.items() for link in page.links]
    assert not [(name, link) for name, link in links if not leads_somewhere(link, name, pages, html)]


def test_pages_load_nothing_from_elsewhere(pages, html):
    assets = {(name, asset) for name, page in pages.items() for asset in page.assets}
    outside = [pair for pair in assets if urlsplit(pair[1]).netloc]
    assert not outside
    missing = [(name, asset) for name, asset in assets if not (html / unquote(urlsplit(asset).path)).exists()]
    assert not missing


def test_pages_show_no_cell_of_parameters(html):
    for name in PAGES:
        assert "injected-parameters" not in (html / f"{name}.html").read_text()
        assert "# Parameters" not in (html / f"{name}.html").read_text()
