"""How clearly a point or a mask shows in an image: the number by which wrong pairs give themselves away.

The number is the brightness of the target above its surroundings, in deviations of these. On half of
SIRST3 the best target of an image reaches 1 in 99 of 100 images, and 90 of 100 masks of another image
stay below.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pointmask.doctor.pixels import moderate

_REACH = 10  # pixels from a point to the rim of its surroundings
_NEAR = 5  # pixels round a point that are not its surroundings
_CLICK = 2  # pixels: how far a click may lie beside its target
_RING = 8  # pixels: width of the surroundings of a mask's target
_LEAST = 20  # pixels of surroundings that tell something
_MOST_TARGETS = 32  # of a mask that are looked at
_EIGHT = np.ones((3, 3), np.bool_)


class Evidence(NamedTuple):
    """
    How the targets of an image show, from dark to bright.

    Attributes
    ----------
    darkest, brightest : float
        Over all targets, in deviations of their surroundings.
    least_dark, least_bright : float
        The weakest of the targets, for either polarity.
    """

    darkest: float
    brightest: float
    least_dark: float
    least_bright: float


def of_points(pixels: NDArray[Any], places: list[tuple[int, int]]) -> list[tuple[float, float]]:
    """
    Measure how points show.

    Parameters
    ----------
    pixels : (H, W) real
    places : list of (row, col)
        Inside the image.

    Returns
    -------
    list of (float, float)
        Darkest and brightest spot of 3 x 3 pixels within a click's error of each point.
    """
    return [_of_point(pixels, row, col) for row, col in places]


def summed(spots: list[tuple[float, float]]) -> Evidence | None:
    """Put the targets of an image together; None if there is none."""
    if not spots:
        return None
    dark, bright = zip(*spots, strict=True)
    return Evidence(min(dark), max(bright), max(dark), min(bright))


def of_mask(pixels: NDArray[Any], mask: NDArray[np.bool_]) -> Evidence | None:
    """
    Measure how the targets of a mask show.

    Parameters
    ----------
    pixels : (H, W) real
    mask : (H, W) bool

    Returns
    -------
    Evidence or None
        None if no target has surroundings.
    """
    labels, _ = ndimage.label(mask, _EIGHT)
    spots = []
    for number, box in enumerate(ndimage.find_objects(labels, _MOST_TARGETS), 1):
        if box is None:
            continue
        place = tuple(slice(max(side.start - _RING, 0), side.stop + _RING) for side in box)
        around = ~ndimage.binary_dilation(mask[place], _EIGHT)
        inner = labels[place] == number
        window = _finite(pixels[place])
        if np.count_nonzero(around) >= _LEAST:
            middle, spread = _level(window[around], window)
            shown = (float(window[inner].mean()) - middle) / spread
            spots.append((shown, shown))
    return summed(spots)


def _of_point(pixels: NDArray[Any], row: int, col: int) -> tuple[float, float]:
    top, left = max(row - _REACH, 0), max(col - _REACH, 0)
    window = _finite(pixels[top : row + _REACH + 1, left : col + _REACH + 1])
    row, col = row - top, col - left
    smooth = ndimage.uniform_filter(window, 3, mode="nearest")
    near = smooth[_about(row, _CLICK), _about(col, _CLICK)]
    far = np.ones(smooth.shape, np.bool_)
    far[_about(row, _NEAR), _about(col, _NEAR)] = False
    middle, spread = _level(smooth[far] if np.count_nonzero(far) >= _LEAST else smooth.ravel(), window)
    return (float(near.min()) - middle) / spread, (float(near.max()) - middle) / spread


def _about(at: int, reach: int) -> slice:
    return slice(max(at - reach, 0), at + reach + 1)


def _level(around: NDArray[np.float32], window: NDArray[np.float32]) -> tuple[float, float]:
    """Median of the surroundings and their deviation, which is never less than a part of the range."""
    middle = float(np.median(around))
    spread = 1.4826 * float(np.median(np.abs(around - middle)))
    return middle, max(spread, 0.01 * float(window.max() - window.min()), 1e-12)


def _finite(window: NDArray[Any]) -> NDArray[np.float32]:
    window = moderate(window)
    values = window.astype(np.float32)
    if window.dtype.kind == "f":
        good = np.isfinite(values)
        values[~good] = np.median(values[good]) if good.any() else 0.0
    return values
