"""A box per frame of a sequence, as OTB, LaSOT, GOT-10k, UAV123 and Anti-UAV have them.

``groundtruth_rect.txt`` and its like hold ``left,top,width,height`` on a line per frame; Anti-UAV's
``IR_label.json`` holds ``{"exist": [1, 0, ...], "gt_rect": [[left, top, width, height], [], ...]}``. A box
that is empty, zero or NaN, an ``exist`` of 0, and a 1 in LaSOT's ``full_occlusion.txt`` or
``out_of_view.txt`` mean that the frame shows no target.

``left`` and ``top`` are taken to count pixels from 0, as in Anti-UAV, UAV123 and what Python tools write.
OTB's and LaSOT's own files come from MATLAB and count from 1, which nothing in a file says for certain: a
click is then one pixel to the right and below, which a note tells and the judgement of the whole finds.
"""

import math
import re
from pathlib import Path

from pointmask.errors import PointsError
from pointmask.io.formats.base import Format
from pointmask.io.formats.parts.documents import brief, head_keys, listing, mapping, number, read_json
from pointmask.io.formats.parts.text import Collector, read_text
from pointmask.io.formats.sequences.mot import FROM_ZERO, add_box
from pointmask.io.formats.sequences.sequence import SequenceImages, first_numbers, lines_of, numbers_of
from pointmask.io.images.source import ImageSource
from pointmask.io.notes import note
from pointmask.io.points.points import Points

_NAMED = re.compile(r"ground[_-]?truth|(^|[_-])gt|rect|(^|[_-])boxes", re.IGNORECASE)
_ABSENT = ("full_occlusion.txt", "out_of_view.txt")

Box = tuple[float, ...] | None


class SequenceBoxes(Format):
    """A box per frame, for all frames of a sequence."""

    name = "sequence-boxes"
    description = "boxes per frame (OTB, LaSOT, Anti-UAV)"
    abilities = frozenset({"read points"})
    origin = "edge"
    needs_images = True

    def sniff(self, path: Path) -> bool:
        """Say whether the file has ``gt_rect``, or lines of four numbers that cannot be two corners."""
        if not path.is_file():
            return False
        if "gt_rect" in head_keys(path):
            return True
        lines = first_numbers(path)
        if not lines or any(len(values) != 4 for values in lines):
            return False
        return bool(_NAMED.search(path.stem)) or not may_be_corners(lines)

    def read(self, path: Path, *, images: ImageSource | None = None) -> Points:
        """Read the middles of the boxes.

        Raises
        ------
        PointsError
            If the file is unreadable or of another structure, or has a line for another number of frames
            than there are images.
        """
        collector = Collector()
        boxes = _of_json(path) if "{" in head_keys(path) else _of_lines(path)
        keys = SequenceImages(path, images).in_order(len(boxes))
        for count, (key, box) in enumerate(zip(keys, boxes, strict=True), 1):
            where = f"{path}:{count}"
            if box is None:
                collector.add(key, where, None)
            else:
                add_box(collector, key, box, where)
        if "{" not in head_keys(path):
            note(FROM_ZERO, str(path), len(boxes))
        return collector.points(self.source_of(path))


def may_be_corners(lines: list[list[float]]) -> bool:
    """Say whether lines of four numbers may be two corners instead of a corner and a size."""
    filled = [values for values in lines if any(values) and all(map(math.isfinite, values))]
    return all(x < right and y < bottom for x, y, right, bottom in filled)


def _of_lines(path: Path) -> list[Box]:
    boxes: list[Box] = []
    for line, text in lines_of(read_text(path)):
        values = numbers_of(text)
        if values is None or len(values) != 4:
            raise PointsError(f"{path}:{line}: not four numbers left,top,width,height; correct it")
        boxes.append(None if any(map(math.isnan, values)) or not any(values) else tuple(values))
    for name in _ABSENT:
        flags = path.parent / name
        if flags.is_file():
            values = numbers_of(",".join(text for _, text in lines_of(read_text(flags)))) or []
            if len(values) == len(boxes):
                boxes = [None if flag else box for box, flag in zip(boxes, values, strict=True)]
    return boxes


def _of_json(path: Path) -> list[Box]:
    document = mapping(read_json(path), str(path))
    rectangles = listing(document.get("gt_rect"), f"{path}: gt_rect")
    exist = listing(document.get("exist", [1] * len(rectangles)), f"{path}: exist")
    if len(exist) != len(rectangles):
        raise PointsError(
            f"{path}: exist has {len(exist)} entries and gt_rect {len(rectangles)}; both need one per frame"
        )
    boxes: list[Box] = []
    for count, (flag, item) in enumerate(zip(exist, rectangles, strict=True)):
        what = f"{path}: gt_rect of frame {count}"
        values = [number(value, what) for value in listing(item, what)] if item is not None else []
        if len(values) not in (0, 4):
            raise PointsError(f"{what} is {brief(item)}, not [left, top, width, height]; correct it")
        boxes.append(tuple(values) if flag and values and any(values) else None)
    return boxes
