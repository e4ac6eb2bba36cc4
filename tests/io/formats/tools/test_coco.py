"""COCO JSON: both dialects in, run lengths out, pycocotools as the judge."""

import json
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pycocotools.coco import COCO
from tools.masks import documents, labelled_images, patch

from pointmask.errors import PointsError
from pointmask.io.formats import read_points, recognise
from pointmask.io.formats.labelled import LabelledImage, LabelledTarget
from pointmask.io.formats.tools import _coco_packed
from pointmask.io.formats.tools.coco import Coco
from pointmask.io.points.points import Point

LABELS = st.none() | st.sampled_from(["ship", "two words", "é"])


def read(tmp_path, content):
    path = tmp_path / "points.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    assert recognise(path) == "coco"
    return read_points(path)


def masks(path):
    rejected = {}
    return list(Coco().read_masks(path, rejected)), rejected


def document(*annotations, **image):
    fields = {"id": 1, "file_name": "a.png", "width": 3, "height": 3} | image
    return {
        "images": [fields],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1} | a for a in annotations],
    }


@given(images=documents(labelled_images(labels=LABELS)))
def test_what_is_written_is_read(tmp_path_factory, images):
    path = tmp_path_factory.getbasetemp() / "round.json"
    Coco().write_masks(images, path)
    assert recognise(path) == "coco"
    assert masks(path) == (images, {})
    points = read_points(path)
    assert dict(points) == {image.key: image.points for image in images}
    assert not points.rejected


# pycocotools 2.0.11 does not know the copy argument of NumPy 2's __array__.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@settings(max_examples=30)
@given(images=documents(labelled_images()))
def test_pycocotools_sees_the_same_masks(tmp_path_factory, images):
    path = tmp_path_factory.getbasetemp() / "judged.json"
    Coco().write_masks(images, path)
    judge = COCO(str(path))
    for number, image in enumerate(images, 1):
        annotations = judge.imgToAnns[number]
        assert len(annotations) == len(image.targets)
        for annotation, target in zip(annotations, image.targets, strict=True):
            np.testing.assert_array_equal(judge.annToMask(annotation), target.patch.full(image.shape))
            assert annotation["area"] == target.patch.area
            left, top, width, height = annotation["bbox"]
            assert target.patch.box == (top, left, top + height, left + width)


def test_points_masks_and_frames_alone(tmp_path):
    images = [
        LabelledImage("a.png", 0, (3, 4), (LabelledTarget(Point(2, 3), None, 0.5),)),
        LabelledImage("s.tif", 2, (3, 4), (LabelledTarget(None, patch(["##", "#."], 1, 1), None, "b"),)),
        LabelledImage("s.tif", 0, (3, 4), ()),
    ]
    path = tmp_path / "a.json"
    Coco().write_masks(iter(images), path)
    assert masks(path) == (images, {})
    assert dict(read_points(path)) == {
        "a.png": (Point(2, 3),), "s.tif#2": (Point(1, 1, "b"),), "s.tif": ()
    }  # fmt: skip


@pytest.mark.parametrize("row", [0, 2])
@pytest.mark.parametrize("col", [0, 2])
def test_keypoints_are_pixel_indices(tmp_path, row, col):
    for x, y in [(col, row), (col + 0.4, row - 0.4)]:
        points = read(tmp_path, document({"keypoints": [x, y, 1], "bbox": [0, 0, 3, 3]}))
        assert dict(points) == {"a.png": (Point(row, col),)}
    assert "one annotation per target" in points.source


@pytest.mark.parametrize("row", [0, 2])
@pytest.mark.parametrize("col", [0, 2])
def test_boxes_and_masks_give_their_middle(tmp_path, row, col):
    box = {"bbox": [col, row, 1, 1]}
    counts = [col * 3 + row, 1, 8 - col * 3 - row]
    mask = {"segmentation": {"size": [3, 3], "counts": counts}}
    polygon = {"segmentation": [[col, row, col + 1, row, col + 1, row + 1, col, row + 1]]}
    for annotation in (box, mask, polygon, {"keypoints": [0, 0, 0], **mask}):
        assert dict(read(tmp_path, document(annotation))) == {"a.png": (Point(row, col),)}


