"""What was done to each image while a job runs: a journal that a killed job leaves behind, whole.

A line per finished image is appended to the journal. When the job is over, old and new lines are
merged into the manifest. Lines stay on disk and are read back as a stream, so that memory does not
grow with the number of images.
"""

import errno
import json
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import IO, BinaryIO

from pointmask.errors import OutputError
from pointmask.folder.records.manifest import (
    Entry,
    Known,
    Settings,
    Wanted,
    dump,
    entry_lines,
    parse,
    parse_or_raise,
)
from pointmask.folder.records.mask_lines import mask_lines
from pointmask.folder.records.shards import Shard, job_digest, merge, shard_header
from pointmask.folder.records.sorted_lines import Key, Run, RunFinder, merged
from pointmask.io.files import write_lines
from pointmask.io.layout import MANIFEST, MASKS

try:
    import fcntl
except ImportError:  # Windows: two jobs on one folder go undetected there
    fcntl = None  # type: ignore[assignment]


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
    masks : bool
        Publish ``masks.jsonl`` beside the manifest.

    Attributes
    ----------
    was_broken_off : bool
        Whether an earlier job left its journal, and perhaps temporary files.

    Raises
    ------
    OutputError
        If another job is at work on the same part of this folder.
    """

    def __init__(
        self, out: Path, shard: Shard, settings: Settings, wanted: Wanted, *, masks: bool = False
    ) -> None:
        self._out, self._shard, self._settings, self._wanted = out, shard, settings, wanted
        self._masks = masks
        own = out / shard.journal
        self.was_broken_off = own.exists() or (shard.count == 1 and any(out.glob(".journal-*.jsonl")))
        # Unbuffered, so that a line that does not fit on the disk is not tried again when closing.
        try:
            self._journal = own.open("ab", buffering=0)
        except OSError as error:
            raise OutputError(
                f"{own} cannot be written ({error.strerror or error}); choose another --out"
            ) from None
        self._files: list[tuple[Path, BinaryIO]] = []
        self._earlier: list[Run] = []
        self._end = -1
        try:
            _lock(self._journal, own)
            self._files = [*_open_earlier(out, shard.journal), (own, own.open("rb"))]
            self._end = _length_of_whole_lines(self._files[-1][1])
            self._journal.truncate(self._end)
            for path, handle in self._files:
                if shard.count == 1 and path.name.startswith(".journal-"):
                    _lock(handle, path)
        except BaseException:
            self.close()
            raise
        self._new = RunFinder(self._files[-1][1])

    def close(self) -> None:
        """Close all files; the journal stays where it is, unless nothing was done."""
        if not self._journal.closed and self._end == 0:
            (self._out / self._shard.journal).unlink(missing_ok=True)
        for handle in (*(handle for _, handle in self._files), self._journal):
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
        for path, handle in self._files:
            finder = RunFinder(handle)
            for offset, line in entry_lines(handle):
                entry = parse(line) if overwrite else parse_or_raise(path, offset, line)
                if entry is None:
                    continue
                difference = "" if overwrite else self._difference(entry)
                if difference:
                    raise OutputError(
                        f"{self._out} holds results that differ from this job: {difference}; to redo them "
                        "all, add --overwrite; to keep them, choose another --out"
                    )
                finder.add((entry["image"], entry["frame"]), offset, len(line))
            self._earlier += finder.runs

    def finished(self) -> Iterator[tuple[Key, Known]]:
        """Yield what earlier jobs finished that still stands, sorted by image and frame, as a stream."""
        for key, line, _ in merged(self._earlier):
            entry = self._standing(line)
            if entry is not None:
                yield key, Known.of(entry)

    def _standing(self, line: bytes) -> Entry | None:
        """Return an earlier entry if it tells of a result that this job would give too, or leaves alone."""
        entry: Entry = json.loads(line)
        if entry["status"] != "done" or self._difference(entry):
            return None
        is_wanted = entry["frame"] in self._wanted.get(entry["image"], ())
        # Without a file the mask is in the entry.
        is_there = entry["mask"] is None or (self._out / entry["mask"]).exists()
        return entry if is_wanted or is_there else None

    def _difference(self, entry: Entry) -> str:
        """Say in words how a finished entry differs from what this job would do; empty if it does not."""
        if entry["status"] != "done":
            return ""
        for name, ours in self._settings._asdict().items():
            theirs = entry.get(name, "")
            if theirs != ours:
                return (
                    f"{entry['image']} was made with {name} {theirs or 'plain'}, now it is {ours or 'plain'}"
                )
        points = self._wanted.get(entry["image"], {}).get(entry["frame"])
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
        self._check_there()
        line = dump(entry)
        if self._journal.write(line) != len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._out / self._shard.journal))
        self._new.add((entry["image"], entry["frame"]), self._end, len(line))
        self._end += len(line)

    def _check_there(self) -> None:
        """Notice that the output folder was moved, or the drive under it unmounted, while the job runs."""
        path = self._out / self._shard.journal
        if not os.path.samestat(path.stat(), os.fstat(self._journal.fileno())):
            raise OSError(errno.ESTALE, "the output folder is no longer the same", str(path))

    def publish(self) -> tuple[int, ...]:
        """
        Write the manifest from all entries, then remove what it replaces.

        Returns
        -------
        tuple of int
            The shards that are still to run; empty if the folder's manifest is complete.
        """
        self._check_there()
        if self._shard.count == 1:
            self._write(self._lines, self._shard.tag)
            self.close()
            for path, _ in self._files:
                if path.name != MANIFEST:
                    path.unlink(missing_ok=True)
            return ()
        job = job_digest(self._settings, self._wanted)
        lines = chain([shard_header(self._shard, job)], self._lines())
        write_lines(self._out / self._shard.manifest, lines, self._shard.tag)
        self.close()
        (self._out / self._shard.journal).unlink(missing_ok=True)
        return merge(self._out, self._shard, job, self._write)

    def _write(self, lines: Callable[[], Iterator[bytes]], tag: str) -> None:
        """Write the manifest last: where it is, all is."""
        if self._masks:
            write_lines(self._out / MASKS, mask_lines(lines()), tag)
        write_lines(self._out / MANIFEST, lines(), tag)

    def _lines(self) -> Iterator[bytes]:
        """Yield the manifest lines of this shard: what this job did, and what stands of earlier ones."""
        for (image, _), line, run in merged([*self._earlier, *self._new.runs]):
            is_new = run >= len(self._earlier)
            if self._shard.owns(image) and (is_new or self._standing(line) is not None):
                yield line


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
