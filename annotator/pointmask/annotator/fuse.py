"""Fusion of potential and superpixel into a soft label, and its threshold."""

import numpy as np
from numpy.typing import NDArray

from pointmask.annotator.window import Window
from pointmask.kernels.outline import move_outline
from pointmask.kernels.regions import piece_near
from pointmask.kernels.scale_space import enlarge, smooth
from pointmask.kernels.target import blend

Field = NDArray[np.float64]


def fuse(potential: Field, superpixel: NDArray[np.bool_], rho: float) -> Field:
    """Soft label ``rho u + (1 - rho) C``, normalised to [0, 1] (equation 4 of the paper).

    Parameters
    ----------
    potential : (n, n) float64, non-negative
    superpixel : (n, n) bool
    rho : float
        In [0, 1].

    Returns
    -------
    (n, n) float64
        The potential is divided by its maximum first, so that both parts have the same range; the sum is
        then divided by its maximum, which is 1 unless the two parts peak at different places. All 0 if both
        parts are.
    """
    soft = np.empty_like(potential)
    blend(potential, superpixel, rho, soft)
    return soft


def enlarge_octaves(field: Field, octaves: int) -> Field:
    """Interpolate a field sampled every ``2 ** octaves`` px to one value per pixel (bilinear)."""
    for _ in range(octaves):
        finer = np.empty((2 * field.shape[0] - 1, 2 * field.shape[1] - 1))
        enlarge(field, finer)
        field = finer
    return field


def mix_finer(coarse: Field, finer: Field, share: float) -> tuple[Field, Field]:
    """Mix two soft labels of one target, solved at the image's resolution and one octave lower.

    Parameters
    ----------
    coarse : (2n - 1, 2n - 1) float64
        Of the coarser window, interpolated to one value per pixel.
    finer : (n, n) float64, n odd
        Of the window at the image's resolution, with the same centre.
    share : float
        Weight of ``finer`` within its window, in [0, 1].

    Returns
    -------
    soft : (n, n) float64
        Every second value of ``fine``: the mixture at the coarser window's samples.
    fine : (2n - 1, 2n - 1) float64
        The mixture per pixel.
    """
    n = finer.shape[0]
    inner = slice(n // 2, n // 2 + n)
    fine = coarse.copy()
    fine[inner, inner] = (1 - share) * coarse[inner, inner] + share * finer
    return np.ascontiguousarray(fine[::2, ::2]), fine


def restyle(fine: Field, window: Window, inside: tuple[slice, slice], style: float) -> Field:
    """Move the outline of a soft label, see `Theta.style`.

    Parameters
    ----------
    fine : (h, w) float64
        One value per pixel.
    window : Window
        Which it was solved in.
    inside : (slice, slice)
        Where ``fine`` lies in the whole window at one value per pixel.
    style : float
        In px.
    """
    contrast = np.empty_like(window.values)
    smooth(window.values, 1, contrast)
    out = np.empty_like(fine)
    move_outline(fine, np.ascontiguousarray(enlarge_octaves(contrast, window.octave)[inside]), style, out)
    return out


def otsu(soft: Field, bins: int = 256) -> float:
    """Otsu's threshold of a field in [0, 1]: the level that maximises the between-class variance."""
    counts, edges = np.histogram(soft, bins=bins, range=(0.0, 1.0))
    centres = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)
    above = below[-1] - below
    mass = np.cumsum(counts * centres)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = below * above * (mass / below - (mass[-1] - mass) / above) ** 2
    return float(edges[1 + int(np.argmax(np.nan_to_num(spread[:-1])))])


def binarise(soft: Field, level: float, row: int, col: int, reach: int) -> tuple[NDArray[np.bool_], int]:
    """Threshold a soft label and keep the component of the point.

    Parameters
    ----------
    soft : (h, w) float64
    level : float
        0 selects Otsu's threshold.
    row, col : int
        The point in the window.
    reach : int
        Maximum distance between point and mask in px.

    Returns
    -------
    mask : (h, w) bool
        8-connected; empty if nothing near the point exceeds the level.
    area : int
        Pixels of the mask.
    """
    mask = np.empty(soft.shape, np.bool_)
    stack, labels = np.empty(soft.size, np.int64), np.empty(soft.shape, np.int32)
    return mask, int(piece_near(soft, level or otsu(soft), row, col, reach, stack, labels, mask))
