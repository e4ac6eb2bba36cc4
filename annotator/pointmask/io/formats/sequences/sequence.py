"""The images of a sequence, for files that count frames instead of naming them; and lines of numbers."""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path

from pointmask.errors import ImageError, PointsError
from pointmask.io.formats.folders._masks import holds_images
from pointmask.io.formats.parts.decoding import peek
from pointmask.io.images.open import open_source
from pointmask.io.images.source import ImageSource
from pointmask.io.notes import note
from pointmask.io.points.names import in_natural_order, without_suffix

_IMAGE_FOLDERS = ("img", "img1", "images", "imgs", "frames", "infrared", "ir", "IR")
_DIVIDER = re.compile(r"[,;\t ]+")
_NUMBER = re.compile(r"([0-9]{1,12})[^0-9]*$")
_LINE = re.compile(r"[^\r\n]+")
_SNIFFED = 1 << 13
_LINES_SNIFFED = 40


class SequenceImages:
    """The images that one file of annotations counts.

    Parameters
    ----------
    file : Path
        The annotations. If the images lie in several folders, those of a folder of the name of the file, or
        of a folder above it, are meant.
    images : ImageSource or None
        All images; looked for beside the file if not given.

    Raises
    ------
    PointsError
        If there are none, or those of several sequences.
    """

    def __init__(self, file: Path, images: ImageSource | None) -> None:
        self._file = file
        self._source = images or _beside(file)
        names = _of_sequence(self._source.names(), file)
        folders = {name.rpartition("/")[0] for name in names}
        if len(folders) > 1:
            some = ", ".join(sorted(folders)[:3])
            raise PointsError(
                f"{file}: it counts the frames of one sequence, but the images lie in {len(folders)} folders "
                f"({some} ...); give the folder of its images, or call the file as that folder"
            )
        self._keys = in_natural_order(names)
        self._is_one_file = len(names) == 1
        if self._is_one_file:
            self._keys = self._frames_of(names[0])

    def in_order(self, count: int) -> list[str]:
        """Return the keys of all images in natural order.

        Raises
        ------
        PointsError
            If the file has a line for another number of them.
        """
        if count != len(self._keys):
            raise PointsError(
                f"{self._file}: it has boxes for {count} frames, a line each, but there are "
                f"{len(self._keys)} images; give the images of this sequence alone, all of them"
            )
        return self._keys

    def numbered(self, frames: Sequence[int]) -> dict[int, str]:
        """Return the keys of frames by their numbers: those in the names, else the places from 1.

        Raises
        ------
        PointsError
            If a frame is neither.
        """
        by_number: dict[int, str] = {}
        for name in () if self._is_one_file else self._keys:
            number = _NUMBER.search(without_suffix(name.rpartition("/")[2]))
            if number is not None:
                by_number.setdefault(int(number[1]), name)
        if all(frame in by_number for frame in frames):
            return {frame: by_number[frame] for frame in frames}
        if min(frames, default=1) < 1 or max(frames, default=0) > len(self._keys):
            raise PointsError(
                f"{self._file}: its frames go from {min(frames)} to {max(frames)}, but there are "
                f"{len(self._keys)} images, whose names have other numbers; give the images of this sequence"
            )
        note("frames are counted from 1 in the natural order of the images", str(self._file))
        return {frame: self._keys[frame - 1] for frame in frames}

    def _frames_of(self, name: str) -> list[str]:
        try:
            count = self._source.frame_count(name)
        except ImageError as error:
            raise PointsError(f"{self._file}: the images of its frames are needed, but {error}") from error
        return [name, *(f"{name}#{frame}" for frame in range(1, count))]


def _of_sequence(names: list[str], file: Path) -> list[str]:
    for hint in (file.stem, file.parent.name, file.parent.parent.name):
        found = [name for name in names if hint and hint in name.split("/")[:-1]]
        if found:
            return found
    return names


def _beside(file: Path) -> ImageSource:
    folders = [
        folder / name for folder in (file.parent, file.parent.parent) for name in (*_IMAGE_FOLDERS, file.stem)
    ]
    for folder in (*folders, file.parent):
        if holds_images(folder):
            return open_source(folder)
    raise PointsError(
        f"{file}: it counts frames without naming images, and none lie beside it; give their folder with "
        "--images"
    )


def numbers_of(line: str) -> list[float] | None:
    """Return the numbers on a line, divided by commas, semicolons, tabs or blanks; None without."""
    with suppress(ValueError):
        return [*map(float, line.split(","))]  # twice as fast, and what most files have
    try:
        return [float(word) for word in _DIVIDER.split(line.strip().strip(",;"))]
    except ValueError:
        return None


def lines_of(text: str) -> Iterator[tuple[int, str]]:
    """Yield number and text of each line that is not blank."""
    number, end = 1, 0
    for found in _LINE.finditer(text):
        number += text.count("\n", end, found.start())
        end = found.start()
        if found[0].strip():
            yield number, found[0]


def first_numbers(file: Path) -> list[list[float]]:
    """Return the numbers on the first lines of a file; nothing if one of them holds something else."""
    text = peek(file, _SNIFFED)
    lines = [line for _, line in islice(lines_of(text), _LINES_SNIFFED)]
    if len(text) >= _SNIFFED - 4 and len(lines) > 1 and not text.endswith("\n"):
        lines.pop()  # cut off
    found = [numbers_of(line) for line in lines]
    return [values for values in found if values is not None] if None not in found else []
