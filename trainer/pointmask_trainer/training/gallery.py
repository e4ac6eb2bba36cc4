"""Pictures of the worst validation images: image, prediction, and outlines of both masks."""

import heapq
import math

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from pointmask.components import components
from pointmask.drawing.cases import panel, whole_frame
from pointmask.drawing.overlay import outline_path, png, stretch
from pointmask.drawing.tiles import HEAT, data_uri, span_within
from pointmask.metrics.counters import Score
from pointmask.printable import escape
from pointmask_trainer.data.labels import LabelStore
from pointmask_trainer.data.split import Mask, Split

SHOWN = 12
_SIDE, _MARGIN = 64, 12  # px: least side of a view, and background round large targets
_MOST = 192  # px per side; larger views are thinned out

Window = tuple[slice, slice]


class Gallery:
    """Keeps the worst predictions of one validation, and draws them.

    Parameters
    ----------
    split : Split
        The validation images.
    labels : LabelStore
        Labels against which the detector is validated.
    truths : list of (H, W) bool arrays, optional
        True masks, by which predictions are ranked if they are given.
    """

    def __init__(self, split: Split, labels: LabelStore, truths: list[Mask] | None) -> None:
        self._split, self._labels, self._truths = split, labels, truths
        self._kept: list[tuple[float, int, NDArray[np.uint8]]] = []

    def clear(self) -> None:
        """Discard all predictions, at the start of a validation."""
        self._kept = []

    def see(self, index: int, probabilities: Tensor, counted: Score) -> None:
        """Keep one (H, W) prediction, if it is among the worst seen."""
        iou = counted.iou if math.isfinite(counted.iou) else 1.0  # nothing there, nothing predicted
        place = (-iou, -index)
        if len(self._kept) == SHOWN and place <= self._kept[0][:2]:
            return
        entry = (*place, np.rint(probabilities.cpu().numpy() * 255).astype(np.uint8))
        if len(self._kept) == SHOWN:
            heapq.heapreplace(self._kept, entry)
        else:
            heapq.heappush(self._kept, entry)

    def tiles(self) -> str:
        """Return the pictures as list items, the worst first."""
        ordered = sorted(self._kept, key=lambda kept: kept[:2], reverse=True)
        return "\n".join(
            self._tile(rank, -index, -worse, prediction)
            for rank, (worse, index, prediction) in enumerate(ordered)
        )

    def _tile(self, rank: int, index: int, iou: float, prediction: NDArray[np.uint8]) -> str:
        label = self._labels.label("val", index) > 0.5
        truth = None if self._truths is None else self._truths[index]
        mask = prediction > 127
        rows, cols = view_of(mask, label if truth is None else truth)
        name = escape(self._split.ids[index])
        frame = self._split.images.stored(index)
        image = frame[rows, cols]
        pictures = _panels(rank, image, prediction[rows, cols], label[rows, cols], mask[rows, cols])
        if truth is not None:
            pictures += _outlined(rank, "true mask", _path(truth[rows, cols], "truth"), *image.shape)
        pictures += panel("whole frame", whole_frame(frame, rows, cols))
        side = f"{cols.stop - cols.start} x {rows.stop - rows.start} px at x {cols.start}, y {rows.start}"
        return (
            f'<li class="tile" style="--confidence:{iou:.4f}"><div class="panels">{pictures}</div>'
            f'<p class="caption"><bdi class="name" title="{name}">{name}</bdi>'
            f'<span class="confidence">IoU {iou:.3f}</span><span class="facts">{side}</span></p></li>'
        )


def view_of(mask: Mask, reference: Mask) -> Window:
    """Choose the part of an image to show: a square round its largest error, or else its largest target.

    Parameters
    ----------
    mask, reference : (H, W) bool arrays
        Prediction and label.

    Returns
    -------
    rows, cols : slice
        A square where the image is large enough, the whole axis where not.
    """
    for wrong in (mask ^ reference, reference):
        if wrong.any():
            labels, _ = components(wrong)
            largest = np.bincount(labels.ravel())[1:].argmax() + 1
            touched = labels == largest
            break
    else:
        touched = np.zeros_like(mask)
        touched[mask.shape[0] // 2, mask.shape[1] // 2] = True
    places = np.argwhere(touched)
    first, last = places.min(axis=0), places.max(axis=0) + 1
    side = max(_SIDE, int((last - first).max()) + 2 * _MARGIN)
    rows, cols = (
        span_within(int(a + b - side) // 2, side, length)
        for a, b, length in zip(first, last, mask.shape, strict=True)
    )
    return rows, cols


def _panels(
    rank: int, image: NDArray[np.generic], prediction: NDArray[np.uint8], label: Mask, mask: Mask
) -> str:
    """Image with the label's outline, probabilities, and image with the prediction's outline."""
    step = -(-max(image.shape) // _MOST)
    height, width = image.shape
    grey = png(stretch(image)[::step, ::step])
    heat = png(np.rint(prediction[::step, ::step] / 255 * (len(HEAT) - 1)).astype(np.uint8), HEAT)
    box = f'viewBox="0 0 {width} {height}" role="img"'
    size = f'width="{width}" height="{height}"'
    first = f'<svg {box}><image id="i{rank}" {size} href="{data_uri(grey)}"/>{_path(label, "line")}</svg>'
    return (
        panel("label", first)
        + panel("probability", f'<svg {box}><image {size} href="{data_uri(heat)}"/></svg>')
        + _outlined(rank, "prediction", _path(mask, "line"), height, width)
    )


def _outlined(rank: int, title: str, outline: str, height: int, width: int) -> str:
    box = f'viewBox="0 0 {width} {height}" role="img"'
    return panel(title, f'<svg {box}><use href="#i{rank}"/>{outline}</svg>')


def _path(mask: Mask, kind: str) -> str:
    line = outline_path(mask)
    return f'<path class="halo" d="{line}"/><path class="{kind}" d="{line}"/>' if line else ""
