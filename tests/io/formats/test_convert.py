"""From any format into any other: nothing is lost without a word, nothing is overwritten without leave."""

import json
import re

import numpy as np
import pytest
from click.testing import CliRunner
from tools.folders import save, tree
from tools.formats.samples import samples
from tools.masks import files, patch

from pointmask.cli import main
from pointmask.errors import OutputError, PointsError
from pointmask.io.formats import read_points
from pointmask.io.formats.convert import convert
from pointmask.io.formats.labelled import Box, LabelledImage, LabelledTarget
from pointmask.io.formats.registry import FORMATS, layouts
from pointmask.io.formats.tools.coco import Coco
from pointmask.io.images.open import open_source
from pointmask.io.layout import LISTED
from pointmask.io.points.points import Point

WRITABLE = tuple(layouts())
SHAPE = (6, 7)
TARGET = LabelledTarget(Point(1, 2, "ship"), patch(["###", "#.#", "###"], 0, 1), 0.75)
IMAGES = [LabelledImage("a.png", 0, SHAPE, (TARGET,)), LabelledImage("b.png", 0, SHAPE, ())]


@pytest.fixture
def folder(tmp_path):
    """Images beside a COCO document of all features but frames."""
    for image in IMAGES:
        save(tmp_path / "images" / image.image, np.arange(42, dtype=np.uint8).reshape(SHAPE))
    Coco().write_masks(IMAGES, tmp_path / "all.json")
    return tmp_path


def masks_of(name, path, images):
    found = FORMATS.load(name).read_masks(path, {}, images=images)
    return {image.key.removesuffix(".png"): image for image in found}


@pytest.mark.parametrize("to", WRITABLE)
def test_what_a_format_holds_survives(folder, to):
    done = convert(folder / "all.json", folder / "out", to, images=folder / "images")
    assert (done.images, done.targets, dict(done.rejected)) == (2, 1, {})
    holds = FORMATS.load(to).holds
    told = " ".join(done.lost)
    for feature, word in (
        ("points", "1 clicks"), ("masks", "1 masks"), ("labels", "1 labels"), ("confidence", "1 confidences"),
    ):  # fmt: skip
        assert (word in told) == (feature not in holds), feature
    if "points" in holds:
        points = {key.removesuffix(".png"): listed for key, listed in read_points(folder / "out", format=to)}
        (point,) = points["a"]
        assert (point.row, point.col) == (1, 2)
        assert point.label == ("ship" if "labels" in holds else None)
        assert points["b"] == ()
    if "masks" in holds:
        found = masks_of(to, folder / "out", open_source(folder / "images"))
        np.testing.assert_array_equal(found["a"].mask, IMAGES[0].mask)
        assert not found["b"].targets
    assert not [name for name in files(folder) if name.endswith(".tmp")]


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_converted(tmp_path, name):
    sample = samples(tmp_path / "scratch")[name][0]
    path = sample.write(tmp_path / "sample")
    save(tmp_path / "images" / "a.png", np.zeros(SHAPE, np.uint8))
    save(tmp_path / "images" / "b.png", np.zeros(SHAPE, np.uint8))
    done = convert(path, tmp_path / "out.json", "coco", format=name, images=tmp_path / "images")
    found = {image.key: image for image in Coco().read_masks(tmp_path / "out.json", {})}
    assert found["a.png"].shape == SHAPE
    assert found["a.png"].targets
    assert done.targets == sum(len(image.targets) for image in found.values())


def test_points_go_where_sizes_are_not_needed(tmp_path):
    (tmp_path / "points.csv").write_text("image,x,y,label\na.png,2,1,ship\ns.tif#3,9,9,\nb.png,,,\n")
    done = convert(tmp_path / "points.csv", tmp_path / "points.jsonl", "jsonl")
    assert done.lost == ()
    assert dict(read_points(tmp_path / "points.jsonl")) == dict(read_points(tmp_path / "points.csv"))
    with pytest.raises(PointsError, match="--images"):
        convert(tmp_path / "points.csv", tmp_path / "a.json", "coco")
    assert not (tmp_path / "a.json").exists()


def test_images_without_a_file_are_rejected(folder):
    (folder / "images" / "b.png").unlink()
    done = convert(folder / "all.json", folder / "out", "labelme", images=folder / "images")
    assert list(done.rejected) == ["b.png"]
    assert files(folder / "out") == [LISTED, "a.json"]
    (folder / "images" / "a.png").unlink()
    save(folder / "images" / "c.png", np.zeros(SHAPE, np.uint8))
    with pytest.raises(PointsError, match="no image could be converted"):
        convert(folder / "all.json", folder / "out2", "labelme", images=folder / "images")
    assert not (folder / "out2").exists()


