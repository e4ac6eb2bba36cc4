"""How a process ends that is told to stop: tidied up, and with the exit status of convention.

Signals of the system (a shutdown, a closed terminal, the end of a batch job's time) become exceptions, as
Ctrl-C does, so that temporary files go and journals are closed. The exit status is 128 plus the signal's
number.
"""

import atexit
import gc
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

_SIGNALS = ("SIGTERM", "SIGHUP")  # Python raises KeyboardInterrupt at SIGINT by itself


class StoppedError(KeyboardInterrupt):
    """
    A signal told the process to end.

    Attributes
    ----------
    number : int
        The signal's number.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


@contextmanager
def signals_stop() -> Iterator[None]:
    """Raise `StoppedError` at signals that would end the process; those that are ignored stay so."""
    before: dict[int, object] = {}

    def stop(number: int, frame: FrameType | None) -> None:
        raise StoppedError(number)

    for name in _SIGNALS:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) == signal.SIG_DFL:
            with suppress(ValueError):  # not the main thread, as in a test or a notebook
                before[number] = signal.signal(number, stop)
    try:
        yield
    finally:
        for number in before:
            signal.signal(number, signal.SIG_DFL)


def end_at_once() -> None:
    """Let this process end without a last search for garbage.

    Between Ctrl-C and the prompt it took 0.9 s of processor time after a training (0.13 without), as it walks
    through all that was imported; 0.4 s after torch alone.
    """
    atexit.unregister(gc.freeze)  # once is enough
    atexit.register(gc.freeze)


def leave_daemons() -> None:
    """
    Let the program end without taking its libraries down, if a daemon thread is still at work by then.

    LLVM's own clearing up, while a thread compiled, crashed 2 of 60 sessions that were stopped within three
    seconds of their first start. Waiting for the compiler would take up to 20 s. Such threads have nothing
    to save.
    """
    atexit.unregister(_leave)  # once is enough
    atexit.register(_leave)


def note_status(error: BaseException) -> None:
    """Note with what the program is about to end: without it, nothing is left; see `leave_daemons`."""
    code = error.code if isinstance(error, SystemExit) else 1
    _status[:] = [code if isinstance(code, int) else int(code is not None)]


_status: list[int] = []


def _leave() -> None:
    # Only the program knows how it ends: tests and scripts that serve a page end with a status of their own.
    if not _status or not any(thread.daemon for thread in threading.enumerate()):
        return
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, OSError, ValueError):  # none, a reader that is gone, closed
            stream.flush()
    os._exit(_status[0])


def status_of(error: BaseException) -> int:
    """Return the exit status of convention for an interrupt, or for a reader that went away."""
    if isinstance(error, BrokenPipeError):
        return 128 + getattr(signal, "SIGPIPE", 13)
    return 128 + int(error.number if isinstance(error, StoppedError) else signal.SIGINT)


def stop_behind(error: OSError) -> KeyboardInterrupt | None:
    """Return the interrupt that was on its way when an error came, as from a terminal that was closed."""
    before: BaseException | None = error
    while before is not None:
        if isinstance(before, KeyboardInterrupt):
            return before
        before = before.__context__
    return None


def drop_output() -> None:
    """Send the rest of the output nowhere, as its reader is gone: at the end Python would complain of it."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
