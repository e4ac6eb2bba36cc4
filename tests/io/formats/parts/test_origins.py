"""A point in each corner pixel of a 3 x 3 image, at its centre and just inside its outer edges."""

import re

import numpy as np
import pytest
from tools.folders import save
from tools.formats.annotations import MCLC, keypoint, npy, read_as, task, write

from pointmask.io.formats import read_points


@pytest.mark.parametrize(("row", "col"), [(0, 0), (0, 2), (2, 0), (2, 2)])
@pytest.mark.parametrize("inset", [0.5, 0.01])
def test_corner_pixels_are_where_the_tool_puts_them(tmp_path, row, col, inset):
    y, x = (inset if k == 0 else 3 - inset for k in (row, col))
    near = {0: inset - 0.5, 2: 2.5 - inset}
    cvat_xml = (
        f'<annotations><image id="0" name="a.png" width="3" height="3"><points label="t" points="{x},{y}"/>'
        "</image></annotations>"
    )
    in_percent = keypoint(100 * x / 3, 100 * y / 3, original_width=3, original_height=3)
    point = {"shape_attributes": {"name": "point", "cx": x, "cy": y}, "region_attributes": {}}
    layer = f"index,axis-0,axis-1\n0.0,{near[row] - 1e-9},{near[col] - 1e-9}\n"
    record = MCLC | {"centroid_label_y": [row], "centroid_label_x": [col]}
    for name, file, content in (
        ("cvat", "a.xml", cvat_xml),
        ("labelstudio", "ls.json", [task("a.png", in_percent)]),
        ("via", "via.json", {"a.png1": {"filename": "a.png", "size": 1, "regions": [point]}}),
        ("napari", "a.csv", layer),
        ("mclc", "a.npy", npy(record)),
    ):
        (points,) = read_as(tmp_path / file, content, name).by_image.values()
        assert [(p.row, p.col) for p in points] == [(row, col)], name


# A target of 3 x 3 pixels, rows 4 to 6 and columns 9 to 11, as the kit or manual of each tool has it.
_CVAT = '<annotations><image id="0" name="a.png" width="40" height="30">{}</image></annotations>'
_XML = "<annotation><filename>a.png</filename><object><name>t</name>{}</object></annotation>"
_BNDBOX = "<bndbox><xmin>10</xmin><ymin>5</ymin><xmax>12</xmax><ymax>7</ymax></bndbox>"


def _supervisely(kind, *corners):
    item = {"classTitle": "t", "geometryType": kind, "points": {"exterior": list(corners), "interior": []}}
    return {"size": {"height": 30, "width": 40}, "objects": [item]}


@pytest.mark.parametrize(
    ("name", "file", "content"),
    [
        ("cvat", "a.xml", _CVAT.format('<box label="t" xtl="9.00" ytl="4.00" xbr="12.00" ybr="7.00"/>')),
        ("cvat", "a.xml", _CVAT.format('<polygon label="t" points="9,4;12,4;12,7;9,7"/>')),
        ("cvat", "a.xml", _CVAT.format('<ellipse label="t" cx="10.5" cy="5.5" rx="1.5" ry="1.5"/>')),
        ("cvat", "a.xml", _CVAT.format('<mask label="t" rle="0, 9" left="9" top="4" width="3" height="3"/>')),
        ("cvat", "a.xml", _CVAT.format('<points label="t" points="10.5,5.5"/>')),
        ("voc", "a.xml", _XML.format(_BNDBOX)),
        ("voc", "a.xml", _XML.format("<point><x>11</x><y>6</y></point>")),
        ("voc", "a.xml", _XML.format(
            "<robndbox><cx>10.5</cx><cy>5.5</cy><w>3</w><h>3</h><angle>0.3</angle></robndbox>")),
        ("sirst", "a.xml", _XML.format("<centroid><xc>11</xc><yc>6</yc></centroid>")),
        ("supervisely", "a.png.json", _supervisely("rectangle", [9, 4], [11, 6])),
        ("supervisely", "a.png.json", _supervisely("polygon", [9, 4], [11, 4], [11, 6], [9, 6])),
        ("supervisely", "a.png.json", _supervisely("point", [10, 5])),
        ("visdrone", "a.txt", "9,4,3,3,1,4,0,0\n"),
        ("mot", "gt.txt", "1,1,9,4,3,3,1,1,1\n"),
        ("sequence-boxes", "groundtruth_rect.txt", "9,4,3,3\n"),
    ],
)  # fmt: skip
def test_the_middle_of_a_target_is_the_same_pixel_for_every_tool(tmp_path, name, file, content):
    save(tmp_path / "img/a.png", np.zeros((30, 40), np.uint8))
    points = read_points(write(tmp_path / file, content), format=name, images=tmp_path / "img")
    assert [(p.row, p.col) for listed in points.by_image.values() for p in listed] == [(5, 10)]
    assert any("counting pixels from 0" in line for line in points.notes) == (
        name in ("mot", "sequence-boxes")
    )


@pytest.mark.parametrize(
    ("name", "file", "content"),
    [
        ("cvat", "a.xml", _CVAT.format('<box label="t" xtl="0" ytl="0" xbr="1" ybr="1"/>')),
        ("voc", "a.xml", _XML.format(re.sub("[0-9]+", "1", _BNDBOX))),
        ("supervisely", "a.png.json", _supervisely("rectangle", [0, 0], [0, 0])),
        ("visdrone", "a.txt", "0,0,1,1,1,4,0,0\n"),
        ("mot", "gt.txt", "1,1,0,0,1,1,1,1,1\n"),
        ("sequence-boxes", "groundtruth_rect.txt", "0,0,1,1\n"),
    ],
)  # fmt: skip
def test_the_first_pixel_alone_is_the_first_for_every_tool(tmp_path, name, file, content):
    save(tmp_path / "img/a.png", np.zeros((30, 40), np.uint8))
    points = read_points(write(tmp_path / file, content), format=name, images=tmp_path / "img")
    assert [(p.row, p.col) for listed in points.by_image.values() for p in listed] == [(0, 0)]
