"""A corrected copy of what the doctor looked at; the originals stay as they are.

Below the folder lie ``images/`` (linked or copied, unchanged), ``masks/`` (PNG, 0 and 255, named like
their images), ``points.csv``, ``img_idx/`` with the lists, and ``fixes.jsonl`` with a line for each file
that was changed or left out.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from pointmask.doctor.findings import Diagnosis
from pointmask.doctor.lists import names_of
from pointmask.doctor.targets import is_binary, repeated, targets_of
from pointmask.errors import ImageError, OutputError, PointmaskError
from pointmask.folder.planning.plan import make_plan, shared_stems
from pointmask.io.files import staged, write_whole
from pointmask.io.formats.tables.csv import Csv
from pointmask.io.images.array import encode_png, read_mask
from pointmask.io.images.file import ImageFile
from pointmask.io.images.folder import FolderSource
from pointmask.io.images.masks import is_numbered, resized, size_relation, truth_whatever
from pointmask.io.images.open import open_source
from pointmask.io.images.source import ImageSource
from pointmask.io.layout import ID_LISTS, IMAGES, POINT_LIST, TRUE_MASKS, stem_of
from pointmask.io.links import link_or_copy
from pointmask.io.listed import put_own
from pointmask.io.own import check_folder
from pointmask.io.points.fit import fitted
from pointmask.io.points.lists import IdList
from pointmask.io.points.points import Point, Points, pixel_index

RECORD = "fixes.jsonl"
"""Says what was done to each file; a folder without it is not one of ours."""


def check_out(out: Path, inputs: Sequence[Path], *, overwrite: bool) -> None:
    """
    Refuse a place for a corrected copy where it would destroy something.

    Parameters
    ----------
    out : Path
        The place.
    inputs : sequence of Path
        What is read.
    overwrite : bool
        Whether an earlier copy may be replaced.

    Raises
    ------
    OutputError
        If it is a file, holds or lies in an input, holds files and ``overwrite`` is not set, or holds
        files that are no corrected copy.
    """
    check_folder(out)
    place = out.resolve()
    for path in inputs:
        read = path.resolve()
        if place == read or place in read.parents or read in place.parents:
            raise OutputError(
                f"corrected copy {out} and input {path} would mix; choose a folder apart, for example: "
                f"--fix {read.parent / (read.name + '-fixed')}"
            )
    if not out.exists():
        return
    if any(out.iterdir()):
        if not overwrite:
            raise OutputError(f"corrected copy {out} exists and is not empty; choose another, or --overwrite")
        if not (out / RECORD).is_file():
            raise OutputError(f"{out} holds no {RECORD}, so it is no corrected copy; choose another folder")


def write_fixed(
    out: Path,
    diagnosis: Diagnosis,
    images: ImageSource,
    points: Points | None = None,
    masks: Path | None = None,
    *,
    lists: Sequence[IdList] = (),
    copy: bool = False,
    overwrite: bool = False,
) -> dict[str, int]:
    """
    Write a corrected copy.

    Parameters
    ----------
    out : Path
        Folder; it takes its place when it is whole.
    diagnosis : Diagnosis
        Of the same images, points, masks and lists.
    images : ImageSource
    points : Points, optional
    masks : Path, optional
    lists : sequence of IdList
    copy : bool
        Copy images instead of linking to them; those in archives are always copied.
    overwrite : bool
        Replace an earlier corrected copy.

    Returns
    -------
    dict
        How often each thing was done.

    Raises
    ------
    OutputError
        As `check_out`, and if a file cannot be written.
    """
    inputs = [path for path in (images.root, masks) if path is not None]
    check_out(out, inputs, overwrite=overwrite)
    with staged(out) as aside:
        aside.mkdir()
        with (aside / RECORD).open("w", encoding="utf-8", newline="\n", errors="backslashreplace") as file:
            copier = _Copier(aside, diagnosis, images, masks, _Record(file))
            copier.put_images(copy=copy)
            if masks is not None:
                copier.put_masks(open_source(masks))
            if points is not None:
                copier.put_points(points)
            copier.put_lists(lists)
            counts = dict(copier.record.counts)
        put_own(aside, out, drop=True)
    return counts


class _Record:
    """Lines on what was done."""

    def __init__(self, file: TextIO) -> None:
        self.counts: Counter[str] = Counter()
        self._file = file

    def add(self, file: str, action: str, why: str) -> None:
        self.counts[action] += 1
        self._file.write(json.dumps({"file": file, "action": action, "why": why}, ensure_ascii=False) + "\n")


class _Copier:
    """Writes the parts of a corrected copy."""

    def __init__(
        self, out: Path, diagnosis: Diagnosis, images: ImageSource, masks: Path | None, record: _Record
    ) -> None:
        self.record = record
        self._out, self._images, self._remedies = out, images, diagnosis.remedies
        self._names = [name for name in self._remedies.names if name not in self._remedies.unreadable]
        # Masks may lie among the images; what pairs with a point or id is sought among images alone.
        self._everything = images.names(exclude=masks)
        self._twins = {name for names in shared_stems(self._remedies.names) for name in names}

    def put_images(self, *, copy: bool) -> None:
        for name, reason in self._remedies.unreadable.items():
            self.record.add(f"images/{name}", "images left out", reason)
        for name in sorted(set(self._everything).difference(self._remedies.names)):
            self.record.add(f"images/{name}", "images left out", "in no list")
        for name in self._names:
            path = self._out / IMAGES / name
            if isinstance(self._images, FolderSource):
                link_or_copy(self._images.root / name, path, copy=copy)
            else:
                write_whole(path, self._images.read(name), durable=False)

    def put_masks(self, masks: ImageSource) -> None:
        left = set(masks.names()).difference(self._remedies.mask_files.values())
        for name in sorted(left):
            self.record.add(f"masks/{name}", "masks left out", "belongs to no image, or not to one alone")
        for name in self._names:
            if name in self._twins:
                self.record.add(f"masks/{name}", "masks left out", "another image has the same stem")
            elif name in self._remedies.mask_files:
                self._put_mask(masks, self._remedies.mask_files[name], name)

    def _put_mask(self, masks: ImageSource, mask_name: str, name: str) -> None:
        try:
            with masks.open(mask_name) as file, self._images.open(name) as image:
                mask, done = _corrected(file, image)
        except ImageError as error:
            self.record.add(f"masks/{mask_name}", "masks left out", str(error))
            return
        for action, why in done.items():
            self.record.add(f"masks/{mask_name}", action, why)
        path = self._out / TRUE_MASKS / f"{stem_of(name)}.png"
        write_whole(path, encode_png(mask), durable=False)

    def put_points(self, points: Points) -> None:
        plan = make_plan(self._images, self._everything, points)
        for (name, frame), reason in sorted(plan.skipped.items()):
            self.record.add(POINT_LIST, "points left out", f"{name} frame {frame}: {reason}")
        kept: dict[str, tuple[Point, ...]] = {}
        copied = set(self._names)
        for name, frames in plan.frames.items():
            if name not in copied:
                self.record.add(POINT_LIST, "points left out", f"{name} is left out")
                continue
            for frame, listed in frames.items():
                try:
                    listed = self._fitted(name, frame, listed)
                except PointmaskError as error:
                    self.record.add("points.csv", "points left out", f"{name} frame {frame}: {error}")
                    continue
                placed = self._moved(listed, name, frame)
                again = repeated(placed, self._targets(name, frame))
                gone = {id(second) for _, second in again}
                for first, second in again:
                    told = f"{name}: x {second.col}, y {second.row} into x {first.col}, y {first.row}"
                    self.record.add(POINT_LIST, "points merged", told)
                kept[f"{name}#{frame}" if frame else name] = tuple(p for p in placed if id(p) not in gone)
        Csv().write(Points(kept), self._out / POINT_LIST)

    def _fitted(self, name: str, frame: int, listed: tuple[Point, ...]) -> tuple[Point, ...]:
        """Bring points into the size of their image, as the copy does not say in which they were marked."""
        if all(point.image_shape is None for point in listed):
            return listed
        with self._images.open(name) as image:
            return fitted(listed, image.decode(frame).shape)

    def _moved(self, listed: Sequence[Point], name: str, frame: int) -> Sequence[Point]:
        """Undo the systematic error of all points, if there is one that can be undone."""
        cause = self._remedies.cause
        if cause is None or cause.change is None or not listed:
            return listed
        with self._images.open(name) as file:
            shape = file.decode(frame).shape
        before = np.array([(p.row, p.col) for p in listed], np.float64)
        rows, cols = cause.change(before[:, 0], before[:, 1], (shape[0], shape[1]))
        moved = [
            replace(p, row=pixel_index(row), col=pixel_index(col))
            for p, row, col in zip(listed, rows, cols, strict=True)
        ]
        for was, now in zip(listed, moved, strict=True):
            told = f"{name}: x {was.col}, y {was.row} to x {now.col}, y {now.row}: points {cause.what}"
            self.record.add(POINT_LIST, "points moved", told)
        return moved

    def _targets(self, name: str, frame: int) -> NDArray[np.int32] | None:
        """Label the targets of the corrected mask, if there is one."""
        path = self._out / TRUE_MASKS / f"{stem_of(name)}.png"
        return targets_of(read_mask(path)) if frame == 0 and path.is_file() else None

    def put_lists(self, lists: Sequence[IdList]) -> None:
        names = self._everything
        called = Counter(Path(listed.source).name for listed in lists)
        for listed in lists:
            source = Path(listed.source)
            inner = f"{source.parent.name}/" if called[source.name] > 1 and source.parent.name else ""
            file = f"{ID_LISTS}/{inner}{source.name}"
            path = self._out / file
            if path.exists():
                raise OutputError(f"two lists are called {inner}{path.name}; rename one")
            ids = "".join(f"{key}\n" for key in self._ids(listed, names, file))
            data = ids.encode("utf-8", "surrogateescape")
            write_whole(path, data)
            if not source.is_file() or source.read_bytes() != data:
                self.record.add(file, "lists rewritten", "one id a line, without suffix")

    def _ids(self, listed: IdList, names: Sequence[str], file: str) -> Iterator[str]:
        """Yield the ids of a list that are left, in its order."""
        name_of = names_of(listed, names)
        taken = self._remedies.taken_out.get(listed.source, {})
        for key in listed.ids:
            name = name_of.get(key, "")
            why = taken.get(name) or self._remedies.unreadable.get(name)
            if why or not name:
                self.record.add(
                    file, "ids taken out", f"{key}: {why or 'it names no image, or not one alone'}"
                )
            else:
                yield name if name in self._twins else stem_of(name)


def _corrected(file: ImageFile, image: ImageFile) -> tuple[NDArray[np.bool_], dict[str, str]]:
    """
    Bring a mask to two values and the size of its image.

    Returns
    -------
    mask : (H, W) bool
    done : dict
        What was done, with the reason.

    Raises
    ------
    ImageError
        If it cannot be told what was meant.
    """
    if file.frames > 1 or image.frames > 1:
        raise ImageError(f"{file.name}: it or its image has several frames; save them one by one")
    stored, mask = file.decode(), truth_whatever(file.mask_numbers(), file.name)
    values, done = np.unique(stored), {}
    if is_numbered(stored) and not is_binary(stored, values):
        done["masks binarised"] = f"0 to {values[-1]}; above 0 is the truth"
    elif not mask.any() and values[-1] > 0:
        if len(values) > 2 or values[0] != 0:
            raise ImageError(f"{file.name}: {len(values)} values up to {values[-1]}; which are the truth?")
        mask = stored > 0
        done["masks binarised"] = f"0 and {values[-1]}; above 0 is the truth"
    elif not is_binary(stored, values):
        done["masks binarised"] = f"{len(values)} values; above half of the range is the truth"
    height, width = image.decode().shape
    if mask.shape != (height, width):
        sizes = f"{mask.shape[1]} x {mask.shape[0]}, image {width} x {height}"
        relation = size_relation((mask.shape[0], mask.shape[1]), (height, width))
        if relation != "resized":
            raise ImageError(f"{file.name}: {sizes}: {relation}; export it again at the image's size")
        mask = resized(mask, (height, width))
        done["masks resized"] = f"{sizes}; nearest pixels"
    return mask, done
