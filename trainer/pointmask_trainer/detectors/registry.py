"""Registries of all detectors and locators by name; torch is imported when the first one is loaded."""

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from pointmask.advice import did_you_mean
from pointmask.registry import Registry, contract_class
from pointmask_trainer.errors import DetectorError

if TYPE_CHECKING:
    from pointmask_trainer.detectors.base import Detector, ImageNetwork
    from pointmask_trainer.detectors.locators.base import Locator

T = TypeVar("T")


def _check(name: str, candidate: object) -> "type[Detector]":
    from pointmask_trainer.detectors.base import Detector

    return contract_class(candidate, Detector)  # type: ignore[type-abstract]


def _check_locator(name: str, candidate: object) -> "type[Locator]":
    from pointmask_trainer.detectors.locators.base import Locator

    return contract_class(candidate, Locator)  # type: ignore[type-abstract]


_LOCATORS = "pointmask_trainer.detectors.locators"
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


LOCATORS: "Registry[type[Locator]]" = Registry(
    "locator",
    "pointmask.locators",
    {
        "contrast_points": f"{_LOCATORS}.contrast_points:ContrastPoints",
        "hrpe": f"{_LOCATORS}.hrpe:HRPE",
        "sshd": f"{_LOCATORS}.sshd:SSHD",
    },
    _check_locator,
    DetectorError,
)
"""Networks that find points, which strategy ``spire`` trains."""


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
    return _built(DETECTORS, name, in_channels, options)


def build_network(name: str, *, in_channels: int = 1, **options: Any) -> "ImageNetwork":  # noqa: ANN401
    """Build a detector or a locator, as `build` does.

    Parameters
    ----------
    name : str
        One of `DETECTORS` or `LOCATORS`.
    in_channels, **options
        See `build`.
    """
    if name in LOCATORS:
        return _built(LOCATORS, name, in_channels, options)
    return build(name, in_channels=in_channels, **options)


def _built(registry: "Registry[type[T]]", name: str, in_channels: int, options: Mapping[str, Any]) -> T:
    make: Callable[..., T] = registry.load(name)
    known = set(inspect.signature(make).parameters) - {"in_channels"}
    if unknown := sorted(set(options) - known):
        raise DetectorError(
            f"{registry.kind} {name!r} has no option {unknown[0]!r}; {did_you_mean(unknown[0], known)}"
            + (f"choose among {', '.join(sorted(known))}" if known else "it takes none: leave it out")
        )
    return make(in_channels=in_channels, **options)
