"""Decoded frames, kept while there is room, and read ahead of the user.

Two frames are decoded at once at most, each for half a minute at most: a drive that hangs then costs one
frame and a message, not the page.
"""

import threading
from collections import OrderedDict, deque
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import TypeVar

from pointmask.click.contract.errors import NotFoundError, SessionError
from pointmask.click.frames.reader import Frame, Stamp, read_frame, stamp_of
from pointmask.errors import ImageError
from pointmask.io.images.source import ImageSource
from pointmask.io.points.names import ImageFrame

ROOM = 2**28
"""Bytes of decoded frames that are kept."""

AT_ONCE = 2
"""Frames decoded at the same time."""

PATIENCE = 30.0
"""Seconds that one file may take."""

K = TypeVar("K")
V = TypeVar("V")

_REMEMBERED = 100_000  # hashes and failures; some 20 MB


@dataclass(slots=True, eq=False)
class _Job:
    """One frame that is being decoded."""

    stamp: Stamp
    done: threading.Event = field(default_factory=threading.Event)
    started: float | None = None
    given_up: bool = False
    result: Frame | ImageError | NotFoundError | None = None


class Frames:
    """
    Frames of a source by name and number.

    All methods may be called from any thread.

    Parameters
    ----------
    images : ImageSource
        Where they lie.
    room : int
        Bytes of pixels to keep; the last frame is kept whatever its size.
    patience : float
        Seconds that one file may take.
    """

    def __init__(self, images: ImageSource, *, room: int = ROOM, patience: float = PATIENCE) -> None:
        self.images = images
        self._room, self._patience = room, patience
        self._kept: OrderedDict[ImageFrame, tuple[Stamp, Frame]] = OrderedDict()
        self._bytes = 0
        self._failed: OrderedDict[ImageFrame, tuple[Stamp, str]] = OrderedDict()
        self._files: OrderedDict[str, tuple[Stamp, str, int]] = OrderedDict()
        self._jobs: dict[ImageFrame, _Job] = {}
        self._lock = threading.Lock()
        self._slots = threading.Semaphore(AT_ONCE)
        self._wanted: deque[ImageFrame] = deque(maxlen=8)
        self._reading_ahead = False

    def load(self, image: str, frame: int) -> Frame:
        """
        Return a frame, decoded anew if its file was changed since.

        Raises
        ------
        GoneError
            If its file is gone.
        NotFoundError
            If the file has no such frame.
        ImageError
            If it cannot be read, or takes longer than is waited for. What cannot be read is not tried again
            until the file changes.
        """
        stamp = stamp_of(self.images, image)
        key = image, frame
        with self._lock:
            known = self._known(key, stamp)
            if isinstance(known, Frame):
                return known
            if isinstance(known, str):
                raise ImageError(known)
            job = self._jobs.get(key)
            if job is None or job.stamp != stamp or job.given_up:
                job = self._jobs[key] = _Job(stamp)
                threading.Thread(target=self._do, args=(key, job), name="decode", daemon=True).start()
        self._wait(job, image)
        if isinstance(job.result, Frame):
            return job.result
        assert job.result is not None
        raise job.result

    def peek(self, image: str, frame: int) -> Frame | None:
        """
        Return a frame if it is decoded and its file is still the same; never wait for a decoder.

        Raises
        ------
        GoneError
            If its file is gone.
        ImageError
            If it is known to be unreadable.
        """
        stamp = stamp_of(self.images, image)
        with self._lock:
            known = self._known((image, frame), stamp)
        if isinstance(known, str):
            raise ImageError(known)
        return known

    def count(self, image: str) -> int | None:
        """Return the number of frames of an image, if a frame of it was ever read."""
        known = self._files.get(image)
        return None if known is None else known[2]

    def is_unreadable(self, image: str) -> bool:
        """Say whether the first frame of an image could not be read."""
        return (image, 0) in self._failed

    def read_ahead(self, keys: Iterable[ImageFrame]) -> None:
        """Decode frames that may be asked for next, one after another, when there is time."""
        with self._lock:
            self._wanted.clear()
            self._wanted.extend(keys)
            if self._reading_ahead or not self._wanted:
                return
            self._reading_ahead = True
        threading.Thread(target=self._read_ahead, name="ahead", daemon=True).start()

    def _read_ahead(self) -> None:
        while True:
            with self._lock:
                if not self._wanted:
                    self._reading_ahead = False
                    return
                image, frame = self._wanted.popleft()
            with suppress(ImageError, SessionError):  # told when it is asked for
                self.load(image, frame)

    def _known(self, key: ImageFrame, stamp: Stamp) -> Frame | str | None:
        """Return the frame, or why it cannot be read; None if neither is known of this file."""
        kept = self._kept.get(key)
        if kept is not None:
            if kept[0] == stamp:
                self._kept.move_to_end(key)
                return kept[1]
            self._bytes -= self._kept.pop(key)[1].pixels.nbytes
        failed = self._failed.get(key)
        if failed is not None:
            if failed[0] == stamp:
                return failed[1]
            del self._failed[key]
        return None

    def _wait(self, job: _Job, image: str) -> None:
        while not job.done.wait(0.05 if job.started is None else self._patience):
            if job.started is None or monotonic() - job.started < self._patience:
                continue
            with self._lock:
                if job.given_up or job.done.is_set():
                    continue
                job.given_up = True
                job.result = ImageError(
                    f"{image}: it is not read within {self._patience:g} s; check the drive, and try again"
                )
                self._slots.release()
                job.done.set()

    def _do(self, key: ImageFrame, job: _Job) -> None:
        self._slots.acquire()
        job.started = monotonic()
        result: Frame | ImageError | NotFoundError
        lasting = True
        try:
            known = self._files.get(key[0])
            content = known[1] if known is not None and known[0] == job.stamp else None
            result = read_frame(self.images, *key, content)
        except NotFoundError as error:
            lasting = False
            result = error
        except ImageError as error:
            result = error
        except MemoryError:
            lasting = False
            result = ImageError(f"{key[0]}: there is not enough memory to decode it; close other programs")
        except Exception as error:  # whoever waits must be told
            result = ImageError(f"{key[0]}: cannot be read ({type(error).__name__}: {error})")
        with self._lock:
            if self._jobs.get(key) is job:
                del self._jobs[key]
            if isinstance(result, Frame):
                self._keep(key, job.stamp, result)
            elif lasting:
                _remember(self._failed, key, (job.stamp, str(result)))
            if not job.given_up:
                job.result = result
                self._slots.release()
                job.done.set()

    def _keep(self, key: ImageFrame, stamp: Stamp, frame: Frame) -> None:
        _remember(self._files, key[0], (stamp, frame.content, frame.frames))
        if key in self._kept:
            self._bytes -= self._kept.pop(key)[1].pixels.nbytes
        self._kept[key] = stamp, frame
        self._bytes += frame.pixels.nbytes
        while self._bytes > self._room and len(self._kept) > 1:
            self._bytes -= self._kept.popitem(last=False)[1][1].pixels.nbytes


def _remember(table: OrderedDict[K, V], key: K, value: V) -> None:
    table[key] = value
    table.move_to_end(key)
    if len(table) > _REMEMBERED:
        table.popitem(last=False)
