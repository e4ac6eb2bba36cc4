"""Haar wavelet transforms of two-dimensional maps: fixed 2×2 filters, as sums and differences."""

from typing import NamedTuple

from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - as everybody writes it


class Bands(NamedTuple):
    """The four sub-bands of a map, each with the map's channels.

    ``smooth`` is half the sum of 2×2 pixels; ``down``, ``right`` and ``diagonal`` are half the difference of
    upper and lower pair, of left and right pair, and of the two diagonals.
    """

    smooth: Tensor
    down: Tensor
    right: Tensor
    diagonal: Tensor


def decimated(x: Tensor) -> Bands:
    """Transform non-overlapping 2×2 pixels: (N, C, H, W) → four of (N, C, H/2, W/2); H and W even."""
    return _bands(x, 2)


def stationary(x: Tensor) -> Bands:
    """Transform each pixel with its upper and left neighbours, zero-padded: four bands of the shape of x."""
    return _bands(F.pad(x, (1, 0, 1, 0)), 1)


def _bands(x: Tensor, step: int) -> Bands:
    upper, lower = x[..., :-1:step, :], x[..., 1::step, :]
    plus, minus = (upper + lower) / 2, (upper - lower) / 2
    plus_left, plus_right = plus[..., :-1:step], plus[..., 1::step]
    minus_left, minus_right = minus[..., :-1:step], minus[..., 1::step]
    return Bands(
        plus_left + plus_right, minus_left + minus_right, plus_left - plus_right, minus_left - minus_right
    )
