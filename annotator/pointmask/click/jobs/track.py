"""Carry a frame's targets to the frames that follow, up to the next one that a person completed."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from pointmask.click.base.targets import seed
from pointmask.click.contract.errors import InvalidError
from pointmask.click.contract.source import FrameSource
from pointmask.click.contract.targets import ClickFrame, ClickTarget
from pointmask.click.journal.index import FrameKey
from pointmask.click.masks.divided import TRACKED, Masks
from pointmask.click.masks.undivided import Undivided
from pointmask.click.publish.folder import Cancelled
from pointmask.click.session.session import Session
from pointmask.errors import ImageError
from pointmask.io.images.source import ImageSource
from pointmask.io.points.points import Point
from pointmask.tracking.sequences import carry_on

Report = Callable[[int, int], None]


class Tracked(NamedTuple):
    """
    What became of a track.

    Attributes
    ----------
    start : (str, int)
        The given frame that was carried from.
    frames : int
        Frames with carried targets.
    changed : list of (str, int)
        Frames that differ from before.
    stop : (str, int) or None
        The next given frame; None if the sequence ended first.
    """

    start: FrameKey
    frames: int
    changed: list[FrameKey]
    stop: FrameKey | None


def is_given(frame: ClickFrame) -> bool:
    """Whether a person completed a frame: it has targets, none of them carried, or is known to be empty."""
    if frame.state == "empty":
        return True
    return bool(frame.targets) and all(target.made != "carried" for target in frame.targets)


def track(
    session: Session,
    source: FrameSource,
    images: ImageSource,
    sequence: Sequence[FrameKey],
    place: int,
    edit: str,
    *,
    report: Report | None = None,
    cancel: threading.Event | None = None,
) -> Tracked:
    """
    Carry targets from a frame to the next given frame or the end of its sequence, as ``annotate --track``.

    Parameters
    ----------
    session : Session
    source : FrameSource
        The session's.
    images : ImageSource
        The same images, to be read in order.
    sequence : sequence of (image, frame)
        See `pointmask.tracking.sequences.sequence_of`.
    place : int
        Position of the frame in it. If it is not given, the last given frame before it is carried from.
    edit : str
        Identifier of the undo step.
    report : callable, optional
        Called with frames done and the total.
    cancel : Event, optional
        Set to stop; nothing is written then.

    Returns
    -------
    Tracked
        Targets that were carried before, to the same frames, are replaced by the new ones.

    Raises
    ------
    InvalidError
        If no frame up to `place` is given.
    ConflictError
        If frames were edited meanwhile.
    Cancelled
        If it was stopped.
    ImageError
        If the given frame cannot be read.
    """
    standing = [session.frame(*key) if at == place else session.peek(*key) for at, key in enumerate(sequence)]
    first = next((at for at in range(place, -1, -1) if is_given(standing[at])), None)
    if first is None:
        name, number = sequence[place]
        raise InvalidError(
            f"no frame up to {name}, frame {number}, holds targets that were clicked; click one"
        )
    end = next((at for at in range(first + 1, len(sequence)) if is_given(standing[at])), len(sequence))
    start = session.frame(*sequence[first])
    part = sequence[first:end]

    def told(done: int, total: int) -> None:
        if cancel is not None and cancel.is_set():
            raise Cancelled
        if report is not None:
            report(done, 2 * total - 1)

    clicks = [Point(*target.point, target.label) for target in start.targets]
    found = carry_on(images, part, clicks, polarity=session.setup.polarity, report=told) if clicks else {}
    setup = session.setup
    masks = Masks(Undivided(setup.theta), setup.settings, setup.polarity)
    now = time.time_ns() // 1_000_000
    carried = []
    for count, (key, before) in enumerate(zip(part[1:], standing[first + 1 : end], strict=True), 1):
        if cancel is not None and cancel.is_set():
            raise Cancelled
        points = [sighting.point for sighting in found.get(key, ())]
        after = _after(before, points, source, masks, session, now)
        if after is not before:
            carried.append((before, after))
        if report is not None:
            report(len(part) + count, 2 * len(part) - 1)
    session.put_carried(edit, start, carried)
    return Tracked(
        start=sequence[first],
        frames=sum(1 for key in part[1:] if found.get(key)),
        changed=[(after.image, after.frame) for _, after in carried],
        stop=sequence[end] if end < len(sequence) else None,
    )


def _after(
    before: ClickFrame,
    points: Sequence[Point],
    source: FrameSource,
    masks: Masks,
    session: Session,
    now: int,
) -> ClickFrame:
    """Return a frame with carried points in the place of those that were carried before."""
    settings = session.setup.settings
    if [_said(target) for target in before.targets] == [
        (point.row, point.col, point.label, frozenset(point.flags)) for point in points
    ] and all(target.basis == settings for target in before.targets):
        return before
    if not points:
        return replace(before, targets=())
    try:
        decoded = source.load(before.image, before.frame)
    except ImageError:  # tracks end at such a frame; what is found before it stands
        return before
    last = before.last
    targets = [
        replace(seed(last + count, point, settings), who=session.setup.annotator, changed=now)
        for count, point in enumerate(points, 1)
    ]
    return replace(
        before,
        targets=masks.divided(decoded, before.frame, targets),
        content=decoded.content,
        shape=(decoded.pixels.shape[0], decoded.pixels.shape[1]),
        frames=decoded.frames,
        raster=decoded.raster,
        last=last + len(targets),
    )


def _said(target: ClickTarget) -> tuple[int, int, str | None, frozenset[str]]:
    return (*target.point, target.label, TRACKED.intersection(target.flags))
