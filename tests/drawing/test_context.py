"""The small picture of a whole frame keeps the targets."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from pointmask.drawing.context import FRAME_SIDE, frame_jpeg, pool, pooling


@pytest.mark.parametrize("shape", [(1, 1), (132, 132), (133, 20), (256, 256), (512, 640)])
def test_pooling_fits_and_is_no_stronger_than_needed(shape):
    side = pooling(shape)
    assert max(shape) <= side * FRAME_SIDE
    assert side == 1 or max(shape) > (side - 1) * FRAME_SIDE


@pytest.mark.parametrize(("polarity", "value"), [("bright", 9), ("dark", -9), ("auto", 9), ("auto", -9)])
def test_one_pixel_survives(polarity, value):
    frame = np.zeros((10, 13))
    frame[6, 12] = value
    small = pool(frame, 4, polarity)
    assert small.shape == (3, 4)
    assert small[1, 3] == value
    assert np.count_nonzero(small) == 1


def test_squares_at_the_border_hold_nothing_new():
    frame = np.random.default_rng(0).integers(0, 1000, (7, 9)).astype(np.uint16)
    expected = [[frame[r : r + 4, c : c + 4].max() for c in (0, 4, 8)] for r in (0, 4)]
    assert pool(frame, 4, "bright").tolist() == expected
    assert pool(frame, 4, "bright").dtype == np.uint16


def test_missing_pixels_are_passed_over():
    frame = np.ones((4, 4))
    frame[0, 0] = np.nan
    frame[2:, 2:] = np.nan
    small = pool(frame, 2, "bright")
    assert small[0, 0] == 1
    assert np.isnan(small[1, 1])


def test_the_picture_is_small_and_shows_the_target():
    frame = np.random.default_rng(0).normal(1000, 5, (512, 640)).astype(np.uint16)
    frame[101, 203] = 1200
    data = frame_jpeg(frame, "bright")
    assert len(data) < 8000
    picture = np.asarray(Image.open(BytesIO(data)))
    assert picture.shape == (103, 128)
    assert picture[20, 40] > np.percentile(picture, 99)
