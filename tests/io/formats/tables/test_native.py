"""Our own output as a source of masks, and the training folders of others."""

import json

import numpy as np
import pytest
from tools.folders import one, save, scenes
from tools.masks import patch

from pointmask.errors import PointsError
from pointmask.folder.job import annotate_folder
from pointmask.folder.records.manifest import read_manifest
from pointmask.io.formats import read_points, recognise
from pointmask.io.formats.labelled import LabelledImage, LabelledTarget
from pointmask.io.formats.tables.native import Native
from pointmask.io.images.array import read_mask
from pointmask.io.points.points import Point, Points


def read_all(form, path):
    rejected = {}
    return list(form.read_masks(path, rejected)), rejected


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    """An output folder with instances; and the images and points it is made from."""
    folder = tmp_path_factory.mktemp("job")
    images, points = scenes(folder)
    points = Points({**points.by_image, "missing.png": one()})
    annotate_folder(images, points, folder / "out", save=("instance",))
    return images, points, folder / "out"


def test_an_output_folder_is_read_back(job):
    _, points, out = job
    assert recognise(out) == "native"
    found, rejected = read_all(Native(), out)
    assert {image.key: image.points for image in found} == {
        key: listed for key, listed in points if key != "missing.png"
    }
    assert list(rejected) == ["missing.png"]
    entries = {entry["image"]: entry for entry in read_manifest(out)}
    for image in found:
        entry = entries[image.image]
        np.testing.assert_array_equal(image.mask, read_mask(out / entry["mask"]))
        told = [(target["area"], tuple(target["box"]), target["confidence"]) for target in entry["targets"]]
        assert [(t.patch.area, t.patch.box, t.confidence) for t in image.targets] == told
    assert dict(read_points(out)) == {image.key: image.points for image in found}


def test_instances_and_masks_tell_the_same(job, tmp_path):
    _, _, out = job
    with_instances, _ = read_all(Native(), out)
    (tmp_path / "masks").symlink_to(out / "masks")
    (tmp_path / "manifest.jsonl").symlink_to(out / "manifest.jsonl")
    assert read_all(Native(), tmp_path)[0] == with_instances


def line(*targets, **fields):
    entry = {"image": "a.png", "frame": 0, "shape": [3, 4], "targets": list(targets)} | fields
    return json.dumps(entry) + "\n"


RLE = {"point": [1, 1], "label": None, "confidence": 0.5, "box": [0, 1, 2, 2], "area": 2, "rle": "327"}


def test_lines_with_run_lengths(tmp_path):
    content = line(RLE) + line(frame=3, image="s.tif") + line({"point": None, "rle": "01;"}, image="b.png")
    path = tmp_path / "masks.jsonl"
    path.write_text(content)
    for place in (path, tmp_path):
        assert recognise(place) == "native"
        found, rejected = read_all(Native(), place)
        assert not rejected
        assert found == [
            LabelledImage("a.png", 0, (3, 4), (LabelledTarget(Point(1, 1), patch(["#", "#"], 0, 1), 0.5),)),
            LabelledImage("s.tif", 3, (3, 4), ()),
            LabelledImage("b.png", 0, (3, 4), (LabelledTarget(None, patch(["#"])),)),
        ]


@pytest.mark.parametrize(
    "content",
    [
        line(shape=[3]),
        line(shape=[3, 1e9]),
        line(targets=3),
        line({"point": [1]}, status="done"),
        line({**RLE, "rle": "!"}),
        line({**RLE, "rle": "1"}),
        line({**RLE, "rle": 3}),
        line({**RLE, "label": 3}),
        line({**RLE, "confidence": "x"}),
        line({"point": [1, 1], "box": [0, 0, 9, 9], "area": 1}, mask="masks/a.png"),
        line({"point": [1, 1], "box": [0, 0, 1, 1], "area": 1}, mask="masks/a.png"),
        line({"point": [1, 1], "box": [0, 0, 1, 1], "area": 1}, mask="../a.png"),
        line({"point": [1, 1], "box": [0, 0, 1, 1]}),
    ],
)
def test_a_wrong_line_rejects_its_image(tmp_path, content):
    (tmp_path / "masks.jsonl").write_text(content + line(image="b.png"))
    found, rejected = read_all(Native(), tmp_path)
    assert [image.key for image in found] == ["b.png"]
    assert list(rejected) == ["a.png"]


@pytest.mark.parametrize("content", [b"{", b"[]\n", b'{"image": "a"}\xff', b'{"image": 3, "frame": 0}'])
def test_what_is_no_line(tmp_path, content):
    (tmp_path / "masks.jsonl").write_bytes(content)
    with pytest.raises(PointsError, match=r"masks\.jsonl:1"):
        read_all(Native(), tmp_path)


def test_touching_targets_are_not_guessed(tmp_path):
    save(tmp_path / "masks" / "a.png", np.ones((1, 4), np.bool_))
    targets = [{"point": [0, k], "box": [0, k, 1, k + 2], "area": 2} for k in (0, 2)]
    (tmp_path / "manifest.jsonl").write_text(line(*targets, shape=[1, 4], mask="masks/a.png"))
    assert [target.patch.col for target in read_all(Native(), tmp_path)[0][0].targets] == [0, 2]
    targets = [
        {"point": [0, 0], "box": [0, 0, 1, 4], "area": 2},
        {"point": [0, 1], "box": [0, 0, 1, 4], "area": 2},
    ]
    (tmp_path / "manifest.jsonl").write_text(line(*targets, shape=[1, 4], mask="masks/a.png"))
    assert "--save instance" in read_all(Native(), tmp_path)[1]["a.png"]
