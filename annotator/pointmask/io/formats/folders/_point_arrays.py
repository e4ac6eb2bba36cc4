"""What tells arrays of points from images that are stored as arrays."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from pointmask.io.listing import files_below
from pointmask.regular import open_regular

_SUFFIX = ".npy"
_SNIFFED = 16


def holds_point_arrays(path: Path) -> bool:
    """Say whether the first arrays at a path are all of shape (n, 2); never raises."""
    try:
        shapes = [array_shape(file) for file in islice(array_files(path), _SNIFFED)]
    except OSError:
        return False
    full = [shape for shape in shapes if shape not in ((0,), (0, 2))]
    return bool(full) and all(shape is not None and len(shape) == 2 and shape[1] == 2 for shape in full)


def array_files(path: Path) -> Iterator[Path]:
    """Yield the arrays at a path; an OSError says why not."""
    if path.is_dir():
        return files_below(path, lambda name: name.lower().endswith(_SUFFIX))
    return iter([path] if path.is_file() and path.suffix.lower() == _SUFFIX else [])


def array_shape(file: Path) -> tuple[int, ...] | None:
    """Return the shape of an array of numbers from its header; None for what is none."""
    try:
        with open_regular(file) as data:
            version = np.lib.format.read_magic(data)
            read = (
                np.lib.format.read_array_header_1_0
                if version == (1, 0)
                else np.lib.format.read_array_header_2_0
            )
            shape, _, kind = read(data)
    except (
        Exception
    ):  # NumPy reads the header with Python's tokenizer and parser, and lets pass what they raise
        return None
    return tuple(shape) if kind.kind in "iuf" else None
