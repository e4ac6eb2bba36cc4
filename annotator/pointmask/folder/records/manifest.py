"""The manifest: one JSON line per image, sorted; its bytes do not depend on how the work was divided."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from pointmask.advice import command
from pointmask.errors import OutputError
from pointmask.folder.records.sealed import FILES
from pointmask.io.layout import MANIFEST, RESULTS, is_inside
from pointmask.io.lines import whole_lines
from pointmask.io.points.points import Point
from pointmask.regular import open_regular

Entry = dict[str, Any]
FramePoints = Mapping[str, Mapping[int, tuple[Point, ...]]]  # image -> frame -> points

HEADER = b'{"shard": '
"""Prefix of the first line of a shard's manifest."""

_FIELDS = {"image": str, "frame": int, "status": str}
_DONE_FIELDS = {"image", "frame", "status", "content", "theta", "version", "polarity", "mask", "targets"}


class Settings(NamedTuple):
    """Everything besides image and points that determines a mask, as written in each entry."""

    theta: str
    version: str
    polarity: str
    reading: str = ""

    @property
    def fields(self) -> dict[str, str]:
        """Fields of an entry; a reading only if one was requested."""
        return {name: value for name, value in self._asdict().items() if value or name != "reading"}


def name_of(entry: Entry) -> str:
    """Return the image name, with the frame number except for the first."""
    return f"{entry['image']}#{entry['frame']}" if entry["frame"] else str(entry["image"])


def has_run_lengths(entry: Entry) -> bool:
    """Whether a finished entry holds its masks as run lengths; true without targets."""
    return all("rle" in target for target in entry["targets"])


class Known(NamedTuple):
    """Properties of a frame that an earlier job finished."""

    content: str  # hash of the image file
    targets: int
    confidence: float  # sum over targets
    has_run_lengths: bool  # whether the entry holds the masks as run lengths
    mask: str | None  # path of the mask image; with it, the result files of the frame are pointmask's
    is_valid: bool = True  # whether this job would give the same result; if not, it may replace the files
    seals: Mapping[str, str] | None = None  # hashes of the files by path, if a journal says it

    @classmethod
    def of(cls, entry: Entry, *, is_valid: bool = True) -> "Known":
        """Extract the properties of a finished entry."""
        targets = entry["targets"]
        confidence = sum(target["confidence"] or 0.0 for target in targets)
        runs = has_run_lengths(entry)
        return cls(
            entry["content"], len(targets), confidence, runs, entry["mask"], is_valid, entry.get(FILES)
        )


def dump(entry: Entry) -> bytes:
    """Return one manifest line: ASCII JSON, keys in insertion order."""
    return json.dumps(entry).encode() + b"\n"


def parse(line: bytes) -> Entry | None:
    """Return the entry, or None if the line is not one of pointmask's."""
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(entry, dict) or not all(
        isinstance(entry.get(name), kind) for name, kind in _FIELDS.items()
    ):
        return None
    return entry if entry["status"] != "done" or _is_done(entry) else None


def _is_done(entry: Entry) -> bool:
    """Whether an entry has all that is read of a finished frame, of the right types."""
    if not entry.keys() >= _DONE_FIELDS or not isinstance(entry["content"], str):
        return False
    if not isinstance(entry["mask"], str | None) or not isinstance(entry["targets"], list):
        return False
    if not is_inside(entry["image"]) or not _is_mask(entry["mask"]):
        return False
    if not isinstance(entry.get("size_prior", ""), str) or not isinstance(entry.get(FILES, {}), dict):
        return False
    if "shape" in entry and not _are_whole(entry["shape"], 2):
        return False
    return all(isinstance(target, dict) and _is_target(target) for target in entry["targets"])


def _is_mask(name: str | None) -> bool:
    """Whether a file is where masks are: other files of the folder are somebody's."""
    return name is None or (is_inside(name) and name.startswith(f"{RESULTS['mask']}/"))


def _is_target(target: Entry) -> bool:
    return (
        _are_whole(target.get("point"), 2)
        and _are_whole(target.get("box"), 4)
        and isinstance(target.get("area"), int)
        and isinstance(target.get("flags"), list)
        and all(isinstance(flag, str) for flag in target["flags"])
        and isinstance(target.get("confidence", ""), int | float | None)
        and 0 <= (target["confidence"] or 0) <= 1
        and isinstance(target.get("label", ""), str | None)
    )


def _are_whole(numbers: object, count: int) -> bool:
    return (
        isinstance(numbers, list)
        and len(numbers) == count
        and all(isinstance(number, int) for number in numbers)
    )


def entry_lines(handle: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """
    Yield (offset, line) of the entries in a manifest or journal.

    A torn last line is ignored: it belongs to a job that was killed or is still writing.
    """
    for offset, line in whole_lines(handle):
        if not line.startswith(HEADER):
            yield offset, line


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
            f"{out} has no {MANIFEST}; make one with: "
            f"{command('annotate', 'IMAGES', '--points', 'FILE', '--out', out)}"
        )
    with open_regular(path) as handle:
        for offset, line in entry_lines(handle):
            yield parse_or_raise(path, offset, line)


def parse_or_raise(path: Path, offset: int, line: bytes) -> Entry:
    """Return the entry of a line, or raise OutputError with the offset of a foreign line."""
    entry = parse(line)
    if entry is None:
        raise OutputError(
            f"{path} was not written by pointmask (byte {offset}: {line[:40]!r}); "
            "move it away or choose another --out"
        )
    return entry
