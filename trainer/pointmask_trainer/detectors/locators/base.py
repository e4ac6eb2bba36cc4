"""The contract of every locator: any image size in, a heat map of cells with a peak at each target out."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - as everybody writes it

from pointmask.settings import Between, check
from pointmask_trainer.detectors.base import ImageNetwork, Maps, replicated
from pointmask_trainer.detectors.blocks.common import conv
from pointmask_trainer.errors import DetectorError


class HeatMaps(Maps, total=False):
    """Output of a locator.

    ``logits`` is the heat, (N, 1, rows, cols): unbounded, 1 at a perfect peak, and no logit of a probability.
    ``aux`` is empty. Some locators also give ``offset``, (N, 2, rows, cols): where in a cell a target lies,
    rows and columns from the cell's centre in cells; and ``threshold``, (N,): the heat above which a peak of
    the image is a target.
    """

    offset: Tensor
    threshold: Tensor


@dataclass(frozen=True, kw_only=True, slots=True)
class Decoding:
    """How peaks become points.

    Attributes
    ----------
    threshold : float
        Heat of a peak that is as likely a target as not, where the network does not tell.
    gap : float
        Peaks that lie below the highest by more than this share of it are dropped; 1 keeps all.
    limit : int
        Most points of a frame; 0 is no limit.
    apart : float
        Cells between two points: of peaks that are closer the higher stands.
    refine : {"parabola", "quarter"}
        Place of a peak within its cell, where the network does not tell: by the parabola through it and its
        neighbours, or a quarter of a cell towards the larger neighbour, as published.
    """

    threshold: Annotated[float, Between(0.01, 0.99)] = 0.35
    gap: Annotated[float, Between(0, 1)] = 1.0
    limit: Annotated[int, Between(0, 100_000)] = 0
    apart: Annotated[float, Between(0, 100)] = 2.0
    refine: Literal["parabola", "quarter"] = "parabola"

    def __post_init__(self) -> None:
        check(self, DetectorError, "model.options")


class Locator(ImageNetwork):
    """A network that finds points; losses, masks and IoU of detectors do not apply to its output.

    Parameters
    ----------
    in_channels : int
        Channels of the image, 1 or more.
    input_scale : int
        1, 2 or 4: images are enlarged so many times, for targets that are small against the cells.
    decoding : Decoding, optional

    Attributes
    ----------
    pitch : int
        Sides of a cell in px of the enlarged input: pixel (pitch · j, pitch · i) is the centre of cell
        (j, i).
    bounded : bool
        Whether the heat lies between 0 and 1, as a logistic function's does.
    cell : int
        The same in px of the image, in which a heat map has ceil(H / cell) rows.
    decoding : Decoding

    Raises
    ------
    DetectorError
        If `in_channels` is less than 1, or the scale is another.
    """

    stride: ClassVar[int] = 1
    pitch: ClassVar[int] = 4
    bounded: ClassVar[bool] = False

    def __init__(
        self, in_channels: int = 1, *, input_scale: int = 1, decoding: Decoding | None = None
    ) -> None:
        super().__init__(in_channels)
        if input_scale not in (1, 2, 4):
            raise DetectorError(f"input_scale = {input_scale} must be 1, 2 or 4")
        self.input_scale, self.cell = input_scale, self.pitch // input_scale
        self.decoding = decoding or Decoding()

    @property
    def tells_threshold(self) -> bool:
        """Whether the network gives a threshold for each image."""
        return False

    @abstractmethod
    def forward_heat(self, x: Tensor) -> HeatMaps:
        """Compute the maps of enlarged images whose sides are multiples of `stride`, to cells of `pitch`."""

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
        self.check(x)
        large = self.enlarged(x)
        return self.cropped(self.forward_heat(replicated(large, self.stride)), large)

    def enlarged(self, x: Tensor) -> Tensor:
        """Enlarge (N, C, H, W) images bilinearly such that pixel (y, x) becomes (scale · y, scale · x)."""
        if self.input_scale == 1:
            return x
        size = [(side - 1) * self.input_scale + 1 for side in x.shape[-2:]]
        return F.interpolate(x, size=size, mode="bilinear", align_corners=True)

    def cropped(self, maps: HeatMaps, large: Tensor) -> HeatMaps:
        """Cut maps to the cells of an enlarged image."""
        rows, cols = ((side + self.pitch - 1) // self.pitch for side in large.shape[-2:])
        maps["logits"] = maps["logits"][..., :rows, :cols]
        if "offset" in maps:
            maps["offset"] = maps["offset"][..., :rows, :cols]
        return maps


def heat_layer(channels: int) -> nn.Conv2d:
    """Build the 1 x 1 convolution to the heat, with its bias at 0, as almost all of a heat map is."""
    layer = conv(channels, 1, 1)
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)
    return layer
