"""Points of a training folder are recognised whatever their kind, and never taken from masks."""

import json
import shutil

import numpy as np
import pytest
from tools.folders import save

from pointmask.errors import PointsError
from pointmask.io.formats import read_points
from pointmask.io.formats.find import find_points
from pointmask.io.formats.folders.point_images import PointImages
from pointmask.io.formats.labelled import LabelledImage, LabelledTarget, Patch
from pointmask.io.formats.tools.labelme import LabelMe
from pointmask.io.images.array import encode_png
from pointmask.io.images.folder import list_images
from pointmask.io.points.by_frame import points_by_frame
from pointmask.synth.scenes import make_scenes


@pytest.fixture
def folder(tmp_path):
    """``images/`` and ``points.csv``, neither masks nor lists."""
    (tmp_path / "images").mkdir()
    rows = ["image,x,y"]
    for k, scene in enumerate(make_scenes(8, seed=3, shape=(48, 48))):
        save(tmp_path / f"images/scene_{k:03d}.png", scene.image)
        rows += [f"scene_{k:03d},{col},{row}" for row, col in scene.points]
    (tmp_path / "points.csv").write_text("\n".join(rows) + "\n")
    return tmp_path


def labelled(folder, *, with_points=True, with_masks=False):
    """The folder's points as labelled images; masks are squares round them."""
    images = []
    for name, points in read_points(folder / "points.csv"):
        patches = [Patch.crop(np.ones((3, 3), bool), p.row - 1, p.col - 1) for p in points]
        targets = [
            LabelledTarget(point if with_points else None, patch if with_masks else None)
            for point, patch in zip(points, patches, strict=True)
        ]
        images.append(LabelledImage(f"{name}.png", 0, (48, 48), tuple(targets)))
    return images


def find(folder):
    return find_points(folder, folder / "images", "strategy d2d")


def write_table(folder, text):
    (folder / "clicks of mine.tsv").write_text(text.replace(",", "\t"))


def write_lines(folder, text):
    rows = [row.split(",") for row in text.split()[1:]]
    lines = [json.dumps({"image": name, "x": int(x), "y": int(y)}) for name, x, y in rows]
    (folder / "points.jsonl").write_text("\n".join(lines))


def write_labelme_beside_images(folder, text):
    LabelMe().write_masks(labelled(folder), folder / "images")


def write_labelme_in_the_folder(folder, text):
    LabelMe().write_masks(labelled(folder), folder)


def write_coco(folder, text):
    from pointmask.io.formats.tools.coco import Coco

    (folder / "annotations").mkdir()
    Coco().write_masks(labelled(folder, with_masks=True), folder / "annotations" / "instances_train.json")


def write_yolo(folder, text):
    (folder / "labels").mkdir()
    for image in labelled(folder):
        lines = [f"0 {(p.col + 0.5) / 48} {(p.row + 0.5) / 48} 0.1 0.1" for p in image.points]
        (folder / "labels" / f"{image.image[:-4]}.txt").write_text("\n".join(lines))


def write_point_images(folder, text, name="masks_coarse"):
    (folder / name).mkdir()
    PointImages().write_masks(labelled(folder), folder / name)


def write_points_folder(folder, text):
    write_point_images(folder, text, "points")


@pytest.mark.parametrize(
    "write",
    [
        write_table,
        write_lines,
        write_labelme_beside_images,
        write_labelme_in_the_folder,
        write_coco,
        write_yolo,
        write_point_images,
        write_points_folder,
    ],
)
def test_points_of_many_kinds_are_found(folder, write):
    wanted = read_points(folder / "points.csv")
    write(folder, (folder / "points.csv").read_text())
    (folder / "points.csv").unlink()
    (folder / "train.txt").write_text("scene_000\n")
    (folder / "notes.json").write_text('{"made": "today"}')
    paired = points_by_frame(find(folder), list_images(folder / "images"))
    places = {image: {(p.row, p.col) for p in points} for image, points in paired.points.items() if points}
    assert places == {(f"{key}.png", 0): {(p.row, p.col) for p in points} for key, points in wanted if points}


def test_several_kinds_must_be_chosen_among(folder):
    (folder / "points.csv").rename(folder / "points_centroid.csv")
    shutil.copy(folder / "points_centroid.csv", folder / "points_coarse.csv")
    with pytest.raises(PointsError, match=r"points_centroid.csv, points_coarse.csv\).*--points "):
        find(folder)


@pytest.mark.parametrize("kind", ["coco", "labelme", "masks", "points"])
def test_masks_are_never_clicked_on(folder, kind):
    from pointmask.io.formats.tools.coco import Coco

    truth = labelled(folder, with_points=False, with_masks=True)
    (folder / "points.csv").unlink()
    if kind == "coco":
        Coco().write_masks(truth, folder / "annotations.json")
    elif kind == "labelme":
        LabelMe().write_masks(truth, folder / "annotations")
    else:
        (folder / kind).mkdir()
        for image in truth:
            (folder / kind / image.image).write_bytes(encode_png(image.mask))
    told = {
        "coco": "annotations.json, which holds outlines",
        "labelme": "annotations, which holds outlines",
        "masks": "needs points",
        "points": "points, which holds masks",
    }
    with pytest.raises(PointsError, match=told[kind]):
        find(folder)


def test_what_was_looked_for_and_what_is_wrong_is_said(folder):
    (folder / "points.csv").write_text("picture,p,q\na,1,2\n")
    with pytest.raises(
        PointsError, match=r"strategy d2d needs points.*--points(.|\n)*needed are image, x and y"
    ):
        find(folder)


def test_a_damaged_file_that_is_alone_is_explained(folder):
    (folder / "points.csv").rename(folder / "old.bak")
    (folder / "points.jsonl").write_text('{"image": "scene_000", "x": 1, "y": 2}\nnonsense\n')
    with pytest.raises(PointsError, match=r"points.jsonl:2"):
        find(folder)
