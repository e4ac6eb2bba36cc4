"""Score of a candidate: the estimated probability that it is a target.

A logistic function of `pointmask.proposals.evidence.EVIDENCE`. Its weights were fitted to which candidates of
the 1,652 images of SIRST3's train list are targets, by their true masks; the annotator, whose confidence is
one of the measurements, was fitted to the same list. The val list was used for the published figures alone.
``benchmarks/fit_proposals.py`` prints both tables of this module.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

from pointmask.errors import PointmaskError

WEIGHTS = (
    -4.482,  # one
    -0.57068,  # prominence
    1.471,  # to_first
    1.3932,  # to_tenth
    2.403,  # confidence
    1.3353,  # area
    -0.34348,  # area_squared
    -1.632,  # fill
    1.3574,  # shift
    1.2203,  # stronger_near
    -0.6981,  # rivals
    2.6515,  # contrast
    -0.25808,  # texture
)
"""The constant, then a weight for each measurement."""

FALSE_ALARMS = ((0.01, 0.964), (0.03, 0.874), (0.1, 0.636), (0.3, 0.284), (1, 0.0642), (3, 0.0116))
"""Pairs (false alarms per frame, least score) measured on the train list, each block of images scored by
weights fitted to the others."""


def score_of(measured: Sequence[float]) -> float:
    """Return the score in (0, 1) of measurements in the order of `EVIDENCE`."""
    value = WEIGHTS[0] + math.fsum(w * x for w, x in zip(WEIGHTS[1:], measured, strict=True))
    return 1 / (1 + math.exp(-min(max(value, -30.0), 30.0)))


def least_score(false_alarms: float) -> float:
    """Return the least score that keeps to a number of false alarms per frame on SIRST3's train list.

    Parameters
    ----------
    false_alarms : float
        Mean number per frame, positive. Other data may give fewer or more.

    Returns
    -------
    float
        Interpolated between the measured rates; 0 for more than the largest of them.

    Raises
    ------
    PointmaskError
        If the number is smaller than the smallest measured rate.
    """
    first, last = FALSE_ALARMS[0][0], FALSE_ALARMS[-1][0]
    if not false_alarms >= first:
        raise PointmaskError(
            f"{false_alarms:g} false alarms per frame is less than {first:g}, the smallest rate that was "
            "measured; give a larger number, or a least score"
        )
    for (low, high_score), (high, low_score) in pairwise(FALSE_ALARMS):
        if false_alarms <= high:
            share = math.log(false_alarms / low) / math.log(high / low)
            odds = (1 - share) * _odds(high_score) + share * _odds(low_score)
            return 1 / (1 + math.exp(-odds))
    return FALSE_ALARMS[-1][1] if false_alarms == last else 0.0


def _odds(score: float) -> float:
    return math.log(score / (1 - score))
