"""How well annotators agree on the frames that two or more of them finished."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from heapq import nsmallest
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pointmask.click.annotators.common import by_frame, check_published
from pointmask.click.annotators.compare import Comparison, Match, compare
from pointmask.click.journal.index import FrameKey
from pointmask.errors import PointsError
from pointmask.folder.records.manifest import Entry

SIZES = ((9.0, "up to 9 px"), (81.0, "10 to 81 px"), (float("inf"), "more"))
"""Largest mean area of a class, and its name."""

_DRAWS = 1000
_COVER = (2.5, 97.5)
_WORST = 50


class Worst(NamedTuple):
    """
    A place where two annotators differ.

    Attributes
    ----------
    iou : float
        0 for a target that one of them has alone.
    key : (str, int)
    place : (row, col)
    first, second : int
        Numbers of the folders.
    what : str
        ``only in`` the one folder, or empty.
    """

    iou: float
    key: FrameKey
    place: tuple[int, int]
    first: int
    second: int
    what: str


class Figure(NamedTuple):
    """A value with the 95 % interval of a bootstrap over frames; nan without observations."""

    value: float
    low: float
    high: float


@dataclass(eq=False)
class Agreement:
    """
    What one pair of annotators, or all pairs together, have in common.

    Attributes
    ----------
    comparisons : list of (FrameKey, Comparison)
        One per frame that both finished.
    """

    comparisons: list[tuple[FrameKey, Comparison]] = field(default_factory=list)

    @property
    def both(self) -> int:
        """Targets that both have."""
        return sum(len(c.matches) for _, c in self.comparisons)

    @property
    def only_first(self) -> int:
        """Targets of the first alone."""
        return sum(len(c.only_first) for _, c in self.comparisons)

    @property
    def only_second(self) -> int:
        """Targets of the second alone."""
        return sum(len(c.only_second) for _, c in self.comparisons)

    @property
    def empty_for_one(self) -> int:
        """Frames in which one has no target, and the other some."""
        return sum(c.is_empty_for_one for _, c in self.comparisons)

    def found(self) -> Figure:
        """Return twice the common targets over all targets of both (Dice's coefficient)."""
        counts = np.array(
            [[len(c.matches), len(c.only_first) + len(c.only_second)] for _, c in self.comparisons],
            np.float64,
        ).reshape(-1, 2)

        def dice(rows: NDArray[np.intp]) -> float:
            both, alone = counts[rows].sum(axis=0)
            return float(2 * both / (2 * both + alone)) if both + alone else float("nan")

        return _bootstrap(len(counts), dice)

    def median(self, value: Callable[[Match], float | None], chosen: Callable[[Match], bool]) -> Figure:
        """Return the median of a value over the chosen matches."""
        pairs = [
            (v, row)
            for row, (_, c) in enumerate(self.comparisons)
            for m in c.matches
            if chosen(m) and (v := value(m)) is not None
        ]
        values, owners = np.array(sorted(pairs), np.float64).reshape(-1, 2).T
        owners = owners.astype(np.intp)

        def median(rows: NDArray[np.intp]) -> float:
            """Median of the values of drawn frames, each as often as its frame was drawn."""
            often = np.bincount(rows, minlength=len(self.comparisons))[owners].cumsum()
            if not often.size or not often[-1]:
                return float("nan")
            middle = [(often[-1] - 1) // 2, often[-1] // 2]
            return float(values[np.searchsorted(often, middle, side="right")].mean())

        return _bootstrap(len(self.comparisons), median)

    def quartiles(self, chosen: Callable[[Match], bool]) -> tuple[int, float, float]:
        """Return how many matches are chosen, and the first and third quartile of their IoU."""
        values = [m.iou for _, c in self.comparisons for m in c.matches if chosen(m)]
        if not values:
            return 0, float("nan"), float("nan")
        low, high = np.percentile(values, (25, 75))
        return len(values), float(low), float(high)


@dataclass(eq=False)
class Agreements:
    """
    What the folders have in common.

    Attributes
    ----------
    folders : sequence of Path
    pairs : dict
        Agreement by the numbers of two folders; only pairs with common frames.
    pooled : Agreement
        All pairs together.
    left_out : list of str
        Reasons, of frames that cannot be compared.
    worst : list of Worst
        Fifty at most.
    """

    folders: Sequence[Path]
    pairs: dict[tuple[int, int], Agreement] = field(default_factory=dict)
    pooled: Agreement = field(default_factory=Agreement)
    left_out: list[str] = field(default_factory=list)
    worst: list[Worst] = field(default_factory=list)


def agree(folders: Sequence[Path]) -> Agreements:
    """
    Compare the frames that two or more folders hold as finished.

    Parameters
    ----------
    folders : sequence of Path
        Output folders of click sessions, or of annotate.

    Returns
    -------
    Agreements

    Raises
    ------
    OutputError
        If a folder has no manifest, is named twice, or holds edits that are not published.
    """
    check_published(folders)
    found = Agreements(folders)
    for key, entries in by_frame(folders):
        done = {number: entry for number, entry in entries.items() if entry["status"] == "done"}
        for first, second in combinations(sorted(done), 2):
            reason = _add(found, key, (first, done[first]), (second, done[second]))
            if reason is not None:
                found.left_out.append(reason)
    found.worst = nsmallest(_WORST, (bad for pair in found.pairs for bad in _bad(found, pair)))
    return found


def _add(found: Agreements, key: FrameKey, first: tuple[int, Entry], second: tuple[int, Entry]) -> str | None:
    """Compare one frame of two folders; return why it cannot be done."""
    (a, ours), (b, theirs) = first, second
    if ours["content"] != theirs["content"]:
        return f"{key[0]}: {found.folders[a]} and {found.folders[b]} mark different files of this name"
    try:
        comparison = compare(ours, found.folders[a], theirs, found.folders[b])
    except PointsError as error:
        return str(error)
    found.pairs.setdefault((a, b), Agreement()).comparisons.append((key, comparison))
    found.pooled.comparisons.append((key, comparison))
    return None


def _bad(found: Agreements, pair: tuple[int, int]) -> list[Worst]:
    first, second = pair
    bad = []
    for key, comparison in found.pairs[pair].comparisons:
        for folder, places in ((first, comparison.only_first), (second, comparison.only_second)):
            bad += [
                Worst(0.0, key, place, first, second, f"only in {found.folders[folder]}") for place in places
            ]
        bad += [Worst(m.iou, key, m.point, first, second, "") for m in comparison.matches if m.iou < 1]
    return bad


def _bootstrap(count: int, measure: Callable[[NDArray[np.intp]], float]) -> Figure:
    """Measure all frames, and many draws of as many frames with replacement."""
    if not count:
        return Figure(float("nan"), float("nan"), float("nan"))
    random = np.random.default_rng(0)
    draws = [measure(random.integers(0, count, count)) for _ in range(_DRAWS)]
    finite = [draw for draw in draws if not np.isnan(draw)]
    low, high = np.percentile(finite, _COVER) if finite else (float("nan"), float("nan"))
    return Figure(measure(np.arange(count)), float(low), float(high))
