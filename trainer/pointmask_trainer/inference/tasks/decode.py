"""Heat maps to points: local maxima, their place within a cell, and their probability."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from pointmask_trainer.detectors.locators.base import Decoding

F32 = NDArray[np.float32]

LEAST = 0.05
"""Probability below which peaks are not looked at: noise has one in every few cells."""

_MOST = 1000  # peaks looked at in a frame
_EDGE = 1e-6


def probability(heat: F32, threshold: F32 | float) -> F32:
    """Map heat to a probability: 0 stays 0, 1 stays 1, the threshold becomes 0.5, and odds are proportional.

    So that one threshold holds for all networks, files and curves, whatever a network's own.
    """
    clipped = np.clip(heat.astype(np.float64), _EDGE, 1 - _EDGE)
    odds = clipped / (1 - clipped) * (1 - np.asarray(threshold, np.float64)) / threshold
    return np.asarray(odds / (1 + odds), np.float32)


def find_peaks(heat: F32, chances: F32, offset: F32 | None, decoding: Decoding) -> NDArray[np.float64]:
    """Find the points of a heat map.

    Parameters
    ----------
    heat : (h, w) float32 array
    chances : (h, w) float32 array
        `probability` of each cell.
    offset : (2, h, w) float32 array or None
        Rows and columns from each cell's centre, in cells.
    decoding : Decoding

    Returns
    -------
    (K, 3) float64 array
        Row and column in cells, and probability; the highest first. Of maxima closer than ``decoding.apart``
        the higher stands, of equal ones the first in raster order.
    """
    is_peak = (heat == ndi.maximum_filter(heat, 3, mode="nearest")) & (chances > LEAST)
    rows, cols = np.nonzero(is_peak)
    order = np.argsort(-heat[rows, cols], kind="stable")[:_MOST]
    kept: list[int] = []
    for k in order:
        if kept and heat[rows[k], cols[k]] < (1 - decoding.gap) * heat[rows[kept[0]], cols[kept[0]]]:
            break
        away = np.hypot(rows[kept] - rows[k], cols[kept] - cols[k])
        if not (away < decoding.apart).any():
            kept.append(int(k))
        if decoding.limit and len(kept) == decoding.limit:
            break
    found = np.empty((len(kept), 3))
    for number, k in enumerate(kept):
        row, col = int(rows[k]), int(cols[k])
        if offset is not None:
            down, right = (float(np.clip(part[row, col], -1, 1)) for part in offset)
        else:
            down = _shift(heat[:, col], row, decoding.refine)
            right = _shift(heat[row], col, decoding.refine)
        found[number] = row + down, col + right, chances[row, col]
    return found


def _shift(line: F32, at: int, refine: str) -> float:
    """Return where the maximum at a cell of a line lies, from the cell's centre, in cells."""
    last = len(line) - 1
    if refine == "quarter":
        return 0.25 * float(np.sign(line[at + 1] - line[at - 1])) if 1 < at < last else 0.0
    if not 0 < at < last:
        return 0.0
    before, peak, after = (float(value) for value in line[at - 1 : at + 2])
    bend = before - 2 * peak + after
    return float(np.clip(0.5 * (before - after) / bend, -0.5, 0.5)) if bend else 0.0
