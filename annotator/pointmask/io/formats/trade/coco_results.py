"""COCO results: a JSON list of detections, as detectors write them for the COCO metrics.

Each has ``image_id`` and a box, run lengths or key points, which are read as in `coco`. Images are called by
their ``image_id``: its name or stem, or its number where names are numbers of twelve digits, as in COCO's own
data (1 is ``000000000001.jpg``); shorter names may count otherwise, and are not guessed at. Detections of
any score are targets; images without one are not known.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

from pointmask.errors import PointsError
from pointmask.io.formats.base import DocumentFormat
from pointmask.io.formats.labelled import LabelledTarget
from pointmask.io.formats.parts.documents import brief, head_keys, mapping, rejecting
from pointmask.io.formats.parts.json_stream import json_list
from pointmask.io.formats.parts.origin import Origin
from pointmask.io.formats.parts.per_image import Parsed, key_to_reject
from pointmask.io.formats.parts.shapes import score_of
from pointmask.io.formats.tools._coco import boxes_of, keypoints_of, segment, size_of_runs
from pointmask.io.formats.tools._coco_packed import Annotations
from pointmask.io.images.source import ImageSource
from pointmask.io.notes import note
from pointmask.io.points.names import clean_key, without_suffix
from pointmask.io.points.points import Point

T = TypeVar("T")

_ORIGIN: Origin = "index"
_DIGITS = 12  # of COCO's file names


class CocoResults(DocumentFormat):
    """COCO results."""

    name = "coco-results"
    description = "COCO results JSON"
    origin = _ORIGIN

    def sniff(self, path: Path) -> bool:
        """Say whether the file is a JSON list of detections."""
        keys = head_keys(path)
        return "[" in keys and "image_id" in keys and bool(keys & {"bbox", "segmentation", "keypoints"})

    def parsed(self, path: Path, rejected: dict[str, str], images: ImageSource | None) -> Iterator[Parsed]:
        """Yield the detections of each image.

        Raises
        ------
        PointsError
            If the file is unreadable or no such list, or a detection names no image.
        """
        numbers: dict[str, int] = {}
        found = Annotations()
        for place, item in enumerate(json_list(path), 1):
            where = f"{path}: detection {place}"
            fields = mapping(item, where)
            number = numbers.setdefault(_name(fields.get("image_id"), where), len(numbers))
            found.add(number, 0, fields, where)
        found.close(len(numbers))
        for name, number in _called_by_file(numbers, path, images).items():
            key = key_to_reject(name)
            with rejecting(key, rejected, f"{path}: image {brief(name)}"):
                shape = next(filter(None, map(size_of_runs, found.others(number))), None)
                yield Parsed(clean_key(key), shape, found.targets(number, (None,), _targets))
        note("detections of any score are taken as targets", str(path), len(found))


def _called_by_file(by_image: dict[str, T], path: Path, images: ImageSource | None) -> dict[str, T]:
    """Give numbers the names of the images that are called so.

    Raises
    ------
    PointsError
        If all images are numbers, and none of them is the name of an image.
    """
    if images is None:
        return by_image
    stems = {without_suffix(name.rpartition("/")[2]) for name in images.names()}
    numbered: dict[int, list[str]] = {}
    for stem in stems:
        if stem.isdecimal() and len(stem) == _DIGITS:
            numbered.setdefault(int(stem), []).append(stem)
    named = {}
    for name, items in by_image.items():
        same = numbered.get(int(name), []) if name.isdecimal() and name not in stems else []
        named[same[0] if len(same) == 1 else name] = items
    if named and all(name.isdecimal() and name not in stems for name in named):
        raise PointsError(
            f"{path} is a COCO results file, which calls its images by the numbers of their data set "
            f"({', '.join(list(named)[:3])} ...), and no image here has such a name; put file names in their "
            'place ("image_id": "a.png"), or give the annotation file with its list of images'
        )
    return named


def _name(value: object, where: str) -> str:
    if isinstance(value, (int, str)) and not isinstance(value, bool):
        return str(value)
    raise PointsError(f"{where}: its image_id is {brief(value)}, not a number or text; correct it")


def _targets(fields: dict[str, Any], where: str) -> list[LabelledTarget]:
    score = score_of(fields.get("score"))
    box = fields.get("bbox")
    patch = segment(fields.get("segmentation"), None, where, has_box=bool(box))
    if patch is not None:
        return [LabelledTarget(None, patch, score)]
    points = [Point(row, col) for row, col in keypoints_of(fields.get("keypoints"), where)]
    boxes = list(boxes_of(box, where))
    if len(points) == 1:
        return [LabelledTarget(points[0], None, score)]
    if len(boxes) != 1:
        raise PointsError(f"{where} has neither a box nor a mask nor one key point; correct or delete it")
    row, col, extent = boxes[0]
    return [LabelledTarget(Point(row, col), None, score, box=extent)]
