"""Which frames a job is to annotate, in a few bytes per image: a million names must not cost a gigabyte."""

from bisect import bisect_left
from collections.abc import ItemsView, Iterator, Mapping, Sequence

from pointmask.io.points.names import with_stem, without_suffix
from pointmask.io.points.points import Point

Frames = Mapping[int, tuple[Point, ...]]

_NOT, _BY_NAME, _BY_STEM, _EMPTY = range(4)


class PlannedFrames(Mapping[str, Frames]):
    """
    Points by frame by image, sorted by image.

    The usual image is called by its whole name or its stem and has one frame: of it, one byte is kept
    here, and its points stay where they are. Others are kept one by one.

    Parameters
    ----------
    names : sequence of str
        All images, sorted.
    by_image : Mapping
        Points by the key that calls their image.
    """

    def __init__(self, names: Sequence[str], by_image: Mapping[str, tuple[Point, ...]]) -> None:
        self._names, self._by_image = names, by_image
        self._kinds = bytearray(len(names))
        self._others: dict[str, dict[int, tuple[Point, ...]]] = {}
        self._next = 0  # place after the name that was asked for last

    def claim(self, key: str) -> bool:
        """
        Take the points of a key that is the whole name or, if there is but one such, the stem of an image.

        Returns
        -------
        bool
            False if the key is neither, or another key claimed the image before.
        """
        place, kind = self._place(key), _BY_NAME
        if place is None and without_suffix(key) == key:
            named = list(with_stem(key, self._names))
            place, kind = (named[0] if len(named) == 1 else None), _BY_STEM
        if place is None or self._kinds[place] != _NOT:
            return False
        self._kinds[place] = kind
        return True

    def release(self, name: str) -> str | None:
        """Give back the key that claimed an image, so that it can be put together with others."""
        place = self._place(name)
        if place is None or self._kinds[place] == _NOT:
            return None
        key = _key(name, self._kinds[place])
        self._kinds[place] = _NOT
        return key

    def put(self, name: str, frame: int, points: tuple[Point, ...]) -> None:
        """Ask for a frame, with these points."""
        self._others.setdefault(name, {})[frame] = points

    def put_empty(self, name: str, count: int) -> None:
        """Ask for an empty mask for each of ``count`` frames that has not been asked for yet."""
        place = self._place(name)
        if place is None or (count == 1 and self._kinds[place] != _NOT):
            return
        if count == 1 and name not in self._others:
            self._kinds[place] = _EMPTY
            return
        frames = dict(self.get(name, {}))
        self._kinds[place] = _NOT
        self._others[name] = dict.fromkeys(range(count), ()) | frames

    def drop(self, name: str) -> None:
        """Do not ask for an image any more; nothing happens if it was not asked for."""
        self._others.pop(name, None)
        place = self._place(name)
        if place is not None:
            self._kinds[place] = _NOT

    def has_stem(self, stem: str) -> bool:
        """Whether an image of that stem is asked for."""
        return any(self._names[place] in self for place in with_stem(stem, self._names))

    def __getitem__(self, name: str) -> Frames:
        if name in self._others:
            return self._others[name]
        place = self._place(name)
        if place is None or self._kinds[place] == _NOT:
            raise KeyError(name)
        return self._frames(name, self._kinds[place])

    def __iter__(self) -> Iterator[str]:
        for name, kind in zip(self._names, self._kinds, strict=True):
            if kind != _NOT or name in self._others:
                yield name

    def items(self) -> ItemsView[str, Frames]:
        """Return (image, frames), without a search for each."""
        return _Items(self)

    def counts(self) -> Iterator[tuple[str, int]]:
        """Yield each image with the number of frames that are asked for."""
        for name, kind in zip(self._names, self._kinds, strict=True):
            if kind != _NOT:
                yield name, 1
            elif name in self._others:
                yield name, len(self._others[name])

    def not_planned(self) -> Iterator[str]:
        """Yield the images that are not asked for, sorted."""
        for name, kind in zip(self._names, self._kinds, strict=True):
            if kind == _NOT and name not in self._others:
                yield name

    def __len__(self) -> int:
        return len(self._kinds) - self._kinds.count(_NOT) + len(self._others)

    def _place(self, name: str) -> int | None:
        """Return the place of a name, or None; quick for names that are asked for in their order."""
        place = self._next  # read once: threads may share the plan
        if not (place < len(self._names) and self._names[place] == name):
            place = bisect_left(self._names, name)
            if not (place < len(self._names) and self._names[place] == name):
                return None
        self._next = place + 1
        return place

    def _frames(self, name: str, kind: int) -> Frames:
        """Return the only frame of a usual image."""
        return {0: () if kind == _EMPTY else self._by_image[_key(name, kind)]}


class _Items(ItemsView[str, Frames]):
    def __init__(self, planned: PlannedFrames) -> None:
        super().__init__(planned)
        self._planned = planned

    def __iter__(self) -> Iterator[tuple[str, Frames]]:
        planned = self._planned
        for name, kind in zip(planned._names, planned._kinds, strict=True):
            if kind != _NOT:
                yield name, planned._frames(name, kind)
            elif name in planned._others:
                yield name, planned._others[name]


def _key(name: str, kind: int) -> str:
    return without_suffix(name) if kind == _BY_STEM else name
