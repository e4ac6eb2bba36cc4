"""CVAT XML: samples after its documentation, wrong shapes, memory."""

import tracemalloc

import pytest
from tools.formats.annotations import masks_of, read_as, write
from tools.masks import patch

from pointmask.errors import OutputError, PointsError
from pointmask.io.formats.labelled import LabelledImage, LabelledTarget
from pointmask.io.formats.tools.cvat import Cvat
from pointmask.io.points.by_frame import points_by_frame
from pointmask.io.points.points import Point

CVAT_IMAGES = """<?xml version="1.0" encoding="utf-8"?>
<!-- exported on Monday -->
<annotations>
  <version>1.1</version>
  <meta><task><id>4</id><size>4</size><mode>annotation</mode>
    <labels><label><name>ship</name></label></labels></task></meta>
  <image id="0" name="sea/a.png" width="20" height="10">
    <points label="ship" source="manual" occluded="0" points="2.90,1.00;19.99,9.50" z_order="0"></points>
    <points label="target" source="manual" occluded="0" points="0.00,0.00" z_order="0" group_id="7"/>
    <mask label="target" source="manual" occluded="0" rle="0, 2, 2, 1, 1" left="0" top="0" width="3"
      height="2" z_order="0" group_id="7"></mask>
    <tag label="night" source="manual"></tag>
  </image>
  <image id="1" name="b.png" width="20" height="10"></image>
  <image id="2" name="c.png" width="20" height="10">
    <polyline label="ship" occluded="0" points="1,1;3,3"/>
  </image>
  <image id="3" name="d.png" width="20" height="10">
    <mask label="ship" occluded="0" rle="1, 1" left="5" top="4" width="2" height="1"/>
  </image>
</annotations>
"""
CVAT_VIDEO = """<?xml version="1.0" encoding="utf-8"?>
<annotations>
  <version>1.1</version>
  <meta><task><mode>interpolation</mode>
    <original_size><width>20</width><height>10</height></original_size></task>
    <source>{source}</source></meta>
  <track id="0" label="ship" source="manual">
    <points frame="3" outside="0" occluded="0" keyframe="1" points="2.50,1.50" z_order="0"/>
    <points frame="4" outside="1" occluded="0" keyframe="1" points="2.50,1.50" z_order="0"/>
  </track>
  <track id="1" label="ship" source="manual">
    <points frame="3" outside="0" occluded="0" keyframe="1" points="7.00,8.00" z_order="0"/>
    <mask frame="3" outside="0" occluded="0" keyframe="1" rle="0, 1" left="7" top="8" width="1" height="1"/>
  </track>
</annotations>
"""


def test_cvat_for_images(tmp_path):
    path = tmp_path / "annotations.xml"
    found = read_as(path, CVAT_IMAGES, "cvat")
    assert dict(found) == {
        "sea/a.png": (Point(1, 2, "ship"), Point(9, 19, "ship"), Point(0, 0)),
        "b.png": (),
        "d.png": (Point(4, 6, "ship"),),
    }
    assert "has a <polyline>, which is not read" in found.rejected["c.png"]
    images, rejected = masks_of("cvat", path)
    assert [image.image for image in images] == ["sea/a.png", "b.png", "d.png"]
    assert images[0].targets[2] == LabelledTarget(Point(0, 0), patch(["##.", ".#."]))
    assert images[2].targets == (LabelledTarget(None, patch(["#"], 4, 6), label="ship"),)
    assert list(rejected) == ["c.png"]


@pytest.mark.parametrize(("source", "key"), [("seq.tif", "seq.tif#{}"), ("sea.mp4", "frame_00000{}")])
def test_cvat_for_video(tmp_path, source, key):
    path = tmp_path / "annotations.xml"
    found = read_as(path, CVAT_VIDEO.format(source=source), "cvat")
    assert dict(found) == {key.format(3): (Point(1, 2, "ship"), Point(8, 7, "ship")), key.format(4): ()}
    images, rejected = masks_of("cvat", path)
    assert not rejected
    assert images[0].targets[1] == LabelledTarget(Point(8, 7, "ship"), patch(["#"], 8, 7))
    assert images[0].shape == (10, 20)


OTHERS = [
    ('<box label="uav" xtl="46" ytl="72" xbr="53" ybr="79"/>', (75, 49)),
    ('<box label="uav" xtl="46" ytl="72" xbr="53" ybr="79" rotation="30.00"/>', (75, 49)),
    ('<ellipse label="uav" cx="49.5" cy="75.5" rx="3.5" ry="2"/>', (75, 49)),
    ('<polygon label="uav" points="46,72;53,72;53,79;46,79"/>', (75, 49)),
    ('<polygon label="uav" points="49.1,75.1;49.2,75.1;49.2,75.2"/>', (75, 49)),
]


def image_of(*shapes, **attributes):
    more = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f'<image id="0" name="a.png" width="160" height="120"{more}>{"".join(shapes)}</image>'


def cvat(*images):
    return f"<annotations><version>1.1</version>{''.join(images)}</annotations>"


