"""What the images of the cases really show: bright spots on smooth ground, worked out from the images."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps
from scipy.ndimage import gaussian_filter, label, maximum_filter

EIGHT = np.ones((3, 3), dtype=int)  # neighbours of a pixel, with itself
Place = tuple[float, float]  # x, y in pixels of the upright image

# Peaks of the difference of Gaussians in standard deviations of it: the targets of the cases reach 22 to 38,
# nothing else in them 4.5.
_PEAK = 12.0
_NO_VALUE = -9999.0
_SUFFIXES = {".png", ".jpg", ".tif", ".pgm"}


class BrokenCaseError(Exception):
    """The files of a case are not those that its judgement was written for."""


def key_of(path: Path, top: Path | None = None) -> str:
    """Name by which a mask and its image are the same: below the folder, without suffix, in NFC."""
    inside = path.relative_to(top) if top is not None else path
    return unicodedata.normalize("NFC", inside.with_suffix("").as_posix())


@dataclass(frozen=True)
class Target:
    """A bright spot: its middle pixel, and the pixels above half of its height."""

    place: Place
    pixels: NDArray[np.bool_]


def targets(path: Path) -> tuple[tuple[int, ...], list[Target]]:
    """
    Find the targets of an image of the cases.

    Parameters
    ----------
    path : Path
        A grey image. Its orientation tag is heeded; -9999 is no value.

    Returns
    -------
    shape : tuple of int
        Rows and columns of the upright image.
    targets : list of Target
        Brightest first.
    """
    with Image.open(path) as image:
        upright = np.array(ImageOps.exif_transpose(image), dtype=np.float64)
    upright[upright == _NO_VALUE] = np.median(upright)
    spots = gaussian_filter(upright, 1.0) - gaussian_filter(upright, 4.0)
    ys, xs = np.nonzero((spots > _PEAK * spots.std()) & (spots == maximum_filter(spots, 7)))
    brightest = []
    for y, x in sorted(zip(ys, xs, strict=True), key=lambda place: -spots[place]):
        parts, _ = label(spots > spots[y, x] / 2, EIGHT)
        brightest.append(Target((float(x), float(y)), parts == parts[y, x]))
    return upright.shape, brightest


@dataclass(frozen=True)
class Scenes:
    """
    Which masks are right for a folder of images.

    Parameters
    ----------
    folder : str
        Below the case.
    each : int
        How many targets each image must show, if ``given`` does not say, else the case is broken.
    given : mapping, optional
        What the document marks, (x, y) by image without suffix, where that is not all that the images show.
        Each place must be a target of the image.
    renamed : pair of str, optional
        Part of an image's name, and what stands there in the name of its mask.
    flat : bool
        Compare names without folders.
    """

    folder: str
    each: int = 2
    given: Mapping[str, Sequence[Place]] | None = None
    renamed: tuple[str, str] | None = None
    flat: bool = False

    def marked(self, case: Path) -> dict[str, tuple[tuple[int, ...], list[Target]]]:
        """
        Work out the shape of every image and the targets that its mask must show, by the mask's name.

        Raises
        ------
        BrokenCaseError
            If the images are not those that the judgement was written for.
        """
        top = case / self.folder
        images = {key_of(path, top): path for path in top.rglob("*") if path.suffix.lower() in _SUFFIXES}
        if not images or (self.given is not None and images.keys() != self.given.keys()):
            raise BrokenCaseError(f"{top} holds {', '.join(sorted(images)) or 'no image'}")
        marked = {}
        for key, path in images.items():
            shape, there = targets(path)
            places = [target.place for target in there]
            if self.given is not None:
                if any(distance(place, places) > 1 for place in self.given[key]):
                    raise BrokenCaseError(f"{path} shows targets at {places}, not at {self.given[key]}")
                there = [target for target in there if distance(target.place, self.given[key]) <= 1]
            elif len(there) != self.each:
                raise BrokenCaseError(f"{path} shows {len(there)} targets, not {self.each}")
            marked[self.mask_key(key)] = shape, there
        return marked

    def mask_key(self, key: str) -> str:
        """Name of the mask of an image."""
        if self.renamed is not None:
            key = unicodedata.normalize("NFC", key.replace(*self.renamed))
        return key.rpartition("/")[2] if self.flat else key


def distance(place: Place, others: Sequence[Place]) -> float:
    """Chebyshev distance to the nearest of other places, infinite if there is none."""
    return min((max(abs(place[0] - x), abs(place[1] - y)) for x, y in others), default=np.inf)


# Of images/scene_000 ... 003, which most cases share, in the order in which their documents list them.
FIRST = {"scene_000": (33, 15), "scene_001": (95, 100), "scene_002": (145, 75), "scene_003": (100, 22)}
SECOND = {"scene_000": (49, 75), "scene_001": (54, 33), "scene_002": (71, 81), "scene_003": (127, 88)}

# A target that crosses six frames; documents mark it in four of them, two show none.
SEQUENCE = Scenes(
    "images",
    given={
        "000001": [(30, 40)],
        "000002": [(44, 46)],
        "000003": [],
        "000004": [],
        "000005": [(86, 64)],
        "000006": [(100, 70)],
    },
)
