"""Notes of what a reader assumed: one line per kind, however often it was assumed.

A reader deep below calls `note`; whoever talks to the user reads inside `gathering` and shows the lines.
Threads of `pointmask.executors` note for the thread that started them.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple


class Counted(NamedTuple):
    """How often something was assumed: in all, the first example, and in how many places."""

    total: int
    example: str
    places: int = 1


class Notes:
    """Assumptions by kind, each with its count and first example."""

    def __init__(self) -> None:
        self._by_kind: dict[str, Counted] = {}
        self._guard = threading.Lock()

    def add(self, kind: str, example: str = "", count: int = 1) -> None:
        """Count an assumption; its kind is a whole sentence without a full stop."""
        with self._guard:
            self._add(kind, Counted(count, example))

    def _add(self, kind: str, more: Counted) -> None:
        before = self._by_kind.get(kind, Counted(0, more.example, 0))
        total, places = before.total + more.total, before.places + more.places
        self._by_kind[kind] = Counted(total, before.example, places)

    def counted(self) -> dict[str, Counted]:
        """Return count and first example by kind, to be added to other notes with `merge`."""
        return dict(self._by_kind)

    def merge(self, counted: Mapping[str, Counted]) -> None:
        """Add what was noted elsewhere, such as in another process."""
        with self._guard:
            for kind, more in counted.items():
                self._add(kind, more)

    def lines(self) -> tuple[str, ...]:
        """Return one line per kind, in the order of their first examples."""
        return tuple(_line(kind, counted) for kind, counted in self._by_kind.items())


_CURRENT: ContextVar[Notes | None] = ContextVar("notes", default=None)


def note(kind: str, example: str = "", count: int = 1) -> None:
    """
    Note an assumption, if anybody gathers notes.

    Parameters
    ----------
    kind : str
        What was assumed, the same words each time; a sentence without a full stop, which also says what to
        do if it is wrong. ``{count}`` and ``{places}`` in it become how often it was noted, and by how many
        calls.
    example : str
        Where, such as ``p.csv:7``; the first is shown.
    count : int
        How often, for readers that count by themselves.
    """
    notes = _CURRENT.get()
    if notes is not None:
        notes.add(kind, example, count)


@contextmanager
def gathering() -> Iterator[Notes]:
    """Gather the notes of everything that is read inside."""
    notes = Notes()
    token = _CURRENT.set(notes)
    try:
        yield notes
    finally:
        _CURRENT.reset(token)


def _line(kind: str, counted: Counted) -> str:
    if "{count}" in kind:
        kind = kind.replace("{count}", f"{counted.total:,}").replace("{places}", f"{counted.places:,}")
        return f"{kind} (first {counted.example})"
    if not counted.example:
        return kind
    if counted.total == 1:
        return f"{kind} ({counted.example})"
    return f"{kind} ({counted.total:,} times, first {counted.example})"
