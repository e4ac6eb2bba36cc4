"""Formats of data sets and of smaller tools, written by hand as their programs write them."""

import base64
import io
import json
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from tools.formats.annotations import masks_of, read_as, write

from pointmask.errors import PointsError
from pointmask.io.formats import read_points, recognise
from pointmask.io.images.array import encode_png
from pointmask.io.points.points import Point

PIXEL = st.integers(0, 400)


def sirst(*objects, folder="targets", name="a"):
    inside = "".join(f"<object><name>Target</name>{item}</object>" for item in objects)
    size = "<size><width>500</width><height>500</height><depth>1</depth></size>"
    return f"<annotation><folder>{folder}</folder><filename>{name}</filename>{size}{inside}</annotation>"


def centroid(row, col):
    return f"<centroid><yc>{row + 1}</yc><xc>{col + 1}</xc></centroid>"


BOX = "<bndbox><xmin>2</xmin><ymin>3</ymin><xmax>4</xmax><ymax>5</ymax></bndbox>"
PIXELS = "<pixels><id>0</id></pixels>"


@given(points=st.lists(st.tuples(PIXEL, PIXEL), max_size=5))
def test_centroids_of_sirst_count_from_one(tmp_path_factory, points):
    path = tmp_path_factory.mktemp("sirst") / "a.xml"
    path.write_text(sirst(centroid(0, 0), *(centroid(*point) for point in points)))
    assert recognise(path) == "sirst"
    assert dict(read_points(path)) == {"a": tuple(Point(*p, "Target") for p in [(0, 0), *points])}


def test_a_centroid_between_pixels_belongs_to_the_nearest(tmp_path):
    found = read_as(tmp_path / "a.xml", sirst(centroid(15.2, 32.9)), "sirst")
    assert dict(found) == {"a": (Point(15, 33, "Target"),)}


@pytest.mark.parametrize("kind", ["sirst", "voc"])
def test_backgrounds_of_sirst_hold_no_target(tmp_path, kind):
    write(tmp_path / "a.xml", sirst(BOX))
    if kind == "sirst":
        write(tmp_path / "b.xml", sirst(PIXELS, folder="backgrounds", name="b"))
    assert recognise(tmp_path) == kind
    assert dict(read_points(tmp_path))["a"] == (Point(3, 2, "Target"),)
    assert dict(read_points(tmp_path)).get("b", ()) == ()


@pytest.mark.parametrize("inside", [PIXELS, PIXELS + BOX, "<difficult>0</difficult>"])
def test_objects_of_masks_are_asked_for_as_masks(tmp_path, inside):
    found = read_as(tmp_path / "a.xml", sirst(centroid(1, 1), inside), "sirst")
    assert not found.by_image
    assert "--simulate centroid" in found.rejected["a"]


def test_masks_beside_their_documents_are_masks(tmp_path):
    mask = np.zeros((20, 30), np.uint8)
    mask[4:8, 5:9] = 255
    write(tmp_path / "a_pixels0.png", encode_png(mask))
    write(tmp_path / "a.xml", sirst(PIXELS + BOX))
    with pytest.raises(PointsError, match="--simulate centroid"):
        read_points(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "<annotation><note>to self</note></annotation>",
        "<annotation type='book'><author>me</author></annotation>",
        "<annotationList/>",
        "<html><annotation><filename>a.png</filename></annotation></html>",
    ],
)
def test_other_annotations_in_xml_are_not_recognised(tmp_path, text):
    with pytest.raises(PointsError, match="not recognised"):
        recognise(write(tmp_path / "a.xml", text))


@pytest.mark.parametrize(
    "content",
    [
        [{"annotations": [1, 2]}],
        [{"id": 1, "predictions": []}],
        [{"image_id": 3, "caption": "a ship"}],
        {"objects": 3},
        [{"id": 4, "image": "a.png"}],
    ],
)
def test_other_json_is_not_recognised(tmp_path, content):
    with pytest.raises(PointsError, match="not recognised"):
        recognise(write(tmp_path / "a.json", content))


