"""Bring an output folder up to date with its journal: interrupted and repeated, it gives the same bytes."""

import heapq
import json
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from pointmask.click.contract.targets import ClickFrame
from pointmask.click.journal.index import FrameKey
from pointmask.click.publish.entries import entry_of, has_mask, key_of_entry, mask_png, point_fields
from pointmask.click.publish.own import OwnMasks
from pointmask.folder.frame import skipped_entry
from pointmask.folder.planning.plan import shared_stems
from pointmask.folder.records.manifest import Entry, Settings, dump, entry_lines, parse_or_raise
from pointmask.folder.records.mask_lines import mask_lines
from pointmask.hashing import feed
from pointmask.io.files import clean_temporaries, flush, put_whole, staged, whole_file, write_whole
from pointmask.io.formats.tables.csv import csv_lines
from pointmask.io.layout import MANIFEST, MASKS, POINTS, RESULTS, THETA, TRACKED, result_path, stem_of
from pointmask.io.notes import note
from pointmask.io.points.points import Point
from pointmask.printable import is_text
from pointmask.regular import open_regular

_TAG = "publish"
_CLAIMED_AT_ONCE = 256  # frames that the disk is waited for once; a session keeps more of them in memory


class Contents(NamedTuple):
    """
    What is to be published.

    Attributes
    ----------
    own : OwnMasks
        The output folder, and the masks in it that may be written.
    frames : list of (str, int)
        All frames that the journal tells of, sorted.
    state : callable
        Returns a frame as it stands.
    sync : callable
        Waits until the disk holds the journal.
    basis : Settings
        For frames that no target says it of.
    theta : str
        Text of ``theta.toml``.
    published : int
        Last line that was published before.
    """

    own: OwnMasks
    frames: list[FrameKey]
    state: Callable[[FrameKey], ClickFrame]
    sync: Callable[[], None]
    basis: Settings
    theta: str
    published: int


class Published(NamedTuple):
    """
    What was published.

    Attributes
    ----------
    done, skipped, targets : int
        Frames with masks, frames with a reason instead, targets.
    files : dict
        Hashes by name.
    """

    done: int
    skipped: int
    targets: int
    files: dict[str, str]


class Cancelled(Exception):  # noqa: N818 - not an error: what was asked for
    """A job was told to stop."""


def publish(
    contents: Contents,
    *,
    report: Callable[[int, int], None] | None = None,
    cancel: threading.Event | None = None,
) -> Published:
    """
    Write masks, points and, last, the manifest.

    Parameters
    ----------
    contents : Contents
    report : callable, optional
        Called with the number of frames done and the total.
    cancel : Event, optional
        Set to stop; the folder is then as it was, but for masks that are up to date.

    Returns
    -------
    Published

    Raises
    ------
    OutputError
        If a file cannot be written, or the manifest that is there is not pointmask's.
    Cancelled
        If it was stopped.

    Notes
    -----
    Entries of frames that the journal does not tell of are taken over as they are. Memory grows with the
    number of frames' names alone.
    """
    contents.own.check_there()
    out = contents.own.out
    clean_temporaries(out, _TAG, [RESULTS["mask"]])
    twins = {
        name: group
        for group in shared_stems(dict.fromkeys(name for name, _ in contents.frames))
        for name in group
    }
    tally = _Tally()
    with staged(out / MANIFEST, _TAG) as made:
        with made.open("wb") as file:
            for count, (line, entry) in enumerate(_entries(contents, twins), 1):
                if cancel is not None and cancel.is_set():
                    raise Cancelled
                file.write(line)
                tally.add(entry)
                if report is not None:
                    report(min(count, len(contents.frames)), len(contents.frames))
        contents.own.find_removed()
        flush(out)  # all masks, before the manifest and the journal say that they are done
        contents.own.forget_removed()
        write_whole(out / THETA, contents.theta, _TAG)
        derive(out, made, labelled=tally.labelled)
        hashes = {path.name: _hash(path) for path in _published_files(out)} | {MANIFEST: _hash(made)}
        put_whole(made, out / MANIFEST)
    return Published(tally.done, tally.skipped, tally.targets, hashes)


class _Tally:
    def __init__(self) -> None:
        self.done = self.skipped = self.targets = 0
        self.labelled = False

    def add(self, entry: Entry) -> None:
        if entry["status"] == "done":
            self.done += 1
            self.targets += len(entry["targets"])
            self.labelled |= any(target["label"] is not None for target in entry["targets"])
        else:
            self.skipped += 1


