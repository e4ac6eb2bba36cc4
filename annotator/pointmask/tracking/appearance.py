"""Appearance of a target as a filter: a Gaussian blob, or the target's own shape once it is known."""

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from pointmask.annotator.image import annotate
from pointmask.kernels.rank import median
from pointmask.tracking.kernels.seek import correlate, outside, peaks

Floats = NDArray[np.float64]

WIDTHS = (0.8, 1.15, 1.65)
"""Standard deviations in pixels of the blobs tried before a target's shape is known."""

PICTURE = 16
"""Half side in pixels of the mean picture of a target from which its shape is cut."""

_PEAKS = 10  # returned at most around a place
_HALF = 9  # pixels around a place that are searched for peaks
_LEAST_PEAK = 0.8  # in units of the noise
_LEAST_AREA = 10  # pixels; smaller targets are not resolved by the optics and stay blobs
_MOST_REACH = 11  # pixels from a shape's middle to its rim; larger shapes are cropped
_RING = 3  # pixels: width of the surroundings in the filter


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """A filter for one target.

    Attributes
    ----------
    kernel : (n, n) float64
        Sums to 0; its correlation with ``body`` is 1 at zero offset.
    body : (n, n) float64
        Intensity of the target above its surroundings.
    middle : (float, float)
        Centroid of ``body`` relative to the middle of the array, in pixels.
    radius : float
        Radius in pixels of a disc with the target's area.
    """

    kernel: Floats
    body: Floats
    middle: tuple[float, float]
    radius: float

    def subtract_from(self, window: Floats, row: float, col: float, height: float) -> None:
        """Subtract the target, with its centroid at a given place, from a window in place."""
        reach = len(self.body) // 2
        at = row - self.middle[0] - reach, col - self.middle[1] - reach
        corner = [math.floor(x) for x in at]
        parts = [x - floor for x, floor in zip(at, corner, strict=True)]
        light = np.pad(height * self.body, ((1, 1), (1, 1)))
        for axis, part in enumerate(parts):
            light = (1 - part) * light + part * np.roll(light, 1, axis)
        corner = [x - 1 for x in corner]
        first = [max(-c, 0) for c in corner]
        last = [min(length - c, len(light)) for c, length in zip(corner, window.shape, strict=True)]
        if first[0] < last[0] and first[1] < last[1]:
            rows, cols = (slice(c + f, c + e) for c, f, e in zip(corner, first, last, strict=True))
            window[rows, cols] -= light[first[0] : last[0], first[1] : last[1]]


@dataclass(frozen=True, slots=True, eq=False)
class Response:
    """Peaks of a filter response around a place.

    Attributes
    ----------
    places : (p, 2) float64
        Centroid of the target at each peak, in image coordinates.
    heights : (p,) float64
    before : (p,) float64
        Response at the same place of the scene while the target was elsewhere; 0 if unknown.
    noise : float
        Standard deviation of the response away from the place.
    density : float
        Peaks per pixel, without the highest.
    """

    places: Floats
    heights: Floats
    before: Floats
    noise: float
    density: float


def filter_response(
    image: NDArray[Any],
    row: float,
    col: float,
    sign: int,
    shape: Shape,
    others: tuple[tuple[Shape, float, float, float], ...] = (),
) -> Response:
    """
    Filter the surroundings of a place and find the peaks near it.

    Parameters
    ----------
    image : (H, W) real
    row, col : float
        The place, which may lie outside the image.
    sign : int
        1 for targets brighter than their surroundings, -1 for darker ones.
    shape : Shape
        Filter of the target.
    others : tuple of (Shape, row, col, height)
        Targets that are subtracted first; ``height`` is negative for a dark one.
    """
    reach = len(shape.kernel) // 2
    half = _HALF + math.ceil(shape.radius)
    middle = round(row), round(col)
    window = crop(image, middle, half + reach)
    for other, its_row, its_col, height in others:
        other.subtract_from(
            window, its_row - middle[0] + half + reach, its_col - middle[1] + half + reach, height
        )
    side = 2 * half + 1
    out, rest = np.empty((side, side)), np.empty(side * side)
    correlate(window, sign * shape.kernel, out)
    count = outside(out, row - middle[0] + half, col - middle[1] + half, 1.5 * shape.radius + 3, rest)
    noise = 1.4826 * float(median(rest[:count]))
    noise = max(noise, 1e-6 * float(np.abs(out).max()), 1e-12)
    places, heights = np.empty((_PEAKS, 2)), np.empty(_PEAKS)
    returned, total = peaks(out, _LEAST_PEAK * noise, places, heights)
    corner = np.array(middle) - half + shape.middle
    return Response(
        places[:returned] + corner,
        heights[:returned],
        np.zeros(returned),
        noise,
        max(total - 1, 1) / out.size,
    )


