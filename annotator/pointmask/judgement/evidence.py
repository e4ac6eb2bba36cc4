"""The distinct clicks of a list on their images, in the form in which they are asked again and again."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincc

from pointmask.judgement.statistic import SLACK, Floats, Standout
from pointmask.judgement.transformations import Change, Shape

Places = NDArray[np.int64]

_SAMENESS = 4  # px: clicks at one place of several images, of a target that stays, tell but once
_LEAST_SIDE = 16  # px: in smaller images, clicks at the origin are no sign of fractions


@dataclass(frozen=True, slots=True, eq=False)
class Clicked:
    """
    One image and what is said of it.

    Attributes
    ----------
    pixels : (H, W) real, or Standout
        The image, or what was made of it before.
    clicks : (K, 2) int
        Rows and columns; they may lie outside.
    previous, following : (K, 2) int
        Clicks of the images before and after it, in natural order of names; empty if there is none.
    """

    pixels: NDArray[Any] | Standout
    clicks: Places
    previous: Places = field(default_factory=lambda: np.empty((0, 2), np.int64))
    following: Places = field(default_factory=lambda: np.empty((0, 2), np.int64))


@dataclass(frozen=True, slots=True, eq=False)
class _Image:
    standout: Standout
    rows: Floats
    cols: Floats
    previous: Places
    following: Places


class Evidence:
    """
    All distinct clicks, in the order of the images.

    Parameters
    ----------
    frames : iterable of Clicked
        Pixels are not kept.

    Attributes
    ----------
    count : int
        Clicks that were not dropped as standing where an earlier image has one.
    with_clicks, at_origin : int
        Images with clicks, and those among them whose clicks all lie in the four pixels at the origin.
    """

    def __init__(self, frames: Iterable[Clicked]) -> None:
        self.count = self.with_clicks = self.at_origin = 0
        self._images: list[_Image] = []
        places: set[tuple[int, int]] = set()
        for frame in frames:
            self.with_clicks += len(frame.clicks) > 0
            self.at_origin += _is_at_origin(frame)
            self._add(frame, places)

    def _add(self, frame: Clicked, places: set[tuple[int, int]]) -> None:
        """Keep new clicks: a target or a lamp that stays tells but once."""
        own = [(int(row), int(col)) for row, col in frame.clicks]
        new = [(row, col) for row, col in own if (row // _SAMENESS, col // _SAMENESS) not in places]
        places.update((row // _SAMENESS, col // _SAMENESS) for row, col in new)
        if new:
            rows, cols = np.array(new, np.float64).T
            standout = frame.pixels if isinstance(frame.pixels, Standout) else Standout(frame.pixels)
            self._images.append(_Image(standout, rows, cols, frame.previous, frame.following))
            self.count += len(new)

    @property
    def images(self) -> int:
        """How many images have clicks that were kept."""
        return len(self._images)

    @property
    def shapes(self) -> set[Shape]:
        """Sizes of the images."""
        return {image.standout.shape for image in self._images}

    def surprise(self, change: Change | None = None, slack: int = SLACK) -> Floats:
        """Return the surprise at all clicks, ``(count,)``, each moved by `change`."""
        scores = []
        for image in self._images:
            rows, cols = image.rows, image.cols
            if change is not None:
                rows, cols = change(rows, cols, image.standout.shape)
            scores.append(image.standout.at(rows, cols, slack))
        return np.concatenate(scores)

    def are_dark(self) -> NDArray[np.bool_]:
        """Whether what stands out at each click is darker than its surroundings, ``(count,)``."""
        return np.concatenate([image.standout.is_dark(image.rows, image.cols) for image in self._images])

    def scaled(self, factors: Floats) -> Floats:
        """Return the surprise at all clicks times each factor, ``(count, len(factors))``."""
        return np.concatenate(
            [
                image.standout.at(
                    (image.rows[:, None] + 0.5) * factors - 0.5, (image.cols[:, None] + 0.5) * factors - 0.5
                )
                for image in self._images
            ]
        )

    def shifted(self, down: Places, right: Places, slack: int) -> Floats:
        """Return the surprise at all clicks under each shift, ``(count, len(down))``."""
        return np.concatenate(
            [i.standout.at(i.rows[:, None] + down, i.cols[:, None] + right, slack) for i in self._images]
        )

    def neighbours(self, which: Literal["previous", "following"]) -> Floats:
        """Return the surprise at the places that the clicks of the neighbouring image name."""
        scores = []
        for image in self._images:
            clicks = image.previous if which == "previous" else image.following
            scores.append(image.standout.at(clicks[:, 0], clicks[:, 1]))
        return np.concatenate(scores)

    def profiles(self, down: Places, right: Places) -> Floats:
        """Return the contrast round each click, ``(count, len(down))``, as a share of the largest."""
        return np.concatenate(
            [i.standout.profile(i.rows[:, None] + down, i.cols[:, None] + right) for i in self._images]
        )


def _is_at_origin(frame: Clicked) -> bool:
    """Whether there are clicks, and all lie at pixels 0 and 1, as rounded fractions do."""
    inside = ((frame.clicks == 0) | (frame.clicks == 1)).all()
    return len(frame.clicks) > 0 and bool(inside) and min(frame.pixels.shape) >= _LEAST_SIDE


def by_chance(scores: Floats) -> float:
    """Return the probability that clicks set by chance surprise as much together, after Fisher."""
    return float(gammaincc(scores.size, scores.sum() * np.log(10)))


def square(reach: int) -> tuple[Places, Places]:
    """Return the steps down and right to all places of a square, the middle of which is none."""
    steps = np.arange(-reach, reach + 1)
    down, right = np.meshgrid(steps, steps, indexing="ij")
    return down.ravel(), right.ravel()
