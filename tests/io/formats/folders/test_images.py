"""Folders of point images and of masks."""

import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage
from tools.masks import documents, labelled_images

from pointmask.errors import PointsError
from pointmask.io.formats import read_points, recognise
from pointmask.io.formats.folders import masks
from pointmask.io.formats.folders.masks import Masks
from pointmask.io.formats.folders.point_images import PointImages
from pointmask.io.formats.labelled import LabelledImage, LabelledTarget
from pointmask.io.images.array import encode_png
from pointmask.io.points.by_frame import points_by_frame
from pointmask.io.points.points import Point, Points

SHAPE = (12, 15)
PIXELS = st.builds(Point, st.integers(0, SHAPE[0] - 1), st.integers(0, SHAPE[1] - 1))
MASKS = hnp.arrays(np.bool_, hnp.array_shapes(min_dims=2, max_dims=2, max_side=12))


def disc(row, col, radius, shape=(40, 50)):
    y, x = np.ogrid[: shape[0], : shape[1]]
    return (y - row) ** 2 + (x - col) ** 2 <= radius**2


def folder(path, **files):
    path.mkdir(parents=True, exist_ok=True)
    for stem, mask in files.items():
        (path / f"{stem}.png").write_bytes(encode_png(mask))
    return path


# Point images


def clicked(listed):
    return [
        LabelledImage.of_key(key, SHAPE, [LabelledTarget(point, None) for point in points])
        for key, points in listed.items()
    ]


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["a.png", "s/b.png", "c#2.png"]),
        st.sets(PIXELS, max_size=4).map(lambda found: tuple(sorted(found, key=lambda p: (p.row, p.col)))),
        min_size=1,
    )
)
def test_point_images_make_the_round_trip(tmp_path_factory, listed):
    path = tmp_path_factory.mktemp("points")
    PointImages().write_masks(clicked(listed), path)
    found = PointImages().read(path)
    assert dict(found) == listed
    assert not found.rejected
    assert recognise(path) == "point_images"


def test_other_suffixes_and_frames_find_their_image_again(tmp_path):
    points = Points({"seq.tif#3": (Point(1, 2),), "a": (Point(0, 0),), "b.bmp": ()})
    PointImages().write_masks(clicked(points.by_image), tmp_path)
    names = ["seq.tif", "a.bmp", "b.bmp"]
    assert (
        points_by_frame(PointImages().read(tmp_path), names).points == points_by_frame(points, names).points
    )


def test_touching_bright_pixels_are_points_of_their_own(tmp_path):
    grey = np.zeros(SHAPE, np.uint8)
    grey[3, 4] = grey[4, 5] = 255
    grey[8, 8] = 127  # not above half
    (tmp_path / "a.png").write_bytes(encode_png(grey))
    found = read_points(tmp_path)
    assert dict(found) == {"a.png": (Point(3, 4), Point(4, 5))}
    assert found.source.endswith("(folder of point images)")


def test_pages_are_frames_and_hidden_files_are_none(tmp_path):
    stack = np.zeros((3, 5, 6), np.uint8)
    stack[1, 2, 3] = 255
    tifffile.imwrite(tmp_path / "seq.tif", stack, photometric="minisblack")
    (tmp_path / "._seq.tif").write_bytes(b"left by another system")
    folder(tmp_path / ".thumbs", a=stack[0] > 0)
    assert dict(read_points(tmp_path)) == {"seq.tif#0": (), "seq.tif#1": (Point(2, 3),), "seq.tif#2": ()}


def test_masks_are_not_taken_for_clicks(tmp_path):
    folder(tmp_path, a=disc(9, 9, 0), b=disc(20, 20, 2))
    with pytest.raises(PointsError, match=r"b\.png has 13 bright pixels.*--simulate centroid"):
        PointImages().read(tmp_path)
    assert recognise(tmp_path) == "masks"
    with pytest.raises(PointsError, match="--simulate centroid or --simulate coarse"):
        read_points(tmp_path)


@pytest.mark.parametrize("options", [{}, {"simulate": "centroid"}])
def test_a_damaged_image_rejects_only_itself(tmp_path, options):
    folder(tmp_path, a=disc(9, 9, 0))
    (tmp_path / "b.png").write_bytes(b"")
    found = read_points(tmp_path, **options)
    assert dict(found) == {"a.png": (Point(9, 9),)}
    assert "b.png: the file is empty" in found.rejected["b.png"]


def test_a_damaged_page_rejects_its_frame(tmp_path):
    stack = np.zeros((3, 5, 6), np.float32)
    stack[1] = 7  # no mask has such values
    tifffile.imwrite(tmp_path / "seq.tif", stack, photometric="minisblack")
    found = read_points(tmp_path)
    assert dict(found) == {"seq.tif#0": (), "seq.tif#2": ()}
    assert list(found.rejected) == ["seq.tif#1"]


@pytest.mark.parametrize("options", [{"format": "point_images"}, {"simulate": "coarse"}])
def test_folders_without_images(tmp_path, options):
    with pytest.raises(PointsError, match="no image in this folder"):
        read_points(tmp_path, **options)
    with pytest.raises(PointsError, match="cannot be listed"):
        read_points(tmp_path / "gone", **options)
    with pytest.raises(PointsError, match="not recognised"):
        read_points(tmp_path)


def test_a_point_image_holds_its_points(tmp_path):
    with pytest.raises(PointsError, match=r"\(row 12, col 0\) lies outside the image of 12 x 15"):
        PointImages().write_masks(clicked({"a": (Point(12, 0),)}), tmp_path)


# Masks


