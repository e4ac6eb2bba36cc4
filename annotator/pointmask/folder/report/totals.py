"""Counts over all targets of a job, for the report."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pointmask.folder.records.manifest import Entry, name_of

BINS = 20
"""Bars of the histogram of confidence."""

_MOST_SKIPPED = 500  # skipped images listed on the page; the manifest has all


@dataclass(frozen=True, slots=True)
class TargetEntry:
    """One target and its manifest entry."""

    entry: Entry
    index: int

    @property
    def target(self) -> Entry:
        """What the manifest says of the target."""
        target: Entry = self.entry["targets"][self.index]
        return target


@dataclass(slots=True)
class Totals:
    """Counts over all images; only the least certain targets are stored."""

    images: int = 0
    targets: int = 0
    empty: int = 0
    skipped: int = 0
    by_hand: int = 0
    total_confidence: float = 0.0
    reasons: list[tuple[str, str]] = field(default_factory=list)
    confidences: Counter[int] = field(default_factory=Counter)
    areas: Counter[int] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)
    versions: set[str] = field(default_factory=set)
    priors: set[str] = field(default_factory=set)

    def count(self, entries: Iterable[Entry]) -> Iterator[TargetEntry]:
        """Count each entry, and yield its targets."""
        for entry in entries:
            if entry["status"] != "done":
                self.skipped += 1
                if len(self.reasons) < _MOST_SKIPPED:
                    self.reasons.append((name_of(entry), entry["reason"]))
                continue
            self.images += 1
            self.empty += not entry["targets"]
            self.versions.add(entry["version"])
            self.priors.add(entry["size_prior"])
            for index, target in enumerate(entry["targets"]):
                self.targets += 1
                self.areas[target["area"]] += 1
                self.flags.update(target["flags"])
                if target["confidence"] is None:  # by hand: there is nothing to be unsure of
                    self.by_hand += 1
                    continue
                self.total_confidence += target["confidence"]
                self.confidences[min(BINS - 1, int(target["confidence"] * BINS))] += 1
                yield TargetEntry(entry, index)
