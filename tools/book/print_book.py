"""The book as one PDF and as one HTML file: Jupyter Book's single page, arranged for paper, printed by Chromium.

Nothing is downloaded, no LaTeX is needed. Proofs and tables of values are open; code that is folded on the pages is
left out, for the notebooks have it; the playground, which needs a browser, says where it is.
"""

import base64
import mimetypes
import re
import shutil
import sys
from collections import Counter
from pathlib import Path

import citation
from bs4 import BeautifulSoup, Tag
from playwright.sync_api import Page, sync_playwright

TOOLS = Path(__file__).resolve().parent
LETTERS = re.compile(r"\\\((\w+)(?:_(?:\\text)?\{(?:\\text\{)?(\w+)\}+)?\\\)")  # a formula of a letter and its index
SHARED_IDS = re.compile("(try|run-it-yourself|the-.+|is-it-still-true-a-live-check)$")  # in several chapters
NO_CHROMIUM = "The PDF is printed by Chromium, which is not installed. On Debian: apt-get install chromium"
SCREEN_ONLY = (".headerlink, .filters, .board > style, .sd-summary-state-marker, details.hide > summary, noscript, "
               "script, button")
ELSEWHERE = "This page computes in a browser. Open playground.html of the book, which `make book` puts in _build/html."
LEFT_OUT = "Folded code is left out here: the pages and the executed notebooks of the book have it."


def chromium() -> str:
    """Where Chromium is."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    sys.exit(NO_CHROMIUM)


def print_book(single: Path, toc: dict, config: dict, names: list[str], pdf: Path, html: Path) -> None:
    """Write both files, with the chapters of these names, from the folder of the single page."""
    arranged = single / "print.html"
    arranged.write_text(arrange(single, toc, config, names), encoding="utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = browser.new_page(color_scheme="light", viewport={"width": 658, "height": 980})  # 174 mm
        page.set_default_timeout(300_000)
        page.emulate_media(media="print")
        page.goto(arranged.resolve().as_uri())
        page.evaluate("MathJax.startup.promise.then(() => null)")
        page.evaluate("Promise.all([...document.images].map(x => x.decode())).then(() => null)")
        page.evaluate((TOOLS / "fit_to_paper.js").read_text())
        page.pdf(path=pdf.with_suffix(".unfinished"), prefer_css_page_size=True, print_background=True,
                 outline=True, tagged=True)
        html.write_text(alone(page, single), encoding="utf-8")
        browser.close()
    pdf.with_suffix(".unfinished").replace(pdf)


# Arranging


def arrange(single: Path, toc: dict, config: dict, names: list[str]) -> str:
    """The single page as a document of its own: cover, contents, the chapters of these names, references."""
    source = BeautifulSoup((single / "index.html").read_text(encoding="utf-8"), "html.parser")
    article = source.select_one("article.bd-article")
    tidy(article)
    every = split(article, [toc["root"], *(name for _, some in parts(toc) for name in some)])
    references = take_references(every[toc["root"]])
    chapters = {name: section for name, section in every.items() if name in names}
    unlink(chapters, [section for name, section in every.items() if name not in names])
    point_inside(chapters, toc["root"])
    unlink_modules(chapters)
    styles = "".join(str(link) for link in source.select("head link[rel=stylesheet]"))
    body = "".join(str(chapter) for chapter in chapters.values())
    return f"""<!DOCTYPE html>
<html lang="en" data-theme="light" data-mode="light"><head><meta charset="utf-8"><title>{config["title"]}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
{styles}<style>{(TOOLS / "print.css").read_text()}</style>
<script>MathJax = {{options: {{processHtmlClass: "math", enableMenu: false}}}}</script>
<script src="_static/mathjax/tex-chtml.js"></script></head>
<body><main class="bd-main"><div class="bd-content"><div class="bd-article-container"><article class="bd-article">
{cover(config)}{contents(toc, chapters)}{body}{references}
</article></div></div></main></body></html>"""


def parts(toc: dict) -> list[tuple[str, list[str]]]:
    """(caption, names of its chapters) for each part of _toc.yml."""
    if "parts" not in toc:
        return [("", [entry["file"] for entry in toc.get("chapters", [])])]
    return [(part.get("caption", ""), [entry["file"] for entry in part["chapters"]]) for part in toc["parts"]]


def tidy(article: Tag) -> None:
    """Take away what is for the screen; open what is folded."""
    for fold in article.select("details"):
        if fold.select_one(".cell_input") and not fold.select_one(".cell_output"):
            fold.decompose()
        else:
            fold["open"] = ""
    for gone in article.select(SCREEN_ONLY):
        gone.decompose()
    if playground := article.select_one("#playground"):
        playground.clear()
        playground.append(ELSEWHERE)
    for link in article.select("a[href='notebooks.zip']"):
        link.find_parent("p").decompose()
    for formula in article.select(":is(h1, h2, h3, h4) .math"):  # the PDF's outline is plain text
        if letters := LETTERS.fullmatch(formula.get_text().strip()):
            index = f"<sub>{letters[2]}</sub>" if letters[2] else ""
            formula.replace_with(BeautifulSoup(f"<em>{letters[1]}</em>{index}", "html.parser"))
    for box in article.select(".citation-box"):  # the cover has it
        box.find_parent("section").decompose()


def split(article: Tag, names: list[str]) -> dict[str, Tag]:
    """{name: its section}, headings one level up, each chapter a section with the id document-NAME."""
    chapters = {}
    for name in names[1:]:
        mark = article.find(id=f"document-{name}")
        section = mark.find_next_sibling("section")
        mark.decompose()
        chapters[name] = section.extract()
        for level in range(2, 7):
            for heading in chapters[name].find_all(f"h{level}"):
                heading.name = f"h{level - 1}"
    for wrapper in article.select(".toctree-wrapper"):
        wrapper.decompose()
    chapters = {names[0]: article.find("section").extract(), **chapters}
    for name, section in chapters.items():
        section["id"], section["class"] = f"document-{name}", "chapter"
        close_scoreboard(section, name)
    return chapters


def close_scoreboard(section: Tag, name: str) -> None:
    """A claim's evidence is printed in its own chapter, not once more in a collection of all chapters."""
    for board in section.select("table.scoreboard"):
        links = {link.get("href") for link in board.select("details a")}
        if links != {f"{name}.html"}:
            for fold in board.select("details"):
                fold.replace_with(fold.summary.get_text())


