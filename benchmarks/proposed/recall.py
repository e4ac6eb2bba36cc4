"""Recall of ranked proposals: the share of true targets among the first k of each frame."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
from masks.data import Frame
from numpy.typing import NDArray

from pointmask.components import blobs
from pointmask.metrics.assignment import assign

Places = NDArray[np.float64]

NEAR = 3.0  # px between the centroids of proposal and target
PER_FRAME = (1, 3, 5, 10)


def centroids(frame: Frame) -> Places:
    """Return the centroids (n, 2) of the true 8-connected components."""
    return np.asarray(blobs(frame.labels > 0)[0], np.float64).reshape(-1, 2)


def found_by(places: Places, true: Places) -> set[int]:
    """Return the indices of the proposals that are paired with a target of their own."""
    if not len(places) or not len(true):
        return set()
    distance = np.linalg.norm(true[:, None] - places[None], axis=2)
    return set(assign(np.where(distance <= NEAR, distance, np.inf), "hungarian").values())


def recall_table(ranked: Iterable[tuple[Frame, Places]]) -> dict[str, dict[str, float]]:
    """Return targets, and recall at each of `PER_FRAME`, by data set and over all."""
    found: dict[str, list[int]] = defaultdict(lambda: [0] * (1 + len(PER_FRAME)))
    for frame, places in ranked:
        true = centroids(frame)
        counts = [len(true), *(len(found_by(places[:k], true)) for k in PER_FRAME)]
        for name in ("all", frame.group):
            found[name] = [a + b for a, b in zip(found[name], counts, strict=True)]
    return {
        name: {"targets": total} | {str(k): n / total for k, n in zip(PER_FRAME, hits, strict=True)}
        for name, (total, *hits) in found.items()
        if total
    }


def recall_lines(ranked: Sequence[tuple[Frame, Places]]) -> list[str]:
    """Format `recall_table` as text."""
    return [
        f"  {name:12} {row['targets']:5,.0f} targets  " + "  ".join(f"{row[str(k)]:.3f}" for k in PER_FRAME)
        for name, row in recall_table(ranked).items()
    ]
