"""Prediction of whole images of any size: batches of equal shape, large frames in overlapping tiles."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise, product

import torch
from torch import Tensor, nn

from pointmask_trainer.data.normalisation import Normalisation
from pointmask_trainer.data.pool import Pool
from pointmask_trainer.detectors.base import ImageNetwork

BATCH_PIXELS = 2**20
"""Pixels per forward pass."""

_OVERLAP = 64


def predict_pool(
    model: ImageNetwork,
    images: Pool,
    normalisation: Normalisation,
    indices: Iterable[int] | None = None,
    *,
    autocast: torch.dtype | None = None,
) -> Iterator[tuple[int, Tensor]]:
    """Compute the probabilities of many images, batching those of equal shape.

    Parameters
    ----------
    model : ImageNetwork
        In eval mode during the prediction; its mode is restored.
    images : Pool
        On the model's device.
    normalisation : Normalisation
    indices : iterable of int, optional
        Indices of the images to predict; all by default.
    autocast : torch.dtype, optional
        Precision of the forward pass.

    Yields
    ------
    (index, probabilities)
        (H, W) float32 in [0, 1]; grouped by shape, not in the order of `indices`.
    """
    for part in same_shapes(images, indices):
        batch = torch.stack([images.image(index) for index in part])[:, None]
        maps = predict(model, batch, normalisation, autocast=autocast)
        yield from zip(part, maps, strict=True)


def same_shapes(images: Pool, indices: Iterable[int] | None = None) -> Iterator[list[int]]:
    """Divide images into batches of equal shape that fit one forward pass.

    Parameters
    ----------
    images : Pool
    indices : iterable of int, optional
        All by default.
    """
    by_shape: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    for index in range(len(images)) if indices is None else indices:
        by_shape[images.shapes[index]].append(index)
    for (height, width), same_shape in by_shape.items():
        count = max(1, BATCH_PIXELS // (height * width))
        for start in range(0, len(same_shape), count):
            yield same_shape[start : start + count]


@torch.no_grad()
def predict(
    model: ImageNetwork,
    images: Tensor,
    normalisation: Normalisation,
    *,
    tile: int | None = None,
    overlap: int | None = None,
    autocast: torch.dtype | None = None,
) -> Tensor:
    """Compute the probabilities of a batch of images.

    Parameters
    ----------
    model : ImageNetwork
        In eval mode during the prediction; its mode is restored.
    images : (N, 1, H, W) float Tensor
        Grey values as stored.
    normalisation : Normalisation
    tile : int, optional
        Side of the tiles into which larger images are cut, in px; the model's own by default.
    overlap : int, optional
        Overlap of neighbouring tiles in px; each pixel is taken from the tile in whose interior it lies
        deeper. By default `overlap_of` the tile.
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
        tiles = list(product(intervals(height, tile, overlap), intervals(width, tile, overlap)))
        for group in grouped(tiles, images.shape[0] * min(tile, height) * min(tile, width)):
            batch = torch.cat([values[:, :, rows.input, cols.input] for rows, cols in group])
            probabilities = torch.sigmoid(model(batch)["logits"][:, 0].float())
            for (rows, cols), part in zip(group, torch.split(probabilities, len(images)), strict=True):
                out[:, rows.output, cols.output] = part[:, rows.output_in_tile, cols.output_in_tile]
    return out


def overlap_of(tile: int) -> int:
    """Return the default overlap of tiles of this side: 64 px, or a quarter of smaller tiles."""
    return min(_OVERLAP, tile // 4)


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Switch a model to eval mode, and restore its previous mode afterwards."""
    # Switching walks over all modules, a millisecond each way: not for every frame of a prediction.
    if not any(module.training for module in model.modules()):
        yield
        return
    was_training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(was_training)


class Interval:
    """Extent of a tile along one axis: its input, and the part of its output that is used."""

    def __init__(self, start: int, stop: int, first: int, last: int) -> None:
        self.input = slice(start, stop)
        self.output = slice(first, last)
        self.output_in_tile = slice(first - start, last - start)


def grouped(tiles: list[tuple[Interval, Interval]], pixels: int) -> Iterator[list[tuple[Interval, Interval]]]:
    """Divide tiles of equal size, `pixels` each, into groups for one forward pass."""
    count = max(1, BATCH_PIXELS // pixels)
    for start in range(0, len(tiles), count):
        yield tiles[start : start + count]


def intervals(length: int, tile: int, overlap: int) -> Sequence["Interval"]:
    """Divide an axis into tiles of equal length whose used parts cover it.

    Raises
    ------
    ValueError
        If the overlap is not smaller than the tile.
    """
    if not 0 <= overlap < tile:
        raise ValueError(f"overlap is {overlap} and tile {tile}; the overlap must be smaller")
    if length <= tile:
        return [Interval(0, length, 0, length)]
    count = -(-(length - overlap) // (tile - overlap))
    starts = [round(k * (length - tile) / (count - 1)) for k in range(count)]
    # Neighbouring tiles meet in the middle of their overlap.
    seams = [0, *((b + a + tile) // 2 for a, b in pairwise(starts)), length]
    return [
        Interval(start, start + tile, first, last)
        for start, (first, last) in zip(starts, pairwise(seams), strict=True)
    ]
