"""A folder of masks, clicked on as the literature simulates clicks.

``centroid``: the floor of the mean pixel of each 8-connected component, which may lie off a concave
target. ``coarse``: the centroid displaced along each axis by a normal deviate of a quarter of half the
bounding box, floored, clamped to the image, and drawn again until it falls on any target of the mask
(the protocol of LESPS). An empty mask says that its image holds no target.

Such points know the truth, so they serve experiments only.

As masks, each 8-connected component is a target. Written are PNG files, 0 and 255.
"""

import hashlib
import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pointmask.components import components
from pointmask.errors import ImageError, PointsError
from pointmask.io.formats.base import DEFAULTS, Format, Simulation, WriteOptions
from pointmask.io.formats.folders._masks import image_files, largest_target, read_frames
from pointmask.io.formats.folders.point_images import LARGEST_BLOB
from pointmask.io.formats.labelled import LabelledImage, LabelledTarget, Patch
from pointmask.io.formats.parts.per_image import document_name, write_new
from pointmask.io.images.array import encode_png, open_image
from pointmask.io.images.source import ImageSource
from pointmask.io.layout import is_tree
from pointmask.io.notes import gathering
from pointmask.io.points.names import without_suffix
from pointmask.io.points.points import Point, Points

_SNIFFED = 16  # masks looked at before deciding
_COARSE_STD = 0.25  # of half a bounding-box side
# A thin ring is hit once in some thousand draws; what is missed so often has no pixel within reach.
_MOST_DRAWS = 100_000


class Masks(Format):
    """A folder of masks, each 8-connected component a target."""

    name = "masks"
    description = "folder of masks"
    abilities = frozenset({"read points", "read masks", "write masks"})
    holds = frozenset({"masks", "frames", "empty"})
    layout = "folder"
    searched = "never"

    def sniff(self, path: Path) -> bool:
        """Say whether one of the first images in a folder holds a target of more than a few pixels."""
        if not path.is_dir() or is_tree(path):
            return False
        try:
            with gathering():  # the files are read again, and what is assumed said then
                return any(_largest(file) > LARGEST_BLOB for file in islice(image_files(path), _SNIFFED))
        except (ImageError, OSError):
            return False

    def read(self, path: Path, *, images: ImageSource | None = None) -> Points:
        """Refuse: nothing in a folder of masks says where a user would have clicked; see `simulate`.

        Raises
        ------
        PointsError
            Always.
        """
        return self.simulate(path, None)

    def simulate(self, path: Path, simulation: Simulation | None, seed: int = 0) -> Points:
        """Click once on each target of each mask.

        Parameters
        ----------
        path : Path
            Folder of masks; keys are paths relative to it.
        simulation : {"centroid", "coarse"}
            The protocol. It must be chosen: nothing else says where a user would have clicked.
        seed : int
            For ``coarse``. Each mask draws from its own generator, made from this and its name without
            suffix, so that neither order nor company of the files matters.

        Raises
        ------
        PointsError
            If no protocol is chosen or the folder holds no image. Masks that cannot be read reject theirs.
        """
        if simulation not in get_args(Simulation):
            what = "not points" if simulation is None else f"and simulate is {simulation!r}"
            raise PointsError(
                f"{path}: this is a folder of masks, {what}; to click on its targets pass "
                "--simulate centroid or --simulate coarse"
            )
        by_image: dict[str, tuple[Point, ...]] = {}
        rejected: dict[str, str] = {}
        for key, labels in read_frames(path, rejected):
            if simulation == "centroid":
                points = centroid_points(labels)
            else:
                points = coarse_points(labels, _generator(seed, key))
            shape = labels.shape[0], labels.shape[1]
            by_image[key] = tuple(replace(point, image_shape=shape) for point in points)
        source = f"{path} ({self.description}, simulated {simulation}, seed {seed})"
        return Points(by_image, source, rejected)

    def read_masks(
        self, path: Path, rejected: dict[str, str], *, images: ImageSource | None = None
    ) -> Iterator[LabelledImage]:
        """Yield images with a target for each component."""
        for key, labels in read_frames(path, rejected):
            targets = []
            for number, place in enumerate(ndimage.find_objects(labels), 1):
                patch = Patch.crop(labels[place] == number, place[0].start, place[1].start)
                targets.append(LabelledTarget(None, patch))
            yield LabelledImage.of_key(key, labels.shape, targets)

    def write_masks(
        self,
        images: Iterable[LabelledImage],
        path: Path,
        *,
        source: ImageSource | None = None,
        options: WriteOptions = DEFAULTS,
    ) -> None:
        """Write one PNG per image into a folder.

        Raises
        ------
        OutputError
            If a file exists, as when images differ in their suffix alone, or cannot be written.
        """
        for image in images:
            write_new(encode_png(image.mask), path / document_name(image.key, ".png"))


def _largest(file: Path) -> int:
    with open_image(file) as image:
        return largest_target(image.targets()[0])


def centroid_points(mask: NDArray[np.bool_] | NDArray[np.int32]) -> tuple[Point, ...]:
    """
    Return the floor of the centroid of each target.

    Parameters
    ----------
    mask : (H, W) bool or int32
        A mask, whose 8-connected components are the targets, in raster order; or the numbers of the targets.
    """
    return tuple(Point(math.floor(row), math.floor(col)) for row, col, _, _ in _centres_and_sides(mask))


def coarse_points(mask: NDArray[np.bool_] | NDArray[np.int32], rng: np.random.Generator) -> tuple[Point, ...]:
    """
    Return a displaced click for each target; every one lies on the mask, possibly on a neighbouring target.

    Parameters
    ----------
    mask : (H, W) bool or int32
        As for `centroid_points`.
    rng : Generator
    """
    return tuple(_coarse_point(mask > 0, rng, *target) for target in _centres_and_sides(mask))


def _coarse_point(
    mask: NDArray[np.bool_], rng: np.random.Generator, row: float, col: float, height: int, width: int
) -> Point:
    for _ in range(_MOST_DRAWS):
        step_col, step_row = rng.normal(0.0, _COARSE_STD, 2)
        y = min(max(math.floor(row + height / 2 * step_row), 0), mask.shape[0] - 1)
        x = min(max(math.floor(col + width / 2 * step_col), 0), mask.shape[1] - 1)
        if mask[y, x]:
            return Point(y, x)
    rows, cols = np.nonzero(mask)
    nearest = np.argmin((rows - row) ** 2 + (cols - col) ** 2)
    return Point(int(rows[nearest]), int(cols[nearest]))


def _centres_and_sides(
    mask: NDArray[np.bool_] | NDArray[np.int32],
) -> list[tuple[float, float, int, int]]:
    """Centroid row and column, box height and width of each target."""
    labels, count = components(mask) if mask.dtype == np.bool_ else (mask, int(mask.max()))  # type: ignore[arg-type]
    rows, cols = np.nonzero(labels)
    of = labels[rows, cols] - 1
    area = np.bincount(of, minlength=count)
    # Sums of whole numbers are exact, so a centroid that is an integer is not floored to the one below.
    row = np.bincount(of, rows, count) / area
    col = np.bincount(of, cols, count) / area
    boxes = ndimage.find_objects(labels)
    return [
        (float(row[k]), float(col[k]), box[0].stop - box[0].start, box[1].stop - box[1].start)
        for k, box in enumerate(boxes)
    ]


def _generator(seed: int, key: str) -> np.random.Generator:
    text = f"{seed}:{without_suffix(key)}".encode("utf-8", "surrogateescape")
    digest = hashlib.blake2b(text, digest_size=16).digest()
    return np.random.default_rng(int.from_bytes(digest, "little"))
