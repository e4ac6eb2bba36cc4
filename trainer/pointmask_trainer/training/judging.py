"""The labels of a training, judged as a whole before the first epoch; see `pointmask.judgement`."""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray

from pointmask.components import middles
from pointmask.judgement.evidence import Clicked
from pointmask.judgement.sample import judge_some
from pointmask.theta import Polarity
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
        If hardly one does, or most lie on targets that are darker (or brighter) than those looked for.
    """
    split = loop.splits["train"]
    has_points = any(len(points) for points in split.points)
    what = "points" if has_points else "masks"
    by_operator: Polarity = loop.masks.polarity if loop.masks.by == "operator" else "auto"
    of_labels = loop.strategy.polarity_of_labels() if has_points else "auto"
    polarities: list[Polarity] = [one for one in (of_labels, by_operator) if one != "auto"]
    polarities = list(dict.fromkeys(polarities)) or ["auto"]
    for polarity in polarities:
        verdict = judge_some(
            [k for k, points in enumerate(split.points) if len(points)] if has_points else range(len(split)),
            partial(_look, split, None if has_points else loop.labels),
            "clicks" if has_points else "masks",
            polarity=polarity,
        )
        if verdict.is_wrong:
            break
    if verdict.is_unclear:
        say(f"Note: {what} of the train list: {verdict}")
    if not verdict.is_wrong:
        return
    fix = verdict.fix
    if verdict.kind == "polarity":
        tables = {"masks": by_operator, "strategy.options": of_labels}
        wrong = [table for table, chosen in tables.items() if chosen == polarity]
        fix = "add " + " ".join(f"--set {table}.polarity={verdict.wanted}" for table in wrong)
    said = f"the {what} of the train list do not fit their images: {verdict}; {fix}"
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
