"""Window around a point, in units of the target's contrast."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pointmask.defects import fill_gaps
from pointmask.kernels.normalise import AUTO, BRIGHT, DARK, normalise_quiet
from pointmask.kernels.scale_space import smooth
from pointmask.kernels.target import fill_window
from pointmask.kernels.target import settle as climb_from_centre
from pointmask.theta import Polarity, Theta

POLARITIES = {"bright": BRIGHT, "dark": DARK, "auto": AUTO}
Field = NDArray[np.float64]

# Rings around the point, in samples: [inner, outer). The middle one is the background; the others
# measure how the background changes with distance.
RINGS = ((4.0, 7.0), (7.0, 13.0), (13.0, 22.0))
# Values are rounded to this fraction of the contrast: copies of a scene that differ by gain and offset
# then agree bit for bit, and ties (frequent in 8-bit images) stay ties.
GRAIN = 2.0**-20

NEAR = 2.3  # the target's peak is searched within this distance of the point, since clicks are inexact


@dataclass(frozen=True, slots=True, eq=False)
class Geometry:
    """Arrays that depend on the window's size alone."""

    distance: Field  # (n, n) Euclidean distance from the centre in samples
    log_distance: Field  # (n, n) log(1 + distance)
    rings: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]  # flat indices
    near: NDArray[np.int64]
    buffer_size: int


@lru_cache(maxsize=32)
def geometry(half_size: int) -> Geometry:
    """Distances and rings of a window of ``2 * half_size + 1`` samples a side."""
    axis = np.arange(-half_size, half_size + 1, dtype=np.float64)
    distance = np.sqrt(axis[:, None] ** 2 + axis[None, :] ** 2)
    # A small window has no far ring: its outermost samples are used instead.
    first, second, third = (
        np.flatnonzero((distance >= min(inner, half_size - 1.0)) & (distance < outer))
        for inner, outer in RINGS
    )
    near = np.flatnonzero(distance <= NEAR)
    return Geometry(
        distance, np.log1p(distance), (first, second, third), near, max(first.size, second.size, third.size)
    )


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """A sampled window in units of the target's contrast.

    Attributes
    ----------
    values : (n, n) float64
        ``(I - background) / contrast``, negated for dark targets, clipped to [-3, 3]; the edge is
        repeated beyond the image's border.
    contrast : float
        Grey values per unit; 0 if there is no contrast at the point, and then ``values`` is 0.
    noise : float
        Standard deviation of the background, relative to ``contrast``; at most 2.
    step_inner, step_outer : float
        Contrast against the inner and the outer ring, relative to ``contrast``.
    dark : bool
    finite : bool
        False if NaN or infinite pixels were replaced: lone ones by the median of their neighbours, others
        by that of the window.
    octave : int
        Samples are ``2 ** octave`` px apart.
    """

    values: Field
    contrast: float
    noise: float
    step_inner: float
    step_outer: float
    dark: bool
    finite: bool
    octave: int = 0


def read_window(
    image: NDArray[np.generic], row: int, col: int, octave: int, theta: Theta, polarity: Polarity
) -> Window:
    """Sample the surroundings of a point and normalise them.

    Parameters
    ----------
    image : (H, W) array of any real dtype
    row, col : int
        The point, inside the image.
    octave : int
        Samples are ``2 ** octave`` px apart, after matching smoothing.
    theta : Theta
        `half_size` and `quiet` are used.
    polarity : {"bright", "dark", "auto"}
        ``auto`` uses the sign of the larger deviation from the background near the point.
    """
    samples, finite = _sample(image, row, col, theta.half_size, octave)
    places = geometry(theta.half_size)
    values = np.empty_like(samples)
    contrast, noise, step_inner, step_outer, dark = normalise_quiet(
        samples,
        *places.rings,
        places.near,
        POLARITIES[polarity],
        GRAIN,
        float(theta.quiet),
        np.empty(places.buffer_size),
        values,
    )
    return Window(values, contrast, noise, step_inner, step_outer, dark, finite, octave)


def settle(window: Window, theta: Theta) -> tuple[int, int, float]:
    """Find the peak near a click, which the click may be meant for if it is beside its target.

    Parameters
    ----------
    window : Window
        Centred on the click, at the image's own resolution.
    theta : Theta
        `settle_moves` is used.

    Returns
    -------
    rows, cols : int
        Offset of the peak from the click.
    share : float
        Smoothed contrast at the click relative to that at the peak, at most 1; also 1 if the
        peak is not above the background.
    """
    return climb_from_centre(window.values, theta.settle_moves)


def _sample(
    image: NDArray[np.generic], row: int, col: int, half_size: int, octave: int
) -> tuple[Field, bool]:
    """(2 half_size + 1)^2 samples around the point, the edge repeated beyond the border."""
    pitch = 2**octave
    margin = pitch - 1  # room for the smoothing's taps: 1 + 2 + 4 + ...
    crop, above, before, finite = crop_around(image, row, col, half_size * pitch + margin)
    side = 2 * (half_size * pitch + margin) + 1
    samples = np.empty((side, side))
    fill_window(crop, above, before, samples)
    for k in range(octave):
        coarser = np.empty_like(samples)
        smooth(samples, 2**k, coarser)
        samples = coarser
    if pitch > 1:
        inner_part = slice(margin, samples.shape[0] - margin, pitch)
        samples = np.ascontiguousarray(samples[inner_part, inner_part])
    return samples, finite


def crop_around(image: NDArray[np.generic], row: int, col: int, extent: int) -> tuple[Field, int, int, bool]:
    """Read the pixels around a point that lie within the image, finite and of moderate size.

    Returns
    -------
    crop : (h, w) float64
        Up to ``extent`` px from the point.
    above, before : int
        How many rows and columns of the whole window lie outside the image, before the crop.
    finite : bool
        False if pixels that are no finite numbers were replaced.
    """
    top, left = row - extent, col - extent
    crop = image[max(top, 0) : row + extent + 1, max(left, 0) : col + extent + 1].astype(
        np.float64, order="C"
    )
    finite = True
    if image.dtype.kind == "f":
        if not np.isfinite(crop).all():
            finite = False
            crop = fill_gaps(crop)
            good = crop[np.isfinite(crop)]
            crop[~np.isfinite(crop)] = np.median(good) if good.size else 0.0
        # Squares and quotients of extreme floats overflow; a power of two changes no other digit.
        exponent = int(np.frexp(np.abs(crop).max())[1])
        if abs(exponent) > 400:
            crop = np.ldexp(crop, -exponent)
    return crop, max(-top, 0), max(-left, 0), finite
