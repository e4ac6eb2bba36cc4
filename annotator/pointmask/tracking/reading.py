"""The frames of a sequence as tracks need them: without bad pixels, up to the first that cannot be used.

A hot pixel stands still while targets move, so a track that comes near it stays there. Which pixels are bad
is told by the first frame: in a later one, a target of a single pixel looks the same.
"""

import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointmask.errors import ImageError
from pointmask.io.images.source import ImageSource
from pointmask.io.points.names import ImageFrame
from pointmask.mending import mend
from pointmask.theta import Polarity
from pointmask.tracking.scene_change import SceneChange

_LAST_NUMBER = re.compile(r"(.*?)(\d+)(\D*)", re.DOTALL)


class Frames:
    """
    Iterates over the frames of a part of a sequence, once.

    Parameters
    ----------
    images : ImageSource
    part : sequence of (image, frame)
        The first one holds the clicks.
    tick : callable
        Called for each frame that was read.

    Attributes
    ----------
    count : int
        Frames that were yielded.
    ended : str
        Why no track goes on to the next frame; empty while that is not known, or if the part ended.
    """

    def __init__(self, images: ImageSource, part: Sequence[ImageFrame], tick: Callable[[], None]) -> None:
        self._images, self._part, self._tick = images, part, tick
        self.count, self.ended = 0, ""

    def __iter__(self) -> Iterator[NDArray[Any]]:
        """Yield frames as stored, each when it is known that the scene goes on there."""
        scene = SceneChange()
        waiting: deque[NDArray[Any]] = deque()
        for image in self._decoded():
            if scene.between(image):
                self.ended = "the scene changes"
                return
            waiting.append(image)
            if len(waiting) > 1:
                yield self._counted(waiting.popleft())
        for image in waiting:
            yield self._counted(image)

    def _counted(self, image: NDArray[Any]) -> NDArray[Any]:
        self.count += 1
        self._tick()
        return image

    def _decoded(self) -> Iterator[NDArray[Any]]:
        shape: tuple[int, ...] | None = None
        try:
            for name, group in groupby(self._part, key=itemgetter(0)):
                with self._images.open(name) as file:
                    for _, frame in group:
                        image = file.decode(frame)
                        if image.shape != (shape or image.shape):
                            self.ended = f"its size is {_size(image.shape)}, after {_size(shape or ())}"
                            return
                        shape = image.shape
                        yield image
        except ImageError:  # reported by the folder job, if the image has points
            self.ended = "it cannot be read"


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, reversed(shape)))


def without_bad_pixels(
    frames: Iterator[NDArray[Any]], points: Sequence[tuple[int, int]], polarity: Polarity
) -> Iterator[NDArray[Any]]:
    """
    Replace bad lines, and the bad pixels of the first frame, in all frames.

    Parameters
    ----------
    frames : iterator of (H, W) array
    points : sequence of (row, col)
        Clicks in the first frame, which may be targets of a single pixel.
    polarity : {"bright", "dark", "auto"}
    """
    bad: NDArray[np.bool_] | None = None
    for image in frames:
        mending = mend(image, polarity)
        if bad is None:
            result, places = mending.around(points)
            bad = np.zeros(image.shape, np.bool_)
            bad[tuple(places.T)] = True
            yield result
            continue
        moving = mending.found.places[~bad[tuple(mending.found.places.T)]]
        if not len(moving):
            yield mending.result
            continue
        result = mending.result.copy()
        result[tuple(moving.T)] = image[tuple(moving.T)]
        yield result


def missing_between(before: str, after: str) -> int:
    """Return how many numbers lie between those at the end of two names, if these are alike otherwise."""
    first, second = (_LAST_NUMBER.fullmatch(name.rpartition(".")[0] or name) for name in (before, after))
    if first is None or second is None or first.group(1, 3) != second.group(1, 3):
        return 0
    return max(int(second[2]) - int(first[2]) - 1, 0)
