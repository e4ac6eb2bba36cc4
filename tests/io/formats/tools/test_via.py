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


@pytest.mark.parametrize("document", [VIA_IMAGES, VIA_PROJECT, VIA_3])
def test_via(tmp_path, document):
    assert dict(read_as(tmp_path / "via.json", document, "via")) == {
        "a.png": (Point(1, 2, "ship"),),
        "b.png": (),
    }


def test_via_1_numbers_its_regions(tmp_path):
    assert dict(read_as(tmp_path / "via.json", VIA_1, "via")) == {"a.png": (Point(1, 2, "ship"),)}


def test_via_without_points_or_with_times_is_rejected(tmp_path):
    rectangles = {"a.png1": VIA_IMAGES["a.png1234"] | {"regions": VIA_IMAGES["a.png1234"]["regions"][1:]}}
    found = read_as(tmp_path / "via.json", rectangles, "via")
    assert "has rect but no points" in found.rejected["a.png"]
    timed = json.loads(json.dumps(VIA_3))
    timed["metadata"]["1_Gx7"]["z"] = [1.5]
    assert "segment of a video" in read_as(tmp_path / "via.json", timed, "via").rejected["a.png"]
