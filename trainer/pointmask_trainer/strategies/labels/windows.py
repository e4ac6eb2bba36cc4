"""The annotator's windows round an image's targets, and a detector's response in them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pointmask.annotator.target import Target
from pointmask.annotator.window import Window, read_window
from pointmask.mending import mended
from pointmask.theta import Polarity, Theta
from pointmask_trainer.data.split import Split
from pointmask_trainer.inference.windows import Box
from pointmask_trainer.operator.forward import smooth
from pointmask_trainer.strategies.labels.annotating import annotate_image


@dataclass(frozen=True, slots=True, eq=False)
class WindowPlace:
    """Position of a window in its image.

    Attributes
    ----------
    index : int
        Of its image in the split.
    centre : (row, col)
    pitch : int
        Px between samples.
    own : (n, n) bool array
        Samples within the image that lie no nearer to another point than to the window's.
    """

    index: int
    centre: tuple[int, int]
    pitch: int
    own: NDArray[np.bool_]

    @property
    def box(self) -> Box:
        """Pixels that `response` looks at; part of them may lie outside the image."""
        reach = self.pitch * (self.own.shape[0] // 2) + self.pitch
        row, col = self.centre
        return row - reach, col - reach, row + reach + 1, col + reach + 1


def find_windows(
    split: Split, indices: Sequence[int], theta: Theta, polarity: Polarity
) -> tuple[list[Window], list[WindowPlace]]:
    """Read the window of every target of some images, where the annotator with `theta` solves it.

    Targets without contrast are left out.
    """
    windows, places = [], []
    for index in indices:
        annotation = annotate_image(split, index, theta, polarity)
        clicks = [target.point for target in annotation.targets]
        image, _ = mended(split.images.stored(index), polarity, clicks)
        for number, target in enumerate(annotation.targets):
            (row, col), (top, left, bottom, right) = target.centre, annotation.live or (0, 0, *image.shape)
            live = image[top:bottom, left:right]
            window = read_window(live, row - top, col - left, target.octave, theta, polarity)
            if window.contrast > 0:
                own = _own(annotation.targets, number, theta.half_size, annotation.shape)
                windows.append(window)
                places.append(WindowPlace(index, target.centre, 2**target.octave, own))
    return windows, places


def response(probabilities: Tensor, place: WindowPlace) -> Tensor:
    """Sample an (H, W) map as the annotator samples an image: smoothed to the pitch, its edge repeated.

    Returns
    -------
    (n, n) Tensor
    """
    field = probabilities[None]
    spacing = 1
    while spacing < place.pitch:
        field = smooth(field, spacing)
        spacing *= 2
    axes = [
        torch.as_tensor(_axis(middle, place.pitch, place.own.shape[0]), device=field.device).clamp(
            0, side - 1
        )
        for middle, side in zip(place.centre, probabilities.shape, strict=True)
    ]
    return field[0, axes[0][:, None], axes[1][None, :]]


def _axis(middle: int, pitch: int, count: int) -> NDArray[np.int64]:
    return middle + pitch * np.arange(-(count // 2), count // 2 + 1, dtype=np.int64)


def _own(targets: Sequence[Target], number: int, half_size: int, shape: tuple[int, int]) -> NDArray[np.bool_]:
    target = targets[number]
    rows, cols = (_axis(middle, 2**target.octave, 2 * half_size + 1) for middle in target.centre)
    inside = ((rows >= 0) & (rows < shape[0]))[:, None] & ((cols >= 0) & (cols < shape[1]))[None, :]
    others = [other.point for other in targets if other is not target]
    return np.asarray(inside & nearest_to(target.point, others, rows, cols))


def nearest_to(
    point: tuple[int, int],
    others: Sequence[tuple[int, int]],
    rows: NDArray[np.int64],
    cols: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Say which places of a grid lie no nearer to other points than to one.

    Parameters
    ----------
    point : (row, col)
    others : sequence of (row, col)
    rows : (n,) int64 array
    cols : (m,) int64 array

    Returns
    -------
    (n, m) bool array
    """

    def distance(row: int, col: int) -> NDArray[np.int64]:
        return np.asarray((rows[:, None] - row) ** 2 + (cols[None, :] - col) ** 2)

    mine = distance(*point)
    nearest = np.ones(mine.shape, np.bool_)
    for other in others:
        nearest &= distance(*other) >= mine
    return nearest
