"""The labelled image that all documents share, and the rules for coordinates and documents."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tools.masks import blobs, patch

from pointmask.errors import PointsError
from pointmask.io.formats.labelled import Box, LabelledImage, LabelledTarget, Patch
from pointmask.io.formats.parts import documents
from pointmask.io.formats.parts.origin import from_pixel, to_pixel
from pointmask.io.points.points import Point

ORIGINS = ("index", "one-based", "edge", "percent", "fraction")


@given(blobs())
def test_a_crop_is_the_whole_mask(drawn):
    mask, _ = drawn
    found = Patch.crop(mask)
    np.testing.assert_array_equal(found.full(mask.shape), mask)
    assert found.area == mask.sum()
    top, left, bottom, right = found.box
    assert mask[top:bottom, left:right].sum() == mask.sum()
    assert mask[found.centre.row, found.centre.col]
    assert found == Patch.crop(mask[top:bottom, left:right], top, left)


def test_an_empty_mask_has_no_crop():
    assert Patch.crop(np.zeros((3, 4), np.bool_)) is None


def test_patches_differ_by_place_and_pixels():
    one = patch(["##", "#."])
    assert one == Patch.crop(np.array([[0, 0, 0], [0, 1, 1], [0, 1, 0]], np.bool_)[1:], 0, -1)
    assert one != patch(["##", "##"])
    assert one != patch(["##", "#."], 1, 0)
    assert len({one, patch(["##", "#."])}) == 1
    assert one.box == Box(0, 0, 2, 2)


@pytest.mark.parametrize(
    ("row", "pixels"), [(0, [[0, 1], [0, 1]]), (-1, [[1]]), (0, [[]]), (0, [[0]]), (0, [1])]
)
def test_a_patch_is_tight(row, pixels):
    with pytest.raises(ValueError, match="patch"):
        Patch(row, 0, np.array(pixels, np.bool_))


def test_an_image_joins_its_targets():
    targets = (
        LabelledTarget(Point(0, 0, "a"), patch(["##"])),
        LabelledTarget(None, patch(["#"], 2, 2), label="b"),
        LabelledTarget(Point(1, 1), None),
    )
    image = LabelledImage("seq.tif", 3, (3, 3), targets)
    assert image.key == "seq.tif#3"
    assert image.points == (Point(0, 0, "a"), Point(1, 1))
    assert [target.label for target in targets] == ["a", "b", None]
    np.testing.assert_array_equal(image.mask, [[1, 1, 0], [0, 0, 0], [0, 0, 1]])


@pytest.mark.parametrize("shape", [(2, 3), (3, 2), (0, 5)])
def test_a_mask_outside_of_the_image_is_refused(shape):
    with pytest.raises(PointsError, match=r"a\.png"):
        LabelledImage("a.png", 0, shape, (LabelledTarget(None, patch(["#"], 2, 2)),))


@pytest.mark.parametrize("origin", ORIGINS)
@given(size=st.integers(1, 10**5), data=st.data())
def test_every_origin_keeps_the_pixel(origin, size, data):
    pixel = data.draw(st.integers(0, size - 1))
    assert to_pixel(from_pixel(pixel, origin, size), origin, size) == pixel


@pytest.mark.parametrize(
    ("origin", "first", "last", "beyond"),
    [
        ("index", (-0.5, 0.49), (1.5, 2.49), 2.5),
        ("one-based", (0.5, 1.49), (2.5, 3.49), 3.5),
        ("edge", (0, 0.99), (2, 3), 3.01),
        ("percent", (0, 33.3), (66.67, 100), 101),
        ("fraction", (0, 0.333), (0.6667, 1), 1.01),
    ],
)
def test_where_pixels_begin_and_end(origin, first, last, beyond):
    assert {to_pixel(value, origin, 3) for value in first} == {0}
    assert {to_pixel(value, origin, 3) for value in last} == {2}
    assert to_pixel(beyond, origin, 3) == 3


def test_an_edge_in_percent_is_not_rounded_down():
    assert all(to_pixel(100 * k / 641, "percent", 641) == k for k in range(641))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e300])
def test_no_coordinate(value):
    with pytest.raises(PointsError, match="not a coordinate"):
        to_pixel(value, "edge", 3)


BOMB = """<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;">]><a>&c;</a>"""


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (BOMB, "document type"),
        ("<a>" * 500 + "</a>" * 500, "deep"),
        ("<a>", "not XML"),
        ("", "not XML"),
        ("<a/><b/>", "not XML"),
        ("<a>&b;</a>", "not XML"),
        ('<?xml version="1.0" encoding="nonsense"?><a/>', "not XML"),
    ],
)
def test_hostile_xml_is_refused(tmp_path, content, reason):
    path = tmp_path / "a.xml"
    path.write_text(content)
    with pytest.raises(PointsError, match=reason) as caught:
        documents.read_xml(path)
    assert str(path) in str(caught.value)


def test_xml_is_read_as_it_comes(tmp_path):
    path = tmp_path / "a.xml"
    path.write_text("<a x='1'><b>hello</b>there<b/></a>")
    assert [(event, element.tag) for event, element in documents.xml_events(path)] == [
        ("start", "a"), ("start", "b"), ("end", "b"), ("start", "b"), ("end", "b"), ("end", "a")
    ]  # fmt: skip
    root = documents.read_xml(path)
    assert (root.tag, root.attrib, root[0].text, root[0].tail) == ("a", {"x": "1"}, "hello", "there")


@pytest.mark.parametrize("content", ["[" * 10**5, "{", "nope", "1" * 5000, b"\xff\xff\xff"])
def test_hostile_json_is_refused(tmp_path, content):
    path = tmp_path / "a.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(PointsError, match=r"a\.json"):
        documents.read_json(path)


def test_a_large_document_is_refused_unread(tmp_path):
    path = tmp_path / "a.json"
    path.write_text("12345")
    with pytest.raises(PointsError, match="limit of 4"):
        documents.read_document(path, limit=4)
    with pytest.raises(PointsError, match="cannot be read"):
        documents.read_document(tmp_path / "missing")


@pytest.mark.parametrize("value", [True, None, [], {}, "x", "nan", float("inf"), 10**400, "9" * 10**6])
def test_what_is_no_number(value):
    with pytest.raises(PointsError, match=r"width is .*, not a finite number") as caught:
        documents.number(value, "width")
    assert len(str(caught.value)) < 120


def test_fields_are_checked():
    assert documents.whole("12", "width") == 12
    assert documents.number("1e2", "width") == 100
    for value in (1.5, -1, 1e12):
        with pytest.raises(PointsError, match="whole number"):
            documents.whole(value, "width")
    with pytest.raises(PointsError, match="a list of 2, not an object"):
        documents.mapping([1, 2], "shape")
    with pytest.raises(PointsError, match="an object of 0, not a list"):
        documents.listing({}, "shapes")
    with pytest.raises(PointsError, match="7, not a text"):
        documents.text(7, "label")
