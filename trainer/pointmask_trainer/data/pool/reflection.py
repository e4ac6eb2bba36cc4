"""Reflection of places and points about the border pixels of an image."""

import math

import torch
from torch import Tensor


def reflections(points: Tensor, shape: tuple[int, int], low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
    """Reflect points about the centres of an image's border pixels, as often as a rectangle reaches.

    Parameters
    ----------
    points : (K, 2) float64 Tensor
    shape : (H, W)
        Of the image.
    low, high : (2,) Tensors
        Corners of the rectangle, in px of the image.

    Returns
    -------
    (N, 2) float64 Tensor
        The points themselves, be they in the rectangle or not, then their reflections in it.
    (N,) int64 Tensor
        Which point each is.
    """
    own = torch.arange(len(points), device=points.device)
    last = points.new_tensor(shape) - 1
    if not len(points) or bool(((low >= 0) & (high <= last)).all()):
        return points, own
    copies, chosen = [], []
    for axis in range(2):
        period = 2 * float(last[axis].clamp(min=1))
        turns = torch.arange(
            math.floor(float(low[axis]) / period) - 1, math.ceil(float(high[axis]) / period) + 2
        )
        turns = turns.to(points)
        at = points[:, axis, None]
        copy = torch.cat([at + period * turns, period * turns - at], dim=1)
        kept = (copy >= low[axis]) & (copy <= high[axis])
        # On the axis itself, a point and its reflection would be two of one target.
        twice = (2 * at).remainder(period)
        kept[:, len(turns) :] &= (twice >= 1) & (twice <= period - 1)
        copies.append(copy)
        chosen.append(kept)
    rows, cols = copies
    both = chosen[0][:, :, None] & chosen[1][:, None, :]
    both &= (rows != points[:, :1])[:, :, None] | (cols != points[:, 1:])[:, None, :]
    number, row, col = both.nonzero(as_tuple=True)
    return (
        torch.cat([points, torch.stack([rows[number, row], cols[number, col]], dim=1)]),
        torch.cat([own, number]),
    )


def reflected(places: Tensor, length: Tensor) -> Tensor:
    """Reflect places about the centres of the first and last pixel until they lie between them."""
    period = 2 * (length - 1).clamp(min=1)
    places = places.remainder(period)
    return torch.minimum(torch.minimum(places, period - places), length - 1)
