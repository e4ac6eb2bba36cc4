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
        Images by state, as far as they are listed; targets by size, and how many have no mask yet.
    """
    states = desk.state_counts()
    sizes: Counter[int | None] = Counter()
    unmade = unsure = by_hand = 0
    for _, briefs in desk.session.briefs():
        for brief in briefs:
            if brief.is_unmade:
                unmade += 1
                continue
            sizes[next(size for size in SIZES if size is None or brief.area <= size)] += 1
            unsure += brief.verdict == "unsure"
            by_hand += not brief.is_point_only
    return {
        "images": desk.listing.count,
        "complete": desk.listing.complete,
        "marked": states["marked"],
        "empty": states["empty"],
        "unfinished": states["unfinished"],
        "unreadable": states["unreadable"] + states["changed"],
        "todo": states["new"] + states["seen"] + states["unfinished"],
        "targets": sizes.total() + unmade,
        "unmade": unmade,
        "unsure": unsure,
        "by_hand": by_hand,
        "sizes": [{"upto": size, "count": sizes[size]} for size in SIZES],
    }
