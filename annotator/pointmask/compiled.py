"""Kernels are compiled once, and kept under a key of all their sources: no change of any is ever overlooked.

Numba's own cache looks at the file of the cached function alone, although its machine code holds that of all
functions it calls: after a change of one that ``potential`` calls, it went on as before, and gave other masks
than the sources say, without a word (2026-11-29). So all kernels lie in a folder whose name is a hash of the
sources of all of them and of the versions that compile them. Its index is a pickle, so the folder must belong
to the user, and nobody else may write to it. Without such a folder nothing is kept, and everything works.
When a new version makes its folder, those go that no process has used for a month.
"""

import os
import re
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache, wraps
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba.core.event import Event, Listener, register


class _Clock(Listener):
    """Time spent on compiling: of the processor by thread, and on the wall."""

    def __init__(self) -> None:
        self.of_thread = threading.local()
        self.wall = 0.0  # one thread compiles at a time

    def on_start(self, event: Event) -> None:
        """Start at the outermost function: those that it calls are compiled within."""
        mine = self.of_thread
        mine.depth = getattr(mine, "depth", 0) + 1
        if mine.depth == 1:
            mine.since = time.thread_time(), time.perf_counter()

    def on_end(self, event: Event) -> None:
        """Stop with the outermost function."""
        mine = self.of_thread
        mine.depth -= 1
        if mine.depth == 0:
            mine.spent = getattr(mine, "spent", 0.0) + time.thread_time() - mine.since[0]
            self.wall += time.perf_counter() - mine.since[1]


_CLOCK = _Clock()
cast(Any, register)("numba:compile", _CLOCK)


def seconds_of_thread() -> float:
    """Return the processor time in seconds that this thread has spent on compiling."""
    return float(getattr(_CLOCK.of_thread, "spent", 0.0))


def seconds_on_the_wall() -> float:
    """Return for how many seconds this process has been compiling."""
    return _CLOCK.wall


F = TypeVar("F", bound=Callable[..., Any])

_NUMBA: Any = numba  # some versions of it are typed, and others are not

_FOLDER = re.compile(r"kernels-[0-9a-f]{16}")
_KEPT = re.compile(r".+\.nb[ic](\..+)?")  # numba's index and data, and what it writes before it renames it
_USED = ".used"  # locked by every process that uses a folder, for as long as it runs
_UNUSED_FOR = 30 * 24 * 3600  # seconds

_SOURCES = "**/kernels/*.py"  # of the package; a test says that kernels import from there alone


def kernel(*, inline: str = "never") -> Callable[[F], F]:
    """
    Compile a function at its first call, without the GIL, and keep the result where that is safe.

    Parameters
    ----------
    inline : {"never", "always"}
        As in `numba.njit`.
    """

    def decorate(function: F) -> F:
        folder = cache_folder()
        if folder is None:
            return _njit(function, inline=inline)
        with _kept_in(folder):
            try:
                compiled = _njit(function, inline=inline, cache=True)
            except RuntimeError:  # numba cannot write there after all
                return _njit(function, inline=inline)
        _tolerate_damage(getattr(compiled, "_cache", None))
        return compiled

    return decorate


def _njit(function: F, **options: Any) -> F:  # noqa: ANN401 - those of numba
    compiled: F = _NUMBA.njit(nogil=True, **options)(function)
    return compiled


def is_compiled(function: Callable[..., Any]) -> bool:
    """Say whether the machine code of a kernel is kept for the present sources and versions."""
    kept = getattr(function, "_cache", None)
    if kept is None or cache_folder() is None:
        return False
    path = Path(str(getattr(kept, "cache_path", "")))
    pattern = f"*.{getattr(function, '__name__', '')}-*.nbi"
    return any(index.stat().st_size > 0 for index in path.glob(pattern))


@cache
def cache_folder() -> Path | None:
    """Return the folder of compiled kernels, made if need be; None if there can be none that is safe."""
    base = _user_cache()
    if base is None:
        return None
    try:
        base.mkdir(parents=True, exist_ok=True)
        for folder in (top := base / "pointmask", top / f"kernels-{sources_key()}"):
            is_new = not folder.exists()
            folder.mkdir(mode=0o700, exist_ok=True)
            if not _is_private(folder):
                return None
    except OSError:
        return None
    with suppress(OSError):  # of a full disk, or one without locks
        _use(folder)
    if is_new:
        with suppress(OSError):
            remove_unused(top)
    return folder


_IN_USE: list[int] = []  # handles of locks, which the system lets go when the process ends


def _use(folder: Path) -> None:
    """Say to other processes, until this one ends, that a folder is in use."""
    os.utime(folder)
    handle = _lock(folder, exclusive=False)
    if handle is not None:
        _IN_USE.append(handle)


