"""Make the masks of all points that a session started from, and put them into the journal."""

import threading
from collections.abc import Callable

from pointmask.click.jobs.frames import each_frame
from pointmask.click.journal.index import FrameKey
from pointmask.click.session.session import Session


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
    return each_frame(keys, lambda key: session.adopt([key]), report=report, cancel=cancel)


def _is_empty(session: Session, key: FrameKey) -> bool:
    """Whether a list of points alone says that a frame holds no target."""
    frame = session.peek(*key)
    return frame.state == "empty" and not frame.content