def test_one_annotation_per_image(tmp_path):
    """As SPIRE writes it, from its script: text ids, nested boxes, an annotation for an empty image."""
    content = {
        "images": [
            {"file_name": "Misc_1.png", "height": 9, "width": 9, "id": "Misc_1"},
            {"file_name": "Misc_2.png", "height": 9, "width": 9, "id": "Misc_2"},
        ],
        "annotations": [
            {
                "id": 1, "image_id": "Misc_1", "bbox": [[1.0, 2.0, 2.0, 1.0], [6.0, 6.0, 1.0, 1.0]],
                "area": [2.0, 1.0], "category_id": 1, "num_keypoints": 2,
                "keypoints": [1.5, 2.0, 1, 6.0, 6.0, 1],
            },
            {
                "id": 2, "image_id": "Misc_2", "bbox": [], "area": [], "category_id": 1,
                "num_keypoints": 0, "keypoints": [],
            },
        ],
        "categories": [{"id": 1, "name": "target"}],
    }  # fmt: skip
    points = read(tmp_path, content)
    assert dict(points) == {"Misc_1.png": (Point(2, 2), Point(6, 6)), "Misc_2.png": ()}
    assert "SPIRE" in points.source
    del content["annotations"][0]["keypoints"]
    assert dict(read(tmp_path, content))["Misc_1.png"] == (Point(2, 2), Point(6, 6))


GOOD = {"keypoints": [1, 1, 2]}


@pytest.mark.parametrize(
    ("annotation", "reason"),
    [
        ({}, "neither keypoints nor mask nor box"),
        ({"keypoints": [1, 2]}, "threes"),
        ({"keypoints": [1, "x", 1]}, "finite number"),
        ({"keypoints": 3}, "not a list"),
        ({"bbox": [1, 2, 3]}, "bbox"),
        ({"bbox": [1, 2, -3, 1]}, "bbox"),
        ({"bbox": [1e300, 2, 3, 1]}, "coordinate"),
        ({"segmentation": {"size": [3, 3], "counts": "!!"}}, "run lengths"),
        ({"segmentation": {"size": [3, 3], "counts": [3, 1]}}, "9 pixels"),
        ({"segmentation": {"size": [3, 3], "counts": [1.5, 7.5]}}, "whole number"),
        ({"segmentation": {"size": [4, 3], "counts": [12]}}, "size"),
        ({"segmentation": {"counts": [9]}}, "size"),
        ({"segmentation": [[0, 0, 1, 1]]}, "polygon"),
        ({"segmentation": [[0, 0, 1]]}, "corners take two each"),
        ({"segmentation": "x"}, "not an object"),
        (
            {"segmentation": {"size": [3, 3], "counts": [0, 1, 8]}, "keypoints": [0, 0, 1, 1, 1, 1]},
            "one mask",
        ),
    ],
)
def test_a_wrong_annotation_rejects_its_image_alone(tmp_path, annotation, reason):
    content = document(annotation, GOOD)
    content["images"].append({"id": 2, "file_name": "b.png", "width": 3, "height": 3})
    points = read(tmp_path, content)
    assert dict(points) == {"b.png": ()}
    assert list(points.rejected) == ["a.png"]
    assert re.search(reason, points.rejected["a.png"])
    assert list(masks(tmp_path / "points.json")[1]) == ["a.png"]


@pytest.mark.parametrize(
    "image",
    [
        {"file_name": 7},
        {"file_name": " / "},
        {"width": -1},
        {"width": 1e9, "height": 1e9},
        {"id": None},
        {"file_name": "a.tif", "frame": -1},
    ],
)
def test_a_wrong_image_is_rejected(tmp_path, image):
    content = document(**image)
    points = read(tmp_path, content)
    assert not points.by_image
    assert len(points.rejected) == 1


