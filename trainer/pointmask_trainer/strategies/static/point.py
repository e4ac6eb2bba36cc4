"""Naive point supervision: a pixel, a disc or a Gaussian at each point and background everywhere else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from pointmask.settings import Between, check
from pointmask_trainer.data.labels import Label, SplitName
from pointmask_trainer.data.split import Split
from pointmask_trainer.errors import ConfigError, DataError
from pointmask_trainer.strategies.base import Folder, Strategy


@dataclass(frozen=True, kw_only=True, slots=True)
class PointOptions:
    """Shape of the label of a point.

    Attributes
    ----------
    radius : float
        Radius of a disc of ones, in px; 0 labels the point's pixel alone.
    sigma : float
        If above 0, standard deviation in px of a Gaussian of height 1 instead of a disc.
    """

    radius: Annotated[float, Between(0, 1000)] = 0.0
    sigma: Annotated[float, Between(0, 1000)] = 0.0

    def __post_init__(self) -> None:
        check(self, ConfigError, "strategy.options")
        if self.radius and self.sigma:
            raise ConfigError("strategy.options: radius and sigma exclude each other; set one of them to 0")


class PointLabels(Strategy):
    """Train on the points as they are."""

    Options = PointOptions
    needs_points = True
    reads_masks = False

    def prepare(self, folder: Folder) -> Mapping[SplitName, Sequence[Label]]:
        """Draw the points of both splits."""
        if not folder.has_points:
            raise DataError("strategy point needs points; name them with --points FILE")
        return {name: self._labels(split) for name, split in folder.splits.items()}

    def _labels(self, split: Split) -> list[Label]:
        if not any(len(points) for points in split.points):
            raise DataError(
                f"no image of the {split.name} list has a point; check --points, or give another "
                f"list with --{split.name}-list FILE"
            )
        return [
            point_label(shape, points, self.options.radius, self.options.sigma)
            for shape, points in zip(split.images.shapes, split.points, strict=True)
        ]


def point_label(shape: tuple[int, int], points: NDArray[np.int64], radius: float, sigma: float) -> Label:
    """Draw (K, 2) points into an image of a shape: bool discs, or float32 Gaussians where sigma is given."""
    nearest = np.full(shape, np.inf)
    rows, cols = np.ogrid[: shape[0], : shape[1]]
    for row, col in points:
        np.minimum(nearest, (rows - row) ** 2 + (cols - col) ** 2, out=nearest)
    if sigma:
        return np.asarray(np.exp(-nearest / (2 * sigma**2)), np.float32)
    return np.asarray(nearest <= radius**2)
