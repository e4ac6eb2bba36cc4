"""What a detector found, frame by frame: a journal that survives a kill, and the table of points from it."""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from pointmask.components import blobs, components
from pointmask.errors import OutputError
from pointmask.folder.records.sorted_lines import Run, RunFinder, merged
from pointmask.io.files import write_lines

JOURNAL = "predictions.jsonl"
POINTS = "points.csv"

_COLUMNS = ("image", "x", "y", "frame", "score", "mean", "area")
_FIELDS = {"image", "frame", "frames", "content", "made_with", "targets"}


class Found(NamedTuple):
    """One target that a detector found: an 8-connected component above the threshold.

    Attributes
    ----------
    x, y : float
        Centroid in pixels, column and row; 0 is the centre of the first pixel.
    score, mean : float
        Largest and mean probability of its pixels.
    area : int
        Pixels.
    """

    x: float
    y: float
    score: float
    mean: float
    area: int


def find_targets(probabilities: NDArray[np.float32], mask: NDArray[np.bool_]) -> list[Found]:
    """Measure the components of a mask.

    Parameters
    ----------
    probabilities : (H, W) float32 array in [0, 1]
    mask : (H, W) bool array

    Returns
    -------
    list of Found
        In raster order.
    """
    labels, count = components(mask)
    centres, areas = blobs(mask)
    numbers = np.arange(1, count + 1)
    peaks = ndi.maximum(probabilities, labels, numbers)
    means = ndi.mean(probabilities, labels, numbers)
    rows = zip(centres.tolist(), peaks, means, areas.tolist(), strict=True)
    return [
        Found(round(col, 2), round(row, 2), round(float(peak), 4), round(float(mean), 4), area)
        for (row, col), peak, mean, area in rows
    ]


@dataclass(frozen=True, slots=True)
class Recipe:
    """What, besides an image, decides its prediction.

    Attributes
    ----------
    weights : str
        Hash of the weights file.
    threshold : float
        Above it a pixel is target.
    tile, overlap : int
        See `pointmask_trainer.inference.tiles.predict`.
    reading : str
        How files are read that do not say it themselves.
    """

    weights: str
    threshold: float
    tile: int
    overlap: int
    reading: str


class Journal:
    """The predictions in an output folder, one line per frame; use it in a ``with`` statement.

    Lines are appended while a job runs, and sorted when it is done.

    Parameters
    ----------
    out : Path
        Output folder, which exists.
    recipe : Recipe
        Of this job.
    overwrite : bool
        Forget what was made otherwise instead of refusing, and redo the rest too.

    Raises
    ------
    OutputError
        If the folder holds predictions of another recipe, or files of these names that are not pointmask's.
    """

    def __init__(self, out: Path, recipe: Recipe, *, overwrite: bool) -> None:
        self._path, self._points = out / JOURNAL, out / POINTS
        self._made_with = asdict(recipe)
        if not overwrite and self._points.exists() and not self._path.exists():
            raise OutputError(
                f"{self._points} is not of pointmask predict; choose another --out, or add --overwrite"
            )
        self._file: BinaryIO = self._path.open("w+b" if overwrite else "a+b")
        self._runs = RunFinder(self._file)
        self._done: dict[tuple[str, int], str] = {}
        try:
            self._end = self._recall()
        except BaseException:
            self._file.close()
            raise
        self._file.truncate(self._end)  # half a line of a job that was killed

    def __enter__(self) -> "Journal":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def content(self, image: str, frame: int) -> str | None:
        """Return the hash of the image file that a frame was predicted from; None if it was not."""
        return self._done.get((image, frame))

    def add(self, image: str, frame: int, frames: int, content: str, targets: list[Found]) -> None:
        """Write one frame of a file of so many."""
        entry = {
            "image": image,
            "frame": frame,
            "frames": frames,
            "content": content,
            "targets": [target._asdict() for target in targets],
            "made_with": self._made_with,
        }
        line = json.dumps(entry).encode() + b"\n"
        self._file.seek(0, io.SEEK_END)
        self._file.write(line)
        self._file.flush()
        self._note(entry, line)

    def publish(self) -> int:
        """Sort the journal and write ``points.csv`` from it; return how many targets all frames hold."""
        runs: list[Run] = self._runs.runs
        targets = 0

        def rows() -> Iterator[bytes]:
            nonlocal targets
            yield _row(_COLUMNS)
            for _, line, _ in merged(runs):
                entry = json.loads(line)
                targets += len(entry["targets"])
                yield from _rows(entry)

        write_lines(self._points, rows(), "points")
        write_lines(self._path, (line for _, line, _ in merged(runs)), "predictions")
        return targets

    def _recall(self) -> int:
        """Read what earlier jobs did; return where the next line begins."""
        self._end = 0
        self._file.seek(0)
        for line in self._file:
            if not line.endswith(b"\n"):
                break
            self._note(self._parsed(line), line)
        return self._end

    def _parsed(self, line: bytes) -> dict[str, Any]:
        try:
            entry = json.loads(line)
        except ValueError:
            entry = None
        if not isinstance(entry, dict) or not entry.keys() >= _FIELDS:
            raise OutputError(
                f"{self._path} was not written by pointmask (byte {self._end}: {line[:40]!r}); "
                "choose another --out, or add --overwrite"
            )
        for name, ours in self._made_with.items():
            theirs = entry["made_with"].get(name)
            if theirs != ours:
                raise OutputError(
                    f"{self._path.parent} holds predictions that were made otherwise ({name} {theirs!r}, now "
                    f"{ours!r}); choose another --out, or add --overwrite to redo them all"
                )
        return entry

    def _note(self, entry: Mapping[str, Any], line: bytes) -> None:
        key = (entry["image"], entry["frame"])
        self._runs.add(key, self._end, len(line))
        self._end += len(line)
        self._done[key] = entry["content"]


def _rows(entry: Mapping[str, Any]) -> Iterator[bytes]:
    """Rows of one frame; one without targets is named with x and y left empty.

    Only files of several frames have their frames numbered.
    """
    head, frame = entry["image"], entry["frame"] if entry["frames"] > 1 else ""
    for target in entry["targets"]:
        found = Found(**target)
        yield _row((head, found.x, found.y, frame, found.score, found.mean, found.area))
    if not entry["targets"]:
        yield _row((head, "", "", frame, "", "", ""))


def _row(cells: tuple[object, ...]) -> bytes:
    text = io.StringIO()
    # Quotes keep a name that begins like a comment from being one.
    is_odd = str(cells[0]).startswith("#")
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL if is_odd else csv.QUOTE_MINIMAL)
    writer.writerow(cells)
    return text.getvalue().encode("utf-8", "surrogateescape")
