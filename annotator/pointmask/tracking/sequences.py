"""Carry points of some frames of a sequence to the frames that follow.

A sequence is the images of one folder in natural order (``f2.png`` before ``f10.png``) while they have the
same shape, or the frames of one file. A frame with points, or declared to hold no target, is complete: its
targets are tracked up to the next such frame, so a click added there corrects the frames that follow.

All carried points have the flag ``carried``; ``crossing``, ``refound`` and ``identity`` are those of
`pointmask.tracking.follow.Step`, and ``last`` means that the target is lost in the next frame. A lost target
has no point. A frame in which all targets are lost is not annotated, since it is not known to be empty.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, groupby, pairwise, zip_longest
from operator import itemgetter
from typing import Any

from numpy.typing import NDArray

from pointmask.errors import ImageError, PointsError
from pointmask.io.images.kinds import may_hold_frames
from pointmask.io.images.source import ImageSource
from pointmask.io.points.by_frame import points_by_frame
from pointmask.io.points.fit import fitted
from pointmask.io.points.names import ImageFrame, natural_key
from pointmask.io.points.points import Point, Points, pixel_index
from pointmask.io.points.settle import settled
from pointmask.theta import Polarity
from pointmask.tracking.follow import Step, follow

Report = Callable[[int, int], None]
"""Called with the number of frames done and the total."""


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


@dataclass(frozen=True, slots=True)
class Carried:
    """
    Points of all frames, given and carried.

    Attributes
    ----------
    points : Points
        The given points and those carried from them.
    sightings : Mapping
        By (image, frame), in the order of each sequence: all targets of the frames that tracks pass through.
    lost : tuple of ((image, frame), Point)
        Frames in which targets were lost, with the point of the previous frame.
    """

    points: Points
    sightings: Mapping[ImageFrame, tuple[Sighting, ...]]
    lost: tuple[tuple[ImageFrame, Point], ...]


def carry(
    points: Points,
    images: ImageSource,
    names: Sequence[str],
    *,
    polarity: Polarity = "bright",
    report: Report | None = None,
) -> Carried:
    """
    Carry points to the frames that follow.

    Parameters
    ----------
    points : Points
        On at least one frame of each sequence; sequences without points are ignored.
    images : ImageSource
        Source of the frames.
    names : sequence of str
        Images of the source, from `ImageSource.names`.
    polarity : {"bright", "dark", "auto"}
        Polarity of the targets against their background.
    report : callable, optional
        Called after each frame with the number of frames done and the total.

    Returns
    -------
    Carried
        Depends on images and points only. Points outside their image are not carried, nor are points of a
        frame that cannot be read. A frame that cannot be read, or that differs in shape, ends the tracks
        that reach it.
    """
    points = settled(points, names)
    paired = points_by_frame(points, names)
    known = {*paired.points, *paired.rejected}
    runs = [
        (run, [k for k, key in enumerate(run) if key in known])
        for run in _sequences(images, names, {name for name, _ in known})
    ]
    meter = _Meter(report, sum(len(run) - fixed[0] for run, fixed in runs if fixed))
    by_image = dict(points.by_image)
    sightings: dict[ImageFrame, tuple[Sighting, ...]] = {}
    lost: list[tuple[ImageFrame, Point]] = []
    for run, fixed in runs:
        for start, stop in pairwise([*fixed, len(run)]):
            part = run[start:stop]
            clicks = paired.points.get(part[0], ())
            by_index, losses = _sorted(clicks, _tracks(images, part, clicks, polarity, meter))
            sightings.update((part[k], group) for k, group in by_index.items())
            by_image.update(
                (_key(part[k]), tuple(sighting.point for sighting in group))
                for k, group in by_index.items()
                if k > 0
            )
            lost.extend((part[k], point) for k, point in losses)
            meter.reach(stop - start)
    return Carried(replace(points, by_image=by_image), sightings, tuple(lost))


def sightings_text(carried: Carried) -> str:
    """
    Write all sightings as JSON lines, which `pointmask.io.formats.tables.jsonl` reads as points.

    Returns
    -------
    str
        A line per frame; ``x`` and ``y`` are 0-based pixels with two decimals, ``state``, ``score`` and
        ``flags`` those of `Step` and `Point`. Frames without a remaining target have no line.
    """
    lines = (
        json.dumps({"image": _key(at), "points": [_fields(sighting) for sighting in group]})
        for at, group in carried.sightings.items()
    )
    return "".join(line + "\n" for line in lines)


def carry_on(
    images: ImageSource,
    part: Sequence[ImageFrame],
    clicks: Sequence[Point],
    *,
    polarity: Polarity = "bright",
    report: Report | None = None,
) -> Mapping[ImageFrame, tuple[Sighting, ...]]:
    """
    Carry the points of one frame through part of a sequence, as `carry` does up to the next complete frame.

    Parameters
    ----------
    images : ImageSource
        Source of the frames.
    part : sequence of (image, frame)
        The frame with the points, and those that follow.
    clicks : sequence of Point
        Points of the first frame.
    polarity, report
        As for `carry`.

    Returns
    -------
    Mapping
        Sightings by frame, the first one included, in which nothing was carried.
    """
    meter = _Meter(report, len(part))
    by_index, _ = _sorted(clicks, _tracks(images, list(part), clicks, polarity, meter))
    return {part[k]: group for k, group in by_index.items()}


def sequence_of(images: ImageSource, names: Sequence[str], name: str) -> list[ImageFrame]:
    """
    Return the sequence that an image belongs to.

    Parameters
    ----------
    images : ImageSource
        Source of the frames.
    names : sequence of str
        Names of the source, those of the image's folder at least.
    name : str
        The image.

    Returns
    -------
    list of (image, frame)
        In order; the frames of the image itself if its file holds several. `carry` ends tracks where a shape
        differs.

    Raises
    ------
    ImageError
        If it cannot be read.
    """
    folder = name.rpartition("/")[0]
    beside = [other for other in names if other.rpartition("/")[0] == folder]
    if may_hold_frames(name):
        count = images.frame_count(name)
        if count > 1:
            return [(name, k) for k in range(count)]
    return next(run for run in _sequences(images, beside, {name}) if (name, 0) in run)


class _Meter:
    """Counts frames and reports progress."""

    def __init__(self, report: Report | None, total: int) -> None:
        self._report, self._total = report, total
        self._before, self._part = 0, 0

    def tick(self) -> None:
        """Count one frame of the present part."""
        self._part += 1
        if self._report is not None:
            self._report(self._before + self._part, self._total)

    def reach(self, length: int) -> None:
        """Finish a part of `length` frames; its tracks may have ended earlier."""
        self._before, self._part = self._before + length, 0


def _sequences(images: ImageSource, names: Sequence[str], requested: set[str]) -> Iterator[list[ImageFrame]]:
    """Yield the sequences that contain a requested image."""
    folders: defaultdict[str, list[str]] = defaultdict(list)
    for name in names:
        if may_hold_frames(name):
            try:
                count = images.frame_count(name) if name in requested else 1
            except ImageError:  # reported by the folder job
                continue
            if count > 1:
                yield [(name, k) for k in range(count)]
                continue
        folders[name.rpartition("/")[0]].append(name)
    for _, members in sorted(folders.items(), key=lambda item: natural_key(item[0])):
        if not requested.isdisjoint(members):
            yield [(name, 0) for name in sorted(members, key=natural_key)]


def _tracks(
    images: ImageSource, part: list[ImageFrame], clicks: Sequence[Point], polarity: Polarity, meter: _Meter
) -> list[list[Step]]:
    """Track the clicks of the first frame through a part of a sequence."""
    tracks = [[Step(0, float(click.row), float(click.col), "given", 1.0)] for click in clicks]
    frames = _decoded(images, part, meter)
    first = next(frames, None) if clicks and len(part) > 1 else None
    if first is None:
        return tracks
    try:
        clicks = fitted(clicks, first.shape)
    except PointsError:  # reported by the folder job
        return tracks
    rows, cols = first.shape
    inside = [k for k, click in enumerate(clicks) if 0 <= click.row < rows and 0 <= click.col < cols]
    if inside:
        followed = follow(
            chain([first], frames), [(clicks[k].row, clicks[k].col) for k in inside], polarity=polarity
        )
        for k, steps in zip(inside, followed, strict=True):
            tracks[k] = [*steps, *_broken_off(steps[-1], len(part))]
    return tracks


def _broken_off(last: Step, length: int) -> list[Step]:
    """Return the loss of a target whose track ended early because the next frame could not be used."""
    if last.state == "lost" or last.frame + 1 == length:
        return []
    return [Step(last.frame + 1, last.row, last.col, "lost", 0.0)]


def _decoded(images: ImageSource, part: list[ImageFrame], meter: _Meter) -> Iterator[NDArray[Any]]:
    """Yield frames up to the first that cannot be read or differs in shape."""
    shape = None
    try:
        for name, group in groupby(part, key=itemgetter(0)):
            with images.open(name) as file:
                for _, frame in group:
                    image = file.decode(frame)
                    if image.shape != (shape or image.shape):
                        return
                    shape = image.shape
                    yield image
                    meter.tick()
    except ImageError:  # reported by the folder job, if the image has points
        return


def _sorted(
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


def _key(at: ImageFrame) -> str:
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
