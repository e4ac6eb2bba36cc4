"""How much of a folder is done, in numbers."""

from collections import Counter
from typing import Any

from pointmask.click.server.desk import Desk

SIZES = (9, 81, None)
"""Largest areas of the classes of targets, in pixels, as in the tables of benchmarks."""


def summary_of(desk: Desk) -> dict[str, Any]:
    """
    Count images and targets.

    Returns
    -------
    dict
        Images by state, as far as they are listed; targets of the frames that the journal tells of, by size.
    """
    states = desk.state_counts()
    sizes: Counter[int | None] = Counter()
    unsure = by_hand = 0
    for image, frame in desk.session.marked():
        for target in desk.session.peek(image, frame).targets:
            sizes[next(size for size in SIZES if size is None or target.area <= size)] += 1
            unsure += target.verdict == "unsure"
            by_hand += not target.is_point_only
    return {
        "images": desk.listing.count,
        "complete": desk.listing.complete,
        "marked": states["marked"],
        "empty": states["empty"],
        "unfinished": states["unfinished"],
        "unreadable": states["unreadable"] + states["changed"],
        "todo": states["new"] + states["seen"] + states["unfinished"],
        "targets": sizes.total(),
        "unsure": unsure,
        "by_hand": by_hand,
        "sizes": [{"upto": size, "count": sizes[size]} for size in SIZES],
    }
