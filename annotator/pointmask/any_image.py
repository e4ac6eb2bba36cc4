"""`pointmask.annotate` for whatever a user has at hand: an array, a picture in colour, or a file."""

from collections.abc import Sequence
from pathlib import Path

from numpy.typing import ArrayLike

from pointmask.annotator import image as one_band
from pointmask.annotator.target import Annotation
from pointmask.io.images.array import any_image
from pointmask.theta import Polarity, Theta


def annotate(
    image: ArrayLike | str | Path,
    points: Sequence[tuple[int, int]],
    *,
    theta: Theta | str | Path = "default",
    style: str | float | None = None,
    polarity: Polarity = "bright",
) -> Annotation:
    """Compute a mask for each point of an image.

    Parameters
    ----------
    image : (H, W) or (H, W, 1 to 4) array_like, or path of an image file
        One infrared band in any real dtype, such as counts or kelvins. Gain and offset do not matter.
        NaN, infinite and masked pixels are replaced, see `pointmask.annotator.window.Window`. Colours become
        one band as those of files do: equal bands as they are, others as luminance; alpha is ignored. Of a
        file of several frames the first is taken.
    points : sequence of (row, col)
        One 0-based pixel per target. They need not lie exactly on the target.
    theta : Theta, "default", "synthetic", "paper" or path of a TOML file
    style : {"tight", "core", "halo"}, float or None
        How large masks are drawn, by name or in px of margin, instead of theta's; see `Theta.style`.
    polarity : {"bright", "dark", "auto"}
        Whether targets are brighter or darker than their surroundings; ``auto`` decides per target.

    Returns
    -------
    Annotation

    Raises
    ------
    ImageError
        If the file cannot be read, or the image has more than four bands, is empty, or is not of a real
        numeric dtype.
    PointsError
        If a point is not a pair of whole numbers or lies outside the image.
    ThetaError
        If theta cannot be read, or the style is unknown or out of range.

    Notes
    -----
    Dead, hot and stuck pixels are replaced first, see `pointmask.defects.mended`; a clicked pixel that stands
    alone on an even background stays.

    Each target is solved in its own window (equations 2 to 4 of the paper, see `Theta`). Pixels that belong
    to several masks are assigned to the one with the larger soft label, on a tie to the nearer point, then to
    the earlier one; a point always keeps its own pixel. Two points on one target therefore divide it (flag
    ``shared``) without changing the union. Only a point that would be left without pixels, such as the second
    of two on the same pixel, keeps that pixel in common with its owner.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.full((64, 64), 100.0)
    >>> image[30:33, 40:44] = 150.0
    >>> found = annotate(image, [(31, 41)])
    >>> bool(found.mask[31, 42])
    True
    >>> annotate(np.stack([image] * 3, axis=-1), [(31, 41)]).rows(digits=2)[0]["area"]
    12
    """
    return one_band.annotate(any_image(image), points, theta=theta, style=style, polarity=polarity)
