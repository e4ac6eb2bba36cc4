"""What is known of a candidate: how prominent it is, and how its mask looks."""

import math

import numpy as np
from numpy.typing import NDArray

from pointmask.annotator.target import Target
from pointmask.kernels.regions import extent
from pointmask.proposals.candidates import Candidates
from pointmask.proposals.kernels.contrast import contrast_of

EVIDENCE = (
    "prominence",  # log of the prominence
    "to_first",  # log of its ratio to that of the strongest candidate of the frame
    "to_tenth",  # the same to the tenth, or the last of fewer
    "confidence",  # log odds of the annotator's confidence, -9 to 9
    "area",  # log of the pixels of the mask
    "area_squared",
    "fill",  # area over that of the box
    "shift",  # distance of the mask's centroid from the candidate, in units of 3 px, at most 3.3
    "stronger_near",  # half the number of stronger candidates within 15 px
    "rivals",  # a tenth of the number of usual candidates of more than half the prominence
    "contrast",  # log(1 + (mean in the mask - median around) / (deviation around + 0.1 spread of the frame))
    "texture",  # log of the deviation around over the spread of the frame, plus 0.05
)
"""Measurements of a candidate in the order in which `pointmask.proposals.ranking` weighs them."""

_MARGIN = 6  # px around the box of the mask
_NEAR = 15.0
_FAR = 10.0


class Evidence:
    """Measures the candidates of one frame.

    Parameters
    ----------
    candidates : Candidates
    usual : int
        Number of candidates among which rivals are counted, so that a score does not depend on how many
        proposals are asked for.
    """

    def __init__(self, candidates: Candidates, usual: int) -> None:
        self._candidates, self._usual = candidates, usual
        strengths = candidates.prominence
        self._logs = np.log(strengths)
        if strengths.size:
            self._first, self._tenth = self._logs[0], self._logs[min(9, strengths.size - 1)]

    def of(self, index: int, target: Target) -> tuple[list[float], tuple[float, float]]:
        """Evaluate `EVIDENCE` for one candidate.

        Parameters
        ----------
        index : int
            Of the candidate.
        target : Target
            The annotator's result for it.

        Returns
        -------
        list of float
            As many as `EVIDENCE` has names.
        (row, col) : float
            Centroid of the mask in the frame.
        """
        places, strengths = self._candidates.places, self._candidates.prominence
        area = target.area
        rows, cols = extent(target.mask)[4:]
        row, col = target.window[0] + rows / area, target.window[1] + cols / area
        shift = math.hypot(row - places[index, 0], col - places[index, 1])
        inside, around, spread = self._grey_values(target)
        odds = min(max(target.confidence, 1e-4), 1 - 1e-4)
        confidence = math.log(odds / (1 - odds))
        log_area = math.log(area)
        contrast = math.log1p(max(inside - around, 0.0) / (spread + 0.1))
        top, left, bottom, right = target.box
        offsets = places[:index] - places[index]
        stronger = np.count_nonzero((offsets**2).sum(axis=1) < _NEAR**2)
        rivals = np.count_nonzero(strengths[: self._usual] > 0.5 * strengths[index])
        measured = [
            float(self._logs[index]),
            float(self._logs[index] - self._first),
            float(self._logs[index] - self._tenth),
            confidence,
            log_area,
            log_area**2,
            area / ((bottom - top) * (right - left)),
            min(shift, _FAR) / 3,
            0.5 * stronger,
            0.1 * rivals,
            contrast,
            math.log(spread + 0.05),
        ]
        return measured, (row, col)

    def _grey_values(self, target: Target) -> tuple[float, float, float]:
        """Mean in the mask, median and deviation around it, in units of the frame's spread."""
        values = self._candidates.values
        box, window = target.box, target.window
        top, left = max(box[0] - _MARGIN, 0), max(box[1] - _MARGIN, 0)
        bottom = min(box[2] + _MARGIN, values.shape[0])
        right = min(box[3] + _MARGIN, values.shape[1])
        part = np.ascontiguousarray(values[top:bottom, left:right])
        mask = np.zeros(part.shape, np.bool_)
        cut: NDArray[np.bool_] = target.mask[
            box[0] - window[0] : box[2] - window[0], box[1] - window[1] : box[3] - window[1]
        ]
        mask[box[0] - top : box[2] - top, box[1] - left : box[3] - left] = cut
        return contrast_of(part, mask, np.empty(part.size))
