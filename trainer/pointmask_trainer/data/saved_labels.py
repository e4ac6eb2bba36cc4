"""The labels of a run on disk, a file per version: arrays of both lists, compressed, nothing unpickled."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from pointmask.io.files import whole_file
from pointmask.io.layout import RUN_TAG
from pointmask_trainer.errors import LabelsError

Stored = NDArray[Any]
"""Label of an image as it is stored, (H, W) uint8 or uint16; the largest number of the type is 1."""

_VERSION = "version"


class SavedLabels:
    """Labels in an open file.

    Parameters
    ----------
    arrays : mapping of name to array
        Read as they are asked for.
    """

    def __init__(self, arrays: Mapping[str, Stored]) -> None:
        self._arrays = arrays

    @property
    def version(self) -> int:
        """Of the labels."""
        return int(self._arrays[_VERSION])

    def stored(self, split: str, index: int) -> Stored:
        """Read one label."""
        return self._arrays[_key(split, index)]


def write_labels(path: Path, version: int, labels: Mapping[str, Sequence[Stored]]) -> None:
    """Write the labels of both lists to one file, as a whole.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    arrays: dict[str, Any] = {_VERSION: np.array(version)}
    for split, listed in labels.items():
        arrays |= {_key(split, index): label for index, label in enumerate(listed)}
    with whole_file(path, RUN_TAG) as file:
        np.savez_compressed(file, **arrays)


@contextmanager
def open_labels(path: Path) -> Iterator[SavedLabels]:
    """Open what `write_labels` wrote.

    Raises
    ------
    LabelsError
        If the file is missing or damaged, or does not hold a label that is asked for within the block.
    """
    try:
        # numpy leaves a file that it opened itself open when it is no archive.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            yield SavedLabels(arrays)
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise LabelsError(
            f"{path} holds no labels of this run ({error}); train it anew with another --out"
        ) from None


def _key(split: str, index: int) -> str:
    return f"{split}-{index}"
