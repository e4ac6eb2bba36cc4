"""CVAT, Label Studio, VIA, napari and MCLC: samples after each tool's documentation, origins, round trips."""

import io
import json
import pickle
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tools.masks import documents, labelled_images, patch

from pointmask.errors import OutputError, PointsError
from pointmask.io.formats import FORMATS, read_points, recognise
from pointmask.io.formats.encodings import object_npy
from pointmask.io.formats.labelled import LabelledImage, LabelledTarget
from pointmask.io.formats.tools._pairs import Part, targets
from pointmask.io.formats.tools.cvat import Cvat
from pointmask.io.formats.tools.labelstudio import LabelStudio
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
    <box label="ship" occluded="0" xtl="1" ytl="1" xbr="3" ybr="3"/>
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


def region(kind, value, **more):
    """One result as Label Studio exports it, of an image of 20 x 10 pixels."""
    size = {"original_width": 20, "original_height": 10, "image_rotation": 0}
    return {"id": "r1", "type": kind, "from_name": "f", "to_name": "image", "value": value, **size, **more}


def keypoint(x, y, **more):
    return region("keypointlabels", {"x": x, "y": y, "width": 0.5, "keypointlabels": ["ship"]}, **more)


def task(image, *results, **more):
    return {"id": 1, "data": {"image": image}, "annotations": [{"id": 3, "result": list(results), **more}]}


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


def npy(content):
    file = io.BytesIO()
    np.save(file, content, allow_pickle=True)
    return file.getvalue()


MCLC = {
    "name": "a", "Ymin_f": [0], "Ymax_f": [4], "Xmin_f": [0], "Xmax_f": [5],
    "centroid_label_y": [1], "centroid_label_x": [2], "target_type": ["Point"],
}  # fmt: skip
MCLC_EMPTY = dict.fromkeys(MCLC, 0) | {"name": "b", "target_type": "non_target"}


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, (dict, list)):
        content = json.dumps(content)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def read(path, content, name):
    assert recognise(write(path, content)) == name
    return read_points(path)


def masks(name, path):
    rejected = {}
    return list(FORMATS.load(name).read_masks(path, rejected)), rejected


# Origins: a point in each corner pixel of a 3 x 3 image, at its centre and just inside its outer edges


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
        (points,) = read(tmp_path / file, content, name).by_image.values()
        assert [(p.row, p.col) for p in points] == [(row, col)], name


# Round trips


@pytest.mark.parametrize("name", ["cvat", "labelstudio"])
@settings(deadline=None, max_examples=40)
@given(images=documents(labelled_images(labels=st.none() | st.sampled_from(["ship", 'a "b" <c> & ä\n']))))
def test_written_masks_and_points_are_read(tmp_path_factory, name, images):
    path = tmp_path_factory.getbasetemp() / f"{name}.document"
    form = FORMATS.load(name)
    form.write_masks(iter(images), path)
    assert recognise(path) == name
    found, rejected = masks(name, path)
    assert not rejected
    assert [(one.image, one.frame, one.shape) for one in found] == [
        (i.image, i.frame, i.shape) for i in images
    ]
    for ours, theirs in zip(images, found, strict=True):
        assert [(t.point, t.patch, t.label) for t in theirs.targets] == [
            (t.point, t.patch, t.label) for t in ours.targets
        ]
        if "confidence" in form.holds:
            assert [t.confidence for t in theirs.targets] == [t.confidence for t in ours.targets]
    points = read_points(path)
    assert not points.rejected
    assert dict(points) == {image.key: image.points for image in images}


@pytest.mark.parametrize("name", ["cvat", "labelstudio"])
def test_targets_with_one_part_and_frames_survive(tmp_path, name):
    lone = (LabelledTarget(Point(0, 1, "ship"), None), LabelledTarget(None, patch(["#"], 3, 3), label="bird"))
    images = [LabelledImage("seq.tif", 2, (5, 6), lone), LabelledImage("é.png", 0, (1, 1), ())]
    FORMATS.load(name).write_masks(images, tmp_path / "out")
    assert masks(name, tmp_path / "out") == (images, {})
    FORMATS.load(name).write_masks([], tmp_path / "out")
    assert masks(name, tmp_path / "out") == ([], {})


