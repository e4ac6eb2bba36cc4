"""One image and its points in, soft labels, masks and confidence out: the heart of pointmask."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pointmask.confidence import predicted_iou
from pointmask.errors import ImageError, PointsError
from pointmask.fuse import binarise, enlarge_octaves, fuse
from pointmask.potential import Operator, assemble, solve
from pointmask.superpixel import point_superpixel
from pointmask.theta import Theta
from pointmask.window import Polarity as Polarity
from pointmask.window import Window, read_window

Box = tuple[int, int, int, int]

_CELL = 32  # px; about the size of a large target, so that a box lies in few cells of the grid


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """What was found at one point. Coordinates are those of the full image, boxes half-open.

    Attributes
    ----------
    point : (row, col)
    window : (top, left, bottom, right)
        The part of the image in which the target was looked for.
    soft : (h, w) float32
        Soft label over the window, in [0, 1].
    mask : (h, w) bool
        Mask over the window; never empty.
    area : int
        Pixels of the mask.
    box : (top, left, bottom, right)
        Of the mask.
    confidence : float
        Predicted IoU with a hand-drawn mask, in [0, 1].
    flags : tuple of str
        ``border``: the mask meets the image's border. ``clipped``: it meets the window's border, so
        the target may be larger. ``shared``: its pixels overlapped another point's and were divided.
        ``dark``: darker than its surroundings. ``nonfinite``: NaN or infinite pixels in the window
        were replaced. ``flat``: no contrast at the point. ``weak``: nothing near the point reached
        the level; the mask is the point's pixel alone.
    """

    point: tuple[int, int]
    window: Box
    soft: NDArray[np.float32]
    mask: NDArray[np.bool_]
    area: int
    box: Box
    confidence: float
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Annotation:
    """Result for one image. Full-size arrays are made on demand, so cost does not grow with the frame.

    Attributes
    ----------
    shape : (H, W)
    targets : tuple of Target
        One per point, in the order of the points.
    """

    shape: tuple[int, int]
    targets: tuple[Target, ...]

    @property
    def soft(self) -> NDArray[np.float32]:
        """(H, W) float32 in [0, 1]: pixel-wise maximum over targets."""
        out = np.zeros(self.shape, np.float32)
        for target in self.targets:
            view = out[_slices(target.window)]
            np.maximum(view, target.soft, out=view)
        return out

    @property
    def mask(self) -> NDArray[np.bool_]:
        """(H, W) bool: union of the targets' masks."""
        out = np.zeros(self.shape, np.bool_)
        for target in self.targets:
            out[_slices(target.window)] |= target.mask
        return out

    @property
    def instances(self) -> NDArray[np.uint16]:
        """(H, W) uint16: 0 background, k for the k-th point (1-based)."""
        out = np.zeros(self.shape, np.uint16)
        for k, target in enumerate(self.targets, 1):
            out[_slices(target.window)][target.mask] = k
        return out


def annotate(
    image: ArrayLike,
    points: Sequence[tuple[int, int]],
    *,
    theta: Theta | str | Path = "default",
    polarity: Polarity = "bright",
) -> Annotation:
    """Turn points into masks.

    Parameters
    ----------
    image : (H, W) array_like
        One infrared band in any real dtype: counts, kelvins, anything. Gain and offset do not matter.
        NaN, infinite and masked pixels are replaced by the median of their window.
    points : sequence of (row, col)
        One 0-based pixel per target. Their order is kept; they need not lie exactly on the target.
    theta : Theta, "default", "paper" or path of a TOML file
    polarity : {"bright", "dark", "auto"}
        Whether targets are brighter or darker than their surroundings; ``auto`` decides per target.

    Returns
    -------
    Annotation

    Raises
    ------
    ImageError
        If the image is not two-dimensional, is empty, or is not of a real numeric dtype.
    PointsError
        If a point is not a pair of whole numbers or lies outside the image.
    ThetaError
        If theta cannot be read.

    Notes
    -----
    Each target is solved in its own window (equations 2 to 4 of the paper, see `Theta`). Pixels
    claimed by several targets go to the one with the larger soft label, on a tie to the nearer
    point, then to the earlier one; a point's own pixel is always its own. So two points on one target
    share it (flag ``shared``) without changing the union. Only a point that is left with nothing, such
    as the second of two on the very same pixel, keeps that one pixel together with its owner.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.full((64, 64), 100.0)
    >>> image[30:33, 40:44] = 150.0
    >>> found = annotate(image, [(31, 41)])
    >>> bool(found.mask[31, 42])
    True
    """
    image = _checked_image(image)
    operator = assemble(Theta.load(theta))
    if polarity not in ("bright", "dark", "auto"):
        raise ValueError(f"polarity {polarity!r} is unknown; use 'bright', 'dark' or 'auto'")
    targets = [
        _annotate_point(image, *_checked_point(point, image.shape), operator, polarity) for point in points
    ]
    return Annotation(image.shape, tuple(_divide_shared(targets)))


