"""A detector on any source of images: masks, points and scores out; resumable, memory stays flat."""

from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from pointmask.errors import BrokenOffError, ImageError, OutputError, PointmaskError
from pointmask.files import check_apart, result_path, stem_of, write_atomic
from pointmask.id_lists import IdList, choose
from pointmask.image_file import ImageFile
from pointmask.image_source import ImageSource
from pointmask.images import encode_png
from pointmask.summary import Progress
from pointmask_trainer.data import Normalisation
from pointmask_trainer.detectors import Detector
from pointmask_trainer.inference import predict
from pointmask_trainer.predictions import JOURNAL, Found, Journal, Recipe, find_targets

T = TypeVar("T")

_BATCH_PIXELS = 2**22  # of equal frames that a GPU gets at once


@dataclass(slots=True)
class Summary:
    """What a job did.

    Attributes
    ----------
    done, resumed : int
        Frames predicted now, and before.
    targets : int
        Found in all frames of the folder.
    skipped : list of (str, str)
        Image, with ``#k`` for a frame other than the first, and the reason.
    """

    done: int = 0
    resumed: int = 0
    targets: int = 0
    skipped: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class _Frame:
    """A frame on its way: to be predicted, done before, or skipped."""

    image: str
    number: int
    count: int = 1
    content: str = ""
    pixels: NDArray[Any] | None = None
    reason: str = ""

    def path(self, kind: str) -> str:
        return result_path(kind, self.image, self.number, self.count)


