"""What is recognised in a folder of images, points and masks, what is wrong with it, and what to do."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointmask.errors import ImageError
from pointmask.files import stem_of
from pointmask.id_lists import IdList, choose
from pointmask.image_file import ImageFile
from pointmask.image_source import ImageSource
from pointmask.order import natural_key
from pointmask.pairing import Plan, make_plan, shared_stems
from pointmask.points import Point, Points, match
from pointmask.sources import open_source


@dataclass(slots=True)
class Group:
    """
    Files of one kind.

    Attributes
    ----------
    role : str
        ``images`` or ``masks``.
    kind : str
        Suffix, stored bands and the type they are read as, such as ``png RGB, read as float32``.
    files, frames : int
        How many.
    sizes : Counter
        Frames by (height, width).
    """

    role: str
    kind: str
    files: int = 0
    frames: int = 0
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Finding:
    """
    One thing to know about the data.

    Attributes
    ----------
    what : str
        In a few words.
    fix : str
        What to do about it.
    items : tuple of str
        The files concerned, with details.
    is_problem : bool
        Whether images would be skipped or truth misread; otherwise it is a note.
    """

    what: str
    fix: str
    items: tuple[str, ...]
    is_problem: bool


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """
    Result of `examine`.

    Attributes
    ----------
    groups : tuple of Group
        What was recognised.
    points : str
        What the points are; empty if none were given.
    findings : tuple of Finding
        Problems first.
    """

    groups: tuple[Group, ...]
    points: str
    findings: tuple[Finding, ...]

    @property
    def is_healthy(self) -> bool:
        """Whether there is no problem (notes do not count)."""
        return not any(finding.is_problem for finding in self.findings)


# Kind of finding -> (what, fix, is_problem), in the order in which they are listed.
_KINDS = {
    "unreadable": ("files cannot be read", "copy or export them again; a job skips them", True),
    "unlisted": ("ids of the list do not fit the images", "correct the list; a job skips these", True),
    "unpaired": ("points do not fit the images", "correct the point list; a job skips these", True),
    "outside": (
        "points lie outside their image",
        "correct them (0-based x = column, y = row); skipped",
        True,
    ),
    "stems": ("images differ only in their suffix", "rename all but one, their masks would collide", True),
    "mask size": ("masks differ in size from their image", "export them again at the image's size", True),
    "mask dim": ("masks hold nothing above half of the range", "multiply them (truth is > 127 of 255)", True),
    "mask twice": (
        "masks fit several images, or several masks one image",
        "rename them like the image",
        True,
    ),
    "mask grey": (
        "masks hold values between black and white",
        "nothing, if > 127 of 255 is the truth",
        False,
    ),
    "mask empty": ("masks are empty", "nothing, if these images hold no target", False),
    "mask orphan": ("masks have no image", "rename them like the image, or leave them", False),
    "mask none": ("images have no mask", "nothing, if these are not to be scored", False),
    "constant": ("images are constant", "export them again; nothing can be found in them", False),
    "not finite": ("images hold NaN or infinity", "nothing: such pixels are never part of a mask", False),
    "no points": ("images have no points", "list them, or annotate with --empty-masks", False),
}


class _Notes:
    """Collects findings under the keys of the table."""

    def __init__(self) -> None:
        self._items: defaultdict[str, list[str]] = defaultdict(list)

    def add(self, kind: str, item: str) -> None:
        self._items[kind].append(item)

    def findings(self) -> tuple[Finding, ...]:
        return tuple(
            Finding(what, fix, tuple(sorted(self._items[kind], key=natural_key)), is_problem)
            for kind, (what, fix, is_problem) in _KINDS.items()
            if kind in self._items
        )


def examine(
    images: ImageSource | Path,
    points: Points | None = None,
    masks: Path | None = None,
    *,
    only: IdList | None = None,
) -> Diagnosis:
    """
    Read everything once and say what a job would stumble over.

    Parameters
    ----------
    images : ImageSource or Path
        The images.
    points : Points, optional
        As read by `pointmask.formats.read_points`.
    masks : Path, optional
        Folder of true masks, paired with images by name.
    only : IdList, optional
        Look at these images alone; ids that fit none are a problem.

    Returns
    -------
    Diagnosis
        What was recognised, and findings with what to do.

    Raises
    ------
    ImageError
        If a folder is missing or cannot be read.
    """
    notes = _Notes()
    source = open_source(images)
    everything = names = source.names(exclude=masks)
    told = set(source.refused())  # images that have a finding, which need no other for their points
    if only is not None:
        choice = choose(only, names, str(source.root))
        names = [name for name in names if name in choice.names]
        for key, reason in choice.problems.items():
            notes.add("unlisted", f"{key}: {reason}")
        told.update(choice.problems)
    for reason in source.refused().values():
        notes.add("unreadable", reason)
    groups, shapes = _examine_images(source, names, notes)
    for twins in shared_stems(names):
        notes.add("stems", ", ".join(twins))
        told.update(twins)
    if points is not None:
        plan = make_plan(source, everything, points, only=only)
        _examine_points(plan, told, shapes, notes)
    if masks is not None:
        groups += _examine_masks(open_source(masks), everything, names, shapes, notes)
    source_of_points = (
        f"{len(points):,} points in {len(points.by_image):,} images: {points.source}" if points else ""
    )
    return Diagnosis(tuple(groups), source_of_points, notes.findings())


_Shapes = dict[tuple[str, int], tuple[int, int]]  # by (image, frame)


def _examine_images(images: ImageSource, names: Iterable[str], notes: _Notes) -> tuple[list[Group], _Shapes]:
    groups: dict[str, Group] = {}
    shapes: _Shapes = {}
    for name in names:
        for shown, frame, pixels, file in _frames(images, name, notes):
            shapes[name, frame] = _count(groups, "images", name, frame, pixels, file)
            _note_pixels(shown, pixels, notes)
    return list(groups.values()), shapes


def _frames(
    source: ImageSource, name: str, notes: _Notes
) -> Iterator[tuple[str, int, NDArray[Any], ImageFile]]:
    """Yield (name to show, frame, pixels, open file) for each frame; a file that cannot be read is noted."""
    try:
        with source.open(name) as file:
            for frame in range(file.frames):
                yield name if file.frames == 1 else f"{name}#{frame}", frame, file.decode(frame), file
    except ImageError as error:
        notes.add("unreadable", str(error))


def _count(
    groups: dict[str, Group], role: str, name: str, frame: int, pixels: NDArray[Any], file: ImageFile
) -> tuple[int, int]:
    """Count a frame in its group, and return its (height, width)."""
    suffix = name[len(stem_of(name)) + 1 :].lower()
    kind = " ".join(word for word in (suffix, file.colour_mode) if word) + f", read as {pixels.dtype}"
    group = groups.setdefault(kind, Group(role, kind))
    shape = (pixels.shape[0], pixels.shape[1])
    group.files += frame == 0
    group.frames += 1
    group.sizes[shape] += 1
    return shape


def _note_pixels(name: str, pixels: NDArray[Any], notes: _Notes) -> None:
    finite = np.isfinite(pixels)
    count = int(finite.size - np.count_nonzero(finite))
    if count:
        notes.add("not finite", f"{name}: {count:,} of {pixels.size:,} pixels")
        pixels = pixels[finite]
    if pixels.min() == pixels.max():
        notes.add("constant", f"{name}: {pixels.flat[0]} everywhere")


def _examine_points(plan: Plan, told: set[str], shapes: _Shapes, notes: _Notes) -> None:
    for (name, _), reason in sorted(plan.skipped.items()):
        if name not in told:
            notes.add("unpaired", f"{name}: {reason}")
    for name, frames in sorted(plan.wanted.items()):
        for frame, listed in frames.items():
            shape = shapes.get((name, frame))
            if shape is None:
                if (name, 0) in shapes:
                    notes.add("unpaired", f"{name}: the file has no frame {frame}")
                continue
            for p in listed:
                if not (0 <= p.row < shape[0] and 0 <= p.col < shape[1]):
                    notes.add("outside", f"{name}: x {p.col}, y {p.row} in {shape[1]} x {shape[0]} pixels")
    for name in plan.without_points:
        notes.add("no points", name)


def _examine_masks(
    masks: ImageSource, everything: list[str], names: list[str], shapes: _Shapes, notes: _Notes
) -> list[Group]:
    """Look at the masks of ``names``, paired among all images, so that masks of the others are no orphans."""
    files = masks.names()
    # The row of a mask's only point is its number, so that pairing tells which mask each image got.
    found = match(Points({name: (Point(k, 0),) for k, name in enumerate(files)}, str(masks.root)), everything)
    for name in found.unmatched:
        notes.add("mask orphan", name)
    for name, candidates in found.ambiguous.items():
        notes.add("mask twice", f"{name}: {', '.join(candidates)}")
    groups: dict[str, Group] = {}
    asked = set(names)
    masked = {name for candidates in found.ambiguous.values() for name in candidates}
    for (image, frame), numbers in sorted(found.points.items()):
        if image not in asked:
            continue
        masked.add(image)
        if len(numbers) > 1:
            notes.add("mask twice", f"{image}: {', '.join(files[point.row] for point in numbers)}")
        for point in numbers:
            _examine_mask(masks, files[point.row], (image, frame), shapes, groups, notes)
    for name in names:
        if name not in masked:
            notes.add("mask none", name)
    return list(groups.values())


def _examine_mask(
    masks: ImageSource,
    name: str,
    target: tuple[str, int],
    shapes: _Shapes,
    groups: dict[str, Group],
    notes: _Notes,
) -> None:
    """Look at all frames of a mask file, which belong to frames of ``target``'s image from its own on."""
    for shown, frame, pixels, file in _frames(masks, name, notes):
        shape = _count(groups, "masks", name, frame, pixels, file)
        expected = shapes.get((target[0], target[1] + frame), shape)
        if shape != expected:
            notes.add("mask size", f"{shown}: {_size(shape)}, image {target[0]}: {_size(expected)}")
        _note_mask(shown, pixels, file.mask(frame), notes)


def _note_mask(name: str, pixels: NDArray[Any], mask: NDArray[np.bool_], notes: _Notes) -> None:
    values = np.unique(pixels)
    if not mask.any():
        notes.add("mask dim" if values[-1] > 0 else "mask empty", f"{name}: largest value {values[-1]}")
    elif len(values) > 2:
        notes.add("mask grey", f"{name}: {len(values)} values from {values[0]} to {values[-1]}")


def _size(shape: tuple[int, int]) -> str:
    return f"{shape[1]} x {shape[0]}"
