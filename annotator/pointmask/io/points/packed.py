"""Names and points stored in arrays: about 40 bytes per image, against 400 as objects."""

from array import array
from bisect import bisect_left
from collections.abc import ItemsView, Iterable, Iterator, Mapping, Sequence, Set, ValuesView
from dataclasses import replace
from itertools import pairwise
from typing import overload

from pointmask.io.points.points import Point

_MOST = 2**31 - 1  # largest value of an array item

_Kind = tuple[str | None, tuple[int, int] | None]  # label and size of the image


class PackedTexts(Sequence[str]):
    """Sequence of texts in one block of memory; grows only by `append`."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._bytes = bytearray()
        self._ends = array("Q")
        for text in texts:
            self.append(text)

    def append(self, text: str) -> None:
        """Append a text."""
        self._bytes += text.encode("utf-8", "surrogatepass")
        self._ends.append(len(self._bytes))

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self[k] for k in range(*index.indices(len(self)))]
        end = self._ends[index]
        start = self._ends[index - 1] if index % len(self._ends) else 0
        return self._bytes[start:end].decode("utf-8", "surrogatepass")

    def __len__(self) -> int:
        return len(self._ends)


class PackedPoints(Mapping[str, tuple[Point, ...]]):
    """
    Mapping from keys to points, in the order in which they were added; grows only by `add`.

    Optimised for sorted images whose rows follow each other; any other order takes more memory and gives
    the same result.
    """

    def __init__(self) -> None:
        self._keys = PackedTexts()
        self._starts = array("Q")  # index of each key's first point
        self._rows, self._cols, self._labels = array("i"), array("i"), array("i")
        # Points of one label in images of one size share a number.
        self._kind_numbers: dict[_Kind, int] = {(None, None): 0}
        self._kinds: list[_Kind] = [(None, None)]
        self._whole: dict[int, Point] = {}  # points that do not fit the arrays
        self._is_empty = bytearray()  # whether a key is declared to hold no target
        self._order: array[int] | None = None  # permutation that sorts the keys, unless they are sorted
        self._joined: dict[str, tuple[Point, ...]] = {}  # points of keys with several runs of rows
        self._repeats: set[int] = set()  # indices of their later runs
        self._removed: Set[str] = frozenset()
        self._last = ""
        self._next = 0  # rank of the key after the one that was asked for last

    def add(self, key: str, point: Point | None) -> bool:
        """
        Add a point, or None for an image that is declared to hold no target.

        Returns
        -------
        bool
            Whether both occur for this image, within the present run of rows.
        """
        if not self._keys or key != self._last:
            self._begin(key)
        if point is None:
            self._is_empty[-1] = True
        else:
            self._add_point(point, point.image_shape)
        return bool(self._is_empty[-1]) and self._starts[-1] < len(self._rows)

    def add_image(self, key: str, points: Iterable[Point], shape: tuple[int, int] | None) -> None:
        """Add all points of an image of a size; without any it is known to hold no target."""
        self._begin(key)
        for point in points:
            self._add_point(point, shape)

    def close(self) -> list[str]:
        """
        Sort the keys and join the runs of each key; nothing may be added afterwards.

        Returns
        -------
        list of str
            Keys with points that are also declared to hold no target.
        """
        count = len(self._keys)
        if all(key < after for key, after in pairwise(self._keys)):
            return [self._keys[k] for k in range(count) if self._is_empty[k] and self._points(k)]
        order = sorted(range(count), key=self._keys.__getitem__)
        runs: dict[str, list[int]] = {}
        for first, second in pairwise(order):
            if self._keys[first] == self._keys[second]:
                runs.setdefault(self._keys[first], [first]).append(second)
        for key, indices in runs.items():
            self._repeats.update(indices[1:])
            self._joined[key] = tuple(point for index in indices for point in self._points(index))
            self._is_empty[indices[0]] = any(self._is_empty[index] for index in indices)
        self._order = array("Q", (index for index in order if index not in self._repeats))
        return [self._keys[k] for k in self._order if self._is_empty[k] and self[self._keys[k]]]

    def bounds(self) -> tuple[int, int, int, int] | None:
        """Return the smallest and largest row, then column; None if there are no points."""
        if not self._rows:
            return None
        return min(self._rows), max(self._rows), min(self._cols), max(self._cols)

    def remove(self, keys: Set[str]) -> None:
        """Remove keys from the mapping."""
        self._removed = frozenset(key for key in keys if key in self) | self._removed

    def __getitem__(self, key: str) -> tuple[Point, ...]:
        index = self._index(key)
        if index is None or key in self._removed:
            raise KeyError(key)
        return self._points_of(index)

    def __iter__(self) -> Iterator[str]:
        return (self._keys[index] for index in self._indices())

    def __len__(self) -> int:
        return len(self._keys) - len(self._repeats) - len(self._removed)

    def __repr__(self) -> str:
        return repr(dict(self))

    def items(self) -> ItemsView[str, tuple[Point, ...]]:
        """Return the (key, points) pairs, without a search per key."""
        return _Items(self)

    def values(self) -> ValuesView[tuple[Point, ...]]:
        """Return the points of each key, without a search per key."""
        return _Values(self)

    def _begin(self, key: str) -> None:
        """Begin a run of rows."""
        self._keys.append(key)
        self._starts.append(len(self._rows))
        self._is_empty.append(False)
        self._last = key

    def _add_point(self, point: Point, shape: tuple[int, int] | None) -> None:
        row, col = point.row, point.col
        if point.flags or not (-_MOST <= row <= _MOST and -_MOST <= col <= _MOST):
            self._whole[len(self._rows)] = replace(point, image_shape=shape)
            row = col = 0
        self._rows.append(row)
        self._cols.append(col)
        kind = point.label, shape
        number = self._kind_numbers.get(kind)
        if number is None:
            number = self._kind_numbers[kind] = len(self._kinds)
            self._kinds.append(kind)
        self._labels.append(number)

    def _indices(self) -> Iterator[int]:
        """Yield the index of each key, in the order of addition."""
        for index in range(len(self._keys)):
            if index not in self._repeats and not (self._removed and self._keys[index] in self._removed):
                yield index

    def _index(self, key: str) -> int | None:
        """Return the index of a key, or None; quick for keys that are asked for in their order."""
        order = range(len(self._keys)) if self._order is None else self._order
        rank = self._next  # read once: threads may share the mapping
        if not (rank < len(order) and self._keys[order[rank]] == key):
            rank = bisect_left(order, key, key=self._keys.__getitem__)
            if not (rank < len(order) and self._keys[order[rank]] == key):
                return None
        self._next = rank + 1
        return order[rank]

    def _points_of(self, index: int) -> tuple[Point, ...]:
        joined = self._joined.get(self._keys[index]) if self._joined else None
        return self._points(index) if joined is None else joined

    def _points(self, index: int) -> tuple[Point, ...]:
        """Return the points of one run."""
        end = self._starts[index + 1] if index + 1 < len(self._starts) else len(self._rows)
        return tuple(self._point(k) for k in range(self._starts[index], end))

    def _point(self, k: int) -> Point:
        whole = self._whole.get(k) if self._whole else None
        if whole is not None:
            return whole
        label, shape = self._kinds[self._labels[k]]
        return Point(self._rows[k], self._cols[k], label, image_shape=shape)


class _Items(ItemsView[str, tuple[Point, ...]]):
    def __init__(self, packed: PackedPoints) -> None:
        super().__init__(packed)
        self._packed = packed

    def __iter__(self) -> Iterator[tuple[str, tuple[Point, ...]]]:
        for index in self._packed._indices():
            yield self._packed._keys[index], self._packed._points_of(index)


class _Values(ValuesView[tuple[Point, ...]]):
    def __init__(self, packed: PackedPoints) -> None:
        super().__init__(packed)
        self._packed = packed

    def __iter__(self) -> Iterator[tuple[Point, ...]]:
        return map(self._packed._points_of, self._packed._indices())
