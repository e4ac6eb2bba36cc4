"""Training folders: what is read, and what is said when they do not fit."""

import shutil

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tools.trainer.training import make_folder

from pointmask.io.formats import read_points
from pointmask.io.images.array import encode_png, read_mask
from pointmask_trainer.data.folder import find_images, find_list, read_list, split_ids
from pointmask_trainer.data.normalisation import normalisation_of
from pointmask_trainer.data.points import pair_points
from pointmask_trainer.data.split import load_masks, load_split
from pointmask_trainer.errors import DataError
from pointmask_trainer.strategies.base import Folder
from pointmask_trainer.strategies.registry import make_strategy
from pointmask_trainer.strategies.static.point import point_label


@pytest.fixture
def folder(tmp_path):
    return make_folder(tmp_path / "data", 6)


def split_of(folder, points=None):
    images = find_images(folder)
    train, _ = split_ids(folder, images)
    paired = None if points is None else pair_points(points, images, folder)
    return load_split("train", train, images, paired)


def test_a_folder_is_read_whole(folder):
    split = split_of(folder, read_points(folder / "points.csv"))
    assert split.ids == ("scene_000", "scene_001", "scene_002", "scene_003")
    masks = load_masks(split, folder)
    for index, mask in enumerate(masks):
        assert mask.shape == split.images.shapes[index]
        assert len(split.points[index]) >= 1
        assert all(mask[row, col] for row, col in split.points[index])
    pixels = np.stack([split.images.image(k).numpy() for k in range(4)])
    found = normalisation_of(split.images)
    assert found.mean == pytest.approx(pixels.mean((1, 2)).mean())
    assert found.std == pytest.approx(pixels.std((1, 2)).mean())


def test_16_bit_images_are_kept_to_the_last_bit(tmp_path):
    folder = make_folder(tmp_path / "data", 4, bits=14)
    split = split_of(folder)
    assert split.images.is_wide
    assert float(split.images.image(0).max()) > 255


def test_lists_are_found_and_the_test_list_is_kept_out(folder):
    images = find_images(folder)
    (folder / "img_idx" / "train_scenes.txt").unlink()
    (folder / "img_idx" / "test_scenes.txt").write_text("/scene_002.png\n")
    train, val = split_ids(folder, images)
    assert train == ["scene_000", "scene_001", "scene_003"]
    assert val == ["scene_004", "scene_005"]


def test_without_lists_a_part_is_split_off_by_the_seed(folder):
    for file in (folder / "img_idx").iterdir():
        file.unlink()
    images = find_images(folder)
    first, again = (split_ids(folder, images, seed=1) for _ in range(2))
    assert first == again
    assert len(first[1]) == 1
    assert not set(first[0]) & set(first[1])
    assert {split_ids(folder, images, seed=seed)[1][0] for seed in range(12)} != {first[1][0]}


def test_include_takes_names_by_pattern(folder):
    train, val = split_ids(folder, find_images(folder), include="scene_00[0-4]")
    assert (len(train), val) == (4, ["scene_004"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("\n\n", "empty"),
        ("nobody\n", "names nobody that the image folder does not hold; correct it"),
        ("scene_000#1\n", "names scene_000#1 that"),
        ("scene_000\nscene_000.png\n", r"names scene_000\.png twice"),
        ("scene_001\nscene_000\nscene_001\n", "names scene_001 twice"),
        ("scene_000\n../..\n", r"list\.txt, line 2: .*is empty"),
        (
            "SCENE_000\n",
            r"SCENE_000 .* not hold; did you mean scene_000\.png\?",
        ),
    ],
)
def test_bad_lists_are_explained(folder, text, message):
    file = folder / "list.txt"
    file.write_text(text)
    with pytest.raises(DataError, match=message):
        read_list(file, find_images(folder))


def test_lists_name_images_as_points_do(folder):
    for name in ("one/x", "two/x", "two/y"):
        file = folder / "images" / f"{name}.png"
        file.parent.mkdir(exist_ok=True)
        shutil.copy(folder / "images" / "scene_000.png", file)
    images, file = find_images(folder), folder / "list.txt"
    file.write_text("y\n./one/x\nimages/scene_003.bmp\n")
    assert read_list(file, images) == ["two/y", "one/x", "scene_003"]
    file.write_text("y\nx\n")
    with pytest.raises(DataError, match=r"says x, which fits one/x and two/x; write its path"):
        read_list(file, images)
    file.write_text("one/scene_003\ntwo/scene_003\n")
    with pytest.raises(DataError, match="says one/scene_003, which fits scene_003; write its path"):
        read_list(file, images)