def add_earlier_response(
    response: Response, image: NDArray[Any], moved: tuple[float, float], sign: int, shape: Shape
) -> Response:
    """
    Add the response of an earlier frame at the same places of the scene.

    Parameters
    ----------
    response : Response
        Of the present frame.
    image : (H, W) real
        A frame in which the target was elsewhere.
    moved : (float, float)
        Motion of the scene since then, in pixels.
    sign, shape
        As in `filter_response`.
    """
    if not len(response.places):
        return response
    reach = len(shape.kernel) // 2
    corner = np.floor(response.places.min(axis=0) - moved - shape.middle).astype(int) - 1
    far = np.ceil(response.places.max(axis=0) - moved - shape.middle).astype(int) + 1
    half = int((far - corner).max() + 1) // 2
    middle = int(corner[0]) + half, int(corner[1]) + half
    out = np.empty((2 * half + 1, 2 * half + 1))
    correlate(crop(image, middle, half + reach), sign * shape.kernel, out)
    at = response.places - moved - shape.middle - corner
    low = np.floor(at).astype(int)
    row, col = (at - low).T
    i, j = low.T
    upper = (1 - col) * out[i, j] + col * out[i, j + 1]
    lower = (1 - col) * out[i + 1, j] + col * out[i + 1, j + 1]
    return replace(response, before=(1 - row) * upper + row * lower)


def crop(image: NDArray[Any], middle: tuple[int, int], half: int) -> Floats:
    """Crop a square, with edge padding; non-finite values are replaced by the median."""
    rows, cols = (
        np.clip(np.arange(at - half, at + half + 1), 0, side - 1)
        for at, side in zip(middle, image.shape, strict=True)
    )
    window = image[rows[:, None], cols[None, :]].astype(np.float64)
    if image.dtype.kind == "f":
        finite = np.isfinite(window)
        if not finite.all():
            window[~finite] = np.median(window[finite]) if finite.any() else 0.0
    return window


@lru_cache(maxsize=8)
def blob(width: float) -> Shape:
    """Return a difference of Gaussians, which ignores level and slope of the surroundings."""
    outer = 1.8 * width + 0.5
    reach = math.ceil(2.5 * outer)
    squared = np.add.outer(np.arange(-reach, reach + 1) ** 2, np.arange(-reach, reach + 1) ** 2)
    body, wide = np.exp(-0.5 * squared / width**2), np.exp(-0.5 * squared / outer**2)
    kernel = body / body.sum() - wide / wide.sum()
    return Shape(kernel / (kernel * body).sum(), body, (0.0, 0.0), 1.4 * width)


def own_shape(picture: Floats) -> Shape | None:
    """
    Extract a target's own shape from its mean picture.

    Parameters
    ----------
    picture : (n, n) float64
        The target near the middle, brighter than its surroundings.

    Returns
    -------
    Shape or None
        Centred on the middle pixel of the picture; None if the target has too little contrast or is too small
        or too large.
    """
    half = len(picture) // 2
    target = annotate(picture, [(half, half)]).targets[0]
    if target.area < _LEAST_AREA or {"weak", "flat", "clipped", "border"} & set(target.flags):
        return None
    mask = np.zeros(picture.shape, np.bool_)
    top, left, bottom, right = target.window
    mask[top:bottom, left:right] = target.mask
    reach = min(
        max(target.box[2] - half, half - target.box[0] + 1, target.box[3] - half, half - target.box[1] + 1)
        + 1
        + _RING,
        half,
    )
    body_mask = ndi.binary_dilation(mask, np.ones((3, 3)))
    around = ndi.binary_dilation(body_mask, np.ones((3, 3)), _RING) & ~body_mask
    level = float(np.median(picture[around]))
    body = np.where(body_mask, np.maximum(picture - level, 0.0), 0.0)
    total = float(body.sum())
    if total <= 0:
        return None
    at = np.arange(len(picture)) - half
    middle = float(body.sum(axis=1) @ at) / total, float(body.sum(axis=0) @ at) / total
    kernel = np.where(around, -total / around.sum(), body)
    cut = slice(half - reach, half + reach + 1)
    kernel, body = kernel[cut, cut], body[cut, cut]
    kernel = kernel - np.where(kernel != 0, kernel.sum() / np.count_nonzero(kernel), 0.0)
    return Shape(
        np.ascontiguousarray(kernel / (kernel * body).sum()),
        np.ascontiguousarray(body),
        middle,
        math.sqrt(target.area / math.pi),
    )
