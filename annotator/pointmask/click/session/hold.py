"""One writer of an output folder, who says who it is."""

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pointmask.errors import LockedError
from pointmask.io.files import write_whole
from pointmask.io.lock import only_job

_HOLDER = ".clicks-holder.json"


@contextmanager
def hold_folder(out: Path, annotator: str) -> Iterator[None]:
    """
    Hold an output folder, as `pointmask.io.lock.only_job` does, for a named annotator.

    Parameters
    ----------
    out : Path
        Made if it is missing.
    annotator : str

    Raises
    ------
    LockedError
        If another process holds it: it says who, where and since when, if that one is a click session.
    OutputError
        If the folder cannot be made or written to.
    """
    try:
        with only_job(out):
            mine = {
                "annotator": annotator,
                "host": socket.gethostname(),
                "process": os.getpid(),
                "since": int(time.time()),
            }
            write_whole(out / _HOLDER, json.dumps(mine), durable=False)
            try:
                yield
            finally:
                with suppress(OSError):
                    (out / _HOLDER).unlink()
    except LockedError as error:
        raise LockedError(f"{error}{_who(out)}") from None


def _who(out: Path) -> str:
    """Say who holds a folder, empty if nothing is known."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        holder = json.loads((out / _HOLDER).read_bytes())
        if os.name == "posix" and holder["host"] == socket.gethostname():
            os.kill(holder["process"], 0)  # raises if it is over, and what it left says nothing
        since = time.strftime("%Y-%m-%d %H:%M", time.localtime(holder["since"]))
        return (
            f". It is {holder['annotator']!r} on {holder['host']}, process {holder['process']}, since {since}"
            "; a page publishes too: Finish, Publish now"
        )
    return ""
