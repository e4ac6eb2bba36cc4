"""Prediction near targets alone: tiles laid round boxes, in batches over images."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product

import torch
from torch import Tensor

from pointmask_trainer.data.normalisation import Normalisation
from pointmask_trainer.data.pool import Pool
from pointmask_trainer.detectors.base import ImageNetwork
from pointmask_trainer.inference.tiles import BATCH_PIXELS, Interval, evaluating, intervals, overlap_of

Box = tuple[int, int, int, int]
"""Top, left, bottom and right in px; bottom and right are exclusive."""

Tile = tuple[Interval, Interval]


def predict_boxes(
    model: ImageNetwork,
    images: Pool,
    normalisation: Normalisation,
    boxes: Mapping[int, Sequence[Box]],
    *,
    autocast: torch.dtype | None = None,
) -> Iterator[tuple[int, Tensor]]:
    """Compute the probabilities of images where they are needed.

    Parameters
    ----------
    model : ImageNetwork
        In eval mode during the prediction; its mode is restored.
    images : Pool
        On the model's device.
    normalisation : Normalisation
    boxes : Mapping of index to boxes
        Of each image to predict.
    autocast : torch.dtype, optional
        Precision of the forward pass.

    Yields
    ------
    (index, probabilities)
        (H, W) float32 in [0, 1], in the order of `boxes`; 0 outside the boxes, or anything.
    """
    most = max(1, BATCH_PIXELS // model.tile**2)
    part: dict[int, list[Tile]] = {}
    count = 0
    for index, own in boxes.items():
        tiles = tiles_round(own, images.shapes[index], model.tile)
        if count + len(tiles) > most:
            yield from _predicted(model, images, normalisation, part, autocast).items()
            part, count = {}, 0
        part[index] = tiles
        count += len(tiles)
    yield from _predicted(model, images, normalisation, part, autocast).items()


@torch.no_grad()
def _predicted(
    model: ImageNetwork,
    images: Pool,
    normalisation: Normalisation,
    tiles: Mapping[int, Sequence[Tile]],
    autocast: torch.dtype | None,
) -> dict[int, Tensor]:
    """Predict tiles of some images, those of equal shape at once."""
    maps: dict[int, Tensor] = {}
    by_shape: defaultdict[tuple[int, ...], list[tuple[Tensor, Tensor, Tile]]] = defaultdict(list)
    for index, own in tiles.items():
        image = images.image(index)
        maps[index] = torch.zeros_like(image)
        values = normalisation(image[None, None], model.in_channels)
        for rows, cols in own:
            part = values[:, :, rows.input, cols.input]
            by_shape[part.shape].append((part, maps[index], (rows, cols)))
    with evaluating(model), torch.autocast(images.device.type, autocast, enabled=autocast is not None):
        for same in by_shape.values():
            logits = model(torch.cat([part for part, _, _ in same]))["logits"][:, 0].float()
            for found, (_, out, (rows, cols)) in zip(torch.sigmoid(logits), same, strict=True):
                out[rows.output, cols.output] = found[rows.output_in_tile, cols.output_in_tile]
    return maps


def tiles_round(boxes: Iterable[Box], shape: tuple[int, int], tile: int) -> list[Tile]:
    """Lay tiles round boxes of an (H, W) image, as few as a simple search finds.

    Boxes that fit one tile share it. The grid in which whole images are predicted serves where it needs no
    more tiles, or a box is too large for one; elsewhere its seams cut most boxes, which takes twice as many.
    """
    overlap = overlap_of(tile)
    within = [clipped for box in boxes if (clipped := _clipped(box, shape))]
    grid = [
        (rows, cols)
        for rows, cols in product(*(intervals(length, tile, overlap) for length in shape))
        if any(_intersects(rows, cols, box) for box in within)
    ]
    most = [length if length <= tile else tile - overlap for length in shape]
    spans: list[Box] = []
    for box in within:
        for number, span in enumerate(spans):
            joined = _joined(box, span)
            if _fits(joined, most):
                spans[number] = joined
                break
        else:
            spans.append(box)
    if len(grid) <= len(spans) or not all(_fits(span, most) for span in spans):
        return grid
    return [
        (_round(top, bottom, shape[0], tile), _round(left, right, shape[1], tile))
        for top, left, bottom, right in spans
    ]


def _clipped(box: Box, shape: tuple[int, int]) -> Box | None:
    """Return the part of a box that lies in an image, or None."""
    top, left, bottom, right = box
    own = (max(top, 0), max(left, 0), min(bottom, shape[0]), min(right, shape[1]))
    return own if own[0] < own[2] and own[1] < own[3] else None


def _joined(one: Box, other: Box) -> Box:
    top, left = min(one[0], other[0]), min(one[1], other[1])
    return top, left, max(one[2], other[2]), max(one[3], other[3])


def _fits(box: Box, most: Sequence[int]) -> bool:
    return box[2] - box[0] <= most[0] and box[3] - box[1] <= most[1]


def _round(first: int, last: int, length: int, tile: int) -> Interval:
    """Return the extent of a tile whose middle is that of a box, as far as the image allows."""
    start = max(0, min((first + last - tile) // 2, length - tile))
    return Interval(start, min(start + tile, length), first, last)


def _intersects(rows: Interval, cols: Interval, box: Box) -> bool:
    """Whether the used output of a tile contains a pixel of a box."""
    top, left, bottom, right = box
    return (
        rows.output.start < bottom
        and top < rows.output.stop
        and cols.output.start < right
        and left < cols.output.stop
    )
