"""Corrections: level, paint, undo, facts about a frame; each can be taken back."""

import json

import numpy as np
import pytest
from tools.click.planted import mask_of, planted

pytestmark = pytest.mark.browser


@pytest.fixture
def frames(tmp_path):
    return planted(tmp_path / "flight", 3)


@pytest.fixture
def user(tmp_path, frames, served, visit):
    return visit(served(tmp_path / "flight", labels=("drone", "bird")))


@pytest.fixture
def clicked(user, frames):
    """The first frame's first target, selected: user, frame's name, scene, place."""
    name, scene = next(iter(frames.items()))
    row, col = scene.points[0]
    user.click(row, col)
    return user, name, scene, (row, col)


def only(user, name):
    (target,) = user.standing(name).targets
    return target


def test_wheel_keys_and_slider_change_the_level_alike_and_backslash_returns(clicked):
    """T8"""
    user, name, scene, (row, col) = clicked
    own = only(user, name)
    user.press("[", "[")
    user.settle()
    by_keys = only(user, name)
    assert by_keys.level == pytest.approx(0.44)
    user.press("\\")
    user.settle()
    assert (only(user, name).level, only(user, name).rle) == (None, own.rle)
    user.hover(row, col)
    user.page.keyboard.down("Shift")
    for _ in range(2):
        user.page.mouse.wheel(0, 120)
        user.settle()
    user.page.keyboard.up("Shift")
    by_wheel = only(user, name)
    assert (by_wheel.level, by_wheel.rle) == (by_keys.level, by_keys.rle)
    user.press("\\")
    user.settle()
    slider = user.page.get_by_label("level")
    slider.focus()
    slider.press("ArrowRight")
    slider.press("ArrowRight")
    user.settle()
    by_slider = only(user, name)
    assert (by_slider.level, by_slider.rle) == (by_keys.level, by_keys.rle)
    user.page.locator(".stage").focus()
    user.press("\\")
    user.settle()
    assert np.array_equal(user.server_mask(name, scene.image.shape), mask_of(scene.image, [(row, col)]))


def test_level_key_repeats_end_where_single_presses_do(clicked):
    """Edits under way are replaced by newer ones; none is lost."""
    user, name, *_ = clicked
    for _ in range(10):
        user.press("]")
    user.settle()
    assert only(user, name).level == pytest.approx(0.2)


def test_painting_sets_single_pixels_and_gapless_lines_and_is_undone_stroke_by_stroke(clicked):
    """T9"""
    user, name, scene, (row, col) = clicked
    shape = scene.image.shape
    before = user.server_mask(name, shape)
    user.press("p")
    assert user.page.locator(".badge.mode").is_visible()
    far = row - 12 if row > 40 else row + 12
    user.click(far, col)
    expected = before.copy()
    expected[far, col] = True
    assert np.array_equal(user.server_mask(name, shape), expected)
    line = far - 2
    user.drag(user.place(line, col - 8), user.place(line, col + 8), steps=2)
    drawn = expected.copy()
    drawn[line, col - 8 : col + 9] = True
    assert np.array_equal(user.server_mask(name, shape), drawn)
    user.click(far, col, button="right")
    cleared = drawn.copy()
    cleared[far, col] = False
    assert np.array_equal(user.server_mask(name, shape), cleared)
    target = only(user, name)
    assert (target.made, target.confidence) == ("hand", None)
    assert user.page.locator(".target .confidence").inner_text() == "by hand"
    for state in (drawn, expected, before):
        user.press("z")
        user.settle()
        assert np.array_equal(user.server_mask(name, shape), state)
    assert only(user, name).made == "click"


def test_a_brush_of_three_paints_three_by_three(clicked):
    user, name, scene, (row, col) = clicked
    before = user.server_mask(name, scene.image.shape)
    far = row - 15 if row > 40 else row + 15
    user.press("p", "]")
    user.click(far, col)
    expected = before.copy()
    expected[far - 1 : far + 2, col - 1 : col + 2] = True
    assert np.array_equal(user.server_mask(name, scene.image.shape), expected)


def test_a_superpixel_is_added_and_removed_while_x_is_held(clicked):
    """T9"""
    user, name, scene, (row, col) = clicked
    shape = scene.image.shape
    before = user.server_mask(name, shape)
    user.press("p")
    user.page.keyboard.down("x")
    far = row - 6 if row > 20 else row + 6
    user.click(far, col)
    added = user.server_mask(name, shape)
    assert added[far, col]
    assert (added & ~before).sum() > 1
    user.click(far, col, button="right")
    user.page.keyboard.up("x")
    assert not user.server_mask(name, shape)[far, col]


