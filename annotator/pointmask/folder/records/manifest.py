"""The manifest: one JSON line per image, sorted, the same bytes however the work was divided."""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from pointmask.errors import OutputError
from pointmask.folder.records.sorted_lines import Run, merged
from pointmask.io.points.points import Point

Entry = dict[str, Any]
Wanted = Mapping[str, Mapping[int, tuple[Point, ...]]]  # image -> frame -> points

MANIFEST = "manifest.jsonl"
_HEADER = b'{"shard": '
_DONE_FIELDS = {"image", "frame", "status", "content", "theta", "version", "polarity", "mask", "targets"}


@dataclass(frozen=True, slots=True)
class Shard:
    """
    One of several jobs that share a folder.

    Attributes
    ----------
    index : int
        Which one, from 1.
    count : int
        How many there are; 1 means that there is no sharing.
    """

    index: int = 1
    count: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.index <= self.count:
            raise ValueError(
                f"shard {self.index}/{self.count}: the first number must lie in 1 to {self.count}"
            )

    def owns(self, name: str) -> bool:
        """Whether this shard works on image ``name``: a stable hash, the same on every machine."""
        if self.count == 1:
            return True
        digest = blake2b(name.encode("utf-8", "surrogateescape"), digest_size=8).digest()
        return int.from_bytes(digest, "big") % self.count == self.index - 1

    @property
    def tag(self) -> str:
        """Names the shard in file names."""
        return "whole" if self.count == 1 else f"{self.index}-of-{self.count}"

    @property
    def manifest(self) -> str:
        """File name of the manifest this shard writes."""
        return MANIFEST if self.count == 1 else f"manifest-{self.tag}.jsonl"

    @property
    def journal(self) -> str:
        """File name of the journal this shard keeps while it runs."""
        return ".journal.jsonl" if self.count == 1 else f".journal-{self.tag}.jsonl"


class Settings(NamedTuple):
    """What, besides image and points, decides the bytes of a mask; as written in each entry."""

    theta: str
    version: str
    polarity: str
    reading: str = ""

    @property
    def told(self) -> dict[str, str]:
        """What an entry tells: a reading only where the user asked for one."""
        return {name: value for name, value in self._asdict().items() if value or name != "reading"}


def has_runs(entry: Entry) -> bool:
    """Whether a finished entry holds its masks as run lengths; one without targets always does."""
    return all("rle" in target for target in entry["targets"])


class Known(NamedTuple):
    """What a job that goes on needs to know of a frame that is done."""

    content: str  # hash of the image file
    targets: int
    confidence: float  # sum over targets
    has_runs: bool  # whether the entry holds the masks as run lengths

    @classmethod
    def of(cls, entry: Entry) -> "Known":
        """Return what is to be known of a finished entry."""
        targets = entry["targets"]
        confidence = sum(target["confidence"] for target in targets)
        return cls(entry["content"], len(targets), confidence, has_runs(entry))


def job_digest(settings: Settings, wanted: Wanted) -> str:
    """Short hex hash of all that a job is to do: shards with equal digests belong together."""
    digest = blake2b(json.dumps(settings).encode(), digest_size=16)
    for image in sorted(wanted):
        frames = {frame: [(p.row, p.col, p.label) for p in points] for frame, points in wanted[image].items()}
        digest.update(json.dumps([image, sorted(frames.items())]).encode())
    return digest.hexdigest()


def dump(entry: Entry) -> bytes:
    """Return one manifest line: ASCII JSON, keys in the dictionary's order."""
    return json.dumps(entry).encode() + b"\n"


def parse(line: bytes) -> Entry | None:
    """Return the entry, or None if the line is not one of pointmask's."""
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    if not isinstance(entry, dict) or not {"image", "frame", "status"} <= entry.keys():
        return None
    return entry if entry["status"] != "done" or entry.keys() >= _DONE_FIELDS else None


def entry_lines(handle: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """
    Yield (offset, line) of the entries in a manifest or journal.

    A torn last line is left out: it belongs to a job that was killed or is still writing.
    """
    handle.seek(0)
    offset = 0
    for line in handle:
        if line.endswith(b"\n") and not line.startswith(_HEADER):
            yield offset, line
        offset += len(line)


def read_manifest(out: Path) -> Iterator[Entry]:
    """
    Yield the entries of an output folder's manifest, sorted by image and frame.

    Parameters
    ----------
    out : Path
        Output folder of `pointmask.folder.job.annotate_folder`.

    Raises
    ------
    OutputError
        If there is no manifest, or a line of it is not pointmask's.
    """
    path = out / MANIFEST
    if not path.exists():
        raise OutputError(
            f"{out} has no {MANIFEST}; make one with: pointmask annotate IMAGES --points FILE --out {out}"
        )
    with path.open("rb") as handle:
        for offset, line in entry_lines(handle):
            yield parse_or_raise(path, offset, line)


def parse_or_raise(path: Path, offset: int, line: bytes) -> Entry:
    """Return the entry of a line, or raise OutputError saying where a foreign line stands."""
    entry = parse(line)
    if entry is None:
        raise OutputError(
            f"{path} was not written by pointmask (byte {offset}: {line[:40]!r}); "
            "move it away or choose another --out"
        )
    return entry


def write_lines(path: Path, lines: Iterable[bytes], tag: str) -> None:
    """Write a file of lines atomically, without holding them in memory."""
    temporary = path.with_name(f".pointmask-{tag}-lines.tmp")
    try:
        with temporary.open("wb") as handle:
            handle.writelines(lines)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def shard_header(shard: Shard, job: str) -> bytes:
    """First line of a shard's manifest."""
    return _HEADER + json.dumps(f"{shard.index}/{shard.count}").encode() + f', "job": "{job}"}}\n'.encode()


def merge(
    out: Path, shard: Shard, job: str, write: Callable[[Callable[[], Iterator[bytes]], str], None]
) -> tuple[int, ...]:
    """
    Put the shards' manifests together once all are there and belong to the same job.

    ``write`` publishes the lines that its first argument yields anew at each call, under the tag that
    is its second.

    Two shards that finish at once may both do it: they write the same bytes. One that finds a
    manifest gone while it merges was overtaken by the other, which had them all.

    Returns
    -------
    tuple of int
        The shards that are still missing; empty if the folder's manifest is complete.
    """
    shards = [Shard(index, shard.count) for index in range(1, shard.count + 1)]
    handles: dict[int, BinaryIO] = {}
    try:
        for sister in shards:
            path = out / sister.manifest
            if path.exists():
                handles[sister.index] = path.open("rb")
        missing = tuple(s.index for s in shards if not _belongs(handles.get(s.index), s, job))
        if missing:
            # Its own manifest was there a moment ago: a sister has merged all of them since.
            return () if shard.index in missing else missing
        runs = [_whole(handle) for handle in handles.values()]
        write(lambda: (line for _, line, _ in merged(runs)), f"{shard.tag}-merge")
    except FileNotFoundError:
        return ()  # as above, between the look and the opening
    finally:
        for handle in handles.values():
            handle.close()
    for path in out.glob("manifest-*-of-*.jsonl"):
        path.unlink(missing_ok=True)
    return ()


def _belongs(handle: BinaryIO | None, shard: Shard, job: str) -> bool:
    return handle is not None and handle.readline() == shard_header(shard, job)


def _whole(handle: BinaryIO) -> Run:
    """All lines of a shard's manifest but its header, after which the file stands."""
    start = handle.tell()
    return Run(handle, start, handle.seek(0, os.SEEK_END))