@settings(deadline=None)
@given(MASKS)
def test_centroids_equal_the_obvious_computation(mask):
    labels, count = ndimage.label(mask, np.ones((3, 3)))
    expected = []
    for k in range(1, count + 1):
        rows, cols = np.nonzero(labels == k)
        expected.append(Point(int(rows.sum()) // len(rows), int(cols.sum()) // len(cols)))
    assert masks.centroid_points(mask) == tuple(expected)


def test_the_centroid_of_a_ring_lies_off_it():
    ring = disc(20, 20, 8) & ~disc(20, 20, 6)
    assert masks.centroid_points(ring) == (Point(20, 20),)
    assert not ring[20, 20]


@settings(deadline=None)
@given(MASKS, st.integers(0, 2**32))
def test_coarse_points_lie_on_the_mask(mask, seed):
    points = masks.coarse_points(mask, np.random.default_rng(seed))
    assert len(points) == len(masks.centroid_points(mask))
    assert all(mask[point.row, point.col] for point in points)


def test_coarse_points_spread_by_a_quarter_of_half_the_box():
    square = np.zeros((100, 200), bool)
    square[20:61, 40:161] = True  # 41 x 121, centred on (40, 100)
    rng = np.random.default_rng(0)
    points = np.array([(p.row, p.col) for _ in range(4000) for p in masks.coarse_points(square, rng)])
    np.testing.assert_allclose(points.mean(0), (39.5, 99.5), atol=0.7)  # floored, hence the half
    np.testing.assert_allclose(points.std(0), (41 / 8, 121 / 8), rtol=0.05)


def test_coarse_points_of_targets_that_are_hard_to_hit():
    ring = disc(20, 20, 15) & ~disc(20, 20, 14)
    for point in masks.coarse_points(ring, np.random.default_rng(0)):
        assert ring[point.row, point.col]


def test_a_target_out_of_reach_gives_its_nearest_pixel(monkeypatch):
    monkeypatch.setattr(masks, "_MOST_DRAWS", 3)
    ring = disc(20, 20, 15) & ~disc(20, 20, 14)
    (point,) = masks.coarse_points(ring, np.random.default_rng(0))
    assert ring[point.row, point.col]


def test_simulated_points_do_not_depend_on_company_or_order(tmp_path):
    targets = {stem: disc(20, 20, 6) | disc(5, 40, 3) for stem in ("a", "b", "c")}
    together = dict(read_points(folder(tmp_path / "all", **targets), simulate="coarse", seed=3))
    alone = dict(read_points(folder(tmp_path / "one", b=targets["b"]), simulate="coarse", seed=3))
    other = dict(read_points(tmp_path / "one", simulate="coarse", seed=4))
    assert together["b.png"] == alone["b.png"]
    assert together["a.png"] != together["b.png"]
    assert other["b.png"] != alone["b.png"]


def test_the_source_names_the_protocol(tmp_path):
    found = read_points(folder(tmp_path, a=disc(9, 9, 3), b=disc(9, 9, 0) & False), simulate="coarse", seed=5)
    assert found.source.endswith("(folder of masks, simulated coarse, seed 5)")
    assert found.by_image["b.png"] == ()


def test_an_unknown_protocol_is_refused(tmp_path):
    with pytest.raises(PointsError, match="simulate is 'middle'"):
        Masks().simulate(folder(tmp_path, a=disc(9, 9, 3)), "middle")
    with pytest.raises(PointsError, match="a folder of masks, not points; to click on its targets"):
        read_points(folder(tmp_path, a=disc(9, 9, 3)))


@given(images=documents(labelled_images()))
def test_mask_folders_keep_every_pixel(tmp_path_factory, images):
    path = tmp_path_factory.mktemp("masks")
    Masks().write_masks(images, path)
    rejected = {}
    found = list(Masks().read_masks(path, rejected))
    assert not rejected
    assert {image.key.rpartition(".")[0] for image in images} == {
        image.key.rpartition(".")[0] for image in found
    }
    by_stem = {image.key.rpartition(".")[0]: image for image in found}
    for image in images:
        np.testing.assert_array_equal(by_stem[image.key.rpartition(".")[0]].mask, image.mask)


@pytest.mark.data
def test_centroids_of_real_masks_are_the_published_ones():
    """The published points count every non-zero pixel as truth; six masks of IRSTD-1k tell the difference."""
    source = os.environ.get("POINTMASK_SIRST3")
    if not source:
        pytest.skip("set POINTMASK_SIRST3 to the folder of the SIRST3 images")
    published = dict(read_points(Path(source, "points_centroid.csv")))
    ours = dict(read_points(Path(source, "masks"), simulate="centroid"))
    assert ours.keys() == published.keys()
    differing = {key for key in ours if Counter(ours[key]) != Counter(published[key])}
    assert differing == {f"XDU{k}.png" for k in (0, 105, 198, 325, 337, 655)}


@pytest.mark.parametrize(("pictures", "truths"), [("img", "mask"), ("images", "labels"), ("frames", "GT")])
def test_masks_beside_their_pictures_are_told_from_them(tmp_path, pictures, truths):
    for sequence in ("s1", "s2"):
        for folder, pixels in ((pictures, np.arange(180, dtype=np.uint8).reshape(SHAPE)), (truths, None)):
            (tmp_path / sequence / folder).mkdir(parents=True)
            if pixels is None:
                pixels = np.zeros(SHAPE, np.uint8)
                pixels[4:7, 5:8] = 255
            (tmp_path / sequence / folder / "a.png").write_bytes(encode_png(pixels))
    points = read_points(tmp_path, simulate="centroid")
    assert {key: [(p.row, p.col) for p in of_image] for key, of_image in points} == {
        f"s1/{pictures}/a": [(5, 6)],
        f"s2/{pictures}/a": [(5, 6)],
    }
    assert not points.rejected