HARMLESS = [
    ({"bbox": [0, 0, 3, 3], "segmentation": [[]]}, {}),
    ({"bbox": [0, 0, 3, 3], "segmentation": [0, 0, 3, 0, 3, 3, 0, 3]}, {}),
    ({"bbox": [0, 0, 3, 3], "segmentation": [[], [0, 0, 3, 0, 3, 3, 0, 3]]}, {}),
    ({"bbox": [0, 0, 3, 3], "segmentation": [[0, 0, 3, 3]]}, {}),
    ({"keypoints": [1, 1, 2], "score": "high"}, {}),
    ({"keypoints": [1, 1, 2], "score": 87.5}, {}),
    ({"keypoints": [1, 1, 2], "image_id": "1"}, {}),
    ({"keypoints": [1, 1, 2], "image_id": 1.0}, {}),
    ({"keypoints": [1, 1, 2]}, {"id": "1"}),
    ({"keypoints": [1, 1, 2]}, {"frame": 7}),
    ({"keypoints": [1, 1, 2]}, {"frame": "frame_7"}),
    ({"keypoints": [1, 1, 2]}, {"width": 0, "height": 0}),
]


@pytest.mark.parametrize(("annotation", "image"), HARMLESS)
def test_fields_that_do_not_matter_cost_nothing(tmp_path, annotation, image):
    points = read(tmp_path, document({"bbox": [0, 0, 1, 1]}, annotation, **image))
    assert not points.rejected
    assert dict(points) == {"a.png": (Point(0, 0), Point(1, 1))}


@pytest.mark.parametrize(("images", "key"), [(1, "a.tif"), (2, "a.tif#1")])
def test_frames_are_those_of_files_that_have_several(tmp_path, images, key):
    folder = tmp_path / "images"
    folder.mkdir()
    pages = [Image.fromarray(np.zeros((3, 3), np.uint8))] * images
    pages[0].save(folder / "a.tif", save_all=True, append_images=pages[1:])
    content = document(GOOD, file_name="a.tif", frame=1)
    path = tmp_path / "points.json"
    path.write_text(json.dumps(content))
    assert dict(read_points(path, images=folder)) == {key: (Point(1, 1),)}
    assert dict(read_points(path)) == {"a.tif#1": (Point(1, 1),)}


EMPTY_OBJECTS = [
    {"bbox": [0, 0, 0, 0], "area": 0, "segmentation": []},
    {"bbox": [0.0, 0.0, 0.0, 0.0], "segmentation": [[]]},
    {"bbox": [], "area": 0, "segmentation": [], "keypoints": []},
    {"bbox": [0, 0, 0, 0], "area": 0, "segmentation": None, "keypoints": [0, 0, 0]},
]


@pytest.mark.parametrize("annotation", EMPTY_OBJECTS)
def test_an_empty_object_is_no_target_and_is_said(tmp_path, annotation):
    points = read(tmp_path, document(annotation))
    assert dict(points) == {"a.png": ()}
    assert points.notes[0].startswith("empty objects")


def test_annotations_of_no_image_at_all_are_an_error(tmp_path):
    with pytest.raises(PointsError, match='no annotation has an image_id that "images" lists'):
        read(tmp_path, document({"image_id": 7, "bbox": [0, 0, 1, 1]}))


def test_twins_and_strays_are_rejected(tmp_path):
    content = document(GOOD, {"image_id": 9})
    content["images"].append({"id": 2, "file_name": "a.png"})
    points = read(tmp_path, content)
    assert not points.by_image
    assert set(points.rejected) == {"a.png", "9"}


def test_masks_need_the_size_of_the_image(tmp_path):
    content = document(GOOD)
    del content["images"][0]["width"], content["images"][0]["height"]
    assert dict(read(tmp_path, content)) == {"a.png": (Point(1, 1),)}
    found, rejected = masks(tmp_path / "points.json")
    assert found == []
    assert "without its width and height" in rejected["a.png"]


@pytest.mark.parametrize(
    "content", ['{"images": 1}', '{"annotations": [1]}', '{"images": [], "annotations": {}}']
)
def test_what_is_no_coco_document(tmp_path, content):
    with pytest.raises(PointsError, match=r"points\.json"):
        read(tmp_path, content)


def test_writing_is_all_or_nothing(tmp_path):
    def broken():
        yield LabelledImage("a.png", 0, (3, 3), ())
        raise PointsError("no more")

    with pytest.raises(PointsError):
        Coco().write_masks(broken(), tmp_path / "a.json")
    assert list(tmp_path.iterdir()) == []


def test_a_skeleton_in_a_box_is_one_target(tmp_path):
    points = read(tmp_path, document({"bbox": [0, 0, 3, 3], "keypoints": [0, 0, 2, 2, 0, 2, 2, 2, 1]}))
    assert dict(points) == {"a.png": (Point(1, 1),)}
    assert points.notes[0].startswith("targets with several key points")


