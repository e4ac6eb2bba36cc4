"""The whole of a click session: frames as they stand, edits, undo and redo, previews, what changed."""

import os
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from pointmask.annotator.rivals import rivals
from pointmask.annotator.single import solve_one
from pointmask.annotator.solved import Solved
from pointmask.click.contract.base import Base
from pointmask.click.contract.edits import AnyEdit
from pointmask.click.contract.errors import NotFoundError, NotWrittenError
from pointmask.click.contract.source import FrameSource
from pointmask.click.contract.targets import Answer, Brief, ClickFrame, ClickTarget
from pointmask.click.journal.index import FrameKey
from pointmask.click.masks.divided import Masks, described
from pointmask.click.masks.undivided import Undivided, Wish
from pointmask.click.publish.folder import Contents, Published, publish
from pointmask.click.publish.own import OwnMasks
from pointmask.click.publish.pictures import Pictures
from pointmask.click.session import limits
from pointmask.click.session.editor import Editor
from pointmask.click.session.handle import Handler
from pointmask.click.session.setup import Setup
from pointmask.click.session.store import Store
from pointmask.folder.records.mask_lines import run_lengths
from pointmask.io.layout import CLICKS
from pointmask.theta import Polarity, Theta


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
        self._source, self._base = frames, base
        self._lock = threading.RLock()
        store = Store(setup.out / CLICKS, setup.annotator, setup.settings, base, read_only=setup.read_only)
        self._store, self.cut = store, store.cut
        self._prepare()
        self._own = OwnMasks(setup.out)
        self._pictures = None
        if not setup.read_only:
            self._pictures = Pictures(self._own, self._state, self._store.sync, self.marked, setup.settings)
            self._open()

    def _prepare(self) -> None:
        """Make what depends on theta."""
        setup = self.setup
        self._basis = self._store.basis = setup.settings
        self._makers = Undivided(setup.theta)
        masks = Masks(self._makers, self._basis, setup.polarity)
        handler = Handler(masks, setup.theta, setup.polarity, self._basis, setup.annotator)
        self._editor = Editor(self._store, self._source, masks, handler, self._base)

    def close(self) -> None:
        """Write the masks that are due, sync and close the journal."""
        if self._pictures is not None:
            self._pictures.close()
        with self._lock:
            self._own.close()
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
            return self._editor.seeded((image, frame))

    def peek(self, image: str, frame: int) -> ClickFrame:
        """Return a frame as far as it is known without opening its image; see `frame`."""
        return self._state((image, frame))

    def left(self, image: str, frame: int) -> None:
        """Note that the person went on to another frame, so that this one's mask is written now."""
        if self._pictures is not None:
            self._pictures.left((image, frame))

    def marked(self) -> dict[tuple[str, int], int]:
        """Return the revisions of all frames that the journal tells of, by image and frame."""
        with self._lock:
            return {key: spot.revision for key, spot in self._store.index.frames.items()}

    def briefs(self) -> Iterator[tuple[FrameKey, list[Brief]]]:
        """Yield all frames of which anything is known, in any order, with their targets in brief."""
        ours = self.marked()
        for key in ours:
            yield key, [Brief.of(target) for target in self._state(key).targets]
        if self._base is not None:
            for key, briefs in self._base.briefs():
                if key not in ours:
                    yield key, briefs

    def soft_label(self, image: str, frame: int, target: int) -> Solved:
        """
        Return what a target's mask is cut from: its soft label, whatever its level or ring are.

        Raises
        ------
        NotFoundError
            If there is no such target.
        ImageError, GoneError
            From the frame source.
        """
        standing = self.frame(image, frame)
        found = standing.get(target)
        if found is None:
            raise NotFoundError(f"{image}, frame {frame}, has no target {target}; it may have been removed")
        pixels, theta = self._source.load(image, frame).pixels, self.setup.theta
        chosen = found.polarity or self.setup.polarity
        others = rivals([other.point for other in standing.targets], theta)[standing.targets.index(found)]
        return solve_one(pixels, found.point, theta=theta, polarity=chosen, others=others)

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
            return self._noted(self._editor.edit(edits))

    def undo(self, steps: int = 1, edit: str = "") -> Answer:
        """
        Undo this annotator's last steps, also those of earlier sessions.

        Parameters
        ----------
        steps : int
            At most so many; fewer if there are no more.
        edit : str
            Identifier of the request, so that it can be sent again.

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
            return self._noted(self._editor.step("undo", steps, edit))

    def redo(self, steps: int = 1, edit: str = "") -> Answer:
        """Do again what was undone; see `undo`."""
        with self._lock:
            return self._noted(self._editor.step("redo", steps, edit))

    def adopt(self, keys: Sequence[FrameKey]) -> None:
        """
        Put what the folder held before a session into the journal: reviewed masks, masks of given points.

        Frames that the journal tells of already stay as they are; see `frame` for what is raised.
        """
        with self._lock:
            self._editor.adopt(keys)

    def use_theta(self, theta: Theta) -> None:
        """
        Go on with another theta. Masks stay as they are until `remake` or an edit makes them anew.

        Raises
        ------
        NotWrittenError
            If the journal cannot be written; the theta is the old one then.
        """
        with self._lock:
            before = self.setup
            self.setup = replace(before, theta=theta)
            self._prepare()
            try:
                self._open()
            except NotWrittenError:
                self.setup = before
                self._prepare()
                raise

    def remake(self, image: str, frame: int) -> ClickFrame:
        """Make the masks of a frame that nobody has judged with the present theta; see `frame` for errors."""
        with self._lock:
            if self._pictures is not None:
                self._pictures.edited((image, frame))
            return self._editor.remake((image, frame))

    def put_carried(
        self, edit: str, start: ClickFrame, carried: Sequence[tuple[ClickFrame, ClickFrame]]
    ) -> Answer:
        """
        Write the targets that were carried through a sequence, as one undo step.

        Parameters
        ----------
        edit : str
            Identifier of the step.
        start : ClickFrame
            The given frame, as it was when it was carried from.
        carried : sequence of (ClickFrame, ClickFrame)
            Each frame as it was then, and as it is to be.

        Raises
        ------
        ConflictError
            If one of them was edited since.
        NotWrittenError
            If the journal cannot be written.
        """
        with self._lock:
            return self._noted(self._editor.put_carried(edit, start, carried))

    def publish(
        self, report: Callable[[int, int], None] | None = None, cancel: threading.Event | None = None
    ) -> Published:
        """
        Bring the folder up to date; see `pointmask.click.publish.folder.publish`. Edits may go on meanwhile.

        Raises
        ------
        OutputError
            If a file cannot be written.
        Cancelled
            If it was stopped.
        """
        with self._lock:
            index, upto = self._store.index, self._store.index.seq
            theta, frames = self.setup.theta.to_toml(), sorted(index.frames)
            contents = Contents(
                self._own, frames, self._state, self._store.sync, self._basis, theta, index.published
            )
        done = publish(contents, report=report, cancel=cancel)
        with self._lock:
            body = {"op": "published", "upto": upto, "files": done.files}
            self._store.write([({"edit": ""}, [body])])
        return done

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
            basis=self._basis,
        )
        return described(target, solved, run_lengths(solved, shape))

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

    def _open(self) -> None:
        setup = self.setup
        body = {
            "op": "open",
            **self._basis._asdict(),
            "theta_text": setup.theta.to_toml(),
            "images": setup.images,
            "labels": list(setup.labels),
            "shard": setup.shard,
            "host": socket.gethostname(),
            "process": os.getpid(),
        }
        self._store.write([({"edit": ""}, [body])])

    def _state(self, key: FrameKey) -> ClickFrame:
        with self._lock:
            return self._store.get(key)

    def _noted(self, answer: Answer) -> Answer:
        """Have the masks of edited frames written in a moment."""
        if self._pictures is not None:
            for change in answer.frames:
                if change.changed or change.removed:
                    self._pictures.edited((change.frame.image, change.frame.frame))
        return answer
