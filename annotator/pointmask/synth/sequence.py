"""Synthetic sequences: targets that move through a scene by fractions of a pixel, with their exact paths.

A background of `pointmask.synth` is drawn once, larger than the frame, and observed by a drifting camera.
Each target is rendered once and moved over it by spline interpolation, which is exact to a few thousandths
for images that the optics have smoothed. Then the camera adds independent noise to each frame, its fixed
pattern (which does not move with the scene) and a slow change of brightness. The same seed gives the same
bytes.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from pointmask.synth.backgrounds import BACKGROUNDS
from pointmask.synth.sensor import Sensor, radiometric
from pointmask.synth.targets import AREAS, render

Floats = NDArray[np.float64]

_LEAST_SIGMA = 0.65  # pixels; sharper optics alias, which interpolation cannot shift exactly
_CLUTTER = 7  # half side in pixels of the surroundings whose deviation counts as clutter
_ROOM = 4  # pixels of background beyond the camera's path, for the border of the spline


@dataclass(frozen=True, kw_only=True, slots=True)
class Mover:
    """One target of a sequence.

    Attributes
    ----------
    start : (float, float)
        Sub-pixel (row, col) in frame 0; (0.0, 0.0) is the centre of the first pixel.
    velocity : (float, float)
        Pixels per frame, relative to the scene.
    turn : float
        Degrees per frame by which the direction of flight changes.
    size : float
        Diameter in pixels of a disc of the mask's area, 2 to 19.
    snr : float
        Mean of the target over its mask, against the deviation of noise and surroundings averaged along
        its path; negative for a target colder than its surroundings.
    shape : str
        One of ``pointmask.synth.scenes.SHAPES`` that comes in this size.
    hidden : tuple of (int, int)
        Half-open ranges of frames in which it is not visible.
    """

    start: tuple[float, float]
    velocity: tuple[float, float] = (0.0, 0.0)
    turn: float = 0.0
    size: float = 3.0
    snr: float = 6.0
    shape: str = "point"
    hidden: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class MovingScene:
    """A sequence and its ground truth.

    Attributes
    ----------
    frames : numpy.ndarray
        (N, H, W) uint16 in [0, 16383].
    paths : numpy.ndarray
        (K, N, 2) float64: sub-pixel (row, col) of each target's centroid in the frames' coordinates; NaN
        where it is hidden or its centroid is outside the frame.
    camera : numpy.ndarray
        (N, 2) float64: displacement of the scene in each frame, (0, 0) in the first.
    """

    frames: NDArray[np.uint16]
    paths: Floats
    camera: Floats


def make_sequence(
    kind: str,
    movers: Sequence[Mover],
    *,
    count: int = 30,
    shape: tuple[int, int] = (128, 128),
    seed: int | Sequence[int] = 0,
    jitter: float = 0.0,
    pan: tuple[float, float] = (0.0, 0.0),
    brightness: float = 0.0,
) -> MovingScene:
    """Make one sequence.

    Parameters
    ----------
    kind : str
        One of ``pointmask.synth.scenes.KINDS``.
    movers : sequence of Mover
    count : int
        Frames, at least 1.
    shape : (int, int)
        Rows and columns, 32 or more each.
    seed : int or sequence of int
        Same seed and arguments, same sequence.
    jitter : float
        Standard deviation, per axis, of the camera's position around its path, pixels.
    pan : (float, float)
        Pixels per frame by which the camera's motion moves the scene.
    brightness : float
        Amplitude, as a fraction, of the periodic changes of gain and of each target's emission over the
        sequence; 0.3 is large.

    Returns
    -------
    MovingScene

    Raises
    ------
    ValueError
        If the kind is unknown, the frame too small, there is no frame, or a target cannot have its size.

    Examples
    --------
    >>> scene = make_sequence("sky", [Mover(start=(40, 20), velocity=(0.3, 1.6))], count=8)
    >>> scene.frames.shape, scene.paths[0, 5].round(1).tolist()
    ((8, 128, 128), [41.5, 28.0])
    """
    _check(kind, movers, count, shape)
    numbers = (seed,) if isinstance(seed, int) else tuple(seed)
    rng = np.random.default_rng((*numbers, 2))  # apart from the stream of a single scene
    sensor = Sensor.draw(rng, shape[0] * shape[1])
    sigma = max(sensor.sigma, _LEAST_SIGMA)
    camera = np.arange(count)[:, None] * np.asarray(pan, np.float64) + jitter * rng.standard_normal(
        (count, 2)
    )
    camera -= camera[0]
    margin = np.ceil(np.abs(camera).max(axis=0)).astype(int) + _ROOM
    large = BACKGROUNDS[kind](rng, (shape[0] + 2 * int(margin[0]), shape[1] + 2 * int(margin[1])))
    scene = ndi.spline_filter(ndi.gaussian_filter(large, sigma, mode="nearest", truncate=3.0), order=3)

    sprites = [_Sprite.draw(rng, mover, sigma) for mover in movers]
    paths = (
        np.stack([_path(mover, count) for mover in movers]) + camera if movers else np.empty((0, count, 2))
    )
    clean = [_seen(scene, offset, margin, shape) for offset in camera]
    heights = [
        mover.snr / sprite.mean * _deviation(clean, path, sensor.noise)
        for mover, sprite, path in zip(movers, sprites, paths, strict=True)
    ]
    scale = radiometric(rng, sensor.noise)
    pattern = sensor.columns * rng.standard_normal((1, shape[1]))
    pattern = pattern + sensor.rows * rng.standard_normal((shape[0], 1)) + sensor.shade(shape)
    rhythm = 2 * np.pi * rng.uniform(0.5, 1.5, 1 + len(movers)) / max(count, 20)
    phase = rng.uniform(0, 2 * np.pi, 1 + len(movers))
    for k, frame in enumerate(clean):
        swing = 1 + brightness * np.sin(rhythm * k + phase)
        for height, sprite, path, mover, own in zip(heights, sprites, paths, movers, swing[1:], strict=True):
            if not _is_hidden(mover, k):
                sprite.add(frame, path[k], height * own)
        frame *= swing[0]
        frame += pattern + sensor.netd * rng.standard_normal(shape)
    frames = np.stack([scale.counts(frame) for frame in clean]).astype(np.uint16)
    return MovingScene(frames, _visible(movers, paths, shape), camera)


def _check(kind: str, movers: Sequence[Mover], count: int, shape: tuple[int, int]) -> None:
    if kind not in BACKGROUNDS:
        raise ValueError(f"no scene is called {kind!r}; choose one of {', '.join(BACKGROUNDS)}")
    if min(shape) < 32 or count < 1:
        raise ValueError(f"{count} frames of {shape[0]} x {shape[1]}; take at least 1 frame of 32 x 32")
    for mover in movers:
        area = _area(mover)
        least, most = AREAS.get(mover.shape, (math.inf, 0.0))
        if not 0.75 * least <= area <= most:
            raise ValueError(
                f"no target is a {mover.shape} of {mover.size:g} pixels across ({area:.0f} in all); "
                "change the size or the shape"
            )


def _area(mover: Mover) -> float:
    return math.pi / 4 * mover.size**2


def _path(mover: Mover, count: int) -> Floats:
    """(N, 2) positions relative to the scene."""
    angle = np.radians(mover.turn) * (np.arange(count - 1) + 0.5)
    c, s = np.cos(angle), np.sin(angle)
    row, col = mover.velocity
    steps = np.stack([c * row + s * col, c * col - s * row], axis=1)
    return np.asarray(mover.start + np.concatenate([np.zeros((1, 2)), np.cumsum(steps, axis=0)]))


@dataclass(frozen=True, slots=True, eq=False)
class _Sprite:
    """A target that can be drawn at any position: its patch and the centroid within it."""

    profile: Floats  # spline coefficients
    middle: tuple[float, float]
    mean: float  # of the profile over the mask

    @classmethod
    def draw(cls, rng: np.random.Generator, mover: Mover, sigma: float) -> "_Sprite":
        area = max(_area(mover), AREAS[mover.shape][0])
        stamp = render(rng, mover.shape, area, sigma=sigma, offset=(0.0, 0.0)).padded(2)
        middle = ndi.center_of_mass(stamp.profile)
        mean = float(stamp.profile[stamp.mask].mean())
        return cls(ndi.spline_filter(stamp.profile, order=3), (middle[0], middle[1]), mean)

    def add(self, frame: Floats, place: Floats, height: float) -> None:
        """Add the target to a frame, in place, with its centroid at ``place``."""
        side = len(self.profile)
        corner = [math.floor(place[axis] - self.middle[axis]) for axis in range(2)]
        part = [place[axis] - self.middle[axis] - corner[axis] for axis in range(2)]
        patch = height * ndi.shift(self.profile, part, order=3, prefilter=False)
        first = [max(-c, 0) for c in corner]
        last = [min(length - c, side) for c, length in zip(corner, frame.shape, strict=True)]
        if first[0] < last[0] and first[1] < last[1]:
            rows, cols = (slice(c + f, c + e) for c, f, e in zip(corner, first, last, strict=True))
            frame[rows, cols] += patch[first[0] : last[0], first[1] : last[1]]


def _seen(scene: Floats, offset: Floats, margin: NDArray[np.int64], shape: tuple[int, int]) -> Floats:
    """(H, W) part of the scene in the camera's field of view."""
    moved = ndi.shift(scene, offset, order=3, prefilter=False, mode="nearest")
    return np.ascontiguousarray(moved[margin[0] : margin[0] + shape[0], margin[1] : margin[1] + shape[1]])


def _deviation(clean: list[Floats], path: Floats, noise: float) -> float:
    """Mean over a target's path of the standard deviation of noise and background around it."""
    spreads = [noise]
    for frame, (row, col) in zip(clean, path, strict=True):
        top, left = max(round(row) - _CLUTTER, 0), max(round(col) - _CLUTTER, 0)
        part = frame[top : max(round(row) + _CLUTTER + 1, 0), left : max(round(col) + _CLUTTER + 1, 0)]
        if part.size:
            spreads.append(math.hypot(float(part.std()), noise))
    return float(np.mean(spreads))


def _is_hidden(mover: Mover, frame: int) -> bool:
    return any(start <= frame < stop for start, stop in mover.hidden)


def _visible(movers: Sequence[Mover], paths: Floats, shape: tuple[int, int]) -> Floats:
    """Paths with NaN where a target is not visible."""
    inside = ((paths > -0.5) & (paths < np.asarray(shape) - 0.5)).all(axis=2)
    shown = np.array([[not _is_hidden(mover, k) for k in range(paths.shape[1])] for mover in movers], bool)
    return np.where((inside & shown.reshape(inside.shape))[..., None], paths, np.nan)