def test_two_lists_of_one_kind_must_be_chosen_among(folder):
    (folder / "img_idx" / "train_other.txt").write_text("scene_000\n")
    with pytest.raises(DataError, match="--train-list"):
        find_list(folder, "train")


def test_an_image_in_both_lists_is_refused(folder):
    (folder / "img_idx" / "val_scenes.txt").write_text("scene_000\n")
    with pytest.raises(DataError, match="both the train and the val list"):
        split_ids(folder, find_images(folder))


def test_a_missing_mask_is_named(folder):
    (folder / "masks" / "scene_002.png").unlink()
    with pytest.raises(DataError, match="no mask for scene_002"):
        load_masks(split_of(folder), folder / "masks")


def test_a_mask_of_another_size_is_named(folder):
    (folder / "masks" / "scene_001.png").write_bytes(encode_png(np.ones((10, 20), bool)))
    with pytest.raises(DataError, match=r"scene_001.*20 x 10 pixels, its image 48 x 48"):
        load_masks(split_of(folder), folder / "masks")


def test_masks_that_are_all_empty_are_refused(folder):
    for file in (folder / "masks").iterdir():
        file.write_bytes(encode_png(np.zeros((48, 48), bool)))
    with pytest.raises(DataError, match="every mask of the train list is empty"):
        load_masks(split_of(folder), folder / "masks")


def test_inverted_masks_are_refused_and_one_large_target_is_not(folder):
    first, *others = sorted((folder / "masks").iterdir())
    first.write_bytes(encode_png(np.ones((48, 48), bool)))
    assert load_masks(split_of(folder), folder / "masks")[0].all()
    for file in others:
        file.write_bytes(encode_png(~read_mask(file)))
    with pytest.raises(DataError, match=r"such as scene_00\d; .* inverted: save 255 minus each"):
        load_masks(split_of(folder), folder / "masks")


def test_an_unreadable_image_is_named(folder):
    path = folder / "images" / "scene_003.png"
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(DataError, match="scene_003"):
        split_of(folder)


def test_a_point_outside_is_named(folder):
    (folder / "points.csv").write_text("image,x,y\nscene_001,99,3\n")
    with pytest.raises(DataError, match="a point of scene_001 lies outside"):
        split_of(folder, read_points(folder / "points.csv"))


@pytest.mark.parametrize("name", ["nothing", "empty"])
def test_folders_without_images_are_explained(tmp_path, name):
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=name):
        find_images(tmp_path / name)


def test_strategies_make_the_labels_they_say(folder):
    images = find_images(folder)
    points = pair_points(read_points(folder / "points.csv"), images, folder)
    train, val = split_ids(folder, images)
    splits = {name: load_split(name, ids, images, points) for name, ids in (("train", train), ("val", val))}
    given = Folder(folder, splits, None, has_points=True)
    masks = {name: load_masks(split, folder) for name, split in splits.items()}
    full = make_strategy("full", {}).prepare(given)
    assert all(np.array_equal(a, b) for name in masks for a, b in zip(full[name], masks[name], strict=True))
    point = make_strategy("point", {}).prepare(given)
    assert [int(label.sum()) for label in point["train"]] == [len(p) for p in splits["train"].points]
    with pytest.raises(DataError, match="pointmask annotate"):
        make_strategy("masks", {}).prepare(given)
    with pytest.raises(DataError, match="--points"):
        make_strategy("point", {}).prepare(Folder(folder, splits, None, has_points=False))
    named = Folder(folder, splits, folder, has_points=False)  # a folder that holds masks/
    assert np.array_equal(make_strategy("masks", {}).prepare(named)["val"][0], masks["val"][0])


def test_point_labels_by_hand():
    points = np.array([[2, 3], [6, 6]])
    assert set(zip(*np.nonzero(point_label((8, 8), points, 0, 0)), strict=True)) == {(2, 3), (6, 6)}
    disc = point_label((8, 8), points, 1, 0)
    assert disc.sum() == 10
    assert disc[1, 3]
    assert not disc[1, 2]
    soft = point_label((8, 8), points, 0, 2.0)
    assert soft[2, 3] == 1
    assert soft[2, 5] == pytest.approx(np.exp(-0.5))
    assert not point_label((4, 4), np.empty((0, 2), np.int64), 0, 1.0).any()
