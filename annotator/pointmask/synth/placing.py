"""Placement of targets in synthetic scenes, and the amplitude that gives the required contrast."""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from pointmask.synth.sensor import Scale
from pointmask.synth.targets import Stamp, TargetSpec, render

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# The ring that defines the contrast: more than GUARD and up to RING steps from the mask.
GUARD, RING = 2, 7
GAP = 3  # free pixels between two targets that are not meant to touch
MARGIN = 2  # pixels between a mask and the border of the frame
TRIES = 40
ROOM = 1.15  # a target's peak may exceed the range of counts by this factor: real ones saturate a little

_EIGHT = np.ones((3, 3), bool)


@dataclass(slots=True, eq=False)
class Canvas:
    """The frame while targets are being added to it."""

    frame: Floats  # (H, W) kelvin, without noise
    scale: Scale
    noise: float  # kelvin, quantisation included
    instances: NDArray[np.uint16] = field(init=False)  # (H, W)

    def __post_init__(self) -> None:
        self.instances = np.zeros(self.frame.shape, np.uint16)


@dataclass(frozen=True, slots=True)
class Placed:
    """A target that has been added."""

    point: tuple[int, int]
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    """A candidate position of a stamp."""

    corner: tuple[int, int]
    contrast: float  # as far as the position allows
    amplitude: float  # kelvin
    level: float  # mean of the ring, kelvin


def place(rng: np.random.Generator, canvas: Canvas, spec: TargetSpec, sigma: float) -> Placed:
    """Add one target to the canvas.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of position and appearance.
    canvas : Canvas
        Modified in place.
    spec : TargetSpec
        With area, shape and contrast set.
    sigma : float
        Standard deviation of the optics' core in pixels.

    Raises
    ------
    ValueError
        If the target does not fit inside the frame or next to those already there.
    """
    assert spec.area is not None
    assert spec.shape is not None
    assert spec.contrast is not None
    middle, offset = _split(rng, spec.center)
    stamp = render(rng, spec.shape, spec.area, sigma=sigma, offset=offset).padded(RING)
    if spec.touches:
        corners = _corners_beside(rng, canvas, stamp)
    elif middle is not None:
        corners = [(middle[0] - stamp.reach, middle[1] - stamp.reach)]
    else:
        corners = _corners_anywhere(rng, canvas, stamp)
    fit = _best_fit(canvas, stamp, spec, corners)
    if fit is None:
        raise ValueError(
            f"a target of {spec.area:g} pixels finds no place in a frame of {canvas.frame.shape[0]} x "
            f"{canvas.frame.shape[1]} with the others; enlarge the frame or ask for fewer or smaller targets"
        )
    return _add(canvas, stamp, fit, spec)


def _split(
    rng: np.random.Generator, center: tuple[float, float] | None
) -> tuple[tuple[int, int] | None, tuple[float, float]]:
    """Integer and fractional part of a centre; without one, only a random fraction."""
    if center is None:
        return None, (float(rng.uniform(-0.5, 0.5)), float(rng.uniform(-0.5, 0.5)))
    row, col = round(center[0]), round(center[1])
    return (row, col), (center[0] - row, center[1] - col)


def _extent(mask: Bools) -> tuple[int, int, int, int]:
    """First and last row, first and last column of a mask."""
    rows, cols = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(rows[0]), int(rows[-1]), int(cols[0]), int(cols[-1])


def _corners_anywhere(rng: np.random.Generator, canvas: Canvas, stamp: Stamp) -> list[tuple[int, int]]:
    """Random top left corners that keep the mask inside the frame."""
    top, bottom, left, right = _extent(stamp.mask)
    height, width = canvas.frame.shape
    spare = (height - MARGIN - bottom - (MARGIN - top), width - MARGIN - right - (MARGIN - left))
    if min(spare) < 1:
        return []
    rows = rng.integers(spare[0], size=TRIES) + MARGIN - top
    cols = rng.integers(spare[1], size=TRIES) + MARGIN - left
    return list(zip(rows.tolist(), cols.tolist(), strict=True))