@given(boxes=st.lists(st.tuples(PIXEL, PIXEL, st.integers(0, 9), st.integers(0, 9)), max_size=5))
def test_createml_gives_the_middle(tmp_path_factory, boxes):
    annotations = [
        {
            "label": "uav",
            "coordinates": {"x": col + 0.5, "y": row + 0.5, "width": 2 * w + 1, "height": 2 * h + 1},
        }
        for row, col, h, w in boxes
    ]
    path = tmp_path_factory.mktemp("createml") / "p.json"
    found = read_as(path, [{"image": "a.jpg", "annotations": annotations}], "createml")
    assert dict(found) == {"a.jpg": tuple(Point(row, col, "uav") for row, col, _, _ in boxes)}


@pytest.mark.parametrize(("image", "stored"), [("image", "annotations"), ("imagefilename", "annotation")])
def test_createml_of_apple_and_roboflow(tmp_path, image, stored):
    one = {"label": "uav", "coordinates": {"x": 30.5, "y": 40.5, "width": 7, "height": 7}}
    content = [{image: "a.jpg", stored: [one]}, {image: "b.jpg", stored: []}]
    found = read_as(tmp_path / "p.json", content, "createml")
    assert dict(found) == {"a.jpg": (Point(40, 30, "uav"),), "b.jpg": ()}
    bad = [{image: "a.jpg", stored: [one, {"label": "uav"}]}, {image: "b.jpg", stored: []}]
    found = read_as(tmp_path / "p.json", bad, "createml")
    assert dict(found) == {"b.jpg": ()}
    assert "coordinates is None" in found.rejected["a.jpg"]


def vott(*regions, name="a.png", state=2):
    asset = {"name": name, "size": {"width": 40, "height": 30}, "state": state, "type": 1}
    return {"asset": asset, "regions": list(regions), "version": "2.2.0"}


RECTANGLE = {
    "type": "RECTANGLE", "tags": ["uav"], "boundingBox": {"left": 10, "top": 4, "width": 5, "height": 3},
}  # fmt: skip


def test_vott_exports_and_assets(tmp_path):
    assets = {"1": vott(RECTANGLE), "2": vott(name="b%20c.png", state=1), "3": vott(name="c.png", state=0)}
    found = read_as(tmp_path / "x-export.json", {"name": "sea", "assets": assets}, "vott")
    assert dict(found) == {"a.png": (Point(5, 12, "uav"),), "b c.png": ()}
    assert found.by_image["a.png"][0].image_shape == (30, 40)
    for number, asset in assets.items():
        write(tmp_path / "project" / f"{number}-asset.json", asset)
    assert recognise(tmp_path / "project") == "vott"
    assert dict(read_points(tmp_path / "project"))["a.png"] == (Point(5, 12, "uav"),)


def test_vott_polygons_are_masks_and_lines_are_refused(tmp_path):
    corners = [{"x": x, "y": y} for x, y in ((1, 1), (6, 1), (6, 4), (1, 4))]
    path = tmp_path / "x-export.json"
    polygon = {"type": "POLYGON", "tags": [], "points": corners}
    assert dict(read_as(path, {"assets": {"1": vott(polygon)}}, "vott")) == {"a.png": (Point(2, 3),)}
    assert masks_of("vott", path)[0][0].targets[0].patch.area == 15
    line = {"type": "POLYLINE", "tags": [], "points": corners}
    found = read_as(path, {"assets": {"1": vott(RECTANGLE, line)}}, "vott")
    assert "has a 'POLYLINE' of 4 points" in found.rejected["a.png"]


def supervisely(*objects):
    return {"description": "", "tags": [], "size": {"height": 30, "width": 40}, "objects": list(objects)}


def drawn(kind, *corners):
    return {"classTitle": "uav", "geometryType": kind, "points": {"exterior": list(corners), "interior": []}}


def bitmap(mode):
    pixels = np.zeros((3, 5), np.uint8)
    pixels[1, 1:4] = 255
    image = Image.fromarray(pixels)
    if mode == "RGBA":
        image = Image.merge("RGBA", [Image.new("L", image.size, 255)] * 3 + [image])
    file = io.BytesIO()
    image.convert(mode).save(file, "PNG")
    data = base64.b64encode(zlib.compress(file.getvalue())).decode()
    return {"classTitle": "uav", "geometryType": "bitmap", "bitmap": {"data": data, "origin": [10, 4]}}


