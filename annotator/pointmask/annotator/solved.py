"""A solved target that can be cut again at another level or in another style, without solving again."""

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from pointmask.annotator.confidence import predicted_iou
from pointmask.annotator.fuse import binarise, restyle
from pointmask.annotator.target import Box, Target, box_of, slices_of
from pointmask.annotator.window import Window
from pointmask.theta import Theta

Field = NDArray[np.float64]
Mask = NDArray[np.bool_]
T = TypeVar("T", bound=np.generic)

_BESIDE = 2  # px between a mask and its click, along rows or columns
BESIDE_SHARE = 0.1
"""Share of the confidence that is left to a mask beside its click."""


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
        Soft label per pixel of `target.window` in style 0, before it was rounded to the target's float32.
    within : (top, left, bottom, right)
        The image, without margins.
    """

    target: Target
    window: Window | None
    soft: Field
    fine: Field
    within: Box


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
    place = top, left, min(row + half + 1, shape[0]), min(col + half + 1, shape[1])
    fine = np.ascontiguousarray(fine[_inside(place, centre, half)])
    within = 0, 0, shape[0], shape[1]
    return _binarised(within, click, centre, place, window, soft, fine, octave, theta, 0.0)


def recut(
    solved: Solved,
    theta: Theta,
    *,
    level: float | None = None,
    style: float | None = None,
) -> Solved:
    """
    Binarise a solved target again at another level or in another drawing style.

    Parameters
    ----------
    solved : Solved
    theta : Theta
        Which it was solved with.
    level : float, optional
        In (0, 1), instead of theta's.
    style : float, optional
        In px, instead of theta's; see `Theta.style`.

    Returns
    -------
    Solved
        Its masks at falling levels, or rising styles, are nested, unless another piece becomes the nearest to
        the click. Flags are those of the new mask, the confidence is that of the mask of style 0 at the
        level. The same object if the target is flat.
    """
    if solved.window is None:
        return solved
    target = solved.target
    again = _binarised(
        solved.within,
        target.point,
        target.centre,
        target.window,
        solved.window,
        solved.soft,
        solved.fine,
        target.octave,
        theta if level is None else replace(theta, level=level),
        theta.style if style is None else style,
    )
    return marked_beside(again)


def marked_beside(solved: Solved) -> Solved:
    """Give a mask that lies beside its own click, by 2 px or more, its flag and a confidence near 0."""
    target = solved.target
    if _lies_beside(target):
        flags = (*target.flags, "beside")
        target = replace(target, confidence=BESIDE_SHARE * target.confidence, flags=flags)
        return replace(solved, target=target)
    return solved


def moved(solved: Solved, live: Box) -> Solved:
    """Tell a target that was solved in a part of an image in pixels of the whole one."""
    target = solved.target
    top, left = live[:2]

    def box(old: Box) -> Box:
        return old[0] + top, old[1] + left, old[2] + top, old[3] + left

    there = replace(
        target,
        point=(target.point[0] + top, target.point[1] + left),
        window=box(target.window),
        box=box(target.box),
        centre=(target.centre[0] + top, target.centre[1] + left),
    )
    return replace(solved, target=there, within=live)


def clicked(solved: Solved, click: tuple[int, int]) -> Solved:
    """Give a target the click that was meant for it, and a window that holds both."""
    target, old = solved.target, solved.target.window
    window = (
        min(old[0], click[0]),
        min(old[1], click[1]),
        max(old[2], click[0] + 1),
        max(old[3], click[1] + 1),
    )
    target = replace(
        target,
        point=click,
        window=window,
        soft=_widened(target.soft, old, window),
        mask=_widened(target.mask, old, window),
    )
    wider = replace(solved, target=target, fine=_widened(solved.fine, old, window))
    return wider if "beside" in target.flags else marked_beside(wider)


def _widened(field: NDArray[T], old: Box, new: Box) -> NDArray[T]:
    """Put zeros around what covers a box, so that it covers another."""
    out = np.zeros((new[2] - new[0], new[3] - new[1]), field.dtype)
    out[slices_of((old[0] - new[0], old[1] - new[1], old[2] - new[0], old[3] - new[1]))] = field
    return out


def _lies_beside(target: Target) -> bool:
    rows, cols = target.point[0] - target.window[0], target.point[1] - target.window[1]
    far = _BESIDE - 1
    near = target.mask[
        max(rows - far, 0) : max(rows + far + 1, 0), max(cols - far, 0) : max(cols + far + 1, 0)
    ]
    return not near.any()


def _binarised(
    within: Box,
    click: tuple[int, int],
    centre: tuple[int, int],
    place: Box,
    window: Window,
    soft: Field,
    fine: Field,
    octave: int,
    theta: Theta,
    style: float,
) -> Solved:
    pitch = 2**octave
    half = theta.half_size * pitch
    row, col = centre
    top, left = place[:2]
    mask, area = binarise(fine, theta.level, row - top, col - left, theta.reach * pitch)
    if not area:
        mask[click[0] - top, click[1] - left] = True
    confidence = predicted_iou(window, soft, fine, mask, theta)
    drawn = fine
    if style and area:
        drawn = restyle(fine, window, _inside(place, centre, half), style)
        core = mask
        mask, area = binarise(drawn, theta.level, row - top, col - left, theta.reach * pitch)
        if style < 0:
            mask, area = _within(mask, core, fine)
    box = box_of(mask, top, left)
    return described(
        within, click, centre, place, window, soft, fine, drawn, mask, area, box, confidence, octave, half
    )


def described(
    within: Box,
    click: tuple[int, int],
    centre: tuple[int, int],
    place: Box,
    window: Window,
    soft: Field,
    fine: Field,
    drawn: Field,
    mask: Mask,
    area: int,
    box: Box,
    confidence: float,
    octave: int,
    half: int,
) -> Solved:
    """Put a target together; its flags follow from its box, its area (0: weak) and its window."""
    row, col = centre
    border = any(one == other for one, other in zip(box, within, strict=True))
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
        soft=drawn.astype(np.float32),
        mask=mask,
        area=max(area, 1),
        box=box,
        confidence=confidence,
        flags=tuple(name for name, holds in flags.items() if holds),
        centre=centre,
        octave=octave,
    )
    return Solved(target, window, soft, fine, within)


def _inside(place: Box, centre: tuple[int, int], half: int) -> tuple[slice, slice]:
    """Part of a window, ``half`` px from its centre to its edges, that lies within the image."""
    down, across = half - centre[0], half - centre[1]
    return slices_of((place[0] + down, place[1] + across, place[2] + down, place[3] + across))


def _within(mask: Mask, core: Mask, soft: Field) -> tuple[Mask, int]:
    """Part of a shrunk mask within what it shrank from; at least the pixel that lasts longest."""
    kept = mask & core
    if not kept.any():
        kept[np.unravel_index(np.argmax(np.where(core, soft, -1.0)), core.shape)] = True
    return kept, int(np.count_nonzero(kept))
