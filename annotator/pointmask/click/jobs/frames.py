"""One frame after the other: progress, cancelling, and frames that cannot be done."""

import threading
from collections.abc import Callable, Sequence

from pointmask.click.journal.index import FrameKey
from pointmask.click.publish.folder import Cancelled
from pointmask.errors import PointmaskError


def each_frame(
    keys: Sequence[FrameKey],
    work: Callable[[FrameKey], object],
    *,
    report: Callable[[int, int], None] | None = None,
    cancel: threading.Event | None = None,
) -> dict[FrameKey, str]:
    """
    Do the work of each frame, and go on with the next where one cannot be done.

    Parameters
    ----------
    keys : sequence of FrameKey
    work : callable
        Takes a frame.
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
        If the journal cannot be written, so that no later frame fares better.
    Cancelled
        If it was stopped.
    """
    problems: dict[FrameKey, str] = {}
    for count, key in enumerate(keys, 1):
        if cancel is not None and cancel.is_set():
            raise Cancelled
        try:
            work(key)
        except PointmaskError as error:
            if isinstance(error, OSError):
                raise
            problems[key] = str(error)
        if report is not None:
            report(count, len(keys))
    return problems
