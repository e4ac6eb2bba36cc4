"""A detector on whole images of any size: in batches of equal shapes, large frames in overlapping tiles."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise, product

import torch
from torch import Tensor, nn

from pointmask_trainer.detectors.base import Detector
from pointmask_trainer.normalisation import Normalisation
from pointmask_trainer.pool import Pool

TILE = 1024
OVERLAP = 64
"""Largest side of what a detector sees at once, and how far tiles overlap, in px."""

_BATCH_PIXELS = 2**20  # per forward pass


def predict_pool(
    model: Detector,
    images: Pool,
    normalisation: Normalisation,
    indices: Iterable[int] | None = None,
    *,
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
        count = max(1, _BATCH_PIXELS // (height * width))
        for start in range(0, len(listed), count):
            part = listed[start : start + count]
            batch = torch.stack([images.image(index) for index in part])[:, None]
            yield from zip(part, predict(model, batch, normalisation, autocast=autocast), strict=True)


@torch.no_grad()
def predict(
    model: Detector,
    images: Tensor,
    normalisation: Normalisation,
    *,
    tile: int = TILE,
    overlap: int = OVERLAP,
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
    tile : int
        Larger images are cut into tiles of this side.
    overlap : int
        Tiles overlap by so many px; each px is taken from the tile in which it lies farther inside.
    autocast : torch.dtype, optional
        Precision of the forward pass.

    Returns
    -------
    (N, H, W) float32 Tensor in [0, 1]
    """
    values = normalisation(images, model.in_channels)
    out = images.new_empty(images.shape[0], *images.shape[2:])
    device = images.device.type
    with evaluating(model), torch.autocast(device, autocast, enabled=autocast is not None):
        pieces = [_pieces(length, tile, overlap) for length in images.shape[2:]]
        for rows, cols in product(*pieces):
            logits = model(values[:, :, rows.seen, cols.seen])["logits"].float()
            kept = logits[:, 0, rows.kept_within, cols.kept_within]
            out[:, rows.kept, cols.kept] = torch.sigmoid(kept)
    return out


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
