"""Files of many frames that stay open between the tasks of a job, which do them a stretch at a time."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from pointmask.folder.tasks import Task
from pointmask.io.images.file import ImageFile
from pointmask.io.images.kinds import is_video
from pointmask.io.images.source import ImageSource


@dataclass(slots=True)
class Opened:
    """
    An open image file that threads may share.

    Attributes
    ----------
    file : ImageFile
        To be read by whoever holds the guard.
    guard : RLock
        Of the file.
    users : int
        How many tasks read it now.
    """

    file: ImageFile
    guard: threading.RLock = field(default_factory=threading.RLock)
    users: int = 0


class OpenFiles:
    """
    Opens the files of tasks, and keeps one open whose frames are divided among several tasks.

    Opening such a file for each of them would read all its bytes again, for their hash, and follow the chain
    of its pages again: both grow with the square of the number of frames.

    Parameters
    ----------
    images : ImageSource
        What to open from.
    keeps : bool
        Whether to keep files open. A copy in another process does not: it never learns that the job is over.
    """

    def __init__(self, images: ImageSource, *, keeps: bool = True) -> None:
        self.images, self._keeps = images, keeps
        self._kept: dict[str, Opened] = {}
        self._guard = threading.Lock()

    def __reduce__(self) -> tuple[Callable[..., "OpenFiles"], tuple[ImageSource]]:
        return _for_one_task, (self.images,)

    @contextmanager
    def of(self, task: Task) -> Iterator[Opened]:
        """
        Open the file of a task, or give the one that is open.

        A video is held for the whole task: its frames are decoded in their order, not here and there.

        Raises
        ------
        ImageError
            As `pointmask.io.images.source.ImageSource.open`.
        """
        if not (task.is_part and self._keeps):
            with self.images.open(task.image) as file:
                yield Opened(file)
            return
        with self._guard:
            for name in [name for name, kept in self._kept.items() if not kept.users and name != task.image]:
                self._kept.pop(name).file.close()
            if task.image not in self._kept:
                self._kept[task.image] = Opened(self.images.open(task.image))
            opened = self._kept[task.image]
            opened.users += 1
        try:
            if is_video(task.image):
                with opened.guard:
                    yield opened
            else:
                yield opened
        finally:
            with self._guard:
                opened.users -= 1

    def close(self) -> None:
        """Close all files; no task may be running."""
        while self._kept:
            self._kept.popitem()[1].file.close()


def _for_one_task(images: ImageSource) -> OpenFiles:
    return OpenFiles(images, keeps=False)
