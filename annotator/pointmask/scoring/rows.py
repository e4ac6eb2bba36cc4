"""The tables of single images and targets, ``images.csv`` and ``targets.csv``, written as they come."""

import csv
from collections.abc import Sequence
from typing import TextIO

from pointmask.scoring.run import ImageScore

_IMAGE = (
    "image",
    "data_set",
    "masks",
    "iou",
    "intersection",
    "union",
    "true_targets",
    "found",
    "false_alarms",
    "false_pixels",
    "pixels",
)
_TARGET = (
    "image",
    "data_set",
    "masks",
    "kind",
    "top",
    "left",
    "bottom",
    "right",
    "true_area",
    "area",
    "intersection",
    "iou",
    "size_class",
)


class Rows:
    """
    Writes a line per frame and set of masks, and one per target.

    Parameters
    ----------
    names : sequence of str
        Of the sets.
    images, targets : text files
        Opened with ``newline=""``.
    """

    def __init__(self, names: Sequence[str], images: TextIO, targets: TextIO) -> None:
        self._names = names
        self._images = csv.writer(images, lineterminator="\n")
        self._targets = csv.writer(targets, lineterminator="\n")
        self._images.writerow(_IMAGE)
        self._targets.writerow(_TARGET)

    def add(self, result: ImageScore) -> None:
        """Write one frame; one that could not be scored has no line."""
        head = result.pair.name, result.pair.data_set
        for name, score, targets in zip(self._names, result.scores, result.targets, strict=False):
            iou = f"{score.iou:.6f}" if score.union else ""
            self._images.writerow(
                (
                    *head,
                    name,
                    iou,
                    score.intersection,
                    score.union,
                    score.truth_targets,
                    score.matched,
                    score.false_targets,
                    score.false_pixels,
                    score.pixels,
                )
            )
            for one in targets:
                row = *head, name, one.kind, *one.box, one.truth_area, one.area, one.intersection
                self._targets.writerow((*row, f"{one.iou:.6f}", one.size_class))
