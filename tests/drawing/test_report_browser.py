"""The report page in a browser: keys, filters, whole device pixels, and no errors."""

import pytest
from tools.click.browser import Watch
from tools.pages import Job

pytestmark = pytest.mark.browser

FOCUSED = "Number(document.activeElement.parentElement.dataset.rank)"
SHOWN = "[...document.querySelectorAll('.tile:not([hidden])')].map((tile) => Number(tile.dataset.confidence))"


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """A report of 24 targets, least sure first: confidences 0.02, 0.06 and so on."""
    job = Job(tmp_path_factory.mktemp("report"))
    for k in range(24):
        size = {"shape": (260, 400)} if k == 5 else {}
        confidence = round(0.02 + 0.04 * k, 4)
        job.add(f"{k:02d}.png", [(30, 30)], seed=k, size=size, confidence=confidence, area=k + 1)
    job.entries[3]["targets"][0]["flags"] = ["clipped"]
    return job.report()


@pytest.fixture
def opened(browser, report):
    """Open the report in a window of its own."""
    contexts = []

    def show(fragment="", width=1000, height=700, **options):
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        page = context.new_page()
        watch = Watch(page, report.as_uri())
        contexts.append((context, watch))
        page.goto(report.as_uri() + fragment)
        return page

    yield show
    for context, watch in contexts:
        assert watch.faults == []
        context.close()


def test_keys_walk_through_the_sheet_and_the_enlarged_targets(opened):
    page = opened()
    for key, rank in (("j", 0), ("j", 1), ("ArrowRight", 2), ("k", 1), ("End", 23), ("j", 23), ("Home", 0)):
        page.keyboard.press(key)
        assert page.evaluate(FOCUSED) == rank, key
    list_of = "getComputedStyle(document.getElementById('tiles')).gridTemplateColumns"
    across = page.evaluate(f"{list_of}.split(' ').length")
    page.keyboard.press("ArrowDown")
    assert page.evaluate(FOCUSED) == across
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    assert page.inner_text("#place") == "1 of 24"
    for key, place in (("ArrowLeft", 24), ("j", 1), ("ArrowRight", 2), ("j", 3), ("End", 24), ("Home", 1)):
        page.keyboard.press(key)
        assert page.inner_text("#place") == f"{place} of 24", key
    for _ in range(3):
        page.keyboard.press("j")
    assert "clipped: The mask reaches the border" in page.text_content("#stage")
    closed = "new Promise(done => document.querySelector('dialog[open]').addEventListener('close', done))"
    page.evaluate(f"window.told = {closed}.then(() => 0); 0")
    page.keyboard.press("Escape")
    page.evaluate("window.told")  # of what the browser tells in a later task than it gives back the focus
    assert page.evaluate(FOCUSED) == 3


def test_letters_in_a_field_are_text(opened):
    page = opened()
    page.focus("input[name=text]")
    page.keyboard.type("jk")
    assert page.input_value("input[name=text]") == "jk"
    assert page.locator(".tile:visible").count() == 0
    assert page.is_visible("#none")


def test_only_one_tile_is_in_the_order_of_the_tab_key(opened):
    page = opened()
    assert page.locator(".tiles button[tabindex='0']").count() == 1
    assert page.locator(".tiles button[tabindex='-1']").count() == 23


def test_bars_filter_and_a_second_click_takes_it_back(opened):
    page = opened()
    bar = page.locator(".chart[data-field=confidence] button").nth(4)
    bar.click()
    assert page.evaluate(SHOWN) == [0.22]
    assert bar.get_attribute("aria-pressed") == "true"
    assert page.inner_text("#count") == "1 of 24 shown"
    assert "from=0.2&to=0.2499" in page.url
    bar.click()
    assert len(page.evaluate(SHOWN)) == 24
    page.locator(".chart[data-field=area] button:enabled").last.click()
    assert page.evaluate(SHOWN)[-1] == 0.94
    assert len(page.evaluate(SHOWN)) < 24
    page.click("button[type=reset]")
    page.wait_for_function("document.getElementById('count').textContent === ''")


def test_the_address_holds_the_view(opened):
    page = opened("#sort=-confidence&to=0.5&view=mask&flag=clipped")
    assert page.evaluate(SHOWN) == [0.14]
    assert page.locator(".tile:visible svg:visible").count() == 1
    page = opened("#sort=-confidence&from=0.9")
    assert page.evaluate(SHOWN) == [0.94, 0.9]


@pytest.mark.parametrize("ratio", [1, 1.25, 1.5, 2])
def test_pixels_are_whole_device_pixels(opened, ratio):
    page = opened(device_scale_factor=ratio)
    sizes = (
        "(svgs) => svgs.map((one) => one.getBoundingClientRect().width * devicePixelRatio"
        " / one.style.getPropertyValue('--shown'))"
    )
    scales = page.eval_on_selector_all(".tiles svg", sizes)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    scales += page.eval_on_selector_all("#stage svg", sizes)
    assert len(scales) == 24 * 4 + 4
    assert [scale for scale in scales if abs(scale - round(scale)) > 0.01 or scale < 0.99] == []
    assert max(scales) > round(4 * ratio)


def test_the_chosen_view_survives_forced_colours(opened):
    page = opened(forced_colors="active")
    chosen, other = (
        page.evaluate(
            f"getComputedStyle(document.querySelector('label:has([value={view}])')).backgroundColor"
        )
        for view in ("all", "mask")
    )
    assert chosen != other


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (420, "dark")])
def test_nothing_is_wider_than_the_window_and_axe_finds_nothing(opened, width, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = opened(width=width, height=900, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert axe.Axe().run(page).response["violations"] == []
    page.focus(".tiles button")
    page.keyboard.press("Enter")
    assert axe.Axe().run(page).response["violations"] == []
