"""Points, masks and boxes that a document lists apart, put together to targets."""

from collections import defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass

import numpy as np

from pointmask.errors import PointsError
from pointmask.io.formats.encodings.rle import MOST_PIXELS
from pointmask.io.formats.labelled import Box, LabelledTarget, Patch
from pointmask.io.points.points import Point

_FEW = 64


@dataclass(slots=True, eq=False)
class Part:
    """A point, a mask or a box, as a document lists it.

    Attributes
    ----------
    point : Point or None
        With its label.
    patch : Patch or None
        Of a mask.
    label : str or None
        Class name.
    confidence : float or None
        In [0, 1].
    group : hashable or None
        What the document says belongs together; None if it says nothing.
    box : Box or None
        Exactly one of point, patch and box is given.
    middle : Point or None
        Where a box is clicked on if no point belongs to it; its middle pixel by default.
    """

    point: Point | None
    patch: Patch | None
    label: str | None
    confidence: float | None = None
    group: Hashable = None
    box: Box | None = None
    middle: Point | None = None

    @property
    def click(self) -> Point | None:
        """The point, or the middle of the box; None for a mask."""
        if self.point is not None or self.box is None:
            return self.point
        top, left, bottom, right = self.box
        if self.middle is not None:
            return Point(self.middle.row, self.middle.col, self.label)
        return Point((top + bottom - 1) // 2, (left + right - 1) // 2, self.label)


def targets(parts: Iterable[Part]) -> tuple[LabelledTarget, ...]:
    """Put points, masks and boxes together, in the order in which the first part of each target is listed.

    A group of one point and one mask or box is a target. Of what belongs to no such group, a point and the
    first mask or else box of the same label on which it lies are a target, unless the document grouped one.

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
        if k not in mate:
            found.append(LabelledTarget(part.click, part.patch, part.confidence, part.label, part.box))
        elif k not in seen:
            other = listed[mate[k]]
            seen.add(mate[k])
            confidence = part.confidence if part.confidence is not None else other.confidence
            point = part.point or other.point or part.click or other.click
            patch, box = part.patch or other.patch, part.box or other.box
            found.append(LabelledTarget(point, patch, confidence, part.label, box))
    return tuple(found)


def _by_group(listed: list[Part]) -> dict[int, int]:
    """Place of the other part, for both parts of each group of one point and one mask or box."""
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
    """Add pairs of ungrouped points and masks, then boxes, to ``mate``."""
    if not any(part.point is not None and part.group is None for part in listed):
        return
    for kind in ("patch", "box"):
        loose = ((k, part) for k, part in enumerate(listed) if part.group is None)
        areas = [(k, part) for k, part in loose if getattr(part, kind) is not None]
        if areas:
            _on_areas(listed, areas, mate)


def _on_areas(listed: list[Part], areas: list[tuple[int, Part]], mate: dict[int, int]) -> None:
    # Boxes are compared all at once: a document may hold thousands of points and masks in one image.
    extents = [box for _, part in areas if (box := part.box if part.patch is None else part.patch.box)]
    top, left, bottom, right = np.array(extents).T
    free = np.ones(len(areas), np.bool_)
    points = [
        (k, part.point) for k, part in enumerate(listed) if part.point is not None and part.group is None
    ]
    rows, cols = np.array([(point.row, point.col) for _, point in points]).reshape(-1, 2).T
    near = np.ones(len(points), np.bool_)
    if len(areas) <= _FEW:  # so that a million points beside a few boxes are not looked at one by one
        near[:] = False
        for box in extents:
            near |= (box.top <= rows) & (rows < box.bottom) & (box.left <= cols) & (cols < box.right)
    for k in (points[place][0] for place in np.flatnonzero(near)):
        part = listed[k]
        if part.point is None or k in mate:
            continue
        row, col = part.point.row, part.point.col
        for place in np.flatnonzero(free & (top <= row) & (row < bottom) & (left <= col) & (col < right)):
            other, area = areas[place]
            if area.label == part.label and _is_on(area.patch, row, col):
                mate[k], mate[other] = other, k
                free[place] = False
                break


def _is_on(patch: Patch | None, row: int, col: int) -> bool:
    """Say whether a pixel in the box of a mask is on the mask; where there is no mask, it is."""
    return patch is None or bool(patch.pixels[row - patch.row, col - patch.col])
