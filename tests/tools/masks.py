"""Blobs and labelled images for the tests of everything that stores masks."""

import itertools
import re
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from pointmask.io.formats.labelled import LabelledImage, LabelledTarget, Patch
from pointmask.io.points.points import Point


def grown(seed: int, area: int, shape: tuple[int, int], start: tuple[int, int]) -> np.ndarray:
    """A random 8-connected blob of up to `area` pixels that grows from `start`, with holes and bays."""
    rng = np.random.default_rng(seed)
    mask = np.zeros(shape, np.bool_)
    mask[start] = True
    edge = [start]
    while edge and mask.sum() < area:
        row, col = edge[rng.integers(len(edge))]
        free = [
            (r, c)
            for r in range(max(row - 1, 0), min(row + 2, shape[0]))
            for c in range(max(col - 1, 0), min(col + 2, shape[1]))
            if not mask[r, c]
        ]
        if not free:
            edge.remove((row, col))
            continue
        new = free[rng.integers(len(free))]
        mask[new] = True
        edge.append(new)
    return mask


@st.composite
def blobs(draw: st.DrawFn, most: int = 500) -> tuple[np.ndarray, tuple[int, int]]:
    """A mask of 1 to `most` pixels, often on the border, and a pixel of it."""
    shape = draw(st.integers(1, 40)), draw(st.integers(1, 40))
    # The ends are drawn more often than the middle: borders and corners.
    row = draw(st.sampled_from([0, shape[0] - 1]) | st.integers(0, shape[0] - 1))
    col = draw(st.sampled_from([0, shape[1] - 1]) | st.integers(0, shape[1] - 1))
    area = draw(st.integers(1, 9) | st.integers(1, most))
    return grown(draw(st.integers(0, 2**32)), area, shape, (row, col)), (row, col)


def patch(rows: list[str], row: int = 0, col: int = 0) -> Patch:
    """A patch drawn with ``#``."""
    found = Patch.crop(np.array([[mark == "#" for mark in line] for line in rows]), row, col)
    assert found is not None
    return found


@st.composite
def labelled_images(
    draw: st.DrawFn, image: str = "a.png", labels: st.SearchStrategy[str | None] | None = None
) -> LabelledImage:
    """An image with up to four targets that touch each other and the border; every one has both parts."""
    shape = draw(st.integers(1, 40)), draw(st.integers(1, 40))
    taken = np.zeros(shape, np.bool_)
    targets = []
    for _ in range(draw(st.integers(0, 4))):
        row, col = draw(st.integers(0, shape[0] - 1)), draw(st.integers(0, shape[1] - 1))
        blob = grown(draw(st.integers(0, 2**32)), draw(st.integers(1, 500)), shape, (row, col)) & ~taken
        found = Patch.crop(blob)
        if found is None:
            continue
        taken |= blob
        label = None if labels is None else draw(labels)
        confidence = draw(st.none() | st.integers(0, 10**4).map(lambda n: n / 10**4))
        targets.append(LabelledTarget(Point(row, col, label), found, confidence))
    return LabelledImage(image, 0, shape, tuple(targets))


def documents(images: st.SearchStrategy[LabelledImage]) -> st.SearchStrategy[list[LabelledImage]]:
    """A few images under different names, one of them in a folder."""
    names = ("a.png", "b c.bmp", "seq/d.png")

    def renamed(drawn: list[LabelledImage]) -> list[LabelledImage]:
        return [
            LabelledImage(name, 0, one.shape, one.targets) for name, one in zip(names, drawn, strict=False)
        ]

    return st.lists(images, min_size=1, max_size=3).map(renamed)


def files(folder: Path) -> list[str]:
    """Relative paths of all files below a folder."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def filled(path, shape):
    """Even-odd fill of an h/v path at the pixel centres."""
    crossings = np.zeros((shape[0], shape[1] + 1), int)
    for start, body in re.findall(r"M([^hvzM]+)([^zM]*)z", path):
        x, y = map(int, start.split())
        home = (x, y)
        moves = re.findall(r"([hv])(-?\d+)", body)
        assert all(a[0] != b[0] for a, b in itertools.pairwise(moves)), "straight runs are merged"
        for kind, length in moves:
            if kind == "h":
                x += int(length)
            else:
                crossings[min(y, y + int(length)) : max(y, y + int(length)), x] += 1
                y += int(length)
        assert (x, y) == home, "the loop is closed"
    return np.cumsum(crossings, axis=1)[:, :-1] % 2 == 1
