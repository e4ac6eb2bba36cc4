"""Losses of locators: heat, places within cells, and the threshold."""

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - as everybody writes it

from pointmask_trainer.detectors.locators.base import HeatMaps
from pointmask_trainer.strategies.points.options import SpireOptions

_HEAT = 2.0  # weight of the heat, as published
_SURE = 1e-6  # heat that is nearer to 0 or 1 has no gradient
_SOFT = 0.05  # heat over which a peak passes the threshold gradually
_LEAST = 0.05  # heat below which a maximum is noise


def locator_losses(maps: HeatMaps, heat: Tensor, points: list[Tensor], options: SpireOptions) -> Tensor:
    """Loss of each image, (N,).

    Parameters
    ----------
    maps : HeatMaps
        Of N crops.
    heat : (N, 1, rows, cols) Tensor
        What the heat is to be.
    points : list of (K, 2) Tensor
        Of each crop, row and column in cells.
    options : SpireOptions
        Without ``auto``.
    """
    found = maps["logits"].float()
    if options.loss == "focal":
        total = focal_loss(
            found, heat, [len(_inside(at, own[0])[0]) for own, at in zip(found, points, strict=True)]
        )
    else:
        total = _HEAT * (found - heat).square().mean((1, 2, 3))
    offset, threshold = maps.get("offset"), maps.get("threshold")
    if offset is not None:
        places = [offset_loss(own.float(), at) for own, at in zip(offset, points, strict=True)]
        total = total + options.offset_weight * torch.stack(places)
    if threshold is not None:
        counts = [
            threshold_loss(own[0], tau, len(_inside(at, own[0])[0]))
            for own, tau, at in zip(found.detach(), threshold.float(), points, strict=True)
        ]
        total = total + options.threshold_weight * torch.stack(counts)
    return total


def focal_loss(found: Tensor, heat: Tensor, counts: list[int]) -> Tensor:
    """Cross-entropy of heat in [0, 1], weighted by the squared error, over each image's points; (N,)."""
    sure = torch.logit(found, _SURE)
    entropy = F.binary_cross_entropy_with_logits(sure, heat, reduction="none")
    whole = ((found - heat).square() * entropy).sum((1, 2, 3))
    return whole / found.new_tensor(counts).clamp(min=1)


def offset_loss(offset: Tensor, points: Tensor) -> Tensor:
    """Mean smooth L1 distance of a (2, rows, cols) map from the points' places in their cells."""
    cells, rest = _inside(points, offset[0])
    if not len(cells):
        return offset.sum() * 0
    return F.smooth_l1_loss(offset[:, cells[:, 0], cells[:, 1]].T, rest.to(offset.dtype))


def threshold_loss(heat: Tensor, tau: Tensor, count: int) -> Tensor:
    """Squared difference between peaks above a threshold and points, over the points; trains tau alone."""
    is_peak = (heat == F.max_pool2d(heat[None, None], 3, 1, 1)[0, 0]) & (heat > _LEAST)
    passing = torch.sigmoid((heat[is_peak] - tau) / _SOFT).sum()
    return (passing - count).square() / max(count, 1)


def _inside(places: Tensor, like: Tensor) -> tuple[Tensor, Tensor]:
    """Return cells, (K, 2), and the rest in cells, of the points that lie in a map."""
    cells = torch.floor(places + 0.5).long()
    rows, cols = like.shape
    inside = (cells >= 0).all(1) & (cells[:, 0] < rows) & (cells[:, 1] < cols)
    return cells[inside], (places - cells)[inside]
