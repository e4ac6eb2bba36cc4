"""Places where targets may be, from a detector or from `pointmask propose`: shown until they are judged."""

import csv
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pointmask.click.base.paired import Warn, paired
from pointmask.click.contract.targets import ClickFrame
from pointmask.components import components
from pointmask.errors import ImageError
from pointmask.io.formats.encodings import rle
from pointmask.io.images.array import read_mask
from pointmask.io.images.source import ImageSource
from pointmask.io.layout import POINTS, result_path
from pointmask.io.points.names import ImageFrame, clean_key
from pointmask.io.points.points import pixel_index


@dataclass(frozen=True, slots=True)
class Proposal:
    """
    One place.

    Attributes
    ----------
    number : int
        Within its frame, from 0; it stays, whatever is accepted or refused.
    point : (row, col)
    score : float or None
        Of the detector.
    label : str or None
    """

    number: int
    point: tuple[int, int]
    score: float | None
    label: str | None


class Proposals:
    """
    Proposals by frame, the highest score first.

    Parameters
    ----------
    by_frame : Mapping
        Proposals by image and frame.
    masks : Path, optional
        Folder of the detector's masks, laid out as the output of `pointmask annotate`.
    """

    def __init__(self, by_frame: Mapping[ImageFrame, Sequence[Proposal]], masks: Path | None = None) -> None:
        self._by_frame, self._masks = by_frame, masks

    @property
    def frames(self) -> Collection[ImageFrame]:
        """Frames that have any, by image and frame."""
        return self._by_frame.keys()

    def get(self, image: str, frame: int, number: int) -> Proposal | None:
        """Return one of them by its number."""
        found = self._by_frame.get((image, frame), ())
        return next((one for one in found if one.number == number), None)

    def of(self, standing: ClickFrame) -> list[Proposal]:
        """Return those of a frame that were neither accepted nor refused."""
        found = self._by_frame.get((standing.image, standing.frame), ())
        judged = {*standing.refused, *(target.point for target in standing.targets)}
        return [one for one in found if one.point not in judged]

    def mask(
        self, image: str, frame: int, frames: int, shape: tuple[int, int], point: tuple[int, int]
    ) -> tuple[int, int, NDArray[np.bool_]] | None:
        """
        Return the detector's mask at a place.

        Parameters
        ----------
        image : str
        frame, frames : int
            Number of the frame, and of the frames of its file.
        shape : (H, W)
        point : (row, col)

        Returns
        -------
        top, left, pixels, or None
            The connected part that holds the place; None if there is none, or no mask that can be read.
        """
        if self._masks is None:
            return None
        try:
            mask = read_mask(self._masks / result_path("mask", image, frame, frames), image, shape=shape)
        except ImageError:
            return None
        labels, _ = components(mask)
        if not labels[point]:
            return None
        part = labels == labels[point]
        rows, cols = np.flatnonzero(part.any(axis=1)), np.flatnonzero(part.any(axis=0))
        top, left = int(rows[0]), int(cols[0])
        return top, left, part[top : rows[-1] + 1, left : cols[-1] + 1]


def run_lengths(crop: tuple[int, int, NDArray[np.bool_]], shape: tuple[int, int]) -> str:
    """Return the compressed run lengths of a crop of a mask over a frame."""
    top, left, pixels = crop
    return rle.pack(rle.encode(pixels, top, left, shape))


def read_proposals(path: Path, images: ImageSource, names: Sequence[str], warn: Warn) -> Proposals:
    """
    Read proposals, and pair them with images.

    Parameters
    ----------
    path : Path
        Output folder of `pointmask predict`, table of `pointmask propose`, or points in any format.
    images : ImageSource
    names : sequence of str
        Of all images.
    warn : callable
        Takes a sentence about what was assumed, or is left out.

    Raises
    ------
    PointsError
        If they cannot be read.
    """
    table = path / POINTS if (path / POINTS).is_file() else path
    found = paired(table, images, names, warn)
    scores = _scores(table)
    by_frame = {}
    for (name, frame), group in found.points.items():
        made = [((one.row, one.col), scores.get((name, frame, one.row, one.col)), one.label) for one in group]
        made.sort(key=lambda one: -1.0 if one[1] is None else one[1], reverse=True)
        by_frame[name, frame] = [Proposal(k, *one) for k, one in enumerate(made)]
    return Proposals(by_frame, path if path.is_dir() else None)


def _scores(table: Path) -> dict[tuple[str, int, int, int], float]:
    """Return scores by image, frame, row and col of a table that has them."""
    scores: dict[tuple[str, int, int, int], float] = {}
    if table.suffix.lower() != ".csv":
        return scores
    with table.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        for row in csv.DictReader(file):
            with suppress(KeyError, TypeError, ValueError):  # another table: its points are read all the same
                place = pixel_index(float(row["y"])), pixel_index(float(row["x"]))
                key = clean_key(row["image"]), int(row.get("frame") or 0), *place
                scores[key] = float(row["score"])
    return scores
