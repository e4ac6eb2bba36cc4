"""Which key belongs to which image: the one rule by which lists, points and masks find their images."""

import re
from array import array
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from pointmask.io.points.common_ends import without_common_ends
from pointmask.io.points.loose import ROLE, Loose, LooseNames
from pointmask.io.points.names import ImageFrame, with_stem, without_suffix
from pointmask.io.points.near import near_names

_FRAME = re.compile(r"(?P<stem>.+)#(?P<frame>[0-9]{1,9})(?P<suffix>\.\w+)?")
_NUMBERED = re.compile(
    r"(?P<stem>.+)_(?P<frame>[0-9]{4,9})(?P<suffix>\.\w+)?"
)  # as `layout.result_path` does


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
    notes : tuple of str
        What was assumed for keys that fit an image loosely alone, a line per assumption with their number
        and one of them.
    hints : Mapping[str, str]
        What unmatched keys may have meant, such as ``did you mean a.png? ...``, for the first of them.
    """

    by_key: Mapping[str, ImageFrame]
    unmatched: tuple[str, ...]
    ambiguous: Mapping[str, tuple[str, ...]]
    notes: tuple[str, ...] = ()
    hints: Mapping[str, str] = field(default_factory=dict)

    def by_image(self) -> dict[ImageFrame, list[str]]:
        """Return the keys of each (name, frame), in their order; usually there is one."""
        keys: defaultdict[ImageFrame, list[str]] = defaultdict(list)
        for key, image in self.by_key.items():
            keys[image].append(key)
        return dict(keys)


def match(keys: Iterable[str], names: Iterable[str], *, exactly: bool = False) -> Matches:
    """
    Find the image of each key by name.

    A key fits a name, in this order of preference, if it is the whole name; the name without its suffix;
    or the name but for another image suffix. A key without a folder may fit the last part of a name; a key
    with folders may fit a name after its leading folders are dropped, as long as all such keys for that
    image drop the same ones. ``#k`` at the end, or before the suffix, stands for frame ``k``; without it
    frame 0 is meant. An image whose own name ends in ``#k`` takes precedence.

    Keys that fit no image so may be results of pointmask for the frames of a file: ``stack_0003`` is frame 3
    of ``stack.tif``, if there is a key for its frame 0 as well.

    Keys that fit no image so are tried with what tools do to names. Key by key, the least change counts:
    another Unicode form, blanks and signs as ``_``, a text read in another encoding, a suffix that is not
    read here, folders such as ``images`` and ``masks`` left out, a hash that Label Studio or Roboflow added,
    a word such as ``_mask``, ``_gt`` or ``_pixels0`` at either end. Then all that are left at once: a
    beginning or an ending in which all of them differ from the images, if half of them fit without it. A key
    is paired loosely only if one image fits, no key fits that image exactly, and no other key loosely. Case
    and leading zeros are never passed over; a hint says which image differs in them alone.

    Parameters
    ----------
    keys : iterable of str
        In the form of `pointmask.io.points.names.clean_key`. A repeated key counts once.
    names : iterable of str
        Image names relative to their folder, with forward slashes and suffix.
    exactly : bool
        Try nothing loosely, and give no hints.

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
    if exactly or not unmatched:
        return Matches(by_key, tuple(unmatched), ambiguous)
    for key, image in _numbered_frames(index, by_key, unmatched).items():
        by_key[key] = image
        del unmatched[key]
    return _match_loosely(index, by_key, unmatched, ambiguous)


def _numbered_frames(
    index: "NameIndex", by_key: Mapping[str, ImageFrame], unmatched: Iterable[str]
) -> dict[str, ImageFrame]:
    """Return the frames of the keys that end in a number, for files of which frame 0 is there, too."""
    found: dict[str, ImageFrame] = {}
    taken = {name for name, _ in by_key.values()}
    for key in unmatched:
        if (parsed := _NUMBERED.fullmatch(key)) is not None:
            names, _, _ = index.find(parsed["stem"] + (parsed["suffix"] or ""))
            if len(names) == 1 and names[0] not in taken:
                found[key] = names[0], int(parsed["frame"])
    whole = {name for name, frame in found.values() if frame == 0}
    counts = Counter(found.values())
    return {key: image for key, image in found.items() if image[0] in whole and counts[image] == 1}


def _match_loosely(
    index: "NameIndex",
    by_key: dict[str, ImageFrame],
    unmatched: dict[str, None],
    ambiguous: Mapping[str, tuple[str, ...]],
) -> Matches:
    """Pair what is left, and add it behind what fits exactly."""
    taken = set(by_key.values())
    notes: list[str] = []
    fits: dict[str, tuple[ImageFrame, str]] = {}
    for key in unmatched:
        found, frame = index.find_loosely(key)
        if len(found.names) == 1 and (found.names[0], frame) not in taken:
            fits[key] = (found.names[0], frame), found.how
    for key, (image, how) in _one_each(fits).items():
        by_key[key] = image
        fits[key] = image, how
        del unmatched[key]
    notes += _notes({key: fits[key] for key in fits if key in by_key})
    if len(unmatched) > 1:
        taken = set(by_key.values())
        trimmed = without_common_ends(list(unmatched), index.names, taken)
        for key, image in trimmed.by_key.items():
            by_key[key] = image
            del unmatched[key]
        notes += trimmed.notes
    hints = near_names(unmatched, index.names)
    return Matches(by_key, tuple(unmatched), ambiguous, tuple(notes), hints)


def _one_each(fits: Mapping[str, tuple[ImageFrame, str]]) -> dict[str, tuple[ImageFrame, str]]:
    """Return the keys that share their image with no other."""
    counts = Counter(image for image, _ in fits.values())
    return {key: fit for key, fit in fits.items() if counts[fit[0]] == 1}


def _notes(fits: Mapping[str, tuple[ImageFrame, str]]) -> list[str]:
    """Say per kind of change how many keys were paired, and one of them."""
    examples: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for key, ((name, _), how) in fits.items():
        told = _word(key, name) or how if how == ROLE else how
        counts[told] += 1
        examples.setdefault(told, f"{key} as {name}")
    return [f"names paired {told}: {count:,}, such as {examples[told]}" for told, count in counts.items()]


def _word(key: str, name: str) -> str:
    """Say which word a key has that the name of its image has not; empty if it is not that alone."""
    ours, theirs = (_last_part(without_suffix(text)) for text in (key, name))
    if ours.startswith(theirs):
        return f"but for the ending {ours[len(theirs) :]}"
    if ours.endswith(theirs):
        return f"but for the beginning {ours[: -len(theirs)]}"
    return ""


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
        self._loose: LooseNames | None = None
        self._by_last: array[int] | None = None  # places, sorted by the last part of the name

    @property
    def names(self) -> Sequence[str]:
        """All names, sorted."""
        return self._names

    def find_loosely(self, key: str) -> tuple[Loose, int]:
        """Return what a key that `find` does not find fits loosely, and its frame; see `match`."""
        if self._loose is None:
            self._loose = LooseNames(self._names)
        if (found := self._loose.find(key)).names:
            return found, 0
        parsed = _FRAME.fullmatch(key)
        if parsed is None:
            return found, 0
        return self._loose.find(parsed["stem"] + (parsed["suffix"] or "")), int(parsed["frame"])

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
        return tuple(sorted(name for name in found if without_suffix(_last_part(name)) == form))

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
