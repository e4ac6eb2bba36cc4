"""Clicks on the image: the right pixel, the mask of `annotate`, nothing by accident."""

import numpy as np
import pytest
from tools.click.planted import mask_of, planted
from tools.folders import save

pytestmark = pytest.mark.browser


@pytest.fixture
def frames(tmp_path):
    return planted(tmp_path / "flight", 3)


@pytest.fixture
def user(tmp_path, frames, served, visit):
    return visit(served(tmp_path / "flight"))


def test_a_folder_is_done_by_a_click_a_target_and_a_key_a_frame(user, frames):
    """U1: no key beyond these, nothing is saved by hand, each mask is that of `annotate`."""
    for k, (name, scene) in enumerate(frames.items()):
        user.on_image(name)
        for row, col in scene.points:
            user.click(row, col)
        if k + 1 < len(frames):
            user.press("d")
    for name, scene in frames.items():
        assert user.points(name) == list(scene.points)
        shape = scene.image.shape
        assert np.array_equal(user.server_mask(name, shape), mask_of(scene.image, scene.points))


def test_the_overlay_covers_the_pixels_of_annotate_s_mask_and_no_other(user, frames):
    """T1"""
    scene = next(iter(frames.values()))
    row, col = scene.points[0]
    user.click(row, col)
    user.zoom_to(16, row, col)
    user.press("o", "Escape")  # filled; nothing selected
    user.page.mouse.move(5, 5)
    user.painted()
    expected = mask_of(scene.image, [(row, col)])
    assert np.array_equal(user.filled_mask(scene.image.shape), expected)


@pytest.mark.parametrize("ratio", [1, 1.25, 1.5, 2])
def test_the_pixel_under_the_pointer_is_the_one_that_is_recorded(tmp_path, frames, served, visit, ratio):
    """T2: corner pixels of the frame, at their corners, at device ratios also of a zoomed browser."""
    user = visit(served(tmp_path / "flight"), device_scale_factor=ratio)
    name = next(iter(frames))
    height, width = frames[name].image.shape
    corners = [(0, 0), (0, width - 1), (height - 1, 0), (height - 1, width - 1)]
    inside = 0.02
    for k, (row, col) in enumerate(corners):
        across, down = [
            (inside, inside),
            (1 - inside, inside),
            (inside, 1 - inside),
            (1 - inside, 1 - inside),
        ][k]
        user.page.mouse.click(*user.place(row, col, across, down))
        user.settle()
    assert user.points(name) == corners


@pytest.mark.parametrize("zoom", [0.9, 1.1])
def test_a_zoomed_browser_gives_the_right_pixel(tmp_path, frames, served, visit, zoom):
    """T2: browser zoom is a device ratio that is no whole number, on a page of another size."""
    viewport = {"width": round(1200 / zoom), "height": round(760 / zoom)}
    user = visit(served(tmp_path / "flight"), device_scale_factor=zoom, viewport=viewport)
    name = next(iter(frames))
    wanted = [(3, 5), (50, 77), (95, 127)]
    for row, col in wanted:
        user.click(row, col, keys=("Shift",))
    assert user.points(name) == wanted


def test_a_drag_pans_and_adds_nothing_and_two_quick_clicks_are_two(user, frames):
    """T5"""
    name = next(iter(frames))
    before = user.view
    start = user.place(60, 60)
    user.drag(start, (start[0] + 40, start[1] + 25))
    assert (user.view["x"] - before["x"], user.view["y"] - before["y"]) == (40, 25)
    assert user.points(name) == []
    user.drag(user.place(60, 60), (user.place(60, 60)[0] + 3, user.place(60, 60)[1]))  # a shaky click
    user.click(20, 20, wait=False)
    user.click(80, 100, wait=False)
    user.settle()
    assert len(user.points(name)) == 3
    assert user.points(name)[1:] == [(20, 20), (80, 100)]


def test_a_right_click_removes_the_right_one_of_two_and_nothing_far_off(user, frames):
    """T6"""
    name, scene = next(iter(frames.items()))
    (row, col), _ = scene.points
    user.click(row, col)
    user.click(row + 2, col + 1, keys=("Shift",))
    user.page.mouse.click(*user.place(5, 5), button="right")
    user.settle()
    assert user.points(name) == [(row, col), (row + 2, col + 1)]
    user.click(row + 2, col + 1, button="right")
    assert user.points(name) == [(row, col)]


