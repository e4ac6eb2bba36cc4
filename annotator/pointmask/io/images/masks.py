"""What a mask file means: the one place where stored numbers become truth, targets, and the image's size.

Truth is above half of the range: above 127 for 8 bits, 32767 for 16 bits, 0.5 for floats from 0 to 1. Two
kinds of masks that many programs write hold nothing above it, and are truth above 0:

* 0 and 1 (or, in MATLAB and NumPy, False and True turned into numbers),
* 1 to n, the numbers of the targets, where n is no larger than the number of targets.

A grey picture is no mask, however bright it is, and numbers that could mean either are refused.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pointmask.components import components
from pointmask.errors import ImageError
from pointmask.io.notes import note

Shape = tuple[int, int]

# Masks of IRSTD-1k that are not binary have at most 13 levels, 0.005 % of pixels between the ends, and 99 %
# of one value. A mask with soft edges may have every level, but small targets leave most of it empty.
_MOST_LEVELS = 16
_LEAST_BACKGROUND = 0.5
_MOST_BETWEEN = 0.25
_LEAST_PIXELS = 256  # below, a few levels say nothing

_NUMBERED = (
    "masks hold 0 and 1, or numbers of targets, and nothing larger, so their truth is above 0; if that is "
    "wrong, save them as 0 and 255"
)
_SCALED = (
    "masks have another size than their image at the same aspect, and are scaled to it by nearest pixels"
)


def truth_of(stored: NDArray[Any], name: str) -> NDArray[np.bool_]:
    """
    Tell which pixels of a mask are target.

    Parameters
    ----------
    stored : (H, W) or (H, W, bands)
        Numbers as the file stores them, bits as 0 and 255; target in any band is target.
    name : str
        Of the file, for messages.

    Returns
    -------
    (H, W) bool

    Raises
    ------
    ImageError
        If it is a grey picture, or its numbers have no stated meaning.
    """
    return _understood(_one_band(stored), name)[0]


def targets_of(stored: NDArray[Any], name: str) -> tuple[NDArray[np.int32], int]:
    """
    Give each target of a mask its number.

    Parameters
    ----------
    stored, name
        As for `truth_of`.

    Returns
    -------
    labels : (H, W) int32
        0 is background. A target is an 8-connected piece of the truth; where the file numbers its
        targets, an 8-connected piece of one number, so that targets which touch stay apart.
    count : int

    Raises
    ------
    ImageError
        As `truth_of`.
    """
    numbers = _one_band(stored)
    truth, is_numbered = _understood(numbers, name)
    return _pieces(numbers) if is_numbered else components(truth)


def truth_whatever(stored: NDArray[Any], name: str) -> NDArray[np.bool_]:
    """
    Tell which pixels of a mask are target as `truth_of` does, but refuse no grey values: to look at them.

    Raises
    ------
    ImageError
        If the type of the numbers has no stated range.
    """
    numbers = _one_band(stored)
    if is_numbered(numbers):
        return numbers > 0
    above: NDArray[np.bool_] = numbers > _half_range(numbers, name)
    return above


def is_numbered(stored: NDArray[Any]) -> bool:
    """Say whether a mask holds 0 and 1, or the numbers of its targets, and nothing else."""
    numbers = _one_band(stored)
    finite = numbers.dtype.kind != "f" or np.isfinite(numbers).all()
    return bool(finite and _is_numbered(numbers, *_levels(numbers)))


def size_relation(mask: Shape, image: Shape) -> str:
    """
    Tell what made the size: ``resized``, ``turned``, ``cropped``, ``padded`` or ``foreign`` (none of these).

    Parameters
    ----------
    mask, image : (int, int)
        Heights and widths.
    """
    rows, cols = mask[0] / image[0], mask[1] / image[1]
    # Each side may be rounded by a pixel; but where one side is the image's own, the other was cut.
    slack = 1 / min(mask) + 1 / min(image)
    if abs(rows / cols - 1) <= slack and rows != 1 and cols != 1 and min(mask) > 1:
        return "resized"
    if mask == image[::-1]:
        return "turned"
    if rows <= 1 and cols <= 1:
        return "cropped"
    return "padded" if rows >= 1 and cols >= 1 else "foreign"


def resized(mask: NDArray[Any], shape: Shape) -> NDArray[Any]:
    """Resize an (h, w) mask, or the numbers of its targets, to a shape by its nearest pixels."""
    rows, cols = (
        np.minimum(((np.arange(to) + 0.5) * side / to).astype(np.intp), side - 1)
        for to, side in zip(shape, mask.shape, strict=True)
    )
    found: NDArray[Any] = mask[np.ix_(rows, cols)]
    return found


def check_size(mask: Shape, image: Shape, name: str) -> bool:
    """
    Say whether a mask must be scaled to fit its image.

    Parameters
    ----------
    mask, image : (int, int)
        Heights and widths.
    name : str
        Of the mask.

    Raises
    ------
    ImageError
        If it was cut, padded or turned, so that nobody can tell which of its pixels is which of the image.
    """
    if mask == image:
        return False
    relation = size_relation(mask, image)
    if relation != "resized":
        raise ImageError(
            f"{name}: it has {mask[1]} x {mask[0]} pixels, its image {image[1]} x {image[0]} "
            f"({relation}); export it again at the image's size"
        )
    note(_SCALED, name)
    return True


def fitted(mask: NDArray[Any], shape: Shape, name: str) -> NDArray[Any]:
    """
    Return a mask in the size of its image.

    Raises
    ------
    ImageError
        As `check_size`.
    """
    return resized(mask, shape) if check_size((mask.shape[0], mask.shape[1]), shape, name) else mask


def _one_band(stored: NDArray[Any]) -> NDArray[Any]:
    """Join bands: target in any of them is target."""
    return stored if stored.ndim == 2 else np.asarray(stored.max(axis=2))


def _understood(numbers: NDArray[Any], name: str) -> tuple[NDArray[np.bool_], bool]:
    """Return the truth, and whether the targets are numbered."""
    if numbers.dtype.kind == "f" and not np.isfinite(numbers).all():
        return numbers > _half_range(numbers, name), False
    values, counts = _levels(numbers)
    if _is_numbered(numbers, values, counts):
        if numbers.dtype.kind != "f" or values[-1] > 1:
            note(_NUMBERED, name)
        return numbers > 0, True
    if _is_picture(values, counts):
        raise ImageError(
            f"{name}: it is not binary: {len(values):,} grey levels from {values[0]} to {values[-1]}, as a "
            "picture has them, not a mask; give the folder of the masks, or save masks as 0 and 255"
        )
    if numbers.dtype not in (np.uint8, np.uint16) and np.isin(values, (0, 255)).all():
        return numbers > 127, False
    half = _half_range(numbers, name)
    if 0 < values[-1] <= half and numbers.dtype.kind != "f":
        raise ImageError(
            f"{name}: its largest value is {values[-1]}, but in a mask target is above {half}, or the "
            f"targets are numbered from 1; save it as 0 and {2 * half + 1}, or correct it with: "
            "pointmask check IMAGES --masks MASKS --fix OUT"
        )
    return numbers > half, False


def _levels(numbers: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """Return the different numbers, sorted, and how often each occurs."""
    if numbers.dtype not in (np.uint8, np.uint16):
        return np.unique(numbers, return_counts=True)
    counts = np.bincount(numbers.ravel())  # a tenth of the time of sorting
    (values,) = np.nonzero(counts)
    return values.astype(numbers.dtype), counts[values]


def _is_picture(values: NDArray[Any], counts: NDArray[np.intp]) -> bool:
    total = int(counts.sum())
    is_full = int(counts.max()) < _LEAST_BACKGROUND * total
    is_grey = total - int(counts[0]) - int(counts[-1]) > _MOST_BETWEEN * total
    if len(values) > _MOST_LEVELS:
        return is_full or is_grey
    return is_full and is_grey and len(values) > 3 and total >= _LEAST_PIXELS


def _is_numbered(numbers: NDArray[Any], values: NDArray[Any], counts: NDArray[np.intp]) -> bool:
    top = values[-1]
    if top < 1 or values[0] < 0 or (numbers.dtype.kind == "f" and (values % 1).any()):
        return False
    if top == 1:
        return True
    named = values[values > 0]
    follow = bool(named[0] == 1 and top == len(named))
    # Ends of a range, with or without soft edges, are no numbers; nor is one that nothing comes before.
    if not follow and (top > 127 or len(named) == 1):
        return bool(len(named) == 1 and top <= 127 and top <= components(numbers > 0)[1])
    if counts[values > 0].sum() > (1 - _LEAST_BACKGROUND) * numbers.size:
        return False
    # Targets that touch are one piece of the truth, so a few more numbers than pieces are believed.
    pieces = components(numbers > 0)[1]
    return bool(top <= pieces or (follow and top <= 2 * pieces + 1))


def _pieces(numbers: NDArray[Any]) -> tuple[NDArray[np.int32], int]:
    """Label the 8-connected pieces of equal numbers."""
    values, places = np.unique(numbers, return_inverse=True)
    ranks = places.reshape(numbers.shape).astype(np.int32) + (values[0] > 0)  # 0 is background
    found, count = np.zeros(numbers.shape, np.int32), 0
    for rank, box in enumerate(ndimage.find_objects(ranks), 1):
        labels, several = components(ranks[box] == rank)  # its own box, so that many targets cost little
        inside = labels > 0
        found[box][inside] = labels[inside] + count
        count += several
    return found, count


def _half_range(stored: NDArray[Any], name: str) -> float:
    if stored.dtype in (np.uint8, np.uint16):
        return np.iinfo(stored.dtype).max // 2
    if stored.dtype.kind == "f" and ((stored >= 0) & (stored <= 1)).all():
        return 0.5
    raise ImageError(
        f"{name}: a mask of {stored.dtype} with values {stored.min()} to {stored.max()} has no stated range; "
        "save it as 8-bit, 0 and 255"
    )
