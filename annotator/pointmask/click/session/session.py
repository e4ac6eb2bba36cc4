"""The whole of a click session: frames as they stand, edits, undo and redo, previews, what changed."""

import os
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pointmask.click.contract.edits import AnyEdit
from pointmask.click.contract.errors import ConflictError, GoneError, InvalidError
from pointmask.click.contract.source import DecodedFrame, FrameSource
from pointmask.click.contract.targets import Answer, ClickFrame, ClickTarget, FrameChange, change_between
from pointmask.click.journal.index import FrameKey
from pointmask.click.masks.divided import Masks, described
from pointmask.click.masks.undivided import Undivided, Wish
from pointmask.click.session import limits
from pointmask.click.session.compose import edit_lines, target_lines
from pointmask.click.session.handle import Handler
from pointmask.click.session.history import Returned, do_again, take_back
from pointmask.click.session.store import Base, Body, Store
from pointmask.folder.records.manifest import Settings
from pointmask.io.layout import CLICKS
from pointmask.theta import Polarity, Theta
from pointmask.version import __version__


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """
    What a session is started with.

    Attributes
    ----------
    out : Path
        Existing output folder, locked by the caller (see `pointmask.click.session.hold.hold_folder`).
    annotator : str
        Name, 1 to 64 printable characters.
    theta : Theta
    polarity : {"bright", "dark", "auto"}
    reading : str
        What the user said about the files; see `pointmask.io.images.kinds.Reading`.
    images : str
        Where the images are, as the user said it.
    labels : tuple of str
    shard : str
        Such as ``3/10``.
    read_only : bool
        Look, and write nothing.
    """

    out: Path
    annotator: str
    theta: Theta
    polarity: Polarity = "bright"
    reading: str = ""
    images: str = ""
    labels: tuple[str, ...] = ()
    shard: str = "1/1"
    read_only: bool = False


