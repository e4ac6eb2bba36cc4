"""What a folder job tells its caller: how far it is, and what it did."""

import time
from dataclasses import dataclass, field
from pathlib import Path

from pointmask.compiled import seconds_on_the_wall
from pointmask.folder.records.manifest import Entry, name_of
from pointmask.folder.worker import Outcome
from pointmask.judgement.verdict import Verdict


@dataclass(slots=True)
class Summary:
    """
    What a folder job did.

    Attributes
    ----------
    done : int
        Frames annotated now (an ordinary image is one frame).
    resumed : int
        Frames that were already done.
    skipped : list of (str, str)
        Image, with ``#k`` for a frame other than the first, and the reason.
    without_points : list of str
        Images that the points do not name; nothing is written for them.
    thermal : int
        Frames annotated now that were the thermal raster of a FLIR radiometric JPEG.
    scaled : int
        Frames annotated now whose points were marked in an enlarged or reduced copy.
    scaled_example : str
        One of them, with both sizes.
    notes : tuple of str
        What else was assumed of names and images, a line per kind.
    targets : int
        Targets in all frames that are done.
    mean_confidence : float or None
        Over these targets; None if there are none.
    ms_per_target : float or None
        Processor time of `annotate` in milliseconds, without decoding, writing and compiling; None if
        nothing was annotated now.
    images_per_s : float or None
        Frames annotated or skipped now, per second of wall time without that of compiling; None if there
        were none.
    manifest : Path
        Where the manifest lies.
    masks : Path
        Where the masks lie: a folder, or ``masks.jsonl``.
    report : Path or None
        Where the report lies, if one was asked for and could be written.
    documents : dict
        Format and place of what was written for other programs.
    warnings : tuple of str
        What these programs may do to it.
    missing_shards : tuple of int
        Shards that must run before the manifest (and the report) is complete.
    judgement : Verdict or None
        Whether the clicks as a whole lie on targets.
    """

    done: int = 0
    resumed: int = 0
    skipped: list[tuple[str, str]] = field(default_factory=list)
    without_points: list[str] = field(default_factory=list)
    thermal: int = 0
    scaled: int = 0
    scaled_example: str = ""
    notes: tuple[str, ...] = ()
    targets: int = 0
    mean_confidence: float | None = None
    ms_per_target: float | None = None
    images_per_s: float | None = None
    manifest: Path = Path()
    masks: Path = Path()
    report: Path | None = None
    documents: dict[str, Path] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    missing_shards: tuple[int, ...] = ()
    judgement: Verdict | None = None

    @property
    def images(self) -> int:
        """Frames with points: done, resumed and skipped."""
        return self.done + self.resumed + len(self.skipped)


class RunningSummary:
    """A `Summary` that is added up while a job runs."""

    def __init__(self) -> None:
        self.summary = Summary()
        self._seconds = 0.0
        self._annotated = 0
        self._confidence = 0.0
        self._start = time.perf_counter() - seconds_on_the_wall()

    def skip(self, entry: Entry) -> None:
        """Count an image that could not be done."""
        self.summary.skipped.append((name_of(entry), entry["reason"]))

    def outcome(self, outcome: Outcome) -> None:
        """Count the frames of one task."""
        for entry, seconds in outcome.entries:
            if entry["status"] == "skipped":
                self.skip(entry)
                continue
            self.summary.done += 1
            self.summary.thermal += entry.get("raster") == "thermal"
            self._note_scaled(entry)
            self._seconds += seconds
            self._annotated += len(entry["targets"])
            self._add(len(entry["targets"]), sum(target["confidence"] for target in entry["targets"]))
        finished = dict(outcome.task.finished)
        for known in (finished[frame] for frame in outcome.resumed):
            self.summary.resumed += 1
            self._add(known.targets, known.confidence)
        if outcome.frames > 1 and outcome.task.is_last:
            asked = outcome.task.asked
            rest = (frame for frame in range(outcome.frames) if frame not in asked)
            self.summary.without_points.extend(f"{outcome.task.image}#{frame}" for frame in rest)

    def _note_scaled(self, entry: Entry) -> None:
        total, said = self.summary, entry.get("points_scaled_from")
        if said is not None:
            total.scaled += 1
            (height, width), shape = said, entry["shape"]
            total.scaled_example = total.scaled_example or (
                f"{entry['image']}: the document says {width} x {height}, the image has "
                f"{shape[1]} x {shape[0]}"
            )

    def _add(self, targets: int, confidence: float) -> None:
        self.summary.targets += targets
        self._confidence += confidence

    def close(self, handled: int) -> Summary:
        """
        Work out the means.

        Parameters
        ----------
        handled : int
            Frames annotated or skipped while the clock ran.
        """
        total = self.summary
        elapsed = time.perf_counter() - seconds_on_the_wall() - self._start
        total.mean_confidence = self._confidence / total.targets if total.targets else None
        total.ms_per_target = 1e3 * self._seconds / self._annotated if self._annotated else None
        total.images_per_s = handled / elapsed if handled and elapsed > 0 else None
        return total
