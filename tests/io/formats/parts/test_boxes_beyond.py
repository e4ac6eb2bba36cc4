"""Boxes of targets that leave the frame, as trackers and annotation tools write them."""

import json

import pytest

from pointmask.io.formats import read_points
from pointmask.io.formats.labelled import Box

HEIGHT, WIDTH = 128, 160


def coco(path, box):
    left, top, right, bottom = box
    sides = [left, top, right - left, bottom - top]
    content = {
        "images": [{"id": 1, "file_name": "a.png", "width": WIDTH, "height": HEIGHT}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": sides}],
        "categories": [{"id": 1, "name": "t"}],
    }
    path.with_suffix(".json").write_text(json.dumps(content))
    return path.with_suffix(".json")


def cvat(path, box):
    corners = " ".join(
        f'{name}="{value}"' for name, value in zip(("xtl", "ytl", "xbr", "ybr"), box, strict=True)
    )
    path.with_suffix(".xml").write_text(
        f'<annotations><version>1.1</version><image id="0" name="a.png" width="{WIDTH}" height="{HEIGHT}">'
        f'<box label="t" {corners}/></image></annotations>'
    )
    return path.with_suffix(".xml")


@pytest.mark.parametrize("write", [coco, cvat])
@pytest.mark.parametrize(
    ("box", "place", "is_told"),
    [
        ((150, 60, 180, 64), (62, 155), True),  # its middle, 165, lies outside
        ((-9, -9, 3, 5), (2, 1), True),
        ((150, 60, 168, 64), (62, 159), False),  # its middle lies inside
        ((10, 20, 15, 25), (22, 12), False),
        ((170, 60, 180, 64), (62, 175), False),  # wholly outside: the folder job refuses it
    ],
)
def test_the_middle_of_what_lies_in_the_image_is_clicked_on(tmp_path, write, box, place, is_told):
    points = read_points(write(tmp_path / "boxes", box))
    (point,) = points.by_image["a.png"]
    assert (point.row, point.col) == place
    assert any("lies beyond the image" in line for line in points.notes) == is_told


def test_part_of_a_box():
    assert Box(-2, 3, 5, 9).within((4, 20)) == Box(0, 3, 4, 9)
    assert Box(4, 3, 5, 9).within((4, 20)) is None
