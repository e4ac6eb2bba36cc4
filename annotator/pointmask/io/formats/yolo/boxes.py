"""YOLO boxes, one text file per image; see `pointmask.io.formats.yolo.labels` for both kinds.

The click is the middle of the box, or its only visible key point. A box is no mask, so none is read from it.
"""

from pathlib import Path

from pointmask.io.formats.labelled import LabelledTarget, Shape
from pointmask.io.formats.yolo.labels import POLYGONS, YoloLabels, kinds_at


class YoloBoxes(YoloLabels):
    """YOLO boxes; the box of a target without mask or box is its pixel."""

    name = "yolo"
    description = "YOLO boxes"
    holds = frozenset({"boxes", "instances", "labels", "frames", "empty"})
    saved_as = "yolo"

    def sniff(self, path: Path) -> bool:
        """Say whether the first label files hold boxes, and none polygons, or all are empty."""
        kinds = kinds_at(path)
        return bool(kinds) and kinds.isdisjoint(POLYGONS)

    def coordinates(self, target: LabelledTarget, shape: Shape) -> list[float]:
        """Return middle, width and height of the box."""
        box = target.extent
        if box is None:
            return []
        height, width = shape
        return [
            (box.left + box.right) / 2 / width,
            (box.top + box.bottom) / 2 / height,
            (box.right - box.left) / width,
            (box.bottom - box.top) / height,
        ]
