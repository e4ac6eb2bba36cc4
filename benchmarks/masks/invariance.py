"""The same scene in another guise must give the same mask: gain, offset, depth, mirroring, sign."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from masks.data import Frame, PointList
from pointmask.annotator.image import annotate
from pointmask.theta import Polarity, Theta

Image = NDArray[Any]


def _same(image: Image) -> Image:
    return image


def _scaled(image: Image, gain: float, offset: float) -> Image:
    return image.astype(np.float64) * gain + offset  # first, lest 8 bits overflow


def _whole(image: Image, gain: float, offset: float) -> Image:
    """16-bit copy; luminances with fractions are rounded, as a sensor would."""
    return np.rint(_scaled(image, gain, offset)).astype(np.uint16)


@dataclass(frozen=True, slots=True)
class Guise:
    """A change that must not matter.

    Attributes
    ----------
    name : str
    values : callable
        Image to the image with other grey values.
    place : callable
        Array to the array with other places, its own inverse.
    polarity, against : {"bright", "dark", "auto"}
        Of the changed image, and of the image as it is.
    """

    name: str
    values: Callable[[Image], Image] = _same
    place: Callable[[Image], Image] = _same
    polarity: Polarity = "bright"
    against: Polarity = "bright"


GUISES = (
    Guise("gain 3.7, offset 1000 (float64)", lambda image: _scaled(image, 3.7, 1000)),
    Guise("gain 0.01, offset 280 K (float32)", lambda image: _scaled(image, 0.01, 280).astype(np.float32)),
    Guise("14 bit (x 64 + 50)", lambda image: _whole(image, 64, 50)),
    Guise("16 bit (x 257)", lambda image: _whole(image, 257, 0)),
    Guise("float32 in [0, 1]", lambda image: _scaled(image, 1 / 255, 0).astype(np.float32)),
    Guise("float64 copy", lambda image: _scaled(image, 1, 0)),
    Guise("flipped left to right", place=lambda array: array[:, ::-1]),
    Guise("flipped top to bottom", place=lambda array: array[::-1]),
    Guise("transposed", place=lambda array: array.T),
    Guise("as it is, polarity auto", polarity="auto"),
    Guise("negative, polarity dark", lambda image: image.max() - image, polarity="dark"),
    Guise("negative, polarity auto", lambda image: image.max() - image, polarity="auto"),
    Guise("negative, auto against auto", lambda image: image.max() - image, polarity="auto", against="auto"),
)


def invariance(frames: Sequence[Frame], theta: Theta) -> list[dict[str, Any]]:
    """Compare the masks of every guise with those of the image as it is.

    Returns
    -------
    list of dict
        ``name``; ``share``, pixels that differ over pixels of the first masks; ``images``, how many
        images have such pixels.
    """
    masks = {polarity: _masks(frames, theta, polarity) for polarity in {g.against for g in GUISES}}
    rows = []
    for guise in GUISES:
        pairs = list(zip(frames, masks[guise.against], strict=True))
        total = max(sum(int(np.count_nonzero(mask)) for _, mask in pairs), 1)
        changed = [_changed(frame, mask, theta, guise) for frame, mask in pairs]
        rows.append(
            {"name": guise.name, "share": sum(changed) / total, "images": sum(c > 0 for c in changed)}
        )
    return rows


def _masks(frames: Sequence[Frame], theta: Theta, polarity: Polarity) -> list[NDArray[np.bool_]]:
    return [annotate(f.image, f.points["centroid"], theta=theta, polarity=polarity).mask for f in frames]


def _changed(frame: Frame, mask: NDArray[np.bool_], theta: Theta, guise: Guise) -> int:
    image = guise.place(guise.values(frame.image))
    points = frame.points["centroid"]
    if guise.place is not _same:
        points = _placed(points, frame.image.shape, guise)
    again = guise.place(annotate(image, points, theta=theta, polarity=guise.polarity).mask)
    return int(np.count_nonzero(again != mask))


def _placed(points: PointList, shape: tuple[int, ...], guise: Guise) -> PointList:
    """Where the points are after the change of places."""
    index = guise.place(np.arange(shape[0] * shape[1]).reshape(shape))
    found = (np.argwhere(index == row * shape[1] + col)[0] for row, col in points)
    return [(int(row), int(col)) for row, col in found]
