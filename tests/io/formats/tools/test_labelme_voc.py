"""LabelMe and Pascal VOC: documents made by hand after their documentation, and round trips."""

import base64
import io
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from tools.formats.annotations import write
from tools.masks import documents, files, labelled_images, patch

from pointmask.errors import OutputError, PointsError
from pointmask.io.formats import read_points, recognise
from pointmask.io.formats.labelled import Box, LabelledImage, LabelledTarget
from pointmask.io.formats.registry import FORMATS
from pointmask.io.formats.tools.labelme import LabelMe
from pointmask.io.formats.tools.voc import Voc
from pointmask.io.images.folder import FolderSource
from pointmask.io.points.points import Point

LABELS = st.none() | st.sampled_from(["ship", "two words", "é <&>"])


def masks(module, path):
    rejected = {}
    return list(module.read_masks(path, rejected)), rejected


@given(images=documents(labelled_images(labels=LABELS)))
def test_labelme_is_read_as_written(tmp_path_factory, images):
    path = tmp_path_factory.mktemp("labelme")
    LabelMe().write_masks(images, path)
    assert recognise(path) == "labelme"
    found, rejected = masks(LabelMe(), path)
    assert sorted(found, key=lambda image: image.key) == sorted(images, key=lambda image: image.key)
    assert not rejected
    assert dict(read_points(path)) == {image.key: image.points for image in images}


@given(images=documents(labelled_images(labels=LABELS)))
def test_voc_keeps_points_and_sizes(tmp_path_factory, images):
    path = tmp_path_factory.mktemp("voc")
    Voc().write_masks(images, path)
    assert recognise(path) == "voc"
    found, rejected = masks(Voc(), path)
    assert {(image.key, image.shape, image.points) for image in found} == {
        (image.key, image.shape, image.points) for image in images
    }
    assert not rejected
    assert dict(read_points(path)) == {image.key: image.points for image in images}


@pytest.mark.parametrize("name", ["labelme", "voc"])
def test_frames_and_parts(tmp_path, name):
    images = [
        LabelledImage("s.tif", 2, (3, 4), (LabelledTarget(None, patch(["##", "#."], 1, 1), None, "b"),)),
        LabelledImage("s.tif", 0, (3, 4), ()),
        LabelledImage("t/a.png", 0, (3, 4), (LabelledTarget(Point(2, 3), None),)),
    ]
    FORMATS.load(name).write_masks(iter(images), tmp_path)
    suffix = {"labelme": "json", "voc": "xml"}[name]
    assert files(tmp_path) == [f"s#2.{suffix}", f"s.{suffix}", f"t/a.{suffix}"]
    expected = {"s.tif#2": (Point(1 if name == "labelme" else 2, 1 if name == "labelme" else 2, "b"),)}
    assert dict(read_points(tmp_path)) == expected | {"s.tif": (), "t/a.png": (Point(2, 3),)}
    with pytest.raises(OutputError, match="exists already"):
        FORMATS.load(name).write_masks(iter(images), tmp_path)


@pytest.mark.parametrize("name", ["labelme", "voc"])
def test_images_that_share_a_stem_are_refused(tmp_path, name):
    twins = [LabelledImage(image, 0, (3, 3), ()) for image in ("a.png", "a.bmp")]
    with pytest.raises(OutputError, match="differ only"):
        FORMATS.load(name).write_masks(twins, tmp_path)


# LabelMe

SHAPE = {"label": "target", "group_id": None, "description": "", "flags": {}, "mask": None}


def png(*rows):
    """A mask as LabelMe saves it: 0 and 1 in eight bits."""
    file = io.BytesIO()
    Image.fromarray(np.array(rows, np.uint8)).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def by_hand(tmp_path, *shapes, name="a.json", **fields):
    content = {
        "version": "5.4.1", "flags": {}, "shapes": [SHAPE | shape for shape in shapes],
        "imagePath": "a.png", "imageData": None, "imageHeight": 3, "imageWidth": 3,
    }  # fmt: skip
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content | fields))
    assert recognise(path) == "labelme"
    return path


