"""Frames as networks see them, in trainings as in predictions: without margins, gaps and bad pixels.

Margins are letterbox bars and their like, of one value. Across their edge a network sees a target or none: of
80 frames of SIRST3 with bars, the built-in one found 0.68 of the targets, and 0.86 of them without the bars.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pointmask.defects import KEEP, MARGINS, REPLACED, fill_gaps
from pointmask.defects.margins import Box, find_live
from pointmask.io.notes import gathering, note
from pointmask.mending import mended
from pointmask_trainer.data.cleaning.fading import FADED, unfaded

Margins = tuple[tuple[int, int], tuple[int, int]]
"""Rows above and below, and columns before and after, that hold no image; as `numpy.pad` takes them."""

NO_MARGINS: Margins = ((0, 0), (0, 0))


def margins_of(live: Box, shape: tuple[int, ...]) -> Margins:
    """Return what a box leaves out of a frame."""
    top, left, bottom, right = live
    return (top, shape[0] - bottom), (left, shape[1] - right)


def find_margins(image: NDArray[np.generic], points: Sequence[tuple[int, int]]) -> Margins:
    """
    Find the margins of a frame; none if one of its points lies in them.

    Parameters
    ----------
    image : (H, W) array
        As stored, pixels that are no finite numbers among them.
    points : sequence of (row, col)
    """
    live = find_live(image)
    if live is None:
        return NO_MARGINS
    top, left, bottom, right = live
    if not all(top <= row < bottom and left <= col < right for row, col in points):
        return NO_MARGINS
    return margins_of(live, image.shape)


def without_margins(image: NDArray[np.generic], margins: Margins) -> NDArray[np.generic]:
    """Return what margins enclose; a view."""
    (above, below), (before, after) = margins
    return image[above : image.shape[0] - below, before : image.shape[1] - after]


def corner_of(margins: Margins) -> NDArray[np.int64]:
    """Return where an image without margins begins in its file."""
    (above, _), (before, _) = margins
    return np.array((above, before), np.int64)


def tell_margins(ids: Sequence[str], margins: Sequence[Margins], say: Callable[[str], None]) -> None:
    """Say which images had margins."""
    with gathering() as notes:
        for key, around in zip(ids, margins, strict=True):
            if around != NO_MARGINS:
                note(MARGINS, key)
    for line in notes.lines():
        say(line)


def filled(array: NDArray[np.generic], file: Path, say: Callable[[str], None]) -> NDArray[np.generic]:
    """Replace pixels that are no finite numbers, as `predict` does."""
    if array.dtype.kind != "f":
        return array
    finite = np.isfinite(array)
    if finite.all():
        return array
    say(
        "pixels that are no finite numbers were replaced, lone ones from their neighbours and others by the "
        f"mean, first in {file}"
    )
    mean = array[finite].mean(dtype=np.float64).astype(array.dtype)
    array = fill_gaps(array)
    return np.where(np.isfinite(array), array, mean)


def without_bad_pixels(
    ids: Sequence[str],
    arrays: Sequence[NDArray[np.generic]],
    points: Sequence[NDArray[np.int64]],
    say: Callable[[str], None],
) -> list[NDArray[np.generic]]:
    """Replace defective pixels, but no target of one pixel that was clicked, and brighten faded borders."""
    with gathering() as notes:
        result = []
        for key, array, own in zip(ids, arrays, points, strict=True):
            pixels, replaced = mended(array, points=own.tolist())
            if len(replaced):
                row, col = replaced[0]
                note(REPLACED + KEEP, f"{key}: row {row}, column {col}", len(replaced))
            result.append(unfaded(pixels))
            if result[-1] is not pixels:
                note(FADED, key)
    for line in notes.lines():
        say(line)
    return result
