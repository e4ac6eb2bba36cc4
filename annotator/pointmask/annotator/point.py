"""Annotation of one point: where to solve from, at which scale, and which of two masks to use."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pointmask.annotator.confidence import measurements_of, predicted
from pointmask.annotator.fuse import enlarge_octaves, fuse, mix_finer
from pointmask.annotator.operator import Operator, solve
from pointmask.annotator.rivals import Click, is_owned
from pointmask.annotator.solved import Solved, clicked, cut, described, marked_beside, moved, recut
from pointmask.annotator.superpixel import superpixel_of
from pointmask.annotator.target import Box, Target, slices_of
from pointmask.annotator.window import POLARITIES, Window, crop_around, read_window, settle
from pointmask.kernels.regions import extent
from pointmask.kernels.target import solve_target
from pointmask.theta import Polarity, Theta

# A large target gains at least this factor in contrast if the background is measured outside it; clutter
# around a small one does not. On the train list 1.5 separates the two; without this test, small dim targets
# next to clouds grew to hundreds of pixels (-1 point for clicks moved by 3 px).
_HIGHER = 1.5

# The mask of the peak replaces that of the click if its predicted IoU is higher by this much. Half of it, or
# none, follows brighter clutter (-0.8 points for clicks beside the target).
_SURER = 0.1

# And only if it comes this close to the click, in px.
_BESIDE = 3

# A click in a margin, this far from its end in px, is meant for the target there.
_MEANT = 3


def annotate_point(
    image: NDArray[np.generic],
    row: int,
    col: int,
    operator: Operator,
    polarity: Polarity,
    others: Sequence[Click] = (),
) -> Target:
    """Return the undivided target of one click; arguments as for `solve_point`."""
    return solve_point(image, row, col, operator, polarity, others).target


def solve_point(
    image: NDArray[np.generic],
    row: int,
    col: int,
    operator: Operator,
    polarity: Polarity,
    others: Sequence[Click] = (),
) -> Solved:
    """Solve one target from its click, from the peak the click leads to, or the more confident of both.

    Parameters
    ----------
    image : (H, W) array
    row, col : int
        The click.
    operator : Operator
    polarity : {"bright", "dark", "auto"}
    others : sequence of (row, col)
        Other clicks nearby. A target is never solved from a pixel that is nearer to one of them.
    """
    solved = _solve_best(image, (row, col), operator, polarity, others)
    theta = operator.theta
    return recut(solved, theta) if theta.style else marked_beside(solved)


def solve_live(
    image: NDArray[np.generic],
    live: Box | None,
    click: Click,
    operator: Operator,
    polarity: Polarity,
    others: Sequence[Click] = (),
) -> Solved:
    """
    Solve one target as if the image ended where its margins begin.

    Parameters
    ----------
    image : (H, W) array
    live : (top, left, bottom, right) or None
        The image without margins; None if it has none.
    click, operator, polarity, others
        As for `solve_point`.

    Returns
    -------
    Solved
        In pixels of the whole image. A click in a margin, more than 3 px from its end, has the flag ``flat``.
    """
    if live is None:
        return solve_point(image, *click, operator, polarity, others)
    top, left, bottom, right = live
    nearest = min(max(click[0], top), bottom - 1), min(max(click[1], left), right - 1)
    if max(abs(nearest[0] - click[0]), abs(nearest[1] - click[1])) > _MEANT:
        return flat(click, image.shape)
    start, *near = ((row - top, col - left) for row, col in (nearest, *others))
    solved = solve_point(image[slices_of(live)], *start, operator, polarity, near)
    solved = moved(solved, live)
    return solved if nearest == click else clicked(solved, click)


def _solve_best(
    image: NDArray[np.generic],
    click: Click,
    operator: Operator,
    polarity: Polarity,
    others: Sequence[Click],
) -> Solved:
    theta = operator.theta
    row, col = click
    begun = _begin(image, click, click, operator, polarity, theta.settle_below)
    window = begun.window
    if window.contrast <= 0:
        return flat(click, image.shape)
    rows, cols, share = begun.peak
    peak = min(max(row + rows, 0), image.shape[0] - 1), min(max(col + cols, 0), image.shape[1] - 1)
    may_settle = peak != click and is_owned(peak, click, others)
    if may_settle and share < theta.settle_below:
        return _solve_centred(image, click, peak, None, operator, polarity, others)
    solved = _solve_centred(image, click, click, begun, operator, polarity, others)
    if may_settle and share < theta.settle_doubt:
        other = _solve_centred(image, click, peak, None, operator, polarity, others)
        surer = other.target.confidence > solved.target.confidence + _SURER
        if surer and _comes_near(other.target, click):
            return other
    return solved


def _solve_centred(
    image: NDArray[np.generic],
    click: tuple[int, int],
    start: tuple[int, int],
    begun: "_Begun | None",
    operator: Operator,
    polarity: Polarity,
    others: Sequence[Click],
) -> Solved:
    """Solve from one pixel, and once more from the centroid if the pixel is off-centre in its mask."""
    theta = operator.theta
    solved = _solve_from(image, click, start, begun, operator, polarity)
    target = solved.target
    if theta.recentre and "weak" not in target.flags:
        middle, distance = _middle(target)
        radius = max(math.sqrt(target.area / math.pi), 1.0)
        # Every window must hold its click: a weak mask and a crowd both fall back on that pixel.
        near = max(abs(middle[0] - click[0]), abs(middle[1] - click[1])) <= theta.half_size
        near = near and is_owned(middle, click, others)
        if near and (distance > theta.recentre * radius or not _holds(target, click)):
            return _solve_from(image, click, middle, None, operator, polarity)
    return solved


def flat(click: Click, shape: tuple[int, ...]) -> Solved:
    """Return the target of a click on a constant image: that pixel, of which nothing is known."""
    row, col = click
    box = (row, col, row + 1, col + 1)
    one = np.ones((1, 1), np.float32)
    target = Target(click, box, one, one > 0, 1, box, 0.0, ("flat",), click, 0)
    return Solved(target, None, np.zeros((1, 1)), one.astype(np.float64), (0, 0, shape[0], shape[1]))


def _middle(target: Target) -> tuple[tuple[int, int], float]:
    """Pixel of the mask's centroid, halves rounded towards the click, and its distance from the click."""
    sums = extent(target.mask)[4:]
    offsets = [
        start - origin + total / target.area
        for total, start, origin in zip(sums, target.window[:2], target.point, strict=True)
    ]
    moved = [int(math.copysign(math.ceil(abs(offset) - 0.5), offset)) for offset in offsets]
    return (target.point[0] + moved[0], target.point[1] + moved[1]), math.hypot(*offsets)


