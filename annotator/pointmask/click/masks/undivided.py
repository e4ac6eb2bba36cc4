"""One target's mask before its neighbours are looked at: solved, cut at its level, dilated or eroded."""

from collections import OrderedDict
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pointmask.annotator.image import checked_image
from pointmask.annotator.single import solve_one
from pointmask.annotator.solved import Solved, recut
from pointmask.annotator.target import Target, box_of, slices_of
from pointmask.defects import Mending
from pointmask.mending import mend
from pointmask.theta import Polarity, Theta

_EIGHT = np.ones((3, 3), np.bool_)
_MOST_MENDED = 2  # frames
_MOST_SOLVED = 64  # a large one takes 2 MB
MOST_CUT = 20_000
"""Targets that are remembered: two frames that are as full as they may be."""


class Wish(NamedTuple):
    """What determines an undivided mask, besides the pixels and theta."""

    point: tuple[int, int]
    polarity: Polarity
    level: float | None
    ring: int
    others: tuple[tuple[int, int], ...] = ()
    """Other points nearby, which own what they are nearer to; see `pointmask.annotator.rivals.rivals`."""


class Undivided:
    """
    Makes undivided targets, and remembers those of late.

    Parameters
    ----------
    theta : Theta
    """

    def __init__(self, theta: Theta) -> None:
        self.theta = theta
        self._mended: OrderedDict[tuple[object, ...], Mending] = OrderedDict()
        self._solved: OrderedDict[tuple[object, ...], Solved] = OrderedDict()
        self._cut: OrderedDict[tuple[object, ...], Target] = OrderedDict()

    def target(self, pixels: NDArray[Any], place: tuple[str, int], wish: Wish) -> Target:
        """
        Return one target.

        Parameters
        ----------
        pixels : (H, W) array
        place : (str, int)
            Hash of the file, and frame: what the pixels are remembered by.
        wish : Wish

        Returns
        -------
        Target
            Its window is cropped to what `divide_shared` reads: the mask's box, and the point.
        """
        key = (*place, *wish)
        found = self._cut.get(key)
        if found is None:
            found = _cropped(self._made(pixels, place, wish))
            remember(self._cut, key, found, MOST_CUT)
        self._cut.move_to_end(key)
        return found

    def _made(self, pixels: NDArray[Any], place: tuple[str, int], wish: Wish) -> Target:
        key = (*place, wish.point, wish.polarity, wish.others)
        solved = self._solved.get(key)
        if solved is None:
            solved = solve_one(
                pixels,
                wish.point,
                theta=self.theta,
                polarity=wish.polarity,
                others=wish.others,
                mending=self._mending(pixels, place, wish.polarity),
            )
            remember(self._solved, key, solved, _MOST_SOLVED)
        if wish.level is not None:
            solved = recut(solved, self.theta, level=wish.level)
        return ringed(solved.target, wish.ring, pixels.shape) if wish.ring else solved.target

    def _mending(self, pixels: NDArray[Any], place: tuple[str, int], polarity: Polarity) -> Mending:
        key = (*place, polarity)
        found = self._mended.get(key)
        if found is None:
            found = mend(checked_image(pixels), polarity)
            remember(self._mended, key, found, _MOST_MENDED)
        return found


def ringed(target: Target, ring: int, shape: tuple[int, ...]) -> Target:
    """
    Dilate or erode a target's mask over 8 neighbours.

    Parameters
    ----------
    target : Target
    ring : int
        Pixels; negative erodes. The frame's border does not erode a mask that touches it.
    shape : (H, W)
        Of the frame.

    Returns
    -------
    Target
        Never without a pixel: the one of the largest soft label outlasts any erosion.
    """
    far = abs(ring)
    window = target.window
    top, left = max(window[0] - far, 0), max(window[1] - far, 0)
    bottom, right = min(window[2] + far, shape[0]), min(window[3] + far, shape[1])
    soft = np.zeros((bottom - top, right - left), np.float32)
    mask = np.zeros(soft.shape, np.bool_)
    inside = slices_of((window[0] - top, window[1] - left, window[2] - top, window[3] - left))
    soft[inside], mask[inside] = target.soft, target.mask
    if ring > 0:
        changed = ndimage.binary_dilation(mask, _EIGHT, ring)
    else:
        changed = ndimage.binary_erosion(mask, _EIGHT, far, border_value=1)
        if not changed.any():
            best = np.argmax(np.where(mask, soft, np.float32(-1)))
            changed[np.unravel_index(best, mask.shape)] = True
    return replace(
        target,
        window=(top, left, bottom, right),
        soft=soft,
        mask=changed,
        area=int(changed.sum()),
        box=box_of(changed, top, left),
    )


def _cropped(target: Target) -> Target:
    """Crop a target's window to its mask and its point."""
    box, (row, col) = target.box, target.point
    hull = (min(box[0], row), min(box[1], col), max(box[2], row + 1), max(box[3], col + 1))
    top, left = target.window[:2]
    inside = slices_of((hull[0] - top, hull[1] - left, hull[2] - top, hull[3] - left))
    return replace(target, window=hull, soft=target.soft[inside].copy(), mask=target.mask[inside].copy())


def remember(kept: OrderedDict[Any, Any], key: object, value: object, most: int) -> None:
    """Put a value into a cache, and the oldest out of it if it is full."""
    kept[key] = value
    if len(kept) > most:
        kept.popitem(last=False)