@pytest.mark.parametrize("row", [0, 2])
@pytest.mark.parametrize("col", [0, 2])
def test_labelme_points_are_cut_off_to_pixels(tmp_path, row, col):
    for x, y in [(col, row), (col + 0.99, row + 0.99)]:
        path = by_hand(tmp_path, {"shape_type": "point", "points": [[x, y]]})
        assert dict(read_points(path)) == {"a.png": (Point(row, col),)}


def test_labelme_shapes_of_all_kinds(tmp_path):
    path = by_hand(
        tmp_path,
        {"shape_type": "mask", "points": [[1, 0], [2, 1]], "mask": png([1, 0], [1, 1]), "label": "m"},
        {"shape_type": "polygon", "points": [[0, 2], [2, 2], [2, 3], [0, 3]], "label": "p"},
        {"shape_type": "rectangle", "points": [[3, 3], [2, 2]], "label": "r"},
        {"shape_type": "circle", "points": [[0.5, 0.5], [1, 0.5]], "label": "c"},
        {"shape_type": "point", "points": [[1.5, 1.5]], "label": "k", "group_id": 7},
        {"shape_type": "mask", "points": [[1, 1], [1, 1]], "mask": png([1]), "label": "k", "group_id": 7},
        {"shape_type": "mask", "points": [[0, 0], [0, 0]], "mask": png([0])},
    )
    ((image,), rejected) = masks(LabelMe(), path)
    assert not rejected
    assert image.targets == (
        LabelledTarget(None, patch(["#.", "##"], 0, 1), None, "m"),
        LabelledTarget(None, patch(["##"], 2, 0), None, "p"),
        LabelledTarget(Point(2, 2, "r"), None, box=Box(2, 2, 3, 3)),
        LabelledTarget(Point(0, 0, "c"), None, box=Box(0, 0, 1, 1)),
        LabelledTarget(Point(1, 1, "k"), patch(["#"], 1, 1)),
    )


@pytest.mark.parametrize(
    ("document", "image_path", "key"),
    [
        ("a.json", "a.png", "a.png"),
        ("seq/a.json", "a.png", "seq/a.png"),
        ("seq/a.json", "../../images/seq/a.png", "images/seq/a.png"),
        ("a.json", "..\\images\\a.png", "images/a.png"),
        ("a.json", "C:\\data\\a.png", "a.png"),
        ("a.json", "/home/me/a.png", "a.png"),
    ],
)
def test_labelme_finds_its_image(tmp_path, document, image_path, key):
    by_hand(tmp_path, name=document, imagePath=image_path)
    assert dict(read_points(tmp_path)) == {key: ()}


def test_labelme_documents_lead_to_their_images(tmp_path):
    image = LabelledImage("seq/a.png", 0, (3, 3), ())
    out = tmp_path / "out" / "labelme"
    LabelMe().write_masks([image], out, source=FolderSource(tmp_path / "images"))
    content = json.loads((out / "seq" / "a.json").read_text())
    assert content["imagePath"] == "../../../images/seq/a.png"
    assert content["imageData"] is None
    assert dict(read_points(out)) == {"seq/a.png": ()}


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        ({"shape_type": "line", "points": [[0, 0], [1, 1]]}, "'line' with 2 corners"),
        ({"shape_type": "point", "points": [[0, 0], [1, 1]]}, "'point' with 2 corners"),
        ({"shape_type": "point", "points": [[0, "x"]]}, "finite number"),
        ({"shape_type": "point", "points": [[0]]}, "1 numbers"),
        ({"shape_type": "point", "points": 5}, "not a list"),
        ({"shape_type": "polygon", "points": [[0, 0], [1, 1]]}, "polygon"),
        ({"shape_type": "mask", "points": [[0, 0], [1, 1]], "mask": "%%"}, "base64"),
        ({"shape_type": "mask", "points": [[0, 0], [1, 1]], "mask": "AAAA"}, "no PNG"),
        ({"shape_type": "mask", "points": [[0, 0], [1, 1]], "mask": None}, "not a text"),
        ({"shape_type": "mask", "points": [[0, 0], [2, 2]], "mask": png([1])}, "1 x 1 pixels"),
        ({"shape_type": "mask", "points": [[-1, 0], [-1, 0]], "mask": png([1])}, "1 x 1 pixels"),
        ({"shape_type": "dot", "points": [[0, 0]], "label": 3}, "is a 'dot' with 1 corners"),
    ],
)
def test_a_wrong_shape_rejects_its_image_alone(tmp_path, shape, reason):
    by_hand(tmp_path, shape)
    by_hand(tmp_path, name="b.json", imagePath="b.png")
    points = read_points(tmp_path)
    assert dict(points) == {"b.png": ()}
    assert reason in points.rejected["a"]
    assert str(tmp_path / "a.json") in points.rejected["a"]


