"""Records of detected targets: a journal per frame that survives a kill, and the table of points."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from pointmask.components import blobs, components
from pointmask.defects import DeadPixels
from pointmask.errors import OutputError
from pointmask.folder.records.claims import Claims, remove_results, replace
from pointmask.folder.records.journal import FrameJournal, check_head
from pointmask.folder.records.sealed import FILES, sealed_fields, unsealed
from pointmask.folder.records.sorted_lines import Key
from pointmask.io.files import flush, write_lines
from pointmask.io.layout import (
    POINTS,
    PREDICTIONS,
    REPLACED,
    RESULTS,
    WHOLE,
    is_inside,
    journal_name,
    result_path,
)
from pointmask.io.listed import OwnFiles
from pointmask.io.own import check_plain
from pointmask.settings import parse_json

PREDICT_TAG = "predict"
"""Tag in the names of temporary files; see `pointmask.io.files.staged`."""

_COLUMNS = ("image", "x", "y", "frame", "score", "mean", "area")
_FIELDS = {"image": str, "frame": int, "frames": int, "content": str, "made_with": dict, "targets": list}
# Of jobs begun before there was a choice.
_BEFORE = {"masks": "network", "theta": "", "polarity": "", "flips": False}


class DetectedTarget(NamedTuple):
    """One detected target: an 8-connected component above the threshold.

    Attributes
    ----------
    x, y : float
        Centroid in pixels, column and row; 0 is the centre of the first pixel.
    score, mean : float
        Largest and mean probability of its pixels.
    area : int
        Number of pixels.
    """

    x: float
    y: float
    score: float
    mean: float
    area: int


def find_targets(probabilities: NDArray[np.float32], mask: NDArray[np.bool_]) -> list[DetectedTarget]:
    """Measure the components of a mask.

    Parameters
    ----------
    probabilities : (H, W) float32 array in [0, 1]
    mask : (H, W) bool array

    Returns
    -------
    list of DetectedTarget
        In raster order.
    """
    labels, count = components(mask)
    centres, areas = blobs(mask)
    numbers = np.arange(1, count + 1)
    peaks = ndi.maximum(probabilities, labels, numbers)
    means = ndi.mean(probabilities, labels, numbers)
    rows = zip(centres.tolist(), peaks, means, areas.tolist(), strict=True)
    return [
        DetectedTarget(round(col, 2), round(row, 2), round(float(peak), 4), round(float(mean), 4), area)
        for (row, col), peak, mean, area in rows
    ]


@dataclass(frozen=True, slots=True)
class PredictionSettings:
    """Everything that determines a prediction apart from the image.

    Attributes
    ----------
    weights : str
        Hash of the weights file.
    threshold : float
        Pixels of a higher probability belong to a target.
    tile, overlap : int
        See `pointmask_trainer.inference.tiles.predict`.
    reading : str
        How files that do not describe their own format are read.
    masks : str
        Who draws the masks; see `pointmask_trainer.run.mask_settings.MaskSettings`.
    theta : str
        Digest of the annotator's parameters; empty if the network draws.
    polarity : str
        Of the targets; empty if the network draws.
    dead_pixels : {"replace", "keep"}
        See `pointmask_trainer.config.ModelConfig`.
    flips : bool
        Whether the network's answer is the mean over mirror images.
    """

    weights: str
    threshold: float
    tile: int
    overlap: int
    reading: str
    masks: str = "network"
    theta: str = ""
    polarity: str = ""
    dead_pixels: DeadPixels = "replace"
    flips: bool = False


class EarlierFrame(NamedTuple):
    """What is known of a frame that an earlier job predicted; its result files are pointmask's.

    Attributes
    ----------
    content : str
        Hash of the image file at that time; empty if this job replaces the prediction.
    seals : Mapping of str to str
        Hashes of the result files by path, if a journal says it.
    """

    content: str
    seals: Mapping[str, str]


class Predictions:
    """The predictions in an output folder, earlier and new, during one job.

    It must always be closed (`contextlib.closing`). The caller must hold the folder's lock; see
    `pointmask.io.lock.only_job`.

    Parameters
    ----------
    out : Path
        Existing output folder.
    settings : PredictionSettings
        Settings of this job.
    overwrite : bool
        Discard the results of earlier jobs instead of continuing from them.

    Attributes
    ----------
    was_broken_off : bool
        Whether an earlier job was interrupted: its journal, and perhaps temporary files, remain.

    Raises
    ------
    OutputError
        If the folder contains predictions with other settings, or files of these names that were not
        written by pointmask.
    """

    def __init__(self, out: Path, settings: PredictionSettings, *, overwrite: bool) -> None:
        self._out, self._path, self._points = out, out / PREDICTIONS, out / POINTS
        self._made_with = asdict(settings)
        journal = out / journal_name(WHOLE)
        self.was_broken_off = journal.exists()
        check_plain(self._points)
        check_head(self._path)
        if self._points.exists() and not _is_table(self._points):
            raise OutputError(f"{self._points} is not of pointmask predict; choose another --out")
        if overwrite:
            replace(out, [self._path, journal])
        self._journal = FrameJournal(journal, [self._path], out / REPLACED)
        self._claims = Claims(out)
        try:
            self._journal.recall(self._key)
            self._claims.keep()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close all files; the journal is left in place unless it is empty."""
        self._journal.close()

    def earlier(self) -> Iterator[tuple[Key, "EarlierFrame"]]:
        """Yield the frames that earlier jobs predicted, sorted."""
        for key, line, is_replaced in self._journal.earlier():
            entry = json.loads(line)
            yield key, EarlierFrame("" if is_replaced else entry["content"], entry.get(FILES, {}))

    def claim(self, files: Iterable[str]) -> None:
        """Note that result files are about to be written."""
        OwnFiles(self._out).claim(files)

    def is_claimed(self, file: str) -> bool:
        """Whether a killed job wrote a result file, or was about to."""
        return file in self._claims.names()

    def add(
        self,
        image: str,
        frame: int,
        frames: int,
        content: str,
        targets: list[DetectedTarget],
        files: Mapping[str, bytes],
    ) -> None:
        """Record the targets of frame `frame` of an image file with `frames` frames, and its result files.

        Raises
        ------
        OSError
            If the system cannot write, for example because the disk is full.
        """
        entry = {
            "image": image,
            "frame": frame,
            "frames": frames,
            "content": content,
            "targets": [target._asdict() for target in targets],
            "made_with": self._made_with,
            **sealed_fields(files),
        }
        self._claims.settle_files(files)
        self._journal.add((image, frame), json.dumps(entry).encode() + b"\n")

    def publish(self) -> int:
        """Write ``points.csv`` and ``predictions.jsonl``, sorted; return the total number of targets."""
        self._journal.check_there()
        flush(self._out)  # all results, before the table says without a hash that they are done
        targets = 0

        def rows() -> Iterator[bytes]:
            nonlocal targets
            yield _row(_COLUMNS)
            for line in self._lines():
                entry = json.loads(line)
                targets += len(entry["targets"])
                yield from _rows(entry)

        write_lines(self._points, rows(), PREDICT_TAG)
        write_lines(self._path, self._lines(), PREDICT_TAG)
        self._remove_stale()
        self._claims.close()
        self._journal.finish()
        (self._out / REPLACED).unlink(missing_ok=True)
        return targets

    def _lines(self) -> Iterator[bytes]:
        """Yield the lines that are valid, without hashes."""
        return (unsealed(line) for _, line, origin in self._journal.lines() if origin != "replaced")

    def _remove_stale(self) -> None:
        """Remove the results of replaced predictions that this job did not make again."""
        for (image, frame), line, origin in self._journal.lines():
            if origin == "replaced":
                remove_results(self._out, result_path("mask", image, frame, json.loads(line)["frames"]))

    def _key(self, path: Path, offset: int, line: bytes) -> Key | None:
        """Return the frame of a line written earlier, or raise an error if the line is not usable.

        One that is to be replaced need not be: it proves nothing then.
        """
        entry = _parse(line)
        if entry is None and path.name == REPLACED:
            return None
        if entry is None:
            raise OutputError(
                f"{path} was not written by pointmask predict (byte {offset}: {line[:40]!r}); choose another "
                "--out"
            )
        self._claims.settle_files(
            result_path(kind, entry["image"], entry["frame"], entry["frames"]) for kind in RESULTS
        )
        for name, current in self._made_with.items() if path.name != REPLACED else ():
            earlier = entry["made_with"].get(name, _BEFORE.get(name))
            if earlier != current:
                raise OutputError(
                    f"{path.parent} holds predictions that were made with other settings ({name} "
                    f"{earlier!r}, now {current!r}); choose another --out, or add --overwrite to redo all"
                )
        return entry["image"], entry["frame"]


