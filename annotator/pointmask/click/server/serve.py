"""Start and stop: one process, one socket, until Ctrl+C."""

import signal
import socket
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

import numpy as np
import uvicorn
from starlette.types import ASGIApp
from uvicorn.server import HANDLED_SIGNALS

from pointmask.annotator.image import annotate
from pointmask.click.server.app import make_app
from pointmask.click.server.desk import Desk
from pointmask.click.server.wire.connections import MOST, Connection
from pointmask.theta import Theta

_GRACE = 3  # seconds for answers that are under way at the end


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
        self.app: ASGIApp = make_app(desk, token, self.warm, allowed=allowed, on_first=on_first)
        super().__init__(
            uvicorn.Config(
                self.app,
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
        threading.Thread(target=self._prepare, name="warm", daemon=True).start()
        self.run([bound])

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

    def _prepare(self) -> None:
        """Compile the kernels, then look at what the journal tells of."""
        try:
            compile_kernels(self.desk.session.setup.theta)
        finally:
            self.warm.set()
        self.desk.listing.wait()
        self.desk.note_all()


def compile_kernels(theta: Theta) -> None:
    """Annotate a made-up frame of two targets: afterwards no click waits for a compiler."""
    image = np.random.default_rng(0).normal(100.0, 2.0, (64, 64))
    image[30:33, 30:33] += 40
    image[30:33, 34:36] += 40
    annotate(image.astype(np.float32), [(31, 31), (31, 34)], theta=theta, polarity="auto")
