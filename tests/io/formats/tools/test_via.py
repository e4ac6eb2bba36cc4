"""VGG Image Annotator: projects and annotations of VIA 1 to 3."""

import json

import pytest
from tools.formats.annotations import read_as

from pointmask.io.points.points import Point

VIA_IMAGES = {
    "a.png1234": {
        "filename": "a.png",
        "size": 1234,
        "regions": [
            {
                "shape_attributes": {"name": "point", "cx": 2, "cy": 1},
                "region_attributes": {"sure": True, "kind": "ship"},
            },
            {
                "shape_attributes": {"name": "rect", "x": 0, "y": 0, "width": 2, "height": 2},
                "region_attributes": {},
            },
        ],
        "file_attributes": {"size": "small"},
    },
    "b.png99": {"filename": "b.png", "size": 99, "regions": [], "file_attributes": {}},
}
VIA_PROJECT = {
    "_via_settings": {"ui": {}, "core": {}},
    "_via_img_metadata": VIA_IMAGES,
    "_via_attributes": {},
}
VIA_1 = {
    "a.png12": {
        "fileref": "",
        "size": 12,
        "filename": "a.png",
        "regions": {"0": VIA_IMAGES["a.png1234"]["regions"][0]},
    }
}
VIA_3 = {
    "project": {"pid": "__VIA_PROJECT_ID__", "rev": "__VIA_PROJECT_REV_ID__", "pname": "sea"},
    "config": {"file": {"loc_prefix": {"1": ""}}},
    "attribute": {
        "1": {"aname": "kind", "type": 4, "options": {"0": "ship", "1": "bird"}, "default_option_id": ""}
    },
    "file": {
        "1": {"fid": "1", "fname": "a.png", "type": 2, "loc": 1, "src": ""},
        "2": {"fid": "2", "fname": "b.png", "type": 2, "loc": 1, "src": ""},
    },
    "metadata": {"1_Gx7": {"vid": "1", "flg": 0, "z": [], "xy": [1, 2.75, 1.25], "av": {"1": "0"}}},
    "view": {"1": {"fid_list": ["1"]}, "2": {"fid_list": [2]}},
}


@pytest.mark.parametrize(
    ("document", "boxes"), [(VIA_IMAGES, [Point(1, 1)]), (VIA_PROJECT, [Point(1, 1)]), (VIA_3, [])]
)
def test_via(tmp_path, document, boxes):
    assert dict(read_as(tmp_path / "via.json", document, "via")) == {
        "a.png": (Point(1, 2, "ship"), *boxes),
        "b.png": (),
    }


def test_via_1_numbers_its_regions(tmp_path):
    assert dict(read_as(tmp_path / "via.json", VIA_1, "via")) == {"a.png": (Point(1, 2, "ship"),)}


SHAPES = [
    ({"name": "rect", "x": 2, "y": 4, "width": 5, "height": 3}, (5, 4)),
    ({"name": "circle", "cx": 7.5, "cy": 3.5, "r": 2}, (3, 7)),
    ({"name": "ellipse", "cx": 7.5, "cy": 3.5, "rx": 2, "ry": 1, "theta": 0.5}, (3, 7)),
    ({"name": "polygon", "all_points_x": [1, 6, 6, 1], "all_points_y": [1, 1, 4, 4]}, (2, 3)),
    ({"name": "polygon", "all_points_x": [3.1, 3.2, 3.1], "all_points_y": [1.1, 1.1, 1.2]}, (1, 3)),
    ({"name": "polyline", "all_points_x": [1, 6, 6, 1, 1], "all_points_y": [1, 1, 4, 4, 1]}, (2, 3)),
]


@pytest.mark.parametrize(("shape", "middle"), SHAPES)
def test_via_shapes_are_clicked_on_in_the_middle_beside_points(tmp_path, shape, middle):
    point = VIA_IMAGES["a.png1234"]["regions"][0]
    regions = [point, {"shape_attributes": shape, "region_attributes": {"kind": "bird"}}]
    found = read_as(tmp_path / "via.json", {"a.png1": {"filename": "a.png", "regions": regions}}, "via")
    assert dict(found) == {"a.png": (Point(1, 2, "ship"), Point(*middle, "bird"))}
    assert found.notes[0].startswith("boxes and outlines are clicked on in the middle")


@pytest.mark.parametrize(
    ("numbers", "middle"),
    [([2, 2, 4, 5, 3], (5, 4)), ([3, 7.5, 3.5, 2], (3, 7)), ([7, 1, 1, 6, 1, 6, 4, 1, 4], (2, 3))],
)
def test_shapes_of_via_3(tmp_path, numbers, middle):
    document = json.loads(json.dumps(VIA_3))
    document["metadata"]["1_Gx7"]["xy"] = numbers
    assert read_as(tmp_path / "via.json", document, "via").by_image["a.png"] == (Point(*middle, "ship"),)


def test_via_with_other_shapes_or_times_is_rejected(tmp_path):
    line = {"name": "polyline", "all_points_x": [1, 6], "all_points_y": [1, 1]}
    regions = [VIA_IMAGES["a.png1234"]["regions"][0], {"shape_attributes": line, "region_attributes": {}}]
    found = read_as(tmp_path / "via.json", {"a.png1": {"filename": "a.png", "regions": regions}}, "via")
    assert "has a 'polyline', which is not read" in found.rejected["a.png"]
    numbered = json.loads(json.dumps(VIA_3))
    numbered["metadata"]["1_Gx7"]["xy"] = [5, 1, 1, 4, 4]
    assert "shape of number 5" in read_as(tmp_path / "via.json", numbered, "via").rejected["a.png"]
    timed = json.loads(json.dumps(VIA_3))
    timed["metadata"]["1_Gx7"]["z"] = [1.5]
    assert "segment of a video" in read_as(tmp_path / "via.json", timed, "via").rejected["a.png"]


def test_an_empty_rectangle_is_no_click(tmp_path):
    def image(name, *sizes):
        shapes = [{"name": "rect", "x": 4, "y": 5, "width": size, "height": size} for size in sizes]
        regions = [{"shape_attributes": shape, "region_attributes": {}} for shape in shapes]
        return {"filename": name, "size": 1, "regions": regions}

    content = {"a.png1": image("a.png", 0, 3), "b.png1": image("b.png", 0)}
    points = read_as(tmp_path / "via.json", content, "via")
    assert dict(points) == {"a.png": (Point(6, 5),), "b.png": ()}
    assert any("no click" in line for line in points.notes)
