"""A place of masks, whatever wrote it: a folder of pictures, our output, a training folder, or a document."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pointmask.advice import command, unused
from pointmask.errors import ImageError, PointsError
from pointmask.io.clicks import notes_of_masks
from pointmask.io.formats import recognise
from pointmask.io.formats.labelled import LabelledImage
from pointmask.io.formats.registry import FORMATS
from pointmask.io.images.masks import is_numbered, truth_of
from pointmask.io.images.open import open_source
from pointmask.io.images.source import ImageSource
from pointmask.io.layout import MANIFEST, PREDICTIONS, RESULTS, TRUE_MASKS
from pointmask.io.notes import note
from pointmask.io.points.names import ImageFrame
from pointmask.places import images_of

Mask = NDArray[np.bool_]


class MaskSet(Protocol):
    """
    Masks by name.

    Attributes
    ----------
    path : Path
        As the user gave it.
    rejected : Mapping
        Reason by name, of what cannot be read.
    """

    @property
    def path(self) -> Path:
        """See the class."""

    @property
    def rejected(self) -> Mapping[str, str]:
        """See the class."""

    def names(self) -> Mapping[str, int]:
        """Return the number of frames by name; names are relative paths, or images of a document."""

    def read(self, name: str, frame: int) -> Mask:
        """
        Return one mask, (H, W) bool.

        Raises
        ------
        ImageError
            If it cannot be read as a mask.
        """

    def stored(self, name: str, frame: int) -> Mask | NDArray[np.uint8]:
        """Return the 8-bit numbers of a mask where a file has them, else as `read`; raises the same."""


@dataclass(frozen=True)
class MaskFolder:
    """
    A folder or archive of masks, read one by one.

    Attributes
    ----------
    path : Path
        As the user gave it.
    source : ImageSource
    threshold : float or None
        The files hold probabilities, and target is above this share of their range; None: they hold masks.
    hint : str
        What to do with pictures that are no masks, behind the reason.
    """

    path: Path
    source: ImageSource
    threshold: float | None = None
    hint: str = ""

    @property
    def rejected(self) -> Mapping[str, str]:
        """Files that must not be read."""
        return self.source.refused()

    def names(self) -> Mapping[str, int]:
        """See `MaskSet`; a file that cannot be opened counts as one frame, and fails when it is read."""
        return {name: self._frames(name) for name in self.source.names()}

    def read(self, name: str, frame: int) -> Mask:
        """See `MaskSet`."""
        numbers = self._numbers(name, frame)
        if self.threshold is not None:
            return _above(numbers, self.threshold, name)
        try:
            return truth_of(numbers, name)
        except ImageError as error:
            raise ImageError(f"{error}{self.hint}") from None

    def stored(self, name: str, frame: int) -> Mask | NDArray[np.uint8]:
        """See `MaskSet`."""
        numbers = self._numbers(name, frame)
        mask = truth_of(numbers, name)
        plain = numbers.ndim == 2 and numbers.dtype == np.uint8 and not is_numbered(numbers)
        return numbers.astype(np.uint8) if plain else mask

    def _numbers(self, name: str, frame: int) -> NDArray[Any]:
        with self.source.open(name) as file:
            return file.mask_numbers(frame)

    def _frames(self, name: str) -> int:
        try:
            return self.source.frame_count(name)
        except ImageError:
            return 1


@dataclass(frozen=True)
class MaskDocument:
    """
    A document of masks, held as small crops.

    Attributes
    ----------
    path : Path
    images : Mapping
        By image and frame.
    rejected : Mapping
        Reason by name, of the images that could not be read.
    """

    path: Path
    images: Mapping[ImageFrame, LabelledImage]
    rejected: Mapping[str, str]

    def names(self) -> Mapping[str, int]:
        """See `MaskSet`."""
        frames: dict[str, int] = {}
        for name, frame in self.images:
            frames[name] = max(frames.get(name, 1), frame + 1)
        return frames

    def read(self, name: str, frame: int) -> Mask:
        """See `MaskSet`."""
        if (name, frame) not in self.images:
            raise ImageError(f"{self.path}: it tells nothing of frame {frame} of {name}")
        return self.images[name, frame].mask

    def stored(self, name: str, frame: int) -> Mask | NDArray[np.uint8]:
        """See `MaskSet`."""
        return self.read(name, frame)


def open_masks(path: Path, threshold: float | None = None, *, hint: str = "") -> MaskSet:
    """
    Open masks of any origin.

    Parameters
    ----------
    path : Path
        A folder or archive of masks, an output folder of annotate or predict, a training folder with
        ``masks/``, or a document of any format that holds masks.
    threshold, hint
        See `MaskFolder`.

    Raises
    ------
    ImageError
        If there is nothing of the kind.
    PointsError
        If a document cannot be read.
    """
    folder = _folder_of_masks(path)
    if folder is not None:
        source = open_source(folder)
        if not source.names():
            raise ImageError(source.why_no_image())
        return MaskFolder(path, source, threshold, hint)
    if threshold is not None:
        raise ImageError(f"{path} is no folder of pictures, so --threshold means nothing there; leave it out")
    return _document(path)


def _folder_of_masks(path: Path) -> Path | None:
    """Return the folder in which the masks lie as pictures; None if they are in a document."""
    if not path.exists():
        raise ImageError(f"{path}: no such file or folder; check the path of the masks")
    if not path.is_dir():
        return path if path.suffix.lower() in (".zip", ".tar", ".gz", ".tgz") else None
    if any((path / name).is_file() for name in (PREDICTIONS, MANIFEST)) and (path / RESULTS["mask"]).is_dir():
        for line in notes_of_masks(path / RESULTS["mask"]):
            note(line)
        return path / RESULTS["mask"]
    try:
        name = recognise(path)
    except PointsError:
        name = "masks"
    if name in ("masks", "point_images", "basicirstd") or "read masks" not in FORMATS.load(name).abilities:
        beside = path / TRUE_MASKS
        return beside if beside.is_dir() else path
    return None


def _document(path: Path) -> MaskDocument:
    name = recognise(path)
    form = FORMATS.load(name)
    if "read masks" not in form.abilities:
        raise ImageError(
            f"{path} is {form.description}, which holds no masks; make masks of its points first with: "
            f"{command('annotate', images_of(path) or 'IMAGES', '--points', path, '--out', unused('labels'))}"
        )
    rejected: dict[str, str] = {}
    images = {(image.image, image.frame): image for image in form.read_masks(path, rejected)}
    if not images:
        reason = next(iter(rejected.values()), "it holds none")
        raise ImageError(f"{path}: no mask can be read ({reason})")
    return MaskDocument(path, images, rejected)


def _above(numbers: NDArray[Any], threshold: float, name: str) -> Mask:
    """Compare with a share of the range of the type: 255, 65535, or 1 for floats."""
    band = numbers if numbers.ndim == 2 else np.asarray(numbers.max(axis=2))
    if band.dtype.kind == "f":
        top = 1.0
    elif band.dtype in (np.uint8, np.uint16):
        top = float(np.iinfo(band.dtype).max)
    else:
        raise ImageError(f"{name}: probabilities of {band.dtype} have no stated range; save 8 or 16 bits")
    above: Mask = band / top > threshold
    return above
