"""CVAT XML 1.1, "CVAT for images" and "CVAT for video".

``<points>`` are read, each of its ``x,y`` pairs as one target, and ``<mask>``, whose run lengths go row by
row through the mask's box. A point and a mask of the same ``group_id`` are one target; so are a point and
the mask it lies on. An image with other shapes alone is rejected; one without any holds no target.

In ``<track>``, a shape that is ``outside`` says that the target is gone from that frame. Frames of a
multi-page file are keys such as ``seq.tif#3``; those of any other video are called as CVAT names the frames
that it exports, ``frame_000003``.

Written is "CVAT for images"; a target without label gets `pointmask.io.formats.labelled.NO_LABEL`.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element
from xml.sax.saxutils import quoteattr

import numpy as np
from numpy.typing import NDArray

from pointmask.errors import OutputError, PointsError
from pointmask.io.files import whole_text
from pointmask.io.formats.base import DEFAULTS, DocumentFormat, WriteOptions
from pointmask.io.formats.encodings.rle import MOST_PIXELS
from pointmask.io.formats.labelled import NO_LABEL, LabelledImage, LabelledTarget, Patch, Shape
from pointmask.io.formats.parts.decoding import peek
from pointmask.io.formats.parts.documents import brief, rejecting, whole, xml_events
from pointmask.io.formats.parts.documents import number as finite
from pointmask.io.formats.parts.origin import Origin, from_pixel, to_pixel
from pointmask.io.formats.parts.per_image import Parsed, key_to_reject, new_key
from pointmask.io.formats.parts.shapes import label_of, size_of
from pointmask.io.formats.tools._pairs import Part, targets
from pointmask.io.images.array import is_image
from pointmask.io.images.source import ImageSource
from pointmask.io.points.points import Point

_ORIGIN: Origin = "edge"
_BEGINNING = re.compile(r"\s*(<\?xml[^>]*\?>)?\s*(<!--.*?-->\s*)*<annotations[\s>/]", re.DOTALL)
_SHAPES = ("points", "mask", "box", "polygon", "polyline", "ellipse", "cuboid", "skeleton")
_FORBIDDEN = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML cannot hold them


class Cvat(DocumentFormat):
    """CVAT XML 1.1."""

    name = "cvat"
    description = "CVAT XML"
    abilities = frozenset({"read points", "read masks", "write masks"})
    holds = frozenset({"points", "masks", "instances", "labels", "frames", "empty"})
    origin = _ORIGIN
    layout = "file"
    saved_as = "cvat.xml"

    def sniff(self, path: Path) -> bool:
        """Say whether the file is XML whose first element is ``annotations``."""
        return path.is_file() and _BEGINNING.match(peek(path)) is not None

    def parsed(self, path: Path, rejected: dict[str, str], images: ImageSource | None) -> Iterator[Parsed]:
        """Yield the shapes of each image, or of each frame of a video.

        Raises
        ------
        PointsError
            If the file is unreadable or no CVAT XML, or an image has no name.
        """
        seen: set[str] = set()
        for frame in _frames(path):
            with rejecting(key_to_reject(frame.name), rejected, f"{path}: image {brief(frame.name)}"):
                yield Parsed(new_key(frame.name, seen), frame.size, _targets(frame))

    def write_masks(
        self,
        images: Iterable[LabelledImage],
        path: Path,
        *,
        source: ImageSource | None = None,
        options: WriteOptions = DEFAULTS,
    ) -> None:
        """Write "CVAT for images"; confidence cannot be kept.

        Raises
        ------
        OutputError
            If the file cannot be written, or a name or label holds characters that XML cannot hold.
        """
        with whole_text(path) as file:
            file.write('<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n  <version>1.1</version>\n')
            for number, image in enumerate(images):
                file.writelines(_image_lines(image, number))
            file.write("</annotations>\n")


@dataclass(slots=True)
class _Frame:
    """One image, or one frame of a video: its shapes, each with its label."""

    name: str
    width: str | None
    height: str | None
    shapes: list[tuple[str | None, Element]]

    @property
    def size(self) -> Shape | None:
        if self.width is None and self.height is None:
            return None
        return size_of(self.height, self.width, "its size")


class _Video:
    """Collects the frames of tracks, which a document lists target by target."""

    def __init__(self) -> None:
        self._frames: defaultdict[int, list[tuple[str | None, Element]]] = defaultdict(list)
        self.meta = Element("meta")

    def add(self, track: Element, path: Path) -> None:
        """Take a track; a shape that is outside leaves its frame without this target."""
        label = track.get("label")
        for shape in track:
            if shape.tag in _SHAPES:
                listed = self._frames[whole(shape.get("frame"), f"{path}: frame of a track")]
                if shape.get("outside") != "1":
                    listed.append((label, shape))

    def frames(self) -> Iterator[_Frame]:
        """Yield all frames in order."""
        source = self.meta.findtext(".//source") or ""
        size = self.meta.find(".//original_size")
        width, height = (None, None) if size is None else (size.findtext("width"), size.findtext("height"))
        for number, shapes in sorted(self._frames.items()):
            name = f"{source}#{number}" if is_image(source) else f"frame_{number:06d}"
            yield _Frame(name, width, height, shapes)


def _frames(path: Path) -> Iterator[_Frame]:
    """Yield the images of a document one by one, then the frames of its tracks."""
    video = _Video()
    root = None
    for event, element in xml_events(path):
        if root is None:
            root = element
            if root.tag != "annotations":
                raise PointsError(
                    f"{path}: the first element is {brief(root.tag)}, not 'annotations' as in CVAT"
                )
        if event == "start" or element.tag not in ("image", "meta", "track"):
            continue
        if element.tag == "image":
            shapes = [(shape.get("label"), shape) for shape in element if shape.tag in _SHAPES]
            yield _Frame(element.get("name", ""), element.get("width"), element.get("height"), shapes)
        elif element.tag == "track":
            video.add(element, path)
        else:
            video.meta = element
        root.clear()  # so that memory does not grow with the document
    yield from video.frames()


def _targets(frame: _Frame) -> tuple[LabelledTarget, ...]:
    found = targets(part for shape in frame.shapes for part in _parts(shape, frame))
    if frame.shapes and not found:
        kinds = ", ".join(sorted({shape.tag for _, shape in frame.shapes}))
        raise PointsError(f"has {kinds} but neither points nor masks; mark its targets with these")
    return found


def _points(shape: tuple[str | None, Element], frame: _Frame) -> Iterator[Point]:
    label, element = shape
    if element.tag != "points":
        return
    for pair in element.get("points", "").split(";"):
        numbers = pair.split(",")
        if len(numbers) != 2:
            raise PointsError(f"point {brief(pair)} is not x,y; correct it")
        height, width = frame.size or (None, None)
        col = to_pixel(finite(numbers[0], "x"), _ORIGIN, width)
        yield Point(to_pixel(finite(numbers[1], "y"), _ORIGIN, height), col, label_of(label or ""))


def _parts(shape: tuple[str | None, Element], frame: _Frame) -> Iterator[Part]:
    label, element = shape
    group = element.get("group_id")
    for point in _points(shape, frame):
        yield Part(point, None, point.label, group=group)
    if element.tag == "mask" and (patch := _patch(element)) is not None:
        yield Part(None, patch, label_of(label or ""), group=group)


def _patch(mask: Element) -> Patch | None:
    left, top, width, height = (
        whole(mask.get(name), f"{name} of a mask") for name in ("left", "top", "width", "height")
    )
    if width * height > MOST_PIXELS:
        raise PointsError(f"a mask of {width} x {height} pixels; at most {MOST_PIXELS:,} are read")
    runs = [whole(count, "a run length") for count in mask.get("rle", "").split(",")]
    if sum(runs) != width * height:
        raise PointsError(
            f"a mask's run lengths add up to {sum(runs)}, but its box has {width} x {height} pixels; "
            "export it again"
        )
    ones = np.arange(len(runs)) % 2 == 1
    return Patch.crop(np.repeat(ones, runs).reshape(height, width), top, left) if sum(runs) else None


def _image_lines(image: LabelledImage, number: int) -> Iterator[str]:
    height, width = image.shape
    yield f'  <image id="{number}" name={_quoted(image.key)} width="{width}" height="{height}">\n'
    for group, target in enumerate(image.targets, 1):
        yield from _target_lines(target, group)
    yield "  </image>\n"


def _target_lines(target: LabelledTarget, group: int) -> Iterator[str]:
    common = f'label={_quoted(target.label or NO_LABEL)} source="auto" occluded="0"'
    last = f'z_order="0" group_id="{group}"'
    if target.point is not None:
        x, y = from_pixel(target.point.col, _ORIGIN), from_pixel(target.point.row, _ORIGIN)
        yield f'    <points {common} points="{x:.2f},{y:.2f}" {last}></points>\n'
    if target.patch is not None:
        height, width = target.patch.pixels.shape
        runs = ", ".join(map(str, _run_lengths(target.patch.pixels)))
        place = f'left="{target.patch.col}" top="{target.patch.row}" width="{width}" height="{height}"'
        yield f'    <mask {common} rle="{runs}" {place} {last}></mask>\n'


def _run_lengths(pixels: NDArray[np.bool_]) -> list[int]:
    """Return the runs of zeros and ones in turn, row by row, zeros first."""
    flat = pixels.ravel()
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    runs: list[int] = np.diff(changes, prepend=0, append=flat.size).tolist()
    return [0, *runs] if flat[0] else runs


def _quoted(text: str) -> str:
    if _FORBIDDEN.search(text):
        raise OutputError(f"{brief(text)} holds characters that XML cannot hold; rename it")
    return quoteattr(text)
