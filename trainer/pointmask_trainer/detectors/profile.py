"""Computational cost of the detectors: parameters, multiply-accumulates and time."""

from collections.abc import Iterable
from dataclasses import dataclass
from time import perf_counter

import torch
from torch.utils.flop_counter import FlopCounterMode

from pointmask_trainer.detectors.base import ImageNetwork, parameter_count
from pointmask_trainer.detectors.registry import DETECTORS, build_network


@dataclass(frozen=True)
class Profile:
    """Computational cost of one detector.

    Attributes
    ----------
    name : str
        As in `DETECTORS`.
    parameters, parameters_3_channels : int
        Trainable parameters, with 1 and with 3 image channels.
    macs : int
        Multiply-accumulates of the convolutions and matrix products of one single-band image's forward pass.
    seconds : float
        Shortest forward pass of that image in eval mode, on the CPU with torch's present number of threads.
    """

    name: str
    parameters: int
    parameters_3_channels: int
    macs: int
    seconds: float


def profile_detector(name: str, *, size: int = 256, repeats: int = 3) -> Profile:
    """Build a detector and measure it on one square image of one channel.

    Parameters
    ----------
    name : str
        One of `DETECTORS`.
    size : int, default 256
        Side of the image, in pixels.
    repeats : int, default 3
        Timed passes, 1 or more, after one that is not timed.

    Returns
    -------
    Profile
        With the shortest time, since other load on the machine can only increase it.

    Raises
    ------
    DetectorError
        If there is no detector of that name.
    """
    net = build_network(name).eval()
    image = torch.zeros(1, 1, size, size)
    macs = count_macs(net, image)
    seconds = min(_time(net, image) for _ in range(repeats))
    return Profile(
        name, parameter_count(net), parameter_count(build_network(name, in_channels=3)), macs, seconds
    )


@torch.inference_mode()
def count_macs(net: ImageNetwork, images: torch.Tensor) -> int:
    """Count the multiply-accumulates of a forward pass: only convolutions and matrix products.

    Parameters
    ----------
    net : ImageNetwork
        In training or eval mode, as it is to be measured.
    images : Tensor, (N, in_channels, H, W)

    Returns
    -------
    int
        Total for all images.
    """
    with FlopCounterMode(display=False) as counter:
        net(images)
    return int(counter.get_total_flops()) // 2


@torch.inference_mode()
def _time(net: ImageNetwork, images: torch.Tensor) -> float:
    start = perf_counter()
    net(images)
    return perf_counter() - start


def models_table(profiles: Iterable[Profile] | None = None) -> str:
    """Format the cost of detectors as a plain-text table.

    Parameters
    ----------
    profiles : iterable of Profile, optional
        By default all detectors are measured, with the defaults of `profile_detector`.

    Returns
    -------
    str
        A header and one line per detector: name, parameters as plain integers, 10⁹ multiply-accumulates,
        milliseconds.
    """
    measured = [profile_detector(name) for name in DETECTORS.ours] if profiles is None else list(profiles)
    rows = [("detector", "parameters", "with 3 channels", "GMAC", "CPU ms")]
    for p in measured:
        counts = (str(p.parameters), str(p.parameters_3_channels))
        rows.append((p.name, *counts, f"{p.macs / 1e9:.3f}", f"{1e3 * p.seconds:.1f}"))
    name, *others = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        row[0].ljust(name) + "".join("  " + cell.rjust(n) for cell, n in zip(row[1:], others, strict=True))
        for row in rows
    )
