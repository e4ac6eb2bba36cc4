"""Detectors: the output is a probability for each pixel, and targets are what lies above a threshold."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pointmask_trainer.data.normalisation import Normalisation
from pointmask_trainer.detectors.base import ImageNetwork
from pointmask_trainer.inference.predictions import DetectedTarget, find_targets
from pointmask_trainer.inference.tasks.base import HALF, Drawn, Reading, Task
from pointmask_trainer.inference.tiles import predict

_NO_PEAKS = np.empty((0, 3))


class MaskTask(Task):
    """Masks by the network, or by the operator where the network detects."""

    finds: ClassVar[str] = "masks"

    def read(
        self,
        model: ImageNetwork,
        images: Tensor,
        normalisation: Normalisation,
        *,
        tile: int | None = None,
        overlap: int | None = None,
        autocast: torch.dtype | None = None,
    ) -> list[Reading]:
        """Compute the probabilities of frames."""
        maps = predict(model, images, normalisation, tile=tile, overlap=overlap, autocast=autocast)
        return [Reading(probabilities, _NO_PEAKS) for probabilities in maps.cpu().numpy()]

    def draw(self, image: NDArray[np.generic], reading: Reading) -> Drawn:
        """Return the network's map, or the operator's of what it detects."""
        if self.operator is None:
            return Drawn(reading.probabilities)
        return Drawn(self.operator(image, reading.probabilities))

    def targets(self, drawn: Drawn, threshold: float = HALF) -> list[DetectedTarget]:
        """Return the components of the mask."""
        return find_targets(drawn.probabilities, drawn.probabilities > threshold)

    def rank(self, metrics: Mapping[str, Any]) -> float | None:
        """Return IoU with the validation labels, where the operator draws the mean of its and the network's.

        The operator's masks are the same for every epoch that finds the same targets: of some dozen images
        they tell epochs apart by one or two targets, and often choose an early one.
        """
        drawers = ("val_labels", "val_network_labels")
        ious = [metrics[name]["iou"] for name in drawers if name in metrics]
        return None if None in ious else sum(ious) / len(ious)
