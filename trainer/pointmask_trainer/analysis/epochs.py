"""Values of every training image by epoch, as ``strategy.jsonl`` of a run holds them, and their means."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointmask_trainer.errors import DataError

Floats = NDArray[np.float64]


def image_table(lines: Sequence[Mapping[str, Any]], key: str, count: int) -> Floats:
    """Return the values under a key, (E, N) for E lines and N images.

    Parameters
    ----------
    lines : sequence of dict
        Of ``strategy.jsonl``; under `key`, if it is there, a list with None where an image was not seen.
    key : str
    count : int
        Images of the train list.

    Returns
    -------
    (E, N) float64
        NaN where there is no value.

    Raises
    ------
    DataError
        If a line has values for another number of images.
    """
    table = np.full((len(lines), count), np.nan)
    for row, line in zip(table, lines, strict=True):
        values = line.get(key)
        if values is not None:
            check_length(values, count, f"{key} of epoch {line['epoch']}")
            row[:] = [np.nan if value is None else value for value in values]
    return table


def check_length(values: Sequence[object], count: int, what: str) -> None:
    """Raise DataError unless there is a value for each image."""
    if len(values) != count:
        raise DataError(
            f"{what} in strategy.jsonl has {len(values)} values for the {count} images of train.txt; they "
            "are not of one run: train again into an empty folder"
        )


def last_epochs(table: Floats, last: int) -> NDArray[np.bool_]:
    """Mark the last rows of an (E, N) table that hold a value, `last` of them at most, (E,)."""
    chosen = np.zeros(len(table), np.bool_)
    chosen[np.flatnonzero(np.isfinite(table).any(axis=1))[-last:]] = True
    return chosen


def mean_over_epochs(values: Floats) -> Floats:
    """Mean over the first axis without NaNs; NaN where there is nothing else."""
    known = np.isfinite(values)
    counts = known.sum(axis=0)
    sums = np.where(known, values, 0.0).sum(axis=0)
    means: Floats = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
    return means
