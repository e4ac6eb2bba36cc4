"""The worst cases of an evaluation, kept in bounded memory."""

import heapq
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from pointmask.drawing.cases import CaseKind
from pointmask.scoring.run import Target

T = TypeVar("T")


@dataclass(slots=True)
class Worst(Generic[T]):
    """
    The worst cases of one kind, at most `most` of them.

    Attributes
    ----------
    most : int
    total : int
        How many cases there were, kept or not.
    """

    most: int
    total: int = 0
    _heap: list[tuple[float, int, T, Target]] = field(default_factory=list)

    def see(self, badness: float, where: T, target: Target) -> None:
        """Take in a case; of equally bad ones the first stay."""
        self.total += 1
        entry = (badness, -self.total, where, target)
        if len(self._heap) < self.most:
            heapq.heappush(self._heap, entry)
        elif self._heap and entry[:2] > self._heap[0][:2]:
            heapq.heapreplace(self._heap, entry)

    def ordered(self) -> list[tuple[T, Target]]:
        """Return the cases, the worst first."""
        ordered = sorted(self._heap, key=lambda entry: entry[:2], reverse=True)
        return [(where, target) for _, _, where, target in ordered]


class WorstCases(Generic[T]):
    """
    The worst cases of each kind: the largest missed targets and false alarms, and the lowest IoU.

    Parameters
    ----------
    most : int
        Cases of a kind that are kept.

    Attributes
    ----------
    kinds : dict
    """

    def __init__(self, most: int) -> None:
        self.kinds: dict[CaseKind, Worst[T]] = {
            "missed": Worst(most),
            "false alarm": Worst(most),
            "found": Worst(most),
        }

    def see(self, where: T, target: Target) -> None:
        """Take in what became of a target, and whatever tells where it is."""
        badness = {"missed": target.truth_area, "false alarm": target.area, "found": 1 - target.iou}
        self.kinds[target.kind].see(badness[target.kind], where, target)

    @property
    def totals(self) -> dict[CaseKind, int]:
        """How many cases of each kind there were."""
        return {kind: worst.total for kind, worst in self.kinds.items()}
