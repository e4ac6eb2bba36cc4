"""What was done to each image while a job runs: a journal that a killed job leaves behind, whole.

A line per finished image is appended to the journal. When the job is over, old and new lines are
sorted into the manifest. Lines stay on disk, the ledger remembers only where each one lies, so that
a million images cost about 300 bytes each.
"""

import errno
import os
from contextlib import suppress
from pathlib import Path
from typing import IO, BinaryIO, NamedTuple

from pointmask.errors import OutputError
from pointmask.manifest import (
    MANIFEST,
    Entry,
    Key,
    Settings,
    Shard,
    Wanted,
    dump,
    entry_lines,
    job_digest,
    merge,
    parse,
    parse_or_raise,
    pick,
    shard_header,
    write_lines,
)
from pointmask.points import Point

try:
    import fcntl
except ImportError:  # Windows: two jobs on one folder go undetected there
    fcntl = None  # type: ignore[assignment]


class Known(NamedTuple):
    """What the ledger keeps in memory of one image."""

    file: int  # which of the ledger's files holds the line
    offset: int  # where in it
    content: str  # hash of the image file; "" for a skipped image
    targets: int
    confidence: float  # sum over targets


class Ledger:
    """
    The entries of an output folder, old and new, while one job runs.

    Close it in any case (`contextlib.closing`): until then it holds a lock on the journal, which stays
    on disk if the job breaks off.

    Parameters
    ----------
    out : Path
        Output folder, which exists.
    shard : Shard
        Which part of the images this job works on.
    settings : Settings
        Of this job.
    wanted : Mapping
        Points by image and frame, of all shards.

    Attributes
    ----------
    known : dict
        `Known` by (image, frame).
    was_broken_off : bool
        Whether an earlier job left its journal, and perhaps temporary files.

    Raises
    ------
    OutputError
        If another job is at work on the same part of this folder.
    """

    def __init__(self, out: Path, shard: Shard, settings: Settings, wanted: Wanted) -> None:
        self._out, self._shard, self._settings, self._wanted = out, shard, settings, wanted
        self.known: dict[Key, Known] = {}
        own = out / shard.journal
        self.was_broken_off = own.exists() or (shard.count == 1 and any(out.glob(".journal-*.jsonl")))
        # Unbuffered, so that a line that does not fit on the disk is not tried again when closing.
        self._journal = own.open("ab", buffering=0)
        self._paths: list[Path] = []
        self._files: dict[int, BinaryIO] = {}
        self._end = -1
        try:
            _lock(self._journal, own)
            opened = [*_open_earlier(out, shard.journal), (own, own.open("rb"))]
            self._paths = [path for path, _ in opened]
            self._files = dict(enumerate(handle for _, handle in opened))
            self._end = _length_of_whole_lines(opened[-1][1])
            self._journal.truncate(self._end)
            for path, handle in opened:
                if shard.count == 1 and path.name.startswith(".journal-"):
                    _lock(handle, path)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close all files; the journal stays where it is, unless nothing was done."""
        if not self._journal.closed and self._end == 0:
            (self._out / self._shard.journal).unlink(missing_ok=True)
        for handle in (*self._files.values(), self._journal):
            handle.close()

    def recall(self, *, overwrite: bool) -> None:
        """
        Read what earlier jobs did, and refuse to mix results that do not belong together.

        Parameters
        ----------
        overwrite : bool
            Forget what differs instead of refusing.

        Raises
        ------
        OutputError
            If a finished entry has other settings or other points than this job, or if a file of
            that name was not written by pointmask.
        """
        for file in range(len(self._paths)):
            for offset, line in entry_lines(self._files[file]):
                entry = parse(line) if overwrite else parse_or_raise(self._paths[file], offset, line)
                if entry is not None:
                    self._recall_entry(entry, file, offset, overwrite=overwrite)

    def _recall_entry(self, entry: Entry, file: int, offset: int, *, overwrite: bool) -> None:
        key = (entry["image"], entry["frame"])
        self.known.pop(key, None)  # lines in later files are newer
        if entry["status"] != "done":
            return
        points = self._wanted.get(key[0], {}).get(key[1])
        difference = self._difference(entry, points)
        if difference and not overwrite:
            raise OutputError(
                f"{self._out} holds results that differ from this job: {difference}; to redo them all, "
                "add --overwrite; to keep them, choose another --out"
            )
        if not difference and (points is not None or (self._out / entry["mask"]).exists()):
            self.known[key] = _known(entry, file, offset)

    def _difference(self, entry: Entry, points: tuple[Point, ...] | None) -> str:
        """Say in words how a finished entry differs from what this job would do; empty if it does not."""
        for name, ours in self._settings._asdict().items():
            if entry[name] != ours:
                return f"{entry['image']} was made with {name} {entry[name]}, now it is {ours}"
        if points is None:
            return ""
        old = [(tuple(target["point"]), target["label"]) for target in entry["targets"]]
        new = [((point.row, point.col), point.label) for point in points]
        if old == new:
            return ""
        return f"{entry['image']} was made with points {_shown(old)}, now they are {_shown(new)}"

    def add(self, entry: Entry) -> None:
        """
        Write one entry to the journal.

        Raises
        ------
        OSError
            As the system reports it, such as a full disk.
        """
        line = dump(entry)
        if self._journal.write(line) != len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._paths[-1]))
        self.known[entry["image"], entry["frame"]] = _known(entry, len(self._paths) - 1, self._end)
        self._end += len(line)

    def publish(self) -> tuple[int, ...]:
        """
        Write the manifest from all entries, then remove what it replaces.

        Returns
        -------
        tuple of int
            The shards that are still to run; empty if the folder's manifest is complete.
        """
        mine = sorted(key for key in self.known if self._shard.owns(key[0]))
        lines = (pick(self._files, *self.known[key][:2]) for key in mine)
        if self._shard.count == 1:
            write_lines(self._out / MANIFEST, lines, self._shard.tag)
            self.close()
            for path in self._paths:
                if path.name != MANIFEST:
                    path.unlink(missing_ok=True)
            return ()
        job = job_digest(self._settings, self._wanted)
        with_header = (line for part in ([shard_header(self._shard, job)], lines) for line in part)
        write_lines(self._out / self._shard.manifest, with_header, self._shard.tag)
        self.close()
        (self._out / self._shard.journal).unlink(missing_ok=True)
        return merge(self._out, self._shard, job)


def _open_earlier(out: Path, own_journal: str) -> list[tuple[Path, BinaryIO]]:
    """
    Open what other jobs wrote, oldest first.

    A shard that finishes at this moment moves its lines from its journal to its manifest to the
    common manifest, so looking for them in this order misses none.
    """
    opened: list[tuple[Path, BinaryIO]] = []
    for pattern in (".journal*.jsonl", "manifest-*-of-*.jsonl", MANIFEST):
        for path in sorted(out.glob(pattern), reverse=True):
            if path.name != own_journal:
                with suppress(FileNotFoundError):
                    opened.append((path, path.open("rb")))
    return opened[::-1]


def _known(entry: Entry, file: int, offset: int) -> Known:
    if entry["status"] != "done":
        return Known(file, offset, "", 0, 0.0)
    targets = entry["targets"]
    return Known(
        file, offset, entry["content"], len(targets), sum(target["confidence"] for target in targets)
    )


def _shown(points: list[tuple[tuple[int, int], str | None]]) -> str:
    """Short text of a point list as users write points: (x, y)."""
    words = [f"({col}, {row}){f' {label}' if label else ''}" for (row, col), label in points[:3]]
    return "[" + ", ".join(words) + (f", ... {len(points)} in all]" if len(points) > 3 else "]")


def _length_of_whole_lines(journal: BinaryIO) -> int:
    """Where to go on: before the half line that a killed job may have left."""
    return max((offset + len(line) for offset, line in entry_lines(journal)), default=0)


def _lock(handle: IO[bytes], path: Path) -> None:
    """Hold the file until it is closed or the process dies, or tell that another job holds it."""
    if fcntl is None:
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise OutputError(
            f"another pointmask job is writing to {path.parent} ({path.name} is in use); "
            "wait for it, or choose another --out"
        ) from None
    except OSError:
        return  # a file system without locks: as on Windows