def _lock(folder: Path, *, exclusive: bool) -> int | None:
    """Lock a folder, or raise BlockingIOError if it is in use; None where there are no locks."""
    if sys.platform == "win32":  # which removes no file that is open
        return None
    import fcntl

    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    handle = os.open(folder / _USED, flags, 0o600)
    try:
        fcntl.flock(handle, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BaseException:
        os.close(handle)
        raise
    return handle


def remove_unused(top: Path) -> None:
    """
    Remove the folders of compiled kernels that no process uses, or has begun to use for a month.

    Only folders go that are certainly ours: of our name, the user's own, and with nothing in them but what
    numba keeps.

    Parameters
    ----------
    top : Path
        Folder of all of them.

    Raises
    ------
    OSError
        If the folder cannot be read.
    """
    for folder in top.iterdir():
        if not _FOLDER.fullmatch(folder.name) or not _is_private(folder):
            continue
        if time.time() - folder.stat().st_mtime < _UNUSED_FOR:
            continue
        with suppress(OSError):  # such as that it is in use
            _remove(folder)


def _remove(folder: Path) -> None:
    places = list(folder.rglob("*"))
    folders = [place for place in places if place.is_dir() and not place.is_symlink()]
    files = [place for place in places if place not in folders]
    if any(not _KEPT.fullmatch(file.name) and file.name != _USED for file in files):
        return
    used = folder.stat()
    handle = None
    try:
        handle = _lock(folder, exclusive=True)
        for file in files:
            file.unlink()
        (folder / _USED).unlink(missing_ok=True)
        for place in sorted(folders, reverse=True):
            place.rmdir()
        folder.rmdir()
    except OSError:
        os.utime(folder, (used.st_atime, used.st_mtime))  # or a try would count as a use
        raise
    finally:
        if handle is not None:
            os.close(handle)


def _user_cache() -> Path | None:
    """Return the folder for caches of the user, as the system wants it, or as ``NUMBA_CACHE_DIR`` says."""
    asked = os.environ.get("NUMBA_CACHE_DIR") or os.environ.get("XDG_CACHE_HOME")
    if asked:
        return Path(asked).absolute()
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return Path(local) if local else None
    try:
        home = Path.home()
    except RuntimeError:  # a user without an entry, as in some containers
        return None
    return home / ("Library/Caches" if sys.platform == "darwin" else ".cache")


def _is_private(folder: Path) -> bool:
    """Say whether a folder is the user's, and nobody else's to write to."""
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or not os.access(folder, os.W_OK | os.X_OK):
        return False
    if os.name != "posix":  # Windows gives a user's folders to the user alone
        return True
    return found.st_uid == os.getuid() and not found.st_mode & 0o022


@cache
def sources_key() -> str:
    """Return a hash of the sources of all kernels, and of all that turns them into machine code."""
    digest = blake2b(digest_size=8)
    package = Path(__file__).parent
    for path in sorted(package.glob(_SOURCES)):
        digest.update(f"{path.relative_to(package).as_posix()}\0".encode())
        digest.update(path.read_bytes())
    for name in ("numba", "llvmlite", "numpy"):
        digest.update(f"\0{name} {version(name)}".encode())
    digest.update(f"\0{sys.version}".encode())
    return digest.hexdigest()


@contextmanager
def _kept_in(folder: Path) -> Iterator[None]:
    """Let numba keep what is decorated inside in a folder; other functions of the process keep theirs."""
    before = _NUMBA.config.CACHE_DIR
    _NUMBA.config.CACHE_DIR = str(folder)
    try:
        yield
    finally:
        _NUMBA.config.CACHE_DIR = before


def _tolerate_damage(kept: Any) -> None:  # noqa: ANN401 - numba is untyped
    """
    Let a damaged or full cache cost time and nothing else.

    A power failure leaves empty files, on which unpickling raises an EOFError, which click takes for the end
    of the input: the only word of any command was "Aborted!" for ever (2026-11-29).
    """
    if kept is None:
        return
    load, save = kept.load_overload, kept.save_overload

    @wraps(load)
    def load_or_compile(*arguments: Any) -> Any:  # noqa: ANN401
        try:
            return load(*arguments)
        except Exception:  # a pickle raises anything
            with suppress(Exception):
                kept.flush()
            return None

    @wraps(save)
    def save_if_possible(*arguments: Any) -> None:  # noqa: ANN401
        with suppress(Exception):  # of the disk, or of a damaged index
            save(*arguments)

    kept.load_overload, kept.save_overload = load_or_compile, save_if_possible
