"""What jobs do: each function takes the desk, reports how far it is, and returns what the page is told.

Each imports what it needs when it is asked for: calibration and tracking would cost a page that never uses
them 18 MB and a third of a second at its start.
"""

import secrets
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pointmask.click.contract.errors import InvalidError
from pointmask.click.server.desk import Desk
from pointmask.click.server.jobs import Report, Result
from pointmask.click.server.shapes import target_shape

if TYPE_CHECKING:
    from pointmask.click.jobs.calibration import Sample

_SHOWN = 20  # frames that are named


def published(desk: Desk, report: Report, cancel: threading.Event) -> Result:
    """Bring the output folder up to date."""
    found = desk.session.publish(report, cancel)
    return Result({"done": found.done, "skipped": found.skipped, "targets": found.targets})


def filled(desk: Desk, report: Report, cancel: threading.Event) -> Result:
    """Make the masks of all points that the session started from."""
    from pointmask.click.jobs.fill import fill

    return Result(_problems(fill(desk.session, report=report, cancel=cancel)))


def tracked(desk: Desk, image: int, frame: int, report: Report, cancel: threading.Event) -> Result:
    """Carry all targets of a frame to the frames that follow."""
    from pointmask.click.jobs.track import track
    from pointmask.tracking.sequences import sequence_of

    name = desk.name(image)
    if not desk.listing.complete:
        raise InvalidError("the images are still being listed; track when they are all there")
    sequence = sequence_of(desk.listing.images, desk.siblings(image), name)
    place = sequence.index((name, frame))
    edit = f"track-{secrets.token_hex(8)}"
    found = track(
        desk.session, desk.frames, desk.listing.images, sequence, place, edit, report=report, cancel=cancel
    )
    for key in found.changed:
        desk.note(desk.session.peek(*key))
    return Result({"frames": found.frames, "changed": len(found.changed)})


def calibrated(desk: Desk, report: Report, cancel: threading.Event) -> Result:
    """Fit theta to what was judged; it is not used before it is accepted."""
    from pointmask.click.jobs.calibration import calibrate_session

    found = calibrate_session(desk.session, desk.frames, desk.listing.images, report=report, cancel=cancel)
    told = {
        "lines": list(found.calibration.lines),
        "kept": found.calibration.kept,
        "looked_at": found.looked_at,
        "changing": found.changing,
        "unjudged": found.unjudged,
        "samples": [shape for sample in found.samples if (shape := _sample(desk, sample)) is not None],
    }
    return Result(told, found.calibration.theta)


def remade(desk: Desk, report: Report, cancel: threading.Event) -> Result:
    """Make all masks anew that nobody has judged, with the theta of now."""
    from pointmask.click.jobs.calibration import remake

    return Result(_problems(remake(desk.session, report=report, cancel=cancel)))


def _sample(desk: Desk, sample: "Sample") -> dict[str, Any] | None:
    name, frame = sample.key
    number, shape = desk.listing.number(name), desk.session.peek(name, frame).shape
    if number is None:
        return None
    states = {"before": target_shape(sample.before, shape), "after": target_shape(sample.after, shape)}
    return {"id": number, "frame": frame, "name": name, **states}


def _problems(problems: Mapping[tuple[str, int], str]) -> dict[str, Any]:
    """Name some of the frames that could not be done."""
    some = list(problems.items())[:_SHOWN]
    return {
        "failed": len(problems),
        "problems": [{"name": name, "frame": frame, "reason": why} for (name, frame), why in some],
    }
