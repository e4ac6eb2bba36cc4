"""A solved target that can be cut again at another level, without solving again."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pointmask.annotator.confidence import predicted_iou
from pointmask.annotator.fuse import binarise
from pointmask.annotator.target import Target, box_of
from pointmask.annotator.window import Window
from pointmask.theta import Theta

Field = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Solved:
    """
    An undivided target, and what its mask was cut from.

    Attributes
    ----------
    target : Target
    window : Window or None
        None if there is no contrast at the point (flag ``flat``): then there is no other level either.
    soft : (n, n) float64
        Soft label at the window's samples.
    fine : (h, w) float64
        Soft label per pixel of `target.window`, before it was rounded to the target's float32.
    """

    target: Target
    window: Window | None
    soft: Field
    fine: Field


def cut(
    shape: tuple[int, ...],
    click: tuple[int, int],
    centre: tuple[int, int],
    window: Window,
    soft: Field,
    fine: Field,
    octave: int,
    theta: Theta,
) -> Solved:
    """Cut a soft label (per sample, and ``fine`` per pixel) at the border, binarise and describe it."""
    half = theta.half_size * 2**octave
    row, col = centre
    top, left = max(row - half, 0), max(col - half, 0)
    bottom, right = min(row + half + 1, shape[0]), min(col + half + 1, shape[1])
    inside = (slice(top - row + half, bottom - row + half), slice(left - col + half, right - col + half))
    fine = np.ascontiguousarray(fine[inside])
    return _binarised(shape, click, centre, (top, left, bottom, right), window, soft, fine, octave, theta)


def recut(solved: Solved, shape: tuple[int, ...], theta: Theta, level: float) -> Solved:
    """
    Binarise a solved target again at another level, with the same reach and connectivity.

    Parameters
    ----------
    solved : Solved
    shape : (H, W)
        Of the image.
    theta : Theta
        Which it was solved with.
    level : float
        In (0, 1).

    Returns
    -------
    Solved
        Its masks at rising levels are nested, unless another piece becomes the nearest to the click. Flags
        and confidence are those of the new mask. The same object if the target is flat.
    """
    if solved.window is None:
        return solved
    target = solved.target
    return _binarised(
        shape,
        target.point,
        target.centre,
        target.window,
        solved.window,
        solved.soft,
        solved.fine,
        target.octave,
        replace(theta, level=level),
    )


def _binarised(
    shape: tuple[int, ...],
    click: tuple[int, int],
    centre: tuple[int, int],
    place: tuple[int, int, int, int],
    window: Window,
    soft: Field,
    fine: Field,
    octave: int,
    theta: Theta,
) -> Solved:
    pitch = 2**octave
    half = theta.half_size * pitch
    row, col = centre
    top, left = place[:2]
    mask, area = binarise(fine, theta.level, row - top, col - left, theta.reach * pitch)
    if not area:
        mask[click[0] - top, click[1] - left] = True
    box = box_of(mask, top, left)
    border = box[0] == 0 or box[1] == 0 or box[2] == shape[0] or box[3] == shape[1]
    clipped = (
        box[0] == row - half or box[1] == col - half or box[2] == row + half + 1 or box[3] == col + half + 1
    )
    flags = {
        "border": border,
        "clipped": clipped,
        "dark": window.dark,
        "nonfinite": not window.finite,
        "weak": not area,
    }
    target = Target(
        point=click,
        window=place,
        soft=fine.astype(np.float32),
        mask=mask,
        area=max(area, 1),
        box=box,
        confidence=predicted_iou(window, soft, fine, mask, theta),
        flags=tuple(name for name, holds in flags.items() if holds),
        centre=centre,
        octave=octave,
    )
    return Solved(target, window, soft, fine)
