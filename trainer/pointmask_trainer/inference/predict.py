"""Prediction of all images of a source: masks, points and scores out; resumable, in constant memory."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from pointmask.defects import fill_gaps
from pointmask.errors import ImageError, OutputError
from pointmask.executors import Progress
from pointmask.folder.output import stops_cleanly
from pointmask.folder.records.claims import check_results, remove_results, result_files
from pointmask.folder.records.sealed import is_intact
from pointmask.io.files import clean_temporaries, write_whole
from pointmask.io.images.array import encode_png
from pointmask.io.images.source import ImageSource
from pointmask.io.layout import POINTS, PREDICTIONS, RESULTS
from pointmask.io.lock import only_job
from pointmask.io.own import check_output
from pointmask.io.points.lists import IdList, choose
from pointmask_trainer.data.cleaning.frames import Margins
from pointmask_trainer.data.normalisation import Normalisation
from pointmask_trainer.detectors.base import ImageNetwork
from pointmask_trainer.inference.frames import Frame, ahead, read_frames
from pointmask_trainer.inference.operator_masks import OperatorMasks
from pointmask_trainer.inference.predictions import (
    PREDICT_TAG,
    Predictions,
    PredictionSettings,
)
from pointmask_trainer.inference.tasks.base import Drawn, Reading, Task
from pointmask_trainer.inference.tasks.choice import task_of

_BATCH_PIXELS = {"cpu": 0, "cuda": 2**22}
"""Pixels per forward pass over frames of equal shape. Batching brings no gain on a CPU."""

FEWEST_FRAMES = 10
"""Number of frames of which at least one is expected to contain a target."""


@dataclass(slots=True)
class PredictSummary:
    """Outcome of a prediction job.

    Attributes
    ----------
    done, resumed : int
        Frames predicted by this job, and by earlier ones.
    targets : int
        Targets detected in all frames of the output folder.
    skipped : list of (str, str)
        Image, with ``#k`` for a frame other than the first, and the reason.
    flooded : int
        Of the frames predicted now, those half or more of whose pixels are target.
    """

    done: int = 0
    resumed: int = 0
    targets: int = 0
    skipped: list[tuple[str, str]] = field(default_factory=list)
    flooded: int = 0

    @property
    def why_senseless(self) -> str:
        """What the results say of the detector as a whole; empty if they may be right."""
        frames = self.done + self.resumed
        if frames >= FEWEST_FRAMES and not self.targets:
            return f"no target was found in any of {frames:,} images"
        if self.done and self.flooded > 0.5 * self.done:
            return f"in {self.flooded:,} of {self.done:,} images half of the pixels or more are target"
        return ""


def predict_source(
    model: ImageNetwork,
    normalisation: Normalisation,
    source: ImageSource,
    out: Path,
    settings: PredictionSettings,
    *,
    operator: OperatorMasks | None = None,
    soft: bool = False,
    only: IdList | None = None,
    overwrite: bool = False,
    reads: Iterable[Path] = (),
    progress: Callable[[Progress], None] = lambda progress: None,
) -> PredictSummary:
    """Predict all frames of a source.

    When it is run again after an interruption, only frames that are missing or have changed are predicted.

    Parameters
    ----------
    model : ImageNetwork
    normalisation : Normalisation
        The one stored with the weights.
    source : ImageSource
        See `pointmask.io.images.open.open_source`.
    out : Path
        Output folder: ``masks/`` (0 and 255), ``points.csv`` (``image,x,y,frame,score,mean,area``),
        ``predictions.jsonl`` and, with `soft`, ``soft/`` (16 bit, 65535 is 1).
    settings : PredictionSettings
    operator : OperatorMasks, optional
        Draws the masks, and says how probable each target is; as `settings` describe it. By default the
        network does, which one that finds points cannot.
    soft : bool
        Also write the network's probabilities.
    only : IdList, optional
        Images to predict; all by default.
    overwrite : bool
        Predict all frames anew, and replace the results of earlier predictions.
    reads : iterable of Path
        What else is read, such as the weights, and must not be replaced.
    progress : callable
        Called after each image file.

    Returns
    -------
    PredictSummary

    Raises
    ------
    ImageError
        If the source cannot be read or contains no image.
    OutputError
        If the folder is unusable, in use by another job, or contains predictions with other settings.
    BrokenOffError
        If a result cannot be written. Finished results are kept; run again to continue.
    """
    check_output(out, [*RESULTS.values(), PREDICTIONS, POINTS], [source.root, *reads])
    task = task_of(model, operator)
    names, summary = source.names(exclude=out), PredictSummary()
    if not names:
        raise ImageError(source.why_no_image())
    summary.skipped += source.refused().items()
    if only is not None:
        chosen = choose(only, names, str(source.root))
        summary.skipped += chosen.problems.items()
        names = [name for name in names if name in chosen.names]
    kinds = ("mask", "soft") if soft else ("mask",)
    with (
        only_job(out),
        stops_cleanly(out),
        closing(Predictions(out, settings, overwrite=overwrite)) as predictions,
    ):
        clean_temporaries(out, PREDICT_TAG, RESULTS.values() if predictions.was_broken_off else ())
        job = _Job(model, normalisation, settings, task, out, kinds, predictions, summary)
        frames = read_frames(
            source, names, predictions.earlier(), job.is_complete, dead_pixels=settings.dead_pixels
        )
        with closing(ahead(frames)) as prefetched:
            job.run(_with_progress(prefetched, names, summary, progress))
        summary.targets = predictions.publish()
    return summary


def _with_progress(
    frames: Iterable[Frame],
    names: Sequence[str],
    summary: PredictSummary,
    progress: Callable[[Progress], None],
) -> Iterator[Frame]:
    """Pass frames through, and report progress once per image file."""
    finished, last = 0, ""
    for frame in frames:
        yield frame
        if frame.image != last:
            finished, last = finished + 1, frame.image
            progress(Progress(finished, len(names), 0, len(summary.skipped)))


class _Job:
    """Predict frames and write the results."""

    def __init__(
        self,
        model: ImageNetwork,
        normalisation: Normalisation,
        settings: PredictionSettings,
        task: Task,
        out: Path,
        kinds: Sequence[str],
        predictions: Predictions,
        summary: PredictSummary,
    ) -> None:
        self._model, self._normalisation, self._settings = model, normalisation, settings
        self._task = task
        self._out, self._kinds, self._predictions, self._summary = out, kinds, predictions, summary
        self._device = next(model.parameters()).device

    def is_complete(self, frame: Frame) -> bool:
        """Whether all results of a frame are whole and were computed from the file's present content."""
        earlier = frame.earlier
        return (
            earlier is not None
            and earlier.content == frame.content
            and all(
                is_intact(self._out / path, earlier.seals.get(path)) for path in map(frame.path, self._kinds)
            )
        )

    def run(self, frames: Iterable[Frame]) -> None:
        """Process all frames, batching consecutive frames of equal shape."""
        batch: list[Frame] = []
        shape: tuple[int, ...] = ()  # of the frames in the batch
        for frame in frames:
            if frame.reason:
                self._skip(frame, frame.reason)
            elif frame.pixels is None:
                self._summary.resumed += 1
            else:
                if frame.pixels.shape != shape:
                    self._predict(batch)
                    batch, shape = [], frame.pixels.shape
                batch.append(frame)
                if (len(batch) + 1) * frame.pixels.size > _BATCH_PIXELS.get(self._device.type, 0):
                    self._predict(batch)
                    batch = []
        self._predict(batch)

    def _predict(self, batch: list[Frame]) -> None:
        if not batch:
            return
        stack = np.stack([_fill_nan(np.asarray(frame.pixels), self._normalisation.mean) for frame in batch])
        values = torch.from_numpy(stack[:, None])
        settings = self._settings
        readings = self._task.read(
            self._model,
            values.to(self._device),
            self._normalisation,
            tile=settings.tile,
            overlap=settings.overlap,
        )
        for frame, reading in zip(batch, readings, strict=True):
            self._write(frame, reading)

    def _write(self, frame: Frame, reading: Reading) -> None:
        drawn = _within(self._task.draw(np.asarray(frame.pixels), reading), frame.margins)
        mask = drawn.probabilities > self._settings.threshold
        targets = self._task.targets(drawn, self._settings.threshold)
        files = {frame.path("mask"): encode_png(mask)}
        if "soft" in self._kinds:
            files[frame.path("soft")] = encode_png(
                np.pad(np.rint(65535 * reading.probabilities).astype(np.uint16), frame.margins)
            )
        try:
            self._check_ours(frame, files)
        except OutputError as error:
            self._skip(frame, str(error))
            return
        if frame.earlier is None:
            self._predictions.claim(files)
        for path, data in files.items():
            write_whole(self._out / path, data, PREDICT_TAG, durable=False, below=self._out)
        if frame.earlier is not None and frame.earlier.content != frame.content:
            remove_results(self._out, frame.path("mask"), keep=files)  # the rest belongs to another mask
        self._predictions.add(frame.image, frame.number, frame.count, frame.content, targets, files)
        self._summary.done += 1
        self._summary.flooded += bool(mask.mean() >= 0.5)

    def _check_ours(self, frame: Frame, files: dict[str, bytes]) -> None:
        """Raise an error instead of overwriting a file that no prediction wrote."""
        known = () if frame.earlier is None else result_files(self._out, frame.path("mask"))
        ours = {path for path in files if path in known or self._predictions.is_claimed(path)}
        check_results(self._out, files, ours)

    def _skip(self, frame: Frame, reason: str) -> None:
        name = f"{frame.image}#{frame.number}" if frame.number else frame.image
        self._summary.skipped.append((name, reason))


def _within(drawn: Drawn, margins: Margins) -> Drawn:
    """Return what was drawn in a frame without its margins, where there is no target, with them."""
    (above, _), (before, _) = margins
    targets = tuple(target._replace(x=target.x + before, y=target.y + above) for target in drawn.targets)
    return Drawn(np.pad(drawn.probabilities, margins), targets)


def _fill_nan(pixels: NDArray[np.generic], default: float) -> NDArray[np.float32]:
    """
    Replace non-finite pixels: lone ones from their neighbours, others by the mean of the finite ones.

    Where there is no finite pixel, by `default`.
    """
    values = fill_gaps(np.array(pixels, np.float32))
    finite = np.isfinite(values)
    if not finite.all():
        values[~finite] = values[finite].mean(dtype=np.float64) if finite.any() else default
    return values
