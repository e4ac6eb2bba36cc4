"""Locators: the output is a heat map, its peaks are targets, and the annotator draws a mask at each."""

from collections.abc import Mapping
from itertools import product
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pointmask.annotator.target import slices_of
from pointmask_trainer.data.normalisation import Normalisation
from pointmask_trainer.detectors.base import ImageNetwork, replicated
from pointmask_trainer.detectors.locators.base import HeatMaps, Locator
from pointmask_trainer.errors import ConfigError
from pointmask_trainer.inference.operator_masks import OperatorMasks
from pointmask_trainer.inference.predictions import DetectedTarget
from pointmask_trainer.inference.tasks.base import HALF, Drawn, Reading, Task
from pointmask_trainer.inference.tasks.decode import find_peaks, probability
from pointmask_trainer.inference.tiles import evaluating, grouped, intervals, overlap_of

_HEAT, _OFFSET, _THRESHOLD = 0, slice(1, 3), 3  # of stacked maps


class PointTask(Task):
    """Points by the network, masks by the operator at them.

    Raises
    ------
    ConfigError
        If the masks are to be the network's, which has none.
    """

    finds: ClassVar[str] = "points"
    operator: OperatorMasks

    def __init__(self, operator: OperatorMasks | None) -> None:
        if operator is None:
            raise ConfigError(
                "the network finds points and draws no masks; leave out --masks-by network, so that the "
                "operator draws them"
            )
        super().__init__(operator)

    def read(
        self,
        model: ImageNetwork,
        images: Tensor,
        normalisation: Normalisation,
        *,
        tile: int | None = None,
        overlap: int | None = None,
        autocast: torch.dtype | None = None,
    ) -> list[Reading]:
        """Compute heat maps of frames and find their peaks."""
        assert isinstance(model, Locator)
        maps = heat_of(model, images, normalisation, tile=tile, overlap=overlap, autocast=autocast)
        return [self._reading(model, own, (images.shape[2], images.shape[3])) for own in maps.cpu().numpy()]

    def draw(self, image: NDArray[np.generic], reading: Reading) -> Drawn:
        """Let the annotator draw a mask at each peak; the mask's centroid is where the target is.

        Of a large target the peak may be any bright place, and it may have several: a peak on the mask of a
        more probable one is the same target.
        """
        height, width = image.shape
        out = np.zeros((height, width), np.float32)
        clicks = [(round(row), round(col)) for row, col, _ in reading.peaks.tolist()]
        kept, drawn = self.operator.targets_at(image, clicks)
        targets = []
        for target, chance in zip(drawn, reading.peaks[kept, 2].tolist(), strict=True):
            view = out[slices_of(target.window)]
            np.maximum(view, np.where(target.mask, np.float32(chance), 0), out=view)
            row, col = np.argwhere(target.mask).mean(0) + target.window[:2]
            score = round(chance, 4)
            targets.append(
                DetectedTarget(round(float(col), 2), round(float(row), 2), score, score, target.area)
            )
        return Drawn(out, tuple(targets))

    def targets(self, drawn: Drawn, threshold: float = HALF) -> list[DetectedTarget]:
        """Return the points more probable than a threshold, the most probable first."""
        return [target for target in drawn.targets if target.score > threshold]

    def rank(self, metrics: Mapping[str, Any]) -> float | None:
        """Return F1 against the clicks of the validation list."""
        f1: float | None = metrics["val_points"]["f1"]
        return f1

    def _reading(self, model: Locator, maps: NDArray[np.float32], size: tuple[int, int]) -> Reading:
        chances = probability(maps[_HEAT], maps[_THRESHOLD])
        offset = maps[_OFFSET] if np.isfinite(maps[_OFFSET]).all() else None
        peaks = find_peaks(maps[_HEAT], chances, offset, model.decoding)
        peaks[:, :2] = np.clip(peaks[:, :2] * model.cell, 0, np.array(size) - 1)
        large = np.repeat(np.repeat(chances, model.cell, 0), model.cell, 1)
        middle = model.cell // 2  # cells are centred on their pixel
        padded = np.pad(large, ((0, middle), (0, middle)), mode="edge")
        return Reading(np.ascontiguousarray(padded[middle:, middle:][: size[0], : size[1]]), peaks)


@torch.no_grad()
def heat_of(
    model: Locator,
    images: Tensor,
    normalisation: Normalisation,
    *,
    tile: int | None = None,
    overlap: int | None = None,
    autocast: torch.dtype | None = None,
) -> Tensor:
    """Compute the maps of frames, large ones in tiles whose cells lie on those of the whole frame.

    Parameters
    ----------
    model : Locator
    images : (N, 1, H, W) float Tensor
        Grey values as stored.
    normalisation, tile, overlap, autocast
        See `pointmask_trainer.inference.tiles.predict`; sides of tiles are rounded down to whole cells.

    Returns
    -------
    (N, 4, rows, cols) float32 Tensor
        Heat; offsets by row and column, NaN if the network gives none; and threshold.
    """
    cell = model.cell
    tile = model.tile if tile is None else tile
    overlap = overlap_of(tile) if overlap is None else overlap
    values = replicated(normalisation(images, model.in_channels), cell)
    rows, cols = values.shape[2] // cell, values.shape[3] // cell
    side, shared = max(1, tile // cell), min(overlap // cell, max(1, tile // cell) - 1)
    out = images.new_zeros(images.shape[0], 4, rows, cols)
    device = images.device.type
    with evaluating(model), torch.autocast(device, autocast, enabled=autocast is not None):
        tiles = list(product(intervals(rows, side, shared), intervals(cols, side, shared)))
        for group in grouped(tiles, images.shape[0] * min(side, rows) * min(side, cols) * cell * cell):
            batch = torch.cat(
                [values[:, :, _px(down.input, cell), _px(right.input, cell)] for down, right in group]
            )
            maps = torch.split(_stacked(model, model(batch)), len(images))
            for (down, right), part in zip(group, maps, strict=True):
                out[:, :, down.output, right.output] = part[:, :, down.output_in_tile, right.output_in_tile]
    return out


def _px(cells: slice, cell: int) -> slice:
    return slice(cells.start * cell, cells.stop * cell)


def _stacked(model: Locator, maps: HeatMaps) -> Tensor:
    heat = maps["logits"].float()
    offset = maps.get("offset")
    threshold = maps.get("threshold")
    parts = [
        heat,
        torch.full_like(heat, torch.nan).expand(-1, 2, -1, -1) if offset is None else offset.float(),
    ]
    if threshold is None:
        parts.append(torch.full_like(heat, model.decoding.threshold))
    else:
        parts.append(threshold.float()[:, None, None, None].expand_as(heat))
    return torch.cat(parts, 1)
