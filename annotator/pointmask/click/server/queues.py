"""Review queues that pages look at: each stays as it was made, so that no target jumps."""

import threading
from collections import OrderedDict
from typing import Any

from pointmask.click.review.progress import bands_of, progress_of
from pointmask.click.review.queue import Choice, ReviewQueue, Row
from pointmask.click.server.desk import Desk

_KEPT = 4


class Queues:
    """Queues by what was chosen."""

    def __init__(self) -> None:
        self._queues: OrderedDict[Choice, ReviewQueue] = OrderedDict()
        self._lock = threading.Lock()

    def part(self, desk: Desk, choice: Choice, start: int, count: int) -> dict[str, Any]:
        """
        Return a part of a queue.

        Parameters
        ----------
        desk : Desk
        choice : Choice
        start, count : int
            From the beginning, the queue is made anew, and how far the whole review is, is told as well.

        Returns
        -------
        dict
            Rows of images that are not listed (any more) are left out.
        """
        with self._lock:
            queue = self._queues.get(choice)
            if queue is None or start == 0:
                queue = self._queues[choice] = ReviewQueue(desk.session, choice)
                self._queues.move_to_end(choice)
                if len(self._queues) > _KEPT:
                    self._queues.popitem(last=False)
            found = queue.rows(start, count)
        rows = [
            _shape(row, number) for row in found if (number := desk.listing.number(row.key[0])) is not None
        ]
        part = {"total": len(queue), "from": start, "rows": rows}
        return part if start else {**part, **_told(desk)}


def _told(desk: Desk) -> dict[str, Any]:
    """Return how far the review of all targets is, and what it says about those that nobody looked at."""
    return {
        "unmade": sum(brief.is_unmade for _, briefs in desk.session.briefs() for brief in briefs),
        "progress": progress_of(desk.session.briefs())._asdict(),
        "bands": [band._asdict() for band in bands_of(desk.session.briefs())],
    }


def _shape(row: Row, number: int) -> dict[str, Any]:
    brief = row.brief
    return {
        "id": number,
        "name": row.key[0],
        "frame": row.key[1],
        "target": brief.target,
        "confidence": brief.confidence,
        "area": brief.area,
        "flags": brief.flags,
        "label": brief.label,
        "verdict": brief.verdict,
        "box": brief.box,
        "gone": row.gone,
    }