class Session:
    """
    A person at work on a click folder.

    All methods may be called from any thread; one at a time does its work. Close it at the end
    (`contextlib.closing`): that syncs the journal. Answers are given when the journal file holds the edit;
    the disk holds it within 100 ms (`durable`).

    Parameters
    ----------
    setup : Setup
    frames : FrameSource
        Decoded frames by name.
    base : Base, optional
        What was known of frames before the first line about them.

    Attributes
    ----------
    setup : Setup
    cut : int
        Bytes of an unfinished edit that were cut off the journal's end.

    Raises
    ------
    InvalidError
        If the annotator's name cannot be stored.
    JournalError
        If the journal is damaged: with file, line and what to do.
    NotWrittenError
        If the journal cannot be written.
    """

    def __init__(self, setup: Setup, frames: FrameSource, base: Base | None = None) -> None:
        limits.name(setup.annotator, "annotator")
        self.setup = setup
        self._source = frames
        self._lock = threading.RLock()
        basis = Settings(setup.theta.digest, __version__, setup.polarity, setup.reading)
        self._store = Store(setup.out / CLICKS, setup.annotator, basis, base, read_only=setup.read_only)
        self.cut = self._store.cut
        self._makers = Undivided(setup.theta)
        self._masks = Masks(self._makers, basis, setup.polarity)
        self._handler = Handler(self._masks, setup.theta, setup.polarity, basis, setup.annotator)
        if not setup.read_only:
            self._open(basis)

    def close(self) -> None:
        """Sync and close the journal."""
        with self._lock:
            self._store.close()

    @property
    def seq(self) -> int:
        """Number of the journal's last line."""
        return self._store.index.seq

    @property
    def durable(self) -> int:
        """Number of the last line that the disk is known to hold."""
        return self._store.durable

    @property
    def last_edit(self) -> tuple[int, str] | None:
        """Time (ms since 1970) and annotator of the last edit."""
        return self._store.index.last_edit

    def frame(self, image: str, frame: int) -> ClickFrame:
        """
        Return a frame as it stands.

        Raises
        ------
        ImageError, NotFoundError, GoneError
            From the frame source, if masks have to be made of points that the session was started with.
        """
        with self._lock:
            return self._seeded(self._store.get((image, frame)))

    def marked(self) -> dict[tuple[str, int], int]:
        """Return the revisions of all frames that the journal tells of, by image and frame."""
        with self._lock:
            return {key: spot.revision for key, spot in self._store.index.frames.items()}

    def edit(self, edits: Sequence[AnyEdit]) -> Answer:
        """
        Do edits: all of them, or none.

        Parameters
        ----------
        edits : sequence of edits
            Those whose identifier is known are not done again; their frames are answered as they stand.

        Returns
        -------
        Answer
            A frame change per frame that they concern.

        Raises
        ------
        InvalidError, NotFoundError
            If one cannot be done.
        GoneError
            If the image is not the file that was marked.
        ConflictError
            If an edit's base is not the revision of its frame.
        NotWrittenError
            If the journal cannot be written.
        ImageError
            If the image cannot be read.
        """
        with self._lock:
            return self._edit(edits)

    def undo(self, steps: int = 1) -> Answer:
        """
        Undo this annotator's last steps, also those of earlier sessions.

        Parameters
        ----------
        steps : int
            At most so many; fewer if there are no more.

        Returns
        -------
        Answer
            Its words say what was undone; none if there was nothing.

        Raises
        ------
        ConflictError
            If a frame was changed since by another annotator.
        NotWrittenError
            If the journal cannot be written.
        """
        with self._lock:
            return self._return("undo", steps)

    def redo(self, steps: int = 1) -> Answer:
        """Do again what was undone; see `undo`."""
        with self._lock:
            return self._return("redo", steps)

    def preview(
        self, image: str, frame: int, row: int, col: int, polarity: Polarity | None = None
    ) -> ClickTarget:
        """
        Return the target that a click would make; nothing is written, and neighbours are not looked at.

        Raises
        ------
        InvalidError
            If the place is outside the frame.
        ImageError, NotFoundError, GoneError
            From the frame source.
        """
        decoded = self._source.load(image, frame)
        shape = decoded.pixels.shape[0], decoded.pixels.shape[1]
        point = limits.place(row, col, shape)
        chosen = limits.polarity(polarity) or self.setup.polarity
        with self._lock:
            solved = self._makers.target(
                decoded.pixels, (decoded.content, frame), Wish(point, chosen, None, 0)
            )
        target = ClickTarget(
            target=0,
            point=point,
            centre=point,
            label=None,
            made="click",
            level=None,
            ring=0,
            polarity=polarity,
            box=solved.box,
            area=solved.area,
            confidence=None,
            flags=(),
            rle="",
            verdict=None,
            who=self.setup.annotator,
            changed=0,
            basis=self._store.basis,
        )
        return described(target, solved, shape)

    def changes(self, since: int, most: int = 1000) -> list[ClickFrame] | None:
        """
        Return the frames that changed after a line.

        Parameters
        ----------
        since : int
            Number of the last line that the page knows.
        most : int
            Frames to tell of.

        Returns
        -------
        list of ClickFrame or None
            None if there are more: then the page loads everything anew.
        """
        with self._lock:
            keys = list(self._store.index.since(since))
            return None if len(keys) > most else [self._store.get(key) for key in keys]

    def _open(self, basis: Settings) -> None:
        setup = self.setup
        body = {
            "op": "open",
            **basis._asdict(),
            "theta_text": setup.theta.to_toml(),
            "images": setup.images,
            "labels": list(setup.labels),
            "shard": setup.shard,
            "host": socket.gethostname(),
            "process": os.getpid(),
        }
        self._store.write([({"edit": ""}, [body])])

    def _load(self, image: str, frame: int) -> DecodedFrame:
        """Return the pixels of a frame, if they are those that were marked."""
        decoded = self._source.load(image, frame)
        known = self._store.get((image, frame)).content
        if known and decoded.content != known:
            raise GoneError(
                f"{image} is not the file that was marked (its content changed); put the old file back, or "
                "use the new one"
            )
        return decoded

    def _seeded(self, frame: ClickFrame) -> ClickFrame:
        """Make the masks of a frame of which only points are known."""
        if all(target.rle for target in frame.targets):
            return frame
        decoded = self._load(frame.image, frame.frame)
        shape = decoded.pixels.shape[0], decoded.pixels.shape[1]
        inside = [t for t in frame.targets if t.point[0] < shape[0] and t.point[1] < shape[1]]
        made = self._masks.divided(decoded, frame.frame, inside)
        frame = replace(
            frame,
            targets=made,
            content=decoded.content,
            shape=shape,
            frames=decoded.frames,
            raster=decoded.raster,
        )
        self._store.keep(frame)
        return frame

    def _edit(self, edits: Sequence[AnyEdit]) -> Answer:
        now = time.time_ns() // 1_000_000
        request = _Request()
        for edit in edits:
            limits.name(edit.edit, "edit identifier")
            known = self._store.index.known(edit.edit)
            if known is not None or edit.edit in request.done:
                request.repeated.update(known or ())
            else:
                self._add(request, edit, now)
        self._store.write(request.written)
        frames = [change_between(before, self._store.get(key)) for key, before in request.before.items()]
        for key in request.repeated - request.before.keys():
            frame = self._store.get(key)
            frames.append(FrameChange(frame=frame, changed=frame.targets, removed=()))
        return Answer(seq=self.seq, durable=self.durable, frames=tuple(frames))

    def _add(self, request: "_Request", edit: AnyEdit, now: int) -> None:
        """Do one edit of a request, without writing it."""
        key = edit.image, edit.frame
        if key not in request.after:
            request.before[key] = request.after[key] = self._seeded(self._store.get(key))
        frame = request.after[key]
        # Before the request is written, all its edits of a frame know the same revision.
        if edit.base is not None and edit.base != frame.revision:
            raise ConflictError(
                f"{edit.image}, frame {edit.frame}, was changed meanwhile (revision {frame.revision}, not "
                f"{edit.base}); look at it, and edit again",
                frame,
            )
        after, main = self._handler.do(edit, frame, lambda: self._load(*key), now)
        lines: list[Body] = [*edit_lines(frame, after, self._store.basis, main)]
        if not lines:
            return
        if not frame.revision and frame is request.before[key] and frame.targets:
            request.written.append(({"edit": ""}, target_lines(frame, self._store.basis)))
        head = {"edit": edit.edit} | ({"gesture": edit.gesture} if edit.gesture else {})
        request.written.append((head, lines))
        request.done.add(edit.edit)
        request.after[key] = after

    def _return(self, op: str, steps: int) -> Answer:
        if type(steps) is not int or not 1 <= steps <= 100:
            raise InvalidError(f"steps is {steps!r}; 1 to 100 can be taken at once")
        first: dict[FrameKey, ClickFrame] = {}
        words = []
        for _ in range(steps):
            index, who = self._store.index, self.setup.annotator
            step = index.to_undo(who) if op == "undo" else index.to_redo(who)
            if step is None:
                break
            done: Returned = take_back(self._store, step) if op == "undo" else do_again(self._store, step)
            for before, _ in done.frames:
                first.setdefault((before.image, before.frame), before)
            self._store.write([({"edit": f"{op}-{self.seq + 1}"}, done.lines)])
            words.append(done.words)
        frames = [change_between(before, self._store.get(key)) for key, before in first.items()]
        return Answer(seq=self.seq, durable=self.durable, frames=tuple(frames), words=tuple(words))


class _Request:
    """Edits on the way: frames before and after, and what is to be written."""

    def __init__(self) -> None:
        self.before: dict[FrameKey, ClickFrame] = {}
        self.after: dict[FrameKey, ClickFrame] = {}
        self.repeated: set[FrameKey] = set()
        self.done: set[str] = set()
        self.written: list[tuple[Body, Sequence[Body]]] = []
