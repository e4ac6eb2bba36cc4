"""Where the lines of each frame are in a journal, and which steps each annotator can undo or redo.

Lines stay in the file: a frame is made of its own lines when it is asked for. A journal of 10⁶ lines takes
memory for its frames' names and 8 bytes a line.
"""

from array import array
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from pointmask.click.journal.lines import Line
from pointmask.folder.records.manifest import Settings

FrameKey = tuple[str, int]

_REMEMBERED = 20_000  # edits whose identifiers are known; a page holds back 1,000 at most


class Placed(NamedTuple):
    """A line and where it is in the file."""

    start: int
    end: int
    line: Line


class Step(NamedTuple):
    """
    One undo step: lines that lie together.

    Attributes
    ----------
    seq : int
        Number of its first line.
    start, end : int
        Where it is in the file.
    """

    seq: int
    start: int
    end: int


class Steps:
    """A stack of steps in 24 bytes each."""

    def __init__(self) -> None:
        self._numbers = array("Q")

    def __bool__(self) -> bool:
        return bool(self._numbers)

    @property
    def top(self) -> Step | None:
        """The last step, None if there is none."""
        return Step(*self._numbers[-3:]) if self._numbers else None

    def push(self, step: Step) -> None:
        """Add a step."""
        self._numbers.extend(step)

    def pop(self) -> Step:
        """Take the last step away."""
        step = Step(*self._numbers[-3:])
        del self._numbers[-3:]
        return step

    def clear(self) -> None:
        """Take all steps away."""
        del self._numbers[:]

    def __contains__(self, seq: object) -> bool:
        return seq in self._numbers[::3]


class Spot:
    """
    What is known of a frame without reading its lines.

    Attributes
    ----------
    places : array of int
        Offsets of its lines.
    revision : int
        Number of the last of them.
    """

    __slots__ = ("places", "revision")

    def __init__(self) -> None:
        self.places = array("Q")
        self.revision = 0


class JournalIndex:
    """
    The index of a journal, which grows with it.

    Attributes
    ----------
    seq : int
        Number of the last line.
    frames : dict
        Spots by (image, frame).
    published : int
        Lines up to this number are in the manifest.
    sessions : list of (seq, Settings)
        What each session made masks with, from its first line on.
    last_edit : (int, str) or None
        Time and annotator of the last edit.
    """

    def __init__(self) -> None:
        self.seq = 0
        self.frames: dict[FrameKey, Spot] = {}
        self.published = 0
        self.sessions: list[tuple[int, Settings]] = []
        self.last_edit: tuple[int, str] | None = None
        self._undo: dict[str, Steps] = {}
        self._redo: dict[str, Steps] = {}
        self._gesture = ""  # of the last step
        self._edits: OrderedDict[str, tuple[FrameKey, ...]] = OrderedDict()

    def basis(self, seq: int) -> Settings:
        """Return what the session of a line made masks with."""
        for first, settings in reversed(self.sessions):
            if first <= seq:
                return settings
        return Settings("", "", "bright")

    def add(self, group: list[Placed]) -> None:
        """Take in the lines of one edit, in the order of the file."""
        first = group[0].line
        self.seq = group[-1].line["seq"]
        keys: dict[FrameKey, None] = {}
        for placed in group:
            line = placed.line
            if "image" in line:
                key = line["image"], line["frame"]
                keys[key] = None
                spot = self.frames.get(key)
                if spot is None:
                    spot = self.frames[key] = Spot()
                spot.places.append(placed.start)
                spot.revision = line["seq"]
        if first["op"] == "open":
            self.sessions.append((first["seq"], _settings(first)))
        elif first["op"] == "published":
            self.published = first["upto"] if type(first.get("upto")) is int else 0
        if first.get("edit"):
            self._note(first, group, tuple(keys))

    def known(self, edit: str) -> tuple[FrameKey, ...] | None:
        """Return the frames of an edit that was done, None if it was not, or long ago."""
        return self._edits.get(edit)

    def to_undo(self, who: str) -> Step | None:
        """Return the last step of an annotator that stands."""
        steps = self._undo.get(who)
        return steps.top if steps else None

    def to_redo(self, who: str) -> Step | None:
        """Return the step that an annotator undid last."""
        steps = self._redo.get(who)
        return steps.top if steps else None

    def since(self, seq: int) -> Iterator[FrameKey]:
        """Yield the frames that have lines after one."""
        return (key for key, spot in self.frames.items() if spot.revision > seq)

    def _note(self, first: Line, group: list[Placed], keys: tuple[FrameKey, ...]) -> None:
        who = first["who"]
        self.last_edit = first["t"], who
        self._edits[first["edit"]] = keys
        if len(self._edits) > _REMEMBERED:
            self._edits.popitem(last=False)
        if who not in self._undo:
            self._undo[who], self._redo[who] = Steps(), Steps()
        undo, redo = self._undo[who], self._redo[who]
        gesture = ""
        if first["op"] == "undo":
            _move(undo, redo, first.get("of"))
        elif first["op"] == "redo":
            _move(redo, undo, first.get("of"))
        else:
            gesture = str(first.get("gesture") or "")
            step = Step(first["seq"], group[0].start, group[-1].end)
            top = undo.top if gesture and gesture == self._gesture else None
            if top is not None and top.end == step.start:
                undo.pop()
                step = step._replace(seq=top.seq, start=top.start)
            undo.push(step)
            if redo:
                redo.clear()
        self._gesture = gesture


def groups(lines: Iterable[Placed]) -> Iterator[list[Placed]]:
    """Yield the lines of each edit together; an edit that lacks its last line is not yielded."""
    group: list[Placed] = []
    for placed in lines:
        group.append(placed)
        if not placed.line.get("more"):
            yield group
            group = []


def _settings(line: Line) -> Settings:
    texts = [line.get(name, "") for name in ("theta", "version", "polarity", "reading")]
    return Settings(*(text if isinstance(text, str) else "" for text in texts))


def _move(source: Steps, target: Steps, seq: object) -> None:
    """Move a step from one stack to the other, with whatever lies above it."""
    if seq not in source:
        return
    while True:
        step = source.pop()
        target.push(step)
        if step.seq == seq:
            return
