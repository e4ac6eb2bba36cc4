"""Proposals of one image."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pointmask.annotator.image import checked_image
from pointmask.annotator.operator import assemble
from pointmask.annotator.point import annotate_point
from pointmask.annotator.target import Target
from pointmask.io.images.array import any_image
from pointmask.proposals.candidates import find_candidates
from pointmask.proposals.evidence import Evidence
from pointmask.proposals.ranking import score_of
from pointmask.theta import Polarity, Theta

# Candidates of a small frame that the annotator looks at. At five proposals per frame, 24 find 0.4 points
# fewer targets of the train list, and 40 find 0.2 more in a quarter more time (2026-11-30).
_USUAL = 32
# Beyond the first of them, those of less than this share of the largest prominence are left out: a quarter of
# the time, and none of the targets found among five per frame.
_SURE, _FAINT = 12, 0.1
_PIXELS_EACH = 8192  # of a large frame, one candidate for so many pixels
_SAME = 3.0  # px; of two proposals that lie closer, the one with the lower score is dropped


@dataclass(frozen=True, slots=True, eq=False)
class Proposal:
    """A place where a target may be.

    Attributes
    ----------
    row, col : float
        Centroid of the mask, 0-based; whole numbers are the centres of pixels.
    score : float
        Estimated probability that it is a target, in [0, 1].
    target : Target
        What the annotator makes of the place.
    """

    row: float
    col: float
    score: float
    target: Target


def propose(
    image: ArrayLike | str | Path, *, count: int = 5, min_score: float = 0.0, polarity: Polarity = "bright"
) -> tuple[Proposal, ...]:
    """Find places where small targets may be, without any click or training.

    Parameters
    ----------
    image : (H, W) or (H, W, 1 to 4) array_like, or path of an image file
        One infrared band in any real dtype, or what becomes one as for `pointmask.annotate`. Gain and offset
        do not matter. NaN and infinite pixels are no targets.
    count : int, default 5
        Maximum number of proposals, at least 1.
    min_score : float, default 0
        Only proposals of at least this score; see `pointmask.proposals.ranking.least_score` for the score
        that keeps to a number of false alarms.
    polarity : {"bright", "dark", "auto"}
        Whether targets are brighter or darker than their surroundings; ``auto`` searches both, in twice the
        time.

    Returns
    -------
    tuple of Proposal
        Highest score first, at least 3 px apart. Empty if the image is constant.

    Raises
    ------
    ImageError
        If the image is not two-dimensional, is empty, or is not of a real numeric dtype.
    ValueError
        If another argument is out of range.

    Notes
    -----
    A multi-scale detector finds candidates that stand out from all that surrounds them. The annotator makes
    a mask of each, and a logistic function of 12 measurements, fitted to SIRST3's train list, gives the
    score.
    Frames without any target give proposals too: their scores are low.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.random.default_rng(0).normal(100, 2, (128, 128))
    >>> image[60:63, 70:73] += 40
    >>> best = propose(image)[0]
    >>> round(best.row), round(best.col)
    (61, 71)
    """
    image = checked_image(any_image(image))
    if count < 1:
        raise ValueError(f"count is {count}; at least 1 is needed")
    if not 0 <= min_score <= 1:
        raise ValueError(f"min_score is {min_score}; scores lie in [0, 1]")
    if polarity not in ("bright", "dark", "auto"):
        raise ValueError(f"polarity {polarity!r} is unknown; use 'bright', 'dark' or 'auto'")
    searched: tuple[Literal["bright", "dark"], ...] = (
        ("bright", "dark") if polarity == "auto" else (polarity,)
    )
    found = [
        Proposal(*centre, score_of(measured), target)
        for each in searched
        for measured, centre, target in measured_candidates(image, count, each)
    ]
    best = apart([(p.row, p.col) for p in found], [p.score for p in found], count)
    return tuple(found[k] for k in best if found[k].score >= min_score)


def measured_candidates(
    image: NDArray[np.generic], count: int, polarity: Literal["bright", "dark"]
) -> Iterator[tuple[list[float], tuple[float, float], Target]]:
    """Yield the candidates of a frame by prominence: evidence, centroid of the mask, annotator's result.

    Parameters
    ----------
    image : (H, W) array
    count : int
        Of proposals; three times as many candidates are looked at, and more where they are usual.
    polarity : {"bright", "dark"}
    """
    usual = max(_USUAL, -(-image.size // _PIXELS_EACH))
    candidates = find_candidates(image, max(usual, 3 * count), dark=polarity == "dark")
    evidence = Evidence(candidates, usual)
    operator = assemble(Theta.load("default"))
    for index, (row, col) in enumerate(candidates.places.tolist()):
        if (
            index >= max(_SURE, 3 * count)
            and candidates.prominence[index] < _FAINT * candidates.prominence[0]
        ):
            return
        target = annotate_point(image, row, col, operator, polarity)
        yield *evidence.of(index, target), target


def apart(places: Sequence[tuple[float, float]], scores: Sequence[float], count: int) -> list[int]:
    """Return the indices of the places of highest score of which no two lie within 3 px of each other."""
    kept: list[int] = []
    for k in sorted(range(len(places)), key=lambda k: -scores[k]):
        if len(kept) == count:
            break
        row, col = places[k]
        if all(math.hypot(row - places[other][0], col - places[other][1]) > _SAME for other in kept):
            kept.append(k)
    return kept
