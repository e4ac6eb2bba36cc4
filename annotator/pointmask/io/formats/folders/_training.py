"""What both training trees share: images as PNG under the names of their masks, and the draw of sets."""

from hashlib import blake2b
from pathlib import Path

import numpy as np

from pointmask.errors import ImageError, PointsError
from pointmask.io.formats.parts.finder import ImageFinder
from pointmask.io.formats.parts.per_image import write_new
from pointmask.io.images.array import encode_png
from pointmask.io.images.folder import FolderSource
from pointmask.io.images.source import ImageSource
from pointmask.io.links import link_or_copy


def in_test(key: str, share: float, seed: int) -> bool:
    """Draw whether an image is for tests, by its own name, so that a growing folder keeps its lists."""
    digest = blake2b(f"{seed}:{key}".encode("utf-8", "surrogateescape"), digest_size=8).digest()
    return int.from_bytes(digest, "big") < share * 2**64


def check_share(share: float) -> None:
    """Raise ValueError unless the share of test images lies in 0 to 1."""
    if not 0 <= share <= 1:
        raise ValueError(f"test is {share}; give the share of test images, from 0 to 1")


class Images:
    """Puts images into a training tree.

    Parameters
    ----------
    source : ImageSource or None
        The images.
    copy : bool
        Copy PNG files; otherwise link to those that lie in a folder.

    Raises
    ------
    PointsError
        If there is no source: a training tree without images is none.
    """

    def __init__(self, source: ImageSource | None, *, copy: bool) -> None:
        if source is None:
            raise PointsError("a training folder needs the images too; give their folder with --images")
        self._finder = ImageFinder(source)
        self._copies = copy

    def put(self, key: str, path: Path) -> None:
        """Put the image of a key at a path that ends in ``.png``.

        A PNG file is linked or copied as it is; all else becomes one without loss.

        Raises
        ------
        PointsError
            If no image has this name.
        ImageError
            If it cannot be read, or PNG cannot hold its numbers.
        OutputError
            If the file exists or cannot be written.
        """
        name, frame = self._finder.frame_of(key)
        source = self._finder.source
        if isinstance(source, FolderSource) and _is_png(source, name):
            link_or_copy(source.root / name, path, copy=self._copies)
        else:
            write_new(_png(source, name, frame), path)


def _is_png(source: ImageSource, name: str) -> bool:
    with source.open(name) as file:
        return file.kind == "PNG"


def _png(source: ImageSource, name: str, frame: int) -> bytes:
    with source.open(name) as file:
        pixels = file.bands(frame)
    if pixels.dtype == np.uint8 or (pixels.dtype == np.uint16 and pixels.ndim == 2):
        return encode_png(pixels)
    raise ImageError(
        f"{name} holds {pixels.dtype} in {pixels.ndim} dimensions, which PNG cannot hold without loss; "
        "export it as one band of 16 bits to train on it"
    )
