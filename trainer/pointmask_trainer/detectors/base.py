"""The contract of every detector: any image size in, logits out, auxiliary maps only while training."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Literal, NamedTuple, TypedDict

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - as everybody writes it

from pointmask_trainer.errors import DetectorError

TILE = 1024
"""Default side of tiles in px."""


class Auxiliary(NamedTuple):
    """Description of an auxiliary map.

    Attributes
    ----------
    name : str
        The map's name in the literature.
    scale : int
        The map's sides are the image's, divided by this and rounded up.
    target : {"mask", "edge"}
        Its training target: the mask, or the outline of the mask.
    """

    name: str
    scale: int = 1
    target: Literal["mask", "edge"] = "mask"


class Maps(TypedDict):
    """Output of a detector.

    ``logits`` is the main map, (N, 1, H, W). ``aux`` holds the logits of the auxiliary maps in the order
    of `Detector.auxiliary`, each (N, 1, ceil(H / scale), ceil(W / scale)); it is empty in eval mode.
    """

    logits: Tensor
    aux: list[Tensor]


class ImageNetwork(nn.Module, ABC):
    """A network for images of any size with a fixed number of channels.

    What its output is, masks or points, `pointmask_trainer.inference.tasks` knows.

    Parameters
    ----------
    in_channels : int
        Channels of the image, 1 or more.

    Attributes
    ----------
    in_channels : int
        As given.
    tile : int
        Largest side of the input in px; larger frames are cut into tiles. Networks that weight channels by
        means over the whole map perform best at the size of the crops they were trained on.
    stride : int
        Sides of the images that the layers need are multiples of this.
    auxiliary : tuple of Auxiliary
        Descriptions of the maps in ``aux``.
    embedding : str
        Name of the module whose input is the last feature map before the main logits; its scale and
        channels are the network's own.
    taps : tuple of str
        Names of the modules whose inputs are the encoder's stages as the rest of the network reads them,
        from fine to coarse; empty where several modules read a stage.

    Raises
    ------
    DetectorError
        If `in_channels` is less than 1.
    """

    tile: int = TILE
    stride: ClassVar[int]
    auxiliary: ClassVar[tuple[Auxiliary, ...]] = ()
    embedding: ClassVar[str] = "head"
    taps: ClassVar[tuple[str, ...]] = ()

    def __init__(self, in_channels: int = 1) -> None:
        super().__init__()
        if in_channels < 1:
            raise DetectorError(f"in_channels = {in_channels} must be at least 1: give the image's channels")
        self.in_channels = in_channels

    @abstractmethod
    def forward(self, x: Tensor) -> Maps:
        """Compute the maps of (N, in_channels, H, W) normalised images of any size."""

    def adopted(self, weights: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """Return weights to start from under this network's own names."""
        return weights

    def check(self, x: Tensor) -> None:
        """Raise an error unless `x` is a valid input of this network.

        Raises
        ------
        DetectorError
            If `x` has another number of axes or channels, is empty, or holds integers.
        """
        if x.dim() != 4 or x.shape[1] != self.in_channels or 0 in x.shape:
            raise DetectorError(
                f"{type(self).__name__} got images of shape {tuple(x.shape)}; they must be "
                f"(N, {self.in_channels}, H, W) and not empty: reshape them, or build the detector with "
                "in_channels set to theirs"
            )
        if not x.is_floating_point():
            raise DetectorError(
                f"{type(self).__name__} got images of {x.dtype}; they must be floating point: normalise them"
            )


class Detector(ImageNetwork):
    """A segmentation network; subclasses define it for images of a convenient size.

    Images of any size, down to one pixel, are padded at the right and at the bottom to the next multiple
    of `stride` by repeating the last column and row, and the maps are cropped back. Zero padding would create
    an edge, which resembles a target, wherever the border is not of mean brightness; reflection requires an
    image larger than the padding and would duplicate a target at the border.

    Parameters
    ----------
    in_channels : int
        Channels of the image, 1 or more.

    Attributes
    ----------
    last_layers : tuple of str
        Names of the modules that compute the maps' logits, in order of execution.
    logit_channels : int
        Output channels of the last layers: 1, or 4 where a pixel shuffle makes 2 x 2 logits of them.

    Raises
    ------
    DetectorError
        If `in_channels` is less than 1.
    """

    last_layers: ClassVar[tuple[str, ...]] = ("head",)
    logit_channels: ClassVar[int] = 1

    @abstractmethod
    def forward_maps(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Compute the maps of images whose sides are multiples of `stride`.

        Parameters
        ----------
        x : Tensor, (N, in_channels, H, W), floating point
            Normalised images.

        Returns
        -------
        main : Tensor, (N, 1, H, W)
            Logits.
        aux : list of Tensor
            Logits of the maps in `auxiliary`; may be omitted in eval mode.
        """

    def forward(self, x: Tensor) -> Maps:
        """Compute the maps of images of any size.

        Parameters
        ----------
        x : Tensor, (N, in_channels, H, W), floating point
            Normalised images.

        Returns
        -------
        Maps
            ``{"logits": (N, 1, H, W), "aux": [...]}``.

        Raises
        ------
        DetectorError
            If `x` has another number of axes or channels, is empty, or holds integers; in training also
            if a norm gets a single value per channel, see `blocks.BatchNorm`.
        """
        self.check(x)
        height, width = x.shape[-2:]
        main, aux = self.forward_maps(replicated(x, self.stride))
        if not self.training:
            aux = []
        return {
            "logits": main[..., :height, :width],
            "aux": [
                _crop(part, kind.scale, height, width)
                for part, kind in zip(aux, self.auxiliary[: len(aux)], strict=True)
            ],
        }


def parameter_count(module: nn.Module) -> int:
    """Return the number of trainable parameters of a network."""
    return sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad)


def replicated(x: Tensor, stride: int) -> Tensor:
    """Repeat the last column and row until both sides are multiples of `stride`."""
    right, bottom = -x.shape[-1] % stride, -x.shape[-2] % stride
    return F.pad(x, (0, right, 0, bottom), mode="replicate") if right or bottom else x


def _crop(part: Tensor, scale: int, height: int, width: int) -> Tensor:
    return part[..., : -(-height // scale), : -(-width // scale)]
