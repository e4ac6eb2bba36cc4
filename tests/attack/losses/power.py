"""A disk that forgets: what a power failure may leave of a folder, given what was waited for.

In the process that writes, `watch` notes what each ``fsync`` makes safe: the content of a file, or the names
in a folder. After that process was killed, `lose` rewrites its folder as a disk may hold it: of all that was
not waited for, each name and each content by itself is there, or is not, or is as it was before, or is NUL
bytes. Real file systems lose less; whoever survives this survives them.
"""

import json
import os
import random
import shutil
import stat
from pathlib import Path

_LIKES = ("now", "synced", "empty", "zeros", "part")


def watch(folder: Path, mirror: Path) -> None:
    """
    Note from now on, in this process, what is safe of a folder; what is in it now is.

    Each file is seen, as there is no ``syncfs`` any more.
    """
    import ctypes

    mirror.mkdir(parents=True, exist_ok=True)
    real, ctypes.CDLL = os.fsync, lambda name: None
    kept: dict[int, int] = {}

    def fsync(handle):
        handle = handle if isinstance(handle, int) else handle.fileno()
        real(handle)
        found = os.fstat(handle)
        if found.st_ino not in kept:  # while it is open, no other file gets its number
            kept[found.st_ino] = os.dup(handle)
        place = Path(f"/proc/self/fd/{handle}")
        if stat.S_ISDIR(found.st_mode):
            names = {entry.name: entry.inode() for entry in os.scandir(place.readlink())}
            note(f"{found.st_ino}.names", json.dumps(names).encode())
        else:
            note(f"{found.st_ino}.data", place.read_bytes())

    def note(name, data):  # as a whole: another thread may be killing the process
        (mirror / "half").write_bytes(data)
        (mirror / "half").replace(mirror / name)

    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            handle = os.open(path, os.O_RDONLY)
            fsync(handle)
            os.close(handle)
    os.fsync = fsync


def lose(folder: Path, mirror: Path, draw: random.Random) -> None:
    """Leave in a folder what a disk may hold after the power failed."""
    rebuilt = folder.with_name(f"{folder.name}-disk")
    _rebuild(folder, rebuilt, folder, mirror, draw)
    shutil.rmtree(folder)
    rebuilt.rename(folder)
    shutil.rmtree(mirror)


def _rebuild(folder: Path, out: Path, root: Path, mirror: Path, draw: random.Random) -> None:
    out.mkdir()
    now = {path.name: path.lstat().st_ino for path in folder.iterdir()}
    names = mirror / f"{folder.stat().st_ino}.names"
    safe = json.loads(names.read_text()) if names.exists() else {}
    by_number = {path.lstat().st_ino: path for path in root.rglob("*")}
    held = {name: draw.choice([now.get(name), safe.get(name)]) for name in sorted(now.keys() | safe.keys())}
    for name, number in safe.items():  # a file that was renamed has one of its two names
        if number in now.values() and number not in held.values():
            held[name] = number
    for name, number in held.items():
        path = by_number.get(number)
        if number is None:
            continue
        if path is not None and path.is_dir():
            _rebuild(path, out / name, root, mirror, draw)
        elif path is not None and path.is_symlink():
            (out / name).symlink_to(path.readlink())
        else:
            _write(out / name, path, mirror / f"{number}.data", draw)


def _write(out: Path, path: Path | None, synced: Path, draw: random.Random) -> None:
    """Write what is left of one file."""
    kept = synced.read_bytes() if synced.exists() else b""
    data = path.read_bytes() if path is not None else kept
    like = "now" if data == kept and synced.exists() else draw.choice(_LIKES)
    room = max(0, len(data) - len(kept))
    part = len(kept) + draw.randint(0, min(room, draw.choice([15, room])))  # also within the first word
    # A file that grew keeps what was waited for; one that is new may keep nothing.
    out.write_bytes(
        {
            "now": data,
            "synced": kept,
            "empty": kept,
            "zeros": kept + b"\0" * room,
            "part": data[:part] if data.startswith(kept) else kept,
        }[like]
    )
