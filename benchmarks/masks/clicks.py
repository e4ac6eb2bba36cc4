"""What a careless click costs: points moved by a few pixels, or set beside the target."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from scipy import ndimage as ndi

from masks.data import Frame, PointList
from masks.run import by_group, figures, run
from pointmask.theta import Theta

RADII = (1, 2, 3)
OUTSIDE = 2.0  # px from the target's nearest pixel, at most


def clicks(frames: Sequence[Frame], theta: Theta, seeds: int) -> list[dict[str, Any]]:
    """Measure displaced points against the true centroids.

    Returns
    -------
    list of dict
        ``name``; by group the mean over seeds of pooled IoU, its loss, and the collapsed share; the
        first entry is that of the points as published.
    """
    base = {name: figures(own) for name, own in by_group(run(frames, theta)).items()}
    rows = [
        {"name": "centroid as published", "groups": {name: _row([own], own) for name, own in base.items()}}
    ]
    places: dict[str, Callable[..., PointList]] = {
        f"moved by up to {radius} px": partial(moved, radius=radius) for radius in RADII
    }
    places["1 to 2 px outside the target"] = outside
    for name, place in places.items():
        draws = []
        for seed in range(seeds):
            points = [
                place(frame, rng=np.random.default_rng((seed, index))) for index, frame in enumerate(frames)
            ]
            found = run(frames, theta, points=points)
            draws.append({group: figures(own) for group, own in by_group(found).items()})
        rows.append(
            {"name": name, "groups": {g: _row([draw[g] for draw in draws], own) for g, own in base.items()}}
        )
    return rows


def _row(draws: Sequence[Any], base: Any) -> dict[str, float]:  # noqa: ANN401 - Figures
    iou = float(np.mean([draw["iou"] for draw in draws]))
    collapsed = float(np.mean([draw["collapsed"] for draw in draws]))
    return {"iou": round(iou, 6), "loss": round(base["iou"] - iou, 6), "collapsed": round(collapsed, 6)}


def moved(frame: Frame, *, radius: int, rng: np.random.Generator) -> PointList:
    """Move every centroid by a vector drawn evenly from the pixels of a disk, and clip it to the frame."""
    axis = np.arange(-radius, radius + 1)
    disk = np.argwhere(axis[:, None] ** 2 + axis**2 <= radius**2) - radius
    last = np.array(frame.image.shape) - 1
    return [
        (int(row), int(col))
        for row, col in (np.clip(np.add(p, rng.choice(disk)), 0, last) for p in frame.points["centroid"])
    ]


def outside(frame: Frame, *, rng: np.random.Generator) -> PointList:
    """Put every point on a background pixel at most 2 px away from its target.

    A point without a true target, or whose target leaves no such pixel, stays where it is.
    """
    return [
        _beside(frame, label, rng) or point
        for point, label in zip(frame.points["centroid"], frame.ids["centroid"], strict=True)
    ]


def _beside(frame: Frame, label: int, rng: np.random.Generator) -> tuple[int, int] | None:
    if not label:
        return None
    margin = int(OUTSIDE) + 1
    rows, cols = (np.flatnonzero((frame.labels == label).any(axis)) for axis in (1, 0))
    top, left = max(int(rows[0]) - margin, 0), max(int(cols[0]) - margin, 0)
    crop = frame.labels[top : rows[-1] + margin + 1, left : cols[-1] + margin + 1]
    distance = ndi.distance_transform_edt(crop != label)
    free = np.argwhere((distance > 0) & (distance <= OUTSIDE) & (crop == 0))
    if not len(free):
        return None
    row, col = rng.choice(free)
    return top + int(row), left + int(col)
