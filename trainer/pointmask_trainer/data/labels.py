"""Training labels: one per image, soft or hard, versioned, saved atomically."""

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pointmask_trainer.data.pool import AffineViews, Pool
from pointmask_trainer.data.saved_labels import open_labels, write_labels

SplitName = Literal["train", "val"]
Label = NDArray[np.float32] | NDArray[np.bool_]

_ONE = {np.dtype(np.uint8): 255, np.dtype(np.uint16): 65535}


class LabelStore:
    """Labels of the train and val images, on the same device as the images.

    Hard labels (bool arrays) take one byte per pixel. Soft labels (float in [0, 1]) are quantised to 16 bits:
    at 8 bits, labels that evolve in small steps would stall.

    Parameters
    ----------
    labels : Mapping of split name to sequence of (H, W) arrays
        In the order of the split's ids.
    device : torch.device or str

    Attributes
    ----------
    version : int
        0 initially, incremented by every `update`.
    """

    def __init__(
        self, labels: Mapping[SplitName, Sequence[Label]], device: torch.device | str = "cpu"
    ) -> None:
        is_soft = any(label.dtype != np.bool_ for of_split in labels.values() for label in of_split)
        self._dtype = np.dtype(np.uint16 if is_soft else np.uint8)
        self._pools = {
            name: Pool([self._encode(label) for label in of_split], device)
            for name, of_split in labels.items()
        }
        self.version = 0

    @property
    def is_soft(self) -> bool:
        """Whether labels may lie between 0 and 1."""
        return self._dtype == np.uint16

    def crops(self, split: SplitName, indices: Tensor, views: AffineViews) -> Tensor:
        """Extract label crops as `Pool.crops` does for images, (B, 1, h, w); hard labels remain 0 or 1.

        Beyond a border they are reflected as images are: a target's reflection without a label would teach
        that targets are none.
        """
        values = self._pools[split].crops(indices, views) / _ONE[self._dtype]
        return values if self.is_soft or views.whole else (values >= 0.5).float()

    def label(self, split: SplitName, index: int) -> NDArray[np.float32]:
        """Return the label of a whole image, (H, W) in [0, 1]."""
        return self._pools[split].stored(index).astype(np.float32) / np.float32(_ONE[self._dtype])

    def update(self, labels: Mapping[SplitName, Mapping[int, Label]]) -> None:
        """Replace labels, given by split and index, and increment the version.

        Raises
        ------
        ValueError
            If a label differs in shape from the one it replaces, or is soft in a store of hard labels.
        """
        for split, by_index in labels.items():
            for index, label in by_index.items():
                self._pools[split].replace(index, self._encode(label))
        self.version += 1

    def save(self, path: Path) -> None:
        """Write all labels to one file, atomically; see `pointmask_trainer.data.saved_labels`."""
        stored: dict[str, list[Any]] = {
            name: [pool.stored(k) for k in range(len(pool))] for name, pool in self._pools.items()
        }
        write_labels(path, self.version, stored)

    def load(self, path: Path) -> None:
        """Read labels written by `save` for the same images.

        Raises
        ------
        LabelsError
            If the file is missing or damaged, or belongs to other images.
        """
        with open_labels(path) as saved:
            read = {
                name: [saved.stored(name, k) for k in range(len(pool))] for name, pool in self._pools.items()
            }
            for name, labels in read.items():
                for index, label in enumerate(labels):
                    self._pools[name].replace(index, label)
            self.version = saved.version

    def digest(self) -> str:
        """Return a hexadecimal hash of all labels."""
        total = blake2b(digest_size=16)
        for name, pool in sorted(self._pools.items()):
            for index in range(len(pool)):
                label = pool.stored(index)
                total.update(repr((name, label.shape, str(label.dtype))).encode())
                total.update(label.tobytes())
        return total.hexdigest()

    def _encode(self, label: Label) -> NDArray[np.generic]:
        if label.dtype == np.bool_:
            return np.where(label, self._dtype.type(_ONE[self._dtype]), self._dtype.type(0))
        if not self.is_soft:
            raise ValueError("these labels are hard: give bool arrays, or start with soft ones")
        return np.rint(np.clip(label, 0, 1) * 65535).astype(np.uint16)
