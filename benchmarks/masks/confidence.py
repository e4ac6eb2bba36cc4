"""Whether the predicted IoU means something: rank correlation, reliability, gain from dropping the unsure."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import spearmanr

from masks.run import FrameResult, number, pooled

BINS = 10
DROPPED = (0.05, 0.10, 0.20)


def confidence(found: Sequence[FrameResult]) -> dict[str, Any]:
    """Compare predicted with true IoU, target by target.

    Returns
    -------
    dict
        ``targets``; ``spearman`` (None where all predictions are equal); ``error``, the mean over
        targets of |mean prediction - mean true IoU| of their bin; ``bins``, one per tenth of [0, 1] that
        holds targets; ``iou`` pooled over targets, and ``kept``, the same without the least sure.
    """
    targets = [t for f in found for t in f.targets]
    predicted = np.array([c for f in found for c in f.confidences])
    true = np.array([t.iou for t in targets])
    varied = len(targets) > 1 and np.ptp(predicted) > 0 and np.ptp(true) > 0
    bins = reliability(predicted, true)
    error = sum(b["targets"] * abs(b["predicted"] - b["true"]) for b in bins) / max(len(targets), 1)
    order = np.argsort(-predicted, kind="stable")
    kept = {}
    for share in DROPPED:
        sure = order[: len(order) - round(share * len(order))]
        kept[f"{share:.0%}"] = pooled([targets[k] for k in sure]) if varied else None
    return {
        "targets": len(targets),
        "spearman": number(float(spearmanr(predicted, true)[0])) if varied else None,
        "error": number(error),
        "bins": bins,
        "iou": pooled(targets),
        "kept": kept,
    }


def reliability(predicted: ArrayLike, true: ArrayLike) -> list[dict[str, Any]]:
    """Mean predicted and mean true IoU by tenths of the prediction; empty tenths are left out."""
    values, truths = np.asarray(predicted, np.float64), np.asarray(true, np.float64)
    tenth = np.minimum((values * BINS).astype(int), BINS - 1)
    return [
        {
            "from": k / BINS,
            "to": (k + 1) / BINS,
            "targets": int(np.count_nonzero(tenth == k)),
            "predicted": round(float(values[tenth == k].mean()), 6),
            "true": round(float(truths[tenth == k].mean()), 6),
        }
        for k in np.unique(tenth).tolist()
    ]
