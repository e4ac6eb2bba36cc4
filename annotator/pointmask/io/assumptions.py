"""What readers took for granted about a file, gathered so that a user reads one line per kind of it.

A reader calls `assume`; without anybody who listens this costs next to nothing. The command line gathers
with `Assumptions` while a command runs, and prints the lines at its end.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_LOG = logging.getLogger("pointmask.assumptions")
_LOG.addHandler(logging.NullHandler())
_MOST_NAMES = 10_000  # per kind: more are counted as "at least", so that memory stays flat


def assume(what: str, name: str) -> None:
    """
    Say what is assumed of one file.

    Parameters
    ----------
    what : str
        The same words for all files of a kind, such as ``turned upright as its EXIF orientation says``.
    name : str
        Of the file.
    """
    _LOG.info("%s: %s", name, what, extra={"what": what, "file": name})


class Assumptions(logging.Handler):
    """Gathers what is assumed, by kind; any number of threads may say something."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self._names: dict[str, dict[str, None]] = {}
        self._guard = threading.Lock()

    def emit(self, record: logging.LogRecord) -> None:
        """Take in one record of `assume`."""
        what, name = getattr(record, "what", ""), getattr(record, "file", "")
        with self._guard:
            names = self._names.setdefault(what, {})
            if len(names) < _MOST_NAMES:
                names[name] = None

    def lines(self) -> Iterator[str]:
        """Yield one line per kind: what was assumed, of how many files, and one of them."""
        with self._guard:
            for what, names in self._names.items():
                count = f"at least {len(names):,}" if len(names) >= _MOST_NAMES else f"{len(names):,}"
                files = "file" if len(names) == 1 else "files"
                yield f"{count} {files} {what} (such as {min(names)})"


@contextmanager
def gathered() -> Iterator[Assumptions]:
    """Gather what is assumed while the block runs."""
    handler, level = Assumptions(), _LOG.level
    _LOG.addHandler(handler)
    _LOG.setLevel(logging.INFO)
    try:
        yield handler
    finally:
        _LOG.removeHandler(handler)
        _LOG.setLevel(level)