def _holds(target: Target, pixel: tuple[int, int]) -> bool:
    """Whether a pixel of the image is in the target's mask."""
    top, left, bottom, right = target.box
    if not (top <= pixel[0] < bottom and left <= pixel[1] < right):
        return False
    return bool(target.mask[pixel[0] - target.window[0], pixel[1] - target.window[1]])


def _comes_near(target: Target, pixel: tuple[int, int]) -> bool:
    """Whether the target's mask comes within a few px of a pixel of the image."""
    rows, cols = np.nonzero(target.mask)
    squares = (rows + target.window[0] - pixel[0]) ** 2 + (cols + target.window[1] - pixel[1]) ** 2
    return bool(squares.min() <= _BESIDE**2)


def _solve_from(
    image: NDArray[np.generic],
    click: tuple[int, int],
    centre: tuple[int, int],
    begun: "_Begun | None",
    operator: Operator,
    polarity: Polarity,
) -> Solved:
    """Solve from one pixel, at coarser octaves until the target fits into the window."""
    theta = operator.theta
    if begun is None or (operator.at_once and begun.solved is None):
        begun = _begin(image, click, centre, operator, polarity)
    octave, window, solved = 0, begun.window, begun.solved
    finer = None
    while True:
        if solved is None:
            solved = _solve_window(image, click, centre, window, finer, operator)
        large = octave == 0 < theta.octaves and _is_large(solved.target, theta)
        coarser = 1 if large else _clearer_octave(image, centre, window, octave, theta, polarity)
        if coarser == octave:
            return solved
        finer = solved.soft if large else None
        octave, solved = coarser, None
        window = read_window(image, *centre, octave, theta, polarity)