# CVAT


def test_cvat_for_images(tmp_path):
    path = tmp_path / "annotations.xml"
    found = read(path, CVAT_IMAGES, "cvat")
    assert dict(found) == {
        "sea/a.png": (Point(1, 2, "ship"), Point(9, 19, "ship"), Point(0, 0)),
        "b.png": (),
        "d.png": (Point(4, 6, "ship"),),
    }
    assert "has box but neither points nor masks" in found.rejected["c.png"]
    images, rejected = masks("cvat", path)
    assert [image.image for image in images] == ["sea/a.png", "b.png", "d.png"]
    assert images[0].targets[2] == LabelledTarget(Point(0, 0), patch(["##.", ".#."]))
    assert images[2].targets == (LabelledTarget(None, patch(["#"], 4, 6), label="ship"),)
    assert list(rejected) == ["c.png"]


@pytest.mark.parametrize(("source", "key"), [("seq.tif", "seq.tif#{}"), ("sea.mp4", "frame_00000{}")])
def test_cvat_for_video(tmp_path, source, key):
    path = tmp_path / "annotations.xml"
    found = read(path, CVAT_VIDEO.format(source=source), "cvat")
    assert dict(found) == {key.format(3): (Point(1, 2, "ship"), Point(8, 7, "ship")), key.format(4): ()}
    images, rejected = masks("cvat", path)
    assert not rejected
    assert images[0].targets[1] == LabelledTarget(Point(8, 7, "ship"), patch(["#"], 8, 7))
    assert images[0].shape == (10, 20)


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
    _, rejected = masks("cvat", write(tmp_path / "a.xml", text))
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

    few, many = peak(300), peak(2000)
    # What is kept of an image is its name; its elements would take 3,000 bytes.
    assert many - few < 500 * 1700


def test_ungrouped_points_belong_to_the_first_mask_of_their_label_that_they_lie_on():
    hollow, whole, far = patch(["###", "#.#", "###"]), patch(["###", "###", "###"]), patch(["#"], 20, 20)
    parts = [
        Part(None, hollow, "ship"),
        Part(None, whole, "bird"),
        Part(None, whole, "ship"),
        Part(Point(1, 1, "ship"), None, "ship"),
        Part(Point(0, 0, "ship"), None, "ship", 0.5),
        Part(Point(0, 0, "ship"), None, "ship"),
        Part(None, far, "ship", 0.25),
        Part(Point(20, 20, "ship"), None, "ship", group="a"),
    ]
    assert [(t.point and (t.point.row, t.point.col), t.patch, t.confidence) for t in targets(parts)] == [
        ((0, 0), hollow, 0.5),
        (None, whole, None),
        ((1, 1), whole, None),
        ((0, 0), None, None),
        (None, far, 0.25),
        ((20, 20), None, None),
    ]


def test_an_image_that_is_listed_twice_is_rejected(tmp_path):
    image = '<image name="a.png" width="3" height="3"/>'
    assert (
        "listed twice"
        in read(tmp_path / "a.xml", f"<annotations>{image * 2}</annotations>", "cvat").rejected["a.png"]
    )
    found = read(tmp_path / "a.json", [task("a.png"), task("/a.png")], "labelstudio")
    assert not found.by_image


def test_xml_cannot_hold_every_name(tmp_path):
    with pytest.raises(OutputError, match=r"'a\\x01\.png' holds characters that XML cannot hold"):
        Cvat().write_masks([LabelledImage("a\x01.png", 0, (1, 1), ())], tmp_path / "a.xml")
    assert list(tmp_path.iterdir()) == []


# Label Studio


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("/data/upload/3/0a1b2c3d-a.png", "a.png"),
        ("/data/upload/0a1b2c3d-a-b.png", "a-b.png"),
        ("/data/local-files/?d=sea/a%20b.png", "sea/a b.png"),
        ("s3://bucket/sea/a.png", "sea/a.png"),
        ("https://host/sea/a%C3%A4.png?token=1", "sea/aä.png"),
        ("seq.tif#3.png", "seq.tif#3.png"),
    ],
)
def test_addresses_of_images(tmp_path, address, key):
    found = read(tmp_path / "ls.json", [task(address, keypoint(12.6, 15.0))], "labelstudio")
    assert dict(found) == {key: (Point(1, 2, "ship"),)}


