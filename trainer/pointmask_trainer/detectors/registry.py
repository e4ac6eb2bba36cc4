"""Registry of all detectors by name; torch is imported when the first one is loaded."""

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pointmask.registry import Registry, contract_class
from pointmask_trainer.errors import DetectorError

if TYPE_CHECKING:
    from pointmask_trainer.detectors.base import Detector


def _check(name: str, candidate: object) -> "type[Detector]":
    from pointmask_trainer.detectors.base import Detector

    return contract_class(candidate, Detector)  # type: ignore[type-abstract]


_NETWORKS = "pointmask_trainer.detectors.networks"

DETECTORS: "Registry[type[Detector]]" = Registry(
    "detector",
    "pointmask.detectors",
    {
        "contrast_unet": f"{_NETWORKS}.contrast_unet:ContrastUNet",
        "acm_unet": f"{_NETWORKS}.acm:ACMUNet",
        "acm_unet_fullres": f"{_NETWORKS}.acm:ACMUNetFullres",
        "acm_fpn": f"{_NETWORKS}.acm:ACMFPN",
        "acm_fpn_fullres": f"{_NETWORKS}.acm:ACMFPNFullres",
        "alcnet": f"{_NETWORKS}.alcnet:ALCNet",
        "alcnet_lc": f"{_NETWORKS}.alcnet:ALCNetLC",
        "mlclnet": f"{_NETWORKS}.mlclnet:MLCLNet",
        "mlclnet_small": f"{_NETWORKS}.mlclnet:MLCLNetSmall",
        "alclnet": f"{_NETWORKS}.alclnet:ALCLNet",
        "gglnet": f"{_NETWORKS}.gglnet:GGLNet",
        "dnanet": f"{_NETWORKS}.dnanet:DNANet",
        "isnet": f"{_NETWORKS}.isnet:ISNet",
        "uiunet": f"{_NETWORKS}.uiunet:UIUNet",
        "msdanet": f"{_NETWORKS}.msdanet:MSDANet",
        "mshnet": f"{_NETWORKS}.mshnet:MSHNet",
        "sctransnet": f"{_NETWORKS}.sctransnet:SCTransNet",
    },
    _check,
    DetectorError,
)


def build(name: str, *, in_channels: int = 1, **options: Any) -> "Detector":  # noqa: ANN401 - each its own
    """Build a detector with freshly initialised weights.

    Parameters
    ----------
    name : str
        One of `DETECTORS`.
    in_channels : int, default 1
        Channels of the images; reproducing published 3-channel results requires 3.
    **options
        Options specific to the detector, see its class.

    Returns
    -------
    Detector
        In training mode, on the CPU.

    Raises
    ------
    DetectorError
        If there is no such detector or option, or an option's value is out of its range.
    PluginError
        If the detector of another package cannot be used.
    """
    make: Callable[..., Detector] = DETECTORS.load(name)
    known = set(inspect.signature(make).parameters) - {"in_channels"}
    if unknown := sorted(set(options) - known):
        raise DetectorError(
            f"detector {name!r} has no option {unknown[0]!r}; "
            + (f"choose among {', '.join(sorted(known))}" if known else "it takes none: leave it out")
        )
    return make(in_channels=in_channels, **options)
