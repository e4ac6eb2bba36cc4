"""Frames that several folders hold, in one pass over their manifests."""

import heapq
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from pointmask.click.journal.index import FrameKey
from pointmask.errors import OutputError
from pointmask.folder.records.manifest import Entry, read_manifest
from pointmask.io.clicks import is_ahead, publishing


def check_published(folders: Sequence[Path]) -> None:
    """
    Refuse folders whose manifest is not all that is known.

    Raises
    ------
    OutputError
        If the journal of one is ahead of its manifest, or one is named twice.
    """
    for folder in folders:
        if is_ahead(folder):
            raise OutputError(
                f"{folder} holds edits that are not published; bring it up to date with: {publishing(folder)}"
            )
    if len({folder.resolve() for folder in folders}) < len(folders):
        raise OutputError("a folder is named twice; name each once")


def by_frame(folders: Sequence[Path]) -> Iterator[tuple[FrameKey, dict[int, Entry]]]:
    """
    Yield the entries of each frame by the number of their folder, sorted by image and frame.

    Raises
    ------
    OutputError
        If a folder has no manifest, or one that is not pointmask's.
    """
    merged = heapq.merge(
        *(_numbered(number, folder) for number, folder in enumerate(folders)), key=lambda item: item[:2]
    )
    for key, group in groupby(merged, key=lambda item: item[0]):
        yield key, {number: entry for _, number, entry in group}


def _numbered(number: int, folder: Path) -> Iterator[tuple[FrameKey, int, Entry]]:
    for entry in read_manifest(folder):
        yield (entry["image"], entry["frame"]), number, entry