def test_a_mask_beyond_the_image_is_rejected(tmp_path):
    shape = {"shape_type": "mask", "points": [[3, 0], [3, 0]], "mask": png([1])}
    found, rejected = masks(LabelMe(), by_hand(tmp_path, shape))
    assert found == []
    assert "reaches" in rejected["a.png"]


def test_two_documents_of_one_image_reject_it(tmp_path):
    by_hand(tmp_path)
    by_hand(tmp_path, name="b.json")
    points = read_points(tmp_path)
    assert not points.by_image
    assert "another document" in points.rejected["a.png"]


def test_sizes_are_optional_for_points(tmp_path):
    path = by_hand(tmp_path, {"shape_type": "point", "points": [[1, 1]]}, imageHeight=None)
    assert dict(read_points(path)) == {"a.png": (Point(1, 1),)}
    assert "width and height" in masks(LabelMe(), path)[1]["a.png"]


@pytest.mark.parametrize("name", ["labelme", "voc"])
def test_a_folder_without_documents(tmp_path, name):
    with pytest.raises(PointsError, match="file in this folder"):
        read_points(tmp_path, format=name)


# Pascal VOC


def voc_by_hand(tmp_path: Path, objects: str, name: str = "a.png", size: str = "3") -> Path:
    """As in the development kit of the challenge."""
    path = tmp_path / "a.xml"
    path.write_text(
        f"""<annotation>
        <folder>VOC2007</folder>{f"<filename>{name}</filename>" if name else ""}
        <source><database>The VOC2007 Database</database></source>
        <size><width>{size}</width><height>{size}</height><depth>3</depth></size>
        <segmented>0</segmented>{objects}</annotation>"""
    )
    assert recognise(path) == "voc"
    return path


def voc_object(xmin, ymin, xmax, ymax, name="target", rest=""):
    bounds = "".join(
        f"<{tag}>{value}</{tag}>"
        for tag, value in zip(("xmin", "ymin", "xmax", "ymax"), (xmin, ymin, xmax, ymax), strict=True)
    )
    return f"<object><name>{name}</name><difficult>0</difficult><bndbox>{bounds}</bndbox>{rest}</object>"


@pytest.mark.parametrize("row", [0, 2])
@pytest.mark.parametrize("col", [0, 2])
def test_voc_counts_from_one(tmp_path, row, col):
    one = voc_object(col + 1, row + 1, col + 1, row + 1, "ship")
    assert dict(read_points(voc_by_hand(tmp_path, one))) == {"a.png": (Point(row, col, "ship"),)}
    clicked = voc_object(1, 1, 3, 3, "", f"<point><x>{col + 1}</x><y>{row + 1}</y></point>")
    assert dict(read_points(voc_by_hand(tmp_path, clicked, name=""))) == {"a": (Point(row, col),)}


def test_the_middle_of_a_box_is_a_pixel_of_it(tmp_path):
    points = read_points(voc_by_hand(tmp_path, voc_object(1, 1, 3, 3) + voc_object(1, 2, 2, 2)))
    assert dict(points) == {"a.png": (Point(1, 1), Point(1, 1))}


@pytest.mark.parametrize(
    ("objects", "reason"),
    [
        (voc_object(3, 1, 1, 1), "before it begins"),
        (voc_object("nan", 1, 1, 1), "finite number"),
        (voc_object("", 1, 1, 1), "finite number"),
        ("<object/>", "no <bndbox> or <point>; this has nothing"),
        ("<object>", "not XML"),
    ],
)
def test_a_wrong_object_rejects_its_image(tmp_path, objects, reason):
    points = read_points(voc_by_hand(tmp_path, objects))
    assert not points.by_image
    assert reason in points.rejected["a"]


