"""Pairing of points with the images of a training folder, and messages about unmatched ones."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pointmask.io.formats import read_points
from pointmask.io.formats.find import find_points
from pointmask.io.points.by_frame import points_by_frame
from pointmask.io.points.points import Point, Points
from pointmask_trainer.data.folder import some
from pointmask_trainer.data.layout import image_folder, image_names
from pointmask_trainer.errors import DataError

IdLists = tuple[list[str], list[str]]


class DrawLists(Protocol):
    """Signature of `pointmask_trainer.data.folder.split_ids`, bound to a folder."""

    def __call__(self, *, without: Collection[str] = ()) -> IdLists:
        """Return train and val ids."""


@dataclass(frozen=True, slots=True)
class Paired:
    """Points by image id.

    Attributes
    ----------
    points : Points
        Keys are ids; ``rejected`` also contains images whose points are ambiguous.
    notes : tuple of str
        Messages for the user, one per line.
    """

    points: Points
    notes: tuple[str, ...]

    def knows(self, key: str) -> bool:
        """Whether the points mention an image, even if only to say that it contains no target."""
        return key in self.points.by_image or key in self.points.rejected


def pair_points(points: Points, images: Mapping[str, Path], root: Path) -> Paired:
    """Pair points with the images of a training folder by name.

    Parameters
    ----------
    points : Points
        As read.
    images : Mapping
        Result of `pointmask_trainer.data.folder.find_images`.
    root : Path
        Training folder, used in messages.

    Raises
    ------
    DataError
        If the points match no image of the folder.
    """
    ids = image_names(images)
    paired = points_by_frame(points, ids)
    by_image: dict[str, tuple[Point, ...]] = {}
    later: set[str] = set()
    for (name, frame), frame_points in paired.points.items():
        if not frame:
            by_image[ids[name]] = frame_points
        elif frame_points:
            later.add(ids[name])
    rejected = {ids[name]: reason for (name, frame), reason in paired.rejected.items() if not frame}
    for key, names in paired.ambiguous.items():
        candidates = [ids[name] for name in names]
        others = " and ".join(candidates) if len(candidates) > 1 else f"{candidates[0]}, as another name does"
        for image in candidates:
            by_image.pop(image, None)
            rejected[image] = f"{points.source} says {key}, which fits {others}; write its path and suffix"
    if not (paired.points or rejected) and paired.unmatched:
        raise DataError(
            f"{points.source} names no image of {root}: it says {some(paired.unmatched)}, the folder holds "
            f"{some(sorted(images))}; correct the names"
        )
    notes = list(paired.notes)
    if paired.unmatched:
        notes.append(
            f"{points.source} names images that are not in {root}, and are passed over: "
            f"{some(paired.unmatched)}"
        )
    if later:
        notes.append(
            f"points on later frames of {some(sorted(later))} are passed over: of a file with several "
            "frames the first is trained on; write the others as files of their own"
        )
    return Paired(Points(by_image, points.source, rejected), tuple(notes))


def points_of(
    root: Path,
    given: Path | None,
    images: Mapping[str, Path],
    needed_by: str | None,
    say: Callable[[str], None],
) -> Paired | None:
    """Read the points given by the user, or else the points in the folder if a strategy needs them.

    Parameters
    ----------
    root : Path
        Training folder.
    given : Path or None
        Path given by the user.
    images : Mapping
        Result of `pointmask_trainer.data.folder.find_images`.
    needed_by : str or None
        Name of the strategy that requires points.
    say : callable
        Called with messages for the user.

    Returns
    -------
    Paired or None
        None if points are neither given nor needed.

    Raises
    ------
    PointsError
        If there are no points, several files of points, or they cannot be read.
    DataError
        If the points match no image of the folder.
    """
    if given is not None:
        points = read_points(given, images=image_folder(root))
    elif needed_by is not None:
        points = find_points(root, image_folder(root), f"strategy {needed_by}")
        say(f"no --points given: found {points.source}, {len(points):,} points")
    else:
        return None
    paired = pair_points(points, images, root)
    for note in (*points.notes, *paired.notes):
        say(note)
    return paired


def lists_with_points(draw: DrawLists, paired: Paired, say: Callable[[str], None]) -> IdLists:
    """Exclude images that the points do not mention, since these may contain targets.

    Parameters
    ----------
    draw : callable
        Returns train and val ids, excluding the ids passed as `without`.
    paired : Paired
    say : callable
        Called with a message if images are excluded.

    Returns
    -------
    (list, list) of str

    Raises
    ------
    DataError
        If no image remains.
    """
    train, val = draw()
    ids = [*train, *val]
    unknown = [key for key in ids if not paired.knows(key)]
    if not unknown:
        return train, val
    if len(unknown) == len(ids):
        raise DataError(
            f"{paired.points.source} names none of the {len(ids)} images in the lists, such as "
            f"{some(ids)}; check the lists, --include and the points"
        )
    say(
        f"{len(unknown):,} of {len(ids):,} images are left out, as {paired.points.source} does not name "
        f"them: {some(unknown)} (a row NAME,, says that an image holds no target)"
    )
    return draw(without=unknown)
