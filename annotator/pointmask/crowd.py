"""Several points whose masks claim the same pixels."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pointmask.target import Box, Target, box_of, slices_of

_CELL = 32  # px; about the size of a large target, so that a box lies in few cells of the grid


def divide_shared(targets: list[Target]) -> list[Target]:
    """Give every pixel that several masks claim to one of them.

    Parameters
    ----------
    targets : list of Target
        Of one image.

    Returns
    -------
    list of Target
        In the same order. A contested pixel goes to the larger soft label, on a tie to the nearer point,
        then to the earlier one; a point's own pixel is always its own. Targets that had contested
        pixels carry the flag ``shared``.
    """
    result = list(targets)
    for group in _crowds(targets):
        top, left, bottom, right = _hull([targets[k].box for k in group])
        owner = np.full((bottom - top, right - left), -1)
        claims = np.zeros(owner.shape, np.int32)
        best = np.zeros(owner.shape, np.float32)
        distance = np.zeros(owner.shape, np.int64)
        for k in group:
            target = targets[k]
            place = slices_of(_moved(target.box, top, left))
            part = slices_of(_moved(target.box, *target.window[:2]))
            mask, soft = target.mask[part], target.soft[part]
            rows, cols = np.ogrid[target.box[0] : target.box[2], target.box[1] : target.box[3]]
            near = (rows - target.point[0]) ** 2 + (cols - target.point[1]) ** 2
            level = np.where(near == 0, np.float32(2), soft)  # a point's own pixel is always its own
            better = (level > best[place]) | ((level == best[place]) & (near < distance[place]))
            wins = mask & ((owner[place] < 0) | better)
            claims[place] += mask
            owner[place][wins] = k
            best[place][wins] = level[wins]
            distance[place][wins] = near[wins]
        for k in group:
            target = targets[k]
            place = slices_of(_moved(target.box, top, left))
            part = slices_of(_moved(target.box, *target.window[:2]))
            if (claims[place][target.mask[part]] > 1).any():
                kept = np.zeros_like(target.mask)
                kept[part] = owner[place] == k
                result[k] = _reclaimed(target, kept)
    return result


def _crowds(targets: list[Target]) -> list[list[int]]:
    """Group targets whose boxes overlap, directly or through others; lonely targets are left out.

    Boxes are compared within the cells of a grid, so the cost is linear in crowds of bounded density.
    """
    cells: dict[tuple[int, int], list[int]] = {}
    parent = list(range(len(targets)))

    def root(k: int) -> int:
        while parent[k] != k:
            parent[k] = parent[parent[k]]
            k = parent[k]
        return k

    for b, target in enumerate(targets):
        top, left, bottom, right = target.box
        for row in range(top // _CELL, (bottom - 1) // _CELL + 1):
            for col in range(left // _CELL, (right - 1) // _CELL + 1):
                cell = cells.setdefault((row, col), [])
                for a in cell:
                    if _overlap(targets[a].box, target.box):
                        parent[root(b)] = root(a)
                cell.append(b)
    groups: dict[int, list[int]] = {}
    for k in range(len(targets)):
        groups.setdefault(root(k), []).append(k)
    return [group for group in groups.values() if len(group) > 1]


def _reclaimed(target: Target, mask: NDArray[np.bool_]) -> Target:
    """Describe a target anew after it gave pixels away."""
    if not mask.any():
        mask[target.point[0] - target.window[0], target.point[1] - target.window[1]] = True
    box = box_of(mask, *target.window[:2])
    return replace(target, mask=mask, area=int(mask.sum()), box=box, flags=(*target.flags, "shared"))


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _hull(boxes: list[Box]) -> Box:
    tops, lefts, bottoms, rights = zip(*boxes, strict=True)
    return min(tops), min(lefts), max(bottoms), max(rights)


def _moved(box: Box, top: int, left: int) -> Box:
    return box[0] - top, box[1] - left, box[2] - top, box[3] - left
