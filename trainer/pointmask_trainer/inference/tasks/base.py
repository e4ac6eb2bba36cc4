"""The contract of tasks."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pointmask_trainer.data.normalisation import Normalisation
from pointmask_trainer.data.pool import Pool
from pointmask_trainer.detectors.base import ImageNetwork
from pointmask_trainer.inference.operator_masks import OperatorMasks
from pointmask_trainer.inference.predictions import DetectedTarget
from pointmask_trainer.inference.tiles import same_shapes

HALF = 0.5
"""Probability above which a target counts."""


class Reading(NamedTuple):
    """What a network says of one frame.

    Attributes
    ----------
    probabilities : (H, W) float32 array in [0, 1]
        The network's own map.
    peaks : (K, 3) float64 array
        Row, column and probability of each point, the most probable first; empty for masks.
    """

    probabilities: NDArray[np.float32]
    peaks: NDArray[np.float64]


class Drawn(NamedTuple):
    """The targets of one frame with their masks.

    Attributes
    ----------
    probabilities : (H, W) float32 array in [0, 1]
        For each pixel, how probable a target is whose mask holds it.
    targets : tuple of DetectedTarget
        Where targets are points; empty where they are the components of the map.
    """

    probabilities: NDArray[np.float32]
    targets: tuple[DetectedTarget, ...] = ()


class Task(ABC):
    """What the output of a kind of networks is.

    Parameters
    ----------
    operator : OperatorMasks or None
        Draws the masks; None if the network does.

    Attributes
    ----------
    finds : {"masks", "points"}
    """

    finds: ClassVar[str]

    def __init__(self, operator: OperatorMasks | None) -> None:
        self.operator = operator

    @abstractmethod
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
        """Run the network on frames; parameters are those of `pointmask_trainer.inference.tiles.predict`."""

    @abstractmethod
    def draw(self, image: NDArray[np.generic], reading: Reading) -> Drawn:
        """Draw the masks of a frame's targets, given its (H, W) stored values."""

    @abstractmethod
    def targets(self, drawn: Drawn, threshold: float = HALF) -> list[DetectedTarget]:
        """Return the targets more probable than a threshold."""

    @abstractmethod
    def rank(self, metrics: Mapping[str, Any]) -> float | None:
        """Return the figure of a validated epoch by which the best is chosen; None if it is undefined."""

    def read_pool(
        self,
        model: ImageNetwork,
        images: Pool,
        normalisation: Normalisation,
        indices: Iterable[int] | None = None,
        autocast: torch.dtype | None = None,
    ) -> Iterator[tuple[int, Reading]]:
        """Read many images; see `pointmask_trainer.inference.tiles.predict_pool`."""
        for part in same_shapes(images, indices):
            batch = torch.stack([images.image(index) for index in part])[:, None]
            readings = self.read(model, batch, normalisation, autocast=autocast)
            yield from zip(part, readings, strict=True)
