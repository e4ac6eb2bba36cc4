"""The saved versions of a run's labels, and their differences from the first."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from pointmask.components import components
from pointmask_trainer.data.saved_labels import open_labels
from pointmask_trainer.run.layout import RunFolder

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """How the training labels of one version differ from the first.

    Attributes
    ----------
    version : int
    iou : (N,) array
        Of each image's label with its first; NaN where both are empty.
    area : float
        Pixels of all labels over those of the first; NaN if those are none.
    """

    version: int
    iou: NDArray[np.float64]
    area: float


@dataclass(frozen=True, slots=True)
class Moved:
    """One target whose label changed.

    Attributes
    ----------
    index : int
        Of its image in the train list.
    box : (top, left, bottom, right)
        Half-open, of both labels together.
    first_area, last_area : int
        Pixels; 0 where the target had no label, or has none any more.
    iou : float
        Of its first and last label.
    """

    index: int
    box: tuple[int, int, int, int]
    first_area: int
    last_area: int
    iou: float


class LabelFiles:
    """Labels of the train list, one file per version; images are read one at a time.

    Parameters
    ----------
    run : Path
        Run folder; labels may be missing in it.
    count : int
        Images of the train list.

    Attributes
    ----------
    versions : list of int
        Those that are there, ascending.
    """

    def __init__(self, run: Path, count: int) -> None:
        self._run, self._count = RunFolder(run), count
        self.versions = self._run.label_versions()
        self._kept: dict[int, list[tuple[NDArray[np.uint8], tuple[int, ...]]]] = {}

    def masks(self, version: int) -> Iterator[Mask]:
        """Masks of one version, in the order of the train list; soft labels are cut at one half.

        The first and the last version are read repeatedly, and are cached with a bit per pixel.

        Raises
        ------
        DataError
            If the file is damaged, or of another list.
        """
        if version in (*self.versions[:1], *self.versions[-1:]):
            if version not in self._kept:
                self._kept[version] = [(np.packbits(mask), mask.shape) for mask in self._read(version)]
            for packed, shape in self._kept[version]:
                yield np.unpackbits(packed, count=int(np.prod(shape))).reshape(shape).view(np.bool_)
        else:
            yield from self._read(version)

    def change(self, version: int) -> Change:
        """Compare a version with the first."""
        ious, areas = [], np.zeros(2, np.int64)
        for first, now in zip(self.masks(self.versions[0]), self.masks(version), strict=True):
            either = np.count_nonzero(first | now)
            ious.append(np.count_nonzero(first & now) / either if either else np.nan)
            areas += (np.count_nonzero(first), np.count_nonzero(now))
        return Change(version, np.array(ious), float(areas[1] / areas[0]) if areas[0] else np.nan)

    def moved(self, most: int) -> list[Moved]:
        """Targets whose label changed most from the first version to the last: lowest IoU, then largest."""
        found = []
        pairs = zip(self.masks(self.versions[0]), self.masks(self.versions[-1]), strict=True)
        for index, (first, last) in enumerate(pairs):
            if (first != last).any():
                found += _moved(index, first, last)
        return sorted(found, key=lambda one: (one.iou, -max(one.first_area, one.last_area)))[:most]

    def _read(self, version: int) -> Iterator[Mask]:
        with open_labels(self._run.labels_of(version)) as saved:
            for index in range(self._count):
                stored = saved.stored("train", index)
                yield stored > np.iinfo(stored.dtype).max / 2


def _moved(index: int, first: Mask, last: Mask) -> list[Moved]:
    """Find the changed targets of one image; labels that touch at either time are one target."""
    labels, _ = components(first | last)
    found = []
    for number, box in enumerate(ndi.find_objects(labels), start=1):
        here = labels[box] == number
        before, after = first[box] & here, last[box] & here
        if (before != after).any():
            iou = np.count_nonzero(before & after) / np.count_nonzero(here)
            rows, cols = box
            corners = (rows.start, cols.start, rows.stop, cols.stop)
            found.append(Moved(index, corners, int(before.sum()), int(after.sum()), float(iou)))
    return found
