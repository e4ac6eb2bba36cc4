"""The labels of a run on disk, one compressed NumPy archive per version, read without unpickling."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from pointmask.io.files import whole_file
from pointmask.io.layout import RUN_TAG
from pointmask.regular import open_regular
from pointmask_trainer.errors import LabelsError

EncodedLabel = NDArray[Any]
"""Encoded label of an image, (H, W) uint8 or uint16; the largest value of the dtype represents 1."""

_VERSION = "version"


class SavedLabels:
    """Labels in an open file.

    Parameters
    ----------
    arrays : mapping of name to array
        Loaded lazily.
    """

    def __init__(self, arrays: Mapping[str, EncodedLabel]) -> None:
        self._arrays = arrays

    @property
    def version(self) -> int:
        """Version of the labels; see `pointmask_trainer.data.labels.LabelStore`."""
        return int(self._arrays[_VERSION])

    def stored(self, split: str, index: int) -> EncodedLabel:
        """Read one encoded label."""
        return self._arrays[_key(split, index)]


def write_labels(path: Path, version: int, labels: Mapping[str, Sequence[EncodedLabel]]) -> None:
    """Write the labels of all splits to one file, atomically.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    arrays: dict[str, Any] = {_VERSION: np.array(version)}
    for split, of_split in labels.items():
        arrays |= {_key(split, index): label for index, label in enumerate(of_split)}
    with whole_file(path, RUN_TAG) as file:
        np.savez_compressed(file, **arrays)


@contextmanager
def open_labels(path: Path) -> Iterator[SavedLabels]:
    """Open a file written by `write_labels`.

    Raises
    ------
    LabelsError
        If the file is missing or damaged, or lacks a label requested inside the ``with`` block.
    """
    try:
        # numpy does not close a file that it opened itself if it is not an archive.
        with open_regular(path) as file, np.load(file, allow_pickle=False) as arrays:
            yield SavedLabels(arrays)
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise LabelsError(
            f"{path} holds no labels of this run ({error}); train it anew with another --out"
        ) from None


def _key(split: str, index: int) -> str:
    return f"{split}-{index}"
