"""The crops of one training step, with their labels."""

from dataclasses import dataclass

from torch import Tensor

from pointmask_trainer.data.labels import SplitName
from pointmask_trainer.data.pool import AffineViews


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """The crops of one step on the device: the share of this process.

    Attributes
    ----------
    split : {"train", "val"}
    indices : (B,) int64 Tensor
        Indices of the images in the split.
    images : (B, C, h, w) float32 Tensor
        Normalised.
    labels : (B, 1, h, w) float32 Tensor in [0, 1]
    views : AffineViews
        Affine maps from crops to images; ``views.points`` maps points and their reflections into a crop.
    total : int
        Number of images of this step over all processes, by which losses are divided.
    """

    split: SplitName
    indices: Tensor
    images: Tensor
    labels: Tensor
    views: AffineViews
    total: int
