"""Names and points in arrays: some forty bytes per image, where objects take four hundred."""

from array import array
from bisect import bisect_left
from collections.abc import ItemsView, Iterable, Iterator, Mapping, Sequence, Set, ValuesView
from itertools import pairwise
from typing import overload

from pointmask.io.points.points import Point

_MOST = 2**31 - 1  # of what a place in the arrays holds

_Kind = tuple[str | None, tuple[int, int] | None]  # label and size of the image


class PackedTexts(Sequence[str]):
    """
    Texts in one piece of memory; grows only by `append`.

    Parameters
    ----------
    texts : iterable of str
        To begin with.
    """

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._bytes = bytearray()
        self._ends = array("Q")
        for text in texts:
            self.append(text)

    def append(self, text: str) -> None:
        """Add one at the end."""
        self._bytes += text.encode("utf-8", "surrogatepass")
        self._ends.append(len(self._bytes))

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> list[str]: ...
    def __getitem__(self, place: int | slice) -> str | list[str]:
        if isinstance(place, slice):
            return [self[k] for k in range(*place.indices(len(self)))]
        end = self._ends[place]
        start = self._ends[place - 1] if place % len(self._ends) else 0
        return self._bytes[start:end].decode("utf-8", "surrogatepass")

    def __len__(self) -> int:
        return len(self._ends)


class PackedPoints(Mapping[str, tuple[Point, ...]]):
    """
    A mapping from keys to points in the order in which they were listed; grows only by `add`.

    Rows of one image usually follow each other, and images are usually sorted. What is not so costs
    more memory and gives the same.
    """

    def __init__(self) -> None:
        self._keys = PackedTexts()
        self._starts = array("Q")  # of each key's points
        self._rows, self._cols, self._labels = array("i"), array("i"), array("i")
        # Points of one label in images of one size share a number.
        self._kind_numbers: dict[_Kind, int] = {(None, None): 0}
        self._kinds: list[_Kind] = [(None, None)]
        self._far: dict[int, Point] = {}  # points whose pixel no array can hold
        self._is_empty = bytearray()  # whether a key was said to hold no target
        self._order: array[int] | None = None  # places of the keys, sorted, where they are not
        self._joined: dict[str, tuple[Point, ...]] = {}  # of keys that were listed in several stretches
        self._repeats: set[int] = set()  # places of their later stretches
        self._removed: Set[str] = frozenset()
        self._last = ""

    def add(self, key: str, point: Point | None) -> bool:
        """
        Add a point, or None for an image that is said to hold no target.

        Returns
        -------
        bool
            Whether the two were said of the same image, as far as can be told from one stretch of rows.
        """
        if not self._keys or key != self._last:
            self._keys.append(key)
            self._starts.append(len(self._rows))
            self._is_empty.append(False)
            self._last = key
        if point is None:
            self._is_empty[-1] = True
        else:
            self._add_point(point)
        return bool(self._is_empty[-1]) and self._starts[-1] < len(self._rows)

    def close(self) -> list[str]:
        """
        Sort the keys and join what was listed in several stretches; nothing may be added afterwards.

        Returns
        -------
        list of str
            Keys with points that were also said to hold no target.
        """
        count = len(self._keys)
        if all(key < then for key, then in pairwise(self._keys)):
            return [self._keys[k] for k in range(count) if self._is_empty[k] and self._points(k)]
        order = sorted(range(count), key=self._keys.__getitem__)
        stretches: dict[str, list[int]] = {}
        for first, then in pairwise(order):
            if self._keys[first] == self._keys[then]:
                stretches.setdefault(self._keys[first], [first]).append(then)
        for key, places in stretches.items():
            self._repeats.update(places[1:])
            self._joined[key] = tuple(point for place in places for point in self._points(place))
            self._is_empty[places[0]] = any(self._is_empty[place] for place in places)
        self._order = array("Q", (place for place in order if place not in self._repeats))
        return [self._keys[k] for k in self._order if self._is_empty[k] and self[self._keys[k]]]

    def bounds(self) -> tuple[int, int, int, int] | None:
        """Return the smallest and largest row, then column; None without points."""
        if not self._rows:
            return None
        return min(self._rows), max(self._rows), min(self._cols), max(self._cols)

    def remove(self, keys: Set[str]) -> None:
        """Leave some keys out from now on."""
        self._removed = frozenset(key for key in keys if key in self) | self._removed

    def __getitem__(self, key: str) -> tuple[Point, ...]:
        place = self._place(key)
        if place is None or key in self._removed:
            raise KeyError(key)
        return self._listed(place)

    def __iter__(self) -> Iterator[str]:
        return (self._keys[place] for place in self._places())

    def __len__(self) -> int:
        return len(self._keys) - len(self._repeats) - len(self._removed)

    def __repr__(self) -> str:
        return repr(dict(self))

    def items(self) -> ItemsView[str, tuple[Point, ...]]:
        """Return (key, points), without a search for each."""
        return _Items(self)

    def values(self) -> ValuesView[tuple[Point, ...]]:
        """Return the points of each key, without a search for each."""
        return _Values(self)

    def _add_point(self, point: Point) -> None:
        is_far = abs(point.row) > _MOST or abs(point.col) > _MOST
        if is_far:
            self._far[len(self._rows)] = point
        self._rows.append(0 if is_far else point.row)
        self._cols.append(0 if is_far else point.col)
        kind = point.label, point.image_shape
        number = self._kind_numbers.setdefault(kind, len(self._kinds))
        if number == len(self._kinds):
            self._kinds.append(kind)
        self._labels.append(number)

    def _places(self) -> Iterator[int]:
        """Yield the place of each key, in the order of listing."""
        for place in range(len(self._keys)):
            if place not in self._repeats and not (self._removed and self._keys[place] in self._removed):
                yield place

    def _place(self, key: str) -> int | None:
        """Find a key; the keys that repeat are not in the order."""
        if self._order is None:
            place = bisect_left(self._keys, key)
        else:
            found = bisect_left(self._order, key, key=self._keys.__getitem__)
            place = self._order[found] if found < len(self._order) else len(self._keys)
        return place if place < len(self._keys) and self._keys[place] == key else None

    def _listed(self, place: int) -> tuple[Point, ...]:
        joined = self._joined.get(self._keys[place]) if self._joined else None
        return self._points(place) if joined is None else joined

    def _points(self, place: int) -> tuple[Point, ...]:
        """Return the points of one stretch."""
        end = self._starts[place + 1] if place + 1 < len(self._starts) else len(self._rows)
        return tuple(self._point(k) for k in range(self._starts[place], end))

    def _point(self, k: int) -> Point:
        far = self._far.get(k) if self._far else None
        if far is not None:
            return far
        label, shape = self._kinds[self._labels[k]]
        return Point(self._rows[k], self._cols[k], label, image_shape=shape)


class _Items(ItemsView[str, tuple[Point, ...]]):
    def __init__(self, packed: PackedPoints) -> None:
        super().__init__(packed)
        self._packed = packed

    def __iter__(self) -> Iterator[tuple[str, tuple[Point, ...]]]:
        for place in self._packed._places():
            yield self._packed._keys[place], self._packed._listed(place)


class _Values(ValuesView[tuple[Point, ...]]):
    def __init__(self, packed: PackedPoints) -> None:
        super().__init__(packed)
        self._packed = packed

    def __iter__(self) -> Iterator[tuple[Point, ...]]:
        return map(self._packed._listed, self._packed._places())
