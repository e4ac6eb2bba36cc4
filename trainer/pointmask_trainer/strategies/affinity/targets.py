"""Which pixels of a crop are targets, background, or neither: from features and grey values, at each point.

A margin between the affinity to the point and that to the point's own background, not an absolute affinity:
absolute thresholds depend on how far features have spread. In a trial on SIRST-v1 both did equally well.
"""

import math
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - as everybody writes it

from pointmask.theta import Polarity
from pointmask_trainer.strategies.affinity.support import CropPoints

RING = 4.0
"""Least inner radius in px of the ring from which a point's background is read; it is three times as wide."""

_LEAST_CONTRAST = 1e-3  # in units of the normalised image


class Gate(Protocol):
    """Thresholds; see `pointmask_trainer.strategies.affinity.options.GSACPOptions`."""

    @property
    def margin(self) -> float: ...  # noqa: D102 - see the class
    @property
    def contrast_in(self) -> float: ...  # noqa: D102
    @property
    def contrast_out(self) -> float: ...  # noqa: D102
    @property
    def polarity(self) -> Polarity: ...  # noqa: D102


@dataclass(frozen=True, slots=True, eq=False)
class Surroundings:
    """Square windows round N points, of n px a side.

    Attributes
    ----------
    points : CropPoints
    rows, cols : (N, n, n) int64 Tensors
        Pixels of the crop, clamped to it.
    support, ring : (N, n, n) bool Tensors
        Pixels that may belong to the target, which lie no nearer to another point; and those round it.
    near, plus : (N, n, n) bool Tensors
        The 3 x 3 px at the point, and those of them that share an edge with it and lie no nearer to another.
    size : (int, int)
        Of the crops.
    """

    points: CropPoints
    rows: Tensor
    cols: Tensor
    support: Tensor
    ring: Tensor
    near: Tensor
    plus: Tensor
    size: tuple[int, int]

    def read(self, maps: Tensor) -> Tensor:
        """Read (B, C, H, W) maps in the windows, (N, n, n, C)."""
        return self._read(maps, self.points.crop)

    def read_own(self, maps: Tensor) -> Tensor:
        """Read (M, C, H, W) maps of the crops that hold a point, see `CropPoints.crops`, (N, n, n, C)."""
        return self._read(maps, self.points.crops()[1])

    def _read(self, maps: Tensor, numbers: Tensor) -> Tensor:
        # Whole pixels by one index: the gradient of an index for each axis takes twice as long.
        pixels = maps.permute(0, 2, 3, 1).reshape(-1, maps.shape[1])
        places = (numbers[:, None, None] * self.size[0] + self.rows) * self.size[1] + self.cols
        return pixels.index_select(0, places.flatten()).view(*places.shape, maps.shape[1])

    def drawn(self, chosen: Tensor, crops: int) -> Tensor:
        """Draw (N, n, n) bool windows into B crops, (B, 1, H, W) bool."""
        out = torch.zeros(crops, 1, *self.size, dtype=torch.bool, device=chosen.device)
        numbers = self.points.crop[:, None, None].expand_as(chosen)
        out[numbers[chosen], 0, self.rows[chosen], self.cols[chosen]] = True
        return out


@dataclass(frozen=True, slots=True, eq=False)
class Targets:
    """Targets of a batch of crops.

    Attributes
    ----------
    positive, ignored : (B, 1, H, W) bool Tensors
        The rest is background.
    supports : (B, 1, H, W) bool Tensor
        All supports together.
    of_points : (N, n, n) bool Tensor
        Positive pixels of each point, in its window.
    around : Surroundings
    """

    positive: Tensor
    ignored: Tensor
    supports: Tensor
    of_points: Tensor
    around: Surroundings


def surroundings(points: CropPoints, size: tuple[int, int]) -> Surroundings:
    """Lay windows round points in crops of a size."""
    device = points.crop.device
    outer = points.radius.clamp(min=RING)
    reach = math.ceil(3 * float(outer.max())) if len(points) else 1
    steps = torch.arange(-reach, reach + 1, device=device)
    rows = points.rows[:, None, None] + steps[:, None]
    cols = points.cols[:, None, None] + steps[None, :]
    inside = (rows >= 0) & (rows < size[0]) & (cols >= 0) & (cols < size[1])
    squares = (steps[:, None] ** 2 + steps[None, :] ** 2).float()
    own = inside & _no_other_is_nearer(points, rows, cols, squares)
    radius, outer = points.radius[:, None, None], outer[:, None, None]
    return Surroundings(
        points,
        rows.expand(-1, -1, len(steps)).clamp(0, size[0] - 1),
        cols.expand(-1, len(steps), -1).clamp(0, size[1] - 1),
        own & (squares <= radius**2),
        inside & (squares > outer**2) & (squares <= 9 * outer**2),
        inside & (squares <= 2),
        own & (squares <= 1),
        size,
    )