def test_which_annotation_counts(tmp_path):
    one, other = [keypoint(12.6, 15.0)], [keypoint(0, 0)]
    tasks = [
        task("skipped.png", was_cancelled=True) | {"predictions": [{"result": one}]},
        task("empty.png"),
        {"data": {"image": "twice.png"}, "annotations": [{"result": one}, {"result": other}]},
        {
            "data": {"image": "truth.png"},
            "annotations": [{"result": one}, {"result": other, "ground_truth": True}],
        },
        {"data": {"image": "new.png"}, "annotations": [], "predictions": [{"result": one}]},
        {"data": {"image": "untouched.png"}, "annotations": [], "predictions": []},
        {"data": {"image": "old.png"}, "completions": [{"result": one}]},
    ]
    found = read(tmp_path / "ls.json", tasks, "labelstudio")
    marked = (Point(1, 2, "ship"),)
    assert dict(found) == {
        "empty.png": (), "truth.png": (Point(0, 0, "ship"),), "new.png": marked, "old.png": marked,
    }  # fmt: skip
    assert "has 2 annotations" in found.rejected["twice.png"]


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (keypoint(1, 1, image_rotation=90), "turned by 90 degrees"),
        (keypoint(1, 1, original_width=None), "the width in the original size is None"),
        (keypoint("x", 1), "x is 'x', not a finite number"),
        (region("rectanglelabels", {"x": 1}), "has rectanglelabels but neither points nor masks"),
        (region("brushlabels", {"rle": 10**12}), "rle is 1000000000000, not a list"),
        (region("brushlabels", {"rle": [1, 256]}), "brush mask: "),
        (region("brushlabels", {"rle": [0, 0, 3, 31]}), "holds 799 values, but 20 x 10 pixels have 800"),
        (region("brushlabels", {"rle": [0, 0, 3, 32]}), "cut short"),
    ],
)
def test_a_wrong_result_rejects_its_image(tmp_path, result, words):
    _, rejected = masks("labelstudio", write(tmp_path / "ls.json", [task("a.png", result)]))
    with pytest.raises(PointsError, match=rf"ls\.json: task 1, image 'a\.png'.*{words}"):
        raise PointsError(rejected["a.png"])


def test_a_task_without_image(tmp_path):
    with pytest.raises(PointsError, match=r"task 1: its data hold no name of an image"):
        LabelStudio().read(write(tmp_path / "ls.json", [{"data": {"text": "hello"}, "annotations": []}]))


# VIA


@pytest.mark.parametrize("document", [VIA_IMAGES, VIA_PROJECT, VIA_3])
def test_via(tmp_path, document):
    assert dict(read(tmp_path / "via.json", document, "via")) == {
        "a.png": (Point(1, 2, "ship"),),
        "b.png": (),
    }


def test_via_1_numbers_its_regions(tmp_path):
    assert dict(read(tmp_path / "via.json", VIA_1, "via")) == {"a.png": (Point(1, 2, "ship"),)}


def test_via_without_points_or_with_times_is_rejected(tmp_path):
    rectangles = {"a.png1": VIA_IMAGES["a.png1234"] | {"regions": VIA_IMAGES["a.png1234"]["regions"][1:]}}
    found = read(tmp_path / "via.json", rectangles, "via")
    assert "has rect but no points" in found.rejected["a.png"]
    timed = json.loads(json.dumps(VIA_3))
    timed["metadata"]["1_Gx7"]["z"] = [1.5]
    assert "segment of a video" in read(tmp_path / "via.json", timed, "via").rejected["a.png"]


# napari


