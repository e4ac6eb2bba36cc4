"""What is kept of all scored frames: counters, sums by size, and the worst cases."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pointmask.drawing.cases import CaseKind
from pointmask.metrics.counters import Score
from pointmask.metrics.targets import SIZE_CLASSES
from pointmask.scoring.pairs import Pair
from pointmask.scoring.run import ImageScore
from pointmask.scoring.worst import WorstCases


@dataclass(slots=True)
class SizeSum:
    """Targets of one size class: how many there are and were found, and the sum of their IoU."""

    count: int = 0
    found: int = 0
    iou_sum: float = 0.0


class Tally:
    """
    Sums of one set of masks.

    Parameters
    ----------
    most : int
        Worst cases of a kind that are kept.
    """

    def __init__(self, most: int) -> None:
        self._counters: list[NDArray[np.float64]] = []
        self._data_sets: list[str] = []
        self.sizes = {name: SizeSum() for name in SIZE_CLASSES}
        self.kinds: Counter[CaseKind] = Counter()
        self.worst: WorstCases[Pair] = WorstCases(most)

    def add(self, result: ImageScore, index: int) -> None:
        """Add a frame; ``index`` says which of its sets of masks is this one."""
        self._counters.append(result.scores[index].vector())
        self._data_sets.append(result.pair.data_set)
        for target in result.targets[index]:
            self.kinds[target.kind] += 1
            self.worst.see(result.pair, target)
            if target.kind != "false alarm":
                total = self.sizes[target.size_class]
                total.count += 1
                total.found += target.kind == "found"
                total.iou_sum += target.iou

    @property
    def counters(self) -> NDArray[np.float64]:
        """(n, 10) float64: `Score.vector` of each frame."""
        return np.array(self._counters).reshape(-1, len(Score().vector()))

    @property
    def total(self) -> Score:
        """Counters of all frames."""
        return Score.from_vector(self.counters.sum(axis=0))

    def by_data_set(self) -> dict[str, Score]:
        """Return the counters of each data set, sorted by name."""
        names, counters = np.array(self._data_sets), self.counters
        return {
            name: Score.from_vector(counters[names == name].sum(axis=0))
            for name in sorted(set(self._data_sets))
        }

    @property
    def target_iou(self) -> float:
        """Mean over true targets of their IoU, missed ones 0; nan without targets."""
        count = sum(one.count for one in self.sizes.values())
        return sum(one.iou_sum for one in self.sizes.values()) / count if count else float("nan")
