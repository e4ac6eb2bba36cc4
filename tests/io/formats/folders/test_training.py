"""Training folders of others: what their loaders want, seeded lists, images without loss."""

import numpy as np
import pytest
from PIL import Image
from tools.folders import save
from tools.masks import files, patch

from pointmask.errors import ImageError, OutputError, PointsError
from pointmask.io.formats import read_points, recognise
from pointmask.io.formats.base import WriteOptions
from pointmask.io.formats.folders.basicirstd import BasicIrstd
from pointmask.io.formats.folders.pal import Pal
from pointmask.io.formats.labelled import LabelledImage, LabelledTarget
from pointmask.io.formats.registry import FORMATS
from pointmask.io.images.array import read, read_mask
from pointmask.io.images.folder import FolderSource
from pointmask.io.points.points import Point


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
    assert {image.key for image in BasicIrstd().read_masks(path, {})} == {"a.png", "seq/b.png"}
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
    assert [image.key for image in Pal().read_masks(path, {})] == listed["origin/img"]


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
