"""Places of a frame that stand out from all that surrounds them, strongest first."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pointmask.kernels.scale_space import smooth
from pointmask.proposals.kernels.peaks import mark_peaks
from pointmask.proposals.kernels.prominence import prominence, raise_to

Field = NDArray[np.float64]

# Octave of smoothing (standard deviation 0, 0.7, 1.6 and 3.2 px), and half the side of the square that a
# place must exceed. Targets have 1 to some 300 pixels.
SCALES = ((0, 2), (1, 3), (1, 5), (2, 5), (2, 8), (3, 8), (3, 12))

# Frames that differ by gain and offset agree bit for bit when values are rounded to this share of the spread.
_GRAIN = 2.0**-20
# Smallest unit of prominence, in units of the frame's spread: rendered frames are constant almost everywhere.
_LEAST_UNIT = 1e-3
_RADIUS = 2  # candidates are farther apart than this, px


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Places by prominence, largest first.

    Attributes
    ----------
    values : (H, W) float64
        The frame in units of its spread, its median at 0; dark targets are made bright.
    places : (k, 2) int64
        Row and column of each.
    prominence : (k,) float64
        How far it stands above its surroundings, in units of the frame's typical prominence; positive.
    """

    values: Field
    places: NDArray[np.int64]
    prominence: Field


def find_candidates(image: NDArray[np.generic], count: int, *, dark: bool) -> Candidates:
    """Find the most prominent places of a frame.

    Parameters
    ----------
    image : (H, W) array of any real dtype
        Gain and offset do not matter. Pixels that are not finite are no candidates.
    count : int
        Maximum number of places.
    dark : bool
        Search what is darker than its surroundings.

    Notes
    -----
    At each of seven scales a smoothed pixel is compared with the brightest of 16 samples on a square around
    it, so that edges and lines do not stand out. Each scale is divided by the median of its absolute values
    over the frame, and the largest of the seven is taken. What lost against this on a quarter of the train
    list, by the share of targets among the first 5 maxima of a frame: 8 samples instead of 16 (0.890 to
    0.911), Laplacian of Gaussian (0.71), top-hat (0.70), smaller curvature (0.76), contrast to a ring over
    its deviation (0.86); dividing by the local deviation made each worse. See the log of 2026-11-30.
    """
    values, missing = normalised(image, dark=dark)
    if missing is None:
        none = np.empty((0, 2), np.int64)
        return Candidates(values, none, np.empty(0))
    best = _prominences(values)
    best[missing] = 0.0
    peaks = np.empty(best.shape, np.bool_)
    mark_peaks(best, _RADIUS, peaks)
    places = np.argwhere(peaks)
    order = np.argsort(-best[peaks], kind="stable")
    places = _apart(places[order], count)
    return Candidates(values, places, best[places[:, 0], places[:, 1]])


def normalised(image: NDArray[np.generic], *, dark: bool) -> tuple[Field, NDArray[np.bool_] | None]:
    """Express a frame in units of its spread.

    Returns
    -------
    values : (H, W) float64
        0 is the median, 1 the median absolute deviation, or the mean one if that is 0. Missing pixels are
        filled from their surroundings.
    missing : (H, W) bool, or None
        Pixels that are not finite; None if the frame is constant or has none that is.
    """
    values = image.astype(np.float64)
    missing = ~np.isfinite(values)
    found = values[~missing]
    if not found.size:
        return np.zeros(values.shape), None
    largest = float(np.abs(found).max())
    if largest > 0:
        # Squares of extreme floats overflow; a power of two changes no other digit.
        values = np.ldexp(values, -int(np.frexp(largest)[1]))
        found = values[~missing]
    middle = float(np.median(found))
    distance = np.abs(found - middle)
    spread = float(np.median(distance)) or float(distance.mean())
    if spread == 0:
        return np.zeros(values.shape), None
    if missing.any():
        values = _filled(values, missing, middle)
    scaled = (values - middle) / (spread * _GRAIN)
    return np.rint(-scaled if dark else scaled) * _GRAIN, missing


def _filled(values: Field, missing: NDArray[np.bool_], middle: float) -> Field:
    """Replace missing pixels by means of the nearest others, found at ever coarser scales."""
    held = np.where(missing, 0.0, values - middle)
    weight = np.where(missing, 0.0, 1.0)
    spacing = 1
    while (weight == 0).any() and spacing < max(values.shape):
        wider, wider_weight = np.empty_like(held), np.empty_like(weight)
        smooth(held, spacing, wider)
        smooth(weight, spacing, wider_weight)
        empty = (weight == 0) & (wider_weight > 0)
        held[empty] = wider[empty] / wider_weight[empty]
        weight[empty] = 1.0
        spacing *= 2
    return held + middle


def _prominences(values: Field) -> Field:
    best = np.full(values.shape, -np.inf)
    level = np.empty_like(values)
    smoothed, octave = values, 0
    for wanted, reach in SCALES:
        while octave < wanted:
            coarser = np.empty_like(values)
            smooth(smoothed, 2**octave, coarser)
            smoothed, octave = coarser, octave + 1
        prominence(np.pad(smoothed, reach, mode="edge"), reach, level)
        raise_to(level, max(_typical_size(level), _LEAST_UNIT), best)
    return best


def _typical_size(values: Field) -> float:
    """Median of the absolute values; of an even number the larger of the middle two."""
    half = values.size // 2
    # NumPy's partition takes a fifth of the time of a quickselect in a kernel.
    return float(np.partition(np.abs(values), half, axis=None)[half])


def _apart(places: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Keep the first of places that lie within the radius of each other, at most `count`."""
    kept: list[tuple[int, int]] = []
    taken: set[tuple[int, int]] = set()
    around = [
        (y, x)
        for y in range(-_RADIUS, _RADIUS + 1)
        for x in range(-_RADIUS, _RADIUS + 1)
        if y * y + x * x <= _RADIUS**2
    ]
    for row, col in places.tolist():
        if (row, col) in taken:
            continue
        kept.append((row, col))
        taken.update((row + y, col + x) for y, x in around)
        if len(kept) == count:
            break
    return np.array(kept, np.int64).reshape(-1, 2)
