"""Tell where one scene ends and another begins, as in joined clips or folders of several flights."""

from collections import deque
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pointmask.tracking.camera_motion import Field, levels_of, shift_between

# Likeness of neighbouring frames of one scene and across a change. In synthetic sequences on six backgrounds
# with shaking and panning cameras, frames of a scene have 0.4 to 1.0 unless the camera leaps, and frames of
# two scenes below 0.2, a few 0.3 and one of 144 pairs 0.6: changes are missed rather than invented.
_SAME = 0.7
_OTHER = 0.25

_DEVIATIONS = 3.0  # at which values are cut off: a bright target in a clear sky is not the scene


class _View(NamedTuple):
    """A frame, reduced."""

    levels: tuple[Field, ...]
    clipped: NDArray[np.float32]


class SceneChange:
    """
    Compares frames of a sequence with those before them.

    A change is told two frames late: the last frame before it is like its predecessor and unlike both that
    follow, which are like one another. So neither a single black or damaged frame is a change, nor a camera
    that shakes too much for any two frames to be alike, nor a sky without structure.
    """

    def __init__(self) -> None:
        self._views: deque[_View] = deque(maxlen=2)
        self._likeness: deque[float] = deque(maxlen=2)

    def between(self, image: NDArray[Any]) -> bool:
        """Take the next frame, and say whether the scene changed between the previous one and its own."""
        view = _view(image)
        views, likeness = self._views, self._likeness
        after = _likeness(views[-1], view) if views else 1.0
        changed = (
            len(views) == 2
            and after >= _SAME
            and likeness[-1] <= _OTHER
            and (len(likeness) < 2 or likeness[-2] >= _SAME)
            and _likeness(views[0], view) <= _OTHER
        )
        if views:
            likeness.append(after)
        views.append(view)
        return changed


def _view(image: NDArray[Any]) -> _View:
    levels = levels_of(image)
    field = levels[0]
    if not field.size:
        return _View(levels, field)
    limit = _DEVIATIONS * 1.4826 * float(np.median(np.abs(field)))  # medians of its rows are 0
    clipped = np.clip(field, -limit, limit)
    return _View(levels, clipped - clipped.mean())


def _likeness(before: _View, after: _View) -> float:
    """Correlation of two frames after the camera's motion; 0 of frames without structure."""
    shift = shift_between(before.levels, after.levels)
    rows, cols = round(shift.row / 4), round(shift.col / 4)
    first, second = _overlap(before.clipped, after.clipped, rows, cols)
    power = float((first * first).sum()) * float((second * second).sum())
    return abs(float((first * second).sum())) / power**0.5 if power > 0 else 0.0


def _overlap(first: Field, second: Field, rows: int, cols: int) -> tuple[Field, Field]:
    """Cut out of both what they have in common if the second is the first, moved."""
    height, width = first.shape
    return (
        first[max(-rows, 0) : height - max(rows, 0), max(-cols, 0) : width - max(cols, 0)],
        second[max(rows, 0) : height + min(rows, 0), max(cols, 0) : width + min(cols, 0)],
    )
