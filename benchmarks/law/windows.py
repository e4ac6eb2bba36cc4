"""Windows with true masks, from built-in scenes or from SIRST3's train list, with degraded copies."""

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from masks.data import read_frames
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage as ndi

from pointmask.annotator.window import Window, read_window
from pointmask.kernels.outline import move_outline
from pointmask.kernels.scale_space import smooth
from pointmask.synth.scenes import make_scenes
from pointmask.theta import Theta

LARGE = 150  # px; larger targets are seen at half the resolution, as the annotator does
FARTHEST = 2  # px between a centroid and its click
GROWN = 0.8  # style of masks that are one pixel larger, see `pointmask.theta.STYLES`


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One target: its window, its true mask at the window's samples, and the style the mask is drawn in."""

    window: Window
    truth: NDArray[np.bool_]
    style: float


def of_scenes(count: int, seed: int, theta: Theta, outline: float) -> Iterator[Sample]:
    """Yield the targets of built-in scenes, whose masks nobody drew; every second scene is degraded.

    The exact masks end at half the contrast. ``outline`` moves them as a style does: 0.2 adds the neighbours
    that have more than a third of the contrast.
    """
    scenes = make_scenes(count, seed=seed, shape=(160, 160), bits=None)
    for k, scene in enumerate(scenes):
        rng = np.random.default_rng((seed, 1, k))
        image, labels = scene.image.astype(np.float64), scene.instances.astype(np.int32)
        if k % 2:
            image, labels = degraded(image, labels, rng)
        yield from _targets(image, labels, rng, theta, outline)


def of_sirst3(folder: Path, every: int, seed: int, theta: Theta) -> Iterator[Sample]:
    """Yield the targets of SIRST3's train list, as stored and from one degraded copy of each image."""
    for k, frame in enumerate(read_frames(folder, ("train",), every)):
        image = frame.image if frame.image.ndim == 2 else frame.image[..., 0]
        rng = np.random.default_rng((seed, 2, k))
        plain = image.astype(np.float64), frame.labels.astype(np.int32)
        for copy in (plain, degraded(*plain, rng)):
            yield from _targets(*copy, rng, theta, 0.0)


def degraded(
    image: NDArray[Any], labels: NDArray[np.int32], rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Return a copy as another sensor or file would have it: scale, then blur, steps, JPEG or noise."""
    scale = float(np.exp(rng.uniform(np.log(0.6), np.log(1.7))))
    image = ndi.zoom(image, scale, order=1)
    labels = ndi.zoom(labels, scale, order=0)
    low, high = float(image.min()), float(image.max())
    kind = rng.integers(4)
    if kind == 0:
        image = ndi.gaussian_filter(image, rng.uniform(0.4, 1.2))
    elif kind == 1:
        step = max(high - low, 1e-9) / rng.integers(24, 64)
        image = np.round(image / step) * step
    elif kind == 2:
        grey = Image.fromarray(np.uint8(np.clip((image - low) / max(high - low, 1e-9), 0, 1) * 255))
        stored = BytesIO()
        grey.save(stored, "JPEG", quality=int(rng.integers(40, 90)))
        image = np.asarray(Image.open(stored), np.float64)
    else:
        image = image + rng.normal(0, (high - low) * rng.uniform(0.005, 0.03), image.shape)
    return image, labels


def _targets(
    image: NDArray[np.float64],
    labels: NDArray[np.int32],
    rng: np.random.Generator,
    theta: Theta,
    outline: float,
) -> Iterator[Sample]:
    for number, box in enumerate(ndi.find_objects(labels), 1):
        if box is None:
            continue
        mask = labels == number
        row, col = (round(float(x)) for x in ndi.center_of_mass(mask))
        click = [x + int(rng.integers(-FARTHEST, FARTHEST + 1)) for x in (row, col)]
        row, col = (min(max(x, 0), side - 1) for x, side in zip(click, image.shape, strict=True))
        octave = int(mask.sum() > LARGE)
        window = read_window(image, row, col, octave, theta, "bright")
        if window.contrast <= 0:
            continue
        style = float(rng.choice([0.0, 0.0, 0.0, GROWN, -GROWN]))
        if style and not octave:
            mask = ndi.binary_dilation(mask) if style > 0 else _shrunk(mask)
        else:
            style = 0.0
        reach = theta.half_size * 2**octave
        rows, cols = (slice(x, x + 2 * reach + 1, 2**octave) for x in (row, col))
        truth = np.pad(mask, reach)[rows, cols]
        yield Sample(window, _outlined(truth, window, outline / 2**octave, theta.level), style)


def _outlined(truth: NDArray[np.bool_], window: Window, outline: float, level: float) -> NDArray[np.bool_]:
    if not outline:
        return truth
    contrast, out = np.empty_like(window.values), np.empty_like(window.values)
    smooth(window.values, 1, contrast)
    move_outline(truth.astype(np.float64), contrast, outline, out)
    return np.asarray(out > level)


def _shrunk(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Take one pixel off; a mask that would vanish stays."""
    less: NDArray[np.bool_] = ndi.binary_erosion(mask)
    return less if less.any() else mask
