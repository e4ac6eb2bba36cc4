"""Resident memory of this process while a job runs."""

import threading

import psutil

from pointmask.executors import Progress

MIB = 1 << 20


class Meter:
    """
    Samples resident memory, beside the number of images done.

    Parameters
    ----------
    seconds : float
        Between two samples.

    Attributes
    ----------
    baseline : float
        MiB before anything was done.
    done, mib : list
        Samples: images done, and MiB.
    """

    def __init__(self, seconds: float = 0.2) -> None:
        self._process = psutil.Process()
        self._seconds = seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._seen = 0
        self.done: list[int] = []
        self.mib: list[float] = []
        self.baseline = self._process.memory_info().rss / MIB

    def note(self, progress: Progress) -> None:
        """Take over how far the job is."""
        self._seen = progress.seen

    def __enter__(self) -> "Meter":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._sample()

    def _watch(self) -> None:
        while not self._stop.wait(self._seconds):
            self._sample()

    def _sample(self) -> None:
        self.done.append(self._seen)
        self.mib.append(round(self._process.memory_info().rss / MIB, 2))