def _no_other_is_nearer(points: CropPoints, rows: Tensor, cols: Tensor, squares: Tensor) -> Tensor:
    shared = points.crop[:, None] == points.crop[None, :]
    shared.fill_diagonal_(fill_value=False)
    one, other = shared.nonzero(as_tuple=True)
    distances = (rows[one] - points.rows[other][:, None, None]) ** 2 + (
        cols[one] - points.cols[other][:, None, None]
    ) ** 2
    nearer = torch.zeros(len(points), *squares.shape, device=squares.device)
    nearer.index_add_(0, one, (distances < squares).float())
    return nearer == 0


@torch.no_grad()
def make_targets(features: Tensor | None, images: Tensor, points: CropPoints, gate: Gate) -> Targets:
    """Make the targets of a batch of crops.

    Parameters
    ----------
    features : (M, d, H, W) float32 Tensor or None
        Of unit length at each pixel, of the crops that hold a point, see `CropPoints.crops`; None leaves the
        decision to grey values alone.
    images : (B, C, H, W) float32 Tensor
        Normalised; the first channel is read.
    points : CropPoints
    gate : Gate
    """
    around = surroundings(points, (images.shape[2], images.shape[3]))
    contrast = _contrast(around.read(images[:, :1].float())[..., 0], around, gate.polarity)
    may_be, is_background = contrast >= gate.contrast_in, contrast < gate.contrast_out
    if features is not None:
        margin = _margin(around.read_own(features), around)
        may_be &= margin >= gate.margin
        is_background |= margin <= -gate.margin
    positive = _connected(around, around.support & may_be | around.plus)
    drawn = around.drawn(positive, len(images))
    ignored = around.drawn(around.support & ~positive & ~is_background, len(images))
    return Targets(drawn, ignored & ~drawn, around.drawn(around.support, len(images)), positive, around)


def prototype(features: Tensor, where: Tensor) -> Tensor:
    """Return the mean of (N, n, n, d) features over (N, n, n) bool pixels, of unit length, (N, d)."""
    share = where.to(features.dtype)[..., None]
    return F.normalize((features * share).sum((1, 2)), dim=1)


def _margin(features: Tensor, around: Surroundings) -> Tensor:
    """Affinity to the point less that to its background, (N, n, n)."""
    difference = prototype(features, around.near) - prototype(features, around.ring)
    return (features * difference[:, None, None, :]).sum(-1)


def _contrast(values: Tensor, around: Surroundings, polarity: Polarity) -> Tensor:
    """Grey value above the background over that of the brightest pixel at the point, (N, n, n)."""
    nothing = values.new_tensor(torch.nan)
    ring = torch.where(around.ring, values, nothing).flatten(1).nanmedian(1).values
    # A crop may be smaller than the ring: its own pixels are the background then.
    background = torch.where(ring.isnan(), values.flatten(1).median(1).values, ring)[:, None, None]
    above = values - background
    low = torch.where(around.near, above, above.new_tensor(torch.inf)).amin((1, 2))
    high = torch.where(around.near, above, above.new_tensor(-torch.inf)).amax((1, 2))
    if polarity == "dark":
        above, high = -above, -low
    elif polarity == "auto":
        is_dark = -low > high
        above = torch.where(is_dark[:, None, None], -above, above)
        high = torch.where(is_dark, -low, high)
    return above / high.clamp(min=_LEAST_CONTRAST)[:, None, None]


def _connected(around: Surroundings, candidates: Tensor) -> Tensor:
    """Keep the candidates that are 8-connected to their point, within as many steps as its support has px."""
    middle = candidates.shape[-1] // 2
    reached = torch.zeros_like(candidates)
    if not len(candidates):
        return reached
    steps = around.points.radius.ceil() + 1
    most = int(steps.max())
    # Supports end far within the windows, which hold the rings.
    inner = slice(max(middle - most, 0), middle + most + 1)
    own, near = candidates[:, inner, inner], reached[:, inner, inner]
    near[:, near.shape[1] // 2, near.shape[2] // 2] = True
    for step in range(most):
        grown = F.max_pool2d(near.float()[:, None], 3, stride=1, padding=1)[:, 0] > 0
        near |= grown & own & (step < steps)[:, None, None]
    return reached
