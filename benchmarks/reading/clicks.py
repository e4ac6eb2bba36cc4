"""The clicks that every file of the benchmark of readers holds, and the images they lie in."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from pointmask.io.images.array import encode_png
from pointmask.io.images.source import ImageSource

HEIGHT, WIDTH = 512, 640
_PNG = encode_png(np.zeros((HEIGHT, WIDTH), np.uint8))


@dataclass(frozen=True)
class Clicks:
    """So many points, so many of them in each image; never one beside its image."""

    count: int
    per_image: int

    def __iter__(self) -> Iterator[tuple[str, list[tuple[int, int]]]]:
        """Yield name and points (x, y) of each image."""
        for image in range(self.images):
            first = image * self.per_image
            last = min(first + self.per_image, self.count)
            yield (
                self.name(image),
                [(10 + k * 7919 % (WIDTH - 20), 10 + k * 104729 % (HEIGHT - 20)) for k in range(first, last)],
            )

    @property
    def images(self) -> int:
        """Number of images."""
        return -(-self.count // self.per_image)

    @staticmethod
    def name(image: int) -> str:
        """Name of an image by its number from 0."""
        return f"{image + 1:07d}.png"


@dataclass(frozen=True)
class Images(ImageSource):
    """The images, all of them the same; none is on a disk."""

    count: int = 0

    def names(self, *, exclude: Path | None = None) -> list[str]:
        """Return the names of all images."""
        return [Clicks.name(image) for image in range(self.count)]

    def _read(self, name: str) -> bytes:
        return _PNG

    def _open(self, name: str) -> BinaryIO:
        return io.BytesIO(_PNG)
