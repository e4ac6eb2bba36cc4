"""The two parts of a soft label, to show why a mask is what it is."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pointmask.annotator.fuse import enlarge_octaves
from pointmask.annotator.operator import assemble, solve
from pointmask.annotator.solved import Solved
from pointmask.annotator.superpixel import point_superpixel
from pointmask.theta import Theta


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
    superpixel = point_superpixel(
        window.values,
        kind=theta.superpixel,
        step=theta.superpixel_step,
        compactness=theta.compactness,
        iterations=theta.superpixel_iterations,
    )
    half = theta.half_size * 2**target.octave
    row, col = target.centre
    top, left, bottom, right = target.window
    inside = slice(top - row + half, bottom - row + half), slice(left - col + half, right - col + half)
    return Parts(
        np.ascontiguousarray(enlarge_octaves(potential, target.octave)[inside]),
        enlarge_octaves(superpixel.astype(np.float64), target.octave)[inside] >= 0.5,
    )
