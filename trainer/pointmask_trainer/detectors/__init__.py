"""Segmentation networks of the literature, written anew from their descriptions, one file each.

All follow one contract (:class:`Detector`): images of any size and any number of channels in, logits out,
and auxiliary maps beside them while training::

    net = build("acm_unet", in_channels=1)
    net(images)["logits"]                     # (N, 1, H, W)

`DETECTORS` names the classes without importing them; a new network is one file and one line here.
"""

import difflib
import inspect
from collections.abc import Callable, Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any, cast

from pointmask_trainer.detectors.base import Auxiliary as Auxiliary
from pointmask_trainer.detectors.base import Detector as Detector
from pointmask_trainer.detectors.base import DetectorError as DetectorError
from pointmask_trainer.detectors.base import Maps as Maps

__all__ = ["DETECTORS", "Auxiliary", "Detector", "DetectorError", "Maps", "build", "load", "names"]

DETECTORS: Mapping[str, str] = MappingProxyType(
    {
        "acm_unet": "pointmask_trainer.detectors.networks.acm:ACMUNet",
        "acm_unet_fullres": "pointmask_trainer.detectors.networks.acm:ACMUNetFullres",
        "acm_fpn": "pointmask_trainer.detectors.networks.acm:ACMFPN",
        "acm_fpn_fullres": "pointmask_trainer.detectors.networks.acm:ACMFPNFullres",
        "alcnet": "pointmask_trainer.detectors.networks.alcnet:ALCNet",
        "alcnet_lc": "pointmask_trainer.detectors.networks.alcnet_lc:ALCNetLC",
        "mlclnet": "pointmask_trainer.detectors.networks.mlclnet:MLCLNet",
        "mlclnet_small": "pointmask_trainer.detectors.networks.mlclnet:MLCLNetSmall",
        "alclnet": "pointmask_trainer.detectors.networks.alclnet:ALCLNet",
        "gglnet": "pointmask_trainer.detectors.networks.gglnet:GGLNet",
        "dnanet": "pointmask_trainer.detectors.networks.dnanet:DNANet",
        "isnet": "pointmask_trainer.detectors.networks.isnet:ISNet",
        "uiunet": "pointmask_trainer.detectors.networks.uiunet:UIUNet",
        "msdanet": "pointmask_trainer.detectors.networks.msdanet:MSDANet",
        "mshnet": "pointmask_trainer.detectors.networks.mshnet:MSHNet",
        "sctransnet": "pointmask_trainer.detectors.networks.sctransnet:SCTransNet",
    }
)
"""Name of each detector and where its class lives (``module:class``)."""


def names() -> tuple[str, ...]:
    """Names of all detectors, in the order of the table."""
    return tuple(DETECTORS)


def load(name: str) -> Callable[..., Detector]:
    """Import one detector's class by its name.

    Parameters
    ----------
    name : str
        One of `names`.

    Returns
    -------
    callable
        The class; its docstring names its options.

    Raises
    ------
    DetectorError
        If there is no detector of that name.
    """
    if name not in DETECTORS:
        near = difflib.get_close_matches(name, DETECTORS, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise DetectorError(f"no detector is called {name!r}; {hint}choose one of {', '.join(DETECTORS)}")
    module, attribute = DETECTORS[name].split(":")
    return cast(Callable[..., Detector], getattr(import_module(module), attribute))


def build(name: str, *, in_channels: int = 1, **options: Any) -> Detector:  # noqa: ANN401 - each its own
    """Build a detector with fresh weights.

    Parameters
    ----------
    name : str
        One of `names`.
    in_channels : int, default 1
        Channels of the images. Repetitions of published 3-channel figures need 3.
    **options
        The detector's own options, see its class.

    Returns
    -------
    Detector
        In training mode, on the CPU.

    Raises
    ------
    DetectorError
        If there is no such detector or option, or an option's value is out of its range.
    """
    make = load(name)
    known = set(inspect.signature(make).parameters) - {"in_channels"}
    if unknown := sorted(set(options) - known):
        raise DetectorError(
            f"detector {name!r} has no option {unknown[0]!r}; "
            + (f"choose among {', '.join(sorted(known))}" if known else "it takes none: leave it out")
        )
    return make(in_channels=in_channels, **options)
