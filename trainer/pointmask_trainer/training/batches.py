"""The batches of a training: which images in which order, and crops of them with their labels.

Order and crops derive from (seed, epoch, step) alone, so that a resumed run sees the same batches.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pointmask.components import blobs
from pointmask_trainer.config import AugmentConfig, Config
from pointmask_trainer.data.augment import draw_augmentation, photometric_change
from pointmask_trainer.data.batch import Batch
from pointmask_trainer.data.labels import LabelStore, SplitName
from pointmask_trainer.data.normalisation import Normalisation
from pointmask_trainer.data.split import Split
from pointmask_trainer.detectors.base import ImageNetwork
from pointmask_trainer.distributed import ProcessGroup

_SHUFFLE, _CROPS = 1, 2  # what a derived seed is for


class Batches:
    """Cuts batches from the splits.

    Parameters
    ----------
    config : Config
    splits : Mapping of split name to Split
    labels : LabelStore
        Crops show its labels at the time of the call.
    normalisation : Normalisation
    model : ImageNetwork
        Says how many channels images need, and on which device.
    group : ProcessGroup
        Each process cuts its share of a batch.
    """

    def __init__(
        self,
        config: Config,
        splits: Mapping[SplitName, Split],
        labels: LabelStore,
        normalisation: Normalisation,
        model: ImageNetwork,
        group: ProcessGroup,
    ) -> None:
        self._config, self._splits, self._labels, self._group = config, splits, labels, group
        self._channels, self._device = model.in_channels, next(model.parameters()).device
        self._anchors = {name: _anchors(split, labels, name) for name, split in splits.items()}
        self._units = {name: normalisation.units_of(split.images) for name, split in splits.items()}

    def per_epoch(self, images: int) -> int:
        """Batches of an epoch: the last, incomplete one is left out if there is a whole one."""
        return max(1, images // self._config.batch)

    def of_epoch(self, epoch: int, active: Sequence[int]) -> Iterator[Batch]:
        """Yield the training batches of an epoch, drawn from the images whose indices are `active`."""
        rng = np.random.default_rng([self._config.seed, _SHUFFLE, epoch])
        order = torch.as_tensor(active)[torch.from_numpy(rng.permutation(len(active)))]
        for step in range(self.per_epoch(len(active))):
            indices = order[step * self._config.batch : (step + 1) * self._config.batch]
            yield self.batch("train", indices, (epoch, step))

    def batch(self, split: SplitName, indices: Tensor, key: tuple[int, ...], *, plain: bool = False) -> Batch:
        """Cut this process's share of a batch; see `pointmask_trainer.strategies.training.Training.batch`."""
        source = self._splits[split]
        chosen = indices.tolist()
        augmentation = draw_augmentation(
            AugmentConfig(crop=self._config.augment.crop, positive=1.0, flip=False, transpose=False)
            if plain
            else self._config.augment,
            [source.images.shapes[k] for k in chosen],
            [self._anchors[split][k] for k in chosen],
            (self._config.seed, _CROPS, *key, int(split == "val")),
        )
        part = self._group.part(len(chosen))
        augmentation, mine = augmentation[part], indices[part].to(self._device)
        images = source.images.crops(mine, augmentation.views)
        mean, std = (values[mine] for values in self._units[split])
        images = photometric_change((images - mean) / std, augmentation)
        labels = self._labels.crops(split, mine, augmentation.views)
        images = images.expand(-1, self._channels, -1, -1)
        return Batch(split, mine, images, labels, augmentation.views, len(chosen))


def _anchors(split: Split, labels: LabelStore, name: SplitName) -> list[NDArray[np.float64]]:
    """Positions round which crops with a target are placed: the points, else the labels' centroids."""
    if any(len(points) for points in split.points):
        return [points.astype(np.float64) for points in split.points]
    return [blobs(labels.label(name, index) > 0.5)[0] for index in range(len(split))]
