"""Targets whose masks overlap: every contested pixel is assigned to one of them."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pointmask.annotator.target import Box, Target, box_of, slices_of

_CELL = 32  # px; about the size of a large target, so that a box covers few cells of the grid


def divide_shared(targets: list[Target]) -> list[Target]:
    """Assign every pixel that belongs to several masks to one of them.

    Parameters
    ----------
    targets : list of Target
        Of one image.

    Returns
    -------
    list of Target
        In the same order. A contested pixel goes to the larger soft label, on a tie to the nearer point,
        then to the earlier one. A point always keeps its own pixel, and pixels that would be disconnected
        from their owner's point go to the next candidate. Targets with contested pixels get the flag
        ``shared``.
    """
    result = list(targets)
    for group in crowds(targets):
        for k, target in zip(group, divide_crowd([targets[k] for k in group]), strict=True):
            result[k] = target
    return result


def divide_crowd(targets: list[Target]) -> list[Target]:
    """Assign the pixels of one group of `crowds`, as `divide_shared` does; what stays is the same object."""
    members = [_Member(target) for target in targets]
    hull = _hull([m.target.box for m in members])
    claims = np.zeros((hull[2] - hull[0], hull[3] - hull[1]), np.int32)
    for member in members:
        claims[member.place(hull)] += member.mask
    owner = np.full(claims.shape, -1)
    _assign(members, owner, hull)
    strays = _strays(members, owner, hull)
    if (strays & (claims > 1)).any():
        # A pixel that is disconnected from its owner's point goes to the next candidate instead.
        second = np.where(strays & (claims > 1), -1, owner)
        _assign(members, second, hull, barred=owner)
        owner = np.where(second < 0, owner, second)
    result = list(targets)
    for index, member in enumerate(members):
        place = member.place(hull)
        if (claims[place][member.mask] > 1).any():
            kept = np.zeros_like(member.target.mask)
            kept[member.part] = owner[place] == index
            result[index] = _reclaimed(member.target, kept)
    return result


class _Member:
    """A target of a crowd, cropped to its box."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.part = slices_of(_moved(target.box, *target.window[:2]))
        self.mask = target.mask[self.part]
        rows, cols = np.ogrid[target.box[0] : target.box[2], target.box[1] : target.box[3]]
        self.near = (rows - target.point[0]) ** 2 + (cols - target.point[1]) ** 2
        # A point always keeps its own pixel.
        self.level = np.where(self.near == 0, np.float32(2), target.soft[self.part])

    def place(self, hull: Box) -> tuple[slice, slice]:
        """Return the slices of the box in arrays over the crowd's hull."""
        return slices_of(_moved(self.target.box, *hull[:2]))


def _assign(
    members: list[_Member], owner: NDArray[np.int64], hull: Box, barred: NDArray[np.int64] | None = None
) -> None:
    """Fill the pixels where ``owner`` is -1 with the index of the best candidate other than ``barred``."""
    free = owner < 0
    best = np.zeros(owner.shape, np.float32)
    distance = np.zeros(owner.shape, np.int64)
    for index, member in enumerate(members):
        place = member.place(hull)
        claim = member.mask & free[place]
        if barred is not None:
            claim &= barred[place] != index
        tie = (member.level == best[place]) & (member.near < distance[place])
        wins = claim & ((owner[place] < 0) | (member.level > best[place]) | tie)
        owner[place][wins] = index
        best[place][wins] = member.level[wins]
        distance[place][wins] = member.near[wins]


def _strays(members: list[_Member], owner: NDArray[np.int64], hull: Box) -> NDArray[np.bool_]:
    """Mark pixels that are not connected to their owner's point through pixels of the same owner."""
    out = np.zeros(owner.shape, np.bool_)
    for index, member in enumerate(members):
        pieces, _ = ndimage.label(owner[member.place(hull)] == index, np.ones((3, 3)))
        mine = pieces[member.near == 0]
        if mine.size and mine[0]:
            out[member.place(hull)] |= (pieces > 0) & (pieces != mine[0])
    return out


def crowds(targets: list[Target]) -> list[list[int]]:
    """Group targets whose boxes overlap, directly or through others; isolated targets are left out.

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
    """Recompute area, box and flags of a target that lost pixels."""
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
