"""Annotation of one image: points in, soft labels, masks and confidence out."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pointmask.annotator.crowd import divide_shared
from pointmask.annotator.operator import assemble
from pointmask.annotator.point import solve_live
from pointmask.annotator.rivals import rivals
from pointmask.annotator.target import Annotation
from pointmask.errors import ImageError, PointsError
from pointmask.mending import mend
from pointmask.theta import Polarity, Theta


def annotate(
    image: ArrayLike,
    points: Sequence[tuple[int, int]],
    *,
    theta: Theta | str | Path = "default",
    style: str | float | None = None,
    polarity: Polarity = "bright",
) -> Annotation:
    """Compute a mask for each point of one (H, W) band; see `pointmask.annotate`."""
    image = checked_image(image)
    operator = assemble(Theta.load(theta).drawn(style))
    if polarity not in ("bright", "dark", "auto"):
        raise ValueError(f"polarity {polarity!r} is unknown; use 'bright', 'dark' or 'auto'")
    clicks = [checked_point(point, image.shape) for point in points]
    if not clicks:
        return Annotation(image.shape, ())
    mending = mend(image, polarity)
    image, replaced = mending.around(clicks)
    targets = [
        solve_live(image, mending.live, click, operator, polarity, others).target
        for click, others in zip(clicks, rivals(clicks, operator.theta), strict=True)
    ]
    return Annotation(image.shape, tuple(divide_shared(targets)), replaced, mending.live)


def checked_image(image: ArrayLike) -> NDArray[np.generic]:
    """Return an image as one band of real numbers, masked pixels as NaN; raise ImageError otherwise."""
    if isinstance(image, np.ma.MaskedArray):
        image = np.ma.filled(image.astype(np.float64), np.nan)
    array = np.asarray(image)
    if array.ndim != 2:
        raise ImageError(
            f"the image has shape {array.shape}; one band (H, W) is needed, so pick or average the bands"
        )
    if array.size == 0:
        raise ImageError(f"the image has shape {array.shape} and no pixels; check how it was cropped")
    if array.dtype.kind not in "buif":
        raise ImageError(f"the image has dtype {array.dtype}; real numbers are needed, so convert it first")
    return array


def checked_point(point: tuple[int, int], shape: tuple[int, ...]) -> tuple[int, int]:
    """Return a point as two integers within an image; raise PointsError otherwise."""
    try:
        row, col = point
        whole = int(row), int(col)
    except (TypeError, ValueError, OverflowError):
        whole = None
    if whole is None or any(isinstance(value, (bool, np.bool_, str)) for value in point):
        raise PointsError(f"point {point!r} is not a (row, col) pair of whole numbers")
    if whole != (row, col):
        raise PointsError(f"point {point!r} is not on the pixel grid; round row and col to whole numbers")
    if not (0 <= whole[0] < shape[0] and 0 <= whole[1] < shape[1]):
        raise PointsError(
            f"point (row {whole[0]}, col {whole[1]}) lies outside the image of {shape[0]} rows and "
            f"{shape[1]} columns; points are 0-based (row, col) pixels"
        )
    return whole
