"""Everything by keyboard, for readers of the screen, in any theme, on small screens."""

import pytest
from tools.click.planted import planted

pytestmark = pytest.mark.browser


@pytest.fixture
def frames(tmp_path):
    return planted(tmp_path / "flight" / "seq", 4)


@pytest.fixture
def client(tmp_path, frames, served):
    made = served(tmp_path / "flight", labels=("drone",))
    for row, col in frames["f0000.tif"].points:
        made.edit("add", 0, row=row, col=col)
    return made


def violations(page):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    # axe is put into the page as a script of the tests: the policy is not asked for it.
    found = axe.run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        f"{each['id']} ({each['impact']}): {each['nodes'][0]['html'][:160]} - {each['help']}"
        for each in found
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_any_view_or_dialog(client, visit, scheme):
    """T27, W11"""
    user = visit(client, color_scheme=scheme, bypass_csp=True)
    user.press(".")
    assert violations(user.page) == []
    for name in ("All keys", "Settings"):
        user.page.get_by_role("button", name=name, exact=True).click()
        user.page.locator("dialog").wait_for()
        assert violations(user.page) == []
        user.press("Escape")
        user.page.locator("dialog").wait_for(state="detached")
    user.press("j")
    user.page.locator(".review[data-place='0']").wait_for()
    assert violations(user.page) == []
    user.press("g")
    user.page.locator(".sheet-tile").first.wait_for()
    assert violations(user.page) == []
    user.page.get_by_role("link", name="Finish").click()
    user.page.locator(".numbers dd").first.wait_for()
    assert violations(user.page) == []


def test_chosen_states_can_be_told_in_forced_colours(client, visit):
    """T27: nothing that matters is a background that the system takes away."""
    user = visit(client, forced_colors="active")
    user.press(".")
    chosen = user.page.locator(".segments.filters input:checked + span")
    other = user.page.locator(".segments.filters input:not(:checked) + span").first
    colour = "e => getComputedStyle(e).backgroundColor"
    assert chosen.evaluate(colour) != other.evaluate(colour)
    bar = user.page.locator(".target .bar i").first
    assert bar.evaluate(colour) != user.page.locator(".target .bar").first.evaluate(colour)
    outline = "e => getComputedStyle(e).outlineStyle"
    assert user.page.locator(".target.selected").evaluate(outline) == "solid"


