"""Recalibration of the confidence: the mean it should have, and how far it may be trusted to rank."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from pointmask.calibrate.samples import Judged
from pointmask.theta import Theta

_SLOPE_PRIOR = 4.0  # in targets: how firmly the slope is held at 1 ...
_SHIFT_PRIOR = 0.5  # ... and the shift at 0
_STEEPEST = 2.0
_FARTHEST = 30.0  # of a logit


@dataclass(frozen=True, slots=True)
class CertaintyFit:
    """Mean confidence before and after, and the mean IoU it stands for, on the given masks."""

    targets: int
    before: float
    after: float
    true: float

    @property
    def line(self) -> str:
        """The outcome as one line of text."""
        return (
            f"confidence: mean {self.before:.3f} -> {self.after:.3f}, true mean IoU {self.true:.3f} "
            f"({self.targets} targets)"
        )


def recalibrated(theta: Theta, judged: Sequence[Judged]) -> tuple[Theta, CertaintyFit | None]:
    """Shift and scale the logit of the predicted IoU to what is true of given targets.

    Parameters
    ----------
    theta : Theta
    judged : sequence of Judged
        Targets with masks of that theta. Those that lie beside their clicks are left out.

    Returns
    -------
    theta : Theta
        With other weights of the confidence; masks do not change.
    fit : CertaintyFit or None
        None, and the same theta, without targets.
    """
    used = [one for one in judged if not one.is_beside]
    if not used:
        return theta, None
    predicted = np.clip([one.confidence for one in used], 1e-9, 1 - 1e-9)
    iou = np.array([one.iou for one in used])
    logits = np.clip(np.log(predicted / (1 - predicted)), -_FARTHEST, _FARTHEST)

    def loss(words: NDArray[np.float64]) -> float:
        scores = words[0] + words[1] * logits
        entropy = np.logaddexp(0, scores) - iou * scores
        return float(entropy.sum() + _SHIFT_PRIOR * words[0] ** 2 + _SLOPE_PRIOR * (words[1] - 1) ** 2)

    shift, slope = minimize(loss, [0.0, 1.0], bounds=[(-20, 20), (0, _STEEPEST)]).x.tolist()
    first, *others = theta.confidence
    weights = (float(f"{slope * first + shift:.6g}"), *(float(f"{slope * w:.6g}") for w in others))
    after = 1 / (1 + np.exp(-(shift + slope * logits)))
    fit = CertaintyFit(len(used), float(predicted.mean()), float(after.mean()), float(iou.mean()))
    return replace(theta, confidence=weights), fit
