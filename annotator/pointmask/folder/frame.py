"""One frame in memory: bytes and points in, the bytes of all results and a manifest entry out."""

import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointmask.annotator.image import annotate
from pointmask.annotator.target import Annotation
from pointmask.compiled import seconds_of_thread
from pointmask.defects import MARGINS, REPLACED
from pointmask.drawing.overlay import overlay_png
from pointmask.folder.options import Recipe
from pointmask.folder.records.manifest import Entry
from pointmask.folder.records.mask_lines import run_lengths
from pointmask.io.images import array as images
from pointmask.io.images.file import ImageFile
from pointmask.io.layout import result_path
from pointmask.io.notes import note
from pointmask.io.points.fit import differs, fitted
from pointmask.io.points.points import Point

_NOBODY_ELSE = nullcontext()


@dataclass(frozen=True, slots=True)
class Result:
    """
    What `annotate_one` makes of one frame.

    Attributes
    ----------
    entry : dict
        Manifest entry.
    files : dict
        Path relative to the output folder, and content.
    seconds : float
        Processor time of `annotate` in this thread: waiting for other threads does not count.
    """

    entry: Entry
    files: dict[str, bytes]
    seconds: float


def annotate_one(
    file: ImageFile,
    points: Sequence[Point],
    recipe: Recipe,
    *,
    frame: int = 0,
    frames: int = 1,
    guard: AbstractContextManager[object] = _NOBODY_ELSE,
) -> Result:
    """
    Annotate one frame of an open image file; writes nothing.

    Parameters
    ----------
    file : ImageFile
        Named as in its source.
    points : sequence of Point
        Points of this frame; none gives an empty mask.
    recipe : Recipe
        How to annotate, and what to make.
    frame, frames : int
        0-based frame, and the number of frames of the file.
    guard : context manager
        Entered while the file is read; threads that share the file exclude one another by it.

    Returns
    -------
    Result
        The same for the same input, on any thread.

    Raises
    ------
    ImageError, PointsError
        If the image cannot be decoded, a point lies outside it, or was marked in an image of another aspect.
    """
    with guard:
        image, name, kind = file.decode(frame), file.name, file.kind
    said = differs(points, image.shape)
    points = fitted(points, image.shape)
    start = time.thread_time() - seconds_of_thread()
    annotation = annotate(
        image, [(p.row, p.col) for p in points], theta=recipe.theta, polarity=recipe.polarity
    )
    seconds = time.thread_time() - seconds_of_thread() - start
    if len(annotation.replaced):
        row, col = annotation.replaced[0]
        note(REPLACED, f"{name}: row {row}, column {col}", len(annotation.replaced))
    if annotation.live is not None:
        note(MARGINS, name)
    files = {
        result_path(result, name, frame, frames): _encode(result, image, annotation) for result in recipe.save
    }
    entry: Entry = {
        "image": name,
        "frame": frame,
        "status": "done",
        "shape": list(annotation.shape),
        "content": file.content,
        **recipe.settings.fields,
        **({"raster": "thermal"} if kind == "FLIR" else {}),
        **({} if said is None else {"points_scaled_from": list(said)}),
        **({"replaced_pixels": len(annotation.replaced)} if len(annotation.replaced) else {}),
        **({} if annotation.live is None else {"live": list(annotation.live)}),
        "size_prior": "none",
        "mask": result_path("mask", name, frame, frames) if "mask" in recipe.save else None,
        "targets": [
            {
                "point": [p.row, p.col],
                "label": p.label,
                "area": target.area,
                "box": list(target.box),
                "confidence": round(float(target.confidence), 4),
                "flags": [*target.flags, *p.flags],
                **({"rle": run_lengths(target, annotation.shape)} if recipe.run_lengths else {}),
            }
            for p, target in zip(points, annotation.targets, strict=True)
        ],
    }
    return Result(entry, files, seconds)


def _encode(kind: str, image: NDArray[Any], annotation: Annotation) -> bytes:
    if kind == "mask":
        return images.encode_png(annotation.mask)
    if kind == "soft":
        return images.encode_png(np.rint(annotation.soft * np.float32(65535)).astype(np.uint16))
    if kind == "instance":
        return images.encode_png(annotation.instances)
    return overlay_png(image, annotation)


def skipped_entry(name: str, frame: int, reason: str) -> Entry:
    """Return the manifest entry of an image that could not be done."""
    return {"image": name, "frame": frame, "status": "skipped", "reason": reason}