def test_nothing_is_overwritten_without_leave(folder):
    for out, to in ((folder / "out.csv", "csv"), (folder / "out", "voc")):
        convert(folder / "all.json", out, to)
        with pytest.raises(OutputError, match="--overwrite"):
            convert(folder / "all.json", out, to)
    (folder / "out" / "notes.txt").write_text("mine")
    (folder / "out" / "a.xml").write_text("old")
    convert(folder / "all.json", folder / "out", "voc", overwrite=True)
    assert (folder / "out" / "notes.txt").read_text() == "mine"
    assert (folder / "out" / "a.xml").read_text() != "old"
    with pytest.raises(OutputError, match="is a folder"):
        convert(folder / "all.json", folder / "out", "csv", overwrite=True)
    (folder / "out.csv").write_text("my thesis")
    with pytest.raises(OutputError, match="not what this command writes"):
        convert(folder / "all.json", folder / "out.csv", "csv", overwrite=True)
    (folder / "mine").mkdir()
    (folder / "mine" / "a.xml").write_text("mine")
    with pytest.raises(OutputError, match="did not write it"):
        convert(folder / "all.json", folder / "mine", "voc", overwrite=True)
    assert (folder / "mine" / "a.xml").read_text() == "mine"
    (folder / "empty").mkdir()
    convert(folder / "all.json", folder / "empty", "voc")
    assert files(folder / "empty") == [LISTED, "a.xml", "b.xml"]


def test_a_failure_leaves_nothing_behind(folder):
    Coco().write_masks([*IMAGES, LabelledImage("a.bmp", 0, SHAPE, ())], folder / "twins.json")
    before = tree(folder)
    with pytest.raises(OutputError, match="differ"):
        convert(folder / "twins.json", folder / "out", "voc")
    assert tree(folder) == before


def test_what_touches_and_what_is_small_is_counted(folder):
    row = [LabelledTarget(None, patch(["##"], 0, col)) for col in (0, 2)]
    Coco().write_masks([LabelledImage("a.png", 0, SHAPE, tuple(row))], folder / "row.json")
    done = convert(folder / "row.json", folder / "masks", "masks")
    assert any(lost.startswith("1 targets that touch") for lost in done.lost)
    done = convert(folder / "row.json", folder / "yolo", "yolo-seg")
    assert done.lost == ()
    assert done.warnings[0].startswith("2 masks have fewer than 4 pixels")


@pytest.mark.parametrize(
    ("to", "options", "reason"),
    [
        ("via", {}, "cannot be written"),
        ("nonsense", {}, "no annotation format is called 'nonsense'; choose one of"),
        ("voc", {"test": 0.5}, "belongs to basicirstd, pal"),
    ],
)
def test_what_cannot_be_written(folder, to, options, reason):
    with pytest.raises(PointsError, match=reason):
        convert(folder / "all.json", folder / "out", to, **options)


def help_of(command):
    wide = {"terminal_width": 10_000, "max_content_width": 10_000}
    return CliRunner().invoke(main, [command, "--help"], **wide).output


def test_all_formats_are_named_in_help():
    help_text = help_of("convert")
    for named, names in (("--to FORMAT", WRITABLE), ("--from FORMAT", FORMATS)):
        assert all(re.search(rf"[ :]{name}[,;.]", help_text.partition(named)[2]) for name in names)
    for command in ("annotate", "check", "calibrate"):
        text = help_of(command).partition("--points-format")[2]
        assert all(re.search(rf"[ :]{name}[,.]", text) for name in FORMATS)


def test_the_command_tells_what_it_did(folder):
    (folder / "images" / "b.png").unlink()
    arguments = ["convert", folder / "all.json", folder / "SIRST", "--to", "basicirstd"]
    result = CliRunner().invoke(
        main, [str(word) for word in (*arguments, "--images", folder / "images", "--copy")]
    )
    assert result.exit_code == 3, result.output
    assert "COCO JSON" in result.output
    assert "1 targets in 1 images" in result.output
    assert "1 labels" in result.output
    assert "b.png" in result.output
    assert files(folder / "SIRST") == [
        LISTED, "images/a.png", "img_idx/test_SIRST.txt", "img_idx/train_SIRST.txt", "masks/a.png",
    ]  # fmt: skip
    again = CliRunner().invoke(
        main, ["convert", str(folder / "all.json"), str(folder / "SIRST"), "--to", "pal"]
    )
    assert again.exit_code == 2
    assert "--overwrite" in again.output


def test_a_given_format_wins(folder):
    (folder / "odd.json").write_text(json.dumps({"image": "a.png", "points": [[2, 1]]}) + "\n")
    done = convert(folder / "odd.json", folder / "odd.csv", "csv", format="jsonl")
    assert done.recognised == "JSON lines"


BOXED = LabelledImage(
    "a.png",
    0,
    SHAPE,
    (LabelledTarget(Point(2, 3), None, box=Box(1, 2, 4, 7)), LabelledTarget(Point(0, 0), None)),
)


@pytest.mark.parametrize("name", ["coco", "labelme", "voc", "yolo"])
def test_boxes_of_other_tools_are_kept(folder, name):
    """A box is no mask, but it must not shrink to its middle on the way."""
    form = FORMATS.load(name)
    form.write_masks([BOXED], folder / "boxed")
    done = convert(folder / "boxed", folder / "boxed.json", "coco", format=name, images=folder / "images")
    assert done.lost == ()
    (image,) = Coco().read_masks(folder / "boxed.json", {})
    assert image.targets[0].box == Box(1, 2, 4, 7)
    assert (image.targets[0].point.row, image.targets[0].point.col) == (2, 4 if name == "yolo" else 3)
    convert(folder / "boxed.json", folder / "yolo", "yolo")
    assert (folder / "yolo/labels/a.txt").read_text().splitlines()[
        0
    ] == "0 0.6428571429 0.4166666667 0.7142857143 0.5"
    assert not convert(folder / "boxed.json", folder / "cvat.xml", "cvat").lost
    lost = convert(folder / "boxed.json", folder / "lost.csv", "csv").lost
    assert any("boxes" in what for what in lost)
