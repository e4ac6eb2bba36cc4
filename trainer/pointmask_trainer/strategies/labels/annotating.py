"""Annotate whole splits from their points, optionally in threads during the training."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pointmask.annotator.image import annotate
from pointmask.annotator.target import Annotation
from pointmask.theta import Polarity, Theta
from pointmask_trainer.data.labels import Label, SplitName
from pointmask_trainer.data.split import Mask, Split, worker_threads
from pointmask_trainer.distributed import ProcessGroup

Kind = Literal["hard", "soft"]
Annotations = dict[int, Annotation]
"""Of images, by index."""


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

    Attributes
    ----------
    theta : Theta
        That of the new labels.
    """

    def __init__(
        self, splits: Mapping[SplitName, Split], theta: Theta, polarity: Polarity, group: ProcessGroup
    ) -> None:
        self._pool = ThreadPoolExecutor(worker_threads(), thread_name_prefix="labels")
        self._group, self.theta = group, theta
        self._futures: dict[SplitName, dict[int, Future[Annotation]]] = {
            name: {
                index: self._pool.submit(annotate_image, split, index, theta, polarity)
                for index in range(len(split))[group.part(len(split))]
            }
            for name, split in splits.items()
        }
        self._pool.shutdown(wait=False)

    def close(self) -> None:
        """Make no more labels; those at hand are finished."""
        self._pool.shutdown(cancel_futures=True)

    def labels(
        self, kind: Kind, adjust: Callable[[SplitName, Annotations], Annotations] | None = None
    ) -> dict[SplitName, dict[int, Label]]:
        """Wait for the last image, and return all labels by split and index.

        Parameters
        ----------
        kind : {"hard", "soft"}
        adjust : callable, optional
            Takes the name of a split and this process's part of its annotations by index, and returns them as
            they are to become labels.
        """
        made: dict[SplitName, dict[int, Label]] = {}
        for name, futures in self._futures.items():
            found = {index: future.result() for index, future in futures.items()}
            if adjust is not None:
                found = adjust(name, found)
            parts = self._group.gather(found)
            made[name] = {k: label_of(a, kind) for part in parts for k, a in part.items()}
        return made


def quality(labels: Iterable[NDArray[np.float32]], truths: Sequence[Mask]) -> float | None:
    """IoU of labels, cut at 0.5, with true masks, pixels of all images together; None if both are empty."""
    both = either = 0
    for label, truth in zip(labels, truths, strict=True):
        mask = label > 0.5
        both += int(np.count_nonzero(mask & truth))
        either += int(np.count_nonzero(mask | truth))
    return both / either if either else None
