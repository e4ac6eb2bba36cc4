"""Version, area and, where true masks are known, quality of the labels of a train list."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointmask_trainer.data.labels import LabelStore
from pointmask_trainer.data.split import Mask


def label_record(
    labels: LabelStore,
    indices: Sequence[int],
    points: Sequence[NDArray[np.int64]],
    truths: Sequence[Mask] | None,
) -> dict[str, Any]:
    """Measure labels of the train list.

    Parameters
    ----------
    labels : LabelStore
    indices : sequence of int
        Images that are measured.
    points : sequence of (K, 2) arrays
        Of all images.
    truths : sequence of (H, W) bool arrays or None
        True masks of all images.

    Returns
    -------
    dict
        ``version``; ``area``, mean pixels above 0.5 per point; and with true masks ``train``, the pooled IoU
        with them, None if both are empty.
    """
    area = both = either = 0
    for index in indices:
        mask = labels.label("train", index) > 0.5
        area += int(np.count_nonzero(mask))
        if truths is not None:
            both += int(np.count_nonzero(mask & truths[index]))
            either += int(np.count_nonzero(mask | truths[index]))
    record: dict[str, Any] = {
        "version": labels.version,
        "area": round(area / max(1, sum(len(points[index]) for index in indices)), 4),
    }
    if truths is not None:
        record["train"] = both / either if either else None
    return record
