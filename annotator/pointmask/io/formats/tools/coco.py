"""COCO JSON: keypoints, run-length masks and boxes of all images in one document.

A target without keypoints is clicked on in the middle of its mask, or of its box. In the standard form an
annotation is a target. In the dialect of SPIRE an annotation is an image: ``bbox`` and ``area`` are lists
and each keypoint is a target. Both are read, and ``source`` says which it was. An image without
annotations holds no target, and so does one with an empty object alone (a box of 0, 0, 0, 0 without area,
as coco-annotator leaves it). Ids are the same whether they are numbers or texts. The ``frame`` of an image
is one of its file if files of that name have several entries or several frames; else it only says where in
a video the file comes from. Polygons are read by pixel centres; what is written are run lengths alone,
because polygons through the centres of pixels destroy a small target.
"""

import json
import re
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pointmask.io.files import whole_text
from pointmask.io.formats.base import DEFAULTS, EVERYTHING, DocumentFormat, WriteOptions
from pointmask.io.formats.encodings import rle
from pointmask.io.formats.labelled import NO_LABEL, LabelledImage, LabelledTarget, Shape
from pointmask.io.formats.parts.decoding import peek
from pointmask.io.formats.parts.documents import head_keys
from pointmask.io.formats.parts.origin import from_pixel
from pointmask.io.formats.parts.per_image import Parsed, points_of
from pointmask.io.formats.tools._coco import ORIGIN, Document
from pointmask.io.images.source import ImageSource
from pointmask.io.points.points import Points

_VISIBLE = 2
_LISTED = re.compile(r'"(images|annotations)"\s*:\s*\[\s*(\]|\{[^{}]*"(file_name|image_id)")')
_SNIFFED = 1 << 16
_COPIED_AT_ONCE = 1 << 20


class Coco(DocumentFormat):
    """COCO JSON."""

    name = "coco"
    description = "COCO JSON"
    abilities = frozenset({"read points", "read masks", "write masks"})
    holds = EVERYTHING
    origin = ORIGIN
    layout = "file"
    saved_as = "coco.json"

    def sniff(self, path: Path) -> bool:
        """Say whether the file begins like a COCO document."""
        keys = head_keys(path)
        if "{" not in keys or not keys & {"images", "annotations"} or "image" in keys:
            return False
        return keys >= {"images", "annotations"} or _LISTED.search(peek(path, _SNIFFED)) is not None

    def read(self, path: Path, *, images: ImageSource | None = None) -> Points:
        """Read keypoints, or the middles of masks or boxes.

        Raises
        ------
        PointsError
            If the file is not such a document. Images with a wrong annotation are rejected.
        """
        rejected: dict[str, str] = {}
        document = Document(path, rejected, images)
        return points_of(document.parsed(), rejected, f"{path} ({self.description}, {document.dialect})")

    def parsed(self, path: Path, rejected: dict[str, str], images: ImageSource | None) -> Iterator[Parsed]:
        """Yield what is annotated in each image."""
        return Document(path, rejected, images).parsed()

    def write_masks(
        self,
        images: Iterable[LabelledImage],
        path: Path,
        *,
        source: ImageSource | None = None,
        options: WriteOptions = DEFAULTS,
    ) -> None:
        """Write one document; annotations wait in a temporary file until the images are written.

        Raises
        ------
        OutputError
            If the file cannot be written.
        """
        classes: dict[str, int] = {}
        annotations = 0
        with (
            whole_text(path) as file,
            tempfile.TemporaryFile("w+", encoding="utf-8", dir=path.parent) as waiting,
        ):
            file.write('{"info": {"description": "written by pointmask"}, "licenses": [],\n"images": [')
            for count, image in enumerate(images, 1):
                height, width = image.shape
                record = {"id": count, "file_name": image.image, "width": width, "height": height}
                if image.frame:
                    record["frame"] = image.frame
                file.write((",\n" if count > 1 else "\n") + json.dumps(record))
                for target in image.targets:
                    annotations += 1
                    category = classes.setdefault(target.label or NO_LABEL, len(classes) + 1)
                    ids = {"id": annotations, "image_id": count, "category_id": category}
                    line = json.dumps(ids | _annotation(target, image.shape))
                    waiting.write((",\n" if annotations > 1 else "\n") + line)
            file.write('],\n"annotations": [')
            waiting.seek(0)
            while piece := waiting.read(_COPIED_AT_ONCE):
                file.write(piece)
            file.write('],\n"categories": ' + json.dumps(_categories(classes)) + "}\n")


def _annotation(target: LabelledTarget, shape: Shape) -> dict[str, Any]:
    patch, point = target.patch, target.point
    fields: dict[str, Any] = {"iscrowd": 0, "segmentation": [], "bbox": [], "area": 0}
    if patch is not None:
        counts = rle.encode(patch.pixels, patch.row, patch.col, shape)
        height, width = patch.pixels.shape
        fields["segmentation"] = {"size": list(shape), "counts": rle.pack(counts)}
        fields |= {"bbox": [patch.col, patch.row, width, height], "area": patch.area}
    elif target.box is not None:
        top, left, bottom, right = target.box
        fields["bbox"] = [left, top, right - left, bottom - top]
    elif point is not None:
        fields["bbox"] = [point.col, point.row, 0, 0]
    fields |= {"keypoints": [0, 0, 0], "num_keypoints": 0}
    if point is not None:
        x, y = from_pixel(point.col, ORIGIN), from_pixel(point.row, ORIGIN)
        fields |= {"keypoints": [x, y, _VISIBLE], "num_keypoints": 1}
    if target.confidence is not None:
        fields["score"] = target.confidence
    return fields


def _categories(classes: dict[str, int]) -> list[dict[str, Any]]:
    return [
        {"id": number, "name": name, "supercategory": "", "keypoints": ["point"], "skeleton": []}
        for name, number in (classes or {NO_LABEL: 1}).items()
    ]
