"""Superpixels: equal to scikit-image's on a grid, symmetric round the point."""

import numpy as np
import pytest
from skimage.segmentation import slic as skimage_slic
from tools.naive import kernels as naive

from pointmask.annotator.superpixel import point_superpixel
from pointmask.kernels.slic import slic
from pointmask.synth.scenes import make_scene


def regular_grid(side, segments):
    """First centres as scikit-image places them on a square window."""
    step = round(float(np.sqrt(side * side / segments)))
    start = int(np.sqrt(side * side / segments)) // 2
    return step, np.array([(y, x, 0.0) for y in range(start, side, step) for x in range(start, side, step)])


@pytest.mark.parametrize("side", [20, 21, 28])
@pytest.mark.parametrize("segments", [9, 16])
@pytest.mark.parametrize("compactness", [0.1, 0.32, 2.0])
def test_labels_agree_with_scikit_image(side, segments, compactness):
    scene = make_scene("clouds", shape=(64, 64), seed=side, targets=1)
    row, col = (min(max(v, side), 64 - side) - side // 2 for v in scene.points[0])
    window = scene.image[row : row + side, col : col + side].astype(float)
    window = (window - window.min()) / np.ptp(window)
    theirs = skimage_slic(
        window, segments, compactness, channel_axis=None, enforce_connectivity=False, start_label=0
    )
    step, centres = regular_grid(side, segments)
    ours = np.empty(window.shape, np.int32)
    slic(window, centres, step, compactness, 10, True, np.empty(window.shape), ours)
    # scikit-image sums in another order, so a pixel on an exact tie may differ now and then.
    assert (ours == theirs).mean() > 0.99


@pytest.mark.parametrize("kind", ["grid", "centred"])
def test_the_superpixel_is_the_piece_at_the_point(kind):
    rng = np.random.default_rng(0)
    window = rng.random((29, 29))
    found = point_superpixel(window, kind=kind, step=7, compactness=0.3, iterations=3)
    assert found[14, 14]
    assert len(naive.label(found, False)) == 1


def test_a_bright_square_is_its_own_superpixel():
    window = np.zeros((31, 31))
    window[13:18, 12:19] = 1.0
    for kind in ("grid", "centred"):
        found = point_superpixel(window, kind=kind, step=8, compactness=0.2, iterations=10)
        np.testing.assert_array_equal(found, window > 0)


@pytest.mark.parametrize("turn", [np.flipud, np.fliplr, np.transpose])
def test_centred_superpixels_commute_with_flips(turn):
    # Few grey levels make many ties, the case that would break the symmetry.
    window = np.random.default_rng(1).integers(0, 4, (41, 41)) / 4.0
    options = {"kind": "centred", "step": 8, "compactness": 0.5, "iterations": 4}
    np.testing.assert_array_equal(
        turn(point_superpixel(window, **options)),
        point_superpixel(np.ascontiguousarray(turn(window)), **options),
    )


def test_small_windows():
    for side in (3, 5, 7):
        found = point_superpixel(np.eye(side), kind="centred", step=8, compactness=0.5, iterations=3)
        assert found.shape == (side, side)
