"""The contract of every locator: any image size in, a heat map of cells of 4 x 4 pixels out."""

from abc import ABC, abstractmethod

from torch import Tensor, nn

from pointmask_trainer.detectors.base import ImageNetwork, Maps
from pointmask_trainer.detectors.blocks.common import conv

CELL = 4
"""Sides of a cell of the heat map in px; pixel (4 j, 4 i) is the centre of cell (j, i)."""


class HeatMaps(Maps, total=False):
    """Output of a locator.

    ``logits`` is the heat, (N, 1, ceil(H / 4), ceil(W / 4)): unbounded, 1 at a perfect peak, and no logit of
    a probability. ``aux`` is empty. Some locators also give ``offset``, (N, 2, ...): where in a cell a target
    lies, rows and columns from the cell's centre in cells; and ``threshold``, (N,): the heat above which a
    peak of the image is a target.
    """

    offset: Tensor
    threshold: Tensor


class Locator(ImageNetwork, ABC):
    """A network that finds points; losses, masks and IoU of detectors do not apply to its output.

    Parameters
    ----------
    in_channels : int
        Channels of the image, 1 or more.

    Raises
    ------
    DetectorError
        If `in_channels` is less than 1.
    """

    @abstractmethod
    def forward(self, x: Tensor) -> HeatMaps:
        """Compute the heat map of images of any size.

        Parameters
        ----------
        x : Tensor, (N, in_channels, H, W), floating point
            Normalised images.

        Raises
        ------
        DetectorError
            As `pointmask_trainer.detectors.base.Detector.forward`.
        """


def heat_layer(channels: int) -> nn.Conv2d:
    """Build the 1 x 1 convolution to the heat, with its bias at 0, as almost all of a heat map is."""
    layer = conv(channels, 1, 1)
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)
    return layer
