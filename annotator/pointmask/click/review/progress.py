"""How far a review is, and what it says about the masks that nobody has looked at."""

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from pointmask.click.contract.targets import Brief
from pointmask.click.journal.index import FrameKey

_RECENT = 50
_PAUSE = 120_000  # ms; a person who takes longer did something else
_Z = 1.959964  # 95 %
BANDS = (0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0)
"""Edges of the bands of confidence."""


class Progress(NamedTuple):
    """
    How far a review is.

    Attributes
    ----------
    done, total : int
        Targets with a verdict, and all.
    seconds : float or None
        Median time per target, of the last 50.
    left : float or None
        Seconds that the others would take at that pace.
    recent, changed : int
        Targets that were judged last, at most 50, and how many of them were changed.
    range : (float, float) or None
        Confidence of those.
    """

    done: int
    total: int
    seconds: float | None
    left: float | None
    recent: int
    changed: int
    range: tuple[float, float] | None


class Band(NamedTuple):
    """
    Targets of a range of confidence.

    Attributes
    ----------
    low, high : float
        The range, half-open; the last one is closed.
    total, reviewed, changed : int
        Targets, those with a verdict, those that were changed.
    interval : (float, float) or None
        95 % interval (Wilson) of the share that needs a change, if it was drawn at random from the band.
    """

    low: float
    high: float
    total: int
    reviewed: int
    changed: int
    interval: tuple[float, float] | None


def progress_of(frames: Iterable[tuple[FrameKey, Sequence[Brief]]]) -> Progress:
    """Return how far the review of all targets is, from their verdicts and times."""
    total = 0
    judged: list[Brief] = []
    for _, briefs in frames:
        total += len(briefs)
        judged += [brief for brief in briefs if brief.verdict is not None]
    judged.sort(key=lambda brief: brief.changed)
    recent = judged[-_RECENT:]
    gaps = [b.changed - a.changed for a, b in pairwise(judged[-_RECENT - 1 :])]
    gaps = [gap for gap in gaps if 0 <= gap <= _PAUSE]
    seconds = median(gaps) / 1000 if gaps else None
    sure = [brief.confidence for brief in recent if brief.confidence is not None]
    return Progress(
        done=len(judged),
        total=total,
        seconds=seconds,
        left=None if seconds is None else seconds * (total - len(judged)),
        recent=len(recent),
        changed=sum(brief.verdict == "changed" for brief in recent),
        range=(min(sure), max(sure)) if sure else None,
    )


def bands_of(frames: Iterable[tuple[FrameKey, Sequence[Brief]]]) -> list[Band]:
    """Return what was reviewed and changed, by bands of confidence; masks that have none are left out."""
    counts = [[0, 0, 0] for _ in BANDS[1:]]
    for _, briefs in frames:
        for brief in briefs:
            if brief.confidence is None:
                continue
            place = next(
                (k for k, high in enumerate(BANDS[1:-1]) if brief.confidence < high), len(counts) - 1
            )
            counts[place][0] += 1
            counts[place][1] += brief.verdict in ("accepted", "changed")
            counts[place][2] += brief.verdict == "changed"
    return [
        Band(low, high, total, reviewed, changed, wilson(changed, reviewed))
        for (low, high), (total, reviewed, changed) in zip(pairwise(BANDS), counts, strict=True)
    ]


def wilson(hits: int, count: int) -> tuple[float, float] | None:
    """Return the 95 % interval of a share by Wilson's formula, None without observations."""
    if not count:
        return None
    share, square = hits / count, _Z**2
    middle = (share + square / (2 * count)) / (1 + square / count)
    half = _Z * math.sqrt(share * (1 - share) / count + square / (4 * count**2)) / (1 + square / count)
    return max(0.0, middle - half), min(1.0, middle + half)
