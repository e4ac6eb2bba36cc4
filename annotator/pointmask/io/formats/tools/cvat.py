"""CVAT XML 1.1, "CVAT for images" and "CVAT for video".

``<points>`` are read, each of its ``x,y`` pairs as one target; ``<mask>``, whose run lengths go row by row
through the mask's box; ``<polygon>``, as a mask; ``<box>`` and ``<ellipse>``, clicked on in the middle. A
point and a mask or box of the same ``group_id`` are one target; so are a point and the mask or box it lies
on. An image with other shapes is rejected, as a target would be missing; one without any holds no target. An
image of a subset is called like ``train/a.png`` if that is there, and else ``a.png``. Coordinates count from
the outer edge of the first pixel, so that the middle of pixel k is k + 0.5; of a mask ``left`` and ``top``
are the indices of its first pixel.

In ``<track>``, a shape that is ``outside`` says that the target is gone from that frame. Frames of a
multi-page file are keys such as ``seq.tif#3``; those of a video too if it lies among the images, and else
they are called as CVAT names the frames that it exports, ``frame_000003``.

Written is "CVAT for images"; a target without label gets `pointmask.io.formats.labelled.NO_LABEL`.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from xml.etree.ElementTree import Element
from xml.sax.saxutils import quoteattr

import numpy as np
from numpy.typing import NDArray

from pointmask.errors import OutputError, PointsError
from pointmask.io.files import whole_text
from pointmask.io.formats.base import DEFAULTS, EVERYTHING, DocumentFormat, WriteOptions
from pointmask.io.formats.encodings.rle import MOST_PIXELS
from pointmask.io.formats.labelled import NO_LABEL, LabelledImage, LabelledTarget, Patch, Shape
from pointmask.io.formats.parts.decoding import peek
from pointmask.io.formats.parts.documents import brief, numbers, rejecting, whole, xml_events
from pointmask.io.formats.parts.documents import number as finite
from pointmask.io.formats.parts.origin import Origin, from_pixel, to_pixel
from pointmask.io.formats.parts.per_image import Parsed, key_to_reject, new_key
from pointmask.io.formats.parts.shapes import box_around, known_size, label_of, outlined
from pointmask.io.formats.tools._pairs import Part, targets
from pointmask.io.images.kinds import is_image
from pointmask.io.images.source import ImageSource
from pointmask.io.points.names import clean_key
from pointmask.io.points.points import Point

_ORIGIN: Origin = "edge"
_BOX, _ELLIPSE = ("xtl", "ytl", "xbr", "ybr"), ("cx", "cy", "rx", "ry")
_BEGINNING = re.compile(r"\s*(<\?xml[^>]*\?>)?\s*(<!--.*?-->\s*)*<annotations[\s>/]", re.DOTALL)
_INSIDE = re.compile(r"<(version|meta|image|track)[\s/>]")
_NO_SHAPES = ("tag", "attribute")  # what an image may hold besides shapes
_FORBIDDEN = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML cannot hold them


class Cvat(DocumentFormat):
    """CVAT XML 1.1."""

    name = "cvat"
    description = "CVAT XML"
    abilities = frozenset({"read points", "read masks", "write masks"})
    holds = EVERYTHING - {"confidence"}
    origin = _ORIGIN
    layout = "file"
    saved_as = "cvat.xml"

    def sniff(self, path: Path) -> bool:
        """Say whether the file is XML whose first element is ``annotations``, with what CVAT puts there."""
        head = peek(path)
        return _BEGINNING.match(head) is not None and _INSIDE.search(head) is not None

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
                key = new_key(frame.key, seen)
                names = () if key == frame.name else (key, clean_key(frame.name))
                if frame.video:
                    names = (clean_key(frame.video), key)
                yield Parsed(key, frame.size, _targets(frame), names, counted=bool(frame.video))

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


@dataclass
class _Frame:
    """One image, or one frame of a video, which is called by its number: its shapes, each with its label."""

    name: str
    width: str | None
    height: str | None
    shapes: list[tuple[str | None, Element]]
    subset: str = ""
    video: str = ""

    @property
    def key(self) -> str:
        """The name in the folder of the subset, which a project's export has."""
        if self.subset.lower() in ("", "default") or self.name.startswith(f"{self.subset}/"):
            return self.name
        return f"{self.subset}/{self.name}"

    @cached_property
    def size(self) -> Shape | None:
        return known_size(self.height, self.width, "its size")