def _entries(contents: Contents, twins: dict[str, list[str]]) -> Iterator[tuple[bytes, Entry]]:
    """Yield all lines of the manifest, sorted, and bring the masks of the journal's frames up to date."""
    ours = set(contents.frames)
    names = {name for name, _ in contents.frames}
    stems = {stem_of(name) for name in names}
    with ExitStack() as stack:
        old: Iterable[tuple[FrameKey, bytes | None]] = ()
        path = contents.own.out / MANIFEST
        if path.exists():
            handle = stack.enter_context(open_regular(path))
            old = _other_lines(path, entry_lines(handle), ours)
        new: Iterator[tuple[FrameKey, bytes | None]] = (
            (key, None) for key in _claimed(contents, twins, names, stems)
        )
        for key, line in heapq.merge(old, new, key=lambda item: item[0]):
            if line is not None:
                yield line, json.loads(line)
                continue
            with contents.own.writing:
                entry = _publish_frame(contents, key, twins, names, stems)
            if entry is not None:
                yield dump(entry), entry


def _claimed(
    contents: Contents, twins: dict[str, list[str]], names: set[str], stems: set[str]
) -> Iterator[FrameKey]:
    """Yield the journal's frames, many of whose masks were claimed at once before the first of them."""
    own, keys = contents.own, contents.frames
    for start in range(0, len(keys), _CLAIMED_AT_ONCE):
        some = keys[start : start + _CLAIMED_AT_ONCE]
        for key in some:
            frame = contents.state(key)
            is_done = has_mask(frame) and frame.image not in twins
            if is_done and not own.refusal(frame, lambda: stems, is_ours=names):
                own.claim(frame, durable=False)
        own.sync()
        yield from some


def _other_lines(
    path: Path, lines: Iterable[tuple[int, bytes]], ours: set[FrameKey]
) -> Iterator[tuple[FrameKey, bytes | None]]:
    for offset, line in lines:
        entry = parse_or_raise(path, offset, line)
        key = entry["image"], entry["frame"]
        if key not in ours:
            yield key, line


def _publish_frame(
    contents: Contents, key: FrameKey, twins: dict[str, list[str]], names: set[str], stems: set[str]
) -> Entry | None:
    name, number = key
    frame = contents.state(key)
    refusal = contents.own.refusal(frame, lambda: stems, is_ours=names)
    if refusal:
        return skipped_entry(name, number, refusal) if has_mask(frame) else entry_of(frame, contents.basis)
    if name in twins:
        write_mask(contents.own.out, frame, None)
        both = " and ".join(twins[name])
        return skipped_entry(
            name,
            number,
            f"{both} would both write the mask {stem_of(name)}.png; rename all but one, or keep them in "
            "different folders",
        )
    entry = entry_of(frame, contents.basis)
    if entry is not None and entry["status"] == "done":
        contents.own.claim(frame, durable=True)
    contents.sync()  # of a line that a power failure takes, the mask would stay
    write_mask(contents.own.out, frame, entry, changed=frame.revision > contents.published)
    return entry


def write_mask(out: Path, frame: ClickFrame, entry: Entry | None, *, changed: bool = True) -> None:
    """
    Write the mask of a frame as it stands, or remove the one that it has no more.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    path = out / result_path("mask", frame.image, frame.frame, frame.frames)
    if entry is None or entry["status"] != "done":
        if changed:
            path.unlink(missing_ok=True)
    elif changed or not path.exists():
        write_whole(path, mask_png(frame), _TAG, durable=False, below=out)


def derive(out: Path, manifest: Path, *, labelled: bool) -> None:
    """Write the files that say parts of what the manifest says."""
    with whole_file(out / TRACKED, _TAG) as file:
        for entry in _done(manifest):
            fields = [
                [point["x"], point["y"]] if point.keys() == {"x", "y"} else point
                for point in point_fields(entry)
            ]
            file.write(dump({"image": key_of_entry(entry), "points": fields}))
    with whole_file(out / POINTS, _TAG) as file:
        file.writelines(text.encode() for text in csv_lines(_rows(manifest), labelled=labelled))
    if (out / MASKS).exists():
        with whole_file(out / MASKS, _TAG) as file, manifest.open("rb") as lines:
            file.writelines(mask_lines(lines))


def _rows(manifest: Path) -> Iterator[tuple[str, Point | None]]:
    for entry in _done(manifest):
        key = key_of_entry(entry)
        if not is_text(key):
            note(
                f"a name that is not UTF-8 is left out of {POINTS}, which cannot hold it; {TRACKED} can, or "
                "rename the image",
                key,
            )
            continue
        if not entry["targets"]:
            yield key, None
        for target in entry["targets"]:
            row, col = target["point"]
            yield key, Point(row, col, target["label"])


def _done(manifest: Path) -> Iterator[Entry]:
    with manifest.open("rb") as lines:
        for line in lines:
            entry = json.loads(line)
            if entry["status"] == "done":
                yield entry


def _published_files(out: Path) -> list[Path]:
    return [path for name in (THETA, TRACKED, POINTS, MASKS) if (path := out / name).exists()]


def _hash(path: Path) -> str:
    digest = blake2b(digest_size=16)
    with path.open("rb") as file:
        feed(digest, file)
    return digest.hexdigest()
