"""New labels of a split as what differs from the present ones: most pixels of most labels never change."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pointmask_trainer.data.labels import Label, LabelStore, SplitName

_STEPS = 65535  # of a stored soft label


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """Pixels of one label that get another value.

    Attributes
    ----------
    places : (n,) int64 array
        Indices into the flat label.
    values : (n,) float32 array
    """

    places: NDArray[np.int64]
    values: NDArray[np.float32]

    @classmethod
    def between(cls, old: NDArray[np.floating], new: NDArray[np.floating]) -> "Change":
        """Return what turns one (H, W) label into another, as exactly as labels are stored."""
        steps = [np.rint(np.asarray(label, np.float64) * _STEPS).ravel() for label in (old, new)]
        places = np.flatnonzero(steps[0] != steps[1])
        return cls(places, (steps[1][places] / _STEPS).astype(np.float32))


class ChangedLabels(Mapping[int, Label]):
    """Labels after their changes, each built when it is asked for; for `LabelStore.update`.

    Parameters
    ----------
    store : LabelStore
        With the labels before.
    split : {"train", "val"}
    changes : mapping of index to Change
        Of the images whose label changes.
    """

    def __init__(self, store: LabelStore, split: SplitName, changes: Mapping[int, Change]) -> None:
        self._store, self._split, self._changes = store, split, changes

    def __getitem__(self, index: int) -> Label:
        label = self._store.label(self._split, index)
        change = self._changes[index]
        label.ravel()[change.places] = change.values
        return label

    def __iter__(self) -> Iterator[int]:
        return iter(self._changes)

    def __len__(self) -> int:
        return len(self._changes)
