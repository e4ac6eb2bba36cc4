"""Peaks of heat maps: where they are, which are kept, and what their probability is."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from pointmask_trainer.detectors.locators.base import Decoding
from pointmask_trainer.errors import DetectorError
from pointmask_trainer.inference.tasks.decode import find_peaks, probability


def bumps(points, shape=(20, 24), sigma=2.0):
    rows, cols = np.indices(shape)
    heats = [
        height * np.exp(-((rows - y) ** 2 + (cols - x) ** 2) / (2 * sigma**2)) for y, x, height in points
    ]
    return np.maximum.reduce([np.zeros(shape), *heats]).astype(np.float32)


def peaks(heat, offset=None, **options):
    decoding = Decoding(**options)
    return find_peaks(heat, probability(heat, decoding.threshold), offset, decoding)


@pytest.mark.parametrize(
    "place", [(8.0, 9.0), (8.3, 9.4), (7.5, 12.5), (0.0, 0.0), (19.0, 23.0), (0.2, 11.3)]
)
@pytest.mark.parametrize(("refine", "within"), [("parabola", 0.3 / 4), ("quarter", 1 / 4)])
def test_a_point_comes_back(place, refine, within):
    found = peaks(bumps([(*place, 1.0)]), refine=refine)
    at_border = min(place[0] % 19, place[1] % 23) < 0.5
    assert len(found) == 1
    assert np.abs(found[0, :2] - place).max() <= (0.5 if at_border else within)


def test_the_parabola_is_exact_on_a_parabola_and_flat_ground_has_no_shift():
    line = 1 - 0.05 * (np.arange(7) - 3.3) ** 2
    heat = np.zeros((7, 7), np.float32) + line.astype(np.float32)[None]
    heat[[0, 1, 2, 4, 5, 6]] *= 0.5
    assert peaks(heat)[0, 1] == pytest.approx(3.3, abs=1e-5)
    assert peaks(heat)[0, 0] == 3


def test_offsets_of_the_network_are_taken():
    heat = bumps([(5, 5, 1.0)])
    offset = np.zeros((2, *heat.shape), np.float32)
    offset[:, 5, 5] = 0.3, -0.4
    assert peaks(heat, offset)[0, :2] == pytest.approx((5.3, 4.6))


def test_close_maxima_are_one_and_plateaus_begin_in_raster_order():
    assert len(peaks(bumps([(5, 5, 1.0), (5, 6, 0.9)]))) == 1
    assert len(peaks(bumps([(5, 5, 1.0), (5, 15, 0.9)]))) == 2
    flat = np.zeros((9, 9), np.float32)
    flat[4, 4:6] = 1
    assert peaks(flat, refine="quarter")[:, :2].tolist() == [[4, 4.25]]
    assert len(peaks(np.zeros((9, 9), np.float32))) == 0


def test_gap_and_limit_are_as_published():
    heat = bumps([(5, 5, 1.0), (5, 18, 0.7), (15, 5, 0.6), (15, 18, 0.4)])
    assert len(peaks(heat)) == 4
    assert len(peaks(heat, gap=0.35)) == 2  # 0.65 of the highest at least
    assert len(peaks(heat, limit=3)) == 3
    scores = peaks(heat)[:, 2]
    assert (np.diff(scores) <= 0).all()


def test_a_peak_at_the_threshold_is_as_likely_as_not():
    heat = np.array([-1, 0, 0.1, 0.35, 0.6, 1, 3], np.float32)
    chances = probability(heat, 0.35)
    assert chances[3] == pytest.approx(0.5)
    assert (np.diff(chances) >= 0).all()
    assert chances[0] < 1e-5
    assert chances[-1] > 1 - 1e-5
    assert probability(heat, np.full(7, 0.6, np.float32))[4] == pytest.approx(0.5)


@pytest.mark.parametrize("wrong", [{"threshold": 0}, {"gap": 2}, {"limit": -1}, {"refine": "half"}])
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(DetectorError, match=next(iter(wrong))):
        Decoding(**wrong)
