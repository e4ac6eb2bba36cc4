"""MOTChallenge's lines of a sequence: ``frame,track,left,top,width,height,confidence,...``.

Six to ten numbers; VisDrone-MOT and VisDrone-VID have the same first six. Frames are the numbers in the names
of the images, or else their places from 1. A confidence of 0 means that a box is to be ignored.

``left`` and ``top`` are taken to count pixels from 0, as VisDrone, CVAT, DarkLabel and today's trackers write
them. MOTChallenge's own files count from 1, which nothing in a file says for certain: a click is then one
pixel to the right and below, which a note tells and the judgement of the whole finds.
"""

from array import array
from collections.abc import Sequence
from pathlib import Path

from pointmask.errors import PointsError
from pointmask.io.formats.base import Format
from pointmask.io.formats.parts.columns import middle
from pointmask.io.formats.parts.documents import whole
from pointmask.io.formats.parts.text import Collector, read_text
from pointmask.io.formats.sequences.sequence import SequenceImages, first_numbers, lines_of, numbers_of
from pointmask.io.formats.sequences.visdrone import is_visdrone
from pointmask.io.images.source import ImageSource
from pointmask.io.notes import note
from pointmask.io.points.points import Point, Points

FROM_ZERO = (
    "left and top of boxes were read as counting pixels from 0; files of MOTChallenge and of MATLAB's "
    "toolboxes (OTB) count from 1"
)
"""Note of readers of boxes whose files may count either way."""
_FEWEST, _MOST = 6, 10


class Mot(Format):
    """MOTChallenge ground truth, detections and results."""

    name = "mot"
    description = "MOTChallenge boxes"
    abilities = frozenset({"read points"})
    origin = "edge"
    needs_images = True

    def sniff(self, path: Path) -> bool:
        """Say whether the first lines have six to ten numbers, of which two are frame and track."""
        if not path.is_file():
            return False
        lines = first_numbers(path)
        return bool(lines) and all(map(_fits, lines)) and not all(map(is_visdrone, lines))

    def read(self, path: Path, *, images: ImageSource | None = None) -> Points:
        """Read the middles of the boxes of one sequence.

        Raises
        ------
        PointsError
            If the file is unreadable, a line is none, or there are no images of its frames.
        """
        collector = Collector()
        lines, frames, boxes = array("I"), array("q"), array("d")
        for line, text in lines_of(read_text(path)):
            values = numbers_of(text)
            if values is None or not _FEWEST <= len(values) <= _MOST:
                raise PointsError(
                    f"{path}:{line}: not six to ten numbers frame,track,left,top,width,height,...; correct it"
                )
            if len(values) == _FEWEST or values[6] != 0:
                frame = values[0]
                if not 0 <= frame < 1 << 31 or not frame.is_integer():
                    whole(frame, f"the frame in {path}:{line}")  # says what is wrong
                lines.append(line)
                frames.append(int(frame))
                boxes.extend(values[2:6])
        keys = SequenceImages(path, images).numbered(sorted(set(frames)))
        for place, (line, frame) in enumerate(zip(lines, frames, strict=True)):
            add_box(collector, keys[frame], boxes[4 * place : 4 * place + 4], f"{path}:{line}")
        note(FROM_ZERO, str(path), len(lines))
        return collector.points(self.source_of(path))


def add_box(collector: Collector, key: str, box: Sequence[float], where: str) -> None:
    """Add the middle of a box from its corner, width and height; an empty one is no target."""
    try:
        pixel = middle("box", box, where)
    except PointsError as error:
        collector.reject(key, where, str(error))
        return
    if pixel is None:
        collector.add_empty_box(key, where)
    else:
        collector.add(key, where, Point(*pixel))


def _fits(values: list[float]) -> bool:
    if not _FEWEST < len(values) <= _MOST:
        return False
    frame, track = values[:2]
    return frame >= 0 and frame.is_integer() and track.is_integer() and min(values[4:6]) >= 0
