"""The mean over a frame and its mirror images, from one network."""

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from pointmask_trainer.detectors.base import ImageNetwork
from pointmask_trainer.detectors.locators.base import Locator
from pointmask_trainer.errors import DetectorError

_ROWS, _COLS = -2, -1
_FLIPS = ((_COLS,), (_ROWS,), (_ROWS, _COLS))


def average_flips(model: ImageNetwork) -> Callable[[], None]:
    """
    Let a network answer with the mean over each image and its three mirror images, in eval mode.

    Four times the time. What it brings on held-back images of SIRST3 stands in ``benchmarks/LOG.md``.

    Parameters
    ----------
    model : ImageNetwork
        Changed in place; `pointmask_trainer.inference.tiles.predict` and all that uses it need not know.

    Returns
    -------
    callable
        Undoes it.

    Raises
    ------
    DetectorError
        If the network finds points in cells larger than a pixel: the cells of a mirror image lie elsewhere.
    """
    if isinstance(model, Locator) and model.cell > 1:
        raise DetectorError(
            f"{type(model).__name__} finds points in cells of {model.cell} px, which lie elsewhere in mirror "
            "images; leave out --flips"
        )
    return model.register_forward_hook(_averaged).remove


def _averaged(model: nn.Module, given: tuple[Tensor, ...], maps: dict[str, Any]) -> dict[str, Any]:
    if model.training:
        return maps
    found = [maps, *(_flipped(model.forward(given[0].flip(axes)), axes) for axes in _FLIPS)]
    told = [name for name in maps if name != "aux"]  # it is empty in eval mode
    return {**maps, **{name: sum(own[name] for own in found) / len(found) for name in told}}


def _flipped(maps: dict[str, Any], axes: tuple[int, ...]) -> dict[str, Any]:
    """Return the maps of a mirror image where they lie in the image itself."""
    back = {**maps, "logits": maps["logits"].flip(axes)}
    if "offset" in maps:
        back["offset"] = maps["offset"].flip(axes)
        for axis in axes:
            back["offset"][:, axis + 2] *= -1  # it points the other way
    return back
