"""Label Studio's JSON: addresses of images, which annotation counts, wrong results."""

import pytest
from tools.formats.annotations import keypoint, masks_of, read_as, region, task, write

from pointmask.errors import PointsError
from pointmask.io.formats.tools.labelstudio import LabelStudio
from pointmask.io.points.points import Point


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
    found = read_as(tmp_path / "ls.json", [task(address, keypoint(12.6, 15.0))], "labelstudio")
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
    found = read_as(tmp_path / "ls.json", tasks, "labelstudio")
    marked = (Point(1, 2, "ship"),)
    assert dict(found) == {
        "empty.png": (), "truth.png": (Point(0, 0, "ship"),), "new.png": marked, "old.png": marked,
    }  # fmt: skip
    assert "has 2 annotations" in found.rejected["twice.png"]


MARKED = [
    ("rectanglelabels", {"x": 50, "y": 20, "width": 10, "height": 40, "rotation": 0}, (4, 11)),
    ("rectangle", {"x": 50, "y": 20, "width": 10, "height": 40}, (4, 11)),
    ("ellipselabels", {"x": 55, "y": 41, "radiusX": 5, "radiusY": 20}, (4, 11)),
    ("polygonlabels", {"points": [[50, 20], [65, 20], [65, 70], [50, 70]]}, (4, 11)),
    ("polygonlabels", {"points": [[56, 41], [57, 41], [57, 42]]}, (4, 11)),
]


@pytest.mark.parametrize(("kind", "value", "middle"), MARKED)
def test_other_shapes_are_targets_beside_key_points_and_alone(tmp_path, kind, value, middle):
    other = region(kind, value | {kind: ["ship"]})
    label = "ship"
    found = read_as(tmp_path / "ls.json", [task("a.png", keypoint(1, 1), other)], "labelstudio")
    assert dict(found) == {"a.png": (Point(0, 0, "ship"), Point(*middle, label))}
    found = read_as(tmp_path / "ls.json", [task("a.png", other)], "labelstudio")
    assert dict(found) == {"a.png": (Point(*middle, label),)}


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("vectorlabels", {"vertices": []}),
        ("videorectangle", {"sequence": []}),
        ("bitmask", {"imageDataURL": "data:"}),
        ("cuboid", {"x": 1, "y": 1}),
    ],
)
def test_shapes_that_are_not_read_reject_their_task_beside_a_key_point(tmp_path, kind, value):
    tasks = [task("a.png", keypoint(1, 1), region(kind, value))]
    found = read_as(tmp_path / "ls.json", tasks, "labelstudio")
    assert not found.by_image
    assert f"has {kind}, which is not read" in found.rejected["a.png"]


def test_choices_and_texts_are_no_shapes(tmp_path):
    results = [
        region("choices", {"choices": ["clear"]}),
        region("textarea", {"text": ["far"]}),
        keypoint(1, 1),
    ]
    found = read_as(tmp_path / "ls.json", [task("a.png", *results)], "labelstudio")
    assert dict(found) == {"a.png": (Point(0, 0, "ship"),)}


def test_a_score_above_one_costs_nothing(tmp_path):
    found = read_as(tmp_path / "ls.json", [task("a.png", keypoint(1, 1, score=87.5))], "labelstudio")
    assert dict(found) == {"a.png": (Point(0, 0, "ship"),)}


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (keypoint(1, 1, image_rotation=90), "turned by 90 degrees"),
        (keypoint(1, 1, original_width=None), "the width in the original size is None"),
        (keypoint("x", 1), "x is 'x', not a finite number"),
        (region("rectanglelabels", {"x": 1}), "y is None, not a finite number"),
        (region("vectorlabels", {"vertices": []}), "has vectorlabels, which is not read, .*; mark it with"),
        (region("brushlabels", {"rle": 10**12}), "rle is 1000000000000, not a list"),
        (region("brushlabels", {"rle": [1, 256]}), "brush mask: "),
        (region("brushlabels", {"rle": [0, 0, 3, 31]}), "holds 799 values, but 20 x 10 pixels have 800"),
        (region("brushlabels", {"rle": [0, 0, 3, 32]}), "cut short"),
    ],
)
def test_a_wrong_result_rejects_its_image(tmp_path, result, words):
    _, rejected = masks_of("labelstudio", write(tmp_path / "ls.json", [task("a.png", result)]))
    with pytest.raises(PointsError, match=rf"ls\.json: task 1, image 'a\.png'.*{words}"):
        raise PointsError(rejected["a.png"])


def test_a_task_without_image(tmp_path):
    with pytest.raises(PointsError, match=r"task 1: its data hold no name of an image"):
        LabelStudio().read(write(tmp_path / "ls.json", [{"data": {"text": "hello"}, "annotations": []}]))
