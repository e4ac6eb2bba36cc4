"""True masks beside the masks of a report."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from statistics import fmean, stdev

import numpy as np
from numpy.typing import NDArray

from pointmask.annotator.target import Annotation
from pointmask.errors import ImageError
from pointmask.folder.records.manifest import Entry
from pointmask.io.images.masks import fitted, truth_of
from pointmask.io.images.open import open_source
from pointmask.io.images.source import ImageSource
from pointmask.io.points.match import match
from pointmask.metrics.targets import score_targets, true_targets

_SURE = 1.96  # standard errors on either side of a mean, for 95 %


@dataclass(frozen=True, slots=True)
class Fits:
    """
    The true mask of one frame, and how well its targets fit.

    Attributes
    ----------
    truth : (H, W) bool or None
        None if no true mask is known.
    ious : sequence of (float or None)
        By target; None for one without a true target.
    """

    truth: NDArray[np.bool_] | None = None
    ious: Sequence[float | None] = ()

    def iou(self, index: int) -> float | None:
        """Return the IoU of a target, if it is known."""
        return self.ious[index] if self.truth is not None else None


class Truths:
    """
    True masks by image.

    Parameters
    ----------
    path : Path or None
        Folder or archive of masks; None if none are known.
    images : sequence of str
        Names of the images.
    """

    def __init__(self, path: Path | None, images: Sequence[str]) -> None:
        self._masks: ImageSource | None = None if path is None else open_source(path)
        names = [] if self._masks is None else self._masks.names()
        self._file = {image: files[0] for image, files in match(names, images).by_image().items()}

    def fits(self, entry: Entry, annotation: Annotation) -> Fits:
        """Compare the targets of a frame with its true mask; one that cannot be read counts as unknown."""
        key = (entry["image"], entry["frame"])
        if self._masks is None or key not in self._file:
            return Fits()
        name, shape = self._file[key], (annotation.mask.shape[0], annotation.mask.shape[1])
        try:
            with self._masks.open(name) as file:
                number = entry["frame"] if file.frames > 1 else 0
                truth = fitted(truth_of(file.mask_numbers(number), name), shape, name)
        except ImageError:
            return Fits()
        scores = score_targets(
            annotation, *true_targets(truth, [target.point for target in annotation.targets])
        )
        return Fits(truth, [None if score is None else score.iou for score in scores])


def mean_with_interval(ious: Iterable[float]) -> str:
    """Say a mean with its 95 % interval, by the normal approximation."""
    values = list(ious)
    if not values:
        return "no true target is known"
    mean = fmean(values)
    if len(values) == 1:
        return f"IoU {mean:.3f}"
    half = _SURE * stdev(values) / sqrt(len(values))
    return f"mean IoU {mean:.3f}, 95 % interval {max(0, mean - half):.3f} to {min(1, mean + half):.3f}"
