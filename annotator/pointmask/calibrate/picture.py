"""The targets in which a calibration changes most, as crops to be drawn."""

import heapq
from collections.abc import Iterable

import numpy as np

from pointmask.annotator.image import annotate
from pointmask.annotator.target import Annotation
from pointmask.calibrate.samples import Pair
from pointmask.drawing.compared import Compared
from pointmask.metrics.counters import binarise
from pointmask.theta import Polarity, Theta

SHOWN = 10
_HALF = 16  # px around a click


def most_changed(pairs: Iterable[Pair], before: Theta, after: Theta, polarity: Polarity) -> list[Compared]:
    """Return up to ten targets, the most changed first; images are read one at a time.

    Parameters
    ----------
    pairs : iterable of (image, points, truth)
    before, after : Theta
    polarity : {"bright", "dark", "auto"}
    """
    kept: list[tuple[int, int, Compared]] = []
    number = 0
    for index, (image, points, truth) in enumerate(pairs):
        old, new = (annotate(image, points, theta=theta, polarity=polarity) for theta in (before, after))
        for point, was, now in zip(points, old.targets, new.targets, strict=True):
            here = tuple(slice(max(x - _HALF, 0), x + _HALF + 1) for x in point)
            masks = (Annotation(found.shape, (target,)).mask for found, target in ((old, was), (new, now)))
            own = (np.ascontiguousarray(mask[here]) for mask in (binarise(truth), *masks))
            one = Compared(f"{index + 1}, x {point[1]}, y {point[0]}", np.asarray(image)[here], *own)
            heapq.heappush(kept, (one.changed, -number, one))
            number += 1
            if len(kept) > SHOWN:
                heapq.heappop(kept)
    return [one for _, _, one in sorted(kept, reverse=True)]
