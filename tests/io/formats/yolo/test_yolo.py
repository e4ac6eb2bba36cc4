"""YOLO labels: boxes and pixel-edge polygons, whose coordinates need the sizes of the images."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tools.folders import save
from tools.masks import documents, files, labelled_images, patch

from pointmask.errors import OutputError, PointsError
from pointmask.io.formats import read_points, recognise
from pointmask.io.formats.labelled import Box, LabelledImage, LabelledTarget
from pointmask.io.formats.yolo.boxes import YoloBoxes
from pointmask.io.formats.yolo.polygons import YoloPolygons
from pointmask.io.images.open import open_source
from pointmask.io.points.points import Point

LABELS = st.none() | st.sampled_from(["ship", "two words", "é"])


def with_images(folder, images):
    for image in images:
        save(folder / "images" / image.image, np.zeros(image.shape, np.uint8))


def masks(form, path, images=None):
    rejected = {}
    return list(form.read_masks(path, rejected, images=images)), rejected


@given(images=documents(labelled_images(labels=LABELS)))
def test_polygons_are_exact(tmp_path_factory, images):
    path = tmp_path_factory.mktemp("yolo")
    with_images(path, images)
    YoloPolygons().write_masks(images, path)
    found, rejected = masks(YoloPolygons(), path)
    assert not rejected
    stems = {image.key.rpartition(".")[0]: image for image in images}
    assert {image.key: image.shape for image in found} == {key: image.shape for key, image in stems.items()}
    for image in found:
        expected = [(target.patch, target.label) for target in stems[image.key].targets]
        assert [(target.patch, target.label) for target in image.targets] == expected
    if any(image.targets for image in images):
        assert recognise(path) == "yolo-seg"


@given(images=documents(labelled_images(labels=LABELS)))
def test_boxes_keep_their_middle(tmp_path_factory, images):
    path = tmp_path_factory.mktemp("yolo")
    with_images(path, images)
    YoloBoxes().write_masks(images, path)
    points = read_points(path, format="yolo")
    assert not points.rejected
    for image in images:
        boxes = [target.patch.box for target in image.targets]
        middles = [((box.top + box.bottom) // 2, (box.left + box.right) // 2) for box in boxes]
        assert [(point.row, point.col) for point in dict(points)[image.key.rpartition(".")[0]]] == middles
    if any(image.targets for image in images):
        assert recognise(path) == "yolo"


def by_hand(tmp_path, *lines, shape=(3, 3), name="labels/a.txt"):
    save(tmp_path / "images" / "a.png", np.zeros(shape, np.uint8))
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(line + "\n" for line in lines))
    return path


@pytest.mark.parametrize("row", [0, 2])
@pytest.mark.parametrize("col", [0, 2])
def test_fractions_of_the_image(tmp_path, row, col):
    path = by_hand(tmp_path, f"0 {(col + 0.5) / 3:.6f} {(row + 0.5) / 3:.6f} 0.333333 0.333333")
    for place in (path, path.parent, tmp_path):
        assert recognise(place) == "yolo"
        assert dict(read_points(place)) == {"a": (Point(row, col, "0"),)}
    corners = [(col, row), (col + 1, row), (col + 1, row + 1), (col, row + 1)]
    by_hand(tmp_path, "0 " + " ".join(f"{x / 3:.6f} {y / 3:.6f}" for x, y in corners))
    assert recognise(tmp_path) == "yolo-seg"
    assert dict(read_points(tmp_path)) == {"a": (Point(row, col, "0"),)}


def test_classes_confidence_and_blank_lines(tmp_path):
    by_hand(tmp_path, "1 0.5 0.5 0.1 0.1 0.75", "", "2 0.5 0.5 0.1 0.1")
    (tmp_path / "classes.txt").write_text("target\nship\n")
    ((image,), rejected) = masks(YoloBoxes(), tmp_path)
    assert not rejected
    assert image.targets == (
        LabelledTarget(Point(1, 1, "ship"), None, 0.75, box=Box(1, 1, 2, 2)),
        LabelledTarget(Point(1, 1, "2"), None, box=Box(1, 1, 2, 2)),
    )  # fmt: skip


def test_files_and_parts(tmp_path):
    both = LabelledTarget(Point(1, 1, "b"), patch(["##", "#."], 1, 1), 0.5)
    clicked = LabelledTarget(Point(2, 0), None)
    images = [LabelledImage("s/a.png", 0, (3, 4), (both, clicked)), LabelledImage("t.tif", 2, (3, 4), ())]
    for form, lines in ((YoloBoxes(), 2), (YoloPolygons(), 1)):
        path = tmp_path / form.name
        form.write_masks(iter(images), path)
        assert files(path) == ["classes.txt", "labels/s/a.txt", "labels/t#2.txt"]
        assert len((path / "labels/s/a.txt").read_text().splitlines()) == lines
        assert (path / "labels/t#2.txt").read_text() == ""
        assert (path / "classes.txt").read_text().split() == ["b", "target"][:lines]
        with pytest.raises(OutputError, match="exists"):
            form.write_masks(iter(images), path)


def test_images_are_looked_for(tmp_path):
    path = by_hand(tmp_path, "0 0.5 0.5 1 1", name="elsewhere/a.txt").parent
    with pytest.raises(PointsError, match="--images"):
        read_points(path)
    for images in (tmp_path / "images", open_source(tmp_path / "images")):
        assert dict(read_points(path, images=images)) == {"a": (Point(1, 1, "0"),)}
    train = by_hand(tmp_path, "0 0.5 0.5 1 1", name="labels/train/b.txt")
    save(tmp_path / "images" / "train" / "b.png", np.zeros((5, 5), np.uint8))
    assert dict(read_points(train.parent)) == {"b": (Point(2, 2, "0"),)}
    assert dict(read_points(tmp_path / "labels")) == {"train/b": (Point(2, 2, "0"),)}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("0 0.5 0.5", "2 numbers"),
        ("0 0 0 1 0 1 1 0", "7 numbers"),
        ("x 0.5 0.5 0.1 0.1", "class"),
        ("0 0.5 nan 0.1 0.1", "finite"),
        ("0 0.5 0.5 -0.1 0.1", "negative"),
        ("0 0.5 1e99 0.1 0.1", "coordinate"),
        ("0 0 0 0.1 0 0.1 0.1", "no pixel"),
        ("0 1e99 0 0.1 0 0.1 0.1", "not in any image"),
    ],
)
def test_a_wrong_line_rejects_its_image(tmp_path, line, reason):
    by_hand(tmp_path, "0 0.5 0.5 1 1", line)
    points = read_points(tmp_path, format="yolo")
    assert not points.by_image
    assert reason in points.rejected["a"]


def test_labels_without_image_and_with_a_bad_one_are_rejected(tmp_path):
    by_hand(tmp_path, "0 0.5 0.5 1 1", name="labels/lost.txt")
    by_hand(tmp_path, "0 0.5 0.5 1 1", name="labels/bad.txt")
    (tmp_path / "images" / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    assert set(read_points(tmp_path).rejected) == {"lost", "bad"}


def test_a_line_of_digits_is_looked_at_quickly(tmp_path):
    path = by_hand(tmp_path, "1" * 60_000 + " " + "1" * 60_000)
    assert not YoloBoxes().sniff(path)
    assert not YoloPolygons().sniff(path)
