"""One task of a folder job: read the image, annotate, write its results. Runs in any thread or process."""

from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from pointmask.errors import BrokenOffError, ImageError, PointmaskError
from pointmask.folder.frame import Result, annotate_one, skipped_entry
from pointmask.folder.opened import Opened, OpenFiles
from pointmask.folder.options import Recipe
from pointmask.folder.records.claims import check_results, remove_results, result_files
from pointmask.folder.records.manifest import Entry, Known
from pointmask.folder.records.sealed import FILES, is_intact, sealed_fields
from pointmask.folder.tasks import Task
from pointmask.io.files import write_whole
from pointmask.io.images.kinds import may_hold_frames
from pointmask.io.images.source import ImageSource
from pointmask.io.layout import result_path
from pointmask.io.listed import OwnFiles
from pointmask.io.notes import Counted, gathering
from pointmask.io.points.points import Point


@dataclass(frozen=True, slots=True)
class JobFolders:
    """
    Where a job reads and writes.

    Attributes
    ----------
    files : OpenFiles
        What to annotate.
    out : Path
        Output folder.
    tag : str
        Of the shard; see `pointmask.io.files.staged`.
    claimed : frozenset of str
        Result files that a killed job may have left, which may be replaced like those of earlier entries.
    """

    files: OpenFiles
    out: Path
    tag: str = "whole"
    claimed: frozenset[str] = frozenset()


@dataclass(slots=True)
class Outcome:
    """
    What became of one task.

    Attributes
    ----------
    task : Task
        As given.
    frames : int
        How many frames the file holds; 0 if it could not be told.
    entries : list of (dict, float)
        New manifest entries, each with the seconds of computing that `annotate` took.
    resumed : list of int
        Frames that were already done.
    notes : dict
        What was assumed to read the file, as `pointmask.io.notes.Notes.counted` gives it.
    """

    task: Task
    frames: int = 0
    entries: list[tuple[Entry, float]] = field(default_factory=list)
    resumed: list[int] = field(default_factory=list)
    notes: dict[str, Counted] = field(default_factory=dict)


def work(recipe: Recipe, folders: JobFolders, task: Task) -> Outcome:
    """
    Do one task: what is missing of it.

    Parameters
    ----------
    recipe : Recipe
        How to annotate.
    folders : JobFolders
        Where to read and write.
    task : Task
        What to do.

    Returns
    -------
    Outcome
        An image that cannot be done gives an entry with the reason.

    Raises
    ------
    BrokenOffError
        If a result cannot be written, or all images are gone: no later image would fare better.
    MemoryError
        If memory runs out, for the same reason.
    """
    outcome = Outcome(task)
    with gathering() as notes:  # here, since notes of another process reach nobody
        _work(recipe, folders, outcome)
    outcome.notes = notes.counted()
    return outcome


def _work(recipe: Recipe, folders: JobFolders, outcome: Outcome) -> None:
    task = outcome.task
    with ExitStack() as stack:
        try:
            opened = stack.enter_context(folders.files.of(task))
            with opened.guard:
                outcome.frames = opened.file.frames if may_hold_frames(task.image) else 1
                content = opened.file.content
        except ImageError as error:
            _check_there(folders.files.images)
            outcome.entries = [
                (skipped_entry(task.image, frame, str(error)), 0.0) for frame, _ in task.points
            ]
            return
        _do_frames(recipe, folders, outcome, opened, content)


def _check_there(images: ImageSource) -> None:
    """Tell one bad image from a network drive that is gone, and all images with it."""
    try:
        images.root.stat()
    except OSError as error:
        raise BrokenOffError(
            f"the images at {images.root} can no longer be reached ({error.strerror or error})"
        ) from error


def _do_frames(recipe: Recipe, folders: JobFolders, outcome: Outcome, opened: Opened, content: str) -> None:
    """Fill in what became of each frame."""
    finished = dict(outcome.task.finished)
    for frame, points in outcome.task.points:
        known = finished.get(frame)
        is_current = known is not None and known.is_valid and known.content == content
        if known is not None and is_current and _is_complete(recipe, folders, outcome, frame, known):
            outcome.resumed.append(frame)
            continue
        before = None if known is None else known.mask
        new, seconds = _do_frame(recipe, folders, outcome, opened, frame, points, before)
        if not is_current:  # what else an earlier job made of this frame belongs to another mask
            remove_results(folders.out, before, keep=new.get(FILES, ()))
        outcome.entries.append((new, seconds))


def _do_frame(
    recipe: Recipe,
    folders: JobFolders,
    outcome: Outcome,
    opened: Opened,
    frame: int,
    points: tuple[Point, ...],
    before: str | None,
) -> tuple[Entry, float]:
    """Annotate and write one frame; return its entry and the seconds that annotating took."""
    name = outcome.task.image
    try:
        _check_frame(outcome, frame)
        result = annotate_one(
            opened.file, points, recipe, frame=frame, frames=outcome.frames, guard=opened.guard
        )
        _write(result, folders, before)
    except (BrokenOffError, MemoryError):
        raise
    except PointmaskError as error:
        return skipped_entry(name, frame, str(error)), 0.0
    except Exception as error:
        reason = f"unexpected {type(error).__name__}: {error}; please report it together with the image"
        return skipped_entry(name, frame, reason), 0.0
    return result.entry | sealed_fields(result.files), result.seconds


def _check_frame(outcome: Outcome, frame: int) -> None:
    image, count = outcome.task.image, outcome.frames
    if frame >= count:
        raise ImageError(
            f"{image} has no frame {frame}: it holds {count}, counted from 0; correct the points"
        )
    if count > 1 and frame in outcome.task.taken:
        raise ImageError(f"frame {frame} of {image} would write the mask of another image; rename one")


def _is_complete(recipe: Recipe, folders: JobFolders, outcome: Outcome, frame: int, known: Known) -> bool:
    """Whether all results asked for are there, and whole."""
    if recipe.run_lengths and not known.has_run_lengths:
        return False
    seals = known.seals or {}
    paths = (result_path(kind, outcome.task.image, frame, outcome.frames) for kind in recipe.save)
    return all(is_intact(folders.out / path, seals.get(path)) for path in paths)


def _write(result: Result, folders: JobFolders, before: str | None) -> None:
    """
    Write the results of one frame, but never over a file that pointmask did not write.

    What it wrote is known by the frame's earlier mask (`before`), or by a claim.
    """
    ours = {*result_files(folders.out, before), *(path for path in result.files if path in folders.claimed)}
    check_results(folders.out, result.files, ours)
    try:
        if not ours.issuperset(result.files):
            OwnFiles(folders.out).claim(result.files)
        for path, data in result.files.items():
            write_whole(folders.out / path, data, folders.tag, durable=False, below=folders.out)
    except OSError as error:
        raise BrokenOffError(str(error)) from error
