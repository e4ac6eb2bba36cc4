"""Points by image, and pixel indices."""

import pytest

from pointmask.errors import PointsError
from pointmask.io.points.points import Point, Points, pixel_index

ONE, TWO = (Point(1, 2),), (Point(3, 4),)


def test_points_count_and_iterate():
    points = Points({"a": ONE + TWO, "b": ()})
    assert len(points) == 2
    assert list(points) == [("a", ONE + TWO), ("b", ())]


@pytest.mark.parametrize(
    ("value", "pixel"), [(12.0, 12), (12.4, 12), (12.5, 13), (11.5, 12), (-0.5, 0), (-0.6, -1), (7, 7)]
)
def test_halves_are_rounded_up(value, pixel):
    assert pixel_index(value) == pixel


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_pixel_index_is_finite(value):
    with pytest.raises(PointsError, match="finite"):
        pixel_index(value)
