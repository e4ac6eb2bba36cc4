"""Difficulty of an image before training: cluttered background, faint targets.

The published code reads such numbers from a file that is not part of it; this is our definition. It depends
on the image and its points alone, and on neither gain nor offset of the grey values.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter

from pointmask_trainer.data.split import Split, for_every_image

Field = NDArray[np.float64]

_GREYS = 256
_TARGET = 9  # radius in px round a point that is left out of the background
_CORE, _RING = 1, (4, 12)  # half side of the square on the target; the ring round it, in px
_PEAK, _ABOVE = 7, 1.5  # side of the square that a peak tops; standard deviations over the mean


def measure_image(image: NDArray[np.generic], points: NDArray[np.int64]) -> tuple[float, float, float, float]:
    """Measure one image: entropy, gradient and peaks of the background, difficulty of the targets."""
    return *background_complexity(image, points), target_difficulty(image, points)


def background_complexity(
    image: NDArray[np.generic], points: NDArray[np.int64]
) -> tuple[float, float, float]:
    """Measure an image without discs round its points.

    Parameters
    ----------
    image : (H, W) array of any real dtype
    points : (K, 2) int array
        Row and column.

    Returns
    -------
    entropy : float
        Of the grey values, in bits, at 256 levels between the least and the greatest.
    gradient : float
        Mean magnitude, the range of grey values per px.
    peaks : float
        Local maxima that stand out, per px.
    """
    values = _unit_range(image)
    background = np.ones(values.shape, np.bool_)
    for row, col in points:
        background[_square(values.shape, row, col, _TARGET)] &= ~_disc(values.shape, row, col, _TARGET)
    if not background.any():
        return 0.0, 0.0, 0.0
    seen = values[background]
    counts = np.bincount((seen * (_GREYS - 1) + 0.5).astype(np.int64), minlength=_GREYS)
    shares = counts[counts > 0] / seen.size
    slopes = [np.gradient(values, axis=k) if values.shape[k] > 1 else np.zeros_like(values) for k in (0, 1)]
    stands_out = (values == maximum_filter(values, _PEAK)) & (values > seen.mean() + _ABOVE * seen.std())
    return (
        float(-(shares * np.log2(shares)).sum()),
        float(np.hypot(*slopes)[background].mean()),
        float((stands_out & background).sum() / seen.size),
    )


def target_difficulty(image: NDArray[np.generic], points: NDArray[np.int64]) -> float:
    """Mean over targets of ``-log(1 + |m_t - m_b| / (s_b + g))``; 0 for no target, lower for clearer ones.

    m_t is the mean of 3 x 3 px at the point, m_b and s_b mean and deviation in a ring round it, and g one
    grey level of 256.
    """
    values = _unit_range(image)
    clarity = []
    for row, col in points:
        core = values[_square(values.shape, row, col, _CORE)]
        place = _square(values.shape, row, col, _RING[1])
        inner, outer = (_disc(values.shape, row, col, radius, _RING[1]) for radius in _RING)
        ring = values[place][outer & ~inner]
        contrast = abs(core.mean() - ring.mean()) / (ring.std() + 1 / _GREYS) if ring.size else 0.0
        clarity.append(-np.log1p(contrast))
    return float(np.mean(clarity)) if clarity else 0.0


def prior_difficulty(measured: Sequence[tuple[float, float, float, float]]) -> Field:
    """Combine the measurements of a split's images: standard scores, summed and scored again.

    Parameters
    ----------
    measured : sequence of (entropy, gradient, peaks, target difficulty)

    Returns
    -------
    (N,) float64
        Mean 0 over the split; higher is harder.
    """
    columns = _scores(np.array(measured, np.float64).reshape(-1, 4))
    background = _scores(columns[:, :3].sum(1, keepdims=True))
    return np.asarray(_scores(background[:, 0:1] + columns[:, 3:])[:, 0])


def _scores(columns: Field) -> Field:
    spread = columns.std(0)
    return np.asarray((columns - columns.mean(0)) / np.where(spread > 1e-12, spread, 1.0))


def _unit_range(image: NDArray[np.generic]) -> Field:
    values = image.astype(np.float64)
    low, high = values.min(), values.max()
    return np.asarray((values - low) / (high - low) if high > low else np.zeros_like(values))


def _square(shape: tuple[int, ...], row: int, col: int, half: int) -> tuple[slice, slice]:
    rows = slice(max(row - half, 0), min(row + half + 1, shape[0]))
    return rows, slice(max(col - half, 0), min(col + half + 1, shape[1]))


def _disc(
    shape: tuple[int, ...], row: int, col: int, radius: int, half: int | None = None
) -> NDArray[np.bool_]:
    """Pixels at most `radius` from a point, over the square of half side `half` (or `radius`) round it."""
    rows, cols = _square(shape, row, col, radius if half is None else half)
    near = np.ogrid[rows, cols]
    return np.asarray((near[0] - row) ** 2 + (near[1] - col) ** 2 <= radius**2)


def difficulty_of(split: Split) -> NDArray[np.float64]:
    """Difficulty of every image of a split before training, (N,)."""
    return prior_difficulty(
        for_every_image(split, lambda k: measure_image(split.images.stored(k), split.points[k]))
    )