class _Video:
    """Collects the frames of tracks, which a document lists target by target."""

    def __init__(self) -> None:
        self._frames: defaultdict[int, list[tuple[str | None, Element]]] = defaultdict(list)
        self.meta = Element("meta")

    def add(self, track: Element, path: Path) -> None:
        """Take a track; a shape that is outside leaves its frame without this target."""
        label = track.get("label")
        for shape in track:
            if shape.tag not in _NO_SHAPES:
                listed = self._frames[whole(shape.get("frame"), f"{path}: frame of a track")]
                if shape.get("outside") != "1":
                    listed.append((label, shape))

    def frames(self) -> Iterator[_Frame]:
        """Yield all frames in order."""
        source = self.meta.findtext(".//source") or ""
        size = self.meta.find(".//original_size")
        width, height = (None, None) if size is None else (size.findtext("width"), size.findtext("height"))
        for number, shapes in sorted(self._frames.items()):
            place = f"{source or 'video'}#{number}"
            if is_image(source):
                yield _Frame(place, width, height, shapes)
            else:
                yield _Frame(f"frame_{number:06d}", width, height, shapes, video=place)


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
            shapes = [(shape.get("label"), shape) for shape in element if shape.tag not in _NO_SHAPES]
            name, subset = element.get("name", ""), element.get("subset", "")
            yield _Frame(name, element.get("width"), element.get("height"), shapes, subset)
        elif element.tag == "track":
            video.add(element, path)
        else:
            video.meta = element
        root.clear()  # so that memory does not grow with the document
    yield from video.frames()


def _targets(frame: _Frame) -> tuple[LabelledTarget, ...]:
    return targets(part for shape in frame.shapes for part in _parts(shape, frame))


def _pairs(text: str) -> list[tuple[float, float]]:
    """Return the corners of ``x,y;x,y``."""
    found = []
    for pair in text.split(";"):
        words = pair.split(",")
        if len(words) != 2:
            raise PointsError(f"point {brief(pair)} is not x,y; correct it")
        found.append((finite(words[0], "x"), finite(words[1], "y")))
    return found


def _parts(shape: tuple[str | None, Element], frame: _Frame) -> Iterator[Part]:
    label, element = label_of(shape[0] or ""), shape[1]
    group = element.get("group_id")
    group = None if group == "0" else group
    if element.tag == "points":
        height, width = frame.size or (None, None)
        for x, y in _pairs(element.get("points", "")):
            point = Point(to_pixel(y, _ORIGIN, height), to_pixel(x, _ORIGIN, width), label)
            yield Part(point, None, label, group=group)
        return
    patch: Patch | None = None
    corners: list[tuple[float, float]] = []
    if element.tag == "mask":
        patch = _patch(element)
        if patch is None:
            return
    elif element.tag == "polygon":
        corners = _pairs(element.get("points", ""))
        patch = outlined(corners, frame.size, "a polygon")
    elif element.tag in ("box", "ellipse"):
        corners = _corners(element)
    else:
        raise PointsError(
            f"has a <{element.tag[:40]}>, which is not read, so that a target would be missing; mark it with "
            "a point, box, ellipse, polygon or mask instead, or delete it"
        )
    if patch is not None:
        yield Part(None, patch, label, group=group)
    else:
        middle, box = box_around(corners)
        yield Part(None, None, label, group=group, box=box, middle=middle)


def _corners(element: Element) -> list[tuple[float, float]]:
    """Return opposite corners of a box, or of the one around an ellipse; turned ones keep their middle."""
    if element.tag == "box":
        left, top, right, bottom = numbers([element.get(name) for name in _BOX], _BOX, "a box, ")
        return [(left, top), (right, bottom)]
    x, y, rx, ry = numbers([element.get(name) for name in _ELLIPSE], _ELLIPSE, "an ellipse, ")
    return [(x - rx, y - ry), (x + rx, y + ry)]


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
    if target.box is not None:
        top, left, bottom, right = target.box
        yield f'    <box {common} xtl="{left}" ytl="{top}" xbr="{right}" ybr="{bottom}" {last}></box>\n'
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