def _parse(line: bytes) -> dict[str, Any] | None:
    """Return the entry of a line, or None if it is not pointmask's, or names files elsewhere."""
    try:
        entry = parse_json(line)
    except ValueError:
        return None
    if not isinstance(entry, dict) or not all(
        isinstance(entry.get(name), kind) for name, kind in _FIELDS.items()
    ):
        return None
    is_ours = is_inside(entry["image"]) and entry["frame"] >= 0 and isinstance(entry.get(FILES, {}), dict)
    return entry if is_ours and all(map(_is_target, entry["targets"])) else None


def _is_target(fields: object) -> bool:
    return (
        isinstance(fields, dict)
        and fields.keys() == set(DetectedTarget._fields)
        and all(isinstance(value, int | float) for value in fields.values())
    )


def _is_table(path: Path) -> bool:
    """Say whether a file begins as ``points.csv`` does; what a power failure left of it is ours too."""
    with path.open("rb") as file:
        return file.read(len(_row(_COLUMNS))) == _row(_COLUMNS) or not path.stat().st_size


def _rows(entry: Mapping[str, Any]) -> Iterator[bytes]:
    """Yield the rows of one frame; a frame without targets has one row, with x and y empty.

    The column ``frame`` is filled only for files with several frames.
    """
    head, frame = entry["image"], entry["frame"] if entry["frames"] > 1 else ""
    for fields in entry["targets"]:
        target = DetectedTarget(**fields)
        yield _row((head, target.x, target.y, frame, target.score, target.mean, target.area))
    if not entry["targets"]:
        yield _row((head, "", "", frame, "", "", ""))


def _row(cells: tuple[object, ...]) -> bytes:
    text = io.StringIO()
    # Quoted, a name that begins with the comment character is not read as a comment.
    must_quote = str(cells[0]).startswith("#")
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL if must_quote else csv.QUOTE_MINIMAL)
    writer.writerow(cells)
    return text.getvalue().encode("utf-8", "surrogateescape")
