"""Visualisation of results: contrast stretch, mask outline, point.

The report draws outlines as SVG paths, the folder job as pixels; both follow the edges of the mask's
pixels and not a smoothed contour, which would destroy targets of a few pixels.
"""

from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage as ndi

from pointmask.annotator.target import Annotation

MASK_COLOUR = "#1fe0c0"
POINT_COLOUR = "#ff4f6d"
TRUE_COLOUR = "#ffd84d"

# Equal steps of OKLab lightness from 0.13 to 0.97 at the largest chroma within sRGB, so that equal
# steps of the soft label look equal, also in greyscale.
_HEAT = ("#060026", "#2a004d", "#5c0065", "#94016a", "#c9235c", "#f25141", "#fe9048", "#ffc77f", "#fff6d1")

_LOW, _HIGH = 1.0, 99.5  # percentiles; a window of 41 x 41 keeps 8 pixels above the upper one
_SAMPLE = 1_000_000  # enough pixels for percentiles of a large mosaic
_OVERLAY_SIDE, _MAX_SCALE = 1024, 16  # smaller frames are enlarged by the largest integer within both


def rgb(colour: str) -> tuple[int, int, int]:
    """Return the three 8-bit values of ``#rrggbb``."""
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue


def heat_palette(levels: int) -> NDArray[np.uint8]:
    """Perceptually even colours for a quantity in [0, 1].

    Parameters
    ----------
    levels : int
        Number of colours, at least 2.

    Returns
    -------
    (levels, 3) uint8
        From near black through magenta and orange to near white.
    """
    anchors = np.array([rgb(colour) for colour in _HEAT], np.float64)
    at = np.linspace(0, len(anchors) - 1, levels)
    bands = [np.interp(at, np.arange(len(anchors)), band) for band in anchors.T]
    palette: NDArray[np.uint8] = np.rint(np.stack(bands, axis=1)).astype(np.uint8)
    return palette