@pytest.mark.parametrize(
    ("item", "point"),
    [
        (drawn("point", [12, 5]), (5, 12)),
        (drawn("rectangle", [10, 4], [14, 6]), (5, 12)),
        (drawn("polygon", [10, 4], [15, 4], [15, 7], [10, 7]), (5, 12)),
        (bitmap("L"), (5, 12)),
        (bitmap("RGBA"), (5, 12)),
        (bitmap("1"), (5, 12)),
    ],
)
def test_supervisely(tmp_path, item, point):
    found = read_as(tmp_path / "a.png.json", supervisely(item), "supervisely")
    assert dict(found) == {"a.png": (Point(*point, "uav"),)}


def test_polygons_of_supervisely_hold_their_outline_and_have_holes(tmp_path):
    ring = drawn("polygon", [2, 2], [8, 2], [8, 8], [2, 8])
    ring["points"]["interior"] = [[[4, 4], [6, 4], [6, 6], [4, 6]]]
    beyond = drawn("polygon", [-3, -2], [1, -2], [1, 0], [-3, 0])
    path = write(
        tmp_path / "a.png.json", supervisely(ring, beyond, drawn("polygon", [50, 1], [60, 1], [60, 9]))
    )
    ((image,), rejected) = masks_of("supervisely", path)
    assert not rejected
    expected = np.zeros((30, 40), np.bool_)
    expected[2:9, 2:9] = True
    expected[4:7, 4:7] = False
    expected[0, :2] = True
    np.testing.assert_array_equal(image.mask, expected)
    assert len(image.targets) == 2


def test_a_supervisely_project_finds_its_images(tmp_path):
    write(tmp_path / "meta.json", {"classes": [], "tags": []})
    write(tmp_path / "ds0" / "ann" / "a.png.json", supervisely(drawn("point", [12, 5])))
    write(tmp_path / "ds1" / "ann" / "a.png.json", supervisely())
    assert recognise(tmp_path) == "supervisely"
    found = read_points(tmp_path)
    assert not found.rejected
    assert dict(found) == {"ds0/a.png": (Point(5, 12, "uav"),), "ds1/a.png": ()}
    assert found.names["ds0/a.png"] == ("ds0/img/a.png", "ds0/a.png", "a.png")


@pytest.mark.parametrize("kind", ["line", "cuboid", "graph", "polyline"])
def test_other_shapes_of_supervisely_reject_their_image(tmp_path, kind):
    content = supervisely(drawn("point", [12, 5]), drawn(kind, [1, 1], [5, 5]))
    found = read_as(tmp_path / "a.png.json", content, "supervisely")
    assert f"is a '{kind}' of 2 corners" in found.rejected["a.png"]


def test_coco_results(tmp_path):
    content = [
        {"image_id": "a", "category_id": 1, "bbox": [10, 4, 5, 3], "score": 0.9},
        {"image_id": 7, "category_id": 1, "bbox": [0, 0, 1, 1], "score": 99},
        {"image_id": "a", "category_id": 1, "keypoints": [3, 4, 2], "score": 0.2},
    ]
    found = read_as(tmp_path / "p.json", content, "coco-results")
    assert dict(found) == {"a": (Point(5, 12), Point(4, 3)), "7": (Point(0, 0),)}
    assert any("any score" in line for line in found.notes)


ABOUT = {"original_width": 40, "original_height": 30, "image_rotation": 0}


def json_min(**controls):
    known = {"id": 1, "annotator": 1, "annotation_id": 2, "created_at": "2024", "lead_time": 2.5}
    return [{"image": "/data/upload/1/0a1b2c3d-a.png", **known, **controls}]


