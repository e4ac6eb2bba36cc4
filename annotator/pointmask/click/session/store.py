"""Frames and the journal, in step: a frame is what its lines say, and no line is written without it."""

import json
import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pointmask.click.contract.base import Base
from pointmask.click.contract.errors import JournalError, NotWrittenError
from pointmask.click.contract.targets import ClickFrame
from pointmask.click.journal.file import JournalFile
from pointmask.click.journal.fold import after_all, applied
from pointmask.click.journal.index import FrameKey, Placed, Step
from pointmask.click.journal.lines import Line, dump_line, parse_line
from pointmask.click.journal.read import read_journal
from pointmask.folder.records.manifest import Settings
from pointmask.io.own import check_plain

_FRAMES = 512  # kept as they stand; 10,000 targets take some 10 MB

Body = Mapping[str, Any]
"""Fields of a line besides seq, t, who, edit and more."""


class Store:
    """
    The journal of a folder, and its frames.

    Always close it (`contextlib.closing`). Not for several threads at once.

    Parameters
    ----------
    path : Path
        The journal.
    who : str
        Annotator.
    basis : Settings
        Of this session.
    base : Base, optional
    read_only : bool
        Refuse to write, and leave the file alone.
    up_to_damage : bool
        Leave out what is behind a line that is not pointmask's, instead of raising.

    Attributes
    ----------
    index : JournalIndex
    cut : int
        Bytes of an unfinished edit that were cut off.

    Raises
    ------
    JournalError
        If the journal is damaged.
    NotWrittenError
        If it cannot be written.
    OutputError
        If it is to be written and is a link or a folder.
    """

    def __init__(
        self,
        path: Path,
        who: str,
        basis: Settings,
        base: Base | None = None,
        *,
        read_only: bool = False,
        up_to_damage: bool = False,
    ) -> None:
        if not read_only:
            check_plain(path)
        reading = read_journal(path, up_to_damage=up_to_damage)
        self.index, self.cut = reading.content, reading.cut
        self.who, self.basis, self.base = who, basis, base
        self._path = path
        self._frames: OrderedDict[FrameKey, ClickFrame] = OrderedDict()
        self._file = None if read_only else JournalFile(path, reading.end, self.index.seq)

    def close(self) -> None:
        """Sync and close the journal."""
        if self._file is not None:
            self._file.close()

    def sync(self) -> None:
        """Wait until the disk holds the journal; see `JournalFile.sync`."""
        if self._file is not None:
            self._file.sync()

    @property
    def durable(self) -> int:
        """Number of the last line that the disk is known to hold."""
        return self.index.seq if self._file is None else self._file.durable

    def get(self, key: FrameKey) -> ClickFrame:
        """Return a frame as it stands."""
        frame = self._frames.get(key)
        if frame is None:
            frame = self._folded(key)
            self._keep(key, frame)
        self._frames.move_to_end(key)
        return frame

    def keep(self, frame: ClickFrame) -> None:
        """Remember masks that were made of a frame's points; no line tells of them yet."""
        self._keep((frame.image, frame.frame), frame)

    def lines(self, step: Step) -> list[Line]:
        """Return the lines of a step."""
        return [parse_line(line) for line in self._read(step.start, step.end).splitlines(keepends=True)]

    def frame_lines(self, key: FrameKey) -> list[Line]:
        """Return the lines about a frame, in order."""
        spot = self.index.frames.get(key)
        return [] if spot is None else [parse_line(self._line_at(place)) for place in spot.places]

    def write(self, edits: Sequence[tuple[Body, Sequence[Body]]]) -> None:
        """
        Write edits, all or none.

        Parameters
        ----------
        edits : sequence of (head, bodies)
            For each edit, the fields that all its lines have, such as ``edit``, and the others of each line.

        Raises
        ------
        NotWrittenError
            If the journal cannot be written; then nothing has changed.
        """
        if self._file is None:
            raise NotWrittenError(f"{self._path.parent} is open for reading only; start without --read-only")
        now = time.time_ns() // 1_000_000
        seq = self.index.seq
        made: list[list[tuple[Line, bytes]]] = []
        for head, bodies in edits:
            group = []
            for count, body in enumerate(bodies, 1):
                seq += 1
                line: Line = {"seq": seq, "t": now, "who": self.who, **head, **body}
                if count < len(bodies):
                    line["more"] = True
                group.append((line, dump_line(line)))
            made.append(group)
        data = b"".join(text for group in made for _, text in group)
        if not data:
            return
        start = self._file.append(data, seq)
        for group in made:
            placed = []
            for _, text in group:
                placed.append(Placed(start, start + len(text), json.loads(text)))
                start += len(text)
            self.index.add(placed)
            self._follow(placed)

    def _follow(self, group: Iterable[Placed]) -> None:
        """Bring the frames at hand up to lines that were written."""
        for placed in group:
            line = placed.line
            if "image" in line:
                key = line["image"], line["frame"]
                frame = self._frames.get(key)
                if frame is not None:
                    # What the folder held before is put into the first lines, and counts no more.
                    start = frame if frame.revision else ClickFrame(image=key[0], frame=key[1])
                    self._keep(key, applied(start, line, self.index.basis(line["seq"])))

    def _folded(self, key: FrameKey) -> ClickFrame:
        lines = self.frame_lines(key)
        start = ClickFrame(image=key[0], frame=key[1])
        if not lines:
            return start if self.base is None else self.base.frame(key) or start
        try:
            frame = after_all(start, ((line, self.index.basis(line["seq"])) for line in lines))
            for target in frame.targets:
                target.crop(frame.shape)
        except (JournalError, ValueError) as error:  # the latter of run lengths that are no mask of the frame
            raise self._contradiction(key, error) from None
        return frame

    def _contradiction(self, key: FrameKey, error: Exception) -> JournalError:
        return JournalError(
            f"{self._path}: the lines about {key[0]}, frame {key[1]}, contradict each other ({error}); put "
            "back a copy that is whole"
        )

    def _keep(self, key: FrameKey, frame: ClickFrame) -> None:
        self._frames[key] = frame
        if len(self._frames) > _FRAMES:
            self._frames.popitem(last=False)

    def _line_at(self, place: int) -> bytes:
        if self._file is not None:
            size = 4096
            while True:
                data = self._file.read(place, min(place + size, self._file.end))
                newline = data.find(b"\n")
                if newline >= 0:
                    return data[: newline + 1]
                size *= 8
        with self._path.open("rb") as file:
            file.seek(place)
            return file.readline()

    def _read(self, start: int, end: int) -> bytes:
        if self._file is not None:
            return self._file.read(start, end)
        with self._path.open("rb") as file:
            file.seek(start)
            return file.read(end - start)
