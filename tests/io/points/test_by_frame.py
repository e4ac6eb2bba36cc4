"""Points by image and frame: rows under several names are joined, one bad row rejects the frame."""

from pointmask.io.points.by_frame import points_by_frame
from pointmask.io.points.points import Point, Points

ONE, TWO = (Point(1, 2),), (Point(3, 4),)


def test_points_of_two_keys_of_one_image_are_joined_in_order():
    found = points_by_frame(Points({"a.png": ONE, "b": (), "a": TWO}), ["a.png", "b.png"])
    assert found.points == {("a.png", 0): ONE + TWO, ("b.png", 0): ()}


def test_a_rejected_key_rejects_its_image():
    found = points_by_frame(Points({"a.png": ONE}, rejected={"a": "line 3", "gone": "line 4"}), ["a.png"])
    assert found.rejected == {("a.png", 0): "line 3"}
    assert found.points == {}
    assert found.unmatched == ("gone",)
