"""IoU, nIoU, Pd and Fa of small-target masks, as counters that can be summed.

One image gives one `Score`; scores of images, threads or machines are added, and the figures are properties
of the sum. Everything is measured at native resolution on binary masks:

* IoU: sum of intersections over sum of unions, of the whole set ("mIoU" in much of the literature).
* nIoU: mean over images of intersection over union.
* Pd: share of true targets (8-connected components) that are matched by a predicted component whose
  centroid is *strictly* less than 3 px away.
* Fa: pixels of the unmatched predicted components over all pixels (tables print it times 1e6).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from itertools import zip_longest
from math import nan
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pointmask.components import blobs
from pointmask.errors import ImageError
from pointmask.metrics.assignment import AssignmentRule, assign
from pointmask.metrics.rules import RULES, Compat, Rule

Empty = Literal["zero", "one", "skip"]

_T = TypeVar("_T")


# IoU and count of an image without true and predicted pixels.
_EMPTY = {"zero": (0.0, 1), "one": (1.0, 1), "skip": (0.0, 0)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Counters of one or many images, which can be added.

    Attributes
    ----------
    intersection, union : int
        Pixels.
    truth_pixels : int
        True target pixels.
    iou_sum : float
        Sum of the per-image IoU.
    scored_images : int
        Images in `iou_sum`.
    truth_targets, matched : int
        True targets, and how many of them were detected.
    false_targets, false_pixels : int
        Predicted components that match no true target, and their pixels.
    pixels : int
        All pixels.
    """

    intersection: int = 0
    union: int = 0
    truth_pixels: int = 0
    iou_sum: float = 0.0
    scored_images: int = 0
    truth_targets: int = 0
    matched: int = 0
    false_targets: int = 0
    false_pixels: int = 0
    pixels: int = 0

    def __add__(self, other: "Score") -> "Score":
        if not isinstance(other, Score):
            return NotImplemented
        return Score(**{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(Score)})

    @property
    def iou(self) -> float:
        """Sum of intersections over sum of unions, in [0, 1]; nan without any target pixel."""
        return ratio(self.intersection, self.union)

    @property
    def niou(self) -> float:
        """Mean per-image IoU, in [0, 1]; nan without a scored image."""
        return ratio(self.iou_sum, self.scored_images)

    @property
    def recall(self) -> float:
        """Share of the true target pixels that were hit (the literature's pixAcc), in [0, 1]."""
        return ratio(self.intersection, self.truth_pixels)

    @property
    def pd(self) -> float:
        """Probability of detection: matched over true targets, in [0, 1]; nan without true targets."""
        return ratio(self.matched, self.truth_targets)

    @property
    def fa(self) -> float:
        """False-alarm rate: pixels of unmatched predicted components over all pixels, in [0, 1]."""
        return ratio(self.false_pixels, self.pixels)

    @property
    def fa_targets(self) -> float:
        """Unmatched predicted components per true target."""
        return ratio(self.false_targets, self.truth_targets)

    def vector(self) -> NDArray[np.float64]:
        """Return the counters as a ``(10,)`` float64 array, so that one all-reduce sums them exactly."""
        return np.array([getattr(self, f.name) for f in fields(self)], np.float64)

    @classmethod
    def from_vector(cls, vector: ArrayLike) -> "Score":
        """Undo `vector`.

        Raises
        ------
        ValueError
            If the vector does not hold one value per counter.
        """
        values = np.asarray(vector, np.float64)
        names = [f.name for f in fields(cls)]
        if values.shape != (len(names),):
            raise ValueError(f"a score has {len(names)} counters, got shape {values.shape}")
        pairs = zip(names, values.tolist(), strict=True)
        return cls(**{name: value if name == "iou_sum" else round(value) for name, value in pairs})


def score(
    mask: ArrayLike,
    truth: ArrayLike,
    *,
    match: AssignmentRule = "first",
    empty: Empty = "zero",
    compat: Compat | None = None,
) -> Score:
    """Score one image's mask against its true mask.

    Parameters
    ----------
    mask, truth : array_like
        ``(H, W)``; bool, or uint8 where values above 127 are target (see `binarise`).
    match : {"first", "nearest", "hungarian"}
        How a true target, taken in raster order, chooses among the unused predicted components that are
        near enough: the first in raster order (as published), the nearest, or the assignment with the
        most pairs and, among those, the least total distance. They differ for close targets only.
    empty : {"zero", "one", "skip"}
        IoU of an image without true and predicted pixels in nIoU: 0 (as published, which penalises
        a correct empty prediction), 1, or the image is skipped.
    compat : {"basicirstd", "basicirstd-2023", "dnanet", "lesps", "edgsp"}, optional
        Reproduce a published evaluation with its known defects, to compare with its tables; see
        `pointmask.metrics.rules`.

    Returns
    -------
    Score
        Counters of this image.

    Raises
    ------
    ImageError
        If the shapes differ, or an array is not a usable mask.
    ValueError
        If an option has an unknown value.

    Examples
    --------
    >>> import numpy as np
    >>> truth = np.zeros((8, 8), bool)
    >>> truth[2:4, 2:4] = True
    >>> mask = truth.copy()
    >>> mask[2, 2] = False
    >>> score(mask, truth).iou
    0.75
    """
    rule = _one_of("compat", compat, RULES)
    on_empty = _one_of("empty", empty, _EMPTY)
    predicted = binarise(mask)
    wide = binarise(truth)
    if predicted.shape != wide.shape:
        raise ImageError(
            f"the mask has shape {predicted.shape}, its true mask {wide.shape}; "
            "both must have the image's size"
        )
    hittable = np.asarray(truth) == 255 if rule.grey_truth and not _is_bool(truth) else wide
    intersection = int(np.count_nonzero(predicted & hittable))
    truth_pixels = int(np.count_nonzero(wide))
    union = int(np.count_nonzero(predicted)) + truth_pixels - intersection
    if rule.grey_truth:
        truth_pixels = int(np.count_nonzero(truth))  # any value above 0 is labelled, for pixAcc
    iou, scored = (intersection / union, 1) if union else on_empty
    targets, matched, false_areas = _detections(predicted, hittable, match, rule)
    return Score(
        intersection=intersection,
        union=union,
        truth_pixels=truth_pixels,
        iou_sum=iou,
        scored_images=scored,
        truth_targets=targets,
        matched=matched,
        false_targets=len(false_areas),
        false_pixels=sum(false_areas),
        pixels=wide.size,
    )


