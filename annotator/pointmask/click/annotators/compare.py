"""Two annotators' targets of one frame, paired and measured."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pointmask.folder.records.manifest import Entry
from pointmask.io.formats.labelled import LabelledTarget, Patch
from pointmask.io.formats.tables.native import frame_of_entry
from pointmask.metrics.assignment import assign

NEAR = 3.0
"""Distance in px below which two centroids are of one target, as Pd counts."""


class Match(NamedTuple):
    """
    A target that both annotators have.

    Attributes
    ----------
    point : (row, col)
        That of the first.
    iou : float
        Of the masks.
    apart : float or None
        Distance of the points in px; none if a mask has no point.
    area : float
        Mean of both, in px.
    by_hand : bool
        Whether a person had a part in either mask beyond its point.
    """

    point: tuple[int, int]
    iou: float
    apart: float | None
    area: float
    by_hand: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """
    Two annotators' targets of one frame.

    Attributes
    ----------
    matches : tuple of Match
    only_first, only_second : tuple of (row, col)
        Places of targets that one of them has alone.
    """

    matches: tuple[Match, ...]
    only_first: tuple[tuple[int, int], ...]
    only_second: tuple[tuple[int, int], ...]

    @property
    def is_empty_for_one(self) -> bool:
        """Whether one of them has no target in the frame, and the other has some."""
        first = len(self.matches) + len(self.only_first)
        second = len(self.matches) + len(self.only_second)
        return (first == 0) != (second == 0)


def compare(first: Entry, first_out: Path, second: Entry, second_out: Path) -> Comparison:
    """
    Compare two finished entries of one frame.

    Raises
    ------
    PointsError
        If masks of touching targets cannot be told apart.
    """
    ours, theirs = _targets(first, first_out), _targets(second, second_out)
    distance = np.full((len(ours), len(theirs)), np.inf)
    for i, (a, _) in enumerate(ours):
        for j, (b, _) in enumerate(theirs):
            apart = math.dist(_centroid(a), _centroid(b))
            if apart < NEAR:
                distance[i, j] = apart
    pairs = assign(distance, "hungarian") if ours and theirs else {}
    matches = []
    for i, j in sorted(pairs.items()):
        (a, a_by_hand), (b, b_by_hand) = ours[i], theirs[j]
        one, two = _patch(a), _patch(b)
        area = (one.area + two.area) / 2
        matches.append(Match(_place(a), _iou(one, two), _apart(a, b), area, a_by_hand or b_by_hand))
    found = set(pairs.values())
    return Comparison(
        tuple(matches),
        tuple(_place(a) for i, (a, _) in enumerate(ours) if i not in pairs),
        tuple(_place(b) for j, (b, _) in enumerate(theirs) if j not in found),
    )


def _targets(entry: Entry, out: Path) -> list[tuple[LabelledTarget, bool]]:
    """Return the targets that have pixels, and whether each is by hand."""
    _, targets = frame_of_entry(entry, out, f"{out}, {entry['image']}")
    return [
        (target, _is_by_hand(fields))
        for target, fields in zip(targets, entry["targets"], strict=True)
        if target.patch is not None
    ]


def _is_by_hand(fields: Entry) -> bool:
    return fields.get("made") in ("hand", "predicted") or "level" in fields or "ring" in fields


def _patch(target: LabelledTarget) -> Patch:
    assert target.patch is not None  # `_targets` gives no others
    return target.patch


def _centroid(target: LabelledTarget) -> tuple[float, float]:
    patch = _patch(target)
    rows, cols = np.nonzero(patch.pixels)
    return float(rows.mean()) + patch.row, float(cols.mean()) + patch.col


def _place(target: LabelledTarget) -> tuple[int, int]:
    if target.point is not None:
        return target.point.row, target.point.col
    row, col = _centroid(target)
    return round(row), round(col)


def _apart(a: LabelledTarget, b: LabelledTarget) -> float | None:
    """Distance of the points in px, none if one of them has none."""
    if a.point is None or b.point is None:
        return None
    return math.dist((a.point.row, a.point.col), (b.point.row, b.point.col))


def _iou(a: Patch, b: Patch) -> float:
    top, left = max(a.box.top, b.box.top), max(a.box.left, b.box.left)
    bottom, right = min(a.box.bottom, b.box.bottom), min(a.box.right, b.box.right)
    both = 0
    if top < bottom and left < right:
        ours = a.pixels[top - a.row : bottom - a.row, left - a.col : right - a.col]
        theirs = b.pixels[top - b.row : bottom - b.row, left - b.col : right - b.col]
        both = int(np.count_nonzero(ours & theirs))
    return both / (a.area + b.area - both)
