"""What both YOLO formats share: one text file per image, a line per target, fractions of the image's size.

What the numbers of a line mean, `pointmask.io.formats.yolo.lines` says; where files lie,
`pointmask.io.formats.yolo.root`. An empty file says that its image holds no target.
"""

import math
import posixpath
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from pointmask.errors import PointsError
from pointmask.io.formats.base import DEFAULTS, DocumentFormat, WriteOptions
from pointmask.io.formats.labelled import NO_LABEL, LabelledImage, LabelledTarget, Shape
from pointmask.io.formats.parts.decoding import peek
from pointmask.io.formats.parts.documents import numbers, whole
from pointmask.io.formats.parts.finder import ImageFinder
from pointmask.io.formats.parts.origin import Origin, to_pixel
from pointmask.io.formats.parts.per_image import Parsed, document_name, parse_each, write_new
from pointmask.io.formats.parts.shapes import box_of_edges, confidence_of, label_of, patch_of_polygons
from pointmask.io.formats.parts.text import read_text
from pointmask.io.formats.yolo.lines import MOST, Kind, check_fractions, key_point, kinds_of, words_of
from pointmask.io.formats.yolo.root import (
    CLASSES,
    SUFFIX,
    class_names,
    filled,
    first_line,
    holds_empty_labels,
    images_beside,
    key_point_shape,
    no_labels,
    root_of,
)
from pointmask.io.images.source import ImageSource
from pointmask.io.notes import note
from pointmask.io.points.points import Point

_ORIGIN: Origin = "fraction"
_FILES_SNIFFED = 16
_FILES_SAMPLED = 256
_SAMPLE = 1 << 14  # bytes of a file
_POSE = "boxes with key points: the only visible key point is clicked on, or the middle of the box"

POLYGONS: frozenset[Kind] = frozenset({"polygon", "polygon and confidence"})


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
        root = root_of(path)
        besides = no_labels(root)
        parser = _Parser(root, images, besides)
        return parse_each(root, SUFFIX, rejected, parser.parse, besides)

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
                    number_ = classes.setdefault(_one_line(target.label) or NO_LABEL, len(classes))
                    lines.append(" ".join([str(number_), *(f"{value:.10g}" for value in values)]) + "\n")
            write_new("".join(lines), path / "labels" / document_name(image.key, ".txt"))
        path.mkdir(parents=True, exist_ok=True)
        write_new("".join(f"{name}\n" for name in classes), path / CLASSES)


def kinds_at(path: Path) -> set[Kind]:
    """Say what the first label files at a path hold that are not empty; nothing for what are no labels."""
    if holds_empty_labels(path):
        return {"box"}
    lines = [words for file in filled(path, _FILES_SNIFFED) if (words := words_of(first_line(file)))]
    return set(kinds_of([values for _, values in lines], key_point_shape(root_of(path))).values())


def _samples(root: Path, besides: Collection[str]) -> dict[str, list[float]]:
    """Return the numbers of the lines in the first label files, by place."""
    found: dict[str, list[float]] = {}
    for file in filled(root, _FILES_SAMPLED):
        if file.name not in besides:
            for count, line in enumerate(peek(file, _SAMPLE).splitlines(), 1):
                words = words_of(line)
                if words is not None and all(map(math.isfinite, words[1])):
                    found[f"{file}:{count}"] = words[1]
    return found


class _Parser:
    """Reads the label files of one collection, whose lines mean the same everywhere."""

    def __init__(self, root: Path, images: ImageSource | None, besides: Collection[str]) -> None:
        self._names = class_names(root)
        self._labels: dict[str, str | None] = {}
        self._finder = ImageFinder(images or images_beside(root))
        self._key_points = key_point_shape(root)
        samples = _samples(root, besides)
        self._kinds = kinds_of([*samples.values()], self._key_points)
        boxes = {
            where: values for where, values in samples.items() if self._kinds[len(values)] not in POLYGONS
        }
        check_fractions(boxes)
        self._root = root

    def parse(self, file: Path, folder: str) -> Parsed:
        """Return what a file in a folder below the root holds."""
        key = self._key(posixpath.join(folder, file.stem))
        shape = self._finder.shape_of(key)
        lines = enumerate(read_text(file).splitlines(), 1)
        targets = [self._target(line, shape, f"{file}:{count}") for count, line in lines if line.strip()]
        return Parsed(key, shape, targets)

    def _key(self, key: str) -> str:
        """Return a path below the labels as one below the images."""
        inside = f"labels/{key}" if self._root.name == "labels" else key
        twin = "/".join("images" if part == "labels" else part for part in inside.split("/"))
        if twin != key and not self._finder.has(key) and self._finder.has(twin):
            return twin
        return key

    def _label(self, word: str, where: str) -> str | None:
        """Return the name of a class by its number."""
        if word not in self._labels:
            index = whole(word, f"the class in {where}")
            self._labels[word] = label_of(self._names[index] if index < len(self._names) else str(index))
        return self._labels[word]

    def _target(self, line: str, shape: Shape, where: str) -> LabelledTarget:
        words = line.split()
        values = numbers(words[1:], [""] * (len(words) - 1), where)
        label = self._label(words[0], where)
        count = len(values)
        kind = self._kinds.get(count) or kinds_of([values], self._key_points)[count]
        if count < 4 or (kind == "polygon and confidence" and not 0 < values[-1] <= 1):
            raise PointsError(
                f"{where}: {count} numbers after the class; a box has 4, or 5 with its confidence or track, "
                "a polygon pairs of x and y, and key points have 2 or 3 numbers each behind their box"
            )
        if kind not in POLYGONS:
            if kind != "box":
                note(_POSE, where)
            return _box(kind, values, label, shape, where)
        if kind == "polygon and confidence":
            confidence: float | None = values.pop()
        else:
            confidence = None
        height, width = shape
        scaled = [value * (height if place % 2 else width) for place, value in enumerate(values)]
        patch = patch_of_polygons([scaled], shape, where)
        if patch is None:
            raise PointsError(
                f"{where}: the polygon encloses the middle of no pixel; draw it along pixel edges"
            )
        return LabelledTarget(None, patch, confidence, label)


def _box(kind: Kind, values: list[float], label: str | None, shape: Shape, where: str) -> LabelledTarget:
    height, width = shape
    x, y = key_point(kind, values)
    point = Point(to_pixel(y, _ORIGIN, height), to_pixel(x, _ORIGIN, width), label)
    if max(values[:4]) > MOST:
        shown = " ".join(f"{value:g}" for value in values[:4])
        raise PointsError(
            f"{where}: {shown} are pixels, not fractions of the size of the image; divide x and width by "
            "its width, y and height by its height"
        )
    confidence = None
    if kind == "box" and len(values) > 4 and not (values[4] > 1 and values[4].is_integer()):  # else a track
        confidence = confidence_of(values[4], f"the confidence in {where}")
    x, y, half_width, half_height = values[0], values[1], values[2] / 2, values[3] / 2
    if half_width < 0 or half_height < 0:
        raise PointsError(f"{where}: the box has a negative width or height; correct it")
    edges = (
        (x - half_width) * width,
        (y - half_height) * height,
        (x + half_width) * width,
        (y + half_height) * height,
    )
    return LabelledTarget(point, None, confidence, label, box_of_edges(*edges))


def _one_line(label: str | None) -> str:
    """Return a label as a line of a list of classes can hold it: breaks become spaces."""
    return " ".join((label or "").split())