def _annotate_point(
    image: NDArray[np.generic], row: int, col: int, operator: Operator, polarity: Polarity
) -> Target:
    """Solve one target, in a coarser and larger window while it is too large for this one."""
    theta = operator.theta
    octave = 0
    while True:
        window = read_window(image, row, col, theta.half_size, octave, polarity)
        if window.contrast <= 0:
            break
        potential = solve(window, operator)
        superpixel = point_superpixel(
            window.values,
            kind=theta.superpixel,
            step=theta.superpixel_step,
            compactness=theta.compactness,
            iterations=theta.superpixel_iterations,
        )
        soft = fuse(potential, superpixel, theta.rho)
        target = _target(image.shape, (row, col), window, superpixel, soft, octave, theta)
        coarser = _octave_needed(image, target, window, octave, theta, polarity)
        if coarser == octave:
            return target
        octave = coarser
    box = (row, col, row + 1, col + 1)
    one = np.ones((1, 1), np.float32)
    return Target((row, col), box, one, one > 0, 1, box, 0.0, ("flat",))


def _octave_needed(
    image: NDArray[np.generic], target: Target, window: Window, octave: int, theta: Theta, polarity: Polarity
) -> int:
    """Octave at which a target should be solved: the present one, or a coarser one if it is too large."""
    if octave == theta.octaves:
        return octave
    # A mask that outgrows even the coarser window is a leak sooner than a target: no second time.
    if octave == 0 and ("clipped" in target.flags or target.area > theta.large_area):
        return 1
    if window.noise > theta.buried:
        # The background ring may lie inside a large target: then some coarser window is far clearer.
        # More so the farther one looks, since clouds and waves grow clearer with distance as well.
        for coarser in range(octave + 1, theta.octaves + 1):
            wider = read_window(image, *target.point, theta.half_size, coarser, polarity)
            if wider.contrast > 0 and wider.noise < theta.buried / 2 ** (coarser - octave):
                return coarser
    return octave


def _target(
    shape: tuple[int, ...],
    point: tuple[int, int],
    window: Window,
    superpixel: NDArray[np.bool_],
    soft: NDArray[np.float64],
    octave: int,
    theta: Theta,
) -> Target:
    """Bring a soft label back to the image's pixels, cut it at the border, binarise and describe it."""
    pitch = 2**octave
    half = theta.half_size * pitch
    row, col = point
    top, left = max(row - half, 0), max(col - half, 0)
    bottom, right = min(row + half + 1, shape[0]), min(col + half + 1, shape[1])
    inside = (slice(top - row + half, bottom - row + half), slice(left - col + half, right - col + half))
    fine = np.ascontiguousarray(enlarge_octaves(soft, octave)[inside])
    mask, area = binarise(fine, theta.level, row - top, col - left, theta.reach * pitch)
    box = _box_of(mask, top, left)
    border = box[0] == 0 or box[1] == 0 or box[2] == shape[0] or box[3] == shape[1]
    clipped = (
        box[0] == row - half or box[1] == col - half or box[2] == row + half + 1 or box[3] == col + half + 1
    )
    flags = {
        "border": border,
        "clipped": clipped,
        "dark": window.dark,
        "nonfinite": not window.finite,
        "weak": not area,
    }
    return Target(
        point=point,
        window=(top, left, bottom, right),
        soft=fine.astype(np.float32),
        mask=mask,
        area=max(area, 1),
        box=box,
        confidence=predicted_iou(window, soft, superpixel, fine, mask, theta),
        flags=tuple(name for name, holds in flags.items() if holds),
    )


def _box_of(mask: NDArray[np.bool_], top: int, left: int) -> Box:
    rows, cols = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return (top + int(rows[0]), left + int(cols[0]), top + int(rows[-1]) + 1, left + int(cols[-1]) + 1)


