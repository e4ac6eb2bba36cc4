"""Long work behind the page: one job at a time, with progress, and an end that can be asked for."""

import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from pointmask.click.contract.errors import NotFoundError
from pointmask.click.publish.folder import Cancelled
from pointmask.errors import PointmaskError
from pointmask.theta import Theta

Report = Callable[[int, int], None]
"""Takes what is done and the total."""


class Result(NamedTuple):
    """
    What a job ended with.

    Attributes
    ----------
    told : dict
        To the page.
    theta : Theta or None
        That a calibration found.
    """

    told: dict[str, Any]
    theta: Theta | None = None


Work = Callable[[Report, threading.Event], Result]
"""Does a job; raises `Cancelled` soon after the event is set."""

_MOST = 100  # jobs that are remembered


@dataclass(eq=False)
class Job:
    """
    One job.

    Attributes
    ----------
    number : int
    kind : str
    state : {"waiting", "running", "done", "failed", "cancelled"}
    done, total : int
        How far it is; ``total`` is 0 as long as it is not known.
    result : dict or None
        What the page is told when it is done.
    theta : Theta or None
        That a calibration found.
    error : str or None
        If it failed.
    """

    number: int
    kind: str
    state: Literal["waiting", "running", "done", "failed", "cancelled"] = "waiting"
    done: int = 0
    total: int = 0
    result: dict[str, Any] | None = None
    theta: Theta | None = None
    error: str | None = None
    cancel: threading.Event = field(default_factory=threading.Event)

    def shape(self) -> dict[str, Any]:
        """Return what the page is told."""
        names = ("kind", "state", "done", "total", "result", "error")
        return {"job": self.number, **{name: getattr(self, name) for name in names}}

    def report(self, done: int, total: int) -> None:
        """Note how far it is."""
        self.done, self.total = done, total


class Jobs:
    """All jobs of a running page; close it at the end."""

    def __init__(self) -> None:
        self._jobs: dict[int, Job] = {}
        self._thread = ThreadPoolExecutor(1, "job")

    def start(self, kind: str, work: Work) -> Job:
        """Queue a job behind those that are there."""
        job = Job(max(self._jobs, default=0) + 1, kind)
        self._jobs[job.number] = job
        self._jobs.pop(job.number - _MOST, None)
        self._thread.submit(_do, job, work)
        return job

    def get(self, number: int) -> Job:
        """
        Return a job.

        Raises
        ------
        NotFoundError
            If there is none of this number.
        """
        job = self._jobs.get(number)
        if job is None:
            raise NotFoundError(f"there is no job {number}; it is over, or the server was started anew")
        return job

    def close(self) -> None:
        """End all jobs, and wait for the one that runs."""
        for job in self._jobs.values():
            job.cancel.set()
        self._thread.shutdown()


def _do(job: Job, work: Work) -> None:
    if job.cancel.is_set():
        job.state = "cancelled"
        return
    job.state = "running"
    try:
        job.result, job.theta = work(job.report, job.cancel)
    except Cancelled:
        job.state = "cancelled"
    except PointmaskError as error:
        job.error, job.state = str(error), "failed"
    except Exception as error:
        job.error = f"something went wrong inside pointmask ({type(error).__name__}: {error})"
        job.state = "failed"
        traceback.print_exc()  # on the terminal, for the authors
    else:
        job.state = "done"