@dataclass(frozen=True, slots=True, eq=False)
class _Begun:
    """A window at the image's own resolution, the peak near its centre as `settle` finds it, and the target.

    The target is None if the click leads to a peak, if there is no contrast, or if the operator's steps must
    be called one by one.
    """

    window: Window
    peak: tuple[int, int, float]
    solved: Solved | None


def _begin(
    image: NDArray[np.generic],
    click: Click,
    centre: Click,
    operator: Operator,
    polarity: Polarity,
    stop_below: float = 0.0,
) -> _Begun:
    """Solve at the image's own resolution, in one call if possible; see `solve_target` for ``stop_below``."""
    theta = operator.theta
    half, (row, col) = theta.half_size, centre
    if not operator.at_once:
        window = read_window(image, row, col, 0, theta, polarity)
        return _Begun(window, settle(window, theta), None)
    crop, above, before, finite = crop_around(image, row, col, half)
    top, left = row - half + above, col - half + before
    values, soft, sums = np.empty_like(operator.source), operator.source.copy(), np.empty(12)
    mask = np.empty(crop.shape, np.bool_)
    facts, peak, (area, *extent_of) = solve_target(
        crop,
        above,
        before,
        click[0] - top,
        click[1] - left,
        POLARITIES[polarity],
        stop_below,
        operator.geometry,
        operator.network,
        operator.stages,
        operator.numbers,
        operator.clusters,
        values,
        soft,
        mask,
        sums,
    )
    window = Window(values, *facts, finite)
    if area < 0:
        return _Begun(window, peak, None)
    height, width = crop.shape
    place = top, left, top + height, left + width
    box = top + extent_of[0], left + extent_of[1], top + extent_of[2], left + extent_of[3]
    fine = np.ascontiguousarray(soft[above : above + height, before : before + width])
    confidence = predicted(measurements_of(sums), theta)
    within = 0, 0, image.shape[0], image.shape[1]
    solved = described(
        within, click, centre, place, window, soft, fine, fine, mask, area, box, confidence, 0, half
    )
    return _Begun(window, peak, solved)


def _solve_window(
    image: NDArray[np.generic],
    click: Click,
    centre: Click,
    window: Window,
    finer: NDArray[np.float64] | None,
    operator: Operator,
) -> Solved:
    """Solve in a window of any octave, step by step; ``finer`` is the soft label of the octave below."""
    theta, octave = operator.theta, window.octave
    potential = solve(window, operator)
    superpixel = superpixel_of(window, theta)
    soft = fuse(potential, superpixel, theta.rho)
    fine = enlarge_octaves(soft, octave)
    if finer is not None:
        soft, fine = mix_finer(fine, finer, theta.finer_share)
    return cut(image.shape, click, centre, window, soft, fine, octave, theta)


def _is_large(target: Target, theta: Theta) -> bool:
    """Whether a mask at the image's own resolution may be too large for its window."""
    return "clipped" in target.flags or target.area > theta.large_area


def _clearer_octave(
    image: NDArray[np.generic],
    centre: tuple[int, int],
    window: Window,
    octave: int,
    theta: Theta,
    polarity: Polarity,
) -> int:
    """Octave at which a target that is buried in its background stands out; usually the current one."""
    if window.noise > theta.buried:
        # The background ring may lie inside a large target; a coarser window then has much less noise. The
        # criterion is stricter for coarser windows, since clouds and waves also stand out more with distance.
        for coarser in range(octave + 1, theta.octaves + 1):
            wider = read_window(image, *centre, coarser, theta, polarity)
            clearer = wider.noise < theta.buried / 2 ** (coarser - octave)
            if clearer and wider.contrast > _HIGHER * window.contrast:
                return coarser
    return octave