def test_run_lengths_say_the_size_of_an_image_that_the_document_does_not(tmp_path):
    content = document({"segmentation": {"size": [3, 4], "counts": [0, 1, 11]}}, width=0, height=0)
    (point,) = read(tmp_path, content).by_image["a.png"]
    assert (point, point.image_shape) == (Point(0, 0), (3, 4))


@pytest.mark.parametrize(
    "content",
    [
        {"annotations": "see the paper"},
        {"images": ["a.png", "b.png"]},
        {"annotations": [{"text": "a ship"}]},
        {"images": {"a": 1}},
    ],
)
def test_other_objects_are_not_taken_for_coco(tmp_path, content):
    path = tmp_path / "points.json"
    path.write_text(json.dumps(content))
    assert not Coco().sniff(path)


def test_categories_without_id_or_name_cost_nothing(tmp_path):
    content = document(GOOD) | {"categories": [{"name": "x"}, {"id": 1}, {"id": "1", "name": 5}]}
    assert dict(read(tmp_path, content)) == {"a.png": (Point(1, 1, "5"),)}


_NUMBER = st.one_of(
    st.integers(-3, 40),
    st.floats(-3, 40),
    st.sampled_from([1e300, float("nan"), -float("inf"), 10**400, True, "2"]),
)
_ANNOTATION = st.fixed_dictionaries(
    {"image_id": st.integers(1, 3), "category_id": st.sampled_from([1, 2, "1", None, 9])},
    optional={
        "bbox": st.none() | st.lists(_NUMBER, max_size=5) | st.lists(_NUMBER, min_size=4, max_size=4),
        "keypoints": st.none() | st.lists(_NUMBER, min_size=3, max_size=3) | st.lists(_NUMBER, max_size=7),
        "segmentation": st.sampled_from([None, [], [[]], [[1, 1, 5, 1, 5, 5]], {}, "x"]),
        "area": st.sampled_from([0, 9, [9]]),
        "score": st.sampled_from([0.5, None, 7, "0.25"]),
    },
)


@settings(max_examples=200)
@given(st.lists(_ANNOTATION, max_size=8))
def test_packed_annotations_are_read_as_all_others(tmp_path_factory, annotations):
    images = [{"id": k, "file_name": f"{k}.png", "width": 50, "height": 60} for k in (1, 2, 3)]
    content = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "ship"}]}
    path = tmp_path_factory.getbasetemp() / "coco.json"
    path.write_text(json.dumps(content))

    def found():
        rejected = {}
        try:
            return [(i.key, i.targets) for i in Coco().read_masks(path, rejected)], rejected, None
        except PointsError as error:
            return [], {}, str(error)

    packed = found()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(_coco_packed, "_numbers", lambda fields: None)
        assert packed == found()


@pytest.mark.parametrize(
    "fields",
    [
        {"bbox": [0.4, 0.3, 0.1, 0.05]},
        {"bbox": [0.4, 0.3, 0.1, 0.05], "keypoints": [1, 1, 2]},
        {"segmentation": [[0.4, 0.3, 0.5, 0.3, 0.5, 0.4]]},
        {"bbox": [0.4, 0.3, 0.1, 0.1], "segmentation": [[0.4, 0.3, 0.5, 0.3, 0.5, 0.4]]},
    ],
)
def test_shares_of_the_image_are_refused(tmp_path, fields):
    points = read(tmp_path, document(fields))
    assert not points.by_image
    assert "multiply them by the size of the image" in points.rejected["a.png"]


@pytest.mark.parametrize(
    "box", [[0, 0, 1, 1], [0, 0, 1, 2], [0.5, 0.5, 1, 1], [2, 2, 0.5, 0.5], [0, 0, 0, 0]]
)
def test_boxes_in_px_at_the_first_pixel_are_no_shares(tmp_path, box):
    assert not read(tmp_path, document({"bbox": box, "area": 1})).rejected


def test_a_polygon_of_an_odd_count_of_numbers_is_named(tmp_path):
    points = read(tmp_path, document({"segmentation": [[0, 0, 3, 0, 3, 3, 1]]}))
    assert "has 7 numbers; corners take two each" in points.rejected["a.png"]