@pytest.mark.parametrize(
    "item",
    [
        {"x": 31.25, "y": 18.34, "width": 0.5, "keypointlabels": ["uav"]},
        {"x": 25, "y": 13.3334, "width": 12.5, "height": 10, "rotation": 0, "rectanglelabels": ["uav"]},
        {"x": 31.25, "y": 18.34, "radiusX": 5, "radiusY": 3, "ellipselabels": ["uav"]},
        {"points": [[25, 13.34], [37.5, 13.34], [37.5, 23.34], [25, 23.34]], "polygonlabels": ["uav"]},
    ],
)
def test_label_studio_json_min(tmp_path, item):
    found = read_as(tmp_path / "p.json", json_min(shape=[item | ABOUT], sky="clear"), "labelstudio-min")
    assert dict(found) == {"a.png": (Point(5, 12, "uav"),)}
    assert found.by_image["a.png"][0].image_shape == (30, 40)


def test_label_studio_json_min_without_regions_holds_no_target(tmp_path):
    assert dict(read_as(tmp_path / "p.json", json_min(sky="clear"), "labelstudio-min")) == {"a.png": ()}


def test_a_turned_rectangle_of_label_studio_keeps_its_middle(tmp_path):
    item = {"x": 50, "y": 50, "width": 10, "height": 20, "rotation": 90, "rectanglelabels": ["uav"]}
    found = read_as(tmp_path / "p.json", json_min(shape=[item | ABOUT]), "labelstudio-min")
    assert dict(found) == {"a.png": (Point(17, 17, "uav"),)}  # 4 x 6 pixels, turned about x 20, y 15


def test_point_images_are_nearly_black(tmp_path):
    rng = np.random.default_rng(0)
    photos, clicks = tmp_path / "photos", tmp_path / "clicks"
    for k in range(3):
        write(photos / f"{k}.png", encode_png(rng.integers(2000, 9000, (30, 40)).astype(np.uint16)))
        spots = np.zeros((30, 40), np.uint8)
        spots[k + 3, 5] = 255
        write(clicks / f"{k}.png", encode_png(spots))
    assert recognise(clicks) == "point_images"
    with pytest.raises(PointsError, match="not recognised"):
        recognise(photos)
    dark = tmp_path / "dark"
    write(dark / "a.png", encode_png(rng.integers(1, 40, (30, 40)).astype(np.uint8)))
    with pytest.raises(PointsError, match="not recognised"):
        recognise(dark)


def test_point_images_may_be_jpeg(tmp_path):
    spots = np.zeros((64, 64), np.uint8)
    spots[20, 30] = 255
    file = io.BytesIO()
    Image.fromarray(spots).save(file, "JPEG", quality=80)
    write(tmp_path / "a.jpg", file.getvalue())
    assert recognise(tmp_path) == "point_images"


def test_every_document_is_small_in_a_message(tmp_path):
    content = [{"image": "a.png", "annotations": [{"coordinates": {"x": "9" * 10_000}}]}]
    found = read_as(tmp_path / "p.json", content, "createml")
    assert len(found.rejected["a.png"]) < 400
    assert json.dumps(found.rejected)


def test_coco_results_call_images_by_numbers(tmp_path):
    """As COCO's own data do: 1 is 000000000001.jpg; numbers of another data set are named, not guessed."""
    rows = [{"image_id": k, "category_id": 1, "bbox": [4, 6, 3, 3], "score": 0.9} for k in (1, 2)]
    (tmp_path / "r.json").write_text(json.dumps(rows))
    for folder, names in (
        ("own", ("000000000001", "000000000002", "000000000003")),
        ("other", ("000001", "000002")),
    ):
        (tmp_path / folder).mkdir()
        for name in names:
            (tmp_path / folder / f"{name}.png").write_bytes(encode_png(np.zeros((20, 20), np.uint8)))
    points = read_points(tmp_path / "r.json", images=tmp_path / "own")
    assert {key: [(p.row, p.col) for p in of_image] for key, of_image in points} == {
        "000000000001": [(7, 5)],
        "000000000002": [(7, 5)],
    }
    with pytest.raises(PointsError, match=r"numbers of their data set .* put file names in their place"):
        read_points(tmp_path / "r.json", images=tmp_path / "other")
