"""One image with its masks and points, looked at once: everything that can be told without other images."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointmask.doctor import visibility as evidence
from pointmask.doctor.findings import Note
from pointmask.doctor.fingerprint import Print, fingerprint
from pointmask.doctor.pixels import Unchanging, depth_of, pixel_notes
from pointmask.doctor.targets import (
    agreement_notes,
    is_inside,
    mask_notes,
    point_notes,
    spots_of,
    targets_of,
)
from pointmask.doctor.visibility import Evidence
from pointmask.errors import ImageError, PointsError
from pointmask.folder.planning.planned import PlannedFrames
from pointmask.io.images.file import ImageFile
from pointmask.io.images.masks import resized, size_relation, truth_whatever
from pointmask.io.images.source import ImageSource
from pointmask.io.layout import stem_of
from pointmask.io.points.fit import differs, fitted
from pointmask.io.points.points import Point

Shape = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Kind:
    """
    What one frame is.

    Attributes
    ----------
    role, name : str
        See `pointmask.doctor.findings.Group`.
    is_first : bool
        Whether it is the first frame of its file.
    shape : (int, int)
    bits : int
    """

    role: str
    name: str
    is_first: bool
    shape: Shape
    bits: int


@dataclass(slots=True)
class Seen:
    """
    What one image, its masks and its points are like.

    Attributes
    ----------
    name : str
    notes : list of Note
    kinds : list of Kind
        Of all frames, masks included.
    digest : bytes
        Hash of all pixels; empty if the image cannot be read, or is constant.
    small : (64, 64) int8 or None
        Fingerprint of the first frame.
    shape : (int, int) or None
        Of an image of one frame.
    of_mask, of_points : Evidence or None
        How the targets show in such an image.
    fitted : tuple of Point or None
        Points of the first frame if they had to be brought into its size.
    unreadable : str
        Why the image cannot be read, or empty.
    """

    name: str
    notes: list[Note] = field(default_factory=list)
    kinds: list[Kind] = field(default_factory=list)
    digest: bytes = b""
    small: Print | None = None
    shape: Shape | None = None
    of_mask: Evidence | None = None
    of_points: Evidence | None = None
    fitted: tuple[Point, ...] | None = None
    unreadable: str = ""


@dataclass(frozen=True)
class Looker:
    """
    Looks at one image after the other, in any thread.

    Attributes
    ----------
    images : ImageSource
    masks : ImageSource or None
    mask_files : Mapping
        For each image name, its mask files by the frame of the image at which they begin.
    planned : PlannedFrames or None
        Points by image and frame.
    unchanging : Unchanging
        What all frames have in common.
    """

    images: ImageSource
    masks: ImageSource | None
    mask_files: Mapping[str, Mapping[int, tuple[str, ...]]]
    planned: PlannedFrames | None
    unchanging: Unchanging = field(default_factory=Unchanging)

    def __call__(self, name: str) -> Seen:
        """Look at an image, all its frames, its masks and points."""
        seen = Seen(name)
        digest = blake2b(digest_size=16)
        points = dict(self.planned.get(name, {})) if self.planned is not None else {}
        truths = self._truths(name, seen)
        frames = 0
        for shown, frame, pixels, file in _frames(self.images, name, seen):
            frames = file.frames
            seen.kinds.append(_kind("images", name, frame, pixels, file))
            found = list(pixel_notes(shown, pixels, file, frame))
            self.unchanging.add(pixels)
            seen.notes += found
            digest.update(f"{pixels.shape} {pixels.dtype}".encode())
            digest.update(pixels.data)
            mask = self._fitted(truths.get(frame), pixels, shown, seen)
            if points.get(frame):
                points[frame] = _in_size(shown, frame, points[frame], pixels, seen)
            self._compare(shown, pixels, mask, points.get(frame), seen)
            if frame == 0 and not any(kind == "constant" for kind, _ in found):
                seen.small = fingerprint(pixels)
                seen.digest = b"?"
            if file.frames == 1:
                seen.shape = (pixels.shape[0], pixels.shape[1])
                self._weigh(pixels, mask, points.get(0), seen)
        if seen.digest and not seen.unreadable:
            seen.digest = digest.digest()
        for frame in points:
            if frames and frame >= frames:
                seen.notes.append(("unpaired", f"{name}: the file has no frame {frame}"))
        return seen

    def _truths(self, name: str, seen: Seen) -> dict[int, tuple[str, NDArray[np.bool_]]]:
        """Read the masks of an image, and give (name to show, mask) by frame of the image."""
        truths: dict[int, tuple[str, NDArray[np.bool_]]] = {}
        if self.masks is None:
            return truths
        refused = Seen(name)  # a mask that cannot be read says nothing about its image
        for start, files in self.mask_files.get(name, {}).items():
            for mask_name in files:
                for shown, frame, stored, file in _frames(self.masks, mask_name, refused):
                    seen.kinds.append(_kind("masks", mask_name, frame, stored, file))
                    try:
                        mask = truth_whatever(file.mask_numbers(frame), mask_name)
                    except ImageError as error:
                        seen.notes.append(("unreadable", str(error)))
                        continue
                    seen.notes += mask_notes(shown, stored, mask)
                    truths[start + frame] = shown, mask
        seen.notes += refused.notes
        return truths

    @staticmethod
    def _fitted(
        truth: tuple[str, NDArray[np.bool_]] | None, pixels: NDArray[Any], shown: str, seen: Seen
    ) -> NDArray[np.bool_] | None:
        """Give a mask in the size of its image, if it can be brought to it."""
        if truth is None or truth[1].shape == pixels.shape:
            return None if truth is None else truth[1]
        name, mask = truth
        height, width = pixels.shape
        relation = size_relation((mask.shape[0], mask.shape[1]), (height, width))
        seen.notes.append(
            (
                "mask size",
                f"{name}: {mask.shape[1]} x {mask.shape[0]}, image {shown}: {width} x {height}; {relation}",
            )
        )
        return resized(mask, (height, width)) if relation == "resized" else None

    @staticmethod
    def _compare(
        shown: str,
        pixels: NDArray[Any],
        mask: NDArray[np.bool_] | None,
        points: tuple[Point, ...] | None,
        seen: Seen,
    ) -> None:
        if points is None:
            return
        labels = None if mask is None else targets_of(mask)
        seen.notes += point_notes(shown, pixels, points, labels)
        if labels is not None:
            seen.notes += agreement_notes(shown, labels, points)

    @staticmethod
    def _weigh(
        pixels: NDArray[Any],
        mask: NDArray[np.bool_] | None,
        points: tuple[Point, ...] | None,
        seen: Seen,
    ) -> None:
        if mask is not None and mask.any():
            seen.of_mask = evidence.of_mask(pixels, mask)
        inside = [p for p in points or () if is_inside(p, pixels.shape)]
        seen.of_points = evidence.summed(spots_of(pixels, inside))


def _frames(source: ImageSource, name: str, seen: Seen) -> Iterator[tuple[str, int, NDArray[Any], ImageFile]]:
    """Yield (name to show, frame, pixels, open file) for each frame; a file that cannot be read is noted."""
    try:
        with source.open(name) as file:
            for frame in range(file.frames):
                yield name if file.frames == 1 else f"{name}#{frame}", frame, file.decode(frame), file
    except ImageError as error:
        seen.unreadable = str(error)
        seen.notes.append(("unreadable", str(error)))


def _in_size(
    shown: str, frame: int, points: tuple[Point, ...], pixels: NDArray[Any], seen: Seen
) -> tuple[Point, ...]:
    """Return points in the size of their frame; none if it has another aspect than their document says."""
    said = differs(points, pixels.shape)
    if said is None:
        return points
    height, width = pixels.shape
    try:
        found, what = fitted(points, pixels.shape), "same aspect, scaled"
    except PointsError:
        found, what = (), "another aspect, skipped"
    item = f"{shown}: the document says {said[1]} x {said[0]}, the image has {width} x {height}; {what}"
    seen.notes.append(("point size", item))
    if frame == 0:
        seen.fitted = found
    return found


def _kind(role: str, name: str, frame: int, pixels: NDArray[Any], file: ImageFile) -> Kind:
    suffix = name[len(stem_of(name)) + 1 :].lower()
    kind = " ".join(word for word in (suffix, file.colour_mode) if word) + f", read as {pixels.dtype}"
    return Kind(role, kind, frame == 0, (pixels.shape[0], pixels.shape[1]), depth_of(pixels))
