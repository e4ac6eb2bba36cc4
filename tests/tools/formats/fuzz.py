"""Readers against damaged files: each must end in a `PointmaskError` or a sound result, soon and small.

`run` damages the samples of `samples` as `mutators` does, and reads each mutant in a process
with a limit on its memory and on the processor time of each file; a process that dies is noted and replaced.
The same seed gives the same mutants.
"""

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any, TextIO

from pointmask.errors import ImageError, PointmaskError, PointsError
from pointmask.io.formats import read_points, recognise
from pointmask.io.formats.labelled import LabelledImage
from pointmask.io.formats.registry import FORMATS
from pointmask.io.images.array import frame_count, read, read_mask
from pointmask.io.points.names import clean_key
from pointmask.io.points.points import Points
from tools.formats import mutators
from tools.formats.samples import Sample, envi_samples, image_samples, samples

MEMORY = 1 << 30
"""Bytes of address space of the process that reads."""
SECONDS = 2.0
"""Processor time for one mutant."""
_RECOGNISED = 5
"""Every so many mutants all formats are asked whether it is theirs; that takes longer than reading it."""
_LONGEST_MESSAGE = 1500
_LARGEST_PIXEL = 1 << 32
_REFUSED, _READ, _FAILED = b"r", b"o", b"f"

IMAGES = ("png", "bmp", "jpeg", "tiff", "npy", "pgm", "webp", "jp2", "fits", "envi", "mat", "mkv")
SUBJECTS = (*FORMATS, *(f"image {kind}" for kind in IMAGES))
"""Everything that reads files of strangers."""

_MUTATORS = {
    ".json": mutators.by_json, ".jsonl": mutators.by_json, ".xml": mutators.by_xml, ".csv": mutators.by_cells,
    ".txt": mutators.by_cells, ".png": mutators.by_png, ".tiff": mutators.by_tiff, ".npy": mutators.by_npy,
    ".toml": mutators.by_cells,
}  # fmt: skip


@dataclass
class Report:
    """What became of the mutants of one subject.

    Attributes
    ----------
    refused, read : int
        Ended in an error on purpose; gave a result.
    failures : list
        ``(index, what happened)`` of all others.
    slowest : float
        Most processor time for one mutant, in seconds.
    peak : int
        Largest resident memory of the process in bytes, Python and libraries included.
    """

    refused: int = 0
    read: int = 0
    failures: list[tuple[int, str]] = field(default_factory=list)
    slowest: float = 0.0
    peak: int = 0


class Hang(BaseException):
    """A mutant took too long; not an Exception, so that no reader takes it for damage."""


def run(subjects: Sequence[str], mutants: int, seed: int = 0) -> dict[str, Report]:
    """Read ``mutants`` damaged files of each subject and say what became of them."""
    command = [sys.executable, "-m", "tools.formats.fuzz", str(mutants), str(seed), *subjects]
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # each reserves memory
    paths = (str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH"))
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, env=environment)
    return {subject: Report(**fields) for subject, fields in json.loads(done.stdout).items()}


def main() -> None:
    """Read ``mutants seed subject...`` and print the reports; `run` calls this in a process of its own."""
    mutants, seed, *subjects = sys.argv[1:]
    for name in FORMATS:
        FORMATS.load(name)  # here rather than in every process
    reports = {}
    with tempfile.TemporaryDirectory() as folder:
        everything = _samples(Path(folder, "written"))
        for subject in subjects:
            found = everything[subject]
            reports[subject] = report = Report()
            start = 0
            while start < int(mutants):
                start = _fork(subject, found, range(start, int(mutants)), int(seed), Path(folder), report)
    print(json.dumps({subject: asdict(report) for subject, report in reports.items()}))


def _fork(subject: str, found: list[Sample], indices: range, seed: int, folder: Path, report: Report) -> int:
    """Read in a new process until it is done or dies; returns the next index to read."""
    outcomes, notes = folder / "outcomes", folder / "notes"
    child = os.fork()
    if child == 0:
        try:
            with outcomes.open("wb", 0) as letters, notes.open("w") as lines:
                _read_all(subject, found, indices, seed, folder / subject, letters, lines)
            os._exit(0)
        except BaseException:  # the harness itself is wrong
            traceback.print_exc()
            os._exit(1)
    _, status = os.waitpid(child, 0)
    done = outcomes.read_bytes()
    report.refused += done.count(_REFUSED)
    report.read += done.count(_READ)
    for note in map(json.loads, notes.read_text().splitlines()):
        report.failures += note.get("failures", [])
        report.slowest = max(report.slowest, note.get("slowest", 0.0))
        report.peak = max(report.peak, note.get("peak", 0))
    if status:
        reached = indices.start + len(done)
        report.failures.append((reached, f"the process ended with {os.waitstatus_to_exitcode(status)}"))
        return reached + 1
    return indices.stop


