"""The training folder of BasicIRSTD and LESPS: ``images/``, ``masks/`` and lists of names in ``img_idx/``.

The lists are ``img_idx/train_<name>.txt`` and ``test_<name>.txt``, where ``<name>`` is the folder's own, as
BasicIRSTD expects; a line is a name without suffix. Both kinds of images are PNG, as it reads no mixture.
Clicks are read from ``masks_centroid/`` or ``masks_coarse/``, where LESPS keeps them.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from pointmask.errors import PointsError
from pointmask.io.files import whole_text
from pointmask.io.formats.base import DEFAULTS, Format, WriteOptions
from pointmask.io.formats.folders._training import Images, check_share, in_test
from pointmask.io.formats.folders.masks import Masks
from pointmask.io.formats.folders.point_images import PointImages
from pointmask.io.formats.labelled import LabelledImage
from pointmask.io.formats.parts.per_image import document_name, write_new
from pointmask.io.images.array import encode_png
from pointmask.io.images.source import ImageSource
from pointmask.io.layout import ID_LISTS, IMAGES, TRUE_MASKS
from pointmask.io.points.points import Points

POINT_FOLDERS = ("masks_centroid", "masks_coarse")
"""Where LESPS keeps its clicks."""


class BasicIrstd(Format):
    """The training folder of BasicIRSTD and LESPS."""

    name = "basicirstd"
    description = "BasicIRSTD training folder"
    abilities = frozenset({"read points", "read masks", "write masks"})
    holds = frozenset({"masks", "frames", "empty"})
    layout = "training folder"
    saved_as = "basicirstd"
    options = ("test", "seed", "copy", "name")
    searched = "never"

    def sniff(self, path: Path) -> bool:
        """Say whether the folder has lists of names beside masks."""
        return (path / ID_LISTS).is_dir() and (path / TRUE_MASKS).is_dir()

    def read(self, path: Path, *, images: ImageSource | None = None) -> Points:
        """Read the clicks.

        Raises
        ------
        PointsError
            If the folder holds none, or two kinds of them.
        """
        return read_clicks(path, path / TRUE_MASKS)

    def read_masks(
        self, path: Path, rejected: dict[str, str], *, images: ImageSource | None = None
    ) -> Iterator[LabelledImage]:
        """Yield images with a target for each component."""
        return Masks().read_masks(path / TRUE_MASKS, rejected)

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
        images : iterable of LabelledImage
            In the order of the lists.
        path : Path
            Folder.
        source : ImageSource
            The images; PNG files in a folder are linked to, all else becomes PNG.
        options : WriteOptions
            All are heeded.

        Raises
        ------
        PointsError
            If there is no source, or an image is not in it.
        ImageError
            If an image cannot be read or PNG cannot hold it.
        OutputError
            If a file exists, as when images differ in their suffix alone, or cannot be written.
        ValueError
            If ``test`` is no share.
        """
        check_share(options.test)
        put = Images(source, copy=options.copy).put
        lists, name = path / ID_LISTS, options.name or path.name
        lists.mkdir(parents=True, exist_ok=True)
        with (
            whole_text(lists / f"train_{name}.txt") as train_list,
            whole_text(lists / f"test_{name}.txt") as test_list,
        ):
            for image in images:
                file = document_name(image.key, ".png")
                put(image.key, path / IMAGES / file)
                write_new(encode_png(image.mask), path / TRUE_MASKS / file)
                is_test = in_test(image.key, options.test, options.seed)
                (test_list if is_test else train_list).write(file.removesuffix(".png") + "\n")


def read_clicks(folder: Path, masks_folder: Path) -> Points:
    """Read the one kind of clicks in a folder; the folder of masks is for the message."""
    found = [folder / name for name in POINT_FOLDERS if (folder / name).is_dir()]
    if len(found) == 1:
        return PointImages().read(found[0])
    content = " and ".join(str(path) for path in found) if found else "no folder of points"
    raise PointsError(
        f"{folder} holds {content}; give the one folder of points, or {masks_folder} with --simulate centroid"
    )
