"""Which targets the report shows, and beside what."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from heapq import nsmallest
from pathlib import Path

from pointmask.folder.report.totals import TargetEntry

MOST_SHOWN = 2000
"""Targets on the page, 4.7 kB each on SIRST3. The browser lays out and decodes only those in sight."""


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """
    What the report is to show.

    Attributes
    ----------
    sample : int
        Number of targets drawn at random, from which the quality of all can be estimated; 0 for the least
        sure ones, from which it cannot.
    seed : int
        Of the draw.
    truth : Path or None
        True masks: a folder or archive, paired with the images by name. Their outlines and each target's IoU
        are shown.
    made_by : str
        Words that say where the page comes from, such as the time and the command; without them the same
        input gives the same bytes.
    """

    sample: int = 0
    seed: int = 0
    truth: Path | None = None
    made_by: str = ""

    def choose(self, targets: Iterable[TargetEntry], limit: int = MOST_SHOWN) -> list[TargetEntry]:
        """Return the targets to show, the least sure first."""
        if not self.sample:
            return nsmallest(limit, targets, key=_confidence)
        return sorted(nsmallest(self.sample, targets, key=self._lot), key=_confidence)

    def _lot(self, target: TargetEntry) -> bytes:
        """Draw a lot that hangs on nothing but seed and target, in whatever order the targets come."""
        place = (self.seed, target.entry["image"], target.entry["frame"], target.index)
        return blake2b(repr(place).encode("utf-8", "surrogateescape"), digest_size=8).digest()


def _confidence(target: TargetEntry) -> float:
    return float(target.target["confidence"])