@pytest.mark.parametrize("size", ["-1", "x", "100000"])
def test_a_wrong_size_rejects_its_image(tmp_path, size):
    assert set(read_points(voc_by_hand(tmp_path, "", size=size)).rejected) == {"a"}


@pytest.mark.parametrize("size", ["0", "", " 0 "])
def test_a_size_that_the_tool_did_not_know_costs_nothing(tmp_path, size):
    points = read_points(voc_by_hand(tmp_path, voc_object(1, 1, 3, 3), size=size))
    assert dict(points) == {"a.png": (Point(1, 1),)}
    assert points.by_image["a.png"][0].image_shape is None


OTHER_OBJECTS = [
    "<robndbox><cx>2.5</cx><cy>1.5</cy><w>9</w><h>2</h><angle>1.2</angle></robndbox>",
    "<polygon><x1>1</x1><y1>0</y1><x2>4</x2><y2>0</y2><x3>4</x3><y3>3</y3><x4>1</x4><y4>3</y4></polygon>",
    "<polygon><username>me</username>"
    + "".join(f"<pt><x>{x}</x><y>{y}</y></pt>" for x, y in ((1, 0), (4, 0), (4, 3), (1, 3)))
    + "</polygon>",
]


@pytest.mark.parametrize("inside", OTHER_OBJECTS)
def test_objects_without_box_are_clicked_on_in_the_middle(tmp_path, inside):
    points = read_points(voc_by_hand(tmp_path, f"<object><name>ship</name>{inside}</object>"))
    assert dict(points) == {"a.png": (Point(1, 2, "ship"),)}


def test_an_object_that_is_not_read_rejects_its_image_beside_a_box(tmp_path):
    other = "<object><name>ship</name><keypoint><x>1</x></keypoint></object>"
    points = read_points(voc_by_hand(tmp_path, voc_object(1, 1, 3, 3) + other))
    assert "this has keypoint, name" in points.rejected["a"]


FOUR = [[30, 12], [37, 12], [37, 19], [30, 19]]
TURNED = [[33.5, 10], [39, 15.5], [33.5, 21], [28, 15.5]]


@pytest.mark.parametrize(
    ("kind", "corners"), [("rectangle", FOUR), ("rotation", TURNED), ("quadrilateral", FOUR)]
)
def test_boxes_of_four_corners_are_clicked_on_in_the_middle(tmp_path, kind, corners):
    shape = {"shape_type": kind, "points": corners, "label": None, "score": 87.5, "group_id": ""}
    content = {"imagePath": "a.png", "imageHeight": 0, "imageWidth": 0, "shapes": [shape]}
    points = read_points(write(tmp_path / "a.json", content))
    assert dict(points) == {"a.png": (Point(15, 33),)}
    assert [note.partition(" (")[0] for note in points.notes] == [
        "scores that are no numbers from 0 to 1 are left out",
        "boxes are clicked on in the middle",
    ]


@pytest.mark.parametrize("kind", ["line", "linestrip", "cuboid", "points", "ellipse"])
def test_other_shapes_reject_their_image_beside_a_point(tmp_path, kind):
    shapes = [
        {"shape_type": "point", "points": [[1, 1]], "label": "a"},
        {"shape_type": kind, "points": [[1, 1], [5, 5], [9, 1]], "label": "a"},
    ]
    content = {"imagePath": "a.png", "shapes": shapes}
    points = read_points(write(tmp_path / "a.json", content))
    assert not points.by_image
    assert f"is a '{kind}' with 3 corners" in points.rejected["a"]


def test_a_polygon_needs_no_size_of_its_image(tmp_path):
    shape = {"shape_type": "polygon", "points": [[1, 1], [6, 1], [6, 4], [1, 4]], "label": "a"}
    content = {"imagePath": None, "shapes": [shape]}
    assert dict(read_points(write(tmp_path / "a.json", content))) == {"a": (Point(2, 3, "a"),)}


def test_other_xml_is_refused(tmp_path):
    (tmp_path / "a.xml").write_text("<annotations/>")
    assert "root element" in read_points(tmp_path, format="voc").rejected["a"]
    with pytest.raises(PointsError, match="not recognised"):
        recognise(tmp_path)
