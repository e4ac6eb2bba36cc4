"""Read images, points, masks and lists once, and say what a job would stumble over."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pointmask import executors
from pointmask.doctor.clicks import note_clicks
from pointmask.doctor.findings import Diagnosis, Group, Notes, Remedies, with_whole
from pointmask.doctor.frame import Looker, Seen
from pointmask.doctor.lists import SplitList, split_of, style_notes, together
from pointmask.doctor.mixed_up import Reader, Suspects, mask_pairs, point_pairs
from pointmask.doctor.twins import Twins
from pointmask.doctor.whole import judge_masks
from pointmask.errors import ImageError
from pointmask.executors import Progress
from pointmask.folder.judging import judge_plan
from pointmask.folder.planning.plan import Plan, make_plan, shared_stems
from pointmask.io.images.open import open_source
from pointmask.io.images.source import ImageSource
from pointmask.io.points.lists import IdList
from pointmask.io.points.match import match
from pointmask.io.points.points import Point, Points

MaskFiles = Mapping[str, Mapping[int, tuple[str, ...]]]


def examine(
    images: ImageSource | Path,
    points: Points | None = None,
    masks: Path | None = None,
    *,
    lists: Sequence[IdList] = (),
    threads: int = 1,
    report: Callable[[Progress], None] | None = None,
) -> Diagnosis:
    """
    Read everything once and say what a job would stumble over.

    Memory holds a few hundred bytes per image, whatever the size of the images.

    Parameters
    ----------
    images : ImageSource or Path
        The images.
    points : Points, optional
        As read by `pointmask.io.formats.read_points`.
    masks : Path, optional
        Folder of true masks, paired with images by name.
    lists : sequence of IdList
        Look at the images of these lists alone; ids that fit none are a problem. What a list is for, its
        file name tells: ``train``, ``val`` or ``test``.
    threads : int
        Number of threads, at least 1; the result is the same.
    report : callable, optional
        Called after each image with a `pointmask.executors.Progress`.

    Returns
    -------
    Diagnosis
        What was recognised, and findings with what to do.

    Raises
    ------
    ImageError
        If a folder is missing or cannot be read.
    ValueError
        If ``threads`` is less than 1.
    """
    if threads < 1:
        raise ValueError(f"threads is {threads}; at least 1 is needed")
    notes = Notes()
    source = open_source(images)
    everything = source.names(exclude=masks)
    if not everything and not source.refused():
        notes.add("nothing", source.why_no_image())
    told = set(source.refused())  # images that have a finding, which need no other for their points
    for reason in source.refused().values():
        notes.add("unreadable", reason)
    splits = _read_splits(lists, everything, str(source.root), told, notes)
    names = everything
    if lists:
        listed = frozenset[str]().union(*(split.names for split in splits))
        for name in everything:
            if name not in listed and name not in told:
                notes.add("in no list", name)
        names = [name for name in everything if name in listed]
    for twins in shared_stems(names):
        notes.add("stems", ", ".join(twins))
        told.update(twins)
    plan = None if points is None else make_plan(source, everything, points, only=together(lists))
    if plan is not None:
        _note_plan(plan, told, notes)
    truth = None if masks is None else open_source(masks)
    mask_files: MaskFiles = {} if truth is None else _pair_masks(truth, everything, names, notes)
    if masks is not None:
        note_clicks(masks, source, notes)
    looker = Looker(source, truth, mask_files, None if plan is None else plan.frames)
    ward = _Ward(looker, splits, notes)
    with ward.twins:
        execute = executors.serial if threads == 1 else partial(executors.threads, count=threads)
        for number, seen in enumerate(execute(looker, names), 1):
            ward.take(seen)
            if report is not None:
                report(Progress(number, len(names), 0, len(ward.unreadable)))
        ward.twins.search(splits, threads)
    ward.conclude()
    notes.extend(looker.unchanging.notes())
    single = _single(mask_files)
    of_points = None if plan is None else judge_plan(source, plan, polarity="bright")
    of_masks = None if truth is None else judge_masks(source, truth, single)
    return Diagnosis(
        tuple(sorted(ward.groups.values(), key=lambda group: group.role)),
        _told_points(points),
        with_whole([one for one in (of_points, of_masks) if one is not None], notes.findings()),
        Remedies(
            tuple(names),
            ward.unreadable,
            single,
            ward.twins.taken_out,
            None if of_points is None else of_points.cause,
        ),
    )


class _Ward:
    """Puts together what was seen image by image."""

    def __init__(self, looker: Looker, splits: Sequence[SplitList], notes: Notes) -> None:
        self.groups: dict[tuple[str, str], Group] = {}
        self.unreadable: dict[str, str] = {}
        self.twins = Twins()
        self._looker, self._splits, self._notes = looker, splits, notes
        self._masks, self._points = Suspects(), Suspects()
        self._fitted: dict[str, Sequence[Point]] = {}

    def take(self, seen: Seen) -> None:
        """Take in what was seen of one image."""
        self._notes.extend(seen.notes)
        for kind in seen.kinds:
            group = self.groups.setdefault((kind.role, kind.name), Group(kind.role, kind.name))
            group.files += kind.is_first
            group.frames += 1
            group.sizes[kind.shape] += 1
            group.bits = max(group.bits, kind.bits)
        if seen.fitted is not None:
            self._fitted[seen.name] = seen.fitted
        if seen.unreadable:
            self.unreadable[seen.name] = seen.unreadable
            return
        if seen.digest:
            self.twins.add(seen.name, seen.digest, seen.small)
        if self._looker.masks is not None and (seen.of_mask or seen.name not in self._looker.mask_files):
            self._masks.add(seen, seen.of_mask)
        if self._looker.planned is not None and (seen.of_points or seen.name not in self._looker.planned):
            self._points.add(seen, seen.of_points)

    def conclude(self) -> None:
        """Compare images with each other."""
        self._notes.extend(self.twins.notes)
        reader = Reader(self._looker.images)
        self._notes.extend(mask_pairs(self._masks, reader, self._mask_of))
        self._notes.extend(point_pairs(self._points, reader, self._points_of))

    def _mask_of(self, name: str) -> NDArray[np.bool_] | None:
        masks, files = self._looker.masks, self._looker.mask_files.get(name, {}).get(0, ())
        if masks is None or len(files) != 1:
            return None
        try:
            with masks.open(files[0]) as file:
                return file.mask()
        except ImageError:
            return None

    def _points_of(self, name: str) -> Sequence[Point]:
        if self._looker.planned is None:
            return ()
        return self._fitted[name] if name in self._fitted else self._looker.planned[name].get(0, ())


def _read_splits(
    lists: Sequence[IdList], names: Sequence[str], root: str, told: set[str], notes: Notes
) -> list[SplitList]:
    splits = []
    for listed in lists:
        split, problems = split_of(listed, names, root)
        splits.append(split)
        for key, reason in problems.items():
            notes.add("unlisted", f"{key}: {reason}")
        told.update(problems)
        notes.extend(style_notes(listed))
    return splits


def _note_plan(plan: Plan, told: set[str], notes: Notes) -> None:
    for (name, _), reason in sorted(plan.skipped.items()):
        if name not in told:
            notes.add("unpaired", f"{name}: {reason}")
    for name in plan.without_points:
        notes.add("no points", name)
    for note in plan.notes:
        notes.add("assumed", note)


def _pair_masks(
    masks: ImageSource, everything: Sequence[str], names: Sequence[str], notes: Notes
) -> MaskFiles:
    """Pair masks among all images, so that those of images that are not looked at are no orphans."""
    matches = match(masks.names(), everything)
    for note in matches.notes:
        notes.add("loosely", f"{masks.root}: {note}")
    # One orphan may be left over; where no mask fits, nothing that was asked for can be done.
    kind = "mask orphan" if matches.by_key or matches.ambiguous else "mask stranger"
    for name in matches.unmatched:
        notes.add(kind, f"{name}: {matches.hints[name]}" if name in matches.hints else name)
    for name, candidates in matches.ambiguous.items():
        notes.add("mask twice", f"{name}: {', '.join(candidates)}")
    asked = set(names)
    paired: defaultdict[str, dict[int, tuple[str, ...]]] = defaultdict(dict)
    for (image, frame), files in sorted(matches.by_image().items()):
        if image in asked:
            paired[image][frame] = tuple(files)
            if len(files) > 1:
                notes.add("mask twice", f"{image}: {', '.join(paired[image][frame])}")
    masked = paired.keys() | {name for candidates in matches.ambiguous.values() for name in candidates}
    for name in names:
        if name not in masked:
            notes.add("mask none", name)
    return paired


def _single(mask_files: MaskFiles) -> dict[str, str]:
    """Masks of the images that have one alone."""
    return {
        image: by_frame[0][0]
        for image, by_frame in mask_files.items()
        if list(by_frame) == [0] and len(by_frame[0]) == 1
    }


def _told_points(points: Points | None) -> str:
    if not points:
        return ""
    return f"{len(points):,} points in {len(points.by_image):,} images: {points.source}"
