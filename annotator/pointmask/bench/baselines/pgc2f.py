"""PG-C2F: a Gaussian fitted round the click sets a box, and a random walker fills it.

Written from a description of the program that its authors published; no code was taken over.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import least_squares
from scipy.sparse import coo_array
from scipy.sparse.linalg import spsolve

from pointmask.annotator.target import Annotation
from pointmask.bench.baselines.base import Baseline
from pointmask.bench.baselines.parts.frame import (
    TargetPatch,
    as_rgb8,
    checked_points,
    checked_priors,
    compose,
    luma8,
)
from pointmask.bench.baselines.sizes import Box, SizePrior

F64 = NDArray[np.float64]

_HALF_PATCH = 20
_SMALLEST_PATCH = 5
_SIGMAS = 3.0
_MARGIN = 3
_LEAST_SIGMA, _MOST_SIGMA = 1.0, 10.0
_PLAIN_HALF = 2  # of the box where nothing can be fitted
_BETA = 200.0
_LEAST_WEIGHT = 1e-5
_STEPS = ((0, 1), (1, 0), (1, 1), (1, -1))  # to half of the eight neighbours


class PGC2F(Baseline):
    """PG-C2F as its program runs; nothing is random, and size priors are not used.

    Parameters
    ----------
    threshold : float
        Probability above which a pixel is target.

    Raises
    ------
    ValueError
        If `threshold` is not between 0 and 1.
    """

    label = "PG-C2F"
    reads_size = False
    sees: ClassVar[Literal["colour", "band"]] = "colour"

    def __init__(self, *, threshold: float = 0.1) -> None:
        if not 0 < threshold < 1:
            raise ValueError(f"threshold is {threshold}; it must lie between 0 and 1, both excluded")
        self._threshold = threshold

    def annotate(
        self,
        image: ArrayLike,
        points: Sequence[tuple[int, int]],
        *,
        size_prior: Sequence[SizePrior] | None = None,
        seed: int = 0,
    ) -> Annotation:
        """Annotate one image; size priors are checked and not used.

        Returns
        -------
        Annotation
            Over each box: ``soft`` is the probability that a random walk from a pixel reaches the click
            before the box's rim; ``mask`` is where it is above the threshold.
        """
        grey = luma8(as_rgb8(image)) / 255.0
        clicks = checked_points(points, grey.shape)
        checked_priors(size_prior, clicks, np.random.default_rng(seed))
        patches = []
        for click in clicks:
            box = fitted_box(grey, click)
            soft = walker(grey[box], (click[0] - box[0].start, click[1] - box[1].start))
            patches.append(TargetPatch(click, box, soft.astype(np.float32), soft > self._threshold))
        return compose(grey.shape, patches, erases=False)


def fitted_box(grey: F64, click: tuple[int, int]) -> Box:
    """Return the box of three standard deviations of the Gaussian round a click, and three pixels more.

    Parameters
    ----------
    grey : (H, W) float64 array
    click : tuple of int
        Row and column.
    """
    starts = [max(at - _HALF_PATCH, 0) for at in click]
    stops = [min(at + _HALF_PATCH + 1, side) for at, side in zip(click, grey.shape, strict=True)]
    patch = grey[starts[0] : stops[0], starts[1] : stops[1]]
    middle, reach = list(map(float, click)), [float(_PLAIN_HALF)] * 2
    if min(patch.shape) >= _SMALLEST_PATCH and np.ptp(patch) > _LEAST_WEIGHT:
        fit = _fit(patch)
        middle = [start + place for start, place in zip(starts, fit.middle, strict=True)]
        reach = [_SIGMAS * sigma for sigma in fit.sigmas]
    sides = []
    for at, centre, half, start, stop in zip(click, middle, reach, starts, stops, strict=True):
        low = max(np.floor(min(centre - half, at) - _MARGIN), start)
        high = min(np.ceil(max(centre + half, at) + _MARGIN), stop - 1)
        sides.append(slice(int(low), int(high) + 1))
    return sides[0], sides[1]


@dataclass(frozen=True, slots=True)
class _Gaussian:
    middle: tuple[float, float]
    sigmas: tuple[float, float]


def _fit(patch: F64) -> _Gaussian:
    """Fit an upright Gaussian on an offset to a patch, by least squares within bounds."""
    height, width = patch.shape
    rows, cols = np.indices(patch.shape, np.float64)
    wanted = (patch - patch.min()) / np.ptp(patch)

    def parts(p: F64) -> tuple[F64, F64, F64]:
        down, across = (rows - p[1]) / p[3], (cols - p[2]) / p[4]
        return np.exp(-(down**2 + across**2) / 2), down, across

    def residuals(p: F64) -> F64:
        return np.asarray((p[0] * parts(p)[0] + p[5] - wanted).ravel())

    def jacobian(p: F64) -> F64:
        bell, down, across = parts(p)
        scaled = p[0] * bell
        columns = (
            bell,
            scaled * down / p[3],
            scaled * across / p[4],
            scaled * down**2 / p[3],
            scaled * across**2 / p[4],
            np.ones_like(bell),
        )
        return np.stack([column.ravel() for column in columns], axis=1)

    # As the program: the middle of the patch, which at the border is not the click.
    start = (1.0, height / 2 - 1, width / 2 - 1, 2.0, 2.0, 0.0)
    lowest = (0.0, -height - 1.0, -width - 1.0, _LEAST_SIGMA, _LEAST_SIGMA, -1.0)
    highest = (2.0, 2.0 * height - 1, 2.0 * width - 1, _MOST_SIGMA, _MOST_SIGMA, 1.0)
    found = least_squares(residuals, start, jacobian, bounds=(lowest, highest), xtol=1e-3).x
    return _Gaussian((float(found[1]), float(found[2])), (float(found[3]), float(found[4])))


def walker(window: F64, seed: tuple[int, int]) -> F64:
    """Compute the probability that a random walk reaches a pixel before the rim of its window.

    Parameters
    ----------
    window : (h, w) float64 array
        Grey values in [0, 1]; steps between pixels of different value are rare.
    seed : tuple of int
        The pixel, which may lie on the rim.

    Returns
    -------
    (h, w) float64 array in [0, 1]
        1 at the pixel, 0 on the rest of the rim.
    """
    numbers = np.arange(window.size).reshape(window.shape)
    known = np.ones(window.shape, np.bool_)
    known[1:-1, 1:-1] = False
    known[seed] = True
    out = np.zeros(window.shape)
    out[seed] = 1.0
    free = numbers[~known]
    if not free.size:
        return out
    ones, others, weights = [], [], []
    for step in _STEPS:
        one, other = _pairs(numbers, step)
        differences = np.abs(window.ravel()[one] - window.ravel()[other])
        ones.append(one)
        others.append(other)
        weights.append(np.exp(-_BETA * differences) + _LEAST_WEIGHT)
    one, other, weight = np.concatenate(ones), np.concatenate(others), np.concatenate(weights)
    ends = np.concatenate([one, other]), np.concatenate([other, one])
    graph = coo_array((np.concatenate([weight, weight]), ends), shape=(window.size,) * 2).tocsr()
    degrees = coo_array((graph.sum(axis=1), (numbers.ravel(), numbers.ravel()))).tocsr()
    laplacian = (degrees - graph)[free]
    out.ravel()[free] = spsolve(laplacian[:, free].tocsc(), graph[free] @ out.ravel())
    return np.clip(out, 0.0, 1.0)


def _pairs(numbers: NDArray[np.int64], step: tuple[int, int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the numbers of all pixels that have a neighbour at a step, and of these neighbours."""
    rows, cols = step
    height, width = numbers.shape
    left = max(-cols, 0)
    one = numbers[: height - rows, left : width - max(cols, 0)]
    other = numbers[rows:, left + cols : width - max(cols, 0) + cols]
    return one.ravel(), other.ravel()
