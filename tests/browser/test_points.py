"""Points of figures on the built pages: under mouse, finger and keyboard; without JavaScript the picture alone."""

import re
from base64 import b64encode

import pytest

from abstract_symbols import claims, experiments

from .conftest import PAGES

pytestmark = pytest.mark.browser

NAME = "same-different"
TIP = ".points-tip:visible"


@pytest.fixture(params=["http", "file"])
def open_page(request, addresses, browser):
    """A function that opens a page of the book; nothing may be complained of."""
    pages, complaints = [], []

    def opened(name=NAME, width=1200, **options):
        page = browser.new_page(viewport={"width": width, "height": 900}, **options)
        page.on("console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{addresses[request.param]}/{name}.html")
        pages.append(page)
        return page

    yield opened
    for page in pages:
        page.close()
    assert not complaints


def option(page, series, x):
    """A point of the page's only figure with points."""
    return page.locator(f'[role="option"][aria-label^="{series}, {x}:"]')


def centre(locator):
    box = locator.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def expected(series, n):
    """What the point must say, from the results file."""
    rows = experiments.load(NAME)
    losses = rows[(rows["series"] == series) & (rows["n"] == n)]["test_loss"]
    return f"mean test loss {losses.mean():.3f} ± {losses.sem():.3f}, {len(losses)} seeds"


def hover(page, series, n):
    point = option(page, series, f"n = {n}")
    point.scroll_into_view_if_needed()
    page.mouse.move(*centre(point))
    return page.locator(TIP)


def test_a_hovered_point_shows_what_the_results_file_has(open_page):
    page = open_page()
    tip = hover(page, "Transformer", 64)
    assert tip.inner_text().splitlines() == ["Transformer", "n = 64", expected("Transformer", 64)]
    paper = claims.published(NAME, "Transformer").set_index("x")["y"][256]
    tip = hover(page, "Transformer (paper)", 256)
    assert tip.inner_text().splitlines() == ["Transformer (paper)", "n = 256", f"test loss {paper:.3f}"]
    page.mouse.move(5, 5)
    assert page.locator(TIP).count() == 0


def test_every_point_of_ours_is_there_and_lies_within_the_picture(open_page):
    page = open_page(width=360)
    for series in experiments.experiment(NAME).series:
        for n in experiments.experiment(NAME).grid["n"]:
            label = option(page, series, f"n = {n}").get_attribute("aria-label")
            assert label == f"{series}, n = {n}: {expected(series, n)}"
    layer = page.locator(".points-layer").first
    layer.scroll_into_view_if_needed()
    image = page.locator(".points-around img").first.bounding_box()
    for point in layer.locator('[role="option"]').all():
        x, y = centre(point)
        assert image["x"] < x < image["x"] + image["width"] and image["y"] < y < image["y"] + image["height"]


@pytest.mark.parametrize("width", [1200, 360])
def test_the_point_lies_on_its_marker(open_page, width):
    """The picture on the screen has the series' colour where the point is."""
    page = open_page(width=width, device_scale_factor=1)
    point = option(page, "Modified transformer", "n = 1024")
    point.scroll_into_view_if_needed()
    x, y = (round(at) for at in centre(point))
    pixels = page.evaluate("""async ([x, y, png]) => {
      const image = new Image(); image.src = png; await image.decode();
      const context = new OffscreenCanvas(image.width, image.height).getContext('2d');
      context.drawImage(image, 0, 0);
      return [...context.getImageData(x, y, 1, 1).data];
    }""", [x, y, screenshot(page)])
    green = (0x02, 0x9E, 0x73)  # seaborn's third colour-blind one
    assert max(abs(a - b) for a, b in zip(pixels[:3], green, strict=True)) < 40, pixels


def screenshot(page):
    return "data:image/png;base64," + b64encode(page.screenshot()).decode()


