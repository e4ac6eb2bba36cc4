"""Easy images by edges: cases worked out by hand, rare depths, and the published counts on SIRST3."""

import os
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage as ndi

pytest.importorskip("torch")

from pointmask.io.formats import read_points
from pointmask.io.images.array import open_image, read, read_mask
from pointmask_trainer.strategies.evolving.canny import blurred, edges
from pointmask_trainer.strategies.evolving.options import PALOptions
from pointmask_trainer.strategies.evolving.prestart import from_edges, polygon_area, to_eight_bits

OPTIONS = PALOptions()
ROWS, COLS = np.mgrid[:41, :41] - 20
CENTRE = np.array([[20, 20]])


def gaussian(height, sigma):
    return np.rint(50 + height * np.exp(-(ROWS**2 + COLS**2) / (2 * sigma**2))).astype(np.uint8)


def square(side):
    image = np.full((41, 41), 50, np.uint8)
    half = side // 2
    image[20 - half : 21 + half, 20 - half : 21 + half] = 200
    return image


@pytest.mark.parametrize(
    ("image", "pixels"),
    [
        (gaussian(150, 1), 9),
        (gaussian(150, 1.5), 9),
        (gaussian(40, 1), 9),
        (gaussian(150, 2.5), None),
        (gaussian(150, 4), None),
        (gaussian(15, 1), None),
        (gaussian(-45, 1.5), None),
        (square(3), 21),
        (square(5), 45),
        (square(9), None),
    ],
    ids=["s1", "s1.5", "faint", "s2.5", "s4", "too faint", "dark", "3", "5", "9"],
)
def test_targets_by_hand(image, pixels):
    found = from_edges(image, CENTRE, OPTIONS)
    assert found.succeeded == (pixels is not None,)
    assert found.is_easy == (pixels is not None)
    assert int(found.mask.sum()) == (pixels or 1)
    assert found.mask[20, 20]


def test_dark_targets_are_found_if_both_are_sought():
    assert not from_edges(gaussian(-45, 1), CENTRE, OPTIONS).is_easy
    assert from_edges(gaussian(-45, 1), CENTRE, PALOptions(polarity="both")).is_easy


def test_an_image_without_points_is_easy_and_empty():
    found = from_edges(gaussian(150, 1), np.empty((0, 2), np.int64), OPTIONS)
    assert found.is_easy
    assert not found.mask.any()


def test_four_of_five_points_are_enough():
    image = np.full((41, 150), 50, np.uint8)
    points = np.array([(20, 15 + 30 * k) for k in range(5)])
    for _, col in points[:4]:
        image[:, col - 15 : col + 15] = gaussian(150, 1)[:, 5:35]
    assert from_edges(image, points, OPTIONS).is_easy
    assert not from_edges(image, points, PALOptions(pass_ratio=0.81)).is_easy


@pytest.mark.parametrize("place", [(0, 0), (40, 40), (0, 33)])
def test_points_at_the_border_are_no_error(place):
    assert from_edges(gaussian(150, 1), np.array([place]), OPTIONS).mask[place]


def test_the_area_of_a_line_is_none_and_of_a_square_that_between_its_pixels():
    line, block = np.zeros((9, 9), bool), np.zeros((9, 9), bool)
    line[4, 1:8] = True
    block[2:6, 3:7] = True
    assert polygon_area(line) == 0
    assert polygon_area(block) == 9
    assert polygon_area(line | block) == 9 + 4 / 2  # a line out of a square adds only where it meets it
    diamond = ndi.generate_binary_structure(2, 1)
    assert polygon_area(np.pad(diamond, 2)) == 2


def test_blur_and_edges_turn_with_the_image():
    image = np.random.default_rng(0).integers(0, 256, (17, 20)).astype(np.uint8)
    np.testing.assert_array_equal(blurred(image.T.copy()), blurred(image).T)
    np.testing.assert_array_equal(blurred(image[::-1].copy()), blurred(image)[::-1])
    found = edges(gaussian(150, 2).astype(np.int64), 20, 40)
    assert found.any()
    np.testing.assert_array_equal(found.T, edges(gaussian(150, 2).T.astype(np.int64), 20, 40))


def test_edges_need_a_strong_pixel():
    weak = np.zeros((20, 20), np.int64)
    weak[:, 10:] = 8  # |gx| = 32
    assert not edges(weak, 20, 40).any()
    assert edges(weak, 20, 31).any(axis=1).all()
    strong = weak.copy()
    strong[15:, 10:] = 60
    assert edges(strong, 20, 40)[:14].any(axis=1).sum() >= 12


def test_other_depths_are_stretched_and_luminance_is_cut():
    wide = (gaussian(150, 1).astype(np.uint16) * 60) + 3000
    grey = to_eight_bits(wide, has_eight=False)
    assert grey.dtype == np.uint8
    assert (grey.min(), grey.max()) == (0, 255)
    assert from_edges(grey, CENTRE, OPTIONS).is_easy
    luminance = np.array([[99.9995, 100.0, 100.7]], np.float32)
    assert to_eight_bits(luminance, has_eight=True).tolist() == [[100, 100, 100]]
    assert to_eight_bits(np.full((3, 3), 7.0), has_eight=False).tolist() == [[0] * 3] * 3


COUNTS = {
    ("centroid", "train"): (917, 1652, 1515, 2422, 0.635),
    ("centroid", "val"): (200, 550, 331, 719, 0.593),
    ("coarse", "train"): (866, 1652, 1453, 2422, 0.624),
    ("coarse", "val"): (190, 550, 312, 719, 0.561),
}


@pytest.mark.slow
@pytest.mark.skipif("POINTMASK_SIRST3" not in os.environ, reason="names a folder with SIRST3")
@pytest.mark.parametrize(("kind", "name"), COUNTS)
def test_the_published_counts_on_sirst3(kind, name):
    root = Path(os.environ["POINTMASK_SIRST3"])
    points = {key.partition(".")[0]: value for key, value in read_points(root / f"points_{kind}.csv")}
    ids = (root / "splits" / f"{name}.txt").read_text().split()
    easy = succeeded = total = both = either = 0
    for key in (name.partition(".")[0] for name in ids):
        file = root / "images" / f"{key}.png"
        with open_image(file) as opened:
            has_eight = opened.colour_mode in ("L", "P", "RGB", "RGBA")
        image = to_eight_bits(read(file), has_eight=has_eight)
        clicks = np.array([(p.row, p.col) for p in points.get(key, ())], np.int64).reshape(-1, 2)
        found = from_edges(image, clicks, OPTIONS)
        succeeded, total = succeeded + sum(found.succeeded), total + len(clicks)
        if found.is_easy:
            easy += 1
            truth = read_mask(root / "masks" / f"{key}.png", shape=image.shape)
            both += int((truth & found.mask).sum())
            either += int((truth | found.mask).sum())
    assert (easy, len(ids), succeeded, total, round(both / either, 3)) == COUNTS[kind, name]
