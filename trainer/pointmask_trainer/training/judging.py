"""The labels of a training, judged as a whole before the first epoch; see `pointmask.judgement`."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pointmask.components import components
from pointmask.judgement.verdict import Clicked, judge
from pointmask_trainer.data.labels import LabelStore
from pointmask_trainer.data.split import Split
from pointmask_trainer.errors import DataError
from pointmask_trainer.training.loop import Loop

_IMAGES = 128
_MOST_TARGETS = 16  # of one mask

Places = NDArray[np.int64]


def check_labels(loop: Loop, say: Callable[[str], None]) -> None:
    """Judge whether points or masks of the training list lie on targets of their images.

    Parameters
    ----------
    loop : Loop
        Before its first epoch.
    say : callable
        Is told of labels that lie a few pixels beside their targets, which is no reason to stop.

    Raises
    ------
    DataError
        If hardly one does.
    """
    split = loop.splits["train"]
    verdict = judge(_sample(split, loop.labels))
    if not verdict.is_wrong:
        return
    what = "points" if any(len(points) for points in split.points) else "masks, by their middles as clicks,"
    said = f"the {what} of the train list do not fit their images: {verdict}; {verdict.fix}"
    if verdict.makes_sense:
        say(f"Note: {said}")
        return
    raise DataError(f"{said}. If this is as it should be, train with --trust-labels")


def _sample(split: Split, labels: LabelStore) -> Iterator[Clicked]:
    every = max(1, len(split) // _IMAGES)
    for index in range(0, len(split), every):
        clicks = _clicks(split, labels, index)
        if len(clicks):
            before = _clicks(split, labels, index - 1) if index else clicks[:0]
            after = _clicks(split, labels, index + 1) if index + 1 < len(split) else clicks[:0]
            yield Clicked(split.images.stored(index), clicks, before, after)


def _clicks(split: Split, labels: LabelStore, index: int) -> Places:
    """Return the points of an image or, if the split has none, the middles of its label's targets."""
    if any(len(points) for points in split.points):
        return split.points[index]
    targets, count = components(labels.label("train", index) > 0.5)
    numbers = range(1, min(count, _MOST_TARGETS) + 1)
    middles = ndimage.center_of_mass(targets > 0, targets, numbers)
    return np.floor(np.array(middles, np.float64).reshape(-1, 2) + 0.5).astype(np.int64)
