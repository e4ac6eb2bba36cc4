"""One update of a soft label by the detector's prediction, after LESPS and after PAL."""

from collections.abc import Iterable
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from pointmask.components import components

Soft = NDArray[np.float64]
Mask = NDArray[np.bool_]
Window = tuple[slice, slice]


class Rule(Protocol):
    """How labels follow the detector; see `pointmask_trainer.strategies.evolving.options`."""

    @property
    def base(self) -> float: ...  # noqa: D102 - see the class
    @property
    def growth(self) -> float: ...  # noqa: D102
    @property
    def limit(self) -> float: ...  # noqa: D102
    @property
    def window(self) -> int: ...  # noqa: D102
    @property
    def core(self) -> int: ...  # noqa: D102
    @property
    def strict_core(self) -> bool: ...  # noqa: D102
    @property
    def order(self) -> Literal["sequential", "union"]: ...  # noqa: D102
    @property
    def decay(self) -> float: ...  # noqa: D102


def evolve(
    label: NDArray[np.floating], probabilities: NDArray[np.floating], pinned: Mask, rule: Rule
) -> Soft:
    """Average a label with the prediction where the prediction is high round a labelled target.

    For each 8-connected region of the label above 0.5, with its area A and the window W round its centroid,
    these are the pixels of the window whose probability exceeds
    ``max(P in W) * (base + growth * (1 - base) * A / (limit * area of the frame))``, without the components
    that miss the core.

    Parameters
    ----------
    label : (H, W) float array in [0, 1]
    probabilities : (H, W) float array in [0, 1]
    pinned : (H, W) bool array
        Pixels whose label is 1 afterwards.
    rule : Rule

    Returns
    -------
    (H, W) float64 array in [0, 1]
        A new array.
    """
    evolved = label.astype(np.float64)
    predicted = np.asarray(probabilities, np.float64)
    regions, count = components(label > 0.5)
    raised = np.zeros(label.shape, np.bool_)
    for number, centre in enumerate(_floored_centroids(regions, count), start=1):
        window = _square(centre, rule.window, label.shape)
        core = _square(centre, rule.core, label.shape)
        within = (_within(core[0], window[0]), _within(core[1], window[1]))
        share = np.count_nonzero(regions == number) / (rule.limit * label.size)
        chosen = _chosen(predicted[window], within, share, rule)
        if rule.order == "sequential":
            part = evolved[window]
            part[chosen] = (part[chosen] + predicted[window][chosen]) / 2
        raised[window] |= chosen
    if rule.order == "union":
        evolved[raised] = (evolved[raised] + predicted[raised]) / 2
    evolved[~raised] *= rule.decay
    evolved[pinned] = 1
    return evolved


def label_windows(label: NDArray[np.floating], side: int) -> list[tuple[int, int, int, int]]:
    """Return the windows of an (H, W) label in which `evolve` looks at the prediction.

    Returns
    -------
    list of (top, left, bottom, right)
        Half-open.
    """
    return windows_round(_floored_centroids(*components(label > 0.5)), side, label.shape)


def windows_round(
    places: Iterable[tuple[int, int]], side: int, shape: tuple[int, ...]
) -> list[tuple[int, int, int, int]]:
    """Return squares of an odd side round pixels of an (H, W) image, as `label_windows` does."""
    squares = (_square(place, side, shape) for place in places)
    return [(rows.start, cols.start, rows.stop, cols.stop) for rows, cols in squares]


def _floored_centroids(regions: NDArray[np.int32], count: int) -> list[tuple[int, int]]:
    rows, cols = np.nonzero(regions)
    numbers = regions[rows, cols] - 1
    areas = np.bincount(numbers, minlength=count)
    sums = (np.bincount(numbers, weights=axis, minlength=count).astype(np.int64) for axis in (rows, cols))
    middle_rows, middle_cols = (total // areas for total in sums)
    return list(zip(middle_rows.tolist(), middle_cols.tolist(), strict=True))


def _square(centre: tuple[int, int], side: int, shape: tuple[int, ...]) -> Window:
    """Square of an odd side round a pixel, cut at the border."""
    reach = side // 2
    row, col = centre
    return (
        slice(max(row - reach, 0), min(row + reach + 1, shape[0])),
        slice(max(col - reach, 0), min(col + reach + 1, shape[1])),
    )


def _within(inner: slice, outer: slice) -> slice:
    """Return the part of a slice that lies in another, counted from the other's start."""
    return slice(max(inner.start - outer.start, 0), inner.stop - outer.start)


def _chosen(predicted: Soft, core: Window, share: float, rule: Rule) -> Mask:
    """Pixels of a window that are averaged with the prediction.

    Parameters
    ----------
    predicted : (h, w) float64 array
        Probabilities in the window.
    core : slices
        Within the window.
    share : float
        Area of the label over `limit` times that of the frame.
    rule : Rule

    Returns
    -------
    (h, w) bool array
    """
    threshold = predicted.max() * (rule.base + rule.growth * (1 - rule.base) * share)
    high = predicted > threshold
    parts, count = components(high)
    if count > 1 or rule.strict_core:
        high &= np.isin(parts, np.unique(parts[core]))
    return high