def take_references(section: Tag) -> str:
    """The bibliography, as a chapter at the end."""
    found = section.select_one(".citation-list")
    if not found:
        return ""
    found = found.find_parent("section").extract()
    heading = found.find(re.compile("h[1-6]"))
    heading.name = "h1"
    found["id"], found["class"] = "document-references", "chapter"
    return str(found)


def unlink(chapters: dict[str, Tag], left_out: list[Tag]) -> None:
    """Links to places in chapters that are left out become text."""
    gone = {tag["id"] for section in left_out for tag in [section, *section.find_all(id=True)]}
    for section in chapters.values():
        for link in section.find_all("a", href=re.compile(r"^(index\.html)?#")):
            if link["href"].partition("#")[2] in gone:
                link.unwrap()


def point_inside(chapters: dict[str, Tag], root: str) -> None:
    """Links among chapters lead within the document. Ids that chapters share get the chapter's name."""
    for name, section in chapters.items():
        for link in section.find_all("a", href=True):
            page, _, anchor = link["href"].partition("#")
            other = page.removesuffix(".html")
            if other in chapters:
                link["href"] = f"#{anchor}" if anchor else f"#document-{other}"
            elif page and "://" not in page and not page.startswith("mailto:"):
                link.unwrap()  # a file beside the pages
        if name != root:
            for tag in section.find_all("section", id=SHARED_IDS.match):
                tag["id"] = f"{name}-{tag['id']}"


def unlink_modules(chapters: dict[str, Tag]) -> None:
    """Links to the pages of modules, which are not printed, become text."""
    for section in chapters.values():
        for link in section.find_all("a", href=re.compile(r"^#(document-|module-)?(abstract_symbols|companion)\.")):
            link.unwrap()


def cover(config: dict) -> str:
    """Title, what it is, how to cite."""
    cite = "".join(f'<p class="plain">{what}</p><pre>{text}</pre>' for what, text in citation.entries(Path()).items())
    return (f'<section class="cover"><img src="_static/logo.svg" alt=""><p class="title">{config["title"]}</p>'
            f'<p class="subtitle">A runnable companion</p><p>{LEFT_OUT}</p>'
            f'<p class="plain">How to cite</p>{cite}</section>')


def contents(toc: dict, chapters: dict[str, Tag]) -> str:
    """The table of contents: parts, chapters, sections."""
    titles = Counter(heading.get_text() for chapter in chapters.values() for heading in chapter.find_all("h2"))
    usual = {title for title, times in titles.items() if times > 3}  # such as “Run it yourself”
    lines = [entry(chapters[toc["root"]], usual)]
    for caption, names in parts(toc):
        inside = [entry(chapters[name], usual) for name in names if name in chapters]
        lines += [f'<li class="part">{caption}</li>'] * bool(caption and inside) + inside
    lines.append('<li><a href="#document-references">References</a></li>')
    return f'<nav class="book-contents"><h1>Contents</h1><ul>{"".join(lines)}</ul></nav>'


def entry(section: Tag, usual: set[str]) -> str:
    """A chapter's line and its sections', but for the usual ones."""
    headings = [(part["id"], part.find("h2")) for part in section.find_all("section", id=True, recursive=False)]
    inner = "".join(f'<li><a href="#{anchor}">{heading.decode_contents()}</a></li>'
                    for anchor, heading in headings if heading and heading.get_text() not in usual)
    return (f'<li class="chapter-line"><a href="#{section["id"]}">{section.find("h1").decode_contents()}</a>'
            f"<ul>{inner}</ul></li>")


# One HTML file


def alone(page: Page, single: Path) -> str:
    """The document as it stands, formulas typeset, without scripts; styles, fonts and images inside."""
    page.evaluate((TOOLS / "gather_styles.js").read_text())
    text = page.content()
    text = re.sub(r'<link\b[^>]*\brel="stylesheet"[^>]*>', lambda m: style_of(m[0], single), text)
    text = re.sub(r'(<img[^>]* src=")([^":]+)"', lambda m: f'{m[1]}{data(single / m[2])}"', text)
    return re.sub(r'url\("file://([^"]+)"\)', lambda m: f'url("{data(Path(m[1]))}")', text)


def style_of(link: str, single: Path) -> str:
    """The style sheet of a link, as an element."""
    address = re.search(r'href="([^"?]+)', link)[1]
    return f"<style>{rules_of(single / address)}</style>"


def rules_of(path: Path) -> str:
    """A style sheet with those it imports, without other files: FontAwesome's fonts, which no text here uses."""
    rules = re.sub(r"@import\s+(?:url\()?[\"']?([^\"')?;]+)[^;]*;", lambda m: rules_of(path.parent / m[1]),
                   path.read_text(encoding="utf-8"))
    return re.sub(r"url\((?!.?data:)[^)]*\)", "none", rules)


def data(path: Path) -> str:
    """A file as an address."""
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"
