"""Loading of a training folder: images, points, true masks and lists, validated before training starts."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from pointmask.defects import KEEP, DeadPixels
from pointmask.errors import ImageError, PointsError
from pointmask.executors import threads
from pointmask.io.images.array import open_image, read_mask
from pointmask.io.images.folder import list_images
from pointmask.io.images.kinds import may_hold_frames
from pointmask.io.notes import gathering, note
from pointmask.io.points.fit import differs, fitted
from pointmask.io.points.match import match
from pointmask.io.points.names import without_suffix
from pointmask_trainer.data.cleaning.frames import (
    NO_MARGINS,
    Margins,
    corner_of,
    filled,
    find_margins,
    tell_margins,
    without_bad_pixels,
    without_margins,
)
from pointmask_trainer.data.folder import FIRST_ALONE, some
from pointmask_trainer.data.layout import lies_among_masks, mask_folder
from pointmask_trainer.data.points import Paired
from pointmask_trainer.data.pool import Pool
from pointmask_trainer.errors import DataError

Mask = NDArray[np.bool_]
T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """The images of one list.

    Attributes
    ----------
    name : str
        ``train``, ``val`` or ``test``.
    ids : tuple of str
        Image names relative to the image folder, without suffix.
    files : tuple of Path
    images : Pool
        As stored but for constant margins, on the device.
    points : tuple of (K, 2) int arrays
        Row and column of each image's points; empty if no points are known.
    margins : tuple of Margins
        What was left out of each image; empty if nothing was of any.
    """

    name: str
    ids: tuple[str, ...]
    files: tuple[Path, ...]
    images: Pool
    points: tuple[NDArray[np.int64], ...]
    margins: tuple[Margins, ...] = ()

    def __len__(self) -> int:
        return len(self.ids)

    def margins_of(self, index: int) -> Margins:
        """Return the margins that were left out of an image."""
        return self.margins[index] if self.margins else NO_MARGINS

    def file_shape(self, index: int) -> tuple[int, int]:
        """Return rows and columns of an image in its file."""
        height, width = self.images.shapes[index]
        rows, cols = self.margins_of(index)
        return height + sum(rows), width + sum(cols)


def load_split(
    name: str,
    ids: Sequence[str],
    images: Mapping[str, Path],
    paired: Paired | None,
    device: torch.device | str = "cpu",
    say: Callable[[str], None] = lambda text: None,
    *,
    dead_pixels: DeadPixels = "replace",
) -> Split:
    """Read the images of a list into memory.

    Parameters
    ----------
    name : str
        ``train``, ``val`` or ``test``.
    ids : sequence of str
        Ids in the order of the list.
    images : Mapping
        Result of `pointmask_trainer.data.folder.find_images`.
    paired : Paired or None
        Points of all images; None if none are known.
    device : torch.device or str
        Device on which the images are stored.
    say : callable
        Is told if points are scaled, since their document says another size of the images.
    dead_pixels : {"replace", "keep"}
        See `pointmask_trainer.config.ModelConfig`.

    Raises
    ------
    DataError
        If images cannot be read, or points lie outside their image.
    """
    files = tuple(images[key] for key in ids)
    with gathering() as notes:
        read = _read_all(files, _first_frame)
    for line in notes.lines():
        say(line)
    points = _points_of(ids, [array.shape for array in read], paired, say)
    margins: tuple[Margins, ...] = ()
    if dead_pixels == "replace":
        margins = tuple(find_margins(array, own.tolist()) for array, own in zip(read, points, strict=True))
        read = [without_margins(array, around) for array, around in zip(read, margins, strict=True)]
        points = tuple(own - corner_of(around) for own, around in zip(points, margins, strict=True))
        tell_margins(ids, margins, say)
    arrays = [filled(array, file, say) for array, file in zip(read, files, strict=True)]
    if dead_pixels == "replace":
        arrays = without_bad_pixels(ids, arrays, points, say)
    dtype = _common_dtype(arrays)
    pool = Pool([array.astype(dtype, copy=False) for array in arrays], device)
    return Split(name, tuple(ids), files, pool, points, margins)


def _first_frame(file: Path) -> NDArray[np.generic]:
    with open_image(file) as image:
        if may_hold_frames(file.name) and image.frames > 1:
            note(FIRST_ALONE, f"{file.name}, which holds {image.frames:,}")
        return image.decode(0)


def digest_of(splits: Iterable[Split]) -> str:
    """Return a hexadecimal hash of all ids and pixels, by which a run knows its images again."""
    total = blake2b(digest_size=16)
    for split in splits:
        for index, key in enumerate(split.ids):
            pixels = split.images.stored(index)
            total.update(repr((split.name, key, pixels.shape, str(pixels.dtype))).encode())
            total.update(pixels.tobytes())
    return total.hexdigest()


def load_masks(split: Split, folder: Path, say: Callable[[str], None] = lambda text: None) -> list[Mask]:
    """Read the masks of a split's images from a folder, or from its subfolder ``masks``.

    Parameters
    ----------
    split : Split
    folder : Path
        Masks are paired with images by name, see `pointmask.io.points.match.match`.
    say : callable
        Takes a line about each assumption on names.

    Raises
    ------
    DataError
        If masks are missing, unreadable, of another size than their image, all empty, or inverted.
    """
    folder = mask_folder(folder)
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder; give the folder of the masks")
    names = _without_images(list_images(folder), folder, split)
    by_id = {without_suffix(name): folder / name for name in names}
    if any(key not in by_id for key in split.ids):
        by_id |= _paired(split, folder, names, say)
    missing = [key for key in split.ids if key not in by_id]
    if missing:
        raise DataError(
            f"{folder} holds no mask for {some(missing)} of the {split.name} list; annotate them "
            "(pointmask annotate IMAGES --points FILE --out OUT), or take them off the list"
        )
    shape_of = {by_id[key]: split.file_shape(index) for index, key in enumerate(split.ids)}
    read = _read_all([by_id[key] for key in split.ids], lambda file: read_mask(file, shape=shape_of[file]))
    masks = _cut(split, read, folder, say)
    if not any(mask.any() for mask in masks):
        raise DataError(f"{folder}: every mask of the {split.name} list is empty; check the masks")
    turned = [
        key for key, mask in zip(split.ids, masks, strict=True) if 2 * np.count_nonzero(mask) > mask.size
    ]
    if 2 * len(turned) > len(masks):
        raise DataError(
            f"{folder}: target is more than half of {len(turned):,} of {len(masks):,} masks of the "
            f"{split.name} list, such as {turned[0]}; target is what is above 127, "
            "so these seem to be inverted: save 255 minus each"
        )
    return masks


def _cut(split: Split, masks: Sequence[Mask], folder: Path, say: Callable[[str], None]) -> list[Mask]:
    """Leave out of masks what is left out of their images."""
    result: list[Mask] = []
    beyond: list[str] = []
    for index, (key, mask) in enumerate(zip(split.ids, masks, strict=True)):
        inner: Mask = without_margins(mask, split.margins_of(index)).astype(np.bool_, copy=False)
        if np.count_nonzero(inner) != np.count_nonzero(mask):
            beyond.append(key)
        result.append(inner)
    if beyond:
        say(
            f"{folder}: masks of {len(beyond):,} images have target pixels in margins of one value, which "
            f"are outside of the image and left out, such as {beyond[0]}{KEEP}"
        )
    return result


def _without_images(names: list[str], folder: Path, split: Split) -> list[str]:
    """Leave out the images where masks lie among them, as in ``seq/img`` and ``seq/mask``."""
    images = set(split.files)
    masks = [name for name in names if folder / name not in images]
    return masks if len(masks) == len(names) else [name for name in masks if lies_among_masks(name)]


def _paired(split: Split, folder: Path, names: list[str], say: Callable[[str], None]) -> dict[str, Path]:
    """Pair masks with the images that have none of exactly their name."""
    ids = {key + file.suffix: key for key, file in zip(split.ids, split.files, strict=True)}
    matches = match(names, ids)
    for line in matches.notes:
        say(f"{folder}: {line}")
    fits = {ids[name]: files for (name, frame), files in matches.by_image().items() if not frame}
    return {key: folder / files[0] for key, files in fits.items() if len(files) == 1}


def known_masks(split: Split, folder: Path) -> list[Mask] | None:
    """Read the true masks of a split, for diagnostics only; None unless all are present and valid."""
    if not folder.is_dir():
        return None
    try:
        return load_masks(split, folder)
    except DataError:
        return None


def _points_of(
    ids: Sequence[str], shapes: Sequence[tuple[int, ...]], paired: Paired | None, say: Callable[[str], None]
) -> tuple[NDArray[np.int64], ...]:
    if paired is None:
        return tuple(np.empty((0, 2), np.int64) for _ in ids)
    points = paired.points
    for key in ids:
        if key in points.rejected:
            raise DataError(f"points of {key} cannot be used: {points.rejected[key]}")
    coordinates, scaled = [], []
    for key, (height, width) in zip(ids, shapes, strict=True):
        given = points.by_image.get(key, ())
        said = differs(given, (height, width))
        if said is not None:
            scaled.append(f"{key}: the document says {said[1]} x {said[0]}, the image has {width} x {height}")
        try:
            own_points = fitted(given, (height, width))
        except PointsError as error:
            raise DataError(f"{points.source}: {key}: {error}") from error
        pixels = np.array([(p.row, p.col) for p in own_points], np.int64).reshape(-1, 2)
        if ((pixels < 0) | (pixels >= (height, width))).any():
            raise DataError(
                f"{points.source}: a point of {key} lies outside its {width} x {height} image; correct it (x "
                "is the column, y the row, both from 0)"
            )
        coordinates.append(pixels)
    if scaled:
        say(
            f"{points.source}: points of {len(scaled):,} images were marked in a copy of another size and "
            f"have been scaled, such as {scaled[0]}"
        )
    return tuple(coordinates)


def _read_all(files: Sequence[Path], reader: Callable[[Path], T]) -> list[T]:
    """Read files in threads, keeping their order; raise an error if any cannot be read."""

    def one(file: Path) -> T | ImageError:
        try:
            return reader(file)
        except ImageError as error:
            return error

    results = list(threads(one, files, 4))
    errors = [result for result in results if isinstance(result, ImageError)]
    if errors:
        raise DataError(f"{errors[0]}" + (f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""))
    return [result for result in results if not isinstance(result, ImageError)]


def _common_dtype(arrays: Iterable[NDArray[np.generic]]) -> np.dtype[np.generic]:
    """Return the smallest of uint8, uint16 and int32 that represents all images exactly, else float32."""
    joined = np.result_type(*{array.dtype for array in arrays})
    for dtype in (np.uint8, np.uint16, np.int32):
        if np.can_cast(joined, dtype):
            return np.dtype(dtype)
    return np.dtype(np.float32)


_THREADS = 8


def for_every_image(split: Split, do: Callable[[int], T]) -> list[T]:
    """Call a function with every index of a split, in threads, and return the results in order."""
    return list(threads(do, range(len(split)), worker_threads()))


def worker_threads() -> int:
    """Return the number of threads used to read or annotate images during training."""
    return min(_THREADS, os.cpu_count() or 1)
