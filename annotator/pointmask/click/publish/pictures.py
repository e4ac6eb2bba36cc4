"""``masks/`` while people edit: each mask is written 300 ms after the last edit of its frame."""

import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

from pointmask.click.contract.targets import ClickFrame
from pointmask.click.journal.index import FrameKey
from pointmask.click.publish.entries import entry_of
from pointmask.click.publish.folder import write_mask
from pointmask.click.publish.own import OwnMasks
from pointmask.errors import PointmaskError
from pointmask.folder.records.manifest import Settings
from pointmask.io.layout import stem_of

_REST = 0.3  # seconds without an edit of the frame


class Pictures:
    """
    Writes masks behind the edits; close it (`contextlib.closing`), which writes those that are due.

    A mask that cannot be written, or that a kill prevents, is made good by publishing: the journal holds it.

    Parameters
    ----------
    own : OwnMasks
        The masks that may be written; what may not is told by publishing.
    state : callable
        Returns a frame as it stands.
    sync : callable
        Waits until the disk holds the journal: of a line that a power failure takes, the mask would stay.
    marked : callable
        Returns all frames that were edited.
    basis : Settings
        Of the session.
    """

    def __init__(
        self,
        own: OwnMasks,
        state: Callable[[FrameKey], ClickFrame],
        sync: Callable[[], None],
        marked: Callable[[], Iterable[FrameKey]],
        basis: Settings,
    ) -> None:
        self._own, self._state, self._sync, self._marked, self._basis = own, state, sync, marked, basis
        self._due: dict[FrameKey, float] = {}
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="pointmask-masks", daemon=True)
        self._thread.start()

    def edited(self, key: FrameKey) -> None:
        """Note that a frame was edited."""
        with self._changed:
            is_idle = not self._due
            self._due.pop(key, None)
            self._due[key] = time.monotonic() + _REST
            if is_idle:  # else the thread looks again when the first is due; to wake it delays the answer
                self._changed.notify()

    def left(self, key: FrameKey) -> None:
        """Note that a person went on to another frame: what is due of this one is written now."""
        with self._changed:
            if key in self._due:
                self._due = {key: 0.0, **{other: at for other, at in self._due.items() if other != key}}
                self._changed.notify()

    def close(self) -> None:
        """Write what is due, and end."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while (key := self._next()) is not None:
            with suppress(PointmaskError, OSError), self._own.writing:
                frame = self._state(key)
                if not self._own.refusal(frame, self._stems):
                    self._sync()
                    self._own.claim(frame, durable=True)
                    write_mask(self._own.out, frame, entry_of(frame, self._basis))

    def _stems(self) -> set[str]:
        return {stem_of(image) for image, _ in self._marked()}

    def _next(self) -> FrameKey | None:
        """Wait for the first frame that is due; None at the end."""
        with self._changed:
            while True:
                if self._due:
                    key = next(iter(self._due))
                    wait = 0.0 if self._closed else self._due[key] - time.monotonic()
                    if wait <= 0:
                        del self._due[key]
                        return key
                    self._changed.wait(wait)
                elif self._closed:
                    return None
                else:
                    self._changed.wait()
