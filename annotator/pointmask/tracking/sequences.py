"""Carry points of some frames of a sequence to the frames that follow.

A sequence is the images of one folder in natural order (``f2.png`` before ``f10.png``) while they have the
same shape, or the frames of one file. A frame with points, or declared to hold no target, is complete: its
targets are tracked up to the next such frame, so a click added there corrects the frames that follow.

All carried points have the flag ``carried``; ``crossing``, ``refound`` and ``identity`` are those of
`pointmask.tracking.follow.Step`, and ``last`` means that the target is lost in the next frame. A lost target
has no point. A frame in which all targets are lost is not annotated, since it is not known to be empty.
Tracks end where the scene changes, and where a frame cannot be read or has another shape.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, pairwise
from typing import NamedTuple

from pointmask.errors import ImageError, PointsError
from pointmask.io.images.kinds import may_hold_frames
from pointmask.io.images.source import ImageSource
from pointmask.io.points.by_frame import points_by_frame
from pointmask.io.points.fit import fitted
from pointmask.io.points.names import ImageFrame, natural_key
from pointmask.io.points.points import Point, Points
from pointmask.io.points.settle import settled
from pointmask.theta import Polarity
from pointmask.tracking.follow import Step, follow
from pointmask.tracking.reading import Frames, missing_between, without_bad_pixels
from pointmask.tracking.sightings import Sighting, key_of, sorted_steps

_REACH = 12.0  # px: target and camera may move by 3 and 6 between two frames, and a click may miss by 3

Report = Callable[[int, int], None]
"""Called with the number of frames done and the total."""


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
    ended : Mapping
        By (image, frame): why targets were lost there, if it was the frame and not the target.
    dropped : tuple of ((image, frame), Point)
        Frames with points, none of which is near a target that was tracked up to them, with the target's
        point in the previous frame.
    """

    points: Points
    sightings: Mapping[ImageFrame, tuple[Sighting, ...]]
    lost: tuple[tuple[ImageFrame, Point], ...]
    ended: Mapping[ImageFrame, str] = field(default_factory=dict)
    dropped: tuple[tuple[ImageFrame, Point], ...] = ()


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
        frame that cannot be read. A frame that cannot be read, that differs in shape or shows another scene
        ends the tracks that reach it.
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
    ended: dict[ImageFrame, str] = {}
    dropped: list[tuple[ImageFrame, Point]] = []
    for run, fixed in runs:
        for start, stop in pairwise([*fixed, len(run)]):
            part = run[start:stop]
            clicks = paired.points.get(part[0], ())
            tracks, why = _tracks(images, part, clicks, polarity, meter)
            by_index, losses = sorted_steps(clicks, tracks)
            sightings.update((part[k], group) for k, group in by_index.items())
            by_image.update(
                (key_of(part[k]), tuple(sighting.point for sighting in group))
                for k, group in by_index.items()
                if k > 0
            )
            lost.extend((part[k], point) for k, point in losses)
            ended.update(
                (part[k], reason) for k in {k for k, _ in losses} if (reason := _reason(part, k, why))
            )
            if stop < len(run):
                before = by_index.get(len(part) - 1, ())
                dropped.extend((run[stop], point) for point in _dropped(before, paired.points.get(run[stop])))
            meter.reach(stop - start)
    return Carried(replace(points, by_image=by_image), sightings, tuple(lost), ended, tuple(dropped))


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
    tracks, _ = _tracks(images, list(part), clicks, polarity, meter)
    by_index, _ = sorted_steps(clicks, tracks)
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


class _End(NamedTuple):
    """Where the frames of a part ended before the part did, and why."""

    frame: int
    reason: str


def _tracks(
    images: ImageSource, part: list[ImageFrame], clicks: Sequence[Point], polarity: Polarity, meter: _Meter
) -> tuple[list[list[Step]], _End | None]:
    """Track the clicks of the first frame through a part of a sequence."""
    tracks = [[Step(0, float(click.row), float(click.col), "given", 1.0)] for click in clicks]
    source = Frames(images, part, meter.tick)
    frames = iter(source)
    first = next(frames, None) if clicks and len(part) > 1 else None
    if first is None:
        return tracks, None
    try:
        clicks = fitted(clicks, first.shape)
    except PointsError:  # reported by the folder job
        return tracks, None
    rows, cols = first.shape
    inside = [k for k, click in enumerate(clicks) if 0 <= click.row < rows and 0 <= click.col < cols]
    if not inside:
        return tracks, None
    places = [(clicks[k].row, clicks[k].col) for k in inside]
    followed = follow(without_bad_pixels(chain([first], frames), places, polarity), places, polarity=polarity)
    for k, steps in zip(inside, followed, strict=True):
        tracks[k] = [*steps, *_broken_off(steps[-1], len(part))]
    return tracks, _End(source.count, source.ended) if source.ended else None


def _broken_off(last: Step, length: int) -> list[Step]:
    """Return the loss of a target whose track ended early because the next frame could not be used."""
    if last.state == "lost" or last.frame + 1 == length:
        return []
    return [Step(last.frame + 1, last.row, last.col, "lost", 0.0)]


def _reason(part: Sequence[ImageFrame], frame: int, end: _End | None) -> str:
    """Say why targets were lost in a frame, if it is not that they were not seen in it."""
    if end is not None and frame == end.frame:
        return end.reason
    names = [name for name, _ in part[max(frame - 2, 0) : frame + 1]]
    missing = [missing_between(*pair) for pair in pairwise(names)]
    if missing[-1] > max(missing[:-1], default=0):
        return f"{missing[-1]:,} numbers are missing before it"
    return ""


def _dropped(before: Sequence[Sighting], clicks: Sequence[Point] | None) -> Iterator[Point]:
    """Yield the targets of a frame that no click of the next one, if it has any, takes up."""
    for sighting in before if clicks else ():
        step = sighting.step
        if all(math.hypot(click.row - step.row, click.col - step.col) > _REACH for click in clicks or ()):
            yield sighting.point
