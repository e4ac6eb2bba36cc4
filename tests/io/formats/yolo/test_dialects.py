"""YOLO as tools write it: roots, tracks, key points, confidences, and what is refused by name."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tools.folders import save

from pointmask.errors import PointsError
from pointmask.io.formats import read_points, recognise
from pointmask.io.formats.yolo.lines import kinds_of
from pointmask.io.points.match import match
from pointmask.io.points.points import Point

SHAPE = (120, 160)
PLACES = {"a": [(15, 33), (75, 49)], "b": [(100, 95), (33, 54)], "c": [(22, 100)]}


def box(row, col, side=7):
    middle = f"{(col + 0.5) / SHAPE[1]:.6f} {(row + 0.5) / SHAPE[0]:.6f}"
    return f"{middle} {side / SHAPE[1]:.6f} {side / SHAPE[0]:.6f}"


def folder(tmp_path, line, images="images", labels="labels"):
    """A folder of labels, each line made by ``line(row, col, count)``."""
    for name, places in PLACES.items():
        save(tmp_path / images / f"{name}.png", np.zeros(SHAPE, np.uint8))
        (tmp_path / labels).mkdir(parents=True, exist_ok=True)
        text = "".join(line(row, col, count) + "\n" for count, (row, col) in enumerate(places, 1))
        (tmp_path / labels / f"{name}.txt").write_text(text)
    return tmp_path / labels


def places(points):
    assert not points.rejected
    return {key: [(p.row, p.col) for p in listed] for key, listed in points}


def key_points(row, col, visibility=""):
    return f"{(col + 0.5) / SHAPE[1]:.6f} {(row + 0.5) / SHAPE[0]:.6f}{visibility}"


@pytest.mark.parametrize(
    "line",
    [
        lambda r, c, k: f"0.000000 {box(r, c)}",
        lambda r, c, k: f"0 {box(r, c)} {k}",
        lambda r, c, k: f"0 {box(r, c)} 0.83 {k}",
        lambda r, c, k: f"0 {box(r, c)} 0.83 1",
        lambda r, c, k: f"0 {box(r, c)} 1.0 {k + 7}",
        lambda r, c, k: f"0 {box(r, c)} {key_points(r, c)}",
        lambda r, c, k: f"0 {box(r, c)} {key_points(r, c, ' 2')}",
        lambda r, c, k: f"0 {box(r, c)} {key_points(r, c, ' 0')}",
        lambda r, c, k: f"0 {box(r + 1, c + 1)} {key_points(r, c, ' 1')}",
        lambda r, c, k: f"0 {box(r, c)} {key_points(r + 1, c, ' 2')} {key_points(r - 2, c, ' 2')}",
        lambda r, c, k: f"0 {box(r, c)} {key_points(r + 1, c)} {key_points(r - 2, c + 1)}",
    ],
    ids=["float class", "track", "conf track", "first track", "later track", "pose2", "pose3", "unseen",
         "beside", "two of three", "two of two"],
)  # fmt: skip
def test_lines_of_boxes(tmp_path, line):
    labels = folder(tmp_path, line)
    assert recognise(labels) == "yolo"
    assert places(read_points(labels)) == PLACES


def test_the_shape_of_key_points_is_read_from_data_yaml(tmp_path):
    labels = folder(tmp_path, lambda r, c, k: f"0 {box(r + 9, c + 9)} {key_points(r, c)}")
    assert recognise(labels) == "yolo-seg"
    (tmp_path / "data.yaml").write_text("kpt_shape: [1, 2]  # count, numbers\nnames:\n  0: uav\n  1: bird\n")
    assert recognise(labels) == "yolo"
    points = read_points(labels)
    assert places(points) == PLACES
    assert {p.label for _, listed in points for p in listed} == {"uav"}
    assert any("key point" in line for line in points.notes)


def test_a_polygon_with_its_confidence_and_an_oriented_box(tmp_path):
    def corners(row, col, end):
        pairs = [(col - 1, row - 1), (col + 2, row - 1), (col + 2, row + 2), (col - 1, row + 2)]
        return "0 " + " ".join(f"{x / SHAPE[1]:.6f} {y / SHAPE[0]:.6f}" for x, y in pairs) + end

    for end in ("", " 0.75"):
        labels = folder(tmp_path / f"x{end.strip()}", lambda r, c, k, end=end: corners(r, c, end))
        assert recognise(labels) == "yolo-seg"
        assert places(read_points(labels)) == PLACES


@given(
    st.lists(
        st.tuples(*[st.floats(0.2, 0.8)] * 2, *[st.floats(0.01, 0.1)] * 2, *[st.floats(-0.5, 0.5)] * 2),
        min_size=2, max_size=20,
    )
)  # fmt: skip
def test_key_points_in_small_boxes_are_no_polygons(drawn):
    lines = [[x, y, w, h, x + kx * w, y + ky * h] for x, y, w, h, kx, ky in drawn]
    assert kinds_of(lines, None) in ({6: "pose2"}, {6: "polygon"})
    if all(abs(x - w) * abs(y - h) > w * h for x, y, w, h, *_ in lines):
        assert kinds_of(lines, None) == {6: "pose2"}
    assert kinds_of([[*line[:4], 0.5, 3.0] for line in lines], None) == {6: "box"}


@pytest.mark.parametrize(
    "lines", [lambda r, c, k: f"0 {c} {r} {c + 7} {r + 7}", lambda r, c, k: f"0 {c} {r} 7 7"]
)
def test_pixels_are_refused_as_such(tmp_path, lines):
    with pytest.raises(PointsError, match=r"a\.txt:1: .* are pixels, not fractions .* divide x and width by"):
        read_points(folder(tmp_path, lines))


def test_one_line_of_pixels_rejects_its_image_alone(tmp_path):
    labels = folder(tmp_path, lambda r, c, k: f"0 {box(r, c)}")
    (labels / "c.txt").write_text("0 97 19 104 26\n")
    points = read_points(labels)
    assert set(points.by_image) == {"a", "b"}
    assert "pixels, not fractions" in points.rejected["c"]


def test_first_labels_are_empty(tmp_path):
    labels = folder(tmp_path, lambda r, c, k: f"0 {box(r, c)}")
    for k in range(40):
        save(tmp_path / "images" / f"0{k:03d}.png", np.zeros(SHAPE, np.uint8))
        (labels / f"0{k:03d}.txt").write_text("\n" if k % 2 else "")
    assert recognise(labels) == "yolo"
    found = places(read_points(labels))
    assert {key: listed for key, listed in found.items() if listed} == PLACES
    assert len(found) == 43


def test_labels_that_are_all_empty(tmp_path):
    labels = folder(tmp_path, lambda r, c, k: "")
    for file in labels.iterdir():
        file.write_text("")
    assert recognise(labels) == "yolo"
    assert places(read_points(labels)) == {"a": [], "b": [], "c": []}


NAMES = {
    "data.yaml": "nc: 1\nnames: ['drone']\n",
    "classes.txt": "drone\n",
    "obj.names": "drone\n",
    "dataset.yaml": "names:\n- drone  # the only one\nnc: 1\n",
    "data.yml": "names: {0: drone}\n",
}


@pytest.mark.parametrize("file", NAMES)
def test_names_of_classes(tmp_path, file):
    labels = folder(tmp_path, lambda r, c, k: f"0 {box(r, c)}")
    (tmp_path / file).write_text(NAMES[file])
    assert {p.label for _, listed in read_points(labels) for p in listed} == {"drone"}


@pytest.mark.parametrize(
    ("pairs", "given"),
    [
        ([("train/images", "train/labels"), ("valid/images", "valid/labels")], ""),
        ([("images/train", "labels/train"), ("images/val", "labels/val")], ""),
        ([("images/train", "labels/train")], "images"),
        ([("obj_train_data", "obj_train_data")], "obj_train_data"),
        ([("obj_train_data", "obj_train_data")], ""),
    ],
    ids=["Roboflow", "Ultralytics", "its images", "CVAT", "CVAT's root"],
)
def test_roots_of_exports(tmp_path, pairs, given):
    for images, labels in pairs:
        folder(tmp_path, lambda r, c, k: f"0 {box(r, c)}", images, labels)
    (tmp_path / "README.dataset.txt").write_text("# infrared\n0 targets\n")
    (tmp_path / "README.roboflow.txt").write_text("exported\n")
    (tmp_path / "train.txt").write_text("data/obj_train_data/a.png\n")
    (tmp_path / "data.yaml").write_text("names: ['drone']\n")
    assert recognise(tmp_path) == "yolo"
    root = tmp_path / given
    points = read_points(tmp_path, images=root)
    names = [file.relative_to(root).as_posix() for file in root.rglob("*.png")]
    found = match(points.by_image, names)
    assert not found.unmatched
    assert not found.ambiguous
    assert set(found.by_image()) == {(name, 0) for name in names}
    assert not points.rejected
    for name, keys in found.by_image().items():
        assert [(p.row, p.col) for p in points.by_image[keys[0]]] == PLACES[name[0].rpartition("/")[2][0]]


def test_a_label_file_may_be_called_train(tmp_path):
    save(tmp_path / "images" / "train.png", np.zeros(SHAPE, np.uint8))
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "train.txt").write_text(f"0 {box(5, 6)}\n")
    assert dict(read_points(tmp_path / "labels")) == {"train": (Point(5, 6, "0"),)}
