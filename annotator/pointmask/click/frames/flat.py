"""The flat view: a frame minus its local median, for looking only. Masks are never made from it."""

import threading
from collections import OrderedDict
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointmask.click.frames.reader import Frame

SIDE = 31
"""Pixels on a side of the square over which the median is taken: some times a target, less than a cloud."""

_MOST_MEDIANS = 2**15  # of one frame; each takes some 10 us, by sorting: numpy's partition takes 25
_FAR = 1e30  # from where on a value is only very far from its ground, or single precision would overflow
_KEPT = 4  # frames: the one that is looked at, and its neighbours


class Flats:
    """Flat views of late; all methods may be called from any thread."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, int], Frame] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, frame: Frame) -> Frame:
        """Return a frame with the pixels of its flat view."""
        key = frame.content, frame.frame
        with self._lock:
            known = self._kept.get(key)
        if known is None:
            known = replace(frame, pixels=flattened(frame.pixels), is_flat=True)
            with self._lock:
                self._kept[key] = known
                if len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
        return known


def flattened(pixels: NDArray[Any]) -> NDArray[np.float32]:
    """
    Subtract the local median.

    Parameters
    ----------
    pixels : (H, W) array of any real dtype
        With at least one finite value.

    Returns
    -------
    (H, W) array of float32
        NaN where a pixel is not finite. Medians over `SIDE` x `SIDE` pixels are taken at every fourth pixel,
        of large frames at fewer, and interpolated linearly between: at each pixel they would take 16 times
        as long and look the same. Beyond the border a slope goes on: mirrored, it would leave a bright rim.
    """
    rows, cols = pixels.shape
    # Single precision is enough for what is left when any value of the frame is taken away.
    known = np.isfinite(pixels)
    level = pixels[np.unravel_index(np.argmax(known), pixels.shape)]
    with np.errstate(invalid="ignore", over="ignore"):
        values: NDArray[np.float32] = np.subtract(pixels, level, dtype=np.float64).astype(np.float32)
    if pixels.dtype.kind == "f":
        np.clip(values, -_FAR, _FAR, out=values)
        values[~known] = np.nan
    step = max(4, int(np.ceil((rows * cols / _MOST_MEDIANS) ** 0.5)))
    at_rows, at_cols = _places(rows, step), _places(cols, step)
    half = SIDE // 2
    windows = np.lib.stride_tricks.sliding_window_view(
        np.pad(values, half, "symmetric", reflect_type="odd"), (SIDE, SIDE)
    )
    medians = np.stack([_medians(windows[row, at_cols].reshape(len(at_cols), -1)) for row in at_rows])
    values -= _between(_between(medians.T, at_cols, cols).T, at_rows, rows)
    return values


def _places(length: int, step: int) -> NDArray[np.intp]:
    """Return places at most a step apart, both ends among them."""
    return np.unique(np.linspace(0, length - 1, -(-(length - 1) // step) + 1).round().astype(np.intp))


def _medians(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the medians of rows without their NaN; 0, that of some pixel, where nothing else is."""
    ordered = np.sort(values, axis=1)  # NaN last
    known = np.count_nonzero(~np.isnan(values), axis=1)
    found = ordered[np.arange(len(values)), np.maximum(known - 1, 0) // 2]
    return np.asarray(np.where(known > 0, found, np.float32(0)))


def _between(values: NDArray[np.float32], places: NDArray[np.intp], length: int) -> NDArray[np.float32]:
    """Interpolate rows linearly between their places."""
    if len(places) == 1:
        return np.repeat(values, length, axis=0)
    at = np.arange(length)
    below = np.clip(np.searchsorted(places, at, side="right") - 1, 0, len(places) - 2)
    share = ((at - places[below]) / (places[below + 1] - places[below])).astype(np.float32)[:, np.newaxis]
    return np.asarray(values[below] * (1 - share) + values[below + 1] * share)
