"""The level-set evolution of COM: distance-regularised, driven by edges and by a switching area term."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

F64 = NDArray[np.float64]

_TIME_STEP = 5.0
_INNER_ITERATIONS = 5
_REGULARISATION = 0.2 / _TIME_STEP
_SHRINK = 1.5
_GROW = -0.1
_CONTRAST_WEIGHT = 1e-9
_DIRAC_WIDTH = 1.5
_SMOOTHING = 1.5
_TINY = 1e-10


def evolve(phi: F64, image: F64, *, rounds: int) -> F64:
    """Evolve a level set; the target is where it is negative.

    The published program goes on for ten more iterations whose result it does not use; they are left out.

    Parameters
    ----------
    phi : (h, w) float64
        Initial level set.
    image : (h, w) float64
        Grey levels, 0 to 255.
    rounds : int
        Rounds of five iterations. In each, an iteration shrinks the target if its mean grey level is the
        highest of the round so far, and grows it a little otherwise.

    Returns
    -------
    (h, w) float64
    """
    smooth = ndi.gaussian_filter(image.astype(np.float32), _SMOOTHING)
    edge_y, edge_x = _gradient(smooth)
    edge = 1.0 / (1.0 + edge_y**2 + edge_x**2)
    for _ in range(rounds):
        best = 0.0
        for _ in range(_INNER_ITERATIONS):
            phi = _mirrored_border(phi)
            inside = _mean(image[phi <= 0])
            area_weight = _SHRINK if inside > best else _GROW
            best = max(best, inside)
            phi = phi + _TIME_STEP * _speed(phi, image, edge, inside, area_weight)
    return phi


def _mean(values: F64) -> float:
    return float(values.mean()) if values.size else 0.0


def _mirrored_border(phi: F64) -> F64:
    """Set each border pixel to the third one from its side, corners to the diagonal third."""
    out = phi.copy()
    out[0], out[-1] = phi[2], phi[-3]
    out[:, 0], out[:, -1] = out[:, 2], out[:, -3]
    return out


def _speed(phi: F64, image: F64, edge: F64, inside: float, area_weight: float) -> F64:
    grad_y, grad_x = _gradient(phi)
    slope = np.sqrt(grad_y**2 + grad_x**2)
    curvature = _divergence(grad_y / (slope + _TINY), grad_x / (slope + _TINY))
    near = _mean(image.ravel()[_near_background(phi > 0)])
    contrast = _CONTRAST_WEIGHT / ((inside - near) ** 2 + _TINY)
    dirac = np.where(np.abs(phi) <= _DIRAC_WIDTH, (1 + np.cos(np.pi * phi / _DIRAC_WIDTH)) / 3, 0)
    regularity = _double_well(phi, grad_y, grad_x, slope)
    speed: F64 = _REGULARISATION * regularity + dirac * (area_weight * edge + contrast * curvature)
    return speed


def _double_well(phi: F64, grad_y: F64, grad_x: F64, slope: F64) -> F64:
    """Pull the slope of phi towards 0 or 1."""
    force = np.where(slope <= 1, np.sin(2 * np.pi * slope) / (2 * np.pi), slope - 1)
    ratio = np.where(force == 0, 1, force) / np.where(slope == 0, 1, slope)
    pull: F64 = _divergence((ratio - 1) * grad_y, (ratio - 1) * grad_x) + ndi.laplace(phi, mode="nearest")
    return pull


def _gradient(field: NDArray[np.floating]) -> tuple[F64, F64]:
    return np.gradient(field, axis=0), np.gradient(field, axis=1)


def _divergence(along_y: F64, along_x: F64) -> F64:
    divergence: F64 = np.gradient(along_y, axis=0) + np.gradient(along_x, axis=1)
    return divergence


def _near_background(outside: NDArray[np.bool_]) -> NDArray[np.intp]:
    """List the pixels taken for near background, with repetitions, as flat indices.

    Every outside pixel with an inside neighbour to its right, to its left or above contributes four pixels
    away from that neighbour, or a block of 4x4 pixels where the target's edge turns. The published
    program steps from row to row by the number of rows, where it should be columns, and lets negative
    indices wrap round; both matter only in crops cut at the image's border.

    Parameters
    ----------
    outside : (h, w) bool

    Returns
    -------
    (k,) int
    """
    height, width = outside.shape
    flat = np.append(outside.ravel(), np.zeros(width, np.bool_))
    p = np.flatnonzero(outside)
    p = p[(p > 4 * width) & (p < width * (width - 4))]
    turns = flat[p - width] & ~flat[p + width]
    run = np.arange(4)
    block = (run[:, None] * height + run).ravel()
    lists = []
    for side in (1, -1):
        at_edge = ~flat[p + side]
        lists += [_steps(p[at_edge & turns], -side * block), _steps(p[at_edge & ~turns], -side * run)]
    lists.append(_steps(p[~flat[p - width]], height * run))
    near = np.concatenate(lists)
    return near[near < outside.size]


def _steps(start: NDArray[np.intp], offsets: NDArray[np.intp]) -> NDArray[np.intp]:
    return (start[:, None] + offsets).ravel()
