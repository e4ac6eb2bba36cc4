"""Contact sheet: random targets, each as the image, with the true outline, and with ours."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from masks.data import Frame
from pointmask.annotator.image import annotate
from pointmask.drawing.overlay import MASK_COLOUR, POINT_COLOUR, png, rgb, stretch
from pointmask.io.files import write_whole
from pointmask.theta import Theta

TRUTH_COLOUR = "#ffd23f"

_HALF = 20  # px of the frame round the point
_SCALE = 4
_PER_ROW = 5  # targets
_GAP = 8


def sheet(frames: Sequence[Frame], theta: Theta, count: int, seed: int) -> NDArray[np.uint8]:
    """Draw random targets in rows, three panels each.

    Parameters
    ----------
    frames : sequence of Frame
    theta : Theta
    count : int
        At most so many targets, of those that the truth shows.
    seed : int

    Returns
    -------
    (h, w, 3) uint8
        Image; true mask outlined in yellow; ours in green, with the click in red. 41 x 41 px of the
        frame, 4 times enlarged, black outside of it.
    """
    every = [(frame, k) for frame in frames for k, label in enumerate(frame.ids["centroid"]) if label]
    rng = np.random.default_rng(seed)
    chosen = sorted(rng.choice(len(every), min(count, len(every)), replace=False).tolist())
    cells = [_cell(frame, k, theta) for frame, k in (every[n] for n in chosen)]
    height, width = (size + _GAP for size in cells[0].shape[:2])
    rows = -(-len(cells) // _PER_ROW)
    canvas = np.full((rows * height, _PER_ROW * width, 3), 32, np.uint8)
    for k, cell in enumerate(cells):
        top, left = k // _PER_ROW * height, k % _PER_ROW * width
        canvas[top : top + cell.shape[0], left : left + cell.shape[1]] = cell
    return canvas


def write_sheet(path: Path, frames: Sequence[Frame], theta: Theta, count: int, seed: int) -> None:
    """Write `sheet` as a PNG.

    Raises
    ------
    SystemExit
        If the path lies in this repository: the images have no licence and must not be committed.
    """
    if path.resolve().is_relative_to(Path(__file__).resolve().parents[2]):
        raise SystemExit(f"{path} lies in the repository, but the images have no licence; write it elsewhere")
    write_whole(path, png(sheet(frames, theta, count, seed)))


def _cell(frame: Frame, index: int, theta: Theta) -> NDArray[np.uint8]:
    point = frame.points["centroid"][index]
    mask = annotate(frame.image, frame.points["centroid"], theta=theta).mask
    grey = np.pad(stretch(_crop(frame.image, point)), _missing(frame.image.shape, point))
    plain = np.repeat(_enlarge(grey)[:, :, np.newaxis], 3, axis=2)
    true = _outlined(plain, np.pad(_crop(frame.labels > 0, point), _missing(mask.shape, point)), TRUTH_COLOUR)
    ours = _outlined(plain, np.pad(_crop(mask, point), _missing(mask.shape, point)), MASK_COLOUR)
    click = slice(_HALF * _SCALE + 1, (_HALF + 1) * _SCALE - 1)
    ours[click, click] = rgb(POINT_COLOUR)
    return np.concatenate([plain, true, ours], axis=1)


def _crop(array: NDArray[Any], point: tuple[int, int]) -> NDArray[Any]:
    rows, cols = (slice(max(at - _HALF, 0), at + _HALF + 1) for at in point)
    return array[rows, cols]


def _missing(shape: tuple[int, ...], point: tuple[int, int]) -> list[tuple[int, int]]:
    """How many pixels of the crop lie beyond each border."""
    return [
        (max(_HALF - at, 0), max(at + _HALF + 1 - size, 0)) for at, size in zip(point, shape, strict=True)
    ]


def _enlarge(pixels: NDArray[Any]) -> NDArray[Any]:
    return np.repeat(np.repeat(pixels, _SCALE, axis=0), _SCALE, axis=1)


def _outlined(plain: NDArray[np.uint8], mask: NDArray[np.bool_], colour: str) -> NDArray[np.uint8]:
    """Draw a line just outside the mask, so that no pixel of it is hidden."""
    inside = _enlarge(mask)
    drawn = plain.copy()
    drawn[ndi.binary_dilation(inside, np.ones((3, 3), np.bool_)) & ~inside] = rgb(colour)
    return drawn
