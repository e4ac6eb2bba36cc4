"""Size and shape of labelled targets, down to very few pixels."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi
from scipy.spatial import ConvexHull
from skimage.measure import perimeter_crofton

from pointmask.components import components

MEASURES = ("diameter", "circularity", "eccentricity", "solidity")


@dataclass(frozen=True, slots=True)
class TargetShape:
    """One target, or the mean of an image's targets.

    Attributes
    ----------
    diameter : float
        Of the disc of the same area, ``sqrt(4 A / pi)``, in px.
    circularity : float
        ``4 pi A / P^2`` with Crofton's perimeter P along four directions: near 1 for a disc of any size,
        less for a ragged or long shape. A perimeter counted along pixel edges would call every small
        square a poor disc; one through the centres of the border's pixels vanishes for a single pixel. Of
        a target of fewer than about ten pixels Crofton's is too short as well: values above 1 are cut to 1.
    eccentricity : float
        Of the ellipse with the target's second moments, each pixel taken as a square: 0 for a disc, towards
        1 for a line.
    solidity : float
        Area over that of the convex hull of the pixels' squares: 1 if there is no notch.
    """

    diameter: float
    circularity: float
    eccentricity: float
    solidity: float


def shapes_of(mask: NDArray[np.bool_]) -> list[TargetShape]:
    """Measure the 8-connected components of an (H, W) mask, in raster order."""
    labels, _ = components(mask)
    return [
        _shape(labels[box] == number) for number, box in enumerate(ndi.find_objects(labels), start=1) if box
    ]


def mean_shapes(masks: Iterable[NDArray[np.bool_]]) -> NDArray[np.float64]:
    """Measure the labels of N images: the mean over each one's targets.

    Returns
    -------
    (N, 4) array
        Columns as in `MEASURES`; NaN for an image without a target.
    """
    rows = []
    for mask in masks:
        found = [[getattr(shape, name) for name in MEASURES] for shape in shapes_of(mask)]
        rows.append(np.mean(found, axis=0) if found else np.full(len(MEASURES), np.nan))
    return np.array(rows).reshape(-1, len(MEASURES))


def _shape(target: NDArray[np.bool_]) -> TargetShape:
    area = int(np.count_nonzero(target))
    perimeter = float(perimeter_crofton(np.pad(target, 1), directions=4))  # type: ignore[no-untyped-call]
    return TargetShape(
        diameter=float(np.sqrt(4 * area / np.pi)),
        circularity=min(1.0, 4 * np.pi * area / perimeter**2),
        eccentricity=_eccentricity(target),
        solidity=area / _hull_area(target),
    )


def _eccentricity(target: NDArray[np.bool_]) -> float:
    places = np.argwhere(target).astype(np.float64)
    centred = places - places.mean(axis=0)
    # A square of side 1 has the second moment 1/12 along either axis.
    moments = centred.T @ centred / len(places) + np.eye(2) / 12
    low, high = np.linalg.eigvalsh(moments)
    return float(np.sqrt(max(0.0, 1 - low / high)))


def _hull_area(target: NDArray[np.bool_]) -> float:
    places = np.argwhere(target & ~ndi.binary_erosion(target))
    corners = (places[:, None] + np.array([(0, 0), (0, 1), (1, 0), (1, 1)])).reshape(-1, 2)
    return float(ConvexHull(corners).volume)  # of two dimensions: the area
