"""A detector on whole images of any size: in batches of equal shapes, large frames in overlapping tiles."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise, product

import torch
from torch import Tensor, nn

from pointmask_trainer.data.normalisation import Normalisation
from pointmask_trainer.data.pool import Pool
from pointmask_trainer.detectors.base import Detector

Box = tuple[int, int, int, int]
"""Top and left, and the first row and column beyond, in px."""

_OVERLAP = 64
_BATCH_PIXELS = 2**20  # per forward pass


def predict_pool(
    model: Detector,
    images: Pool,
    normalisation: Normalisation,
    indices: Iterable[int] | None = None,
    *,
    boxes: Mapping[int, Sequence[Box]] | None = None,
    autocast: torch.dtype | None = None,
) -> Iterator[tuple[int, Tensor]]:
    """Probabilities of many images, those of equal shape together.

    Parameters
    ----------
    model : Detector
        Put into eval mode while it predicts.
    images : Pool
        On the model's device.
    normalisation : Normalisation
    indices : iterable of int, optional
        Which images; all by default.
    boxes : Mapping of index to boxes, optional
        Only tiles that meet one of an image's boxes are shown to the network; elsewhere the map is 0.
    autocast : torch.dtype, optional
        Precision of the forward pass.

    Yields
    ------
    (index, probabilities)
        (H, W) float32 in [0, 1]; not in the order of the indices.
    """
    by_shape: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    for index in range(len(images)) if indices is None else indices:
        by_shape[images.shapes[index]].append(index)
    for (height, width), listed in by_shape.items():
        count = 1 if boxes is not None else max(1, _BATCH_PIXELS // (height * width))
        for start in range(0, len(listed), count):
            part = listed[start : start + count]
            batch = torch.stack([images.image(index) for index in part])[:, None]
            near = None if boxes is None else boxes[part[0]]
            maps = predict(model, batch, normalisation, boxes=near, autocast=autocast)
            yield from zip(part, maps, strict=True)


@torch.no_grad()
def predict(
    model: Detector,
    images: Tensor,
    normalisation: Normalisation,
    *,
    tile: int | None = None,
    overlap: int | None = None,
    boxes: Sequence[Box] | None = None,
    autocast: torch.dtype | None = None,
) -> Tensor:
    """Probabilities of a batch of images.

    Parameters
    ----------
    model : Detector
        Put into eval mode while it predicts.
    images : (N, 1, H, W) float Tensor
        Grey values as stored.
    normalisation : Normalisation
    tile : int, optional
        Larger images are cut into tiles of this side; the model's own by default.
    overlap : int, optional
        Tiles overlap by so many px; each px is taken from the tile in which it lies farther inside. By
        default as `overlap_of` the tile.
    boxes : sequence of (top, left, bottom, right), optional
        Only tiles of which what is kept meets one of these are shown to the network; the rest is 0.
    autocast : torch.dtype, optional
        Precision of the forward pass.

    Returns
    -------
    (N, H, W) float32 Tensor in [0, 1]
    """
    values = normalisation(images, model.in_channels)
    height, width = images.shape[2:]
    out = images.new_zeros(images.shape[0], height, width)
    device = images.device.type
    with evaluating(model), torch.autocast(device, autocast, enabled=autocast is not None):
        tile = model.tile if tile is None else tile
        overlap = overlap_of(tile) if overlap is None else overlap
        tiles = list(product(_pieces(height, tile, overlap), _pieces(width, tile, overlap)))
        if boxes is not None:
            tiles = [(rows, cols) for rows, cols in tiles if any(_meets(rows, cols, box) for box in boxes)]
        for listed in _grouped(tiles, images.shape[0] * min(tile, height) * min(tile, width)):
            shown = torch.cat([values[:, :, rows.seen, cols.seen] for rows, cols in listed])
            probabilities = torch.sigmoid(model(shown)["logits"][:, 0].float())
            for (rows, cols), part in zip(listed, torch.split(probabilities, len(images)), strict=True):
                out[:, rows.kept, cols.kept] = part[:, rows.kept_within, cols.kept_within]
    return out


def overlap_of(tile: int) -> int:
    """How far tiles of a side overlap unless somebody says otherwise: 64 px, a quarter of small tiles."""
    return min(_OVERLAP, tile // 4)


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Put a model into eval mode and back into the mode it was in."""
    was_training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(was_training)


class _Piece:
    """Along one axis: what a tile sees, and what is kept of it."""

    def __init__(self, start: int, stop: int, first: int, last: int) -> None:
        self.seen = slice(start, stop)
        self.kept = slice(first, last)
        self.kept_within = slice(first - start, last - start)


def _meets(rows: _Piece, cols: _Piece, box: Box) -> bool:
    """Whether what is kept of a tile holds a pixel of a box."""
    top, left, bottom, right = box
    return (
        rows.kept.start < bottom
        and top < rows.kept.stop
        and cols.kept.start < right
        and left < cols.kept.stop
    )


def _grouped(tiles: list[tuple[_Piece, _Piece]], pixels: int) -> Iterator[list[tuple[_Piece, _Piece]]]:
    """Part tiles of equal size, so many px each, into groups that are shown at once."""
    count = max(1, _BATCH_PIXELS // pixels)
    for start in range(0, len(tiles), count):
        yield tiles[start : start + count]


def _pieces(length: int, tile: int, overlap: int) -> Sequence[_Piece]:
    if not 0 <= overlap < tile:
        raise ValueError(f"overlap is {overlap} and tile {tile}; the overlap must be smaller")
    if length <= tile:
        return [_Piece(0, length, 0, length)]
    count = -(-(length - overlap) // (tile - overlap))
    starts = [round(k * (length - tile) / (count - 1)) for k in range(count)]
    # Neighbours meet in the middle of what both see.
    seams = [0, *((b + a + tile) // 2 for a, b in pairwise(starts)), length]
    return [
        _Piece(start, start + tile, first, last)
        for start, (first, last) in zip(starts, pairwise(seams), strict=True)
    ]