@pytest.mark.parametrize(("shape", "middle"), OTHERS)
def test_other_shapes_are_targets_beside_points_and_alone(tmp_path, shape, middle):
    point = '<points label="uav" points="33.50,15.50"/>'
    found = read_as(tmp_path / "a.xml", cvat(image_of(point, shape)), "cvat")
    assert dict(found) == {"a.png": (Point(15, 33, "uav"), Point(*middle, "uav"))}
    found = read_as(tmp_path / "a.xml", cvat(image_of(shape)), "cvat")
    assert dict(found) == {"a.png": (Point(*middle, "uav"),)}
    assert found.by_image["a.png"][0].image_shape == (120, 160)


def test_a_point_on_a_box_of_its_label_is_one_target(tmp_path):
    box = OTHERS[0][0]
    inside = '<points label="uav" points="47.5,78.5"/>'
    found = read_as(tmp_path / "a.xml", cvat(image_of(box, inside)), "cvat")
    assert dict(found) == {"a.png": (Point(78, 47, "uav"),)}
    other = '<points label="bird" points="47.5,78.5"/>'
    assert len(read_as(tmp_path / "a.xml", cvat(image_of(box, other)), "cvat").by_image["a.png"]) == 2


@pytest.mark.parametrize("tag", ["polyline", "cuboid", "skeleton", "something"])
def test_shapes_that_are_not_read_reject_their_image_beside_a_point(tmp_path, tag):
    shapes = '<points label="uav" points="33.50,15.50"/>', f'<{tag} label="uav" points="1,1;2,2"/>'
    found = read_as(tmp_path / "a.xml", cvat(image_of(*shapes)), "cvat")
    assert not found.by_image
    assert f"has a <{tag}>, which is not read" in found.rejected["a.png"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["train/a.png", "val/a.png"], {"train/a.png", "val/a.png"}),
        (["images/train/a.png", "val/a.png"], {"val/a.png"}),
    ],
)
def test_subsets_are_folders(tmp_path, names, expected):
    point = '<points label="uav" points="33.50,15.50"/>'
    text = cvat(image_of(point, subset="train"), image_of(subset="val"))
    found = points_by_frame(read_as(tmp_path / "a.xml", text, "cvat"), names)
    assert {name for name, _ in found.points} >= expected
    flat = cvat(image_of(point, subset="default"))
    assert dict(read_as(tmp_path / "a.xml", flat, "cvat")) == {"a.png": (Point(15, 33, "uav"),)}
    lone = points_by_frame(
        read_as(tmp_path / "a.xml", cvat(image_of(point, subset="Train")), "cvat"), ["b/a.png"]
    )
    assert set(lone.points) == {("b/a.png", 0)}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["sea.mp4"], {("sea.mp4", 3), ("sea.mp4", 4)}),
        ([f"frame_{k:06d}.png" for k in range(6)], {("frame_000003.png", 0), ("frame_000004.png", 0)}),
        ([f"frame_{k:06d}.png" for k in range(1, 7)], set()),
    ],
)
def test_frames_of_a_video_or_its_images(tmp_path, names, expected):
    points = read_as(tmp_path / "a.xml", CVAT_VIDEO.format(source="sea.mp4"), "cvat")
    found = points_by_frame(points, names)
    assert set(found.points) == expected
    assert bool(found.rejected) == (not expected)


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ('<points label="t" points="1,2,3"/>', r"point '1,2,3' is not x,y"),
        ('<points label="t" points=""/>', r"point '' is not x,y"),
        ('<points label="t" points="nan,2"/>', "x is 'nan', not a finite number"),
        ('<points label="t" points="1e30,2"/>', "not a coordinate in an image"),
        ('<mask rle="0, 5" left="0" top="0" width="2" height="2"/>', "add up to 5, but its box has 2 x 2"),
        ('<mask rle="-1, 5" left="0" top="0" width="2" height="2"/>', "a run length is '-1'"),
        ('<mask rle="0, 4" left="9" top="0" width="2" height="2"/>', "reaches to"),
        ('<mask rle="0, 4" left="0" top="0" width="99999" height="99999"/>', "at most 268,435,456"),
        ('<mask rle="0, 4" top="0" width="2" height="2"/>', "left of a mask is None"),
    ],
)
def test_a_wrong_shape_rejects_its_image(tmp_path, shape, words):
    text = f'<annotations><image id="0" name="a.png" width="9" height="9">{shape}</image></annotations>'
    _, rejected = masks_of("cvat", write(tmp_path / "a.xml", text))
    with pytest.raises(PointsError, match=rf"a\.png.*{words}"):
        raise PointsError(rejected["a.png"])


def test_memory_does_not_grow_with_a_cvat_document(tmp_path):
    path = tmp_path / "a.xml"

    def peak(number):
        Cvat().write_masks(
            (
                LabelledImage(f"{k}.png", 0, (9, 9), (LabelledTarget(None, patch(["##"])),))
                for k in range(number)
            ),
            path,
        )
        tracemalloc.start()
        assert sum(1 for _ in Cvat().read_masks(path, {})) == number
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    few, many = peak(1500), peak(5000)  # the parser's first buffers are full by then
    # What is kept of an image is its name; its elements would take 3,000 bytes.
    assert many - few < 500 * 3500


def test_xml_cannot_hold_every_name(tmp_path):
    with pytest.raises(OutputError, match=r"'a\\x01\.png' holds characters that XML cannot hold"):
        Cvat().write_masks([LabelledImage("a\x01.png", 0, (1, 1), ())], tmp_path / "a.xml")
    assert list(tmp_path.iterdir()) == []
