"""What `pointmask bench` measures on: built-in scenes, or a folder of images, masks and points."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointmask.advice import command
from pointmask.errors import ImageError, PointsError
from pointmask.io.clicks import notes_of_masks
from pointmask.io.formats import read_points
from pointmask.io.formats.base import Simulation
from pointmask.io.formats.folders.masks import coarse_points
from pointmask.io.images.array import open_image, read, read_mask
from pointmask.io.images.folder import list_images
from pointmask.io.points.by_frame import points_by_frame
from pointmask.io.points.fit import fitted
from pointmask.io.points.match import match
from pointmask.io.points.names import ImageFrame
from pointmask.io.points.points import Point
from pointmask.metrics.data_sets import data_set_of
from pointmask.synth.scenes import make_scenes

PointList = Sequence[tuple[int, int]]

_EIGHT_BIT = {"1", "L", "LA", "P", "RGB", "RGBA"}  # what Pillow converts to RGB without loss of range


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One image with everything that a measurement needs.

    Attributes
    ----------
    name : str
        Used in messages and to derive seeds.
    group : str
        Data set or kind of scene.
    image : ndarray
        ``(H, W)``, native type: the input of our annotator.
    colour : ndarray
        ``(H, W, 3)`` uint8 where the file has 8 bits, else `image`: the input of the published programs.
    truth : ndarray
        ``(H, W)`` bool.
    points : sequence of point lists
        (row, col), one list per seed.
    """

    name: str
    group: str
    image: NDArray[Any]
    colour: NDArray[Any]
    truth: NDArray[np.bool_]
    points: Sequence[PointList]


@dataclass(frozen=True, slots=True)
class LazyCase:
    """A case that is loaded on demand: memory stays flat and a bad file affects no other case."""

    name: str
    load: Callable[[], Case]


# Scenes full of clutter (`pointmask.synth.hard`) are no fairer: there, too, a threshold had 0.801 and ours
# 0.791 over 53 targets, as what decides is where an exact mask ends.
SCENES_NOTE = (
    "Built-in scenes: their exact masks end at half of the contrast, as a threshold does, which therefore "
    "wins here. Judge by real images: pointmask bench IMAGES --masks MASKS"
)
"""What is said of figures on built-in scenes."""


def scene_sources(count: int, *, protocol: Simulation = "centroid", seeds: int = 1) -> list[LazyCase]:
    """List built-in 8-bit scenes of 256 x 256 pixels with mixed backgrounds, target sizes and contrasts.

    Parameters
    ----------
    count : int
        Number of scenes; a longer series begins with the same scenes.
    protocol : {"centroid", "coarse"}
        How points are simulated from the exact masks.
    seeds : int
        Number of lists of points per scene.
    """
    return [LazyCase(f"scene {i}", partial(_scene_case, i, protocol, seeds)) for i in range(count)]


def folder_sources(
    images: Path,
    masks: Path,
    points: Path | None = None,
    *,
    protocol: Simulation = "centroid",
    seeds: int = 1,
    say: Callable[[str], None] = lambda text: None,
) -> list[LazyCase]:
    """Pair a folder of images with masks and points by name.

    Parameters
    ----------
    images, masks : Path
        Folders; an image without a mask is a source that fails to load.
    points : Path, optional
        Any point list that pointmask reads; only images that it names are measured. By default points
        are simulated from the masks.
    protocol : {"centroid", "coarse"}
        How points are simulated; ignored if `points` is given.
    seeds : int
        Number of repetitions; each simulates its own coarse points.
    say : callable
        Takes a line about each assumption on names.

    Returns
    -------
    list of LazyCase
        Sorted by image name.

    Raises
    ------
    ImageError
        If a folder is missing or unreadable.
    PointsError
        If the points cannot be read, or none belongs to an image.
    """
    names = list_images(images)
    for text in notes_of_masks(masks):
        say(text)
    matches = match(list_images(masks), names)
    mask_of = {image: files[0] for image, files in matches.by_image().items()}
    if points is not None:
        lists = [points_by_frame(read_points(points), names)] * seeds
    else:
        simulated = (read_points(masks, simulate=protocol, seed=seed) for seed in range(seeds))
        lists = [points_by_frame(entry, names) for entry in simulated]
    for note in dict.fromkeys((*matches.notes, *lists[0].notes)):
        say(note)
    if not lists[0].points:
        raise PointsError(
            f"no point of {points or masks} belongs to an image in {images}; the names must agree, "
            f"check them with: {command('check', images, '--masks', masks)}"
        )
    sources = []
    for key in sorted(lists[0].points):
        drawn = [entry.points[key] for entry in lists]
        mask = masks / mask_of[key] if key in mask_of else None
        sources.append(LazyCase(key[0], partial(_folder_case, images, key, mask, drawn)))
    reasons = {name: reason for (name, _), reason in lists[0].rejected.items()}
    reasons |= dict.fromkeys(lists[0].unmatched, f"{images} holds no image of this name")
    reasons |= {key: f"the name fits {', '.join(fits)}" for key, fits in lists[0].ambiguous.items()}
    return sources + [LazyCase(name, partial(_refuse, reason)) for name, reason in sorted(reasons.items())]


def _scene_case(index: int, protocol: Simulation, seeds: int) -> Case:
    scene = next(make_scenes(1, start=index))
    if protocol == "centroid":
        points: list[PointList] = [scene.points] * seeds
    else:
        generators = [np.random.default_rng((seed, index)) for seed in range(seeds)]
        points = [[(p.row, p.col) for p in coarse_points(scene.mask, rng)] for rng in generators]
    return Case(scene.name, scene.kind, scene.image, scene.image, scene.mask, points)


def _folder_case(images: Path, key: ImageFrame, mask: Path | None, drawn: Sequence[Sequence[Point]]) -> Case:
    name, frame = key
    if mask is None:
        raise ImageError("it has no mask of the same name")
    image = read(images / name, frame)
    truth = read_mask(mask, shape=(image.shape[0], image.shape[1]))
    points = [[(p.row, p.col) for p in fitted(clicks, image.shape)] for clicks in drawn]
    return Case(name, data_set_of(name), image, _colour(images / name, image), truth, points)


def _colour(path: Path, image: NDArray[Any]) -> NDArray[Any]:
    """Read RGB as the published programs do, if the file has 8 bits and one frame; else return the band."""
    with open_image(path) as file:
        if file.colour_mode not in _EIGHT_BIT or file.frames > 1:
            return image
        bands = file.bands()
    if bands.dtype != np.uint8:  # the file declares a no-data value
        return image
    return bands if bands.ndim == 3 else np.repeat(bands[..., None], 3, axis=2)


def _refuse(reason: str) -> Case:
    raise PointsError(reason)
