"""Each kernel of the proposals against its slow twin, and what it must not depend on."""

import numpy as np
import pytest
from tools.naive import proposals as naive

from pointmask.proposals.kernels.contrast import contrast_of
from pointmask.proposals.kernels.peaks import mark_peaks
from pointmask.proposals.kernels.prominence import prominence, raise_to


def fields():
    rng = np.random.default_rng(4)
    yield rng.normal(size=(9, 12))
    yield rng.integers(0, 3, (11, 7)).astype(float)
    yield np.zeros((5, 5))
    yield rng.normal(size=(1, 6))
    yield np.ones((1, 1))


@pytest.mark.parametrize("reach", [1, 2, 3, 5, 8, 12])
def test_prominence(reach):
    for field in fields():
        out = np.empty_like(field)
        prominence(np.pad(field, reach, mode="edge"), reach, out)
        np.testing.assert_array_equal(out, naive.prominence(field, reach))


def test_edges_and_lines_do_not_stand_out_and_spots_do():
    rows, cols = np.mgrid[:40, :40]
    out = np.empty((40, 40))
    for field in (rows > 20, cols > 20, rows == 20, cols == 20, rows == cols, rows + cols > 40):
        prominence(np.pad(field.astype(float), 5, mode="edge"), 5, out)
        assert out.max() <= 0
    spot = (abs(rows - 20) < 2) & (abs(cols - 20) < 2)
    prominence(np.pad(spot.astype(float), 5, mode="edge"), 5, out)
    np.testing.assert_array_equal(out == 1, spot)


@pytest.mark.parametrize("radius", [1, 2])
def test_peaks(radius):
    for field in fields():
        marked = np.empty(field.shape, bool)
        mark_peaks(field, radius, marked)
        np.testing.assert_array_equal(marked, naive.peaks(field, radius))


def test_raise_to():
    best, values = np.array([[1.0, 5.0]]), np.array([[4.0, 4.0]])
    raise_to(values, 2.0, best)
    assert best.tolist() == [[2.0, 5.0]]


@pytest.mark.parametrize("share", [0.1, 0.6, 1.0])
def test_contrast_of_a_mask(share):
    rng = np.random.default_rng(1)
    part = rng.normal(size=(8, 11))
    mask = rng.random(part.shape) < share
    mask[0, 0] = True
    np.testing.assert_allclose(
        contrast_of(part, mask, np.empty(part.size)), naive.contrast_of(part, mask), rtol=1e-12
    )
