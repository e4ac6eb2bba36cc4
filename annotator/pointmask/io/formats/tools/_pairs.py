"""Points and masks that a document lists apart, put together to targets."""

from collections import defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass

import numpy as np

from pointmask.errors import PointsError
from pointmask.io.formats.encodings.rle import MOST_PIXELS
from pointmask.io.formats.labelled import LabelledTarget, Patch
from pointmask.io.points.points import Point


@dataclass(slots=True, eq=False)
class Part:
    """A point or a mask, as a document lists it.

    Attributes
    ----------
    point : Point or None
        With its label.
    patch : Patch or None
        Exactly one of the two is given.
    label : str or None
        Class name.
    confidence : float or None
        In [0, 1].
    group : hashable or None
        What the document says belongs together; None if it says nothing.
    """

    point: Point | None
    patch: Patch | None
    label: str | None
    confidence: float | None = None
    group: Hashable = None


def targets(parts: Iterable[Part]) -> tuple[LabelledTarget, ...]:
    """Put points and masks together, in the order in which the first part of each target is listed.

    A group of one point and one mask is a target. Of what belongs to no such group, a point and the first
    mask of the same label on which it lies are a target, unless the document grouped one of them.

    Raises
    ------
    PointsError
        If the masks together are larger than any image: a damaged document must not fill the memory.
    """
    listed = []
    pixels = 0
    for part in parts:
        pixels += part.patch.pixels.size if part.patch is not None else 0
        if pixels > MOST_PIXELS:
            raise PointsError(
                f"its masks cover more than {MOST_PIXELS:,} pixels; divide it or export it again"
            )
        listed.append(part)
    mate = _by_group(listed)
    _by_place(listed, mate)
    found = []
    seen: set[int] = set()
    for k, part in enumerate(listed):
        if k not in seen:
            other = listed[mate[k]] if k in mate else part
            seen.add(mate.get(k, k))
            confidence = part.confidence if part.confidence is not None else other.confidence
            found.append(
                LabelledTarget(part.point or other.point, part.patch or other.patch, confidence, part.label)
            )
    return tuple(found)


def _by_group(listed: list[Part]) -> dict[int, int]:
    """Place of the other part, for both parts of each group of one point and one mask."""
    groups: defaultdict[Hashable, list[int]] = defaultdict(list)
    for k, part in enumerate(listed):
        if part.group is not None:
            groups[part.group].append(k)
    mate = {}
    for members in groups.values():
        if len(members) == 2 and (listed[members[0]].point is None) != (listed[members[1]].point is None):
            mate[members[0]], mate[members[1]] = members[1], members[0]
    return mate


def _by_place(listed: list[Part], mate: dict[int, int]) -> None:
    """Add pairs of ungrouped points and masks to ``mate``."""
    masks = [(k, part, part.patch) for k, part in enumerate(listed) if part.patch and part.group is None]
    if not masks:
        return
    # Boxes are compared all at once: a document may hold thousands of points and masks in one image.
    top, left, bottom, right = np.array([patch.box for _, _, patch in masks]).T
    free = np.ones(len(masks), np.bool_)
    for k, part in enumerate(listed):
        if part.point is None or part.group is not None:
            continue
        row, col = part.point.row, part.point.col
        for place in np.flatnonzero(free & (top <= row) & (row < bottom) & (left <= col) & (col < right)):
            other, mask, patch = masks[place]
            if mask.label == part.label and patch.pixels[row - patch.row, col - patch.col]:
                mate[k], mate[other] = other, k
                free[place] = False
                break
