"""Border lines that fade towards zero, as resampling with zeros beyond the frame leaves them.

To a network such a line is a step as high as the scene is bright: its contrast channels, which are measured
by their local spread, lose every target within a dozen pixels. Three quarters of NUDT-SIRST's frames have it.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

FADED = (
    "borders that fade towards zero, as resampling with zeros beyond the frame leaves them, were brightened "
    "to the level beside them"
)
"""For `pointmask.io.notes.note`."""

_LINES = 3  # that may have faded; the one behind them is what they are compared with
_LEAST = 0.15  # logarithm of the fading below which a line may just be darker than the next

# Real scenes darken towards a border over many lines and unevenly along it. Resampling fades the first line
# most and all its pixels alike. With these bounds 619 of 796 frames of NUDT-SIRST have a side that fades, one
# of 256 of SIRST-v1, none of 600 of IRSTD-1k, and ten of 400 of MDvsFA, half of which show the same factors.
_SECOND, _THIRD = 0.5, 0.2  # of the first line's fading, at most, in the next two
_UNEVEN = 0.25  # of the fading: its median deviation along the line, at most

_LOOKED_AT = 128  # px along a side, at most
_GLANCES, _GLANCE = 9, 0.9  # pixels, half of which must have lost a tenth
_SHORTEST = 16  # px along and across
_DARK = 8  # levels of whole numbers below which a ratio says nothing


def unfaded(image: NDArray[Any]) -> NDArray[Any]:
    """Divide border lines that faded by what is left of them.

    Parameters
    ----------
    image : (H, W) array of any real dtype
        Stays as it is.

    Returns
    -------
    (H, W) array of the same dtype
        The same object if no line faded.
    """
    if min(image.shape) < _SHORTEST:
        return image
    result = image
    for side in range(4):
        border = _from(result, side)[: _LINES + 1]
        if not _may_fade(border):
            continue
        left = _left_of(border[:, :: -(-border.shape[1] // _LOOKED_AT)])
        if left is None:
            continue
        if result is image:
            result = image.copy()
        lines = _from(result, side)[:_LINES]
        lines[:] = _as(lines.dtype, lines / left[:, None])
    return result


def _from(image: NDArray[Any], side: int) -> NDArray[Any]:
    """Return a view whose first row is one of the sides: top, bottom, left, right."""
    turned = image if side < 2 else image.T
    return turned[::-1] if side % 2 else turned


def _may_fade(border: NDArray[Any]) -> bool:
    """Compare a few pixels of the first line with the last, since hardly any frame has fading borders."""
    step = border.shape[1] // _GLANCES
    outer, inner = border[0, ::step].tolist(), border[_LINES, ::step].tolist()
    return 2 * sum(a < _GLANCE * b for a, b in zip(outer, inner, strict=True)) >= len(outer)


def _left_of(lines: NDArray[Any]) -> NDArray[np.float64] | None:
    """Return which share of each line is left, compared with the last; None unless the first faded."""
    known = (lines > 0).all(axis=0)
    if lines.dtype.kind != "f":
        known &= lines[_LINES] >= _DARK
    if 2 * np.count_nonzero(known) < known.size:
        return None
    with np.errstate(invalid="ignore"):  # infinite pixels
        logs = np.log(lines[:, known].astype(np.float64))
        logs = logs[:_LINES] - logs[_LINES]
        first = float(np.median(logs[0]))
        if not first <= -_LEAST:
            return None
        _, second, third = np.median(logs, axis=1)
        uneven = np.median(np.abs(logs[0] - first))
    if abs(second) > -_SECOND * first or abs(third) > -_THIRD * first or not uneven <= -_UNEVEN * first:
        return None
    return np.exp(np.minimum((first, second, third), 0.0))


def _as(dtype: np.dtype[Any], values: NDArray[np.float64]) -> NDArray[Any]:
    if dtype.kind == "f":
        return values.astype(dtype)
    limits = np.iinfo(dtype)
    return np.clip(np.rint(values), limits.min, limits.max).astype(dtype)
