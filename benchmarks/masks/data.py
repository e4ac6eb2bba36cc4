"""SIRST3 in memory: every image once, with its true targets and both protocols' published points."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointmask.io.formats import read_points
from pointmask.io.images.array import read, read_mask
from pointmask.io.images.folder import list_images
from pointmask.io.points.by_frame import points_by_frame
from pointmask.io.points.lists import read_ids
from pointmask.metrics.data_sets import data_set_of
from pointmask.metrics.targets import true_targets

PROTOCOLS = ("centroid", "coarse")
SPLITS = ("train", "val")

PointList = list[tuple[int, int]]


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One image with everything that is asked about it.

    Attributes
    ----------
    name : str
    group : str
        Data set, told by the name.
    split : str
        One of `SPLITS`.
    image : (H, W) array
        As stored.
    labels : (H, W) int32 or uint8
        True 8-connected components, 0 background.
    points : dict
        Protocol to (row, col) points; one per target.
    ids : dict
        Protocol to the label of each point's component, 0 where the truth shows none.
    """

    name: str
    group: str
    split: str
    image: NDArray[Any]
    labels: NDArray[Any]
    points: dict[str, PointList]
    ids: dict[str, list[int]]


def read_frames(folder: Path, splits: Sequence[str] = SPLITS, every: int = 1) -> list[Frame]:
    """Read the images of some lists.

    Parameters
    ----------
    folder : Path
        Holds ``images/``, ``masks/`` (same names), ``points_<protocol>.csv`` and ``splits/<split>.txt``.
    splits : sequence of str
        From `SPLITS`.
    every : int
        Take only every so many-th image of a list; the lists mix the data sets.

    Returns
    -------
    list of Frame
        In the order of the lists.

    Raises
    ------
    pointmask.errors.PointmaskError
        If a file is missing or unreadable.
    """
    names = list_images(folder / "images")
    by_stem = {Path(name).stem: name for name in names}
    points: dict[str, dict[str, PointList]] = {}
    for protocol in PROTOCOLS:
        paired = points_by_frame(read_points(folder / f"points_{protocol}.csv"), names)
        points[protocol] = {name: [(p.row, p.col) for p in own] for (name, _), own in paired.points.items()}
    frames = []
    for split in splits:
        stems = read_ids(folder / "splits" / f"{split}.txt").ids
        for stem in stems[::every]:
            own = {protocol: points[protocol].get(by_stem[stem], []) for protocol in PROTOCOLS}
            frames.append(_frame(folder, by_stem[stem], split, own))
    return frames


def _frame(folder: Path, name: str, split: str, points: dict[str, PointList]) -> Frame:
    truth = read_mask(folder / "masks" / name)
    found = {protocol: true_targets(truth, own) for protocol, own in points.items()}
    labels = found[PROTOCOLS[0]][0]
    if labels.max() < 256:
        labels = labels.astype(np.uint8)  # 2,000 frames stay in memory
    ids = {protocol: own for protocol, (_, own) in found.items()}
    return Frame(name, data_set_of(name), split, read(folder / "images" / name), labels, points, ids)