def test_napari(tmp_path):
    write(tmp_path / "layers/a.csv", "index,axis-0,axis-1,label\r\n0.0,1.4,1.5,ship\r\n1.0,0.0,0.0,\r\n")
    write(tmp_path / "layers/sea/b.csv", "index,axis-0,axis-1\n")
    write(tmp_path / "layers/seq.csv", "index,axis-0,axis-1,axis-2\n0.0,3.0,1.0,2.0\n")
    expected = {"a": (Point(1, 2, "ship"), Point(0, 0)), "sea/b": (), "seq#3": (Point(1, 2),)}
    assert recognise(tmp_path / "layers") == "napari"
    assert dict(read_points(tmp_path / "layers")) == expected
    assert dict(read_points(tmp_path / "layers/a.csv")) == {"a": expected["a"]}


def test_napari_rejects_images_and_refuses_other_tables(tmp_path):
    found = read(tmp_path / "a.csv", "index,axis-0,axis-1\n0.0,one,2\n", "napari")
    assert "a.csv:2: axis-0 is 'one', not a finite number" in found.rejected["a"]
    assert (
        "has 2 cells, not 3" in read(tmp_path / "a.csv", "index,axis-0,axis-1\n0,1\n", "napari").rejected["a"]
    )
    write(tmp_path / "b.csv", "image,x,y\n")
    with pytest.raises(PointsError, match=r"b\.csv: the table does not begin with index,axis-0,axis-1"):
        read_points(tmp_path, format="napari")


# MCLC


def test_mclc(tmp_path):
    write(
        tmp_path / "a.npy",
        npy(MCLC | {"centroid_label_y": [1, np.int64(7)], "centroid_label_x": [2, np.int32(8)]}),
    )
    write(tmp_path / "b.npy", npy(MCLC_EMPTY))
    old = (
        b"\x93NUMPY\x01\x00v\x00"
        + b"{'descr': '|O', 'fortran_order': False, 'shape': (), }".ljust(117)
        + b"\n"
    )
    stored = np.array(MCLC | {"name": "c"}, object).dumps(protocol=2)
    write(tmp_path / "c.npy", old + stored.replace(b"numpy._core.multiarray", b"numpy.core.multiarray"))
    write(tmp_path / "d.npy", npy(MCLC | {"name": "d", "centroid_label_x": [1, 2]}))
    assert recognise(tmp_path) == recognise(tmp_path / "c.npy") == "mclc"
    found = read_points(tmp_path)
    assert dict(found) == {"a": (Point(1, 2), Point(7, 8)), "b": (), "c": (Point(1, 2),)}
    assert "must be lists of equal length" in found.rejected["d"]


class Harmful:
    """Would write a file if it were unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return exec, (f"import pathlib; pathlib.Path({str(self.path)!r}).touch()",)


@pytest.mark.parametrize(
    "wrap", [lambda harm: harm, lambda harm: MCLC | {"name": harm}, lambda harm: MCLC | {"x": [harm]}]
)
def test_a_pickle_that_would_run_code_is_refused_by_name(tmp_path, wrap):
    victim = tmp_path / "victim"
    harmful = write(tmp_path / "a.npy", npy(wrap(Harmful(victim))))
    with pytest.raises(
        PointsError, match=r"a\.npy: its pickle asks for builtins\.exec, which would run code"
    ):
        read_points(tmp_path)
    assert not victim.exists()
    np.load(harmful, allow_pickle=True)  # the test of the test
    assert victim.exists()


@pytest.mark.parametrize(
    "opcodes",
    [
        b"r\xff\xff\xff\x7f",  # a memo of 2**31 places
        b"\x8e" + (2**40).to_bytes(8, "little"),  # a terabyte of bytes
        b"(" * 10**6,
        b"]" * 10**5 + b"a" * 10**5 + b".",
    ],
)
def test_a_pickle_cannot_fill_the_memory(opcodes):
    head = npy(MCLC)[:128]
    with pytest.raises(PointsError, match="it is no readable pickle"):
        object_npy.decode(head + b"\x80\x04" + opcodes)


def test_a_pickle_cannot_change_the_reader():
    setting = pickle.dumps({"f": 1})[2:-1]
    for name in (b"cnumpy.core.multiarray\nscalar\n", b"cnumpy\nndarray\n"):
        with pytest.raises(PointsError):
            object_npy.decode(npy(MCLC)[:128] + b"\x80\x04" + name + setting + b"b.")
    assert object_npy.decode(npy({"a": np.float32(2.5)})) == {"a": 2.5}
