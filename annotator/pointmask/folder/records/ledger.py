"""Entries of an annotate job: earlier ones that are still valid, and new ones."""

import json
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

from pointmask.errors import OutputError, PointsError
from pointmask.folder.records.claims import Claims, remove_results, replace
from pointmask.folder.records.journal import FrameJournal, check_head
from pointmask.folder.records.manifest import (
    HEADER,
    Entry,
    FramePoints,
    Known,
    Settings,
    dump,
    parse,
    parse_or_raise,
    read_manifest,
)
from pointmask.folder.records.mask_lines import mask_lines
from pointmask.folder.records.sealed import FILES, is_intact, unsealed
from pointmask.folder.records.shards import Shard, job_digest, merge, shard_header
from pointmask.folder.records.sorted_lines import Key
from pointmask.io.files import flush, write_lines
from pointmask.io.layout import MANIFEST, MASKS, REPLACED
from pointmask.io.notes import note
from pointmask.io.points.fit import fitted

_STALE = "results of an earlier job were removed, as the manifest does not name them any more"


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
    overwrite : bool
        Whether to replace the results of earlier jobs: their entries still show which files are pointmask's,
        and are good for nothing else, also if this job is killed and run again without it.

    Attributes
    ----------
    was_broken_off : bool
        Whether an earlier job left its journal, or what it was to replace, and perhaps temporary files.

    Raises
    ------
    OutputError
        If the journal cannot be written, or is not pointmask's.
    """

    def __init__(
        self,
        out: Path,
        shard: Shard,
        settings: Settings,
        planned: FramePoints,
        *,
        masks: bool = False,
        overwrite: bool = False,
    ) -> None:
        self._out, self._shard, self._settings, self._planned = out, shard, settings, planned
        self._masks = masks
        path = out / shard.journal
        left = [path, out / REPLACED, *(out.glob(".journal-*.jsonl") if shard.count == 1 else ())]
        self.was_broken_off = any(map(Path.exists, left))
        for earlier in _earlier_files(out):
            check_head(earlier)
        if overwrite:
            replace(out, _of_same_part(out, shard))
        self._is_replacing = (out / REPLACED).exists()
        self._journal = FrameJournal(path, _earlier_files(out), out / REPLACED)
        self._claims = Claims(out)

    def close(self) -> None:
        """Close all files; the journal remains unless it is empty."""
        self._journal.close()

    def recall(self) -> frozenset[str]:
        """
        Read the entries of earlier jobs, and refuse to mix results of different jobs.

        Returns
        -------
        frozenset of str
            Result files that a killed job wrote, or was about to, before it could note their frames.

        Raises
        ------
        OutputError
            If a finished entry has other settings or points than this job and is not to be replaced, or a
            file of that name was not written by pointmask.
        """

        def accept(path: Path, offset: int, line: bytes) -> Key | None:
            if line.startswith(HEADER):
                return None
            is_replaced = path.name == REPLACED
            entry = parse(line) if is_replaced else parse_or_raise(path, offset, line)
            if entry is None:
                return None
            self._claims.settle(entry)
            # A part with --overwrite passes over the results of other parts, whose turn will come.
            is_of_others = self._is_replacing and not self._shard.owns(entry["image"])
            difference = "" if is_replaced or is_of_others else self._difference(entry)
            if difference:
                raise OutputError(
                    f"{self._out} holds results that differ from this job: {difference}; to redo them all, "
                    "add --overwrite; to keep them, choose another --out"
                )
            return entry["image"], entry["frame"]

        self._journal.recall(accept)
        if self._shard.count == 1:  # others are at work beside a part
            self._claims.keep()
        return self._claims.names()

    def finished(self) -> Iterator[tuple[Key, Known]]:
        """Yield the finished entries of earlier jobs, sorted by image and frame, as a stream."""
        for key, line, is_replaced in self._journal.earlier():
            entry: Entry = json.loads(line)
            if entry["status"] == "done":
                yield key, Known.of(entry, is_valid=not is_replaced and self._is_valid(entry))

    def _is_valid(self, entry: Entry) -> bool:
        """Say whether this job would give the result of an earlier entry, or would not touch it."""
        if entry["status"] != "done" or self._difference(entry):
            return False
        mask = entry["mask"]
        # Without a file, the entry itself holds the mask.
        if entry["frame"] in self._planned.get(entry["image"], ()) or mask is None:
            return True
        return is_intact(self._out / mask, entry.get(FILES, {}).get(mask))

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
        self._claims.settle(entry)
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
        flush(self._out)  # all results, before the manifest says without a hash that they are done
        if self._shard.count == 1:
            self._write(self._lines, self._shard.tag)
            self._remove_stale()
            self._claims.close()
            self._journal.finish()
            for path in self._journal.earlier_files:
                if path.name != MANIFEST:
                    path.unlink(missing_ok=True)
            return ()
        job = job_digest(self._settings, self._planned)
        lines = chain([shard_header(self._shard, job)], self._lines())
        write_lines(self._out / self._shard.manifest, lines, self._shard.tag)
        self._remove_stale()
        self._journal.finish()
        missing = merge(self._out, self._shard, job, self._write)
        if not missing:
            (self._out / REPLACED).unlink(missing_ok=True)
            claims = Claims(self._out)
            for entry in read_manifest(self._out):
                claims.settle(entry)
            claims.close()
        return missing

    def _remove_stale(self) -> None:
        """Remove results of earlier jobs that the new manifest does not name: they are other masks."""
        newest = self._journal.lines()
        for key, line, is_replaced in self._journal.earlier():
            now = next(found for found in newest if found[0] == key)
            entry: Entry = json.loads(line)
            if not self._shard.owns(key[0]) or entry["status"] != "done":
                continue
            is_redone = now[2] == "new" and json.loads(now[1])["status"] == "done"
            is_stale = not is_redone and (is_replaced or not self._is_valid(entry))
            if is_stale and remove_results(self._out, entry["mask"]):
                note(_STALE, key[0])

    def _write(self, lines: Callable[[], Iterator[bytes]], tag: str) -> None:
        """Write the manifest last, so that its presence implies that all is complete."""
        if self._masks:
            write_lines(self._out / MASKS, mask_lines(lines()), tag)
        write_lines(self._out / MANIFEST, lines(), tag)

    def _lines(self) -> Iterator[bytes]:
        """Yield the manifest lines of this shard: new entries, and valid ones of earlier jobs."""
        for (image, _), line, origin in self._journal.lines():
            is_named = origin == "new" or (origin == "earlier" and self._is_valid(json.loads(line)))
            if self._shard.owns(image) and is_named:
                yield unsealed(line)


def _earlier_files(out: Path) -> Iterator[Path]:
    """
    Yield the files of other jobs, newest first.

    A shard that finishes meanwhile moves its lines from its journal to its manifest and then to the common
    manifest, so a search in this order misses none.
    """
    for pattern in (".journal*.jsonl", "manifest-*-of-*.jsonl", MANIFEST):
        yield from sorted(out.glob(pattern), reverse=True)


def _of_same_part(out: Path, shard: Shard) -> Iterator[Path]:
    """Yield the files whose entries a job with ``--overwrite`` replaces, oldest first."""
    if shard.count == 1:
        yield from reversed(list(_earlier_files(out)))
    else:
        yield from (out / name for name in (MANIFEST, shard.manifest, shard.journal))


def _format_points(points: list[tuple[tuple[int, int], str | None]]) -> str:
    """Format a point list briefly, as (x, y)."""
    words = [f"({col}, {row}){f' {label}' if label else ''}" for (row, col), label in points[:3]]
    return "[" + ", ".join(words) + (f", ... {len(points)} in all]" if len(points) > 3 else "]")
