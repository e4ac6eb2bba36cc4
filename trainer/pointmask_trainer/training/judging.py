"""The labels of a training, judged as a whole before the first epoch; see `pointmask.judgement`."""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray

from pointmask.components import middles
from pointmask.judgement.evidence import Clicked
from pointmask.judgement.sample import judge_some
from pointmask_trainer.data.labels import LabelStore
from pointmask_trainer.data.split import Split
from pointmask_trainer.errors import DataError
from pointmask_trainer.training.loop import Loop

Places = NDArray[np.int64]


def check_labels(loop: Loop, say: Callable[[str], None]) -> None:
    """Judge whether points or masks of the training list lie on targets of their images.

    Parameters
    ----------
    loop : Loop
        Before its first epoch.
    say : callable
        Is told of labels that lie a few pixels beside their targets, or are too few to tell, which is no
        reason to stop.

    Raises
    ------
    DataError
        If hardly one does.
    """
    split = loop.splits["train"]
    has_points = any(len(points) for points in split.points)
    verdict = judge_some(
        [k for k, points in enumerate(split.points) if len(points)] if has_points else range(len(split)),
        partial(_look, split, None if has_points else loop.labels),
        "clicks" if has_points else "masks",
    )
    what = "points" if has_points else "masks"
    if verdict.is_unclear:
        say(f"Note: {what} of the train list: {verdict}")
    if not verdict.is_wrong:
        return
    said = f"the {what} of the train list do not fit their images: {verdict}; {verdict.fix}"
    if verdict.makes_sense:
        say(f"Note: {said}")
        return
    raise DataError(f"{said}. If this is as it should be, train with --trust-labels")


def _look(split: Split, labels: LabelStore | None, index: int) -> Iterator[Clicked]:
    clicks = _clicks(split, labels, index)
    if len(clicks):
        before = _clicks(split, labels, index - 1) if index else clicks[:0]
        after = _clicks(split, labels, index + 1) if index + 1 < len(split) else clicks[:0]
        yield Clicked(split.images.stored(index), clicks, before, after)


def _clicks(split: Split, labels: LabelStore | None, index: int) -> Places:
    """Return the points of an image or, if labels are given, the middles of its label's targets."""
    return split.points[index] if labels is None else middles(labels.label("train", index) > 0.5)
