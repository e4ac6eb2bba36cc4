"""Image names: the forms in which lists and formats give them, and their natural order."""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

from pointmask.errors import PointsError
from pointmask.io.images.kinds import is_image_or_raw, is_text

PICTURE_WORDS = "imgs?|images?|im|orig|original|raw|ir"
"""Pattern of what people call the images, in folders and in names, without regard to case."""
TRUTH_WORDS = (
    "masks?|labels?|gts?|ground[ _-]?truth|truth|seg|segmentation|annot(?:ation)?s?|binary|pixels[0-9]?"
)
"""The same of masks and what else tells the targets of an image."""

ImageFrame = tuple[str, int]
"""An image's name relative to its folder, with forward slashes, and a 0-based frame."""


def clean_key(text: str) -> str:
    """Bring an image name from a list into the form of a key.

    Surrounding space is dropped, backslashes become slashes, and a leading slash or ``./`` goes. So does a
    ``..`` with the folder before it; of a path that climbs out of its folder, as label tools write them, what
    remains is kept. A key is only ever compared with names.

    Raises
    ------
    PointsError
        If nothing is left.
    """
    stripped = (part.strip() for part in text.replace("\\", "/").split("/"))
    parts: list[str] = []
    for part in stripped:
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    if not parts:
        raise PointsError(f"image name {text[:60]!r} is empty; write the file name of the image")
    return "/".join(parts)


def without_suffix(name: str) -> str:
    """Return an image name without its suffix; only suffixes of images count."""
    return name.rpartition(".")[0] if is_image_or_raw(name) or is_text(name) else name


def with_stem(stem: str, names: Sequence[str]) -> Iterator[int]:
    """Yield the places of the names, which are sorted, that are ``stem`` and the suffix of an image."""
    start = stem + "."
    for place in range(bisect_left(names, start), len(names)):
        if not names[place].startswith(start):
            return
        if without_suffix(names[place]) == stem:
            yield place


_NUMBER = re.compile(r"([0-9]+)")
_DIGIT = re.compile("[0-9]")

NaturalKey = tuple[object, ...]
"""Comparable with others of its kind."""


def natural_key(name: str) -> NaturalKey:
    """
    Return a sort key under which runs of digits count as numbers and case does not count.

    Parameters
    ----------
    name : str
        Path with forward slashes, or any text. Different names have different keys.
    """
    return (*(_part_key(part) for part in name.split("/")), (name,))


def in_natural_order(names: Iterable[str]) -> list[str]:
    """Sort names by their `natural_key`; where numbers are padded with zeros, plain order is the same."""
    ordered = sorted(names)
    is_padded = len({_DIGIT.sub("0", name) for name in ordered}) == 1
    return ordered if is_padded else sorted(ordered, key=natural_key)


def _part_key(part: str) -> NaturalKey:
    """Alternate text and numbers; a number is its length and digits, which has no limit as ``int`` has."""
    pieces = _NUMBER.split(part.casefold())
    digits = (piece.lstrip("0") for piece in pieces[1::2])
    key: list[object] = [""] * len(pieces)
    key[::2] = pieces[::2]
    key[1::2] = [(len(number), number) for number in digits]
    return tuple(key)
