"""Search for the systematic error that put clicks where no targets are."""

import numpy as np

from pointmask.judgement.evidence import Evidence, by_chance, square
from pointmask.judgement.statistic import SLACK, Floats
from pointmask.judgement.transformations import NEXT, PREVIOUS, SCALES, Cause, named, scaled, shifted

_FITS = 1e-5  # probability that chance would make any of the transformations fit as well
_BETTER = 4.0  # standard errors by which it must be better than the clicks as they are
_REACH = 32  # px: constant shifts that are tried
_NEAR = 3  # px round the best of them, where each is tried without slack
_SEARCH_COST = 0.1  # by which the mean surprise of a searched cause must beat that of one with a name


def find_cause(evidence: Evidence) -> tuple[Cause, Floats] | None:
    """
    Find the error that explains clicks which show no targets.

    Returns
    -------
    (Cause, array) or None
        The error, and the surprise at the clicks, were it undone. None if none fits better than chance.
    """
    before = evidence.surprise()
    known = [(cause, evidence.surprise(cause.change)) for cause in named(evidence.shapes)]
    known += [(NEXT, evidence.neighbours("previous")), (PREVIOUS, evidence.neighbours("following"))]
    tries = len(known) + SCALES.size + (2 * _REACH + 1) ** 2
    likely = [(float(after.mean()), cause, after) for cause, after in known if after.size]
    likely.append(_best_scale(evidence))
    likely.append(_best_shift(evidence))
    _, cause, after = max(likely, key=lambda one: one[0])
    error = np.hypot(_error(after), _error(before))
    if by_chance(after) * tries > _FITS or after.mean() < before.mean() + _BETTER * error:
        return None
    return cause, after


def _best_scale(evidence: Evidence) -> tuple[float, Cause, Floats]:
    """Try all common factors."""
    scores = evidence.scaled(SCALES)
    best = int(np.argmax(scores.mean(axis=0)))
    after = scores[:, best]
    return float(after.mean()) - _SEARCH_COST, scaled(float(SCALES[best])), after


def _best_shift(evidence: Evidence) -> tuple[float, Cause, Floats]:
    """Try all shifts: coarsely with the slack of a click, then without it round the best."""
    steps = np.arange(-_REACH, _REACH + 1, SLACK)
    down, right = (axis.ravel() for axis in np.meshgrid(steps, steps, indexing="ij"))
    at = int(np.argmax(evidence.shifted(down, right, SLACK).mean(axis=0)))
    fine_down, fine_right = square(_NEAR)
    fine_down, fine_right = fine_down + down[at], fine_right + right[at]
    best = int(np.argmax(evidence.shifted(fine_down, fine_right, 0).mean(axis=0)))
    cause = shifted(int(fine_down[best]), int(fine_right[best]))
    after = evidence.surprise(cause.change)
    return float(after.mean()) - _SEARCH_COST, cause, after


def _error(scores: Floats) -> float:
    """Return the standard error of a mean; never that of certainty, however few and equal the scores."""
    return float(max(scores.std(), 0.3) / np.sqrt(scores.size))
