"""One writer of an output folder, who says who it is."""

import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from pointmask.errors import LockedError, OutputError
from pointmask.io.files import write_whole
from pointmask.io.lock import only_job
from pointmask.printable import printable
from pointmask.settings import parse_json

_HOLDER = ".clicks-holder.json"
_BEAT = 10.0  # seconds between two signs of life, where the system has no locks
_DEAD = 3  # beats without a sign
_SETTLED = 0.5  # seconds until of two who came at once both see who was the later


@dataclass(frozen=True, slots=True)
class _Holder:
    """Who holds a folder."""

    annotator: str
    host: str
    process: int
    since: int
    session: str

    def __str__(self) -> str:
        since = time.strftime("%Y-%m-%d %H:%M", time.localtime(self.since))
        return f"{self.annotator!r} on {printable(self.host)}, process {self.process}, since {since}"

    @property
    def is_over(self) -> bool:
        """Whether it is known that the process has ended: only that of this machine can be."""
        if os.name != "posix" or self.host != socket.gethostname():
            return False
        try:
            os.kill(self.process, 0)
        except ProcessLookupError:
            return True
        except OSError:
            pass
        return False


@contextmanager
def hold_folder(out: Path, annotator: str, warn: Callable[[str], None] | None = None) -> Iterator[None]:
    """
    Hold an output folder, as `pointmask.io.lock.only_job` does, for a named annotator.

    Parameters
    ----------
    out : Path
        Made if it is missing.
    annotator : str
    warn : callable, optional
        Takes a sentence if the folder lies where there are no locks. A file then says every 10 s that the
        session lives; two machines tell each other by it, but not in the same half second.

    Raises
    ------
    LockedError
        If another process holds it: it says who, where and since when, if that one is a click session.
    OutputError
        If the folder cannot be made or written to.
    """
    mine = _Holder(annotator, socket.gethostname(), os.getpid(), int(time.time()), secrets.token_hex(8))
    try:
        with only_job(out) as is_held:
            if not is_held:
                _take_without_lock(out, mine, warn)
            write_whole(out / _HOLDER, json.dumps(asdict(mine)), durable=False)
            over = threading.Event()
            if not is_held:
                threading.Thread(target=_beat, args=(out, mine, over, warn), daemon=True).start()
            try:
                yield
            finally:
                over.set()
                if _read(out) in (mine, None):
                    with suppress(OSError):
                        (out / _HOLDER).unlink()
    except LockedError as error:
        raise LockedError(f"{error}{_who(out)}") from None


def _take_without_lock(out: Path, mine: _Holder, warn: Callable[[str], None] | None) -> None:
    """Write that the folder is ours, unless another gave a sign of life of late."""
    other = _read(out)
    if other is not None and not other.is_over and _age(out) < _DEAD * _BEAT:
        raise LockedError(
            f"another pointmask job is writing to {out}; wait for it to end, which is known after "
            f"{_DEAD * _BEAT:g} s without a sign of it, or choose another --out"
        )
    write_whole(out / _HOLDER, json.dumps(asdict(mine)), durable=False)
    time.sleep(_SETTLED)
    if _read(out) != mine:
        raise LockedError(f"another pointmask job began to write to {out} at this moment")
    if warn is not None:
        warn(
            f"{out} lies on a drive without locks: let no other command write there meanwhile. Pages know of "
            f"each other by {_HOLDER}, which is renewed every {_BEAT:g} s"
        )


def _age(out: Path) -> float:
    """Return the seconds since the last sign of life, by the clock of the drive: those of machines differ."""
    probe = out / f"{_HOLDER}.{secrets.token_hex(4)}"
    try:
        probe.touch()
        now = probe.stat().st_mtime
        probe.unlink()
        return now - (out / _HOLDER).stat().st_mtime
    except OSError as error:
        raise OutputError(f"{out} cannot be written to ({error.strerror}); choose another --out") from None


def _beat(out: Path, mine: _Holder, over: threading.Event, warn: Callable[[str], None] | None) -> None:
    while not over.wait(_BEAT):
        now = _read(out)
        if now not in (mine, None):
            if warn is not None:
                warn(f"{out} was taken over by {now}: end one of the two")
            return
        with suppress(OSError):  # a folder that is gone is told by the edit that fails
            write_whole(out / _HOLDER, json.dumps(asdict(mine)), durable=False)


def _read(out: Path) -> _Holder | None:
    """Return who holds a folder; None if nothing is known."""
    with suppress(OSError, ValueError, TypeError):
        holder = _Holder(**parse_json((out / _HOLDER).read_bytes()))
        texts, numbers = (holder.annotator, holder.host, holder.session), (holder.process, holder.since)
        if all(isinstance(text, str) for text in texts) and all(0 < number < 2**31 for number in numbers):
            return holder
    return None


def _who(out: Path) -> str:
    """Say who holds a folder, empty if nothing is known."""
    holder = _read(out)
    if holder is None or holder.is_over:
        return ""
    return f". It is {holder}; a page publishes too: Finish, Publish now"
