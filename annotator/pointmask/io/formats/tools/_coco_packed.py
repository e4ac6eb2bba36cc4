"""Annotations of COCO; those that are a box or a key point alone in arrays: 40 bytes, not 1,000."""

import math
from array import array
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pointmask.io.formats.labelled import Box, LabelledTarget
from pointmask.io.formats.parts.origin import LARGEST
from pointmask.io.formats.parts.shapes import box_of_edges, is_of_shares, score_of
from pointmask.io.points.points import Point

Fields = dict[str, Any]
Read = Callable[[Fields, str], list[LabelledTarget]]
"""Takes an annotation as stored and its place."""

_NUMERIC = frozenset((int, float))
_NUMBERS = 6  # row and column of the click, top, left, bottom and right of the box


class Annotations:
    """Annotations by the number of their image, those that are more than a box or key point as they are."""

    def __init__(self) -> None:
        self._numbers, self._images, self._labels = array("i"), array("I"), array("I")
        self._scores = array("d")
        # All others, with the number of packed ones that stand before them.
        self._others: defaultdict[int, list[tuple[int, str, Fields]]] = defaultdict(list)
        self._order, self._ends = np.empty(0, np.uint32), np.empty(0, np.int64)

    def add(self, image: int, label: int, fields: Fields, where: str = "") -> bool:
        """
        Add an annotation.

        Parameters
        ----------
        image, label : int
            Numbers of the image and of the label.
        fields : dict
            As stored.
        where : str
            Its place, for messages.

        Returns
        -------
        bool
            Whether a box or a single key point is all that is in it, and nothing is wrong with it.
        """
        numbers = _numbers(fields)
        if numbers is None:
            self._others[image].append((len(self._images), where, fields))
            return False
        score = None if fields.get("score") is None else score_of(fields["score"])
        self._numbers.extend(numbers)
        self._images.append(image)
        self._labels.append(label)
        self._scores.append(math.nan if score is None else score)
        return True

    def __len__(self) -> int:
        return len(self._images) + sum(map(len, self._others.values()))

    def close(self, images: int) -> None:
        """Sort them by the numbers of so many images; nothing may be added afterwards."""
        numbers = np.frombuffer(self._images, np.uint32)
        self._order = np.argsort(numbers, kind="stable").astype(np.uint32)
        self._ends = np.cumsum(np.bincount(numbers, minlength=images))

    def others(self, image: int) -> list[Fields]:
        """Return those of an image that are not packed, as stored."""
        return [fields for *_, fields in self._others.get(image, ())]

    def targets(self, image: int, labels: Sequence[str | None], read: Read) -> list[LabelledTarget]:
        """Return the targets of an image in their order; ``read`` gives those that are not packed."""
        start = int(self._ends[image - 1]) if image else 0
        places = self._order[start : self._ends[image]].tolist()
        if image not in self._others:
            return [self._target(place, labels) for place in places]
        found = [(place, 1, [self._target(place, labels)]) for place in places]
        found += [(place, 0, read(fields, where)) for place, where, fields in self._others[image]]
        found.sort(key=lambda entry: entry[:2])
        return [target for *_, group in found for target in group]

    def _target(self, place: int, labels: Sequence[str | None]) -> LabelledTarget:
        row, col, top, left, bottom, right = self._numbers[_NUMBERS * place : _NUMBERS * (place + 1)]
        label, score = labels[self._labels[place]], self._scores[place]
        box = Box(top, left, bottom, right) if bottom > top else None
        return LabelledTarget(Point(row, col, label), None, None if score != score else score, label, box)


def _numbers(fields: Fields) -> tuple[int, int, int, int, int, int] | None:
    """Return click and box of an annotation that holds nothing else; a box from 0 to 0 is none."""
    outline, box, points = fields.get("segmentation"), fields.get("bbox"), fields.get("keypoints")
    if not (outline is None or outline == [] or outline == [[]]) or type(fields.get("area")) is list:
        return None
    if points:
        if type(points) is not list or len(points) != 3 or not _are_coordinates(points) or points[2] <= 0:
            return None
        col, row = math.floor(points[0] + 0.5), math.floor(points[1] + 0.5)
    elif points is not None and points != []:
        return None
    if not box:
        return (row, col, 0, 0, 0, 0) if points and (box is None or box == []) else None
    if type(box) is not list or len(box) != 4 or not _are_coordinates(box):
        return None
    x, y, width, height = box
    if width < 0 or height < 0 or not (width or height) or is_of_shares(x, y, x + width, y + height):
        return None
    if not points:
        row, col = math.floor(y + height / 2), math.floor(x + width / 2)
    return row, col, *box_of_edges(x, y, x + width, y + height)


def _are_coordinates(values: list[Any]) -> bool:
    """Say whether all are numbers well inside of what an image can hold."""
    most = LARGEST / 4
    is_inside = _NUMERIC.issuperset(map(type, values)) and -most < min(values) and max(values) < most
    return is_inside and not math.isnan(sum(values))  # of a NaN that is not the first they say nothing