def test_the_same_pixel_twice_is_refused_with_a_note(user, frames):
    """M9"""
    name, scene = next(iter(frames.items()))
    row, col = scene.points[0]
    user.click(row, col)
    user.click(row, col, keys=("Shift",))
    assert "already" in user.note
    assert user.points(name) == [(row, col)]


def test_a_point_moves_by_drag_and_by_arrows_to_the_same_mask_in_one_step_each(user, frames):
    """T7"""
    name, scene = next(iter(frames.items()))
    row, col = scene.points[0]
    user.click(row + 2, col)
    first = user.standing(name).targets[0]
    user.drag(user.place(row + 2, col), user.place(row, col), steps=6)
    dragged = user.standing(name).targets[0]
    assert dragged.point == (row, col)
    assert np.array_equal(user.server_mask(name, scene.image.shape), mask_of(scene.image, [(row, col)]))
    user.press("z")
    user.settle()
    assert user.standing(name).targets[0].rle == first.rle
    assert user.points(name) == [(row + 2, col)]
    user.click(row + 2, col)  # selects it
    user.press("ArrowUp", "ArrowUp")
    user.settle()
    moved = user.standing(name).targets[0]
    assert (moved.point, moved.rle) == (dragged.point, dragged.rle)
    user.press("z")
    user.settle()
    assert user.points(name) == [(row + 1, col)]


def test_the_marker_is_painted_before_the_server_has_answered(user, frames):
    """P5: in the same frame as the click."""
    name = next(iter(frames))
    held = []
    user.page.route("**/api/edits", lambda route: held.append(route))
    user.page.mouse.move(*user.place(40, 40))
    user.painted()
    x, y = user.place(40, 40)
    painted = user.page.evaluate(
        """([x, y]) => new Promise((done) => {
          const stage = document.querySelector(".view .stage");
          const at = { clientX: x, clientY: y, pointerId: 1, bubbles: true };
          const say = (type) => new PointerEvent(type, at);
          requestAnimationFrame(() => {
            // Input comes before the callbacks of a frame; ours are asked for after the page's own.
            stage.dispatchEvent(say("pointerdown"));
            stage.dispatchEvent(say("pointerup"));
            requestAnimationFrame(() => {
              const canvas = stage.querySelector("canvas.marks");
              const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
              let red = 0;
              for (let i = 0; i < data.length; i += 4) red += data[i] === 255 && data[i + 1] === 79;
              done(red);
            });
          });
        })""",
        [x, y],
    )
    assert painted > 20
    assert user.points(name) == []
    held.pop().continue_()
    user.settle()
    assert user.points(name) == [(40, 40)]


def test_a_click_inside_a_mask_selects_it_and_with_shift_makes_another(user, frames):
    name, scene = next(iter(frames.items()))
    row, col = scene.points[1]
    user.click(row, col)
    user.press("Escape")
    expect = pytest.importorskip("playwright.sync_api").expect
    expect(user.page.locator(".target.selected")).to_have_count(0)  # lists follow a frame after the mask
    user.click(row + 1, col)
    expect(user.page.locator(".target.selected")).to_have_count(1)
    assert len(user.points(name)) == 1
    user.click(row + 1, col, keys=("Shift",))
    assert len(user.points(name)) == 2


def test_the_preview_is_shown_kept_to_one_request_and_written_nowhere(user, frames):
    """T12"""
    name, scene = next(iter(frames.items()))
    row, col = scene.points[0]
    under_way, most, places = [0], [0], []

    def slow(route):
        under_way[0] += 1
        most[0] = max(most[0], under_way[0])
        places.append(route.request.post_data_json)
        user.page.wait_for_timeout(300)  # longer than two moves of the pointer, also on a busy machine
        under_way[0] -= 1
        route.continue_()

    user.page.evaluate("localStorage.setItem('pointmask.settings', JSON.stringify({ preview: 'on' }))")
    user.page.reload()
    user.on_image(name)
    user.page.route("**/api/preview", slow)
    for k in range(5):
        user.hover(row, col + k - 2)
        user.page.wait_for_timeout(90)
    user.page.wait_for_timeout(1200)
    assert most[0] == 1
    assert (places[-1]["row"], places[-1]["col"]) == (row, col + 2)
    assert len(places) < 5
    cover = user.canvas("marks")
    assert ((cover[..., 0] == 31) & (cover[..., 1] == 224)).sum() > 20
    assert user.points(name) == []
    assert user.client.server.desk.session.seq <= 1