def _divide_shared(targets: list[Target]) -> list[Target]:
    """Give every pixel that several masks claim to one of them."""
    result = list(targets)
    for group in _crowds(targets):
        top, left, bottom, right = _hull([targets[k].box for k in group])
        owner = np.full((bottom - top, right - left), -1)
        claims = np.zeros(owner.shape, np.int32)
        best = np.zeros(owner.shape, np.float32)
        distance = np.zeros(owner.shape, np.int64)
        for k in group:
            target = targets[k]
            place = _slices(_moved(target.box, top, left))
            part = _slices(_moved(target.box, *target.window[:2]))
            mask, soft = target.mask[part], target.soft[part]
            rows, cols = np.ogrid[target.box[0] : target.box[2], target.box[1] : target.box[3]]
            near = (rows - target.point[0]) ** 2 + (cols - target.point[1]) ** 2
            level = np.where(near == 0, np.float32(2), soft)  # a point's own pixel is always its own
            better = (level > best[place]) | ((level == best[place]) & (near < distance[place]))
            wins = mask & ((owner[place] < 0) | better)
            claims[place] += mask
            owner[place][wins] = k
            best[place][wins] = level[wins]
            distance[place][wins] = near[wins]
        for k in group:
            target = targets[k]
            place = _slices(_moved(target.box, top, left))
            part = _slices(_moved(target.box, *target.window[:2]))
            if (claims[place][target.mask[part]] > 1).any():
                kept = np.zeros_like(target.mask)
                kept[part] = owner[place] == k
                result[k] = _reclaimed(target, kept)
    return result


def _crowds(targets: list[Target]) -> list[list[int]]:
    """Group targets whose boxes overlap, directly or through others; lonely targets are left out.

    Boxes are compared within the cells of a grid, so the cost is linear in crowds of bounded density.
    """
    cells: dict[tuple[int, int], list[int]] = {}
    parent = list(range(len(targets)))

    def root(k: int) -> int:
        while parent[k] != k:
            parent[k] = parent[parent[k]]
            k = parent[k]
        return k

    for b, target in enumerate(targets):
        top, left, bottom, right = target.box
        for row in range(top // _CELL, (bottom - 1) // _CELL + 1):
            for col in range(left // _CELL, (right - 1) // _CELL + 1):
                cell = cells.setdefault((row, col), [])
                for a in cell:
                    if _overlap(targets[a].box, target.box):
                        parent[root(b)] = root(a)
                cell.append(b)
    groups: dict[int, list[int]] = {}
    for k in range(len(targets)):
        groups.setdefault(root(k), []).append(k)
    return [group for group in groups.values() if len(group) > 1]


def _reclaimed(target: Target, mask: NDArray[np.bool_]) -> Target:
    """Describe a target anew after it gave pixels away."""
    if not mask.any():
        mask[target.point[0] - target.window[0], target.point[1] - target.window[1]] = True
    box = _box_of(mask, *target.window[:2])
    return replace(target, mask=mask, area=int(mask.sum()), box=box, flags=(*target.flags, "shared"))


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _hull(boxes: list[Box]) -> Box:
    tops, lefts, bottoms, rights = zip(*boxes, strict=True)
    return min(tops), min(lefts), max(bottoms), max(rights)


def _moved(box: Box, top: int, left: int) -> Box:
    return box[0] - top, box[1] - left, box[2] - top, box[3] - left


def _slices(box: Box) -> tuple[slice, slice]:
    return slice(box[0], box[2]), slice(box[1], box[3])


def _checked_image(image: ArrayLike) -> NDArray[np.generic]:
    if isinstance(image, np.ma.MaskedArray):
        image = np.ma.filled(image.astype(np.float64), np.nan)
    array = np.asarray(image)
    if array.ndim != 2:
        raise ImageError(
            f"the image has shape {array.shape}; one band (H, W) is needed, so pick or average the bands"
        )
    if array.size == 0:
        raise ImageError(f"the image has shape {array.shape} and holds no pixel; check how it was cut")
    if array.dtype.kind not in "buif":
        raise ImageError(f"the image has dtype {array.dtype}; real numbers are needed, so convert it first")
    return array


def _checked_point(point: tuple[int, int], shape: tuple[int, ...]) -> tuple[int, int]:
    try:
        row, col = point
        whole = int(row), int(col)
    except (TypeError, ValueError, OverflowError):
        whole = None
    if whole is None or any(isinstance(value, (bool, np.bool_, str)) for value in point):
        raise PointsError(f"point {point!r} is not a (row, col) pair of whole numbers")
    if whole != (row, col):
        raise PointsError(f"point {point!r} is not on the pixel grid; round row and col to whole numbers")
    if not (0 <= whole[0] < shape[0] and 0 <= whole[1] < shape[1]):
        raise PointsError(
            f"point (row {whole[0]}, col {whole[1]}) lies outside the image of {shape[0]} rows and "
            f"{shape[1]} columns; points are 0-based (row, col) pixels"
        )
    return whole
