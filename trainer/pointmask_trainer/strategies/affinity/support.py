"""How far a point's surroundings reach: the scale of its target, and where points lie in crops."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage as ndi
from torch import Tensor

from pointmask.theta import Polarity
from pointmask_trainer.data.pool import AffineViews, moved

SCALES = (1.0, 1.4, 2.0, 2.8, 4.0)
"""Standard deviations in px, of which the one with the strongest response is a target's scale."""

LEAST, MOST = 3.0, 16.0
"""Bounds of an adaptive radius in px of the image."""

_REACH = 18  # four standard deviations of the largest scale, and the neighbours of the click


def adaptive_radii(
    image: NDArray[np.generic], points: NDArray[np.int64], polarity: Polarity
) -> NDArray[np.float64]:
    """Return three times the scale of the target at each point, within bounds.

    Parameters
    ----------
    image : (H, W) array
    points : (K, 2) int array
        Row and column.
    polarity : {"bright", "dark", "auto"}

    Returns
    -------
    (K,) float64 array
        In px of the image. The scale is that of the largest ``-sigma^2 LoG`` in 3 x 3 px round the point.
    """
    radii = np.empty(len(points))
    for number, (row, col) in enumerate(points):
        top, left = max(row - _REACH, 0), max(col - _REACH, 0)
        window = image[top : row + _REACH + 1, left : col + _REACH + 1].astype(np.float64)
        near = np.s_[max(row - top - 1, 0) : row - top + 2, max(col - left - 1, 0) : col - left + 2]
        responses = [
            _signed(-(sigma**2) * ndi.gaussian_laplace(window, sigma), polarity)[near].max()
            for sigma in SCALES
        ]
        radii[number] = 3 * SCALES[int(np.argmax(responses))]
    return np.clip(radii, LEAST, MOST)


def _signed(values: NDArray[np.float64], polarity: Polarity) -> NDArray[np.float64]:
    return np.abs(values) if polarity == "auto" else values if polarity == "bright" else -values


@dataclass(frozen=True, slots=True, eq=False)
class CropPoints:
    """Points that lie in the crops of a batch.

    Attributes
    ----------
    crop : (N,) int64 Tensor
        Index of the crop that each lies in, ascending.
    rows, cols : (N,) int64 Tensors
        Its pixel.
    radius : (N,) float32 Tensor
        Of its support, in px of the crop.
    """

    crop: Tensor
    rows: Tensor
    cols: Tensor
    radius: Tensor

    def __len__(self) -> int:
        return len(self.crop)

    def crops(self) -> tuple[Tensor, Tensor]:
        """Return the crops that hold a point, and where among them that of each point is.

        Returns
        -------
        (M,) int64 Tensor
            Indices, ascending; of the first crop if none holds a point.
        (N,) int64 Tensor
        """
        if not len(self):
            return self.crop.new_zeros(1), self.crop
        crops, numbers = torch.unique(self.crop, return_inverse=True)
        return crops, numbers


def points_in_crops(
    views: AffineViews,
    points: Sequence[NDArray[np.int64]],
    radii: Sequence[NDArray[np.float64]],
    shapes: Sequence[tuple[int, int]],
    device: torch.device,
    *,
    scales_with_crop: bool,
) -> CropPoints:
    """Map points and their reflections into crops, round them, and leave out those that lie outside.

    Parameters
    ----------
    views : AffineViews
        Of B crops.
    points : sequence of B (K, 2) int arrays
        Row and column in each crop's image.
    radii : sequence of B (K,) arrays
        In px of the image if `scales_with_crop`, else of the crop.
    shapes : sequence of B (H, W)
        Of the crops' images.
    device : torch.device
    scales_with_crop : bool
    """
    height, width = views.size
    found = []
    for crop, (own, own_radii, shape) in enumerate(zip(points, radii, shapes, strict=True)):
        if not len(own):
            continue
        linear = views.matrices[crop][:, :2]
        zoom = float(torch.linalg.det(linear).abs()) ** -0.5 if scales_with_crop else 1.0
        at, numbers = views.points(crop, torch.from_numpy(own), shape)
        places = at.round().numpy()
        inside = ((places >= 0) & (places < (height, width))).all(axis=1)
        radius = own_radii[numbers.numpy()] * zoom
        found.append(np.column_stack([np.full(len(places), crop), places, radius])[inside])
    table = torch.from_numpy(np.concatenate(found) if found else np.empty((0, 4)))
    crops, rows, cols, radius = moved(table, device).unbind(1)
    return CropPoints(crops.long(), rows.long(), cols.long(), radius.float())
