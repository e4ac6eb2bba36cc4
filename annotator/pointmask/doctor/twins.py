"""Images that are the same or nearly so, and what that means for the lists they are in."""

import tempfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import BinaryIO, cast

from pointmask.doctor.findings import Note
from pointmask.doctor.fingerprint import SAME_SCENE, Fingerprints, Print
from pointmask.doctor.lists import Sides, SplitList

_ROOM = 1 << 24  # bytes of fingerprints in memory before they go to a file


class Twins:
    """
    Gathers images and finds those that are alike; use it in a ``with`` statement.

    Attributes
    ----------
    notes : list of Note
        What `search` found.
    taken_out : dict
        By the source of a list, the images that had better leave it, with the reason.
    """

    def __init__(self) -> None:
        self._file = cast(BinaryIO, tempfile.SpooledTemporaryFile(_ROOM))  # noqa: SIM115 - closed in __exit__
        self._prints = Fingerprints(self._file)
        self._printed: list[str] = []
        self._first: dict[bytes, str] = {}
        self._copies: defaultdict[str, list[str]] = defaultdict(list)
        self.notes: list[Note] = []
        self.taken_out: dict[str, dict[str, str]] = {}

    def __enter__(self) -> "Twins":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, name: str, digest: bytes, small: Print | None) -> None:
        """Add an image: hash of its pixels, and its fingerprint; of copies only the first is compared."""
        first = self._first.setdefault(digest, name)
        if first != name:
            self._copies[first].append(name)
        elif small is not None:
            self._prints.add(small)
            self._printed.append(name)

    def search(self, splits: Sequence[SplitList], threads: int) -> None:
        """Compare all images, and tell leaks between lists from likeness within one."""
        membership = _Membership(splits)
        for name in membership.names():
            if membership.separates(name, name):
                self._tell(name, name, "the same image", "leak", membership)
        kept = {}  # of images with copies, the one that stays
        for first, others in self._copies.items():
            kept[first] = keeper = max((first, *others), key=membership.rank)
            for other in (first, *others):
                if other != keeper:
                    self._tell(keeper, other, "the same pixels", "copies", membership)
        scenes = _Union()
        for number, near in self._prints.candidates(threads):
            first, second = (kept.get(name, name) for name in (self._printed[number], self._printed[near]))
            if scenes.find(first) == scenes.find(second) and not membership.separates(first, second):
                continue  # a sequence of n frames is told in n - 1 pairs
            alike = self._prints.alike(number, near)
            if alike >= SAME_SCENE:
                scenes.join(first, second)
                self._tell(first, second, f"likeness {alike:.2f}", "near", membership)

    def _tell(self, one: str, other: str, how: str, kind: str, membership: "_Membership") -> None:
        if membership.separates(one, other):
            for low, leaves, high, stays in membership.crossing(one, other):
                self.notes.append(("leak", f"{leaves} of {low.source}, {stays} of {high.source}: {how}"))
                self._take_out(low.source, leaves, f"{how} as {stays} of {high.source}")
            return
        self.notes.append((kind, f"{other}, {one}: {how}"))
        if kind == "copies":
            for source in membership.both(one, other):
                self._take_out(source, other, f"{how} as {one}")

    def _take_out(self, source: str, name: str, reason: str) -> None:
        self.taken_out.setdefault(source, {}).setdefault(name, reason)


class _Membership:
    """Which lists an image is in."""

    def __init__(self, splits: Sequence[SplitList]) -> None:
        self._of: defaultdict[str, list[SplitList]] = defaultdict(list)
        self._sides = Sides(splits)
        for split in splits:
            for name in split.names:
                self._of[name].append(split)

    def names(self) -> Iterable[str]:
        """Return all images that are in a list."""
        return self._of

    def rank(self, name: str) -> int:
        """Highest rank of the lists of an image; -1 if it is in none."""
        return max((split.rank for split in self._of.get(name, ())), default=-1)

    def separates(self, one: str, other: str) -> bool:
        """Say whether the images are in lists that must be apart."""
        return bool(self.crossing(one, other))

    def both(self, one: str, other: str) -> list[str]:
        """Return the lists that hold both images."""
        theirs = [split.source for split in self._of.get(other, ())]
        return [split.source for split in self._of.get(one, ()) if split.source in theirs]

    def crossing(self, one: str, other: str) -> set[tuple[SplitList, str, SplitList, str]]:
        """Return (lower list, its image, higher list, its image) for all lists that must be apart."""
        found = set()
        for first in self._of.get(one, ()):
            for second in self._of.get(other, ()):
                if self._sides.apart(first, second):
                    low = first, one, second, other
                    found.add(low if first.rank < second.rank else (second, other, first, one))
        return found


class _Union:
    """Images that are linked by any chain of pairs."""

    def __init__(self) -> None:
        self._above: dict[str, str] = {}

    def find(self, name: str) -> str:
        above = self._above
        while (up := above.get(name, name)) != name:
            above[name] = above.get(up, up)
            name = up
        return name

    def join(self, one: str, other: str) -> None:
        self._above[self.find(one)] = self.find(other)
