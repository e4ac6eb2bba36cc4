"""Start and stop: one process, one socket, until Ctrl+C."""

import ctypes
import gc
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress

import numpy as np
import uvicorn
from uvicorn.server import HANDLED_SIGNALS

from pointmask.annotator.image import annotate
from pointmask.click.publish.folder import Cancelled
from pointmask.click.server.app import make_app
from pointmask.click.server.desk import Desk
from pointmask.click.server.jobs import Jobs
from pointmask.click.server.wire.bodies import Bodies
from pointmask.click.server.wire.connections import MOST, Connection
from pointmask.click.server.wire.guard import Guard
from pointmask.errors import PointmaskError
from pointmask.stopping import leave_daemons
from pointmask.theta import Theta

_M_MMAP_THRESHOLD = -3  # in malloc.h
_SMALL = 2**17  # bytes; more are asked of the system, and given back to it
_GRACE = 3  # seconds for answers that are under way at the end
_PUBLISH_EVERY = 600.0  # seconds
_SWITCH = 0.001  # seconds between two threads that both want the interpreter
_IDLE = 60_000  # ms without an edit


class Server(uvicorn.Server):
    """
    The server of one page.

    Parameters
    ----------
    desk : Desk
        Its listing runs already; its session is closed by the caller.
    token : str
    allowed : collection of str
        See `pointmask.click.server.wire.guard.Guard`.
    on_first : callable, optional
        Called when the first request with the token has come.
    """

    def __init__(
        self,
        desk: Desk,
        token: str,
        *,
        allowed: Collection[str] = (),
        on_first: Callable[[], None] | None = None,
    ) -> None:
        self.warm = threading.Event()
        self.desk = desk
        self._over = threading.Event()
        self.jobs = Jobs()
        self.app = make_app(desk, self.warm, self.jobs)
        super().__init__(
            uvicorn.Config(
                Guard(Bodies(self.app), token, allowed, on_first),
                http=Connection,
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="critical",
                access_log=False,
                server_header=False,
                timeout_keep_alive=60,
                timeout_graceful_shutdown=_GRACE,
                backlog=MOST,
            )
        )

    def run_on(self, bound: socket.socket) -> None:
        """Answer requests on a socket until a signal, or `should_exit`, ends it."""
        give_back_frames()
        leave_daemons()
        threading.Thread(target=self._prepare, name="warm", daemon=True).start()
        publisher = threading.Thread(target=self._keep_published, name="publisher", daemon=True)
        publisher.start()
        # A click would wait for 5 ms, the default, each time that it meets the listing of a large folder.
        before = sys.getswitchinterval()
        sys.setswitchinterval(_SWITCH)
        try:
            self.run([bound])
        finally:
            sys.setswitchinterval(before)
            gc.unfreeze()
            self._over.set()
            self.jobs.close()
            self.app.state.writer.close()
            publisher.join()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Let a signal end the server, and nothing else: what is to be done then is the caller's."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in HANDLED_SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _keep_published(self) -> None:
        """Publish now and then, when something was changed and nobody is at work."""
        session = self.desk.session
        before = None if session.setup.read_only else session.seq
        while before is not None and not self._over.wait(_PUBLISH_EVERY):
            idle = session.last_edit is not None and 1000 * time.time() - session.last_edit[0] > _IDLE
            if session.seq > before and idle:
                with suppress(Cancelled, PointmaskError):  # it is told at the end, or when it is asked for
                    session.publish(cancel=self._over)
                before = session.seq

    def _prepare(self) -> None:
        """Compile the kernels, then look at what the journal tells of."""
        try:
            compile_kernels(self.desk.session.setup.theta)
            gc.collect()
            gc.freeze()  # the compiler's 140,000 objects, which took 70 ms to look through, within a click
        finally:
            self.warm.set()
        self.desk.listing.wait()
        with suppress(PointmaskError):  # of a damaged journal: told for each frame that is opened
            self.desk.note_all()


def give_back_frames() -> None:
    """
    Have the memory of frames given back to the system as soon as they are forgotten.

    The C library of Linux otherwise takes the size of the first frame that is freed for usual, and keeps
    holes of that size between others: over 6,000 edits on 450 frames memory grew by 11 %, now by 1 %.
    """
    if sys.platform == "linux":
        with suppress(AttributeError, OSError):  # another C library, which knows no such setting
            ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _SMALL)


def compile_kernels(theta: Theta) -> None:
    """Annotate a made-up frame of two targets: afterwards no click waits for a compiler."""
    image = np.random.default_rng(0).normal(100.0, 2.0, (64, 64))
    image[30:33, 30:33] += 40
    image[30:33, 34:36] += 40
    annotate(image.astype(np.float32), [(31, 31), (31, 34)], theta=theta, polarity="auto")
