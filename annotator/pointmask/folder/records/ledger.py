"""Entries of an annotate job: earlier ones that are still valid, and new ones."""

import json
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

from pointmask.errors import OutputError, PointsError
from pointmask.folder.records.journal import FrameJournal
from pointmask.folder.records.manifest import (
    HEADER,
    Entry,
    FramePoints,
    Known,
    Settings,
    dump,
    parse,
    parse_or_raise,
)
from pointmask.folder.records.mask_lines import mask_lines
from pointmask.folder.records.shards import Shard, job_digest, merge, shard_header
from pointmask.folder.records.sorted_lines import Key
from pointmask.io.files import write_lines
from pointmask.io.layout import MANIFEST, MASKS
from pointmask.io.points.fit import fitted


class Ledger:
    """
    Entries of an output folder, old and new, while a job runs.

    Always close it (`contextlib.closing`). The caller must hold the folder lock; see
    `pointmask.io.lock.only_job`.

    Parameters
    ----------
    out : Path
        Existing output folder.
    shard : Shard
        The part of the images that belongs to this job.
    settings : Settings
        Settings of this job.
    planned : Mapping
        Points of all shards by image and frame.
    masks : bool
        Whether to publish ``masks.jsonl`` beside the manifest.

    Attributes
    ----------
    was_broken_off : bool
        Whether an earlier job left its journal, and perhaps temporary files.

    Raises
    ------
    OutputError
        If the journal cannot be written.
    """

    def __init__(
        self, out: Path, shard: Shard, settings: Settings, planned: FramePoints, *, masks: bool = False
    ) -> None:
        self._out, self._shard, self._settings, self._planned = out, shard, settings, planned
        self._masks = masks
        path = out / shard.journal
        self.was_broken_off = path.exists() or (shard.count == 1 and any(out.glob(".journal-*.jsonl")))
        self._journal = FrameJournal(path, _earlier_files(out))

    def close(self) -> None:
        """Close all files; the journal remains unless it is empty."""
        self._journal.close()

    def recall(self, *, overwrite: bool) -> None:
        """
        Read the entries of earlier jobs, and refuse to mix results of different jobs.

        Parameters
        ----------
        overwrite : bool
            Discard entries that differ instead of raising.

        Raises
        ------
        OutputError
            If a finished entry has other settings or points than this job, or a file of that name was not
            written by pointmask.
        """

        def accept(path: Path, offset: int, line: bytes) -> Key | None:
            if line.startswith(HEADER):
                return None
            entry = parse(line) if overwrite else parse_or_raise(path, offset, line)
            if entry is None:
                return None
            difference = "" if overwrite else self._difference(entry)
            if difference:
                raise OutputError(
                    f"{self._out} holds results that differ from this job: {difference}; to redo them all, "
                    "add --overwrite; to keep them, choose another --out"
                )
            return entry["image"], entry["frame"]

        self._journal.recall(accept)

    def finished(self) -> Iterator[tuple[Key, Known]]:
        """Yield the valid entries of earlier jobs, sorted by image and frame, as a stream."""
        for key, line in self._journal.earlier():
            entry = self._valid(line)
            if entry is not None:
                yield key, Known.of(entry)

    def _valid(self, line: bytes) -> Entry | None:
        """Return an earlier entry if this job would give the same result, or would not touch it."""
        entry: Entry = json.loads(line)
        if entry["status"] != "done" or self._difference(entry):
            return None
        is_planned = entry["frame"] in self._planned.get(entry["image"], ())
        # Without a file, the entry itself holds the mask.
        is_there = entry["mask"] is None or (self._out / entry["mask"]).exists()
        return entry if is_planned or is_there else None

    def _difference(self, entry: Entry) -> str:
        """Describe how a finished entry differs from this job; empty if it does not."""
        if entry["status"] != "done":
            return ""
        for name, ours in self._settings._asdict().items():
            theirs = entry.get(name, "")
            if theirs != ours:
                return (
                    f"{entry['image']} was made with {name} {theirs or 'plain'}, now it is {ours or 'plain'}"
                )
        points = self._planned.get(entry["image"], {}).get(entry["frame"])
        if points is None:
            return ""
        old = [(tuple(target["point"]), target["label"]) for target in entry["targets"]]
        try:
            points = fitted(points, tuple(entry["shape"]))
        except PointsError as error:
            return f"{entry['image']}: {error}"
        new = [((point.row, point.col), point.label) for point in points]
        if old == new:
            return ""
        return (
            f"{entry['image']} was made with points {_format_points(old)}, now they are {_format_points(new)}"
        )

    def add(self, entry: Entry) -> None:
        """
        Write one entry to the journal.

        Raises
        ------
        OSError
            As the system reports it, such as a full disk.
        """
        self._journal.add((entry["image"], entry["frame"]), dump(entry))

    def publish(self) -> tuple[int, ...]:
        """
        Write the manifest from all entries, then remove the files that it replaces.

        Returns
        -------
        tuple of int
            Shards that have not finished yet; empty if the folder's manifest is complete.

        Raises
        ------
        OSError
            As the system reports it.
        """
        self._journal.check_there()
        if self._shard.count == 1:
            self._write(self._lines, self._shard.tag)
            self._journal.finish()
            for path in self._journal.earlier_files:
                if path.name != MANIFEST:
                    path.unlink(missing_ok=True)
            return ()
        job = job_digest(self._settings, self._planned)
        lines = chain([shard_header(self._shard, job)], self._lines())
        write_lines(self._out / self._shard.manifest, lines, self._shard.tag)
        self._journal.finish()
        return merge(self._out, self._shard, job, self._write)

    def _write(self, lines: Callable[[], Iterator[bytes]], tag: str) -> None:
        """Write the manifest last, so that its presence implies that all is complete."""
        if self._masks:
            write_lines(self._out / MASKS, mask_lines(lines()), tag)
        write_lines(self._out / MANIFEST, lines(), tag)

    def _lines(self) -> Iterator[bytes]:
        """Yield the manifest lines of this shard: new entries, and valid ones of earlier jobs."""
        for (image, _), line, is_new in self._journal.lines():
            if self._shard.owns(image) and (is_new or self._valid(line) is not None):
                yield line


def _earlier_files(out: Path) -> Iterator[Path]:
    """
    Yield the files of other jobs, newest first.

    A shard that finishes meanwhile moves its lines from its journal to its manifest and then to the common
    manifest, so a search in this order misses none.
    """
    for pattern in (".journal*.jsonl", "manifest-*-of-*.jsonl", MANIFEST):
        yield from sorted(out.glob(pattern), reverse=True)


def _format_points(points: list[tuple[tuple[int, int], str | None]]) -> str:
    """Format a point list briefly, as (x, y)."""
    words = [f"({col}, {row}){f' {label}' if label else ''}" for (row, col), label in points[:3]]
    return "[" + ", ".join(words) + (f", ... {len(points)} in all]" if len(points) > 3 else "]")
