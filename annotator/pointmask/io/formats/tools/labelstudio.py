"""Label Studio's JSON export: a list of tasks.

Key points (``keypointlabels`` and ``keypoint``) are read as points, brush masks (``brushlabels`` and
``brush``) with `pointmask.io.formats.encodings.brush_rle`, polygons as masks; rectangles and ellipses are
clicked on in the middle. A brush or box whose ``parentID`` is a key point's ``id`` is that target's, and so
is one on which a key point of its label lies. A task with other shapes is rejected. Of a task's annotations
the one marked as ground truth counts, or else the only one that was not skipped; an empty one says that the
image holds no target. A task without annotation is taken from its only prediction, and left out if it has
none.

The image is named by the task's data; the random prefix and the folders that Label Studio puts before the
name of an uploaded file are dropped.

Written are predictions, which Label Studio shows for review, with their confidence as ``score``. A target
without label gets `pointmask.io.formats.labelled.NO_LABEL`.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pointmask.io.files import whole_text
from pointmask.io.formats.base import DEFAULTS, EVERYTHING, DocumentFormat, WriteOptions
from pointmask.io.formats.encodings import brush_rle
from pointmask.io.formats.labelled import NO_LABEL, LabelledImage, LabelledTarget, Shape
from pointmask.io.formats.parts.decoding import peek
from pointmask.io.formats.parts.documents import head_keys, rejecting
from pointmask.io.formats.parts.origin import from_pixel
from pointmask.io.formats.parts.per_image import Parsed, key_to_reject, new_key
from pointmask.io.formats.tools._labelstudio import ORIGIN, Task, tasks
from pointmask.io.images.source import ImageSource


def parsed_tasks(found: Iterable[Task], rejected: dict[str, str]) -> Iterator[Parsed]:
    """Yield the regions of each task that somebody or some model has looked at."""
    seen: set[str] = set()
    for task in found:
        with rejecting(key_to_reject(task.name), rejected, task.where):
            if task.annotated:
                yield Parsed(new_key(task.name, seen), task.shape, task.targets)


class LabelStudio(DocumentFormat):
    """Label Studio's JSON export."""

    name = "labelstudio"
    description = "Label Studio JSON"
    abilities = frozenset({"read points", "read masks", "write masks"})
    holds = EVERYTHING
    origin = ORIGIN
    layout = "file"
    saved_as = "labelstudio.json"

    def sniff(self, path: Path) -> bool:
        """Say whether the file is a JSON list of tasks with annotations or predictions of regions."""
        keys = head_keys(path)
        if "[" not in keys or not keys & {"annotations", "predictions", "completions"}:
            return False
        # The data may stand behind more annotations than are looked at.
        return "data" in keys or (not keys & {"image", "imagefilename"} and '"result"' in peek(path))

    def parsed(self, path: Path, rejected: dict[str, str], images: ImageSource | None) -> Iterator[Parsed]:
        """Yield the regions of each task.

        Raises
        ------
        PointsError
            If the file is unreadable or no list of tasks, or a task names no image.
        """
        return parsed_tasks(tasks(path), rejected)

    def write_masks(
        self,
        images: Iterable[LabelledImage],
        path: Path,
        *,
        source: ImageSource | None = None,
        options: WriteOptions = DEFAULTS,
    ) -> None:
        """Write one task per image with a prediction; the image is named as a file of local storage.

        Raises
        ------
        OutputError
            If the file cannot be written.
        PointsError
            If an image is larger than brush masks can be.
        """
        with whole_text(path) as file:
            separator = "[\n"
            for image in images:
                file.write(separator + json.dumps(_task_of(image)))
                separator = ",\n"
            file.write("[]\n" if separator == "[\n" else "\n]\n")


def _task_of(image: LabelledImage) -> dict[str, Any]:
    height, width = image.shape
    results = [
        result
        for place, target in enumerate(image.targets, 1)
        for result in _results(target, place, image.shape)
    ]
    return {
        "data": {
            "image": f"/data/local-files/?d={quote(image.key)}",
            "width": width,
            "height": height,
        },
        "predictions": [{"model_version": "pointmask", "result": results}],
    }


def _results(target: LabelledTarget, place: int, shape: Shape) -> Iterator[dict[str, Any]]:
    height, width = shape
    common: dict[str, Any] = {
        "to_name": "image",
        "original_width": width,
        "original_height": height,
        "image_rotation": 0,
    }
    if target.confidence is not None:
        common["score"] = target.confidence
    label = [target.label or NO_LABEL]
    if target.point is not None:
        x, y = from_pixel(target.point.col, ORIGIN, width), from_pixel(target.point.row, ORIGIN, height)
        value: dict[str, Any] = {"x": x, "y": y, "width": 100 / width, "keypointlabels": label}
        yield {
            "id": f"point-{place}",
            "type": "keypointlabels",
            "from_name": "point",
            "value": value,
            **common,
        }
    parent = {"parentID": f"point-{place}"} if target.point is not None else {}
    if target.box is not None:
        top, left, bottom, right = target.box
        value = {
            "x": 100 * left / width,
            "y": 100 * top / height,
            "width": 100 * (right - left) / width,
            "height": 100 * (bottom - top) / height,
            "rotation": 0,
            "rectanglelabels": label,
        }
        yield {
            "id": f"box-{place}",
            "type": "rectanglelabels",
            "from_name": "box",
            "value": value,
            **parent,
            **common,
        }
    if target.patch is not None:
        patch = target.patch
        rle = brush_rle.encode(patch.pixels, patch.row, patch.col, shape)
        value = {"format": "rle", "rle": list(rle), "brushlabels": label}
        yield {
            "id": f"mask-{place}",
            "type": "brushlabels",
            "from_name": "mask",
            "value": value,
            **parent,
            **common,
        }
