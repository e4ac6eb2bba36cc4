"""The folder job: what it skips, what it refuses, and what it says about it."""

import errno
import os
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
import tifffile
from tools.folders import SIZE, one, reasons, save, scenes, spot, tree

import pointmask
from pointmask.errors import ImageError, OutputError, PointsError
from pointmask.folder.job import annotate_folder
from pointmask.io.images import folder as folders
from pointmask.io.images.array import encode_png, read_mask
from pointmask.io.images.file import ImageFile
from pointmask.io.points.points import Points

folder = pytest.fixture(scenes)


def test_bad_images_are_skipped_and_the_rest_is_done(tmp_path):
    good = encode_png(spot())
    source = tmp_path / "images"
    save(source / "good.png", spot())
    (source / "truncated.png").write_bytes(good[: len(good) // 2])
    (source / "zero.png").write_bytes(b"")
    (source / "text.png").write_text("not an image")
    points = Points({name: one() for name in ("good", "truncated", "zero", "text", "missing", "outside")})
    save(source / "outside.png", spot(shape=(10, 10)))
    summary = annotate_folder(source, points, tmp_path / "out")
    assert summary.done == 1
    found = reasons(tmp_path / "out")
    assert sorted(found) == ["missing", "outside.png", "text.png", "truncated.png", "zero.png"]
    assert "holds no file of that name" in found["missing"]
    assert "outside" in found["outside.png"]
    assert list(tree(tmp_path / "out/masks")) == ["good.png"]
    assert dict(summary.skipped) == found


def test_unreadable_image_is_skipped(tmp_path, monkeypatch):
    save(tmp_path / "images/a.png", spot())
    save(tmp_path / "images/b.png", spot())
    read = folders.open_regular

    def deny(path: Path) -> BinaryIO:
        if path.name == "a.png":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return read(path)

    monkeypatch.setattr(folders, "open_regular", deny)
    annotate_folder(tmp_path / "images", Points({"a": one(), "b": one()}), tmp_path / "out")
    assert reasons(tmp_path / "out") == {
        "a.png": "a.png cannot be read (Permission denied); check the file and its rights"
    }


def test_duplicate_stems_are_both_skipped(tmp_path):
    save(tmp_path / "images/a.png", spot())
    tifffile.imwrite(tmp_path / "images/a.tif", spot())
    save(tmp_path / "images/b.png", spot())
    summary = annotate_folder(
        tmp_path / "images", Points({"a.png": one(), "a.tif": one(), "b": one()}), tmp_path / "out"
    )
    assert summary.done == 1
    assert sorted(reasons(tmp_path / "out")) == ["a.png", "a.tif"]
    assert "a.png and a.tif" in reasons(tmp_path / "out")["a.png"]


def test_key_that_fits_two_images_skips_both(tmp_path):
    save(tmp_path / "images/a.png", spot())
    tifffile.imwrite(tmp_path / "images/a.tif", spot())
    annotate_folder(tmp_path / "images", Points({"a": one()}), tmp_path / "out")
    assert sorted(reasons(tmp_path / "out")) == ["a.png", "a.tif"]
    assert "whole name" in reasons(tmp_path / "out")["a.tif"]


def test_one_of_two_stems_with_points_is_done(tmp_path):
    save(tmp_path / "images/a.png", spot())
    tifffile.imwrite(tmp_path / "images/a.tif", spot())
    summary = annotate_folder(tmp_path / "images", Points({"a.png": one()}), tmp_path / "out")
    assert (summary.done, summary.skipped, summary.without_points) == (1, [], ["a.tif"])


def test_rejected_rows_skip_their_image(tmp_path):
    save(tmp_path / "images/a.png", spot())
    save(tmp_path / "images/b.png", spot())
    (tmp_path / "points.csv").write_text("image,x,y\na.png,24,20\na.png,oops,20\nb.png,24,20\n")
    summary = annotate_folder(tmp_path / "images", tmp_path / "points.csv", tmp_path / "out")
    assert summary.done == 1
    assert "oops" in reasons(tmp_path / "out")["a.png"]
    assert "points.csv:3" in reasons(tmp_path / "out")["a.png"]


@pytest.mark.parametrize("shape", [(1, 1), (3, 3), (1, 40), (2, 2)])
def test_tiny_images_are_done_or_skipped_clearly(tmp_path, shape):
    image = np.zeros(shape, np.uint8)
    image[0, 0] = 200
    save(tmp_path / "images/tiny.png", image)
    summary = annotate_folder(tmp_path / "images", Points({"tiny": one(0, 0)}), tmp_path / "out")
    if summary.done:
        assert read_mask(tmp_path / "out/masks/tiny.png").shape == shape
    else:
        assert "unexpected" not in summary.skipped[0][1]


def test_constant_and_nonfinite_images(tmp_path):
    save(tmp_path / "images/constant.png", np.full((SIZE, SIZE), 7, np.uint8))
    image = spot().astype(np.float32)
    image[5, 5], image[21, 24] = np.nan, np.inf
    tifffile.imwrite(tmp_path / "images/holes.tif", image)
    tifffile.imwrite(tmp_path / "images/nothing.tif", np.full((SIZE, SIZE), np.nan, np.float32))
    points = Points({"constant": one(), "holes": one(), "nothing": one()})
    summary = annotate_folder(tmp_path / "images", points, tmp_path / "out")
    assert not any("unexpected" in reason for _, reason in summary.skipped)
    assert "holes.tif" not in dict(summary.skipped)
    assert "nothing.tif" in dict(summary.skipped)


def test_strange_failure_in_one_image_does_not_end_the_job(folder, tmp_path, monkeypatch):
    source, points = folder
    decode = ImageFile.decode

    def fail(file: ImageFile, frame: int = 0) -> np.ndarray:
        if file.name == "03.png":
            raise ZeroDivisionError("surprise")
        return decode(file, frame)

    monkeypatch.setattr(ImageFile, "decode", fail)
    summary = annotate_folder(source, points, tmp_path / "out", threads=2)
    assert summary.done == 11
    assert "ZeroDivisionError: surprise" in dict(summary.skipped)["03.png"]


def test_frame_beyond_the_file(tmp_path):
    save(tmp_path / "images/a.png", spot())
    annotate_folder(tmp_path / "images", Points({"a.png#4": one()}), tmp_path / "out")
    assert "no frame 4" in reasons(tmp_path / "out")["a.png"]


def test_folders_that_cannot_be_used(tmp_path):
    save(tmp_path / "images/a.png", spot())
    points = Points({"a": one()})
    with pytest.raises(ImageError, match="does not exist"):
        annotate_folder(tmp_path / "nothing", points, tmp_path / "out")
    with pytest.raises(ImageError, match="is a file"):
        annotate_folder(tmp_path / "images/a.png", points, tmp_path / "out")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ImageError, match="holds no image"):
        annotate_folder(tmp_path / "empty", points, tmp_path / "out")
    with pytest.raises(OutputError, match="is a file"):
        annotate_folder(tmp_path / "images", points, tmp_path / "images/a.png")
    with pytest.raises(PointsError):
        annotate_folder(tmp_path / "images", tmp_path / "nothing.csv", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_unreadable_folder(tmp_path):
    save(tmp_path / "images/sub/a.png", spot())
    (tmp_path / "images/sub").chmod(0)
    try:
        with pytest.raises(ImageError, match="chmod"):
            annotate_folder(tmp_path / "images", Points({"a": one()}), tmp_path / "out")
    finally:
        (tmp_path / "images/sub").chmod(0o755)


def test_unreadable_folder_as_reported_by_the_system(tmp_path, monkeypatch):
    save(tmp_path / "images/a.png", spot())

    def deny(path: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", deny)
    with pytest.raises(ImageError, match="Permission denied"):
        annotate_folder(tmp_path / "images", Points({"a": one()}), tmp_path / "out")


@pytest.mark.parametrize(
    ("source", "out"), [("d", "d"), ("d/masks", "d"), ("d/masks/x", "d"), ("d/soft", "d")]
)
def test_output_that_would_mix_with_images(tmp_path, source, out):
    save(tmp_path / source / "a.png", spot())
    before = tree(tmp_path)
    with pytest.raises(OutputError, match="choose another"):
        annotate_folder(tmp_path / source, Points({"a": one()}), tmp_path / out, overwrite=True)
    assert tree(tmp_path) == before


def test_output_inside_the_image_folder_is_not_read_as_images(tmp_path):
    save(tmp_path / "images/a.png", spot())
    points = Points({"a": one()})
    for _ in range(2):
        summary = annotate_folder(tmp_path / "images", points, tmp_path / "images/out")
        assert (summary.images, summary.without_points) == (1, [])


def test_linked_folder_loop_ends(tmp_path):
    save(tmp_path / "images/a.png", spot())
    (tmp_path / "images/loop").symlink_to(tmp_path / "images", target_is_directory=True)
    assert annotate_folder(tmp_path / "images", Points({"a": one()}), tmp_path / "out").done == 1


@pytest.mark.parametrize("overwrite", [False, True])
def test_foreign_mask_is_kept(tmp_path, overwrite):
    save(tmp_path / "images/a.png", spot())
    save(tmp_path / "images/b.png", spot())
    save(tmp_path / "out/masks/a.png", np.zeros((SIZE, SIZE), np.uint8))
    before = (tmp_path / "out/masks/a.png").read_bytes()
    points = Points({"a": one(), "b": one()})
    for _ in range(2):
        summary = annotate_folder(tmp_path / "images", points, tmp_path / "out", overwrite=overwrite)
        assert "pointmask did not write it" in dict(summary.skipped)["a.png"]
        assert (tmp_path / "out/masks/a.png").read_bytes() == before
        assert (tmp_path / "out/masks/b.png").exists()


def test_foreign_manifest_and_theta_are_refused(tmp_path):
    save(tmp_path / "images/a.png", spot())
    (tmp_path / "out").mkdir()
    (tmp_path / "out/manifest.jsonl").write_text('{"mine": 1}\n')
    with pytest.raises(OutputError, match="not written by pointmask"):
        annotate_folder(tmp_path / "images", Points({"a": one()}), tmp_path / "out")
    assert tree(tmp_path / "out") == {"manifest.jsonl": b'{"mine": 1}\n'}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"polarity": "dark"}, "polarity bright, now it is dark"),
        ({"points": Points({"a": one(21, 24)})}, r"points \[\(24, 20\)\], now they are \[\(24, 21\)\]"),
        ({"points": Points({"a": one(label="ship")})}, "ship"),
        ({"theta": "paper"}, "theta"),
    ],
)
def test_results_of_another_job_are_refused_then_replaced(tmp_path, change, told):
    if "theta" in change and pointmask.Theta.load("paper").digest == pointmask.Theta.load("default").digest:
        pytest.skip("the two presets are equal")
    save(tmp_path / "images/a.png", spot())
    first = {"images": tmp_path / "images", "points": Points({"a": one()}), "out": tmp_path / "out"}
    annotate_folder(**first)
    before = tree(tmp_path / "out")
    with pytest.raises(OutputError, match=told):
        annotate_folder(**{**first, **change})
    assert tree(tmp_path / "out") == before
    summary = annotate_folder(**{**first, **change}, overwrite=True)
    assert (summary.done, summary.resumed) == (1, 0)
    annotate_folder(**{**first, **change, "out": tmp_path / "fresh"})
    assert tree(tmp_path / "out") == tree(tmp_path / "fresh")


@pytest.mark.parametrize(
    "bad", [{"threads": 0}, {"save": ("contour",)}, {"polarity": "up"}, {"shard": (4, 3)}]
)
def test_arguments_out_of_range(tmp_path, bad):
    save(tmp_path / "images/a.png", spot())
    with pytest.raises(ValueError, match=next(iter(bad))):
        annotate_folder(tmp_path / "images", Points({"a": one()}), tmp_path / "out", **bad)
