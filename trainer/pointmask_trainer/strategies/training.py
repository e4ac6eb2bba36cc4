"""The part of a training that a strategy may use; `pointmask_trainer.training.loop.Loop` provides it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import torch
from torch import Tensor

from pointmask_trainer.config import Config
from pointmask_trainer.data.batch import Batch
from pointmask_trainer.data.labels import LabelStore, SplitName
from pointmask_trainer.data.split import Split
from pointmask_trainer.detectors.base import ImageNetwork, Maps
from pointmask_trainer.distributed import ProcessGroup
from pointmask_trainer.inference.windows import Box


class Training(Protocol):
    """A training as a strategy sees it.

    Attributes
    ----------
    config : Config
    splits : Mapping of split name to Split
        Images and points of ``train`` and ``val``, on the device.
    labels : LabelStore
        Labels of both splits; ``labels.update(...)`` replaces them.
    model : ImageNetwork
        The detector that is trained, with its present weights.
    evaluated_model : ImageNetwork
        The one that predicts: an average of its weights, if there is one.
    device : torch.device
    autocast : torch.dtype or None
        Precision of the detector's passes; None is that of the weights.
    group : ProcessGroup
        The processes that share each batch.
    optimiser : torch.optim.Optimizer
        Of the detector's weights; `Strategy.start` may add a group of parameters.
    epoch, step : int
        Finished epochs, and finished steps of the current one.
    steps_per_epoch : int
        Of the current epoch.
    """

    @property
    def config(self) -> Config: ...  # noqa: D102 - see the class
    @property
    def splits(self) -> Mapping[SplitName, Split]: ...  # noqa: D102
    @property
    def labels(self) -> LabelStore: ...  # noqa: D102
    @property
    def model(self) -> ImageNetwork: ...  # noqa: D102
    @property
    def evaluated_model(self) -> ImageNetwork: ...  # noqa: D102
    @property
    def device(self) -> torch.device: ...  # noqa: D102
    @property
    def autocast(self) -> torch.dtype | None: ...  # noqa: D102
    @property
    def group(self) -> ProcessGroup: ...  # noqa: D102
    @property
    def optimiser(self) -> torch.optim.Optimizer: ...  # noqa: D102
    @property
    def epoch(self) -> int: ...  # noqa: D102
    @property
    def step(self) -> int: ...  # noqa: D102
    @property
    def steps_per_epoch(self) -> int: ...  # noqa: D102

    def batch(self, split: SplitName, indices: Tensor, key: tuple[int, ...], *, plain: bool = False) -> Batch:
        """Cut this process's share of a batch of augmented crops.

        Parameters
        ----------
        split : {"train", "val"}
        indices : (B,) int64 Tensor
            Images of the whole batch.
        key : tuple of int
            The augmentation derives from it and the seed alone.
        plain : bool
            Without augmentation: each crop shows a target of its image as it is, where there is one.
        """
        ...

    def forward(self, images: Tensor) -> Maps:
        """Run the detector on (B, C, h, w) images, in the run's precision."""
        ...

    def losses(self, batch: Batch) -> tuple[Tensor, Maps]:
        """Run the detector on a batch; return the loss of each image, (B,), and the maps."""
        ...

    def losses_of(self, maps: Maps, batch: Batch) -> Tensor:
        """Return the loss of each image, (B,), given the detector's maps."""
        ...

    def predictions(
        self,
        split: SplitName,
        indices: list[int] | None = None,
        boxes: Mapping[int, Sequence[Box]] | None = None,
    ) -> Iterator[tuple[int, Tensor]]:
        """Yield index and (H, W) probabilities of whole images, not augmented.

        Parameters
        ----------
        split : {"train", "val"}
        indices : list of int, optional
            Images of the split; all by default.
        boxes : mapping of int to sequence of Box, optional
            For each index, the boxes in which probabilities are needed, and alone are right: tiles are
            laid round them.
        """
        ...