def predict_source(
    model: Detector,
    normalisation: Normalisation,
    source: ImageSource,
    out: Path,
    recipe: Recipe,
    *,
    soft: bool = False,
    only: IdList | None = None,
    overwrite: bool = False,
    progress: Callable[[Progress], None] = lambda progress: None,
) -> Summary:
    """Predict all frames of a source.

    Run again after an interruption, it does only what is missing, or has changed since.

    Parameters
    ----------
    model : Detector
    normalisation : Normalisation
        Of the weights.
    source : ImageSource
        See `pointmask.sources.open_source`.
    out : Path
        Gets ``masks/`` (0 and 255), ``points.csv`` (``image,x,y,frame,score,mean,area``),
        ``predictions.jsonl`` and, with `soft`, ``soft/`` (16 bit, 65535 is 1).
    recipe : Recipe
    soft : bool
        Write probabilities as well.
    only : IdList, optional
        Images to predict; all by default.
    overwrite : bool
        Redo all, and replace files that exist.
    progress : callable
        Called after each image file.

    Returns
    -------
    Summary

    Raises
    ------
    ImageError
        If the source cannot be read, or holds no image.
    OutputError
        If the folder is unusable, or holds other predictions.
    BrokenOffError
        If a result cannot be written. What is finished is kept: run again to go on.
    """
    check_apart(source.root, out)
    names, summary = source.names(exclude=out), Summary()
    if not names:
        raise ImageError(
            f"{source.root} holds no image; see what is recognised with: pointmask check {source.root}"
        )
    summary.skipped += source.refused().items()
    if only is not None:
        chosen = choose(only, names, str(source.root))
        summary.skipped += chosen.problems.items()
        names = [name for name in names if name in chosen.names]
    kinds = ("mask", "soft") if soft else ("mask",)
    try:
        out.mkdir(parents=True, exist_ok=True)
        with Journal(out, recipe, overwrite=overwrite) as journal:
            job = _Job(model, normalisation, recipe, out, kinds, journal, summary, overwrite=overwrite)
            frames = _frames(source, names, _Wanted(out, kinds, journal, overwrite=overwrite))
            with closing(_ahead(frames)) as ready:
                job.run(_told(ready, names, summary, progress))
            summary.targets = journal.publish()
    except OSError as error:
        if isinstance(error, PointmaskError):
            raise
        raise BrokenOffError(
            f"the job broke off: {error}. What is finished is kept in {out}; remove the cause, then run the "
            "same command again (without --overwrite) to go on"
        ) from error
    return summary


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Says which frames are done already."""

    out: Path
    kinds: Sequence[str]
    journal: Journal
    overwrite: bool

    def has(self, frame: _Frame) -> bool:
        return (
            not self.overwrite
            and self.journal.content(frame.image, frame.number) == frame.content
            and all((self.out / frame.path(kind)).exists() for kind in self.kinds)
        )


def _frames(source: ImageSource, names: Sequence[str], wanted: _Wanted) -> Iterator[_Frame]:
    """Read frames in order; one without pixels is done, or has a reason why it cannot be."""
    stems = Counter(map(stem_of, names))
    for name in names:
        if stems[stem_of(name)] > 1:
            yield _Frame(name, 0, reason="another image differs in the suffix only; rename one")
            continue
        try:
            file = source.open(name)
        except ImageError as error:
            yield _Frame(name, 0, reason=str(error))
            continue
        with file:
            yield from _frames_of(file, stems, wanted)


def _frames_of(file: ImageFile, stems: Counter[str], wanted: _Wanted) -> Iterator[_Frame]:
    name = file.name
    try:
        count, content = file.frames, file.content
    except ImageError as error:
        yield _Frame(name, 0, reason=str(error))
        return
    for number in range(count):
        frame = _Frame(name, number, count, content)
        if count > 1 and f"{stem_of(name)}_{number:04d}" in stems:
            yield _Frame(name, number, count, reason="it would write the mask of another image; rename one")
        elif wanted.has(frame):
            yield frame
        else:
            try:
                yield _Frame(name, number, count, content, file.decode(number))
            except ImageError as error:
                yield _Frame(name, number, count, reason=str(error))


def _ahead(items: Iterator[T]) -> Generator[T, None, None]:
    """Get the next item in a thread while this one is worked on."""
    with ThreadPoolExecutor(1, thread_name_prefix="pointmask") as pool:
        coming = pool.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = pool.submit(next, items, None)
            yield item


def _told(
    frames: Iterable[_Frame], names: Sequence[str], summary: Summary, progress: Callable[[Progress], None]
) -> Iterator[_Frame]:
    """Tell how far the job is, counted in image files, while frames go by."""
    seen, last = 0, ""
    for frame in frames:
        yield frame
        if frame.image != last:
            seen, last = seen + 1, frame.image
            progress(Progress(seen, len(names), 0, len(summary.skipped)))


class _Job:
    """Predicts frames and writes what is found."""

    def __init__(
        self,
        model: Detector,
        normalisation: Normalisation,
        recipe: Recipe,
        out: Path,
        kinds: Sequence[str],
        journal: Journal,
        summary: Summary,
        *,
        overwrite: bool,
    ) -> None:
        self._model, self._normalisation, self._recipe = model, normalisation, recipe
        self._out, self._kinds, self._journal, self._summary = out, kinds, journal, summary
        self._overwrite = overwrite
        self._device = next(model.parameters()).device

    def run(self, frames: Iterable[_Frame]) -> None:
        """Work through all frames, equal ones that follow each other together."""
        batch: list[_Frame] = []
        for frame in frames:
            if frame.reason:
                self._skip(frame, frame.reason)
            elif frame.pixels is None:
                self._summary.resumed += 1
            else:
                if batch and not self._fits(batch, frame):
                    self._predict(batch)
                    batch = []
                batch.append(frame)
        self._predict(batch)

    def _fits(self, batch: list[_Frame], frame: _Frame) -> bool:
        """Whether a frame can go with a batch. On a CPU none can: it gains nothing by it."""
        first, pixels = batch[0].pixels, frame.pixels
        assert first is not None
        assert pixels is not None
        together = first.size * (len(batch) + 1) <= _BATCH_PIXELS
        return self._device.type != "cpu" and first.shape == pixels.shape and together

    def _predict(self, batch: list[_Frame]) -> None:
        if not batch:
            return
        stack = np.stack([np.asarray(frame.pixels, np.float32) for frame in batch])
        # What is no number becomes average background.
        mean = self._normalisation.mean
        values = torch.nan_to_num(torch.from_numpy(stack[:, None]), nan=mean, posinf=mean, neginf=mean)
        recipe = self._recipe
        maps = predict(
            self._model,
            values.to(self._device),
            self._normalisation,
            tile=recipe.tile,
            overlap=recipe.overlap,
        )
        for frame, probabilities in zip(batch, maps.cpu().numpy(), strict=True):
            self._write(frame, probabilities)

    def _write(self, frame: _Frame, probabilities: NDArray[np.float32]) -> None:
        mask = probabilities > self._recipe.threshold
        targets: list[Found] = find_targets(probabilities, mask)
        files = {frame.path("mask"): encode_png(mask)}
        if "soft" in self._kinds:
            files[frame.path("soft")] = encode_png(np.rint(65535 * probabilities).astype(np.uint16))
        try:
            self._check_ours(frame, files)
        except OutputError as error:
            self._skip(frame, str(error))
            return
        for path, data in files.items():
            write_atomic(self._out / path, data, "predict", below=self._out)
        self._journal.add(frame.image, frame.number, frame.count, frame.content, targets)
        self._summary.done += 1

    def _check_ours(self, frame: _Frame, files: dict[str, bytes]) -> None:
        """Refuse to write over a file that no prediction wrote."""
        if self._overwrite or self._journal.content(frame.image, frame.number) is not None:
            return
        for path, data in files.items():
            # A job killed between writing a file and its journal line left the very same bytes.
            existing = self._out / path
            if existing.exists() and existing.read_bytes() != data:
                raise OutputError(
                    f"{path} exists and is not in {JOURNAL}; move it away, or replace it with --overwrite"
                )

    def _skip(self, frame: _Frame, reason: str) -> None:
        name = f"{frame.image}#{frame.number}" if frame.number else frame.image
        self._summary.skipped.append((name, reason))
