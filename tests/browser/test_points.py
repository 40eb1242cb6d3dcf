"""Points of figures on the built pages: under mouse, finger and keyboard; without JavaScript the picture alone."""

from base64 import b64encode
from contextlib import ExitStack

import pytest
from visits import visit

from companion import experiments, published, results

pytestmark = pytest.mark.browser

NAME = "same-different"
TIP = ".points-tip:visible"


@pytest.fixture
def open_page(addresses, browser):
    """A function that opens a page of the book; nothing may be complained of."""
    with ExitStack() as pages:
        def opened(name=NAME, width=1200, way="http", **options):
            return pages.enter_context(visit(browser, addresses[way], name, width, warnings=True, **options))

        yield opened


def option(page, series, x):
    """A point of the page's only figure with points."""
    return page.locator(f'[role="option"][aria-label^="{series}, {x}:"]')


def centre(locator):
    box = locator.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def expected(series, n):
    """What the point must say, from the results file."""
    rows = results.load(NAME)
    losses = rows[(rows["series"] == series) & (rows["n"] == n)]["test_loss"]
    return f"mean test loss {losses.mean():.3f} ± {losses.sem():.3f}, {len(losses)} seeds"


def hover(page, series, n):
    point = option(page, series, f"n = {n}")
    point.scroll_into_view_if_needed()
    page.mouse.move(*centre(point))
    return page.locator(TIP)


@pytest.mark.parametrize("way", ["http", "file"])
def test_a_hovered_point_shows_what_the_results_file_has(way, open_page):
    page = open_page(way=way)
    tip = hover(page, "Transformer", 64)
    assert tip.inner_text().splitlines() == ["Transformer", "n = 64", expected("Transformer", 64)]
    paper = published.published(NAME, "Transformer").set_index("x")["y"][256]
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
        loss = published.published("lr-n", f"lr = {lr}").set_index("x")["y"][n]
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
