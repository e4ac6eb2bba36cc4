"""Annotate whole splits from their points, optionally in threads during the training."""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from pointmask.annotator.image import annotate
from pointmask.annotator.target import Annotation
from pointmask.theta import Polarity, Theta
from pointmask_trainer.data.labels import Label, SplitName
from pointmask_trainer.data.split import Mask, Split, worker_threads
from pointmask_trainer.distributed import ProcessGroup

Kind = Literal["hard", "soft"]
T = TypeVar("T")


def annotate_image(split: Split, index: int, theta: Theta, polarity: Polarity) -> Annotation:
    """Annotate one image of a split from its points."""
    points = [(int(row), int(col)) for row, col in split.points[index]]
    return annotate(split.images.stored(index), points, theta=theta, polarity=polarity)


def label_of(annotation: Annotation, kind: Kind) -> Label:
    """Return an annotation's mask or soft label, (H, W)."""
    return annotation.mask if kind == "hard" else annotation.soft


class Regeneration:
    """Makes new labels of all splits in threads; the annotator releases Python's lock.

    The labels depend on theta alone, and the caller decides when they are used: a slow machine waits for
    them, and trains the same detector as a fast one.

    Parameters
    ----------
    splits : Mapping of split name to Split
    theta : Theta
    polarity : {"bright", "dark", "auto"}
    group : ProcessGroup
        Each process annotates its part.
    """

    def __init__(
        self, splits: Mapping[SplitName, Split], theta: Theta, polarity: Polarity, group: ProcessGroup
    ) -> None:
        pool = ThreadPoolExecutor(worker_threads(), thread_name_prefix="labels")
        self._group = group
        self._shapes = {name: split.images.shapes for name, split in splits.items()}
        self._futures: dict[SplitName, list[Future[Annotation]]] = {
            name: [
                pool.submit(annotate_image, split, index, theta, polarity)
                for index in range(len(split))[group.part(len(split))]
            ]
            for name, split in splits.items()
        }
        pool.shutdown(wait=False)

    def labels(self, kind: Kind) -> dict[SplitName, dict[int, Label]]:
        """Wait for the last image, and return all labels by split and index."""
        made = {}
        for name, futures in self._futures.items():
            parts = self._group.gather([future.result() for future in futures])
            made[name] = {k: label_of(a, kind) for k, a in enumerate(a for part in parts for a in part)}
        return made


def quality(labels: Iterable[NDArray[np.float32]], truths: Sequence[Mask]) -> float | None:
    """IoU of labels, cut at 0.5, with true masks, pixels of all images together; None if both are empty."""
    both = either = 0
    for label, truth in zip(labels, truths, strict=True):
        mask = label > 0.5
        both += int(np.count_nonzero(mask & truth))
        either += int(np.count_nonzero(mask | truth))
    return both / either if either else None
