"""Make the masks of all points that a session started from, and put them into the journal."""

import threading
from collections.abc import Callable

from pointmask.click.journal.index import FrameKey
from pointmask.click.publish.folder import Cancelled
from pointmask.click.session.session import Session
from pointmask.errors import PointmaskError


def fill(
    session: Session,
    *,
    report: Callable[[int, int], None] | None = None,
    cancel: threading.Event | None = None,
) -> dict[FrameKey, str]:
    """
    Put what the folder held before into the journal, frame by frame; edits may go on meanwhile.

    Parameters
    ----------
    session : Session
    report : callable, optional
        Called with frames done and the total.
    cancel : Event, optional
        Set to stop; what is done stays.

    Returns
    -------
    dict
        Reasons by frame, of those that cannot be done.

    Raises
    ------
    NotWrittenError
        If the journal cannot be written.
    Cancelled
        If it was stopped.
    """
    ours = session.marked()
    keys = [
        key for key, briefs in session.briefs() if key not in ours and (briefs or _is_empty(session, key))
    ]
    problems: dict[FrameKey, str] = {}
    for count, key in enumerate(keys, 1):
        if cancel is not None and cancel.is_set():
            raise Cancelled
        reason = _adopt(session, key)
        if reason is not None:
            problems[key] = reason
        if report is not None:
            report(count, len(keys))
    return problems


def _is_empty(session: Session, key: FrameKey) -> bool:
    """Whether a list of points alone says that a frame holds no target."""
    frame = session.peek(*key)
    return frame.state == "empty" and not frame.content


def _adopt(session: Session, key: FrameKey) -> str | None:
    try:
        session.adopt([key])
    except PointmaskError as error:
        if isinstance(error, OSError):  # the journal cannot be written, so no later frame fares better
            raise
        return str(error)
    return None
