"""Which images of an evaluation its run has trained or validated on: figures of these flatter."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pointmask.errors import PointmaskError
from pointmask.io.points.lists import read_ids
from pointmask.io.points.names import without_suffix
from pointmask_trainer.data.layout import find_images
from pointmask_trainer.run.layout import RunFolder
from pointmask_trainer.run.source import read_source

_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Seen:
    """
    Images that a run knows.

    Attributes
    ----------
    train, val : tuple of str
        Ids of evaluated images that it trained on, and that its best epoch was chosen by.
    count : int
        How many images are evaluated.
    """

    train: tuple[str, ...]
    val: tuple[str, ...]
    count: int

    def __bool__(self) -> bool:
        return bool(self.train or self.val)

    @property
    def ids(self) -> frozenset[str]:
        """All of them."""
        return frozenset(self.train + self.val)

    @property
    def is_all(self) -> bool:
        """Whether no image is left."""
        return len(self.ids) >= self.count

    def facts(self) -> dict[str, Any]:
        """Return ids by the list that they are of, for ``metrics.json``."""
        return {"images": len(self.ids), "train": list(self.train), "val": list(self.val)}

    def line(self) -> str:
        """Say how many there are, with examples, and what that means for the figures."""
        parts = [
            f"{len(ids):,} it {what} ({', '.join(ids[:_SHOWN])}{' ...' * (len(ids) > _SHOWN)})"
            for ids, what in ((self.train, "trained on"), (self.val, "was chosen by, its validation list"))
            if ids
        ]
        if self.is_all:
            end = "no figure of unseen images can be given: evaluate another list, such as --list test"
        else:
            end = "the figures named unseen leave them out, and come first"
        share = f"all {self.count:,}" if self.is_all else f"{len(self.ids):,} of {self.count:,}"
        return f"{share} images are known to this run: {' and '.join(parts)}; {end}"


def run_of(weights: Path) -> Path | None:
    """Return the run folder that weights belong to: the folder itself, or that of its best weights."""
    places = (weights, weights.parent, weights.parent.parent) if weights.is_file() else (weights,)
    return next((place for place in places if RunFolder(place).ids("train").is_file()), None)


def seen_by(run: Path | None, images: Mapping[str, Path], ids: Sequence[str]) -> Seen:
    """
    Find the images that a run has trained or validated on.

    Parameters
    ----------
    run : Path or None
        Run folder; None for weights without one, of which nothing is known.
    images : Mapping
        File by id, of the evaluated folder.
    ids : sequence of str
        Evaluated images. In another folder than the run's, the same name is the same image only if the file
        is the same, or the run's is not there any more.
    """
    train, val = (_ids(run, split) for split in ("train", "val"))
    theirs = _images_of(run) if run is not None and (train or val) else {}

    def is_same(key: str) -> bool:
        ours, other = images[key], theirs.get(key)
        return other is None or ours.samefile(other) or _same_bytes(ours, other)

    return Seen(
        tuple(key for key in ids if key in train and is_same(key)),
        tuple(key for key in ids if key in val and key not in train and is_same(key)),
        len(ids),
    )


def _ids(run: Path | None, split: str) -> frozenset[str]:
    if run is None or not RunFolder(run).ids(split).is_file():
        return frozenset()
    try:
        return frozenset(map(without_suffix, read_ids(RunFolder(run).ids(split)).ids))
    except PointmaskError:
        return frozenset()


def _images_of(run: Path) -> Mapping[str, Path]:
    """Return the images that the run was trained on, as far as they are still there."""
    try:
        return find_images(read_source(run).root)
    except (PointmaskError, OSError):
        return {}


def _same_bytes(one: Path, other: Path) -> bool:
    try:
        return one.stat().st_size == other.stat().st_size and one.read_bytes() == other.read_bytes()
    except OSError:
        return True
