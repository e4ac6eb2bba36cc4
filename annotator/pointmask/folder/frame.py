"""One frame in memory: bytes and points in, the bytes of all results and a manifest entry out."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

import pointmask
from pointmask.annotator.image import annotate
from pointmask.annotator.target import Annotation
from pointmask.annotator.window import Polarity
from pointmask.drawing.overlay import overlay_png
from pointmask.folder.records.manifest import Entry, Settings
from pointmask.folder.records.mask_lines import run_lengths
from pointmask.io.files import RESULTS, result_path
from pointmask.io.images import array as images
from pointmask.io.images.file import ImageFile
from pointmask.io.points.points import Point
from pointmask.theta import Theta


@dataclass(frozen=True, slots=True)
class Recipe:
    """
    How to annotate, the same for every image of a job.

    Attributes
    ----------
    theta : Theta
        Parameters of the annotator.
    polarity : {"bright", "dark", "auto"}
        Of the targets.
    save : tuple of str
        Keys of `pointmask.io.files.RESULTS`: the files to make of each frame.
    reading : str
        What the user said about the files; see `pointmask.io.images.kinds.Reading`.
    runs : bool
        Put each target's mask into the entry as run lengths.
    settings : Settings
        What each entry tells about the recipe.
    """

    theta: Theta
    polarity: Polarity = "bright"
    save: tuple[str, ...] = ("mask",)
    reading: str = ""
    runs: bool = False

    settings: Settings = field(init=False)

    def __post_init__(self) -> None:
        # Once per job: the digest writes the whole theta as text, which takes as long as a small target.
        settings = Settings(self.theta.digest, pointmask.__version__, self.polarity, self.reading)
        object.__setattr__(self, "settings", settings)


def make_recipe(
    theta: Theta | str | Path,
    polarity: Polarity,
    save: Sequence[str],
    *,
    png: bool = True,
    keeps_runs: bool = False,
    reading: str = "",
) -> Recipe:
    """
    Check what a user asks for.

    Parameters
    ----------
    theta : Theta, str or Path
        Preset, or TOML file.
    polarity : {"bright", "dark", "auto"}
        Of the targets.
    save : sequence of str
        Keys of `pointmask.io.files.RESULTS`, and ``rle`` for run lengths.
    png : bool
        False: run lengths instead of any file per frame.
    keeps_runs : bool
        Make run lengths in any case.
    reading : str
        As in `Recipe`.

    Raises
    ------
    ThetaError
        If theta cannot be read.
    ValueError
        If `save` or `polarity` is out of range.
    """
    known = (*RESULTS, "rle") if png else ("mask", "rle")
    unknown = [kind for kind in save if kind not in known]
    if unknown:
        without = "" if png else " without PNG"
        raise ValueError(f"save holds {unknown[0]!r}; choose among {', '.join(known)}{without}")
    if polarity not in get_args(Polarity):
        raise ValueError(f"polarity is {polarity!r}; choose among {', '.join(get_args(Polarity))}")
    files = tuple(kind for kind in RESULTS if kind == "mask" or kind in save) if png else ()
    runs = keeps_runs or "rle" in save or not png
    return Recipe(Theta.load(theta), polarity, files, reading, runs)


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

    Returns
    -------
    Result
        The same for the same input, on any thread.

    Raises
    ------
    ImageError, PointsError
        If the image cannot be decoded or a point lies outside it.
    """
    image, name = file.decode(frame), file.name
    start = time.thread_time()
    annotation = annotate(
        image, [(p.row, p.col) for p in points], theta=recipe.theta, polarity=recipe.polarity
    )
    seconds = time.thread_time() - start
    files = {result_path(kind, name, frame, frames): _encode(kind, image, annotation) for kind in recipe.save}
    entry: Entry = {
        "image": name,
        "frame": frame,
        "status": "done",
        "shape": list(annotation.shape),
        "content": file.content,
        **recipe.settings.told,
        **({"raster": "thermal"} if file.kind == "FLIR" else {}),
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
                **({"rle": run_lengths(target, annotation.shape)} if recipe.runs else {}),
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
