"""Evaluated images that the run was trained or validated on, whose metrics are optimistic."""

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
class KnownImages:
    """
    Evaluated images that a run was trained or validated on.

    Attributes
    ----------
    train, val : tuple of str
        Ids of evaluated images used for training, and for the choice of the best epoch.
    count : int
        Number of evaluated images.
    """

    train: tuple[str, ...]
    val: tuple[str, ...]
    count: int

    def __bool__(self) -> bool:
        return bool(self.train or self.val)

    @property
    def ids(self) -> frozenset[str]:
        """Ids of all known images."""
        return frozenset(self.train + self.val)

    @property
    def is_all(self) -> bool:
        """Whether every evaluated image is known."""
        return len(self.ids) >= self.count

    def facts(self) -> dict[str, Any]:
        """Return the number of known images and their ids by list, for ``metrics.json``."""
        return {"images": len(self.ids), "train": list(self.train), "val": list(self.val)}

    def line(self, other: str = "FILE") -> str:
        """Return a message with the number of known images, examples, and the effect on the metrics.

        Parameters
        ----------
        other : str
            A list to evaluate instead, as ``--list`` takes it.
        """
        parts = [
            f"{len(ids):,} it {what} ({', '.join(ids[:_SHOWN])}{' ...' * (len(ids) > _SHOWN)})"
            for ids, what in ((self.train, "trained on"), (self.val, "was chosen by, its validation list"))
            if ids
        ]
        if self.is_all:
            end = (
                "no figure of unseen images can be given: evaluate others, of a list (--list "
                f"{other}) or in another folder"
            )
        else:
            end = "the figures named unseen leave them out, and come first"
        share = f"all {self.count:,}" if self.is_all else f"{len(self.ids):,} of {self.count:,}"
        return f"{share} images are known to this run: {' and '.join(parts)}; {end}"


def run_of(weights: Path) -> Path | None:
    """Return the run folder of weights, given the folder or its weights file; None if there is none."""
    candidates = (weights, weights.parent, weights.parent.parent) if weights.is_file() else (weights,)
    return next((folder for folder in candidates if RunFolder(folder).ids("train").is_file()), None)


def known_images(run: Path | None, images: Mapping[str, Path], ids: Sequence[str]) -> KnownImages:
    """
    Return the evaluated images that a run was trained or validated on.

    Parameters
    ----------
    run : Path or None
        Run folder; None for weights without one, for which no image counts as known.
    images : Mapping
        Files of the evaluated folder by id.
    ids : sequence of str
        Evaluated images. If the folder is not that of the run, images of equal name are considered identical
        only if the files are identical or the run's file no longer exists.
    """
    train, val = (_ids(run, split) for split in ("train", "val"))
    images_of_run = _images_of(run) if run is not None and (train or val) else {}

    def is_same(key: str) -> bool:
        own, other = images[key], images_of_run.get(key)
        return other is None or own.samefile(other) or _same_bytes(own, other)

    return KnownImages(
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
    """Return the images in the run's training folder; empty if it is no longer readable."""
    try:
        return find_images(read_source(run).root)
    except (PointmaskError, OSError):
        return {}


def _same_bytes(one: Path, other: Path) -> bool:
    try:
        return one.stat().st_size == other.stat().st_size and one.read_bytes() == other.read_bytes()
    except OSError:
        return True
