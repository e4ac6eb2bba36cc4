"""What both YOLO formats share: one text file per image, a line per target, fractions of the image's size.

``class x y width height [confidence]`` is a box, clicked on in its middle; ``class x y x y x y ...`` is a
polygon. An empty file says that its image holds no target. Label files lie in the folder given or in its
``labels``; the names of classes stand in ``classes.txt`` in either, a line each.
"""

import posixpath
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from pointmask.errors import PointsError
from pointmask.io.formats.base import DEFAULTS, DocumentFormat, WriteOptions
from pointmask.io.formats.folders._masks import holds_images
from pointmask.io.formats.labelled import NO_LABEL, LabelledImage, LabelledTarget, Shape
from pointmask.io.formats.parts.decoding import peek
from pointmask.io.formats.parts.documents import number, whole
from pointmask.io.formats.parts.finder import ImageFinder
from pointmask.io.formats.parts.origin import Origin, to_pixel
from pointmask.io.formats.parts.per_image import (
    Parsed,
    any_document,
    document_name,
    parse_each,
    write_new,
)
from pointmask.io.formats.parts.shapes import box_of_edges, confidence_of, label_of, patch_of_polygons
from pointmask.io.formats.parts.text import read_text
from pointmask.io.images.open import open_source
from pointmask.io.images.source import ImageSource
from pointmask.io.points.points import Point

_ORIGIN: Origin = "fraction"
_CLASSES = "classes.txt"
_SNIFFED = 1 << 16
_NUMBER = r"[-+.\deE]+"
_BOX = re.compile(rf"\s*\d+(?:\s+{_NUMBER}){{4,5}}\s*")
_POLYGON = re.compile(rf"\s*\d+(?:\s+{_NUMBER}\s+{_NUMBER}){{3,}}\s*")


class YoloLabels(DocumentFormat):
    """Label files, a line per target, in a folder; `coordinates` writes what follows the class."""

    abilities = frozenset({"read points", "read masks", "write masks"})
    origin = _ORIGIN
    needs_images = True
    layout = "folder"
    per_image = True

    def source_of(self, path: Path) -> str:
        """Name a path; boxes and polygons may stand in one file."""
        return f"{path} (YOLO labels)"

    def parsed(self, path: Path, rejected: dict[str, str], images: ImageSource | None) -> Iterator[Parsed]:
        """Yield what each label file holds: polygons are masks, boxes are none, but points.

        Parameters
        ----------
        path : Path
            A label file, or a folder of them.
        rejected : dict
            Gets the images whose label file has a fault.
        images : ImageSource or None
            Looked for in the folder ``images`` beside ``labels``, or among the labels, if not given.

        Raises
        ------
        PointsError
            If there is no label file, or no images are found.
        """
        root = path / "labels" if (path / "labels").is_dir() else path
        names = _class_names(root)
        finder = ImageFinder(images or _images_beside(root))

        def parse(file: Path, folder: str) -> Parsed:
            key = posixpath.join(folder, file.stem)
            shape = finder.shape_of(key)
            lines = enumerate(read_text(file).splitlines(), 1)
            targets = [
                _target(line, shape, names, f"{file}:{count}") for count, line in lines if line.strip()
            ]
            return Parsed(key, shape, targets)

        return parse_each(root, ".txt", rejected, parse, (_CLASSES,))

    def coordinates(self, target: LabelledTarget, shape: Shape) -> list[float]:
        """Return the numbers after the class of a target, in an image of a shape; none leaves it out."""
        raise NotImplementedError

    def write_masks(
        self,
        images: Iterable[LabelledImage],
        path: Path,
        *,
        source: ImageSource | None = None,
        options: WriteOptions = DEFAULTS,
    ) -> None:
        """Write ``labels/`` and ``classes.txt``.

        Raises
        ------
        OutputError
            If a file exists, as when images differ in their suffix alone, or cannot be written.
        """
        classes: dict[str, int] = {}
        for image in images:
            lines = []
            for target in image.targets:
                values = self.coordinates(target, image.shape)
                if values:
                    number_ = classes.setdefault(target.label or NO_LABEL, len(classes))
                    lines.append(" ".join([str(number_), *(f"{value:.10g}" for value in values)]) + "\n")
            write_new("".join(lines), path / "labels" / document_name(image.key, ".txt"))
        path.mkdir(parents=True, exist_ok=True)
        write_new("".join(f"{name}\n" for name in classes), path / _CLASSES)


def holds_boxes(path: Path) -> bool:
    """Say whether one of the first label files at a path begins with a box."""
    return any_document(path, ".txt", lambda file: _BOX.fullmatch(_first_line(file)) is not None)


def holds_polygons(path: Path) -> bool:
    """Say whether one of the first label files at a path begins with a polygon."""
    return any_document(path, ".txt", lambda file: _POLYGON.fullmatch(_first_line(file)) is not None)


def _first_line(file: Path) -> str:
    return peek(file, _SNIFFED).partition("\n")[0]


def _class_names(root: Path) -> list[str]:
    for file in (root / _CLASSES, root.parent / _CLASSES):
        if file.is_file():
            return [line.strip() for line in read_text(file).splitlines()]
    return []


def _images_beside(root: Path) -> ImageSource:
    """Return the images of a folder of labels: in its twin ``images``, or in the folder itself."""
    folder = root if root.is_dir() else root.parent
    twins = [
        Path(*folder.parts[:place], "images", *folder.parts[place + 1 :])
        for place, part in enumerate(folder.parts)
        if part == "labels"
    ]
    for candidate in (*reversed(twins), folder):
        if holds_images(candidate):
            return open_source(candidate)
    raise PointsError(
        f"{root}: YOLO labels are fractions of the size of images, and none lie beside them; give their "
        "folder with --images"
    )


def _target(line: str, shape: Shape, names: list[str], where: str) -> LabelledTarget:
    words = line.split()
    values = [number(word, where) for word in words[1:]]
    index = whole(words[0], f"the class in {where}")
    label = label_of(names[index] if index < len(names) else str(index))
    height, width = shape
    if len(values) in (4, 5):
        point = Point(to_pixel(values[1], _ORIGIN, height), to_pixel(values[0], _ORIGIN, width), label)
        confidence = confidence_of(values[4] if len(values) == 5 else None, f"the confidence in {where}")
        x, y, half_width, half_height = values[0], values[1], values[2] / 2, values[3] / 2
        if half_width < 0 or half_height < 0:
            raise PointsError(f"{where}: the box has a negative width or height; correct it")
        edges = (
            (x - half_width) * width,
            (y - half_height) * height,
            (x + half_width) * width,
            (y + half_height) * height,
        )
        return LabelledTarget(point, None, confidence, box=box_of_edges(*edges))
    if len(values) < 6 or len(values) % 2:
        raise PointsError(
            f"{where}: {len(values)} numbers after the class; a box has 4, or 5 with its confidence, a "
            "polygon pairs of x and y"
        )
    scaled = [value * (height if place % 2 else width) for place, value in enumerate(values)]
    patch = patch_of_polygons([scaled], shape, where)
    if patch is None:
        raise PointsError(f"{where}: the polygon encloses the middle of no pixel; draw it along pixel edges")
    return LabelledTarget(None, patch, None, label)
