"""Haar sub-bands against their naive twin."""

import pytest

torch = pytest.importorskip("torch")

from tools.naive import layers as naive_layers

from pointmask_trainer.detectors.blocks.haar import Bands, decimated, stationary


def test_bands_are_those_the_literature_weighs_in_order():
    # The networks' weights expect LL, LH, HL, HH.
    assert Bands._fields == tuple(naive_layers.HAAR)


@pytest.mark.parametrize("band", Bands._fields)
@pytest.mark.parametrize("size", [(2, 2), (6, 8)], ids=str)
def test_decimated(band: str, size: tuple[int, int]):
    x = torch.randn(2, 3, *size, dtype=torch.float64)
    got = getattr(decimated(x), band)
    assert got.shape == (2, 3, size[0] // 2, size[1] // 2)
    for n, c, i, j in torch.cartesian_prod(*map(torch.arange, got.shape)).tolist():
        expected = naive_layers.haar(x[n, c].numpy(), band, 2 * i, 2 * j)
        assert float(got[n, c, i, j]) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("band", Bands._fields)
@pytest.mark.parametrize("size", [(1, 1), (4, 5)], ids=str)
def test_stationary(band: str, size: tuple[int, int]):
    x = torch.randn(2, 3, *size, dtype=torch.float64)
    got = getattr(stationary(x), band)
    assert got.shape == x.shape
    for n, c, i, j in torch.cartesian_prod(*map(torch.arange, got.shape)).tolist():
        expected = naive_layers.haar(x[n, c].numpy(), band, i - 1, j - 1)
        assert float(got[n, c, i, j]) == pytest.approx(expected, abs=1e-12)
