"""What `check` finds when it compares: points with masks, images with each other, lists with lists."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from scipy import ndimage
from tools.folders import save

from pointmask import cli
from pointmask.doctor import Diagnosis, examine
from pointmask.doctor.fingerprint import SAME_SCENE, fingerprint
from pointmask.doctor.fix import write_fixed
from pointmask.doctor.lists import lists_in
from pointmask.errors import PointsError
from pointmask.io.images.masks import resized, size_relation
from pointmask.io.images.open import open_source
from pointmask.io.points.lists import IdList, read_ids
from pointmask.io.points.points import Point, Points
from pointmask.synth.scenes import make_scenes

COUNT = 16


def items(diagnosis: Diagnosis, kind: str) -> tuple[str, ...]:
    return next((found.items for found in diagnosis.findings if found.kind == kind), ())


def problems(diagnosis: Diagnosis) -> set[str]:
    return {found.kind for found in diagnosis.findings if found.is_problem}


@pytest.fixture(scope="module")
def scenes():
    return [scene for scene in make_scenes(60, 5, shape=(96, 128)) if len(scene.points)][:COUNT]


@pytest.fixture
def folder(tmp_path: Path, scenes) -> Path:
    for k, scene in enumerate(scenes):
        save(tmp_path / f"images/{k:02d}.png", scene.image)
        save(tmp_path / f"masks/{k:02d}.png", scene.mask)
    return tmp_path


@pytest.fixture(scope="module")
def points(scenes) -> dict[str, tuple[Point, ...]]:
    return {
        f"{k:02d}.png": tuple(Point(int(row), int(col)) for row, col in scene.points)
        for k, scene in enumerate(scenes)
    }


def test_sound_scenes_have_no_problem_and_threads_change_nothing(folder, points):
    found = examine(folder / "images", Points(points), folder / "masks")
    assert problems(found) == set()
    assert items(found, "near") == ()
    assert examine(folder / "images", Points(points), folder / "masks", threads=3) == found
    with pytest.raises(ValueError, match="threads is 0"):
        examine(folder / "images", threads=0)


def test_masks_that_changed_places(folder, scenes):
    (first, second) = (folder / "masks/03.png", folder / "masks/07.png")
    one, two = first.read_bytes(), second.read_bytes()
    first.write_bytes(two)
    second.write_bytes(one)
    told = items(examine(folder / "images", masks=folder / "masks"), "mask pair")
    assert [item.split(" (")[0] for item in told] == ["the mask of 03.png", "the mask of 07.png"]
    assert "fits 07.png" in told[0]
    assert "fits 03.png" in told[1]


def test_points_that_changed_places_or_axes(folder, points):
    names = sorted(points)
    mixed = dict(points)
    for one, other in zip(names[::2], names[1::2], strict=True):
        mixed[one], mixed[other] = points[other], points[one]
    told = items(examine(folder / "images", Points(mixed)), "point pair")
    assert len(told) >= 4  # many scenes are so busy that some of it is under any click
    right = {f"the points of {one}": other for one, other in zip(names, [*names[1:], ""], strict=True)}
    right |= {f"the points of {one}": names[k - 1] for k, one in enumerate(names) if k % 2}
    correct = [item for item in told if f" fits {right[item.split(' (')[0]]} " in item]
    assert correct == list(told)
    turned = {name: tuple(Point(p.col, p.row) for p in listed) for name, listed in points.items()}
    inside = {k: v for k, v in turned.items() if all(p.row < 96 and p.col < 128 for p in v)}
    found = examine(folder / "images", Points(inside))
    assert len(items(found, "point swapped")) >= 3
    assert items(found, "point pair") == ()


def test_points_against_masks(folder, points, scenes):
    name, place = "02.png", points["02.png"][0]
    far = next(Point(row, 5) for row in range(5, 90) if not scenes[2].mask[row - 4 : row + 5, :12].any())
    twice = Point(place.row, place.col + 1)
    listed = {**points, name: (place, far, twice), "04.png": points["04.png"][1:]}
    found = examine(folder / "images", Points(listed), folder / "masks")
    assert items(found, "off mask") == (f"02.png: x 5, y {far.row}",)
    assert items(found, "point twice") == (
        f"02.png: x {place.col}, y {place.row} and x {twice.col}, y {place.row}",
    )
    gone = points["04.png"][0]
    assert any(
        item.startswith("04.png: ") and f"x {gone.col}"[:3] in item for item in items(found, "no point")
    )
    assert {"off mask", "no point", "point twice"} == problems(found)


def test_points_of_two_targets_that_touch_no_pixel_are_two(tmp_path):
    image = np.full((64, 64), 20, np.uint8)
    image[20, 20] = image[20, 22] = 200
    image[40:44, 40:44] = np.arange(16).reshape(4, 4) + 100
    save(tmp_path / "images/a.png", image)
    save(tmp_path / "masks/a.png", image > 150)
    both = Points({"a": (Point(20, 20), Point(20, 22))})
    assert items(examine(tmp_path / "images", both, tmp_path / "masks"), "point twice") == ()
    assert len(items(examine(tmp_path / "images", both), "point twice")) == 1


@pytest.mark.parametrize("change", ["gain", "offset", "shift", "noise", "deep", "crop"])
def test_likeness_survives(scenes, tmp_path, change):
    image = ndimage.gaussian_filter(np.random.default_rng(3).normal(0, 40, (160, 192)), 3) * 6 + 120
    changed = {
        "gain": image * 0.5,
        "offset": image * 0.7 + 60,
        "shift": np.roll(image, (3, -4), (0, 1)),
        "noise": image + np.random.default_rng(4).normal(0, 4, image.shape),
        "deep": image * 50,
        "crop": image[3:, :-4],
    }[change]
    kind = np.uint16 if change == "deep" else np.uint8
    save(tmp_path / "a.png", np.clip(image, 0, 255).astype(np.uint8))
    save(tmp_path / "b.png", np.clip(changed, 0, np.iinfo(kind).max).astype(kind))
    for k, scene in enumerate(scenes):
        save(tmp_path / f"s{k}.png", scene.image)
    (told,) = items(examine(tmp_path), "near")
    assert told.startswith("b.png, a.png: likeness ")
    assert float(told.split()[-1]) > SAME_SCENE


def test_noise_and_horizons_are_no_likeness(tmp_path):
    rng = np.random.default_rng(0)
    for k in range(12):
        image = rng.normal(60, 3, (120, 150)) + np.where(np.arange(120) > 70, 80, 0)[:, None]
        save(tmp_path / f"{k}.png", image.astype(np.uint8))
    assert items(examine(tmp_path), "near") == ()
    assert fingerprint(np.full((80, 80), 7.0)) is None
    assert fingerprint(np.zeros((20, 200))) is None
    assert fingerprint(np.where(np.indices((70, 70)).sum(0) % 9, 1.0, np.nan)) is None


def save_list(path, numbers):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{int(number):02d}\n" for number in numbers.split()))


def test_leaks_between_lists(folder, scenes):
    save(folder / "images/copy.png", scenes[1].image)
    save(folder / "images/like.png", np.roll(scenes[2].image, 1, 1))
    save(folder / "images/spare.png", scenes[9].image)
    (folder / "train_x.txt").write_bytes(b"\xef\xbb\xbf/01.png\r\n02\r\n02\r\n09\r\nspare\r\nno such\r\n")
    (folder / "test_x.txt").write_text("copy\nlike\n00\n")
    lists = [read_ids(path) for path in lists_in(folder)]
    found = examine(folder / "images", lists=lists)
    leaks = items(found, "leak")
    assert [item.split(" of ")[0] for item in leaks] == ["01.png", "02.png"]
    assert "copy.png of" in leaks[0]
    assert "the same pixels" in leaks[0]
    assert "like.png of" in leaks[1]
    assert items(found, "copies") == ("spare.png, 09.png: the same pixels",)
    assert len(items(found, "unlisted")) == 1
    (style,) = items(found, "list style")
    for words in ("Windows", "byte order mark", "suffixes", "slashes", "ids twice (02)"):
        assert words in style
    assert len(items(found, "in no list")) == COUNT + 3 - 7
    train = found.remedies.taken_out[str(folder / "train_x.txt")]
    assert set(train) == {"01.png", "02.png", "spare.png"}
    assert set(found.remedies.taken_out) == {str(folder / "train_x.txt")}


def test_test_list_wins_over_val_and_names_decide(folder, scenes):
    save(folder / "images/copy.png", scenes[1].image)
    lists = [IdList(("copy",), "test.txt"), IdList(("01", "03"), "val.txt"), IdList(("03",), "trainval.txt")]
    found = examine(folder / "images", lists=lists)
    taken = found.remedies.taken_out
    assert {source: set(names) for source, names in taken.items()} == {"val.txt": {"01.png"}}
    lists = [IdList(("02", "05"), "test.txt"), IdList(("02", "03"), "train.txt"), IdList(("03",), "a.txt")]
    told = items(examine(folder / "images", lists=lists), "leak")
    assert told == ("02.png of train.txt, 02.png of test.txt: the same image",)  # a.txt is for no side
    with pytest.raises(PointsError, match=r"holds no \.txt list"):
        lists_in(folder / "masks")


SIRST_V2 = {
    "background": "0 1 8",
    "v2background": "1 8 9",
    "mini-v2background": "8",
    **{f"train_{family}": "0 1 2 3" for family in ("full", "v1fullv2target")},
    **{f"val_{family}": "4 5" for family in ("full", "v1fullv2target")},
    **{f"trainval_{family}": "0 1 2 3 4 5" for family in ("full", "v1fullv2target")},
    **{f"test_{family}": "6 7 8" for family in ("full", "v1fullv2target")},
    **{f"trainvaltest_{family}": "0 1 2 3 4 5 6 7 8" for family in ("full", "v1fullv2target", "v2target")},
    "mini_trainval": "6 7 0",
    "mini_test": "1 2",
    "train_v1": "6 8",
    "test_v1": "0 3",
    "val_v2target": "0 6",  # a set without lists of its own to train with
}


def test_alternatives_backgrounds_and_joint_lists_are_no_leaks_and_lose_nothing(folder, tmp_path):
    assert len(SIRST_V2) == 19
    for name, ids in SIRST_V2.items():
        save_list(folder / f"splits/{name}.txt", ids)
    lists = [read_ids(path) for path in lists_in(folder / "splits")]
    found = examine(folder / "images", lists=lists)
    assert items(found, "leak") == ()
    assert not found.remedies.taken_out
    write_fixed(tmp_path / "fixed", found, open_source(folder / "images"), lists=lists)
    for name in SIRST_V2:
        path = tmp_path / f"fixed/img_idx/{name}.txt"
        assert path.read_bytes() == (folder / f"splits/{name}.txt").read_bytes()


@pytest.mark.parametrize(
    ("lists", "leaks"),
    [
        ({"train_v1": "0 1", "test_v1": "1 2", "test_full": "0"}, {"00.png", "01.png"}),
        ({"train_v1": "0 1", "test_v1": "2", "train_full": "1 2", "test_full": "0"}, set()),
        ({"trainval": "0 1", "test": "1 2"}, {"01.png"}),
        ({"train_a": "0 1", "test_b": "1 2"}, {"01.png"}),  # what the other lacks
        ({"train": "0 1", "test": "2", "test_hard": "1"}, {"01.png"}),  # it is for every training
        ({"trainval": "0 1", "val": "1", "test": "2", "test_hard": "0 2"}, {"00.png"}),
        ({"train": "0", "val": "1", "test": "2", "test_hard": "1 2"}, set()),
        ({"50_50/train": "0 1", "50_50/test": "2", "70_30/train": "0 2", "70_30/test": "1"}, set()),
        ({"50_50/train": "0 1", "50_50/test": "1", "70_30/train": "0 2", "70_30/test": "1"}, {"01.png"}),
        ({"idx_427/trainval": "0 1", "idx_427/test": "2", "hard": "0 2"}, set()),
    ],
)
def test_which_lists_must_be_apart(folder, lists, leaks, tmp_path):
    for name, ids in lists.items():
        save_list(folder / f"splits/{name}.txt", ids)
    read = [read_ids(path) for path in sorted((folder / "splits").rglob("*.txt"))]
    found = examine(folder / "images", lists=read)
    assert {item.split(" of ")[0] for item in items(found, "leak")} == leaks
    taken = write_fixed(tmp_path / "fixed", found, open_source(folder / "images"), lists=read)
    assert taken.get("ids taken out", 0) == len(leaks)


def test_lists_are_looked_for_in_folders_and_what_is_taken_out_is_said(folder, tmp_path):
    save_list(folder / "splits/50_50/train.txt", "0 1 2")
    save_list(folder / "splits/50_50/test.txt", "1 3")
    save_list(folder / "splits/70_30/train.txt", "0 1 2 3")
    save_list(folder / "splits/70_30/test.txt", "4")
    parts = [folder / "images", "--lists", folder / "splits", "--fix", tmp_path / "fixed"]
    result = CliRunner().invoke(cli.main, ["check", *map(str, parts)])
    assert result.exit_code == 3
    assert "Taken out of img_idx/50_50/train.txt, 1: 01: the same image as 01.png of" in result.output
    assert "70_30/train.txt" not in result.output.partition("Wrote")[2]
    kept = {path.parent.name: path.read_text() for path in (tmp_path / "fixed").rglob("train.txt")}
    assert kept == {"50_50": "00\n02\n", "70_30": "00\n01\n02\n03\n"}


def test_masks_that_fit_no_image_are_a_problem(folder):
    for path in (folder / "masks").iterdir():
        path.rename(path.with_name(f"m{int(path.stem) + 50}.png"))
    found = examine(folder / "images", masks=folder / "masks")
    assert len(items(found, "mask stranger")) == COUNT
    assert not found.is_healthy


@pytest.mark.parametrize("make", ["{}_pixels0", "gt_{}", "{}-mask", "x/{}_label"])
def test_masks_are_paired_by_what_remains_of_their_names(folder, make, tmp_path):
    for path in list((folder / "masks").iterdir()):
        (folder / "masks/x").mkdir(exist_ok=True)
        path.rename(folder / "masks" / f"{make.format(path.stem)}.png")
    found = examine(folder / "images", masks=folder / "masks")
    assert found.is_healthy
    assert len(items(found, "loosely")) == 1
    write_fixed(tmp_path / "fixed", found, open_source(folder / "images"), masks=folder / "masks")
    assert len(list((tmp_path / "fixed/masks").iterdir())) == COUNT


def test_numbers_that_were_spoilt(tmp_path):
    slope = np.add.outer(np.arange(160) * 3, np.arange(200) * 2).astype(np.uint16) + 500
    rng = np.random.default_rng(0)
    deep = rng.normal(8000, 600, (200, 200)).astype(np.uint16)
    save(tmp_path / "cut.png", (slope & 255).astype(np.uint8))
    save(tmp_path / "comb.png", (deep // 64).astype(np.uint8) // 4 * 6)
    save(tmp_path / "shifted.png", deep * 4)
    save(tmp_path / "shallow.png", deep // 64)
    save(tmp_path / "few.png", (deep // 1000).astype(np.uint8))
    save(tmp_path / "good8.png", (deep // 40).clip(0, 255).astype(np.uint8))
    save(tmp_path / "good16.png", deep)
    save(tmp_path / "salt.png", rng.integers(0, 2, (100, 100)).astype(np.uint8) * 255 // 1)
    found = examine(tmp_path)
    names = {
        kind: {item.split(":")[0] for item in items(found, kind)}
        for kind in ("wrapped", "stretched", "shallow", "few levels")
    }
    assert names["wrapped"] == {"cut.png"}
    assert names["shallow"] == {"shallow.png"}
    assert names["stretched"] == {"shifted.png", "comb.png"}
    assert names["few levels"] == {"few.png", "salt.png"}
    assert {group.kind: group.bits for group in found.groups}["png I;16, read as uint16"] == 16


def test_bars_dead_lines_and_reticles_are_no_cut_bits(tmp_path):
    good = np.random.default_rng(1).normal(50, 5, (128, 128)).clip(1, 255).astype(np.uint8)
    changed = {name: good.copy() for name in ("bars", "lines", "bright", "reticle")}
    changed["bars"][:16] = changed["bars"][-16:] = 255
    changed["lines"][:, 37] = changed["lines"][52] = changed["lines"][:, 70] = 255
    changed["bright"] += 180
    changed["bright"][:, 37] = changed["bright"][:, :8] = 0
    changed["reticle"][64, 40:90] = changed["reticle"][40:90, 64] = 255
    changed["reticle"][4:12, 4:60:3] = 255
    slope = np.add.outer(np.arange(128) * 3, np.arange(128) * 2) & 255
    changed["cut"] = slope.astype(np.uint8)
    changed["cut"][:16] = 0
    for name, pixels in changed.items():
        save(tmp_path / f"{name}.png", pixels)
    assert [item.split(":")[0] for item in items(examine(tmp_path), "wrapped")] == ["cut.png"]


def test_eight_bits_stretched(tmp_path):
    image = np.random.default_rng(0).normal(60, 12, (200, 200)).astype(np.uint8)
    save(tmp_path / "plain.png", image)
    save(tmp_path / "stretched.png", (image.astype(int) * 2).clip(0, 255).astype(np.uint8))
    assert [item.split(":")[0] for item in items(examine(tmp_path), "stretched")] == ["stretched.png"]


@pytest.mark.parametrize(
    ("mask", "image", "relation"),
    [
        ((400, 592), (220, 325), "resized"),
        ((128, 128), (256, 256), "resized"),
        ((325, 220), (220, 325), "turned"),
        ((47, 48), (48, 48), "cropped"),
        ((200, 200), (256, 320), "cropped"),
        ((256, 384), (256, 320), "padded"),
        ((300, 100), (200, 200), "foreign"),
    ],
)
def test_size_relation(mask, image, relation):
    assert size_relation(mask, image) == relation


def test_resized_takes_nearest_pixels():
    mask = np.zeros((4, 6), np.bool_)
    mask[1, 2] = True
    twice = resized(mask, (8, 12))
    assert twice.sum() == 4
    assert twice[2:4, 4:6].all()
    assert np.array_equal(resized(twice, (4, 6)), mask)
