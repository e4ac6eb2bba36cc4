"""YOLO polygons, one text file per image; see `pointmask.io.formats.yolo.labels` for both kinds.

Polygons are written along pixel edges, which is exact; pieces and holes are joined by bridges that enclose
nothing. Programs that draw polygons through pixel centres make such masks larger, and drop or distort
those below `YoloPolygons.least_pixels`: prefer run lengths (COCO) where there is a choice.
"""

from pathlib import Path

from pointmask.io.formats.encodings import outline
from pointmask.io.formats.labelled import LabelledTarget, Shape
from pointmask.io.formats.yolo.labels import POLYGONS, YoloLabels, kinds_at


class YoloPolygons(YoloLabels):
    """YOLO polygons; a target without mask is left out."""

    name = "yolo-seg"
    description = "YOLO polygons"
    holds = frozenset({"masks", "instances", "labels", "frames", "empty"})
    saved_as = "yolo-seg"
    least_pixels = 4

    def sniff(self, path: Path) -> bool:
        """Say whether one of the first label files holds polygons."""
        return not kinds_at(path).isdisjoint(POLYGONS)

    def coordinates(self, target: LabelledTarget, shape: Shape) -> list[float]:
        """Return the corners of the polygon."""
        if target.patch is None:
            return []
        patch = target.patch
        height, width = shape
        corners = outline.join(outline.trace(patch.pixels, patch.row, patch.col)) / (width, height)
        return [float(value) for value in corners.ravel()]
