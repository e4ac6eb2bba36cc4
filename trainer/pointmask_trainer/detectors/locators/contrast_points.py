"""ContrastPoints: our light detector, whose map is read as heat with a peak at each target."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from torch import Tensor

from pointmask_trainer.detectors.locators.base import Decoding, HeatMaps, Locator
from pointmask_trainer.detectors.networks.contrast_unet import ContrastUNet

_NET = "net."


class ContrastPoints(Locator):
    """`ContrastUNet` with a peak of 1 at each target: 0.33 million weights, cells of one pixel.

    The heat is the logistic function of the network's map, so that weights of `ContrastUNet`, those that come
    with the package too, are weights to start from: what draws targets finds them already.

    Parameters
    ----------
    in_channels : int, default 1
        Channels of the image.
    widths : sequence of 4 int
        See `ContrastUNet`.
    threshold, gap, limit, apart, refine
        See `Decoding`.
    """

    stride: ClassVar[int] = ContrastUNet.stride
    pitch: ClassVar[int] = 1
    bounded: ClassVar[bool] = True

    def __init__(
        self,
        in_channels: int = 1,
        widths: tuple[int, int, int, int] = (16, 32, 64, 96),
        *,
        threshold: float = 0.5,
        gap: float = 0.3,
        limit: int = 0,
        apart: float = 4.0,
        refine: Literal["parabola", "quarter"] = "parabola",
    ) -> None:
        decoding = Decoding(threshold=threshold, gap=gap, limit=limit, apart=apart, refine=refine)
        super().__init__(in_channels, decoding=decoding)
        self.net = ContrastUNet(in_channels, widths)

    def forward_heat(self, x: Tensor) -> HeatMaps:
        """Compute the heat map alone; see `Locator.forward_heat`."""
        main, _ = self.net.forward_maps(x)
        return {"logits": main.float().sigmoid(), "aux": []}

    def adopted(self, weights: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """Take weights of a `ContrastUNet` as well."""
        if any(name.startswith(_NET) for name in weights):
            return weights
        return {f"{_NET}{name}": value for name, value in weights.items()}
