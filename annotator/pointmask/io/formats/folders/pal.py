"""The training folder of PAL: ``origin/{img,mask,masks_coarse}`` and ``val/{img,mask}``.

PAL pairs files by their place in the sorted folder, so each folder holds files of the same names and no
others; folders within folders are joined to one name, ``seq/a`` to ``seq_a``.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from pointmask.io.formats.base import DEFAULTS, Format, WriteOptions
from pointmask.io.formats.folders._training import Images, check_share, in_test
from pointmask.io.formats.folders.basicirstd import read_clicks
from pointmask.io.formats.folders.masks import Masks
from pointmask.io.formats.folders.point_images import encode_clicks
from pointmask.io.formats.labelled import LabelledImage
from pointmask.io.formats.parts.per_image import document_name, write_new
from pointmask.io.images.array import encode_png
from pointmask.io.images.source import ImageSource
from pointmask.io.points.points import Points

_POINTS = "masks_coarse"


class Pal(Format):
    """The training folder of PAL."""

    name = "pal"
    description = "PAL training folder"
    abilities = frozenset({"read points", "read masks", "write masks"})
    holds = frozenset({"points", "masks", "empty"})
    layout = "training folder"
    saved_as = "pal"
    options = ("test", "seed", "copy")
    searched = "never"

    def sniff(self, path: Path) -> bool:
        """Say whether the folder has images in ``origin/img``."""
        return (path / "origin" / "img").is_dir()

    def read(self, path: Path, *, images: ImageSource | None = None) -> Points:
        """Read the clicks.

        Raises
        ------
        PointsError
            If the folder holds none, or two kinds of them.
        """
        return read_clicks(path / "origin", path / "origin" / "mask")

    def read_masks(
        self, path: Path, rejected: dict[str, str], *, images: ImageSource | None = None
    ) -> Iterator[LabelledImage]:
        """Yield training images with a target for each component."""
        return Masks().read_masks(path / "origin" / "mask", rejected)

    def write_masks(
        self,
        images: Iterable[LabelledImage],
        path: Path,
        *,
        source: ImageSource | None = None,
        options: WriteOptions = DEFAULTS,
    ) -> None:
        """Write a training folder.

        Parameters
        ----------
        images, path, source, options
            As for `pointmask.io.formats.folders.basicirstd.BasicIrstd`, without ``name``; test images go to
            ``val/``. A target without point is clicked on in the middle of its mask.

        Raises
        ------
        PointsError
            If there is no source, an image is not in it, or a point lies outside of its image.
        ImageError, OutputError, ValueError
            As for `pointmask.io.formats.folders.basicirstd.BasicIrstd`.
        """
        check_share(options.test)
        put = Images(source, copy=options.copy).put
        for image in images:
            name = document_name(image.key, ".png").replace("/", "_")
            is_test = in_test(image.key, options.test, options.seed)
            folder = path / ("val" if is_test else "origin")
            put(image.key, folder / "img" / name)
            write_new(encode_png(image.mask), folder / "mask" / name)
            if not is_test:
                write_new(encode_clicks(image), folder / _POINTS / name)
