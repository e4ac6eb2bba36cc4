"""Label Studio's JSON-MIN export: a list of tasks whose regions stand beside the data.

Each control of the labelling interface is a key of the task: ``kp``, ``rect`` or any other name. A list of
objects with a place in the image are its regions, read as those of `pointmask.io.formats.tools.labelstudio`.
A task without regions was annotated as holding no target, as this export leaves the others out.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pointmask.io.formats.base import DocumentFormat
from pointmask.io.formats.parts.decoding import peek
from pointmask.io.formats.parts.documents import head_keys
from pointmask.io.formats.parts.per_image import Parsed
from pointmask.io.formats.tools._labelstudio import ORIGIN, tasks
from pointmask.io.formats.tools.labelstudio import parsed_tasks
from pointmask.io.images.source import ImageSource

_BOOKKEEPING = frozenset(("annotator", "annotation_id", "created_at", "updated_at", "lead_time"))
_ABOUT_IMAGE = ("original_width", "original_height", "image_rotation")
_BY_GEOMETRY = {
    "rle": "brush",
    "points": "polygon",
    "radiusX": "ellipse",
    "height": "rectangle",
    "x": "keypoint",
}


class LabelStudioMin(DocumentFormat):
    """Label Studio JSON-MIN."""

    name = "labelstudio-min"
    description = "Label Studio JSON-MIN"
    origin = ORIGIN

    def sniff(self, path: Path) -> bool:
        """Say whether the file is a JSON list of tasks with what Label Studio notes of their annotations."""
        keys = head_keys(path)
        if "[" not in keys or keys & {"annotations", "predictions", "completions", "data"}:
            return False
        return len(keys & _BOOKKEEPING) > 1 or ("id" in keys and '"original_width"' in peek(path))

    def parsed(self, path: Path, rejected: dict[str, str], images: ImageSource | None) -> Iterator[Parsed]:
        """Yield the regions of each task.

        Raises
        ------
        PointsError
            If the file is unreadable or no list of tasks, or a task names no image.
        """
        return parsed_tasks(tasks(path, _as_exported), rejected)


def _as_exported(task: dict[str, Any]) -> dict[str, Any]:
    """Return a task in the form of the JSON export."""
    regions = [
        _region(item)
        for value in task.values()
        if isinstance(value, list)
        for item in value
        if isinstance(item, dict) and "original_width" in item
    ]
    data = {key: value for key, value in task.items() if isinstance(value, str) and key not in _BOOKKEEPING}
    return {"data": data, "annotations": [{"result": regions}]}


def _region(item: dict[str, Any]) -> dict[str, Any]:
    labelled = next((key for key in item if key.endswith("labels")), None)
    kind = labelled or next((kind for key, kind in _BY_GEOMETRY.items() if key in item), "shape")
    return {"type": kind, "value": item, **{key: item.get(key) for key in _ABOUT_IMAGE}}