def test_a_frame_is_done_without_a_mouse(client, frames, visit):
    """W1, U1: cursor, click, selection, correction, removal, next frame, publish."""
    user = visit(client)
    user.press("d")
    user.on_image("seq/f0001.tif")
    row, col = frames["f0001.tif"].points[0]
    user.press("ArrowUp")  # brings the cursor to the middle of what is in sight
    at = user.page.locator(".status .place").inner_text().split()
    x, y = int(at[1]), int(at[3])
    for _ in range(abs(row - y) // 8):
        user.press("Shift+ArrowDown" if row > y else "Shift+ArrowUp")
    for _ in range(abs(row - y) % 8):
        user.press("ArrowDown" if row > y else "ArrowUp")
    for _ in range(abs(col - x) // 8):
        user.press("Shift+ArrowRight" if col > x else "Shift+ArrowLeft")
    for _ in range(abs(col - x) % 8):
        user.press("ArrowRight" if col > x else "ArrowLeft")
    user.press("Enter")
    user.settle()
    assert user.points("seq/f0001.tif") == [(row, col)]
    said = user.page.locator(".notices .unseen").inner_text()
    assert f"x {col}, y {row}" in said
    assert "confidence" in said
    user.press("]", "p", "Enter", "Escape")  # a level, then a painted pixel where the cursor is
    user.settle()
    user.press("Delete")
    user.settle()
    assert user.points("seq/f0001.tif") == []
    for _ in range(3):
        user.press("z")
    user.settle()
    assert user.points("seq/f0001.tif") == [(row, col)]


def test_focus_is_not_trapped_and_comes_back_from_dialogs(client, visit):
    """W2"""
    user = visit(client)
    user.press("Shift+Slash")
    user.page.locator("dialog").wait_for()
    user.press("Escape")
    user.page.locator("dialog").wait_for(state="detached")
    assert user.page.evaluate("document.activeElement.className") == "stage"
    user.press("Tab")
    assert user.page.evaluate("document.activeElement.className") != "stage"
    seen = set()
    for _ in range(60):
        user.press("Tab")
        seen.add(user.page.evaluate("document.activeElement.tagName + document.activeElement.className"))
    assert len(seen) > 8


def test_letters_write_in_fields_and_do_nothing_else(client, visit):
    """T28, W4"""
    user = visit(client)
    user.press("g")
    user.page.keyboard.type("dnz")
    assert user.page.get_by_role("combobox", name="Find an image").input_value() == "dnz"
    user.press("Escape")
    user.settle()
    assert user.standing("seq/f0000.tif").state == "open"
    assert user.page.evaluate("document.activeElement.className") == "stage"


def test_keys_are_places_whatever_the_layout_or_input_method_makes_of_them(client, visit):
    """T28: an input method turns the key into Process, AZERTY calls the place of W a Z."""
    user = visit(client)
    for key in ("Process", "s"):
        user.page.evaluate(
            """(key) => {
              const sent = { code: "KeyN", key, bubbles: true, cancelable: true };
              document.querySelector(".stage").dispatchEvent(new KeyboardEvent("keydown", sent));
            }""",
            key,
        )
    user.press("d")
    user.on_image("seq/f0001.tif")
    user.page.evaluate(
        """() => {
          const sent = { code: "KeyN", key: "Process", bubbles: true, cancelable: true };
          document.querySelector(".stage").dispatchEvent(new KeyboardEvent("keydown", sent));
        }"""
    )
    user.settle()
    assert user.standing("seq/f0001.tif").state == "empty"


def test_the_help_lists_every_bound_key_and_no_other(client, visit):
    """T35"""
    user = visit(client)
    bound = set(
        user.page.evaluate("async () => (await import('./static/keys.js')).BINDINGS.map((b) => b.code)")
    )
    user.press("Shift+Slash")
    user.page.locator("dialog kbd").first.wait_for()
    shown = set(
        user.page.locator("dialog kbd[data-code]").evaluate_all("all => all.map((e) => e.dataset.code)")
    )
    assert shown == bound
    user.page.get_by_role("searchbox", name="Search the keys").fill("superpixel")
    rows = user.page.locator("dialog dl > div:visible")
    assert rows.count() == 1
    assert rows.inner_text().startswith("X")


def test_a_key_can_be_bound_anew_and_switched_off(client, visit):
    """W4"""
    user = visit(client)
    user.page.get_by_role("button", name="Settings").click()
    row = user.page.locator(".bindings > div", has_text="this image holds no target")
    row.get_by_role("button").click()
    user.press("y")
    assert "is taken" in user.page.locator("dialog [role=status]").inner_text()
    row.get_by_role("button").click()
    user.press("s")
    user.page.get_by_role("button", name="Close").click()
    user.press("d")
    user.on_image("seq/f0001.tif")
    user.press("n")
    user.settle()
    assert user.standing("seq/f0001.tif").state == "open"
    user.press("s")
    user.settle()
    assert user.standing("seq/f0001.tif").state == "empty"


@pytest.mark.parametrize("width", [320, 900])
def test_nothing_is_cut_off_on_a_small_screen(client, visit, width):
    """T34, W9"""
    user = visit(client, viewport={"width": width, "height": 640})
    assert user.page.evaluate("document.documentElement.scrollWidth") <= width
    box = user.page.locator(".stage").bounding_box()
    assert box["width"] >= min(width, 320) - 2
    small = user.page.evaluate(
        """() => [...document.querySelectorAll("button, select, a[href], input:not(.unseen)")]
          .filter((e) => e.checkVisibility() && !e.closest(".skip") && !e.matches(".skip"))
          .map((e) => [e.className || e.name || e.textContent, e.closest("label")?.getBoundingClientRect()
            ?? e.getBoundingClientRect()])
          .filter(([, box]) => box.width && (box.width < 23.5 || box.height < 23.5)).map(([name]) => name)"""
    )
    assert small == []  # W6: at least 24 by 24
