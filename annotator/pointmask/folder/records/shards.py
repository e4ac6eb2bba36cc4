"""Parts of a job, and how their manifests become one."""

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
        return WHOLE if self.count == 1 else f"{self.index}-of-{self.count}"

    @property
    def manifest(self) -> str:
        """File name of the manifest this shard writes."""
        return manifest_name(self.tag)

    @property
    def journal(self) -> str:
        """File name of the journal this shard keeps while it runs."""
        return journal_name(self.tag)


def job_digest(settings: Settings, planned: FramePoints) -> str:
    """Short hex hash of all that a job is to do: shards with equal digests belong together."""
    digest = blake2b(json.dumps(settings).encode(), digest_size=16)
    for image in sorted(planned):
        frames = {
            frame: [(p.row, p.col, p.label) for p in points] for frame, points in planned[image].items()
        }
        digest.update(json.dumps([image, sorted(frames.items())]).encode())
    return digest.hexdigest()


def shard_header(shard: Shard, job: str) -> bytes:
    """First line of a shard's manifest."""
    return HEADER + json.dumps(f"{shard.index}/{shard.count}").encode() + f', "job": "{job}"}}\n'.encode()


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
        stretches = [_whole(handle) for handle in handles.values()]
        write(lambda: (line for _, line, _ in merged(stretches)), f"{shard.tag}-merge")
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


def _whole(handle: BinaryIO) -> Stretch:
    """All lines of a shard's manifest but its header, after which the file stands."""
    start = handle.tell()
    return Stretch(handle, start, handle.seek(0, os.SEEK_END))
