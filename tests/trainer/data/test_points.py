"""Training on a folder with images and points alone: which points belong to which image, and what is said."""

import shutil

import numpy as np
import pytest
import tifffile

torch = pytest.importorskip("torch")

from tools.trainer.runs import assert_same_run
from tools.trainer.training import TINY, make_folder

from pointmask.io.formats import read_points
from pointmask.io.images.array import encode_png
from pointmask.io.points.points import Point, Points
from pointmask_trainer.config import load_config
from pointmask_trainer.data.folder import find_images, split_ids
from pointmask_trainer.data.points import pair_points
from pointmask_trainer.data.split import load_split
from pointmask_trainer.errors import DataError
from pointmask_trainer.training.train import Source, Watcher, train


@pytest.fixture
def folder(tmp_path):
    """``images/`` and ``points.csv``, neither masks nor lists."""
    root = make_folder(tmp_path / "data", 8)
    shutil.rmtree(root / "masks")
    shutil.rmtree(root / "img_idx")
    return root


def put_masks(folder):
    (folder / "masks").mkdir()
    for image in (folder / "images").iterdir():
        (folder / "masks" / image.name).write_bytes(encode_png(np.eye(48, dtype=bool)))


def run(root, out, *settings, strategy="point", **source):
    """Train for one epoch; return what was said."""
    said = []
    config = load_config(settings=[*TINY, "epochs=1", f"strategy.name={strategy}", *settings])
    train(config, Source(root=root, **source), out, watcher=Watcher(message=said.append))
    return said


def ids_of(out):
    return sorted((out / "train.txt").read_text().split() + (out / "val.txt").read_text().split())


@pytest.mark.parametrize("strategy", ["point", "d2d", "joint"])
def test_images_and_points_are_enough(folder, tmp_path, strategy):
    said = run(folder, tmp_path / "run", strategy=strategy)
    assert "points.csv" in said[0]
    assert len(ids_of(tmp_path / "run")) == 8
    given = tmp_path / "given"
    run(folder, given, strategy=strategy, points=folder / "points.csv")
    assert_same_run(given, tmp_path / "run")


def test_strategies_that_need_no_points_look_for_none(folder, tmp_path):
    put_masks(folder)
    (folder / "points_2.csv").write_text("image,x,y\n")
    assert not any("points" in line for line in run(folder, tmp_path / "run", strategy="full"))


def test_images_may_lie_in_the_folder_itself(folder, tmp_path):
    for file in (folder / "images").iterdir():
        file.rename(folder / file.name)
    (folder / "images").rmdir()
    for name in ("masks", "masks_centroid", "labels/masks"):
        (folder / name).mkdir(parents=True)
        (folder / name / "scene_000.png").write_bytes(encode_png(np.zeros((48, 48), bool)))
    (folder / "labels" / "manifest.jsonl").touch()
    shutil.rmtree(folder / "masks_centroid")
    said = run(folder, tmp_path / "run")
    assert ids_of(tmp_path / "run") == [f"scene_{k:03d}" for k in range(8)]
    assert not any("left out" in line for line in said)


def test_the_layout_of_pal_is_read(folder, tmp_path):
    root = tmp_path / "pal"
    shutil.copytree(folder / "images", root / "origin" / "img")
    shutil.copytree(folder / "images", root / "origin" / "mask")
    shutil.copytree(folder / "images", root / "val" / "img")
    (root / "origin" / "masks_coarse").mkdir()
    for name, points in read_points(folder / "points.csv"):
        clicks = np.zeros((48, 48), bool)
        clicks[tuple(zip(*((p.row, p.col) for p in points), strict=True))] = True
        (root / "origin" / "masks_coarse" / f"{name}.png").write_bytes(encode_png(clicks))
    assert "masks_coarse" in run(root, tmp_path / "run")[0]
    assert ids_of(tmp_path / "run") == [f"scene_{k:03d}" for k in range(8)]


def test_images_that_the_points_do_not_name_are_left_out(folder, tmp_path):
    rows = (folder / "points.csv").read_text().splitlines()
    kept = [row for row in rows if not row.startswith(("scene_001", "scene_002", "scene_006"))]
    (folder / "points.csv").write_text("\n".join([*kept, "scene_006,,", "elsewhere,1,1"]) + "\n")
    said = run(folder, tmp_path / "run")
    assert ids_of(tmp_path / "run") == [f"scene_{k:03d}" for k in (0, 3, 4, 5, 6, 7)]
    assert any(
        line.startswith("2 of 8 images are left out") and "scene_001, scene_002" in line for line in said
    )
    assert any("passed over: elsewhere" in line for line in said)


def test_images_that_a_list_names_are_left_out_too(folder, tmp_path):
    rows = (folder / "points.csv").read_text().splitlines()
    (folder / "points.csv").write_text(
        "\n".join(row for row in rows if not row.startswith(("scene_001", "scene_007"))) + "\n"
    )
    (folder / "train.txt").write_text("scene_000\nscene_001\nscene_002\nscene_003\n")
    (folder / "val.txt").write_text("scene_006\nscene_007\n")
    said = run(folder, tmp_path / "run")
    assert ids_of(tmp_path / "run") == ["scene_000", "scene_002", "scene_003", "scene_006"]
    assert any(line.startswith("2 of 6 images are left out") for line in said)
    (folder / "val.txt").write_text("scene_007\n")
    with pytest.raises(DataError, match=r"no image is left to val on.*points"):
        run(folder, tmp_path / "other")


