"""How the targets of fixed training crops drift while the features that make them are trained."""

from collections.abc import Mapping
from typing import Any, Protocol

import torch
from torch import Tensor

from pointmask_trainer.data.batch import Batch
from pointmask_trainer.data.pool import Pool
from pointmask_trainer.data.split import Mask
from pointmask_trainer.strategies.affinity.targets import Targets
from pointmask_trainer.strategies.training import Training

_CROPS = 64
_KEY = (7,)  # what a derived seed is for
_SHRUNK, _FULL = 0.5, 0.9  # of the largest mean area so far, and of all supports: signs of a collapse


class MakesTargets(Protocol):
    """Makes targets of a batch, with features or from grey values alone."""

    def __call__(self, training: Training, batch: Batch, *, by_features: bool) -> Targets: ...  # noqa: D102


class Probe:
    """Measures targets of some crops again and again.

    Parameters
    ----------
    training : Training
    truths : list of (H, W) bool arrays or None
        True masks of the train list.
    """

    def __init__(self, training: Training, truths: list[Mask] | None) -> None:
        points = training.splits["train"].points
        able = [index for index, own in enumerate(points) if len(own)]
        self._indices = able[:: max(1, -(-len(able) // _CROPS))]
        self._device = training.device
        self._truths = None
        if truths is not None:
            masks = [truths[index].view("uint8") for index in self._indices]
            self._truths = Pool(masks, training.device)
        self._last: Tensor | None = None
        self._largest = 0.0

    def measure(self, training: Training, make: MakesTargets) -> dict[str, float | None]:
        """Measure the targets as they would be made now.

        Returns
        -------
        dict
            ``area`` and ``ignored``, mean px per point; ``filled``, the share of the supports that is target;
            ``like_last``, IoU with the targets of the last measurement; ``like_gate``, IoU with those that
            grey values alone would give; and ``train``, IoU with true masks, where they are known. None
            where there is nothing to compare.
        """
        size = training.config.batch
        parts: dict[str, list[Tensor]] = {"now": [], "gate": [], "truth": [], "sums": []}
        for start in range(0, len(self._indices), size):
            chosen = torch.tensor(self._indices[start : start + size])
            batch = training.batch("train", chosen, (*_KEY, start), plain=True)
            targets = make(training, batch, by_features=True)
            by_grey = make(training, batch, by_features=False)
            parts["now"].append(targets.positive)
            parts["gate"].append(by_grey.positive)
            if self._truths is not None:
                own = torch.arange(start, start + len(chosen))[training.group.part(len(chosen))]
                parts["truth"].append(self._truths.crops(own, batch.views) > 0)
            sums = [
                targets.ignored.sum(),
                targets.supports.sum(),
                torch.tensor(len(targets.around.points), device=training.device),
            ]
            parts["sums"].append(torch.stack(sums).double()[None])
        whole = {
            name: torch.cat([training.group.concatenated(part) for part in found])
            for name, found in parts.items()
            if found
        }
        ignored, supports, points = whole["sums"].sum(0).tolist()
        now = whole["now"]
        figures: dict[str, float | None] = {
            "area": float(now.sum()) / max(points, 1),
            "ignored": ignored / max(points, 1),
            "filled": float(now.sum()) / max(supports, 1),
            "like_last": None if self._last is None else _iou(now, self._last.bool()),
            "like_gate": _iou(now, whole["gate"]),
        }
        if "truth" in whole:
            figures["train"] = _iou(now, whole["truth"])
        self._last = now.to(torch.uint8)
        return {name: None if value is None else round(value, 5) for name, value in figures.items()}

    def warning(self, figures: Mapping[str, float | None]) -> str:
        """Return what a measurement says of a collapse; "" if nothing."""
        area, filled = figures["area"] or 0.0, figures["filled"] or 0.0
        self._largest = max(self._largest, area)
        if area < _SHRUNK * self._largest:
            return (
                f"targets have shrunk to {area:.1f} px per point, from {self._largest:.1f}: lower "
                "strategy.options.contrast, or set strategy.options.teacher to ema"
            )
        if filled > _FULL:
            return (
                f"targets fill {100 * filled:.0f} % of their supports: raise strategy.options.margin or "
                "strategy.options.contrast_in"
            )
        return ""

    def state_dict(self) -> dict[str, Any]:
        """Return the targets of the last measurement, and the largest area so far."""
        return {"last": self._last, "largest": self._largest}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore `state_dict`."""
        last: Tensor | None = state["last"]
        self._last = None if last is None else last.to(self._device)
        self._largest = state["largest"]


def _iou(one: Tensor, other: Tensor) -> float | None:
    either = int((one | other).sum())
    return int((one & other).sum()) / either if either else None
