"""Our own output as a source of masks, and the training folders of others."""

import json

import numpy as np
import pytest
from hypothesis import given
from PIL import Image
from tools.folders import one, save, scenes
from tools.masks import documents, files, labelled_images, patch

from pointmask.errors import ImageError, OutputError, PointsError
from pointmask.folder.job import annotate_folder
from pointmask.folder.records.manifest import read_manifest
from pointmask.io.formats import FORMATS, read_points, recognise
from pointmask.io.formats.base import WriteOptions
from pointmask.io.formats.folders.basicirstd import BasicIrstd
from pointmask.io.formats.folders.masks import Masks
from pointmask.io.formats.folders.pal import Pal
from pointmask.io.formats.labelled import LabelledImage, LabelledTarget
from pointmask.io.formats.tables.native import Native
from pointmask.io.images.array import read, read_mask
from pointmask.io.images.folder import FolderSource
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


@given(images=documents(labelled_images()))
def test_mask_folders_keep_every_pixel(tmp_path_factory, images):
    path = tmp_path_factory.mktemp("masks")
    Masks().write_masks(images, path)
    found, rejected = read_all(Masks(), path)
    assert not rejected
    assert {image.key.rpartition(".")[0] for image in images} == {
        image.key.rpartition(".")[0] for image in found
    }
    by_stem = {image.key.rpartition(".")[0]: image for image in found}
    for image in images:
        np.testing.assert_array_equal(by_stem[image.key.rpartition(".")[0]].mask, image.mask)


# Training folders


def labelled(name, shape=(3, 4), frame=0):
    return LabelledImage(name, frame, shape, (LabelledTarget(Point(0, 3), patch(["##", "#."], 1, 1)),))


def source(tmp_path, *names):
    for name in names:
        save(tmp_path / "images" / name, np.arange(12, dtype=np.uint8).reshape(3, 4))
    return FolderSource(tmp_path / "images")


def test_basicirstd_as_its_loader_wants_it(tmp_path):
    images = source(tmp_path, "a.png", "seq/b.png")
    path = tmp_path / "SIRST9"
    BasicIrstd().write_masks([labelled("a.png"), labelled("seq/b.png")], path, source=images)
    assert (path / "img_idx" / "train_SIRST9.txt").read_text() == "a\nseq/b\n"
    assert (path / "img_idx" / "test_SIRST9.txt").read_text() == ""
    for name in ("a", "seq/b"):
        assert (path / "images" / f"{name}.png").is_symlink()
        assert (path / "images" / f"{name}.png").read_bytes() == (images.root / f"{name}.png").read_bytes()
        np.testing.assert_array_equal(read_mask(path / "masks" / f"{name}.png"), labelled("a.png").mask)
    assert recognise(path) == "basicirstd"
    assert {image.key for image in read_all(BasicIrstd(), path)[0]} == {"a.png", "seq/b.png"}
    with pytest.raises(PointsError, match="--simulate"):
        read_points(path)
    path.rename(tmp_path / "moved")
    with pytest.raises(OutputError, match="exists"):
        BasicIrstd().write_masks([labelled("a.png")], tmp_path / "moved", source=images)


def test_pal_holds_the_same_names_everywhere(tmp_path):
    images = source(tmp_path, "a.png", "seq/b.png", "c.png")
    path = tmp_path / "pal"
    Pal().write_masks(
        [labelled(name) for name in images.names()],
        path,
        source=images,
        options=WriteOptions(test=0.5, seed=1, copy=True),
    )
    listed = {folder: files(path / folder) for folder in ("origin/img", "origin/mask", "origin/masks_coarse")}
    assert len({tuple(names) for names in listed.values()}) == 1
    tests = files(path / "val" / "img")
    assert tests == files(path / "val" / "mask")
    assert sorted([*listed["origin/img"], *tests]) == ["a.png", "c.png", "seq_b.png"]
    assert tests
    assert listed["origin/img"]
    assert not any(file.is_symlink() for file in path.rglob("*"))
    assert recognise(path) == "pal"
    assert dict(read_points(path)) == {name: (Point(0, 3),) for name in listed["origin/img"]}
    assert [image.key for image in read_all(Pal(), path)[0]] == listed["origin/img"]


def test_the_draw_is_seeded_and_keeps_its_lists(tmp_path):
    names = [f"{k:03d}.png" for k in range(60)]
    images = source(tmp_path, *names)

    def drawn(name, count, seed):
        path = tmp_path / name
        BasicIrstd().write_masks(
            [labelled(n) for n in names[:count]],
            path,
            source=images,
            options=WriteOptions(test=0.3, seed=seed),
        )
        return (path / "img_idx" / f"test_{name}.txt").read_text().split()

    first = drawn("one", 60, 0)
    assert 8 <= len(first) <= 28
    assert drawn("two", 60, 1) != first
    assert drawn("three", 30, 0) == [name for name in first if int(name) < 30]
    with pytest.raises(ValueError, match="share"):
        (drawn("four", 1, 0) and None) or BasicIrstd().write_masks(
            [], tmp_path / "x", source=images, options=WriteOptions(test=1.5)
        )


def test_other_images_become_png_without_loss(tmp_path):
    rng = np.random.default_rng(0)
    colours = rng.integers(0, 256, (3, 4, 3), np.uint8)
    stack = rng.integers(0, 2**16, (2, 3, 5)).astype(np.uint16)
    (tmp_path / "images").mkdir()
    Image.fromarray(colours).save(tmp_path / "images" / "colour.bmp")
    np.save(tmp_path / "images" / "stack.npy", stack)
    np.save(tmp_path / "images" / "float.npy", np.ones((3, 4), np.float32))
    images = FolderSource(tmp_path / "images")
    path = tmp_path / "out"
    BasicIrstd().write_masks([labelled("colour.bmp"), labelled("stack.npy", (3, 5), 1)], path, source=images)
    np.testing.assert_array_equal(np.asarray(Image.open(path / "images" / "colour.png")), colours)
    np.testing.assert_array_equal(read(path / "images" / "stack#1.png"), stack[1])
    with pytest.raises(ImageError, match="16 bits"):
        BasicIrstd().write_masks([labelled("float.npy")], tmp_path / "b", source=images)


@pytest.mark.parametrize("name", ["basicirstd", "pal"])
def test_training_needs_the_images(tmp_path, name):
    with pytest.raises(PointsError, match="--images"):
        FORMATS.load(name).write_masks([labelled("a.png")], tmp_path / "a")
    with pytest.raises(PointsError, match="no such image"):
        FORMATS.load(name).write_masks([labelled("b.png")], tmp_path / "b", source=source(tmp_path, "a.png"))


def test_pal_refuses_a_click_outside(tmp_path):
    image = LabelledImage("a.png", 0, (3, 4), (LabelledTarget(Point(3, 0), None),))
    with pytest.raises(PointsError, match="outside"):
        Pal().write_masks([image], tmp_path / "pal", source=source(tmp_path, "a.png"))