def _corners_beside(rng: np.random.Generator, canvas: Canvas, stamp: Stamp) -> list[tuple[int, int]]:
    """Corners at which the stamp's mask touches the last target's, in a few random directions.

    Moving away from the last target, the first position without overlap is at most one pixel along each axis
    from a position with overlap, so the two masks are neighbours there.
    """
    last = int(canvas.instances.max())
    if last == 0:
        raise ValueError("the first target has none before it to touch; set touches only from the second on")
    where = np.argwhere(canvas.instances == last)
    start = where[len(where) // 2] - stamp.reach
    taken = {(int(r), int(c)) for r, c in where}
    own = np.argwhere(stamp.mask)
    corners = []
    for turn in rng.uniform(0, 2 * np.pi, 8):
        step = 0.0
        corner = (int(start[0]), int(start[1]))
        while any((int(r), int(c)) in taken for r, c in own + corner):
            step += 0.5
            corner = (
                round(float(start[0] + step * math.sin(turn))),
                round(float(start[1] + step * math.cos(turn))),
            )
        corners.append(corner)
    return corners


def _best_fit(canvas: Canvas, stamp: Stamp, spec: TargetSpec, corners: list[tuple[int, int]]) -> _Fit | None:
    """First position that allows the full contrast, otherwise the one that allows most of it."""
    assert spec.contrast is not None
    gap = np.zeros_like(stamp.mask) if spec.touches else ndi.binary_dilation(stamp.mask, _EIGHT, GAP)
    ring = _ring(stamp.mask)
    best = None
    for corner in corners:
        fit = _fit(canvas, stamp, ring, gap | stamp.mask, corner, spec.contrast)
        if fit is not None and (best is None or abs(fit.contrast) > abs(best.contrast)):
            best = fit
            if fit.contrast == spec.contrast:
                break
    return best


def _fit(
    canvas: Canvas, stamp: Stamp, ring: Bools, keep_free: Bools, corner: tuple[int, int], contrast: float
) -> _Fit | None:
    """Amplitude that gives the contrast at one position, or None if the mask does not fit there."""
    there, here = _windows(canvas.frame.shape, stamp, corner)
    mask = stamp.mask[here]
    top, bottom, left, right = _extent(stamp.mask)
    height, width = canvas.frame.shape
    inside = (
        min(corner[0] + top, corner[1] + left) >= MARGIN
        and corner[0] + bottom < height - MARGIN
        and corner[1] + right < width - MARGIN
    )
    others = canvas.instances[there] > 0
    if not inside or (others & keep_free[here]).any():
        return None
    around = ring[here]
    if others.any():
        around = around & ~ndi.binary_dilation(others, _EIGHT, GUARD)
    if not around.any():
        return None
    frame = canvas.frame[there]
    level = float(frame[around].mean())
    spread = math.hypot(float(frame[around].std()), canvas.noise)
    behind = float(((frame[mask] - level) * (1 - stamp.cover[here][mask])).mean())
    profile = stamp.profile[here][mask]
    amplitude = (contrast * spread - behind) / float(profile.mean())
    peak = canvas.scale.offset + canvas.scale.gain * (level + amplitude * float(profile.max()))
    limit = canvas.scale.top * (ROOM if contrast > 0 else 1 - ROOM)
    base = canvas.scale.offset + canvas.scale.gain * level
    share = min(1.0, max((limit - base) / (peak - base), 0.0)) if peak != base else 1.0
    if share < 1:
        contrast, amplitude = contrast * share, amplitude * share
    return _Fit(corner, contrast, amplitude, level)


def _add(canvas: Canvas, stamp: Stamp, fit: _Fit, spec: TargetSpec) -> Placed:
    there, here = _windows(canvas.frame.shape, stamp, fit.corner)
    frame = canvas.frame[there]
    frame += stamp.cover[here] * (fit.level - frame) + fit.amplitude * stamp.profile[here]
    canvas.instances[there][stamp.mask[here]] = int(canvas.instances.max()) + 1
    pixels = np.argwhere(stamp.mask) + fit.corner
    nearest = pixels[np.argmin(((pixels - pixels.mean(axis=0)) ** 2).sum(axis=1))]
    facts = {
        "shape": spec.shape,
        "area": len(pixels),
        "contrast": round(fit.contrast, 3),
        "kelvin": round(fit.amplitude, 4),
    }
    return Placed((int(nearest[0]), int(nearest[1])), facts)


def _ring(mask: Bools) -> Bools:
    near = ndi.binary_dilation(mask, _EIGHT, GUARD)
    return np.asarray(ndi.binary_dilation(near, _EIGHT, RING - GUARD) & ~near)


def _windows(
    shape: tuple[int, ...], stamp: Stamp, corner: tuple[int, int]
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Slices of the frame and of the stamp where the two overlap."""
    size = stamp.mask.shape[0]
    first = [max(-c, 0) for c in corner]
    last = [min(side - c, size) for c, side in zip(corner, shape, strict=True)]
    there = tuple(slice(c + f, max(c + e, 0)) for c, f, e in zip(corner, first, last, strict=True))
    here = tuple(slice(f, max(e, 0)) for f, e in zip(first, last, strict=True))
    return (there[0], there[1]), (here[0], here[1])
