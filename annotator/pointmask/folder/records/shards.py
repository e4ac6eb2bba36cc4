"""Parts of a job, and the merging of their manifests."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO

from pointmask.folder.records.manifest import HEADER, FramePoints, Settings
from pointmask.folder.records.sorted_lines import Stretch, merged
from pointmask.io.layout import WHOLE, journal_name, manifest_name
from pointmask.regular import open_regular


@dataclass(frozen=True, slots=True)
class Shard:
    """
    One of several jobs that share a folder.

    Attributes
    ----------
    index : int
        Number of the shard, from 1.
    count : int
        Number of shards; 1 means that the job is not divided.
    """

    index: int = 1
    count: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.index <= self.count:
            raise ValueError(
                f"shard {self.index}/{self.count}: the first number must lie in 1 to {self.count}"
            )

    def owns(self, name: str) -> bool:
        """Whether image ``name`` belongs to this shard, by a hash that is the same on every machine."""
        if self.count == 1:
            return True
        digest = blake2b(name.encode("utf-8", "surrogateescape"), digest_size=8).digest()
        return int.from_bytes(digest, "big") % self.count == self.index - 1

    @property
    def tag(self) -> str:
        """Part of file names that identifies the shard."""
        return WHOLE if self.count == 1 else f"{self.index}-of-{self.count}"

    @property
    def manifest(self) -> str:
        """File name of the shard's manifest."""
        return manifest_name(self.tag)

    @property
    def journal(self) -> str:
        """File name of the shard's journal."""
        return journal_name(self.tag)


def job_digest(settings: Settings, planned: FramePoints) -> str:
    """Return a hex hash of a job's settings and points; shards with equal digests belong together."""
    digest = blake2b(json.dumps(settings).encode(), digest_size=16)
    for image in sorted(planned):
        frames = {
            frame: [(p.row, p.col, p.label) for p in points] for frame, points in planned[image].items()
        }
        digest.update(json.dumps([image, sorted(frames.items())]).encode())
    return digest.hexdigest()


def shard_header(shard: Shard, job: str) -> bytes:
    """Return the first line of a shard's manifest."""
    return HEADER + json.dumps(f"{shard.index}/{shard.count}").encode() + f', "job": "{job}"}}\n'.encode()


def merge(
    out: Path, shard: Shard, job: str, write: Callable[[Callable[[], Iterator[bytes]], str], None]
) -> tuple[int, ...]:
    """
    Merge the shards' manifests once all exist and belong to the same job.

    ``write`` takes a function that yields the lines from the start at each call, and a tag, and publishes
    the lines.

    Two shards that finish at the same time may both merge: they write the same bytes. A shard for which a
    manifest disappears while it merges was overtaken by the other, which had all of them.

    Returns
    -------
    tuple of int
        Shards that are missing; empty if the folder's manifest is complete.
    """
    shards = [Shard(index, shard.count) for index in range(1, shard.count + 1)]
    handles: dict[int, BinaryIO] = {}
    try:
        for other in shards:
            path = out / other.manifest
            if path.exists():
                handles[other.index] = open_regular(path)
        missing = tuple(s.index for s in shards if not _belongs(handles.get(s.index), s, job))
        if missing:
            # Its own manifest existed a moment ago, so another shard has merged all of them since.
            return () if shard.index in missing else missing
        stretches = [_body(handle) for handle in handles.values()]
        write(lambda: (line for _, line, _ in merged(stretches)), f"{shard.tag}-merge")
    except FileNotFoundError:
        return ()  # as above, between the check and opening the file
    finally:
        for handle in handles.values():
            handle.close()
    for path in out.glob("manifest-*-of-*.jsonl"):
        path.unlink(missing_ok=True)
    return ()


def _belongs(handle: BinaryIO | None, shard: Shard, job: str) -> bool:
    return handle is not None and handle.readline() == shard_header(shard, job)


def _body(handle: BinaryIO) -> Stretch:
    """Return all lines of a shard's manifest after the header, where the file is positioned."""
    start = handle.tell()
    return Stretch(handle, start, handle.seek(0, os.SEEK_END))
