"""Several output folders become one: shards of a job that people divided among themselves."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from pointmask.click.annotators.common import by_frame, check_published
from pointmask.click.publish.folder import derive
from pointmask.errors import OutputError
from pointmask.folder.frame import skipped_entry
from pointmask.folder.planning.plan import shared_stems
from pointmask.folder.records.claims import check_results
from pointmask.folder.records.manifest import Entry, dump
from pointmask.io.files import clean_temporaries, copy_whole, flush, put_whole, staged, sync
from pointmask.io.layout import MANIFEST, MASKS, POINTS, RESULTS, TRACKED, stem_of
from pointmask.io.listed import OwnFiles
from pointmask.io.lock import only_job
from pointmask.io.own import check_free

_TAG = "merge"
_DERIVED = (TRACKED, POINTS, MASKS)


class Merged(NamedTuple):
    """
    What was merged.

    Attributes
    ----------
    done, skipped : int
        Frames with masks, and with a reason instead.
    double : list of str
        Frames that several folders finished, which were taken from the first of them.
    """

    done: int
    skipped: int
    double: list[str]


def merge(folders: Sequence[Path], out: Path) -> Merged:
    """
    Merge output folders; a frame of several is taken from the first that finished it.

    Parameters
    ----------
    folders : sequence of Path
        Output folders of click sessions, or of annotate; they are only read.
    out : Path
        New folder. Masks are copied; the journals stay where they are.

    Raises
    ------
    OutputError
        If `out` holds results or images, a folder has no manifest or holds edits that are not published, or
        a file cannot be written.
    LockedError
        If another job writes to `out`.
    """
    check_published([*folders, out])
    if (out / MANIFEST).exists():
        raise OutputError(f"{out} holds results already; choose a new folder with --out")
    names = dict.fromkeys(key[0] for key, _ in by_frame(folders))
    _check_no_images(out, names)
    twins = {name: group for group in shared_stems(names) for name in group}
    done = skipped = 0
    double: list[str] = []
    labelled = False
    own = OwnFiles(out)
    check_free(out, (name for name in _DERIVED if (out / name).exists()), own.names())
    with only_job(out):
        clean_temporaries(out, _TAG, [RESULTS[kind] for kind in ("mask", "instance")])
        with staged(out / MANIFEST, _TAG) as made:
            with made.open("wb") as file:
                for key, entries in by_frame(folders):
                    finished = [number for number in sorted(entries) if entries[number]["status"] == "done"]
                    chosen = finished[0] if finished else min(entries)
                    entry = entries[chosen]
                    if key[0] in twins:
                        entry = _clash(entry, twins[key[0]])
                    if len(finished) > 1:
                        double.append(f"{key[0]}#{key[1]}" if key[1] else key[0])
                    if entry["status"] == "done":
                        done += 1
                        labelled |= any(target["label"] is not None for target in entry["targets"])
                        _copy_pictures(entry, folders[chosen], out)
                    else:
                        skipped += 1
                    file.write(dump(entry))
            sync(made)
            flush(out)
            own.add(_DERIVED)  # a merge that is killed now may be run again
            derive(out, made, labelled=labelled)
            put_whole(made, out / MANIFEST)
    own.keep(own.names().difference(_DERIVED))
    return Merged(done, skipped, double)


def _check_no_images(out: Path, names: Iterable[str]) -> None:
    """Refuse the folder of the images, which no folder names: one that holds an image of a manifest."""
    if out.is_dir() and (found := next((name for name in names if os.path.lexists(out / name)), None)):
        raise OutputError(
            f"output {out} holds the image {found}, beside which nothing is written; choose a new folder "
            "with --out"
        )


def _clash(entry: Entry, names: Sequence[str]) -> Entry:
    return skipped_entry(
        entry["image"],
        entry["frame"],
        f"{' and '.join(names)} would both write the mask {stem_of(entry['image'])}.png; rename all but one, "
        "or keep them in different folders",
    )


def _copy_pictures(entry: Entry, source: Path, out: Path) -> None:
    """
    Copy the pictures of a frame.

    They were linked until other programs that save in place changed the masks of both folders.
    """
    mask = entry["mask"]
    if mask is None:
        return
    for kind in ("mask", "instance"):
        path = Path(RESULTS[kind]) / Path(mask).relative_to(RESULTS["mask"])
        if not (source / path).is_file():
            if kind == "mask":
                raise OutputError(
                    f"{source / path} is missing, though the manifest names it; publish it again"
                )
            continue
        if os.path.lexists(out / path):  # of a merge that was killed, or else somebody's
            check_results(out, {path.as_posix(): (source / path).read_bytes()}, set())
        copy_whole(source / path, out / path, _TAG, durable=False)
