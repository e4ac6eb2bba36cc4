"""Image names by all the forms under which a list may call them, at four bytes per image at most."""

import re
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import takewhile

from pointmask.io.images.kinds import is_image_or_raw

_FRAME = re.compile(r"(?P<stem>.+)#(?P<frame>[0-9]{1,9})(?P<suffix>\.\w+)?")


def without_suffix(name: str) -> str:
    """Return an image name without its suffix; only suffixes of images count."""
    return name.rpartition(".")[0] if is_image_or_raw(name) else name


def with_stem(stem: str, names: Sequence[str]) -> Iterator[int]:
    """Yield the places of the names, which are sorted, that are ``stem`` and the suffix of an image."""
    start = stem + "."
    for place in range(bisect_left(names, start), len(names)):
        if not names[place].startswith(start):
            return
        if without_suffix(names[place]) == stem:
            yield place


class NameIndex:
    """
    Finds the images that a key means.

    Parameters
    ----------
    names : iterable of str
        Relative to their folder, with forward slashes and suffix.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = sorted(names)
        self._by_last: array[int] | None = None  # places, sorted by the last part of the name

    def find(self, key: str) -> tuple[tuple[str, ...], int, str]:
        """Return the names that a key fits, its frame, and the leading folders that had to be dropped.

        The rules are those of `pointmask.io.points.match.match`.
        """
        names, prefix = self._find_name(key)
        parsed = None if names else _FRAME.fullmatch(key)
        if parsed is None:
            return names, 0, prefix
        names, prefix = self._find_name(parsed["stem"] + (parsed["suffix"] or ""))
        return names, int(parsed["frame"]), prefix

    def _find_name(self, key: str) -> tuple[tuple[str, ...], str]:
        searches: tuple[Callable[[str], tuple[str, ...]], ...] = (self._whole, self._stem)
        if "/" not in key:
            searches = (*searches, self._last, self._last_stem)
        rest, prefix = key, ""
        while rest:
            for search in searches:
                for form in dict.fromkeys((rest, without_suffix(rest))):
                    if names := search(form):
                        return names, prefix
            folder, _, rest = rest.partition("/")
            prefix += folder + "/"
        return (), ""

    def _whole(self, form: str) -> tuple[str, ...]:
        place = bisect_left(self._names, form)
        return (form,) if place < len(self._names) and self._names[place] == form else ()

    def _stem(self, form: str) -> tuple[str, ...]:
        return tuple(self._names[place] for place in with_stem(form, self._names))

    def _last(self, form: str) -> tuple[str, ...]:
        return tuple(takewhile(lambda name: _last_part(name) == form, self._from_last(form)))

    def _last_stem(self, form: str) -> tuple[str, ...]:
        found = self._from_last(form + ".")
        return tuple(name for name in found if without_suffix(_last_part(name)) == form)

    def _from_last(self, start: str) -> Iterator[str]:
        """Yield the names whose last part begins with ``start``, sorted by it."""
        if self._by_last is None:
            order = sorted(range(len(self._names)), key=lambda place: _last_part(self._names[place]))
            self._by_last = array("I", order)
        first = bisect_left(self._by_last, start, key=lambda place: _last_part(self._names[place]))
        for k in range(first, len(self._by_last)):
            name = self._names[self._by_last[k]]
            if not _last_part(name).startswith(start):
                return
            yield name


def _last_part(name: str) -> str:
    return name.rpartition("/")[2]


_NUMBER = re.compile(r"([0-9]+)")

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


def _part_key(part: str) -> NaturalKey:
    """Alternate text and numbers; a number is its length and digits, which has no limit as ``int`` has."""
    pieces = _NUMBER.split(part.casefold())
    digits = (piece.lstrip("0") for piece in pieces[1::2])
    key: list[object] = [""] * len(pieces)
    key[::2] = pieces[::2]
    key[1::2] = [(len(number), number) for number in digits]
    return tuple(key)