def test_masks_are_trained_on_whatever_the_points_tell(folder, tmp_path):
    put_masks(folder)
    (folder / "points.csv").write_text("image,x,y\nscene_000,3,3\n")
    run(folder, tmp_path / "run", strategy="full", points=folder / "points.csv")
    assert len(ids_of(tmp_path / "run")) == 8


def test_points_of_other_images_are_explained(folder):
    (folder / "points.csv").write_text("image,x,y\nframe_1,3,4\nframe_2,3,4\n")
    with pytest.raises(
        DataError, match=r"names no image.*it says frame_1, frame_2, the folder holds scene_000"
    ):
        pair_points(read_points(folder / "points.csv"), find_images(folder), folder)


def test_a_name_that_fits_two_images_stops_only_those_lists(folder, tmp_path):
    for name in ("one", "two"):
        (folder / "images" / name).mkdir()
        shutil.copy(folder / "images" / "scene_000.png", folder / "images" / name / "x.png")
    with (folder / "points.csv").open("a") as file:
        file.write("x,20,20\n")
    with pytest.raises(DataError, match=r"says x, which fits one/x and two/x"):
        run(folder, tmp_path / "run")
    (folder / "train.txt").write_text("scene_000\nscene_001\nscene_002\nscene_003\n")
    (folder / "val.txt").write_text("scene_004\nscene_005\n")
    run(folder, tmp_path / "run")


def test_an_image_never_gets_the_points_of_a_namesake(folder):
    (folder / "images" / "night").mkdir()
    shutil.copy(folder / "images" / "scene_000.png", folder / "images" / "night" / "scene_000.png")
    paired = pair_points(read_points(folder / "points.csv"), find_images(folder), folder)
    assert paired.knows("scene_000")
    assert not paired.knows("night/scene_000")
    assert "night/scene_000" not in paired.points.by_image


def test_a_name_that_ends_like_a_file_keeps_its_own_points(folder):
    frame = np.full((48, 48), 9, np.uint16)
    for name in ("x.tif", "x.png.tif"):
        tifffile.imwrite(folder / "images" / name, frame)
    (folder / "points.csv").write_text("image,x,y\nx.png.tif,1,2\nx.tif,3,4\n")
    images = find_images(folder)
    paired = pair_points(read_points(folder / "points.csv"), images, folder)
    assert paired.points.by_image == {"x.png": (Point(2, 1),), "x": (Point(4, 3),)}
    split = load_split("train", ["x", "x.png"], images, paired)
    assert [points.tolist() for points in split.points] == [[[4, 3]], [[2, 1]]]


def test_of_a_file_with_several_frames_the_first_counts(folder, tmp_path):
    frames = np.stack([np.full((48, 48), 9, np.uint16)] * 3)
    frames[:, 20:23, 20:23] += 90
    for name in ("stack", "later"):
        tifffile.imwrite(folder / "images" / f"{name}.tif", frames, photometric="minisblack")
    with (folder / "points.csv").open("a") as file:
        file.write("stack.tif#0,21,21\nstack.tif#2,22,22\nlater.tif#1,21,21\n")
    paired = pair_points(read_points(folder / "points.csv"), find_images(folder), folder)
    assert paired.points.by_image["stack"] == (Point(21, 21),)
    said = run(folder, tmp_path / "run")
    assert any("later frames of later, stack are passed over" in line for line in said)
    assert any("1 of 10 images are left out" in line and "later" in line for line in said)
    assert any("the first alone is trained on" in line and "which holds 3" in line for line in said)


def test_stacks_and_videos_alone_are_no_folder_to_train_on(tmp_path):
    frames = np.zeros((3, 48, 48), np.uint16)
    tifffile.imwrite(tmp_path / "stack.tif", frames, photometric="minisblack")
    with pytest.raises(DataError, match=r"no image is left to train on.*several frames.*pointmask convert"):
        split_ids(tmp_path, find_images(tmp_path))
    (tmp_path / "stack.tif").rename(tmp_path / "flight.avi")
    with pytest.raises(
        DataError, match=r"holds flight.avi, but a training reads no .avi; .*pointmask convert"
    ):
        find_images(tmp_path)


def test_a_fifth_of_what_is_left_is_drawn(folder):
    images = find_images(folder)
    train_ids, val_ids = split_ids(folder, images, without=["scene_000", "scene_001", "scene_002"])
    assert (len(train_ids), len(val_ids)) == (4, 1)
    assert not {"scene_000", "scene_001", "scene_002"} & {*train_ids, *val_ids}


@pytest.mark.parametrize(("size", "expected"), [((24, 24), [[5, 3]]), ((48, 48), [[2, 1]])])
def test_points_of_a_copy_of_another_size_are_scaled(folder, size, expected):
    images = find_images(folder)
    key = sorted(images)[0]
    points = Points({key: (Point(2, 1, image_shape=size),)}, "p.json")
    said = []
    split = load_split("train", [key], images, pair_points(points, images, folder), say=said.append)
    assert split.points[0].tolist() == expected
    scaled = f"points of 1 images were marked in a copy of another size and have been scaled, such as {key}: "
    assert [scaled in line for line in said] == [True] * (size != (48, 48))


def test_points_of_another_aspect_are_refused(folder):
    images = find_images(folder)
    key = sorted(images)[0]
    paired = pair_points(Points({key: (Point(2, 1, image_shape=(24, 36)),)}, "p.json"), images, folder)
    with pytest.raises(DataError, match=f"p.json: {key}: .*36 x 24 pixels, but the image has 48 x 48"):
        load_split("train", [key], images, paired)