def _read_all(
    subject: str, found: list[Sample], indices: range, seed: int, folder: Path, letters: Any, lines: TextIO
) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGPROF, _raise_hang)
    for number, sample in enumerate(found):
        sample.write(folder / str(number))
    slowest = 0.0
    for index in indices:
        number, name, data = mutant(subject, found, index, seed)
        (folder / str(number) / name).write_bytes(data)
        started = time.process_time()
        asked = index % _RECOGNISED == 0
        outcome, failure = _one(subject, found[number], folder / str(number), recognised=asked)
        slowest = max(slowest, time.process_time() - started)
        (folder / str(number) / name).write_bytes(found[number].files[name])
        if failure is not None:
            lines.write(json.dumps({"failures": [(index, failure)]}) + "\n")
            lines.flush()
        letters.write(outcome)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    lines.write(json.dumps({"slowest": slowest, "peak": peak}) + "\n")


def mutant(subject: str, found: list[Sample], index: int, seed: int) -> tuple[int, str, bytes]:
    """Return which sample, which of its files, and what that file holds instead."""
    rng = Random(f"{subject} {seed} {index}")
    number = rng.randrange(len(found))
    name = rng.choice(sorted(found[number].files))
    structured = (
        mutators.by_pickle if subject == "mclc" else _MUTATORS.get(Path(name).suffix, mutators.by_bytes)
    )
    return number, name, mutators.damaged(found[number].files[name], rng, structured)


def _samples(folder: Path) -> dict[str, list[Sample]]:
    images = {
        f"image {kind}": [Sample({f"a.{kind}": data}, f"a.{kind}") for data in files]
        for kind, files in image_samples().items()
    }
    return samples(folder) | images | {"image envi": envi_samples()}


def _one(subject: str, sample: Sample, folder: Path, *, recognised: bool) -> tuple[bytes, str | None]:
    """Return what became of a mutant, and how it failed if it did."""
    path = folder / sample.opened if sample.opened else folder
    # The first is caught and told; the second ends a process that is stuck outside of Python.
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    signal.setitimer(signal.ITIMER_VIRTUAL, 2 * SECONDS)
    try:
        if subject.startswith("image "):
            _read_image(path)
        else:
            if recognised:
                with contextlib.suppress(PointsError):
                    assert recognise(path) in FORMATS
            _read_annotations(subject, path, sample)
    except PointmaskError as error:
        message = str(error)
        if str(path) in message and len(message) <= _LONGEST_MESSAGE:
            return _REFUSED, None
        return _FAILED, f"a message of {len(message)} letters: {message[:300]}"
    except BaseException as error:
        return _FAILED, f"{type(error).__name__}: {str(error)[:300]} in {_place(error)}"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return _READ, None


def _read_annotations(subject: str, path: Path, sample: Sample) -> None:
    form = FORMATS.load(subject)
    # A reader may refuse the whole after some images; what it gave until then must be sound all the same.
    refusal = None
    if "read masks" in form.abilities:
        rejected: dict[str, str] = {}
        try:
            for image in form.read_masks(path, rejected):
                _check_image(image)
        except PointsError as error:
            refusal = error
        _check_reasons(rejected)
    _check_points(read_points(path, format=subject, **sample.options))
    if refusal is not None:
        raise refusal


def _read_image(path: Path) -> None:
    frames = frame_count(path)
    assert frames >= 1
    with contextlib.suppress(ImageError):
        assert read_mask(path).dtype == bool
    image = read(path, frame=min(frames - 1, 3))
    assert image.ndim == 2
    assert image.size
    assert image.dtype.isnative
    assert image.dtype.kind in "iuf"


def _check_points(points: Points) -> None:
    assert not set(points.by_image) & set(points.rejected)
    for key, listed in points:
        assert clean_key(key) == key, f"key {key!r}"
        for point in listed:
            assert type(point.row) is type(point.col) is int
            assert max(abs(point.row), abs(point.col)) <= _LARGEST_PIXEL, f"{point.row}, {point.col}"
            assert point.label is None or isinstance(point.label, str)
    _check_reasons(points.rejected)


def _check_image(image: LabelledImage) -> None:
    assert clean_key(image.image) == image.image, f"image {image.image!r}"
    for target in image.targets:
        assert target.point is not None or target.patch is not None
        assert target.confidence is None or 0 <= target.confidence <= 1
    image.mask  # noqa: B018 - paints every patch


def _check_reasons(rejected: Mapping[str, str]) -> None:
    for reason in rejected.values():
        assert reason
        assert len(reason) <= _LONGEST_MESSAGE, f"a reason of {len(reason)} letters: {reason[:200]}"


def _raise_hang(signal_number: int, frame: FrameType | None) -> None:
    raise Hang(f"more than {SECONDS} s")


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    return " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(frames))


if __name__ == "__main__":
    main()