def test_undo_and_redo_go_over_images_and_survive_a_reload(user, frames):
    """T10"""
    names = list(frames)
    for name, scene in frames.items():
        user.on_image(name)
        user.click(*scene.points[0])
        if name != names[-1]:
            user.press("d")
    user.page.reload()
    user.on_image(names[-1])  # where work stopped
    for name in reversed(names):
        user.press("z")
        user.on_image(name)  # the image concerned is shown
        user.settle()
        assert user.points(name) == []
    for name in names:
        user.press("Shift+Z")
        user.on_image(name)
        user.settle()
        assert user.points(name) == [frames[name].points[0]]


def test_an_image_without_targets_is_a_fact_and_an_unfinished_frame_is_not_published(user, frames):
    """T11"""
    names = list(frames)
    user.press("n")
    user.settle()
    assert user.standing(names[0]).state == "empty"
    user.press("n")
    user.settle()
    assert user.standing(names[0]).state == "open"
    user.press("n", "d")
    user.on_image(names[1])
    user.click(*frames[names[1]].points[0])
    user.press("f", "d")
    user.on_image(names[2])
    user.click(*frames[names[2]].points[0])
    user.press("n")
    assert "remove them" in user.note  # a frame with targets does not hold none
    user.page.get_by_role("link", name="Finish").click()
    user.page.get_by_role("button", name="Publish now").click()
    user.page.get_by_text("agree with the journal").wait_for()
    out = user.client.server.desk.session.setup.out
    entries = {
        e["image"]: e
        for e in map(json.loads, (out / "manifest.jsonl").read_text().splitlines())
        if "image" in e
    }
    assert entries[names[0]]["status"] == "done"
    assert entries[names[0]]["targets"] == []
    assert entries[names[1]]["status"] == "skipped"
    assert len(entries[names[2]]["targets"]) == 1
    assert (out / "masks" / "f0002.png").is_file()


def test_the_reasons_of_a_mask_are_shown_over_it_then_apart_and_go(clicked):
    """V8"""
    user, *_ = clicked
    before = user.canvas("marks").any(-1).sum()
    user.press("k")
    user.page.wait_for_timeout(500)
    assert user.canvas("marks").any(-1).sum() > before + 1000  # the soft label lies over the image
    user.press("k")
    legend = user.page.locator(".why-legend")
    legend.get_by_text("superpixel").wait_for()
    user.painted()
    seen = {tuple(colour) for colour in user.canvas("marks")[..., :3].reshape(-1, 3)}
    assert {(255, 180, 84), (210, 180, 255)} <= seen
    user.press("k")
    pictures = user.page.locator(".why canvas")
    pictures.first.wait_for()
    assert pictures.count() == 3
    boxes = [picture.bounding_box() for picture in pictures.all()]
    stage = user.page.locator(".stage").bounding_box()
    for box in boxes:
        assert box["width"] > 90
        assert stage["y"] <= box["y"] <= box["y"] + box["height"] <= stage["y"] + stage["height"]
    assert legend.is_hidden()
    user.press("Escape")
    user.page.locator(".why").wait_for(state="hidden")


def test_labels_and_polarity_have_keys(clicked):
    user, name, *_ = clicked
    user.press("2")
    user.settle()
    assert only(user, name).label == "bird"
    user.press("0", "b")
    user.settle()
    assert (only(user, name).label, only(user, name).polarity) == (None, "dark")


def test_a_correction_of_a_click_that_is_on_its_way_reaches_its_target(user, frames):
    name, scene = next(iter(frames.items()))
    held = []
    user.page.route("**/api/edits", lambda route: held.append(route) if not held else route.continue_())
    user.click(*scene.points[0], wait=False)
    user.press("2")
    for _ in range(1000):  # the page sends it when it has drawn it
        if not held:
            user.page.wait_for_timeout(5)
    held[0].continue_()
    user.settle()
    assert only(user, name).label == "bird"


def test_a_page_that_is_loaded_anew_in_the_middle_of_a_drag_shows_what_is_kept(clicked):
    """R11: what the drag had come to is one step, which can be taken back."""
    user, name, _, (row, col) = clicked
    start, end = user.place(row, col), user.place(row + 4, col + 4)
    user.page.mouse.move(*start)
    user.page.mouse.down()
    user.page.mouse.move(*end, steps=4)
    user.settle()  # what is on its way would hold the page back with a question
    assert user.points(name) == [(row + 4, col + 4)]
    user.page.reload()
    user.on_image(name)
    user.settle()
    user.page.mouse.up()
    assert user.points(name) == [(row + 4, col + 4)]
    assert user.page.locator(".targets .place").inner_text() == f"x {col + 4} y {row + 4}"
    user.press("z")
    user.settle()
    assert user.points(name) == [(row, col)]
