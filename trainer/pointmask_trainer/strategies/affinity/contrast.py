"""Losses of targets with ignored pixels, and a term that sets features of targets apart from background."""

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - as everybody writes it

from pointmask_trainer.detectors.base import Auxiliary, Maps
from pointmask_trainer.detectors.losses import label_edges
from pointmask_trainer.strategies.affinity.support import CropPoints
from pointmask_trainer.strategies.affinity.targets import RING, Targets, prototype

_SMOOTH = 1.0
_POINT = 0.1  # weight of the probability at the points
_ALIKE, _APART = 0.8, 0.3  # affinities to a point: of targets at least, of background at most
_CANDIDATES = 256  # most probable background pixels of a crop that are looked at
_PROBABLE = 0.3


def target_loss(maps: Maps, targets: Targets, auxiliary: tuple[Auxiliary, ...], *, deep: str) -> Tensor:
    """Soft IoU without the ignored pixels, of all maps, and the cross entropy at the points, (B,).

    Parameters
    ----------
    maps : Maps
    targets : Targets
    auxiliary : tuple of Auxiliary
        Descriptions of the auxiliary maps.
    deep : {"mean", "sum"}
        Reduction over the maps.
    """
    labels, kept = targets.positive.float(), (~targets.ignored).float()
    parts = [masked_soft_iou(maps["logits"].float(), labels, kept)]
    for logits, kind in zip(maps["aux"], auxiliary[: len(maps["aux"])], strict=True):
        wanted, looked_at = (label_edges(labels) if kind.target == "edge" else labels), kept
        if kind.scale > 1:
            wanted = F.max_pool2d(wanted, kind.scale, ceil_mode=True)
            # A cell counts unless something in it is ignored and nothing of it is target.
            ignored = F.max_pool2d(1 - looked_at, kind.scale, ceil_mode=True)
            looked_at = torch.maximum(1 - ignored, wanted)
        parts.append(masked_soft_iou(logits.float(), wanted, looked_at))
    total = torch.stack(parts)
    total = total.mean(0) if deep == "mean" else total.sum(0)
    points = targets.around.points
    at_points = -F.logsigmoid(maps["logits"].float()[points.crop, 0, points.rows, points.cols])
    return total + _POINT * mean_by_crop(at_points, points, len(total))


def masked_soft_iou(logits: Tensor, labels: Tensor, kept: Tensor) -> Tensor:
    """Soft IoU of (B, 1, H, W) logits and labels over the pixels that are kept, (B,)."""
    q = (torch.sigmoid(logits) * kept).flatten(1)
    y = (labels * kept).flatten(1)
    both = (q * y).sum(1)
    return 1 - (both + _SMOOTH) / (q.sum(1) + y.sum(1) - both + _SMOOTH)


def contrast_loss(features: Tensor, probabilities: Tensor, targets: Targets, hard: int) -> Tensor:
    """Squared hinges of affinities to each point: of its targets, and of the background most like it.

    Parameters
    ----------
    features : (M, d, H, W) float32 Tensor
        Of unit length, with gradients, of the crops that hold a point.
    probabilities : (B, 1, H, W) Tensor
        Of the detector, without gradients.
    targets : Targets
    hard : int
        Background pixels that count per point: of its ring, and of the `_CANDIDATES` pixels of the crop that
        the detector wrongly holds to be targets most, both outside all supports.

    Returns
    -------
    (B,) Tensor
        Mean over the points of each crop; 0 without points.
    """
    around, points = targets.around, targets.around.points
    near = around.read_own(features)
    anchors = prototype(near.detach(), around.near)
    alike = (near * anchors[:, None, None, :]).sum(-1)
    free = ~around.read(targets.supports)[..., 0]
    ring = torch.where(around.ring & free, alike, -torch.inf).flatten(1)
    far = _far_affinities(features, probabilities, targets, anchors)
    hardest = torch.cat([ring, far], 1)
    hardest = hardest.topk(min(hard, hardest.shape[1]), dim=1).values
    counts = hardest > -torch.inf
    above = (hardest.where(counts, hardest.new_zeros(())) - _APART).clamp(min=0) ** 2 * counts
    background = above.sum(1) / counts.sum(1).clamp(min=1)
    below = (_ALIKE - alike).clamp(min=0) ** 2 * targets.of_points
    own = below.sum((1, 2)) / targets.of_points.sum((1, 2)).clamp(min=1)
    return mean_by_crop(background + own, points, len(probabilities))


def _far_affinities(features: Tensor, probabilities: Tensor, targets: Targets, anchors: Tensor) -> Tensor:
    """Affinities of each point to the false alarms of its crop, (N, m); -inf where there is none."""
    points = targets.around.points
    crops, numbers = points.crops()
    outside = (probabilities[crops] * ~targets.supports[crops]).flatten(1)
    values, places = outside.topk(min(_CANDIDATES, outside.shape[1]), dim=1)
    width = features.shape[3]
    rows, cols = places // width, places % width
    each = torch.arange(len(features), device=features.device)[:, None]
    alike = (features[each, :, rows, cols][numbers] * anchors[:, None, :]).sum(-1)
    squares = (rows[numbers] - points.rows[:, None]) ** 2 + (cols[numbers] - points.cols[:, None]) ** 2
    inner = points.radius.clamp(min=RING)[:, None]
    in_ring = (squares > inner**2) & (squares <= 9 * inner**2)
    return torch.where((values[numbers] > _PROBABLE) & ~in_ring, alike, -torch.inf)


def mean_by_crop(values: Tensor, points: CropPoints, crops: int) -> Tensor:
    """Mean of (N,) values over the points of each crop, (B,); 0 where there is none."""
    sums = values.new_zeros(crops).index_add(0, points.crop, values)
    counts = values.new_zeros(crops).index_add(0, points.crop, torch.ones_like(values))
    return sums / counts.clamp(min=1)
