"""What tracks say of the targets in each frame, and as JSON lines."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from operator import itemgetter
from typing import Any

from pointmask.io.points.names import ImageFrame
from pointmask.io.points.points import Point, pixel_index
from pointmask.tracking.follow import Step


@dataclass(frozen=True, slots=True)
class Sighting:
    """
    A target in one frame.

    Attributes
    ----------
    point : Point
        Pixel indices, with label and flags.
    step : Step
        Sub-pixel place, state and score.
    """

    point: Point
    step: Step


def sightings_text(sightings: Mapping[ImageFrame, Sequence[Sighting]]) -> str:
    """
    Write all sightings as JSON lines, which `pointmask.io.formats.tables.jsonl` reads as points.

    Returns
    -------
    str
        A line per frame; ``x`` and ``y`` are 0-based pixels with two decimals, ``state``, ``score`` and
        ``flags`` those of `Step` and `Point`. Frames without a remaining target have no line.
    """
    lines = (
        json.dumps({"image": key_of(at), "points": [_fields(sighting) for sighting in group]})
        for at, group in sightings.items()
    )
    return "".join(line + "\n" for line in lines)


def sorted_steps(
    clicks: Sequence[Point], tracks: Sequence[Sequence[Step]]
) -> tuple[dict[int, tuple[Sighting, ...]], list[tuple[int, Point]]]:
    """Group steps by frame and return them with the losses; tracks of a single step are omitted."""
    by_frame: defaultdict[int, list[Sighting]] = defaultdict(list)
    lost: list[tuple[int, Point]] = []
    for click, steps in zip(clicks, tracks, strict=True):
        for step, after in zip_longest(steps, steps[1:]):
            if step.state == "lost":
                continue
            is_last = after is not None and after.state == "lost"
            point = _point(click, step, is_last=is_last)
            if len(steps) > 1:
                by_frame[step.frame].append(Sighting(point, step))
            if is_last:
                lost.append((after.frame, point))
    ordered = {frame: tuple(by_frame[frame]) for frame in sorted(by_frame)}
    return ordered, sorted(lost, key=itemgetter(0))


def _point(click: Point, step: Step, *, is_last: bool) -> Point:
    """Return the pixel of a step, with its flags."""
    given = step.state == "given"
    flags = {"carried": not given, "crossing": step.state == "crossing", "last": is_last}
    named = (*(name for name, on in flags.items() if on), *step.flags)
    if given:
        return replace(click, flags=named)
    row, col = pixel_index(_written(step.row)), pixel_index(_written(step.col))
    return Point(row, col, click.label, named)  # a place in the frame, whatever size the document says


def key_of(at: ImageFrame) -> str:
    """Return the key under which `Points` holds a frame."""
    return f"{at[0]}#{at[1]}" if at[1] else at[0]


def _written(place: float) -> float:
    """Round a coordinate as it is written, so that reading it back gives the same pixel."""
    return round(place, 2)


def _fields(sighting: Sighting) -> dict[str, Any]:
    """Return the JSON fields of one sighting."""
    step, point = sighting.step, sighting.point
    fields: dict[str, Any] = {"x": _written(step.col), "y": _written(step.row)}
    if point.label is not None:
        fields["label"] = point.label
    return {**fields, "state": step.state, "score": round(step.score, 4), "flags": list(point.flags)}
