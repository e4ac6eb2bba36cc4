"""What a detector found, frame by frame: a record that survives a kill, and the table of points from it."""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from pointmask.components import blobs, components
from pointmask.errors import OutputError
from pointmask.folder.records.journal import FrameJournal
from pointmask.folder.records.sorted_lines import Key
from pointmask.io.files import write_lines
from pointmask.io.layout import POINTS, PREDICTIONS, WHOLE, journal_name

PREDICT_TAG = "predict"
"""Of temporary files; see `pointmask.io.files.staged`."""

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
class PredictionSettings:
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


class Predictions:
    """The predictions in an output folder, old and new, while one job runs.

    Close it in any case (`contextlib.closing`). The caller holds the folder; see
    `pointmask.io.lock.only_job`.

    Parameters
    ----------
    out : Path
        Output folder, which exists.
    settings : PredictionSettings
        Of this job.
    overwrite : bool
        Forget what earlier jobs did instead of going on with it.

    Attributes
    ----------
    was_broken_off : bool
        Whether an earlier job left its journal, and perhaps temporary files.

    Raises
    ------
    OutputError
        If the folder holds predictions of other settings, or files of these names that are not pointmask's.
    """

    def __init__(self, out: Path, settings: PredictionSettings, *, overwrite: bool) -> None:
        self._path, self._points = out / PREDICTIONS, out / POINTS
        self._made_with = asdict(settings)
        journal = out / journal_name(WHOLE)
        self.was_broken_off = journal.exists()
        if overwrite:
            journal.unlink(missing_ok=True)
            self._path.unlink(missing_ok=True)
        elif self._points.exists() and not self._path.exists() and not self.was_broken_off:
            raise OutputError(
                f"{self._points} is not of pointmask predict; choose another --out, or add --overwrite"
            )
        self._journal = FrameJournal(journal, [self._path])
        try:
            self._journal.recall(self._key)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close all files; the journal stays where it is, unless nothing was done."""
        self._journal.close()

    def earlier(self) -> Iterator[tuple[Key, str]]:
        """Yield which frames earlier jobs predicted, sorted, with the hash of the image file, as a stream."""
        for key, line in self._journal.earlier():
            yield key, json.loads(line)["content"]

    def add(self, image: str, frame: int, frames: int, content: str, targets: list[Found]) -> None:
        """Write one frame of a file of so many.

        Raises
        ------
        OSError
            As the system reports it, such as a full disk.
        """
        entry = {
            "image": image,
            "frame": frame,
            "frames": frames,
            "content": content,
            "targets": [target._asdict() for target in targets],
            "made_with": self._made_with,
        }
        self._journal.add((image, frame), json.dumps(entry).encode() + b"\n")

    def publish(self) -> int:
        """Write ``points.csv`` and ``predictions.jsonl``, sorted; return how many targets all frames hold."""
        self._journal.check_there()
        targets = 0

        def rows() -> Iterator[bytes]:
            nonlocal targets
            yield _row(_COLUMNS)
            for _, line, _ in self._journal.lines():
                entry = json.loads(line)
                targets += len(entry["targets"])
                yield from _rows(entry)

        write_lines(self._points, rows(), PREDICT_TAG)
        write_lines(self._path, (line for _, line, _ in self._journal.lines()), PREDICT_TAG)
        self._journal.finish()
        return targets

    def _key(self, path: Path, offset: int, line: bytes) -> Key:
        """Return what frame an earlier line is about, or refuse it."""
        try:
            entry = json.loads(line)
        except ValueError:
            entry = None
        if not isinstance(entry, dict) or not entry.keys() >= _FIELDS:
            raise OutputError(
                f"{path} was not written by pointmask predict (byte {offset}: {line[:40]!r}); choose another "
                "--out, or add --overwrite"
            )
        for name, ours in self._made_with.items():
            theirs = entry["made_with"].get(name)
            if theirs != ours:
                raise OutputError(
                    f"{path.parent} holds predictions that were made otherwise ({name} {theirs!r}, now "
                    f"{ours!r}); choose another --out, or add --overwrite to redo them all"
                )
        return entry["image"], entry["frame"]


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
