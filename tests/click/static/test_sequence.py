"""Sequences: tracked from a click on, corrected, tracked again; neighbours blinked in place."""

import numpy as np
import pytest
from tools.click.serving import scene
from tools.folders import save

pytestmark = pytest.mark.browser

FRAMES = 8


@pytest.fixture
def moving(tmp_path, served, visit):
    """A target that moves one pixel a frame, and a person at its first frame."""
    for k in range(FRAMES):
        save(tmp_path / f"a/f{k}.png", scene(k, places=((20, 30 + k),)))
    return visit(served(tmp_path / "a"))


def kinds(user):
    return [row["kind"] for row in user.client.get("/api/sequence/0/0").json["rows"]]


def wait_for_kinds(user, wanted):
    for _ in range(900):  # on a fresh machine the kernels of tracking are compiled first
        if kinds(user) == wanted:
            return
        user.page.wait_for_timeout(100)
    assert kinds(user) == wanted


def test_a_click_is_carried_through_corrected_carried_again_and_taken_back(moving):
    """T17, U4"""
    user = moving
    user.click(20, 30)
    user.press("Shift+T")
    wait_for_kinds(user, ["given", *(FRAMES - 1) * ["carried"]])
    assert [user.points(f"f{k}.png")[0] for k in range(FRAMES)] == [(20, 30 + k) for k in range(FRAMES)]
    for k in (1, 2, 3):
        user.press("d")
        user.on_image(f"f{k}.png")
    user.page.locator(".target .note", has_text="carried").wait_for()
    user.press(".")
    with user.page.expect_response(lambda answer: "api/jobs/" in answer.url and '"done"' in answer.text()):
        user.press("ArrowDown")  # what comes after it is tracked again by itself
    user.settle()
    wait_for_kinds(user, ["given", "carried", "carried", "given", *(FRAMES - 4) * ["carried"]])
    assert user.points("f3.png") == [(21, 33)]
    # Carried again, the target is where it was: there is nothing to take back but the correction.
    user.press("z")
    user.settle()
    wait_for_kinds(user, ["given", *(FRAMES - 1) * ["carried"]])
    user.press("z")  # the track is one step
    user.settle()
    wait_for_kinds(user, ["given", *(FRAMES - 1) * [""]])


def test_neighbours_are_seen_only_while_a_key_is_held(moving):
    """T18"""
    user = moving
    user.press("d")
    user.on_image("f1.png")
    user.page.wait_for_timeout(300)  # the neighbours are here
    own = user.canvas()
    for key in ("q", "e"):
        user.page.keyboard.down(key)
        user.page.wait_for_timeout(300)
        other = user.canvas()
        assert not np.array_equal(other, own)
        assert not user.canvas("marks").any()
        user.page.keyboard.up(key)
        user.painted()
        assert np.array_equal(user.canvas(), own)


def test_the_strip_shows_the_sequence_and_leads_to_a_frame(moving):
    user = moving
    assert user.page.locator(".strip-place").inner_text() == f"frame 1 of {FRAMES}"
    box = user.page.locator(".strip canvas").bounding_box()
    user.page.mouse.click(box["x"] + box["width"] * 5.5 / FRAMES, box["y"] + 10)
    user.on_image("f5.png")
    user.press("Home")
    user.on_image("f0.png")
    user.press("End")
    user.on_image(f"f{FRAMES - 1}.png")


def test_a_file_that_changed_is_told_and_taken_over_when_asked(moving, tmp_path):
    user = moving
    user.click(20, 30)
    user.press("d")
    user.on_image("f1.png")
    save(tmp_path / "a/f0.png", scene(99, places=((20, 31),)))
    user.page.reload()
    user.on_image("f1.png")
    user.press("a")
    user.on_image("f0.png")
    user.page.get_by_role("button", name="Use the new file").click()
    user.settle()
    user.page.locator(".stage-message").wait_for(state="hidden")
    user.click(40, 50)
    assert (40, 50) in user.points("f0.png")
