"""Opening a page of the book in a browser, and what a visit must find."""

from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import BrowserContext

WIDTHS = {"desktop": 1280, "phone": 360}
# Text and its background, for all text that is laid out: the relative luminance and contrast of WCAG 2.
FAINT_TEXT = (Path(__file__).parents[1] / "browser" / "faint_text.js").read_text()


@contextmanager
def visit(browser, address, name, width=WIDTHS["desktop"], warnings=False, **options):
    """The page of this name, its formulas typeset. At the end nothing may be complained of or asked of other hosts.

    A context in the place of the browser shares what it fetched before; it takes no options.
    """
    if isinstance(browser, BrowserContext):
        page = browser.new_page()
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme="light")
    else:
        page = browser.new_page(viewport={"width": width, "height": 900}, **{"color_scheme": "light"} | options)
    found = []
    levels = ("error", "warning") if warnings else ("error",)
    page.on("console", lambda message: found.append(message.text) if message.type in levels else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    if options.get("java_script_enabled", True):  # without it scripts are asked for and refused
        page.on("requestfailed", lambda request: found.append(f"failed: {request.url}"))
    page.on("request", lambda request: None if request.url.startswith((address, "data:", "blob:"))
            else found.append(f"asks {request.url}"))
    page.goto(f"{address}/{name}.html")
    if options.get("java_script_enabled", True):
        page.wait_for_function("window.MathJax?.startup?.promise || !document.querySelector('.math')")
        page.evaluate("window.MathJax?.startup?.promise?.then(() => null)")
    try:
        yield page
    finally:
        page.close()
    assert not found, f"{name}: {found}"