def test_the_keyboard_walks_along_a_curve_and_between_curves(open_page):
    page = open_page()
    page.locator(".points-around a").first.focus()
    page.keyboard.press("Tab")

    def focused():
        label = page.evaluate("document.activeElement.getAttribute('aria-label')")
        tip = page.locator(TIP)
        if tip.count():
            name, x, y = tip.inner_text().splitlines()
            assert label == f"{name}, {x}: {y}", "the tooltip says what is read aloud"
        return label.split(":")[0], tip.count()

    start, shown = focused()
    series, x = start.rsplit(", ", 1)
    assert (x, shown) == ("n = 4", 1)
    page.keyboard.press("ArrowRight")
    assert focused() == (f"{series}, n = 8", 1)
    page.keyboard.press("ArrowDown")
    other = focused()[0]
    assert other.endswith(", n = 8") and not other.startswith(f"{series},")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert focused()[0] == f"{series}, n = 4", "it stops at the end"
    page.keyboard.press("Escape")
    assert focused() == (f"{series}, n = 4", 0)
    page.keyboard.press("Enter")
    assert focused()[1] == 1
    page.keyboard.press("End")
    page.keyboard.press("Tab")
    assert page.locator(TIP).count() == 0, "one stop of the Tab key"
    assert page.evaluate("document.activeElement.getAttribute('role')") != "option"
    assert page.url.endswith(f"{NAME}.html"), "the theme turns pages with the arrow keys"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_tap_opens_a_tooltip_that_stays_within_the_figure_on_a_phone(open_page, scheme):
    page = open_page(width=360, has_touch=True, color_scheme=scheme)
    for n in (4, 4096):
        point = option(page, "Fully-connected", f"n = {n}")
        point.scroll_into_view_if_needed()
        page.touchscreen.tap(*centre(point))
        tip, image = page.locator(TIP).bounding_box(), page.locator(".points-around img").first.bounding_box()
        assert image["x"] <= tip["x"] and tip["x"] + tip["width"] <= image["x"] + image["width"]
        assert image["y"] <= tip["y"] and tip["y"] + tip["height"] <= image["y"] + image["height"]
        assert page.evaluate("document.scrollingElement.scrollWidth <= window.innerWidth")
    text, ground = page.locator(TIP).evaluate("""tip => ['color', 'backgroundColor'].map(
        name => getComputedStyle(tip)[name].match(/[0-9]+/g).slice(0, 3).map(Number))""")
    assert (sum(text) > sum(ground)) == (scheme == "dark")
    assert page.url.endswith(f"{NAME}.html"), "a tap on a point does not open the picture"


def test_beside_the_points_the_picture_opens_as_before(open_page):
    page = open_page()
    page.route("**/favicon.ico", lambda route: route.fulfill(status=204))  # a picture alone names no icon
    box = page.locator(".points-layer").first
    box.scroll_into_view_if_needed()
    box.click(position={"x": 3, "y": 3})
    page.wait_for_url("**/_images/*.png")


def test_without_javascript_and_in_print_there_is_the_picture_alone(open_page):
    page = open_page(java_script_enabled=False)
    image = page.locator("img[alt^='Line chart: test loss']").first
    assert image.is_visible() and image.get_attribute("alt") and page.locator(".points-layer").count() == 0
    assert expected("Transformer", 64) not in page.locator("article").first.inner_text()
    page = open_page()
    hover(page, "Transformer", 64)
    page.emulate_media(media="print")
    assert page.locator(".points-layer").first.is_hidden() and page.locator(".points-around img").first.is_visible()


@pytest.mark.parametrize("width", [1200, 360])
def test_a_cell_of_a_heat_map_speaks_wherever_it_is_touched(open_page, width):
    """Also in its corner: the paper's losses by learning rate and n."""
    page = open_page("sensitivity", width)
    for lr, n in [("0.001", 64), ("0.03", 16), ("0.0001", 1024)]:
        loss = claims.published("lr-n", f"lr = {lr}").set_index("x")["y"][n]
        words = [f"the paper, learning rate = {lr}", f"n = {n}", f"test loss on unseen symbols = {loss:.4g}"]
        cell = option(page, *words[:2])
        assert cell.get_attribute("aria-label") == f"{words[0]}, {words[1]}: {words[2]}"
        cell.scroll_into_view_if_needed()
        box = cell.bounding_box()
        for across, down in [(0.5, 0.5), (0.06, 0.06), (0.94, 0.94)]:
            page.mouse.move(5, 5)
            page.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"])
            assert page.locator(TIP).inner_text().splitlines() == words
    cell.focus()
    page.keyboard.press("ArrowDown")
    focused = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert focused.startswith("the paper, learning rate = ") and ", n = 1024:" in focused and f"= {lr}," not in focused


@pytest.mark.parametrize("open_page", ["file"], indirect=True)
def test_every_figure_of_data_has_its_points(open_page):
    """A picture without points shows tiles, not data, or has nothing to draw yet."""
    found = 0
    for name in PAGES:
        page = open_page(name)
        for picture in page.locator("article .cell_output img").all():
            words = picture.get_attribute("alt")
            if re.search(r"\btiles\b", words):
                continue
            if re.search("No run is done yet", words, re.IGNORECASE) and not re.search(r" at \w+ = ", words):
                continue  # nothing is drawn there, or the paper's curve alone
            layer = picture.locator("xpath=ancestor::*[contains(@class, 'points-around')]/*[@class='points-layer']")
            assert layer.count() == 1, f"{name}: {words[:80]}"
            found += 1
            box, image = layer.bounding_box(), picture.bounding_box()
            assert 0 <= box["x"] - image["x"] < 12 and 0 <= image["width"] - box["width"] < 24
        page.close()
    assert found > 50