def stretch(pixels: NDArray[Any], focus: NDArray[np.bool_] | None = None) -> NDArray[np.uint8]:
    """Map native intensities to 8 bits so that dim targets are visible, whatever a dead pixel holds.

    Parameters
    ----------
    pixels : (h, w) array of any real dtype
        A frame or a window at native depth. NaN becomes 0 (black).
    focus : (h, w) bool, optional
        Pixels that must not be clipped, such as the target's mask.

    Returns
    -------
    (h, w) uint8
        Linear between the 1st and the 99.5th percentile, extended to include ``focus``; 128 everywhere if
        all finite pixels are equal.
    """
    values = pixels.astype(np.float64)
    finite = np.isfinite(values)
    seen = values[finite]
    if seen.size == 0:
        return np.zeros(values.shape, np.uint8)
    sample = seen[:: -(-seen.size // _SAMPLE)]
    # "nearest" selects pixels without subtracting them, so it cannot overflow.
    low, high = np.percentile(sample, (_LOW, _HIGH), method="nearest")
    if focus is not None and (held := values[finite & focus]).size:
        low, high = min(low, held.min()), max(high, held.max())
    if low == high:
        low, high = seen.min(), seen.max()
    if low == high:
        return np.where(finite, np.uint8(128), np.uint8(0))
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = (values - low) * (255.0 / (high - low))
    grey: NDArray[np.uint8] = np.rint(np.clip(np.nan_to_num(scaled), 0, 255)).astype(np.uint8)
    return grey


def outline_path(mask: NDArray[np.bool_], *, top: int = 0, left: int = 0) -> str:
    """Trace the pixel edges between a mask and its outside as an SVG path.

    Parameters
    ----------
    mask : (h, w) bool
        Pixels that are diagonal neighbours are joined into one loop.
    top, left : int
        Position of the mask's first pixel in the path's coordinates.

    Returns
    -------
    str
        ``d`` attribute in pixel units, x to the right and y down; filled by the even-odd rule it is
        the mask. Empty for an empty mask.
    """
    steps = _boundary_steps(mask)
    loops = []
    while steps:
        start = min(steps)
        corners = _follow(steps, start)
        row, col = start
        loops.append(f"M{left + col} {top + row}{corners}z")
    return "".join(loops)


# Directions in clockwise order: right, down, left, up. The mask lies to the right of each step.
_MOVES = ((0, 1), (1, 0), (0, -1), (-1, 0))


def _boundary_steps(mask: NDArray[np.bool_]) -> dict[tuple[int, int], list[int]]:
    """Map each grid corner to the directions of the unit steps that leave it."""
    padded = np.pad(mask, 1)
    inside = padded[1:-1, 1:-1]
    outer = (padded[:-2, 1:-1], padded[1:-1, 2:], padded[2:, 1:-1], padded[1:-1, :-2])
    first_corner = ((0, 0), (0, 1), (1, 1), (1, 0))
    steps: dict[tuple[int, int], list[int]] = {}
    for direction, (neighbour, (down, right)) in enumerate(zip(outer, first_corner, strict=True)):
        for row, col in np.argwhere(inside & ~neighbour).tolist():
            steps.setdefault((row + down, col + right), []).append(direction)
    return steps


def _follow(steps: dict[tuple[int, int], list[int]], start: tuple[int, int]) -> str:
    """Remove one closed loop from ``steps`` and return its relative ``h``/``v`` commands."""
    at = start
    direction = min(steps[start])
    run = 0
    commands = []
    while True:
        # Two steps leave a corner at which two pixels touch diagonally: the left turn joins the pixels.
        leaving = steps.get(at, [])
        turn = next((d for d in ((direction + k) % 4 for k in (3, 0, 1)) if d in leaving), None)
        if turn is None or (turn != direction and run):
            row, col = _MOVES[direction]
            commands.append(f"h{col * run}" if col else f"v{row * run}")
            run = 0
        if turn is None:
            return "".join(commands)
        leaving.remove(turn)
        if not leaving:
            del steps[at]
        direction = turn
        run += 1
        at = (at[0] + _MOVES[turn][0], at[1] + _MOVES[turn][1])


def png(pixels: NDArray[np.uint8], palette: NDArray[np.uint8] | None = None) -> bytes:
    """Encode a picture as a PNG.

    Parameters
    ----------
    pixels : (h, w) or (h, w, 3) uint8
        Grey values or RGB; with ``palette``, indices into it.
    palette : (n, 3) uint8, optional
        Colours of an indexed picture.

    Returns
    -------
    bytes
        The file; the same input gives the same bytes.
    """
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    if palette is not None:
        picture.putpalette(palette.tobytes())
    buffer = BytesIO()
    picture.save(buffer, "PNG", compress_level=6)  # level 9 saves 0.3 % for three times the time
    return buffer.getvalue()


def overlay_png(image: NDArray[Any], annotation: Annotation) -> bytes:
    """Draw a frame with the outline of every mask and a dot at every point.

    Parameters
    ----------
    image : (H, W) array of any real dtype
        The frame at native depth.
    annotation : Annotation
        Result of ``annotate`` for this frame.

    Returns
    -------
    bytes
        8-bit RGB PNG. Frames whose longer side is at most 512 px are enlarged by an integer with crisp
        pixels. The outline runs just outside the mask, so no masked pixel is hidden except by the dot.
    """
    scale = min(_MAX_SCALE, max(1, _OVERLAY_SIDE // max(image.shape)))
    canvas = np.repeat(_enlarge(stretch(image), scale)[:, :, np.newaxis], 3, axis=2)
    thickness = max(1, round(0.4 * scale))
    for target in annotation.targets:
        mask = np.pad(target.mask, 1)  # one pixel of room for the line
        enlarged = _enlarge(mask, scale)
        line = ndi.binary_dilation(enlarged, np.ones((3, 3), np.bool_), thickness) & ~enlarged
        rows, cols = np.nonzero(line)
        rows += (target.window[0] - 1) * scale
        cols += (target.window[1] - 1) * scale
        on_canvas = (rows >= 0) & (rows < canvas.shape[0]) & (cols >= 0) & (cols < canvas.shape[1])
        canvas[rows[on_canvas], cols[on_canvas]] = rgb(MASK_COLOUR)
    dot = max(1, round(0.7 * scale))
    for target in annotation.targets:
        row, col = (index * scale + (scale - dot) // 2 for index in target.point)
        canvas[row : row + dot, col : col + dot] = rgb(POINT_COLOUR)
    return png(canvas)


def _enlarge(pixels: NDArray[Any], scale: int) -> NDArray[Any]:
    """Repeat every pixel ``scale`` times along both axes."""
    return np.repeat(np.repeat(pixels, scale, axis=0), scale, axis=1)
