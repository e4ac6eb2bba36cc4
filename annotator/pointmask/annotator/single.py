"""One target at a time: what an interactive program needs before the pixels of a crowd are divided."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pointmask.annotator.fuse import enlarge_octaves
from pointmask.annotator.image import checked_image, checked_point
from pointmask.annotator.operator import assemble, solve
from pointmask.annotator.point import solve_live
from pointmask.annotator.solved import Solved
from pointmask.annotator.superpixel import superpixel_of
from pointmask.annotator.target import slices_of
from pointmask.annotator.window import read_window
from pointmask.defects import Mending
from pointmask.mending import mend
from pointmask.theta import Polarity, Theta


def solve_one(
    image: ArrayLike,
    point: tuple[int, int],
    *,
    theta: Theta,
    polarity: Polarity = "bright",
    others: Sequence[tuple[int, int]] = (),
    mending: Mending | None = None,
) -> Solved:
    """
    Solve one target, whose pixels are not divided yet with those of others.

    Parameters
    ----------
    image : (H, W) array_like
        As for `pointmask.annotate`.
    point : (row, col)
    theta : Theta
    polarity : {"bright", "dark", "auto"}
    others : sequence of (row, col)
        Other points nearby, from `pointmask.annotator.rivals.rivals`, which own what they are nearer to.
    mending : Mending, optional
        Of this image and polarity, from `pointmask.mending.mend`. To look a frame of 640 x 512 over for
        defective pixels takes longer than to solve a target.

    Returns
    -------
    Solved
        ``divide_shared([solved.target ...])`` of an image's points, in their order, gives the targets of
        `pointmask.annotate`, unless a target of one pixel lies within the window of another point.

    Raises
    ------
    ImageError, PointsError
        As `pointmask.annotate`.
    """
    image = checked_image(image)
    click = checked_point(point, image.shape)
    known = mend(image, polarity) if mending is None else mending
    image, _ = known.around([click, *others])
    return solve_live(image, known.live, click, assemble(theta), polarity, others)


class Parts(NamedTuple):
    """
    What a soft label is fused from, per pixel of its target's window.

    Attributes
    ----------
    potential : (h, w) float64
        Divided by its maximum.
    superpixel : (h, w) bool
    """

    potential: NDArray[np.float64]
    superpixel: NDArray[np.bool_]


def parts_of(solved: Solved, shape: tuple[int, ...], theta: Theta) -> Parts:
    """
    Compute potential and superpixel of a solved target again.

    Parameters
    ----------
    solved : Solved
    shape : (H, W)
        Of the image.
    theta : Theta
        Which it was solved with.

    Returns
    -------
    Parts
        ``fuse`` of both gives the soft label, unless the target was solved in a coarser window, in which the
        finer one has a share. All ones if the target is flat.
    """
    target, window = solved.target, solved.window
    if window is None:
        return Parts(np.ones(target.mask.shape), np.ones(target.mask.shape, np.bool_))
    potential = solve(window, assemble(theta))
    largest = float(potential.max())
    if largest > 0:
        potential /= largest
    superpixel = superpixel_of(window, theta)
    half = theta.half_size * 2**target.octave
    row, col = target.centre
    top, left, bottom, right = target.window
    inside = slice(top - row + half, bottom - row + half), slice(left - col + half, right - col + half)
    return Parts(
        np.ascontiguousarray(enlarge_octaves(potential, target.octave)[inside]),
        enlarge_octaves(superpixel.astype(np.float64), target.octave)[inside] >= 0.5,
    )


def superpixel_at(
    image: ArrayLike, point: tuple[int, int], *, theta: Theta, polarity: Polarity = "bright"
) -> tuple[int, int, NDArray[np.bool_]]:
    """
    Return the annotator's superpixel at a pixel, computed in a window around it.

    Parameters
    ----------
    image, point, theta, polarity
        As for `solve_one`.

    Returns
    -------
    top, left : int
        Where the crop begins.
    pixels : (h, w) bool
        Never empty: at least the pixel itself.

    Raises
    ------
    ImageError, PointsError
        As `pointmask.annotate`.
    """
    image = checked_image(image)
    row, col = checked_point(point, image.shape)
    mending = mend(image, polarity)
    image, _ = mending.around([(row, col)])
    if mending.live is None:
        return _superpixel(image, row, col, theta, polarity)
    first, before, last, end = mending.live
    if not (first <= row < last and before <= col < end):
        return row, col, np.ones((1, 1), np.bool_)  # in a margin, which holds no image
    image = image[slices_of(mending.live)]
    top, left, pixels = _superpixel(image, row - first, col - before, theta, polarity)
    return top + first, left + before, pixels


def _superpixel(
    image: NDArray[np.generic], row: int, col: int, theta: Theta, polarity: Polarity
) -> tuple[int, int, NDArray[np.bool_]]:
    half = theta.half_size
    window = read_window(image, row, col, 0, theta, polarity)
    found = superpixel_of(window, theta)
    found[half, half] = True
    top, left = max(row - half, 0), max(col - half, 0)
    bottom, right = min(row + half + 1, image.shape[0]), min(col + half + 1, image.shape[1])
    inside = found[top - row + half : bottom - row + half, left - col + half : right - col + half]
    return top, left, np.ascontiguousarray(inside)
