"""What each detector costs: parameters, multiplications and time."""

from collections.abc import Iterable
from dataclasses import dataclass
from time import perf_counter

import torch
from torch.utils.flop_counter import FlopCounterMode

from pointmask_trainer.detectors import build, names
from pointmask_trainer.detectors.base import Detector, parameter_count


@dataclass(frozen=True)
class Profile:
    """Cost of one detector.

    Attributes
    ----------
    name : str
        As in `names`.
    parameters : int
        Trainable numbers.
    macs : int
        Multiply-accumulates of the convolutions and matrix products of one image's forward pass.
    seconds : float
        Shortest forward pass of that image in eval mode, on the CPU with the threads torch has now.
    """

    name: str
    parameters: int
    macs: int
    seconds: float


def profile_detector(name: str, *, in_channels: int = 1, size: int = 256, repeats: int = 3) -> Profile:
    """Build a detector and measure it on one square image.

    Parameters
    ----------
    name : str
        One of `names`.
    in_channels : int, default 1
        Channels of the image.
    size : int, default 256
        Its side, in pixels.
    repeats : int, default 3
        Timed passes, 1 or more, after one that is not timed.

    Returns
    -------
    Profile
        The shortest time counts: whatever else runs on the machine can only add to it.

    Raises
    ------
    DetectorError
        If there is no detector of that name.
    """
    net = build(name, in_channels=in_channels).eval()
    image = torch.zeros(1, in_channels, size, size)
    macs = count_macs(net, image)
    return Profile(name, parameter_count(net), macs, min(_time(net, image) for _ in range(repeats)))


@torch.inference_mode()
def count_macs(net: Detector, images: torch.Tensor) -> int:
    """Count the multiply-accumulates of a forward pass: convolutions and matrix products, nothing else.

    Parameters
    ----------
    net : Detector
        In the mode that is to be counted.
    images : Tensor, (N, in_channels, H, W)
        What it is counted on.

    Returns
    -------
    int
        For all images together.
    """
    with FlopCounterMode(display=False) as counter:
        net(images)
    return int(counter.get_total_flops()) // 2


@torch.inference_mode()
def _time(net: Detector, images: torch.Tensor) -> float:
    start = perf_counter()
    net(images)
    return perf_counter() - start


def models_table(profiles: Iterable[Profile] | None = None) -> str:
    """Lay out what detectors cost as plain text.

    Parameters
    ----------
    profiles : iterable of Profile, optional
        All detectors, measured now with the defaults of `profile_detector`, if not given.

    Returns
    -------
    str
        A heading and one line per detector: name, parameters as a plain integer, 10⁹ multiply-accumulates,
        milliseconds.
    """
    measured = [profile_detector(name) for name in names()] if profiles is None else list(profiles)
    rows = [("detector", "parameters", "GMAC", "CPU ms")]
    rows += [(p.name, str(p.parameters), f"{p.macs / 1e9:.3f}", f"{1e3 * p.seconds:.1f}") for p in measured]
    name, *others = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        row[0].ljust(name) + "".join("  " + cell.rjust(n) for cell, n in zip(row[1:], others, strict=True))
        for row in rows
    )
