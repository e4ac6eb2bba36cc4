"""Layouts and lists of training folders: which are used, which are named, and what is refused."""

import shutil

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tools.trainer.training import make_folder

from pointmask_trainer.data.folder import find_images, split_ids
from pointmask_trainer.data.layout import image_folder, layout_note, true_masks
from pointmask_trainer.data.lists import list_for
from pointmask_trainer.data.split import load_masks, load_split
from pointmask_trainer.errors import DataError


@pytest.fixture
def folder(tmp_path):
    made = make_folder(tmp_path / "data", 8)
    shutil.rmtree(made / "img_idx")
    return made


def put(folder, name, numbers):
    path = folder / f"{name}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"scene_00{number}\n" for number in numbers.split()))
    return path


def drawn(folder, **options):
    said = []
    train, val = split_ids(folder, find_images(folder), say=said.append, **options)
    numbers = ["".join(key[-1] for key in sorted(ids)) for ids in (train, val)]
    return *numbers, said


@pytest.mark.parametrize("place", ["idx_427/{}", "splits/{}_full", "split_50_50/{}", "{}_v1", "img_idx/{}"])
def test_lists_are_used_wherever_they_lie(folder, place):
    put(folder, place.format("train"), "0 1 2 3")
    put(folder, place.format("val"), "4 5")
    test = put(folder, place.format("test"), "6 7")
    train, val, said = drawn(folder)
    assert (train, val) == ("0123", "45")
    assert [line for line in said if "are used" in line] == said
    assert list_for(folder, find_images(folder), "test") == test


@pytest.mark.parametrize("place", ["idx_427/{}", "img_idx/{}", "splits/{}_v1", "{}"])
def test_a_joint_list_is_drawn_from_and_the_test_list_stays_out(folder, place):
    put(folder, place.format("trainval"), "0 1 2 3 4 5")
    put(folder, place.format("test"), "6 7")
    train, val, _ = drawn(folder)
    assert sorted(train + val) == list("012345")
    assert len(val) == 1


def test_several_sets_are_named_with_the_option_that_chooses(folder):
    for name in ("50_50", "70_30"):
        put(folder, f"{name}/train", "0 1 2" if name == "50_50" else "0 1 2 3 4")
        put(folder, f"{name}/test", "6 7" if name == "50_50" else "7")
    with pytest.raises(DataError, match=r"2 sets of lists \(50_50/: .*70_30/: .*--train-list \S+50_50/train"):
        drawn(folder)
    train, val, said = drawn(folder, train_list=folder / "70_30/train.txt")
    assert sorted(train + val) == list("01234")
    assert said == []
    with pytest.raises(DataError, match=r"instead of --list test .*--list \S+50_50/test.txt"):
        list_for(folder, find_images(folder), "test")
    of_run = list_for(folder, find_images(folder), "test", folder / "70_30/train.txt")
    assert of_run == folder / "70_30/test.txt"


def test_what_lies_beside_a_train_list_is_taken_along(folder):
    for family, val in (("full", "5"), ("v1", "6")):
        put(folder, f"img_idx/train_{family}", "0 1 2")
        put(folder, f"img_idx/val_{family}", val)
    train, val, _ = drawn(folder, train_list=folder / "img_idx/train_v1.txt")
    assert (train, val) == ("012", "6")


def test_lists_that_are_not_used_are_said(folder):
    put(folder, "train", "0 1 2")
    put(folder, "50_50/train", "0 1")
    put(folder, "50_50/test", "2 3")
    train, val, said = drawn(folder)
    assert sorted(train + val) == list("012")
    (line,) = said
    assert line.startswith("lists that are not used lie there: 50_50/: test.txt, train.txt")
    assert line.endswith("--train-list " + str(folder / "50_50/train.txt"))


def test_runs_notes_and_backgrounds_are_no_lists(folder):
    put(folder, "run/train", "0 1")
    (folder / "run/config.toml").write_text("")
    put(folder, "splits/background", "0 1")
    (folder / "docs").mkdir()
    (folder / "docs/train_log.txt").write_text("epoch 1\nepoch 2\n")
    train, val, said = drawn(folder)
    assert sorted(train + val) == list("01234567")
    assert said == []


@pytest.mark.parametrize(
    ("images", "masks"),
    [
        ("IRSTD1k_Img", "IRSTD1k_Label"),
        ("imgs", "gt"),
        ("Image", "Ground truth"),
        ("frames_images", "masks"),
        ("images", "labels"),
    ],
)
def test_twin_folders_are_known_by_their_names(folder, images, masks):
    (folder / "images").rename(folder / images)
    (folder / "masks").rename(folder / masks)
    assert image_folder(folder) == folder / images
    assert true_masks(folder) == folder / masks
    assert (images in layout_note(folder)) == (images != "images")
    found = find_images(folder)
    split = load_split("train", sorted(found), found, None)
    assert any(mask.any() for mask in load_masks(split, true_masks(folder)))


def test_sequences_with_images_and_masks_of_their_own(folder):
    for place, inner in (("images", "img"), ("masks", "mask")):
        for number, path in enumerate(sorted((folder / place).iterdir())):
            target = folder / f"seq{number // 4}" / inner / f"{number % 4:04d}.png"
            target.parent.mkdir(parents=True, exist_ok=True)
            path.rename(target)
        (folder / place).rmdir()
    found = find_images(folder)
    assert sorted(found) == [f"seq{k // 4}/img/{k % 4:04d}" for k in range(8)]
    split = load_split("train", sorted(found), found, None)
    said = []
    masks = load_masks(split, true_masks(folder), said.append)
    whole = make_folder(folder.parent / "again", 8)
    names = sorted(find_images(whole))
    again = load_masks(load_split("train", names, find_images(whole), None), whole)
    assert all(np.array_equal(one, other) for one, other in zip(masks, again, strict=True))
    assert len(said) == 1


@pytest.mark.parametrize("make", ["{}_pixels0", "gt_{}", "{}-mask", "deep/{}_label"])
def test_masks_are_found_by_what_remains_of_their_names(folder, make):
    (folder / "masks/deep").mkdir()
    for path in [path for path in (folder / "masks").iterdir() if path.is_file()]:
        path.rename(folder / "masks" / f"{make.format(path.stem)}.png")
    found, said = find_images(folder), []
    split = load_split("train", sorted(found), found, None)
    assert len(load_masks(split, folder / "masks", said.append)) == 8
    assert len(said) == 1
    assert ": 8, such as " in said[0]


def test_folders_that_are_there_instead_are_named(tmp_path):
    for name in ("thermal", "visible"):
        (tmp_path / "data" / name).mkdir(parents=True)
    with pytest.raises(DataError, match="holds no images/ but thermal, visible; "):
        find_images(tmp_path / "data")