def test_the_mask_of_a_held_click_is_painted_before_the_edit_is_answered(user, frames):
    """P4: it was asked for when the button went down; a drag from there adds and shows nothing."""
    name, scene = next(iter(frames.items()))
    row, col = scene.points[0]
    expected = mask_of(scene.image, [(row, col)])
    user.page.evaluate("localStorage.setItem('pointmask.settings', JSON.stringify({ preview: 'on' }))")
    user.page.reload()
    user.on_image(name)
    user.zoom_to(16, row + 4, col + 4)
    user.press("o")  # filled
    held = []
    user.page.route("**/api/edits", lambda route: held.append(route))
    user.page.mouse.move(*user.place(row, col))
    with user.page.expect_response("**/api/preview"):
        user.page.mouse.down()
    user.page.wait_for_timeout(60)
    user.page.mouse.up()
    user.page.mouse.move(5, 5)
    user.painted()
    assert np.array_equal(user.filled_mask(scene.image.shape), expected)
    assert user.points(name) == []
    held.pop().continue_()
    user.settle()
    assert user.points(name) == [(row, col)]
    assert np.array_equal(user.server_mask(name, scene.image.shape), expected)
    user.press("z")
    user.settle()
    place = user.place(row + 1, col)
    user.page.mouse.move(*place)
    with user.page.expect_response("**/api/preview"):
        user.page.mouse.down()
    user.page.mouse.move(place[0] + 60, place[1], steps=3)
    user.page.mouse.up()
    user.settle()
    assert user.points(name) == []
    user.page.mouse.move(5, 5)
    user.painted()
    assert not user.filled_mask(scene.image.shape).any()


def test_among_hundreds_of_targets_only_what_changed_is_drawn_anew(tmp_path, served, visit):
    """P17: items of the list stay, their numbers follow, and a move of the pointer draws no mark."""
    image, places = (
        np.full((120, 160), 8000, np.uint16),
        [(r, c) for r in range(4, 118, 8) for c in range(4, 158, 8)],
    )
    image += np.random.default_rng(0).integers(0, 40, image.shape).astype(np.uint16)
    for row, col in places:
        image[row - 1 : row + 2, col - 1 : col + 2] += 900
    save(tmp_path / "a/f0.png", image)
    lines = "".join(f"f0.png,{row},{col}\n" for row, col in places)
    (tmp_path / "points.csv").write_text(f"image,row,col\n{lines}")
    user = visit(served(tmp_path / "a", points=tmp_path / "points.csv"))
    items = user.page.locator(".targets > li")
    assert items.count() == len(places)
    items.nth(40).evaluate("(item) => { window.kept = item; }")
    user.page.evaluate(
        """() => {
          window.rects = 0;
          const rect = Path2D.prototype.rect;
          Path2D.prototype.rect = function (...rest) { window.rects += 1; return rect.apply(this, rest); };
        }"""
    )
    before = user.canvas("marks")
    user.hover(60, 56)
    user.painted()
    assert user.page.evaluate("window.rects") < len(places)  # at most what a click would make
    assert not np.array_equal(user.canvas("marks"), before)  # the pixel under the pointer
    user.press(".", "Delete")  # the first of them
    user.settle()
    items.nth(len(places) - 1).wait_for(state="detached")
    assert user.page.evaluate("window.kept.isConnected && window.kept.textContent").startswith("40")
    user.press("z")
    user.settle()
    items.nth(len(places) - 1).wait_for()
    assert user.page.evaluate("window.kept.isConnected && window.kept.textContent").startswith("41")
    assert user.points("f0.png") == places
