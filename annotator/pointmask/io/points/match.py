"""Which key belongs to which image: the one rule by which lists, points and masks find their images."""

import re
from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile

from pointmask.io.points.names import ImageFrame, with_stem, without_suffix

_FRAME = re.compile(r"(?P<stem>.+)#(?P<frame>[0-9]{1,9})(?P<suffix>\.\w+)?")


@dataclass(frozen=True, slots=True)
class Matches:
    """
    Which key belongs to which image; see `match`. Every key is in one of the three.

    Attributes
    ----------
    by_key : Mapping[str, ImageFrame]
        (name, frame) of each key that has an image of its own, in the order of the keys.
    unmatched : tuple of str
        Keys that fit no image, in their order.
    ambiguous : Mapping[str, tuple[str, ...]]
        Keys that fit several images, with their names, sorted; or that share their only image with a key
        from another folder, with its name alone.
    """

    by_key: Mapping[str, ImageFrame]
    unmatched: tuple[str, ...]
    ambiguous: Mapping[str, tuple[str, ...]]

    def by_image(self) -> dict[ImageFrame, list[str]]:
        """Return the keys of each (name, frame), in their order; usually there is one."""
        keys: defaultdict[ImageFrame, list[str]] = defaultdict(list)
        for key, image in self.by_key.items():
            keys[image].append(key)
        return dict(keys)


def match(keys: Iterable[str], names: Iterable[str]) -> Matches:
    """
    Find the image of each key by name.

    A key fits a name, in this order of preference, if it is the whole name; the name without its suffix;
    or the name but for another image suffix. A key without a folder may fit the last part of a name; a key
    with folders may fit a name after its leading folders are dropped, as long as all such keys for that
    image drop the same ones. ``#k`` at the end, or before the suffix, stands for frame ``k``; without it
    frame 0 is meant. An image whose own name ends in ``#k`` takes precedence.

    Parameters
    ----------
    keys : iterable of str
        In the form of `pointmask.io.points.names.clean_key`. A repeated key counts once.
    names : iterable of str
        Image names relative to their folder, with forward slashes and suffix.

    Returns
    -------
    Matches
    """
    index = NameIndex(names)
    by_key: dict[str, ImageFrame] = {}
    dropped: dict[str, str] = {}  # leading folders, of the few keys that are better off without
    unmatched: dict[str, None] = {}
    ambiguous: dict[str, tuple[str, ...]] = {}
    for key in keys:
        candidates, frame, folders = index.find(key)
        if not candidates:
            unmatched[key] = None
        elif len(candidates) > 1:
            ambiguous[key] = candidates
        else:
            by_key[key] = candidates[0], frame
            if folders:
                dropped[key] = folders
    if dropped:
        contested = _contested(by_key, dropped)
        for key in dropped:
            if by_key[key] in contested:
                ambiguous[key] = (by_key.pop(key)[0],)
    return Matches(by_key, tuple(unmatched), ambiguous)


def _contested(by_key: Mapping[str, ImageFrame], dropped: Mapping[str, str]) -> set[ImageFrame]:
    """Return the images whose keys drop different folders."""
    first: dict[ImageFrame, str] = {}
    return {
        image
        for key, image in by_key.items()
        if first.setdefault(image, dropped.get(key, "")) != dropped.get(key, "")
    }


class NameIndex:
    """
    Image names, searched by all the forms under which a key may call them, at four bytes per image.

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

        The rule is that of `match`; whether other keys contest the image is not looked at.
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
