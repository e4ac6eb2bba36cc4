"""Fingers on the image: tap, drag, pinch, long press."""

import pytest
from tools.click.planted import planted

pytestmark = pytest.mark.browser


class Fingers:
    """Touches of a page, in CSS pixels."""

    def __init__(self, user):
        self.user = user
        self._session = user.page.context.new_cdp_session(user.page)

    def touch(self, kind, *places):
        points = [{"x": x, "y": y, "id": k} for k, (x, y) in enumerate(places)]
        self._session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def stroke(self, *steps):
        """Put fingers down at the first places, move them through the others, and lift them."""
        self.touch("touchStart", *steps[0])
        for places in steps[1:]:
            self.touch("touchMove", *places)
        self.touch("touchEnd")
        self.user.settle()


def test_fingers_click_pan_zoom_and_remove_after_a_question(tmp_path, served, visit):
    """T34"""
    name, scene = next(iter(planted(tmp_path / "a", 1).items()))
    user = visit(served(tmp_path / "a"), has_touch=True, viewport={"width": 900, "height": 700})
    fingers = Fingers(user)
    row, col = scene.points[0]
    fingers.stroke([user.place(row, col)])
    assert user.points(name) == [(row, col)]

    before = user.view
    x, y = user.place(48, 64)
    fingers.stroke([(x, y)], [(x + 20, y)], [(x + 40, y - 30)])
    assert (user.view["x"] - before["x"], user.view["y"] - before["y"]) == (40, -30)

    before, (x, y) = user.view["scale"], user.place(48, 64)
    apart = [[(x - d, y), (x + d, y)] for d in (50, 60, 80, 110, 150)]
    fingers.stroke(*apart)
    wide = user.view["scale"]
    assert wide > before
    assert abs(user.place(48, 64)[0] - x) <= wide
    fingers.stroke(*reversed(apart))
    assert user.view["scale"] < wide
    assert user.points(name) == [(row, col)]

    place = user.place(row, col)
    fingers.touch("touchStart", place)
    question = user.page.get_by_role("alertdialog", name=f"Remove the target at x {col}, y {row}?")
    question.wait_for()
    fingers.touch("touchEnd")
    user.settle()
    assert user.points(name) == [(row, col)]
    question.get_by_role("button", name="Remove").click()
    user.settle()
    assert user.points(name) == []
