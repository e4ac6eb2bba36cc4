"""Frames as worse sensors and files give them: blurred, compressed, quantised, defective, noisy, scaled."""

import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from masks.data import Frame

Pixels = NDArray[np.uint8]
Random = np.random.Generator

_NEAR = 6  # px between a target and a bad line
_AROUND = 20  # px: the background of a target, for its signal-to-noise ratio


def _bytes(values: NDArray[Any]) -> Pixels:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def _jpeg(frame: Frame, rng: Random) -> Frame:
    del rng
    buffer = io.BytesIO()
    Image.fromarray(_bytes(frame.image)).save(buffer, "JPEG", quality=50)
    return replace(frame, image=np.asarray(Image.open(buffer)))


def _blur(frame: Frame, rng: Random) -> Frame:
    del rng
    return replace(frame, image=_bytes(ndimage.gaussian_filter(frame.image.astype(np.float64), 1.0)))


def _steps(frame: Frame, rng: Random) -> Frame:
    del rng
    return replace(frame, image=_bytes(frame.image) // 8 * 8)


def _dead_and_hot(frame: Frame, rng: Random) -> Frame:
    image = _bytes(frame.image)
    bad = rng.random(image.shape) < 0.005
    image[bad] = np.where(rng.random(int(bad.sum())) < 0.5, 0, 255)
    return replace(frame, image=image)


def _dead_in_targets(frame: Frame, rng: Random) -> Frame:
    image = _bytes(frame.image)
    for k in range(1, int(frame.labels.max()) + 1):
        rows, cols = np.nonzero(frame.labels == k)
        if rows.size:
            one = rng.integers(rows.size)
            image[rows[one], cols[one]] = 0
    return replace(frame, image=image)


def _bad_lines(frame: Frame, rng: Random) -> Frame:
    """Spoil a row or column near each target, whole or half: dead, hot, stuck or with an offset."""
    image = _bytes(frame.image)
    for point in frame.points["centroid"]:
        axis = int(rng.integers(2))
        field = image if axis == 0 else image.T
        line = int(np.clip(point[axis] + rng.integers(-_NEAR, _NEAR + 1), 2, len(field) - 3))
        half = field.shape[1] // 2
        part = (slice(None), slice(None, half), slice(half, None))[rng.integers(3)]
        old = field[line, part].astype(np.float64)
        low, high = np.percentile(image, [1, 99])
        values = (0.0, 255.0, rng.uniform(low, high), old + rng.choice([-1, 1]) * rng.uniform(10, 40))
        field[line, part] = _bytes(np.broadcast_to(values[rng.integers(4)], old.shape))
    return replace(frame, image=image)


def _bar(frame: Frame, rng: Random) -> Frame:
    """Cover one side of the image by a bar that begins near a target, and what lies there."""
    image, labels = _bytes(frame.image), frame.labels.copy()
    hidden = np.zeros(image.shape, np.bool_)
    clicks = frame.points["centroid"]
    if clicks:
        axis, turned = rng.integers(2, size=2)
        place = clicks[rng.integers(len(clicks))][axis]
        off, size = int(rng.integers(_NEAR + 1)), image.shape[axis]
        part = slice(0, max(place - off, 0)) if turned else slice(min(place + off + 1, size), None)
        covered = (part,) if axis == 0 else (slice(None), part)
        image[covered], labels[covered], hidden[covered] = rng.choice([0, 0, 128, 255]), 0, True
    kept = {name: [k for k, at in enumerate(own) if not hidden[at]] for name, own in frame.points.items()}
    points = {name: [frame.points[name][k] for k in own] for name, own in kept.items()}
    ids = {name: [frame.ids[name][k] for k in own] for name, own in kept.items()}
    return replace(frame, image=image, labels=labels, points=points, ids=ids)


def _half_snr(frame: Frame, rng: Random) -> Frame:
    image = frame.image.astype(np.float64)
    spreads = []
    for row, col in frame.points["centroid"]:
        place = np.s_[max(row - _AROUND, 0) : row + _AROUND + 1, max(col - _AROUND, 0) : col + _AROUND + 1]
        spreads.append(image[place][frame.labels[place] == 0].std())
    noise = np.sqrt(3) * float(np.median(spreads)) if spreads else 0.0
    return replace(frame, image=_bytes(image + rng.normal(0, noise, image.shape)))


def _scaled(frame: Frame, scale: float) -> Frame:
    height, width = (max(int(side * scale), 1) for side in frame.image.shape)
    how = Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC
    image = np.asarray(Image.fromarray(_bytes(frame.image)).resize((width, height), how))
    points = {
        protocol: [(min(int(r * scale), height - 1), min(int(c * scale), width - 1)) for r, c in own]
        for protocol, own in frame.points.items()
    }
    truth = Image.fromarray((frame.labels > 0).astype(np.float32)).resize((width, height), how)
    rows, cols = (
        np.minimum((np.arange(n) / scale + 0.5 / scale).astype(int), m - 1)
        for n, m in zip((height, width), frame.labels.shape, strict=True)
    )
    labels = np.where(np.asarray(truth) >= 0.5, _nearest(frame.labels)[np.ix_(rows, cols)], 0)
    for protocol, own in points.items():  # a target that would vanish keeps the pixel of its click
        for point, k in zip(own, frame.ids[protocol], strict=True):
            if k and not (labels == k).any():
                labels[point] = k
    return replace(frame, image=image, labels=labels.astype(frame.labels.dtype), points=points)


def _nearest(labels: NDArray[Any]) -> NDArray[Any]:
    """Give every background pixel the number of its nearest target."""
    if not labels.any():
        return labels
    places = ndimage.distance_transform_edt(labels == 0, return_distances=False, return_indices=True)
    nearest: NDArray[Any] = labels[tuple(places)]
    return nearest


DEGRADATIONS: dict[str, Callable[[Frame, Random], Frame]] = {
    "none": lambda frame, rng: frame,
    "JPEG 50": _jpeg,
    "blur sigma 1": _blur,
    "steps of 8": _steps,
    "0.5 % dead or hot": _dead_and_hot,
    "dead in each target": _dead_in_targets,
    "bad rows or columns": _bad_lines,
    "bar beside a target": _bar,
    "half SNR": _half_snr,
    "scale 0.5": lambda frame, rng: _scaled(frame, 0.5),
    "scale 2": lambda frame, rng: _scaled(frame, 2.0),
}
"""Name, and what makes the degraded copy of a frame."""
