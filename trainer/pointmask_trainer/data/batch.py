"""One step's crops, with their labels."""

from dataclasses import dataclass

from torch import Tensor

from pointmask_trainer.data.labels import SplitName
from pointmask_trainer.data.pool import AffineViews


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """One step's crops on the device: this process's share.

    Attributes
    ----------
    split : {"train", "val"}
    indices : (B,) int64 Tensor
        Which images of the split.
    images : (B, C, h, w) float32 Tensor
        Normalised.
    labels : (B, 1, h, w) float32 Tensor in [0, 1]
    views : AffineViews
        Maps from crops to images; ``views.points`` maps points into a crop.
    total : int
        Images of this step over all processes; losses are divided by it.
    """

    split: SplitName
    indices: Tensor
    images: Tensor
    labels: Tensor
    views: AffineViews
    total: int