def matched_targets(mask: ArrayLike, truth: ArrayLike, *, match: AssignmentRule = "first") -> dict[int, int]:
    """Return the true targets that `score` counts as detected, and the component matched to each.

    Parameters
    ----------
    mask, truth : array_like
        ``(H, W)`` of one shape, bool or uint8 (above 127 is target).
    match : {"first", "nearest", "hungarian"}
        As for `score`.

    Returns
    -------
    dict of int to int
        0-based number of the true component and of its predicted one, both in raster order.
    """
    return _pairs(blobs(binarise(truth))[0], blobs(binarise(mask))[0], match, RULES[None])


def pooled_iou(masks: Iterable[ArrayLike], truths: Iterable[ArrayLike]) -> float:
    """Sum of intersections over sum of unions over pairs of masks.

    Parameters
    ----------
    masks, truths : iterable of array_like
        Equally many ``(H, W)`` masks, bool or uint8 (above 127 is target).

    Returns
    -------
    float
        In [0, 1]; nan if there is no target pixel at all.

    Raises
    ------
    ImageError
        If a pair differs in shape, or there are more of one than of the other.
    """
    intersection = union = 0
    for mask, truth in zip_longest(masks, truths):
        if mask is None or truth is None:
            raise ImageError("there are more masks than true masks, or the reverse; pass them in pairs")
        a, b = binarise(mask), binarise(truth)
        if a.shape != b.shape:
            raise ImageError(f"a mask has shape {a.shape}, its true mask {b.shape}; they must be equal")
        intersection += int(np.count_nonzero(a & b))
        union += int(np.count_nonzero(a | b))
    return ratio(intersection, union)


def binarise(mask: ArrayLike) -> NDArray[np.bool_]:
    """Return a mask as bool: bool as it is, uint8 where it is above 127.

    Public masks hold grey values, so the threshold must come before anything is counted or labelled.

    Parameters
    ----------
    mask : array_like
        ``(H, W)``, bool or uint8.

    Returns
    -------
    ndarray
        ``(H, W)`` bool.

    Raises
    ------
    ImageError
        If it is not 2-D, is of another type, or holds 1 and nothing larger: a 0/1 mask stored as
        integers, which the threshold would silently set to background.
    """
    array = np.asarray(mask)
    if array.ndim != 2:
        raise ImageError(f"a mask has shape {array.shape}; it must be (H, W); pick one band")
    if array.dtype == np.bool_:
        return array
    if array.dtype != np.uint8:
        raise ImageError(
            f"a mask has type {array.dtype}; it must be bool or uint8; compare it to a threshold"
        )
    if array.size and array.max() == 1:
        raise ImageError(
            "a uint8 mask holds only 0 and 1, but target means above 127; pass mask.astype(bool)"
        )
    return array > 127


def _detections(
    predicted: NDArray[np.bool_], truth: NDArray[np.bool_], match: AssignmentRule, rule: Rule
) -> tuple[int, int, list[int]]:
    """Count true and detected targets, and collect the areas of the false components."""
    true_centres, _ = blobs(truth)
    centres, areas = blobs(predicted)
    used = set(_pairs(true_centres, centres, match, rule).values())
    hit = {int(areas[k]) for k in used}
    free = [int(area) for k, area in enumerate(areas) if k not in used]
    return len(true_centres), len(used), [a for a in free if not (rule.area_by_value and a in hit)]


def _pairs(
    true_centres: NDArray[np.float64], centres: NDArray[np.float64], match: AssignmentRule, rule: Rule
) -> dict[int, int]:
    """Pair true targets with the predicted components that are near enough."""
    if rule.rounded_truth:
        true_centres = np.rint(true_centres)
    distance = np.hypot(*(true_centres[:, None, :] - centres[None, :, :]).transpose(2, 0, 1))
    near = distance <= rule.distance if rule.closed else distance < rule.distance
    return assign(np.where(near, distance, np.inf), match)


def _one_of(name: str, value: object, table: Mapping[Any, _T]) -> _T:
    if value not in table:
        raise ValueError(f"{name}={value!r} is unknown; choose one of {', '.join(map(repr, table))}")
    return table[value]


def ratio(part: float, whole: float) -> float:
    """Return ``part / whole``; nan if there is no whole."""
    return part / whole if whole else nan


def _is_bool(mask: ArrayLike) -> bool:
    return np.asarray(mask).dtype == np.bool_
